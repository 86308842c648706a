//! Backlog levels of a project's process, as a team sees them (`ado-api.md` §7).

use serde_json::{Map, Value, json};

use super::nodes::encode;
use super::types::field_reference;
use super::{Call, Outcome};
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::organization::Organization;
use crate::state::process::{BacklogLevel, LevelKind, Process, StateCategory};
use crate::state::project::{Project, Team};

pub(super) fn configuration(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let project = call.project(world)?;
    let team = call.team(project)?;
    let process = organization.process_of(project);
    let of = |kind: LevelKind| -> Vec<Value> {
        let levels = process.levels.iter().filter(|level| level.kind == kind);
        levels.map(|level| level_json(call, organization, (project, team), level)).collect()
    };
    let hidden: Vec<&str> =
        process.levels.iter().filter(|level| team.hides(level)).map(|level| level.id.as_str()).collect();
    let name = |index: u16| &organization.fields[usize::from(index)].reference;
    Ok(Reply::json(&json!({
        "taskBacklog": of(LevelKind::Task).first(),
        "requirementBacklog": of(LevelKind::Requirement).first(),
        "portfolioBacklogs": of(LevelKind::Portfolio),
        "workItemTypeMappedStates": mapped_states(process),
        "backlogFields": {"typeFields": {
            "Order": name(process.order_field),
            "Effort": name(process.effort_field),
            "RemainingWork": name(fields::REMAINING_WORK),
            "Activity": name(fields::ACTIVITY),
        }},
        "bugsBehavior": team.bugs_behavior,
        "hiddenBacklogs": hidden,
        "isBugsBehaviorConfigured": true,
        "url": format!("{}/_apis/work/backlogconfiguration", call.project_base(project)),
    })))
}

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let project = call.project(world)?;
    let team = call.team(project)?;
    let levels = organization.process_of(project).levels.iter();
    Ok(Reply::list(&levels.map(|level| level_json(call, organization, (project, team), level)).collect::<Vec<_>>()))
}

fn level_json(
    call: &Call<'_>,
    organization: &Organization,
    (project, team): (&Project, &Team),
    level: &BacklogLevel,
) -> Value {
    let process = organization.process_of(project);
    let own = level.types.iter().map(|index| &process.types[*index]);
    let bugs_here = call.quirks.bugs_listed_on_level && team.puts_bugs_on(level.kind);
    let bugs = process.types.iter().filter(|kind| bugs_here && kind.listed() && kind.category == "BugCategory");
    let kinds = own.chain(bugs).filter(|kind| !kind.disabled);
    let types: Vec<Value> = kinds
        .map(|kind| {
            let url = format!("{}/_apis/wit/workItemTypes/{}", call.project_base(project), encode(&kind.name));
            json!({"name": kind.name, "url": url})
        })
        .collect();
    let column =
        |index, width| json!({"columnFieldReference": field_reference(call, organization, index), "width": width});
    json!({
        "id": level.id,
        "name": level.name,
        "rank": level.rank,
        "workItemCountLimit": 1000,
        "addPanelFields": [field_reference(call, organization, fields::TITLE)],
        "columnFields": [column(fields::TITLE, 400), column(fields::STATE, 100)],
        "workItemTypes": types,
        "defaultWorkItemType": types.first(),
        "color": level.color,
        "isHidden": team.hides(level),
        "type": level.kind,
    })
}

/// State categories as boards map them; removed states have no column. Only types of levels, and bugs.
fn mapped_states(process: &Process) -> Vec<Value> {
    let kinds = process.types.iter().enumerate().filter(|(index, kind)| {
        kind.listed() && !kind.disabled && (process.level_of(*index).is_some() || kind.category == "BugCategory")
    });
    kinds
        .map(|(_, kind)| {
            let states = kind.states.iter().filter(|state| state.category != StateCategory::Removed);
            let states: Map<String, Value> =
                states.map(|state| (state.name.clone(), json!(state.category.name()))).collect();
            json!({"workItemTypeName": kind.name, "states": states})
        })
        .collect()
}

//! Creating and updating work items, for real or with `validateOnly`.

use http::StatusCode;
use serde_json::Value;

use super::patch::{self, Changes};
use super::view::{Shape, Shown};
use super::{read, rules};
use crate::api::{Call, Outcome, types};
use crate::control::{apply_field, fresh_details, fresh_row};
use crate::envelope::Refusal;
use crate::quirks::ProbeOrder;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::item_values::ItemView;
use crate::state::items::{Details, Relation, Row};
use crate::state::organization::Organization;
use crate::state::permissions::{self, PROJECT, Right};

/// An item as it would be after a change.
struct Draft {
    row: Row,
    details: Details,
}

pub(crate) fn create(call: &Call<'_>, world: &mut World) -> Outcome {
    let project = call.visible_project(world, call.parameter("project").unwrap_or_default())?;
    let allowed = check_write(call, world, project);
    if call.quirks.probe_order == ProbeOrder::ScopeFirst {
        allowed.clone()?;
    }
    let now = world.now().as_millisecond();
    let organization = &world.organizations[call.organization];
    let name = call.parameter("type").unwrap_or_default();
    let kind = organization.process_of(&organization.projects[project]).find_type(name);
    let kind = kind.ok_or_else(|| types::no_type(name, &organization.projects[project]))?;
    let changes = patch::read(organization, call.body)?;
    rules::check_values(organization, &organization.projects[project], &changes.fields)?;
    let author = call.identity(world)?.reference.clone();
    let organization = &mut world.organizations[call.organization];
    let process = organization.projects[project].process;
    let details = fresh_details(&organization.processes[process].types[kind], &author);
    let mut draft = Draft { row: fresh_row(organization, project, kind, now), details };
    draft.row.rev = 1;
    apply(call, organization, 0, &mut draft, &changes)?;
    let view = ItemView::with_details(call.seed, organization, 0, &draft.row, Some(&draft.details));
    rules::check_item(&view)?;
    allowed?;
    if call.dry || call.flag("validateOnly") {
        return Ok(shown(call, view, true));
    }
    let id = organization.items.push(draft.row);
    *organization.items.details_mut(id) = draft.details;
    saved(call, world, id)
}

pub(crate) fn update(call: &Call<'_>, world: &mut World) -> Outcome {
    call.project_index(world)?;
    let id = call.id("id");
    let view = read::find(call, world, id)?;
    let (project, before) = (usize::from(view.row.project), view.row.clone());
    let details = view.details.cloned().unwrap_or_default();
    let allowed = check_write(call, world, project);
    if call.quirks.probe_order == ProbeOrder::ScopeFirst {
        allowed.clone()?;
    }
    let now = world.now().as_millisecond();
    let author = call.identity(world)?.reference.clone();
    let organization = &mut world.organizations[call.organization];
    let changes = patch::read(organization, call.body)?;
    check_revision(&before, &changes)?;
    rules::check_values(organization, &organization.projects[project], &changes.fields)?;
    let mut draft = Draft { row: before, details };
    apply(call, organization, id, &mut draft, &changes)?;
    // Links alone leave revision and date as they are (recorded).
    if !changes.fields.is_empty() {
        draft.row.rev += 1;
        draft.row.changed = now;
        draft.details.fields.insert(fields::CHANGED_BY, author);
    }
    let view = ItemView::with_details(call.seed, organization, id, &draft.row, Some(&draft.details));
    rules::check_item(&view)?;
    allowed?;
    if call.dry || call.flag("validateOnly") {
        return Ok(shown(call, view, false));
    }
    *organization.items.details_mut(id) = draft.details;
    if let Some(row) = organization.items.get_mut(id) {
        *row = draft.row;
    }
    saved(call, world, id)
}

/// Whether the caller may save here; a check of the rules only asks for it if the switch says so.
fn check_write(call: &Call<'_>, world: &World, project: usize) -> Result<(), Refusal> {
    let identity = call.identity(world)?;
    let project = &call.organization(world).projects[project];
    let asked = !call.flag("validateOnly") || call.quirks.validate_only_checks_permission;
    if asked && !permissions::may(identity, Right::WriteWorkItems, project) {
        let message =
            "TF237111: The current user does not have permissions to save work items under the specified area path.";
        return Err(Refusal::tracking(StatusCode::FORBIDDEN, "WorkItemUnauthorizedAccessException", message));
    }
    let token = format!("$PROJECT:vstfs:///Classification/TeamProject/{}", project.id);
    for (flag, bit, name) in [
        ("bypassRules", 1_048_576, "Bypass rules on work item updates"),
        ("suppressNotifications", 2_097_152, "Suppress notifications for work item updates"),
    ] {
        if call.flag(flag) && permissions::effective(identity, PROJECT, &token) & bit == 0 {
            return Err(Refusal::access_denied(&identity.display_name, name));
        }
    }
    Ok(())
}

/// A failing test of `/rev` gives 412 (`ado-api.md` §3).
fn check_revision(row: &Row, changes: &Changes) -> Result<(), Refusal> {
    match changes.revision {
        Some(expected) if expected != i64::from(row.rev) => Err(Refusal::tracking(
            StatusCode::PRECONDITION_FAILED,
            "TestPatchOperationFailedException",
            "VS403351: Test Operation for path /rev failed. Operation was performed on an item that has since changed.",
        )),
        _ => Ok(()),
    }
}

fn apply(
    call: &Call<'_>,
    organization: &mut Organization,
    id: u32,
    draft: &mut Draft,
    changes: &Changes,
) -> Result<(), Refusal> {
    for (field, value) in &changes.fields {
        let row_field = matches!(*field, fields::STATE | fields::ITERATION_PATH | fields::AREA_PATH);
        if row_field {
            let applied = apply_field(organization, &mut draft.row, id, *field, value);
            applied.map_err(|error| Refusal::argument(error.to_string()))?;
        } else {
            let value = normal(organization, *field, value)?;
            draft.details.fields.insert(*field, value);
        }
    }
    for index in &changes.removed {
        remove_relation(organization, id, draft, *index)?;
    }
    for relation in &changes.added {
        add_relation(call, organization, draft, relation)?;
    }
    Ok(())
}

/// A value as it is kept: identities as objects, numbers as numbers.
fn normal(organization: &Organization, field: fields::FieldIndex, value: &Value) -> Result<Value, Refusal> {
    let kind = organization.fields[usize::from(field)].kind;
    match (kind, value) {
        (fields::FieldType::Identity, Value::String(name)) if !name.is_empty() => {
            let found = organization.identity_named(name);
            found.map(|identity| identity.reference.clone()).ok_or_else(|| {
                Refusal::argument(format!(
                    "The identity value '{name}' for field '{}' is an unknown identity.",
                    organization.fields[usize::from(field)].name
                ))
            })
        }
        (fields::FieldType::Integer, Value::String(text)) => {
            Ok(text.trim().parse::<i64>().map_or(Value::Null, Value::from))
        }
        (fields::FieldType::Double, Value::String(text)) => {
            Ok(text.trim().parse::<f64>().map_or(Value::Null, Value::from))
        }
        (_, Value::String(text)) if text.is_empty() => Ok(Value::Null),
        _ => Ok(value.clone()),
    }
}

const PARENT: &str = "System.LinkTypes.Hierarchy-Reverse";

fn add_relation(
    call: &Call<'_>,
    organization: &Organization,
    draft: &mut Draft,
    relation: &Relation,
) -> Result<(), Refusal> {
    let refuse = |message: String| Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemLinkInvalidException", message);
    if !relation.rel.contains('-') {
        let known = ["Hyperlink", "ArtifactLink", "AttachedFile"].contains(&relation.rel.as_str());
        if !known {
            return Err(refuse(format!("VS402314: The relation type {} is not supported.", relation.rel)));
        }
        draft.details.relations.push(relation.clone());
        return Ok(());
    }
    let target = relation.url.rsplit('/').next().and_then(|text| text.parse::<u32>().ok());
    let target = target.filter(|id| ItemView::of(call.seed, organization, *id).is_some());
    let target = target.ok_or_else(|| refuse(format!("TF201035: The link target {} does not exist.", relation.url)))?;
    if relation.rel != PARENT {
        draft.details.relations.push(relation.clone());
        return Ok(());
    }
    if draft.row.parent != 0 {
        return Err(refuse(
            "TF201036: You cannot add a Parent link because only one Parent link is allowed.".to_owned(),
        ));
    }
    draft.row.parent = target;
    Ok(())
}

/// Removes by the index that a read shows: children, parent, then what was added.
fn remove_relation(organization: &Organization, id: u32, draft: &mut Draft, index: usize) -> Result<(), Refusal> {
    let children = organization.items.children(id).len();
    let parents = usize::from(draft.row.parent != 0);
    if index < children {
        return Err(Refusal::not_implemented("removing a child link from the parent"));
    }
    if index < children + parents {
        draft.row.parent = 0;
        return Ok(());
    }
    let own = index - children - parents;
    if own >= draft.details.relations.len() {
        return Err(Refusal::argument(format!("The relation index {index} is out of range.")));
    }
    draft.details.relations.remove(own);
    Ok(())
}

fn shown(call: &Call<'_>, view: ItemView<'_>, draft: bool) -> Reply {
    let expand = call.query("$expand").unwrap_or("none").to_lowercase();
    let shape = Shape {
        fields: None,
        expanded: matches!(expand.as_str(), "all" | "fields"),
        // A write answers with the relations that there are (recorded).
        relations: true,
        links: true,
        short_url: false,
        draft,
    };
    Reply::json(&Shown { call, view, shape: &shape })
}

fn saved(call: &Call<'_>, world: &World, id: u32) -> Outcome {
    let view = ItemView::of(call.seed, call.organization(world), id).ok_or_else(|| Refusal::no_work_item(id))?;
    Ok(shown(call, view, false))
}

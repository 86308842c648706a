//! Team settings and team iterations (`ado-api.md` §8; recorded in `work/`).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use super::nodes::node_url;
use super::{Call, Outcome};
use crate::reply::Reply;
use crate::state::World;
use crate::state::process::LevelKind;
use crate::state::project::{Node, Project, Team};

pub(super) fn settings(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    let team = call.team(project)?;
    let process = call.organization(world).process_of(project);
    let levels = process.levels.iter().filter(|level| level.kind != LevelKind::Task);
    let visible: serde_json::Map<String, Value> =
        levels.map(|level| (level.id.clone(), json!(!team.hides(level)))).collect();
    let url = format!("{}/{}/_apis/work/teamsettings", call.project_base(project), team.id);
    // Without a backlog iteration there is the zero GUID alone, and the default is a macro (recorded).
    let backlog = match node(project, team.backlog_iteration) {
        Some(node) => iteration_reference(call, project, node),
        None => json!({"id": Uuid::nil()}),
    };
    let default = node(project, team.default_iteration);
    Ok(Reply::json(&json!({
        "backlogIteration": backlog,
        "bugsBehavior": team.bugs_behavior,
        "workingDays": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "backlogVisibilities": visible,
        "defaultIteration": default.map(|node| iteration_reference(call, project, node)),
        "defaultIterationMacro": if default.is_some() { Value::Null } else { json!("@currentIteration") },
        "url": url,
        "_links": links(call, project, team, &url),
    })))
}

fn links(call: &Call<'_>, project: &Project, team: &Team, url: &str) -> Value {
    let mut links = json!({
        "self": {"href": url},
        "project": {"href": format!("{}/_apis/projects/{}", call.base(), project.id)},
        "team": {"href": super::core::team_url(call, project, team)},
        "teamIterations": {"href": format!("{url}/iterations")},
        "teamFieldValues": {"href": format!("{url}/teamfieldvalues")},
    });
    let nodes = [team.backlog_iteration, team.default_iteration].into_iter();
    let nodes: Vec<Value> =
        nodes.filter_map(|id| node(project, id)).map(|node| json!({"href": node_url(call, project, node)})).collect();
    if let (Some(members), false) = (links.as_object_mut(), nodes.is_empty()) {
        members.insert("classificationNode".to_owned(), Value::Array(nodes));
    }
    links
}

fn node(project: &Project, id: Option<u32>) -> Option<&Node> {
    project.nodes.get(&id?)
}

/// Here the path begins below the project, and the root's is empty (recorded).
fn iteration_reference(call: &Call<'_>, project: &Project, node: &Node) -> Value {
    let path = node.path.strip_prefix(&project.name).unwrap_or_default();
    json!({"id": node.identifier, "name": node.name, "path": path, "url": node_url(call, project, node)})
}

pub(super) fn iterations(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    let team = call.team(project)?;
    let today = world.now().to_zoned(TimeZone::UTC).date();
    let nodes: Vec<&Node> = team.iterations.iter().filter_map(|id| project.nodes.get(id)).collect();
    let mut undated = 0;
    let mut values = Vec::new();
    for node in nodes {
        let frame = time_frame(node, today, &mut undated);
        if call.query("$timeframe").is_some_and(|wanted| !wanted.eq_ignore_ascii_case(frame)) {
            continue;
        }
        values.push(iteration_json(call, project, team, node, frame));
    }
    Ok(Reply::list(&values))
}

/// Of undated iterations the first counts as current, the others as future (recorded).
fn time_frame(node: &Node, today: Date, undated: &mut u32) -> &'static str {
    match (node.start, node.finish) {
        (_, Some(finish)) if finish < today => "past",
        (Some(start), _) if start > today => "future",
        (Some(_), _) | (_, Some(_)) => "current",
        (None, None) => {
            *undated += 1;
            if *undated == 1 { "current" } else { "future" }
        }
    }
}

/// Dates are present and null where unset (recorded), unlike on the node.
fn iteration_json(call: &Call<'_>, project: &Project, team: &Team, node: &Node, frame: &str) -> Value {
    let date = |date: Option<Date>| date.map(|date| format!("{date}T00:00:00Z"));
    let base = format!("{}/{}/_apis/work/teamsettings", call.project_base(project), team.id);
    json!({
        "id": node.identifier,
        "name": node.name,
        "path": node.path,
        "attributes": {"startDate": date(node.start), "finishDate": date(node.finish), "timeFrame": frame},
        "url": format!("{base}/iterations/{}", node.identifier),
    })
}

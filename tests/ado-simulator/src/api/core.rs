//! Projects and teams.

use serde_json::{Map, Value, json};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::organization::Organization;
use crate::state::permissions::{self, Right};
use crate::state::project::{Project, ProjectState, Team};

/// The largest page of a list.
const LARGEST_PAGE: usize = 1_000;

pub(super) fn list_projects(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let identity = call.identity(world)?;
    let filter = call.query("stateFilter").unwrap_or("wellFormed").to_lowercase();
    let wanted = |project: &&Project| match filter.as_str() {
        // "all" leaves out what is deleted.
        "all" | "unchanged" => project.state != ProjectState::Deleted,
        filter => project.state.name().eq_ignore_ascii_case(filter),
    };
    let visible = |project: &&Project| permissions::may(identity, Right::ViewProject, project);
    let projects: Vec<&Project> = organization.projects.iter().filter(wanted).filter(visible).collect();
    let skip = call.number("$skip").or(call.number("continuationToken")).unwrap_or(0);
    let default = call.quirks.projects_default_page as usize;
    let top = call.number("$top").unwrap_or(default).min(LARGEST_PAGE);
    let page: Vec<Value> = projects.iter().skip(skip).take(top).map(|p| reference(call, p)).collect();
    let next = skip + page.len();
    let mut reply = Reply::list(&page);
    if next < projects.len() && !page.is_empty() {
        reply.insert(http::HeaderName::from_static("x-ms-continuationtoken"), &next.to_string());
    }
    Ok(reply)
}

pub(super) fn get_project(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let project = call.project(world)?;
    let mut value = reference(call, project);
    if let Some(members) = value.as_object_mut() {
        add_details(call, organization, project, members);
    }
    Ok(Reply::json(&value))
}

fn add_details(call: &Call<'_>, organization: &Organization, project: &Project, members: &mut Map<String, Value>) {
    let base = call.base();
    if call.flag("includeCapabilities") {
        let process = organization.process_of(project);
        members.insert(
            "capabilities".to_owned(),
            json!({
                "processTemplate": {"templateName": process.name, "templateTypeId": process.id},
                // Booleans come as texts here (recorded).
                "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True", "tfvcEnabled": "False"},
            }),
        );
    }
    let links = json!({
        "self": {"href": format!("{base}/_apis/projects/{}", project.id)},
        "collection": {"href": format!("{base}/_apis/projectCollections/{}", organization.id)},
        "web": {"href": format!("{base}/{}", super::nodes::encode(&project.name))},
    });
    members.insert("_links".to_owned(), links);
    if let Some(team) = project.teams.first() {
        let url = team_url(call, project, team);
        members.insert("defaultTeam".to_owned(), json!({"id": team.id, "name": team.name, "url": url}));
    }
}

/// A project as it stands in lists and in other objects.
pub(super) fn reference(call: &Call<'_>, project: &Project) -> Value {
    let mut value = json!({
        "id": project.id,
        "name": project.name,
        "url": format!("{}/_apis/projects/{}", call.base(), project.id),
        "state": project.state.name(),
        "revision": project.revision,
        "visibility": project.visibility,
        "lastUpdateTime": project.updated,
    });
    if let (Some(description), Some(members)) = (&project.description, value.as_object_mut()) {
        members.insert("description".to_owned(), json!(description));
    }
    value
}

pub(super) fn list_teams(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    let default = call.quirks.teams_default_page as usize;
    let (skip, top) = (call.number("$skip").unwrap_or(0), call.number("$top").unwrap_or(default));
    let teams = project.teams.iter().skip(skip).take(top.min(LARGEST_PAGE));
    Ok(Reply::list(&teams.map(|team| team_json(call, project, team)).collect::<Vec<_>>()))
}

pub(super) fn get_team(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    let key = call.parameter("teamId").unwrap_or_default();
    let team = project.team(key).ok_or_else(|| Refusal::no_team(key))?;
    Ok(Reply::json(&team_json(call, project, team)))
}

fn team_json(call: &Call<'_>, project: &Project, team: &Team) -> Value {
    json!({
        "id": team.id,
        "name": team.name,
        "url": team_url(call, project, team),
        "description": team.description,
        "identityUrl": format!("https://spsprodsim1.vssps.visualstudio.com/_apis/Identities/{}", team.id),
        "projectName": project.name,
        "projectId": project.id,
    })
}

/// The URL of a team.
pub(super) fn team_url(call: &Call<'_>, project: &Project, team: &Team) -> String {
    format!("{}/_apis/projects/{}/teams/{}", call.base(), project.id, team.id)
}

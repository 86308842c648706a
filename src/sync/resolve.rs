//! What the names in a project config stand for in the live project.

use crate::ado::model::{ProjectDetails, TeamId};
use crate::ado::{AdoClient, AdoError};
use crate::api::{AdoProjectConfigSpec, ProjectStatus, Reason, ResolvedIntegration, TeamStatus};
use crate::domain::project_config::Resolved;
use crate::domain::projects::ProjectFilter;
use crate::domain::types::{self, Process};
use crate::domain::verdict::Cause;

use super::SyncError;

/// Category of bugs in every process (`ado-api.md` §7).
const BUG_CATEGORY: &str = "Microsoft.BugCategory";

/// Finds the project that the spec names, by its id where that is known, and checks that the integration allows it.
pub async fn project(
    client: &AdoClient,
    spec: &AdoProjectConfigSpec,
    known: Option<&str>,
    allowed: &ProjectFilter,
) -> Result<ProjectDetails, SyncError> {
    let found = match client.project(known.unwrap_or(&spec.project)).await {
        Err(AdoError::NotFound(_) | AdoError::Forbidden(_) | AdoError::InvalidName) => {
            let message = format!(
                "spec.project: the organization has no project {:?}, or the credential may not read it; correct the name \
                 or grant its owner access to the project.",
                spec.project
            );
            return Err(SyncError::Refused(Cause::new(Reason::ProjectNotFound, message)));
        }
        other => other?,
    };
    if allowed.allows(&found.name, &found.id.to_string()) {
        return Ok(found);
    }
    Err(SyncError::Refused(not_allowed(&spec.project)))
}

/// The integration's `allowedProjects` does not have the project. It is named as the spec names it: whoever wrote an id there
/// does not learn the name of a project that is none of theirs.
pub fn not_allowed(project: &str) -> Cause {
    let message = format!(
        "spec.project: the integration does not allow project {project:?}; ask for it to be added to its \
         spec.allowedProjects."
    );
    Cause::new(Reason::ProjectNotAllowed, message)
}

/// Resolves team and types of a project that was found.
pub async fn mapping(
    client: &AdoClient,
    spec: &AdoProjectConfigSpec,
    integration: ResolvedIntegration,
    project: &ProjectDetails,
) -> Result<Resolved, SyncError> {
    let team = team(client, spec, project).await?;
    let process = process(client, project, team.as_ref().map(|(id, _)| id)).await?;
    let effective = types::resolve(spec, &process).map_err(SyncError::Refused)?;
    Ok(Resolved {
        integration,
        project: ProjectStatus {
            id: project.id.to_string(),
            name: project.name.clone(),
            process: project.process_name.clone(),
        },
        team: team.map(|(_, status)| status),
        effective,
    })
}

async fn team(
    client: &AdoClient,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
) -> Result<Option<(TeamId, TeamStatus)>, SyncError> {
    let Some(name) = &spec.team else { return Ok(None) };
    let found = match client.team(&project.id, name).await {
        Err(AdoError::NotFound(_) | AdoError::InvalidName) => {
            return Err(SyncError::Refused(no_team(client, name, project).await?));
        }
        other => other?,
    };
    let status = TeamStatus { id: found.id.to_string(), name: found.name };
    Ok(Some((found.id, status)))
}

async fn no_team(client: &AdoClient, name: &str, project: &ProjectDetails) -> Result<Cause, SyncError> {
    let teams = client.teams(&project.id).await?;
    let names: Vec<&str> = teams.iter().take(30).map(|team| team.name.as_str()).collect();
    let message = format!("spec.team: project {:?} has no team {name:?}. It has: {}.", project.name, names.join(", "));
    Ok(Cause::new(Reason::TeamNotFound, message))
}

/// Types, requirement level and bug category: three requests, side by side.
async fn process(client: &AdoClient, project: &ProjectDetails, team: Option<&TeamId>) -> Result<Process, SyncError> {
    let (types, categories, backlog) = tokio::try_join!(
        client.work_item_types(&project.id),
        client.work_item_type_categories(&project.id),
        client.backlog_configuration(&project.id, team),
    )?;
    let bugs = categories.into_iter().find(|category| category.reference_name == BUG_CATEGORY);
    let requirement = backlog.requirement_backlog.map(|level| level.work_item_types).unwrap_or_default();
    Ok(Process {
        types: types.into_iter().filter(|known| !known.is_disabled).map(|known| known.name).collect(),
        requirement_level: requirement,
        bug_category: bugs.map(|category| category.types).unwrap_or_default(),
    })
}

//! What there is to choose from: projects with their teams.

use std::fmt::Write as _;

use futures::{StreamExt as _, TryStreamExt as _};

use super::notes::first;
use crate::ado::model::{Project, ProjectState, Team};
use crate::ado::{AdoClient, AdoError};
use crate::cli::report::aligned;
use crate::domain::projects::ProjectFilter;

/// Most projects whose teams are asked for, most teams of one, and most names in a message.
const MAX_PROJECTS: usize = 100;
const MAX_TEAMS: usize = 20;
const MAX_NAMES: usize = 30;

/// Requests at a time.
const PARALLEL: usize = 4;

/// The projects that an integration permits and the token's owner can read, by name.
pub(super) async fn permitted(client: &AdoClient, filter: &ProjectFilter) -> Result<Vec<Project>, AdoError> {
    let mut projects = client.projects().await?;
    projects.retain(|it| it.state == ProjectState::WellFormed && filter.allows(&it.name, &it.id.to_string()));
    projects.sort_by_cached_key(|it| it.name.to_lowercase());
    Ok(projects)
}

/// The names of projects, for a message.
pub(super) fn named(projects: &[Project]) -> String {
    if projects.is_empty() {
        return "The integration permits no project that the token's owner can read.".to_owned();
    }
    let names = first(projects.iter().map(|it| it.name.clone()), MAX_NAMES);
    format!("The integration permits: {}.", names.join(", "))
}

/// A table of projects and their teams.
pub(super) async fn table(client: &AdoClient, projects: &[Project]) -> Result<String, AdoError> {
    let asked = futures::stream::iter(projects.iter().take(MAX_PROJECTS));
    let rows: Vec<[String; 2]> = asked.map(|project| row(client, project)).buffered(PARALLEL).try_collect().await?;
    let mut text = aligned(["PROJECT", "TEAMS"], rows.into_iter());
    if projects.len() > MAX_PROJECTS {
        let others = projects.iter().skip(MAX_PROJECTS).map(|it| it.name.clone());
        let _ = writeln!(text, "\nand: {}", first(others, 10 * MAX_PROJECTS).join(", "));
    }
    Ok(text)
}

/// Puts teams into the order of their names.
pub(super) fn sort(teams: &mut [Team]) {
    teams.sort_by_cached_key(|team| team.name.to_lowercase());
}

/// A project whose teams the token's owner may not see is listed without.
async fn row(client: &AdoClient, project: &Project) -> Result<[String; 2], AdoError> {
    let teams = match client.teams(&project.id).await {
        Ok(mut teams) => {
            sort(&mut teams);
            first(teams.into_iter().map(|team| team.name), MAX_TEAMS).join(", ")
        }
        Err(AdoError::NotFound(_) | AdoError::Forbidden(_)) => "(its teams cannot be read)".to_owned(),
        Err(error) => return Err(error),
    };
    Ok([project.name.clone(), teams])
}

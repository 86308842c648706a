//! Settings of teams.

use serde::{Deserialize, Serialize};

use super::{Control, ControlError, find_project};
use crate::state::process::Process;
use crate::state::project::{Project, Structure, Team};

/// A change of a team's settings. What is left out stays. Iterations are named as in `System.IterationPath`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TeamChange {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Name or id of the project.
    pub project: String,
    /// Name or id of the team; the default team if left out.
    pub team: Option<String>,
    /// Another name.
    pub name: Option<String>,
    /// `off`, `asRequirements` or `asTasks`.
    pub bugs_behavior: Option<String>,
    /// The iterations that it subscribes to.
    pub iterations: Option<Vec<String>>,
    /// The iteration that its backlog starts at; empty for none.
    pub backlog_iteration: Option<String>,
    /// The iteration of new items; empty for `@currentIteration`.
    pub default_iteration: Option<String>,
    /// Backlog levels that it does not show, by name or id.
    pub hidden_levels: Option<Vec<String>>,
}

impl Control {
    /// Changes the settings of a team.
    pub fn change_team(&self, change: &TeamChange) -> Result<(), ControlError> {
        self.write(change.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let organization = &mut world.organizations[index];
            let found = find_project(organization, &change.project)?;
            let project = &organization.projects[found];
            let place = match &change.team {
                None => 0,
                Some(key) => place_of(project, key)?,
            };
            let team = project.teams.get(place).ok_or_else(|| ControlError::not_found("team", "of the project"))?;
            let changed = changed(project, organization.process_of(project), team, change)?;
            organization.projects[found].teams[place] = changed;
            Ok(())
        })
    }
}

fn place_of(project: &Project, key: &str) -> Result<usize, ControlError> {
    let id = project.team(key).map(|team| team.id);
    let place = project.teams.iter().position(|team| Some(team.id) == id);
    place.ok_or_else(|| ControlError::not_found("team", key))
}

fn changed(project: &Project, process: &Process, team: &Team, change: &TeamChange) -> Result<Team, ControlError> {
    let node = |path: &String| {
        let node = project.node_of_path(Structure::Iteration, path).map(|node| node.id);
        node.ok_or_else(|| ControlError::not_found("node", path))
    };
    let optional = |path: &Option<String>, before: Option<u32>| match path {
        None => Ok(before),
        Some(path) if path.is_empty() => Ok(None),
        Some(path) => node(path).map(Some),
    };
    let mut team = Team {
        backlog_iteration: optional(&change.backlog_iteration, team.backlog_iteration)?,
        default_iteration: optional(&change.default_iteration, team.default_iteration)?,
        ..team.clone()
    };
    if let Some(paths) = &change.iterations {
        team.iterations = paths.iter().map(node).collect::<Result<_, _>>()?;
    }
    if let Some(names) = &change.hidden_levels {
        let level = |name: &String| {
            let level = process.level(name).map(|place| process.levels[place].id.clone());
            level.ok_or_else(|| ControlError::not_found("backlog level", name))
        };
        team.hidden_levels = names.iter().map(level).collect::<Result<_, _>>()?;
    }
    if let Some(behavior) = &change.bugs_behavior {
        if !["off", "asRequirements", "asTasks"].contains(&behavior.as_str()) {
            return Err(ControlError::Invalid(format!("'{behavior}' is no behaviour of bugs")));
        }
        team.bugs_behavior.clone_from(behavior);
    }
    team.name = change.name.clone().unwrap_or(team.name);
    Ok(team)
}

//! Projects and their teams.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::nodes::{NewNode, add_node, node};
use super::{Control, ControlError, find_project};
use crate::state::World;
use crate::state::project::{Project, ProjectState, Structure, Team};
use crate::state::random;

/// A project to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewProject {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Its name.
    pub name: String,
    /// The name of its process; the organization's default if left out.
    pub process: Option<String>,
    /// Its description.
    pub description: Option<String>,
}

/// A change of a project. What is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProjectChange {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Name or id.
    pub project: String,
    /// Another name; the id stays.
    pub name: Option<String>,
    /// Another state: `deleted` deletes it, `wellFormed` restores it.
    pub state: Option<ProjectState>,
    /// Another name of its default team.
    pub default_team: Option<String>,
    /// Adds a team.
    pub add_team: Option<String>,
    /// Deletes a team.
    pub remove_team: Option<String>,
    /// `off`, `asRequirements` or `asTasks` for all of its teams.
    pub bugs_behavior: Option<String>,
}

impl Control {
    /// Adds a project with its default team and the nodes of a new project; gives its id.
    pub fn add_project(&self, new: &NewProject) -> Result<Uuid, ControlError> {
        self.write(new.organization.as_deref().unwrap_or("contoso"), |world, index| {
            if new.name.is_empty() || world.organizations[index].project_index(&new.name).is_some() {
                return Err(ControlError::Invalid(format!("the name '{}' is empty or taken", new.name)));
            }
            let organization = &world.organizations[index];
            let process = match &new.process {
                Some(name) => organization.processes.iter().position(|process| process.name.eq_ignore_ascii_case(name)),
                None => organization.processes.iter().position(|process| process.is_default),
            };
            let process =
                process.ok_or_else(|| ControlError::not_found("process", new.process.clone().unwrap_or_default()))?;
            let project = fresh_project(world, index, new, process);
            let id = project.id;
            world.organizations[index].projects.push(project);
            Ok(id)
        })
    }

    /// Renames, deletes or restores a project; adds, renames or removes a team.
    pub fn change_project(&self, change: &ProjectChange) -> Result<(), ControlError> {
        self.write(change.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let team_id = random::guid(world.seed, "team", world.next("team"));
            let now = world.now();
            let organization = &mut world.organizations[index];
            let found = find_project(organization, &change.project)?;
            let project = &mut organization.projects[found];
            if let Some(name) = &change.name {
                project.name.clone_from(name);
                project.refresh_paths();
            }
            project.state = change.state.unwrap_or(project.state);
            change_teams(project, change, team_id)?;
            project.revision += 1;
            project.updated = now;
            Ok(())
        })
    }

    /// Renames a project of `contoso`.
    pub fn rename_project(&self, project: &str, name: &str) -> Result<(), ControlError> {
        let name = Some(name.to_owned());
        self.change_project(&ProjectChange { project: project.to_owned(), name, ..ProjectChange::default() })
    }

    /// Deletes a project of `contoso`.
    pub fn delete_project(&self, project: &str) -> Result<(), ControlError> {
        let state = Some(ProjectState::Deleted);
        self.change_project(&ProjectChange { project: project.to_owned(), state, ..ProjectChange::default() })
    }
}

fn change_teams(project: &mut Project, change: &ProjectChange, id: Uuid) -> Result<(), ControlError> {
    if let Some(name) = &change.remove_team {
        let team = project.team(name).ok_or_else(|| ControlError::not_found("team", name))?.id;
        project.teams.retain(|candidate| candidate.id != team);
    }
    if let (Some(name), Some(team)) = (&change.default_team, project.teams.first_mut()) {
        team.name.clone_from(name);
    }
    if let Some(name) = &change.add_team {
        project.teams.push(new_team(id, name, None, "off"));
    }
    if let Some(behavior) = &change.bugs_behavior {
        for team in &mut project.teams {
            team.bugs_behavior.clone_from(behavior);
        }
    }
    Ok(())
}

fn new_team(id: Uuid, name: &str, backlog_iteration: Option<u32>, bugs_behavior: &str) -> Team {
    Team {
        id,
        name: name.to_owned(),
        description: String::new(),
        iterations: Vec::new(),
        backlog_iteration,
        default_iteration: None,
        bugs_behavior: bugs_behavior.to_owned(),
        hidden_levels: Vec::new(),
    }
}

fn fresh_project(world: &mut World, organization: usize, new: &NewProject, process: usize) -> Project {
    let seed = world.seed;
    let (project_number, team_number) = (world.next("project"), world.next("team"));
    let now = world.now();
    let bugs = world.organizations[organization].processes[process].bugs_behavior;
    let next = &mut world.organizations[organization].next_node;
    let (iteration_root, area_root, sprint) = (*next, *next + 1, *next + 2);
    *next += 3;
    let mut project = Project {
        id: random::guid(seed, "project", project_number),
        name: new.name.clone(),
        description: new.description.clone(),
        state: ProjectState::WellFormed,
        visibility: "private",
        revision: 1,
        updated: now,
        process,
        teams: vec![new_team(
            random::guid(seed, "team", team_number),
            &format!("{} Team", new.name),
            Some(iteration_root),
            bugs,
        )],
        nodes: BTreeMap::new(),
        area_root,
        iteration_root,
        repositories: Vec::new(),
    };
    for (id, structure) in [(iteration_root, Structure::Iteration), (area_root, Structure::Area)] {
        project
            .nodes
            .insert(id, node(seed, id, structure, None, &NewNode { name: new.name.clone(), ..NewNode::default() }));
    }
    let first = NewNode { name: "Sprint 1".to_owned(), ..NewNode::default() };
    add_node(seed, &mut project, sprint, Structure::Iteration, iteration_root, &first);
    project
}

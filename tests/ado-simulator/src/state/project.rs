//! Projects, their teams, nodes and repositories.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::process::{BacklogLevel, LevelKind};

/// The state of a project, with the spelling of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProjectState {
    /// Usable.
    WellFormed,
    /// Being made.
    CreatePending,
    /// Being deleted.
    Deleting,
    /// Deleted, but restorable.
    Deleted,
}

impl ProjectState {
    /// The spelling of the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WellFormed => "wellFormed",
            Self::CreatePending => "createPending",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// The structure that a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Structure {
    Area,
    Iteration,
}

/// An area or an iteration.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub id: u32,
    pub identifier: Uuid,
    pub name: String,
    pub structure: Structure,
    pub parent: Option<u32>,
    pub children: Vec<u32>,
    pub start: Option<Date>,
    pub finish: Option<Date>,
    /// As in `System.IterationPath`: `Payments\2026\R1`.
    pub path: String,
}

/// A team.
#[derive(Clone, Debug)]
pub(crate) struct Team {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    /// Iterations that it subscribed to.
    pub iterations: Vec<u32>,
    /// The node that its backlog starts at; a new team has none.
    pub backlog_iteration: Option<u32>,
    pub default_iteration: Option<u32>,
    /// `off`, `asRequirements` or `asTasks`.
    pub bugs_behavior: String,
    /// Ids of backlog levels that it does not show.
    pub hidden_levels: Vec<String>,
}

impl Team {
    /// Whether a backlog level is hidden here, by the process or by the team itself.
    pub fn hides(&self, level: &BacklogLevel) -> bool {
        level.hidden || self.hidden_levels.contains(&level.id)
    }

    /// Whether the team plans bugs on a level of this kind.
    pub fn puts_bugs_on(&self, kind: LevelKind) -> bool {
        match kind {
            LevelKind::Portfolio => false,
            LevelKind::Requirement => self.bugs_behavior == "asRequirements",
            LevelKind::Task => self.bugs_behavior == "asTasks",
        }
    }
}

/// A git repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub id: Uuid,
    pub name: String,
    /// Empty repositories have none.
    pub default_branch: Option<&'static str>,
    pub size: u64,
    pub disabled: bool,
}

/// A project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub state: ProjectState,
    pub visibility: &'static str,
    pub revision: i64,
    pub updated: Timestamp,
    /// Index of its process.
    pub process: usize,
    pub teams: Vec<Team>,
    pub nodes: BTreeMap<u32, Node>,
    pub area_root: u32,
    pub iteration_root: u32,
    pub repositories: Vec<Repository>,
}

impl Project {
    /// The token of an area in the CSS namespace: identifiers from the root down.
    pub fn area_token(&self, area: u32) -> String {
        let mut parts: Vec<String> =
            self.ancestors(area).map(|node| format!("vstfs:///Classification/Node/{}", node.identifier)).collect();
        parts.reverse();
        parts.join(":")
    }

    /// A node and those above it, from itself to the root.
    pub fn ancestors(&self, node: u32) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.nodes.get(&node), |node| self.nodes.get(&node.parent?))
    }

    /// The node of a path as work items have it, without case.
    pub fn node_of_path(&self, structure: Structure, path: &str) -> Option<&Node> {
        let wanted = path.trim_matches('\\');
        self.nodes.values().find(|node| node.structure == structure && node.path.eq_ignore_ascii_case(wanted))
    }

    pub fn root(&self, structure: Structure) -> u32 {
        match structure {
            Structure::Area => self.area_root,
            Structure::Iteration => self.iteration_root,
        }
    }

    /// The team of this id or name.
    pub fn team(&self, key: &str) -> Option<&Team> {
        let id = Uuid::try_parse(key).ok();
        self.teams.iter().find(|team| Some(team.id) == id || team.name.to_lowercase() == key.to_lowercase())
    }

    /// Writes the paths again, after the project or a node was renamed or moved.
    pub fn refresh_paths(&mut self) {
        for root in [self.area_root, self.iteration_root] {
            if let Some(node) = self.nodes.get_mut(&root) {
                node.name.clone_from(&self.name);
            }
            self.refresh_below(root, "");
        }
    }

    fn refresh_below(&mut self, id: u32, prefix: &str) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.path = if prefix.is_empty() { node.name.clone() } else { format!("{prefix}\\{}", node.name) };
        let (path, children) = (node.path.clone(), node.children.clone());
        for child in children {
            self.refresh_below(child, &path);
        }
    }
}

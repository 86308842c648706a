//! Projects, teams, iteration nodes and repositories.

use serde::Deserialize;
use uuid::Uuid;

use super::ids::{ProjectId, RepositoryId, TeamId};
use super::json::{label, null_is_default, optional_label};

/// Where a project is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ProjectState {
    /// In use.
    WellFormed,
    /// Being created or deleted, deleted, or a state that came later.
    Other(String),
}

impl From<String> for ProjectState {
    fn from(text: String) -> Self {
        if text.eq_ignore_ascii_case("wellFormed") { Self::WellFormed } else { Self::Other(text) }
    }
}

/// A project as listed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Its id, which stays.
    pub id: ProjectId,
    /// Its name, which may change.
    #[serde(deserialize_with = "label")]
    pub name: String,
    /// Its state.
    pub state: ProjectState,
}

/// A project with its process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RawProject")]
pub struct ProjectDetails {
    /// Its id, which stays.
    pub id: ProjectId,
    /// Its name, which may change.
    pub name: String,
    /// Its state.
    pub state: ProjectState,
    /// Name of its process, such as `Agile`.
    pub process_name: Option<String>,
    /// Id of its process.
    pub process_id: Option<Uuid>,
    /// Kind of its default version control, `Git` or `Tfvc`.
    pub source_control: Option<String>,
    /// The team that stands for the project where none is named.
    pub default_team: Option<Team>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawProject {
    id: ProjectId,
    #[serde(deserialize_with = "label")]
    name: String,
    state: ProjectState,
    #[serde(default)]
    default_team: Option<Team>,
    #[serde(default, deserialize_with = "null_is_default")]
    capabilities: Capabilities,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Capabilities {
    #[serde(rename = "processTemplate", deserialize_with = "null_is_default")]
    process: ProcessCapability,
    #[serde(rename = "versioncontrol", deserialize_with = "null_is_default")]
    version_control: VersionControlCapability,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProcessCapability {
    #[serde(deserialize_with = "optional_label")]
    template_name: Option<String>,
    template_type_id: Option<Uuid>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VersionControlCapability {
    source_control_type: Option<String>,
}

impl From<RawProject> for ProjectDetails {
    fn from(raw: RawProject) -> Self {
        Self {
            id: raw.id,
            name: raw.name,
            state: raw.state,
            process_name: raw.capabilities.process.template_name,
            process_id: raw.capabilities.process.template_type_id,
            source_control: raw.capabilities.version_control.source_control_type,
            default_team: raw.default_team,
        }
    }
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    #[serde(deserialize_with = "label")]
    pub name: String,
}

/// A node of the area or iteration tree.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassificationNode {
    /// The integer that work items refer to (`System.AreaId`, `System.IterationId`).
    pub id: u32,
    /// The id that stays through renames and moves.
    pub identifier: Uuid,
    /// The node's own name.
    pub name: String,
    /// Which tree it belongs to.
    pub structure_type: NodeStructure,
    /// Backslash path with the structure in its second place, `\Project\Iteration\Release 1`; absent from old servers.
    #[serde(default)]
    pub path: Option<String>,
    /// Whether there are nodes below, even if `children` was cut by the depth asked for.
    #[serde(default, deserialize_with = "null_is_default")]
    pub has_children: bool,
    /// Dates; absent if the node has none.
    #[serde(default)]
    pub attributes: Option<NodeDates>,
    /// The nodes below.
    #[serde(default, deserialize_with = "null_is_default")]
    pub children: Vec<ClassificationNode>,
}

/// Which tree a node belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum NodeStructure {
    /// The areas.
    Area,
    /// The iterations.
    Iteration,
    /// A tree that came later.
    Other(String),
}

impl From<String> for NodeStructure {
    fn from(text: String) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "area" => Self::Area,
            "iteration" => Self::Iteration,
            _ => Self::Other(text),
        }
    }
}

/// The roots of a project's trees. Their identifiers stand in security tokens (`ado-api.md` §12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassificationRoots {
    /// The root of the areas.
    pub areas: Option<ClassificationNode>,
    /// The root of the iterations.
    pub iterations: Option<ClassificationNode>,
}

impl From<Vec<ClassificationNode>> for ClassificationRoots {
    fn from(nodes: Vec<ClassificationNode>) -> Self {
        let of = |structure: &NodeStructure| nodes.iter().find(|node| node.structure_type == *structure).cloned();
        Self { areas: of(&NodeStructure::Area), iterations: of(&NodeStructure::Iteration) }
    }
}

/// Dates of an iteration, as midnight UTC of their day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeDates {
    /// First day.
    #[serde(default)]
    pub start_date: Option<String>,
    /// Last day, inclusive.
    #[serde(default)]
    pub finish_date: Option<String>,
}

/// An iteration that a team chose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TeamIteration {
    /// The node's `identifier`.
    pub id: Uuid,
    /// The node's own name.
    pub name: String,
    /// Backslash path as work items have it, `Project\Release 1`.
    #[serde(default)]
    pub path: Option<String>,
    /// Dates; without values, or absent, if the node has none.
    #[serde(default)]
    pub attributes: Option<NodeDates>,
}

/// A Git repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// Its name.
    pub name: String,
    /// Disabled repositories are listed too.
    #[serde(default, deserialize_with = "null_is_default")]
    pub is_disabled: bool,
}

//! The mapping part of an `AdoProjectConfig`: which iterations are releases and sprints, and what the values of Azure DevOps
//! mean in test management.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which iterations are releases and which are sprints. Used only while requirements or bugs are pulled.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.release) && has(self.sprint) && self.release.from == 'TeamBoard' && self.sprint.from == 'TeamBoard')")
        .message("iterationMapping: only one of release and sprint can come from TeamBoard")
)]
pub struct IterationMapping {
    /// Whether names are full paths, such as `Payments\2026\R1`, instead of the last part. Absent means false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_path: Option<bool>,
    /// Where releases come from. Absent means Depth 1; beside a sprint from Depth n it means Depth n - 1, or None if n is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<IterationSource>,
    /// Where sprints come from. Absent means Depth 2; beside a release from Depth n it means Depth n + 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sprint: Option<IterationSource>,
}

/// A choice of iterations.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.depth) == (self.from == 'Depth') && has(self.paths) == (self.from == 'Paths') && has(self.tier) == (self.from == 'Tier')")
        .message("must give depth with from: Depth, paths with from: Paths, tier with from: Tier, and nothing else")
)]
pub struct IterationSource {
    /// How they are chosen.
    pub from: SourceKind,
    /// Levels below the root of the tree, 1 to 14.
    #[schemars(range(min = 1, max = 14))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<i32>,
    /// Nodes as `System.IterationPath` names them, such as `Payments\2026\R1`; `*` in place of a name stands for one whole
    /// level.
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 1024)))]
    #[x_kube(validation = Rule::new("self.all(x, self.exists_one(y, x == y))").message("paths must not repeat an entry"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Tier of the backlog, 1 at the top, as `status.tiers` shows them.
    #[schemars(range(min = 1, max = 10))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<i32>,
}

/// How iterations are chosen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SourceKind {
    /// No iteration.
    #[default]
    None,
    /// Every node that many levels below the root.
    Depth,
    /// The nodes that are named.
    Paths,
    /// The iteration of the work item's ancestor at a tier of the backlog.
    Tier,
    /// The iterations that the team has selected for its board.
    TeamBoard,
}

/// How urgent or grave something is, in test management.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Rating {
    /// The highest.
    Critical,
    /// High.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
    /// The lowest.
    Lowest,
}

impl Rating {
    /// Every rating, from the highest.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Lowest];

    /// The name as it stands in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Lowest => "Lowest",
        }
    }
}

/// How far something is, in test management.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum RecordStatus {
    /// Not begun.
    Open,
    /// Begun.
    InProgress,
    /// Done, to be verified.
    Resolved,
    /// Done.
    Closed,
    /// Taken out.
    Removed,
}

impl RecordStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Open, Self::InProgress, Self::Resolved, Self::Closed, Self::Removed];

    /// The name as it stands in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::InProgress => "InProgress",
            Self::Resolved => "Resolved",
            Self::Closed => "Closed",
            Self::Removed => "Removed",
        }
    }
}

/// What a state of Azure DevOps means.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusEntry {
    /// Name of the state; case does not matter.
    #[schemars(length(min = 1, max = 128))]
    pub ado: String,
    /// Work item type that the entry is for; it wins over an entry without one. Absent means every type.
    #[schemars(length(min = 1, max = 128))]
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub work_item_type: Option<String>,
    /// The status in test management.
    pub testops: RecordStatus,
}

/// What a severity of Azure DevOps means.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeverityEntry {
    /// The severity, such as `1 - Critical`; case does not matter.
    #[schemars(length(min = 1, max = 256))]
    pub ado: String,
    /// The severity in test management.
    pub testops: Rating,
}

/// What a priority of Azure DevOps means.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriorityEntry {
    /// The priority, 1 to 4.
    #[schemars(range(min = 1, max = 4))]
    pub ado: i32,
    /// The priority in test management.
    pub testops: Rating,
}

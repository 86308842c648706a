//! The documents that the oracle reads.

#![expect(clippy::expect_used, reason = "a document of another form is a mistake of the test that wrote it")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::names::same;

#[derive(Deserialize)]
pub(crate) struct Input {
    pub(crate) spec: Spec,
    pub(crate) accepted: Option<World>,
    pub(crate) world: World,
    pub(crate) items: Vec<Item>,
}

impl Input {
    pub(crate) fn read(document: &Value) -> Self {
        Self::deserialize(document).expect("an input document of the oracle")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spec {
    pub(crate) pull_requirements: Option<PullRequirements>,
    pub(crate) bug_mapping: Option<BugMapping>,
    pub(crate) iteration_mapping: Option<IterationMapping>,
    pub(crate) priority_mapping: Option<Vec<PriorityEntry>>,
    pub(crate) time_zone: Option<String>,
    pub(crate) team: Option<String>,
}

impl Spec {
    /// *Pull Requirements*, if it is switched on. Rule: "`enabled` true within a block that is there, false without".
    pub(crate) fn pull(&self) -> Option<&PullRequirements> {
        self.pull_requirements.as_ref().filter(|block| block.enabled.unwrap_or(true))
    }

    /// *Bug Mapping*, if it is switched on, by the same rule.
    pub(crate) fn bugs(&self) -> Option<&BugMapping> {
        self.bug_mapping.as_ref().filter(|block| block.enabled.unwrap_or(true))
    }

    /// Rule: the iteration mapping is "used only if one of the toggles is on".
    pub(crate) fn uses_iterations(&self) -> bool {
        self.pull().is_some() || self.bugs().is_some()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullRequirements {
    enabled: Option<bool>,
    pub(crate) work_item_types: Option<Vec<String>>,
    pub(crate) release_date_fields: Option<Vec<String>>,
    status_mapping: Option<Vec<StatusEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BugMapping {
    enabled: Option<bool>,
    pub(crate) work_item_types: Option<Vec<String>>,
    severity_mapping: Option<Vec<SeverityEntry>>,
    status_mapping: Option<Vec<StatusEntry>>,
}

impl PullRequirements {
    /// The status mapping; empty if left out.
    pub(crate) fn statuses(&self) -> &[StatusEntry] {
        self.status_mapping.as_deref().unwrap_or_default()
    }
}

impl BugMapping {
    /// The status mapping; empty if left out.
    pub(crate) fn statuses(&self) -> &[StatusEntry] {
        self.status_mapping.as_deref().unwrap_or_default()
    }

    /// The severity mapping; empty if left out.
    pub(crate) fn severities(&self) -> &[SeverityEntry] {
        self.severity_mapping.as_deref().unwrap_or_default()
    }
}

#[derive(Deserialize)]
pub(crate) struct StatusEntry {
    pub(crate) ado: String,
    #[serde(rename = "type")]
    pub(crate) work_item_type: Option<String>,
    pub(crate) testops: String,
}

#[derive(Deserialize)]
pub(crate) struct SeverityEntry {
    pub(crate) ado: String,
    pub(crate) testops: String,
}

#[derive(Deserialize)]
pub(crate) struct PriorityEntry {
    pub(crate) ado: i64,
    pub(crate) testops: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IterationMapping {
    pub(crate) full_path: Option<bool>,
    pub(crate) release: Option<Side>,
    pub(crate) sprint: Option<Side>,
}

#[derive(Deserialize)]
pub(crate) struct Side {
    pub(crate) from: From,
    pub(crate) depth: Option<usize>,
    pub(crate) paths: Option<Vec<String>>,
    pub(crate) tier: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) enum From {
    Depth,
    Paths,
    Tier,
    TeamBoard,
    None,
}

#[derive(Deserialize)]
pub(crate) struct World {
    pub(crate) types: Vec<WorkType>,
    pub(crate) categories: Vec<Category>,
    pub(crate) backlogs: Backlogs,
    pub(crate) fields: Vec<Field>,
    #[serde(default)]
    pub(crate) severities: BTreeMap<String, Vec<String>>,
    pub(crate) tree: Node,
    pub(crate) team: Option<Team>,
}

/// A work item type. Whether it is disabled is not read: the rules say nothing of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkType {
    pub(crate) name: String,
    pub(crate) reference_name: String,
    pub(crate) states: Vec<State>,
    pub(crate) fields: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) category: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Category {
    pub(crate) reference_name: String,
    pub(crate) work_item_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Backlogs {
    #[serde(rename = "portfolioBacklogs")]
    pub(crate) portfolio: Vec<Level>,
    #[serde(rename = "requirementBacklog")]
    pub(crate) requirement: Option<Level>,
    #[serde(rename = "taskBacklog")]
    pub(crate) task: Option<Level>,
    pub(crate) bugs_behavior: BugsBehavior,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BugsBehavior {
    Off,
    AsRequirements,
    AsTasks,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Level {
    pub(crate) id: String,
    pub(crate) rank: i64,
    pub(crate) work_item_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Field {
    pub(crate) reference_name: String,
    #[serde(rename = "type")]
    pub(crate) value_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    pub(crate) id: i64,
    pub(crate) identifier: String,
    pub(crate) name: String,
    pub(crate) start_date: Option<String>,
    pub(crate) finish_date: Option<String>,
    #[serde(default)]
    pub(crate) children: Vec<Node>,
}

#[derive(Deserialize)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) nodes: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) parent: Option<i64>,
    pub(crate) fields: BTreeMap<String, Value>,
}

impl Item {
    /// The value of a field; none if it is absent or null. Rule: "ADO names compare without case".
    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| same(name, field)).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The value of a field as text; a text of blanks counts as absent.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        let text = match self.value(field)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The name of the item's type.
    pub(crate) fn type_name(&self) -> String {
        self.text("System.WorkItemType").unwrap_or_default()
    }
}

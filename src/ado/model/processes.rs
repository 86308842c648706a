//! What the process of a project defines: types, states, categories, backlog levels, fields.

use serde::Deserialize;

use super::json::{any_text, any_texts, label, name, names, null_is_default};

/// A work item type. Only these members of a large answer are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkItemType {
    /// The name in the project.
    #[serde(deserialize_with = "label")]
    pub name: String,
    /// The name that stays through renames, such as `Microsoft.VSTS.WorkItemTypes.Bug`.
    #[serde(default)]
    pub reference_name: Option<String>,
    /// Whether no new items of it can be made.
    #[serde(default, deserialize_with = "null_is_default")]
    pub is_disabled: bool,
    /// Its states in the order of its workflow.
    #[serde(default, deserialize_with = "null_is_default")]
    pub states: Vec<State>,
}

/// A state of a type. The same name may have another category on another type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct State {
    /// The state's name.
    pub name: String,
    /// What it means.
    #[serde(default)]
    pub category: Option<StateCategory>,
}

/// What a state means, whatever its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
pub enum StateCategory {
    /// Not begun.
    Proposed,
    /// Begun.
    InProgress,
    /// Done, to be verified.
    Resolved,
    /// Done.
    Completed,
    /// Taken out.
    Removed,
    /// One that came later.
    Other(String),
}

impl From<String> for StateCategory {
    fn from(text: String) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "proposed" => Self::Proposed,
            "inprogress" => Self::InProgress,
            "resolved" => Self::Resolved,
            "completed" => Self::Completed,
            "removed" => Self::Removed,
            _ => Self::Other(text),
        }
    }
}

/// A category of types, such as `Microsoft.BugCategory`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeCategory {
    /// The name that stays.
    pub reference_name: String,
    /// The name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Name of the type that a new item of the category has.
    #[serde(default, rename = "defaultWorkItemType", deserialize_with = "name")]
    pub default_type: Option<String>,
    /// Names of its types.
    #[serde(default, rename = "workItemTypes", deserialize_with = "names")]
    pub types: Vec<String>,
}

/// The backlog levels of a team or project (`ado-api.md` §7).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BacklogConfiguration {
    /// The lowest level.
    #[serde(default)]
    pub task_backlog: Option<BacklogLevel>,
    /// The level of requirements.
    #[serde(default)]
    pub requirement_backlog: Option<BacklogLevel>,
    /// The levels above, in no certain order: their ranks order them.
    #[serde(default, deserialize_with = "null_is_default")]
    pub portfolio_backlogs: Vec<BacklogLevel>,
    /// At which level the types of the bug category stand.
    #[serde(default)]
    pub bugs_behavior: Option<BugsBehavior>,
    /// Ids of the levels that the team does not show.
    #[serde(default, deserialize_with = "null_is_default")]
    pub hidden_backlogs: Vec<String>,
}

/// A backlog level.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BacklogLevel {
    /// The id that stays through renames, such as `Microsoft.RequirementCategory`.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Its place: the higher, the nearer to the top.
    #[serde(default, deserialize_with = "null_is_default")]
    pub rank: i32,
    /// Names of its types.
    #[serde(default, deserialize_with = "names")]
    pub work_item_types: Vec<String>,
    /// Name of the type that a new item of the level has.
    #[serde(default, rename = "defaultWorkItemType", deserialize_with = "name")]
    pub default_type: Option<String>,
    /// Whether the level is hidden.
    #[serde(default, deserialize_with = "null_is_default")]
    pub is_hidden: bool,
}

/// At which level the types of the bug category stand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum BugsBehavior {
    /// At none.
    Off,
    /// At that of requirements.
    AsRequirements,
    /// At that of tasks.
    AsTasks,
    /// One that came later.
    Other(String),
}

impl From<String> for BugsBehavior {
    fn from(text: String) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "off" => Self::Off,
            "asrequirements" => Self::AsRequirements,
            "astasks" => Self::AsTasks,
            _ => Self::Other(text),
        }
    }
}

/// A field as a type uses it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeField {
    /// The name that stays, such as `Microsoft.VSTS.Common.Severity`.
    pub reference_name: String,
    /// The name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether an item must have a value.
    #[serde(default, deserialize_with = "null_is_default")]
    pub always_required: bool,
    /// The value of a new item.
    #[serde(default, deserialize_with = "any_text")]
    pub default_value: Option<String>,
    /// The values offered, which need not be all that are accepted; empty if any is.
    #[serde(default, deserialize_with = "any_texts")]
    pub allowed_values: Vec<String>,
}

/// A field of the organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The name that stays.
    pub reference_name: String,
    /// The name for people.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether nobody can set it.
    #[serde(default, deserialize_with = "null_is_default")]
    pub read_only: bool,
}

/// What the values of a field are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum FieldKind {
    /// One line of text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// A point in time.
    DateTime,
    /// Text of several lines.
    PlainText,
    /// HTML or markdown.
    Html,
    /// True or false.
    Boolean,
    /// A path in the area or iteration tree.
    TreePath,
    /// Another kind: identities, picklists, ids, history, or one that came later.
    Other(String),
}

impl From<String> for FieldKind {
    fn from(text: String) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "string" => Self::String,
            "integer" => Self::Integer,
            "double" => Self::Double,
            "datetime" => Self::DateTime,
            "plaintext" => Self::PlainText,
            "html" => Self::Html,
            "boolean" => Self::Boolean,
            "treepath" => Self::TreePath,
            _ => Self::Other(text),
        }
    }
}

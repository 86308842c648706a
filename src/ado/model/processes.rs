//! What the process of a project defines: types, states, categories, backlog levels, fields.

use serde::Deserialize;

use super::json::{any_text, any_texts, label, name, names, null_is_default};

/// A work item type. Only these members of a large answer are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RawType")]
pub struct WorkItemType {
    /// The name in the project.
    pub name: String,
    /// The name that stays through renames, such as `Microsoft.VSTS.WorkItemTypes.Bug`.
    pub reference_name: Option<String>,
    /// Whether no new items of it can be made.
    pub is_disabled: bool,
    /// Its states in the order of its workflow.
    pub states: Vec<State>,
    /// Reference names of its fields, sorted.
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawType {
    #[serde(deserialize_with = "label")]
    name: String,
    #[serde(default)]
    reference_name: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    is_disabled: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    states: Vec<State>,
    #[serde(default, deserialize_with = "null_is_default")]
    fields: Vec<FieldName>,
    #[serde(default, deserialize_with = "null_is_default")]
    field_instances: Vec<FieldName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldName {
    reference_name: String,
}

impl From<RawType> for WorkItemType {
    fn from(raw: RawType) -> Self {
        // Both lists were seen to hold the same; either may be absent.
        let listed = raw.fields.into_iter().chain(raw.field_instances);
        let mut fields: Vec<String> = listed.map(|field| field.reference_name).collect();
        fields.sort_unstable();
        fields.dedup();
        fields.shrink_to_fit();
        let RawType { name, reference_name, is_disabled, states, .. } = raw;
        Self { name, reference_name, is_disabled, states, fields }
    }
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

impl StateCategory {
    /// Its name, as Azure DevOps writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Proposed => "Proposed",
            Self::InProgress => "InProgress",
            Self::Resolved => "Resolved",
            Self::Completed => "Completed",
            Self::Removed => "Removed",
            Self::Other(name) => name,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_types_fields_come_from_either_list() {
        let fields = |text: &str| serde_json::from_str::<WorkItemType>(text).expect("a type").fields;
        let both = r#"{"name":"Bug","fields":[{"referenceName":"System.Title","name":"Title"},{"referenceName":"A.B"}],
            "fieldInstances":[{"referenceName":"System.Title"},{"referenceName":"C.D","helpText":null}]}"#;
        assert_eq!(fields(both), ["A.B", "C.D", "System.Title"]);
        assert_eq!(fields(r#"{"name":"Bug","fieldInstances":[{"referenceName":"C.D"}]}"#), ["C.D"]);
        assert_eq!(fields(r#"{"name":"Bug","fields":[{"referenceName":"A.B"}],"fieldInstances":null}"#), ["A.B"]);
        assert!(fields(r#"{"name":"Bug"}"#).is_empty());
    }
}

//! Elements of the reporting feeds (`ado-api.md` §9).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ids::WorkItemId;
use super::json::{null_is_default, raw_null};
use crate::ado::text::whole_characters;

/// A revision of a work item.
#[derive(Debug, Clone, Deserialize)]
pub struct Revision {
    /// The item.
    pub id: WorkItemId,
    /// The revision's number. Link changes make none.
    pub rev: u32,
    /// The object of values by reference name, as the service wrote it; `null` where there was none.
    #[serde(default = "raw_null")]
    pub fields: Box<RawValue>,
}

impl Revision {
    /// The fields by reference name; None if they are no object, or hold a number that no computer has.
    pub fn fields(&self) -> Option<Map<String, Value>> {
        let text = self.fields.get();
        let read = |text: &str| serde_json::from_str::<Option<Map<String, Value>>>(text).ok();
        read(text).or_else(|| read(&whole_characters(text)?)).map(Option::unwrap_or_default)
    }
}

/// A change of a link between two work items.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkChange {
    /// The link's type without its direction, such as `System.LinkTypes.Hierarchy`.
    pub rel: String,
    /// Where it starts: the parent, of a hierarchy.
    pub source_id: WorkItemId,
    /// Where it leads: the child, of a hierarchy.
    pub target_id: WorkItemId,
    /// When it was added or removed.
    pub changed_date: String,
    /// Whether it is there now.
    #[serde(default, deserialize_with = "null_is_default")]
    pub is_active: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_read_whatever_halves_of_characters_are_in_them() {
        let fields = |text: &str| serde_json::from_str::<Revision>(&format!(r#"{{"id":1,"rev":1,"fields":{text}}}"#));
        for (text, expected) in [
            (r#"{"A":"\ud83d\ude00 \u0000"}"#, Some(json!({"A": "😀 \u{0}"}))),
            (r#"{"A":"x\ud83d","B":"\ude00"}"#, Some(json!({"A": "x\u{fffd}", "B": "\u{fffd}"}))),
            ("null", Some(json!({}))),
            ("[]", None),
            (r#"{"A":1e999}"#, None),
        ] {
            let read = fields(text).expect("a revision").fields();
            assert_eq!(read.map(Value::Object), expected, "{text}");
        }
    }
}

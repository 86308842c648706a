//! Elements of the reporting feeds (`ado-api.md` §9).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ids::WorkItemId;
use super::json::{null_is_default, raw_null};

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

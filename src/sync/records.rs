//! A work item as it is stored, whichever call brought it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::ado::model::WorkItemId;
use crate::store::WorkItemRecord;

/// A field that is absent or of an odd type is empty; the raw fields are kept beside, in the order of their names, so that the
/// same fields give the same text.
pub fn record(id: WorkItemId, rev: u32, fields: Map<String, Value>) -> WorkItemRecord {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let changed: Option<Timestamp> = text("System.ChangedDate").parse().ok();
    WorkItemRecord {
        id: id.0.into(),
        rev,
        work_item_type: text("System.WorkItemType"),
        state: text("System.State"),
        title: text("System.Title"),
        changed_at: changed.map_or(0, Timestamp::as_millisecond),
        fields: Value::Object(fields).to_string(),
        texts: None,
    }
}

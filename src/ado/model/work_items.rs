//! Work items: what is read, and what is proposed.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::ids::WorkItemId;
use crate::ado::error::ServiceMessage;

/// A work item with the fields that were asked for; fields without a value are left out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WorkItem {
    /// Its id.
    pub id: WorkItemId,
    /// Its revision. Link changes leave it as it is.
    pub rev: u32,
    /// Values by reference name.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// Answer of a query: ids only, whatever was selected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryResult {
    /// The server's time of the query: the next watermark.
    pub as_of: String,
    /// Ids in the order of the query.
    #[serde(rename = "workItems", deserialize_with = "ids")]
    pub ids: Vec<WorkItemId>,
}

#[derive(Deserialize)]
struct Reference {
    id: WorkItemId,
}

fn ids<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<WorkItemId>, D::Error> {
    Ok(Vec::<Reference>::deserialize(reader)?.into_iter().map(|reference| reference.id).collect())
}

/// Changes to a work item, a JSON Patch document. Nothing is changed by it before it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Patch(Vec<Operation>);

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Operation {
    op: &'static str,
    path: String,
    value: Value,
}

impl Patch {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field.
    #[must_use]
    pub fn field(mut self, reference_name: &str, value: impl Into<Value>) -> Self {
        // A slash or tilde would be read as part of the path (RFC 6901).
        let name = reference_name.replace('~', "~0").replace('/', "~1");
        self.0.push(Operation { op: "add", path: format!("/fields/{name}"), value: value.into() });
        self
    }

    /// Adds a link, such as `Hyperlink` to a URL.
    #[must_use]
    pub fn relation(mut self, rel: &str, url: &str) -> Self {
        let value = serde_json::json!({ "rel": rel, "url": url });
        self.0.push(Operation { op: "add", path: "/relations/-".to_owned(), value });
        self
    }
}

/// What the rules of the process say to a proposed change. Both mean that scope and permission sufficed, as far as the
/// service checks them before the rules (`ado-api.md` §12 and §14, unconfirmed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validation {
    /// It would be saved.
    Accepted,
    /// A rule refuses it; the message names the fields.
    RulesViolated(ServiceMessage),
}

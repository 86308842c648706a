//! JSON Patch documents of work items: what they change, before any rule is asked.

use http::StatusCode;
use serde_json::Value;

use crate::api::fields as field_api;
use crate::envelope::Refusal;
use crate::state::catalog::fields::FieldIndex;
use crate::state::items::Relation;
use crate::state::organization::Organization;

/// What a patch asks for.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Values by field; null empties it.
    pub fields: Vec<(FieldIndex, Value)>,
    pub added: Vec<Relation>,
    /// Indexes of relations to remove, one after the other.
    pub removed: Vec<usize>,
    /// The revision that `test` expects.
    pub revision: Option<i64>,
}

/// Reads a patch document.
pub(super) fn read(organization: &Organization, document: &Value) -> Result<Changes, Refusal> {
    let operations = document.as_array().filter(|operations| !operations.is_empty());
    let operations =
        operations.ok_or_else(|| refuse("You must pass a valid patch document in the body of the request."))?;
    let mut changes = Changes::default();
    for operation in operations {
        let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let value = operation.get("value").cloned().unwrap_or(Value::Null);
        read_operation(organization, &text("op").to_lowercase(), text("path"), value, &mut changes)?;
    }
    Ok(changes)
}

fn read_operation(
    organization: &Organization,
    op: &str,
    path: &str,
    value: Value,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(2, '/').collect();
    match (op, parts.as_slice()) {
        ("test", ["rev"]) => changes.revision = value.as_i64(),
        ("add" | "replace", ["fields", name]) => changes.fields.push((field(organization, name)?, value)),
        ("remove", ["fields", name]) => changes.fields.push((field(organization, name)?, Value::Null)),
        ("add", ["relations", "-"]) => changes.added.push(relation(&value)?),
        ("remove", ["relations", index]) => {
            changes
                .removed
                .push(index.parse().map_err(|_| refuse(format!("'{index}' is not an index of a relation.")))?);
        }
        ("test" | "move" | "copy", _) | (_, ["relations", _]) => {
            return Err(Refusal::not_implemented(&format!("the patch operation {op} {path}")));
        }
        _ => return Err(refuse(format!("VS403350: The patch operation {op} of the path {path} is not supported."))),
    }
    Ok(())
}

fn field(organization: &Organization, name: &str) -> Result<FieldIndex, Refusal> {
    let name = name.replace("~1", "/").replace("~0", "~");
    organization.field(&name).ok_or_else(|| field_api::unknown(StatusCode::BAD_REQUEST, &name))
}

fn relation(value: &Value) -> Result<Relation, Refusal> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (rel, url) = (text("rel"), text("url"));
    if rel.is_empty() || url.is_empty() {
        return Err(refuse("VS402313: The relation needs a rel and a url."));
    }
    let attributes = value.get("attributes").cloned().unwrap_or_else(|| serde_json::json!({}));
    Ok(Relation { rel, url, attributes })
}

fn refuse(message: impl Into<String>) -> Refusal {
    Refusal::tracking(StatusCode::BAD_REQUEST, "VssPropertyValidationException", message)
}

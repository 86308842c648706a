//! Reading of JSON where the service differs from its description.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The usual envelope of lists, `{"count":n,"value":[…]}` with its members in either order.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) value: Vec<T>,
}

/// The default value for null, besides for an absent member (with `#[serde(default)]`).
pub(super) fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    reader: D,
) -> Result<T, D::Error> {
    Option::deserialize(reader).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The names out of a list of `{name, url}`.
pub(super) fn names<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    let list: Option<Vec<Named>> = Option::deserialize(reader)?;
    Ok(list.unwrap_or_default().into_iter().map(|named| named.name).collect())
}

/// The name out of a `{name, url}`.
pub(super) fn name<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Named>::deserialize(reader)?.map(|named| named.name))
}

/// A value as text: integers come as strings or numbers, identities as objects (`ado-api.md` §7).
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Object(members) => members.get("uniqueName").or_else(|| members.get("displayName")).and_then(text),
        Value::Null | Value::Array(_) => None,
    }
}

/// Any value as text; null is none.
pub(super) fn any_text<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Value>::deserialize(reader)?.as_ref().and_then(text))
}

/// A list of any values as texts; what has no text is left out.
pub(super) fn any_texts<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    let list: Option<Vec<Value>> = Option::deserialize(reader)?;
    Ok(list.unwrap_or_default().iter().filter_map(text).collect())
}

/// A list in which null stands for what was left out.
pub(crate) fn without_nulls<T>(list: List<Option<T>>) -> Vec<T> {
    list.value.into_iter().flatten().collect()
}

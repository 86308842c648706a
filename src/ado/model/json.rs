//! Reading of JSON where the service differs from its description.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::ado::text;

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

/// Longest name that is kept, in characters: more than the service permits of any.
const MAX_NAME: usize = 256;

/// A name that people may be shown.
pub(super) fn shown(text: &str) -> String {
    text::name(text, MAX_NAME)
}

/// [`shown`], for a member.
pub(super) fn label<'de, D: Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    Ok(shown(&String::deserialize(reader)?))
}

/// [`shown`], for a member that may be absent (with `#[serde(default)]`) or null.
pub(super) fn optional_label<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(reader)?.as_deref().map(shown))
}

#[derive(Deserialize)]
struct Named {
    #[serde(deserialize_with = "label")]
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
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Object(members) => members.get("uniqueName").or_else(|| members.get("displayName")).and_then(as_text),
        Value::Null | Value::Array(_) => None,
    }
}

/// Any value as text; null is none.
pub(super) fn any_text<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Value>::deserialize(reader)?.as_ref().and_then(as_text))
}

/// A list of any values as texts; what has no text is left out.
pub(super) fn any_texts<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    let list: Option<Vec<Value>> = Option::deserialize(reader)?;
    Ok(list.unwrap_or_default().iter().filter_map(as_text).collect())
}

/// A list in which null stands for what was left out.
pub(crate) fn without_nulls<T>(list: List<Option<T>>) -> Vec<T> {
    list.value.into_iter().flatten().collect()
}

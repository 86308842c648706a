//! Reading of JSON where the service differs from its description.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::ids::WorkItemId;
use crate::ado::text;

/// The usual envelope of lists, `{"count":n,"value":[…]}` with its members in either order.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) value: Vec<T>,
}

/// A list with or without its envelope (`ado-api.md` §9, recycle bin).
#[derive(Debug)]
pub(crate) struct BareOrList<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for BareOrList<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Vec<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Vec<T>, A::Error> {
                List::deserialize(MapAccessDeserializer::new(members)).map(|list| list.value)
            }
        }

        reader.deserialize_any(Either(PhantomData)).map(Self)
    }
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

/// A work item's id as a number or its text (`ado-api.md` §9, recycle bin).
pub(super) fn any_id<'de, D: Deserializer<'de>>(reader: D) -> Result<WorkItemId, D::Error> {
    let text = any_text(reader)?.unwrap_or_default();
    text.parse().map(WorkItemId).map_err(|_| D::Error::custom("an id is a number"))
}

/// JSON's null, where a text that is kept as it came is absent.
pub(super) fn raw_null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// The member `id` of an object that may be cut off behind it.
pub(crate) fn leading_id(beginning: &[u8]) -> Option<WorkItemId> {
    struct Leading<'a>(&'a mut Option<WorkItemId>);

    impl<'de> Visitor<'de> for Leading<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
            while let Some(name) = members.next_key::<String>()? {
                if name == "id" {
                    let id = members.next_value()?;
                    // Only what follows shows that the number was not cut.
                    members.next_key::<IgnoredAny>()?;
                    *self.0 = Some(id);
                    return Ok(());
                }
                members.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    impl<'de> DeserializeSeed<'de> for Leading<'_> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
            reader.deserialize_map(self)
        }
    }

    let mut id = None;
    // That the rest is missing is no news.
    let _ = Leading(&mut id).deserialize(&mut serde_json::Deserializer::from_slice(beginning));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_cut_object_is_found_where_it_comes_early() {
        for (text, expected) in [
            (r#"{"id":42,"rev":1,"fields":{"System.Title":"cut of"#, Some(42)),
            (r#"{ "rev" : 1 , "fields" : {"a":[]} , "id" : 42 , "a":"cut of"#, Some(42)),
            (r#"{"id":42}"#, Some(42)),
            (r#"{"fields":{"id":7,"System.Title":"cut of"#, None),
            (r#"{"id":"42","#, None),
            (r#"{"id":4"#, None),
            ("[1,2", None),
            ("", None),
        ] {
            assert_eq!(leading_id(text.as_bytes()), expected.map(WorkItemId), "{text}");
        }
    }

    #[test]
    fn a_list_is_read_with_and_without_its_envelope() {
        let read = |text| serde_json::from_str::<BareOrList<u8>>(text).map(|list| list.0).ok();
        assert_eq!(read("[1,2]"), Some(vec![1, 2]));
        assert_eq!(read(r#"{"count":2,"value":[1,2]}"#), Some(vec![1, 2]));
        assert_eq!(read(r#"{"value":[1,2],"count":2}"#), Some(vec![1, 2]));
        assert_eq!((read("{}"), read("7"), read("null")), (None, None, None));
    }
}

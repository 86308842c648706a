//! A revision as the feed shows it.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::state::catalog::fields::{self, FieldIndex, FieldType};
use crate::state::item_values::{FieldValue, ItemView};
use crate::state::random::guid;

/// Fields that are shown only when named; the recorded feeds do not have them.
const NAMED_ONLY: &[FieldIndex] = &[
    fields::AREA_ID,
    fields::NODE_NAME,
    fields::AREA_LEVEL_1,
    fields::AUTHORIZED_DATE,
    fields::ITERATION_ID,
    fields::ITERATION_LEVEL_1,
    fields::ITERATION_LEVEL_2,
    fields::AUTHORIZED_AS,
    fields::PERSON_ID,
    fields::WATERMARK,
];

/// What is wanted of each revision.
#[allow(clippy::struct_excessive_bools, reason = "independent parts of the answer")]
pub(super) struct Wish {
    /// Only these; else all that are not long texts.
    pub fields: Option<Vec<FieldIndex>>,
    /// Long texts among the named fields are shown too.
    pub long_texts: bool,
    pub identity_objects: bool,
    pub tag_objects: bool,
    /// `System.Parent` is shown.
    pub parent: bool,
    /// `System.IsDeleted` is shown.
    pub deleted_flag: bool,
}

/// A revision, serialized without an intermediate value.
pub(super) struct Shown<'a> {
    pub view: &'a ItemView<'a>,
    pub wish: &'a Wish,
    /// When the next revision took its place.
    pub replaced: Option<i64>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.view.id)?;
        map.serialize_entry("rev", &self.view.row.rev)?;
        map.serialize_entry("fields", &Fields(self))?;
        map.end()
    }
}

/// The `fields` member.
struct Fields<'a>(&'a Shown<'a>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shown { view, wish, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        let short = |field: &FieldIndex| !self.0.is_long(*field);
        if let Some(named) = &wish.fields {
            for field in named.iter().filter(|field| wish.long_texts || short(field)) {
                self.0.field(*field, &mut map)?;
            }
            return map.end();
        }
        let used = view.kind.fields.iter().map(|used| used.field);
        for field in used.filter(|field| !NAMED_ONLY.contains(field) && short(field)) {
            self.0.field(field, &mut map)?;
        }
        map.end()
    }
}

impl Shown<'_> {
    fn kind(&self, field: FieldIndex) -> FieldType {
        self.view.organization.fields[usize::from(field)].kind
    }

    /// Tags are short, whatever their type is called.
    fn is_long(&self, field: FieldIndex) -> bool {
        field != fields::TAGS && self.kind(field).is_long_text()
    }

    fn field<M: SerializeMap>(&self, field: FieldIndex, map: &mut M) -> Result<(), M::Error> {
        let Shown { view, wish, replaced } = self;
        let hidden = field == fields::PARENT && !wish.parent || field == fields::IS_DELETED && !wish.deleted_flag;
        let name = &view.organization.fields[usize::from(field)].reference;
        if hidden {
            return Ok(());
        }
        if let (fields::REVISED_DATE, Some(moment)) = (field, replaced) {
            return match jiff::Timestamp::from_millisecond(*moment) {
                Ok(moment) => map.serialize_entry(name, &FieldValue::Date(moment)),
                Err(_) => Ok(()),
            };
        }
        let Some(value) = view.value(field) else { return Ok(()) };
        match &value {
            FieldValue::Json(person) if self.kind(field) == FieldType::Identity => {
                map.serialize_entry(name, &Person { reference: person, object: wish.identity_objects })
            }
            FieldValue::Text(tags) if field == fields::TAGS && wish.tag_objects => {
                map.serialize_entry(name, &Tags { text: tags, seed: view.seed })
            }
            FieldValue::Json(Value::String(tags)) if field == fields::TAGS && wish.tag_objects => {
                map.serialize_entry(name, &Tags { text: tags, seed: view.seed })
            }
            _ => map.serialize_entry(name, &value),
        }
    }
}

/// An identity: `Name <account>`, or an object with that text (recorded).
struct Person<'a> {
    reference: &'a Value,
    object: bool,
}

impl Serialize for Person<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |name: &str| self.reference.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, account) = (text("displayName"), text("uniqueName"));
        if !self.object {
            return serializer.collect_str(&format_args!("{name} <{account}>"));
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", text("id"))?;
        map.serialize_entry("uniqueName", &format!("{name} <{account}>"))?;
        map.end()
    }
}

/// Tags as objects with an id and a name.
struct Tags<'a> {
    text: &'a str,
    seed: u64,
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.text.split(';').map(str::trim).filter(|name| !name.is_empty());
        serializer.collect_seq(names.map(|name| {
            let id = guid(self.seed, &format!("tag {}", name.to_lowercase()), 0);
            serde_json::json!({"id": id, "name": name})
        }))
    }
}

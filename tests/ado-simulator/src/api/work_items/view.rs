//! The JSON form of a work item.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::relations;
use crate::api::Call;
use crate::api::nodes::encode;
use crate::state::catalog::fields::{self, FieldIndex, FieldType};
use crate::state::item_values::ItemView;
use crate::state::links::End;

/// Fields that only `$expand=all|fields` and an explicit wish show (recorded).
const EXPANDED_ONLY: &[FieldIndex] = &[
    fields::ID,
    fields::AREA_ID,
    fields::NODE_NAME,
    fields::AREA_LEVEL_1,
    fields::REV,
    fields::AUTHORIZED_DATE,
    fields::REVISED_DATE,
    fields::ITERATION_ID,
    fields::ITERATION_LEVEL_1,
    fields::ITERATION_LEVEL_2,
    fields::AUTHORIZED_AS,
    fields::PERSON_ID,
    fields::WATERMARK,
];

/// What to show of an item.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent parts of the answer")]
pub(super) struct Shape {
    /// Only these fields, in this order.
    pub fields: Option<Vec<FieldIndex>>,
    pub expanded: bool,
    pub relations: bool,
    pub links: bool,
    /// Leave the project out of the URL.
    pub short_url: bool,
    /// Not saved: neither id nor revision.
    pub draft: bool,
}

/// An item in a shape, serialized without an intermediate value.
pub(super) struct Shown<'a> {
    pub call: &'a Call<'a>,
    pub view: ItemView<'a>,
    pub shape: &'a Shape,
    /// The work items that it would be linked to, where that is not what is saved.
    pub ends: Option<&'a [End]>,
}

impl Shown<'_> {
    fn base(&self) -> String {
        self.call.project_base(self.view.project)
    }

    fn url(&self) -> String {
        let base = if self.shape.short_url { self.call.base().to_owned() } else { self.base() };
        let items = format!("{base}/_apis/wit/workItems");
        if self.shape.draft { items } else { format!("{items}/{}", self.view.id) }
    }

    /// HTML fields that are shown in full.
    fn formats(&self) -> Map<String, Value> {
        let all = &self.view.organization.fields;
        let html = self.view.kind.fields.iter().filter(|used| all[usize::from(used.field)].kind == FieldType::Html);
        let filled = html.filter(|used| self.shape.fields.is_none() && self.view.value(used.field).is_some());
        filled.map(|used| (all[usize::from(used.field)].reference.clone(), json!("html"))).collect()
    }

    fn links(&self) -> Value {
        let base = self.base();
        let own = format!("{base}/_apis/wit/workItems/{}", self.view.id);
        let kind = json!({"href": format!("{base}/_apis/wit/workItemTypes/{}", encode(&self.view.kind.name))});
        let all_fields = json!({"href": format!("{base}/_apis/wit/fields")});
        if self.shape.draft {
            return json!({"workItemType": kind, "fields": all_fields});
        }
        json!({
            "self": {"href": own},
            "workItemUpdates": {"href": format!("{own}/updates")},
            "workItemRevisions": {"href": format!("{own}/revisions")},
            "workItemComments": {"href": format!("{own}/comments")},
            "html": {"href": format!("{base}/_workitems/edit/{}", self.view.id)},
            "workItemType": kind,
            "fields": all_fields,
        })
    }

    /// Children, parent, other work items and whatever else was added; absent where there are none (recorded).
    fn relations(&self) -> Vec<Value> {
        let organization = self.view.organization;
        let url = |id: u32| {
            let project = organization.items.get(id).map(|row| &organization.projects[usize::from(row.project)]);
            let base = project.map_or_else(|| self.base(), |project| self.call.project_base(project));
            format!("{base}/_apis/wit/workItems/{id}")
        };
        let saved = || organization.items.ends(self.view.id, self.view.row.parent);
        let ends = self.ends.map_or_else(saved, <[End]>::to_vec);
        let mut relations: Vec<Value> = ends.iter().map(|end| relations::shown(end, &url(end.other))).collect();
        let others = self.view.details.map(|details| details.relations.as_slice()).unwrap_or_default();
        relations.extend(others.iter().map(|relation| json!(relation)));
        relations
    }
}

/// The `fields` member.
struct FieldsOf<'a>(&'a Shown<'a>);

impl Serialize for FieldsOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shown { view, shape, .. } = self.0;
        let names = &view.organization.fields;
        let mut map = serializer.serialize_map(None)?;
        let put = |field: FieldIndex, map: &mut S::SerializeMap| match view.value(field) {
            Some(value) => map.serialize_entry(&names[usize::from(field)].reference, &value),
            None => Ok(()),
        };
        if let Some(fields) = &shape.fields {
            for field in fields {
                put(*field, &mut map)?;
            }
            return map.end();
        }
        for used in &view.kind.fields {
            if shape.expanded || !EXPANDED_ONLY.contains(&used.field) {
                put(used.field, &mut map)?;
            }
        }
        map.end()
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.shape.draft {
            map.serialize_entry("id", &self.view.id)?;
            map.serialize_entry("rev", &self.view.row.rev)?;
        }
        map.serialize_entry("fields", &FieldsOf(self))?;
        if !self.shape.draft {
            map.serialize_entry("multilineFieldsFormat", &self.formats())?;
        }
        if self.shape.relations {
            let relations = self.relations();
            if !relations.is_empty() {
                map.serialize_entry("relations", &relations)?;
            }
        }
        if self.shape.links {
            map.serialize_entry("_links", &self.links())?;
        }
        map.serialize_entry("url", &self.url())?;
        map.end()
    }
}

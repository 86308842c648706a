//! The mapping applied to what is stored: no request is made.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::SyncError;
use super::feeds::HIERARCHY;
use crate::ado::model::WorkItemId;
use crate::domain::mapping::accept::SEVERITY;
use crate::domain::mapping::ancestry::{Ancestry, Kin};
use crate::domain::mapping::apply::{Application, Plan};
use crate::domain::mapping::tree::Tree;
use crate::domain::mapping::{Item, Mapping, Record, RecordKind};
use crate::store::{Feed, Scope, Store, StoredItem};

/// Items that are held in memory at a time.
const PAGE: u32 = 1_000;

const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";

/// What a project is in test management.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// Number of requirements.
    pub requirements: u64,
    /// Number of bugs.
    pub bugs: u64,
    /// Releases, sprints, and what the mapping says nothing about.
    pub plan: Plan,
}

/// Maps every present item of a project.
pub async fn remap(store: &Store, scope: Scope, mapping: &Mapping, tree: &Tree) -> Result<Mapped, SyncError> {
    let ancestry = if mapping.needs_ancestry() { Some(ancestry(store, scope, mapping, tree).await?) } else { None };
    let mut application = Application::new(mapping, tree, ancestry.as_ref());
    let mut mapped = Mapped::default();
    let dates: Vec<&str> = mapping.date_fields().collect();
    let see = |stored: &StoredItem| {
        // What is not pulled is most of a project, and reading its fields most of the work.
        match mapping.kind(&stored.work_item_type) {
            Some(RecordKind::Requirement) => mapped.requirements += 1,
            Some(RecordKind::Bug) => mapped.bugs += 1,
            None => return,
        }
        map(&mut application, stored, &dates);
    };
    see_each(store, scope, see).await?;
    mapped.plan = application.finish();
    Ok(mapped)
}

/// Shows every present item of a project, by rising id.
async fn see_each(store: &Store, scope: Scope, mut see: impl FnMut(&StoredItem)) -> Result<(), SyncError> {
    let mut last = 0;
    loop {
        let page = store.items_above(scope, last, PAGE).await?;
        let Some(highest) = page.last().map(|item| item.id) else { return Ok(()) };
        page.iter().for_each(&mut see);
        last = highest;
    }
}

fn map(application: &mut Application<'_>, stored: &StoredItem, dates: &[&str]) -> Option<Record> {
    let fields = Fields::read(&stored.fields, dates);
    let item = Item {
        id: WorkItemId(stored.id),
        work_item_type: &stored.work_item_type,
        state: &stored.state,
        iteration_id: fields.iteration_id,
        iteration_path: fields.iteration_path.as_deref(),
        priority: fields.priority.as_ref(),
        severity: fields.severity.as_ref(),
        dates: &fields.dates,
    };
    application.record(&item)
}

/// What the walk to the ancestors has to know, of every present item of the project.
async fn ancestry(store: &Store, scope: Scope, mapping: &Mapping, tree: &Tree) -> Result<Ancestry, SyncError> {
    let parents = parents(store, scope).await?;
    let mut kin = Vec::new();
    let see = |item: &StoredItem| {
        let fields = Fields::read(&item.fields, &[]);
        let parent = match &parents {
            Some(parents) => parents.get(&item.id).copied().map(WorkItemId),
            None => fields.parent,
        };
        let node = tree.of_item(fields.iteration_id, fields.iteration_path.as_deref());
        kin.push(Kin { id: WorkItemId(item.id), parent, node, marks: mapping.marks(&item.work_item_type) });
    };
    see_each(store, scope, see).await?;
    Ok(Ancestry::new(kin))
}

/// Parents by their children, as the links feed tells them; None where it was never read. It is asked first, since a change of
/// a link leaves the item and its revision as they are (`ado-api.md` §9).
async fn parents(store: &Store, scope: Scope) -> Result<Option<HashMap<u32, u32>>, SyncError> {
    if store.feed_token(scope, Feed::Links).await?.is_none() {
        return Ok(None);
    }
    let (mut parents, mut last) = (HashMap::new(), (0, 0));
    loop {
        let page = store.links_behind(scope, HIERARCHY, last, PAGE).await?;
        let Some(end) = page.last() else { return Ok(Some(parents)) };
        last = *end;
        parents.extend(page.iter().map(|(parent, child)| (*child, *parent)));
    }
}

/// The fields of an item that the mapping looks at. What is absent or of an odd type is none.
#[derive(Debug, Default)]
struct Fields {
    iteration_id: Option<u32>,
    iteration_path: Option<String>,
    parent: Option<WorkItemId>,
    priority: Option<Value>,
    severity: Option<Value>,
    dates: Vec<Option<Value>>,
}

impl Fields {
    /// Takes them out of the stored JSON object; all others are skipped without being built. What was stored was JSON when it
    /// came, so that nothing is lost by taking anything else as empty.
    fn read(json: &str, dates: &[&str]) -> Self {
        let none = || Self { dates: vec![None; dates.len()], ..Self::default() };
        serde_json::Deserializer::from_str(json)
            .deserialize_map(Wanted { fields: none(), dates })
            .unwrap_or_else(|_| none())
    }
}

struct Wanted<'a> {
    fields: Fields,
    dates: &'a [&'a str],
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a work item")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut members: M) -> Result<Fields, M::Error> {
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            let place = self.dates.iter().position(|date| date.eq_ignore_ascii_case(&name));
            match (&*name, place) {
                (_, Some(place)) => self.fields.dates[place] = members.next_value::<Option<Value>>()?,
                ("System.IterationId", _) => self.fields.iteration_id = number(&members.next_value()?),
                ("System.Parent", _) => self.fields.parent = number(&members.next_value()?).map(WorkItemId),
                ("System.IterationPath", _) => {
                    self.fields.iteration_path = members.next_value::<Value>()?.as_str().map(str::to_owned);
                }
                (PRIORITY, _) => self.fields.priority = members.next_value::<Option<Value>>()?,
                (SEVERITY, _) => self.fields.severity = members.next_value::<Option<Value>>()?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(self.fields)
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

//! What a store holds of a project, to be compared with another store and with the oracle.

use std::collections::{BTreeMap, BTreeSet};

use ado_operator::api::{Rating, RecordStatus};
use ado_operator::domain::mapping::RecordKind;
use ado_operator::domain::mapping::warnings::Side;
use ado_operator::domain::records::StoredRecord;
use ado_operator::store::{ConfigKey, Scope, Store};
use ado_operator::sync::remap::Mapped;
use ado_operator::sync::resolve::Validated;
use serde_json::{Value, json};

use crate::words;

/// Items and links that are read at a time.
const PAGE: u32 = 100;

/// The links that are kept (design: hierarchy, `TestedBy` and Related).
const LINK_TYPES: [&str; 3] =
    ["System.LinkTypes.Hierarchy", "System.LinkTypes.Related", "Microsoft.VSTS.Common.TestedBy"];

/// Fields that change without a new revision, so that nothing tells a read of changes: where an iteration is renamed or moved
/// (its id stays in the item), and where a link changes (the links tell the parent).
const UNTOLD: [&str; 2] = ["System.IterationPath", "System.Parent"];

/// Raw data of a project: those of present items.
#[derive(Debug, PartialEq)]
pub struct Raw {
    /// Items by their ids.
    pub items: BTreeMap<u32, Item>,
    /// Active links of which an end is present: type, source, target.
    pub links: BTreeSet<(&'static str, u32, u32)>,
}

/// A stored item.
#[derive(Debug, PartialEq)]
pub struct Item {
    rev: u32,
    work_item_type: String,
    state: String,
    changed_at: i64,
    fields: Value,
    texts: Option<Value>,
}

impl Raw {
    /// All that a store holds of a scope.
    pub async fn read(store: &Store, scope: Scope) -> Self {
        let items = items(store, scope).await;
        let mut links = BTreeSet::new();
        for rel in LINK_TYPES {
            let mut last = (0, 0);
            loop {
                let page = store.links_behind(scope, rel, last, PAGE).await.unwrap();
                let Some(end) = page.last() else { break };
                last = *end;
                let kept = page
                    .into_iter()
                    .filter(|(source, target)| [source, target].iter().any(|end| items.contains_key(end)));
                links.extend(kept.map(|(source, target)| (rel, source, target)));
            }
        }
        Self { items, links }
    }

    /// What is different in another store, one line each.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let ids: BTreeSet<&u32> = self.items.keys().chain(other.items.keys()).collect();
        let different = ids.into_iter().filter(|id| self.items.get(id) != other.items.get(id));
        let shown =
            |id: &u32| format!("item {id}: {:?}\n  from scratch: {:?}", self.items.get(id), other.items.get(id));
        let mut all: Vec<String> = different.map(shown).collect();
        all.extend(self.links.difference(&other.links).map(|link| format!("link {link:?} too many")));
        all.extend(other.links.difference(&self.links).map(|link| format!("link {link:?} is missing")));
        all
    }
}

async fn items(store: &Store, scope: Scope) -> BTreeMap<u32, Item> {
    let (mut items, mut last) = (BTreeMap::new(), 0);
    loop {
        let page = store.items_above(scope, last, PAGE).await.unwrap();
        let Some(end) = page.last() else { return items };
        last = end.id;
        for item in page {
            let texts = store.texts(scope, item.id.into()).await.unwrap();
            let mut fields: Value = serde_json::from_str(&item.fields).unwrap();
            for name in UNTOLD {
                fields.as_object_mut().unwrap().remove(name);
            }
            let shown = Item {
                rev: item.rev,
                work_item_type: item.work_item_type,
                state: item.state,
                changed_at: item.changed_at,
                fields,
                texts: texts.map(|texts| serde_json::from_str(&texts).unwrap()),
            };
            items.insert(item.id, shown);
        }
    }
}

/// The records of a config, by rising id.
pub async fn records(store: &Store, config: ConfigKey) -> Vec<StoredRecord> {
    let mut records: Vec<StoredRecord> = Vec::new();
    loop {
        let last = records.last().map_or(0, |record| record.id);
        let page = store.records_above(config, last, PAGE).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

fn record(record: &StoredRecord) -> Value {
    let standing = &record.standing;
    json!({
        "id": record.id,
        "kind": match standing.kind { RecordKind::Requirement => "requirement", RecordKind::Bug => "bug" },
        "release": standing.release,
        "sprint": standing.sprint,
        "status": standing.status.map(RecordStatus::as_str),
        "category": standing.category,
        "priority": record.priority.map(Rating::as_str),
        "severity": record.severity.map(Rating::as_str),
        "releaseDate": record.release_date.map(|date| date.to_string()),
    })
}

/// What the store holds of a mapping, and what people are told of it, in the oracle's words.
pub async fn mapped(store: &Store, config: ConfigKey, validated: &Validated, mapped: &Mapped) -> Value {
    let selected = validated.mapping.selected();
    let records = records(store, config).await;
    let releases = store.plan_nodes(config, Side::Release).await.unwrap();
    let sprints = store.plan_nodes(config, Side::Sprint).await.unwrap();
    let count = |kind| records.iter().filter(|record| record.standing.kind == kind).count();
    let counted = (count(RecordKind::Requirement), count(RecordKind::Bug), releases.len(), sprints.len());
    let told = (mapped.totals.requirements, mapped.totals.bugs, mapped.releases, mapped.sprints);
    assert_eq!(format!("{counted:?}"), format!("{told:?}"), "what people are told is what is stored");
    json!({
        "requirementTypes": selected.requirement_types.iter().collect::<BTreeSet<_>>(),
        "bugTypes": selected.bug_types.iter().collect::<BTreeSet<_>>(),
        "records": records.iter().map(record).collect::<Vec<_>>(),
        "releases": words::nodes(&releases, false),
        "sprints": words::nodes(&sprints, true),
        "unmapped": words::unmapped(&mapped.totals.unmapped),
        "warnings": words::warnings(&mapped.warnings),
        "gone": words::gone(&mapped.gone),
    })
}

/// What the oracle says of a document, as far as it is compared: tiers are no part of what is stored.
pub fn oracle(document: &Value) -> Value {
    let mut said = mapping_oracle::map(document);
    said.as_object_mut().unwrap().remove("tiers");
    said
}

/// The members in which two outcomes differ.
pub fn difference(ours: &Value, theirs: &Value) -> String {
    let names: BTreeSet<&String> = [ours, theirs].into_iter().flat_map(|one| one.as_object().unwrap().keys()).collect();
    let differing = names.into_iter().filter(|name| ours[name.as_str()] != theirs[name.as_str()]);
    let shown = differing.map(|name| format!("{name}\n  ours   {}\n  theirs {}", ours[name], theirs[name]));
    shown.collect::<Vec<_>>().join("\n")
}

//! The mapping applied to what is stored: no request is made.
//!
//! The records of a config stand for a mapping, by its fingerprint, and for a change of the project's raw data. Where both are
//! as they were there is nothing to do; where items changed and each is mapped by itself, only those are mapped again. All else
//! maps the whole project and writes what differs.

mod item;
mod kin;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;

use futures::future::try_join;
use uuid::Uuid;

use self::item::Fields;
use self::writer::{Stored, Writer};
use super::SyncError;
use crate::ado::model::WorkItemId;
use crate::domain::mapping::apply::Application;
use crate::domain::mapping::plan::{Plan, Seen};
use crate::domain::mapping::tree::Tree;
use crate::domain::mapping::warnings::{Gone, Warning};
use crate::domain::mapping::{Item, Mapping};
use crate::domain::records::{Look, StoredRecord, Version};
use crate::store::{ConfigKey, MappingEnd, MappingState, RecordTotals, Scope, Store, StoredItem};

/// Items that are read at a time.
const PAGE: u32 = 1_000;

/// What a project is in test management.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mapped {
    /// The change of the raw data that it stands for.
    pub change: u64,
    /// Number of releases.
    pub releases: usize,
    /// Number of sprints.
    pub sprints: usize,
    /// What the records add up to.
    pub totals: RecordTotals,
    /// What a person may not have meant.
    pub warnings: Vec<Warning>,
    /// What the spec names and Azure DevOps no longer has.
    pub gone: Vec<Gone>,
}

/// A config's mapping of a project.
#[derive(Clone, Copy)]
pub struct Remap<'a> {
    /// Where everything is.
    pub store: &'a Store,
    /// Whose raw data are mapped.
    pub scope: Scope,
    /// Whose records they become.
    pub config: ConfigKey,
    /// The mapping.
    pub mapping: &'a Mapping,
    /// The iterations.
    pub tree: &'a Tree,
    /// Of the mapping; the same one gives the same records.
    pub fingerprint: Uuid,
    /// Unix milliseconds.
    pub now: i64,
}

/// How much has to be mapped.
#[derive(Debug, Eq, PartialEq)]
enum Extent {
    /// Nothing: the items said that.
    Nothing(Seen),
    /// The items that changed.
    Changes,
    /// All items.
    Everything,
}

impl Remap<'_> {
    /// Brings the records up to date. A crash at any point leaves what the next run finishes.
    pub async fn run(&self) -> Result<Mapped, SyncError> {
        let state = self.store.mapping_state(self.config).await?;
        // Asked before any item is read: what changes meanwhile is behind it.
        let change = self.store.latest_change(self.scope).await?;
        let (seen, is_new) = match self.extent(&state, change) {
            Extent::Nothing(seen) => (seen, false),
            Extent::Changes => (self.map_changes(&state, change).await?, true),
            Extent::Everything => (self.map_everything(&state).await?, true),
        };
        let plan = Plan::new(self.mapping, self.tree, &seen);
        if is_new {
            let end = MappingEnd {
                fingerprint: self.fingerprint,
                change_number: change,
                // Numbers only: there is nothing that could not be written.
                seen: &serde_json::to_string(&seen).unwrap_or_default(),
                releases: &plan.releases,
                sprints: &plan.sprints,
            };
            self.store.finish_mapping(self.config, &end).await?;
        }
        Ok(Mapped {
            change,
            releases: plan.releases.len(),
            sprints: plan.sprints.len(),
            totals: self.store.record_totals(self.config).await?,
            warnings: plan.warnings,
            gone: plan.gone,
        })
    }

    fn extent(&self, state: &MappingState, change: u64) -> Extent {
        let seen: Option<Seen> = serde_json::from_str(&state.seen).ok();
        match seen.filter(|_| state.fingerprint == Some(self.fingerprint)) {
            Some(seen) if state.change_number == change => Extent::Nothing(seen),
            Some(_) if state.change_number < change && self.maps_each_by_itself() => Extent::Changes,
            Some(_) | None => Extent::Everything,
        }
    }

    /// Whether no item says anything about another one, or about the whole.
    fn maps_each_by_itself(&self) -> bool {
        !self.mapping.needs_ancestry() && !self.mapping.has_missing()
    }

    fn writer(&self, state: &MappingState) -> Writer<'_> {
        let look = Look { now: self.now, same_mapping: state.fingerprint == Some(self.fingerprint) };
        Writer::new(self.store, self.config, look, state.mapped)
    }

    /// Maps what changed up to a change. What somebody else's read changes meanwhile is for the next run: no item comes twice.
    async fn map_changes(&self, state: &MappingState, latest: u64) -> Result<Seen, SyncError> {
        let mut making = Making::new(self, Application::new(self.mapping, self.tree, None));
        let mut writer = self.writer(state);
        let mut last = (state.change_number, u32::MAX);
        loop {
            let page = self.store.changed_items(self.scope, last, latest, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = (end.change, end.item.id);
            let ids: Vec<_> = page.iter().map(|changed| changed.item.id.into()).collect();
            let stored = self.store.records_of(self.config, &ids).await?;
            let mut stored: HashMap<u32, StoredRecord> = stored.into_iter().map(|record| (record.id, record)).collect();
            for changed in page {
                let new = if changed.is_present { making.record(&changed.item) } else { None };
                writer.put(stored.remove(&changed.item.id), new, Some(version(&changed.item))).await?;
            }
        }
        writer.end().await?;
        Ok(making.application.into_seen())
    }

    async fn map_everything(&self, state: &MappingState) -> Result<Seen, SyncError> {
        if state.fingerprint.is_some_and(|before| before != self.fingerprint) {
            self.store.begin_mapping(self.config).await?;
        }
        let ancestry = if self.mapping.needs_ancestry() { Some(kin::read(self).await?) } else { None };
        let mut making = Making::new(self, Application::new(self.mapping, self.tree, ancestry.as_ref()));
        let (mut stored, mut writer) = (Stored::new(self.store, self.config), self.writer(state));
        let mut page = self.items_above(0).await?;
        while let Some(last) = page.last().map(|item| item.id) {
            let merged = merge(&page, &mut making, &mut stored, &mut writer);
            (page, ()) = try_join(self.items_above(last), merged).await?;
        }
        while let Some(record) = stored.next_to(u32::MAX).await? {
            writer.put(Some(record), None, None).await?;
        }
        writer.end().await?;
        Ok(making.application.into_seen())
    }

    /// The next items, none if no type is anything.
    async fn items_above(&self, id: u32) -> Result<Vec<StoredItem>, SyncError> {
        if self.mapping.pulls_nothing() {
            return Ok(Vec::new());
        }
        Ok(self.store.items_above(self.scope, id, PAGE).await?)
    }
}

/// Walks through a page of items and the stored records beside it.
async fn merge(
    page: &[StoredItem],
    making: &mut Making<'_>,
    stored: &mut Stored<'_>,
    writer: &mut Writer<'_>,
) -> Result<(), SyncError> {
    for item in page {
        let mut old = None;
        while let Some(record) = stored.next_to(item.id).await? {
            if record.id == item.id {
                old = Some(record);
            } else {
                // Its item is gone.
                writer.put(Some(record), None, None).await?;
            }
        }
        writer.put(old, making.record(item), Some(version(item))).await?;
    }
    Ok(())
}

fn version(item: &StoredItem) -> Version {
    Version { rev: item.rev, changed_at: item.changed_at }
}

/// Makes records of stored items.
struct Making<'a> {
    mapping: &'a Mapping,
    tree: &'a Tree,
    dates: Vec<&'a str>,
    application: Application<'a>,
}

impl<'a> Making<'a> {
    fn new(remap: &'a Remap<'_>, application: Application<'a>) -> Self {
        let Remap { mapping, tree, .. } = *remap;
        Self { mapping, tree, dates: mapping.date_fields().collect(), application }
    }

    fn record(&mut self, stored: &StoredItem) -> Option<StoredRecord> {
        // What is not pulled is most of a project, and reading its fields most of the work.
        self.mapping.kind(&stored.work_item_type)?;
        let fields = Fields::read(&stored.fields, &self.dates);
        let record = self.application.record(&Item {
            id: WorkItemId(stored.id),
            work_item_type: &stored.work_item_type,
            state: &stored.state,
            iteration_id: fields.iteration_id,
            iteration_path: fields.iteration_path.as_deref(),
            priority: fields.priority.as_ref(),
            severity: fields.severity.as_ref(),
            dates: &fields.dates,
        })?;
        Some(StoredRecord::new(record, stored.rev, &stored.work_item_type, self.tree))
    }
}

//! Records on their way into the store, where they differ from what is there.

use std::collections::VecDeque;

use super::PAGE;
use crate::domain::records::{Look, StoredRecord, Version};
use crate::store::{ConfigKey, RecordBatch, Store, StoreError};

/// Records that are written at a time.
const BATCH: usize = 1_000;

/// Gathers what is different, and writes it in batches.
pub(super) struct Writer<'a> {
    store: &'a Store,
    config: ConfigKey,
    look: Look,
    /// Whether there is a history to tell of changes.
    has_history: bool,
    batch: RecordBatch,
}

impl<'a> Writer<'a> {
    pub(super) fn new(store: &'a Store, config: ConfigKey, look: Look, has_history: bool) -> Self {
        Self { store, config, look, has_history, batch: RecordBatch::default() }
    }

    /// Takes in what a record was and is by now, made of that version of its item; None is no record, no item.
    pub(super) async fn put(
        &mut self,
        old: Option<StoredRecord>,
        new: Option<StoredRecord>,
        item: Option<Version>,
    ) -> Result<(), StoreError> {
        if old == new {
            return Ok(());
        }
        if self.has_history {
            self.batch.changes.extend(self.look.change(old.as_ref(), new.as_ref(), item));
        }
        match (old, new) {
            (_, Some(new)) => self.batch.put.push(new),
            (Some(old), None) => self.batch.gone.push(old.id.into()),
            (None, None) => {}
        }
        if self.batch.len() < BATCH { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.batch);
        self.store.write_records(self.config, &batch).await
    }

    /// Writes what is left.
    pub(super) async fn end(mut self) -> Result<(), StoreError> {
        self.flush().await
    }
}

/// The records that are stored, by rising id.
pub(super) struct Stored<'a> {
    store: &'a Store,
    config: ConfigKey,
    page: VecDeque<StoredRecord>,
    /// The last id that was read; None when there are no more.
    last: Option<u32>,
}

impl<'a> Stored<'a> {
    pub(super) fn new(store: &'a Store, config: ConfigKey) -> Self {
        Self { store, config, page: VecDeque::new(), last: Some(0) }
    }

    /// The next record, unless its id is above that one.
    pub(super) async fn next_to(&mut self, id: u32) -> Result<Option<StoredRecord>, StoreError> {
        if let (true, Some(last)) = (self.page.is_empty(), self.last) {
            self.page = self.store.records_above(self.config, last, PAGE).await?.into();
            self.last = self.page.back().map(|record| record.id);
        }
        let is_next = self.page.front().is_some_and(|record| record.id <= id);
        Ok(if is_next { self.page.pop_front() } else { None })
    }
}

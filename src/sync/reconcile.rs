//! Which items are there, by their ids alone: what is new here is read, and what is gone is looked for before it is hidden
//! (`ado-api.md` §9: no feed tells of items that were moved away, destroyed, or hidden from the credential).

use std::collections::HashSet;

use serde_json::Value;
use uuid::Uuid;

use super::SyncError;
use super::id_pages::{IdPage, IdPages};
use super::items::{read_items, recycle_bin};
use super::pull::PullReport;
use super::reading::Reading;
use crate::ado::model::WorkItemId;
use crate::ado::{MAX_BATCH, Wiql};
use crate::domain::disappearance::Disappearance;
use crate::store::{self, MAX_PAGE};

/// Stored ids that are looked at in one go.
const STORED_IDS: u32 = 10_000;

/// The name of the project that an item is in.
const TEAM_PROJECT: &str = "System.TeamProject";

/// A comparison of what is stored with what is there.
pub struct Reconcile<'a> {
    /// The project.
    pub reading: Reading<'a>,
    /// Whether items are read again that are stored already; then changes are looked for from the time of this read on.
    pub everything: bool,
    /// The disappearance that a person has confirmed.
    pub confirmed: Option<Uuid>,
}

/// What became of stored items that no query shows any more.
#[derive(Default)]
struct Gone {
    /// They were moved away, or lie in the recycle bin.
    with_evidence: Vec<store::WorkItemId>,
    /// Nothing tells, by rising id.
    without: Vec<u32>,
}

impl Reconcile<'_> {
    /// Compares. What vanished without evidence is hidden, unless it is too much at a time: then the report tells.
    pub async fn run(&self, report: &mut PullReport) -> Result<(), SyncError> {
        let Reading { store, scope, .. } = self.reading;
        let present = store.count_present(scope).await?;
        let mut pages = IdPages::new(self.reading, Wiql::new());
        let mut candidates = Vec::new();
        while let Some(page) = pages.next(report).await? {
            // Where nothing was stored, a read that is cut goes on later with what it lacks.
            if self.everything && present == 0 && page.above == WorkItemId(0) {
                store.end_changes(scope, &[], pages.begun()).await?;
            }
            let unread = self.compare(page, &mut candidates).await?;
            read_items(self.reading, &unread, report).await?;
        }
        let Gone { mut with_evidence, without } = self.look_for(&candidates, report).await?;
        report.disappearance = Disappearance::judge(&without, present, self.confirmed);
        if report.disappearance.is_none() {
            with_evidence.extend(without.into_iter().map(store::WorkItemId::from));
        }
        for part in with_evidence.chunks(MAX_PAGE) {
            report.changed |= store.hide(scope, part).await? > 0;
        }
        if self.everything {
            store.end_changes(scope, &[], pages.begun()).await?;
        }
        Ok(())
    }

    /// Ids of a page that have to be read; present items of its range that are not in it are candidates for being gone.
    async fn compare(&self, page: IdPage, candidates: &mut Vec<WorkItemId>) -> Result<Vec<WorkItemId>, SyncError> {
        let Reading { store, scope, .. } = self.reading;
        let (mut known, mut last) = (Vec::new(), page.above.0);
        while last < page.up_to.0 {
            let stored = store.ids_above(scope, last, STORED_IDS).await?;
            let Some((end, _)) = stored.last() else { break };
            last = end.get();
            let in_range = stored.into_iter().take_while(|(id, _)| id.get() <= page.up_to.0);
            for id in in_range.filter(|(_, is_present)| *is_present).map(|(id, _)| WorkItemId(id.get())) {
                let place = if page.ids.binary_search(&id).is_ok() { &mut known } else { &mut *candidates };
                place.push(id);
            }
        }
        let is_unread = |id: &WorkItemId| self.everything || known.binary_search(id).is_err();
        Ok(page.ids.into_iter().filter(is_unread).collect())
    }

    /// Looks for candidates one by one, since that no query shows an item is no proof. Those that are there after all are
    /// stored.
    async fn look_for(&self, candidates: &[WorkItemId], report: &mut PullReport) -> Result<Gone, SyncError> {
        let mut gone = Gone::default();
        if candidates.is_empty() {
            return Ok(gone);
        }
        let client = self.reading.patient_client();
        report.requests += 1;
        let own = client.project(&self.reading.project.to_string()).await?.name;
        for batch in candidates.chunks(MAX_BATCH) {
            self.reading.check_permission().await?;
            report.requests += 1;
            let found = client.work_items_anywhere(batch, &[TEAM_PROJECT]).await?;
            let shown: HashSet<WorkItemId> = found.iter().map(|item| item.id).collect();
            let home = |project: &Value| project.as_str().is_none_or(|name| name.to_lowercase() == own.to_lowercase());
            let (here, moved): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|item| item.fields.get(TEAM_PROJECT).is_none_or(home));
            let here: Vec<WorkItemId> = here.into_iter().map(|item| item.id).collect();
            read_items(self.reading, &here, report).await?;
            gone.with_evidence.extend(moved.into_iter().map(|item| store::WorkItemId::from(item.id.0)));
            gone.without.extend(batch.iter().filter(|id| !shown.contains(id)).map(|id| id.0));
        }
        if gone.without.is_empty() {
            return Ok(gone);
        }
        let bin: HashSet<u32> =
            recycle_bin(self.reading, report).await?.into_iter().map(store::WorkItemId::get).collect();
        let (deleted, without) = gone.without.into_iter().partition::<Vec<u32>, _>(|id| bin.contains(id));
        gone.with_evidence.extend(deleted.into_iter().map(store::WorkItemId::from));
        Ok(Gone { without, ..gone })
    }
}

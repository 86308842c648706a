//! Items that are read by their ids because they could not be read as they came, and what becomes of those that cannot be read
//! at all.

use std::collections::HashSet;

use super::SyncError;
use super::batches::Batches;
use super::pull::PullReport;
use super::reading::Reading;
use super::records::Gathered;
use crate::ado::MAX_BATCH;
use crate::ado::model::WorkItemId;
use crate::domain::troubles::{Trouble, Troubled};
use crate::store::{self, Scope, SetAside, SetAsideReason, Store};

/// Items that are counted; beyond, there are just more.
const MOST: u32 = 1_000;

/// Items that are set aside at a time.
const PAGE: u32 = 10_000;

/// Items that are to be read by their ids.
#[derive(Debug, Default)]
pub struct Left {
    /// With their long texts.
    pub odd: Vec<WorkItemId>,
    /// Without them: they are known to be too large.
    pub large: Vec<WorkItemId>,
}

impl Left {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.odd.is_empty() && self.large.is_empty()
    }

    /// Reads them into the store. Gives those of which anything was seen, be it that they are set aside.
    pub async fn read(
        &self,
        reading: Reading<'_>,
        report: &mut PullReport,
    ) -> Result<HashSet<store::WorkItemId>, SyncError> {
        let (mut batches, mut seen) = (Batches::new(reading), HashSet::new());
        for ids in self.odd.chunks(MAX_BATCH) {
            let gathered = batches.read(ids, report).await?;
            keep(reading, &gathered, &mut seen, report).await?;
        }
        for ids in self.large.chunks(MAX_BATCH) {
            let mut gathered = batches.read_short(ids, report).await?;
            let large = |id| SetAside { id, reason: SetAsideReason::TooLarge };
            gathered.set_aside.extend(gathered.records.iter().map(|record| large(record.id)));
            keep(reading, &gathered, &mut seen, report).await?;
        }
        Ok(seen)
    }
}

async fn keep(
    Reading { store, scope, .. }: Reading<'_>,
    gathered: &Gathered,
    seen: &mut HashSet<store::WorkItemId>,
    report: &mut PullReport,
) -> Result<(), SyncError> {
    report.set_aside += gathered.set_aside.len() as u64;
    report.changed |= gathered.store(store, scope, &[], None).await? > 0;
    seen.extend(gathered.records.iter().map(|record| record.id));
    seen.extend(gathered.set_aside.iter().map(|aside| aside.id));
    Ok(())
}

/// Unreadable items that are read in one go: no more than may fail of one read.
const RETRIED: usize = 100;

/// Reads what is set aside once more. An item that is gone, or hidden, is not set aside any more.
pub async fn retry(reading: Reading<'_>, report: &mut PullReport) -> Result<(), SyncError> {
    let Reading { store, scope, .. } = reading;
    let aside = store.items_set_aside(scope, PAGE).await?;
    if aside.is_empty() {
        return Ok(());
    }
    let of = |reason| aside.iter().filter(move |one| one.reason == reason).map(|one| WorkItemId(one.id.get()));
    let (odd, large): (Vec<_>, Vec<_>) =
        (of(SetAsideReason::Unreadable).collect(), of(SetAsideReason::TooLarge).collect());
    let mut seen = Left { odd: Vec::new(), large }.read(reading, report).await?;
    // Each of them failed before by itself, so many that fail again are no sign of a service that fails.
    for part in odd.chunks(RETRIED) {
        seen.extend(Left { odd: part.to_vec(), large: Vec::new() }.read(reading, report).await?);
    }
    let gone: Vec<_> = aside.iter().map(|one| one.id).filter(|id| !seen.contains(id)).collect();
    store.forget_set_aside(scope, &gone).await?;
    Ok(())
}

/// Items that are set aside, and items that no program can change any more.
pub async fn troubles(store: &Store, scope: Scope) -> Result<Vec<Troubled>, SyncError> {
    let aside = store.items_set_aside(scope, MOST + 1).await?;
    let has_more = aside.len() > MOST as usize;
    let of = |reason| aside.iter().take(MOST as usize).filter(move |one| one.reason == reason).map(|one| one.id.get());
    let at_limit = store.items_at_revision_limit(scope, MOST + 1).await?;
    let ids = at_limit.iter().take(MOST as usize).map(|id| id.get());
    let found = [
        (Trouble::Unreadable, of(SetAsideReason::Unreadable).collect::<Vec<_>>(), has_more),
        (Trouble::TooLarge, of(SetAsideReason::TooLarge).collect(), has_more),
        (Trouble::AtRevisionLimit, ids.collect(), at_limit.len() > MOST as usize),
    ];
    let any = found.into_iter().filter(|(_, ids, _)| !ids.is_empty());
    Ok(any.map(|(trouble, ids, has_more)| Troubled { trouble, ids, has_more }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SetAside;
    use crate::store::testing::{TestStore, item};

    #[tokio::test]
    async fn items_are_told_by_what_is_the_matter_with_them() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            store.put_revisions(scope, &[item(1, 1), item(2, 10_000)], &[], None).await.unwrap();
            let aside = |id: u32, reason| SetAside { id: id.into(), reason };
            let large = aside(5, SetAsideReason::TooLarge);
            store.set_aside(scope, &[aside(4, SetAsideReason::Unreadable), large]).await.unwrap();
            let items = |trouble, id| Troubled { trouble, ids: vec![id], has_more: false };
            let expected =
                [items(Trouble::Unreadable, 4), items(Trouble::TooLarge, 5), items(Trouble::AtRevisionLimit, 2)];
            assert_eq!(troubles(&store, scope).await.unwrap(), expected);

            let many: Vec<SetAside> = (10..1_010).map(|id| aside(id, SetAsideReason::Unreadable)).collect();
            store.set_aside(scope, &many).await.unwrap();
            let found = troubles(&store, scope).await.unwrap();
            assert!(matches!(&found[0], Troubled { ids, has_more: true, .. } if ids.len() == 999), "{found:?}");
        }
    }
}

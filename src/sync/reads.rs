//! Reads of projects: one at a time for each project, shared by all who are content with it.
//!
//! Two reads of one scope would abandon each other in the store, and ask for everything twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::SyncError;
use super::pull::{Depth, PullReport};
use super::shared::{Age, Shared};
use crate::clock::SharedClock;
use crate::store::Scope;

/// How long an unused report is kept; nobody is content with an older one.
const KEPT: Duration = Duration::from_hours(24);

/// Who is content with which read.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// A read that began so long before is good enough.
    pub tolerance: Duration,
    /// It must have looked so far.
    pub depth: Depth,
    /// The disappearance that a person has confirmed: its items are to be hidden.
    pub confirmed: Option<Uuid>,
}

impl Wish {
    fn is_content_with(&self, report: &PullReport) -> bool {
        let awaits = self.confirmed.is_some_and(|id| report.disappearance.is_some_and(|found| found.id == id));
        report.depth >= self.depth && !awaits
    }
}

/// Reads by their scope.
#[derive(Debug)]
pub struct Reads {
    reports: Shared<Scope, PullReport>,
    /// How many there were.
    count: AtomicU64,
}

impl Default for Reads {
    fn default() -> Self {
        Self { reports: Shared::new(KEPT), count: AtomicU64::default() }
    }
}

impl Reads {
    /// Runs the read once no other of the same scope runs, unless there is one by then that the wish is content with: then
    /// that one's report is the answer. Numbers of reports grow.
    pub async fn share(
        &self,
        scope: Scope,
        clock: &SharedClock,
        wish: Wish,
        read: impl Future<Output = Result<PullReport, SyncError>>,
    ) -> Result<PullReport, SyncError> {
        let age = Age { asked: Instant::now(), tolerance: wish.tolerance };
        let next = |before: Option<&PullReport>, report: PullReport| {
            let before = before.copied().unwrap_or_default();
            let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
            // Who only looks for changes sees nothing of what is gone without one.
            let disappearance =
                if report.depth == Depth::Changes { before.disappearance } else { report.disappearance };
            PullReport { disappearance, number, ..report }
        };
        let answer = self.reports.get_if(scope, clock, age, |report| wish.is_content_with(report), next, read).await?;
        Ok(PullReport { at: answer.at, ..answer.value })
    }

    /// Forgets what was read, after something of it was deleted from the store.
    pub fn forget(&self) {
        self.reports.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::future::join_all;

    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::disappearance::Disappearance;
    use crate::store::testing::TestStore;

    const NOW: Wish = Wish { tolerance: Duration::ZERO, depth: Depth::Changes, confirmed: None };

    async fn read(began: &AtomicU64) -> Result<PullReport, SyncError> {
        let items = began.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::task::yield_now().await;
        Ok(PullReport { items, ..PullReport::default() })
    }

    #[tokio::test]
    async fn all_who_asked_meanwhile_share_the_next_read() {
        let (store, reads, began) = (TestStore::open().await, Reads::default(), AtomicU64::new(0));
        let scope = store.scope("contoso", 1).await;
        let clock: SharedClock = Arc::new(SystemClock);
        let reports = join_all((0..5).map(|_| reads.share(scope, &clock, NOW, read(&began)))).await;
        let items: Vec<u64> = reports.into_iter().map(|report| report.expect("read").items).collect();
        assert_eq!(items, [1, 2, 2, 2, 2]);
    }

    #[tokio::test]
    async fn a_read_that_was_over_before_is_shared_with_those_who_are_content_with_it() {
        let (store, reads, began) = (TestStore::open().await, Reads::default(), AtomicU64::new(0));
        let scope = store.scope("contoso", 1).await;
        let clock: SharedClock = Arc::new(SystemClock);
        let content = Wish { tolerance: Duration::from_hours(1), ..NOW };
        let deep = Wish { depth: Depth::Ids, ..content };
        for (wish, expected) in [(NOW, 1), (NOW, 2), (content, 2), (deep, 3), (deep, 4)] {
            assert_eq!(reads.share(scope, &clock, wish, read(&began)).await.expect("read").items, expected);
        }
        let is_deep = async { Ok(PullReport { depth: Depth::Links, ..PullReport::default() }) };
        assert_eq!(reads.share(scope, &clock, NOW, is_deep).await.expect("read").depth, Depth::Links);
        assert_eq!(reads.share(scope, &clock, deep, read(&began)).await.expect("read").depth, Depth::Links);
    }

    #[tokio::test]
    async fn a_disappearance_stands_until_ids_are_looked_at_again_and_who_confirms_it_shares_no_read_that_found_it() {
        let (store, reads) = (TestStore::open().await, Reads::default());
        let scope = store.scope("contoso", 1).await;
        let clock: SharedClock = Arc::new(SystemClock);
        let found = Disappearance { vanished: 30, of: 40, id: Uuid::from_u128(1) };
        let report = |depth, disappearance| PullReport { depth, disappearance, ..PullReport::default() };
        let content = Wish { tolerance: Duration::from_hours(1), depth: Depth::Ids, confirmed: None };
        let share = async |wish, report| reads.share(scope, &clock, wish, async { Ok(report) }).await.expect("read");
        assert_eq!(share(NOW, report(Depth::Links, Some(found))).await.disappearance, Some(found));
        for id in [None, Some(Uuid::from_u128(2))] {
            let content = Wish { confirmed: id, ..content };
            assert_eq!(share(content, report(Depth::Ids, None)).await.disappearance, Some(found), "it is shared");
        }
        let confirming = Wish { confirmed: Some(found.id), ..content };
        assert_eq!(share(confirming, report(Depth::Ids, None)).await.disappearance, None);
        for depth in [Depth::Ids, Depth::Changes] {
            let told = (depth == Depth::Ids).then_some(found);
            assert_eq!(share(NOW, report(depth, told)).await.disappearance, Some(found), "{depth:?}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_not_shared() {
        let (store, reads, began) = (TestStore::open().await, Reads::default(), AtomicU64::new(0));
        let scope = store.scope("contoso", 1).await;
        let clock: SharedClock = Arc::new(SystemClock);
        let failing = async {
            tokio::task::yield_now().await;
            Err(SyncError::Withdrawn)
        };
        let (failed, done) =
            tokio::join!(reads.share(scope, &clock, NOW, failing), reads.share(scope, &clock, NOW, read(&began)));
        assert!(matches!(failed, Err(SyncError::Withdrawn)));
        assert_eq!(done.expect("read").items, 1);
    }
}

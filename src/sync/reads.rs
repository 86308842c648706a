//! Reads that are under way: one at a time for each project, shared by all who asked before it began.
//!
//! Two reads of one scope would abandon each other in the store, and ask for everything twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::SyncError;
use super::full::FullReadReport;
use crate::store::Scope;

/// When the last whole read of a scope began, and what it came to.
type Last = Option<(Instant, FullReadReport)>;

/// The turns of a scope, and how the last one ended.
type Turn = Arc<tokio::sync::Mutex<Last>>;

/// Reads by their scope.
#[derive(Debug, Default)]
pub struct Reads(Mutex<HashMap<Scope, Turn>>);

impl Reads {
    /// Runs the read once no other of the same scope runs, unless one that began after this call has succeeded meanwhile:
    /// then that one's report is the answer.
    pub async fn share(
        &self,
        scope: Scope,
        read: impl Future<Output = Result<FullReadReport, SyncError>>,
    ) -> Result<FullReadReport, SyncError> {
        let asked = Instant::now();
        let turn = self.turn(scope);
        let mut last = turn.lock().await;
        if let Some((began, report)) = *last
            && began > asked
        {
            return Ok(report);
        }
        let began = Instant::now();
        let report = read.await?;
        *last = Some((began, report));
        Ok(report)
    }

    /// The turn of a scope. Those that nobody waits for or holds are forgotten.
    fn turn(&self, scope: Scope) -> Turn {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(all.entry(scope).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::store::testing::TestStore;

    async fn read(began: &AtomicU64) -> Result<FullReadReport, SyncError> {
        let items = began.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::task::yield_now().await;
        Ok(FullReadReport { items, ..FullReadReport::default() })
    }

    #[tokio::test]
    async fn all_who_asked_meanwhile_share_the_next_read() {
        let (store, reads, began) = (TestStore::open().await, Reads::default(), AtomicU64::new(0));
        let scope = store.scope("contoso", 1).await;
        let reports = join_all((0..5).map(|_| reads.share(scope, read(&began)))).await;
        let items: Vec<u64> = reports.into_iter().map(|report| report.expect("read").items).collect();
        assert_eq!(items, [1, 2, 2, 2, 2]);
    }

    #[tokio::test]
    async fn a_read_that_was_over_before_is_not_shared() {
        let (store, reads, began) = (TestStore::open().await, Reads::default(), AtomicU64::new(0));
        let scope = store.scope("contoso", 1).await;
        for expected in 1..=3 {
            assert_eq!(reads.share(scope, read(&began)).await.expect("read").items, expected);
        }
        assert_eq!(reads.0.lock().expect("lock").len(), 1, "only the last turn is kept");
    }

    #[tokio::test]
    async fn a_failure_is_not_shared() {
        let (store, reads, began) = (TestStore::open().await, Reads::default(), AtomicU64::new(0));
        let scope = store.scope("contoso", 1).await;
        let failing = async {
            tokio::task::yield_now().await;
            Err(SyncError::Withdrawn)
        };
        let (failed, done) = tokio::join!(reads.share(scope, failing), reads.share(scope, read(&began)));
        assert!(matches!(failed, Err(SyncError::Withdrawn)));
        assert_eq!(done.expect("read").items, 1);
    }
}

//! One read of a project into the store: what changed since the last one by the feeds, and from time to time, or where there
//! are no feeds, everything.

use jiff::Timestamp;

use super::SyncError;
use super::feeds::{Extent, FeedRead};
use super::full::FullRead;
use super::reading::Reading;
use super::reads::{Reads, Wish};
use crate::clock::SharedClock;
use crate::store::{NewSyncRun, ObjectUid, StoreError, SyncKind, SyncOutcome, SyncRunEnd};

/// What to read, for whom.
#[derive(Clone, Copy)]
pub struct Pull<'a> {
    /// The project.
    pub reading: Reading<'a>,
    /// Times of the run.
    pub clock: &'a SharedClock,
    /// Uid of the project config that asked for it.
    pub config: &'a str,
    /// Reads of all projects.
    pub reads: &'a Reads,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PullReport {
    /// Work items that were read.
    pub items: u64,
    /// Elements of feeds that were too large to be read.
    pub set_aside: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Whether anything in the store is different from before.
    pub changed: bool,
    /// Whether everything was read, so that items that are gone were noticed.
    pub whole: bool,
    /// Whether the service offers feeds; without them only a whole read tells what changed.
    pub has_feeds: bool,
    /// Grows with each read of the project in this process.
    pub number: u64,
    /// Grows with each that changed something.
    pub version: u64,
    /// When it began.
    pub at: Timestamp,
}

impl Pull<'_> {
    /// Reads, or takes the report of a read that the wish is content with. What was stored before stays: a read that fails
    /// half-way takes nothing away.
    pub async fn run(&self, wish: Wish) -> Result<PullReport, SyncError> {
        self.reads.share(self.reading.scope, self.clock, wish, self.run_alone(wish.whole)).await
    }

    async fn run_alone(&self, whole: bool) -> Result<PullReport, SyncError> {
        let kind = if whole { SyncKind::Full } else { SyncKind::Incremental };
        let started_at = self.clock.now().as_millisecond();
        let Reading { store, scope, .. } = self.reading;
        let run = NewSyncRun { scope, config_uid: ObjectUid::from(self.config), kind, started_at };
        let id = store.start_sync_run(&run).await?;
        let mut report = PullReport::default();
        let result = self.read(whole, &mut report).await;
        let end = SyncRunEnd {
            finished_at: self.clock.now().as_millisecond(),
            outcome: if result.is_ok() { SyncOutcome::Succeeded } else { SyncOutcome::Failed },
            items: report.items,
            requests: report.requests,
            reason: result.as_ref().err().map(reason),
        };
        match store.finish_sync_run(id, &end).await {
            // The config went meanwhile, and its runs with it.
            Ok(()) | Err(StoreError::SyncRunNotOpen) => {}
            Err(error) => return Err(error.into()),
        }
        result.map(|()| report)
    }

    /// The feeds tell of nothing that was moved away or destroyed, so what was there before has to be looked for. Where nothing
    /// was, their beginning is everything.
    async fn read(&self, whole: bool, report: &mut PullReport) -> Result<(), SyncError> {
        let extent = FeedRead(self.reading).run(report).await?;
        report.has_feeds = extent.is_some();
        report.whole = whole || extent != Some(Extent::Changes);
        if report.whole && extent != Some(Extent::Everything { is_first: true }) {
            FullRead(self.reading).run(report).await?;
        }
        Ok(())
    }
}

fn reason(error: &SyncError) -> String {
    match error {
        SyncError::Ado(error) => error.reason().to_owned(),
        SyncError::Store(error) => error.reason().to_owned(),
        SyncError::Refused(cause) => cause.reason.as_str().to_owned(),
        SyncError::Withdrawn => "Withdrawn".to_owned(),
    }
}

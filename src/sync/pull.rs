//! One read of a project into the store: what changed since the last one, and from time to time what no change tells of.

use jiff::Timestamp;
use uuid::Uuid;

use super::changes::ChangesRead;
use super::feeds::{Extent, FeedRead};
use super::reading::Reading;
use super::reads::{Reads, Wish};
use super::reconcile::Reconcile;
use super::{SyncError, aside};
use crate::clock::SharedClock;
use crate::domain::disappearance::Disappearance;
use crate::store::{Feed, NewSyncRun, ObjectUid, StoreError, SyncKind, SyncOutcome, SyncRunEnd, SyncRunId};

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

/// How far a read looks, each further than the one before.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Depth {
    /// To what changed since the last read.
    #[default]
    Changes,
    /// Also to which items are there, so that those are noticed that are gone without a change.
    Ids,
    /// Also to links of which no change tells: feeds tell of a link when it changes, which for items from another project was
    /// before they were here, and without feeds all items have to be read for it.
    Links,
    /// All items are read, whether they changed or not.
    Everything,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PullReport {
    /// Work items that were read.
    pub items: u64,
    /// Items that could not be read, or not wholly, and elements of feeds that do not tell of what they are.
    pub set_aside: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Whether anything in the store is different from before.
    pub changed: bool,
    /// How far it looked.
    pub depth: Depth,
    /// Items that the last look for items that are gone does not see any more, and did not dare to hide.
    pub disappearance: Option<Disappearance>,
    /// Grows with each read of the project in this process.
    pub number: u64,
    /// When it began.
    pub at: Timestamp,
    /// The run under which it tells how far it has come.
    pub run: Option<SyncRunId>,
}

impl Pull<'_> {
    /// Reads, or takes the report of a read that the wish is content with. What was stored before stays: a read that fails
    /// half-way takes nothing away.
    pub async fn run(&self, wish: Wish) -> Result<PullReport, SyncError> {
        let read = Box::pin(self.run_alone(wish.depth, wish.confirmed));
        self.reads.share(self.reading.scope, self.clock, wish, read).await
    }

    async fn run_alone(&self, depth: Depth, confirmed: Option<Uuid>) -> Result<PullReport, SyncError> {
        let kind = if depth >= Depth::Ids { SyncKind::Full } else { SyncKind::Incremental };
        let started_at = self.clock.now().as_millisecond();
        let Reading { store, scope, .. } = self.reading;
        let run = NewSyncRun { scope, config_uid: ObjectUid::from(self.config), kind, started_at };
        let id = store.start_sync_run(&run).await?;
        let mut report = PullReport { run: Some(id), ..PullReport::default() };
        let result = self.read(depth, confirmed, &mut report).await;
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

    async fn read(&self, depth: Depth, confirmed: Option<Uuid>, report: &mut PullReport) -> Result<(), SyncError> {
        let Reading { store, scope, .. } = self.reading;
        if depth == Depth::Everything {
            store.forget_feed(scope, Feed::Revisions).await?;
        }
        let extent = if depth == Depth::Changes && self.never_had_feeds().await? {
            None
        } else {
            FeedRead(self.reading).run(depth >= Depth::Links, report).await?
        };
        match extent {
            Some(extent) => self.behind_feeds(extent, depth, confirmed, report).await,
            None => self.without_feeds(depth, confirmed, report).await,
        }
    }

    /// Whether the project was read, and never by feeds. Those that a server has got since are noticed by the next deeper look.
    async fn never_had_feeds(&self) -> Result<bool, SyncError> {
        let Reading { store, scope, .. } = self.reading;
        let had = store.feed_token(scope, Feed::Revisions).await?.is_some();
        Ok(!had && store.changes_since(scope).await?.is_some())
    }

    /// The feeds tell of nothing that was moved away or destroyed, so what was there before has to be looked for. Where nothing
    /// was, their beginning is everything.
    async fn behind_feeds(
        &self,
        extent: Extent,
        depth: Depth,
        confirmed: Option<Uuid>,
        report: &mut PullReport,
    ) -> Result<(), SyncError> {
        report.depth = match extent {
            Extent::Everything { .. } => Depth::Everything,
            Extent::Changes => depth.min(Depth::Links),
        };
        if report.depth == Depth::Changes || extent == (Extent::Everything { is_first: true }) {
            return Ok(());
        }
        self.reconcile(false, confirmed, report).await
    }

    /// Changes are found by their times, from the first read of everything on.
    async fn without_feeds(
        &self,
        depth: Depth,
        confirmed: Option<Uuid>,
        report: &mut PullReport,
    ) -> Result<(), SyncError> {
        let Reading { store, scope, .. } = self.reading;
        let time = store.changes_since(scope).await?;
        let since: Option<Timestamp> = time.and_then(|time| time.parse().ok()).filter(|_| depth < Depth::Links);
        report.depth = if since.is_some() { depth } else { Depth::Everything };
        if let Some(since) = since {
            ChangesRead(self.reading).run(since, report).await?;
        }
        if report.depth == Depth::Changes {
            return Ok(());
        }
        self.reconcile(since.is_none(), confirmed, report).await
    }

    /// Looks for what is gone; with `everything`, all that is there is read again, as the beginning of what changes later. What
    /// was set aside gets another chance.
    async fn reconcile(
        &self,
        everything: bool,
        confirmed: Option<Uuid>,
        report: &mut PullReport,
    ) -> Result<(), SyncError> {
        let reading = self.reading;
        Reconcile { reading, everything, confirmed }.run(report).await?;
        aside::retry(reading, report).await
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

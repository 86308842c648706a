//! A full read of a project's work items: ids by WIQL in ranges, fields in batches (`ado-api.md` §9).

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use super::SyncError;
use super::reads::Reads;
use crate::ado::model::{ProjectId, WorkItem, WorkItemId};
use crate::ado::{AdoClient, AdoError, Defect, Priority, Wiql};
use crate::clock::SharedClock;
use crate::store::{
    NewSyncRun, ObjectUid, RunId, Scope, Store, StoreError, SyncKind, SyncOutcome, SyncRunEnd, WorkItemRecord,
};

/// Ids in one WIQL answer: one less than the service's limit of 20,000, with which it fails.
const IDS_PER_QUERY: u32 = 19_999;

/// Ids in the first window that is tried where the service refuses queries by the number of their results.
const WIDEST_WINDOW: u32 = 1 << 20;

/// Work items in one batch read: the service's limit.
const ITEMS_PER_BATCH: usize = 200;

/// Fields that are read of every work item; every process has them.
const FIELDS: [&str; 10] = [
    "System.Id",
    "System.Rev",
    "System.WorkItemType",
    "System.State",
    "System.Title",
    "System.ChangedDate",
    "System.CreatedDate",
    "System.IterationId",
    "System.IterationPath",
    "System.Parent",
];

/// What to read, for whom.
pub struct FullRead<'a> {
    /// Client of the integration.
    pub client: &'a AdoClient,
    /// Where it goes.
    pub store: &'a Store,
    /// Times of the run.
    pub clock: &'a SharedClock,
    /// Whose raw data it is.
    pub scope: Scope,
    /// The project.
    pub project: ProjectId,
    /// Uid of the project config that asked for it.
    pub config: &'a str,
    /// Reads that are under way.
    pub reads: &'a Reads,
    /// Asked before every request: whether the read may go on.
    pub permitted: &'a (dyn Fn() -> BoxFuture<'a, bool> + Send + Sync),
}

/// Ids of one query.
struct Page {
    ids: Vec<WorkItemId>,
    /// The id above which the next query looks; None at the end.
    next: Option<WorkItemId>,
}

/// What a full read came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FullReadReport {
    /// Work items that were read.
    pub items: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Whether anything in the store is different from before.
    pub changed: bool,
}

impl FullRead<'_> {
    /// Reads everything, or takes the report of a read that another config began meanwhile. What was stored before stays
    /// until the whole project was seen: a read that fails half-way takes nothing away.
    pub async fn run(&self) -> Result<FullReadReport, SyncError> {
        self.reads.share(self.scope, self.run_alone()).await
    }

    async fn run_alone(&self) -> Result<FullReadReport, SyncError> {
        let config_uid = ObjectUid::from(self.config);
        let started_at = self.clock.now().as_millisecond();
        let run = NewSyncRun { scope: self.scope, config_uid, kind: SyncKind::Full, started_at };
        let id = self.store.start_sync_run(&run).await?;
        let mut report = FullReadReport::default();
        let result = self.read(&mut report).await;
        let end = SyncRunEnd {
            finished_at: self.clock.now().as_millisecond(),
            outcome: if result.is_ok() { SyncOutcome::Succeeded } else { SyncOutcome::Failed },
            items: report.items,
            requests: report.requests,
            reason: result.as_ref().err().map(reason),
        };
        match self.store.finish_sync_run(id, &end).await {
            // The config went meanwhile, and its runs with it.
            Ok(()) | Err(StoreError::SyncRunNotOpen) => {}
            Err(error) => return Err(error.into()),
        }
        result.map(|()| report)
    }

    async fn read(&self, report: &mut FullReadReport) -> Result<(), SyncError> {
        let run = self.store.begin_full_read(self.scope).await?;
        if let Err(error) = self.read_pages(run, report).await {
            self.store.abort_full_read(self.scope, run).await?;
            return Err(error);
        }
        let end = self.store.finish_full_read(self.scope, run).await?;
        report.changed |= end.marked > 0;
        Ok(())
    }

    async fn read_pages(&self, run: RunId, report: &mut FullReadReport) -> Result<(), SyncError> {
        // What was read so far would have to be read again.
        let client = self.client.with_priority(Priority::Full).patient();
        let mut next = Some(WorkItemId(0));
        let mut width = WIDEST_WINDOW;
        while let Some(last) = next {
            self.check_permission().await?;
            let page = match self.query(&client, last, Wiql::new(), report).await {
                Err(error) if error.exceeds_result_limit() => self.window(&client, last, &mut width, report).await,
                page => page,
            }?;
            for batch in page.ids.chunks(ITEMS_PER_BATCH) {
                self.check_permission().await?;
                self.store_batch(&client, run, batch, report).await?;
            }
            next = page.next;
        }
        Ok(())
    }

    /// The ids of one query above the last one, and where the next one begins.
    async fn query(
        &self,
        client: &AdoClient,
        last: WorkItemId,
        query: Wiql,
        report: &mut FullReadReport,
    ) -> Result<Page, AdoError> {
        report.requests += 1;
        let ids = client.query_ids(&self.project, &query.above(last), IDS_PER_QUERY).await?.ids;
        let most = IDS_PER_QUERY as usize;
        // Anything else would be asked for again and again.
        let moves_on =
            ids.len() <= most && ids.first().is_none_or(|first| *first > last) && ids.is_sorted_by(|a, b| a < b);
        if !moves_on {
            let host = client.organization().host().to_string();
            return Err(AdoError::Malformed { host, defect: Defect::Endless });
        }
        let next = ids.last().copied().filter(|_| ids.len() == most);
        Ok(Page { ids, next })
    }

    /// Whether `$top` keeps a query below the service's limit is unconfirmed (`ado-api.md` §9, §14). Where it does not, the
    /// ids come by windows, narrower after each refusal and wider after each answer.
    async fn window(
        &self,
        client: &AdoClient,
        last: WorkItemId,
        width: &mut u32,
        report: &mut FullReadReport,
    ) -> Result<Page, AdoError> {
        loop {
            let end = WorkItemId(last.0.saturating_add(*width));
            match self.query(client, last, Wiql::new().up_to(end), report).await {
                Err(error) if error.exceeds_result_limit() && *width > 1 => *width /= 2,
                Err(error) => return Err(error),
                Ok(Page { ids, next }) => {
                    *width = width.saturating_mul(2).min(WIDEST_WINDOW);
                    // Behind the highest id that there can be nothing is left.
                    return Ok(Page { ids, next: next.or((end > last).then_some(end)) });
                }
            }
        }
    }

    async fn check_permission(&self) -> Result<(), SyncError> {
        if (self.permitted)().await { Ok(()) } else { Err(SyncError::Withdrawn) }
    }

    async fn store_batch(
        &self,
        client: &AdoClient,
        run: RunId,
        ids: &[WorkItemId],
        report: &mut FullReadReport,
    ) -> Result<(), SyncError> {
        let items = client.work_items(&self.project, ids, &FIELDS).await?;
        report.requests += 1;
        let records: Vec<WorkItemRecord> = items.iter().map(record).collect();
        let changes = self.store.put_work_items(self.scope, run, &records).await?;
        report.items += records.len() as u64;
        report.changed |= changes.inserted + changes.updated > 0;
        Ok(())
    }
}

/// Requirements and bugs among what is stored.
pub async fn counts(
    store: &Store,
    scope: Scope,
    effective: &crate::api::EffectiveProjectConfig,
) -> Result<crate::api::Counts, SyncError> {
    let by_type: BTreeMap<String, u64> =
        store.count_by_type(scope).await?.into_iter().map(|(name, count)| (name.to_lowercase(), count)).collect();
    let sum = |types: &[String]| {
        let total: u64 = types.iter().filter_map(|name| by_type.get(&name.to_lowercase())).sum();
        i64::try_from(total).unwrap_or(i64::MAX)
    };
    Ok(crate::api::Counts { requirements: sum(&effective.requirement_types), bugs: sum(&effective.bug_types) })
}

/// A work item as it is stored. A field that is absent or of an odd type is empty; the raw fields are kept beside.
fn record(item: &WorkItem) -> WorkItemRecord {
    let text = |name: &str| item.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let changed: Option<Timestamp> = text("System.ChangedDate").parse().ok();
    WorkItemRecord {
        id: crate::store::WorkItemId::from(item.id.0),
        rev: item.rev,
        work_item_type: text("System.WorkItemType"),
        state: text("System.State"),
        title: text("System.Title"),
        changed_at: changed.map_or(0, Timestamp::as_millisecond),
        fields: Value::Object(item.fields.clone()).to_string(),
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

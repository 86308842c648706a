//! A full read of a project's work items: ids by WIQL in ranges, fields in batches (`ado-api.md` §9).

use super::SyncError;
use super::pull::PullReport;
use super::reading::Reading;
use super::records::record;
use crate::ado::model::WorkItemId;
use crate::ado::{AdoClient, AdoError, Defect, Wiql};
use crate::store::{RunId, WorkItemRecord};

/// Ids in one WIQL answer: one less than the service's limit of 20,000, with which it fails.
const IDS_PER_QUERY: u32 = 19_999;

/// Ids in the first window that is tried where the service refuses queries by the number of their results.
const WIDEST_WINDOW: u32 = 1 << 20;

/// Work items in one batch read: the service's limit.
const ITEMS_PER_BATCH: usize = 200;

/// Ids of one query.
struct Page {
    ids: Vec<WorkItemId>,
    /// The id above which the next query looks; None at the end.
    next: Option<WorkItemId>,
}

/// A read of everything.
pub struct FullRead<'a>(pub Reading<'a>);

impl FullRead<'_> {
    /// Reads everything. What was stored before stays until the whole project was seen.
    pub async fn run(&self, report: &mut PullReport) -> Result<(), SyncError> {
        let Reading { store, scope, .. } = self.0;
        let run = store.begin_full_read(scope).await?;
        if let Err(error) = self.read_pages(run, report).await {
            store.abort_full_read(scope, run).await?;
            return Err(error);
        }
        let end = store.finish_full_read(scope, run).await?;
        report.changed |= end.marked > 0;
        Ok(())
    }

    async fn read_pages(&self, run: RunId, report: &mut PullReport) -> Result<(), SyncError> {
        let client = self.0.patient_client();
        let mut next = Some(WorkItemId(0));
        let mut width = WIDEST_WINDOW;
        while let Some(last) = next {
            self.0.check_permission().await?;
            let page = match self.query(&client, last, Wiql::new(), report).await {
                Err(error) if error.exceeds_result_limit() => self.window(&client, last, &mut width, report).await,
                page => page,
            }?;
            for batch in page.ids.chunks(ITEMS_PER_BATCH) {
                self.0.check_permission().await?;
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
        report: &mut PullReport,
    ) -> Result<Page, AdoError> {
        report.requests += 1;
        let ids = client.query_ids(&self.0.project, &query.above(last), IDS_PER_QUERY).await?.ids;
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
        report: &mut PullReport,
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

    async fn store_batch(
        &self,
        client: &AdoClient,
        run: RunId,
        ids: &[WorkItemId],
        report: &mut PullReport,
    ) -> Result<(), SyncError> {
        let Reading { store, scope, project, fields, .. } = self.0;
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let items = client.work_items(&project, ids, &fields).await?;
        report.requests += 1;
        let records: Vec<WorkItemRecord> =
            items.into_iter().map(|item| record(item.id, item.rev, item.fields)).collect();
        let changed = store.put_work_items(scope, run, &records).await?;
        report.items += records.len() as u64;
        report.changed |= changed > 0;
        Ok(())
    }
}

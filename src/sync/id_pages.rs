//! Ids of a project's work items by queries: in pages by rising id, since no query gives more than so many (`ado-api.md` §9).

use jiff::Timestamp;

use super::SyncError;
use super::pull::PullReport;
use super::reading::Reading;
use crate::ado::model::WorkItemId;
use crate::ado::{AdoClient, AdoError, Defect, Wiql};

/// Ids in one answer: one less than the service's limit of 20,000, with which it fails.
const IDS_PER_QUERY: u32 = 19_999;

/// Ids in the first window that is tried where the service refuses queries by the number of their results.
const WIDEST_WINDOW: u32 = 1 << 20;

/// The highest id that there can be, and beyond.
const LAST: WorkItemId = WorkItemId(u32::MAX);

/// The answer of one query: all that there is in a range of ids.
pub struct IdPage {
    /// The range begins behind this id.
    pub above: WorkItemId,
    /// It ends with this one.
    pub up_to: WorkItemId,
    /// By rising id.
    pub ids: Vec<WorkItemId>,
}

/// Pages of a query that is sent again and again.
pub struct IdPages<'a> {
    reading: Reading<'a>,
    client: AdoClient,
    query: Wiql,
    /// The id above which the next query looks; None at the end.
    next: Option<WorkItemId>,
    width: u32,
    begun: Option<String>,
}

impl<'a> IdPages<'a> {
    /// Nothing is asked yet.
    pub fn new(reading: Reading<'a>, query: Wiql) -> Self {
        let client = reading.patient_client();
        Self { reading, client, query, next: Some(WorkItemId(0)), width: WIDEST_WINDOW, begun: None }
    }

    /// The server's time of the first query: whatever changes later is in none of the pages for sure. None before, and if the
    /// server's time cannot be read.
    pub fn begun(&self) -> Option<&str> {
        self.begun.as_deref()
    }

    /// The next page; None behind the last one.
    pub async fn next(&mut self, report: &mut PullReport) -> Result<Option<IdPage>, SyncError> {
        let Some(above) = self.next else { return Ok(None) };
        self.reading.check_permission().await?;
        let page = match self.ask(above, self.query.clone(), LAST, report).await {
            Err(error) if error.exceeds_result_limit() => self.window(above, report).await,
            page => page,
        }?;
        self.next = Some(page.up_to).filter(|end| *end < LAST);
        Ok(Some(page))
    }

    /// What a query finds in a range, or in the part of it that one answer holds.
    async fn ask(
        &mut self,
        above: WorkItemId,
        query: Wiql,
        end: WorkItemId,
        report: &mut PullReport,
    ) -> Result<IdPage, AdoError> {
        report.requests += 1;
        let found = self.client.query_ids(&self.reading.project, &query.above(above), IDS_PER_QUERY).await?;
        let (ids, most) = (found.ids, IDS_PER_QUERY as usize);
        // Anything else would be asked for again and again.
        let moves_on =
            ids.len() <= most && ids.first().is_none_or(|first| *first > above) && ids.is_sorted_by(|a, b| a < b);
        if !moves_on {
            let host = self.client.organization().host().to_string();
            return Err(AdoError::Malformed { host, defect: Defect::Endless });
        }
        if above == WorkItemId(0) {
            self.begun = found.as_of.parse::<Timestamp>().ok().map(|time| time.to_string());
        }
        let up_to = ids.last().copied().filter(|_| ids.len() == most).unwrap_or(end);
        Ok(IdPage { above, up_to, ids })
    }

    /// Whether `$top` keeps a query below the service's limit is unconfirmed (`ado-api.md` §9, §14). Where it does not, the
    /// ids come by windows, narrower after each refusal and wider after each answer.
    async fn window(&mut self, above: WorkItemId, report: &mut PullReport) -> Result<IdPage, AdoError> {
        loop {
            let end = WorkItemId(above.0.saturating_add(self.width));
            match self.ask(above, self.query.clone().up_to(end), end, report).await {
                Err(error) if error.exceeds_result_limit() && self.width > 1 => self.width /= 2,
                Err(error) => return Err(error),
                Ok(page) => {
                    self.width = self.width.saturating_mul(2).min(WIDEST_WINDOW);
                    return Ok(page);
                }
            }
        }
    }
}

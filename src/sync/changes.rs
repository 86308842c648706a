//! What changed since the last read, where the service has no feeds: by the times of changes, and by the recycle bin.

use std::time::Duration;

use jiff::Timestamp;

use super::SyncError;
use super::id_pages::IdPages;
use super::items::{read_items, recycle_bin};
use super::pull::PullReport;
use super::reading::Reading;
use crate::ado::Wiql;

/// What changed so long before the last read began is read again: an item may be found some time after the time that it bears
/// (`ado-api.md` §9).
const OVERLAP: Duration = Duration::from_mins(5);

/// A read of what changed.
pub struct ChangesRead<'a>(pub Reading<'a>);

impl ChangesRead<'_> {
    /// Reads what changed since that time of the server. Where the next read goes on is kept when everything is stored.
    pub async fn run(&self, since: Timestamp, report: &mut PullReport) -> Result<(), SyncError> {
        let from = since.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        let mut pages = IdPages::new(self.0, Wiql::new().changed_since(from));
        while let Some(page) = pages.next(report).await? {
            read_items(self.0, &page.ids, report).await?;
        }
        // Queries do not find what is deleted.
        let deleted = recycle_bin(self.0, report).await?;
        let Reading { store, scope, .. } = self.0;
        report.changed |= store.end_changes(scope, &deleted, pages.begun()).await? > 0;
        Ok(())
    }
}

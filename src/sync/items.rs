//! Work items that are read by their ids, and those that the recycle bin tells of.

use super::SyncError;
use super::batches::Batches;
use super::feeds::is_refusal;
use super::pull::PullReport;
use super::reading::Reading;
use crate::ado::model::WorkItemId;
use crate::ado::{AdoError, MAX_BATCH};
use crate::store;

/// Reads items by batches into the store; those that are there are present from then on.
pub async fn read_items(reading: Reading<'_>, ids: &[WorkItemId], report: &mut PullReport) -> Result<(), SyncError> {
    let Reading { store, scope, .. } = reading;
    let mut batches = Batches::new(reading);
    for batch in ids.chunks(MAX_BATCH) {
        let gathered = batches.read(batch, report).await?;
        report.changed |= gathered.store(store, scope, &[], None).await? > 0;
        report.items += gathered.records.len() as u64;
        reading.tell(report).await?;
    }
    Ok(())
}

/// Ids of the project's recycle bin; none if it cannot be read, as with more than 20,000 items in it (`ado-api.md` §5).
pub async fn recycle_bin(reading: Reading<'_>, report: &mut PullReport) -> Result<Vec<store::WorkItemId>, SyncError> {
    reading.check_permission().await?;
    report.requests += 1;
    match reading.patient_client().recycle_bin(&reading.project).await {
        Ok(items) => Ok(items.into_iter().map(|item| item.id.0.into()).collect()),
        Err(error) if is_refusal(&error) || matches!(error, AdoError::TooLarge { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

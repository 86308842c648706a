//! What every read of a project needs, by feeds or as a whole.

use futures::future::BoxFuture;

use super::SyncError;
use super::pull::PullReport;
use crate::ado::model::ProjectId;
use crate::ado::{AdoClient, Priority};
use crate::store::{Scope, Store};

/// A project that is read into the store.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Client of the integration.
    pub client: &'a AdoClient,
    /// Where it goes.
    pub store: &'a Store,
    /// Whose raw data it is.
    pub scope: Scope,
    /// The project.
    pub project: ProjectId,
    /// Fields to read of every work item.
    pub fields: &'a [String],
    /// Asked before every request: whether the read may go on.
    pub permitted: &'a (dyn Fn() -> BoxFuture<'a, bool> + Send + Sync),
}

impl Reading<'_> {
    /// The client for requests of a read: what was read so far would have to be read again.
    pub fn patient_client(&self) -> AdoClient {
        self.client.with_priority(Priority::Full).patient()
    }

    /// Tells people how far a read of several steps has come.
    pub async fn tell(&self, report: &PullReport) -> Result<(), SyncError> {
        let Some(run) = report.run else { return Ok(()) };
        Ok(self.store.note_progress(run, report.items, report.requests).await?)
    }

    /// Refuses to go on with a read that nobody wants any more, or that nobody may have.
    pub async fn check_permission(&self) -> Result<(), SyncError> {
        if (self.permitted)().await { Ok(()) } else { Err(SyncError::Withdrawn) }
    }
}

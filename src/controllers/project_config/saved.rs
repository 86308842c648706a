//! A config that is only saved.

use std::time::Duration;

use kube::ResourceExt;

use super::pull::{Inputs, integration_changed, resolved};
use super::{Run, Step};
use crate::api::{IntegrationState, SyncStatus};
use crate::controllers::error::ReconcileError;
use crate::domain::project_config::Finding;
use crate::sync::SyncError;

/// A saved config whose identity is busy is validated after so long, unless it is called before.
const BUSY_PAUSE: Duration = Duration::from_secs(16);

impl Run<'_> {
    /// Saved is what was asked for, whatever the mapping. It is validated as far as somebody is there to ask.
    pub(super) async fn saved(&mut self) -> Result<Step, ReconcileError> {
        let unknown = Step::ended(Finding::Saved { mapping: None });
        let Some(integration) = self.integration().await? else { return Ok(unknown) };
        let is_good = integration.status.as_ref().and_then(|status| status.state) == Some(IntegrationState::Active);
        let connection = self.ctx.connections.get(&integration.uid().unwrap_or_default()).filter(|_| is_good);
        let Some(connection) = connection else { return Ok(unknown) };
        let pinned = self.pinned().await?;
        if !pinned.permits_integration(&connection.key.to_string(), &resolved(&integration), &self.shown()) {
            return Ok(Step::ended(Finding::Saved { mapping: Some(Err(integration_changed())) }));
        }
        let basis = self.basis(&integration);
        if self.visit.basis.as_ref() == Some(&basis) {
            return Ok(unknown);
        }
        let Some(_place) = self.enter(&connection) else { return Ok(Step { again: Some(BUSY_PAUSE), ..unknown }) };
        let asked = Inputs {
            object: &self.object,
            integration: &integration,
            connection: &connection,
            pinned: &pinned,
            synced: &SyncStatus::default(),
            ctx: self.ctx,
        };
        let look = asked.look(self.saved_ages(&basis));
        let mapping = match Box::pin(asked.validate(&look)).await {
            Ok((_, validated)) => Some(Ok(Box::new(validated.resolved))),
            Err(SyncError::Refused(cause)) => Some(Err(cause)),
            Err(SyncError::Store(error)) => return Err(error.into()),
            Err(SyncError::Ado(_) | SyncError::Withdrawn) => None,
        };
        if mapping.is_some() {
            self.visit.basis = Some(basis);
        }
        Ok(Step::ended(Finding::Saved { mapping }))
    }
}

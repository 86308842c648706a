//! What the status tells of a look, and when it is written.

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::runtime::controller::Action;

use super::{Run, Step};
use crate::api::{AdoProjectConfigStatus, FIELD_MANAGER, Reason};
use crate::controllers::context::asks_the_same;
use crate::controllers::error::ReconcileError;
use crate::controllers::{report, status};
use crate::domain::project_config::{Finding, verdict};
use crate::domain::restraint::{Data, Writing, writing};
use crate::domain::schedule;
use crate::domain::verdict::Cause;
use crate::store::AuditAction;

/// Data that the status does not tell yet.
#[derive(Clone, Debug)]
pub struct Held {
    /// The data.
    pub(super) data: Data,
    /// When they may be written.
    until: Timestamp,
}

impl Run<'_> {
    /// Shows that a first sync is under way, where that is not shown so far; a later one leaves what is shown.
    pub(super) async fn notice(&mut self) {
        if self.is_judged() {
            return;
        }
        let cause = Cause::new(Reason::Syncing, "Validates the mapping and pulls the project's work items.");
        // Whatever stands in the way of this, the read under way is not worth less for it; whether it is still wanted is asked
        // before each page.
        if let Err(error) = self.show(&Finding::Pending(cause), false).await {
            tracing::debug!(%error, "a sync could not be announced");
            self.catch_up();
        }
    }

    /// Somebody else may have written the object. If it still asks for the same, what he left of it is what may be written to.
    fn catch_up(&mut self) {
        let seen = self.ctx.config(&self.object.namespace().unwrap_or_default(), &self.object.name_any());
        if let Some(seen) = seen.filter(|seen| asks_the_same(&**seen, &*self.object)) {
            self.object = seen;
        }
    }

    /// The one way out of every look. What the look learnt is kept before anything is written, so that a write that fails is
    /// repeated without the read that led to it.
    pub(super) async fn finish(mut self, step: Step) -> Result<Action, ReconcileError> {
        self.ctx.config_visits.put(&self.uid, self.visit.clone());
        match &step.finding {
            Some(finding) => self.show(finding, step.ended).await?,
            None => self.say(&self.shown()).await?,
        }
        self.ctx.config_visits.put(&self.uid, self.visit.clone());
        if step.finding.is_some() && self.visit.untold_sync && self.visit.held.is_none() {
            report::audit(self.ctx, &*self.object, FIELD_MANAGER, AuditAction::Synced, "work items read").await?;
            self.visit.untold_sync = false;
            self.ctx.config_visits.put(&self.uid, self.visit.clone());
        }
        let held = self.visit.held.as_ref().map(|held| schedule::until(held.until, self.now));
        let again = step.again.into_iter().chain(held).min();
        Ok(again.map_or_else(Action::await_change, Action::requeue))
    }

    pub(super) async fn show(&mut self, finding: &Finding, ended: bool) -> Result<(), ReconcileError> {
        let mut wanted = verdict(&self.shown(), self.generation(), finding, self.now);
        if ended && let Some(value) = self.requested() {
            wanted.last_handled_requested_at = Some(value.clone());
        }
        self.say(&wanted).await
    }

    /// Writes a status, or keeps what may not be written yet.
    async fn say(&mut self, wanted: &AdoProjectConfigStatus) -> Result<(), ReconcileError> {
        let shown = self.object.status.clone().unwrap_or_default();
        match writing(&shown, wanted, self.visit.told_at, self.now) {
            Writing::Never => self.visit.held = None,
            Writing::At(until) => self.visit.held = Some(Held { data: Data::of(wanted), until }),
            Writing::Now => {
                let written = status::apply(self.ctx, self.api, &*self.object, wanted).await?;
                self.visit.held = None;
                if Data::of(&shown) != Data::of(wanted) {
                    self.visit.told_at = Some(self.now);
                }
                report::transition(self.ctx, &written, &shown.conditions, &wanted.conditions).await;
                self.object = Arc::new(written);
            }
        }
        Ok(())
    }
}

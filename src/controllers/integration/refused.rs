//! A credential that was refused: by whom else, for how long, and what is said of it.

use jiff::Timestamp;

use super::inputs::Inputs;
use super::{Run, Step};
use crate::api::{ConditionType, Reason};
use crate::controllers::error::ReconcileError;
use crate::domain::conditions;
use crate::domain::integration::Finding;
use crate::domain::schedule::{self, LastProbe};
use crate::domain::verdict::{Cause, elapsed};
use crate::store::ObjectUid;

/// What is said of a token of whose refusal only the fact is known.
const REFUSED_BEFORE: &str = "Azure DevOps refused the token: it is expired, revoked, incomplete, or of another organization; put a valid \
     token of this organization into the Secret.";

/// When a refused token is tried again.
const TRIED_AGAIN: &str = " It is tried again when the Secret changes, once an hour, and when the annotation \
     ado.testops.dev/requestedAt gets a new value.";

impl Run<'_> {
    /// A refusal outlives a restart: the store knows it, and the token is left alone.
    pub(super) async fn remember_refusal(&mut self, inputs: &Inputs) -> Result<(), ReconcileError> {
        if self.visit.attempts.last != LastProbe::None {
            return Ok(());
        }
        let stored = self.ctx.store.last_refusal(&ObjectUid::from(self.uid.clone())).await?;
        if let Some(refusal) = stored.filter(|refusal| refusal.credential_version == inputs.credential_version)
            && let Ok(at) = Timestamp::from_millisecond(refusal.refused_at)
        {
            self.ctx.refusals.note(&inputs.credential_digest, at, self.now);
            self.believe_refusal(at, inputs);
        }
        Ok(())
    }

    async fn record_refusal(&self, at: Timestamp, inputs: &Inputs) -> Result<(), ReconcileError> {
        let uid = ObjectUid::from(self.uid.clone());
        Ok(self.ctx.store.record_refusal(&uid, &inputs.credential_version, at.as_millisecond()).await?)
    }

    /// What other objects with the same credential learnt: where it was refused, it is not tried for this one; where it was
    /// accepted since it was refused, it is.
    pub(super) async fn learn_refusal(&mut self, inputs: &Inputs) -> Result<(), ReconcileError> {
        match (self.refused_at(inputs), self.ctx.refusals.last(&inputs.credential_digest, self.now)) {
            (own, Some(at)) if own.is_none_or(|own| own < at) => {
                self.believe_refusal(at, inputs);
                self.record_refusal(at, inputs).await
            }
            (Some(at), None) if elapsed(at, self.now) < schedule::REFUSED_PROBE => {
                self.visit.attempts.settled(LastProbe::Verdict { at });
                self.visit.probed = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// When the credential was refused, as far as this object knows.
    pub(super) fn refused_at(&self, inputs: &Inputs) -> Option<Timestamp> {
        match &self.visit.attempts.last {
            LastProbe::Refused { at, credential } if *credential == inputs.credential_digest => Some(*at),
            LastProbe::None
            | LastProbe::Refused { .. }
            | LastProbe::Verdict { .. }
            | LastProbe::Failed { .. }
            | LastProbe::Throttled { .. } => None,
        }
    }

    fn believe_refusal(&mut self, at: Timestamp, inputs: &Inputs) {
        let shown = self.shown();
        let told = conditions::find(&shown.conditions, ConditionType::Ready)
            .filter(|ready| ready.reason == Reason::CredentialRefused.as_str());
        let message = told.map_or_else(|| format!("{REFUSED_BEFORE}{TRIED_AGAIN}"), |ready| ready.message.clone());
        let cause = Cause::new(Reason::CredentialRefused, message);
        self.ctx.connections.remove(&self.uid);
        self.visit.trail.note_refusal(&inputs.credential_digest, &cause, &shown);
        self.visit.attempts.settled(LastProbe::Refused { at, credential: inputs.credential_digest.clone() });
        self.visit.finding = Some(Finding::BadCredential(cause, inputs.credential.clone()));
    }

    pub(super) async fn refused(&mut self, mut cause: Cause, inputs: &Inputs) -> Result<Step, ReconcileError> {
        self.ctx.connections.remove(&self.uid);
        if cause.reason != Reason::CredentialRefused {
            let step = self.settle(LastProbe::Verdict { at: self.now }, Finding::Refused(cause));
            return Ok(Step { again: Some(self.object.spec.effective_interval()), ..step });
        }
        cause.message.push_str(TRIED_AGAIN);
        self.ctx.refusals.note(&inputs.credential_digest, self.now, self.now);
        self.visit.trail.note_refusal(&inputs.credential_digest, &cause, &self.shown());
        let last = LastProbe::Refused { at: self.now, credential: inputs.credential_digest.clone() };
        let step = self.settle(last, Finding::BadCredential(cause, inputs.credential.clone()));
        // Kept here first: a store that cannot write is no reason to try the token again.
        self.ctx.integration_visits.put(&self.uid, self.visit.clone());
        self.record_refusal(self.now, inputs).await?;
        Ok(Step { again: Some(schedule::REFUSED_PROBE), ..step })
    }
}

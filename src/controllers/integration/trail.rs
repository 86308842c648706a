//! What the audit trail is told of an integration: once, and only what its status tells too.

use super::inputs::Inputs;
use crate::api::{AdoIntegration, AdoIntegrationStatus, ConditionType, CredentialStatus, FIELD_MANAGER, Reason};
use crate::controllers::context::Context;
use crate::controllers::error::ReconcileError;
use crate::controllers::report;
use crate::domain::conditions;
use crate::domain::verdict::Cause;
use crate::store::AuditAction;

/// What was told in this process, and what is to be told next.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The credential that was accepted last.
    accepted: Option<String>,
    /// The credential whose refusal was told last.
    refused: Option<String>,
    /// It was disconnected, and no credential was accepted since.
    disconnected: bool,
    /// The object's end was told.
    ended: bool,
    untold: Option<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    actor: String,
    action: AuditAction,
    detail: String,
}

impl Trail {
    /// A credential was accepted: the integration is connected, or goes on with another credential.
    pub fn note_acceptance(&mut self, object: &AdoIntegration, shown: &AdoIntegrationStatus, inputs: &Inputs) {
        let before = self.accepted.replace(inputs.credential_digest.clone());
        self.refused = None;
        let detail = format!("Secret {}", inputs.credential.secret_name);
        let was_disconnected = std::mem::take(&mut self.disconnected);
        let Some(known) = connected(shown).filter(|_| !was_disconnected) else {
            return self.note(report::author(object), AuditAction::Connected, detail);
        };
        let is_same = before.map_or(*known == inputs.credential, |digest| digest == inputs.credential_digest);
        if !is_same {
            self.note(inputs.secret_author.clone(), AuditAction::CredentialChanged, detail);
        } else if is_shown(shown, Reason::CredentialRefused) {
            self.note(FIELD_MANAGER.to_owned(), AuditAction::Connected, format!("{detail} is accepted again"));
        }
    }

    /// A credential was refused. A refusal that the status shows already, of a credential that nothing is known of, was told
    /// by an earlier process.
    pub fn note_refusal(&mut self, digest: &str, cause: &Cause, shown: &AdoIntegrationStatus) {
        let before = self.refused.replace(digest.to_owned());
        let was_told = is_shown(shown, cause.reason) && before.is_none_or(|before| before == digest);
        if !was_told {
            self.note(FIELD_MANAGER.to_owned(), AuditAction::CredentialRefused, cause.message.clone());
        }
    }

    /// The spec asks for no connection. An object that never had one, or was disconnected before, has nothing to tell.
    pub fn note_disconnect(&mut self, object: &AdoIntegration, shown: &AdoIntegrationStatus) {
        self.accepted = None;
        self.disconnected = true;
        let had_verdict = shown.observed_generation.is_some_and(|generation| generation > 0);
        if had_verdict && !is_shown(shown, Reason::Disconnected) {
            let detail = "spec.state is Inactive".to_owned();
            self.note(report::author(object), AuditAction::Disconnected, detail);
        }
    }

    /// A connected integration is being deleted. Who did it stands in the apiserver's own audit log.
    pub fn note_end(&mut self, shown: &AdoIntegrationStatus) {
        if !self.ended && connected(shown).is_some() {
            self.note("unknown".to_owned(), AuditAction::Disconnected, "deleted".to_owned());
        }
        self.ended = true;
    }

    fn note(&mut self, actor: String, action: AuditAction, detail: String) {
        self.untold = Some(Entry { actor, action, detail });
    }

    /// Tells what is to be told.
    pub async fn tell(&mut self, ctx: &Context, object: &AdoIntegration) -> Result<(), ReconcileError> {
        if let Some(Entry { actor, action, detail }) = &self.untold {
            report::audit(ctx, object, actor, *action, detail).await?;
            self.untold = None;
        }
        Ok(())
    }
}

/// The credential, if any was ever accepted and the integration is not disconnected: a refused one has no identity beside it.
fn connected(shown: &AdoIntegrationStatus) -> Option<&CredentialStatus> {
    shown.credential.as_ref().filter(|_| shown.identity.is_some())
}

fn is_shown(shown: &AdoIntegrationStatus, reason: Reason) -> bool {
    conditions::find(&shown.conditions, ConditionType::Ready).is_some_and(|ready| ready.reason == reason.as_str())
}

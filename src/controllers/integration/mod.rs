//! The reconcile of an integration: the frame. Inputs and validation stand in the files beside; what a finding means is
//! decided in `domain`.

mod inputs;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::finalizer::{Event, finalizer};
use kube::{Api, ResourceExt};

use self::inputs::{Fault, Inputs};
use self::validate::{Outcome, validate};
use super::absence::{Absence, NOTICE_AFTER, Patience};
use super::causes::Meaning;
use super::context::Context;
use super::error::ReconcileError;
use super::{namespaces, report, status};
use crate::api::{
    AdoIntegration, AdoIntegrationStatus, ConditionType, DesiredState, FIELD_MANAGER, INTEGRATION_FINALIZER,
    REQUESTED_AT, Reason,
};
use crate::domain::attempts::{Attempts, Failure, Throttle};
use crate::domain::conditions;
use crate::domain::integration::{Finding, Subject, lacks_answer, verdict};
use crate::domain::schedule::{self, Due, LastProbe, Question, due};
use crate::domain::verdict::{Cause, after, elapsed};
use crate::store::{AuditAction, ObjectUid};

/// Number of project configs is shown at most so often; conditions are shown at once.
const COUNT_INTERVAL: Duration = Duration::from_mins(1);

/// Deletion lets go after so long, whatever still refers to the integration.
const DELETION_DEADLINE: Duration = Duration::from_mins(5);

/// What earlier looks left behind in this process.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    attempts: Attempts,
    /// Generation and credential that were probed last.
    probed: Option<(i64, String)>,
    /// The credential that was accepted last.
    accepted: Option<String>,
    /// What the audit trail is told as soon as the status tells it.
    untold: Option<Untold>,
    finding: Option<Finding>,
    absence: Option<Absence>,
    counted_at: Option<Timestamp>,
}

/// An entry for the audit trail.
#[derive(Clone, Debug)]
struct Untold {
    actor: String,
    action: AuditAction,
    detail: String,
}

/// Brings one integration one step on. It starts from the beginning every time and never asks why it was called.
pub async fn reconcile(object: Arc<AdoIntegration>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    let api = ctx.api::<AdoIntegration>(&object.namespace().unwrap_or_default());
    finalizer(&api, INTEGRATION_FINALIZER, object, |event| async {
        match event {
            Event::Apply(object) => apply(object, &ctx, &api).await,
            Event::Cleanup(object) => cleanup(object, &ctx, &api).await,
        }
    })
    .await
    .map_err(|error| ReconcileError::Finalizer(Box::new(error)))
}

/// What a look came to.
struct Step {
    /// None leaves what is shown.
    finding: Option<Finding>,
    /// A requested run is over, well or badly.
    ended: bool,
    /// When to look again; None waits for a change.
    again: Option<Duration>,
}

impl Step {
    fn ended(finding: Finding) -> Self {
        Self { finding: Some(finding), ended: true, again: None }
    }
}

/// One look at one object.
struct Run<'a> {
    object: Arc<AdoIntegration>,
    ctx: &'a Context,
    api: &'a Api<AdoIntegration>,
    uid: String,
    visit: Visit,
    now: Timestamp,
}

async fn apply(
    object: Arc<AdoIntegration>,
    ctx: &Context,
    api: &Api<AdoIntegration>,
) -> Result<Action, ReconcileError> {
    let uid = object.uid().unwrap_or_default();
    let visit = ctx.integration_visits.get(&uid);
    let mut run = Run { object, ctx, api, uid, visit, now: ctx.clock.now() };
    let step = match run.object.spec.desired_state() {
        DesiredState::Inactive => run.disconnect(),
        DesiredState::Active => run.connect().await?,
    };
    run.finish(step).await
}

async fn cleanup(
    object: Arc<AdoIntegration>,
    ctx: &Context,
    api: &Api<AdoIntegration>,
) -> Result<Action, ReconcileError> {
    let uid = object.uid().unwrap_or_default();
    let now = ctx.clock.now();
    let configs = namespaces::allowed_configs(&object, ctx).await?.len();
    let since = object.metadata.deletion_timestamp.as_ref().map_or(Duration::ZERO, |time| elapsed(time.0, now));
    if configs > 0 && since < DELETION_DEADLINE {
        let mut run = Run { object, ctx, api, uid: uid.clone(), visit: ctx.integration_visits.get(&uid), now };
        run.show(&Finding::Deleting { configs }, false).await?;
        return Err(ReconcileError::StillReferred(configs));
    }
    if configs > 0 {
        let text = format!("Deleted although {configs} project configs still refer to it: five minutes are over.");
        report::warn(ctx, &*object, Reason::Deleting, text).await;
    }
    ctx.connections.remove(&uid);
    ctx.integration_visits.forget(&uid);
    ctx.store.forget_object(&ObjectUid::from(uid)).await?;
    Ok(Action::await_change())
}

impl Run<'_> {
    fn shown(&self) -> AdoIntegrationStatus {
        self.object.status.clone().unwrap_or_default()
    }

    fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or_default()
    }

    /// A value of the annotation that no run has ended for.
    fn requested(&self) -> Option<&String> {
        let asked = self.object.annotations().get(REQUESTED_AT)?;
        let handled = self.object.status.as_ref().and_then(|status| status.last_handled_requested_at.as_ref());
        (handled != Some(asked)).then_some(asked)
    }

    fn disconnect(&mut self) -> Step {
        self.ctx.connections.remove(&self.uid);
        self.visit = self.forgotten();
        Step::ended(Finding::Disconnected)
    }

    async fn connect(&mut self) -> Result<Step, ReconcileError> {
        let inputs = match inputs::read(&self.object, self.ctx).await? {
            Ok(inputs) => inputs,
            Err(fault) => return Ok(self.faulty(fault)),
        };
        self.visit.absence = None;
        self.remember_refusal(&inputs).await?;
        let key = (self.generation(), inputs.credential_digest.clone());
        let question = Question {
            changed: self.visit.probed.as_ref() != Some(&key),
            credential: &inputs.credential_digest,
            requested: self.requested().is_some(),
            interval: self.interval(),
            spread: spread(&self.uid),
        };
        match due(&self.visit.attempts.last, question, self.now) {
            Due::At(moment) => Ok(Step {
                finding: self.visit.finding.clone(),
                ended: false,
                again: Some(schedule::until(moment, self.now)),
            }),
            Due::Now => self.probe(inputs, key).await,
        }
    }

    /// Time from the last validation to the next.
    fn interval(&self) -> Duration {
        let spec = &self.object.spec;
        let soon = self.visit.finding.as_ref().is_some_and(|finding| lacks_answer(spec, finding));
        spec.effective_interval().min(if soon { schedule::UNKNOWN_PROBE } else { Duration::MAX })
    }

    /// Something that the spec names is absent or unusable, so nothing is sent.
    fn faulty(&mut self, fault: Fault) -> Step {
        let cause = match fault {
            Fault::Refused(cause) => {
                self.visit = self.forgotten();
                self.ctx.connections.remove(&self.uid);
                return Step::ended(Finding::Refused(cause));
            }
            Fault::Absent(cause) => cause,
        };
        match Absence::look(&mut self.visit.absence, self.now) {
            Patience::Quiet(left) => Step { finding: None, ended: false, again: Some(left) },
            Patience::Waiting(first_seen, left) => {
                Step { finding: Some(Finding::Absent { cause, first_seen }), ended: false, again: Some(left) }
            }
            Patience::Over(first_seen) => {
                self.ctx.connections.remove(&self.uid);
                self.visit = Visit { absence: self.visit.absence, ..self.forgotten() };
                Step::ended(Finding::Absent { cause, first_seen })
            }
        }
    }

    /// A visit that remembers no probe.
    fn forgotten(&self) -> Visit {
        Visit { counted_at: self.visit.counted_at, ..Visit::default() }
    }

    /// A refusal outlives a restart: the store knows it, and the token is left alone.
    async fn remember_refusal(&mut self, inputs: &Inputs) -> Result<(), ReconcileError> {
        if self.visit.attempts.last != LastProbe::None {
            return Ok(());
        }
        let stored = self.ctx.store.last_refusal(&ObjectUid::from(self.uid.clone())).await?;
        if let Some(refusal) = stored.filter(|refusal| refusal.credential_version == inputs.credential_version)
            && let Ok(at) = Timestamp::from_millisecond(refusal.refused_at)
        {
            let shown = self.shown();
            let told = conditions::find(&shown.conditions, ConditionType::Ready)
                .filter(|ready| ready.reason == Reason::CredentialRefused.as_str());
            let message =
                told.map_or("Azure DevOps refused the token; put a valid one into the Secret.", |c| &c.message);
            let message = message.to_owned();
            self.visit.attempts.last = LastProbe::Refused { at, credential: inputs.credential_digest.clone() };
            self.visit.finding = Some(Finding::Refused(Cause::new(Reason::CredentialRefused, message)));
        }
        Ok(())
    }

    async fn probe(&mut self, inputs: Inputs, key: (i64, String)) -> Result<Step, ReconcileError> {
        let ctx = self.ctx;
        let object = Arc::clone(&self.object);
        let configs = namespaces::allowed_configs(&object, ctx).await?;
        let validation = validate(&object, &configs, &inputs, ctx);
        tokio::pin!(validation);
        let outcome = if let Ok(outcome) = tokio::time::timeout(NOTICE_AFTER, &mut validation).await {
            outcome?
        } else {
            self.notice().await?;
            validation.await?
        };
        self.now = ctx.clock.now();
        let step = match outcome {
            Outcome::Validated(validation, connection) => {
                self.note_connection(&inputs);
                ctx.store.clear_refusal(&ObjectUid::from(self.uid.clone())).await?;
                ctx.connections.put(&self.uid, connection);
                self.settle(LastProbe::Verdict { at: self.now }, Finding::Validated(validation))
            }
            Outcome::Answered(Meaning::Refused(cause)) => self.refused(cause, &inputs).await?,
            Outcome::Answered(Meaning::NoVerdict(cause)) => self.failed(cause),
            Outcome::Answered(Meaning::Throttled(cause, pause)) => self.throttled(cause, pause),
        };
        self.visit.probed = Some(key);
        Ok(step)
    }

    /// Shows that a verdict is being worked on, where there is none on this spec.
    async fn notice(&mut self) -> Result<(), ReconcileError> {
        if self.shown().observed_generation == Some(self.generation()) {
            return Ok(());
        }
        let cause = Cause::new(Reason::Validating, "Checks the credential and the permissions in Azure DevOps.");
        match self.show(&Finding::Pending(cause), false).await {
            Err(error) if !error.is_conflict() => Err(error),
            // Somebody edited the object meanwhile: the validation under way is not worth less for that.
            _ => Ok(()),
        }
    }

    /// A verdict was had.
    fn settle(&mut self, last: LastProbe, finding: Finding) -> Step {
        self.visit.attempts.settled(last);
        self.visit.finding = Some(finding.clone());
        Step { finding: Some(finding), ended: true, again: Some(self.interval()) }
    }

    async fn refused(&mut self, cause: Cause, inputs: &Inputs) -> Result<Step, ReconcileError> {
        self.ctx.connections.remove(&self.uid);
        let last = if cause.reason == Reason::CredentialRefused {
            let uid = ObjectUid::from(self.uid.clone());
            let at = self.now.as_millisecond();
            self.ctx.store.record_refusal(&uid, &inputs.credential_version, at).await?;
            if !self.is_shown(&cause) {
                self.tell(FIELD_MANAGER.to_owned(), AuditAction::CredentialRefused, cause.message.clone());
            }
            LastProbe::Refused { at: self.now, credential: inputs.credential_digest.clone() }
        } else {
            LastProbe::Verdict { at: self.now }
        };
        let again = match last {
            LastProbe::Refused { .. } => schedule::REFUSED_PROBE,
            _ => self.object.spec.effective_interval(),
        };
        let step = self.settle(last, Finding::Refused(cause));
        Ok(Step { again: Some(again), ..step })
    }

    fn is_shown(&self, cause: &Cause) -> bool {
        let shown = self.shown();
        conditions::find(&shown.conditions, ConditionType::Ready).is_some_and(|c| c.reason == cause.reason.as_str())
    }

    fn failed(&mut self, cause: Cause) -> Step {
        let Failure { tries, first, pause } = self.visit.attempts.failed(self.now);
        let finding = Finding::NoVerdict { cause, tries, first };
        self.visit.finding = Some(finding.clone());
        Step { finding: Some(finding), ended: true, again: Some(pause) }
    }

    fn throttled(&mut self, cause: Cause, pause: Duration) -> Step {
        let interval = self.object.spec.effective_interval();
        let Throttle { until, interval_missed } = self.visit.attempts.throttled(self.now, pause, interval);
        let known = self.shown().observed_generation == Some(self.generation());
        self.visit.finding = match (interval_missed, known) {
            (true, _) => Some(Finding::Throttled(cause)),
            (false, true) => None,
            (false, false) => Some(Finding::Pending(cause)),
        };
        Step { finding: self.visit.finding.clone(), ended: false, again: Some(schedule::until(until, self.now)) }
    }

    /// Notes for the audit trail whether the integration was connected, or goes on with another credential.
    fn note_connection(&mut self, inputs: &Inputs) {
        let shown = self.shown();
        let before = self.visit.accepted.replace(inputs.credential_digest.clone());
        let connected = conditions::is_true(&shown.conditions, ConditionType::CredentialValid);
        let same = match before {
            Some(digest) => digest == inputs.credential_digest,
            None => shown.credential.as_ref() == Some(&inputs.credential),
        };
        let detail = format!("Secret {}", inputs.credential.secret_name);
        if !connected {
            self.tell(report::author(&*self.object), AuditAction::Connected, detail);
        } else if !same {
            self.tell(inputs.secret_author.clone(), AuditAction::CredentialChanged, detail);
        }
    }

    fn tell(&mut self, actor: String, action: AuditAction, detail: String) {
        self.visit.untold = Some(Untold { actor, action, detail });
    }

    /// The one way out of every look. What the look learnt is kept before anything is written, so that a write that fails
    /// is repeated without the work that led to it; the audit trail hears only what the status tells.
    async fn finish(mut self, step: Step) -> Result<Action, ReconcileError> {
        if matches!(step.finding, Some(Finding::Disconnected)) && !self.is_disconnected() {
            let actor = report::author(&*self.object);
            self.tell(actor, AuditAction::Disconnected, "spec.state is Inactive".to_owned());
        }
        self.ctx.integration_visits.put(&self.uid, self.visit.clone());
        let mut again = step.again;
        if let Some(finding) = &step.finding {
            again = shortest(again, self.show(finding, step.ended).await?);
            if let Some(Untold { actor, action, detail }) = self.visit.untold.take() {
                report::audit(self.ctx, &*self.object, &actor, action, &detail).await?;
            }
        }
        self.ctx.integration_visits.put(&self.uid, self.visit);
        Ok(again.map_or_else(Action::await_change, Action::requeue))
    }

    fn is_disconnected(&self) -> bool {
        let shown = self.shown();
        conditions::find(&shown.conditions, ConditionType::Ready)
            .is_some_and(|ready| ready.reason == Reason::Disconnected.as_str())
    }

    /// Writes the verdict if it differs from what is shown; says when a number that was held back may be shown.
    async fn show(&mut self, finding: &Finding, ended: bool) -> Result<Option<Duration>, ReconcileError> {
        let shown = self.shown();
        let configs = namespaces::allowed_configs(&self.object, self.ctx).await?.len();
        let subject = Subject {
            spec: &self.object.spec,
            generation: self.generation(),
            status: &shown,
            project_configs: i64::try_from(configs).unwrap_or(i64::MAX),
        };
        let mut wanted = verdict(&subject, finding, self.now);
        if ended && let Some(value) = self.requested() {
            wanted.last_handled_requested_at = Some(value.clone());
        }
        let held = self.hold_count(&shown, &mut wanted);
        if wanted == shown {
            return Ok(held);
        }
        self.visit.counted_at = Some(self.now);
        let written = status::apply(self.api, &*self.object, &wanted).await?;
        report::transition(self.ctx, &written, &shown.conditions, &wanted.conditions).await;
        self.object = Arc::new(written);
        Ok(held)
    }

    /// A new number alone is no reason to write more often than [`COUNT_INTERVAL`].
    fn hold_count(&self, shown: &AdoIntegrationStatus, wanted: &mut AdoIntegrationStatus) -> Option<Duration> {
        let due = after(self.visit.counted_at?, COUNT_INTERVAL);
        let only_count = AdoIntegrationStatus { project_configs: shown.project_configs, ..wanted.clone() } == *shown;
        if wanted.project_configs == shown.project_configs || !only_count || due <= self.now {
            return None;
        }
        wanted.project_configs = shown.project_configs;
        Some(schedule::until(due, self.now))
    }
}

/// The sooner of two.
fn shortest(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    left.into_iter().chain(right).min()
}

/// A number from 0 to 1 that stays the same for an object: the first digits of its uid, which is random.
fn spread(uid: &str) -> f64 {
    let digits = u32::from_str_radix(uid.get(..8).unwrap_or_default(), 16).unwrap_or_default();
    f64::from(digits) / f64::from(u32::MAX)
}

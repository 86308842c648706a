//! The reconcile of an integration: the frame. Inputs, validation and refused credentials stand in the files beside; what a
//! finding means is decided in `domain`.

mod inputs;
mod refused;
mod trail;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::finalizer::{Event, finalizer};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use self::inputs::{Fault, Inputs};
use self::trail::Trail;
use self::validate::{Outcome, validate};
use super::absence::{Absence, NOTICE_AFTER, Patience};
use super::causes::{Meaning, own_fault, sentence};
use super::context::{Context, asks_the_same};
use super::error::ReconcileError;
use super::refusals::Turn;
use super::visits::spread;
use super::{namespaces, report, status, triggers};
use crate::ado::{Caller, Place, Priority};
use crate::api::{AdoIntegration, AdoIntegrationStatus, DesiredState, INTEGRATION_FINALIZER, Reason};
use crate::domain::attempts::{Attempts, Failure, PutOff, Throttle};
use crate::domain::integration::{Finding, Subject, lacks_answer, verdict};
use crate::domain::schedule::{self, Due, LastProbe, Question, due};
use crate::domain::verdict::{Cause, after, elapsed};
use crate::store::ObjectUid;

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
    /// What the audit trail was told, and is to be told.
    trail: Trail,
    finding: Option<Finding>,
    absence: Option<Absence>,
    counted_at: Option<Timestamp>,
}

impl Visit {
    /// Whether the last look had no verdict, so that what fails elsewhere may fail for the same reason.
    pub fn is_failing(&self) -> bool {
        matches!(self.attempts.last, LastProbe::Failed { .. })
    }
}

/// Brings one integration one step on. It starts from the beginning every time and never asks why it was called.
pub async fn reconcile(object: Arc<AdoIntegration>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    let api = ctx.api::<AdoIntegration>(&object.namespace().unwrap_or_default());
    let look = finalizer(&api, INTEGRATION_FINALIZER, Arc::clone(&object), |event| async {
        match event {
            Event::Apply(object) => apply(object, &ctx, &api).await,
            Event::Cleanup(object) => cleanup(object, &ctx, &api).await,
        }
    });
    let result = look.await.map_err(|error| ReconcileError::Finalizer(Box::new(error)));
    if let Err(error) = &result
        && object.metadata.deletion_timestamp.is_none()
        && let Some(cause) = own_fault(error)
    {
        // What stands in the way of the look may stand in the way of this too; then the log alone tells.
        let _ = explain(object, cause, &ctx, &api).await;
    }
    result
}

/// Shows what kept the operator from its work, once it has for a while, as it shows that Azure DevOps gives no verdict.
async fn explain(
    object: Arc<AdoIntegration>,
    cause: Cause,
    ctx: &Context,
    api: &Api<AdoIntegration>,
) -> Result<(), ReconcileError> {
    let mut run = Run::new(object, ctx, api);
    let Step { finding, .. } = run.failed(cause);
    ctx.integration_visits.put(&run.uid, run.visit.clone());
    if let Some(finding) = finding {
        run.show(&finding, false).await?;
    }
    Ok(())
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
    let mut run = Run::new(object, ctx, api);
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
    let mut run = Run::new(object, ctx, api);
    let since = run.object.metadata.deletion_timestamp.as_ref().map_or(Duration::ZERO, |at| elapsed(at.0, run.now));
    let left = DELETION_DEADLINE.saturating_sub(since);
    match run.part(left).await {
        Err(error) if left.is_zero() => {
            let text = format!("Deleted although the operator could not do its part: {}", sentence(error.of_look()));
            report::warn(ctx, &*run.object, Reason::Deleting, text).await;
        }
        Err(error) if own_fault(&error).is_some() => {
            // It waits for us and nobody else; what stands in the way of saying so is told by the log alone.
            let hindrance = Some(sentence(error.of_look()));
            let _ = run.show(&Finding::Deleting { configs: 0, hindrance }, false).await;
            return Err(error);
        }
        outcome => outcome?,
    }
    ctx.connections.remove(&run.uid);
    // What else this process keeps is forgotten when the object has gone.
    ctx.integration_visits.put(&run.uid, run.visit);
    Ok(Action::await_change())
}

impl<'a> Run<'a> {
    fn new(object: Arc<AdoIntegration>, ctx: &'a Context, api: &'a Api<AdoIntegration>) -> Self {
        let uid = object.uid().unwrap_or_default();
        let visit = ctx.integration_visits.get(&uid);
        Self { object, ctx, api, uid, visit, now: ctx.clock.now() }
    }

    /// Takes leave of an object that is being deleted, once nothing refers to it any more or its time is over.
    async fn part(&mut self, left: Duration) -> Result<(), ReconcileError> {
        let configs = namespaces::allowed_configs(&self.object, self.ctx).await?.len();
        if configs > 0 && !left.is_zero() {
            self.show(&Finding::Deleting { configs, hindrance: None }, false).await?;
            return Err(ReconcileError::StillReferred { configs, left });
        }
        if configs > 0 {
            let text = format!("Deleted although {configs} project configs still refer to it: five minutes are over.");
            report::warn(self.ctx, &*self.object, Reason::Deleting, text).await;
        }
        self.visit.trail.note_end(&self.shown());
        self.visit.trail.tell(self.ctx, &self.object).await?;
        Ok(self.ctx.store.forget_object(&ObjectUid::from(self.uid.clone())).await?)
    }

    fn shown(&self) -> AdoIntegrationStatus {
        self.object.status.clone().unwrap_or_default()
    }

    fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or_default()
    }

    /// Whether what is shown is about the spec as it is.
    fn is_judged(&self) -> bool {
        self.object.status.as_ref().and_then(|status| status.observed_generation) == Some(self.generation())
    }

    /// A value of the annotation that no run has ended for.
    fn requested(&self) -> Option<&String> {
        let handled = self.object.status.as_ref().and_then(|status| status.last_handled_requested_at.as_ref());
        report::requested(&*self.object, handled)
    }

    fn disconnect(&mut self) -> Step {
        self.ctx.connections.remove(&self.uid);
        self.visit = self.forgotten();
        self.visit.trail.note_disconnect(&self.object, &self.shown());
        Step::ended(Finding::Disconnected)
    }

    async fn connect(&mut self) -> Result<Step, ReconcileError> {
        let inputs = match inputs::read(&self.object, self.ctx).await? {
            Ok(inputs) => inputs,
            Err(fault) => return Ok(self.faulty(fault)),
        };
        self.visit.absence = None;
        self.remember_refusal(&inputs).await?;
        self.learn_refusal(&inputs).await?;
        let key = (self.generation(), inputs.credential_digest.clone());
        let question = Question {
            changed: self.visit.probed.as_ref() != Some(&key) || self.is_cut_off(),
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

    /// It was validated, and somebody has put its connection out of force since.
    fn is_cut_off(&self) -> bool {
        matches!(self.visit.finding, Some(Finding::Validated(_))) && self.ctx.connections.get(&self.uid).is_none()
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
            Fault::Refused(cause) => return self.unusable(Finding::Refused(cause)),
            Fault::BadToken(cause, credential) => return self.unusable(Finding::BadCredential(cause, credential)),
            Fault::NoVerdict(cause) => return self.failed(cause),
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

    /// Nothing can be sent until somebody changes something.
    fn unusable(&mut self, finding: Finding) -> Step {
        self.visit = self.forgotten();
        self.ctx.connections.remove(&self.uid);
        Step::ended(finding)
    }

    /// A visit that remembers no probe.
    fn forgotten(&self) -> Visit {
        Visit { counted_at: self.visit.counted_at, trail: self.visit.trail.clone(), ..Visit::default() }
    }

    async fn probe(&mut self, inputs: Inputs, key: (i64, String)) -> Result<Step, ReconcileError> {
        let ctx = self.ctx;
        let Some(_admission) = self.admit(&inputs) else { return Ok(self.busy()) };
        let object = Arc::clone(&self.object);
        let configs = namespaces::allowed_configs(&object, ctx).await?;
        let validation = validate(&object, &configs, &inputs, ctx);
        tokio::pin!(validation);
        let outcome = loop {
            match tokio::time::timeout(NOTICE_AFTER, &mut validation).await {
                Ok(outcome) => break outcome?,
                Err(_) => self.notice().await,
            }
        };
        self.now = ctx.clock.now();
        self.visit.probed = Some(key);
        let step = match outcome {
            Outcome::Validated(validation, connection) => {
                self.visit.trail.note_acceptance(&self.object, &self.shown(), &inputs);
                if ctx.refusals.forget(&inputs.credential_digest) {
                    triggers::wake_all(ctx);
                }
                if ctx.connections.put(&self.uid, connection) {
                    triggers::wake_configs_of(ctx, &self.object);
                }
                self.settle(LastProbe::Verdict { at: self.now }, Finding::Validated(validation))
            }
            Outcome::Answered(Meaning::Refused(cause)) => self.refused(cause, &inputs).await?,
            Outcome::Answered(Meaning::NoVerdict(cause)) => self.failed(cause),
            Outcome::Answered(Meaning::Throttled(cause, pause)) => self.throttled(cause, pause),
        };
        Ok(step)
    }

    /// A place among the few of the identity; and of a credential that was refused, the turn to try it.
    fn admit(&self, inputs: &Inputs) -> Option<(Place, Option<Turn<'a>>)> {
        let (wake, key) = (Arc::clone(&self.ctx.wake), ObjectRef::from_obj(&*self.object));
        let caller = Caller::new(&self.uid, move || wake.integration(key));
        let place = inputs.client.budget().enter(Priority::User, caller)?;
        if self.refused_at(inputs).is_none() {
            return Some((place, None));
        }
        let turn = self.ctx.refusals.turn(&inputs.credential_digest)?;
        Some((place, Some(turn)))
    }

    /// Others with the same identity are under way, as many as may be at a time. Meanwhile nothing is claimed of this spec.
    fn busy(&mut self) -> Step {
        let PutOff { pause, is_long } = self.visit.attempts.busy(self.now);
        let waiting = (is_long && !self.is_judged()).then(|| {
            let message = "Waits until other objects with the same identity in Azure DevOps are done.";
            Finding::Pending(Cause::new(Reason::Validating, message))
        });
        Step { finding: waiting, ended: false, again: Some(pause) }
    }

    /// Shows that a verdict is being worked on, where there is none on this spec and that is not shown so far.
    async fn notice(&mut self) {
        if self.is_judged() {
            return;
        }
        let cause = Cause::new(Reason::Validating, "Checks the credential and the permissions in Azure DevOps.");
        // Whatever stands in the way of this, the validation under way is not worth less for it.
        if let Err(error) = self.show(&Finding::Pending(cause), false).await {
            tracing::debug!(%error, "a validation could not be announced");
            self.catch_up();
        }
    }

    /// Somebody else may have written the object. If it still asks for the same, what he left of it is what may be written to.
    fn catch_up(&mut self) {
        let seen = self.ctx.integration(&self.object.namespace().unwrap_or_default(), &self.object.name_any());
        if let Some(seen) = seen.filter(|seen| asks_the_same(&**seen, &*self.object)) {
            self.object = seen;
        }
    }

    /// A verdict was had.
    fn settle(&mut self, last: LastProbe, finding: Finding) -> Step {
        self.visit.attempts.settled(last);
        self.visit.finding = Some(finding.clone());
        Step { finding: Some(finding), ended: true, again: Some(self.interval()) }
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
        let known = self.is_judged();
        self.visit.finding = match (interval_missed, known) {
            (true, _) => Some(Finding::Throttled(cause)),
            (false, true) => None,
            (false, false) => Some(Finding::Pending(cause)),
        };
        Step { finding: self.visit.finding.clone(), ended: false, again: Some(schedule::until(until, self.now)) }
    }

    /// The one way out of every look. What the look learnt is kept before anything is written, so that a write that fails
    /// is repeated without the work that led to it; the audit trail hears only what the status tells.
    async fn finish(mut self, step: Step) -> Result<Action, ReconcileError> {
        self.ctx.integration_visits.put(&self.uid, self.visit.clone());
        let mut again = step.again;
        if let Some(finding) = &step.finding {
            again = shortest(again, self.show(finding, step.ended).await?);
            self.visit.trail.tell(self.ctx, &self.object).await?;
        }
        self.ctx.integration_visits.put(&self.uid, self.visit);
        Ok(again.map_or_else(Action::await_change, Action::requeue))
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
        let written = status::apply(self.ctx, self.api, &*self.object, &wanted).await?;
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

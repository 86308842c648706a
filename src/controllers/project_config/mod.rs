//! The reconcile of a project config: first its integration, then its own names, then the sync. The run itself, its times,
//! what is told of it, and configs that are only saved stand in the files beside; what a finding means is decided in `domain`.

mod features;
mod policy;
mod pull;
mod saved;
mod telling;
mod timing;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tokio::time::Instant;

use self::pull::{integration_changed, resolved};
use super::absence::{Absence, NOTICE_AFTER, Patience};
use super::causes::{Meaning, meaning, meaning_in_project, own_fault};
use super::connections::Connection;
use super::context::Context;
use super::error::ReconcileError;
use super::{namespaces, report};
use crate::ado::{AdoError, Caller, Place, Priority};
use crate::api::{
    AdoIntegration, AdoProjectConfig, AdoProjectConfigStatus, ConditionType, CredentialStatus, DesiredConfigState,
    DesiredState, IntegrationState, Reason,
};
use crate::domain::attempts::{Attempts, Failure, PutOff, Throttle};
use crate::domain::conditions;
use crate::domain::project_config::{Finding, Synced};
use crate::domain::projects::ProjectFilter;
use crate::domain::references::Pinned;
use crate::domain::schedule::{self, Due, LastProbe, Question, due};
use crate::domain::verdict::{Cause, after};
use crate::store::{ObjectUid, StoreError};
use crate::sync::SyncError;
use crate::sync::look::Ages;
use crate::sync::reads::Wish;

/// A bad verdict is put in question so often, since what is missing may have been added in Azure DevOps.
const RECHECK_INTERVAL: Duration = Duration::from_mins(10);

/// An integration that is absent, or does not allow the namespace, is looked for so often besides being watched.
const ABSENCE_RECHECK: Duration = Duration::from_mins(1);

/// A config whose integration is being connected in this process is woken when it is; this is for the case that it never is.
const CONNECTION_PAUSE: Duration = Duration::from_mins(1);

/// Pause after a read that may not go on. What withdrew it has already asked for another look.
const WITHDRAWN_PAUSE: Duration = Duration::from_secs(2);

/// What a verdict rests on besides Azure DevOps itself.
#[derive(Clone, Debug, PartialEq)]
struct Basis {
    generation: i64,
    integration: Option<String>,
    integration_generation: Option<i64>,
    credential: Option<CredentialStatus>,
}

/// What earlier looks left behind in this process.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    attempts: Attempts,
    basis: Option<Basis>,
    finding: Option<Finding>,
    /// What was learnt of the project.
    known: Option<pull::Known>,
    /// What may be done in it.
    rights: Option<features::Rights>,
    /// Whether the store knows that its data go with the object; None if it was not told by this process.
    policy: Option<bool>,
    absence: Option<Absence>,
    /// Since when the integration has no verdict.
    unready: Option<Instant>,
    /// A sync that the audit trail is told of as soon as the status tells it.
    untold_sync: bool,
    /// When the status last told what follows from data.
    told_at: Option<Timestamp>,
    /// What follows from data and waits to be told.
    held: Option<telling::Held>,
}

/// Brings one project config one step on.
pub async fn reconcile(object: Arc<AdoProjectConfig>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    let api = ctx.api::<AdoProjectConfig>(&object.namespace().unwrap_or_default());
    let result = look(Arc::clone(&object), &ctx, &api).await;
    if let Err(error) = &result
        && let Some(cause) = own_fault(error)
    {
        // What stands in the way of the look may stand in the way of this too; then the log alone tells.
        let _ = explain(object, cause, &ctx, &api).await;
    }
    result
}

async fn look(
    object: Arc<AdoProjectConfig>,
    ctx: &Context,
    api: &Api<AdoProjectConfig>,
) -> Result<Action, ReconcileError> {
    let mut run = Run::new(object, ctx, api);
    run.keep_policy().await?;
    if run.object.metadata.deletion_timestamp.is_some() {
        run.show(&Finding::Deleting, false).await?;
        return Ok(Action::await_change());
    }
    let step = run.look().await?;
    run.finish(step).await
}

/// Shows what kept the operator from its work, once it has for a while, as it shows that Azure DevOps gives no verdict.
async fn explain(
    object: Arc<AdoProjectConfig>,
    cause: Cause,
    ctx: &Context,
    api: &Api<AdoProjectConfig>,
) -> Result<(), ReconcileError> {
    let mut run = Run::new(object, ctx, api);
    let Step { finding, .. } = run.failed(cause, false);
    ctx.config_visits.put(&run.uid, run.visit.clone());
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
    object: Arc<AdoProjectConfig>,
    ctx: &'a Context,
    api: &'a Api<AdoProjectConfig>,
    uid: String,
    visit: Visit,
    now: Timestamp,
}

impl<'a> Run<'a> {
    fn new(object: Arc<AdoProjectConfig>, ctx: &'a Context, api: &'a Api<AdoProjectConfig>) -> Self {
        let uid = object.uid().unwrap_or_default();
        let visit = ctx.config_visits.get(&uid);
        Self { object, ctx, api, uid, visit, now: ctx.clock.now() }
    }

    /// What the object shows, together with what it will show as soon as that may be written.
    fn shown(&self) -> AdoProjectConfigStatus {
        let shown = self.object.status.clone().unwrap_or_default();
        match &self.visit.held {
            Some(held) => held.data.clone().put_into(shown),
            None => shown,
        }
    }

    fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or_default()
    }

    /// Whether what is shown is about the spec as it is.
    fn is_judged(&self) -> bool {
        self.object.status.as_ref().and_then(|status| status.observed_generation) == Some(self.generation())
    }

    fn requested(&self) -> Option<&String> {
        let handled = self.object.status.as_ref().and_then(|status| status.last_handled_requested_at.as_ref());
        report::requested(&*self.object, handled)
    }

    /// The integration's part, in the order of precedence of the table of states.
    async fn look(&mut self) -> Result<Step, ReconcileError> {
        match self.object.spec.desired_state() {
            DesiredConfigState::Archived => return Ok(Step::ended(Finding::Archived)),
            DesiredConfigState::Inactive => return self.saved().await,
            DesiredConfigState::Active => {}
        }
        let unready = self.visit.unready.take();
        let Some(integration) = self.integration().await? else { return Ok(self.integration_absent()) };
        if integration.spec.desired_state() == DesiredState::Inactive {
            return Ok(Step::ended(Finding::IntegrationInactive));
        }
        let status = integration.status.clone().unwrap_or_default();
        let deleting = integration.metadata.deletion_timestamp.is_some();
        let state = status.state.filter(|state| !deleting && *state != IntegrationState::Inactive);
        let Some(state) = state else { return Ok(self.integration_not_ready(unready, deleting)) };
        if state == IntegrationState::Error {
            let ready = conditions::find(&status.conditions, ConditionType::Ready);
            let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
            let stuck = conditions::is_true(&status.conditions, ConditionType::Stalled);
            return Ok(Step::ended(Finding::IntegrationError { message, stuck }));
        }
        match self.ctx.connections.get(&integration.uid().unwrap_or_default()) {
            Some(connection) => self.own(&integration, &connection).await,
            None => Ok(self.not_connected_yet(unready)),
        }
    }

    /// An integration that does not allow the namespace is an absent one in everything.
    async fn integration(&mut self) -> Result<Option<Arc<AdoIntegration>>, ReconcileError> {
        let (namespace, name) = self.object.integration();
        let Some(found) = self.ctx.integration(namespace, name) else { return Ok(None) };
        let own = self.object.namespace().unwrap_or_default();
        let allowed = namespaces::is_allowed(&found, &own, self.ctx).await?;
        if allowed {
            self.visit.absence = None;
        }
        Ok(allowed.then_some(found))
    }

    fn integration_absent(&mut self) -> Step {
        let (first_seen, ended, again) = match Absence::look(&mut self.visit.absence, self.now) {
            Patience::Quiet(left) => return Step { finding: None, ended: false, again: Some(left) },
            Patience::Waiting(first_seen, left) => (first_seen, false, left),
            // Labels of namespaces are not watched by an operator that serves named ones only, so it looks again by itself.
            Patience::Over(first_seen) => (first_seen, true, ABSENCE_RECHECK),
        };
        Step { finding: Some(Finding::IntegrationAbsent { first_seen }), ended, again: Some(again) }
    }

    /// The integration has no verdict so far. That is shown only if it takes long.
    fn integration_not_ready(&mut self, since: Option<Instant>, deleting: bool) -> Step {
        let noticed = *self.visit.unready.insert(since.unwrap_or_else(Instant::now));
        let quiet = NOTICE_AFTER.saturating_sub(noticed.elapsed());
        if quiet.is_zero() {
            Step { finding: Some(Finding::IntegrationNotReady { deleting }), ended: false, again: None }
        } else {
            Step { finding: None, ended: false, again: Some(quiet) }
        }
    }

    /// The integration is good, but this process has not connected it yet: a verdict that stands is left alone.
    fn not_connected_yet(&mut self, since: Option<Instant>) -> Step {
        let known = self.is_judged();
        let step = self.integration_not_ready(since, false);
        Step { finding: step.finding.filter(|_| !known), again: Some(CONNECTION_PAUSE), ..step }
    }

    async fn own(&mut self, integration: &AdoIntegration, connection: &Connection) -> Result<Step, ReconcileError> {
        let allowed = ProjectFilter::new(integration.spec.allowed_projects.as_deref());
        let shown = self.shown();
        let pinned = self.pinned().await?;
        if !pinned.permits_integration(&connection.key.to_string(), &resolved(integration), &shown) {
            return Ok(Step::ended(Finding::Refused(integration_changed())));
        }
        // By the name that was last seen; whether that is still the project's name is asked before it is refused.
        let permitted = shown.project.as_ref().is_none_or(|project| allowed.allows(&project.name, &project.id));
        let basis = self.basis(integration);
        // A store that knows no pin of an accepted config is new: it has none of the data either.
        if permitted
            && pinned.integration.is_some()
            && let Some(step) = self.still_good(&shown, &basis)
        {
            return Ok(step);
        }
        let question = Question {
            changed: self.visit.basis.as_ref() != Some(&basis),
            credential: "",
            requested: self.requested().is_some() || self.confirms(),
            interval: self.interval(),
            spread: 1.0,
        };
        match due(&self.visit.attempts.last, question, self.now) {
            Due::At(moment) => Ok(Step {
                finding: self.visit.finding.clone(),
                ended: false,
                again: Some(schedule::until(moment, self.now)),
            }),
            Due::Now => {
                let Some(_place) = self.enter(connection) else { return Ok(self.busy()) };
                let (wish, ages) = self.wish(question, &basis, pinned.integration.is_some());
                if question.changed || question.requested {
                    self.visit.rights = None;
                    if let Some(known) = &mut self.visit.known {
                        known.is_outdated = true;
                    }
                }
                let outcome = self.sync(integration, connection, &pinned, (wish, ages)).await?;
                // A run that may not go on says nothing about what it rested on.
                if !matches!(outcome, Err(SyncError::Withdrawn)) {
                    self.visit.basis = Some(basis);
                }
                self.judge(outcome, integration, connection).await
            }
        }
    }

    /// A place among the few of the identity.
    fn enter(&self, connection: &Connection) -> Option<Place> {
        let (wake, key) = (Arc::clone(&self.ctx.wake), ObjectRef::from_obj(&*self.object));
        let caller = Caller::new(&self.uid, move || wake.config(key));
        connection.client.budget().enter(Priority::Full, caller)
    }

    async fn pinned(&self) -> Result<Pinned, ReconcileError> {
        let pins = self.ctx.store.pins(&ObjectUid::from(self.uid.clone())).await?;
        Ok(Pinned {
            integration: pins.integration_uid,
            project: pins.project_id,
            project_spelling: pins.project_spelling,
        })
    }

    fn basis(&self, integration: &AdoIntegration) -> Basis {
        Basis {
            generation: self.generation(),
            integration: integration.uid(),
            integration_generation: integration.metadata.generation,
            credential: integration.status.as_ref().and_then(|status| status.credential.clone()),
        }
    }

    async fn sync(
        &mut self,
        integration: &AdoIntegration,
        connection: &Connection,
        pinned: &Pinned,
        (wish, ages): (Wish, Ages),
    ) -> Result<Result<Finding, SyncError>, ReconcileError> {
        let (object, ctx) = (Arc::clone(&self.object), self.ctx);
        let (earlier, synced) = (self.visit.known.take(), self.shown().sync.unwrap_or_default());
        // What was known before a look that fails is still what the next one compares with.
        self.visit.known = earlier.clone().map(pull::Known::outdated);
        let rights = self.visit.rights.clone();
        let work = Box::pin(async {
            // Nobody closes the semaphore.
            let turn = ctx.readers.acquire().await;
            let inputs = pull::Inputs { object: &object, integration, connection, pinned, ctx, synced: &synced };
            let (mut finding, known) = Box::pin(inputs.pull(earlier, wish, ages)).await?;
            drop(turn);
            let rights = Box::pin(features::judge(&mut finding, rights, integration, connection, ctx)).await;
            Ok((finding, known, rights))
        });
        tokio::pin!(work);
        let outcome = loop {
            match tokio::time::timeout(NOTICE_AFTER, &mut work).await {
                Ok(outcome) => break outcome,
                Err(_) => self.notice().await,
            }
        };
        self.now = self.ctx.clock.now();
        Ok(outcome.map(|(finding, known, rights)| {
            (self.visit.known, self.visit.rights) = (Some(known), rights);
            finding
        }))
    }

    async fn judge(
        &mut self,
        outcome: Result<Finding, SyncError>,
        integration: &AdoIntegration,
        connection: &Connection,
    ) -> Result<Step, ReconcileError> {
        match outcome {
            Ok(finding) => {
                let before = self.shown().sync;
                let is_news = |synced: &Synced| {
                    let is_new = before.as_ref() != Some(&synced.sync) || self.requested().is_some();
                    is_new && synced.disappearance.is_none()
                };
                self.visit.untold_sync |= matches!(&finding, Finding::Synced(_, synced) if is_news(synced));
                // The next look is due by the age of what was read, whoever read it.
                let read_at = self.visit.known.as_ref().and_then(|known| known.read_at).unwrap_or(self.now);
                let interval = self.interval();
                Ok(self.settle_at(read_at, finding, interval))
            }
            Err(SyncError::Refused(cause)) => Ok(self.settle(Finding::Refused(cause), RECHECK_INTERVAL)),
            // The object went meanwhile, and its data with it.
            Err(SyncError::Withdrawn | SyncError::Store(StoreError::ConfigGone)) => {
                Ok(Step { finding: None, ended: false, again: Some(WITHDRAWN_PAUSE) })
            }
            Err(SyncError::Store(error @ StoreError::TooLarge { .. })) => {
                let cause = Cause::new(Reason::Unreachable, format!("Azure DevOps sent a work item whose {error}."));
                Ok(self.failed(cause, self.is_out_of_reach(integration)))
            }
            Err(SyncError::Store(error)) => Err(error.into()),
            Err(SyncError::Ado(error @ AdoError::Unauthorized { .. })) => {
                Ok(self.unauthorized(&error, integration, connection).await)
            }
            Err(SyncError::Ado(error)) => Ok(self.answered(meaning_in_project(&error), integration)),
        }
    }

    fn answered(&mut self, meaning: Meaning, integration: &AdoIntegration) -> Step {
        match meaning {
            Meaning::Refused(cause) => self.settle(Finding::Refused(cause), RECHECK_INTERVAL),
            Meaning::NoVerdict(cause) => self.failed(cause, self.is_out_of_reach(integration)),
            Meaning::Throttled(cause, pause) => self.throttled(cause, pause),
        }
    }

    /// One area refused the token. That is a missing scope only as long as the organization accepts the token; otherwise it is
    /// the integration that has to be looked at, and nothing is known of this config.
    async fn unauthorized(&mut self, error: &AdoError, integration: &AdoIntegration, used: &Connection) -> Step {
        let uid = integration.uid().unwrap_or_default();
        if !self.ctx.connections.has(&uid, used) {
            // It was replaced while the read went on with it.
            self.visit.basis = None;
            return Step { finding: None, ended: false, again: Some(WITHDRAWN_PAUSE) };
        }
        match used.client.connection_data().await {
            Ok(_) => self.answered(meaning_in_project(error), integration),
            Err(AdoError::CredentialRefused(_)) => {
                if self.ctx.connections.withdraw(&uid, used) {
                    self.ctx.wake.integration(ObjectRef::from_obj(integration));
                }
                Step { finding: None, ended: false, again: Some(CONNECTION_PAUSE) }
            }
            Err(other) => self.answered(meaning(&other), integration),
        }
    }

    /// Others with the same identity are under way, as many as may be at a time. Meanwhile nothing is claimed of this spec.
    fn busy(&mut self) -> Step {
        let PutOff { pause, is_long } = self.visit.attempts.busy(self.now);
        let waiting = (is_long && !self.is_judged()).then(|| {
            let message = "Waits until other projects that the same identity reads are done.";
            Finding::Pending(Cause::new(Reason::Syncing, message))
        });
        Step { finding: waiting, ended: false, again: Some(pause) }
    }

    fn settle(&mut self, finding: Finding, interval: Duration) -> Step {
        self.settle_at(self.now, finding, interval)
    }

    fn settle_at(&mut self, at: Timestamp, finding: Finding, interval: Duration) -> Step {
        self.visit.attempts.settled(LastProbe::Verdict { at });
        self.visit.finding = Some(finding.clone());
        let again = schedule::until(after(at, interval), self.now);
        Step { finding: Some(finding), ended: true, again: Some(again) }
    }

    /// While the integration itself is unreachable, or on the way to be shown so, its failure is not told again of the config.
    fn failed(&mut self, cause: Cause, told: bool) -> Step {
        let Failure { tries, first, pause } = self.visit.attempts.failed(self.now);
        let finding = Finding::NoVerdict { cause, tries: if told { 0 } else { tries }, first };
        self.visit.finding = Some(finding.clone());
        Step { finding: Some(finding), ended: true, again: Some(pause) }
    }

    /// Whether the integration itself gets no answers.
    fn is_out_of_reach(&self, integration: &AdoIntegration) -> bool {
        let shown = integration.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        conditions::is_true(shown, ConditionType::Unreachable)
            || self.ctx.integration_visits.get(&integration.uid().unwrap_or_default()).is_failing()
    }

    fn throttled(&mut self, cause: Cause, pause: Duration) -> Step {
        let Throttle { until, interval_missed } = self.visit.attempts.throttled(self.now, pause, RECHECK_INTERVAL);
        let known = self.is_judged();
        self.visit.finding = match (interval_missed, known) {
            (true, _) => Some(Finding::Throttled(cause)),
            (false, true) => None,
            (false, false) => Some(Finding::Pending(cause)),
        };
        Step { finding: self.visit.finding.clone(), ended: false, again: Some(schedule::until(until, self.now)) }
    }
}

//! The verdict on a project config: rows "config" and "both" of the table of states in `docs/resources.md`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use uuid::Uuid;

use super::conditions::{self, Draft};
use super::verdict::{Before, Cause, Unreachability, kstatus, unreachability, within_grace};
use crate::api::{
    AdoProjectConfigStatus, ConditionType, ConfigState, Counts, EffectiveProjectConfig, FeatureStatus, ProjectStatus,
    Reason, ResolvedIntegration, SyncStatus, TeamStatus, Tier, UnmappedStatus,
};

/// What a look at the world found.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The object is being deleted, and finalizers of others still hold it.
    Deleting,
    /// The spec asks for it to be archived.
    Archived,
    /// The spec asks for it to be saved only.
    Saved {
        /// Whether the mapping fits the process; None where nobody could be asked.
        mapping: Option<Result<Box<Resolved>, Cause>>,
    },
    /// Its integration is disconnected.
    IntegrationInactive,
    /// Its integration does not exist or does not allow the namespace; both look the same.
    IntegrationAbsent {
        /// When this process first saw that.
        first_seen: Timestamp,
    },
    /// Its integration has no verdict yet.
    IntegrationNotReady {
        /// Whether it never will have one.
        deleting: bool,
    },
    /// Its integration's state is Error.
    IntegrationError {
        /// The integration's own message.
        message: String,
        /// Whether the integration is stuck, as opposed to working on it.
        stuck: bool,
    },
    /// The verdict is being worked on.
    Pending(Cause),
    /// A bad verdict.
    Refused(Cause),
    /// No verdict could be had.
    NoVerdict {
        /// The last failure.
        cause: Cause,
        /// Number of tries in a row.
        tries: u32,
        /// When the first of them was made.
        first: Timestamp,
    },
    /// Azure DevOps asked for a pause that is longer than an interval.
    Throttled(Cause),
    /// The mapping is accepted and neither toggle is on.
    NothingSelected(Box<Resolved>),
    /// The mapping is accepted and the store holds the project.
    Synced(Box<Resolved>, Box<Synced>),
    /// Accepted before, and nothing since puts that in question.
    StillAccepted {
        /// Whether there is anything to sync.
        synced: bool,
    },
}

/// What the names in the spec stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The integration.
    pub integration: ResolvedIntegration,
    /// The project.
    pub project: ProjectStatus,
    /// The team, if the spec names one.
    pub team: Option<TeamStatus>,
    /// Levels of the backlog.
    pub tiers: Vec<Tier>,
    /// Types of requirements and bugs, and what else was filled in.
    pub effective: EffectiveProjectConfig,
    /// Verdicts on the features that the integration wants, for this project; None where they were not judged.
    pub features: Option<Vec<FeatureStatus>>,
}

impl Finding {
    /// What the names stand for, if the mapping was accepted and the project read.
    pub fn accepted(&mut self) -> Option<&mut Resolved> {
        match self {
            Self::NothingSelected(resolved) | Self::Synced(resolved, _) => Some(resolved),
            Self::Deleting
            | Self::Archived
            | Self::Saved { .. }
            | Self::IntegrationInactive
            | Self::IntegrationAbsent { .. }
            | Self::IntegrationNotReady { .. }
            | Self::IntegrationError { .. }
            | Self::Pending(_)
            | Self::Refused(_)
            | Self::NoVerdict { .. }
            | Self::Throttled(_)
            | Self::StillAccepted { .. } => None,
        }
    }
}

/// What a sync came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Synced {
    /// Records in the store.
    pub counts: Counts,
    /// Times.
    pub sync: SyncStatus,
    /// Values that the mapping says nothing about, all of them, most items first.
    pub unmapped: Vec<UnmappedStatus>,
    /// What works and should be looked at.
    pub warnings: Vec<String>,
    /// What the mapping names and Azure DevOps has no more.
    pub gone: Vec<String>,
    /// Work items that vanished in a mass, so that a person has to look.
    pub disappearance: Option<Vanished>,
}

/// A disappearance that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Vanished {
    /// What a person confirms.
    pub id: Uuid,
    /// What the object shows.
    pub cause: Cause,
}

/// Most unmapped values that a status shows.
const UNMAPPED_SHOWN: usize = 50;

/// Most warnings that a status shows.
const WARNINGS_SHOWN: usize = 20;

/// The status that the object should show.
pub fn verdict(
    shown: &AdoProjectConfigStatus,
    generation: i64,
    finding: &Finding,
    now: Timestamp,
) -> AdoProjectConfigStatus {
    let before = Before { conditions: &shown.conditions, current: shown.observed_generation == Some(generation) };
    let mut status = shown.clone();
    let drafts = match finding {
        Finding::Deleting => with_own(kstatus::waiting(&deleting()), before),
        Finding::Archived => archived(&mut status, before),
        Finding::Saved { mapping } => saved(&mut status, before, mapping.as_ref()),
        Finding::IntegrationInactive => integration_inactive(&mut status, before),
        Finding::IntegrationAbsent { first_seen } => integration_absent(&mut status, before, *first_seen, now),
        Finding::IntegrationNotReady { deleting } => wait(&mut status, before, &integration_not_ready(*deleting)),
        Finding::IntegrationError { message, stuck } => integration_error(&mut status, before, message, *stuck),
        Finding::Pending(cause) => wait(&mut status, before, cause),
        Finding::Refused(cause) => refuse(&mut status, before, cause),
        Finding::NoVerdict { cause, tries, first } => match unreachability(&before, *tries, *first, now) {
            Unreachability::Early if before.current && !before.is_waiting() => return status,
            Unreachability::Early => wait(&mut status, before, &Cause::new(Reason::Validating, &cause.message)),
            shown => unreachable(&mut status, before, cause, shown == Unreachability::Overdue),
        },
        Finding::Throttled(cause) => throttle(&mut status, before, cause),
        Finding::NothingSelected(resolved) => nothing_selected(&mut status, resolved),
        Finding::Synced(resolved, synced) => accept(&mut status, resolved, synced),
        Finding::StillAccepted { synced } => still_accepted(&mut status, before, *synced),
    };
    status.conditions = conditions::merge(before.conditions, &drafts, generation, now);
    if !judges_mapping(finding) {
        keep_generations(&mut status.conditions, before.conditions);
    }
    status.observed_generation = Some(generation);
    status
}

/// Whether the mapping of this generation was accepted, also by an earlier process, and not refused since.
pub fn is_accepted(shown: &AdoProjectConfigStatus, generation: i64) -> bool {
    let saved = conditions::find(&shown.conditions, ConditionType::Ready)
        .is_some_and(|ready| ready.reason == Reason::Saved.as_str());
    let mapping = conditions::find(&shown.conditions, ConditionType::MappingValid);
    !saved
        && mapping.is_some_and(|mapping| {
            mapping.observed_generation == Some(generation)
                && (mapping.status == "True" || mapping.reason == Reason::ProcessChanged.as_str())
        })
}

/// Whether the object shows that an answer could not be had so far: nothing but an answer takes that back.
pub fn lacks_answer(shown: &AdoProjectConfigStatus) -> bool {
    [ConditionType::Unreachable, ConditionType::Throttled]
        .iter()
        .any(|condition| conditions::is_true(&shown.conditions, *condition))
}

/// Whether a finding says anything about the mapping of the spec as it is now.
fn judges_mapping(finding: &Finding) -> bool {
    match finding {
        Finding::Refused(_)
        | Finding::NothingSelected(_)
        | Finding::Synced(..)
        | Finding::StillAccepted { .. }
        | Finding::Saved { mapping: Some(_) } => true,
        Finding::Deleting
        | Finding::Archived
        | Finding::Saved { mapping: None }
        | Finding::IntegrationInactive
        | Finding::IntegrationAbsent { .. }
        | Finding::IntegrationNotReady { .. }
        | Finding::IntegrationError { .. }
        | Finding::Pending(_)
        | Finding::NoVerdict { .. }
        | Finding::Throttled(_) => false,
    }
}

/// What was known about mapping and data stays a verdict on the generation that it was made for: a spec that was edited
/// meanwhile has not been accepted.
fn keep_generations(conditions: &mut [Condition], previous: &[Condition]) {
    for condition in conditions.iter_mut().filter(|one| OWN.iter().any(|own| own.as_str() == one.type_)) {
        if let Some(shown) = previous.iter().find(|shown| shown.type_ == condition.type_) {
            condition.observed_generation = shown.observed_generation;
        }
    }
}

/// What is known about mapping and data is true whatever happens to the integration.
const OWN: [ConditionType; 2] = [ConditionType::MappingValid, ConditionType::Synced];

fn with_own(mut drafts: Vec<Draft>, before: Before<'_>) -> Vec<Draft> {
    drafts.extend(kept(before, &OWN));
    drafts
}

fn kept(before: Before<'_>, types: &[ConditionType]) -> Vec<Draft> {
    types.iter().filter_map(|condition| conditions::keep(before.conditions, *condition)).collect()
}

fn deleting() -> Cause {
    Cause::new(Reason::Deleting, "Being deleted: waits for the finalizers that stand in its metadata.")
}

fn wait(status: &mut AdoProjectConfigStatus, before: Before<'_>, cause: &Cause) -> Vec<Draft> {
    status.state = Some(until_judged(status.state));
    with_own(kstatus::waiting(cause), before)
}

/// Active and Error stay until there is a verdict; everything else is Inactive.
fn until_judged(shown: Option<ConfigState>) -> ConfigState {
    match shown {
        Some(state @ (ConfigState::Active | ConfigState::Error)) => state,
        Some(ConfigState::Inactive | ConfigState::Archived) | None => ConfigState::Inactive,
    }
}

fn integration_not_ready(deleting: bool) -> Cause {
    let message = if deleting {
        "The integration is being deleted and waits for its project configs: delete this one too, or let it name another."
    } else {
        "Waits for the integration's verdict."
    };
    Cause::new(Reason::IntegrationNotReady, message)
}

fn archived(status: &mut AdoProjectConfigStatus, before: Before<'_>) -> Vec<Draft> {
    status.state = Some(ConfigState::Archived);
    let message = "Archived: nothing is synced, and all data is kept; set spec.state to Active to bring it back.";
    with_own(kstatus::ready(&Cause::new(Reason::Archived, message)), before)
}

/// Saved is what was asked for, whatever the mapping; an invalid one is shown beside.
fn saved(
    status: &mut AdoProjectConfigStatus,
    before: Before<'_>,
    mapping: Option<&Result<Box<Resolved>, Cause>>,
) -> Vec<Draft> {
    status.state = Some(ConfigState::Inactive);
    let message = "Saved: nothing is synced; set spec.state to Active to proceed.";
    let mut drafts = kstatus::ready(&Cause::new(Reason::Saved, message));
    match mapping {
        None => drafts.extend(kept(before, &[ConditionType::MappingValid])),
        Some(Ok(resolved)) => {
            describe(status, resolved);
            drafts.push(Draft::yes(ConditionType::MappingValid, Reason::MappingAccepted, MAPPING_FITS));
        }
        Some(Err(cause)) => drafts.push(Draft::no(ConditionType::MappingValid, cause.reason, &cause.message)),
    }
    drafts.extend(kept(before, &[ConditionType::Synced]));
    drafts
}

fn integration_inactive(status: &mut AdoProjectConfigStatus, before: Before<'_>) -> Vec<Draft> {
    status.state = Some(ConfigState::Inactive);
    let cause = Cause::new(
        Reason::IntegrationInactive,
        "The integration is disconnected; data is kept and syncing resumes when it is connected again.",
    );
    with_own(kstatus::ready(&cause), before)
}

fn integration_absent(
    status: &mut AdoProjectConfigStatus,
    before: Before<'_>,
    first_seen: Timestamp,
    now: Timestamp,
) -> Vec<Draft> {
    let cause = Cause::new(
        Reason::IntegrationNotAvailable,
        "No AdoIntegration of that name is available to this namespace: create it, correct spec.integrationRef, or let \
         its spec.allowedNamespaces include this namespace.",
    );
    if !before.was_bad() && within_grace(first_seen, now) {
        return wait(status, before, &cause);
    }
    status.state = Some(ConfigState::Error);
    with_own(kstatus::stuck(&cause), before)
}

fn integration_error(
    status: &mut AdoProjectConfigStatus,
    before: Before<'_>,
    message: &str,
    stuck: bool,
) -> Vec<Draft> {
    status.state = Some(ConfigState::Error);
    let cause = Cause::new(Reason::IntegrationError, format!("The integration fails: {message}"));
    with_own(if stuck { kstatus::stuck(&cause) } else { kstatus::failing(&cause) }, before)
}

/// Accepted data stays visible: counts and times are left as they are.
fn refuse(status: &mut AdoProjectConfigStatus, before: Before<'_>, cause: &Cause) -> Vec<Draft> {
    status.state = Some(ConfigState::Error);
    let mut drafts = kstatus::stuck(cause);
    drafts.push(Draft::no(ConditionType::MappingValid, cause.reason, &cause.message));
    drafts.extend(kept(before, &[ConditionType::Synced]));
    drafts
}

fn unreachable(status: &mut AdoProjectConfigStatus, before: Before<'_>, cause: &Cause, overdue: bool) -> Vec<Draft> {
    let shown = Cause::new(Reason::Unreachable, &cause.message);
    let mut drafts = if before.was_bad() {
        kept(before, &[ConditionType::Ready, ConditionType::Stalled])
    } else if overdue {
        status.state = Some(ConfigState::Error);
        kstatus::failing(&shown)
    } else {
        status.state = Some(until_judged(status.state));
        kstatus::waiting(&shown)
    };
    drafts.push(Draft::yes(ConditionType::Unreachable, cause.reason, &cause.message));
    with_own(drafts, before)
}

/// Neither success nor failure: what is shown of this spec stays.
fn throttle(status: &mut AdoProjectConfigStatus, before: Before<'_>, cause: &Cause) -> Vec<Draft> {
    let shown = [ConditionType::Ready, ConditionType::Reconciling, ConditionType::Stalled, ConditionType::Unreachable];
    let mut drafts = if before.current {
        kept(before, &shown)
    } else {
        status.state = Some(until_judged(status.state));
        kstatus::waiting(cause)
    };
    drafts.push(Draft::yes(ConditionType::Throttled, Reason::Throttled, &cause.message));
    with_own(drafts, before)
}

const MAPPING_FITS: &str = "The mapping fits the process.";

fn describe(status: &mut AdoProjectConfigStatus, resolved: &Resolved) {
    status.integration = Some(resolved.integration.clone());
    status.project = Some(resolved.project.clone());
    status.team.clone_from(&resolved.team);
    status.tiers.clone_from(&resolved.tiers);
    status.effective = Some(resolved.effective.clone());
    if let Some(features) = &resolved.features {
        status.features.clone_from(features);
    }
}

fn resolve(status: &mut AdoProjectConfigStatus, resolved: &Resolved) {
    status.state = Some(ConfigState::Active);
    describe(status, resolved);
}

fn nothing_selected(status: &mut AdoProjectConfigStatus, resolved: &Resolved) -> Vec<Draft> {
    resolve(status, resolved);
    status.counts = Some(Counts::default());
    status.unmapped = Vec::new();
    status.unmapped_total = None;
    status.warnings = Vec::new();
    healthy(status, false, accepted())
}

fn accept(status: &mut AdoProjectConfigStatus, resolved: &Resolved, synced: &Synced) -> Vec<Draft> {
    resolve(status, resolved);
    status.counts = Some(synced.counts.clone());
    status.sync = Some(synced.sync.clone());
    status.unmapped = synced.unmapped.iter().take(UNMAPPED_SHOWN).cloned().collect();
    let total = i64::try_from(synced.unmapped.len()).unwrap_or(i64::MAX);
    status.unmapped_total = (total > 0).then_some(total);
    status.warnings = synced.warnings.iter().take(WARNINGS_SHOWN).cloned().collect();
    let mapping = if synced.gone.is_empty() { accepted() } else { process_changed(&synced.gone) };
    match &synced.disappearance {
        Some(Vanished { cause, .. }) => vanished(cause, mapping),
        None => healthy(status, true, mapping),
    }
}

/// What is stored stays visible until a person has looked.
fn vanished(cause: &Cause, mapping: Draft) -> Vec<Draft> {
    let mut drafts = kstatus::stuck(cause);
    drafts.push(mapping);
    drafts.push(Draft::no(ConditionType::Synced, cause.reason, &cause.message));
    drafts
}

/// Whether the object shows that work items vanished in a mass, also by an earlier process.
pub fn shows_disappearance(shown: &AdoProjectConfigStatus) -> bool {
    conditions::find(&shown.conditions, ConditionType::Synced)
        .is_some_and(|synced| synced.reason == Reason::MassDisappearance.as_str())
}

fn still_accepted(status: &mut AdoProjectConfigStatus, before: Before<'_>, synced: bool) -> Vec<Draft> {
    status.state = Some(ConfigState::Active);
    let mapping = conditions::keep(before.conditions, ConditionType::MappingValid).unwrap_or_else(accepted);
    healthy(status, synced, mapping)
}

fn accepted() -> Draft {
    Draft::yes(ConditionType::MappingValid, Reason::MappingAccepted, MAPPING_FITS)
}

/// Syncing goes on with what is left.
fn process_changed(gone: &[String]) -> Draft {
    let message = format!(
        "Azure DevOps has changed under this mapping, and syncing goes on with what is left: {}. Edit the spec or restore \
         them.",
        gone.join("; ")
    );
    Draft::no(ConditionType::MappingValid, Reason::ProcessChanged, &message)
}

fn healthy(status: &AdoProjectConfigStatus, synced: bool, mapping: Draft) -> Vec<Draft> {
    if !synced {
        let message = "Nothing is pulled: turn on spec.pullRequirements or spec.bugMapping to sync the project.";
        let mut drafts = kstatus::ready(&Cause::new(Reason::NothingSelected, message));
        drafts.push(mapping);
        return drafts;
    }
    let project = status.project.as_ref().map(|project| project.name.as_str()).unwrap_or_default();
    let mut drafts = kstatus::ready(&Cause::new(Reason::Synced, format!("Project {project} is in sync.")));
    drafts.push(mapping);
    drafts.push(Draft::yes(ConditionType::Synced, Reason::Synced, "The store holds the project's work items."));
    drafts
}

#[cfg(test)]
mod tests;

//! The verdict on an integration: rows "integration" and "both" of the table of states in `docs/resources.md`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::conditions::{self, Draft};
use super::features::{Permission, needs};
use super::verdict::{Before, Cause, Unreachability, kstatus, unreachability, within_grace};
use crate::api::{
    AdoIntegrationSpec, AdoIntegrationStatus, Availability, ConditionType, CredentialStatus, Feature, FeatureStatus,
    IdentityStatus, IntegrationState, OrganizationStatus, Reason, Service, ServiceStatus,
};

/// What a look at the world found.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The object is being deleted and so many project configs still refer to it.
    Deleting {
        /// Number of project configs.
        configs: usize,
        /// What keeps the operator from its part.
        hindrance: Option<String>,
    },
    /// The spec asks for no connection.
    Disconnected,
    /// The verdict is being worked on.
    Pending(Cause),
    /// Something that the spec names does not exist.
    Absent {
        /// What it is.
        cause: Cause,
        /// When this process first saw that.
        first_seen: Timestamp,
    },
    /// A bad verdict.
    Refused(Cause),
    /// A bad verdict on that credential.
    BadCredential(Cause, CredentialStatus),
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
    /// The credential was accepted and everything was probed.
    Validated(Box<Validation>),
}

/// Answers of a validation.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// Owner of the credential.
    pub identity: IdentityStatus,
    /// The organization behind the URL.
    pub organization: OrganizationStatus,
    /// The credential that was used.
    pub credential: CredentialStatus,
    /// Every feature.
    pub features: Vec<FeatureStatus>,
    /// Azure Repos, if it is one of the services.
    pub repositories: Option<Repositories>,
    /// Why none of the projects that there are could be asked about.
    pub no_project: Option<String>,
}

/// Whether repositories can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Repositories {
    /// The answer.
    pub available: Availability,
    /// The number of them, or what is missing.
    pub message: String,
}

/// The object as it is before the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its spec.
    pub spec: &'a AdoIntegrationSpec,
    /// Generation of the spec.
    pub generation: i64,
    /// What it shows.
    pub status: &'a AdoIntegrationStatus,
    /// Project configs that refer to it.
    pub project_configs: i64,
}

/// The status that the object should show; the times of its conditions move only where a status moves.
pub fn verdict(subject: &Subject<'_>, finding: &Finding, now: Timestamp) -> AdoIntegrationStatus {
    let before = Before {
        conditions: &subject.status.conditions,
        current: subject.status.observed_generation == Some(subject.generation),
    };
    let mut status = subject.status.clone();
    status.project_configs = Some(subject.project_configs);
    let drafts = match finding {
        Finding::Deleting { configs, hindrance } => kstatus::waiting(&deleting(*configs, hindrance.as_deref())),
        Finding::Disconnected => disconnect(subject.spec, &mut status),
        Finding::Pending(cause) => wait(&mut status, cause),
        Finding::Absent { cause, first_seen } if !before.was_bad() && within_grace(*first_seen, now) => {
            wait(&mut status, cause)
        }
        Finding::Absent { cause, .. } | Finding::Refused(cause) => refuse(subject.spec, &mut status, cause),
        Finding::BadCredential(cause, credential) => {
            status.credential = Some(credential.clone());
            refuse(subject.spec, &mut status, cause)
        }
        Finding::NoVerdict { cause, tries, first } => match unreachability(&before, *tries, *first, now) {
            Unreachability::Early if before.current && !before.is_waiting() => return status,
            Unreachability::Early => wait(&mut status, &Cause::new(Reason::Validating, &cause.message)),
            shown => unreachable(&mut status, before, cause, shown == Unreachability::Overdue),
        },
        Finding::Throttled(cause) => throttle(&mut status, before, cause),
        Finding::Validated(validation) => accept(subject.spec, &mut status, validation),
    };
    status.conditions = conditions::merge(before.conditions, &drafts, subject.generation, now);
    status.observed_generation = Some(subject.generation);
    status
}

fn deleting(configs: usize, hindrance: Option<&str>) -> Cause {
    let message = match (configs, hindrance) {
        (_, Some(hindrance)) => {
            format!("Being deleted: the operator could not do its part, and tries again for five minutes: {hindrance}")
        }
        (0, None) => "Being deleted.".to_owned(),
        (1, None) => "Being deleted: waits for the one project config that refers to it; delete it first.".to_owned(),
        (n, None) => format!("Being deleted: waits for the {n} project configs that refer to it; delete them first."),
    };
    Cause::new(Reason::Deleting, message)
}

/// Identity and organization stay as history; what was true of the credential is no longer claimed.
fn disconnect(spec: &AdoIntegrationSpec, status: &mut AdoIntegrationStatus) -> Vec<Draft> {
    status.state = Some(IntegrationState::Inactive);
    status.effective = Some(spec.effective());
    status.features.clear();
    status.feature_summary = None;
    status.credential = None;
    status.services = services(spec, IntegrationState::Inactive, "Disconnected.");
    kstatus::ready(&Cause::new(
        Reason::Disconnected,
        "Disconnected on request; data and history are kept. Set spec.state to Active to reconnect.",
    ))
}

/// Active and Error stay, all else is Inactive until there is a verdict.
fn wait(status: &mut AdoIntegrationStatus, cause: &Cause) -> Vec<Draft> {
    status.state.get_or_insert_default();
    kstatus::waiting(cause)
}

fn refuse(spec: &AdoIntegrationSpec, status: &mut AdoIntegrationStatus, cause: &Cause) -> Vec<Draft> {
    status.state = Some(IntegrationState::Error);
    status.effective = Some(spec.effective());
    status.features.clear();
    status.feature_summary = None;
    status.services = services(spec, IntegrationState::Error, &cause.message);
    let mut drafts = kstatus::stuck(cause);
    let credential = match cause.reason {
        Reason::CredentialRefused | Reason::InvalidToken => Availability::False,
        _ => Availability::Unknown,
    };
    drafts.push(Draft::new(ConditionType::CredentialValid, credential, cause.reason, &cause.message));
    drafts
}

/// A bad verdict outlives a lack of answers; a good one or none becomes unknown, and in the end an error.
fn unreachable(status: &mut AdoIntegrationStatus, before: Before<'_>, cause: &Cause, overdue: bool) -> Vec<Draft> {
    let shown = Cause::new(Reason::Unreachable, &cause.message);
    let mut drafts = if before.was_bad() {
        kept(before, &[ConditionType::Ready, ConditionType::Stalled])
    } else if overdue {
        status.state = Some(IntegrationState::Error);
        kstatus::failing(&shown)
    } else {
        wait(status, &shown)
    };
    drafts.push(Draft::yes(ConditionType::Unreachable, cause.reason, &cause.message));
    drafts.extend(kept(before, &[ConditionType::CredentialValid, ConditionType::FeaturesAvailable]));
    drafts
}

/// Neither success nor failure: everything that is shown of this spec stays. Of a spec without a verdict nothing is claimed.
fn throttle(status: &mut AdoIntegrationStatus, before: Before<'_>, cause: &Cause) -> Vec<Draft> {
    let throttled = Draft::yes(ConditionType::Throttled, Reason::Throttled, &cause.message);
    if !before.has_verdict() {
        let mut drafts = wait(status, &Cause::new(Reason::Validating, &cause.message));
        drafts.push(throttled);
        return drafts;
    }
    let mut drafts = kept(
        before,
        &[
            ConditionType::Ready,
            ConditionType::Reconciling,
            ConditionType::Stalled,
            ConditionType::Unreachable,
            ConditionType::CredentialValid,
            ConditionType::FeaturesAvailable,
        ],
    );
    drafts.push(throttled);
    drafts
}

fn kept(before: Before<'_>, types: &[ConditionType]) -> Vec<Draft> {
    types.iter().filter_map(|condition| conditions::keep(before.conditions, *condition)).collect()
}

fn accept(spec: &AdoIntegrationSpec, status: &mut AdoIntegrationStatus, found: &Validation) -> Vec<Draft> {
    let wanted = spec.effective_features();
    let features = carry(status, found);
    let missing = missing(&features, &wanted);
    let manual_sync_fails = missing.iter().any(|feature| feature.name == Feature::ManualSync);
    status.state = Some(if manual_sync_fails { IntegrationState::Error } else { IntegrationState::Active });
    status.identity = Some(found.identity.clone());
    status.organization = Some(found.organization.clone());
    status.credential = Some(found.credential.clone());
    status.effective = Some(spec.effective());
    status.feature_summary = Some(summary(&features, &wanted));
    status.services = validated_services(spec, found);
    let mut drafts = kstatus_of(&missing, found);
    drafts.push(Draft::yes(
        ConditionType::CredentialValid,
        Reason::CredentialAccepted,
        "The organization accepted the credential.",
    ));
    drafts.push(features_available(&missing, &features, &wanted, found));
    status.features = features;
    drafts
}

/// What was known of the same credential stays known through an answer that could not be had this time.
fn carry(shown: &AdoIntegrationStatus, found: &Validation) -> Vec<FeatureStatus> {
    let same = shown.credential.as_ref() == Some(&found.credential);
    let known = |feature: &FeatureStatus| shown.features.iter().find(|old| same && old.name == feature.name).cloned();
    found
        .features
        .iter()
        .map(|feature| match feature.available {
            Availability::Unknown => known(feature).unwrap_or_else(|| feature.clone()),
            Availability::True | Availability::False => feature.clone(),
        })
        .collect()
}

fn kstatus_of(missing: &[&FeatureStatus], found: &Validation) -> Vec<Draft> {
    if !missing.is_empty() {
        return kstatus::stuck(&Cause::new(Reason::FeatureUnavailable, explain(missing, found)));
    }
    match &found.repositories {
        Some(repositories) if repositories.available == Availability::False => {
            kstatus::stuck(&Cause::new(Reason::AzureReposUnavailable, &repositories.message))
        }
        _ => kstatus::ready(&Cause::new(
            Reason::Connected,
            format!("Connected to {} as {}.", found.organization.name, found.identity.display_name),
        )),
    }
}

fn features_available(
    missing: &[&FeatureStatus],
    features: &[FeatureStatus],
    wanted: &[Feature],
    found: &Validation,
) -> Draft {
    let condition = ConditionType::FeaturesAvailable;
    if !missing.is_empty() {
        return Draft::no(condition, Reason::FeatureUnavailable, explain(missing, found));
    }
    let unknown: Vec<&str> = features
        .iter()
        .filter(|feature| wanted.contains(&feature.name) && feature.available == Availability::Unknown)
        .map(|feature| feature.name.as_str())
        .collect();
    if unknown.is_empty() {
        Draft::yes(condition, Reason::AllAvailable, all_available(features, wanted))
    } else {
        Draft::unknown(condition, Reason::SomeUnknown, format!("No answer could be had on {}.", unknown.join(", ")))
    }
}

/// Names what is documented as required although nothing here uses it.
fn all_available(features: &[FeatureStatus], wanted: &[Feature]) -> String {
    let unused = features.iter().filter(|feature| wanted.contains(&feature.name)).flat_map(|feature| &feature.missing);
    let unused: BTreeSet<&str> = unused.map(String::as_str).collect();
    if unused.is_empty() {
        return "Every wanted feature is available.".to_owned();
    }
    let names: Vec<&str> = unused.into_iter().collect();
    format!(
        "Every wanted feature is available. Azure DevOps documents {} as required too; nothing here uses it.",
        names.join(" and ")
    )
}

/// Whether a wanted feature is left without an answer, so that it is worth asking again soon.
pub fn lacks_answer(spec: &AdoIntegrationSpec, finding: &Finding) -> bool {
    let Finding::Validated(validation) = finding else { return false };
    let wanted = spec.effective_features();
    validation
        .features
        .iter()
        .any(|feature| wanted.contains(&feature.name) && feature.available == Availability::Unknown)
}

/// Wanted features that were found unavailable.
fn missing<'a>(features: &'a [FeatureStatus], wanted: &[Feature]) -> Vec<&'a FeatureStatus> {
    features
        .iter()
        .filter(|feature| wanted.contains(&feature.name) && feature.available == Availability::False)
        .collect()
}

fn explain(missing: &[&FeatureStatus], found: &Validation) -> String {
    if let Some(why) = &found.no_project {
        let names: Vec<&str> = missing.iter().map(|feature| feature.name.as_str()).collect();
        return format!("{} cannot work: {why}. Correct it.", names.join(" and "));
    }
    let needed = |feature: &&FeatureStatus| {
        let names: Vec<&str> = blocking(feature).map(Permission::as_str).collect();
        format!("{} needs {}", feature.name, names.join(" and "))
    };
    let needs: Vec<String> = missing.iter().map(needed).collect();
    let remedies: BTreeSet<Permission> = missing.iter().flat_map(|feature| blocking(feature)).collect();
    let remedies: Vec<&str> = remedies.into_iter().map(Permission::remedy).collect();
    let text = format!("{}. To have it: {}.", needs.join("; "), remedies.join("; "));
    // ManualSync is what an integration is for.
    let spared = missing.iter().filter(|feature| feature.name != Feature::ManualSync);
    let spared: Vec<&str> = spared.map(|feature| feature.name.as_str()).collect();
    if spared.is_empty() {
        return text;
    }
    format!("{text} To do without: leave {} out of spec.features.", spared.join(" and "))
}

/// What keeps a feature from working, of all that is missing.
fn blocking(feature: &FeatureStatus) -> impl Iterator<Item = Permission> {
    let is_missing = |permission: &Permission| feature.missing.iter().any(|name| name == permission.as_str());
    needs(feature.name).required.iter().copied().filter(is_missing)
}

fn summary(features: &[FeatureStatus], wanted: &[Feature]) -> String {
    let available = features
        .iter()
        .filter(|feature| wanted.contains(&feature.name) && feature.available == Availability::True)
        .count();
    format!("{available}/{}", wanted.len())
}

fn validated_services(spec: &AdoIntegrationSpec, found: &Validation) -> Vec<ServiceStatus> {
    let mut all = services(spec, IntegrationState::Active, "");
    for service in &mut all {
        service.message = match (service.name, &found.repositories) {
            (Service::AzureRepos, Some(repositories)) => {
                if repositories.available == Availability::False {
                    service.state = IntegrationState::Error;
                }
                repositories.message.clone()
            }
            _ => format!("Organization {}.", found.organization.name),
        };
    }
    all
}

fn services(spec: &AdoIntegrationSpec, state: IntegrationState, message: &str) -> Vec<ServiceStatus> {
    spec.effective_services()
        .into_iter()
        .map(|name| ServiceStatus { name, state, message: message.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests;

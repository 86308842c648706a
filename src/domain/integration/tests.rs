//! The verdicts, row by row.

use super::*;
use crate::api::{Auth, Feature};

fn spec() -> AdoIntegrationSpec {
    AdoIntegrationSpec {
        display_name: "Contoso".into(),
        organization_url: "https://dev.azure.com/contoso".into(),
        description: None,
        state: None,
        auth: Some(Auth::default()),
        services: None,
        features: None,
        allowed_namespaces: None,
        allowed_projects: None,
        ca_bundle: None,
        proxy: None,
        interval: None,
    }
}

fn validation(answer: Availability) -> Validation {
    let features =
        Feature::ALL.iter().map(|name| FeatureStatus { name: *name, available: answer, missing: Vec::new() }).collect();
    Validation {
        identity: IdentityStatus::default(),
        organization: OrganizationStatus { name: "contoso".into(), id: "1".into() },
        credential: CredentialStatus { secret_name: "pat".into(), resource_version: "1".into(), expires_at: None },
        features,
        repositories: None,
        no_project: None,
    }
}

fn look(shown: &AdoIntegrationStatus, finding: &Finding) -> AdoIntegrationStatus {
    let subject = Subject { spec: &spec(), generation: 1, status: shown, project_configs: 0 };
    verdict(&subject, finding, Timestamp::UNIX_EPOCH)
}

fn validated(answer: Availability) -> Finding {
    Finding::Validated(Box::new(validation(answer)))
}

#[test]
fn the_same_finding_twice_changes_nothing() {
    let once = look(&AdoIntegrationStatus::default(), &validated(Availability::True));
    assert_eq!(look(&once, &validated(Availability::True)), once);
}

#[test]
fn an_answer_that_could_not_be_had_does_not_take_back_what_is_known_of_the_credential() {
    let known = look(&AdoIntegrationStatus::default(), &validated(Availability::True));
    assert_eq!(look(&known, &validated(Availability::Unknown)), known);
}

#[test]
fn of_another_credential_nothing_is_known() {
    let known = look(&AdoIntegrationStatus::default(), &validated(Availability::True));
    let mut other = validation(Availability::Unknown);
    other.credential.resource_version = "2".into();
    let now = look(&known, &Finding::Validated(Box::new(other)));
    assert!(now.features.iter().all(|feature| feature.available == Availability::Unknown));
    assert_eq!(now.state, Some(IntegrationState::Active), "Unknown does not prevent Active");
}

#[test]
fn waiting_keeps_active_and_error_and_makes_inactive_of_nothing() {
    let pending = Finding::Pending(Cause::new(Reason::Validating, "…"));
    let nothing = AdoIntegrationStatus::default();
    assert_eq!(look(&nothing, &pending).state, Some(IntegrationState::Inactive));
    for state in [IntegrationState::Active, IntegrationState::Error] {
        let shown = AdoIntegrationStatus { state: Some(state), ..AdoIntegrationStatus::default() };
        assert_eq!(look(&shown, &pending).state, Some(state));
    }
}

#[test]
fn a_pause_claims_nothing_of_a_spec_that_has_no_verdict() {
    let throttled = Finding::Throttled(Cause::new(Reason::Throttled, "slow down"));
    let known = look(&AdoIntegrationStatus::default(), &validated(Availability::True));
    let subject = Subject { spec: &spec(), generation: 2, status: &known, project_configs: 0 };
    for status in
        [look(&AdoIntegrationStatus::default(), &throttled), verdict(&subject, &throttled, Timestamp::UNIX_EPOCH)]
    {
        let ready = conditions::find(&status.conditions, ConditionType::Ready).expect("Ready");
        assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("Unknown", "Validating"));
        assert!(conditions::is_true(&status.conditions, ConditionType::Throttled));
    }
    let unchanged = look(&known, &throttled);
    assert_eq!(unchanged.conditions.len(), known.conditions.len() + 1);
}

#[test]
fn reconciling_and_stalled_never_stand_together() {
    let cause = || Cause::new(Reason::CredentialRefused, "no");
    let first = Timestamp::UNIX_EPOCH;
    let findings = [
        Finding::Deleting { configs: 1, hindrance: None },
        Finding::Disconnected,
        Finding::Pending(cause()),
        Finding::Absent { cause: cause(), first_seen: first },
        Finding::Refused(cause()),
        Finding::BadCredential(cause(), CredentialStatus::default()),
        Finding::NoVerdict { cause: cause(), tries: 9, first: Timestamp::MIN },
        Finding::Throttled(cause()),
        validated(Availability::False),
        validated(Availability::True),
    ];
    for before in &findings {
        let shown = look(&AdoIntegrationStatus::default(), before);
        for after in &findings {
            let status = look(&shown, after);
            let stands = |condition| conditions::is_true(&status.conditions, condition);
            assert!(
                !(stands(ConditionType::Reconciling) && stands(ConditionType::Stalled)),
                "{before:?} then {after:?}"
            );
        }
    }
}

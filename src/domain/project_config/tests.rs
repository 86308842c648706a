//! The verdicts, each after each.

use super::*;
use crate::api::{Availability, Feature};

fn resolved() -> Box<Resolved> {
    let project = ProjectStatus { id: "1".into(), name: "Payments".into(), process: None };
    Box::new(Resolved { project, ..Resolved::default() })
}

fn synced() -> Finding {
    let counts = Counts { releases: 1, sprints: 4, requirements: 3, bugs: 2 };
    Finding::Synced(resolved(), Box::new(Synced { counts, ..Synced::default() }))
}

fn vanished() -> Finding {
    let cause = Cause::new(Reason::MassDisappearance, "30 of 40");
    let disappearance = Some(Vanished { id: Uuid::nil(), cause });
    let Finding::Synced(resolved, synced) = synced() else { unreachable!("it is synced") };
    Finding::Synced(resolved, Box::new(Synced { disappearance, ..*synced }))
}

fn cause() -> Cause {
    Cause::new(Reason::InvalidMapping, "no")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn look(shown: &AdoProjectConfigStatus, generation: i64, finding: &Finding) -> AdoProjectConfigStatus {
    verdict(shown, generation, finding, at(1000))
}

fn no_verdict(tries: u32) -> Finding {
    Finding::NoVerdict { cause: Cause::new(Reason::Unreachable, "no answer"), tries, first: at(0) }
}

fn every_finding() -> Vec<Finding> {
    vec![
        Finding::Deleting,
        Finding::Archived,
        Finding::Saved { mapping: None },
        Finding::Saved { mapping: Some(Ok(resolved())) },
        Finding::Saved { mapping: Some(Err(cause())) },
        Finding::IntegrationInactive,
        Finding::IntegrationAbsent { first_seen: at(0) },
        Finding::IntegrationAbsent { first_seen: at(1000) },
        Finding::IntegrationNotReady { deleting: false },
        Finding::IntegrationError { message: "no".into(), stuck: true },
        Finding::IntegrationError { message: "no".into(), stuck: false },
        Finding::Pending(cause()),
        Finding::Refused(cause()),
        no_verdict(1),
        no_verdict(9),
        Finding::Throttled(cause()),
        Finding::NothingSelected(resolved()),
        synced(),
        vanished(),
    ]
}

#[test]
fn the_same_finding_twice_changes_nothing() {
    for finding in every_finding() {
        let once = look(&AdoProjectConfigStatus::default(), 1, &finding);
        assert_eq!(look(&once, 1, &finding), once, "{finding:?}");
    }
}

#[test]
fn reconciling_and_stalled_never_stand_together_and_ready_always_stands() {
    for before in every_finding() {
        let shown = look(&AdoProjectConfigStatus::default(), 1, &before);
        for after in every_finding() {
            for generation in [1, 2] {
                let status = look(&shown, generation, &after);
                let stands = |condition| conditions::is_true(&status.conditions, condition);
                let both = stands(ConditionType::Reconciling) && stands(ConditionType::Stalled);
                assert!(!both, "{before:?} then {after:?}");
                assert!(conditions::find(&status.conditions, ConditionType::Ready).is_some(), "{after:?}");
            }
        }
    }
}

#[test]
fn only_a_verdict_on_the_mapping_accepts_a_generation() {
    let first = look(&AdoProjectConfigStatus::default(), 1, &synced());
    assert!(is_accepted(&first, 1));
    assert!(!is_accepted(&first, 2));
    for finding in every_finding() {
        let accepts = matches!(finding, Finding::NothingSelected(_) | Finding::Synced(..));
        assert_eq!(is_accepted(&look(&first, 2, &finding), 2), accepts, "{finding:?}");
    }
}

#[test]
fn what_befalls_the_integration_takes_no_acceptance_away() {
    let first = look(&AdoProjectConfigStatus::default(), 1, &synced());
    for finding in [
        Finding::IntegrationInactive,
        Finding::IntegrationAbsent { first_seen: at(0) },
        Finding::IntegrationError { message: "no".into(), stuck: true },
    ] {
        assert!(is_accepted(&look(&first, 1, &finding), 1), "{finding:?}");
    }
}

#[test]
fn after_an_outage_and_a_pause_an_answer_is_lacking() {
    let first = look(&AdoProjectConfigStatus::default(), 1, &synced());
    assert!(!lacks_answer(&first));
    assert!(lacks_answer(&look(&first, 1, &no_verdict(9))));
    assert!(lacks_answer(&look(&first, 1, &Finding::Throttled(cause()))));
}

#[test]
fn a_pause_leaves_what_is_shown_of_this_spec_and_claims_nothing_of_another() {
    let first = look(&AdoProjectConfigStatus::default(), 1, &synced());
    let ready = |status: &AdoProjectConfigStatus| {
        conditions::find(&status.conditions, ConditionType::Ready).map(|ready| ready.status.clone())
    };
    assert_eq!(ready(&look(&first, 1, &Finding::Throttled(cause()))).as_deref(), Some("True"));
    let edited = look(&first, 2, &Finding::Throttled(cause()));
    assert_eq!(ready(&edited).as_deref(), Some("Unknown"));
    assert_eq!(edited.state, Some(ConfigState::Active));
}

#[test]
fn failures_leave_counts_and_times() {
    let first = look(&AdoProjectConfigStatus::default(), 1, &synced());
    for finding in every_finding() {
        if !matches!(finding, Finding::NothingSelected(_)) {
            assert_eq!(look(&first, 1, &finding).counts, first.counts, "{finding:?}");
        }
    }
}

#[test]
fn what_is_waited_for_is_said_anew_when_the_own_run_fails() {
    let waited = look(&AdoProjectConfigStatus::default(), 1, &Finding::IntegrationNotReady { deleting: true });
    let failed = look(&waited, 1, &no_verdict(1));
    let ready = conditions::find(&failed.conditions, ConditionType::Ready).expect("Ready");
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("Validating", "no answer"));
}

#[test]
fn features_that_were_not_judged_stay_as_they_are_shown_and_decide_nothing() {
    let feature = |available| FeatureStatus { name: Feature::CreateDefect, available, missing: Vec::new() };
    let judged = |available| {
        let features = Some(vec![feature(available)]);
        let counts = Synced::default();
        Finding::Synced(Box::new(Resolved { features, ..*resolved() }), Box::new(counts))
    };
    let first = look(&AdoProjectConfigStatus::default(), 1, &judged(Availability::True));
    assert_eq!(first.features, [feature(Availability::True)]);
    for finding in every_finding() {
        assert_eq!(look(&first, 1, &finding).features, first.features, "{finding:?}");
    }
    for available in [Availability::False, Availability::Unknown] {
        let found = look(&first, 1, &judged(available));
        assert_eq!(found.features, [feature(available)]);
        assert_eq!((found.state, found.conditions), (first.state, first.conditions.clone()));
    }
}

#[test]
fn a_disappearance_stays_known_until_a_look_sees_none() {
    let found = look(&AdoProjectConfigStatus::default(), 1, &vanished());
    assert_eq!(found.state, Some(ConfigState::Active));
    assert!(is_accepted(&found, 1), "the mapping is none the worse for it");
    let shows = |status: &AdoProjectConfigStatus, condition| {
        conditions::find(&status.conditions, condition).map(|one| (one.status.clone(), one.message.clone()))
    };
    for condition in [ConditionType::Ready, ConditionType::Synced] {
        assert_eq!(shows(&found, condition), Some(("False".to_owned(), "30 of 40".to_owned())));
    }
    assert!(conditions::is_true(&found.conditions, ConditionType::Stalled));
    for other in [Finding::IntegrationInactive, Finding::Pending(cause()), no_verdict(9), Finding::Throttled(cause())] {
        assert!(shows_disappearance(&look(&found, 1, &other)), "{other:?}");
    }
    assert!(!shows_disappearance(&look(&found, 1, &synced())));
}

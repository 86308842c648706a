//! What both kinds have in common in the table of states (`docs/resources.md`): how a finding becomes conditions.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::{self, Draft};
use crate::api::{ConditionType, Reason};

/// How long something that the spec names may be absent before that is an error: things that are applied together may
/// arrive in any order.
pub const ABSENCE_GRACE: Duration = Duration::from_mins(1);

/// How long no verdict may be had, after a good one or none, before that is an error.
pub const UNREACHABLE_GRACE: Duration = Duration::from_mins(15);

/// A verdict takes at least so many failed tries …
const UNREACHABLE_TRIES: u32 = 3;

/// … over at least so long to be "unreachable".
const UNREACHABLE_SPAN: Duration = Duration::from_mins(1);

/// A reason with the sentence that goes with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cause {
    /// The documented constant.
    pub reason: Reason,
    /// What a person should know, and do.
    pub message: String,
}

impl Cause {
    /// A cause.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// What an earlier look left behind, as far as later verdicts depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// Conditions that the object shows.
    pub conditions: &'a [Condition],
    /// Whether they are about the spec as it is now.
    pub current: bool,
}

impl Before<'_> {
    /// The last verdict on this spec was bad and final: somebody has to change something.
    pub fn was_bad(&self) -> bool {
        self.current && conditions::is_true(self.conditions, ConditionType::Stalled)
    }

    /// What is shown is that work goes on, for a reason that may be over.
    pub fn is_waiting(&self) -> bool {
        conditions::is_true(self.conditions, ConditionType::Reconciling)
    }

    /// There is a verdict on this spec, good or bad.
    pub fn has_verdict(&self) -> bool {
        self.current && conditions::find(self.conditions, ConditionType::Ready).is_some()
    }

    /// How long the object has been shown as unreachable.
    pub fn unreachable_for(&self, now: Timestamp) -> Option<Duration> {
        let shown = conditions::find(self.conditions, ConditionType::Unreachable)?;
        Some(elapsed(shown.last_transition_time.0, now))
    }
}

/// The three kstatus conditions of a verdict.
pub mod kstatus {
    use super::{Cause, ConditionType, Draft};

    /// All is as the spec asks.
    pub fn ready(cause: &Cause) -> Vec<Draft> {
        vec![Draft::yes(ConditionType::Ready, cause.reason, &cause.message)]
    }

    /// No verdict yet; work goes on.
    pub fn waiting(cause: &Cause) -> Vec<Draft> {
        vec![
            Draft::unknown(ConditionType::Ready, cause.reason, &cause.message),
            Draft::yes(ConditionType::Reconciling, cause.reason, &cause.message),
        ]
    }

    /// A bad verdict; nothing goes on until somebody changes something.
    pub fn stuck(cause: &Cause) -> Vec<Draft> {
        vec![
            Draft::no(ConditionType::Ready, cause.reason, &cause.message),
            Draft::yes(ConditionType::Stalled, cause.reason, &cause.message),
        ]
    }

    /// A bad verdict, and work on it goes on.
    pub fn failing(cause: &Cause) -> Vec<Draft> {
        vec![
            Draft::no(ConditionType::Ready, cause.reason, &cause.message),
            Draft::yes(ConditionType::Reconciling, cause.reason, &cause.message),
        ]
    }
}

/// What failing to get a verdict means by now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreachability {
    /// Too early to say anything: what is shown stays.
    Early,
    /// Shown, and healthy things stay as they are.
    Shown,
    /// Shown for so long that it is an error.
    Overdue,
}

/// Judges failed tries: `tries` of them since `first`.
pub fn unreachability(before: &Before<'_>, tries: u32, first: Timestamp, now: Timestamp) -> Unreachability {
    match before.unreachable_for(now) {
        Some(shown) if shown >= UNREACHABLE_GRACE => Unreachability::Overdue,
        Some(_) => Unreachability::Shown,
        None if tries >= UNREACHABLE_TRIES && elapsed(first, now) >= UNREACHABLE_SPAN => Unreachability::Shown,
        None => Unreachability::Early,
    }
}

/// Whether something that is absent since `first_seen` may still be on its way.
pub fn within_grace(first_seen: Timestamp, now: Timestamp) -> bool {
    elapsed(first_seen, now) < ABSENCE_GRACE
}

/// Time from one moment to a later one; zero if the clock went back.
pub fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// A moment some time after another one.
pub fn after(moment: Timestamp, wait: Duration) -> Timestamp {
    moment.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn shown_since(second: i64) -> Vec<Condition> {
        let mut shown =
            conditions::merge(&[], &[Draft::yes(ConditionType::Unreachable, Reason::Unreachable, "")], 1, at(second));
        shown[0].last_transition_time = Time(at(second));
        shown
    }

    #[test]
    fn unreachable_takes_three_tries_over_a_minute() {
        let before = Before { conditions: &[], current: true };
        assert_eq!(unreachability(&before, 3, at(0), at(59)), Unreachability::Early);
        assert_eq!(unreachability(&before, 2, at(0), at(600)), Unreachability::Early);
        assert_eq!(unreachability(&before, 3, at(0), at(60)), Unreachability::Shown);
    }

    #[test]
    fn unreachable_becomes_an_error_fifteen_minutes_after_it_was_shown() {
        let conditions = shown_since(100);
        let before = Before { conditions: &conditions, current: true };
        assert_eq!(unreachability(&before, 9, at(0), at(100 + 899)), Unreachability::Shown);
        assert_eq!(unreachability(&before, 9, at(0), at(100 + 900)), Unreachability::Overdue);
    }

    #[test]
    fn a_clock_that_goes_back_is_no_time_passed() {
        assert_eq!(elapsed(at(10), at(5)), Duration::ZERO);
        assert!(within_grace(at(10), at(5)));
    }
}

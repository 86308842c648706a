//! Conditions: drafted by the verdicts, merged here with what the object already shows.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::{Availability, ConditionType, MESSAGE_LIMIT, Reason};

/// A condition before it has times.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    /// Its type.
    pub condition: ConditionType,
    /// Its status.
    pub status: Availability,
    /// Why.
    pub reason: Reason,
    /// What a person should know, and do.
    pub message: String,
}

impl Draft {
    /// A condition with that status.
    pub fn new(condition: ConditionType, status: Availability, reason: Reason, message: impl Into<String>) -> Self {
        Self { condition, status, reason, message: message.into() }
    }

    /// A condition that is True.
    pub fn yes(condition: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self::new(condition, Availability::True, reason, message)
    }

    /// A condition that is False.
    pub fn no(condition: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self::new(condition, Availability::False, reason, message)
    }

    /// A condition that is Unknown.
    pub fn unknown(condition: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self::new(condition, Availability::Unknown, reason, message)
    }
}

/// The status of a condition as Kubernetes spells it.
pub const fn status_text(status: Availability) -> &'static str {
    match status {
        Availability::True => "True",
        Availability::False => "False",
        Availability::Unknown => "Unknown",
    }
}

/// The condition of that type, if the object shows it.
pub fn find(conditions: &[Condition], condition: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|shown| shown.type_ == condition.as_str())
}

/// Whether the object shows that condition as True.
pub fn is_true(conditions: &[Condition], condition: ConditionType) -> bool {
    find(conditions, condition).is_some_and(|shown| shown.status == status_text(Availability::True))
}

/// Turns drafts into conditions: the time of the last transition stays while the status stays. Conditions that are not
/// drafted are gone, which is how abnormal-true conditions are removed.
pub fn merge(previous: &[Condition], drafts: &[Draft], generation: i64, now: Timestamp) -> Vec<Condition> {
    drafts
        .iter()
        .map(|draft| {
            let status = status_text(draft.status);
            let since = find(previous, draft.condition)
                .filter(|shown| shown.status == status)
                .map_or_else(|| Time(whole_second(now)), |shown| shown.last_transition_time.clone());
            Condition {
                type_: draft.condition.as_str().to_owned(),
                status: status.to_owned(),
                reason: draft.reason.as_str().to_owned(),
                message: cut(&draft.message),
                last_transition_time: since,
                observed_generation: Some(generation),
            }
        })
        .collect()
}

/// The drafts that the conditions were made of, for verdicts that leave some of them as they are.
pub fn keep(previous: &[Condition], condition: ConditionType) -> Option<Draft> {
    let shown = find(previous, condition)?;
    let status = match shown.status.as_str() {
        "True" => Availability::True,
        "False" => Availability::False,
        _ => Availability::Unknown,
    };
    let reason = Reason::ALL.iter().find(|reason| reason.as_str() == shown.reason)?;
    Some(Draft::new(condition, status, *reason, shown.message.clone()))
}

/// Kubernetes keeps condition times in whole seconds; a finer one would differ from what is read back.
fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// At most [`MESSAGE_LIMIT`] characters.
fn cut(message: &str) -> String {
    if message.chars().count() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let mut short: String = message.chars().take(MESSAGE_LIMIT - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn the_transition_time_stays_while_the_status_stays() {
        let first = merge(&[], &[Draft::yes(ConditionType::Ready, Reason::Connected, "a")], 1, at(10));
        let second = merge(&first, &[Draft::yes(ConditionType::Ready, Reason::Synced, "b")], 2, at(20));
        assert_eq!(second[0].last_transition_time, Time(at(10)));
        assert_eq!(second[0].message, "b");
        assert_eq!(second[0].observed_generation, Some(2));
        let third = merge(&second, &[Draft::no(ConditionType::Ready, Reason::Synced, "b")], 2, at(30));
        assert_eq!(third[0].last_transition_time, Time(at(30)));
    }

    #[test]
    fn conditions_that_are_not_drafted_are_removed() {
        let first = merge(&[], &[Draft::yes(ConditionType::Stalled, Reason::Connected, "")], 1, at(10));
        assert!(merge(&first, &[], 1, at(11)).is_empty());
    }

    #[test]
    fn long_messages_are_cut_at_the_limit() {
        let long = "ä".repeat(5000);
        let merged = merge(&[], &[Draft::yes(ConditionType::Ready, Reason::Connected, long)], 1, at(1));
        assert_eq!(merged[0].message.chars().count(), MESSAGE_LIMIT);
    }

    #[test]
    fn keeping_a_condition_is_the_inverse_of_merging_it() {
        let draft = Draft::unknown(ConditionType::CredentialValid, Reason::Unreachable, "no answer");
        let merged = merge(&[], std::slice::from_ref(&draft), 1, at(1));
        assert_eq!(keep(&merged, ConditionType::CredentialValid), Some(draft));
    }
}

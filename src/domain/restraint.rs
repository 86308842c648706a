//! How often the status of a project config is written: what follows from data waits for its minute, all else is said at once.

use std::time::Duration;

use jiff::Timestamp;

use super::verdict::after;
use crate::api::{AdoProjectConfigStatus, Counts, SyncStatus, UnmappedStatus};

/// What follows from data is written at most so often.
pub const DATA_PAUSE: Duration = Duration::from_mins(1);

/// The fields of a status that follow from data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    counts: Option<Counts>,
    unmapped: Vec<UnmappedStatus>,
    unmapped_total: Option<i64>,
    warnings: Vec<String>,
    sync: Option<SyncStatus>,
}

impl Data {
    /// Those of a status.
    pub fn of(status: &AdoProjectConfigStatus) -> Self {
        let AdoProjectConfigStatus { counts, unmapped, unmapped_total, warnings, sync, .. } = status.clone();
        Self { counts, unmapped, unmapped_total, warnings, sync }
    }

    /// A status with these in the place of its own.
    pub fn put_into(self, status: AdoProjectConfigStatus) -> AdoProjectConfigStatus {
        let Self { counts, unmapped, unmapped_total, warnings, sync } = self;
        AdoProjectConfigStatus { counts, unmapped, unmapped_total, warnings, sync, ..status }
    }
}

/// Whether to write a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Writing {
    /// It says what is shown.
    Never,
    /// Now.
    Now,
    /// Not before that moment.
    At(Timestamp),
}

/// Decides when to write `wanted` over `shown`, if what follows from data was last written at `last` by this process.
pub fn writing(
    shown: &AdoProjectConfigStatus,
    wanted: &AdoProjectConfigStatus,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Writing {
    if wanted == shown {
        return Writing::Never;
    }
    let says_more = Data::of(shown).put_into(wanted.clone()) != *shown;
    // A clock that went back says nothing of how long ago that was.
    match last.filter(|last| !says_more && *last <= now).map(|last| after(last, DATA_PAUSE)) {
        Some(next) if next > now => Writing::At(next),
        _ => Writing::Now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn counting(bugs: i64) -> AdoProjectConfigStatus {
        let counts = Some(Counts { bugs, ..Counts::default() });
        AdoProjectConfigStatus { counts, observed_generation: Some(1), ..AdoProjectConfigStatus::default() }
    }

    #[test]
    fn what_is_shown_already_is_not_written() {
        assert_eq!(writing(&counting(1), &counting(1), None, at(0)), Writing::Never);
    }

    #[test]
    fn data_wait_for_the_end_of_the_minute() {
        let of = |last, now| writing(&counting(1), &counting(2), last, at(now));
        assert_eq!(of(None, 0), Writing::Now);
        assert_eq!(of(Some(at(0)), 59), Writing::At(at(60)));
        assert_eq!(of(Some(at(0)), 60), Writing::Now);
        assert_eq!(of(Some(at(100)), 60), Writing::Now, "the clock went back");
    }

    #[test]
    fn each_field_that_follows_from_data_waits() {
        let shown = counting(1);
        for wanted in [
            AdoProjectConfigStatus { warnings: vec!["text".into()], ..shown.clone() },
            AdoProjectConfigStatus { unmapped_total: Some(1), ..shown.clone() },
            AdoProjectConfigStatus { unmapped: vec![UnmappedStatus::default()], ..shown.clone() },
            AdoProjectConfigStatus { sync: Some(SyncStatus::default()), ..shown.clone() },
        ] {
            assert_eq!(writing(&shown, &wanted, Some(at(0)), at(1)), Writing::At(at(60)), "{wanted:?}");
        }
    }

    #[test]
    fn all_else_is_written_at_once_and_takes_the_data_along() {
        let edited = AdoProjectConfigStatus { observed_generation: Some(2), ..counting(2) };
        let echo = AdoProjectConfigStatus { last_handled_requested_at: Some("a".into()), ..counting(1) };
        for wanted in [edited, echo] {
            assert_eq!(writing(&counting(1), &wanted, Some(at(0)), at(1)), Writing::Now, "{wanted:?}");
        }
    }

    #[test]
    fn data_that_were_held_back_are_put_over_what_is_shown() {
        let shown = AdoProjectConfigStatus { observed_generation: Some(7), ..counting(1) };
        let merged = Data::of(&counting(2)).put_into(shown);
        assert_eq!((merged.counts, merged.observed_generation), (counting(2).counts, Some(7)));
    }
}

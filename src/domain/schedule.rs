//! When an integration is probed again.

use std::time::Duration;

use jiff::Timestamp;

use super::verdict::{after, elapsed};

/// A refused credential is tried again after so long at the latest: whoever hammers an expired token may lock the
/// account that it belongs to.
pub const REFUSED_PROBE: Duration = Duration::from_hours(1);

/// A person may ask for a probe of a refused credential so often.
pub const REFUSED_REQUEST: Duration = Duration::from_mins(1);

/// A validation that left a wanted feature without an answer is repeated after so long, if its interval is longer.
pub const UNKNOWN_PROBE: Duration = Duration::from_mins(2);

/// First pause after a try without a verdict; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Longest pause between tries without a verdict.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// First pause of an object whose identity is busy; it doubles with each look that finds it so.
const FIRST_BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause of an object whose identity is busy.
const LONGEST_BUSY_PAUSE: Duration = Duration::from_secs(16);

/// What the last probe came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum LastProbe {
    /// None in this process.
    #[default]
    None,
    /// A verdict, good or bad, that only a change or the interval puts in question.
    Verdict {
        /// When.
        at: Timestamp,
    },
    /// The credential was refused.
    Refused {
        /// When.
        at: Timestamp,
        /// Version of the credential that was refused.
        credential: String,
    },
    /// No verdict.
    Failed {
        /// When.
        at: Timestamp,
        /// Tries in a row without a verdict.
        tries: u32,
    },
    /// Azure DevOps asked for a pause.
    Throttled {
        /// End of the pause.
        until: Timestamp,
    },
}

impl LastProbe {
    /// When it was made.
    fn at(&self) -> Option<Timestamp> {
        match self {
            Self::None | Self::Throttled { .. } => None,
            Self::Verdict { at } | Self::Refused { at, .. } | Self::Failed { at, .. } => Some(*at),
        }
    }
}

/// What speaks for a probe now.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The spec, or something that it names, differs from what was last probed.
    pub changed: bool,
    /// Version of the credential as it is now, together with where it would be sent.
    pub credential: &'a str,
    /// A person asked for a run.
    pub requested: bool,
    /// Time between two validations.
    pub interval: Duration,
    /// A number from 0 to 1 that is the object's own, so that a fleet does not validate in step.
    pub spread: f64,
}

/// Whether to probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Now.
    Now,
    /// Not before that moment, unless something changes.
    At(Timestamp),
}

/// Decides when the next probe is due.
pub fn due(last: &LastProbe, question: Question<'_>, now: Timestamp) -> Due {
    if last.at().is_some_and(|at| at > now) {
        // The clock went back, so nothing can be said of how long ago that was.
        return Due::Now;
    }
    let next = match last {
        LastProbe::Refused { at, credential } if credential == question.credential => {
            after(*at, if question.requested { REFUSED_REQUEST } else { REFUSED_PROBE })
        }
        LastProbe::None | LastProbe::Refused { .. } => return Due::Now,
        _ if question.changed => return Due::Now,
        LastProbe::Throttled { until } => *until,
        _ if question.requested => return Due::Now,
        LastProbe::Verdict { at } => after(*at, spread(question.interval, question.spread)),
        LastProbe::Failed { at, tries } => after(*at, spread(pause(*tries), question.spread)),
    };
    if next <= now { Due::Now } else { Due::At(next) }
}

/// Pause after so many tries in a row without a verdict.
pub(super) fn pause(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(10))).min(LONGEST_PAUSE)
}

/// Pause of an object whose identity has as many objects under way as it may, after so many looks that found it so.
pub fn busy_pause(looks: u32) -> Duration {
    FIRST_BUSY_PAUSE.saturating_mul(2_u32.saturating_pow(looks.saturating_sub(1).min(10))).min(LONGEST_BUSY_PAUSE)
}

/// Between 90 % and 100 % of a time, so that what was said to be its length is kept.
fn spread(time: Duration, spread: f64) -> Duration {
    time.mul_f64(0.9 + 0.1 * spread.clamp(0.0, 1.0))
}

/// Time until a moment; at least a second, so that a due time that just passed is no busy loop.
pub fn until(moment: Timestamp, now: Timestamp) -> Duration {
    elapsed(now, moment).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn calm(credential: &str) -> Question<'_> {
        Question { changed: false, credential, requested: false, interval: Duration::from_mins(10), spread: 1.0 }
    }

    fn refused() -> LastProbe {
        LastProbe::Refused { at: at(0), credential: "a".into() }
    }

    #[test]
    fn the_first_look_probes() {
        assert_eq!(due(&LastProbe::None, calm("a"), at(0)), Due::Now);
    }

    #[test]
    fn a_refused_credential_waits_for_the_hour() {
        assert_eq!(due(&refused(), calm("a"), at(3599)), Due::At(at(3600)));
        assert_eq!(due(&refused(), calm("a"), at(3600)), Due::Now);
    }

    #[test]
    fn a_refused_credential_is_not_tried_again_for_an_edit_of_something_else() {
        assert_eq!(due(&refused(), Question { changed: true, ..calm("a") }, at(10)), Due::At(at(3600)));
    }

    #[test]
    fn another_credential_is_tried_at_once() {
        assert_eq!(due(&refused(), calm("b"), at(1)), Due::Now);
    }

    #[test]
    fn a_request_on_a_refused_credential_is_served_once_a_minute() {
        let asked = Question { requested: true, ..calm("a") };
        assert_eq!(due(&refused(), asked, at(59)), Due::At(at(60)));
        assert_eq!(due(&refused(), asked, at(60)), Due::Now);
    }

    #[test]
    fn a_verdict_holds_for_the_interval_unless_something_changed_or_was_asked() {
        let last = LastProbe::Verdict { at: at(0) };
        assert_eq!(due(&last, calm("a"), at(599)), Due::At(at(600)));
        assert_eq!(due(&last, calm("a"), at(600)), Due::Now);
        assert_eq!(due(&last, Question { changed: true, ..calm("a") }, at(1)), Due::Now);
        assert_eq!(due(&last, Question { requested: true, ..calm("a") }, at(1)), Due::Now);
    }

    #[test]
    fn a_pause_that_azure_devops_asked_for_holds_for_requests_too() {
        let last = LastProbe::Throttled { until: at(50) };
        assert_eq!(due(&last, Question { requested: true, ..calm("a") }, at(49)), Due::At(at(50)));
    }

    #[test]
    fn a_change_does_not_wait_for_the_end_of_a_pause() {
        let last = LastProbe::Throttled { until: at(50) };
        assert_eq!(due(&last, Question { changed: true, ..calm("a") }, at(1)), Due::Now);
    }

    #[test]
    fn a_clock_that_went_back_does_not_stop_probing() {
        for last in [refused(), LastProbe::Verdict { at: at(0) }, LastProbe::Failed { at: at(0), tries: 1 }] {
            assert_eq!(due(&last, calm("a"), at(-1)), Due::Now);
        }
    }

    #[test]
    fn tries_without_a_verdict_back_off_and_reach_three_within_the_first_minute_and_a_half() {
        assert_eq!(pause(1), Duration::from_secs(5));
        assert_eq!(pause(2), Duration::from_secs(10));
        assert_eq!(pause(5), Duration::from_secs(80));
        assert_eq!(pause(100), LONGEST_PAUSE);
    }

    #[test]
    fn the_spread_never_lengthens_an_interval() {
        assert_eq!(spread(Duration::from_secs(100), 0.0), Duration::from_secs(90));
        assert_eq!(spread(Duration::from_secs(100), 1.0), Duration::from_secs(100));
    }
}

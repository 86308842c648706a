//! Tries in a row: what failures, pauses and verdicts leave behind for the next try.

use std::time::Duration;

use jiff::Timestamp;

use super::schedule::{LastProbe, busy_pause, pause};
use super::verdict::{after, elapsed};

/// Nobody should wait longer for a busy identity without being told.
const BUSY_UNTOLD: Duration = Duration::from_secs(3);

/// What earlier tries left behind in this process.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attempts {
    /// What the last try came to.
    pub last: LastProbe,
    failures: Option<(u32, Timestamp)>,
    throttled_since: Option<Timestamp>,
    busy: Option<(u32, Timestamp)>,
}

/// A try that was put off because the identity has as many objects under way as it may.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PutOff {
    /// Time until the next, unless it is called before.
    pub pause: Duration,
    /// Whether it has waited for so long that it should be told.
    pub is_long: bool,
}

/// A try without a verdict.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure {
    /// Tries in a row without a verdict, this one included.
    pub tries: u32,
    /// When the first of them was made.
    pub first: Timestamp,
    /// Time until the next.
    pub pause: Duration,
}

/// A pause that Azure DevOps asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Throttle {
    /// Its end.
    pub until: Timestamp,
    /// Whether a whole interval passes without a try that gets through.
    pub interval_missed: bool,
}

impl Attempts {
    /// A verdict was had, so nothing is left of earlier tries.
    pub fn settled(&mut self, last: LastProbe) {
        *self = Self { last, ..Self::default() };
    }

    /// No verdict was had.
    pub fn failed(&mut self, now: Timestamp) -> Failure {
        let (tries, first) = self.failures.map_or((1, now), |(tries, first)| (tries.saturating_add(1), first));
        self.failures = Some((tries, first));
        self.busy = None;
        self.last = LastProbe::Failed { at: now, tries };
        Failure { tries, first, pause: pause(tries) }
    }

    /// The identity has as many objects under way as it may.
    pub fn busy(&mut self, now: Timestamp) -> PutOff {
        let (looks, since) = self.busy.map_or((1, now), |(looks, since)| (looks.saturating_add(1), since));
        self.busy = Some((looks, since));
        PutOff { pause: busy_pause(looks), is_long: elapsed(since, now) >= BUSY_UNTOLD }
    }

    /// A pause was asked for: neither a verdict nor a failure.
    pub fn throttled(&mut self, now: Timestamp, wait: Duration, interval: Duration) -> Throttle {
        let until = after(now, wait);
        let since = *self.throttled_since.get_or_insert(now);
        self.busy = None;
        self.last = LastProbe::Throttled { until };
        Throttle { until, interval_missed: elapsed(since, until) >= interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn failures_are_counted_until_a_verdict() {
        let mut attempts = Attempts::default();
        assert_eq!(attempts.failed(at(0)).tries, 1);
        let third = [attempts.failed(at(5)), attempts.failed(at(15))][1];
        assert_eq!((third.tries, third.first), (3, at(0)));
        attempts.settled(LastProbe::Verdict { at: at(20) });
        assert_eq!((attempts.failed(at(30)).tries, attempts.failed(at(31)).first), (1, at(30)));
    }

    #[test]
    fn who_finds_its_identity_busy_stays_away_ever_longer_until_it_gets_in() {
        let mut attempts = Attempts::default();
        let looks: Vec<PutOff> = [0, 1, 3, 7, 15, 31].into_iter().map(|second| attempts.busy(at(second))).collect();
        assert_eq!(looks.iter().map(|look| look.pause.as_secs()).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 16]);
        assert_eq!(looks.iter().map(|look| look.is_long).collect::<Vec<_>>(), [false, false, true, true, true, true]);
        attempts.settled(LastProbe::Verdict { at: at(40) });
        assert_eq!(attempts.busy(at(50)), PutOff { pause: Duration::from_secs(1), is_long: false });
    }

    #[test]
    fn an_interval_is_missed_when_pauses_in_a_row_are_as_long() {
        let mut attempts = Attempts::default();
        let interval = Duration::from_mins(1);
        assert!(!attempts.throttled(at(0), Duration::from_secs(30), interval).interval_missed);
        assert!(attempts.throttled(at(30), Duration::from_secs(30), interval).interval_missed);
    }
}

//! When a request may be sent, by what the service's answers say about its limits (`ado-api.md` §4). Pure: time comes in.

use std::time::Duration;

use tokio::time::Instant;

/// Longest pause that an answer can impose, so that a wrong header does not stop an integration for good.
pub(crate) const MAX_HOLD: Duration = Duration::from_hours(1);
/// Share of the limit, in percent, below which background work pauses.
const BACKGROUND_PERCENT: f64 = 70.0;
/// Share of the limit, in percent, below which user and webhook work pauses.
const FOREGROUND_PERCENT: f64 = 30.0;
/// What a request is for: who goes first, and who pauses first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody waits for it: user actions, probes of a credential.
    User,
    /// Webhook events.
    Webhook,
    /// Incremental sync.
    Incremental,
    /// Full sync.
    Full,
}

pub(crate) const PRIORITIES: usize = 4;

impl Priority {
    pub(crate) fn rank(self) -> usize {
        match self {
            Self::User => 0,
            Self::Webhook => 1,
            Self::Incremental => 2,
            Self::Full => 3,
        }
    }

    fn threshold_percent(self) -> f64 {
        match self {
            Self::User | Self::Webhook => FOREGROUND_PERCENT,
            Self::Incremental | Self::Full => BACKGROUND_PERCENT,
        }
    }
}

/// What an answer's headers say about the limits, with times relative to its arrival.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateHeaders {
    /// `Retry-After`: no request before this time has passed, even if the answer is a 200.
    pub retry_after: Option<Duration>,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, if all three came.
    pub quota: Option<Quota>,
}

/// How much of the limit is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Units (TSTU) allowed; greater than zero.
    pub limit: f64,
    /// Units left.
    pub remaining: f64,
    /// Time until the use is back to zero.
    pub reset: Duration,
}

/// What is known of an identity's limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Pace {
    hold_until: Option<Instant>,
    quota: Option<(Quota, Instant)>,
}

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Now.
    Go,
    /// Then, unless better news come.
    WaitUntil(Instant),
}

impl Pace {
    /// May a request of this priority be sent now?
    pub(crate) fn decide(&self, priority: Priority, now: Instant) -> Decision {
        if let Some(until) = self.hold_until.filter(|until| *until > now) {
            return Decision::WaitUntil(until);
        }
        match self.quota {
            Some((quota, until))
                if until > now && quota.remaining < quota.limit * priority.threshold_percent() / 100.0 =>
            {
                Decision::WaitUntil(until)
            }
            Some(_) | None => Decision::Go,
        }
    }

    pub(crate) fn observe(&mut self, headers: RateHeaders, now: Instant) {
        if let Some(after) = headers.retry_after {
            let until = now + after.min(MAX_HOLD);
            self.hold_until = Some(self.hold_until.map_or(until, |held| held.max(until)));
        }
        if let Some(quota) = headers.quota {
            self.quota = Some((quota, now + quota.reset.min(MAX_HOLD)));
        }
    }

    /// What holds when two budgets turn out to be one identity's: the stricter of both.
    pub(crate) fn join(&mut self, other: Pace) {
        self.hold_until = self.hold_until.max(other.hold_until);
        self.quota = match (self.quota, other.quota) {
            (Some(a), Some(b)) => Some(if a.0.remaining / a.0.limit <= b.0.remaining / b.0.limit { a } else { b }),
            (a, b) => a.or(b),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(remaining: f64, reset: u64) -> RateHeaders {
        let quota = Quota { limit: 200.0, remaining, reset: Duration::from_secs(reset) };
        RateHeaders { retry_after: None, quota: Some(quota) }
    }

    fn hold(seconds: u64) -> RateHeaders {
        RateHeaders { retry_after: Some(Duration::from_secs(seconds)), quota: None }
    }

    #[test]
    fn each_priority_pauses_below_its_share_of_the_limit_and_only_until_the_reset() {
        let now = Instant::now();
        let reset = Duration::from_mins(1);
        let pace = |remaining| {
            let mut pace = Pace::default();
            pace.observe(quota(remaining, 60), now);
            pace
        };
        let until = Decision::WaitUntil(now + reset);
        for (remaining, background, foreground) in [
            (200.0, Decision::Go, Decision::Go),
            (140.0, Decision::Go, Decision::Go),
            (139.9, until, Decision::Go),
            (60.0, until, Decision::Go),
            (59.9, until, until),
            (0.0, until, until),
            (-5.0, until, until),
        ] {
            for priority in [Priority::Incremental, Priority::Full] {
                assert_eq!(pace(remaining).decide(priority, now), background, "{remaining} {priority:?}");
            }
            for priority in [Priority::User, Priority::Webhook] {
                assert_eq!(pace(remaining).decide(priority, now), foreground, "{remaining} {priority:?}");
            }
            assert_eq!(pace(remaining).decide(Priority::Full, now + reset), Decision::Go);
        }
        assert_eq!(Pace::default().decide(Priority::Full, now), Decision::Go);
    }

    #[test]
    fn retry_after_holds_for_everybody_never_shrinks_and_is_bounded() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.observe(hold(300), now);
        pace.observe(hold(5), now);
        for priority in [Priority::User, Priority::Webhook, Priority::Incremental, Priority::Full] {
            assert_eq!(pace.decide(priority, now), Decision::WaitUntil(now + Duration::from_mins(5)));
        }
        pace.observe(hold(1_000_000), now);
        assert_eq!(pace.decide(Priority::User, now), Decision::WaitUntil(now + MAX_HOLD));
        pace.observe(quota(0.0, 1_000_000), now);
        assert_eq!(pace.decide(Priority::User, now + MAX_HOLD), Decision::Go);
    }
}

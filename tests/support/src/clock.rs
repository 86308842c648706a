//! A clock that a test moves on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ado_operator::clock::Clock;
use futures::stream::{BoxStream, StreamExt as _, unfold};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The machine's time and what the test added to it, until the test lets it stand still.
pub struct ManualClock {
    time: Mutex<Time>,
    jumps: watch::Sender<()>,
}

/// Where the time comes from.
#[derive(Clone, Copy)]
enum Time {
    /// The machine, and so much on top.
    Flowing(Duration),
    /// The test alone.
    Held(Timestamp),
}

impl Time {
    fn now(self) -> Timestamp {
        match self {
            Self::Flowing(ahead) => later(Timestamp::now(), ahead),
            Self::Held(now) => now,
        }
    }
}

fn later(moment: Timestamp, time: Duration) -> Timestamp {
    moment.saturating_add(SignedDuration::try_from(time).unwrap_or_default()).unwrap_or_default()
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { time: Mutex::new(Time::Flowing(Duration::ZERO)), jumps: watch::Sender::new(()) }
    }
}

impl ManualClock {
    /// Lets time pass at once. Everything that waits for a moment looks again.
    pub fn advance(&self, time: Duration) {
        self.change(|now| match now {
            Time::Flowing(ahead) => Time::Flowing(ahead.saturating_add(time)),
            Time::Held(now) => Time::Held(later(now, time)),
        });
        self.jumps.send_replace(());
    }

    /// Stops the time: from now on it passes only where the test says so, however slow the machine is.
    pub fn hold(&self) {
        self.change(|time| Time::Held(time.now()));
    }

    fn change(&self, change: impl FnOnce(Time) -> Time) {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        *time = change(*time);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    fn jumps(&self) -> BoxStream<'static, ()> {
        unfold(self.jumps.subscribe(), async |mut seen| seen.changed().await.ok().map(|()| ((), seen))).boxed()
    }
}

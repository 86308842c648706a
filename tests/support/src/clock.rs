//! A clock that a test moves on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ado_operator::clock::Clock;
use futures::stream::{BoxStream, StreamExt as _, unfold};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The machine's time, and what the test added to it.
pub struct ManualClock {
    ahead: Mutex<Duration>,
    jumps: watch::Sender<()>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { ahead: Mutex::default(), jumps: watch::Sender::new(()) }
    }
}

impl ManualClock {
    /// Lets time pass at once. Everything that waits for a moment looks again.
    pub fn advance(&self, time: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += time;
        self.jumps.send_replace(());
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::now().saturating_add(SignedDuration::try_from(ahead).unwrap_or_default()).unwrap_or_default()
    }

    fn jumps(&self) -> BoxStream<'static, ()> {
        unfold(self.jumps.subscribe(), async |mut seen| seen.changed().await.ok().map(|()| ((), seen))).boxed()
    }
}

//! Time comes in from outside, so that hours pass in a test when the test says so.

use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Emits whenever the time jumped instead of flowing, so that whoever waits for a moment looks again.
    fn jumps(&self) -> BoxStream<'static, ()>;
}

/// A clock that all parts of one operator share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn jumps(&self) -> BoxStream<'static, ()> {
        stream::pending().boxed()
    }
}

//! Something that an object names and that does not exist, as seen by this process.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::domain::schedule::until;
use crate::domain::verdict::{ABSENCE_GRACE, after, within_grace};

/// A waiting status is shown only if the verdict takes longer than this: things that are applied together mostly arrive
/// together.
pub const NOTICE_AFTER: Duration = Duration::from_secs(2);

/// Since when something is absent.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    first_seen: Timestamp,
    /// The same on the machine's clock, for the time in which nothing is shown.
    noticed: Instant,
}

/// What an absence means by now.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// Nothing is shown yet; look again after that time.
    Quiet(Duration),
    /// Shown as waiting until the grace is over after that time.
    Waiting(Timestamp, Duration),
    /// An error.
    Over(Timestamp),
}

impl Absence {
    /// Notes an absence, or an earlier one that goes on.
    pub fn look(absence: &mut Option<Self>, now: Timestamp) -> Patience {
        let Self { first_seen, noticed } =
            *absence.get_or_insert_with(|| Self { first_seen: now, noticed: Instant::now() });
        let quiet = NOTICE_AFTER.saturating_sub(noticed.elapsed());
        if !quiet.is_zero() {
            Patience::Quiet(quiet)
        } else if within_grace(first_seen, now) {
            Patience::Waiting(first_seen, until(after(first_seen, ABSENCE_GRACE), now))
        } else {
            Patience::Over(first_seen)
        }
    }
}

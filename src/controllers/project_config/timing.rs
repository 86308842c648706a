//! When a project is read again, and how much of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Basis, RECHECK_INTERVAL, Run, Step};
use crate::api::{AdoProjectConfigStatus, ConditionType};
use crate::controllers::visits::spread;
use crate::domain::conditions;
use crate::domain::project_config::{Finding, is_accepted, lacks_answer};
use crate::domain::schedule::{self, LastProbe, Question};
use crate::domain::verdict::after;
use crate::sync::reads::Wish;

impl Run<'_> {
    /// Accepted and synced before, and nothing puts that in question: nothing is sent. A process that begins looks for changes
    /// within the interval, each config at a time of its own.
    pub(super) fn still_good(&mut self, shown: &AdoProjectConfigStatus, basis: &Basis) -> Option<Step> {
        let answered = !matches!(self.visit.attempts.last, LastProbe::Failed { .. } | LastProbe::Throttled { .. });
        let good = answered && is_accepted(shown, self.generation()) && !lacks_answer(shown);
        if !good || self.requested().is_some() {
            return None;
        }
        if !self.selects() {
            return Some(Step { finding: Some(Finding::StillAccepted { synced: false }), ended: false, again: None });
        }
        let is_first = self.visit.attempts.last == LastProbe::None;
        let synced = conditions::is_true(&shown.conditions, ConditionType::Synced);
        if !is_first || !synced || self.is_whole_due(shown) {
            return None;
        }
        let (interval, spread) = (self.interval(), spread(&self.uid));
        let before = SignedDuration::try_from(interval.mul_f64(1.0 - spread)).unwrap_or_default();
        let at = self.now.saturating_sub(before).unwrap_or(self.now);
        self.visit.attempts.settled(LastProbe::Verdict { at });
        self.visit.basis = Some(basis.clone());
        let finding = Some(Finding::StillAccepted { synced: true });
        Some(Step { finding, ended: false, again: Some(schedule::until(after(at, interval), self.now)) })
    }

    /// Whether everything has to be read again, so that items that are gone are noticed.
    fn is_whole_due(&self, shown: &AdoProjectConfigStatus) -> bool {
        let last = shown.sync.as_ref().and_then(|sync| sync.last_full_time.as_ref());
        let read: Option<Timestamp> = last.and_then(|time| time.parse().ok());
        read.is_some_and(|read| self.now >= after(read, self.object.spec.effective_full_interval()))
    }

    /// Time until changes are looked for again. Without feeds only a whole read tells of them.
    pub(super) fn interval(&self) -> Duration {
        let spec = &self.object.spec;
        let has_feeds = self.visit.known.as_ref().is_none_or(|known| known.has_feeds);
        match &self.visit.finding {
            Some(Finding::Synced(..)) if !has_feeds => spec.effective_full_interval(),
            Some(Finding::Refused(_)) => RECHECK_INTERVAL,
            _ => spec.effective_interval(),
        }
    }

    /// What read this look is content with: configs of one project share what comes within half an interval.
    pub(super) fn wish(&self, question: Question<'_>) -> Wish {
        let went_well = matches!(self.visit.attempts.last, LastProbe::Verdict { .. });
        let is_routine = went_well && !question.changed && !question.requested;
        let tolerance = if is_routine { question.interval / 2 } else { Duration::ZERO };
        Wish { tolerance, whole: self.is_whole_due(&self.shown()) }
    }

    /// Whether at least one toggle is on.
    fn selects(&self) -> bool {
        self.object.spec.requirements().is_some() || self.object.spec.bugs().is_some()
    }
}

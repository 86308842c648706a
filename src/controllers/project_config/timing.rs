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
use crate::sync::look::Ages;
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
        match &self.visit.finding {
            Some(Finding::Synced(..)) => self.interval_of_reads(),
            Some(Finding::Refused(_)) => RECHECK_INTERVAL,
            _ => self.object.spec.effective_interval(),
        }
    }

    fn interval_of_reads(&self) -> Duration {
        let has_feeds = self.visit.known.as_ref().is_none_or(|known| known.has_feeds);
        let spec = &self.object.spec;
        if has_feeds { spec.effective_interval() } else { spec.effective_full_interval() }
    }

    /// What read this look is content with, and how old what is known may be. Configs of one project share what comes within
    /// half an interval. A new or edited spec is held against what is known, and mapped from what was read within an interval;
    /// a person who asks, and another integration or credential, want all anew. After a failure nothing but an answer counts.
    pub(super) fn wish(&self, question: Question<'_>, basis: &Basis) -> (Wish, Ages) {
        let shown = self.shown();
        let went_well = matches!(self.visit.attempts.last, LastProbe::None | LastProbe::Verdict { .. });
        let tolerance = if question.requested || !went_well || lacks_answer(&shown) || self.is_lent_anew(basis) {
            Duration::ZERO
        } else if question.changed {
            self.interval_of_reads()
        } else {
            question.interval / 2
        };
        let is_anew = question.requested || self.is_lent_anew(basis);
        // Without feeds the interval is that of whole reads.
        let iterations = tolerance.min(self.object.spec.effective_interval());
        let ages = if is_anew { Ages::ANEW } else { Ages::known(iterations) };
        (Wish { tolerance, whole: self.is_whole_due(&shown) }, ages)
    }

    /// How old what a config is held against may be that is only saved.
    pub(super) fn saved_ages(&self, basis: &Basis) -> Ages {
        if self.is_lent_anew(basis) { Ages::ANEW } else { Ages::known(self.object.spec.effective_interval()) }
    }

    /// Whether the integration or its credential is another one than at the last look.
    fn is_lent_anew(&self, basis: &Basis) -> bool {
        let before = self.visit.basis.as_ref();
        before.is_some_and(|before| Basis { generation: basis.generation, ..before.clone() } != *basis)
    }

    /// Whether at least one toggle is on.
    fn selects(&self) -> bool {
        self.object.spec.requirements().is_some() || self.object.spec.bugs().is_some()
    }
}

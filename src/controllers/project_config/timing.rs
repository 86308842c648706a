//! When a project is read again, and how much of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use uuid::Uuid;

use super::{Basis, RECHECK_INTERVAL, Run, Step};
use crate::api::{AdoProjectConfigStatus, CONFIRM_DISAPPEARANCE, ConditionType};
use crate::controllers::visits::spread;
use crate::domain::conditions;
use crate::domain::project_config::{Finding, is_accepted, lacks_answer, shows_disappearance};
use crate::domain::schedule::{self, LastProbe, Question};
use crate::domain::verdict::after;
use crate::sync::look::Ages;
use crate::sync::pull::Depth;
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

    /// Whether it is time to look for what no change tells of.
    fn is_whole_due(&self, shown: &AdoProjectConfigStatus) -> bool {
        let last = shown.sync.as_ref().and_then(|sync| sync.last_full_time.as_ref());
        let read: Option<Timestamp> = last.and_then(|time| time.parse().ok());
        // A time to come was written by a clock that was put back since.
        read.is_some_and(|read| read > self.now || self.now >= after(read, self.object.spec.effective_full_interval()))
    }

    /// Time until changes are looked for again.
    pub(super) fn interval(&self) -> Duration {
        match &self.visit.finding {
            Some(Finding::Refused(_)) => RECHECK_INTERVAL,
            Some(Finding::Synced(_, synced)) if synced.disappearance.is_some() => RECHECK_INTERVAL,
            _ => self.object.spec.effective_interval(),
        }
    }

    /// What read this look is content with, and how old what is known may be. Configs of one project share what comes within
    /// half an interval. A new or edited spec is held against what is known, and mapped from what was read within an interval;
    /// a person who asks, and another integration or credential, want all anew. After a failure nothing but answers count.
    pub(super) fn wish(&self, question: Question<'_>, basis: &Basis, is_known: bool) -> (Wish, Ages) {
        let shown = self.shown();
        let went_well = matches!(self.visit.attempts.last, LastProbe::None | LastProbe::Verdict { .. });
        let is_anew = question.requested || self.is_lent_anew(basis);
        let tolerance = if is_anew || !went_well || lacks_answer(&shown) {
            Duration::ZERO
        } else if question.changed {
            self.object.spec.effective_interval()
        } else {
            question.interval / 2
        };
        let ages = if tolerance.is_zero() { Ages::ANEW } else { Ages::known(tolerance) };
        let is_known = is_known && !self.is_lent_anew(basis);
        (Wish { tolerance, depth: self.depth(is_known), confirmed: self.confirmed() }, ages)
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

    /// How far to look. What is stored counts for a config only when the present credential has shown that it is there, so
    /// the first look of each is for that.
    fn depth(&self, is_known: bool) -> Depth {
        let shown = self.shown();
        let never = shown.sync.as_ref().is_none_or(|sync| sync.last_full_time.is_none());
        if self.is_whole_due(&shown) {
            Depth::Links
        } else if never || !is_known || shows_disappearance(&shown) {
            Depth::Ids
        } else {
            Depth::Changes
        }
    }

    /// The disappearance that a person has confirmed.
    fn confirmed(&self) -> Option<Uuid> {
        self.object.annotations().get(CONFIRM_DISAPPEARANCE)?.trim().parse().ok()
    }

    /// Whether a person has confirmed the disappearance that stands.
    pub(super) fn confirms(&self) -> bool {
        let standing = match &self.visit.finding {
            Some(Finding::Synced(_, synced)) => synced.disappearance.as_ref().map(|vanished| vanished.id),
            _ => None,
        };
        standing.is_some() && standing == self.confirmed()
    }

    /// Whether at least one toggle is on.
    fn selects(&self) -> bool {
        self.object.spec.requirements().is_some() || self.object.spec.bugs().is_some()
    }
}

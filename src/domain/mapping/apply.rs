//! Items become records, one by one; what they reach is noted for the plan.

use jiff::civil::Date;
use serde_json::Value;

use super::ancestry::{self, Ancestry, Inheritance};
use super::dates::{DateSource, calendar_day};
use super::placement::{Inherited, Place};
use super::plan::Seen;
use super::sources::Source;
use super::tree::{NodeIndex, ROOT, Tree};
use super::unmapped::Unmapped;
use super::values::{Meaning, is_blank, shown, shown_priority};
use super::{Item, Mapping, Record, RecordKind, folded};

/// A mapping at work.
#[derive(Debug)]
pub struct Application<'a> {
    mapping: &'a Mapping,
    tree: &'a Tree,
    releases: Option<Inheritance<'a>>,
    sprints: Option<Inheritance<'a>>,
    seen: Seen,
}

impl<'a> Application<'a> {
    /// Begins. The ancestry is that of all present items where the mapping [needs it](Mapping::needs_ancestry).
    pub fn new(mapping: &'a Mapping, tree: &'a Tree, ancestry: Option<&'a Ancestry>) -> Self {
        let inherited = |source: &Source, mark| {
            let ancestry = ancestry.filter(|_| matches!(source, Source::Tier(_)));
            ancestry.map(|ancestry| ancestry.inherited(mark))
        };
        Self {
            mapping,
            tree,
            releases: inherited(&mapping.sources.release, ancestry::RELEASE),
            sprints: inherited(&mapping.sources.sprint, ancestry::SPRINT),
            seen: Seen::default(),
        }
    }

    /// What an item is in test management; None if its type is not pulled.
    pub fn record(&mut self, item: &Item<'_>) -> Option<Record> {
        let mapping = self.mapping;
        let (of_type, state) = (folded(item.work_item_type), folded(item.state));
        let kind = *mapping.kinds.get(&of_type)?;
        let own = self.tree.of_item(item.iteration_id, item.iteration_path);
        let from = |inheritance: &Option<Inheritance<'_>>| inheritance.as_ref().and_then(|found| found.of(item.id));
        let inherited = Inherited { release: from(&self.releases), sprint: from(&self.sprints) };
        let place = mapping.placement.of(own, inherited);
        self.reach(inherited, place);
        self.look_for_missing(kind, &of_type, &state, item.severity);
        let category = mapping.categories.get(&of_type).and_then(|states| states.get(&state));
        let statuses = match kind {
            RecordKind::Requirement => &mapping.requirement_statuses,
            RecordKind::Bug => &mapping.bug_statuses,
        };
        let status = statuses.meaning(&of_type, &state, category);
        let priority =
            item.priority.filter(|value| !is_blank(value)).map(|value| (value, mapping.priorities.meaning(value)));
        let severity = item.severity.filter(|value| kind == RecordKind::Bug && !is_blank(value));
        let severity = severity.map(|value| (value, mapping.severities.meaning(value)));
        let mut unmapped = Unmapped::default();
        Some(Record {
            id: item.id,
            kind,
            release: place.release,
            sprint: place.sprint,
            status: meant(status, &mut unmapped.status, || item.state.to_owned()),
            category: category.cloned(),
            priority: priority
                .and_then(|(value, meaning)| meant(meaning, &mut unmapped.priority, || shown_priority(value))),
            severity: severity.and_then(|(value, meaning)| meant(meaning, &mut unmapped.severity, || shown(value))),
            release_date: if kind == RecordKind::Bug { None } else { self.release_date(item, place) },
            unmapped,
        })
    }

    fn look_for_missing(&mut self, kind: RecordKind, of_type: &str, state: &str, severity: Option<&Value>) {
        if self.mapping.missing.is_empty() {
            return;
        }
        let severity = severity.map(|severity| folded(&shown(severity)));
        for (place, missing) in self.mapping.missing.iter().enumerate() {
            if missing.is_carried(kind, of_type, state, severity.as_deref()) {
                self.seen.carried.insert(place);
            }
        }
    }

    /// The first of the fields that has a date.
    fn release_date(&self, item: &Item<'_>, place: Place) -> Option<Date> {
        let finish = |node: Option<NodeIndex>| self.tree.node(node?).finish;
        let mut fields = item.dates.iter();
        self.mapping.dates.iter().find_map(|source| match source {
            DateSource::ReleaseEnd => finish(place.release),
            DateSource::SprintEnd => finish(place.sprint),
            DateSource::Field(_) => calendar_day(fields.next()?.as_ref()?, &self.mapping.zone),
        })
    }

    /// Notes what a tier gives an item, and which nodes are a release or a sprint because an item reaches them.
    fn reach(&mut self, inherited: Inherited, place: Place) {
        let chosen = self.mapping.placement.chosen();
        let is_given = |node: Option<NodeIndex>| node.is_some_and(|node| node != ROOT);
        self.seen.gives_release |= is_given(inherited.release);
        self.seen.gives_sprint |= is_given(inherited.sprint);
        self.seen.releases.extend(place.release.filter(|node| !chosen.releases[*node]));
        self.seen.sprints.extend(place.sprint.filter(|node| !chosen.sprints[*node]));
    }

    /// What the items said besides their records.
    pub fn into_seen(self) -> Seen {
        self.seen
    }
}

/// What a value means; one that nobody mapped is noted as people are shown it.
fn meant<T>(meaning: Meaning<T>, unmapped: &mut Option<String>, value: impl FnOnce() -> String) -> Option<T> {
    if meaning.is_unmapped {
        *unmapped = Some(value());
    }
    meaning.value
}

//! Items become records, one by one; what they reach becomes the plan.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::ancestry::{self, Ancestry, Inheritance};
use super::dates::{DateSource, calendar_day};
use super::placement::{Inherited, Place};
use super::sources::Source;
use super::tree::{NodeIndex, ROOT, Tree};
use super::unmapped::{BUG_STATUSES, PRIORITIES, REQUIREMENT_STATUSES, SEVERITIES, Unmapped, UnmappedValue};
use super::values::{Meaning, is_blank, shown, shown_priority};
use super::warnings::{Gone, Side, Warning};
use super::{Item, Mapping, Record, RecordKind, folded};

/// A release or a sprint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlanNode {
    /// Its iteration.
    pub identifier: Uuid,
    /// Its name, the last part of its path or the whole.
    pub name: String,
    /// First day.
    pub start: Option<Date>,
    /// Last day, inclusive.
    pub finish: Option<Date>,
    /// The release that a sprint belongs to whatever its items say.
    pub release: Option<Uuid>,
}

/// What the records of a project add up to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// Releases, in the order of the tree.
    pub releases: Vec<PlanNode>,
    /// Sprints, in the order of the tree.
    pub sprints: Vec<PlanNode>,
    /// Values that nobody mapped, most items first.
    pub unmapped: Vec<UnmappedValue>,
    /// What a person may not have meant.
    pub warnings: Vec<Warning>,
    /// What the spec names and Azure DevOps no longer has.
    pub gone: Vec<Gone>,
}

/// A mapping at work.
#[derive(Debug)]
pub struct Application<'a> {
    mapping: &'a Mapping,
    tree: &'a Tree,
    releases: Option<Inheritance<'a>>,
    sprints: Option<Inheritance<'a>>,
    /// Nodes that items reach, for each whether as a release, as a sprint.
    reached: Vec<(bool, bool)>,
    /// Whether a tier gives some item a release, a sprint.
    gives: (bool, bool),
    /// For each value that the process does not offer whether an item carries it.
    carried: Vec<bool>,
    unmapped: Unmapped,
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
            reached: vec![(false, false); tree.nodes().len()],
            gives: (false, false),
            carried: vec![false; mapping.missing.len()],
            unmapped: Unmapped::default(),
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
        let is_given = |node: Option<NodeIndex>| node.is_some_and(|node| node != ROOT);
        self.gives.0 |= is_given(inherited.release);
        self.gives.1 |= is_given(inherited.sprint);
        let place = mapping.placement.of(own, inherited);
        self.reach(place);
        self.look_for_missing(kind, &of_type, &state, item.severity);
        let category = mapping.categories.get(&of_type).and_then(|states| states.get(&state));
        let (statuses, field) = match kind {
            RecordKind::Requirement => (&mapping.requirement_statuses, REQUIREMENT_STATUSES),
            RecordKind::Bug => (&mapping.bug_statuses, BUG_STATUSES),
        };
        let status = statuses.meaning(&of_type, &state, category);
        let priority =
            item.priority.filter(|value| !is_blank(value)).map(|value| (value, mapping.priorities.meaning(value)));
        let severity = item.severity.filter(|value| kind == RecordKind::Bug && !is_blank(value));
        let severity = severity.map(|value| (value, mapping.severities.meaning(value)));
        Some(Record {
            id: item.id,
            kind,
            release: place.release,
            sprint: place.sprint,
            status: self.counted(field, || item.state.to_owned(), status),
            category: category.cloned(),
            priority: priority.and_then(|(value, meaning)| self.counted(PRIORITIES, || shown_priority(value), meaning)),
            severity: severity.and_then(|(value, meaning)| self.counted(SEVERITIES, || shown(value), meaning)),
            release_date: if kind == RecordKind::Bug { None } else { self.release_date(item, place) },
        })
    }

    fn look_for_missing(&mut self, kind: RecordKind, of_type: &str, state: &str, severity: Option<&Value>) {
        if self.mapping.missing.is_empty() {
            return;
        }
        let severity = severity.map(|severity| folded(&shown(severity)));
        for (missing, carried) in self.mapping.missing.iter().zip(&mut self.carried) {
            *carried |= missing.is_carried(kind, of_type, state, severity.as_deref());
        }
    }

    fn counted<T>(&mut self, field: &'static str, value: impl FnOnce() -> String, meaning: Meaning<T>) -> Option<T> {
        if meaning.is_unmapped {
            self.unmapped.count(field, value());
        }
        meaning.value
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

    fn reach(&mut self, place: Place) {
        if let Some(release) = place.release {
            self.reached[release].0 = true;
        }
        if let Some(sprint) = place.sprint {
            self.reached[sprint].1 = true;
        }
    }

    /// What all records add up to.
    pub fn finish(self) -> Plan {
        let mapping = self.mapping;
        let chosen = mapping.placement.chosen();
        let all = |side: Side| -> Vec<NodeIndex> {
            let is_one = |node: &NodeIndex| match side {
                Side::Release => chosen.releases[*node] || self.reached[*node].0,
                Side::Sprint => chosen.sprints[*node] || self.reached[*node].1,
            };
            (0..self.tree.nodes().len()).filter(is_one).collect()
        };
        let (releases, sprints) = (all(Side::Release), all(Side::Sprint));
        let mut warnings = mapping.warnings.clone();
        self.warn_of_unused_tiers(&mut warnings);
        let takes_all = self.gives.1 && sprints.is_empty() && mapping.sources.release != Source::None;
        if takes_all && !warnings.contains(&Warning::ReleasesTakeAll) {
            warnings.push(Warning::ReleasesTakeAll);
        }
        for sprint in mapping.placement.above_releases(&sprints) {
            warnings.push(Warning::SprintAboveRelease { sprint: self.tree.node(sprint).path.clone() });
        }
        self.warn_of_equal_names(Side::Release, &releases, &mut warnings);
        self.warn_of_equal_names(Side::Sprint, &sprints, &mut warnings);
        let missing = mapping.missing.iter().zip(&self.carried).filter(|(_, carried)| !**carried);
        Plan {
            releases: releases.into_iter().map(|node| self.plan_node(node, None)).collect(),
            sprints: sprints.into_iter().map(|node| self.plan_node(node, mapping.placement.release_of(node))).collect(),
            unmapped: self.unmapped.into_sorted(),
            warnings,
            gone: mapping.gone.iter().chain(missing.map(|(missing, _)| &missing.name)).cloned().collect(),
        }
    }

    fn name(&self, node: NodeIndex) -> &str {
        let node = self.tree.node(node);
        if self.mapping.full_path { &node.path } else { &node.name }
    }

    fn plan_node(&self, index: NodeIndex, release: Option<NodeIndex>) -> PlanNode {
        let node = self.tree.node(index);
        PlanNode {
            identifier: node.identifier,
            name: self.name(index).to_owned(),
            start: node.start,
            finish: node.finish,
            release: release.map(|release| self.tree.node(release).identifier),
        }
    }

    /// A tier that gives no pulled item an iteration, whatever becomes of it then.
    fn warn_of_unused_tiers(&self, warnings: &mut Vec<Warning>) {
        let sources = &self.mapping.sources;
        let sides = [(Side::Release, &sources.release, self.gives.0), (Side::Sprint, &sources.sprint, self.gives.1)];
        for (side, source, gives) in sides {
            let warning = Warning::MatchesNothing { side, source: source.to_string() };
            if matches!(source, Source::Tier(_)) && !gives && !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }

    fn warn_of_equal_names(&self, side: Side, nodes: &[NodeIndex], warnings: &mut Vec<Warning>) {
        if self.mapping.full_path {
            return;
        }
        let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for node in nodes {
            spellings.entry(folded(self.name(*node))).or_default().push(self.name(*node));
        }
        for spelled in spellings.into_values().filter(|spelled| spelled.len() > 1) {
            let name = spelled.into_iter().min().unwrap_or_default().to_owned();
            warnings.push(Warning::EqualNames { side, name });
        }
    }
}

//! The mapping: what an Azure DevOps project is in test management.
//!
//! A pure function of raw items, iterations, process, team, spec and pins. A spec is first held against the live process
//! ([`accept::accept`]), which gives the pins; from then on [`Mapping::new`], [`apply::Application`] and [`plan::Plan`] follow
//! whatever Azure DevOps does under the accepted spec.

pub mod accept;
pub mod ancestry;
pub mod apply;
pub mod changes;
pub mod dates;
pub mod pins;
pub mod placement;
pub mod plan;
pub mod process;
pub mod selection;
pub mod sources;
pub mod tree;
pub mod unmapped;
pub mod values;
pub mod warnings;

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use self::accept::World;
use self::changes::{Changes, Missing};
use self::dates::DateSource;
use self::pins::MappingPins;
use self::placement::Placement;
use self::process::Process;
use self::selection::Selected;
use self::sources::{Source, Sources, choose};
use self::tree::NodeIndex;
use self::unmapped::Unmapped;
use self::values::{Priorities, Severities, Statuses};
use self::warnings::{Gone, Side, Warning};
use crate::ado::model::{State, StateCategory, WorkItemId, WorkItemType};
use crate::api::{AdoProjectConfigSpec, Rating, RecordStatus};

/// Azure DevOps compares names without case.
pub fn same(left: &str, right: &str) -> bool {
    left == right || folded(left) == folded(right)
}

/// A name as it is compared.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// What a record is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RecordKind {
    /// A requirement.
    Requirement,
    /// A bug.
    Bug,
}

impl RecordKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Requirement, Self::Bug];

    /// The name as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requirement => "Requirement",
            Self::Bug => "Bug",
        }
    }
}

/// A work item as it was read, as far as the mapping looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its id.
    pub id: WorkItemId,
    /// Name of its type.
    pub work_item_type: &'a str,
    /// Its state.
    pub state: &'a str,
    /// `System.IterationId`.
    pub iteration_id: Option<u32>,
    /// `System.IterationPath`.
    pub iteration_path: Option<&'a str>,
    /// `Microsoft.VSTS.Common.Priority`.
    pub priority: Option<&'a Value>,
    /// `Microsoft.VSTS.Common.Severity`.
    pub severity: Option<&'a Value>,
    /// The date fields of the mapping ([`Mapping::date_fields`]), in its order.
    pub dates: &'a [Option<Value>],
}

/// A requirement or bug.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The work item.
    pub id: WorkItemId,
    /// What it is.
    pub kind: RecordKind,
    /// Its release; None is Unassigned.
    pub release: Option<NodeIndex>,
    /// Its sprint; None is Unassigned.
    pub sprint: Option<NodeIndex>,
    /// How far it is; None where neither an entry nor a category says it.
    pub status: Option<RecordStatus>,
    /// Category of its state.
    pub category: Option<StateCategory>,
    /// How urgent it is; None if it has no priority, or one that means nothing.
    pub priority: Option<Rating>,
    /// How grave a bug is.
    pub severity: Option<Rating>,
    /// When a requirement is to be released.
    pub release_date: Option<Date>,
    /// What nobody mapped.
    pub unmapped: Unmapped,
}

/// A spec that is in force, applied to the present process and iterations.
#[derive(Clone, Debug)]
pub struct Mapping {
    selected: Selected,
    /// Kinds of records by the folded type.
    kinds: HashMap<String, RecordKind>,
    /// Categories by the folded type, then the folded state.
    categories: HashMap<String, HashMap<String, StateCategory>>,
    priorities: Priorities,
    severities: Severities,
    requirement_statuses: Statuses,
    bug_statuses: Statuses,
    dates: Vec<DateSource>,
    zone: TimeZone,
    /// Marks of the types at a tier that is asked for, by the folded type.
    marks: HashMap<String, u8>,
    placement: Placement,
    sources: Sources,
    full_path: bool,
    warnings: Vec<Warning>,
    gone: Vec<Gone>,
    missing: Vec<Missing>,
}

impl Mapping {
    /// Applies a spec that was accepted with these pins to the world as it is.
    pub fn new(spec: &AdoProjectConfigSpec, world: &World<'_>, pins: &MappingPins) -> Self {
        let (process, tree) = (world.process, world.tree);
        let selected = selection::current(spec, process, pins);
        let pulls = spec.requirements().is_some() || spec.bugs().is_some();
        let sources = if pulls { Sources::new(spec.iteration_mapping.as_ref()) } else { Sources::none() };
        let Changes { mut warnings, mut gone, missing } = Changes::look(spec, world, pins, &selected, &sources);
        let chosen = choose(&sources, tree, &pins.team_nodes(tree), pins, &mut warnings);
        let placement = Placement::new(&sources, chosen, tree);
        let mut marks: HashMap<String, u8> = HashMap::new();
        for (source, side) in [(&sources.release, Side::Release), (&sources.sprint, Side::Sprint)] {
            for name in tier_types(source, side, process, pins, &mut warnings, &mut gone) {
                *marks.entry(folded(name)).or_default() |= ancestry::mark(side);
            }
        }
        let is_called =
            |name: &str| pins.type_meant(name, process).map_or_else(|| name.to_owned(), |known| known.name.clone());
        let (requirements, bugs) = (spec.requirements(), spec.bugs());
        let dates = requirements.and_then(|block| block.release_date_fields.as_deref()).unwrap_or_default();
        Self {
            kinds: kinds(&selected),
            categories: categories(process),
            priorities: Priorities::new(spec.priority_mapping.as_deref()),
            severities: Severities::new(bugs.and_then(|block| block.severity_mapping.as_deref())),
            requirement_statuses: Statuses::new(
                requirements.and_then(|block| block.status_mapping.as_deref()),
                is_called,
            ),
            bug_statuses: Statuses::new(bugs.and_then(|block| block.status_mapping.as_deref()), is_called),
            dates: dates.iter().map(|name| DateSource::named(name)).collect(),
            zone: spec.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC),
            marks,
            placement,
            full_path: spec.iteration_mapping.as_ref().and_then(|mapping| mapping.full_path).unwrap_or(false),
            selected,
            sources,
            warnings,
            gone,
            missing,
        }
    }

    /// Where releases and sprints come from, with everything filled in.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The types in force.
    pub fn selected(&self) -> &Selected {
        &self.selected
    }

    /// Reference names of the date fields to read of each item.
    pub fn date_fields(&self) -> impl Iterator<Item = &str> {
        self.dates.iter().filter_map(|source| match source {
            DateSource::Field(name) => Some(name.as_str()),
            DateSource::ReleaseEnd | DateSource::SprintEnd => None,
        })
    }

    /// Whether the ancestors of an item decide its place, so that all items have to be known first.
    pub fn needs_ancestry(&self) -> bool {
        self.sources.use_tiers()
    }

    /// Whether values are looked for among all items, since the spec names them and the process does not offer them.
    pub fn has_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Whether no type is anything, so that there are no records.
    pub fn pulls_nothing(&self) -> bool {
        self.kinds.is_empty()
    }

    /// What the walk to the ancestors has to know of an item of a type.
    pub fn marks(&self, work_item_type: &str) -> u8 {
        self.marks.get(&folded(work_item_type)).copied().unwrap_or_default()
    }

    /// What an item is, if it is anything.
    pub fn kind(&self, work_item_type: &str) -> Option<RecordKind> {
        self.kinds.get(&folded(work_item_type)).copied()
    }
}

fn kinds(selected: &Selected) -> HashMap<String, RecordKind> {
    let requirements = selected.requirement_types.iter().map(|name| (folded(name), RecordKind::Requirement));
    // A default may have brought a type to both sides since the spec was accepted; then it stays with the bugs.
    let bugs = selected.bug_types.iter().map(|name| (folded(name), RecordKind::Bug));
    requirements.chain(bugs).collect()
}

fn categories(process: &Process) -> HashMap<String, HashMap<String, StateCategory>> {
    let category = |state: &State| Some((folded(&state.name), state.category.clone()?));
    let states = |known: &WorkItemType| known.states.iter().filter_map(category).collect();
    process.types().iter().map(|known| (folded(&known.name), states(known))).collect()
}

/// Types of the level that a tier means.
fn tier_types<'a>(
    source: &Source,
    side: Side,
    process: &'a Process,
    pins: &MappingPins,
    warnings: &mut Vec<Warning>,
    gone: &mut Vec<Gone>,
) -> &'a [String] {
    let Source::Tier(tier) = source else { return &[] };
    let Some(level) = pins.level(*tier, process) else {
        if pins.levels.contains_key(tier) {
            gone.push(Gone { field: side.tier_field(), name: tier.to_string() });
        } else {
            warnings.push(Warning::MatchesNothing { side, source: source.to_string() });
        }
        return &[];
    };
    let is = process.levels().iter().position(|known| known.id == level.id).map_or(*tier, |place| place + 1);
    if is != *tier {
        warnings.push(Warning::Shifted { was: *tier, is });
    }
    &level.types
}

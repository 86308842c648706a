//! Whether a new or edited spec fits the live process, and what its names stand for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::ado::model::{Field, FieldKind, WorkItemType};
use crate::api::{AdoProjectConfigSpec, Reason, SeverityEntry, StatusEntry};
use crate::domain::verdict::Cause;

use super::dates::{DATE_FIELDS, DateSource};
use super::pins::{MappingPins, TeamPin};
use super::process::{Process, reference_of};
use super::selection::{self, Selected};
use super::sources::{Literal, Source, Sources};
use super::tree::Tree;
use super::unmapped::{BUG_STATUSES, REQUIREMENT_STATUSES, SEVERITIES};
use super::{folded, same};

/// Field of severities in every process that has them.
pub const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";

/// What a spec is held against.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The process.
    pub process: &'a Process,
    /// The iterations.
    pub tree: &'a Tree,
    /// All fields of the organization.
    pub fields: &'a [Field],
    /// Severities that the bug types offer, by the name of the type; asked only if the spec maps severities.
    pub severities: &'a BTreeMap<String, Vec<String>>,
    /// The team that the spec names.
    pub team: Option<TeamView<'a>>,
}

/// A team.
#[derive(Clone, Copy, Debug)]
pub struct TeamView<'a> {
    /// Its present name.
    pub name: &'a str,
    /// What it is pinned by.
    pub pin: &'a TeamPin,
}

impl World<'_> {
    /// Date fields that at least one of these types has.
    pub fn dates_of(&self, types: &[String]) -> impl Iterator<Item = &Field> {
        let types: Vec<&WorkItemType> = types.iter().filter_map(|name| self.process.type_named(name)).collect();
        let has = move |field: &Field| {
            types.iter().any(|known| known.fields.iter().any(|name| same(name, &field.reference_name)))
        };
        self.fields.iter().filter(move |field| field.kind == FieldKind::DateTime && has(field))
    }

    /// Whether some type of bugs offers a severity, or takes any.
    pub fn offers_severity(&self, severity: &str) -> bool {
        self.severities.values().any(|offered| offered.is_empty() || offered.iter().any(|known| same(known, severity)))
    }
}

/// A value that the process does not offer any more, or never did. It is accepted if some item carries it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Unoffered {
    /// The field of the spec.
    pub field: &'static str,
    /// Reference name of the field of items.
    pub of: &'static str,
    /// The value.
    pub value: String,
    /// Names of the types whose items may carry it.
    pub types: Vec<String>,
    /// What is offered.
    pub offered: Vec<String>,
}

impl Unoffered {
    /// What to tell if no item carries it.
    pub fn refusal(&self) -> Cause {
        let message = format!(
            "{}: {:?} is no {} of {}. Allowed: {}.",
            self.field,
            self.value,
            if self.of == SEVERITY { "severity" } else { "state" },
            self.types.join(", "),
            self.offered.join(", ")
        );
        Cause::new(Reason::InvalidMapping, message)
    }
}

/// Holds a spec against the process. Gives what its names stand for, and the values that somebody has to look for among the
/// items. Blocks that are off are passed over.
pub fn accept(
    spec: &AdoProjectConfigSpec,
    world: &World<'_>,
    earlier: &MappingPins,
) -> Result<(MappingPins, Vec<Unoffered>), Cause> {
    let earlier = still_there(earlier, world);
    let selected = selection::select(spec, world.process, &earlier)?;
    let mut pins = MappingPins::default();
    pin_types(spec, world.process, &earlier, &mut pins);
    let mut unoffered = Vec::new();
    if let Some(block) = spec.requirements() {
        check_dates(block.release_date_fields.as_deref().unwrap_or_default(), &selected, world)?;
        let entries = block.status_mapping.as_deref().unwrap_or_default();
        let types = &selected.requirement_types;
        unoffered.extend(check_statuses(entries, types, REQUIREMENT_STATUSES, world.process, &earlier, &mut pins)?);
    }
    if let Some(block) = spec.bugs() {
        let entries = block.status_mapping.as_deref().unwrap_or_default();
        unoffered.extend(check_statuses(
            entries,
            &selected.bug_types,
            BUG_STATUSES,
            world.process,
            &earlier,
            &mut pins,
        )?);
        let entries = block.severity_mapping.as_deref().unwrap_or_default();
        unoffered.extend(check_severities(entries, &selected.bug_types, world)?);
    }
    if spec.requirements().is_some() || spec.bugs().is_some() {
        pin_iterations(spec, world, &earlier, &mut pins)?;
    }
    check_time_zone(spec.time_zone.as_deref())?;
    pins.team = world.team.map(|team| team.pin.clone());
    Ok((pins, unoffered))
}

/// Earlier pins whose thing is still there. A name whose thing is gone may mean a new one once its spec is judged anew.
fn still_there(earlier: &MappingPins, world: &World<'_>) -> MappingPins {
    let mut kept = earlier.clone();
    kept.types.retain(|_, reference| world.process.type_of_reference(reference).is_some());
    kept.levels.retain(|_, id| world.process.level(id).is_some());
    kept.nodes.retain(|_, identifier| world.tree.identified(identifier).is_some());
    kept
}

fn pin_types(spec: &AdoProjectConfigSpec, process: &Process, earlier: &MappingPins, pins: &mut MappingPins) {
    let requirements = spec.pull_requirements.iter().filter_map(|block| block.work_item_types.as_ref());
    let bugs = spec.bug_mapping.iter().filter_map(|block| block.work_item_types.as_ref());
    for name in requirements.chain(bugs).flatten() {
        if let Some(known) = earlier.type_meant(name, process) {
            pins.types.insert(folded(name), reference_of(known).to_owned());
        }
    }
}

fn pin_iterations(
    spec: &AdoProjectConfigSpec,
    world: &World<'_>,
    earlier: &MappingPins,
    pins: &mut MappingPins,
) -> Result<(), Cause> {
    let sources = Sources::new(spec.iteration_mapping.as_ref());
    for Literal { field, node: literal, .. } in sources.literals() {
        let Some(node) = earlier.node(literal, world.tree) else {
            return Err(no_iteration(field, literal, world.tree));
        };
        pins.nodes.insert(folded(literal), world.tree.node(node).identifier);
    }
    for source in [&sources.release, &sources.sprint] {
        if let Source::Tier(tier) = source
            && let Some(level) = earlier.level(*tier, world.process)
        {
            pins.levels.insert(*tier, level.id.clone());
        }
    }
    for (field, paths) in sources.paths() {
        refuse_twice(field, paths.iter().map(|path| (folded(path), path.clone())))?;
    }
    Ok(())
}

/// Entries that differ in case only say the same twice.
fn refuse_twice<K: Ord>(field: &str, entries: impl Iterator<Item = (K, String)>) -> Result<(), Cause> {
    let mut seen = BTreeSet::new();
    for (key, shown) in entries {
        if !seen.insert(key) {
            return Err(Cause::new(
                Reason::InvalidMapping,
                format!("{field}: {shown:?} is named twice; names are compared without case."),
            ));
        }
    }
    Ok(())
}

fn no_iteration(field: &str, literal: &str, tree: &Tree) -> Cause {
    let allowed: Vec<&str> = tree.nodes().iter().take(30).map(|node| node.path.as_str()).collect();
    let more = if tree.nodes().len() > allowed.len() { ", …" } else { "" };
    let message = format!(
        "{field}: the project has no iteration {literal:?}; paths begin with the project's name, as System.IterationPath \
         does. Allowed: {}{more}.",
        allowed.join(", ")
    );
    Cause::new(Reason::InvalidMapping, message)
}

fn check_time_zone(name: Option<&str>) -> Result<(), Cause> {
    let Some(name) = name else { return Ok(()) };
    if TimeZone::get(name).is_ok() {
        return Ok(());
    }
    let message = format!(
        "spec.timeZone: {name:?} is no time zone; use a name of the IANA database, such as Europe/Berlin or UTC."
    );
    Err(Cause::new(Reason::InvalidMapping, message))
}

/// Each field must be a date that at least one selected type has.
fn check_dates(names: &[String], selected: &Selected, world: &World<'_>) -> Result<(), Cause> {
    refuse_twice(DATE_FIELDS, names.iter().map(|name| (folded(name), name.clone())))?;
    let dates = || world.dates_of(&selected.requirement_types);
    for name in names {
        let is_field = matches!(DateSource::named(name), DateSource::Field(_));
        if is_field && !dates().any(|field| same(&field.reference_name, name)) {
            let allowed: Vec<&str> = ["ReleaseEndDate", "SprintEndDate"]
                .into_iter()
                .chain(dates().map(|field| field.reference_name.as_str()))
                .collect();
            let message = format!(
                "{DATE_FIELDS}: {name:?} is no date field of {}. Allowed: {}.",
                selected.requirement_types.join(", "),
                allowed.join(", ")
            );
            return Err(Cause::new(Reason::InvalidMapping, message));
        }
    }
    Ok(())
}

fn check_statuses(
    entries: &[StatusEntry],
    selected: &[String],
    field: &'static str,
    process: &Process,
    earlier: &MappingPins,
    pins: &mut MappingPins,
) -> Result<Vec<Unoffered>, Cause> {
    let key = |entry: &StatusEntry| (folded(&entry.ado), entry.work_item_type.as_deref().map(folded));
    refuse_twice(field, entries.iter().map(|entry| (key(entry), entry.ado.clone())))?;
    let mut unoffered = Vec::new();
    for entry in entries {
        let types = match &entry.work_item_type {
            None => selected.to_vec(),
            Some(name) => {
                let Some(known) = earlier.type_meant(name, process) else {
                    return Err(selection::no_type(field, name, process));
                };
                pins.types.insert(folded(name), reference_of(known).to_owned());
                // An entry for a type that is not selected is unused.
                selected.iter().filter(|one| same(one, &known.name)).cloned().collect()
            }
        };
        if !types.is_empty() && !types.iter().any(|name| process.has_state(name, &entry.ado)) {
            let known = types.iter().filter_map(|name| process.type_named(name));
            let offered: BTreeSet<&String> = known.flat_map(|known| &known.states).map(|state| &state.name).collect();
            let offered = offered.into_iter().cloned().collect();
            unoffered.push(Unoffered { field, of: "System.State", value: entry.ado.clone(), types, offered });
        }
    }
    Ok(unoffered)
}

fn check_severities(
    entries: &[SeverityEntry],
    selected: &[String],
    world: &World<'_>,
) -> Result<Vec<Unoffered>, Cause> {
    refuse_twice(SEVERITIES, entries.iter().map(|entry| (folded(&entry.ado), entry.ado.clone())))?;
    let offered: BTreeSet<&String> = world.severities.values().flatten().collect();
    // Where no type of bugs has a severity, a warning says so.
    let missing = entries.iter().filter(|entry| !world.severities.is_empty() && !world.offers_severity(&entry.ado));
    Ok(missing
        .map(|entry| Unoffered {
            field: SEVERITIES,
            of: SEVERITY,
            value: entry.ado.clone(),
            types: selected.to_vec(),
            offered: offered.iter().map(|known| (*known).clone()).collect(),
        })
        .collect())
}

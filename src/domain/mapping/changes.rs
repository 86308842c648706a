//! What Azure DevOps changed under an accepted spec: things that are called otherwise by now, and things that are gone.

use crate::api::{AdoProjectConfigSpec, StatusEntry};

use super::accept::World;
use super::dates::{DATE_FIELDS, DateSource};
use super::pins::MappingPins;
use super::selection::{BUG_TYPES, REQUIREMENT_TYPES, Selected};
use super::sources::{Literal, Sources};
use super::unmapped::{BUG_STATUSES, REQUIREMENT_STATUSES, SEVERITIES};
use super::warnings::{Gone, Warning};
use super::{RecordKind, folded, same};

/// A value of a mapping that the process does not offer. It is gone unless some item carries it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// How the spec names it.
    pub name: Gone,
    /// Whose value it is.
    pub kind: RecordKind,
    /// The only type that is meant, folded.
    pub work_item_type: Option<String>,
    /// The folded value.
    pub value: String,
}

impl Missing {
    /// Whether an item of that kind and type carries it in its state, or for severities in its severity; all folded.
    pub fn is_carried(&self, kind: RecordKind, work_item_type: &str, state: &str, severity: Option<&str>) -> bool {
        let value = if self.name.field == SEVERITIES { severity } else { Some(state) };
        self.kind == kind
            && value == Some(self.value.as_str())
            && self.work_item_type.as_ref().is_none_or(|only| only == work_item_type)
    }
}

/// What a spec names, held against the world as it is.
#[derive(Debug, Default)]
pub struct Changes {
    /// What works and should be looked at.
    pub warnings: Vec<Warning>,
    /// What is gone.
    pub gone: Vec<Gone>,
    /// What is gone unless some item carries it.
    pub missing: Vec<Missing>,
}

impl Changes {
    /// Looks at everything that a spec names by a name.
    pub fn look(
        spec: &AdoProjectConfigSpec,
        world: &World<'_>,
        pins: &MappingPins,
        selected: &Selected,
        sources: &Sources,
    ) -> Self {
        let mut changes = Self::default();
        changes.look_at_types(spec, world, pins);
        changes.look_at_team(spec, world);
        changes.look_at_paths(sources, world, pins);
        changes.look_at_dates(spec, world, selected);
        changes.look_at_severities(spec, world);
        if let Some(entries) = spec.requirements().and_then(|block| block.status_mapping.as_deref()) {
            let side = (REQUIREMENT_STATUSES, RecordKind::Requirement, selected.requirement_types.as_slice());
            changes.look_at_states(entries, side, world, pins);
        }
        if let Some(entries) = spec.bugs().and_then(|block| block.status_mapping.as_deref()) {
            let side = (BUG_STATUSES, RecordKind::Bug, selected.bug_types.as_slice());
            changes.look_at_states(entries, side, world, pins);
        }
        changes
    }

    fn renamed(&mut self, field: &'static str, was: &str, is: &str) {
        if !same(was, is) {
            self.warnings.push(Warning::Renamed { field, was: was.to_owned(), is: is.to_owned() });
        }
    }

    fn look_at_types(&mut self, spec: &AdoProjectConfigSpec, world: &World<'_>, pins: &MappingPins) {
        let requirements = spec.requirements().and_then(|block| block.work_item_types.as_deref());
        let bugs = spec.bugs().and_then(|block| block.work_item_types.as_deref());
        for (field, names) in [(REQUIREMENT_TYPES, requirements), (BUG_TYPES, bugs)] {
            for name in names.unwrap_or_default() {
                match pins.type_meant(name, world.process) {
                    Some(known) => self.renamed(field, name, &known.name),
                    None => self.gone.push(Gone { field, name: name.clone() }),
                }
            }
        }
    }

    fn look_at_team(&mut self, spec: &AdoProjectConfigSpec, world: &World<'_>) {
        const TEAM: &str = "spec.team";
        match (&spec.team, world.team) {
            (Some(name), Some(team)) if !same(name, &team.pin.id.to_string()) => self.renamed(TEAM, name, team.name),
            (Some(name), None) => self.gone.push(Gone { field: TEAM, name: name.clone() }),
            (Some(_), Some(_)) | (None, _) => {}
        }
    }

    fn look_at_paths(&mut self, sources: &Sources, world: &World<'_>, pins: &MappingPins) {
        for Literal { field, path, node: literal } in sources.literals() {
            let Some(node) = pins.node(literal, world.tree) else {
                self.gone.push(Gone { field, name: path.to_owned() });
                continue;
            };
            let is = &world.tree.node(node).path;
            if !same(literal, is) {
                self.warnings.push(Warning::Renamed { field, was: path.to_owned(), is: is.clone() });
            }
        }
    }

    fn look_at_dates(&mut self, spec: &AdoProjectConfigSpec, world: &World<'_>, selected: &Selected) {
        let names = spec.requirements().and_then(|block| block.release_date_fields.as_deref()).unwrap_or_default();
        for name in names.iter().filter(|name| matches!(DateSource::named(name), DateSource::Field(_))) {
            let mut dates = world.dates_of(&selected.requirement_types);
            if !dates.any(|field| same(&field.reference_name, name)) {
                self.gone.push(Gone { field: DATE_FIELDS, name: name.clone() });
            }
        }
    }

    fn look_at_severities(&mut self, spec: &AdoProjectConfigSpec, world: &World<'_>) {
        let entries = spec.bugs().and_then(|block| block.severity_mapping.as_deref()).unwrap_or_default();
        if entries.is_empty() {
            return;
        }
        if world.severities.is_empty() {
            self.warnings.push(Warning::NoSeverity);
            return;
        }
        for entry in entries.iter().filter(|entry| !world.offers_severity(&entry.ado)) {
            let name = Gone { field: SEVERITIES, name: entry.ado.clone() };
            let value = folded(&entry.ado);
            self.missing.push(Missing { name, kind: RecordKind::Bug, work_item_type: None, value });
        }
    }

    fn look_at_states(
        &mut self,
        entries: &[StatusEntry],
        (field, kind, selected): (&'static str, RecordKind, &[String]),
        world: &World<'_>,
        pins: &MappingPins,
    ) {
        for entry in entries {
            let meant = entry.work_item_type.as_deref().map(|name| pins.type_meant(name, world.process));
            if let (Some(name), Some(Some(known))) = (&entry.work_item_type, meant) {
                self.renamed(field, name, &known.name);
            }
            let only = match meant {
                None => None,
                Some(Some(known)) => Some(known.name.as_str()),
                Some(None) => {
                    let name = entry.work_item_type.clone().unwrap_or_default();
                    self.gone.push(Gone { field, name });
                    continue;
                }
            };
            let mut types = selected.iter().filter(|name| only.is_none_or(|only| same(only, name))).peekable();
            // An entry for a type that is not selected is unused.
            let is_used = types.peek().is_some();
            if is_used && !types.any(|name| world.process.has_state(name, &entry.ado)) {
                let (name, value) = (Gone { field, name: entry.ado.clone() }, folded(&entry.ado));
                self.missing.push(Missing { name, kind, work_item_type: only.map(folded), value });
            }
        }
    }
}

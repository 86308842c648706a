//! Which work item types become requirements and bugs.

use crate::api::{AdoProjectConfigSpec, Reason};
use crate::domain::verdict::Cause;

use super::pins::MappingPins;
use super::process::Process;
use super::same;

/// Where a spec names the types of requirements.
pub const REQUIREMENT_TYPES: &str = "spec.pullRequirements.workItemTypes";

/// Where a spec names the types of bugs.
pub const BUG_TYPES: &str = "spec.bugMapping.workItemTypes";

/// The types in force, as the process spells them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selected {
    /// Types of requirements; empty while they are off.
    pub requirement_types: Vec<String>,
    /// Types of bugs; empty while they are off.
    pub bug_types: Vec<String>,
}

/// The types of a new or edited spec: each name must be one, and none on both sides.
pub fn select(spec: &AdoProjectConfigSpec, process: &Process, pins: &MappingPins) -> Result<Selected, Cause> {
    for (field, names) in
        [(REQUIREMENT_TYPES, named_requirements(spec)), (BUG_TYPES, named_bugs(spec).filter(|_| spec.bugs().is_some()))]
    {
        let mut unknown = names.unwrap_or_default().iter().filter(|name| pins.type_meant(name, process).is_none());
        if let Some(name) = unknown.next() {
            return Err(no_type(field, name, process));
        }
    }
    let selected = current(spec, process, pins);
    refuse_repeats(REQUIREMENT_TYPES, &selected.requirement_types, process)?;
    refuse_repeats(BUG_TYPES, &selected.bug_types, process)?;
    if spec.bugs().is_some() && selected.bug_types.is_empty() {
        let text = "must name the types, because the process has no bug category of its own";
        return Err(invalid(&format!("{BUG_TYPES} {text}"), process));
    }
    if spec.requirements().is_some() && selected.requirement_types.is_empty() {
        let text = "must name the types, because the requirement level of the process has none that is not a bug";
        return Err(invalid(&format!("{REQUIREMENT_TYPES} {text}"), process));
    }
    let both = selected.requirement_types.iter().find(|name| contains(&selected.bug_types, name));
    if let Some(both) = both {
        let text = format!("{BUG_TYPES}: {both} is pulled as a requirement too; name it on one side only");
        return Err(invalid(&text, process));
    }
    Ok(selected)
}

/// The types that an accepted spec selects by now, without those that are gone.
pub fn current(spec: &AdoProjectConfigSpec, process: &Process, pins: &MappingPins) -> Selected {
    let meant = |names: &[String]| -> Vec<String> {
        names.iter().filter_map(|name| pins.type_meant(name, process)).map(|known| known.name.clone()).collect()
    };
    let bug_types = match (spec.bugs(), named_bugs(spec)) {
        (None, _) => Vec::new(),
        (Some(_), Some(named)) => meant(named),
        (Some(_), None) => process.bug_types(),
    };
    let requirement_types = match (spec.requirements(), named_requirements(spec)) {
        (None, _) => Vec::new(),
        (Some(_), Some(named)) => meant(named),
        (Some(_), None) => default_requirements(process, named_bugs(spec).unwrap_or_default(), pins),
    };
    Selected { requirement_types, bug_types }
}

/// The requirement level without bugs, and without the types that the bug block names, even while it is off.
fn default_requirements(process: &Process, named_bugs: &[String], pins: &MappingPins) -> Vec<String> {
    let is_named = |name: &str| {
        named_bugs.iter().any(|bug| pins.type_meant(bug, process).is_some_and(|known| same(&known.name, name)))
    };
    process.requirement_types().into_iter().filter(|name| !is_named(name)).collect()
}

fn named_requirements(spec: &AdoProjectConfigSpec) -> Option<&[String]> {
    spec.requirements()?.work_item_types.as_deref()
}

fn named_bugs(spec: &AdoProjectConfigSpec) -> Option<&[String]> {
    spec.bug_mapping.as_ref()?.work_item_types.as_deref()
}

/// Two names of one type say the same twice: they differ in case, or one of them is what the type was called before.
fn refuse_repeats(field: &str, types: &[String], process: &Process) -> Result<(), Cause> {
    for (place, name) in types.iter().enumerate() {
        if contains(&types[..place], name) {
            return Err(invalid(&format!("{field}: {name} is named twice"), process));
        }
    }
    Ok(())
}

/// No type has that name.
pub fn no_type(field: &str, name: &str, process: &Process) -> Cause {
    invalid(&format!("{field}: the project has no work item type {name:?}"), process)
}

fn invalid(text: &str, process: &Process) -> Cause {
    let names: Vec<&str> = process.type_names().collect();
    Cause::new(Reason::InvalidMapping, format!("{text}. The project has: {}.", names.join(", ")))
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|known| same(known, name))
}

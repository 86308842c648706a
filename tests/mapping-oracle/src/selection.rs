//! Which types are pulled as requirements and which as bugs.

use crate::Case;
use crate::input::{Spec, WorkType, World};
use crate::process::{among, bug_category, requirement_level, type_named, type_referenced};

/// The types that are pulled.
pub(crate) struct Selection<'w> {
    pub(crate) requirements: Vec<&'w WorkType>,
    pub(crate) bugs: Vec<&'w WorkType>,
}

/// What the spec selected in the world of its acceptance.
pub(crate) fn selected_then<'w>(case: &Case<'w>) -> Selection<'w> {
    selected(case.spec, case.then, case.then)
}

/// What the spec selects now: the types that it names, by their pins, and defaults that follow the process.
pub(crate) fn selected_now<'w>(case: &Case<'w>) -> Selection<'w> {
    selected(case.spec, case.then, case.now)
}

/// A type that comes into both lists only later is a bug.
fn selected<'w>(spec: &Spec, then: &World, world: &'w World) -> Selection<'w> {
    let bugs = bug_types(spec, then, world);
    let requirements = requirement_types(spec, then, world);
    Selection { requirements: without(requirements, &bugs), bugs }
}

fn without<'w>(types: Vec<&'w WorkType>, taken: &[&WorkType]) -> Vec<&'w WorkType> {
    types.into_iter().filter(|candidate| !among(taken, candidate)).collect()
}

/// Rule: types are pinned "by reference name": named in the world of acceptance, found again in another. What is gone
/// is left out.
fn pinned_types<'w>(names: &[String], then: &World, world: &'w World) -> Vec<&'w WorkType> {
    let pins = names.iter().filter_map(|name| type_named(then, name));
    pins.filter_map(|pin| type_referenced(world, &pin.reference_name)).collect()
}

/// The types of *Pull Requirements*: those it names, else the default; none while it is off.
pub(crate) fn requirement_types<'w>(spec: &Spec, then: &World, world: &'w World) -> Vec<&'w WorkType> {
    let Some(pull) = spec.pull() else { return Vec::new() };
    match &pull.work_item_types {
        Some(names) => pinned_types(names, then, world),
        None => default_requirement_types(spec, then, world),
    }
}

/// Rule: "default requirement types = requirement level minus the bug category minus `bugMapping.workItemTypes`", which
/// "subtracts its types switched off too".
fn default_requirement_types<'w>(spec: &Spec, then: &World, world: &'w World) -> Vec<&'w WorkType> {
    let names = spec.bug_mapping.as_ref().and_then(|block| block.work_item_types.as_deref()).unwrap_or_default();
    let rest = without(requirement_level(world), &bug_category(world));
    without(rest, &pinned_types(names, then, world))
}

/// The types of *Bug Mapping*: those it names, else (rule) "the process's bug category"; none while it is off.
pub(crate) fn bug_types<'w>(spec: &Spec, then: &World, world: &'w World) -> Vec<&'w WorkType> {
    let Some(bugs) = spec.bugs() else { return Vec::new() };
    match &bugs.work_item_types {
        Some(names) => pinned_types(names, then, world),
        None => bug_category(world),
    }
}

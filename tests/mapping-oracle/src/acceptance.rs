//! Whether a spec is acceptable in the world in which it was given.

use crate::Case;
use crate::input::{BugMapping, IterationMapping, PullRequirements, Side, StatusEntry, WorkType, World};
use crate::names::{any_named_twice, holds, same};
use crate::process::{among, item_is_of, same_type, type_named};
use crate::selection::{Selection, bug_types, requirement_types, selected_then};
use crate::sources::literal_part_exists;
use crate::values::{SEVERITY, STATE, zone_named};

pub(crate) const REQUIREMENT_TYPES: &str = "spec.pullRequirements.workItemTypes";
pub(crate) const BUG_TYPES: &str = "spec.bugMapping.workItemTypes";
pub(crate) const DATE_FIELDS: &str = "spec.pullRequirements.releaseDateFields";
pub(crate) const REQUIREMENT_STATUS: &str = "spec.pullRequirements.statusMapping";
pub(crate) const BUG_STATUS: &str = "spec.bugMapping.statusMapping";
pub(crate) const BUG_SEVERITY: &str = "spec.bugMapping.severityMapping";
pub(crate) const RELEASE_PATHS: &str = "spec.iterationMapping.release.paths";
pub(crate) const SPRINT_PATHS: &str = "spec.iterationMapping.sprint.paths";
pub(crate) const TEAM: &str = "spec.team";
const TIME_ZONE: &str = "spec.timeZone";

/// A field of the spec and the rule that tells whether it is valid.
type Check = (&'static str, fn(&Case) -> bool);

/// In this order the fields are judged. A tier is never invalid: one above the number of levels matches nothing.
const CHECKS: [Check; 10] = [
    (REQUIREMENT_TYPES, requirement_types_are_valid),
    (BUG_TYPES, bug_types_are_valid),
    (DATE_FIELDS, date_fields_are_valid),
    (REQUIREMENT_STATUS, requirement_statuses_are_valid),
    (BUG_STATUS, bug_statuses_are_valid),
    (BUG_SEVERITY, severities_are_valid),
    (RELEASE_PATHS, release_paths_are_valid),
    (SPRINT_PATHS, sprint_paths_are_valid),
    (TEAM, team_is_valid),
    (TIME_ZONE, time_zone_is_valid),
];

/// The first field of the spec that names what does not exist, repeats itself or leaves nothing.
pub(crate) fn first_invalid_field(case: &Case) -> Option<&'static str> {
    CHECKS.iter().find(|(_, is_valid)| !is_valid(case)).map(|(field, _)| *field)
}

fn all_types_exist(world: &World, names: &[String]) -> bool {
    names.iter().all(|name| type_named(world, name).is_some())
}

/// Rules: "blocks whose toggle is off are not validated"; a type that does not exist is an Error; of the default types,
/// "none left is an Error".
fn requirement_types_are_valid(case: &Case) -> bool {
    let Some(pull) = case.spec.pull() else { return true };
    match &pull.work_item_types {
        Some(names) => !any_named_twice(names) && all_types_exist(case.then, names),
        None => !requirement_types(case.spec, case.then, case.then).is_empty(),
    }
}

/// Rules: a bug category that counts as empty means that "`bugMapping` needs explicit types"; "a type in both effective
/// lists is an Error (field `spec.bugMapping.workItemTypes`)".
fn bug_types_are_valid(case: &Case) -> bool {
    let Some(bugs) = case.spec.bugs() else { return true };
    let own = bug_types(case.spec, case.then, case.then);
    let valid = match &bugs.work_item_types {
        Some(names) => !any_named_twice(names) && all_types_exist(case.then, names),
        None => !own.is_empty(),
    };
    valid && !requirement_types(case.spec, case.then, case.then).iter().any(|both| among(&own, both))
}

fn date_fields_are_valid(case: &Case) -> bool {
    let Some(names) = case.spec.pull().and_then(|pull| pull.release_date_fields.as_deref()) else { return true };
    let types = selected_then(case).requirements;
    !any_named_twice(names) && names.iter().all(|name| is_date_field(case.then, &types, name))
}

/// Rules: a date field is `ReleaseEndDate`, `SprintEndDate` or a date of the organization; "a field need exist on one
/// selected type only".
pub(crate) fn is_date_field(world: &World, types: &[&WorkType], name: &str) -> bool {
    if name == "ReleaseEndDate" || name == "SprintEndDate" {
        return true;
    }
    let field = world.fields.iter().find(|field| same(&field.reference_name, name));
    field.is_some_and(|field| same(&field.value_type, "dateTime"))
        && types.iter().any(|candidate| holds(&candidate.fields, name))
}

fn requirement_statuses_are_valid(case: &Case) -> bool {
    let Some(pull) = case.spec.pull() else { return true };
    statuses_are_valid(case, pull.statuses(), &selected_then(case).requirements)
}

fn bug_statuses_are_valid(case: &Case) -> bool {
    let Some(bugs) = case.spec.bugs() else { return true };
    statuses_are_valid(case, bugs.statuses(), &selected_then(case).bugs)
}

fn statuses_are_valid(case: &Case, entries: &[StatusEntry], selected: &[&WorkType]) -> bool {
    !any_entry_twice(entries) && entries.iter().all(|entry| status_entry_is_valid(case, entry, selected))
}

/// Whether two entries have the same state and type, whatever their case.
fn any_entry_twice(entries: &[StatusEntry]) -> bool {
    let same_types = |one: &StatusEntry, other: &StatusEntry| match (&one.work_item_type, &other.work_item_type) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    };
    let twice = |(at, entry): (usize, &StatusEntry)| {
        entries[..at].iter().any(|earlier| same(&earlier.ado, &entry.ado) && same_types(earlier, entry))
    };
    entries.iter().enumerate().any(twice)
}

/// Rules: a type or state that does not exist is an Error; "an entry for a type that is not selected is unused"; a
/// state "no longer offered but that some item still carries is accepted".
fn status_entry_is_valid(case: &Case, entry: &StatusEntry, selected: &[&WorkType]) -> bool {
    let Some(name) = &entry.work_item_type else { return state_exists(case, selected, &entry.ado) };
    match type_named(case.then, name) {
        None => false,
        Some(own) if !among(selected, own) => true,
        Some(own) => state_exists(case, &[own], &entry.ado),
    }
}

/// Whether one of some types offers a state, or an item of them carries it.
pub(crate) fn state_exists(case: &Case, types: &[&WorkType], state: &str) -> bool {
    types.iter().any(|candidate| offers_state(candidate, state)) || is_carried(case, types, STATE, state)
}

fn offers_state(work_type: &WorkType, state: &str) -> bool {
    work_type.states.iter().any(|candidate| same(&candidate.name, state))
}

/// Whether an item of some types carries a value.
fn is_carried(case: &Case, types: &[&WorkType], field: &str, value: &str) -> bool {
    let of_types = case.items.iter().filter(|item| types.iter().any(|wanted| item_is_of(case, item, wanted)));
    of_types.filter_map(|item| item.text(field)).any(|text| same(&text, value))
}

/// A `severityMapping` where no bug type has Severity is not an Error but a warning, so its entries are not judged.
fn severities_are_valid(case: &Case) -> bool {
    let Some(bugs) = case.spec.bugs() else { return true };
    let names: Vec<String> = bugs.severities().iter().map(|entry| entry.ado.clone()).collect();
    let types = selected_then(case).bugs;
    if any_named_twice(&names) {
        return false;
    }
    !any_has_severity(case.then, &types) || names.iter().all(|name| severity_exists(case, case.then, &types, name))
}

/// Whether a type has the field Severity.
pub(crate) fn any_has_severity(world: &World, types: &[&WorkType]) -> bool {
    types.iter().any(|candidate| holds(&candidate.fields, SEVERITY) || !severities_of(world, candidate).is_empty())
}

fn severities_of<'w>(world: &'w World, work_type: &WorkType) -> &'w [String] {
    let found = world.severities.iter().find(|(name, _)| same(name, &work_type.name));
    found.map_or(&[], |(_, allowed)| allowed)
}

/// Whether one of some types offers a severity, or an item of them carries it.
pub(crate) fn severity_exists(case: &Case, world: &World, types: &[&WorkType], severity: &str) -> bool {
    any_offers_severity(world, types, severity) || is_carried(case, types, SEVERITY, severity)
}

fn any_offers_severity(world: &World, types: &[&WorkType], severity: &str) -> bool {
    types.iter().any(|candidate| holds(severities_of(world, candidate), severity))
}

/// Paths that a side of the iteration mapping names, if the mapping is in use.
pub(crate) fn paths_of<'s>(case: &Case<'s>, side: fn(&'s IterationMapping) -> Option<&'s Side>) -> &'s [String] {
    let mapping = case.spec.iteration_mapping.as_ref().filter(|_| case.spec.uses_iterations());
    mapping.and_then(side).and_then(|side| side.paths.as_deref()).unwrap_or_default()
}

fn release_paths_are_valid(case: &Case) -> bool {
    paths_are_valid(case, paths_of(case, |mapping| mapping.release.as_ref()))
}

fn sprint_paths_are_valid(case: &Case) -> bool {
    paths_are_valid(case, paths_of(case, |mapping| mapping.sprint.as_ref()))
}

fn paths_are_valid(case: &Case, paths: &[String]) -> bool {
    !any_named_twice(paths) && paths.iter().all(|path| literal_part_exists(&case.tree_then, path))
}

/// Rules: a team that does not exist is an Error; "`TeamBoard` needs `team`". The team belongs to no block with a
/// toggle, so it is judged with both off too.
fn team_is_valid(case: &Case) -> bool {
    match &case.spec.team {
        Some(_) => case.then.team.is_some(),
        None => !(case.spec.uses_iterations() && uses_team_board(case)),
    }
}

fn uses_team_board(case: &Case) -> bool {
    let sides = case.spec.iteration_mapping.iter().flat_map(|mapping| [&mapping.release, &mapping.sprint]);
    sides.flatten().any(|side| matches!(side.from, crate::input::From::TeamBoard))
}

/// Rule: "an unknown time zone is an Error".
fn time_zone_is_valid(case: &Case) -> bool {
    case.spec.time_zone.as_deref().is_none_or(|name| zone_named(name).is_some())
}

/// What the blocks that are on name by `type` in their status mappings, with the field.
pub(crate) fn status_entries<'s>(
    case: &Case<'s>,
    selection: &Selection<'s>,
) -> Vec<(&'static str, &'s StatusEntry, Vec<&'s WorkType>)> {
    let mut found = Vec::new();
    for entry in case.spec.pull().into_iter().flat_map(PullRequirements::statuses) {
        found.push((REQUIREMENT_STATUS, entry, used_for(case, entry, &selection.requirements)));
    }
    for entry in case.spec.bugs().into_iter().flat_map(BugMapping::statuses) {
        found.push((BUG_STATUS, entry, used_for(case, entry, &selection.bugs)));
    }
    found
}

/// The selected types that an entry is for.
fn used_for<'w>(case: &Case, entry: &StatusEntry, selected: &[&'w WorkType]) -> Vec<&'w WorkType> {
    let Some(name) = &entry.work_item_type else { return selected.to_vec() };
    let pin = type_named(case.then, name);
    selected.iter().copied().filter(|candidate| pin.is_some_and(|pin| same_type(pin, candidate))).collect()
}

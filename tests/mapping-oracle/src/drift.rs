//! What became of the things that an accepted spec names: gone, renamed, shifted.

use serde_json::{Value, json};

use crate::Case;
use crate::acceptance::{
    BUG_SEVERITY, BUG_STATUS, BUG_TYPES, DATE_FIELDS, RELEASE_PATHS, REQUIREMENT_STATUS, REQUIREMENT_TYPES,
    SPRINT_PATHS, TEAM, any_has_severity, is_date_field, paths_of, severity_exists, state_exists, status_entries,
};
use crate::input::{BugMapping, From, IterationMapping, Side};
use crate::names::same;
use crate::process::{level_at, tier_of_level, type_named, type_referenced};
use crate::selection::selected_now;
use crate::sources::{literal_part, pinned_node};

const RELEASE_TIER: &str = "spec.iterationMapping.release.tier";
const SPRINT_TIER: &str = "spec.iterationMapping.sprint.tier";

/// A name of the spec and the field that it stands in.
type Named<'s> = (&'static str, &'s str);

/// Rule: "what is gone is `ProcessChanged`". Sorted, without repeats.
pub(crate) fn gone(case: &Case) -> Vec<Value> {
    let mut names: Vec<(&str, String)> = Vec::new();
    let mut add = |(field, name): Named| names.push((field, name.to_owned()));
    named_types(case).into_iter().filter(|named| type_is_gone(case, named.1)).for_each(&mut add);
    gone_date_fields(case).into_iter().for_each(&mut add);
    gone_states(case).into_iter().for_each(&mut add);
    gone_severities(case).into_iter().for_each(&mut add);
    named_paths(case).into_iter().filter(|named| path_is_gone(case, named.1)).for_each(&mut add);
    gone_team(case).into_iter().for_each(&mut add);
    names.extend(named_tiers(case).into_iter().filter_map(|(field, tier)| gone_tier(case, field, tier)));
    names.sort();
    names.dedup();
    names.into_iter().map(|(field, name)| json!({"field": field, "name": name})).collect()
}

/// Rule: "a renamed or shifted thing goes on with a warning".
pub(crate) fn warnings(case: &Case) -> Vec<Value> {
    let types = named_types(case).into_iter().filter(|named| type_is_renamed(case, named.1));
    let paths = named_paths(case).into_iter().filter(|named| path_is_renamed(case, named.1));
    let renamed = types.chain(paths).chain(renamed_team(case));
    let mut found: Vec<Value> =
        renamed.map(|(field, was)| json!({"kind": "Renamed", "field": field, "was": was})).collect();
    found.extend(named_tiers(case).into_iter().filter_map(|(_, tier)| shifted(case, tier)));
    found
}

/// Types that the blocks which are on name, those of status entries included.
fn named_types<'s>(case: &Case<'s>) -> Vec<Named<'s>> {
    let mut found = Vec::new();
    if let Some(pull) = case.spec.pull() {
        found.extend(pull.work_item_types.iter().flatten().map(|name| (REQUIREMENT_TYPES, name.as_str())));
        let entries = pull.statuses().iter().filter_map(|entry| entry.work_item_type.as_deref());
        found.extend(entries.map(|name| (REQUIREMENT_STATUS, name)));
    }
    if let Some(bugs) = case.spec.bugs() {
        found.extend(bugs.work_item_types.iter().flatten().map(|name| (BUG_TYPES, name.as_str())));
        let entries = bugs.statuses().iter().filter_map(|entry| entry.work_item_type.as_deref());
        found.extend(entries.map(|name| (BUG_STATUS, name)));
    }
    found
}

fn type_is_gone(case: &Case, name: &str) -> bool {
    type_named(case.then, name).is_some_and(|pin| type_referenced(case.now, &pin.reference_name).is_none())
}

fn type_is_renamed(case: &Case, name: &str) -> bool {
    let pin = type_named(case.then, name);
    let now = pin.and_then(|pin| type_referenced(case.now, &pin.reference_name));
    pin.zip(now).is_some_and(|(pin, now)| !same(&pin.name, &now.name))
}

fn gone_date_fields<'s>(case: &Case<'s>) -> Vec<Named<'s>> {
    let types = selected_now(case).requirements;
    let names = case.spec.pull().and_then(|pull| pull.release_date_fields.as_deref()).unwrap_or_default();
    let gone = names.iter().filter(|name| !is_date_field(case.now, &types, name));
    gone.map(|name| (DATE_FIELDS, name.as_str())).collect()
}

/// States that no type of their entry offers and no pulled item of these types carries by now. What was not offered at
/// acceptance either was carried then, and can be gone like the rest. Rule: "an entry for a type that is not selected
/// is unused", as is one whose types are gone.
fn gone_states<'s>(case: &Case<'s>) -> Vec<Named<'s>> {
    let entries = status_entries(case, &selected_now(case));
    let used = entries.into_iter().filter(|(_, _, types)| !types.is_empty());
    let gone = used.filter(|(_, entry, types)| !state_exists(case, types, &entry.ado));
    gone.map(|(field, entry, _)| (field, entry.ado.as_str())).collect()
}

/// Severities likewise; where no bug type has Severity any more, that is a warning of its own.
fn gone_severities<'s>(case: &Case<'s>) -> Vec<Named<'s>> {
    let types = selected_now(case).bugs;
    if !any_has_severity(case.now, &types) {
        return Vec::new();
    }
    let names = case.spec.bugs().into_iter().flat_map(BugMapping::severities).map(|entry| entry.ado.as_str());
    names.filter(|name| !severity_exists(case, case.now, &types, name)).map(|name| (BUG_SEVERITY, name)).collect()
}

fn named_paths<'s>(case: &Case<'s>) -> Vec<Named<'s>> {
    let release = paths_of(case, |mapping| mapping.release.as_ref()).iter().map(|path| (RELEASE_PATHS, path.as_str()));
    let sprint = paths_of(case, |mapping| mapping.sprint.as_ref()).iter().map(|path| (SPRINT_PATHS, path.as_str()));
    release.chain(sprint).collect()
}

/// A path that begins with `*` pins nothing that could go.
fn path_is_gone(case: &Case, path: &str) -> bool {
    literal_part(path).is_some() && pinned_node(case, path).is_none()
}

/// Whether the pinned node has another path by now, be it by its own name or by one above it.
fn path_is_renamed(case: &Case, path: &str) -> bool {
    let pin = pinned_node(case, path).zip(literal_part(path));
    pin.is_some_and(|(place, part)| !same(&case.tree_now.places[place].path, &part))
}

/// The pinned team is found again by its id.
fn gone_team<'s>(case: &Case<'s>) -> Option<Named<'s>> {
    let name = case.spec.team.as_deref()?;
    let pin = case.then.team.as_ref()?;
    let kept = case.now.team.as_ref().is_some_and(|now| same(&now.id, &pin.id));
    (!kept).then_some((TEAM, name))
}

fn renamed_team<'s>(case: &Case<'s>) -> Option<Named<'s>> {
    let name = case.spec.team.as_deref()?;
    let (pin, now) = (case.then.team.as_ref()?, case.now.team.as_ref()?);
    (same(&pin.id, &now.id) && !same(&pin.name, &now.name)).then_some((TEAM, name))
}

fn named_tiers(case: &Case) -> Vec<(&'static str, usize)> {
    let mapping = case.spec.iteration_mapping.as_ref().filter(|_| case.spec.uses_iterations());
    let Some(IterationMapping { release, sprint, .. }) = mapping else { return Vec::new() };
    let tier = |side: &Option<Side>| side.as_ref().filter(|side| matches!(side.from, From::Tier))?.tier;
    let release = tier(release).map(|tier| (RELEASE_TIER, tier));
    let sprint = tier(sprint).map(|tier| (SPRINT_TIER, tier));
    release.into_iter().chain(sprint).collect()
}

/// A level that existed and is there no longer.
fn gone_tier(case: &Case, field: &'static str, tier: usize) -> Option<(&'static str, String)> {
    let pin = level_at(case.then, tier)?;
    tier_of_level(case.now, &pin.id).is_none().then(|| (field, tier.to_string()))
}

/// A level that has another tier by now.
fn shifted(case: &Case, tier: usize) -> Option<Value> {
    let now = tier_of_level(case.now, &level_at(case.then, tier)?.id)?;
    (now != tier).then(|| json!({"kind": "Shifted", "was": tier, "is": now}))
}

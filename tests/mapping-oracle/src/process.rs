//! Types, bug category and tiers of one world.

use crate::Case;
use crate::input::{BugsBehavior, Item, Level, WorkType, World};
use crate::names::{holds, same};

/// The type of a name.
pub(crate) fn type_named<'w>(world: &'w World, name: &str) -> Option<&'w WorkType> {
    world.types.iter().find(|candidate| same(&candidate.name, name))
}

/// The type of a reference name, which a rename keeps.
pub(crate) fn type_referenced<'w>(world: &'w World, reference: &str) -> Option<&'w WorkType> {
    world.types.iter().find(|candidate| same(&candidate.reference_name, reference))
}

/// Whether two are one type, maybe of two worlds.
pub(crate) fn same_type(one: &WorkType, other: &WorkType) -> bool {
    same(&one.reference_name, &other.reference_name)
}

/// Whether a list holds a type.
pub(crate) fn among(types: &[&WorkType], wanted: &WorkType) -> bool {
    types.iter().any(|candidate| same_type(candidate, wanted))
}

/// Whether an item is of a type of either world. A type that is gone is known by its name only.
pub(crate) fn item_is_of(case: &Case, item: &Item, wanted: &WorkType) -> bool {
    let name = item.type_name();
    match type_named(case.now, &name) {
        Some(found) => same_type(found, wanted),
        None => same(&name, &wanted.name),
    }
}

/// The types of a list of names, those that exist, in the order of the list.
fn types_named<'w>(world: &'w World, names: &[String]) -> Vec<&'w WorkType> {
    names.iter().filter_map(|name| type_named(world, name)).collect()
}

/// The types of the requirement level, as the backlog configuration lists them.
pub(crate) fn requirement_level(world: &World) -> Vec<&WorkType> {
    match &world.backlogs.requirement {
        Some(level) => types_named(world, &level.work_item_types),
        None => Vec::new(),
    }
}

/// The types that the process puts into its bug category.
fn listed_bug_category(world: &World) -> Vec<&WorkType> {
    let category = world.categories.iter().find(|category| same(&category.reference_name, "Microsoft.BugCategory"));
    category.map_or_else(Vec::new, |category| types_named(world, &category.work_item_types))
}

/// Rule: "a bug category without which no requirement type would be left (Basic's Issue) counts as empty everywhere".
/// Where the requirement level is empty by itself, the category takes nothing away and counts as it stands.
pub(crate) fn bug_category(world: &World) -> Vec<&WorkType> {
    let listed = listed_bug_category(world);
    let level = requirement_level(world);
    let takes_all = !level.is_empty() && level.iter().all(|candidate| among(&listed, candidate));
    if takes_all { Vec::new() } else { listed }
}

/// Rule: tiers come "from `backlogconfiguration`, by rank, hidden levels included": portfolio levels, the highest rank
/// first, then the requirement level, then the task level.
pub(crate) fn levels(world: &World) -> Vec<&Level> {
    let mut levels: Vec<&Level> = world.backlogs.portfolio.iter().collect();
    levels.sort_by_key(|level| std::cmp::Reverse(level.rank));
    levels.extend(&world.backlogs.requirement);
    levels.extend(&world.backlogs.task);
    levels
}

/// The tier of the level with an id: its place among the levels, from 1.
pub(crate) fn tier_of_level(world: &World, id: &str) -> Option<usize> {
    levels(world).iter().position(|level| same(&level.id, id)).map(|at| at + 1)
}

/// The tier of a type, if it has one.
pub(crate) fn tier_of_type(world: &World, wanted: &WorkType) -> Option<usize> {
    if among(&bug_category(world), wanted) { tier_of_bugs(world) } else { listed_tier(world, wanted) }
}

/// Rule: "`bugsBehavior` only sets the tier of bug category types, and wins over a level that lists them".
fn tier_of_bugs(world: &World) -> Option<usize> {
    let level = match world.backlogs.bugs_behavior {
        BugsBehavior::Off => None,
        BugsBehavior::AsRequirements => world.backlogs.requirement.as_ref(),
        BugsBehavior::AsTasks => world.backlogs.task.as_ref(),
    };
    level.and_then(|level| tier_of_level(world, &level.id))
}

/// The tier of the first level that lists a type.
fn listed_tier(world: &World, wanted: &WorkType) -> Option<usize> {
    levels(world).iter().position(|level| holds(&level.work_item_types, &wanted.name)).map(|at| at + 1)
}

/// Rule: "the level is pinned by its backlog id": the tier that a tier of the spec is now. A tier that no level had
/// when the spec was accepted has no pin, and counts as it is written.
pub(crate) fn pinned_tier(case: &Case, tier: usize) -> Option<usize> {
    match level_at(case.then, tier) {
        Some(level) => tier_of_level(case.now, &level.id),
        None => level_at(case.now, tier).map(|_| tier),
    }
}

/// The level at a tier.
pub(crate) fn level_at(world: &World, tier: usize) -> Option<&Level> {
    levels(world).into_iter().nth(tier.checked_sub(1)?)
}

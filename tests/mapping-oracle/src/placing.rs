//! The release and the sprint of every item.

use std::collections::{BTreeMap, BTreeSet};

use crate::Case;
use crate::input::Item;
use crate::iterations::{Place, PlaceNo, ROOT, Tree};
use crate::process::{pinned_tier, tier_of_type, type_named};
use crate::sources::{Sides, Source, nodes_of, release_nodes};

/// Releases, sprints and where each item stands.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) releases: BTreeSet<PlaceNo>,
    pub(crate) sprints: BTreeSet<PlaceNo>,
    /// What the sprint source selects, before releases take nodes from it.
    pub(crate) sprint_source: BTreeSet<PlaceNo>,
    /// The release that tree or dates give a sprint; empty if the release is from `Tier`.
    pub(crate) release_of_sprint: BTreeMap<PlaceNo, PlaceNo>,
    /// By item id.
    pub(crate) spots: BTreeMap<i64, Spot>,
}

/// Where one item stands.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spot {
    pub(crate) release: Option<PlaceNo>,
    pub(crate) sprint: Option<PlaceNo>,
}

/// Places the pulled items.
pub(crate) fn place(case: &Case, sides: &Sides, pulled: &[&Item]) -> Plan {
    match (&sides.release, &sides.sprint) {
        (Source::Tier(release), Source::Tier(sprint)) => both_from_tier(case, pulled, *release, *sprint),
        (Source::Tier(release), sprint) => release_from_tier(case, pulled, *release, sprint),
        (_, Source::Tier(sprint)) => sprint_from_tier(case, sides, pulled, *sprint),
        (_, sprint) => both_from_nodes(case, sides, pulled, sprint),
    }
}

/// Rule: "an item's sprint (release) is the nearest node at or above its own iteration that is a sprint (release)".
fn nearest(tree: &Tree, item: &Item, nodes: &BTreeSet<PlaceNo>) -> Option<PlaceNo> {
    let own = tree.iteration_of(item)?;
    tree.at_or_above(own).into_iter().find(|place| nodes.contains(place))
}

/// Rule: "a node matched by both sources is a release only".
fn minus(nodes: &BTreeSet<PlaceNo>, taken: &BTreeSet<PlaceNo>) -> BTreeSet<PlaceNo> {
    nodes.iter().copied().filter(|node| !taken.contains(node)).collect()
}

/// Neither side from `Tier`.
fn both_from_nodes(case: &Case, sides: &Sides, pulled: &[&Item], sprint: &Source) -> Plan {
    let tree = &case.tree_now;
    let releases = release_nodes(case, sides);
    let sprint_source = nodes_of(case, sprint);
    let sprints = minus(&sprint_source, &releases);
    let release_of_sprint = releases_of(tree, &sprints, &releases);
    let spot = |item: &&Item| {
        let sprint = nearest(tree, item, &sprints);
        (item.id, Spot { release: release_beside(tree, item, sprint, &releases, &release_of_sprint), sprint })
    };
    let spots = pulled.iter().map(spot).collect();
    Plan { releases, sprints, sprint_source, release_of_sprint, spots }
}

/// Rule: "an item whose sprint has a release takes that release, even if it sits on another"; else its own nearest.
fn release_beside(
    tree: &Tree,
    item: &Item,
    sprint: Option<PlaceNo>,
    releases: &BTreeSet<PlaceNo>,
    release_of_sprint: &BTreeMap<PlaceNo, PlaceNo>,
) -> Option<PlaceNo> {
    let of_sprint = sprint.and_then(|sprint| release_of_sprint.get(&sprint).copied());
    of_sprint.or_else(|| nearest(tree, item, releases))
}

/// The release of each sprint that has one.
fn releases_of(tree: &Tree, sprints: &BTreeSet<PlaceNo>, releases: &BTreeSet<PlaceNo>) -> BTreeMap<PlaceNo, PlaceNo> {
    sprints.iter().filter_map(|sprint| Some((*sprint, release_of(tree, *sprint, releases)?))).collect()
}

/// Rule: "a sprint belongs to the nearest release above it; with none above, to a release by date only if exactly one
/// release's inclusive interval contains the sprint (nested ones both count); else to none".
fn release_of(tree: &Tree, sprint: PlaceNo, releases: &BTreeSet<PlaceNo>) -> Option<PlaceNo> {
    let above = tree.above(sprint).into_iter().find(|place| releases.contains(place));
    if above.is_some() {
        return above;
    }
    let around: Vec<PlaceNo> =
        releases.iter().copied().filter(|release| contains(&tree.places[*release], &tree.places[sprint])).collect();
    match around[..] {
        [only] => Some(only),
        _ => None,
    }
}

/// Rule: an "inclusive interval contains the sprint"; "half-dated nodes contain nothing", and a half-dated sprint has
/// no interval that anything could contain.
fn contains(release: &Place, sprint: &Place) -> bool {
    let (Some(first), Some(last)) = (release.start, release.finish) else { return false };
    let (Some(start), Some(finish)) = (sprint.start, sprint.finish) else { return false };
    first <= start && start <= last && first <= finish && finish <= last
}

/// Rule: "`Tier` (the iteration of the item's ancestor at that tier)". Never the root, which only `Paths` can name.
fn tier_node(case: &Case, item: &Item, tier: usize) -> Option<PlaceNo> {
    let ancestor = ancestor_at(case, item, pinned_tier(case, tier)?)?;
    case.tree_now.iteration_of(ancestor).filter(|place| *place != ROOT)
}

/// Rule: "set per item, looking at the item itself first, then its parents in the same project, through types of no
/// tier; elsewhere, deleted, unreadable or a closed cycle ends the walk with none".
fn ancestor_at<'i>(case: &Case<'i>, item: &'i Item, tier: usize) -> Option<&'i Item> {
    let mut visited = BTreeSet::new();
    let mut candidate = item;
    while visited.insert(candidate.id) {
        if tier_of_item(case, candidate) == Some(tier) {
            return Some(candidate);
        }
        let parent = candidate.parent?;
        candidate = case.items.iter().find(|other| other.id == parent)?;
    }
    None
}

fn tier_of_item(case: &Case, item: &Item) -> Option<usize> {
    type_named(case.now, &item.type_name()).and_then(|found| tier_of_type(case.now, found))
}

/// Rule: "release from Tier: the release that tree or dates give a sprint is ignored, 'both sources' is judged per
/// item"; "where an item's sprint node is its release, the next sprint above counts". Every node of the sprint source stays a
/// sprint, since it may be one for another item.
fn release_from_tier(case: &Case, pulled: &[&Item], tier: usize, sprint: &Source) -> Plan {
    let sprints = nodes_of(case, sprint);
    let spot = |item: &&Item| {
        let release = tier_node(case, item, tier);
        let other = sprints.iter().copied().filter(|place| Some(*place) != release).collect();
        (item.id, Spot { release, sprint: nearest(&case.tree_now, item, &other) })
    };
    let spots: BTreeMap<i64, Spot> = pulled.iter().map(spot).collect();
    let releases = spots.values().filter_map(|spot| spot.release).collect();
    Plan { releases, sprint_source: sprints.clone(), sprints, release_of_sprint: BTreeMap::new(), spots }
}

/// Rule: "sprint from Tier: its release comes from the sprint's node; on a release node the item has no sprint and
/// takes its own nearest release". "Only nodes that pulled items reach are sprints".
fn sprint_from_tier(case: &Case, sides: &Sides, pulled: &[&Item], tier: usize) -> Plan {
    let tree = &case.tree_now;
    let releases = release_nodes(case, sides);
    let sprint_source: BTreeSet<PlaceNo> = pulled.iter().filter_map(|item| tier_node(case, item, tier)).collect();
    let sprints = minus(&sprint_source, &releases);
    let release_of_sprint = releases_of(tree, &sprints, &releases);
    let spot = |item: &&Item| {
        let sprint = tier_node(case, item, tier).filter(|place| sprints.contains(place));
        (item.id, Spot { release: release_beside(tree, item, sprint, &releases, &release_of_sprint), sprint })
    };
    let spots = pulled.iter().map(spot).collect();
    Plan { releases, sprints, sprint_source, release_of_sprint, spots }
}

/// Both from `Tier`: judged per item; on the node that is its release an item has no sprint.
fn both_from_tier(case: &Case, pulled: &[&Item], release: usize, sprint: usize) -> Plan {
    let mut plan = Plan::default();
    for item in pulled {
        let release = tier_node(case, item, release);
        let reached = tier_node(case, item, sprint);
        let sprint = reached.filter(|place| Some(*place) != release);
        plan.releases.extend(release);
        plan.sprint_source.extend(reached);
        plan.sprints.extend(sprint);
        plan.spots.insert(item.id, Spot { release, sprint });
    }
    plan
}

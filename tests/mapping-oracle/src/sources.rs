//! Where releases and sprints come from, and which nodes a source selects.

#![expect(clippy::expect_used, reason = "a side without the member that its `from` needs is refused by the schema")]

use std::collections::BTreeSet;

use crate::Case;
use crate::input::{From, IterationMapping, Side};
use crate::iterations::{PlaceNo, ROOT, Tree};
use crate::names::{holds, same};

/// Where the nodes of one side come from.
pub(crate) enum Source {
    Depth(usize),
    Paths(Vec<String>),
    Tier(usize),
    TeamBoard,
    None,
}

/// Both sides, the one left out filled in.
pub(crate) struct Sides {
    pub(crate) release: Source,
    release_left_out: bool,
    pub(crate) sprint: Source,
}

impl Sides {
    /// Rule: "left out, release is depth 1 and sprint depth 2; beside a given `Depth` n the sprint is n + 1, the
    /// release n − 1 (n = 1: `None`)".
    pub(crate) fn of(mapping: Option<&IterationMapping>) -> Self {
        let release = mapping.and_then(|mapping| mapping.release.as_ref()).map(given);
        let sprint = mapping.and_then(|mapping| mapping.sprint.as_ref()).map(given);
        match (release, sprint) {
            (None, None) => Self { release: Source::Depth(1), release_left_out: true, sprint: Source::Depth(2) },
            (Some(release), None) => {
                let sprint = sprint_beside(&release);
                Self { release, release_left_out: false, sprint }
            }
            (None, Some(sprint)) => Self { release: release_beside(&sprint), release_left_out: true, sprint },
            (Some(release), Some(sprint)) => Self { release, release_left_out: false, sprint },
        }
    }
}

fn given(side: &Side) -> Source {
    match side.from {
        From::Depth => Source::Depth(side.depth.expect("a depth")),
        From::Paths => Source::Paths(side.paths.clone().expect("paths")),
        From::Tier => Source::Tier(side.tier.expect("a tier")),
        From::TeamBoard => Source::TeamBoard,
        From::None => Source::None,
    }
}

fn sprint_beside(release: &Source) -> Source {
    match release {
        Source::Depth(depth) => Source::Depth(depth + 1),
        _ => Source::Depth(2),
    }
}

fn release_beside(sprint: &Source) -> Source {
    match sprint {
        Source::Depth(1) => Source::None,
        Source::Depth(depth) => Source::Depth(depth - 1),
        _ => Source::Depth(1),
    }
}

/// The nodes of the release source. Rule: "a release left out never takes a node that the sprint's `Paths` select".
pub(crate) fn release_nodes(case: &Case, sides: &Sides) -> BTreeSet<PlaceNo> {
    let mut nodes = nodes_of(case, &sides.release);
    if sides.release_left_out && matches!(sides.sprint, Source::Paths(_)) {
        for taken in nodes_of(case, &sides.sprint) {
            nodes.remove(&taken);
        }
    }
    nodes
}

/// The nodes that a source selects by itself. What `Tier` selects depends on the items: none here.
pub(crate) fn nodes_of(case: &Case, source: &Source) -> BTreeSet<PlaceNo> {
    match source {
        Source::Depth(depth) => at_depth(&case.tree_now, *depth),
        Source::Paths(paths) => paths.iter().flat_map(|path| named_by(case, path)).collect(),
        Source::TeamBoard => of_team(case),
        Source::Tier(_) | Source::None => BTreeSet::new(),
    }
}

/// All nodes but the root. Rule: "the root is a release or sprint only if `Paths` names it".
fn below_root(tree: &Tree) -> impl Iterator<Item = PlaceNo> {
    (0..tree.places.len()).filter(|place| *place != ROOT)
}

/// Rule: "`Depth` (every node that many levels below the root)".
pub(crate) fn at_depth(tree: &Tree, depth: usize) -> BTreeSet<PlaceNo> {
    below_root(tree).filter(|place| tree.places[*place].depth == depth).collect()
}

/// Rule: "`TeamBoard` (the nodes of the team's iteration list)".
fn of_team(case: &Case) -> BTreeSet<PlaceNo> {
    let nodes = team_nodes(case);
    below_root(&case.tree_now).filter(|place| holds(nodes, &case.tree_now.places[*place].identifier)).collect()
}

/// The list of the pinned team. Rule: "a team keeps its last nodes" when it is gone.
fn team_nodes<'w>(case: &Case<'w>) -> &'w [String] {
    match (&case.then.team, &case.now.team) {
        (Some(then), Some(now)) if same(&then.id, &now.id) => &now.nodes,
        (Some(then), _) => &then.nodes,
        (None, _) => &[],
    }
}

/// The nodes that one entry of `Paths` selects now: the pinned one, or those that the pattern reaches from it. Where the
/// first `*` stands for the root, the pattern begins there, and "only if `Paths` names it" keeps the root out.
pub(crate) fn named_by(case: &Case, path: &str) -> BTreeSet<PlaceNo> {
    let pattern: Vec<&str> = path.split('\\').skip_while(|level| *level != "*").collect();
    if literal_part(path).is_none() {
        let mut nodes = reached(&case.tree_now, ROOT, &pattern[1..]);
        nodes.remove(&ROOT);
        return nodes;
    }
    pinned_node(case, path).map_or_else(BTreeSet::new, |pin| reached(&case.tree_now, pin, &pattern))
}

/// The nodes that a pattern reaches below a node, by the names that they have now.
fn reached(tree: &Tree, from: PlaceNo, pattern: &[&str]) -> BTreeSet<PlaceNo> {
    let mut nodes = BTreeSet::from([from]);
    for wanted in pattern {
        let below = |place: &PlaceNo| tree.places[*place].parent.is_some_and(|parent| nodes.contains(&parent));
        let fitting = |place: &PlaceNo| fits(wanted, &tree.places[*place].name);
        nodes = (0..tree.places.len()).filter(below).filter(fitting).collect();
    }
    nodes
}

/// Rule: "`*` stands for one whole level".
fn fits(wanted: &str, name: &str) -> bool {
    wanted == "*" || same(wanted, name)
}

/// Whether no level of a path is `*`.
pub(crate) fn is_literal(path: &str) -> bool {
    path.split('\\').all(|level| level != "*")
}

/// What stands before the first `*`: all of a literal path, nothing of a path that begins with `*`.
pub(crate) fn literal_part(path: &str) -> Option<String> {
    let levels: Vec<&str> = path.split('\\').take_while(|level| *level != "*").collect();
    (!levels.is_empty()).then(|| levels.join("\\"))
}

/// Rule: "literal path nodes" are pinned "by id": named in the world of acceptance, found again by identifier. Before a
/// `*` the deepest node is the pin; where the nodes above it went does not matter.
pub(crate) fn pinned_node(case: &Case, path: &str) -> Option<PlaceNo> {
    let then = case.tree_then.by_path(&literal_part(path)?)?;
    case.tree_now.by_identifier(&case.tree_then.places[then].identifier)
}

/// Rule: "what stands before the first `*` must exist".
pub(crate) fn literal_part_exists(tree: &Tree, path: &str) -> bool {
    literal_part(path).is_none_or(|part| tree.by_path(&part).is_some())
}

//! Which nodes of the iteration tree are releases and which are sprints, as far as the tree decides.

use std::collections::BTreeSet;
use std::fmt;

use crate::api::{IterationMapping, IterationSource, SourceKind};

use super::pins::MappingPins;
use super::same;
use super::tree::{NodeIndex, ROOT, Tree};
use super::warnings::{Side, Warning};

/// The part of a path that stands for one whole level.
const ANY_NAME: &str = "*";

/// A choice of iterations with everything filled in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// None at all.
    None,
    /// Every node so many levels below the root.
    Depth(usize),
    /// Nodes by their paths.
    Paths(Vec<String>),
    /// The iteration of the ancestor at a tier.
    Tier(usize),
    /// What the team selected.
    TeamBoard,
}

impl Source {
    fn given(source: &IterationSource) -> Self {
        let number = |value: Option<i32>| usize::try_from(value.unwrap_or_default()).unwrap_or_default();
        match source.from {
            SourceKind::None => Self::None,
            SourceKind::Depth => Self::Depth(number(source.depth)),
            SourceKind::Paths => Self::Paths(source.paths.clone().unwrap_or_default()),
            SourceKind::Tier => Self::Tier(number(source.tier)),
            SourceKind::TeamBoard => Self::TeamBoard,
        }
    }
}

/// The sources of releases and sprints.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources {
    /// Of releases.
    pub release: Source,
    /// Of sprints.
    pub sprint: Source,
    /// The spec leaves the releases to the default, which yields to the paths of sprints.
    yields: bool,
}

impl Sources {
    /// Fills in what the spec leaves out: depths 1 and 2, or the depth beside the one that is given.
    pub fn new(mapping: Option<&IterationMapping>) -> Self {
        let release = mapping.and_then(|mapping| mapping.release.as_ref()).map(Source::given);
        let sprint = mapping.and_then(|mapping| mapping.sprint.as_ref()).map(Source::given);
        let default_sprint = match &release {
            Some(Source::Depth(depth)) => Source::Depth(depth + 1),
            _ => Source::Depth(2),
        };
        let default_release = match &sprint {
            Some(Source::Depth(1)) => Source::None,
            Some(Source::Depth(depth)) => Source::Depth(depth.saturating_sub(1)),
            _ => Source::Depth(1),
        };
        Self {
            yields: release.is_none(),
            release: release.unwrap_or(default_release),
            sprint: sprint.unwrap_or(default_sprint),
        }
    }

    /// Neither: nothing is pulled.
    pub fn none() -> Self {
        Self { release: Source::None, sprint: Source::None, yields: false }
    }

    /// Whether either comes from the ancestors of items.
    pub fn use_tiers(&self) -> bool {
        matches!(self.release, Source::Tier(_)) || matches!(self.sprint, Source::Tier(_))
    }

    /// The paths of releases and sprints, each with the field that names them.
    pub fn paths(&self) -> [(&'static str, &[String]); 2] {
        [
            ("spec.iterationMapping.release.paths", self.release.paths()),
            ("spec.iterationMapping.sprint.paths", self.sprint.paths()),
        ]
    }

    /// Every literal beginning of a path, which has to exist.
    pub fn literals(&self) -> impl Iterator<Item = Literal<'_>> {
        let all = self.paths().into_iter().flat_map(|(field, paths)| paths.iter().map(move |path| (field, path)));
        all.filter_map(|(field, path)| Some(Literal { field, path, node: Pattern::new(path).literal? }))
    }
}

impl Source {
    fn paths(&self) -> &[String] {
        match self {
            Self::Paths(paths) => paths,
            _ => &[],
        }
    }
}

/// The part of a path before the first `*`.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a> {
    /// The field of the spec.
    pub field: &'static str,
    /// The whole path.
    pub path: &'a str,
    /// The path of the node that has to exist.
    pub node: &'a str,
}

/// A path of a spec: what has to exist, and what is matched below it.
struct Pattern<'a> {
    literal: Option<&'a str>,
    rest: Vec<&'a str>,
}

impl<'a> Pattern<'a> {
    fn new(path: &'a str) -> Self {
        let path = path.trim_matches('\\');
        let mut end = 0;
        for name in path.split('\\') {
            if name == ANY_NAME {
                break;
            }
            end += name.len() + 1;
        }
        let literal = path.get(..end.saturating_sub(1)).filter(|literal| !literal.is_empty());
        let rest = path.get(end..).filter(|rest| !rest.is_empty());
        Self { literal, rest: rest.map(|rest| rest.split('\\').collect()).unwrap_or_default() }
    }

    /// The nodes that it names. The root is one of them only if it is written out.
    fn nodes(&self, tree: &Tree, pins: &MappingPins) -> Vec<NodeIndex> {
        let (mut found, rest) = match self.literal {
            Some(literal) => (pins.node(literal, tree).into_iter().collect(), self.rest.as_slice()),
            // The first name is any: it stands for the root.
            None => (vec![ROOT], &self.rest[1.min(self.rest.len())..]),
        };
        for name in rest {
            found = children(tree, &found, name);
        }
        if self.literal.is_none() || !self.rest.is_empty() {
            found.retain(|node| *node != ROOT);
        }
        found
    }
}

fn children(tree: &Tree, of: &[NodeIndex], name: &str) -> Vec<NodeIndex> {
    let mut is_above = vec![false; tree.nodes().len()];
    for index in of {
        is_above[*index] = true;
    }
    let fits = |index: &NodeIndex| {
        let node = tree.node(*index);
        node.parent.is_some_and(|parent| is_above[parent]) && (name == ANY_NAME || same(&node.name, name))
    };
    (0..tree.nodes().len()).filter(fits).collect()
}

/// The nodes that sources choose.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Chosen {
    /// For each node whether it is a release.
    pub releases: Vec<bool>,
    /// For each node whether it is a sprint.
    pub sprints: Vec<bool>,
}

/// Chooses nodes and notes what a person may not have meant. A node that both sources choose is a release only.
pub fn choose(
    sources: &Sources,
    tree: &Tree,
    team: &[NodeIndex],
    pins: &MappingPins,
    warnings: &mut Vec<Warning>,
) -> Chosen {
    let mut releases = nodes(&sources.release, Side::Release, tree, team, pins, warnings);
    let mut sprints = nodes(&sources.sprint, Side::Sprint, tree, team, pins, warnings);
    if sources.yields && matches!(sources.sprint, Source::Paths(_)) {
        releases.retain(|node| !sprints.contains(node));
    }
    let takes_all = !sprints.is_empty() && sprints.is_subset(&releases);
    if sources.release != Source::None && (takes_all || tree.is_flat()) {
        warnings.push(Warning::ReleasesTakeAll);
    }
    for node in literal_nodes(&sources.release, tree, pins).intersection(&literal_nodes(&sources.sprint, tree, pins)) {
        warnings.push(Warning::NamedTwice { path: tree.node(*node).path.clone() });
    }
    sprints.retain(|node| !releases.contains(node));
    let flags = |set: &BTreeSet<NodeIndex>| (0..tree.nodes().len()).map(|node| set.contains(&node)).collect();
    Chosen { releases: flags(&releases), sprints: flags(&sprints) }
}

fn nodes(
    source: &Source,
    side: Side,
    tree: &Tree,
    team: &[NodeIndex],
    pins: &MappingPins,
    warnings: &mut Vec<Warning>,
) -> BTreeSet<NodeIndex> {
    let mut found: BTreeSet<NodeIndex> = BTreeSet::new();
    match source {
        Source::None | Source::Tier(_) => return found,
        Source::Depth(depth) => found.extend((1..tree.nodes().len()).filter(|node| tree.node(*node).depth == *depth)),
        Source::TeamBoard => found.extend(team.iter().copied().filter(|node| *node != ROOT)),
        Source::Paths(paths) => {
            for path in paths {
                let pattern = Pattern::new(path);
                let named = pattern.nodes(tree, pins);
                if named.is_empty() && !(pattern.rest.is_empty() && pattern.literal.is_some()) {
                    warnings.push(Warning::MatchesNothing { side, source: path.clone() });
                }
                found.extend(named);
            }
            return found;
        }
    }
    if found.is_empty() {
        warnings.push(Warning::MatchesNothing { side, source: source.to_string() });
    }
    found
}

/// The nodes that a source names without any `*`.
fn literal_nodes(source: &Source, tree: &Tree, pins: &MappingPins) -> BTreeSet<NodeIndex> {
    let patterns = source.paths().iter().map(|path| Pattern::new(path)).filter(|pattern| pattern.rest.is_empty());
    patterns.filter_map(|pattern| pins.node(pattern.literal?, tree)).collect()
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Depth(depth) => write!(f, "Depth {depth}"),
            Self::Paths(paths) => f.write_str(&paths.join(", ")),
            Self::Tier(tier) => write!(f, "Tier {tier}"),
            Self::TeamBoard => f.write_str("TeamBoard"),
        }
    }
}

//! In which release and which sprint an item stands.

use jiff::civil::Date;

use super::sources::{Chosen, Source, Sources};
use super::tree::{NodeIndex, ROOT, Tree};

/// Release and sprint of an item, by their nodes; None is Unassigned.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Place {
    /// The release.
    pub release: Option<NodeIndex>,
    /// The sprint.
    pub sprint: Option<NodeIndex>,
}

/// Iterations that the ancestors of an item give it, where a source asks for them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Inherited {
    /// For the release.
    pub release: Option<NodeIndex>,
    /// For the sprint.
    pub sprint: Option<NodeIndex>,
}

/// What the tree says of each node, computed once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Placement {
    releases_from_tier: bool,
    sprints_from_tier: bool,
    chosen: Chosen,
    /// The nearest release at or above each node.
    release_at: Vec<Option<NodeIndex>>,
    /// The nearest sprint at or above each node.
    sprint_at: Vec<Option<NodeIndex>>,
    /// The release that each node belongs to as a sprint: the nearest above it, else the only one that contains its dates.
    release_of_sprint: Vec<Option<NodeIndex>>,
    parents: Vec<Option<NodeIndex>>,
}

impl Placement {
    /// Looks at every node.
    pub fn new(sources: &Sources, chosen: Chosen, tree: &Tree) -> Self {
        let release_at = nearest(tree, &chosen.releases);
        let sprint_at = nearest(tree, &chosen.sprints);
        let by_date = Intervals::new(tree, &chosen.releases);
        let release_of_sprint = (0..tree.nodes().len())
            .map(|node| {
                let above = tree.node(node).parent.and_then(|parent| release_at[parent]);
                above.or_else(|| by_date.only_one_around(tree.node(node).start?, tree.node(node).finish?))
            })
            .collect();
        Self {
            releases_from_tier: matches!(sources.release, Source::Tier(_)),
            sprints_from_tier: matches!(sources.sprint, Source::Tier(_)),
            chosen,
            release_at,
            sprint_at,
            release_of_sprint,
            parents: tree.nodes().iter().map(|node| node.parent).collect(),
        }
    }

    /// The place of an item whose own iteration is `own`.
    pub fn of(&self, own: Option<NodeIndex>, inherited: Inherited) -> Place {
        if self.releases_from_tier {
            let release = inherited.release.filter(|node| *node != ROOT);
            let sprint = if self.sprints_from_tier {
                inherited.sprint.filter(|node| *node != ROOT && Some(*node) != release)
            } else {
                self.sprint_beside(own, release)
            };
            return Place { release, sprint };
        }
        let sprint = if self.sprints_from_tier {
            inherited.sprint.filter(|node| *node != ROOT && !self.chosen.releases[*node])
        } else {
            own.and_then(|own| self.sprint_at[own])
        };
        let of_sprint = sprint.and_then(|sprint| self.release_of_sprint[sprint]);
        Place { release: of_sprint.or_else(|| self.release_at[own?]), sprint }
    }

    /// The nearest sprint that is not the item's release.
    fn sprint_beside(&self, own: Option<NodeIndex>, release: Option<NodeIndex>) -> Option<NodeIndex> {
        let nearest = self.sprint_at[own?]?;
        if Some(nearest) == release { self.sprint_at[self.parents[nearest]?] } else { Some(nearest) }
    }

    /// The release that a sprint belongs to, where tree or dates decide that.
    pub fn release_of(&self, sprint: NodeIndex) -> Option<NodeIndex> {
        if self.releases_from_tier { None } else { self.release_of_sprint[sprint] }
    }

    /// Nodes that are releases or sprints whatever items there are.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Those of the nodes that have a release somewhere below them.
    pub fn above_releases(&self, sprints: &[NodeIndex]) -> Vec<NodeIndex> {
        let mut above = vec![false; self.parents.len()];
        // Children stand behind their parents, so each is looked at before the node above it.
        for node in (0..self.parents.len()).rev() {
            if let Some(parent) = self.parents[node] {
                above[parent] |= above[node] || self.chosen.releases[node];
            }
        }
        sprints.iter().copied().filter(|node| above[*node]).collect()
    }
}

/// For each node the nearest marked one at or above it.
fn nearest(tree: &Tree, marked: &[bool]) -> Vec<Option<NodeIndex>> {
    let mut found: Vec<Option<NodeIndex>> = Vec::with_capacity(marked.len());
    for (index, node) in tree.nodes().iter().enumerate() {
        // Parents stand before their children.
        found.push(if marked[index] { Some(index) } else { node.parent.and_then(|parent| found[parent]) });
    }
    found
}

/// Releases with both dates, which may contain a sprint.
struct Intervals(Vec<(Date, Date, NodeIndex)>);

impl Intervals {
    fn new(tree: &Tree, releases: &[bool]) -> Self {
        let dated = |(index, node): (NodeIndex, &super::tree::Node)| Some((node.start?, node.finish?, index));
        Self(tree.nodes().iter().enumerate().filter(|(index, _)| releases[*index]).filter_map(dated).collect())
    }

    /// The release whose days contain those from `start` to `finish`, if it is the only one.
    fn only_one_around(&self, start: Date, finish: Date) -> Option<NodeIndex> {
        let mut around = self.0.iter().filter(|(first, last, _)| *first <= start && finish <= *last);
        let (_, _, release) = around.next()?;
        around.next().is_none().then_some(*release)
    }
}

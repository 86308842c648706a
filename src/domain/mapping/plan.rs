//! Releases and sprints of a project, and what a person should look at: the mapping and what its items said.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sources::Source;
use super::tree::{NodeIndex, Tree};
use super::warnings::{Gone, Side, Warning};
use super::{Mapping, folded};

/// A release or a sprint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlanNode {
    /// Its iteration.
    pub identifier: Uuid,
    /// Its name, the last part of its path or the whole.
    pub name: String,
    /// First day.
    pub start: Option<Date>,
    /// Last day, inclusive.
    pub finish: Option<Date>,
    /// The release that a sprint belongs to whatever its items say.
    pub release: Option<Uuid>,
}

/// What the items of a project say besides their records. Without tiers and without values that are
/// [missing](Mapping::has_missing) it is empty, whatever items there are.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Seen {
    /// Nodes that no source chooses and that are the release of some item.
    pub releases: BTreeSet<NodeIndex>,
    /// Nodes that no source chooses and that are the sprint of some item.
    pub sprints: BTreeSet<NodeIndex>,
    /// Whether a tier gives some item a release.
    pub gives_release: bool,
    /// Whether a tier gives some item a sprint.
    pub gives_sprint: bool,
    /// Which of the missing values some item carries, by their places in the mapping's list.
    pub carried: BTreeSet<usize>,
}

/// What the records of a project stand in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// Releases, in the order of the tree.
    pub releases: Vec<PlanNode>,
    /// Sprints, in the order of the tree.
    pub sprints: Vec<PlanNode>,
    /// What a person may not have meant.
    pub warnings: Vec<Warning>,
    /// What the spec names and Azure DevOps no longer has.
    pub gone: Vec<Gone>,
}

impl Plan {
    /// The plan of a mapping whose items said that.
    pub fn new(mapping: &Mapping, tree: &Tree, seen: &Seen) -> Self {
        let planning = Planning { mapping, tree, seen };
        let (releases, sprints) = (planning.nodes(Side::Release), planning.nodes(Side::Sprint));
        let missing = mapping.missing.iter().enumerate().filter(|(place, _)| !seen.carried.contains(place));
        Self {
            warnings: planning.warnings(&releases, &sprints),
            gone: mapping.gone.iter().chain(missing.map(|(_, missing)| &missing.name)).cloned().collect(),
            releases: releases.into_iter().map(|node| planning.plan_node(node, None)).collect(),
            sprints: sprints
                .into_iter()
                .map(|node| planning.plan_node(node, mapping.placement.release_of(node)))
                .collect(),
        }
    }
}

/// What a plan is made of.
struct Planning<'a> {
    mapping: &'a Mapping,
    tree: &'a Tree,
    seen: &'a Seen,
}

impl Planning<'_> {
    fn nodes(&self, side: Side) -> Vec<NodeIndex> {
        let chosen = self.mapping.placement.chosen();
        let is_one = |node: &NodeIndex| match side {
            Side::Release => chosen.releases[*node] || self.seen.releases.contains(node),
            Side::Sprint => chosen.sprints[*node] || self.seen.sprints.contains(node),
        };
        (0..self.tree.nodes().len()).filter(is_one).collect()
    }

    fn warnings(&self, releases: &[NodeIndex], sprints: &[NodeIndex]) -> Vec<Warning> {
        let mut warnings = self.mapping.warnings.clone();
        self.warn_of_unused_tiers(&mut warnings);
        let takes_all = self.seen.gives_sprint && sprints.is_empty() && self.mapping.sources.release != Source::None;
        if takes_all && !warnings.contains(&Warning::ReleasesTakeAll) {
            warnings.push(Warning::ReleasesTakeAll);
        }
        for sprint in self.mapping.placement.above_releases(sprints) {
            warnings.push(Warning::SprintAboveRelease { sprint: self.tree.node(sprint).path.clone() });
        }
        self.warn_of_equal_names(Side::Release, releases, &mut warnings);
        self.warn_of_equal_names(Side::Sprint, sprints, &mut warnings);
        warnings
    }

    fn name(&self, node: NodeIndex) -> &str {
        let node = self.tree.node(node);
        if self.mapping.full_path { &node.path } else { &node.name }
    }

    fn plan_node(&self, index: NodeIndex, release: Option<NodeIndex>) -> PlanNode {
        let node = self.tree.node(index);
        PlanNode {
            identifier: node.identifier,
            name: self.name(index).to_owned(),
            start: node.start,
            finish: node.finish,
            release: release.map(|release| self.tree.node(release).identifier),
        }
    }

    /// A tier that gives no pulled item an iteration, whatever becomes of it then.
    fn warn_of_unused_tiers(&self, warnings: &mut Vec<Warning>) {
        let (sources, seen) = (&self.mapping.sources, self.seen);
        let sides =
            [(Side::Release, &sources.release, seen.gives_release), (Side::Sprint, &sources.sprint, seen.gives_sprint)];
        for (side, source, gives) in sides {
            let warning = Warning::MatchesNothing { side, source: source.to_string() };
            if matches!(source, Source::Tier(_)) && !gives && !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }

    fn warn_of_equal_names(&self, side: Side, nodes: &[NodeIndex], warnings: &mut Vec<Warning>) {
        if self.mapping.full_path {
            return;
        }
        let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for node in nodes {
            spellings.entry(folded(self.name(*node))).or_default().push(self.name(*node));
        }
        for spelled in spellings.into_values().filter(|spelled| spelled.len() > 1) {
            let name = spelled.into_iter().min().unwrap_or_default().to_owned();
            warnings.push(Warning::EqualNames { side, name });
        }
    }
}

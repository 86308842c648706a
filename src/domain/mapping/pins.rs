//! What the names of an accepted spec stand for, by ids, so that renames in Azure DevOps change nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ado::model::WorkItemType;

use super::folded;
use super::process::{Level, Process};
use super::tree::{NodeIndex, Tree};

/// Ids of what an accepted spec names. An entry that is spelled as before keeps its id through other edits.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct MappingPins {
    /// Reference names of types, by the folded name in the spec.
    pub types: BTreeMap<String, String>,
    /// Ids of backlog levels, by their tier in the spec.
    pub levels: BTreeMap<usize, String>,
    /// Identifiers of iterations, by the folded path in the spec.
    pub nodes: BTreeMap<String, Uuid>,
    /// The team.
    pub team: Option<TeamPin>,
}

/// A team and what it had selected when it was last seen.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TeamPin {
    /// The folded name or id in the spec.
    pub spelling: String,
    /// Its id.
    pub id: Uuid,
    /// Identifiers of its iterations.
    pub nodes: Vec<Uuid>,
}

impl MappingPins {
    /// The type that a name of the spec means.
    pub fn type_meant<'a>(&self, name: &str, process: &'a Process) -> Option<&'a WorkItemType> {
        match self.types.get(&folded(name)) {
            Some(reference) => process.type_of_reference(reference),
            None => process.type_named(name),
        }
    }

    /// The level that a tier of the spec means.
    pub fn level<'a>(&self, tier: usize, process: &'a Process) -> Option<&'a Level> {
        match self.levels.get(&tier) {
            Some(id) => process.level(id),
            None => process.levels().get(tier.checked_sub(1)?),
        }
    }

    /// The iteration that a literal path of the spec means.
    pub fn node(&self, path: &str, tree: &Tree) -> Option<NodeIndex> {
        match self.nodes.get(&folded(path)) {
            Some(identifier) => tree.identified(identifier),
            None => tree.at(path),
        }
    }

    /// The iterations that the team had when it was last seen; those that are gone are left out.
    pub fn team_nodes(&self, tree: &Tree) -> Vec<NodeIndex> {
        let identifiers = self.team.iter().flat_map(|team| &team.nodes);
        identifiers.filter_map(|identifier| tree.identified(identifier)).collect()
    }
}

//! The iteration tree of a project.

use std::collections::HashMap;

use jiff::civil::Date;
use uuid::Uuid;

use crate::ado::model::ClassificationNode;

use super::dates::is_a_day;
use super::folded;

/// Place of a node in its [`Tree`].
pub type NodeIndex = usize;

/// The root's place.
pub const ROOT: NodeIndex = 0;

/// A node of the iteration tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// The integer that work items refer to.
    pub id: u32,
    /// The id that stays through renames and moves, and that teams refer to.
    pub identifier: Uuid,
    /// Its own name.
    pub name: String,
    /// As in `System.IterationPath`: `Payments\2026\R1`.
    pub path: String,
    /// Levels below the root; 0 for the root.
    pub depth: usize,
    /// The node above.
    pub parent: Option<NodeIndex>,
    /// First day.
    pub start: Option<Date>,
    /// Last day, inclusive.
    pub finish: Option<Date>,
}

/// All iterations of a project, parents before their children.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    by_id: HashMap<u32, NodeIndex>,
    by_identifier: HashMap<Uuid, NodeIndex>,
    by_path: HashMap<String, NodeIndex>,
}

impl Tree {
    /// Flattens the answer of the service. Paths are made of names: the service writes them in two ways.
    pub fn new(root: &ClassificationNode) -> Self {
        let mut tree = Self::default();
        let mut open = vec![(root, None)];
        while let Some((node, parent)) = open.pop() {
            let index = tree.add(node, parent);
            open.extend(node.children.iter().rev().map(|child| (child, Some(index))));
        }
        tree
    }

    fn add(&mut self, node: &ClassificationNode, parent: Option<NodeIndex>) -> NodeIndex {
        let index = self.nodes.len();
        let above = parent.map(|parent| &self.nodes[parent]);
        let path = above.map_or_else(|| node.name.clone(), |above| format!("{}\\{}", above.path, node.name));
        let depth = above.map_or(0, |above| above.depth + 1);
        let dates = node.attributes.as_ref();
        self.by_id.insert(node.id, index);
        self.by_identifier.insert(node.identifier, index);
        self.by_path.insert(folded(&path), index);
        self.nodes.push(Node {
            id: node.id,
            identifier: node.identifier,
            name: node.name.clone(),
            path,
            depth,
            parent,
            start: dates.and_then(|dates| day(dates.start_date.as_deref()?)),
            finish: dates.and_then(|dates| day(dates.finish_date.as_deref()?)),
        });
        index
    }

    /// The nodes, parents before their children.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at a place of this tree.
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[index]
    }

    /// The iteration of a work item: by its integer, else by its path, since at the root of an old organization the two
    /// were seen to differ (`ado-api.md` §8).
    pub fn of_item(&self, id: Option<u32>, path: Option<&str>) -> Option<NodeIndex> {
        let by_id = id.and_then(|id| self.by_id.get(&id).copied());
        by_id.or_else(|| self.at(path?))
    }

    /// The node of a full path, compared without case.
    pub fn at(&self, path: &str) -> Option<NodeIndex> {
        self.by_path.get(&folded(path)).copied()
    }

    /// The node of an identifier.
    pub fn identified(&self, identifier: &Uuid) -> Option<NodeIndex> {
        self.by_identifier.get(identifier).copied()
    }

    /// Whether the other tree has a node that is not in this one.
    pub fn lacks_any_of(&self, other: &Self) -> bool {
        other.nodes.iter().any(|node| !self.by_identifier.contains_key(&node.identifier))
    }

    /// Whether every node but the root stands right below it, and there is one.
    pub fn is_flat(&self) -> bool {
        self.nodes.len() > 1 && self.nodes.iter().all(|node| node.depth <= 1)
    }
}

/// The calendar day of a node's date, which the service gives as midnight UTC, with or without a zone. The years 1 and 9999
/// stand for no date.
fn day(text: &str) -> Option<Date> {
    let date: Date = text.get(..10)?.parse().ok()?;
    is_a_day(date).then_some(date)
}

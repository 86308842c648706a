//! The iteration tree of a project.

#![expect(clippy::expect_used, reason = "a date of another form is a mistake of the test that wrote it")]

use jiff::civil::Date;

use crate::input::{Item, Node};
use crate::names::same;

/// All nodes of a tree; the first is the root, which is the project, and a parent stands before its children.
pub(crate) struct Tree {
    pub(crate) places: Vec<Place>,
}

/// The number of a node within [`Tree::places`].
pub(crate) type PlaceNo = usize;

/// The root of every tree.
pub(crate) const ROOT: PlaceNo = 0;

/// A node of the tree.
pub(crate) struct Place {
    pub(crate) id: i64,
    pub(crate) identifier: String,
    pub(crate) name: String,
    /// The path as in `System.IterationPath`: `Payments\2026\R1`.
    pub(crate) path: String,
    /// How many levels below the root.
    pub(crate) depth: usize,
    pub(crate) parent: Option<PlaceNo>,
    pub(crate) start: Option<Date>,
    pub(crate) finish: Option<Date>,
}

impl Tree {
    pub(crate) fn of(root: &Node) -> Self {
        let mut tree = Self { places: Vec::new() };
        tree.add(root, None);
        tree
    }

    fn add(&mut self, node: &Node, parent: Option<PlaceNo>) {
        let above = parent.map(|parent| &self.places[parent]);
        let place = Place {
            id: node.id,
            identifier: node.identifier.clone(),
            name: node.name.clone(),
            path: above.map_or_else(|| node.name.clone(), |above| format!("{}\\{}", above.path, node.name)),
            depth: above.map_or(0, |above| above.depth + 1),
            parent,
            start: node.start_date.as_deref().and_then(node_date),
            finish: node.finish_date.as_deref().and_then(node_date),
        };
        self.places.push(place);
        let number = self.places.len() - 1;
        for child in &node.children {
            self.add(child, Some(number));
        }
    }

    /// The first node of which something holds.
    fn find(&self, holds: impl Fn(&Place) -> bool) -> Option<PlaceNo> {
        self.places.iter().position(holds)
    }

    /// Rule: "nodes are keyed by identifier".
    pub(crate) fn by_identifier(&self, identifier: &str) -> Option<PlaceNo> {
        self.find(|place| same(&place.identifier, identifier))
    }

    /// Rule: "nodes named as in System.IterationPath".
    pub(crate) fn by_path(&self, path: &str) -> Option<PlaceNo> {
        self.find(|place| same(&place.path, path))
    }

    /// An item's own iteration: by the number that the item carries, else by its path.
    pub(crate) fn iteration_of(&self, item: &Item) -> Option<PlaceNo> {
        let id = item.value("System.IterationId").and_then(serde_json::Value::as_i64);
        let by_id = id.and_then(|id| self.find(|place| place.id == id));
        by_id.or_else(|| item.text("System.IterationPath").and_then(|path| self.by_path(&path)))
    }

    /// All nodes above one, the nearest first.
    pub(crate) fn above(&self, place: PlaceNo) -> Vec<PlaceNo> {
        let mut found = Vec::new();
        let mut next = self.places[place].parent;
        while let Some(parent) = next {
            found.push(parent);
            next = self.places[parent].parent;
        }
        found
    }

    /// A node and all nodes above it, the nearest first.
    pub(crate) fn at_or_above(&self, place: PlaceNo) -> Vec<PlaceNo> {
        let mut found = vec![place];
        found.extend(self.above(place));
        found
    }

    /// Rule: "a flat tree (all nodes at depth 1)". A tree of the root alone is not flat: it has no nodes.
    pub(crate) fn is_flat(&self) -> bool {
        let below_root = &self.places[1..];
        !below_root.is_empty() && below_root.iter().all(|place| place.depth == 1)
    }
}

/// A node's date: a calendar date, of which a time of day is cut off. Years 1 and 9999 mean no date.
fn node_date(text: &str) -> Option<Date> {
    let day = text.get(..10).expect("a date of a node has ten characters");
    let date: Date = day.parse().expect("a date of a node");
    (!means_no_date(date.year())).then_some(date)
}

/// Rule: "year 9999 = empty"; year 1 counts like it.
pub(crate) fn means_no_date(year: i16) -> bool {
    year == 9999 || year == 1
}

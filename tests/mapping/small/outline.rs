//! A tree of iterations, written as indented lines: `S1 01-05..01-16`, dates of 2026.

use serde_json::{Value, json};

/// The nodes in the order of the lines; the first is the root, `Payments`.
#[derive(Clone)]
pub struct Outline {
    nodes: Vec<Node>,
}

#[derive(Clone)]
struct Node {
    parent: Option<usize>,
    name: String,
    start: Option<String>,
    finish: Option<String>,
}

impl Outline {
    /// Two blanks of indentation are one level. One date may be missing: `S1 01-05..`.
    pub fn read(text: &str) -> Self {
        let root = Node { parent: None, name: "Payments".to_owned(), start: None, finish: None };
        let mut nodes = vec![root];
        let mut above = vec![0];
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let depth = (line.len() - line.trim_start().len()) / 2;
            above.truncate(depth + 1);
            let (name, dates) = line.trim().split_once(' ').unwrap_or((line.trim(), ".."));
            let (start, finish) = dates.split_once("..").expect("start..finish");
            let day = |text: &str| (!text.is_empty()).then(|| format!("2026-{text}"));
            nodes.push(Node {
                parent: above.last().copied(),
                name: name.to_owned(),
                start: day(start),
                finish: day(finish),
            });
            above.push(nodes.len() - 1);
        }
        Self { nodes }
    }

    /// The tree, as the documents hold it.
    pub fn json(&self) -> Value {
        self.subtree(0)
    }

    fn subtree(&self, index: usize) -> Value {
        let below = (0..self.nodes.len()).filter(|below| self.nodes[*below].parent == Some(index));
        let children: Vec<Value> = below.map(|below| self.subtree(below)).collect();
        let node = &self.nodes[index];
        let mut made =
            json!({"id": index + 1, "identifier": identifier(index), "name": node.name, "children": children});
        for (member, date) in [("startDate", &node.start), ("finishDate", &node.finish)] {
            if let Some(date) = date {
                made[member] = json!(date);
            }
        }
        made
    }

    /// The id by which items name a node.
    pub fn id(&self, label: &str) -> usize {
        self.index(label) + 1
    }

    /// The identifier by which a team names a node.
    pub fn identifier(&self, label: &str) -> String {
        identifier(self.index(label))
    }

    fn index(&self, label: &str) -> usize {
        (0..self.nodes.len()).find(|index| self.label(*index) == label).unwrap_or_else(|| panic!("no node {label}"))
    }

    /// What tests call the node with an identifier, or null; `-` for none.
    pub fn label_of(&self, found: &Value) -> String {
        let known = (0..self.nodes.len()).find(|index| *found == identifier(*index));
        assert!(known.is_some() || found.is_null(), "{found} is no node");
        known.map_or_else(|| "-".to_owned(), |index| self.label(index))
    }

    /// The name of a node, or its path below the root where several have that name.
    fn label(&self, index: usize) -> String {
        let name = &self.nodes[index].name;
        let is_unique = self.nodes.iter().filter(|node| node.name == *name).count() == 1;
        if is_unique { name.clone() } else { self.below_root(index) }
    }

    fn below_root(&self, index: usize) -> String {
        let node = &self.nodes[index];
        match node.parent {
            None | Some(0) => node.name.clone(),
            Some(parent) => format!("{}\\{}", self.below_root(parent), node.name),
        }
    }
}

fn identifier(index: usize) -> String {
    format!("00000000-0000-4000-8000-{index:012}")
}

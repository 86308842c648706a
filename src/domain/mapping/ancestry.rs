//! The iteration that an item inherits from its nearest ancestor of certain types.

use crate::ado::model::WorkItemId;

use super::tree::NodeIndex;
use super::warnings::Side;

/// Mark of the types of the release's tier.
pub const RELEASE: u8 = 1;

/// Mark of the types of the sprint's tier.
pub const SPRINT: u8 = 2;

/// The mark of the types of a side's tier.
pub const fn mark(side: Side) -> u8 {
    match side {
        Side::Release => RELEASE,
        Side::Sprint => SPRINT,
    }
}

/// What the walk to the ancestors has to know of an item.
#[derive(Clone, Copy, Debug)]
pub struct Kin {
    /// The item.
    pub id: WorkItemId,
    /// Its parent.
    pub parent: Option<WorkItemId>,
    /// Its own iteration.
    pub node: Option<NodeIndex>,
    /// Whether its type stands at the tier of releases, of sprints.
    pub marks: u8,
}

/// The same in half the memory: there is one for each item of a project.
#[derive(Clone, Copy, Debug)]
struct Known {
    id: WorkItemId,
    parent: Option<WorkItemId>,
    node: Option<u32>,
    marks: u8,
}

/// All items that a project has at present, by id.
#[derive(Clone, Debug, Default)]
pub struct Ancestry(Vec<Known>);

impl Ancestry {
    /// The items in any order, each once.
    pub fn new(items: Vec<Kin>) -> Self {
        let mut ancestry = Self::default();
        for kin in items {
            ancestry.add(kin);
        }
        ancestry
    }

    /// Adds an item that was not there; quickly, if its id is above all others.
    pub fn add(&mut self, Kin { id, parent, node, marks }: Kin) {
        let node = node.and_then(|node| u32::try_from(node).ok());
        let place = self.0.partition_point(|known| known.id < id);
        self.0.insert(place, Known { id, parent, node, marks });
    }

    /// Puts an item below a parent; nothing happens if it is not there.
    pub fn set_parent(&mut self, child: WorkItemId, parent: WorkItemId) {
        if let Some(place) = self.place(child) {
            self.0[place].parent = Some(parent);
        }
    }

    /// For each item, in the order of ids, the iteration of the nearest item with the mark: itself, or one of those above
    /// it. Parents of other projects, deleted and unreadable ones are not there, so the walk ends with none, as in a circle.
    pub fn inherited(&self, mark: u8) -> Inheritance<'_> {
        let mut found = vec![Step::Unknown; self.0.len()];
        let mut way = Vec::new();
        for start in 0..self.0.len() {
            let mut here = Some(start);
            let end = loop {
                let Some(index) = here else { break None };
                match found[index] {
                    Step::Known(node) => break node,
                    // Only the present way is marked so: it leads back to itself.
                    Step::OnTheWay => break None,
                    Step::Unknown => {}
                }
                let known = &self.0[index];
                if known.marks & mark != 0 {
                    found[index] = Step::Known(known.node);
                    break known.node;
                }
                found[index] = Step::OnTheWay;
                way.push(index);
                here = known.parent.and_then(|parent| self.place(parent));
            };
            for index in way.drain(..) {
                found[index] = Step::Known(end);
            }
        }
        Inheritance { items: &self.0, found }
    }

    fn place(&self, id: WorkItemId) -> Option<usize> {
        self.0.binary_search_by_key(&id, |known| known.id).ok()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Unknown,
    OnTheWay,
    Known(Option<u32>),
}

/// What each item inherits.
#[derive(Clone, Debug)]
pub struct Inheritance<'a> {
    items: &'a [Known],
    found: Vec<Step>,
}

impl Inheritance<'_> {
    /// What an item inherits.
    pub fn of(&self, id: WorkItemId) -> Option<NodeIndex> {
        let place = self.items.binary_search_by_key(&id, |known| known.id).ok()?;
        match self.found[place] {
            Step::Known(node) => node.and_then(|node| NodeIndex::try_from(node).ok()),
            Step::Unknown | Step::OnTheWay => None,
        }
    }
}

//! Work items, kept compactly: a row each, and details only for those that were edited.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalog::fields::FieldIndex;
use super::links::{End, LinkKind, Links};
use super::project::Structure;
use super::revisions::RevisionLog;

/// The compact part of a work item. Texts that were never edited follow from the seed and the id.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Index of the project.
    pub project: u16,
    /// Index of the type in the project's process.
    pub kind: u16,
    /// Index of the state's name in [`Items::state_name`].
    pub state: u16,
    /// Revision number, from 1.
    pub rev: u16,
    pub iteration: u32,
    pub area: u32,
    /// 0 for none. Kept here alone: changed through [`Items`], which tells the parent's children and the links feed.
    pub parent: u32,
    /// The place of the latest revision in the feed; [`Items`] sets it.
    pub watermark: u32,
    /// Milliseconds of the Unix epoch.
    pub created: i64,
    /// Milliseconds of the Unix epoch.
    pub changed: i64,
    pub presence: Presence,
    /// Written by a client or a test: only what was written (and the row) has values.
    pub written: bool,
}

/// Whether an item is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Live,
    /// In the recycle bin.
    Deleted,
    /// Gone for good.
    Destroyed,
    /// There, but no caller may read it: its area was closed to them.
    Unreadable,
}

/// A link of a work item to anything but a work item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Relation {
    pub rel: String,
    pub url: String,
    pub attributes: Value,
}

/// What was written to an item since it was generated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    /// Values that replace the generated ones; null for a field that was emptied.
    pub fields: BTreeMap<FieldIndex, Value>,
    pub relations: Vec<Relation>,
}

/// What an item was at an earlier revision.
#[derive(Debug)]
pub(crate) struct Before {
    pub row: Row,
    pub details: Option<Arc<Details>>,
}

/// The work items of an organization. Ids run from 1 without a gap.
#[derive(Debug, Default)]
pub(crate) struct Items {
    rows: Vec<Row>,
    details: HashMap<u32, Arc<Details>>,
    /// Earlier revisions of the items that were changed, oldest first.
    history: HashMap<u32, Vec<Before>>,
    states: Vec<String>,
    state_index: HashMap<String, u16>,
    pub revisions: RevisionLog,
    pub links: Links,
}

/// The place of an id in the rows.
fn place(id: u32) -> usize {
    (id as usize).wrapping_sub(1)
}

impl Items {
    /// Room for `count` rows.
    pub fn with_capacity(count: u32) -> Self {
        Self { rows: Vec::with_capacity(count as usize), ..Self::default() }
    }

    /// The index of a state's name, which is added if it is new.
    pub fn intern_state(&mut self, name: &str) -> u16 {
        if let Some(index) = self.state_index.get(name) {
            return *index;
        }
        let index = u16::try_from(self.states.len()).unwrap_or(u16::MAX);
        self.states.push(name.to_owned());
        self.state_index.insert(name.to_owned(), index);
        index
    }

    pub fn state_name(&self, index: u16) -> &str {
        self.states.get(usize::from(index)).map_or("", String::as_str)
    }

    /// Indexes of the states that `keep` accepts by name.
    pub fn states_where(&self, keep: impl Fn(&str) -> bool) -> Vec<u16> {
        self.states.iter().zip(0u16..).filter(|(name, _)| keep(name)).map(|(_, index)| index).collect()
    }

    /// Adds a generated item and gives its id. [`Items::seal`] ends the generation.
    pub fn generate(&mut self, row: Row) -> u32 {
        let (parent, created) = (row.parent, row.created);
        self.rows.push(row);
        let id = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.links.born(id, parent, created);
        id
    }

    /// Puts what was generated into the log of revisions, in the order of its dates.
    pub fn seal(&mut self) {
        self.revisions = RevisionLog::of(&mut self.rows);
    }

    /// Adds an item at its first revision and gives its id.
    pub fn add(&mut self, mut row: Row, details: Details) -> u32 {
        let id = u32::try_from(self.rows.len() + 1).unwrap_or(u32::MAX);
        row.rev = 1;
        row.watermark = self.revisions.push(id, row.rev, row.project);
        self.links.born(id, row.parent, row.created);
        self.rows.push(row);
        self.details.insert(id, Arc::new(details));
        id
    }

    /// Saves a new revision of an item; what it was goes to its history. Details left out stay.
    pub fn save(&mut self, id: u32, mut row: Row, details: Option<Details>) {
        let Some(slot) = self.rows.get_mut(place(id)) else { return };
        row.watermark = self.revisions.push(id, row.rev, row.project);
        let (moment, destroyed) = (row.changed, row.presence == Presence::Destroyed);
        let parent = std::mem::replace(&mut row.parent, slot.parent);
        let before = std::mem::replace(slot, row);
        let was = match details {
            Some(details) => self.details.insert(id, Arc::new(details)),
            None => self.details.get(&id).cloned(),
        };
        // Most items have one earlier revision, if any: no room for more.
        let history = self.history.entry(id).or_insert_with(|| Vec::with_capacity(1));
        history.push(Before { row: before, details: was });
        self.set_parent(id, if destroyed { 0 } else { parent }, moment);
        if destroyed {
            self.unlink_all(id, moment);
        }
    }

    /// Lets callers read an item, or no more; that makes no revision.
    pub fn set_presence(&mut self, id: u32, presence: Presence) {
        if let Some(row) = self.rows.get_mut(place(id)) {
            row.presence = presence;
        }
    }

    /// Changes links of an item to other things than work items; that makes no revision (recorded).
    pub fn set_details(&mut self, id: u32, details: Details) {
        self.details.insert(id, Arc::new(details));
    }

    /// Hangs an item below another (0 for none); that makes no revision (recorded).
    pub fn set_parent(&mut self, id: u32, parent: u32, moment: i64) {
        let Some(row) = self.rows.get_mut(place(id)) else { return };
        let before = std::mem::replace(&mut row.parent, parent);
        self.links.reparent(id, before, parent, moment);
    }

    /// Gives the items of a project on some nodes to another node: with a new revision at `moment`, or without one.
    pub fn reclassify(&mut self, project: usize, structure: Structure, from: &[u32], to: u32, moment: Option<i64>) {
        let node = |row: &mut Row| match structure {
            Structure::Area => std::mem::replace(&mut row.area, to),
            Structure::Iteration => std::mem::replace(&mut row.iteration, to),
        };
        let affected = |row: &Row| {
            let there = row.presence != Presence::Destroyed && usize::from(row.project) == project;
            there && from.contains(if structure == Structure::Area { &row.area } else { &row.iteration })
        };
        let ids: Vec<u32> = self.from(1).filter(|(_, row)| affected(row)).map(|(id, _)| id).collect();
        for id in ids {
            let Some(slot) = self.rows.get_mut(place(id)) else { continue };
            let Some(moment) = moment else {
                node(slot);
                continue;
            };
            let mut row = Row { rev: slot.rev.saturating_add(1), changed: moment, ..slot.clone() };
            node(&mut row);
            self.save(id, row, None);
        }
    }

    fn unlink_all(&mut self, id: u32, moment: i64) {
        for child in self.links.children(id).collect::<Vec<_>>() {
            self.set_parent(child, 0, moment);
        }
        self.links.remove_all(id, moment);
    }

    pub fn get(&self, id: u32) -> Option<&Row> {
        self.rows.get(place(id))
    }

    pub fn details(&self, id: u32) -> Option<&Details> {
        self.details.get(&id).map(Arc::as_ref)
    }

    /// Earlier revisions of an item, oldest first; none for one that was never changed.
    pub fn history(&self, id: u32) -> &[Before] {
        self.history.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Rows with their ids, from `first` on.
    pub fn from(&self, first: u32) -> impl Iterator<Item = (u32, &Row)> + Clone {
        let skip = (first.max(1) - 1) as usize;
        self.rows.iter().enumerate().skip(skip).map(|(index, row)| (u32::try_from(index + 1).unwrap_or(u32::MAX), row))
    }

    pub fn is_live(&self, id: u32) -> bool {
        self.get(id).is_some_and(|row| row.presence == Presence::Live)
    }

    /// Whether an item is `above` or hangs below it.
    pub fn is_within(&self, id: u32, above: u32) -> bool {
        let parent = |id: &u32| self.get(*id).map(|row| row.parent).filter(|parent| *parent != 0);
        std::iter::successors(Some(id), parent).any(|id| id == above)
    }

    /// The live work items that one with this parent is linked to, in the order in which a read shows them: children,
    /// parent, others.
    pub fn ends(&self, id: u32, parent: u32) -> Vec<End> {
        let hierarchy = |forward, other| End { kind: LinkKind::Hierarchy, forward, other, comment: None };
        let children = self.links.children(id).map(|child| hierarchy(true, child));
        let parent = (parent != 0).then(|| hierarchy(false, parent));
        let all = children.chain(parent).chain(self.links.others(id));
        all.filter(|end| self.is_live(end.other)).collect()
    }
}

//! Work items, kept compactly: a row each, and details only for those that were edited.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalog::fields::FieldIndex;

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
    /// 0 for none.
    pub parent: u32,
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
}

/// A link of a work item, other than the parent link.
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

/// The work items of an organization. Ids run from 1 without a gap.
#[derive(Debug, Default)]
pub(crate) struct Items {
    rows: Vec<Row>,
    details: HashMap<u32, Details>,
    states: Vec<String>,
    state_index: HashMap<String, u16>,
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

    /// Adds an item and gives its id.
    pub fn push(&mut self, row: Row) -> u32 {
        self.rows.push(row);
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    pub fn get(&self, id: u32) -> Option<&Row> {
        self.rows.get((id as usize).checked_sub(1)?)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut Row> {
        self.rows.get_mut((id as usize).checked_sub(1)?)
    }

    pub fn details(&self, id: u32) -> Option<&Details> {
        self.details.get(&id)
    }

    pub fn details_mut(&mut self, id: u32) -> &mut Details {
        self.details.entry(id).or_default()
    }

    /// Rows with their ids, from `first` on.
    pub fn from(&self, first: u32) -> impl Iterator<Item = (u32, &Row)> + Clone {
        let skip = (first.max(1) - 1) as usize;
        self.rows.iter().enumerate().skip(skip).map(|(index, row)| (u32::try_from(index + 1).unwrap_or(u32::MAX), row))
    }

    /// Ids of the live children of an item. A scan: only single reads ask for it.
    pub fn children(&self, parent: u32) -> Vec<u32> {
        let live = self.from(1).filter(|(_, row)| row.parent == parent && row.presence == Presence::Live);
        live.map(|(id, _)| id).collect()
    }
}

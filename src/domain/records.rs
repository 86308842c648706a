//! What is kept of a record, and what a change of it tells the history.

use jiff::civil::Date;
use uuid::Uuid;

use super::mapping::tree::{NodeIndex, Tree};
use super::mapping::unmapped::Unmapped;
use super::mapping::{Record, RecordKind};
use crate::ado::model::StateCategory;

pub use crate::api::{Rating, RecordStatus};

/// Longest name of a state category that is kept, in bytes; those that are known have eleven at most.
const CATEGORY: usize = 64;

/// The part of a record whose changes are told to the history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// What it is.
    pub kind: RecordKind,
    /// Name of its work item type.
    pub work_item_type: String,
    /// Identifier of its release; None is Unassigned.
    pub release: Option<Uuid>,
    /// Identifier of its sprint; None is Unassigned.
    pub sprint: Option<Uuid>,
    /// How far it is.
    pub status: Option<RecordStatus>,
    /// Category of its state.
    pub category: Option<String>,
}

/// A record as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredRecord {
    /// Id of its work item.
    pub id: u32,
    /// Revision of the work item that it was made of.
    pub rev: u32,
    /// What it is, and where it stands.
    pub standing: Standing,
    /// How urgent it is.
    pub priority: Option<Rating>,
    /// How grave a bug is.
    pub severity: Option<Rating>,
    /// When a requirement is to be released.
    pub release_date: Option<Date>,
    /// What nobody mapped.
    pub unmapped: Unmapped,
}

impl StoredRecord {
    /// What is kept of a record that was made of this revision of its item.
    pub fn new(record: Record, rev: u32, work_item_type: &str, tree: &Tree) -> Self {
        let identifier = |node: Option<NodeIndex>| node.map(|node| tree.node(node).identifier);
        Self {
            id: record.id.0,
            rev,
            standing: Standing {
                kind: record.kind,
                work_item_type: work_item_type.to_owned(),
                release: identifier(record.release),
                sprint: identifier(record.sprint),
                status: record.status,
                category: record.category.as_ref().map(category),
            },
            priority: record.priority,
            severity: record.severity,
            release_date: record.release_date,
            unmapped: record.unmapped,
        }
    }
}

/// The name of a category as it is kept. No database has to refuse one that the service makes up.
fn category(category: &StateCategory) -> String {
    let name = category.name();
    name[..name.floor_char_boundary(CATEGORY)].replace('\0', "")
}

/// A change of a record's standing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordChange {
    /// Id of the work item.
    pub id: u32,
    /// Since when, Unix milliseconds.
    pub at: i64,
    /// What it was until then; None was no record.
    pub was: Option<Standing>,
    /// What it is from then on; None is no record any more.
    pub is: Option<Standing>,
}

/// When the mapping looks at the items of a project, and why.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Unix milliseconds.
    pub now: i64,
    /// Whether the records that are stored were made by the same mapping, so that only items can have changed.
    pub same_mapping: bool,
}

/// Which version of an item was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// Its revision.
    pub rev: u32,
    /// When that was made in Azure DevOps, Unix milliseconds; 0 if it does not say.
    pub changed_at: i64,
}

impl Look {
    /// What the history is told of a record that was `old` and is `new`; None if nothing that it keeps is different. `item` is
    /// the item that was looked at; None if it is gone.
    ///
    /// It happened when the item was changed, where a change of the item is what it comes from; else, after a change of the
    /// mapping, of the iterations or of an ancestor, now.
    pub fn change(
        self,
        old: Option<&StoredRecord>,
        new: Option<&StoredRecord>,
        item: Option<Version>,
    ) -> Option<RecordChange> {
        let (was, is) = (old.map(|old| &old.standing), new.map(|new| &new.standing));
        let id = old.or(new)?.id;
        (was != is).then(|| RecordChange { id, at: self.at(old, item), was: was.cloned(), is: is.cloned() })
    }

    fn at(self, old: Option<&StoredRecord>, item: Option<Version>) -> i64 {
        let edited = item.filter(|item| old.map_or(self.same_mapping, |old| old.rev != item.rev));
        match edited {
            Some(Version { changed_at, .. }) if changed_at > 0 => changed_at.min(self.now),
            Some(_) | None => self.now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ado::model::WorkItemId;

    const NOW: i64 = 1_000;
    const EDITED: i64 = 400;

    fn stored(rev: u32, status: RecordStatus) -> StoredRecord {
        StoredRecord {
            id: 7,
            rev,
            standing: Standing {
                kind: RecordKind::Requirement,
                work_item_type: "User Story".into(),
                release: None,
                sprint: None,
                status: Some(status),
                category: None,
            },
            priority: None,
            severity: None,
            release_date: None,
            unmapped: Unmapped::default(),
        }
    }

    fn at(same_mapping: bool, old: Option<&StoredRecord>, new: Option<&StoredRecord>, item: Option<u32>) -> i64 {
        let item = item.map(|rev| Version { rev, changed_at: EDITED });
        Look { now: NOW, same_mapping }.change(old, new, item).unwrap().at
    }

    #[test]
    fn a_change_happened_when_its_item_was_edited_and_else_now() {
        let (open, closed) = (stored(1, RecordStatus::Open), stored(2, RecordStatus::Closed));
        let remapped = stored(1, RecordStatus::Closed);
        assert_eq!(at(true, Some(&open), Some(&closed), Some(2)), EDITED);
        assert_eq!(at(false, Some(&open), Some(&closed), Some(2)), EDITED, "the item changed as well");
        assert_eq!(at(false, Some(&open), Some(&remapped), Some(1)), NOW);
        assert_eq!(at(true, Some(&open), Some(&remapped), Some(1)), NOW, "an ancestor moved");
        assert_eq!(at(true, Some(&open), None, Some(2)), EDITED, "its type changed");
        assert_eq!(at(true, Some(&open), None, None), NOW, "it is gone");
        assert_eq!(at(true, None, Some(&open), Some(1)), EDITED, "it is new");
        assert_eq!(at(false, None, Some(&open), Some(1)), NOW, "its type is pulled since now");
    }

    #[test]
    fn a_time_that_cannot_be_is_now() {
        let (open, closed) = (stored(1, RecordStatus::Open), stored(2, RecordStatus::Closed));
        for changed_at in [0, NOW + 1] {
            let look = Look { now: NOW, same_mapping: true };
            let change = look.change(Some(&open), Some(&closed), Some(Version { rev: 2, changed_at }));
            assert_eq!(change.unwrap().at, NOW);
        }
    }

    #[test]
    fn the_history_is_told_what_it_was_and_what_it_is() {
        let (open, closed) = (stored(1, RecordStatus::Open), stored(2, RecordStatus::Closed));
        let look = Look { now: NOW, same_mapping: true };
        let version = Some(Version { rev: 2, changed_at: EDITED });
        let change = look.change(Some(&open), Some(&closed), version).unwrap();
        assert_eq!((change.id, change.was, change.is), (7, Some(open.standing), Some(closed.standing)));
    }

    #[test]
    fn a_change_of_anything_else_is_not_told() {
        let old = stored(1, RecordStatus::Open);
        let new = StoredRecord { rev: 2, priority: Some(Rating::High), ..old.clone() };
        let look = Look { now: NOW, same_mapping: true };
        assert_eq!(look.change(Some(&old), Some(&new), Some(Version { rev: 2, changed_at: EDITED })), None);
        assert_eq!(look.change(None, None, None), None);
    }

    #[test]
    fn a_category_of_any_text_can_be_kept() {
        let record = |category: &str| Record {
            id: WorkItemId(1),
            kind: RecordKind::Bug,
            release: None,
            sprint: None,
            status: None,
            category: Some(StateCategory::from(category.to_owned())),
            priority: None,
            severity: None,
            release_date: None,
            unmapped: Unmapped::default(),
        };
        let kept = |text: &str| StoredRecord::new(record(text), 1, "Bug", &Tree::default()).standing.category.unwrap();
        assert_eq!(kept("completed"), "Completed");
        assert_eq!(kept("On\0Hold"), "OnHold");
        assert_eq!(kept(&"ü".repeat(CATEGORY)), "ü".repeat(CATEGORY / 2));
    }
}

//! Values that the mapping says nothing about, with the number of items that carry them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{RecordKind, folded};

/// Where a spec says what priorities mean.
pub const PRIORITIES: &str = "spec.priorityMapping";

/// Where a spec says what severities mean.
pub const SEVERITIES: &str = "spec.bugMapping.severityMapping";

/// Where a spec says what the states of requirements mean.
pub const REQUIREMENT_STATUSES: &str = "spec.pullRequirements.statusMapping";

/// Where a spec says what the states of bugs mean.
pub const BUG_STATUSES: &str = "spec.bugMapping.statusMapping";

/// A value that nobody mapped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnmappedValue {
    /// The field of the spec that could say what it means.
    pub field: &'static str,
    /// The value; of spellings that differ in case only, the first one in the order of characters.
    pub value: String,
    /// Items that carry it.
    pub items: u64,
}

/// Values of one item that nobody mapped, as people are shown them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Unmapped {
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Its severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
}

impl Unmapped {
    /// Whether all of the item is mapped.
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.priority.is_none() && self.severity.is_none()
    }

    /// The values, each with the field of the spec that could say what it means.
    fn values(&self, kind: RecordKind) -> impl Iterator<Item = (&'static str, &str)> {
        let statuses = match kind {
            RecordKind::Requirement => REQUIREMENT_STATUSES,
            RecordKind::Bug => BUG_STATUSES,
        };
        let all = [(statuses, &self.status), (PRIORITIES, &self.priority), (SEVERITIES, &self.severity)];
        all.into_iter().filter_map(|(field, value)| Some((field, value.as_deref()?)))
    }
}

/// Counts them over all items.
#[derive(Clone, Debug, Default)]
pub struct UnmappedCounts(HashMap<(&'static str, String), UnmappedValue>);

impl UnmappedCounts {
    /// So many more items of a kind carry these values.
    pub fn add(&mut self, kind: RecordKind, unmapped: &Unmapped, items: u64) {
        for (field, value) in unmapped.values(kind) {
            let new = || UnmappedValue { field, value: value.to_owned(), items: 0 };
            let known = self.0.entry((field, folded(value))).or_insert_with(new);
            known.items += items;
            if value < known.value.as_str() {
                value.clone_into(&mut known.value);
            }
        }
    }

    /// Most items first, then by field and value.
    pub fn into_sorted(self) -> Vec<UnmappedValue> {
        let mut all: Vec<UnmappedValue> = self.0.into_values().collect();
        all.sort_unstable_by(|left, right| {
            right.items.cmp(&left.items).then_with(|| (left.field, &left.value).cmp(&(right.field, &right.value)))
        });
        all
    }
}

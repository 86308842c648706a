//! Values that the mapping says nothing about, with the number of items that carry them.

use std::collections::HashMap;

use super::folded;

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

/// Counts them.
#[derive(Clone, Debug, Default)]
pub struct Unmapped(HashMap<(&'static str, String), UnmappedValue>);

impl Unmapped {
    /// One more item carries the value.
    pub fn count(&mut self, field: &'static str, value: String) {
        let known = self.0.entry((field, folded(&value))).or_insert_with(|| UnmappedValue {
            field,
            value: value.clone(),
            items: 0,
        });
        known.items += 1;
        if value < known.value {
            known.value = value;
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

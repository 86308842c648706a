//! What priorities, severities and states of Azure DevOps mean in test management.

use std::collections::HashMap;

use serde_json::Value;

use crate::ado::model::StateCategory;
use crate::api::{PriorityEntry, Rating, RecordStatus, SeverityEntry, StatusEntry};

use super::folded;

/// The meaning of a value, and whether the mapping lacks it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Meaning<T> {
    /// What it means; None leaves the record without it.
    pub value: Option<T>,
    /// Nobody said what it means, so that a person should be told.
    pub is_unmapped: bool,
}

impl<T> Meaning<T> {
    fn of(value: Option<T>) -> Self {
        Self { is_unmapped: value.is_none(), value }
    }
}

/// Priorities by their number.
#[derive(Clone, Debug, Default)]
pub struct Priorities(HashMap<i64, Rating>);

impl Priorities {
    /// The entries of a spec; without any, 1 to 4 mean Critical to Low.
    pub fn new(entries: Option<&[PriorityEntry]>) -> Self {
        let entries = entries.unwrap_or_default();
        if entries.is_empty() {
            return Self((1..).zip(Rating::ALL.into_iter().take(4)).collect());
        }
        Self(entries.iter().map(|entry| (i64::from(entry.ado), entry.testops)).collect())
    }

    /// What a priority means, however the service writes the number.
    pub fn meaning(&self, value: &Value) -> Meaning<Rating> {
        Meaning::of(whole_number(value).and_then(|number| self.0.get(&number).copied()))
    }
}

/// A priority as people are shown it: a whole number however the service writes it.
pub fn shown_priority(value: &Value) -> String {
    whole_number(value).map_or_else(|| shown(value), |number| number.to_string())
}

/// A whole number, also as text or with a fraction of zero.
fn whole_number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // Priorities are small; what does not fit is no priority.
    let whole = number.fract() == 0.0 && number.abs() < 1e6;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    whole.then_some(number as i64)
}

/// Severities by their text.
#[derive(Clone, Debug, Default)]
pub struct Severities(Option<HashMap<String, Rating>>);

impl Severities {
    /// The entries of a spec; without any, the leading numbers 1 to 5 mean Critical to Lowest.
    pub fn new(entries: Option<&[SeverityEntry]>) -> Self {
        let entries = entries.filter(|entries| !entries.is_empty());
        Self(entries.map(|entries| entries.iter().map(|entry| (folded(&entry.ado), entry.testops)).collect()))
    }

    /// What a severity means.
    pub fn meaning(&self, value: &Value) -> Meaning<Rating> {
        let text = shown(value);
        Meaning::of(match &self.0 {
            Some(entries) => entries.get(&folded(&text)).copied(),
            None => leading_number(&text).and_then(|number| Rating::ALL.get(number.checked_sub(1)?).copied()),
        })
    }
}

fn leading_number(text: &str) -> Option<usize> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// States by their name, and by type where an entry names one.
#[derive(Clone, Debug, Default)]
pub struct Statuses {
    is_given: bool,
    /// By the folded state.
    general: HashMap<String, RecordStatus>,
    /// By the folded type, then the folded state.
    specific: HashMap<String, HashMap<String, RecordStatus>>,
}

impl Statuses {
    /// The entries of a spec. `current` gives the present name of the type that an entry names.
    pub fn new(entries: Option<&[StatusEntry]>, current: impl Fn(&str) -> String) -> Self {
        let entries = entries.unwrap_or_default();
        let mut statuses = Self { is_given: !entries.is_empty(), ..Self::default() };
        for entry in entries {
            let meanings = match &entry.work_item_type {
                None => &mut statuses.general,
                Some(name) => statuses.specific.entry(folded(&current(name))).or_default(),
            };
            meanings.insert(folded(&entry.ado), entry.testops);
        }
        statuses
    }

    /// What a state of a type means, both folded: the entry for the type, else the general one, else its category.
    pub fn meaning(&self, of_type: &str, state: &str, category: Option<&StateCategory>) -> Meaning<RecordStatus> {
        let specific = self.specific.get(of_type).and_then(|states| states.get(state));
        let entry = specific.or_else(|| self.general.get(state)).copied();
        let value = entry.or_else(|| by_category(category?));
        Meaning { is_unmapped: value.is_none() || self.is_given && entry.is_none(), value }
    }
}

fn by_category(category: &StateCategory) -> Option<RecordStatus> {
    match category {
        StateCategory::Proposed => Some(RecordStatus::Open),
        StateCategory::InProgress => Some(RecordStatus::InProgress),
        StateCategory::Resolved => Some(RecordStatus::Resolved),
        StateCategory::Completed => Some(RecordStatus::Closed),
        StateCategory::Removed => Some(RecordStatus::Removed),
        StateCategory::Other(_) => None,
    }
}

/// Whether a field holds nothing.
pub fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Longest value that is shown, in characters.
const MAX_SHOWN: usize = 256;

/// A value of Azure DevOps as people are shown it.
pub fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        other => other.to_string(),
    };
    if text.chars().count() > MAX_SHOWN { text.chars().take(MAX_SHOWN).collect() } else { text }
}

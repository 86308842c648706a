//! Processes: types, states, fields, backlog levels.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::catalog::fields::FieldIndex;

/// The category of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateCategory {
    /// Not begun.
    Proposed,
    /// Begun.
    InProgress,
    /// Done, to be verified.
    Resolved,
    /// Done.
    Completed,
    /// Dropped.
    Removed,
}

impl StateCategory {
    /// The spelling of the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Proposed => "Proposed",
            Self::InProgress => "InProgress",
            Self::Resolved => "Resolved",
            Self::Completed => "Completed",
            Self::Removed => "Removed",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Proposed => "b2b2b2",
            Self::InProgress => "007acc",
            Self::Resolved => "ff9d00",
            Self::Completed => "339933",
            Self::Removed => "ffffff",
        }
    }
}

/// A state of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub name: String,
    pub category: StateCategory,
}

impl State {
    pub fn color(&self) -> &'static str {
        self.category.color()
    }
}

/// A field as a type uses it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeField {
    pub field: FieldIndex,
    pub required: bool,
    pub default: Option<String>,
    /// Values to choose from, in order; empty for free text.
    pub values: Vec<String>,
    /// What generated items have, where that is no longer `values`.
    pub generated: Option<Vec<String>>,
    /// Other values than `values` are accepted.
    pub suggested: bool,
}

/// A work item type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkItemType {
    pub name: String,
    pub reference: String,
    pub color: String,
    pub icon: &'static str,
    /// Category reference name without `Microsoft.`, such as `BugCategory`; empty for none.
    pub category: &'static str,
    pub disabled: bool,
    /// Taken out of the process; items may still carry it.
    pub removed: bool,
    pub states: Vec<State>,
    pub fields: Vec<TypeField>,
}

impl WorkItemType {
    /// Offered by the API at all.
    pub fn listed(&self) -> bool {
        !self.removed
    }

    pub fn field(&self, field: FieldIndex) -> Option<&TypeField> {
        self.fields.iter().find(|candidate| candidate.field == field)
    }

    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name.eq_ignore_ascii_case(name))
    }
}

/// The kind of a backlog level, with the spelling of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LevelKind {
    Portfolio,
    Requirement,
    Task,
}

/// A backlog level.
#[derive(Clone, Debug)]
pub(crate) struct BacklogLevel {
    /// A category reference name, or an invented one for added levels.
    pub id: String,
    pub name: String,
    pub rank: i32,
    pub kind: LevelKind,
    /// Indexes into the process's types.
    pub types: Vec<usize>,
    pub hidden: bool,
    pub color: &'static str,
}

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub id: Uuid,
    pub name: String,
    /// Only inherited processes have one.
    pub reference: Option<String>,
    pub description: &'static str,
    pub parent: Option<Uuid>,
    pub is_default: bool,
    pub types: Vec<WorkItemType>,
    /// Portfolio levels from the highest rank down, then the requirement and the task level.
    pub levels: Vec<BacklogLevel>,
    /// `off`, `asRequirements` or `asTasks` of a new team.
    pub bugs_behavior: &'static str,
    pub order_field: FieldIndex,
    pub effort_field: FieldIndex,
}

impl Process {
    pub fn find_type(&self, name: &str) -> Option<usize> {
        let fits = |kind: &WorkItemType| {
            kind.listed() && (kind.name.eq_ignore_ascii_case(name) || kind.reference.eq_ignore_ascii_case(name))
        };
        self.types.iter().position(fits)
    }

    /// The place of a backlog level, by name or id.
    pub fn level(&self, name: &str) -> Option<usize> {
        let fits = |level: &BacklogLevel| level.name.eq_ignore_ascii_case(name) || level.id.eq_ignore_ascii_case(name);
        self.levels.iter().position(fits)
    }

    /// Categories with their members, the default first; a category without members is left out.
    pub fn categories(&self) -> Vec<(&'static str, Vec<usize>)> {
        CATEGORIES
            .iter()
            .map(|(reference, _)| (*reference, self.members(reference)))
            .filter(|(_, members)| !members.is_empty())
            .collect()
    }

    fn members(&self, category: &str) -> Vec<usize> {
        let hidden = category == "HiddenCategory";
        let belongs = |kind: &WorkItemType| kind.category == category || hidden && is_hidden(kind.category);
        let types = self.types.iter().enumerate().filter(|(_, kind)| kind.listed() && belongs(kind));
        let mut members: Vec<usize> = types.map(|(index, _)| index).collect();
        members.sort_by_key(|index| self.types[*index].disabled);
        members
    }

    /// The backlog level that holds a type.
    pub fn level_of(&self, kind: usize) -> Option<&BacklogLevel> {
        self.levels.iter().find(|level| level.types.contains(&kind))
    }
}

/// Types that boards and lists do not offer.
fn is_hidden(category: &str) -> bool {
    matches!(
        category,
        "SharedStepCategory"
            | "SharedParameterCategory"
            | "TestPlanCategory"
            | "TestSuiteCategory"
            | "CodeReviewRequestCategory"
            | "FeedbackRequestCategory"
    )
}

/// Categories (reference name without `Microsoft.`, display name) in the order of the API.
pub(crate) const CATEGORIES: &[(&str, &str)] = &[
    ("BugCategory", "Bug Category"),
    ("EpicCategory", "Epic Category"),
    ("FeatureCategory", "Feature Category"),
    ("RequirementCategory", "Requirement Category"),
    ("TestCaseCategory", "Test Case Category"),
    ("SharedStepCategory", "Shared Step Category"),
    ("CodeReviewRequestCategory", "Code Review Request Category"),
    ("FeedbackRequestCategory", "Feedback Request Category"),
    ("TaskCategory", "Task Category"),
    ("HiddenCategory", "Hidden Types Category"),
    ("SharedParameterCategory", "Shared Parameter Category"),
    ("TestPlanCategory", "Test Plan Category"),
    ("TestSuiteCategory", "Test Suite Category"),
];

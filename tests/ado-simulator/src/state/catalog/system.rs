//! The four system processes: Basic, Agile, Scrum, CMMI.

use uuid::Uuid;

use super::fields::{self, FieldIndex, On};
use crate::state::process::StateCategory::{Completed, InProgress, Proposed, Removed, Resolved};
use crate::state::process::{BacklogLevel, LevelKind, Process, State, StateCategory, TypeField, WorkItemType};

/// Well-known ids of the system processes.
pub(crate) const AGILE: Uuid = Uuid::from_u128(0xadcc42ab_9882_485e_a3ed_7678f01f66bc);
const SCRUM: Uuid = Uuid::from_u128(0x6b724908_ef14_45cf_84f8_768b5384da45);
const BASIC: Uuid = Uuid::from_u128(0xb8a3a935_7e91_48b8_a94c_606d37c3e9f2);
const CMMI: Uuid = Uuid::from_u128(0x27450541_8e31_4150_9947_dc59f998fc01);

type States = &'static [(&'static str, StateCategory)];

const BASIC_STATES: States = &[("To Do", Proposed), ("Doing", InProgress), ("Done", Completed)];
const AGILE_STATES: States =
    &[("New", Proposed), ("Active", InProgress), ("Resolved", InProgress), ("Closed", Completed), ("Removed", Removed)];
const AGILE_TASK: States = &[("New", Proposed), ("Active", InProgress), ("Closed", Completed), ("Removed", Removed)];
const AGILE_BUG: States = &[("New", Proposed), ("Active", InProgress), ("Resolved", Resolved), ("Closed", Completed)];
const ISSUE_STATES: States = &[("Active", InProgress), ("Closed", Completed)];
const SCRUM_PORTFOLIO: States =
    &[("New", Proposed), ("In Progress", InProgress), ("Done", Completed), ("Removed", Removed)];
const SCRUM_ITEM: States =
    &[("New", Proposed), ("Approved", Proposed), ("Committed", InProgress), ("Done", Completed), ("Removed", Removed)];
const SCRUM_TASK: States =
    &[("To Do", Proposed), ("In Progress", InProgress), ("Done", Completed), ("Removed", Removed)];
const SCRUM_IMPEDIMENT: States = &[("Open", InProgress), ("Closed", Completed)];
const CMMI_STATES: States =
    &[("Proposed", Proposed), ("Active", InProgress), ("Resolved", InProgress), ("Closed", Completed)];
const CMMI_BUG: States =
    &[("Proposed", Proposed), ("Active", InProgress), ("Resolved", Resolved), ("Closed", Completed)];
const CMMI_REVIEW: States =
    &[("Requested", Proposed), ("Active", InProgress), ("Resolved", InProgress), ("Closed", Completed)];
const TEST_CASE: States = &[("Design", Proposed), ("Ready", InProgress), ("Closed", Completed)];
const TEST_PLAN: States = &[("Active", InProgress), ("Inactive", Completed)];
const TEST_SUITE: States = &[("In Planning", InProgress), ("In Progress", InProgress), ("Completed", Completed)];

/// One type of a table: name, end of the reference name, colour, icon, category, states, its own fields.
struct Row(&'static str, &'static str, &'static str, &'static str, &'static str, States, &'static [FieldIndex]);

use fields::{
    ACCEPTANCE_CRITERIA, ACTIVITY, BACKLOG_PRIORITY, DISCIPLINE, EFFORT, REMAINING_WORK, REPRO_STEPS, SEVERITY, SIZE,
    STACK_RANK, START_DATE, STORY_POINTS, SYSTEM_INFO, TARGET_DATE, TRIAGE, VALUE_AREA,
};

const BASIC_TYPES: &[Row] = &[
    Row(
        "Epic",
        "Epic",
        "E06C00",
        "icon_crown",
        "EpicCategory",
        BASIC_STATES,
        &[STACK_RANK, EFFORT, START_DATE, TARGET_DATE],
    ),
    Row("Issue", "Issue", "B4009E", "icon_traffic_cone", "RequirementCategory", BASIC_STATES, &[STACK_RANK, EFFORT]),
    Row(
        "Task",
        "Task",
        "A4880A",
        "icon_check_box",
        "TaskCategory",
        BASIC_STATES,
        &[STACK_RANK, ACTIVITY, REMAINING_WORK],
    ),
];

const AGILE_TYPES: &[Row] = &[
    Row(
        "Bug",
        "Bug",
        "CC293D",
        "icon_insect",
        "BugCategory",
        AGILE_BUG,
        &[SEVERITY, STACK_RANK, VALUE_AREA, STORY_POINTS, REPRO_STEPS, SYSTEM_INFO, REMAINING_WORK, ACTIVITY],
    ),
    Row(
        "Epic",
        "Epic",
        "FF7B00",
        "icon_crown",
        "EpicCategory",
        AGILE_STATES,
        &[STACK_RANK, VALUE_AREA, EFFORT, START_DATE, TARGET_DATE],
    ),
    Row(
        "Feature",
        "Feature",
        "773B93",
        "icon_trophy",
        "FeatureCategory",
        AGILE_STATES,
        &[STACK_RANK, VALUE_AREA, EFFORT, START_DATE, TARGET_DATE],
    ),
    Row(
        "User Story",
        "UserStory",
        "009CCC",
        "icon_book",
        "RequirementCategory",
        AGILE_STATES,
        &[STACK_RANK, VALUE_AREA, STORY_POINTS, ACCEPTANCE_CRITERIA],
    ),
    Row(
        "Task",
        "Task",
        "F2CB1D",
        "icon_clipboard",
        "TaskCategory",
        AGILE_TASK,
        &[STACK_RANK, ACTIVITY, REMAINING_WORK],
    ),
    Row("Issue", "Issue", "B4009E", "icon_traffic_cone", "", ISSUE_STATES, &[STACK_RANK]),
];

const SCRUM_TYPES: &[Row] = &[
    Row(
        "Bug",
        "Bug",
        "CC293D",
        "icon_insect",
        "BugCategory",
        SCRUM_ITEM,
        &[SEVERITY, BACKLOG_PRIORITY, VALUE_AREA, EFFORT, REPRO_STEPS, SYSTEM_INFO, ACCEPTANCE_CRITERIA],
    ),
    Row(
        "Epic",
        "Epic",
        "E06C00",
        "icon_crown",
        "EpicCategory",
        SCRUM_PORTFOLIO,
        &[BACKLOG_PRIORITY, VALUE_AREA, EFFORT, START_DATE, TARGET_DATE],
    ),
    Row(
        "Feature",
        "Feature",
        "773B93",
        "icon_trophy",
        "FeatureCategory",
        SCRUM_PORTFOLIO,
        &[BACKLOG_PRIORITY, VALUE_AREA, EFFORT, START_DATE, TARGET_DATE],
    ),
    Row(
        "Product Backlog Item",
        "ProductBacklogItem",
        "009CCC",
        "icon_list",
        "RequirementCategory",
        SCRUM_ITEM,
        &[BACKLOG_PRIORITY, VALUE_AREA, EFFORT, ACCEPTANCE_CRITERIA],
    ),
    Row(
        "Task",
        "Task",
        "F2CB1D",
        "icon_clipboard",
        "TaskCategory",
        SCRUM_TASK,
        &[BACKLOG_PRIORITY, ACTIVITY, REMAINING_WORK],
    ),
    Row("Impediment", "Impediment", "B4009E", "icon_traffic_cone", "", SCRUM_IMPEDIMENT, &[]),
];

const CMMI_TYPES: &[Row] = &[
    Row(
        "Bug",
        "Bug",
        "CC293D",
        "icon_insect",
        "BugCategory",
        CMMI_BUG,
        &[SEVERITY, STACK_RANK, VALUE_AREA, SIZE, TRIAGE, REPRO_STEPS, SYSTEM_INFO],
    ),
    Row(
        "Epic",
        "Epic",
        "FF7B00",
        "icon_crown",
        "EpicCategory",
        CMMI_STATES,
        &[STACK_RANK, VALUE_AREA, SIZE, START_DATE, TARGET_DATE],
    ),
    Row(
        "Feature",
        "Feature",
        "773B93",
        "icon_trophy",
        "FeatureCategory",
        CMMI_STATES,
        &[STACK_RANK, VALUE_AREA, SIZE, START_DATE, TARGET_DATE],
    ),
    Row(
        "Requirement",
        "Requirement",
        "009CCC",
        "icon_book",
        "RequirementCategory",
        CMMI_STATES,
        &[STACK_RANK, VALUE_AREA, SIZE, TRIAGE],
    ),
    Row(
        "Task",
        "Task",
        "F2CB1D",
        "icon_clipboard",
        "TaskCategory",
        CMMI_STATES,
        &[STACK_RANK, DISCIPLINE, REMAINING_WORK],
    ),
    Row("Issue", "Issue", "B4009E", "icon_traffic_cone", "", CMMI_STATES, &[STACK_RANK]),
    Row("Risk", "Risk", "B4009E", "icon_broken_lightbulb", "", CMMI_STATES, &[SEVERITY]),
    Row("Review", "Review", "B4009E", "icon_review", "", CMMI_REVIEW, &[]),
    Row("Change Request", "ChangeRequest", "B4009E", "icon_asterisk", "", CMMI_STATES, &[STACK_RANK]),
];

/// Types of test management, the same in every process.
const TEST_TYPES: &[Row] = &[
    Row("Test Case", "TestCase", "004B50", "icon_test_case", "TestCaseCategory", TEST_CASE, &[]),
    Row("Test Plan", "TestPlan", "004B50", "icon_test_plan", "TestPlanCategory", TEST_PLAN, &[]),
    Row("Test Suite", "TestSuite", "004B50", "icon_test_suite", "TestSuiteCategory", TEST_SUITE, &[]),
    Row("Shared Steps", "SharedStep", "004B50", "icon_test_step", "SharedStepCategory", ISSUE_STATES, &[]),
    Row(
        "Shared Parameter",
        "SharedParameter",
        "004B50",
        "icon_test_parameter",
        "SharedParameterCategory",
        TEST_PLAN,
        &[],
    ),
    Row("Feedback Request", "FeedbackRequest", "004B50", "icon_review", "FeedbackRequestCategory", ISSUE_STATES, &[]),
    Row(
        "Code Review Request",
        "CodeReviewRequest",
        "B4009E",
        "icon_code_review",
        "CodeReviewRequestCategory",
        ISSUE_STATES,
        &[],
    ),
];

/// Basic: Epic, Issue, Task; no bug type.
pub(crate) fn basic() -> Process {
    let description = "Few types and states, for teams that are new to Azure DevOps.";
    let mut process = process(BASIC, "Basic", description, BASIC_TYPES, EFFORT, STACK_RANK);
    process.levels = vec![
        level(&process, "EpicCategory", "Epics", 4, LevelKind::Portfolio),
        level(&process, "RequirementCategory", "Issues", 2, LevelKind::Requirement),
        level(&process, "TaskCategory", "Tasks", 1, LevelKind::Task),
    ];
    process.bugs_behavior = "off";
    process
}

/// Agile: the default process here.
pub(crate) fn agile() -> Process {
    let description = "For teams that plan with user stories and track bugs beside tasks.";
    let mut process = process(AGILE, "Agile", description, AGILE_TYPES, STORY_POINTS, STACK_RANK);
    process.levels = levels(&process, "Stories");
    process.is_default = true;
    process.bugs_behavior = "asTasks";
    process
}

/// Scrum: product backlog items and impediments.
pub(crate) fn scrum() -> Process {
    let description = "For teams that follow the Scrum framework.";
    let mut process = process(SCRUM, "Scrum", description, SCRUM_TYPES, EFFORT, BACKLOG_PRIORITY);
    process.levels = levels(&process, "Backlog items");
    process.bugs_behavior = "asRequirements";
    process
}

/// CMMI: requirements, risks, reviews, change requests.
pub(crate) fn cmmi() -> Process {
    let description = "For projects that need a record of decisions which can be audited.";
    let mut process = process(CMMI, "CMMI", description, CMMI_TYPES, SIZE, STACK_RANK);
    process.levels = levels(&process, "Requirements");
    process.bugs_behavior = "off";
    process
}

fn process(
    id: Uuid,
    name: &str,
    description: &'static str,
    rows: &[Row],
    effort: FieldIndex,
    order: FieldIndex,
) -> Process {
    Process {
        id,
        name: name.to_owned(),
        reference: None,
        description,
        parent: None,
        is_default: false,
        types: rows.iter().chain(TEST_TYPES).map(work_item_type).collect(),
        levels: Vec::new(),
        bugs_behavior: "off",
        order_field: order,
        effort_field: effort,
    }
}

fn levels(process: &Process, requirements: &str) -> Vec<BacklogLevel> {
    vec![
        level(process, "EpicCategory", "Epics", 4, LevelKind::Portfolio),
        level(process, "FeatureCategory", "Features", 3, LevelKind::Portfolio),
        level(process, "RequirementCategory", requirements, 2, LevelKind::Requirement),
        level(process, "TaskCategory", "Tasks", 1, LevelKind::Task),
    ]
}

fn level(process: &Process, category: &str, name: &str, rank: i32, kind: LevelKind) -> BacklogLevel {
    let types = process.types.iter().enumerate().filter(|(_, candidate)| candidate.category == category);
    let color = match kind {
        LevelKind::Portfolio if rank > 3 => "E06C00",
        LevelKind::Portfolio => "773B93",
        LevelKind::Requirement => "009CCC",
        LevelKind::Task => "F2CB1D",
    };
    BacklogLevel {
        id: format!("Microsoft.{category}"),
        name: name.to_owned(),
        rank,
        kind,
        types: types.map(|(index, _)| index).collect(),
        hidden: false,
        color,
    }
}

fn work_item_type(row: &Row) -> WorkItemType {
    let Row(name, reference, color, icon, category, states, own) = row;
    let states: Vec<State> =
        states.iter().map(|(name, category)| State { name: (*name).to_owned(), category: *category }).collect();
    WorkItemType {
        name: (*name).to_owned(),
        reference: format!("Microsoft.VSTS.WorkItemTypes.{reference}"),
        color: (*color).to_owned(),
        icon,
        category,
        disabled: false,
        removed: false,
        fields: type_fields(category, &states, own),
        states,
    }
}

/// The fields of a type: those of every type, those of its category, its own.
pub(super) fn type_fields(category: &str, states: &[State], own: &[FieldIndex]) -> Vec<TypeField> {
    let all = fields::built_in();
    let offered = all.iter().zip(0u16..).filter(|(field, index)| match field.on {
        On::All => true,
        On::TestCases => category == "TestCaseCategory",
        On::Named => own.contains(index),
    });
    offered.map(|(_, index)| type_field(index, states)).collect()
}

fn type_field(field: FieldIndex, states: &[State]) -> TypeField {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let (default, values) = match field {
        fields::STATE => (states.first().map(|s| s.name.clone()), states.iter().map(|s| s.name.clone()).collect()),
        fields::PRIORITY => (Some("2".to_owned()), texts(&["1", "2", "3", "4"])),
        SEVERITY => (Some("3 - Medium".to_owned()), texts(&["1 - Critical", "2 - High", "3 - Medium", "4 - Low"])),
        VALUE_AREA => (Some("Business".to_owned()), texts(&["Architectural", "Business"])),
        ACTIVITY => (None, texts(&["Deployment", "Design", "Development", "Documentation", "Requirements", "Testing"])),
        DISCIPLINE => (None, texts(&["Analysis", "Development", "Test", "User Education"])),
        TRIAGE => (Some("Pending".to_owned()), texts(&["Info Received", "More Info", "Pending", "Triaged"])),
        fields::AUTOMATION_STATUS => {
            (Some("Not Automated".to_owned()), texts(&["Automated", "Not Automated", "Planned"]))
        }
        _ => (None, Vec::new()),
    };
    let required =
        matches!(field, fields::TITLE | fields::STATE | fields::AREA_ID | fields::ITERATION_ID | VALUE_AREA | TRIAGE);
    TypeField { field, required, default, values, generated: None, suggested: field == ACTIVITY }
}

//! The fields of work item tracking that the simulator knows: reference names, display names and types.

/// The type of a field, with the spelling of the API in [`FieldType::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    String,
    Integer,
    DateTime,
    PlainText,
    Html,
    TreePath,
    History,
    Double,
    Boolean,
    Identity,
}

impl FieldType {
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::PlainText => "plainText",
            Self::Html => "html",
            Self::TreePath => "treePath",
            Self::History => "history",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Identity => "identity",
        }
    }

    /// Whether `fields=` must name it for a list of revisions; such fields are long.
    pub fn is_long_text(self) -> bool {
        matches!(self, Self::PlainText | Self::Html | Self::History)
    }
}

/// Where a field is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// On every type.
    All,
    /// On types of the test case category.
    TestCases,
    /// On bugs (and whatever else the process says).
    Named,
}

/// A field as the organization defines it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub reference: String,
    pub name: String,
    pub kind: FieldType,
    pub read_only: bool,
    pub on: On,
}

/// The index of a field in the organization's list.
pub(crate) type FieldIndex = u16;

macro_rules! fields {
    ($($constant:ident = $reference:literal, $name:literal, $kind:ident, $read_only:literal, $on:ident;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, dead_code, reason = "named like the constants")]
        #[repr(u16)]
        enum Position { $($constant,)* }
        $(
            #[doc = concat!("Index of `", $reference, "`.")]
            #[allow(dead_code, reason = "every field has its index, used by name or not")]
            pub(crate) const $constant: FieldIndex = Position::$constant as FieldIndex;
        )*
        const TABLE: &[(&str, &str, FieldType, bool, On)] =
            &[$(($reference, $name, FieldType::$kind, $read_only, On::$on),)*];
    };
}

fields! {
    ID = "System.Id", "ID", Integer, true, All;
    AREA_ID = "System.AreaId", "Area ID", Integer, false, All;
    AREA_PATH = "System.AreaPath", "Area Path", TreePath, false, All;
    TEAM_PROJECT = "System.TeamProject", "Team Project", String, true, All;
    NODE_NAME = "System.NodeName", "Node Name", String, true, All;
    AREA_LEVEL_1 = "System.AreaLevel1", "Area Level 1", String, true, All;
    REV = "System.Rev", "Rev", Integer, true, All;
    AUTHORIZED_DATE = "System.AuthorizedDate", "Authorized Date", DateTime, true, All;
    REVISED_DATE = "System.RevisedDate", "Revised Date", DateTime, true, All;
    ITERATION_ID = "System.IterationId", "Iteration ID", Integer, false, All;
    ITERATION_PATH = "System.IterationPath", "Iteration Path", TreePath, false, All;
    ITERATION_LEVEL_1 = "System.IterationLevel1", "Iteration Level 1", String, true, All;
    ITERATION_LEVEL_2 = "System.IterationLevel2", "Iteration Level 2", String, true, All;
    WORK_ITEM_TYPE = "System.WorkItemType", "Work Item Type", String, true, All;
    STATE = "System.State", "State", String, false, All;
    REASON = "System.Reason", "Reason", String, false, All;
    ASSIGNED_TO = "System.AssignedTo", "Assigned To", Identity, false, All;
    CREATED_DATE = "System.CreatedDate", "Created Date", DateTime, false, All;
    CREATED_BY = "System.CreatedBy", "Created By", Identity, false, All;
    CHANGED_DATE = "System.ChangedDate", "Changed Date", DateTime, false, All;
    CHANGED_BY = "System.ChangedBy", "Changed By", Identity, false, All;
    AUTHORIZED_AS = "System.AuthorizedAs", "Authorized As", Identity, true, All;
    PERSON_ID = "System.PersonId", "Person ID", Integer, true, All;
    WATERMARK = "System.Watermark", "Watermark", Integer, true, All;
    COMMENT_COUNT = "System.CommentCount", "Comment Count", Integer, true, All;
    TITLE = "System.Title", "Title", String, false, All;
    DESCRIPTION = "System.Description", "Description", Html, false, All;
    HISTORY = "System.History", "History", History, false, All;
    TAGS = "System.Tags", "Tags", PlainText, false, All;
    PARENT = "System.Parent", "Parent", Integer, true, All;
    RELATED_LINK_COUNT = "System.RelatedLinkCount", "Related Link Count", Integer, true, All;
    EXTERNAL_LINK_COUNT = "System.ExternalLinkCount", "External Link Count", Integer, true, All;
    HYPERLINK_COUNT = "System.HyperLinkCount", "Hyperlink Count", Integer, true, All;
    ATTACHED_FILE_COUNT = "System.AttachedFileCount", "Attached File Count", Integer, true, All;
    IS_DELETED = "System.IsDeleted", "Is Deleted", Boolean, true, All;
    BOARD_COLUMN = "System.BoardColumn", "Board Column", String, true, All;
    STATE_CHANGE_DATE = "Microsoft.VSTS.Common.StateChangeDate", "State Change Date", DateTime, true, All;
    ACTIVATED_DATE = "Microsoft.VSTS.Common.ActivatedDate", "Activated Date", DateTime, false, All;
    RESOLVED_DATE = "Microsoft.VSTS.Common.ResolvedDate", "Resolved Date", DateTime, false, All;
    CLOSED_DATE = "Microsoft.VSTS.Common.ClosedDate", "Closed Date", DateTime, false, All;
    PRIORITY = "Microsoft.VSTS.Common.Priority", "Priority", Integer, false, All;
    SEVERITY = "Microsoft.VSTS.Common.Severity", "Severity", String, false, Named;
    STACK_RANK = "Microsoft.VSTS.Common.StackRank", "Stack Rank", Double, false, Named;
    BACKLOG_PRIORITY = "Microsoft.VSTS.Common.BacklogPriority", "Backlog Priority", Double, false, Named;
    VALUE_AREA = "Microsoft.VSTS.Common.ValueArea", "Value Area", String, false, Named;
    ACTIVITY = "Microsoft.VSTS.Common.Activity", "Activity", String, false, Named;
    DISCIPLINE = "Microsoft.VSTS.Common.Discipline", "Discipline", String, false, Named;
    TRIAGE = "Microsoft.VSTS.Common.Triage", "Triage", String, false, Named;
    ACCEPTANCE_CRITERIA = "Microsoft.VSTS.Common.AcceptanceCriteria", "Acceptance Criteria", Html, false, Named;
    STORY_POINTS = "Microsoft.VSTS.Scheduling.StoryPoints", "Story Points", Double, false, Named;
    EFFORT = "Microsoft.VSTS.Scheduling.Effort", "Effort", Double, false, Named;
    SIZE = "Microsoft.VSTS.Scheduling.Size", "Size", Double, false, Named;
    REMAINING_WORK = "Microsoft.VSTS.Scheduling.RemainingWork", "Remaining Work", Double, false, Named;
    START_DATE = "Microsoft.VSTS.Scheduling.StartDate", "Start Date", DateTime, false, Named;
    TARGET_DATE = "Microsoft.VSTS.Scheduling.TargetDate", "Target Date", DateTime, false, Named;
    REPRO_STEPS = "Microsoft.VSTS.TCM.ReproSteps", "Repro Steps", Html, false, Named;
    SYSTEM_INFO = "Microsoft.VSTS.TCM.SystemInfo", "System Info", Html, false, Named;
    STEPS = "Microsoft.VSTS.TCM.Steps", "Steps", Html, false, TestCases;
    AUTOMATION_STATUS = "Microsoft.VSTS.TCM.AutomationStatus", "Automation status", String, false, TestCases;
    AUTOMATED_TEST_NAME = "Microsoft.VSTS.TCM.AutomatedTestName", "Automated Test Name", String, false, TestCases;
    AUTOMATED_TEST_STORAGE = "Microsoft.VSTS.TCM.AutomatedTestStorage", "Automated Test Storage", String, false, TestCases;
    CUSTOM_CUSTOMER = "Custom.Customer", "Customer", String, false, Named;
    CUSTOM_GO_LIVE = "Custom.GoLive", "Go Live", DateTime, false, Named;
}

/// The built-in fields; custom ones are added behind them.
pub(crate) fn built_in() -> Vec<Field> {
    let rows = TABLE.iter();
    rows.map(|(reference, name, kind, read_only, on)| Field {
        reference: (*reference).to_owned(),
        name: (*name).to_owned(),
        kind: *kind,
        read_only: *read_only,
        on: *on,
    })
    .collect()
}

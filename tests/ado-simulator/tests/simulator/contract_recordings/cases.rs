//! Recorded calls that the simulator serves. `{…}` stands for an id that the test fills in; `api-version` is added.

/// A recorded call.
pub struct Case {
    /// The file below the folder of recordings.
    pub recording: &'static str,
    /// Method and path.
    pub call: &'static str,
    /// The body, empty for none.
    pub body: &'static str,
    /// Deviations that are known and wanted: `+` only the simulator's, `-` only the recording's, `~` another type.
    pub known: &'static [&'static str],
}

const fn case(recording: &'static str, call: &'static str, body: &'static str, known: &'static [&'static str]) -> Case {
    Case { recording, call, body, known }
}

const TITLE: &str = r#"[{"op":"add","path":"/fields/System.Title","value":"Task"}]"#;
const ONE: &str = r#"{"query":"SELECT [System.Id] FROM WorkItems WHERE [System.Id] = {single}"}"#;
const THREE: &str =
    r#"{"query":"SELECT [System.Id] FROM WorkItems WHERE [System.Id] IN ({single}, {child}, {parent})"}"#;
const POINTS: &str = r#"{"pointsFilter":{"testcaseIds":[{case}]}}"#;
const NO_POINTS: &str = r#"{"pointsFilter":{"testcaseIds":[999999]}}"#;
const REVISIONS: &str =
    r#"{"types":["Bug"],"fields":["System.WorkItemType","System.Title","System.AreaPath"],"includeIdentityRef":true}"#;
const BATCH: &str = r#"{"ids":[{single}],"fields":["System.Id","System.Title"]}"#;
const EVALUATIONS: &str = r#"{"evaluations":[{"securityNamespaceId":"52d39943-cb85-4d7f-8fa8-c6baac873819","token":"$PROJECT","permissions":8}]}"#;

/// A description is left out where there is none; some projects here have one.
const DESCRIPTION: &[&str] = &["+$.value[].description"];
/// The member came in 2026, the recording is of 2025.
const FORMATS: &[&str] = &["+$.value[].multilineFieldsFormat"];

/// Answers to the Azure CLI's calls, with headers (2025 and 2026, asked at 5.0).
pub const WITH_HEADERS: &[Case] = &[
    case("location/connectiondata.http", "GET /_apis/connectionData", "", &[]),
    case("location/resource-areas.http", "GET /_apis/ResourceAreas", "", &[]),
    case("core/projects-list-default.http", "GET /_apis/projects", "", DESCRIPTION),
    case("core/projects-list-statefilter-all.http", "GET /_apis/projects?stateFilter=all", "", DESCRIPTION),
    case("core/project-get-capabilities-basic.http", "GET /_apis/projects/Intranet?includeCapabilities=true", "", &[]),
    case(
        "core/project-get-capabilities-described.http",
        "GET /_apis/projects/Payments?includeCapabilities=true",
        "",
        &[],
    ),
    case("core/project-get-no-capabilities.http", "GET /_apis/projects/Intranet", "", &["-$.description"]),
    case("core/processes-list.http", "GET /_apis/process/processes", "", &[]),
    case(
        "classification/areas-depth1-no-children.http",
        "GET /Intranet/_apis/wit/classificationnodes/areas?$depth=1",
        "",
        &[],
    ),
    case(
        "classification/areas-depth2-tree.http",
        "GET /Payments/_apis/wit/classificationnodes/areas?$depth=2",
        "",
        &[],
    ),
    case("classification/area-get.http", "GET /Payments/_apis/wit/classificationnodes/areas/%5CBackend", "", &[]),
    case(
        "classification/iterations-depth0-haschildren.http",
        "GET /Payments/_apis/wit/classificationnodes/iterations?$depth=0",
        "",
        &[],
    ),
    case(
        "classification/iterations-depth1.http",
        "GET /Intranet/_apis/wit/classificationnodes/iterations?$depth=1",
        "",
        &[],
    ),
    // Releases are dated here; the recorded tree has dates one level deeper.
    case(
        "classification/iterations-depth2-tree.http",
        "GET /Payments/_apis/wit/classificationnodes/iterations?$depth=2",
        "",
        &["+$.children[].attributes"],
    ),
    case("classification/roots-depth0.http", "GET /Payments/_apis/wit/classificationnodes?$depth=0", "", &[]),
    case("classification/nodes-by-ids.http", "GET /Payments/_apis/wit/classificationnodes?ids={area}", "", &[]),
    case(
        "git/repositories-list.http",
        "GET /Payments/_apis/git/repositories",
        "",
        &["+$.value[].defaultBranch", "+$.value[].project.description"],
    ),
    case("security/securitynamespaces.http", "GET /_apis/securitynamespaces?localOnly=false", "", &[]),
    case(
        "security/securitynamespace-project.http",
        "GET /_apis/securitynamespaces/52d39943-cb85-4d7f-8fa8-c6baac873819",
        "",
        &[],
    ),
    case("security/userentitlement-get.http", "GET /_apis/userentitlements/{me}", "", &[]),
    case("security/graph-descriptor.http", "GET /_apis/graph/descriptors/{me}", "", &[]),
    case("wit/wiql-one-result.http", "POST /_apis/wit/wiql", ONE, &[]),
    case("wit/wiql-three-results.http", "POST /_apis/wit/wiql", THREE, &[]),
    case("wit/workitem-create-404-no-project.http", "POST /Nowhere/_apis/wit/workitems/$Task", TITLE, &[]),
    case("wit/workitem-create-task.http", "POST /Intranet/_apis/wit/workitems/$Task", TITLE, &[]),
    case("wit/workitem-get-no-relations.http", "GET /_apis/wit/workitems/{single}?$expand=relations", "", &[]),
    case("wit/workitem-get-child-with-parent.http", "GET /_apis/wit/workitems/{child}?$expand=relations", "", &[]),
    case("wit/workitem-get-expand-relations.http", "GET /_apis/wit/workitems/{parent}?$expand=relations", "", &[]),
    case("wit/workitem-get-expand-all.http", "GET /_apis/wit/workitems/{parent}?$expand=all", "", &[]),
    case(
        "wit/workitems-by-ids-fields.http",
        "GET /_apis/wit/workitems?ids={parent},{single}&fields=System.Id,System.WorkItemType,System.Title,System.AssignedTo,System.State,System.Tags",
        "",
        FORMATS,
    ),
    case(
        "wit/workitems-by-ids-one.http",
        "GET /_apis/wit/workitems?ids={single}&fields=System.Id,System.WorkItemType,System.Title,System.State",
        "",
        FORMATS,
    ),
    case("wit/workitem-delete-id0-404-plain-text.http", "GET /Intranet/_apis/wit/workitems/0", "", &[]),
    case("work/teamsettings-set.http", "GET /Payments/_apis/work/teamsettings", "", &[]),
    case("work/teamsettings-unset.http", "GET /Payments/Newcomers/_apis/work/teamsettings", "", &[]),
    case("work/team-iterations-empty.http", "GET /Payments/Newcomers/_apis/work/teamsettings/iterations", "", &[]),
    case("work/team-iterations-two-undated.http", "GET /Intranet/_apis/work/teamsettings/iterations", "", &[]),
];

/// Bodies only: fixtures of clients, and documentation of older versions, whose headers differ.
pub const BODIES: &[Case] = &[
    case("core/teams-list.json", "GET /_apis/projects/Payments/teams", "", &[]),
    case("processes/work-processes.json", "GET /_apis/work/processes", "", &[]),
    case("wit/workitemtypes-agile.json", "GET /Payments/_apis/wit/workitemtypes", "", &[]),
    case(
        "wit/workitemtype-states-agile-story.json",
        "GET /Payments/_apis/wit/workitemtypes/User%20Story/states",
        "",
        &[],
    ),
    case(
        "wit/workitemtype-fields-expand-all-issue.json",
        "GET /Intranet/_apis/wit/workitemtypes/Issue/fields?$expand=all",
        "",
        &[],
    ),
    case("wit/workitemtypecategories-docs.http", "GET /Payments/_apis/wit/workitemtypecategories", "", &[]),
    case(
        "wit/workitemtypecategory-one-docs.http",
        "GET /Payments/_apis/wit/workitemtypecategories/Microsoft.RequirementCategory",
        "",
        &[],
    ),
    // 1.0 knew fewer members.
    case(
        "wit/field-one-docs.http",
        "GET /_apis/wit/fields/System.IterationPath",
        "",
        &["+$.usage", "+$.canSortBy", "+$.isQueryable", "+$.isIdentity", "+$.isPicklist", "+$.isPicklistSuggested"],
    ),
    // Of 2015, before these three members; the newest description has them.
    case(
        "work/backlogconfiguration-docs.json",
        "GET /Payments/_apis/work/backlogconfiguration",
        "",
        &[
            "+$.isBugsBehaviorConfigured",
            "+$.taskBacklog.isHidden",
            "+$.taskBacklog.type",
            "+$.requirementBacklog.isHidden",
            "+$.requirementBacklog.type",
            "+$.portfolioBacklogs[].isHidden",
            "+$.portfolioBacklogs[].type",
        ],
    ),
    case("work/team-iterations-2026.json", "GET /Payments/_apis/work/teamsettings/iterations", "", &[]),
    case("hooks/eventtypes-tfs-docs.http", "GET /_apis/hooks/publishers/tfs/eventTypes", "", &[]),
    // The recorded one had been on probation.
    case(
        "hooks/subscription-create.json",
        "GET /_apis/hooks/subscriptions/{subscription}",
        "",
        &["-$.lastProbationRetryDate", "-$.probationRetries", "-$.status"],
    ),
    // Of 2015; which fields there are is the process's affair, so those are named that every process has.
    case(
        "wit/reporting-revisions-docs.http",
        "GET /Intranet/_apis/wit/reporting/workitemrevisions?fields=System.Id,System.AreaPath,System.TeamProject,System.Rev,System.RevisedDate,System.IterationPath,System.WorkItemType,System.State,System.Reason,System.CreatedDate,System.CreatedBy,System.ChangedDate,System.ChangedBy,System.Title",
        "",
        &[
            "+$.continuationToken",
            "-$.values[].fields.System.BoardColumn",
            "-$.values[].fields.WEF_6CB513B6E70E43499D9FC94E5BBFB784_Kanban.Column",
        ],
    ),
    case(
        "wit/reporting-revisions-identityref-docs.http",
        "GET /Intranet/_apis/wit/reporting/workitemrevisions?includeIdentityRef=true&fields=System.Id,System.AreaPath,System.TeamProject,System.Rev,System.RevisedDate,System.IterationPath,System.WorkItemType,System.State,System.Reason,System.CreatedDate,System.CreatedBy,System.ChangedDate,System.ChangedBy,System.Title",
        "",
        &["-$.values[].fields.System.BoardColumn", "-$.values[].fields.Microsoft.VSTS.Common.Priority"],
    ),
    case(
        "wit/reporting-revisions-post-docs.http",
        "POST /Payments/_apis/wit/reporting/workitemrevisions",
        REVISIONS,
        &["+$.continuationToken"],
    ),
    case(
        "wit/reporting-links-docs.http",
        "GET /Payments/_apis/wit/reporting/workitemlinks",
        "",
        &["+$.continuationToken"],
    ),
    // Nobody is assigned here, and no description was asked for.
    case(
        "wit/workitemsbatch-markdown-2026.json",
        "POST /_apis/wit/workitemsbatch",
        BATCH,
        &["-$.value[].fields.System.AssignedTo", "-$.value[].fields.System.Description"],
    ),
    case(
        "security/permissionevaluationbatch-docs.http",
        "POST /_apis/security/permissionevaluationbatch",
        EVALUATIONS,
        &[],
    ),
    case(
        "security/permissions-many-tokens-docs.http",
        "GET /_apis/permissions/52d39943-cb85-4d7f-8fa8-c6baac873819/8?tokens=a,b,c",
        "",
        &[],
    ),
    case("test/points-query-none.json", "POST /Payments/_apis/test/points", NO_POINTS, &[]),
    // Of 2017 with headers: nulls beside the case's id, neither suite nor plan; the fixture has it the other way.
    case(
        "test/points-query-docs.http",
        "POST /Payments/_apis/test/points",
        POINTS,
        &["+$.points[].suite", "+$.points[].testPlan"],
    ),
    case(
        "test/points-query-one.json",
        "POST /Payments/_apis/test/points",
        POINTS,
        &[
            "+$.points[].testCase.name",
            "+$.points[].testCase.type",
            "+$.points[].testCase.url",
            "+$.points[].testCase.webUrl",
        ],
    ),
    case("test/runs-list-docs.http", "GET /Payments/_apis/test/runs", "", &[]),
    case("test/run-create-404.json", "GET /Nowhere/_apis/test/runs", "", &[]),
];

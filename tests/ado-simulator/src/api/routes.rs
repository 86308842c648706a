//! The table of implemented operations. Where the `OpenAPI` files are present they rule what a request may carry;
//! this table then only adds what they lack.

use http::Method;

use super::Handler::{self, Read, Write};
use super::{
    CONNECTION_DATA, backlogs, core, entitlements, fields, git, graph, hooks, location, nodes, odata, processes,
    recycle_bin, reporting, security, teams, test, types, wiql, work_items,
};
use crate::strict::{self, BodyRule, Format, Operation, Parameter, VersionRule};

/// One implemented operation.
pub(crate) struct Route {
    verb: &'static str,
    /// The template of the specification, with the marks of [`Operation::own`].
    marked: &'static str,
    version: VersionRule,
    scopes: &'static [&'static str],
    query: &'static [&'static str],
    /// The media type of the body, if it has one.
    body: Option<&'static str>,
    pub handler: Handler,
}

const JSON: &str = "application/json";
const PATCH: &str = "application/json-patch+json";
const WORK: &[&str] = &["vso.work"];
const WORK_WRITE: &[&str] = &["vso.work_write"];
const PROJECT: &[&str] = &["vso.profile", "vso.project"];
const HOOKS: &[&str] = &["vso.work", "vso.build", "vso.code"];
const WRITE_QUERY: &[&str] = &["validateOnly", "bypassRules", "suppressNotifications", "$expand"];

const fn get(
    marked: &'static str,
    scopes: &'static [&'static str],
    query: &'static [&'static str],
    handler: Handler,
) -> Route {
    Route { verb: "GET", marked, version: VersionRule::Released, scopes, query, body: None, handler }
}

const fn send(
    verb: &'static str,
    marked: &'static str,
    scopes: &'static [&'static str],
    query: &'static [&'static str],
    body: &'static str,
    handler: Handler,
) -> Route {
    Route { verb, marked, version: VersionRule::Released, scopes, query, body: Some(body), handler }
}

/// The same with a preview version, of which the number is the resource's.
const fn preview(mut route: Route, number: u8) -> Route {
    route.version = VersionRule::Preview(number);
    route
}

/// The same without an API version.
const fn unversioned(mut route: Route) -> Route {
    route.version = VersionRule::None;
    route
}

/// All implemented operations.
pub(crate) const ROUTES: &[Route] = &[
    // No published description (README of the OpenAPI files; OData).
    preview(
        get(
            CONNECTION_DATA,
            &[],
            &["connectOptions", "lastChangeId", "lastChangeId64"],
            Read(location::connection_data),
        ),
        1,
    ),
    preview(get("/{organization}/_apis/ResourceAreas", &[], &[], Read(location::resource_areas)), 1),
    preview(get("/{organization}/_apis/ResourceAreas/{areaId:guid}", &[], &[], Read(location::resource_area)), 1),
    unversioned(get(
        "/{organization}/{project?}/_odata/{version}/WorkItems",
        &["vso.analytics"],
        &["$top", "$skip", "$select", "$count", "$filter", "$orderby"],
        Read(odata::work_items),
    )),
    // core
    get(
        "/{organization}/_apis/projects",
        PROJECT,
        &["stateFilter", "$top", "$skip", "continuationToken", "getDefaultTeamImageUrl"],
        Read(core::list_projects),
    ),
    get(
        "/{organization}/_apis/projects/{projectId}",
        PROJECT,
        &["includeCapabilities", "includeHistory"],
        Read(core::get_project),
    ),
    get(
        "/{organization}/_apis/projects/{projectId}/teams",
        PROJECT,
        &["$mine", "$top", "$skip", "$expandIdentity"],
        Read(core::list_teams),
    ),
    get("/{organization}/_apis/projects/{projectId}/teams/{teamId}", &[], &["$expandIdentity"], Read(core::get_team)),
    get("/{organization}/_apis/process/processes", WORK, &[], Read(processes::list_core)),
    get("/{organization}/_apis/process/processes/{processId:guid}", WORK, &[], Read(processes::get_core)),
    get("/{organization}/_apis/work/processes", WORK, &["$expand"], Read(processes::list)),
    get("/{organization}/_apis/work/processes/{processTypeId:guid}", WORK, &["$expand"], Read(processes::get)),
    // work item tracking
    get("/{organization}/{project}/_apis/wit/workitemtypes", WORK, &[], Read(types::list)),
    get("/{organization}/{project}/_apis/wit/workitemtypes/{type}", WORK, &[], Read(types::get)),
    get("/{organization}/{project}/_apis/wit/workitemtypes/{type}/states", WORK, &[], Read(types::states)),
    get("/{organization}/{project}/_apis/wit/workitemtypes/{type}/fields", WORK, &["$expand"], Read(types::fields)),
    get(
        "/{organization}/{project}/_apis/wit/workitemtypes/{type}/fields/{field}",
        WORK,
        &["$expand"],
        Read(types::field),
    ),
    get("/{organization}/{project}/_apis/wit/workitemtypecategories", WORK, &[], Read(types::categories)),
    get("/{organization}/{project}/_apis/wit/workitemtypecategories/{category}", WORK, &[], Read(types::category)),
    get("/{organization}/{project?}/_apis/wit/fields", WORK, &["$expand"], Read(fields::list)),
    get("/{organization}/{project?}/_apis/wit/fields/{fieldNameOrRefName}", WORK, &[], Read(fields::get)),
    get(
        "/{organization}/{project}/_apis/wit/classificationnodes",
        WORK,
        &["$depth", "ids", "errorPolicy"],
        Read(nodes::list),
    ),
    get(
        "/{organization}/{project}/_apis/wit/classificationnodes/{structureGroup}/{path?}",
        WORK,
        &["$depth"],
        Read(nodes::get),
    ),
    send(
        "POST",
        "/{organization}/{project?}/{team?}/_apis/wit/wiql",
        WORK,
        &["timePrecision", "$top"],
        JSON,
        Read(wiql::query),
    ),
    send("POST", "/{organization}/{project?}/_apis/wit/workitemsbatch", WORK, &[], JSON, Read(work_items::batch)),
    get(
        "/{organization}/{project?}/_apis/wit/workitems",
        WORK,
        &["ids", "fields", "asOf", "$expand", "errorPolicy"],
        Read(work_items::list),
    ),
    get(
        "/{organization}/{project?}/_apis/wit/workitems/{id:int}",
        WORK,
        &["fields", "asOf", "$expand"],
        Read(work_items::get),
    ),
    send(
        "POST",
        "/{organization}/{project}/_apis/wit/workitems/${type}",
        WORK_WRITE,
        WRITE_QUERY,
        PATCH,
        Write(work_items::create),
    ),
    send(
        "PATCH",
        "/{organization}/{project?}/_apis/wit/workitems/{id:int}",
        WORK_WRITE,
        WRITE_QUERY,
        PATCH,
        Write(work_items::update),
    ),
    get(
        "/{organization}/{project?}/_apis/wit/reporting/workitemrevisions",
        WORK,
        &[
            "fields",
            "types",
            "continuationToken",
            "startDateTime",
            "includeIdentityRef",
            "includeDeleted",
            "includeTagRef",
            "includeLatestOnly",
            "$expand",
            "includeDiscussionChangesOnly",
            "$maxPageSize",
        ],
        Read(reporting::revisions),
    ),
    send(
        "POST",
        "/{organization}/{project?}/_apis/wit/reporting/workitemrevisions",
        WORK,
        &["continuationToken", "startDateTime", "$expand"],
        JSON,
        Read(reporting::revisions_posted),
    ),
    get(
        "/{organization}/{project?}/_apis/wit/reporting/workitemlinks",
        WORK,
        &["linkTypes", "types", "continuationToken", "startDateTime"],
        Read(reporting::links),
    ),
    get("/{organization}/{project?}/_apis/wit/recyclebin", WORK, &["ids"], Read(recycle_bin::list)),
    // work
    get("/{organization}/{project}/{team?}/_apis/work/backlogconfiguration", WORK, &[], Read(backlogs::configuration)),
    get("/{organization}/{project}/{team}/_apis/work/backlogs", WORK, &[], Read(backlogs::list)),
    get("/{organization}/{project}/{team?}/_apis/work/teamsettings", WORK, &[], Read(teams::settings)),
    get(
        "/{organization}/{project}/{team?}/_apis/work/teamsettings/iterations",
        WORK,
        &["$timeframe"],
        Read(teams::iterations),
    ),
    // git, test
    get(
        "/{organization}/{project?}/_apis/git/repositories",
        &["vso.code"],
        &["includeLinks", "includeAllUrls", "includeHidden"],
        Read(git::list),
    ),
    get(
        "/{organization}/{project}/_apis/test/runs",
        &["vso.test"],
        &["buildUri", "owner", "tmiRunId", "planId", "includeRunDetails", "automated", "$skip", "$top"],
        Read(test::runs),
    ),
    send(
        "POST",
        "/{organization}/{project}/_apis/test/points",
        &["vso.test_write"],
        &["$skip", "$top"],
        JSON,
        Read(test::points),
    ),
    get(
        "/{organization}/{project}/_apis/testplan/plans",
        &["vso.test"],
        &["owner", "continuationToken", "includePlanDetails", "filterActivePlans"],
        Read(test::plans),
    ),
    // service hooks
    get("/{organization}/_apis/hooks/publishers/{publisherId}/eventtypes", HOOKS, &[], Read(hooks::event_types)),
    get(
        "/{organization}/_apis/hooks/publishers/{publisherId}/eventtypes/{eventTypeId}",
        HOOKS,
        &[],
        Read(hooks::event_type),
    ),
    get(
        "/{organization}/_apis/hooks/subscriptions",
        HOOKS,
        &["publisherId", "eventType", "consumerId", "consumerActionId"],
        Read(hooks::list),
    ),
    get("/{organization}/_apis/hooks/subscriptions/{subscriptionId:guid}", HOOKS, &[], Read(hooks::get)),
    send("POST", "/{organization}/_apis/hooks/subscriptions", HOOKS, &[], JSON, Write(hooks::create)),
    // security, access levels, graph
    get(
        "/{organization}/_apis/permissions/{securityNamespaceId:guid}/{permissions:int?}",
        &[],
        &["tokens", "alwaysAllowAdministrators", "delimiter"],
        Read(security::permissions),
    ),
    send(
        "POST",
        "/{organization}/_apis/security/permissionevaluationbatch",
        &[],
        &[],
        JSON,
        Read(security::evaluation_batch),
    ),
    get(
        "/{organization}/_apis/securitynamespaces/{securityNamespaceId:guid?}",
        &[],
        &["localOnly"],
        Read(security::namespaces),
    ),
    get(
        "/{organization}/_apis/userentitlements/{userId:guid}",
        &["vso.memberentitlementmanagement"],
        &[],
        Read(entitlements::get),
    ),
    get("/{organization}/_apis/graph/descriptors/{storageKey:guid}", &["vso.graph"], &[], Read(graph::descriptor)),
    preview(get("/{organization}/_apis/graph/users/{userDescriptor}", &["vso.graph"], &[], Read(graph::user)), 1),
];

impl Route {
    pub fn method(&self) -> Method {
        Method::from_bytes(self.verb.as_bytes()).unwrap_or_default()
    }

    /// The template as the specification writes it.
    pub fn template(&self) -> String {
        strict::unmarked(self.marked)
    }

    fn operation(&self) -> Operation {
        let mut operation = Operation::own(&self.method(), self.marked, self.version);
        let parameter = |name: &&str| Parameter { name: (*name).to_owned(), required: false, format: Format::Text };
        operation.query = self.query.iter().map(parameter).collect();
        operation.scopes = self.scopes.iter().map(|scope| (*scope).to_owned()).collect();
        operation.body = self.body.map(|media| BodyRule { schema: None, consumes: vec![media.to_owned()] });
        operation
    }

    /// Whether no `OpenAPI` file describes it.
    fn undescribed(&self) -> bool {
        [CONNECTION_DATA, "ResourceAreas", "_odata"].iter().any(|part| self.marked.contains(part))
    }
}

/// Operations without a published description.
pub(crate) fn undescribed_operations() -> Vec<Operation> {
    ROUTES.iter().filter(|route| route.undescribed()).map(Route::operation).collect()
}

/// All implemented operations, for a simulator without `OpenAPI` files.
pub(crate) fn own_operations() -> Vec<Operation> {
    ROUTES.iter().map(Route::operation).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::options::SpecificationSource;
    use crate::strict::Catalog;

    /// The own table may not drift from the files: same scopes, same parameters, same versions.
    #[test]
    fn the_own_table_agrees_with_the_files() {
        let Some(folder) = SpecificationSource::Discover.folder() else {
            println!("SKIPPED: the folder of the OpenAPI files is absent (set ADO_SPECS_DIR)");
            return;
        };
        let catalog = Catalog::of_folder(&folder, undescribed_operations).unwrap();
        for route in ROUTES.iter().filter(|route| !route.undescribed()) {
            let own = route.operation();
            let segments: Vec<String> = own.template.split('/').skip(1).map(str::to_owned).collect();
            let areas = catalog.areas_for(&segments).unwrap();
            let operations = areas.iter().flat_map(|area| &area.operations);
            let described: Vec<&Operation> = operations
                .filter(|other| other.method == own.method && other.template.eq_ignore_ascii_case(&own.template))
                .collect();
            assert!(!described.is_empty(), "no file has {} {}", own.method, own.template);
            let names = |operation: &Operation| {
                operation.query.iter().map(|parameter| parameter.name.clone()).collect::<BTreeSet<_>>()
            };
            let known: BTreeSet<String> = described.iter().flat_map(|operation| names(operation)).collect();
            assert!(names(&own).is_subset(&known), "{}: {:?} in {known:?}", own.template, names(&own));
            for operation in described {
                let scopes = |operation: &Operation| operation.scopes.iter().cloned().collect::<BTreeSet<_>>();
                assert_eq!(scopes(&own), scopes(operation), "{}", own.template);
                assert_eq!(
                    (own.version, own.body.is_some()),
                    (operation.version, operation.body.is_some()),
                    "{}",
                    own.template
                );
            }
        }
    }
}

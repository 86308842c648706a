//! Answers that the live service once gave are read by the client.
//!
//! The recordings are not part of this repository: `ADO_RECORDINGS_DIR` names their folder.

use std::fs;
use std::path::{Path, PathBuf};

use ado_operator::ado::model::{Patch, ProjectId, TeamIteration, WorkItemId};
use ado_operator::ado::{AdoClient, AdoError, FeedStart, PageEnd, RevisionsQuery, Wiql};
use ado_simulator::{Effect, Fault};

use crate::feeds::read_page;
use crate::support::World;

/// A folder given by a variable, by default beside the repository; none if it is absent.
pub fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(default);
    let folder = std::env::var_os(variable).map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: {variable} names no folder and there is none at its default place");
    None
}

/// Status, content type and body of a recording.
fn read(path: &Path) -> (u16, Option<String>, String) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "json") {
        return (200, Some("application/json; charset=utf-8".to_owned()), in_a_list(text));
    }
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a status line");
    let content_type =
        lines.filter_map(|line| line.split_once(": ")).find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    (status, content_type.map(|(_, value)| value.to_owned()), body.to_owned())
}

/// Bodies out of libraries are without the envelope that the wire has.
fn in_a_list(body: String) -> String {
    if body.trim_start().starts_with('[') { format!("{{\"value\":{body}}}") } else { body }
}

struct Replay {
    world: World,
    client: AdoClient,
    folder: PathBuf,
    project: ProjectId,
}

impl Replay {
    async fn new() -> Option<Self> {
        let folder = folder("ADO_RECORDINGS_DIR", "ado-recordings")?;
        let world = World::new().await;
        let client = world.client("full");
        let project = "f4b53f43-e2a9-4893-9099-699329beae68".parse().expect("a GUID");
        Some(Self { world, client, folder, project })
    }

    /// The result of `call` when the service answers with a recording.
    async fn of<T>(&self, file: &str, call: impl AsyncFn(&AdoClient, &ProjectId) -> T) -> T {
        let (status, content_type, body) = read(&self.folder.join(file));
        let fault = Fault::always(Effect::Answer { status, content_type, body });
        self.world.during(fault, call(&self.client, &self.project)).await.0
    }

    /// Every file gives a value that fulfils `holds`.
    async fn reads<T: std::fmt::Debug>(
        &self,
        files: &[&str],
        call: impl AsyncFn(&AdoClient, &ProjectId) -> Result<T, AdoError>,
        holds: impl Fn(&T) -> bool,
    ) {
        for file in files {
            let value = self.of(file, &call).await.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(holds(&value), "{file}: {value:#?}");
        }
    }
}

#[tokio::test]
async fn connection_projects_and_teams() {
    let Some(replay) = Replay::new().await else { return };
    let named = |data: &ado_operator::ado::model::ConnectionData| data.identity.display_name.starts_with("Person 1");
    replay.reads(&["location/connectiondata.http"], async |client, _| client.connection_data().await, named).await;
    let lists = [
        "core/projects-list-default.http",
        "core/projects-list-statefilter-all.http",
        "core/projects-list-one.json",
        "core/projects-list-two.json",
    ];
    replay.reads(&lists, async |client, _| client.projects().await, |list| !list.is_empty()).await;
    let with_process = ["core/project-get-capabilities-basic.http", "core/project-get-capabilities-described.http"];
    replay
        .reads(&with_process, async |client, _| client.project("x").await, |project| project.process_name.is_some())
        .await;
    let without = ["core/project-get-no-capabilities.http", "core/project-get.json", "core/project-peopletracker.json"];
    replay.reads(&without, async |client, _| client.project("x").await, |project| !project.name.is_empty()).await;
    replay
        .reads(&["core/teams-list.json"], async |client, project| client.teams(project).await, |list| !list.is_empty())
        .await;
}

#[tokio::test]
async fn processes_and_trees() {
    let Some(replay) = Replay::new().await else { return };
    let types = ["wit/workitemtypes-agile.json"];
    replay
        .reads(
            &types,
            async |client, project| client.work_item_types(project).await,
            |list| {
                let bug = list.iter().find(|kind| kind.name == "Bug");
                bug.is_some_and(|bug| bug.fields.contains(&"System.IterationPath".to_owned()))
            },
        )
        .await;
    let categories = ["wit/workitemtypecategories-docs.http"];
    replay
        .reads(
            &categories,
            async |client, project| client.work_item_type_categories(project).await,
            |list| list.len() > 5,
        )
        .await;
    let levels = ["work/backlogconfiguration-docs.json"];
    let ranked = |backlogs: &ado_operator::ado::model::BacklogConfiguration| {
        backlogs.requirement_backlog.is_some()
            && backlogs.task_backlog.is_some()
            && !backlogs.portfolio_backlogs.is_empty()
    };
    replay.reads(&levels, async |client, project| client.backlog_configuration(project, None).await, ranked).await;
    let fields = ["wit/workitemtype-fields-expand-all-issue.json"];
    let priority = |list: &Vec<ado_operator::ado::model::TypeField>| {
        list.iter().any(|field| {
            field.reference_name == "Microsoft.VSTS.Common.Priority" && field.allowed_values == ["1", "2", "3", "4"]
        })
    };
    replay.reads(&fields, async |client, project| client.type_fields(project, "Issue").await, priority).await;
    let trees = [
        "classification/iterations-depth1.http",
        "classification/iterations-depth2-tree.http",
        "classification/iterations-depth2-after-delete.http",
        "classification/iterations-tree.json",
    ];
    replay.reads(&trees, async |client, project| client.iteration_tree(project).await, |node| node.id > 0).await;
    let (status, content_type, body) = read(&replay.folder.join("classification/iteration-node-by-ids.json"));
    let subtrees = Fault::on_path("*/classificationnodes", Effect::Answer { status, content_type, body });
    let id = replay.world.simulator.add_fault(subtrees);
    let cut = ["classification/iterations-depth0-haschildren.http", "classification/iteration-root-no-children.json"];
    replay.reads(&cut, async |client, project| client.iteration_tree(project).await, |node| node.has_children).await;
    replay.world.simulator.remove_fault(id);
    let team = "3f4fedbd-0dd6-4ca3-85f3-842e0ca64fcd".parse().expect("a GUID");
    for (file, dated) in [
        ("work/team-iterations-2026.json", Some(true)),
        ("work/team-iterations-two-undated.http", Some(false)),
        ("work/team-iterations-empty.http", None),
    ] {
        let list = replay.of(file, async |client, project| client.team_iterations(project, &team).await).await;
        let dates = |iteration: &TeamIteration| {
            iteration.attributes.as_ref().is_some_and(|dates| dates.start_date.is_some() && dates.finish_date.is_some())
        };
        assert_eq!(list.expect(file).first().map(dates), dated, "{file}");
    }
    let both =
        |roots: &ado_operator::ado::model::ClassificationRoots| roots.areas.is_some() && roots.iterations.is_some();
    replay
        .reads(
            &["classification/roots-depth0.http"],
            async |client, project| client.classification_roots(project).await,
            both,
        )
        .await;
}

#[tokio::test]
async fn queries_and_work_items() {
    let Some(replay) = Replay::new().await else { return };
    let flat = [
        "wit/wiql-one-result.http",
        "wit/wiql-three-results.http",
        "wit/wiql-post-no-order.http",
        "wit/wiql-flat-sorted-docs.http",
        "wit/wiql-flat.json",
        "wit/wiql-one.json",
        "wit/wiql-sorted-2026.json",
    ];
    replay
        .reads(
            &flat,
            async |client, project| client.query_ids(project, &Wiql::new(), 10).await,
            |found| !found.ids.is_empty(),
        )
        .await;
    let batches = [
        "wit/workitemsbatch-markdown-2026.json",
        "wit/workitem-list-batch-two.json",
        "wit/workitems-by-ids-one.http",
        "wit/workitems-by-ids-fields.http",
        "wit/workitems-expand-all-docs.http",
        "wit/workitems-fields-asof-docs.http",
    ];
    let batch = async |client: &AdoClient, project: &ProjectId| {
        client.work_items(project, &[WorkItemId(1)], &["System.Title"]).await
    };
    replay.reads(&batches, batch, |items| items.iter().all(|item| item.rev > 0 && !item.fields.is_empty())).await;
    let linked =
        async |client: &AdoClient, project: &ProjectId| client.linked_work_items(project, &[WorkItemId(1)]).await;
    replay.reads(&batches, linked, |items| items.iter().all(|item| item.rev > 0 && item.fields.get() != "null")).await;
    let bin = async |client: &AdoClient, project: &ProjectId| client.recycle_bin(project).await;
    let lists = ["wit/recyclebin-list-docs.json", "wit/recyclebin-by-ids-docs.json"];
    replay.reads(&lists, bin, |items| items.len() > 1 && items.iter().all(|item| item.id.0 > 0)).await;
    let create =
        async |client: &AdoClient, project: &ProjectId| client.validate_create(project, "Task", &Patch::new()).await;
    replay.reads(&["wit/workitem-create-task.http", "wit/workitem-create-task-2.http"], create, |_| true).await;
    let error = replay.of("wit/workitem-create-404-no-project.http", create).await.expect_err("a missing project");
    assert_eq!(
        (error.reason(), error.service_message().and_then(|said| said.code.as_deref())),
        ("NotFound", Some("TF200016"))
    );
    let link = async |client: &AdoClient, project: &ProjectId| {
        client.validate_link(project, WorkItemId(1), &Patch::new()).await
    };
    replay
        .reads(&["wit/workitem-patch-add-relations.http", "wit/workitem-patch-add-friend.http"], link, |_| true)
        .await;
}

#[tokio::test]
async fn feeds() {
    let Some(replay) = Replay::new().await else { return };
    let query = RevisionsQuery { fields: &[], long_texts: false, latest_only: false, deleted: false };
    for (file, count, token) in [
        ("wit/reporting-revisions-docs.http", None, "3;2;1"),
        ("wit/reporting-revisions-identityref-docs.http", None, ""),
        ("wit/reporting-revisions-post-docs.http", Some(1), "842;5;3"),
    ] {
        let (found, large, end) = replay
            .of(file, async |client, project| {
                let start = FeedStart::Beginning;
                read_page(&mut client.revisions(project, &query, &start).await.expect("a page")).await
            })
            .await;
        let Ok(PageEnd::Last(Some(next))) = end else { panic!("{file}: {end:?}") };
        assert!(token.is_empty() || next.to_string() == token, "{file}: {next}");
        assert!(large.is_empty() && !found.is_empty() && count.is_none_or(|count| found.len() == count), "{file}");
        assert!(found.iter().all(|found| found.rev > 0 && found.fields.get().contains("System.Title")), "{file}");
    }
    let (found, _, end) = replay
        .of("wit/reporting-links-docs.http", async |client, project| {
            read_page(&mut client.link_changes(project, &[], &FeedStart::Beginning).await.expect("a page")).await
        })
        .await;
    let pairs: Vec<_> = found.iter().map(|link| (link.source_id.0, link.target_id.0, link.is_active)).collect();
    assert_eq!(pairs, [(7, 8, true), (7, 9, true), (10, 13, true)]);
    let Ok(PageEnd::Last(Some(next))) = end else { panic!("{end:?}") };
    assert_eq!(next.to_string(), "6281123");
}

#[tokio::test]
async fn security_repositories_tests_hooks_and_entitlements() {
    let Some(replay) = Replay::new().await else { return };
    let namespaces = ["security/securitynamespaces.http", "security/securitynamespaces-vsteam.json"];
    let hooks =
        |list: &Vec<ado_operator::ado::model::SecurityNamespace>| list.iter().any(|found| found.name == "ServiceHooks");
    replay.reads(&namespaces, async |client, _| client.security_namespaces().await, hooks).await;
    let evaluate = async |client: &AdoClient, _: &ProjectId| {
        let query = |token: &str| ado_operator::ado::model::PermissionQuery {
            namespace: "5a27515b-ccd7-42c9-84f1-54c998f03866".parse().expect("a GUID"),
            token: token.to_owned(),
            permissions: 8,
        };
        client.evaluate_permissions(&[query("token3"), query("token1"), query("token2")]).await
    };
    replay
        .reads(&["security/permissionevaluationbatch-docs.http"], evaluate, |answers| *answers == [true, false, false])
        .await;
    let lists = ["git/repositories-list.http", "git/repositories-two.json", "git/repositories.json"];
    replay
        .reads(&lists, async |client, project| client.repositories(Some(project)).await, |list| !list.is_empty())
        .await;
    replay
        .reads(&["test/runs-list-docs.http"], async |client, project| client.test_runs_probe(project).await, |()| true)
        .await;
    replay
        .reads(
            &["test/plans-list-docs.http"],
            async |client, project| client.test_plans_probe(project).await,
            |()| true,
        )
        .await;
    let points = [
        "test/points-query-docs.http",
        "test/points-query-none.json",
        "test/points-query-one.json",
        "test/points-query-two.json",
    ];
    replay.reads(&points, async |client, project| client.test_points_probe(project).await, |()| true).await;
    let events = ["hooks/eventtypes-tfs-docs.http"];
    replay
        .reads(
            &events,
            async |client, _| client.hook_event_types().await,
            |list| list.iter().any(|event| event.id == "workitem.created"),
        )
        .await;
    let me = "323989e2-d2d7-4483-9903-d20b58fa7258".parse().expect("a GUID");
    let levels = ["security/userentitlement-get.http", "security/userentitlement.json"];
    replay
        .reads(
            &levels,
            async |client, _| client.entitlement(&me).await,
            |found| found.access_level.account_license_type.is_some(),
        )
        .await;
}

#[tokio::test]
async fn refusals() {
    let Some(replay) = Replay::new().await else { return };
    for (file, reason) in [
        ("errors/401-unauthorized-empty.http", "Unauthorized"),
        ("errors/401-unauthorized-list.http", "Unauthorized"),
        ("errors/404-wiki-page.http", "NotFound"),
        ("wit/workitem-delete-id0-404-plain-text.http", "NotFound"),
        ("work/teamfieldvalues-patch-400.http", "BadRequest"),
        ("errors/503-organization-deactivated.http", "OrganizationStopped"),
    ] {
        let error = replay.of(file, async |client, _| client.projects().await).await.expect_err("a refusal");
        assert_eq!(error.reason(), reason, "{file}: {error}");
    }
}

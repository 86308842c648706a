//! Bad input to a project config, and what is never done: nothing is taken away, nothing is asked in vain, nothing is
//! written while nothing happens.

use std::time::Duration;

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig, Counts, REQUESTED_AT};
use ado_simulator::control::NewWorkItem;
use ado_simulator::state::Right;
use ado_simulator::{Effect, Fault, Options};
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use support::audit::Bookmark;
use support::control_plane::RELEASE;
use support::wait;
use support::world::{World, conditions, message, shows};

use crate::judge::{Row, assert_row};

/// A bad verdict on a config.
fn assert_stuck(found: &AdoProjectConfig, reason: &str) {
    let row =
        Row { state: "Error", ready: ("False", reason), abnormal: &["Stalled"], kstatus: "Failed", argocd: "Degraded" };
    assert_row(found, &row);
    assert_eq!(conditions(found)["MappingValid"], ("False".into(), reason.into()));
}

/// A world with the integration `contoso`.
async fn connected(options: Options) -> World {
    let world = World::with(options).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world
}

async fn connected_small() -> World {
    connected(Options { items: 60, ..Options::default() }).await
}

/// A world with the integration `contoso` and the synced config `payments`.
async fn synced() -> World {
    let world = connected_small().await;
    apply(&world, json!({})).await;
    world.config_is("payments", "Active", "Synced").await;
    world
}

async fn apply(world: &World, change: Value) {
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", change)).await;
}

async fn edit(world: &World, change: Value) {
    world.patch::<AdoProjectConfig>("payments", json!({"spec": change})).await;
}

async fn refused(world: &World, reason: &str) -> AdoProjectConfig {
    let found = world.config_is("payments", "Error", reason).await;
    assert_stuck(&found, reason);
    found
}

async fn active(world: &World) -> AdoProjectConfig {
    world.config_is("payments", "Active", "Synced").await
}

/// Asks for a run and waits for its echo.
async fn run(world: &World, value: &str) -> AdoProjectConfig {
    let asked = json!({"metadata": {"annotations": {REQUESTED_AT: value}}});
    world.patch::<AdoProjectConfig>("payments", asked).await;
    wait::object(&world.api(), "payments", "echoing the request", |found: &AdoProjectConfig| {
        found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some(value))
    })
    .await
}

/// How many batches of work items were read.
fn batches(world: &World) -> u64 {
    world.ado.count("POST", "/wit/workitemsbatch")
}

fn counts(found: &AdoProjectConfig) -> Counts {
    found.status.clone().unwrap().counts.unwrap()
}

fn project_id(world: &World, name: &str) -> String {
    world.ado.project(name).unwrap().id.to_string()
}

/// How often this process has looked at project configs.
async fn looks(world: &World) -> u64 {
    let address = world.operator.as_ref().unwrap().metrics;
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let of_configs = text.lines().filter(|line| {
        line.starts_with("ado_operator_reconciles_total{") && line.contains("kind=\"AdoProjectConfig\"")
    });
    of_configs.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Lets time pass, and the operator look at its configs.
async fn pass(world: &World, time: Duration) {
    let before = looks(world).await;
    world.clock.advance(time);
    wait::until("another look", async || (looks(world).await > before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_does_not_exist_and_one_that_is_hidden_look_the_same() {
    let world = connected_small().await;
    world.ado.hide_project("full", "Compliance").unwrap();
    let mut said = Vec::new();
    for project in ["Nowhere", "Compliance", "Retired", "../Payments", "."] {
        let name = format!("config-{}", said.len());
        let applied = world.config(&name, "contoso", json!({"project": project}));
        world.apply::<AdoProjectConfig>(applied).await;
        let found = world.config_is(&name, "Error", "ProjectNotFound").await;
        assert_stuck(&found, "ProjectNotFound");
        let text = message(&found);
        assert!(text.starts_with("spec.project: ") && text.contains(&format!("{project:?}")), "{text}");
        said.push(text.replace(&format!("{project:?}"), "…"));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_shown_later_is_found_on_request_and_by_itself() {
    let world = connected_small().await;
    for project in ["Payments", "Compliance"] {
        world.ado.hide_project("full", project).unwrap();
    }
    apply(&world, json!({})).await;
    let applied = world.config("compliance", "contoso", json!({"project": "Compliance"}));
    world.apply::<AdoProjectConfig>(applied).await;
    refused(&world, "ProjectNotFound").await;
    world.config_is("compliance", "Error", "ProjectNotFound").await;
    for project in ["Payments", "Compliance"] {
        world.ado.allow("full", &[Right::ViewProject], Some(project)).unwrap();
    }
    run(&world, "now").await;
    active(&world).await;
    world.clock.advance(Duration::from_mins(11));
    world.config_is("compliance", "Active", "Synced").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_credential_puts_a_bad_verdict_in_question_at_once() {
    let world = connected_small().await;
    let narrow = world.ado.create_pat("narrow", &[]).unwrap();
    world.ado.hide_project("narrow", "Payments").unwrap();
    world.put_token(&narrow.token).await;
    let audited = format!("Connected to contoso as {}.", narrow.label);
    wait::object(&world.api(), "contoso", "connected as another", |found: &AdoIntegration| {
        message(found) == audited || shows(found, "Active", "Connected") && !message(found).contains("Ada")
    })
    .await;
    apply(&world, json!({})).await;
    refused(&world, "ProjectNotFound").await;
    world.put_token(&world.pat("full")).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_team_is_answered_with_the_teams_that_there_are() {
    let world = connected_small().await;
    apply(&world, json!({"team": "Accounting"})).await;
    let text = message(&refused(&world, "TeamNotFound").await);
    for part in ["spec.team: ", "\"Accounting\"", "Payments Team", "Checkout", "Newcomers"] {
        assert!(text.contains(part), "{text}");
    }
    edit(&world, json!({"team": "Newcomers"})).await;
    let found = active(&world).await;
    assert_eq!(found.status.unwrap().team.unwrap().name, "Newcomers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_do_not_fit_are_answered_with_the_field_and_the_types_that_there_are() {
    let world = connected_small().await;
    let requirements = "spec.pullRequirements.workItemTypes";
    let bugs = "spec.bugMapping.workItemTypes";
    apply(&world, json!({"pullRequirements": {"workItemTypes": ["Nothing"]}})).await;
    let refusal = async |field: &str, problem: &str| {
        let expected = format!("{field}{problem}");
        let found: AdoProjectConfig = wait::object(&world.api(), "payments", &expected, |found| {
            shows(found, "Error", "InvalidMapping") && message(found).starts_with(&expected)
        })
        .await;
        assert_stuck(&found, "InvalidMapping");
        let text = message(&found);
        assert!(text.contains("The project has: ") && text.contains("User Story") && text.contains("Epic"), "{text}");
    };
    refusal(requirements, ": the project has no work item type \"Nothing\".").await;
    for (change, field, problem) in [
        (
            json!({"pullRequirements": {"workItemTypes": ["Feature", "FEATURE"]}}),
            requirements,
            ": Feature is named twice.",
        ),
        (json!({"pullRequirements": {"workItemTypes": ["bug"]}}), bugs, ": Bug is pulled as a requirement too"),
        (
            json!({"pullRequirements": {"workItemTypes": null}, "bugMapping": {"workItemTypes": ["Story"]}}),
            bugs,
            ": the project has no work item type \"Story\".",
        ),
        (json!({"bugMapping": {"workItemTypes": ["User Story"]}}), requirements, " must name the types"),
    ] {
        edit(&world, change).await;
        refusal(field, problem).await;
    }
    edit(&world, json!({"bugMapping": {"workItemTypes": null}})).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_basic_needs_explicit_types_of_bugs() {
    let world = connected_small().await;
    apply(&world, json!({"project": "Intranet"})).await;
    let text = message(&refused(&world, "InvalidMapping").await);
    assert!(text.starts_with("spec.bugMapping.workItemTypes must name the types"), "{text}");
    assert!(text.contains("Epic, Issue, Task"), "{text}");
    edit(&world, json!({"bugMapping": null})).await;
    let found = active(&world).await;
    assert_eq!(found.status.unwrap().effective.unwrap().requirement_types, ["Issue"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_switched_off_is_not_validated() {
    let world = connected_small().await;
    let off = json!({"bugMapping": {"enabled": false, "workItemTypes": ["Nothing"]}});
    apply(&world, off).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_outside_of_allowed_projects_is_refused_however_it_is_spelled() {
    let world = connected_small().await;
    let allow = async |patterns: Value| {
        world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedProjects": patterns}})).await;
        world.integration_is("contoso", "Active", "Connected").await;
    };
    allow(json!(["Web*"])).await;
    for spelling in ["Payments".to_owned(), "PAYMENTS".to_owned(), project_id(&world, "Payments")] {
        apply(&world, json!({"project": spelling})).await;
        let text = message(&refused(&world, "ProjectNotAllowed").await);
        assert!(text.contains("\"Payments\"") && text.contains("spec.allowedProjects"), "{text}");
    }
    assert_eq!(batches(&world), 0);
    // A change of the integration alone, and by the id that the spec does not say.
    apply(&world, json!({})).await;
    refused(&world, "ProjectNotAllowed").await;
    allow(json!([project_id(&world, "Payments")])).await;
    active(&world).await;
    allow(json!(["pay*"])).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_no_more_allowed_is_left_alone_at_once() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    let allow = async |patterns: Value| {
        world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedProjects": patterns}})).await;
    };
    let read = batches(&world);
    allow(json!(["Web*"])).await;
    let found = refused(&world, "ProjectNotAllowed").await;
    assert_eq!(counts(&found), before, "what was read stays visible");
    world.integration_is("contoso", "Active", "Connected").await;
    let mapped = || world.ado.count("GET", "/work/backlogconfiguration");
    let before = mapped();
    assert_stuck(&run(&world, "not allowed").await, "ProjectNotAllowed");
    for _ in 0..5 {
        pass(&world, Duration::from_hours(6)).await;
    }
    assert_eq!(mapped(), before, "nothing is asked for the config");
    assert_eq!(batches(&world), read);

    allow(Value::Null).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_stays_with_its_project_however_that_is_spelled() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    let read = batches(&world);
    edit(&world, json!({"project": "Web Shop"})).await;
    let found = refused(&world, "ProjectChanged").await;
    assert_eq!(counts(&found), before);
    assert_eq!(found.status.unwrap().project.unwrap().name, "Payments");
    assert_eq!(batches(&world), read, "nothing of the other project is read");
    for spelling in ["Payments".to_owned(), "payments".to_owned(), project_id(&world, "Payments")] {
        edit(&world, json!({"project": spelling})).await;
        assert_eq!(active(&world).await.status.unwrap().project.unwrap().name, "Payments");
    }
    let namespace = world.namespace.clone();
    edit(&world, json!({"integrationRef": {"namespace": namespace}})).await;
    assert_eq!(counts(&active(&world).await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_was_never_accepted_may_be_corrected() {
    let world = connected_small().await;
    let nonsense = json!({"workItemTypes": ["Nothing"]});
    apply(&world, json!({"project": "Web Shop", "bugMapping": nonsense})).await;
    refused(&world, "InvalidMapping").await;
    edit(&world, json!({"project": "Payments", "bugMapping": {"workItemTypes": null}})).await;
    assert_eq!(active(&world).await.status.unwrap().project.unwrap().name, "Payments");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_renamed_goes_on() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    world.ado.rename_project("Payments", "Zahlungen").unwrap();
    edit(&world, json!({"description": "The spec still says Payments."})).await;
    let named = |name: &'static str| {
        move |found: &AdoProjectConfig| {
            shows(found, "Active", "Synced") && found.status.as_ref().unwrap().project.as_ref().unwrap().name == name
        }
    };
    let found = wait::object(&world.api(), "payments", "renamed", named("Zahlungen")).await;
    assert_eq!(counts(&found), before);

    world.ado.rename_project("Zahlungen", "Paiements").unwrap();
    world.clock.advance(Duration::from_hours(25));
    let found = wait::object(&world.api(), "payments", "renamed again", named("Paiements")).await;
    assert_eq!(counts(&found), before);

    edit(&world, json!({"project": "Paiements"})).await;
    assert_eq!(counts(&active(&world).await), before);
}

/// Deletes the integration for good, although a config refers to it.
async fn delete_integration(world: &World) {
    let permitted = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", permitted).await;
    world.delete::<AdoIntegration>("contoso").await;
    world.config_is("payments", "Active", "IntegrationNotReady").await;
    world.clock.advance(Duration::from_mins(6));
    wait::until("the integration is gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_stays_with_its_integration() {
    let world = synced().await;
    world.apply::<AdoIntegration>(world.integration("other", json!({}))).await;
    world.integration_is("other", "Active", "Connected").await;
    let before = counts(&active(&world).await);
    let since = world.ado.last_request();
    edit(&world, json!({"integrationRef": {"name": "other"}})).await;
    let found = refused(&world, "IntegrationChanged").await;
    assert_eq!(counts(&found), before);
    assert_stuck(&run(&world, "through another").await, "IntegrationChanged");
    assert!(world.ado.requests_since(since).is_empty(), "nothing is sent through the other one");
    edit(&world, json!({"integrationRef": {"name": "contoso"}})).await;
    assert_eq!(counts(&active(&world).await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recreated_integration_is_another_one_if_and_only_if_its_organization_is() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    delete_integration(&world).await;
    let fabrikam = json!({"organizationURL": world.ado.organization_url("fabrikam")});
    world.put_secret("fabrikam-pat", "token", &world.pat("other_organization")).await;
    let mut other = world.integration("contoso", fabrikam);
    other["spec"]["auth"]["pat"]["secretRef"]["name"] = "fabrikam-pat".into();
    world.apply::<AdoIntegration>(other).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let found = refused(&world, "IntegrationChanged").await;
    assert_eq!(counts(&found), before);

    let permitted = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", permitted).await;
    world.delete::<AdoIntegration>("contoso").await;
    world.config_is("payments", "Error", "IntegrationNotReady").await;
    world.clock.advance(Duration::from_mins(6));
    wait::until("the integration is gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_eq!(counts(&active(&world).await), before);
}

/// Work items of the store that count.
async fn present(world: &World) -> i64 {
    let file = world.data().join("ado-operator.db");
    let mut store = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM work_items WHERE absent = 0").fetch_one(&mut store).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_cut_half_way_takes_nothing_away() {
    let world = connected(Options { items: 1200, ..Options::default() }).await;
    apply(&world, json!({})).await;
    let before = counts(&active(&world).await);
    let (stored, in_one_read) = (present(&world).await, batches(&world));
    assert!(in_one_read >= 3, "{in_one_read} batches");

    let first = world.ado.work_items("Payments").unwrap().into_iter().find(|item| item.kind == "User Story").unwrap();
    world.ado.delete_work_item(first.id).unwrap();
    for (number, effect) in [
        Effect::CutBody { after_bytes: 500 },
        Effect::MalformedJson,
        Effect::WrongShape,
        Effect::Status { code: 500, retry_after: None },
    ]
    .into_iter()
    .enumerate()
    {
        let fault = world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", effect.clone()).after(1));
        let found = run(&world, &format!("cut {number}")).await;
        assert_eq!(counts(&found), before, "{effect:?}");
        assert_eq!(present(&world).await, stored, "{effect:?}");
        assert_eq!(conditions(&found)["Synced"].0, "True", "{effect:?}");
        assert!(world.ado.remove_fault(fault));
    }
    let found = run(&world, "whole").await;
    assert_eq!(counts(&found).requirements, before.requirements - 1);
    assert_eq!(present(&world).await, stored - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_read_that_is_cut_half_way_counts_nothing_and_is_made_good() {
    let world = connected(Options { items: 1200, ..Options::default() }).await;
    let cut = Effect::MalformedJson;
    world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", cut).after(1).times(2));
    apply(&world, json!({})).await;
    let found = world.config_is("payments", "Inactive", "Validating").await;
    assert_eq!(found.status.unwrap().counts, None);
    let done = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    let found = world.as_time_passes(Duration::from_secs(1), "payments", "synced", done).await;
    let live = world.ado.project("Payments").unwrap().work_items;
    assert_eq!(counts(&found).requirements, i64::try_from(live["User Story"]).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_in_azure_devops_is_in_the_next_read() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    let bug = |project: &str| NewWorkItem { project: project.into(), kind: "Bug".into(), ..NewWorkItem::default() };
    world.ado.create_work_item(&bug("Payments")).unwrap();
    world.ado.create_work_item(&bug("Web Shop")).unwrap();
    let found = run(&world, "after the change").await;
    assert_eq!(counts(&found), Counts { bugs: before.bugs + 1, ..before });
}

/// WIQL answers at most 19,999 ids, so a large project is read in ranges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_of_more_than_20_000_items_is_read_whole() {
    let world = connected(Options { items: 45_000, ..Options::default() }).await;
    let live = world.ado.project("Payments").unwrap().work_items;
    let all: u64 = live.values().sum();
    assert!(all > 20_000, "{all}");
    apply(&world, json!({})).await;
    let synced = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "synced", synced).await;
    let number = |kind: &str| i64::try_from(live[kind]).unwrap();
    assert_eq!(counts(&found), Counts { requirements: number("User Story"), bugs: number("Bug") });
    assert_eq!(u64::try_from(present(&world).await).unwrap(), all);
    assert_eq!(batches(&world), 19_999_u64.div_ceil(200) + (all - 19_999).div_ceil(200));
}

/// Requests of the next hour, minute by minute.
async fn requests_of_an_hour(world: &World, of: &str) -> usize {
    let since = world.ado.last_request();
    for _ in 0..60 {
        pass(world, Duration::from_mins(1)).await;
    }
    world.ado.requests_since(since).iter().filter(|request| request.target.contains(of)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_is_put_in_question_six_times_an_hour() {
    let world = connected_small().await;
    apply(&world, json!({"project": "Nowhere"})).await;
    refused(&world, "ProjectNotFound").await;
    assert_eq!(requests_of_an_hour(&world, "/projects/Nowhere").await, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_asked_about_less_and_less_often() {
    let world = connected_small().await;
    world.ado.add_fault(Fault::on_path("*/_apis/projects/Payments*", Effect::MalformedJson));
    apply(&world, json!({})).await;
    world.config_is("payments", "Inactive", "Validating").await;
    // After 5, 10, 20, 40 and 80 s every two minutes.
    let asked = requests_of_an_hour(&world, "/projects/Payments").await;
    assert!((29..=34).contains(&asked), "{asked} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_again_asks_nothing_and_writes_nothing() {
    let world = connected_small().await;
    apply(&world, json!({"team": "Nobody"})).await;
    refused(&world, "TeamNotFound").await;
    let (since, log) = (world.ado.last_request(), Bookmark::now(world.control_plane.audit_log()).unwrap());
    for _ in 0..20 {
        pass(&world, Duration::from_secs(1)).await;
    }
    assert!(world.ado.requests_since(since).is_empty());
    assert_eq!(writes(&world, &log), [""; 0]);
}

/// What the operator wrote in the test's namespace.
fn writes(world: &World, log: &Bookmark) -> Vec<String> {
    let user = format!("system:serviceaccount:{RELEASE}:{RELEASE}");
    let entries = log.since().unwrap().into_iter();
    let own = entries.filter(|entry| entry.user.username == user && entry.object_ref.namespace == world.namespace);
    let described = own.filter(support::audit::Entry::is_write);
    described.map(|entry| format!("{} {} {}", entry.verb, entry.object_ref.resource, entry.object_ref.name)).collect()
}

async fn current<K>(world: &World, name: &str) -> K
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
{
    world.api::<K>().get(name).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synced_config_is_read_once_a_day_and_written_only_then() {
    let world = synced().await;
    pass(&world, Duration::from_mins(2)).await;
    wait::object(&world.api(), "contoso", "counting its config", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.project_configs) == Some(1)
    })
    .await;
    let (read, log) = (batches(&world), Bookmark::now(world.control_plane.audit_log()).unwrap());
    for _ in 0..46 {
        pass(&world, Duration::from_mins(30)).await;
    }
    assert_eq!(batches(&world), read);
    assert_eq!(writes(&world, &log), [""; 0]);

    let before: AdoProjectConfig = current(&world, "payments").await;
    pass(&world, Duration::from_hours(1)).await;
    let time = |found: &AdoProjectConfig| found.status.clone().unwrap().sync.unwrap();
    let found: AdoProjectConfig =
        wait::object(&world.api(), "payments", "read again", |found| time(found) != time(&before)).await;
    assert_eq!(batches(&world), read + 1);
    assert_eq!(time(&found).last_change_time, time(&before).last_change_time, "nothing changed");
    wait::until("the write is logged", async || (!writes(&world, &log).is_empty()).then_some(())).await;
    assert_eq!(writes(&world, &log), ["patch adoprojectconfigs payments"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_writes_nothing_and_reads_nothing_again() {
    let mut world = synced().await;
    let nothing = world.config("nothing", "contoso", json!({"pullRequirements": null, "bugMapping": null}));
    world.apply::<AdoProjectConfig>(nothing).await;
    world.config_is("nothing", "Active", "NothingSelected").await;
    pass(&world, Duration::from_mins(2)).await;
    wait::object(&world.api(), "contoso", "counting its configs", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.project_configs) == Some(2)
    })
    .await;
    world.stop().await;
    let (read, log) = (batches(&world), Bookmark::now(world.control_plane.audit_log()).unwrap());
    let since = world.ado.last_request();
    world.start().await.unwrap();
    wait::until("the integration is validated", async || (world.ado.requests_since(since).len() > 5).then_some(()))
        .await;
    for _ in 0..5 {
        pass(&world, Duration::from_mins(11)).await;
    }
    assert_eq!(batches(&world), read);
    assert_eq!(writes(&world, &log), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_a_crash_left_without_a_verdict_is_validated_by_the_next_process() {
    let mut world = synced().await;
    let slow = Effect::Delay { milliseconds: 20_000, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemtypes*", slow));
    edit(&world, json!({"bugMapping": {"workItemTypes": ["Nothing"]}})).await;
    world.config_is("payments", "Active", "Syncing").await;
    world.operator = None;
    world.ado.clear_faults();
    world.start().await.unwrap();
    refused(&world, "InvalidMapping").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_is_shown_is_shown_by_the_next_process_too() {
    let mut world = synced().await;
    world.ado.add_fault(Fault::on_path("*/_apis/work/backlogconfiguration*", Effect::MalformedJson));
    run(&world, "fails").await;
    let unreachable = |found: &AdoProjectConfig| shows(found, "Active", "Unreachable");
    world.as_time_passes(Duration::from_secs(1), "payments", "unreachable", unreachable).await;
    world.operator = None;
    let asked = world.ado.count("GET", "/work/backlogconfiguration");
    world.start().await.unwrap();
    let tried = || world.ado.count("GET", "/work/backlogconfiguration") > asked;
    wait::until("the next process tried", async || tried().then_some(())).await;
    pass(&world, Duration::from_secs(1)).await;
    let found: AdoProjectConfig = current(&world, "payments").await;
    assert!(shows(&found, "Active", "Unreachable"), "{:?}", found.status);
    world.ado.clear_faults();
    let back = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    world.as_time_passes(Duration::from_secs(1), "payments", "back", back).await;
}

//! Rows of the table of states that a project config can stand in.

use std::sync::Arc;
use std::time::Duration;

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig, REQUESTED_AT};
use ado_operator::clock::Clock as _;
use ado_simulator::{Effect, Fault, Options};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use support::audit::Bookmark;
use support::control_plane::ControlPlane;
use support::wait;
use support::world::{World, conditions, message, shows};

use crate::judge::{Row, assert_row};

/// Status and reason of the conditions that are neither `Ready` nor abnormal-true, by type.
type Own = &'static [(&'static str, &'static str, &'static str)];

/// Of a mapping that was accepted and synced.
const GOOD: Own = &[("MappingValid", "True", "MappingAccepted"), ("Synced", "True", "Synced")];

/// How fast time passes where a test waits for the end of a pause.
const SECOND: Duration = Duration::from_secs(1);

/// Where nothing is known yet.
const NOTHING: Own = &[];

const ACTIVE: Row<'_> =
    Row { state: "Active", ready: ("True", "Synced"), abnormal: &[], kstatus: "Current", argocd: "Healthy" };

fn stuck(reason: &str) -> Row<'_> {
    Row { state: "Error", ready: ("False", reason), abnormal: &["Stalled"], kstatus: "Failed", argocd: "Degraded" }
}

fn failing<'a>(reason: &'a str, abnormal: &'a [&'a str]) -> Row<'a> {
    Row { state: "Error", ready: ("False", reason), abnormal, kstatus: "InProgress", argocd: "Degraded" }
}

fn waiting<'a>(state: &'a str, reason: &'a str) -> Row<'a> {
    Row { state, ready: ("Unknown", reason), abnormal: &["Reconciling"], kstatus: "InProgress", argocd: "Progressing" }
}

/// Asserts the row, and that exactly these other conditions stand there.
fn assert_config(found: &AdoProjectConfig, row: &Row<'_>, own: Own) {
    assert_row(found, row);
    let shown = conditions(found);
    let other: Vec<(&str, &str, &str)> = shown
        .iter()
        .filter(|(kind, _)| *kind != "Ready" && !row.abnormal.contains(&kind.as_str()))
        .map(|(kind, (status, reason))| (kind.as_str(), status.as_str(), reason.as_str()))
        .collect();
    assert_eq!(other, own);
}

/// An integration `contoso` and a synced config `payments`.
async fn synced() -> World {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
    world
}

/// Work items that the simulator has of these types.
fn live(world: &World, project: &str, types: &[&str]) -> i64 {
    let all = world.ado.project(project).unwrap().work_items;
    types.iter().map(|name| i64::try_from(all.get(*name).copied().unwrap_or_default()).unwrap()).sum()
}

async fn config(world: &World) -> AdoProjectConfig {
    world.api().get("payments").await.unwrap()
}

/// Asks for a run and waits for its echo.
async fn run(world: &World, value: &str) -> AdoProjectConfig {
    ask(world, value).await;
    wait::object(&world.api(), "payments", "echoing the request", |found| echoes(found, value)).await
}

async fn ask(world: &World, value: &str) {
    let asked = json!({"metadata": {"annotations": {REQUESTED_AT: value}}});
    world.patch::<AdoProjectConfig>("payments", asked).await;
}

fn echoes(found: &AdoProjectConfig, value: &str) -> bool {
    found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some(value))
}

/// How often a project was read as a whole; a small one is one batch.
fn full_reads(world: &World) -> u64 {
    world.ado.count("POST", "/wit/workitemsbatch")
}

/// Azure DevOps fails where a config needs it and an integration does not.
fn break_backlogs(world: &World, effect: Effect) {
    world.ado.add_fault(Fault::on_path("*/_apis/work/backlogconfiguration*", effect));
}

fn has(found: &AdoProjectConfig, kind: &str) -> bool {
    conditions(found).contains_key(kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sync_counts_by_the_defaults_of_every_process() {
    let world = World::with(Options { items: 600, ..Options::default() }).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let explicit = json!({
        "pullRequirements": {"workItemTypes": ["Epic"]},
        "bugMapping": {"workItemTypes": ["Issue"]},
    });
    for (name, project, process, change, requirements, bugs) in [
        ("agile", "Payments", "Agile", json!({}), vec!["User Story"], "Bug"),
        ("scrum", "Web Shop", "Scrum", json!({}), vec!["Product Backlog Item"], "Bug"),
        ("cmmi", "Compliance", "CMMI", json!({}), vec!["Requirement"], "Bug"),
        ("inherited", "Platform", "Contoso Agile", json!({}), vec!["Customer Story", "Ticket"], "Bug"),
        ("basic", "Intranet", "Basic", explicit, vec!["Epic"], "Issue"),
        ("odd", "Größe v1.2 (alt)", "Agile", json!({}), vec!["User Story"], "Bug"),
    ] {
        let mut applied = world.config(name, "contoso", change);
        applied["spec"]["project"] = project.into();
        world.apply::<AdoProjectConfig>(applied).await;
        let found = world.config_is(name, "Active", "Synced").await;
        assert_config(&found, &ACTIVE, GOOD);
        let status = found.status.clone().unwrap();
        let effective = status.effective.unwrap();
        assert_eq!(
            (effective.requirement_types, effective.bug_types),
            (requirements.iter().map(|&name| name.into()).collect(), vec![bugs.into()])
        );
        let counts = status.counts.unwrap();
        assert_eq!(counts.requirements, live(&world, project, &requirements), "requirements of {project}");
        assert_eq!(counts.bugs, live(&world, project, &[bugs]), "bugs of {project}");
        assert!(counts.requirements > 0 && counts.bugs > 0, "{project} has both: {counts:?}");
        let resolved = status.project.unwrap();
        assert_eq!((resolved.name.as_str(), resolved.process.as_deref()), (project, Some(process)));
        assert_eq!(resolved.id, world.ado.project(project).unwrap().id.to_string());
        let integration = status.integration.unwrap();
        assert_eq!((integration.namespace, integration.name.as_str()), (world.namespace.clone(), "contoso"));
        let sync = status.sync.unwrap();
        assert!(sync.last_full_time.is_some() && sync.last_change_time == sync.last_full_time, "{sync:?}");
        assert!(status.team.is_none());
        assert_eq!(message(&found), format!("Project {project} is in sync."));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_are_found_in_any_case_and_shown_as_the_process_spells_them() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let change = json!({
        "project": "pAYMENTS",
        "team": "checkout",
        "pullRequirements": {"workItemTypes": ["user STORY", "feature"]},
        "bugMapping": {"workItemTypes": ["BUG"]},
    });
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", change)).await;
    let found = world.config_is("payments", "Active", "Synced").await;
    assert_config(&found, &ACTIVE, GOOD);
    let status = found.status.unwrap();
    assert_eq!(status.effective.unwrap().requirement_types, ["User Story", "Feature"]);
    assert_eq!(status.counts.unwrap().requirements, live(&world, "Payments", &["User Story", "Feature"]));
    assert_eq!(status.project.unwrap().name, "Payments");
    assert_eq!(status.team.unwrap().name, "Checkout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_toggle_pulls_one_kind() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let bugs = live(&world, "Payments", &["Bug"]);
    let stories = live(&world, "Payments", &["User Story"]);
    for (name, change, requirements, bugs) in [
        ("bugs", json!({"pullRequirements": {"enabled": false}}), 0, bugs),
        ("stories", json!({"bugMapping": null}), stories, 0),
    ] {
        world.apply::<AdoProjectConfig>(world.config(name, "contoso", change)).await;
        let found = world.config_is(name, "Active", "Synced").await;
        assert_config(&found, &ACTIVE, GOOD);
        let counts = found.status.unwrap().counts.unwrap();
        assert_eq!((counts.requirements, counts.bugs), (requirements, bugs), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_both_toggles_off_nothing_is_selected_and_nothing_read() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let off = json!({"pullRequirements": {"enabled": false}, "bugMapping": {"enabled": false}});
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", off.clone())).await;
    let row = Row { ready: ("True", "NothingSelected"), ..ACTIVE };
    let mapped: Own = &[("MappingValid", "True", "MappingAccepted")];
    let found = world.config_is("payments", "Active", "NothingSelected").await;
    assert_config(&found, &row, mapped);
    let counts = found.status.unwrap().counts.unwrap();
    assert_eq!((counts.requirements, counts.bugs), (0, 0));
    assert_eq!(full_reads(&world), 0);

    let on = json!({"spec": {"pullRequirements": {"enabled": true}, "bugMapping": {"enabled": true}}});
    world.patch::<AdoProjectConfig>("payments", on).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);

    let absent = json!({"spec": {"pullRequirements": null, "bugMapping": null}});
    world.patch::<AdoProjectConfig>("payments", absent).await;
    assert_config(&world.config_is("payments", "Active", "NothingSelected").await, &row, mapped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sync_that_takes_long_is_shown_as_waiting() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let slow = || Fault::on_path("*/_apis/wit/wiql*", Effect::Delay { milliseconds: 3500, retry_after: None }).times(1);
    world.ado.add_fault(slow());
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "Syncing").await;
    assert_config(&found, &waiting("Inactive", "Syncing"), NOTHING);
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);

    world.ado.add_fault(slow());
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"description": "Edited."}})).await;
    let found = world.config_is("payments", "Active", "Syncing").await;
    assert_config(&found, &waiting("Active", "Syncing"), GOOD);
    let mapping = found.status.unwrap().conditions.into_iter().find(|one| one.type_ == "MappingValid").unwrap();
    assert_eq!(mapping.observed_generation, Some(1), "the verdict on the mapping is one on the spec before the edit");
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnected_integration_makes_its_configs_inactive_until_it_is_back() {
    let world = synced().await;
    let before = config(&world).await.status.unwrap();
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    let found = world.config_is("payments", "Inactive", "IntegrationInactive").await;
    let row = Row { state: "Inactive", ready: ("True", "IntegrationInactive"), ..ACTIVE };
    assert_config(&found, &row, GOOD);
    let status = found.status.unwrap();
    assert_eq!((&status.counts, &status.sync), (&before.counts, &before.sync), "data stays visible");

    let asked = world.ado.last_request();
    assert_config(&run(&world, "while disconnected").await, &row, GOOD);
    assert!(world.ado.requests_since(asked).is_empty(), "a request is echoed at once and without a run");

    let reads = full_reads(&world);
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
    assert_eq!(full_reads(&world), reads, "what was read is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spec_that_was_edited_while_disconnected_is_validated_when_connected_again() {
    let world = synced().await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    let nonsense = json!({"spec": {"pullRequirements": {"workItemTypes": ["Nonsense"]}}});
    world.patch::<AdoProjectConfig>("payments", nonsense).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    let found = world.config_is("payments", "Error", "InvalidMapping").await;
    let own: Own = &[("MappingValid", "False", "InvalidMapping"), ("Synced", "True", "Synced")];
    assert_config(&found, &stuck("InvalidMapping"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_integration_is_waited_for_and_then_an_error_until_it_comes() {
    let world = World::new().await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "IntegrationNotAvailable").await;
    assert_config(&found, &waiting("Inactive", "IntegrationNotAvailable"), NOTHING);
    world.clock.advance(Duration::from_secs(61));
    let found = world.config_is("payments", "Error", "IntegrationNotAvailable").await;
    assert_config(&found, &stuck("IntegrationNotAvailable"), NOTHING);
    assert!(message(&found).contains("spec.integrationRef"), "{}", message(&found));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_goes_away_leaves_the_state_for_a_minute() {
    let world = synced().await;
    // As somebody would who points the config at an integration that is yet to come.
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"integrationRef": {"name": "gone"}}})).await;
    let found = world.config_is("payments", "Active", "IntegrationNotAvailable").await;
    assert_config(&found, &waiting("Active", "IntegrationNotAvailable"), GOOD);
    world.clock.advance(Duration::from_secs(61));
    let found = world.config_is("payments", "Error", "IntegrationNotAvailable").await;
    assert_config(&found, &stuck("IntegrationNotAvailable"), GOOD);
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"integrationRef": {"name": "contoso"}}})).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

/// Where the config of another namespace stands.
struct Elsewhere {
    api: Api<AdoProjectConfig>,
}

impl Elsewhere {
    /// Applies a config in that namespace that names the integration of the world's namespace.
    async fn apply(world: &World, namespace: &str) -> Self {
        let api: Api<AdoProjectConfig> = Api::namespaced(world.client.clone(), namespace);
        let reference = json!({"integrationRef": {"namespace": world.namespace}});
        let mut config = world.config("payments", "contoso", reference);
        config["apiVersion"] = "ado.testops.dev/v1alpha1".into();
        config["kind"] = "AdoProjectConfig".into();
        api.create(&PostParams::default(), &serde_json::from_value(config).unwrap()).await.unwrap();
        Self { api }
    }

    async fn is(&self, state: &str, reason: &str) -> AdoProjectConfig {
        let what = format!("{state} ({reason})");
        wait::object(&self.api, "payments", &what, |found| shows(found, state, reason)).await
    }
}

async fn allow(world: &World, allowed: Value) {
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedNamespaces": allowed}})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_not_allowed_sees_no_integration() {
    let world = World::with_more_namespaces(1).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let asked = world.ado.last_request();
    let elsewhere = Elsewhere::apply(&world, &world.others()[0]).await;
    let refused = elsewhere.is("Inactive", "IntegrationNotAvailable").await;
    assert_config(&refused, &waiting("Inactive", "IntegrationNotAvailable"), NOTHING);

    world.apply::<AdoProjectConfig>(world.config("absent", "nowhere", json!({}))).await;
    let absent = world.config_is("absent", "Inactive", "IntegrationNotAvailable").await;
    assert_eq!(message(&refused), message(&absent), "refused and absent look the same");
    world.clock.advance(Duration::from_secs(61));
    let refused = elsewhere.is("Error", "IntegrationNotAvailable").await;
    assert_config(&refused, &stuck("IntegrationNotAvailable"), NOTHING);
    assert!(world.ado.requests_since(asked).is_empty(), "nothing is sent for it");
    let integration = world.api::<AdoIntegration>().get("contoso").await.unwrap();
    assert_eq!(integration.status.unwrap().project_configs, Some(0), "and it is not counted");

    allow(&world, json!({"from": "All"})).await;
    assert_config(&elsewhere.is("Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_withdrawn_stops_the_sync_at_once() {
    let world = World::with_more_namespaces(1).await;
    let all = json!({"allowedNamespaces": {"from": "All"}});
    world.apply::<AdoIntegration>(world.integration("contoso", all)).await;
    let elsewhere = Elsewhere::apply(&world, &world.others()[0]).await;
    elsewhere.is("Active", "Synced").await;

    allow(&world, json!({"from": "Same"})).await;
    let found = elsewhere.is("Active", "IntegrationNotAvailable").await;
    assert_config(&found, &waiting("Active", "IntegrationNotAvailable"), GOOD);
    let reads = full_reads(&world);
    let asked = Patch::Merge(json!({"metadata": {"annotations": {REQUESTED_AT: "1"}}}));
    elsewhere.api.patch("payments", &PatchParams::default(), &asked).await.unwrap();
    world.clock.advance(Duration::from_hours(25));
    let found = elsewhere.is("Error", "IntegrationNotAvailable").await;
    assert_config(&found, &stuck("IntegrationNotAvailable"), GOOD);
    assert!(echoes(&found, "1"), "the request ended with the verdict");
    assert_eq!(full_reads(&world), reads);

    allow(&world, json!({"from": "All"})).await;
    assert_config(&elsewhere.is("Active", "Synced").await, &ACTIVE, GOOD);
}

/// In a control plane of its own, since this operator serves every namespace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namespaces_are_selected_by_their_labels_as_they_are_now() {
    let started = tokio::task::spawn_blocking(|| {
        let control_plane = ControlPlane::start()?;
        control_plane.install_chart(&[])?;
        Ok::<_, std::io::Error>(Arc::new(control_plane))
    });
    let world = World::everywhere(started.await.unwrap().unwrap()).await;
    let selector = json!({"matchLabels": {"team": "payments"}});
    let selected = json!({"allowedNamespaces": {"from": "Selector", "selector": selector}});
    world.apply::<AdoIntegration>(world.integration("contoso", selected)).await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let namespace = serde_json::from_value(json!({"metadata": {"name": "elsewhere"}})).unwrap();
    namespaces.create(&PostParams::default(), &namespace).await.unwrap();
    let elsewhere = Elsewhere::apply(&world, "elsewhere").await;
    let found = elsewhere.is("Inactive", "IntegrationNotAvailable").await;
    assert_config(&found, &waiting("Inactive", "IntegrationNotAvailable"), NOTHING);

    let label = async |team: Value| {
        let labels = Patch::Merge(json!({"metadata": {"labels": {"team": team}}}));
        namespaces.patch("elsewhere", &PatchParams::default(), &labels).await.unwrap();
    };
    label(json!("payments")).await;
    assert_config(&elsewhere.is("Active", "Synced").await, &ACTIVE, GOOD);
    label(json!("others")).await;
    assert_config(
        &elsewhere.is("Active", "IntegrationNotAvailable").await,
        &waiting("Active", "IntegrationNotAvailable"),
        GOOD,
    );
    label(json!("payments")).await;
    assert_config(&elsewhere.is("Active", "Synced").await, &ACTIVE, GOOD);
    label(Value::Null).await;
    elsewhere.is("Active", "IntegrationNotAvailable").await;

    world.apply::<AdoProjectConfig>(world.config("own", "contoso", json!({}))).await;
    let own = world.config_is("own", "Active", "Synced").await;
    assert_config(&own, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_without_a_verdict_is_waited_for() {
    let world = World::new().await;
    let slow = Effect::Delay { milliseconds: 4000, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", slow).times(1));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "IntegrationNotReady").await;
    assert_config(&found, &waiting("Inactive", "IntegrationNotReady"), NOTHING);
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_being_deleted_is_no_more_ready() {
    let world = synced().await;
    let permitted = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", permitted).await;
    world.delete::<AdoIntegration>("contoso").await;
    let found = world.config_is("payments", "Active", "IntegrationNotReady").await;
    assert_config(&found, &waiting("Active", "IntegrationNotReady"), GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_stuck_makes_its_configs_stuck_until_it_is_good() {
    let world = synced().await;
    world.put_token(&world.pat("revoked")).await;
    let found = world.config_is("payments", "Error", "IntegrationError").await;
    assert_config(&found, &stuck("IntegrationError"), GOOD);
    let integration = world.integration_is("contoso", "Error", "CredentialRefused").await;
    assert!(message(&found).contains(&message(&integration)), "{}", message(&found));
    let asked = world.ado.last_request();
    assert_config(&run(&world, "while in error").await, &stuck("IntegrationError"), GOOD);
    assert!(world.ado.requests_since(asked).is_empty());

    let reads = full_reads(&world);
    world.put_token(&world.pat("full")).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
    assert_eq!(full_reads(&world), reads);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_out_of_reach_touches_no_config_before_it_is_an_error() {
    let world = synced().await;
    let before = config(&world).await;
    world.ado.set_stopped("contoso", true).unwrap();
    world.clock.advance(Duration::from_mins(11));
    let integration: AdoIntegration =
        world.as_time_passes(SECOND, "contoso", "unreachable", |found| shows(found, "Active", "Unreachable")).await;
    assert_eq!(config(&world).await.resource_version(), before.resource_version(), "{:?}", integration.status);

    world.clock.advance(Duration::from_mins(15));
    world.integration_is("contoso", "Error", "Unreachable").await;
    let found = world.config_is("payments", "Error", "IntegrationError").await;
    assert_config(&found, &failing("IntegrationError", &["Reconciling"]), GOOD);

    world.ado.set_stopped("contoso", false).unwrap();
    let back = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    assert_config(&world.as_time_passes(SECOND, "payments", "back", back).await, &ACTIVE, GOOD);
}

/// A config that has a run to make while its integration is out of reach tells of its integration alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_is_unreachable_only_while_its_integration_is_reachable() {
    let world = synced().await;
    let before = config(&world).await;
    world.ado.set_stopped("contoso", true).unwrap();
    world.clock.advance(Duration::from_mins(11));
    let unreachable = |found: &AdoIntegration| shows(found, "Active", "Unreachable");
    world.as_time_passes(SECOND, "contoso", "unreachable", unreachable).await;
    let found = run(&world, "while out of reach").await;
    assert_config(&found, &ACTIVE, GOOD);
    let sent = world.ado.last_request();
    let project = format!("/projects/{}", before.status.as_ref().unwrap().project.as_ref().unwrap().id);
    world
        .as_time_passes(SECOND, "payments", "tried twice more", |_: &AdoProjectConfig| {
            world.ado.requests_since(sent).iter().filter(|request| request.target.contains(&project)).count() >= 6
        })
        .await;
    assert_eq!(config(&world).await.status.unwrap().conditions, before.status.unwrap().conditions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_was_good_becomes_unknown_after_a_minute_and_an_error_after_15() {
    let world = synced().await;
    break_backlogs(&world, Effect::MalformedJson);
    let start = world.clock.now();
    let found = run(&world, "fails").await;
    assert_config(&found, &ACTIVE, GOOD);
    let asked = world.ado.count("GET", "/work/backlogconfiguration");
    assert_eq!(asked, 2, "one try, after the first sync");

    let unreachable = Row { abnormal: &["Reconciling", "Unreachable"], ..waiting("Active", "Unreachable") };
    let found = world.as_time_passes(SECOND, "payments", "unreachable", |found| has(found, "Unreachable")).await;
    assert_config(&found, &unreachable, GOOD);
    assert!(world.clock.now().duration_since(start).as_secs() >= 60, "not before a minute");
    assert!(world.ado.count("GET", "/work/backlogconfiguration") >= 1 + 3, "not before three tries");

    world.clock.advance(Duration::from_mins(14));
    assert_config(&run(&world, "fails again").await, &unreachable, GOOD);
    world.clock.advance(Duration::from_mins(1));
    let found = world.config_is("payments", "Error", "Unreachable").await;
    assert_config(&found, &failing("Unreachable", &["Reconciling", "Unreachable"]), GOOD);

    world.ado.clear_faults();
    let back = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    assert_config(&world.as_time_passes(SECOND, "payments", "back", back).await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_config_waits_through_an_outage_and_then_fails() {
    let world = World::new().await;
    break_backlogs(&world, Effect::Status { code: 503, retry_after: None });
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "Validating").await;
    assert_config(&found, &waiting("Inactive", "Validating"), NOTHING);
    let found = world.as_time_passes(SECOND, "payments", "unreachable", |found| has(found, "Unreachable")).await;
    let unreachable = Row { abnormal: &["Reconciling", "Unreachable"], ..waiting("Inactive", "Unreachable") };
    assert_config(&found, &unreachable, NOTHING);
    world.clock.advance(Duration::from_mins(15));
    let found = world.config_is("payments", "Error", "Unreachable").await;
    assert_config(&found, &failing("Unreachable", &["Reconciling", "Unreachable"]), NOTHING);
    world.ado.clear_faults();
    let back = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    assert_config(&world.as_time_passes(SECOND, "payments", "back", back).await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_outlives_an_outage() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let nonsense = json!({"bugMapping": {"workItemTypes": ["Nonsense"]}});
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", nonsense)).await;
    let own: Own = &[("MappingValid", "False", "InvalidMapping")];
    assert_config(&world.config_is("payments", "Error", "InvalidMapping").await, &stuck("InvalidMapping"), own);

    break_backlogs(&world, Effect::Reset);
    assert_config(&run(&world, "fails").await, &stuck("InvalidMapping"), own);
    let found = world.as_time_passes(SECOND, "payments", "unreachable", |found| has(found, "Unreachable")).await;
    let unreachable = Row { abnormal: &["Stalled", "Unreachable"], ..stuck("InvalidMapping") };
    assert_config(&found, &unreachable, own);
    world.clock.advance(Duration::from_mins(20));
    assert_config(&run(&world, "fails again").await, &unreachable, own);

    world.ado.clear_faults();
    let back = |found: &AdoProjectConfig| !has(found, "Unreachable");
    assert_config(&world.as_time_passes(SECOND, "payments", "reachable", back).await, &stuck("InvalidMapping"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn being_throttled_for_a_whole_interval_is_shown_and_changes_nothing_else() {
    let world = synced().await;
    let before = config(&world).await.status.unwrap();
    let throttled = Effect::TooManyRequests { retry_after: 1 };
    world.ado.add_fault(Fault::on_path("*/_apis/work/backlogconfiguration*", throttled));
    ask(&world, "throttled").await;
    let refused = || world.ado.count("GET", "/work/backlogconfiguration");
    wait::until("a pause was asked for", async || (refused() > 1).then_some(())).await;
    let found =
        world.as_time_passes(Duration::from_secs(30), "payments", "throttled", |found| has(found, "Throttled")).await;
    assert_config(&found, &Row { abnormal: &["Throttled"], ..ACTIVE }, GOOD);
    let status = found.status.clone().unwrap();
    assert_eq!((&status.counts, &status.sync), (&before.counts, &before.sync));
    assert!(!echoes(&found, "throttled"), "neither success nor failure, so the run has not ended");

    world.ado.clear_faults();
    let back = |found: &AdoProjectConfig| !has(found, "Throttled");
    let found = world.as_time_passes(SECOND, "payments", "back", back).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert!(echoes(&found, "throttled"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_config_that_is_throttled_waits() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let throttled = Effect::TooManyRequests { retry_after: 1200 };
    world.ado.add_fault(Fault::on_path("*/_apis/work/backlogconfiguration*", throttled).times(1));
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found: AdoProjectConfig =
        wait::object(&world.api(), "payments", "throttled", |found| has(found, "Throttled")).await;
    let row = Row { abnormal: &["Reconciling", "Throttled"], ..waiting("Inactive", "Throttled") };
    assert_config(&found, &row, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_checked_again_touches_no_config() {
    let world = synced().await;
    let log = Bookmark::now(world.control_plane.audit_log()).unwrap();
    let slow = Effect::Delay { milliseconds: 3000, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", slow).times(1));
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"displayName": "Edited"}})).await;
    world.integration_is("contoso", "Active", "Validating").await;
    world.integration_is("contoso", "Active", "Connected").await;

    let asked = world.ado.last_request();
    world.clock.advance(Duration::from_mins(11));
    wait::until("another validation", async || (!world.ado.requests_since(asked).is_empty()).then_some(())).await;
    // A later change that the config does show proves that all earlier ones were looked at.
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    wait::until("its write is logged", async || (status_writes(&world, &log) > 0).then_some(())).await;
    assert_eq!(status_writes(&world, &log), 1, "the disconnection alone was written");
}

/// How often the status of a config of the world was written.
fn status_writes(world: &World, log: &Bookmark) -> usize {
    let entries = log.since().unwrap();
    let of_configs = entries.iter().filter(|entry| entry.object_ref.namespace == world.namespace);
    of_configs
        .filter(|entry| entry.object_ref.resource == "adoprojectconfigs" && entry.object_ref.subresource == "status")
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requested_run_reads_again_and_is_echoed_at_its_end() {
    let world = synced().await;
    let reads = full_reads(&world);
    let found = run(&world, "2026-11-23T10:00:00Z").await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(full_reads(&world), reads + 1);

    let nonsense = json!({"spec": {"team": "Nobody"}});
    world.patch::<AdoProjectConfig>("payments", nonsense).await;
    world.config_is("payments", "Error", "TeamNotFound").await;
    let own: Own = &[("MappingValid", "False", "TeamNotFound"), ("Synced", "True", "Synced")];
    assert_config(&run(&world, "on failure too").await, &stuck("TeamNotFound"), own);
    assert_eq!(full_reads(&world), reads + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_others_hold_back_shows_that_it_is_being_deleted() {
    let world = synced().await;
    let held = json!({"metadata": {"finalizers": ["example.com/held"]}});
    world.patch::<AdoProjectConfig>("payments", held).await;
    world.delete::<AdoProjectConfig>("payments").await;
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "being deleted", |found| {
        conditions(found).get("Ready").is_some_and(|(_, reason)| reason == "Deleting")
    })
    .await;
    assert_config(&found, &Row { kstatus: "Terminating", ..waiting("Active", "Deleting") }, GOOD);
}

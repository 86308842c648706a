//! Rows of the table of states that an integration can stand in.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, REQUESTED_AT};
use ado_simulator::control::PatChange;
use ado_simulator::{Effect, Fault};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::json;
use support::wait;
use support::world::{CA, TOKEN, World, conditions, message, observed, shows};

use crate::judge::{Row, assert_row};

const ACTIVE: Row<'_> =
    Row { state: "Active", ready: ("True", "Connected"), abnormal: &[], kstatus: "Current", argocd: "Healthy" };

fn stuck(state: &'static str, reason: &'static str) -> Row<'static> {
    Row { state, ready: ("False", reason), abnormal: &["Stalled"], kstatus: "Failed", argocd: "Degraded" }
}

fn waiting(state: &'static str, reason: &'static str) -> Row<'static> {
    Row { state, ready: ("Unknown", reason), abnormal: &["Reconciling"], kstatus: "InProgress", argocd: "Progressing" }
}

async fn connected(world: &World) -> AdoIntegration {
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_credential_makes_an_integration_active() {
    let world = World::new().await;
    let found = connected(&world).await;
    assert_row(&found, &ACTIVE);
    let status = found.status.clone().unwrap();
    assert_eq!(status.organization.as_ref().unwrap().name, "contoso");
    assert!(!status.identity.as_ref().unwrap().display_name.is_empty());
    assert_eq!(status.feature_summary.as_deref(), Some("2/2"));
    assert_eq!(status.features.len(), 7, "all seven features are probed");
    assert_eq!(status.credential.as_ref().unwrap().secret_name, TOKEN);
    assert_eq!(status.services.len(), 1);
    let shown = conditions(&found);
    assert_eq!(shown["CredentialValid"], ("True".into(), "CredentialAccepted".into()));
    assert_eq!(shown["FeaturesAvailable"], ("True".into(), "AllAvailable".into()));
    let effective = status.effective.unwrap();
    assert_eq!(serde_json::to_value(effective.interval).unwrap(), "600s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_first_look_an_object_is_in_progress() {
    let mut world = World::new().await;
    world.stop().await;
    let created = world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_eq!(observed(&created), -1);
    let judge = support::verdict::Verdict::start(&world.control_plane).unwrap();
    let judged = judge.judge(&created).unwrap();
    assert_eq!((judged.kstatus.as_str(), judged.argocd.as_deref()), ("InProgress", Some("Progressing")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_first_validation_is_shown_as_waiting() {
    let world = World::new().await;
    world.ado.add_fault(
        Fault::on_path("*/_apis/connectiondata*", Effect::Delay { milliseconds: 4000, retry_after: None }).times(1),
    );
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let found = world.integration_is("contoso", "Inactive", "Validating").await;
    assert_row(&found, &waiting("Inactive", "Validating"));
    world.integration_is("contoso", "Active", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_spec_keeps_the_state_while_it_is_validated() {
    let world = World::new().await;
    connected(&world).await;
    world.ado.add_fault(
        Fault::on_path("*/_apis/connectiondata*", Effect::Delay { milliseconds: 4000, retry_after: None }).times(1),
    );
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"displayName": "Renamed"}})).await;
    let found = world.integration_is("contoso", "Active", "Validating").await;
    assert_row(&found, &waiting("Active", "Validating"));
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validation_at_the_interval_touches_nothing() {
    let world = World::new().await;
    let before = connected(&world).await;
    let asked = world.ado.last_request();
    world.clock.advance(Duration::from_mins(11));
    wait::until("another validation", async || (!world.ado.requests_since(asked).is_empty()).then_some(())).await;
    let handled = json!({"metadata": {"annotations": {"ado.testops.dev/requestedAt": "1"}}});
    world.patch::<AdoIntegration>("contoso", handled).await;
    let after = wait::object(&world.api(), "contoso", "asked", |found: &AdoIntegration| {
        found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some("1"))
    })
    .await;
    assert_eq!(before.status.unwrap().conditions, after.status.unwrap().conditions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manual_sync_that_is_not_available_is_an_error() {
    let world = World::new().await;
    world.put_token(&world.pat("no_work")).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let found = world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    assert_row(&found, &stuck("Error", "FeatureUnavailable"));
    let text = message(&found);
    assert!(text.contains("ManualSync needs") && text.contains("Work Items"), "{text}");
    assert_eq!(conditions(&found)["FeaturesAvailable"].0, "False");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_wanted_feature_that_is_not_available_leaves_it_active_and_stuck() {
    let world = World::new().await;
    world.put_token(&world.pat("read_only")).await;
    let wanted = json!({"features": ["ManualSync", "CreateDefect"]});
    world.apply::<AdoIntegration>(world.integration("contoso", wanted)).await;
    let found = world.integration_is("contoso", "Active", "FeatureUnavailable").await;
    assert_row(&found, &stuck("Active", "FeatureUnavailable"));
    let text = message(&found);
    assert!(text.contains("CreateDefect needs") && text.contains("Read & write"), "{text}");
    assert_eq!(found.status.unwrap().feature_summary.as_deref(), Some("1/2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feature_that_nobody_wants_may_be_missing() {
    let world = World::new().await;
    world.put_token(&world.pat("read_only")).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azure_repos_that_cannot_be_read_leaves_it_active_and_stuck() {
    let world = World::new().await;
    world.put_token(&world.pat("no_code")).await;
    let services = json!({"services": ["AzureDevOps", "AzureRepos"]});
    world.apply::<AdoIntegration>(world.integration("contoso", services)).await;
    let found = world.integration_is("contoso", "Active", "AzureReposUnavailable").await;
    assert_row(&found, &stuck("Active", "AzureReposUnavailable"));
    world.put_token(&world.pat("full")).await;
    let found = world.integration_is("contoso", "Active", "Connected").await;
    let services = serde_json::to_value(found.status.unwrap().services).unwrap();
    assert_eq!(services[1]["state"], "Active");
    assert!(services[1]["message"].as_str().unwrap().contains("repositor"), "{services:#}");
}

/// Gives the token other scopes; its Secret stays as it is.
fn rescope(world: &World, scopes: &[&str]) {
    let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    world.ado.change_pat(&PatChange { label: "full".into(), scopes, ..PatChange::default() }).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_the_integration_is_blamed_for_leaves_its_configs_untouched() {
    let world = World::new().await;
    let wanted = json!({"features": ["ManualSync", "CreateDefect"], "services": ["AzureDevOps", "AzureRepos"]});
    world.apply::<AdoIntegration>(world.integration("contoso", wanted)).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let before = world.config_is("payments", "Active", "Synced").await;
    let log = world.bookmark().await;
    let blamed = [
        ("FeatureUnavailable", ["vso.project", "vso.work", "vso.code"].as_slice()),
        ("AzureReposUnavailable", &["vso.project", "vso.work_write"]),
    ];
    for (reason, scopes) in blamed {
        rescope(&world, scopes);
        let ask = json!({"metadata": {"annotations": {REQUESTED_AT: reason}}});
        world.patch::<AdoIntegration>("contoso", ask).await;
        let found = world.integration_is("contoso", "Active", reason).await;
        assert_row(&found, &stuck("Active", reason));
        world.pass::<AdoProjectConfig>(Duration::from_secs(1)).await;
        world.pass::<AdoProjectConfig>(Duration::from_secs(1)).await;
    }
    let after = world.api::<AdoProjectConfig>().get("payments").await.unwrap();
    assert_row(&after, &Row { ready: ("True", "Synced"), ..ACTIVE });
    assert_eq!(after.status, before.status);
    let entries = world.audited(&log).await;
    let of_configs = entries.iter().filter(|entry| entry.object_ref.resource == "adoprojectconfigs");
    let written: Vec<_> = of_configs.filter(|entry| entry.is_write()).collect();
    assert!(written.is_empty(), "{written:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnecting_is_healthy_and_sends_nothing_and_reconnecting_validates_again() {
    let world = World::new().await;
    connected(&world).await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    let found = world.integration_is("contoso", "Inactive", "Disconnected").await;
    let row = Row { state: "Inactive", ready: ("True", "Disconnected"), ..ACTIVE };
    assert_row(&found, &row);
    assert_eq!(found.status.unwrap().organization.unwrap().name, "contoso", "history is kept");
    let asked = world.ado.last_request();
    world.clock.advance(Duration::from_hours(25));
    let handled = json!({"metadata": {"annotations": {"ado.testops.dev/requestedAt": "now"}}});
    world.patch::<AdoIntegration>("contoso", handled).await;
    wait::object(&world.api(), "contoso", "echoing at once", |found: &AdoIntegration| {
        found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some("now"))
    })
    .await;
    assert!(world.ado.requests_since(asked).is_empty(), "nothing is sent while disconnected");
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn things_that_arrive_in_any_order_are_waited_for() {
    let world = World::new().await;
    world.delete::<Secret>(TOKEN).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let found = world.integration_is("contoso", "Inactive", "SecretNotFound").await;
    assert_row(&found, &waiting("Inactive", "SecretNotFound"));
    world.put_token(&world.pat("full")).await;
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_absent_for_a_minute_is_an_error() {
    let world = World::new().await;
    connected(&world).await;
    world.delete::<Secret>(TOKEN).await;
    let found = world.integration_is("contoso", "Active", "SecretNotFound").await;
    assert_row(&found, &waiting("Active", "SecretNotFound"));
    world.clock.advance(Duration::from_secs(61));
    let found = world.integration_is("contoso", "Error", "SecretNotFound").await;
    assert_row(&found, &stuck("Error", "SecretNotFound"));
    assert!(message(&found).contains(TOKEN), "the message names the Secret");
    world.put_secret(TOKEN, "other", "x").await;
    let found = world.integration_is("contoso", "Error", "SecretKeyNotFound").await;
    assert_row(&found, &stuck("Error", "SecretKeyNotFound"));
    world.put_token(&world.pat("full")).await;
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_ca_is_waited_for_like_an_absent_secret() {
    let world = World::new().await;
    world.delete::<ConfigMap>(CA).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let found = world.integration_is("contoso", "Inactive", "ConfigMapNotFound").await;
    assert_row(&found, &waiting("Inactive", "ConfigMapNotFound"));
    world.clock.advance(Duration::from_secs(61));
    assert_row(
        &world.integration_is("contoso", "Error", "ConfigMapNotFound").await,
        &stuck("Error", "ConfigMapNotFound"),
    );
    world.put_ca(world.ado.ca_pem()).await;
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_ca_in_a_secret_is_waited_for_and_then_an_error_until_it_is_there() {
    let world = World::new().await;
    let change = json!({"caBundle": {"configMapRef": null, "secretRef": {"name": "ca", "key": "bundle.pem"}}});
    world.apply::<AdoIntegration>(world.integration("contoso", change)).await;
    let found = world.integration_is("contoso", "Inactive", "SecretNotFound").await;
    assert_row(&found, &waiting("Inactive", "SecretNotFound"));
    world.clock.advance(Duration::from_secs(61));
    let found = world.integration_is("contoso", "Error", "SecretNotFound").await;
    assert_row(&found, &stuck("Error", "SecretNotFound"));
    assert!(message(&found).contains("Secret ca with key bundle.pem"), "{}", message(&found));
    world.put_secret("ca", "other", world.ado.ca_pem()).await;
    let found = world.integration_is("contoso", "Error", "SecretKeyNotFound").await;
    assert_row(&found, &stuck("Error", "SecretKeyNotFound"));
    world.put_secret("ca", "bundle.pem", world.ado.ca_pem()).await;
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

/// Ways in which no verdict can be had.
fn outages() -> Vec<Effect> {
    vec![
        Effect::Status { code: 500, retry_after: None },
        Effect::Status { code: 503, retry_after: None },
        Effect::CutBody { after_bytes: 20 },
        Effect::Reset,
        Effect::MalformedJson,
        Effect::WrongShape,
        Effect::EmptyOk,
        Effect::Delay { milliseconds: 20_000, retry_after: None },
        Effect::SlowBody { interval_milliseconds: 100 },
    ]
}

/// Answers that come to no end in time. They are waited for not as long as an administrator has to wait.
fn is_slow(effect: &Effect) -> bool {
    matches!(effect, Effect::Delay { .. } | Effect::SlowBody { .. })
}

/// Lets time pass until the integration shows that no verdict can be had.
async fn unreachable(world: &World) -> AdoIntegration {
    world.clock.advance(Duration::from_mins(11));
    wait::until("Unreachable", async || {
        world.clock.advance(Duration::from_secs(10));
        let found = world.api::<AdoIntegration>().get("contoso").await.ok()?;
        conditions(&found).contains_key("Unreachable").then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_verdict_after_a_good_one_becomes_unknown_and_in_the_end_an_error() {
    futures::future::join_all(outages().into_iter().map(outage)).await;
}

async fn outage(effect: Effect) {
    let mut world = World::new().await;
    if is_slow(&effect) {
        world.restart_with_deadline(Duration::from_secs(2)).await;
    }
    connected(&world).await;
    println!("outage: {effect:?}");
    world.ado.add_fault(Fault::always(effect));
    let found = unreachable(&world).await;
    let row = Row {
        state: "Active",
        ready: ("Unknown", "Unreachable"),
        abnormal: &["Reconciling", "Unreachable"],
        kstatus: "InProgress",
        argocd: "Progressing",
    };
    assert_row(&found, &row);
    assert_eq!(conditions(&found)["CredentialValid"].0, "True", "an outage says nothing about the credential");
    world.clock.advance(Duration::from_mins(16));
    let found = world.integration_is("contoso", "Error", "Unreachable").await;
    let row = Row {
        state: "Error",
        ready: ("False", "Unreachable"),
        abnormal: &["Reconciling", "Unreachable"],
        kstatus: "InProgress",
        argocd: "Degraded",
    };
    assert_row(&found, &row);
    world.ado.clear_faults();
    world.clock.advance(Duration::from_mins(5));
    assert_row(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_failed_validation_changes_nothing() {
    let world = World::new().await;
    let before = connected(&world).await;
    world
        .ado
        .add_fault(Fault::on_path("*/_apis/connectiondata*", Effect::Status { code: 500, retry_after: None }).times(3));
    let asked = world.ado.last_request();
    world.clock.advance(Duration::from_mins(11));
    wait::until("failed tries", async || (world.ado.requests_since(asked).len() >= 3).then_some(())).await;
    world.clock.advance(Duration::from_secs(30));
    wait::until("a good try", async || {
        world.ado.requests_since(asked).iter().any(|request| request.target.contains("/projects")).then_some(())
    })
    .await;
    let after = world.api::<AdoIntegration>().get("contoso").await.unwrap();
    assert_eq!(before.metadata.resource_version, after.metadata.resource_version, "no write at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_outlives_an_outage() {
    let world = World::new().await;
    world.put_token(&world.pat("no_work")).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    world.ado.add_fault(Fault::always(Effect::Status { code: 502, retry_after: None }));
    let found = unreachable(&world).await;
    let row = Row { abnormal: &["Stalled", "Unreachable"], ..stuck("Error", "FeatureUnavailable") };
    assert_row(&found, &row);
    world.ado.clear_faults();
    world.clock.advance(Duration::from_mins(5));
    wait::object(&world.api(), "contoso", "reachable again", |found: &AdoIntegration| {
        !conditions(found).contains_key("Unreachable") && shows(found, "Error", "FeatureUnavailable")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_that_lasts_an_interval_is_shown_and_changes_nothing_else() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({"interval": "1m"}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.ado.add_fault(Fault::always(Effect::TooManyRequests { retry_after: 120 }));
    world.clock.advance(Duration::from_secs(61));
    let found = wait::object(&world.api(), "contoso", "throttled", |found: &AdoIntegration| {
        conditions(found).contains_key("Throttled")
    })
    .await;
    assert_row(&found, &Row { abnormal: &["Throttled"], ..ACTIVE });
    world.ado.clear_faults();
}

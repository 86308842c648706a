//! Rows of the table of states that an integration can stand in.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::control::PatChange;
use kube::ResourceExt as _;
use serde_json::json;
use support::wait;
use support::world::{TOKEN, World, message, observed};

use crate::configs::{self, assert_config};
use crate::integrations::{
    ACTIVE, GOOD, LACKING, NOTHING, apply, ask, assert_integration, connected, connected_with, echoes, integration,
    is_validated, pass, run, slow_verdict, stuck, waiting,
};
use crate::judge::Row;

/// Longer than it takes until a verdict that is not there yet is shown as such.
const SLOW: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_credential_makes_an_integration_active() {
    let world = World::new().await;
    let found = connected(&world).await;
    assert_integration(&found, &ACTIVE, GOOD);
    let status = found.status.clone().unwrap();
    assert_eq!(status.organization.as_ref().unwrap().name, "contoso");
    assert!(!status.identity.as_ref().unwrap().display_name.is_empty());
    assert_eq!(status.feature_summary.as_deref(), Some("2/2"));
    assert_eq!(status.features.len(), 7, "all seven features are probed");
    assert_eq!(status.credential.as_ref().unwrap().secret_name, TOKEN);
    assert_eq!(status.services.len(), 1);
    let effective = status.effective.unwrap();
    assert_eq!(effective.interval.as_deref(), Some("10m"));
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
    slow_verdict(&world, SLOW);
    apply(&world, json!({})).await;
    let found = world.integration_is("contoso", "Inactive", "Validating").await;
    assert_integration(&found, &waiting("Inactive", "Validating"), NOTHING);
    assert_integration(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_spec_keeps_the_state_while_it_is_validated() {
    let world = World::new().await;
    connected(&world).await;
    slow_verdict(&world, SLOW);
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"displayName": "Renamed"}})).await;
    let found = world.integration_is("contoso", "Active", "Validating").await;
    assert_integration(&found, &waiting("Active", "Validating"), NOTHING);
    assert_integration(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_stays_one_while_an_edited_spec_is_validated() {
    let world = World::new().await;
    world.put_token(&world.pat("no_work")).await;
    apply(&world, json!({})).await;
    world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    slow_verdict(&world, SLOW);
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"displayName": "Renamed"}})).await;
    let found = world.integration_is("contoso", "Error", "Validating").await;
    assert_integration(&found, &waiting("Error", "Validating"), NOTHING);
    let found = world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_connected_again_is_inactive_until_its_verdict_and_its_configs_wait() {
    let world = configs::synced().await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    // Its config shows that it waits two seconds after it was woken, so this verdict takes longer than others.
    slow_verdict(&world, 2 * SLOW);
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    let found = world.integration_is("contoso", "Inactive", "Validating").await;
    assert_integration(&found, &waiting("Inactive", "Validating"), NOTHING);
    let found = world.config_is("payments", "Inactive", "IntegrationNotReady").await;
    assert_config(&found, &configs::waiting("Inactive", "IntegrationNotReady"), configs::GOOD);
    assert_integration(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE, GOOD);
    assert_config(&configs::active(&world).await, &configs::ACTIVE, configs::GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validation_at_the_interval_touches_nothing() {
    let world = World::new().await;
    world.clock.hold();
    let before = connected(&world).await;
    let asked = world.ado.last_request();
    pass(&world, Duration::from_mins(11)).await;
    assert!(is_validated(&world, asked));
    let after = integration(&world).await;
    assert_eq!(before.resource_version(), after.resource_version(), "no write at all");
    let mut echoed = run(&world, "1").await;
    echoed.status.as_mut().unwrap().last_handled_requested_at = None;
    assert_eq!(before.status, echoed.status);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manual_sync_that_is_not_available_is_an_error() {
    let world = World::new().await;
    world.put_token(&world.pat("no_work")).await;
    apply(&world, json!({})).await;
    let found = world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
    let text = message(&found);
    assert!(text.contains("ManualSync needs") && text.contains("Work Items"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_wanted_feature_that_is_not_available_leaves_it_active_and_stuck() {
    let world = World::new().await;
    world.put_token(&world.pat("read_only")).await;
    apply(&world, json!({"features": ["ManualSync", "CreateDefect"]})).await;
    let found = world.integration_is("contoso", "Active", "FeatureUnavailable").await;
    assert_integration(&found, &stuck("Active", "FeatureUnavailable"), LACKING);
    let text = message(&found);
    assert!(text.contains("CreateDefect needs") && text.contains("Read & write"), "{text}");
    assert_eq!(found.status.unwrap().feature_summary.as_deref(), Some("1/2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feature_that_nobody_wants_may_be_missing() {
    let world = World::new().await;
    world.put_token(&world.pat("read_only")).await;
    assert_integration(&connected(&world).await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azure_repos_that_cannot_be_read_leaves_it_active_and_stuck() {
    let world = World::new().await;
    world.put_token(&world.pat("no_code")).await;
    apply(&world, json!({"services": ["AzureDevOps", "AzureRepos"]})).await;
    let found = world.integration_is("contoso", "Active", "AzureReposUnavailable").await;
    assert_integration(&found, &stuck("Active", "AzureReposUnavailable"), GOOD);
    world.put_token(&world.pat("full")).await;
    let found = world.integration_is("contoso", "Active", "Connected").await;
    assert_integration(&found, &ACTIVE, GOOD);
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
    connected_with(&world, wanted).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let before = world.config_is("payments", "Active", "Synced").await;
    let log = world.bookmark().await;
    let blamed = [
        ("FeatureUnavailable", ["vso.project", "vso.work", "vso.code"].as_slice(), LACKING),
        ("AzureReposUnavailable", &["vso.project", "vso.work_write"], GOOD),
    ];
    for (reason, scopes, own) in blamed {
        rescope(&world, scopes);
        ask(&world, reason).await;
        let found = world.integration_is("contoso", "Active", reason).await;
        assert_integration(&found, &stuck("Active", reason), own);
        let text = message(&found);
        let remedy = if reason == "FeatureUnavailable" { "scope Work Items: Read & write" } else { "scope Code: Read" };
        assert!(text.contains(remedy) && !text.contains("Analytics"), "{text}");
        world.pass::<AdoProjectConfig>(Duration::from_secs(2)).await;
    }
    let after = configs::config(&world).await;
    assert_config(&after, &configs::ACTIVE, configs::GOOD);
    assert_eq!(after.status, before.status);
    let writes = world.writes(&log).await;
    let of_configs: Vec<_> = writes.iter().filter(|entry| entry.object_ref.resource == "adoprojectconfigs").collect();
    assert!(of_configs.is_empty(), "{of_configs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnecting_is_healthy_and_sends_nothing_and_reconnecting_validates_again() {
    let world = World::new().await;
    connected(&world).await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    let found = world.integration_is("contoso", "Inactive", "Disconnected").await;
    let row = Row { state: "Inactive", ready: ("True", "Disconnected"), ..ACTIVE };
    assert_integration(&found, &row, NOTHING);
    assert_eq!(found.status.unwrap().organization.unwrap().name, "contoso", "history is kept");
    let asked = world.ado.last_request();
    world.clock.advance(Duration::from_hours(25));
    ask(&world, "now").await;
    wait::object(&world.api(), "contoso", "echoing at once", |found| echoes(found, "now")).await;
    assert!(world.ado.requests_since(asked).is_empty(), "nothing is sent while disconnected");
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    assert_integration(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE, GOOD);
}

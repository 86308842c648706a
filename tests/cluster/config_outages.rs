//! Rows of the table of states of a project config that cannot get its answers.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_operator::clock::Clock as _;
use ado_simulator::{Effect, Fault};
use kube::ResourceExt;
use serde_json::json;
use support::wait;
use support::world::{World, shows};

use crate::configs::{
    ACTIVE, GOOD, NOTHING, Own, SECOND, ask, assert_config, config, echoes, failing, has, pass, run, stuck, synced,
    waiting,
};
use crate::judge::Row;

/// Azure DevOps fails where a config needs it and an integration does not.
fn break_backlogs(world: &World, effect: Effect) {
    world.ado.add_fault(Fault::on_path("*/_apis/work/backlogconfiguration*", effect));
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
        .as_time_passes(SECOND, "payments", "tried once more", |_: &AdoProjectConfig| {
            world.ado.requests_since(sent).iter().filter(|request| request.target.contains(&project)).count() >= 3
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
    assert!(world.ado.count("GET", "/work/backlogconfiguration") > 3, "not before three tries");

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

/// A 200 may ask for a pause as well as a 429 may: what comes after it must wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_answer_with_a_long_pause_throttles_what_comes_after_it() {
    let world = synced().await;
    let late = Effect::Delay { milliseconds: 200, retry_after: Some(1200) };
    world.ado.add_fault(Fault::on_path("*/_apis/projects/*", late).times(1));
    let asked = world.ado.last_request();
    ask(&world, "late").await;
    let found: AdoProjectConfig =
        wait::object(&world.api(), "payments", "throttled", |found| has(found, "Throttled")).await;
    assert_config(&found, &Row { abnormal: &["Throttled"], ..ACTIVE }, GOOD);
    assert!(!echoes(&found, "late"), "neither success nor failure, so the run has not ended");
    let sent = world.ado.requests_since(asked);
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_outlives_throttling() {
    let world = synced().await;
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"team": "Nobody"}})).await;
    world.config_is("payments", "Error", "TeamNotFound").await;
    let throttled = Effect::TooManyRequests { retry_after: 1200 };
    world.ado.add_fault(Fault::on_path("*/_apis/projects/*", throttled).times(1));
    ask(&world, "throttled").await;
    let found: AdoProjectConfig =
        wait::object(&world.api(), "payments", "throttled", |found| has(found, "Throttled")).await;
    let own: Own = &[("MappingValid", "False", "TeamNotFound"), ("Synced", "True", "Synced")];
    assert_config(&found, &Row { abnormal: &["Stalled", "Throttled"], ..stuck("TeamNotFound") }, own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_is_shown_is_shown_by_the_next_process_too() {
    let mut world = synced().await;
    world.ado.add_fault(Fault::on_path("*/_apis/work/backlogconfiguration*", Effect::MalformedJson));
    run(&world, "fails").await;
    let unreachable = |found: &AdoProjectConfig| shows(found, "Active", "Unreachable");
    world.as_time_passes(SECOND, "payments", "unreachable", unreachable).await;
    world.operator = None;
    let asked = world.ado.count("GET", "/work/backlogconfiguration");
    world.start().await.unwrap();
    let tried = || world.ado.count("GET", "/work/backlogconfiguration") > asked;
    wait::until("the next process tried", async || tried().then_some(())).await;
    pass(&world, Duration::from_secs(1)).await;
    let found: AdoProjectConfig = config(&world).await;
    assert!(shows(&found, "Active", "Unreachable"), "{:?}", found.status);
    world.ado.clear_faults();
    let back = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    world.as_time_passes(SECOND, "payments", "back", back).await;
}

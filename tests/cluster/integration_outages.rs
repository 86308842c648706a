//! Rows of the table of states of an integration that cannot get its answers.

use std::net::TcpListener;
use std::time::Duration;

use ado_operator::api::AdoIntegration;
use ado_operator::clock::Clock as _;
use ado_simulator::{Effect, Fault};
use futures::{StreamExt as _, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;
use serde_json::json;
use support::world::{World, message};

use crate::integrations::{
    ACTIVE, GOOD, LACKING, NOTHING, OUT_OF_REACH, apply, assert_integration, checks, connected, has, integration,
    is_validated, pass, run, stuck, unreachable, waiting,
};
use crate::judge::Row;

/// How fast time passes where a test waits for the end of a pause.
const STEP: Duration = Duration::from_secs(10);

/// So long nothing but the condition tells of an outage.
const GRACE: Duration = Duration::from_mins(15);

/// Worlds at the same time: with more the machine is too busy for the patience of a test.
const WORLDS: usize = 3;

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
        Effect::ForeignPage,
        // More than any answer about a connection may have.
        Effect::Oversized { bytes: 5 << 20 },
        Effect::Delay { milliseconds: 20_000, retry_after: None },
        Effect::SlowBody { interval_milliseconds: 100 },
    ]
}

/// Answers that come to no end in time. They are waited for not as long as an administrator has to wait.
fn is_slow(effect: &Effect) -> bool {
    matches!(effect, Effect::Delay { .. } | Effect::SlowBody { .. })
}

/// Lets time pass until the integration shows that no verdict can be had.
async fn becomes_unreachable(world: &World) -> AdoIntegration {
    world.as_time_passes(STEP, "contoso", "unreachable", |found| has(found, "Unreachable")).await
}

/// When the condition began to stand there.
fn unreachable_since(found: &AdoIntegration) -> &Condition {
    let shown = &found.status.as_ref().unwrap().conditions;
    shown.iter().find(|condition| condition.type_ == "Unreachable").unwrap()
}

/// Lets time pass until so long after the outage was shown.
async fn pass_until(world: &World, found: &AdoIntegration, time: Duration) {
    let since = unreachable_since(found).last_transition_time.0;
    let passed = Duration::try_from(world.clock.now().duration_since(since)).unwrap();
    pass(world, time.saturating_sub(passed)).await;
}

/// Waits, while time passes, until all is good.
async fn comes_back(world: &World) {
    let back = |found: &AdoIntegration| support::world::shows(found, "Active", "Connected");
    let found = world.as_time_passes(STEP, "contoso", "back", back).await;
    assert_integration(&found, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_verdict_after_a_good_one_becomes_unknown_and_in_the_end_an_error() {
    stream::iter(outages()).for_each_concurrent(WORLDS, outage).await;
}

async fn outage(effect: Effect) {
    let mut world = World::new().await;
    if is_slow(&effect) {
        world.restart_with_deadline(Duration::from_secs(2)).await;
    }
    connected(&world).await;
    println!("outage: {effect:?}");
    world.ado.add_fault(Fault::always(effect));
    world.clock.advance(Duration::from_mins(11));
    let found = becomes_unreachable(&world).await;
    // An outage says nothing about the credential.
    assert_integration(&found, &unreachable("Active"), GOOD);
    world.clock.advance(GRACE);
    let found = world.integration_is("contoso", "Error", "Unreachable").await;
    assert_integration(&found, &OUT_OF_REACH, GOOD);
    world.ado.clear_faults();
    comes_back(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_integration_out_of_reach_waits_for_15_minutes_and_not_a_second_less() {
    let world = World::new().await;
    world.clock.hold();
    world.ado.add_fault(Fault::always(Effect::MalformedJson));
    apply(&world, json!({})).await;
    let found = world.integration_is("contoso", "Inactive", "Validating").await;
    assert_integration(&found, &waiting("Inactive", "Validating"), NOTHING);
    let found = becomes_unreachable(&world).await;
    assert_integration(&found, &unreachable("Inactive"), NOTHING);
    assert!(checks(&world, 0) >= 3, "not before three tries");

    pass_until(&world, &found, GRACE.saturating_sub(Duration::from_secs(1))).await;
    assert_integration(&integration(&world).await, &unreachable("Inactive"), NOTHING);
    pass(&world, Duration::from_secs(1)).await;
    let found = world.integration_is("contoso", "Error", "Unreachable").await;
    assert_integration(&found, &OUT_OF_REACH, NOTHING);
    world.ado.clear_faults();
    comes_back(&world).await;
}

/// A port of this machine on which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_exist_is_out_of_reach_and_the_message_says_how() {
    let closed = format!("localhost:{}", closed_port());
    // No name below `invalid` is ever given to anybody (RFC 6761).
    for (host, words) in [(closed.as_str(), "no connection could be made"), ("ado.invalid", "could not be resolved")] {
        let mut world = World::new().await;
        world.restart_with(&["--allowed-host", host]).await;
        apply(&world, json!({"organizationURL": format!("https://{host}/contoso")})).await;
        let found = becomes_unreachable(&world).await;
        assert_integration(&found, &unreachable("Inactive"), NOTHING);
        let text = message(&found);
        assert!(text.contains(host) && text.contains(words), "{text}");
        world.clock.advance(GRACE);
        let found = world.integration_is("contoso", "Error", "Unreachable").await;
        assert_integration(&found, &OUT_OF_REACH, NOTHING);
        assert!(world.ado.requests_since(0).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_failed_validation_changes_nothing() {
    let world = World::new().await;
    world.clock.hold();
    let before = connected(&world).await;
    world
        .ado
        .add_fault(Fault::on_path("*/_apis/connectiondata*", Effect::Status { code: 500, retry_after: None }).times(3));
    let asked = world.ado.last_request();
    pass(&world, Duration::from_mins(11)).await;
    assert_eq!(world.ado.requests_since(asked).len(), 3, "one try, which the client made three times");
    pass(&world, Duration::from_secs(30)).await;
    assert!(is_validated(&world, asked), "a good try");
    let after = integration(&world).await;
    assert_eq!(before.resource_version(), after.resource_version(), "no write at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_outlives_an_outage_however_long_that_is() {
    let world = World::new().await;
    world.put_token(&world.pat("no_work")).await;
    apply(&world, json!({})).await;
    world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    world.ado.add_fault(Fault::always(Effect::Status { code: 502, retry_after: None }));
    world.clock.advance(Duration::from_mins(11));
    let found = becomes_unreachable(&world).await;
    let row = Row { abnormal: &["Stalled", "Unreachable"], ..stuck("Error", "FeatureUnavailable") };
    assert_integration(&found, &row, LACKING);
    pass_until(&world, &found, GRACE + Duration::from_mins(5)).await;
    assert_integration(&run(&world, "fails").await, &row, LACKING);
    world.ado.clear_faults();
    let reachable = |found: &AdoIntegration| !has(found, "Unreachable");
    let found = world.as_time_passes(STEP, "contoso", "reachable again", reachable).await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
}

//! Pauses that Azure DevOps asks an integration for: neither success nor failure.

use std::time::Duration;

use ado_operator::api::AdoIntegration;
use ado_simulator::{Effect, Fault};
use serde_json::json;
use support::wait;
use support::world::World;

use crate::integrations::{
    ACTIVE, GOOD, LACKING, NOTHING, apply, assert_integration, connected, connected_with, has, integration,
    is_validated, pass, stuck, waiting,
};
use crate::judge::Row;

/// A little more than the shortest interval.
const INTERVAL: Duration = Duration::from_secs(61);

/// A connected integration whose checks must wait.
const THROTTLED: Row<'_> = Row { abnormal: &["Throttled"], ..ACTIVE };

/// Every request is refused, with a pause of so many seconds.
fn throttle(world: &World, seconds: u32) -> u64 {
    world.ado.add_fault(Fault::always(Effect::TooManyRequests { retry_after: seconds }))
}

async fn throttled(world: &World) -> AdoIntegration {
    wait::object(&world.api(), "contoso", "throttled", |found| has(found, "Throttled")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_that_lasts_an_interval_is_shown_and_changes_nothing_else() {
    let world = World::new().await;
    connected_with(&world, json!({"interval": "1m"})).await;
    throttle(&world, 120);
    world.clock.advance(INTERVAL);
    assert_integration(&throttled(&world).await, &THROTTLED, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_outlives_throttling() {
    let world = World::new().await;
    world.put_token(&world.pat("no_work")).await;
    apply(&world, json!({"interval": "1m"})).await;
    world.integration_is("contoso", "Error", "FeatureUnavailable").await;
    throttle(&world, 120);
    world.clock.advance(INTERVAL);
    let row = Row { abnormal: &["Stalled", "Throttled"], ..stuck("Error", "FeatureUnavailable") };
    assert_integration(&throttled(&world).await, &row, LACKING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_new_integration_that_is_throttled_nothing_is_claimed() {
    let world = World::new().await;
    throttle(&world, 1200);
    apply(&world, json!({})).await;
    let row = Row { abnormal: &["Reconciling", "Throttled"], ..waiting("Inactive", "Validating") };
    assert_integration(&throttled(&world).await, &row, NOTHING);
}

/// The pause is kept by the machine's clock too, so it is as short as it can be: what follows the first answer must come to
/// its end well before the pause does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_is_over_when_the_pause_simply_ends() {
    let world = World::new().await;
    world.clock.hold();
    let before = connected_with(&world, json!({"interval": "1m"})).await;
    let fault = throttle(&world, 12);
    let asked = world.ado.last_request();
    pass(&world, INTERVAL).await;
    assert!(world.ado.remove_fault(fault));
    let known = integration(&world).await;
    assert_eq!(known.status, before.status, "a pause within an interval is not shown");
    pass(&world, INTERVAL).await;
    assert_integration(&throttled(&world).await, &THROTTLED, GOOD);
    assert_eq!(world.ado.requests_since(asked).len(), 1, "nothing is sent during the pause");

    let ended = |found: &AdoIntegration| !has(found, "Throttled");
    let after = world.as_time_passes(Duration::from_secs(1), "contoso", "no more throttled", ended).await;
    assert_integration(&after, &ACTIVE, GOOD);
    assert_eq!(after.status, before.status);
    assert!(is_validated(&world, asked), "by a whole validation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_answer_that_comes_late_with_a_pause_is_taken_and_the_pause_is_kept() {
    let world = World::new().await;
    world.clock.hold();
    let before = connected_with(&world, json!({"interval": "1m"})).await;
    let late = Effect::Delay { milliseconds: 200, retry_after: Some(1200) };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", late).times(1));
    let asked = world.ado.last_request();
    pass(&world, INTERVAL).await;
    assert_eq!(integration(&world).await.status, before.status, "what was known stays known");
    pass(&world, INTERVAL).await;
    assert_integration(&throttled(&world).await, &THROTTLED, GOOD);
    let sent = world.ado.requests_since(asked);
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_one_identity_is_none_of_another() {
    let world = World::new().await;
    connected(&world).await;
    let full = world.ado.requests_since(0).iter().find_map(|request| request.identity).unwrap();
    world.ado.add_fault(Fault::always(Effect::TooManyRequests { retry_after: 1200 }).identity(full));
    world.clock.advance(Duration::from_mins(11));
    throttled(&world).await;
    world.put_secret("other-pat", "token", &world.pat("contributor")).await;
    let other = json!({"auth": {"pat": {"secretRef": {"name": "other-pat"}}}});
    world.apply::<AdoIntegration>(world.integration("other", other)).await;
    assert_integration(&world.integration_is("other", "Active", "Connected").await, &ACTIVE, GOOD);
}

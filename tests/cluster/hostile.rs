//! What somebody may try who can write our objects, and nothing else.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::{Effect, Fault};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use support::wait;
use support::world::{TOKEN, World, conditions, shows};

/// Names that would turn a request for one Secret into another request.
const NAMES: [&str; 6] = ["?x=1", "?watch=true", "../secrets", "a b", "a/b", "UPPER"];

fn secret_named(name: &str) -> Value {
    json!({"auth": {"pat": {"secretRef": {"name": name}}}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_would_change_a_request_are_refused_and_not_repeated() {
    let world = World::new().await;
    for name in NAMES {
        let ca = json!({"caBundle": {"configMapRef": {"name": name}}});
        for change in [secret_named(name), ca] {
            let refused = world.try_apply::<AdoIntegration>(world.integration("contoso", change)).await;
            let text = refused.expect_err("a refusal").to_string();
            assert!(text.contains("must be the name of an object"), "{text}");
            assert!(!text.contains(name), "{text}");
        }
        let config = world.config("payments", name, json!({}));
        let text = world.try_apply::<AdoProjectConfig>(config).await.expect_err("a refusal").to_string();
        assert!(text.contains("must be the name of an object"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_only_touched_is_no_new_credential() {
    let world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    let asked = world.ado.last_request();
    for touch in 0..5 {
        let label = json!({"metadata": {"labels": {"touched": touch.to_string()}}});
        world.patch::<Secret>(TOKEN, label).await;
        world.pass::<AdoIntegration>(Duration::from_secs(1)).await;
    }
    assert!(world.ado.requests_since(asked).is_empty(), "a refused token is left alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_secret_does_not_wait_for_the_end_of_a_pause() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.ado.add_fault(Fault::always(Effect::TooManyRequests { retry_after: 3000 }));
    world.clock.advance(Duration::from_mins(11));
    wait::object(&world.api(), "contoso", "throttled", |found: &AdoIntegration| {
        conditions(found).contains_key("Throttled")
    })
    .await;
    world.ado.clear_faults();
    world.put_token(&world.pat("contributor")).await;
    wait::object(&world.api(), "contoso", "on the new token", |found: &AdoIntegration| {
        shows(found, "Active", "Connected") && !conditions(found).contains_key("Throttled")
    })
    .await;
}

//! Things that an integration names and that do not exist: waited for, for a minute, since they may be on their way.

use std::time::Duration;

use ado_operator::api::AdoIntegration;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use serde_json::{Value, json};
use support::world::{CA, TOKEN, World};

use crate::integrations::{
    ACTIVE, GOOD, LACKING, NOTHING, apply, assert_integration, assert_refused, connected, integration, pass, stuck,
    waiting,
};

/// Waits until the absence is shown as an error, with those words.
async fn error(world: &World, reason: &str, words: &[&str]) {
    assert_refused(&world.integration_is("contoso", "Error", reason).await, reason, words);
}

/// Waits until the absence is shown as something that may be on its way.
async fn wait_shown(world: &World, state: &str, reason: &str) -> AdoIntegration {
    let found = world.integration_is("contoso", state, reason).await;
    assert_integration(&found, &waiting(state, reason), NOTHING);
    found
}

/// Waits until all is good.
async fn good(world: &World) {
    assert_integration(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE, GOOD);
}

/// Leaves the token's Secret with another key alone.
async fn take_token_key(world: &World) {
    let other = json!({"data": {"token": null}, "stringData": {"other": "x"}});
    world.patch::<Secret>(TOKEN, other).await;
}

/// Leaves the ConfigMap with another key alone.
async fn take_ca_key(world: &World) {
    world.patch::<ConfigMap>(CA, json!({"data": {"ca.crt": null, "other": "x"}})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn things_that_arrive_in_any_order_are_waited_for() {
    let world = World::new().await;
    world.delete::<Secret>(TOKEN).await;
    apply(&world, json!({})).await;
    wait_shown(&world, "Inactive", "SecretNotFound").await;
    world.put_token(&world.pat("full")).await;
    good(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_absent_for_a_minute_is_an_error_and_not_a_second_before() {
    let world = World::new().await;
    connected(&world).await;
    world.clock.hold();
    world.delete::<Secret>(TOKEN).await;
    let shown = wait_shown(&world, "Active", "SecretNotFound").await;
    pass(&world, Duration::from_secs(59)).await;
    let still = integration(&world).await;
    assert_eq!(still.resource_version(), shown.resource_version(), "waited for in silence: {:?}", still.status);
    pass(&world, Duration::from_secs(1)).await;
    error(&world, "SecretNotFound", &[TOKEN]).await;
    world.put_secret(TOKEN, "other", "x").await;
    error(&world, "SecretKeyNotFound", &[]).await;
    world.put_token(&world.pat("full")).await;
    good(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_taken_out_of_the_secret_is_waited_for_and_then_an_error_until_it_is_back() {
    let world = World::new().await;
    connected(&world).await;
    take_token_key(&world).await;
    wait_shown(&world, "Active", "SecretKeyNotFound").await;
    world.clock.advance(Duration::from_secs(61));
    error(&world, "SecretKeyNotFound", &[TOKEN, "no key token"]).await;
    world.put_token(&world.pat("full")).await;
    good(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_never_had_the_key_is_waited_for_and_then_an_error_until_it_has() {
    let world = World::new().await;
    take_token_key(&world).await;
    apply(&world, json!({})).await;
    wait_shown(&world, "Inactive", "SecretKeyNotFound").await;
    world.clock.advance(Duration::from_secs(61));
    error(&world, "SecretKeyNotFound", &[]).await;
    world.put_token(&world.pat("full")).await;
    good(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_bad_verdict_there_is_no_minute_of_grace() {
    let world = World::new().await;
    world.clock.hold();
    for reason in ["SecretNotFound", "SecretKeyNotFound", "ConfigMapNotFound"] {
        world.put_token(&world.pat("no_work")).await;
        world.put_ca(world.ado.ca_pem()).await;
        apply(&world, json!({"description": reason})).await;
        let bad = world.integration_is("contoso", "Error", "FeatureUnavailable").await;
        assert_integration(&bad, &stuck("Error", "FeatureUnavailable"), LACKING);
        match reason {
            "SecretNotFound" => world.delete::<Secret>(TOKEN).await,
            "SecretKeyNotFound" => take_token_key(&world).await,
            _ => take_ca_key(&world).await,
        }
        error(&world, reason, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_ca_is_waited_for_like_an_absent_secret() {
    let world = World::new().await;
    world.delete::<ConfigMap>(CA).await;
    apply(&world, json!({})).await;
    wait_shown(&world, "Inactive", "ConfigMapNotFound").await;
    world.clock.advance(Duration::from_secs(61));
    error(&world, "ConfigMapNotFound", &[]).await;
    world.put_ca(world.ado.ca_pem()).await;
    good(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_map_without_its_key_is_waited_for_before_and_after_the_first_verdict() {
    let world = World::new().await;
    take_ca_key(&world).await;
    apply(&world, json!({})).await;
    wait_shown(&world, "Inactive", "ConfigMapNotFound").await;
    world.put_ca(world.ado.ca_pem()).await;
    good(&world).await;

    take_ca_key(&world).await;
    wait_shown(&world, "Active", "ConfigMapNotFound").await;
    world.clock.advance(Duration::from_secs(61));
    error(&world, "ConfigMapNotFound", &[&format!("ConfigMap {CA} with key ca.crt")]).await;
    world.put_ca(world.ado.ca_pem()).await;
    good(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_ca_in_a_secret_is_waited_for_and_then_an_error_until_it_is_there() {
    let world = World::new().await;
    let change = json!({"caBundle": {"configMapRef": Value::Null, "secretRef": {"name": "ca", "key": "bundle.pem"}}});
    apply(&world, change).await;
    wait_shown(&world, "Inactive", "SecretNotFound").await;
    world.clock.advance(Duration::from_secs(61));
    error(&world, "SecretNotFound", &["Secret ca with key bundle.pem"]).await;
    world.put_secret("ca", "other", world.ado.ca_pem()).await;
    error(&world, "SecretKeyNotFound", &[]).await;
    world.put_secret("ca", "bundle.pem", world.ado.ca_pem()).await;
    good(&world).await;
}

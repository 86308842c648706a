//! The audit trail: who connected, disconnected and changed what, and what Azure DevOps said to it.

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig};
use ado_operator::store::{AuditAction, Store};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use support::wait;
use support::world::{TOKEN, World, shows};

use crate::configs;
use crate::integrations::{apply, checks, connected, integration, is_validated, run};

/// The field manager of the world's objects.
const PERSON: &str = "kubernetes: kubectl";

/// Something else that writes Secrets.
const ROTATOR: &str = "kubernetes: rotator";

/// What the operator found out by itself.
const OPERATOR: &str = "kubernetes: ado-operator";

/// Who deleted an object: the object itself does not tell.
const UNKNOWN: &str = "kubernetes: unknown";

/// Actions on an object with their actors, the oldest first. The operator is stopped for that: its store has one reader.
async fn trail(world: &mut World, name: &str) -> Vec<(AuditAction, String)> {
    world.stop().await;
    let store = Store::open(world.data()).await.unwrap();
    let mut records = store.audit(&world.namespace, name, 100).await.unwrap();
    store.close().await;
    records.reverse();
    records.into_iter().map(|record| (record.action, record.actor.to_string())).collect()
}

/// The same with actors that were written down.
fn told(wanted: &[(AuditAction, &str)]) -> Vec<(AuditAction, String)> {
    wanted.iter().map(|(action, actor)| (*action, (*actor).to_owned())).collect()
}

/// Changes the token as a program does that rotates it, and waits until there is a verdict on the new one.
async fn rotate(world: &World, label: &str, state: &str, reason: &str) {
    world.calm::<AdoIntegration>().await;
    let asked = world.ado.last_request();
    let params = PatchParams { field_manager: Some("rotator".into()), ..PatchParams::default() };
    let change = Patch::Merge(json!({"stringData": {"token": world.pat(label)}}));
    world.api::<Secret>().patch(TOKEN, &params, &change).await.unwrap();
    // A refusal is believed when it came twice, and an acceptance when everything was asked.
    let looked = || is_validated(world, asked) || checks(world, asked) >= 2;
    wait::until("a verdict on the new token", async || looked().then_some(())).await;
    // It is shown, and told, at the end of its look.
    world.calm::<AdoIntegration>().await;
    world.integration_is("contoso", state, reason).await;
}

/// Applies the integration with that state, as a person does.
async fn set(world: &World, state: &str, reason: &str) {
    apply(world, json!({"state": state})).await;
    world.integration_is("contoso", state, reason).await;
}

/// Deletes the integration in that state for good, as a person does.
async fn delete(world: &World, state: &str) {
    let mut object = world.integration("contoso", json!({"state": state}));
    object["metadata"]["annotations"] = json!({ALLOW_DELETION: "true"});
    world.apply::<AdoIntegration>(object).await;
    world.delete::<AdoIntegration>("contoso").await;
    wait::until("the integration to be gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_of_an_integration_tells_who_connected_changed_and_disconnected_it() {
    let mut world = World::new().await;
    connected(&world).await;
    rotate(&world, "operator", "Active", "Connected").await;
    rotate(&world, "expired", "Error", "CredentialRefused").await;
    rotate(&world, "revoked", "Error", "CredentialRefused").await;
    rotate(&world, "contributor", "Active", "Connected").await;
    set(&world, "Inactive", "Disconnected").await;
    set(&world, "Active", "Connected").await;
    delete(&world, "Active").await;
    let wanted = told(&[
        (AuditAction::Connected, PERSON),
        (AuditAction::CredentialChanged, ROTATOR),
        (AuditAction::CredentialRefused, OPERATOR),
        (AuditAction::CredentialRefused, OPERATOR),
        (AuditAction::CredentialChanged, ROTATOR),
        (AuditAction::Disconnected, PERSON),
        (AuditAction::Connected, PERSON),
        (AuditAction::Disconnected, UNKNOWN),
    ]);
    assert_eq!(trail(&mut world, "contoso").await, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_token_that_was_refused_makes_the_next_one_a_connection() {
    let mut world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    apply(&world, json!({})).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    rotate(&world, "full", "Active", "Connected").await;
    let wanted = told(&[(AuditAction::CredentialRefused, OPERATOR), (AuditAction::Connected, PERSON)]);
    assert_eq!(trail(&mut world, "contoso").await, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_after_a_reconnect_makes_the_next_token_a_connection_too() {
    let mut world = World::new().await;
    connected(&world).await;
    set(&world, "Inactive", "Disconnected").await;
    world.put_token(&world.pat("expired")).await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    rotate(&world, "full", "Active", "Connected").await;
    let actions: Vec<AuditAction> = trail(&mut world, "contoso").await.into_iter().map(|(action, _)| action).collect();
    let wanted =
        [AuditAction::Connected, AuditAction::Disconnected, AuditAction::CredentialRefused, AuditAction::Connected];
    assert_eq!(actions, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_created_disconnected_was_never_connected() {
    let mut world = World::new().await;
    set(&world, "Inactive", "Disconnected").await;
    delete(&world, "Inactive").await;
    assert_eq!(trail(&mut world, "contoso").await, told(&[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_connects_nothing_that_was_not_connected_before() {
    let mut world = World::new().await;
    connected(&world).await;
    world.stop().await;
    let asked = world.ado.last_request();
    world.start().await.unwrap();
    wait::until("a validation", async || is_validated(&world, asked).then_some(())).await;
    run(&world, "after the restart").await;
    assert!(shows(&integration(&world).await, "Active", "Connected"));
    assert_eq!(trail(&mut world, "contoso").await, told(&[(AuditAction::Connected, PERSON)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_of_a_config_tells_of_each_full_read() {
    let mut world = configs::synced().await;
    configs::run(&world, "again").await;
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"team": "Nobody"}})).await;
    world.config_is("payments", "Error", "TeamNotFound").await;
    let wanted = told(&[(AuditAction::Synced, OPERATOR), (AuditAction::Synced, OPERATOR)]);
    assert_eq!(trail(&mut world, "payments").await, wanted);
}

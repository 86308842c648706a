//! Objects that somebody with the right to write them spoiled: they must not stand in the way of others.

use ado_operator::api::AdoIntegration;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Secret;
use kube::Resource;
use serde_json::{Value, json};
use support::world::World;

use crate::integrations::{self, ACTIVE, GOOD, assert_integration};

/// Kubernetes takes times up to the end of the year 9999; we can read fewer.
const FAR: &str = "9999-12-31T23:59:59Z";

/// Where the object is.
fn url<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(world: &World, name: &str) -> String {
    format!("{}/{name}", K::url_path(&(), Some(&world.namespace)))
}

/// Sends what our types cannot hold.
async fn send(world: &World, request: http::request::Builder, body: &Value) -> Value {
    let request = request.body(serde_json::to_vec(body).unwrap()).unwrap();
    serde_json::from_str(&world.client.request_text(request).await.unwrap()).unwrap()
}

/// Gives the object's managed fields a time that we cannot read.
async fn spoil<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(world: &World, name: &str) {
    let url = url::<K>(world, name);
    let mut object = send(world, http::Request::get(&url), &Value::Null).await;
    for entry in object["metadata"]["managedFields"].as_array_mut().unwrap() {
        entry["time"] = FAR.into();
    }
    object["metadata"]["labels"] = json!({"spoiled": "true"});
    let put = http::Request::put(format!("{url}?fieldManager=other")).header("content-type", "application/json");
    let kept = send(world, put, &object).await;
    assert!(kept["metadata"]["managedFields"].to_string().contains(FAR), "{kept}");
}

/// An integration that has nothing to do, and is in nobody's way.
async fn bystander(world: &World) {
    world.apply::<AdoIntegration>(world.integration("spoiled", json!({"state": "Inactive"}))).await;
    world.integration_is("spoiled", "Inactive", "Disconnected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_with_managed_fields_that_cannot_be_read_stops_nobody() {
    let mut world = World::new().await;
    bystander(&world).await;
    spoil::<AdoIntegration>(&world, "spoiled").await;
    world.stop().await;
    world.start().await.unwrap();
    assert_integration(&integrations::connected(&world).await, &ACTIVE, GOOD);
    spoil::<AdoIntegration>(&world, "contoso").await;
    world.apply::<AdoIntegration>(world.integration("other", json!({}))).await;
    world.integration_is("other", "Active", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_with_managed_fields_that_cannot_be_read_hides_no_change_of_another() {
    let mut world = World::new().await;
    integrations::connected(&world).await;
    world.put_secret("spoiled", "key", "value").await;
    spoil::<Secret>(&world, "spoiled").await;
    world.stop().await;
    world.start().await.unwrap();
    integrations::run(&world, "so it runs").await;
    world.put_token(&world.pat("expired")).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_cannot_be_read_is_written_anew_and_stops_nobody() {
    let condition = json!({"type": "Ready", "status": "True", "reason": "A", "message": "", "lastTransitionTime": FAR});
    for status in [
        json!({"effective": {"interval": "nonsense"}}),
        json!({"effective": {"interval": "999999999999999999999h"}}),
        json!({"conditions": [condition]}),
    ] {
        let mut world = World::new().await;
        bystander(&world).await;
        world.stop().await;
        let url = format!("{}/status", url::<AdoIntegration>(&world, "spoiled"));
        let patch = http::Request::patch(url).header("content-type", "application/merge-patch+json");
        send(&world, patch, &json!({"status": status})).await;
        world.start().await.unwrap();
        integrations::connected(&world).await;
        world.integration_is("spoiled", "Inactive", "Disconnected").await;
    }
}

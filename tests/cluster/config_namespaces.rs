//! Which namespaces an integration allows, as their project configs see it.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, REQUESTED_AT};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource as _};
use serde_json::{Value, json};
use support::control_plane::{ControlPlane, RELEASE};
use support::wait;
use support::world::{World, conditions, message, shows};

use crate::configs::{ACTIVE, GOOD, NOTHING, assert_config, batches, echoes, stuck, waiting};

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
    let reads = batches(&world);
    let asked = Patch::Merge(json!({"metadata": {"annotations": {REQUESTED_AT: "1"}}}));
    elsewhere.api.patch("payments", &PatchParams::default(), &asked).await.unwrap();
    world.clock.advance(Duration::from_hours(25));
    let found = elsewhere.is("Error", "IntegrationNotAvailable").await;
    assert_config(&found, &stuck("IntegrationNotAvailable"), GOOD);
    assert!(echoes(&found, "1"), "the request ended with the verdict");
    assert_eq!(batches(&world), reads);

    allow(&world, json!({"from": "All"})).await;
    assert_config(&elsewhere.is("Active", "Synced").await, &ACTIVE, GOOD);
}

/// In a control plane of its own, since this operator serves every namespace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namespaces_are_selected_by_their_labels_as_they_are_now() {
    let world = World::everywhere(ControlPlane::own().await).await;
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

/// A selector may also choose by what is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selector_allows_no_namespace_whose_labels_cannot_be_had() {
    let control_plane = ControlPlane::own().await;
    let roles: Api<ClusterRole> = Api::all(control_plane.admin().await.unwrap());
    let mut role = roles.get(RELEASE).await.unwrap();
    let names = |rule: &PolicyRule| rule.resources.iter().flatten().any(|resource| resource == "namespaces");
    role.rules.iter_mut().for_each(|rules| rules.retain(|rule| !names(rule)));
    roles.replace(RELEASE, &PostParams::default(), &role).await.unwrap();

    let world = World::everywhere(control_plane).await;
    let others = json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["untrusted"]}]});
    let spec = json!({"allowedNamespaces": {"from": "Selector", "selector": others}});
    world.apply::<AdoIntegration>(world.integration("contoso", spec)).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let untrusted = json!({"metadata": {"name": "untrusted", "labels": {"tier": "untrusted"}}});
    namespaces.create(&PostParams::default(), &serde_json::from_value(untrusted).unwrap()).await.unwrap();
    let mut config = world.config("payments", "contoso", json!({"integrationRef": {"namespace": world.namespace}}));
    config["apiVersion"] = AdoProjectConfig::api_version(&()).into();
    config["kind"] = AdoProjectConfig::kind(&()).into();
    let configs: Api<AdoProjectConfig> = Api::namespaced(world.client.clone(), "untrusted");
    configs.create(&PostParams::default(), &serde_json::from_value(config).unwrap()).await.unwrap();
    let waits = |found: &AdoProjectConfig| {
        conditions(found).get("Ready").is_some_and(|(_, reason)| reason == "IntegrationNotAvailable")
    };
    wait::object(&configs, "payments", "without an integration", waits).await;
}

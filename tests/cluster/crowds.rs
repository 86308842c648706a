//! Many objects of one identity: a few are under way at a time, the others wait and claim nothing.

use std::fmt::Debug;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, REQUESTED_AT};
use ado_simulator::{Effect, Fault};
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::api::ListParams;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use support::wait;
use support::world::{World, message, shows};

use crate::configs::{self, assert_config};
use crate::integrations::{self, assert_integration};

/// More than may be under way of one identity at a time.
const CROWD: u64 = 12;

/// Long enough for whoever waits to say so.
const SLOW: Effect = Effect::Delay { milliseconds: 10_000, retry_after: None };

/// Names of those who take all places.
fn others() -> impl Iterator<Item = String> {
    (0..CROWD).map(|number| format!("other-{number}"))
}

/// Whether it says that it waits for others.
fn says_that_it_waits<K: Serialize>(found: &K) -> bool {
    message(found).contains("Waits until other")
}

/// Waits until one of the crowd has to wait: then all places are taken.
async fn full_house<K>(world: &World)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize,
{
    wait::until("one that waits", async || {
        let all = world.api::<K>().list(&ListParams::default()).await.ok()?;
        all.items.iter().any(says_that_it_waits).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_integration_that_has_to_wait_claims_nothing_of_its_new_spec() {
    let world = World::new().await;
    integrations::connected(&world).await;
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", SLOW).times(CROWD));
    for name in others() {
        world.apply::<AdoIntegration>(world.integration(&name, json!({}))).await;
    }
    full_house::<AdoIntegration>(&world).await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"description": "edited"}})).await;
    let found: AdoIntegration = wait::object(&world.api(), "contoso", "waiting", says_that_it_waits).await;
    assert_integration(&found, &integrations::waiting("Active", "Validating"), integrations::NOTHING);
    world.ado.clear_faults();
    let connected = |found: &AdoIntegration| shows(found, "Active", "Connected");
    for name in others().chain(["contoso".to_owned()]) {
        let found = wait::object_within(2 * wait::PATIENCE, &world.api(), &name, "connected", connected).await;
        assert_integration(&found, &integrations::ACTIVE, integrations::GOOD);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_config_that_has_to_wait_claims_nothing_of_its_new_spec() {
    let world = configs::synced().await;
    world.ado.add_fault(Fault::on_path("*/_apis/projects/*", SLOW).times(CROWD));
    for name in others() {
        let mut other = world.config(&name, "contoso", json!({}));
        // What is known of the project would do for it otherwise.
        other["metadata"]["annotations"] = json!({REQUESTED_AT: "1"});
        world.apply::<AdoProjectConfig>(other).await;
    }
    full_house::<AdoProjectConfig>(&world).await;
    configs::edit(&world, json!({"bugMapping": {"enabled": false}})).await;
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "waiting", says_that_it_waits).await;
    assert_config(&found, &configs::waiting("Active", "Syncing"), configs::GOOD);
    world.ado.clear_faults();
    let synced = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    for name in others().chain(["payments".to_owned()]) {
        let found = wait::object_within(2 * wait::PATIENCE, &world.api(), &name, "synced", synced).await;
        assert_config(&found, &configs::ACTIVE, configs::GOOD);
    }
}

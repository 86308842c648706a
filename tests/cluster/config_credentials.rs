//! A credential that fails while a project config syncs: once, in one area, or altogether.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, ConfigState};
use ado_simulator::{Effect, Fault, Options};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use serde_json::json;
use support::wait;
use support::world::{TOKEN, World, conditions, message, shows};

use crate::configs::{
    ACTIVE, GOOD, NOTHING, Own, SECOND, active, apply, ask, assert_config, assert_stuck, batches, config, connected,
    connected_small, counts, run, stuck, synced, without_feeds,
};
use crate::integrations::{self, REFUSED, assert_integration, checks};

/// Areas of the service that a sync without feeds asks.
const AREAS: [&str; 4] = ["projects/*", "work/backlogconfiguration*", "wit/wiql*", "wit/workitemsbatch*"];

fn fault(area: &str, code: u16) -> Fault {
    Fault::on_path(&format!("*/_apis/{area}"), Effect::Status { code, retry_after: None })
}

/// Changes an item, so that the next look has one to read.
fn touch(world: &World, title: &str) {
    let item = world.ado.work_items("Payments").unwrap()[0].id;
    world.ado.set_field(item, "System.Title", title).unwrap();
}

/// The integration as it shows itself, which a failure of one area leaves alone.
async fn assert_connected(world: &World) {
    let found = integrations::integration(world).await;
    assert_integration(&found, &integrations::ACTIVE, integrations::GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_401_during_a_sync_changes_nothing_wherever_it_comes() {
    let world = synced().await;
    without_feeds(&world);
    world.clock.hold();
    let before = config(&world).await;
    for area in AREAS {
        touch(&world, area);
        let id = world.ado.add_fault(fault(area, 401).times(1));
        let found = run(&world, area).await;
        let struck = world.ado.faults().into_iter().find(|armed| armed.id == id).map(|armed| armed.struck);
        assert_eq!(struck, Some(1), "{area}");
        assert_config(&found, &ACTIVE, GOOD);
        assert_eq!(found.status.as_ref().unwrap().conditions, before.status.as_ref().unwrap().conditions, "{area}");
        assert_eq!(counts(&found), counts(&before), "{area}");
    }
    assert_connected(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_401_that_persists_in_one_area_is_an_error_of_the_config_alone() {
    let world = synced().await;
    without_feeds(&world);
    let before = counts(&active(&world).await);
    for (code, area) in [(401, AREAS[1]), (403, AREAS[1]), (401, AREAS[2]), (403, AREAS[3])] {
        touch(&world, area);
        let id = world.ado.add_fault(fault(area, code));
        let found = run(&world, &format!("{code} of {area}")).await;
        let own: Own = &[("MappingValid", "False", "FeatureUnavailable"), ("Synced", "True", "Synced")];
        assert_config(&found, &stuck("FeatureUnavailable"), own);
        let text = message(&found);
        let remedy = if code == 401 { "Work Items: Read" } else { "View work items in this node" };
        assert!(text.starts_with("spec.project: ") && text.contains(remedy), "{text}");
        assert_eq!(counts(&found), before, "what was read stays visible");
        assert_connected(&world).await;
        assert!(world.ado.remove_fault(id));
        assert_config(&run(&world, &format!("after {code} of {area}")).await, &ACTIVE, GOOD);
    }
}

/// The project was there a moment before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_404_of_something_in_a_project_that_is_there_is_no_verdict() {
    let world = synced().await;
    without_feeds(&world);
    for area in &AREAS[1..] {
        touch(&world, area);
        let id = world.ado.add_fault(fault(area, 404).times(1));
        ask(&world, area).await;
        let struck = || world.ado.faults().iter().any(|armed| armed.id == id && armed.struck == 1);
        wait::until("the 404", async || struck().then_some(())).await;
        let read = batches(&world);
        let again = |_: &AdoProjectConfig| batches(&world) > read;
        let found = world.as_time_passes(SECOND, "payments", "read again", again).await;
        assert_eq!(found.status.as_ref().unwrap().state, Some(ConfigState::Active), "{area}");
        assert_config(&active(&world).await, &ACTIVE, GOOD);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sync_that_an_area_refuses_is_an_error_until_the_area_is_open() {
    let world = connected_small().await;
    world.ado.add_fault(fault(AREAS[1], 401));
    apply(&world, json!({})).await;
    let found = world.config_is("payments", "Error", "FeatureUnavailable").await;
    assert_stuck(&found, "FeatureUnavailable");
    assert!(message(&found).contains("scope"), "the remedy is named: {}", message(&found));
    assert_connected(&world).await;
    world.ado.clear_faults();
    world.clock.advance(Duration::from_mins(11));
    assert_config(&active(&world).await, &ACTIVE, GOOD);
}

/// Nobody waits for the next validation: the config's failure has the integration look again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_between_validations_is_noticed_by_the_sync_that_it_fails() {
    let world = synced().await;
    world.clock.hold();
    world.ado.revoke_pat("full").unwrap();
    ask(&world, "on a revoked token").await;
    let found = world.integration_is("contoso", "Error", "CredentialRefused").await;
    assert_integration(&found, &integrations::stuck("Error", "CredentialRefused"), REFUSED);
    let found = world.config_is("payments", "Error", "IntegrationError").await;
    assert_config(&found, &stuck("IntegrationError"), GOOD);

    let asked = world.ado.last_request();
    world.pass::<AdoIntegration>(Duration::from_mins(30)).await;
    assert_eq!(checks(&world, asked), 0, "and from then on it is left alone");
    world.put_token(&world.pat("operator")).await;
    assert_config(&active(&world).await, &ACTIVE, GOOD);
}

/// The new token first, the old one is revoked once the new one is in force: a read that goes on with the old one fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_rotated_during_a_read_is_no_missing_scope() {
    let world = connected(Options { items: 2000, ..Options::default() }).await;
    without_feeds(&world);
    let slow = Effect::Delay { milliseconds: 1500, retry_after: None };
    let slow = world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", slow));
    apply(&world, json!({})).await;
    wait::until("the first batch", async || (batches(&world) > 0).then_some(())).await;
    world.put_token(&world.pat("operator")).await;
    let version = world.api::<Secret>().get(TOKEN).await.unwrap().resource_version();
    wait::object(&world.api(), "contoso", "on the new token", |found: &AdoIntegration| {
        let credential = found.status.as_ref().and_then(|status| status.credential.clone());
        credential.map(|credential| credential.resource_version) == version
    })
    .await;
    world.ado.revoke_pat("full").unwrap();
    let seen = Mutex::new(BTreeSet::new());
    wait::object(&world.api(), "payments", "synced", |found: &AdoProjectConfig| {
        let ready = conditions(found).remove("Ready").map(|(_, reason)| reason);
        seen.lock().unwrap().extend(ready);
        if batches(&world) > 3 {
            world.ado.remove_fault(slow);
        }
        shows(found, "Active", "Synced")
    })
    .await;
    let seen = seen.into_inner().unwrap();
    assert!(!seen.contains("FeatureUnavailable") && !seen.contains("IntegrationError"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sync_on_a_revoked_token_blames_the_integration() {
    let world = connected_small().await;
    world.clock.hold();
    world.ado.revoke_pat("full").unwrap();
    apply(&world, json!({})).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    let found = world.config_is("payments", "Error", "IntegrationError").await;
    assert_config(&found, &stuck("IntegrationError"), NOTHING);
}

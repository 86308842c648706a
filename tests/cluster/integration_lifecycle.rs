//! What happens to an integration over its life: requests, edits of its Secret, idleness, deletion, restarts.

use std::time::{Duration, Instant};

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig, REQUESTED_AT};
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use support::audit::{Bookmark, Entry, ObjectRef};
use support::wait;
use support::world::{World, message, observed, shows};

use crate::configs;
use crate::integrations::{
    NOTHING, apply, assert_integration, checks, connected, connected_with, is_validated, pass, refused, run, waiting,
};
use crate::judge::Row;

/// The promise: so soon after its Secret changed an integration has a verdict on the new token.
const NOTICED: Duration = Duration::from_secs(5);

/// A verdict that takes longer is preceded by a write that says so.
const NOTICE_AFTER: Duration = Duration::from_secs(2);

/// What the operator wrote since then in the test's namespace.
async fn writes(world: &World, since: &Bookmark) -> Vec<String> {
    world.writes(since).await.iter().map(described).collect()
}

/// A write in short; names of Events are random.
fn described(entry: &Entry) -> String {
    let ObjectRef { resource, subresource, name, .. } = &entry.object_ref;
    let name = if resource == "events" { "…" } else { name };
    format!("{} {resource}/{subresource} {name}", entry.verb)
}

/// Type and reason of every Event in the namespace, in the order of their times. Each stands for itself: none counts others.
async fn events(world: &World) -> Vec<(String, String)> {
    let mut events = world.api::<Event>().list(&ListParams::default()).await.unwrap().items;
    assert!(events.iter().all(|event| event.series.is_none()), "{events:?}");
    events.sort_by_key(|event| event.event_time.as_ref().map(|time| time.0));
    events.into_iter().map(|event| (event.type_.unwrap_or_default(), event.reason.unwrap_or_default())).collect()
}

/// Lets an integration that waits for nothing be deleted, and deletes it.
async fn delete(world: &World) {
    let deletable = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", deletable).await;
    world.delete::<AdoIntegration>("contoso").await;
    wait::until("the integration to be gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connecting_takes_two_writes_and_one_event() {
    let world = World::new().await;
    world.clock.hold();
    let bookmark = world.bookmark().await;
    let start = Instant::now();
    connected(&world).await;
    let slow = start.elapsed() >= NOTICE_AFTER;
    // The echo ends a later look, so a late third write would stand before it.
    run(&world, "end").await;
    let mut wanted = vec![
        "patch adointegrations/ contoso",
        "patch adointegrations/status contoso",
        "create events/ …",
        "patch adointegrations/status contoso",
    ];
    let found = writes(&world, &bookmark).await;
    if slow && found.len() > wanted.len() {
        // The machine was too busy for a quick verdict, so the wait for it was shown.
        wanted.insert(1, "patch adointegrations/status contoso");
    }
    assert_eq!(found, wanted, "finalizer, verdict, its event, and the echo");
}

/// A thousand intervals stay below the day after which the config is read again, which it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_means_no_write_over_many_intervals() {
    let world = World::new().await;
    world.clock.hold();
    connected_with(&world, json!({"interval": "1m"})).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    world.clock.advance(Duration::from_mins(2));
    wait::object(&world.api(), "contoso", "counting its config", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.project_configs) == Some(1)
    })
    .await;
    wait::until("the events of both", async || (events(&world).await.len() == 2).then_some(())).await;
    let bookmark = world.bookmark().await;
    let intervals = if std::env::var_os("SOAK").is_some() { 1000 } else { 40 };
    for interval in 0..intervals {
        let asked = world.ado.last_request();
        pass(&world, Duration::from_mins(1)).await;
        assert!(is_validated(&world, asked), "in interval {interval}");
        let found = writes(&world, &bookmark).await;
        assert_eq!(found, [""; 0], "in interval {interval}");
    }
    // One more write, which must be in the log after all those that there may have been.
    run(&world, "end").await;
    assert_eq!(
        writes(&world, &bookmark).await,
        ["patch adointegrations/status contoso"],
        "only the request was echoed"
    );
}

/// What the operator writes itself tells it nothing, so it is no reason to look again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_ends_in_a_write_is_one_look() {
    let world = World::new().await;
    world.clock.hold();
    connected(&world).await;
    world.calm::<AdoIntegration>().await;
    let before = world.looks::<AdoIntegration>().await;
    run(&world, "written").await;
    world.calm::<AdoIntegration>().await;
    assert_eq!(world.looks::<AdoIntegration>().await, before + 1, "the request alone was a reason");

    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    world.calm::<AdoProjectConfig>().await;
    let before = world.looks::<AdoProjectConfig>().await;
    let asked = json!({"metadata": {"annotations": {REQUESTED_AT: "written"}}});
    world.patch::<AdoProjectConfig>("payments", asked).await;
    wait::object(&world.api(), "payments", "echoing", |found| configs::echoes(found, "written")).await;
    world.calm::<AdoProjectConfig>().await;
    assert_eq!(world.looks::<AdoProjectConfig>().await, before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_secret_is_noticed_at_once() {
    let world = World::new().await;
    connected(&world).await;
    for _ in 0..3 {
        for (label, state, reason) in [("expired", "Error", "CredentialRefused"), ("full", "Active", "Connected")] {
            world.calm::<AdoIntegration>().await;
            let changed = Instant::now();
            world.put_token(&world.pat(label)).await;
            world.integration_is("contoso", state, reason).await;
            let taken = changed.elapsed();
            assert!(taken <= NOTICED, "a verdict on the token {label} took {taken:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integrations_that_share_a_secret_all_notice_its_change() {
    let world = World::new().await;
    let names = ["contoso", "again"];
    for name in names {
        world.apply::<AdoIntegration>(world.integration(name, json!({}))).await;
        world.integration_is(name, "Active", "Connected").await;
    }
    for (label, state, reason) in [("expired", "Error", "CredentialRefused"), ("full", "Active", "Connected")] {
        world.calm::<AdoIntegration>().await;
        let changed = Instant::now();
        world.put_token(&world.pat(label)).await;
        for name in names {
            world.integration_is(name, state, reason).await;
        }
        let taken = changed.elapsed();
        assert!(taken <= NOTICED, "both verdicts on the token {label} took {taken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_is_validated_once_an_interval() {
    let world = World::new().await;
    world.clock.hold();
    connected_with(&world, json!({"interval": "1m"})).await;
    world.apply::<AdoIntegration>(world.integration("seldom", json!({"interval": "24h"}))).await;
    world.integration_is("seldom", "Active", "Connected").await;
    let asked = world.ado.last_request();
    for _ in 0..60 {
        pass(&world, Duration::from_secs(10)).await;
    }
    // Each interval is shortened by up to a tenth, so that a fleet does not validate in step; time passes in steps of ten
    // seconds.
    assert_eq!(checks(&world, asked), 10, "validations in ten minutes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_echoed_when_its_run_ended_on_failure_too() {
    let world = World::new().await;
    connected(&world).await;
    for (value, label) in [("1", "full"), ("2", "no_work")] {
        world.put_token(&world.pat(label)).await;
        let asked = world.ado.last_request();
        run(&world, value).await;
        assert!(!world.ado.requests_since(asked).is_empty(), "a run was made");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_tell_of_verdicts_and_of_nothing_else() {
    let world = World::new().await;
    connected(&world).await;
    run(&world, "nothing new").await;
    world.put_token(&world.pat("expired")).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    world.clock.advance(Duration::from_mins(2));
    run(&world, "still refused").await;
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
    // The last event: whatever else there was to tell stands before it.
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    let told = wait::until("the last event", async || {
        let told = events(&world).await;
        told.iter().any(|(_, reason)| reason == "Disconnected").then_some(told)
    })
    .await;
    let told: Vec<(&str, &str)> = told.iter().map(|(kind, reason)| (kind.as_str(), reason.as_str())).collect();
    let wanted = [
        ("Normal", "Connected"),
        ("Warning", "CredentialRefused"),
        ("Normal", "Connected"),
        ("Normal", "Disconnected"),
    ];
    assert_eq!(told, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_waits_for_the_project_configs_that_refer_to_the_integration() {
    let world = World::new().await;
    let deletable = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    world.patch::<AdoIntegration>("contoso", deletable).await;
    world.delete::<AdoIntegration>("contoso").await;
    let found = wait::object(&world.api(), "contoso", "waiting for its config", |found: &AdoIntegration| {
        message(found).contains("waits for the one project config")
    })
    .await;
    let row = Row { kstatus: "Terminating", ..waiting("Active", "Deleting") };
    assert_integration(&found, &row, NOTHING);
    let found = world.config_is("payments", "Active", "IntegrationNotReady").await;
    assert!(message(&found).contains("is being deleted"), "{}", message(&found));
    world.delete::<AdoProjectConfig>("payments").await;
    wait::until("the integration to be gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_lets_go_five_minutes_later_with_an_event() {
    let world = World::new().await;
    let deletable = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    world.patch::<AdoIntegration>("contoso", deletable).await;
    world.delete::<AdoIntegration>("contoso").await;
    wait::object(&world.api(), "contoso", "waiting", |found: &AdoIntegration| message(found).contains("waits for"))
        .await;
    world.clock.advance(Duration::from_mins(5));
    wait::until("the integration to be gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
    wait::until("the event", async || {
        let events = world.api::<Event>().list(&ListParams::default()).await.ok()?;
        events.items.iter().any(|event| event.reason.as_deref() == Some("Deleting")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_created_again_starts_afresh_and_its_refused_token_stays_refused() {
    let world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    let first = refused(&world, json!({}), "CredentialRefused", &[]).await;
    delete(&world).await;
    let asked = world.ado.last_request();
    let second = refused(&world, json!({}), "CredentialRefused", &["token", "Secret"]).await;
    assert_ne!(first.uid(), second.uid());
    assert!(world.ado.requests_since(asked).is_empty(), "another object makes no other token of it");
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
    delete(&world).await;
    world.put_token(&world.pat("other_organization")).await;
    let other = json!({"organizationURL": world.ado.organization_url("fabrikam")});
    let third = connected_with(&world, other).await;
    assert_eq!(third.status.unwrap().organization.unwrap().name, "fabrikam", "no pin outlives the object");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_with_everything_in_it_can_be_deleted() {
    let world = World::new().await;
    apply(&world, json!({})).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(world.client.clone());
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.unwrap();
    wait::until("the namespace to be gone", async || {
        namespaces.get_opt(&world.namespace).await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_stays_with_its_organization_although_the_store_is_lost() {
    let mut world = World::new().await;
    let before = connected(&world).await;
    world.lose_data().await;
    world.put_token(&world.pat("other_organization")).await;
    let other = json!({"organizationURL": world.ado.organization_url("fabrikam")});
    world.apply::<AdoIntegration>(world.integration("contoso", other)).await;
    world.start().await.unwrap();
    let found = world.integration_is("contoso", "Error", "OrganizationChanged").await;
    assert_eq!(found.status.unwrap().organization, before.status.unwrap().organization);
    // The status could be lost next: the store has learnt from it.
    let nothing = json!({"status": {"organization": null}});
    let (params, change) = (PatchParams::default(), Patch::Merge(nothing));
    world.api::<AdoIntegration>().patch_status("contoso", &params, &change).await.unwrap();
    let found = run(&world, "without a word in the status").await;
    assert!(shows(&found, "Error", "OrganizationChanged"), "{:?}", found.status);
    world.put_token(&world.pat("full")).await;
    connected(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_operator_writes_nothing_where_nothing_changed() {
    let mut world = World::new().await;
    let before = connected(&world).await;
    world.stop().await;
    let (asked, log) = (world.ado.last_request(), world.bookmark().await);
    world.start().await.unwrap();
    wait::until("a validation", async || is_validated(&world, asked).then_some(())).await;
    let mut after = run(&world, "1").await;
    assert_eq!(observed(&after), after.metadata.generation.unwrap());
    assert_eq!(writes(&world, &log).await, ["patch adointegrations/status contoso"], "the echo");
    after.status.as_mut().unwrap().last_handled_requested_at = None;
    assert_eq!(before.status, after.status);
}

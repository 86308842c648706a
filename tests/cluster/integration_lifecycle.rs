//! What happens to an integration over its life: requests, edits of its Secret, idleness, deletion, restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use support::audit::{Bookmark, Entry};
use support::control_plane::RELEASE;
use support::wait;
use support::world::{World, message, observed};

use crate::judge::{Row, assert_row};

/// What the operator wrote, Leases and Events apart.
fn writes(entries: &[Entry]) -> Vec<String> {
    let user = format!("system:serviceaccount:{RELEASE}:{RELEASE}");
    let ours = entries.iter().filter(|entry| entry.user.username == user && entry.is_write());
    let ours = ours.filter(|entry| !matches!(entry.object_ref.resource.as_str(), "leases" | "events"));
    ours.map(|entry| {
        format!(
            "{} {}/{} {}",
            entry.verb, entry.object_ref.resource, entry.object_ref.subresource, entry.object_ref.name
        )
    })
    .collect()
}

fn within<'a>(entries: &'a [Entry], namespace: &str) -> Vec<Entry> {
    let own = entries.iter().filter(|entry: &&'a Entry| entry.object_ref.namespace == namespace);
    own.cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connecting_takes_two_writes() {
    let world = World::new().await;
    let bookmark = Bookmark::now(world.control_plane.audit_log()).unwrap();
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    wait::until("both writes in the audit log", async || {
        let found = writes(&within(&bookmark.since().unwrap(), &world.namespace));
        (found.len() >= 2).then_some(())
    })
    .await;
    let found = writes(&within(&bookmark.since().unwrap(), &world.namespace));
    assert_eq!(found, ["patch adointegrations/ contoso", "patch adointegrations/status contoso"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_means_no_write_over_many_intervals() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({"interval": "1m"}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    world.clock.advance(Duration::from_mins(2));
    wait::object(&world.api(), "contoso", "counting its config", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.project_configs) == Some(1)
    })
    .await;
    let bookmark = Bookmark::now(world.control_plane.audit_log()).unwrap();
    let intervals = if std::env::var_os("SOAK").is_some() { 1000 } else { 40 };
    for interval in 0..intervals {
        let asked = world.ado.last_request();
        wait::until("a whole validation", async || {
            world.clock.advance(Duration::from_secs(10));
            let sent = world.ado.requests_since(asked);
            sent.iter().any(|request| request.target.contains("permissionevaluationbatch")).then_some(())
        })
        .await;
        let found = writes(&within(&bookmark.since().unwrap(), &world.namespace));
        assert!(found.is_empty(), "in interval {interval}: {found:?}");
    }
    // One more write, which must be in the log after all those that there may have been.
    world
        .patch::<AdoIntegration>(
            "contoso",
            json!({"metadata": {"annotations": {"ado.testops.dev/requestedAt": "end"}}}),
        )
        .await;
    let found = wait::until("the last write in the audit log", async || {
        let found = writes(&within(&bookmark.since().unwrap(), &world.namespace));
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(found, ["patch adointegrations/status contoso"], "only the request was echoed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_secret_is_noticed_at_once() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    for _ in 0..3 {
        world.put_token(&world.pat("expired")).await;
        world.integration_is("contoso", "Error", "CredentialRefused").await;
        world.put_token(&world.pat("full")).await;
        world.integration_is("contoso", "Active", "Connected").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_echoed_when_its_run_ended_on_failure_too() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    for (value, label) in [("1", "full"), ("2", "no_work")] {
        world.put_token(&world.pat(label)).await;
        let asked = world.ado.last_request();
        let annotation = json!({"metadata": {"annotations": {"ado.testops.dev/requestedAt": value}}});
        world.patch::<AdoIntegration>("contoso", annotation).await;
        wait::object(&world.api(), "contoso", "echoing", |found: &AdoIntegration| {
            found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some(value))
        })
        .await;
        assert!(!world.ado.requests_since(asked).is_empty(), "a run was made");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_tell_of_verdicts_and_of_nothing_else() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.put_token(&world.pat("expired")).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    let told = wait::until("both events", async || {
        let events = world.api::<Event>().list(&ListParams::default()).await.ok()?;
        let told: BTreeMap<String, String> = events
            .items
            .into_iter()
            .map(|event| (event.reason.unwrap_or_default(), event.type_.unwrap_or_default()))
            .collect();
        (told.len() >= 2).then_some(told)
    })
    .await;
    let wanted = [("Connected", "Normal"), ("CredentialRefused", "Warning")];
    assert_eq!(told, wanted.into_iter().map(|(reason, kind)| (reason.to_owned(), kind.to_owned())).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_waits_for_the_project_configs_that_refer_to_the_integration() {
    let world = World::new().await;
    let deletable = json!({"metadata": {"annotations": {"ado.testops.dev/allow-deletion": "true"}}});
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    world.patch::<AdoIntegration>("contoso", deletable).await;
    world.delete::<AdoIntegration>("contoso").await;
    let found = wait::object(&world.api(), "contoso", "waiting for its config", |found: &AdoIntegration| {
        message(found).contains("waits for the one project config")
    })
    .await;
    let row = Row {
        state: "Active",
        ready: ("Unknown", "Deleting"),
        abnormal: &["Reconciling"],
        kstatus: "Terminating",
        argocd: "Progressing",
    };
    assert_row(&found, &row);
    world.config_is("payments", "Active", "IntegrationNotReady").await;
    world.delete::<AdoProjectConfig>("payments").await;
    wait::until("the integration to be gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_lets_go_five_minutes_later_with_an_event() {
    let world = World::new().await;
    let deletable = json!({"metadata": {"annotations": {"ado.testops.dev/allow-deletion": "true"}}});
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
async fn a_namespace_with_everything_in_it_can_be_deleted() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
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
async fn a_restarted_operator_writes_nothing_where_nothing_changed() {
    let mut world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let before = world.integration_is("contoso", "Active", "Connected").await;
    world.stop().await;
    let asked = world.ado.last_request();
    world.start().await.unwrap();
    wait::until("a validation", async || {
        let sent = world.ado.requests_since(asked);
        sent.iter().any(|request| request.target.contains("permissionevaluationbatch")).then_some(())
    })
    .await;
    let annotation = json!({"metadata": {"annotations": {"ado.testops.dev/requestedAt": "1"}}});
    world.patch::<AdoIntegration>("contoso", annotation).await;
    let after = wait::object(&world.api(), "contoso", "echoing", |found: &AdoIntegration| {
        found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.is_some())
    })
    .await;
    assert_eq!(before.status.unwrap().conditions, after.status.clone().unwrap().conditions);
    assert_eq!(observed(&after), after.metadata.generation.unwrap());
}

//! What becomes of stored data when a project config is deleted.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_operator::store::{AuditAction, AuditRecord, Store};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use support::control_plane::{ControlPlane, RELEASE};
use support::operator::Operator;
use support::wait;
use support::world::{World, shows};

use crate::configs::{active, apply, connected_small, number, project_id};

const PURGE: &str = "Purge";
const RETAIN: &str = "Retain";

async fn rows(world: &World, table: &str) -> i64 {
    number(world, &format!("SELECT count(*) FROM {table}")).await
}

/// Stored work items of a project.
async fn raw(world: &World, project: &str) -> i64 {
    let id = project_id(world, project).replace('-', "");
    rows(world, &format!("work_items WHERE lower(hex(project_id)) = '{id}'")).await
}

/// Records of the config that was an object of that name.
async fn records(world: &World, name: &str) -> i64 {
    rows(world, &format!("records JOIN configs ON config_key = key WHERE name = '{name}'")).await
}

/// Waits until nothing of that kind is stored.
async fn none(world: &World, of: &str) {
    wait::until(&format!("no row in {of}"), async || (rows(world, of).await == 0).then_some(())).await;
}

/// Waits until the config is purged.
async fn purged(world: &World, name: &str) {
    none(world, &format!("configs WHERE name = '{name}'")).await;
}

/// The same, where it takes the look that is made from time to time.
async fn hourly(world: &World, name: &str) {
    wait::until(&format!("{name} to be purged after an hour"), async || {
        world.clock.advance(Duration::from_hours(1));
        (rows(world, &format!("configs WHERE name = '{name}'")).await == 0).then_some(())
    })
    .await;
}

/// Applies a config of a project with that policy, and waits until it is synced.
async fn create(world: &World, name: &str, project: &str, policy: &str) -> AdoProjectConfig {
    let change = json!({"project": project, "deletionPolicy": policy});
    world.apply::<AdoProjectConfig>(world.config(name, "contoso", change)).await;
    world.config_is(name, "Active", "Synced").await
}

/// What the audit trail says of objects of that name, the oldest first. The operator is stopped for that.
async fn trail(world: &mut World, name: &str) -> Vec<AuditRecord> {
    world.stop().await;
    let store = Store::open(world.data()).await.unwrap();
    let mut records = store.audit(&world.namespace, name, 100).await.unwrap();
    store.close().await;
    records.reverse();
    records
}

async fn start(world: &mut World) {
    world.start().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_is_purged_leaves_nothing_but_the_audit_trail() {
    let mut world = connected_small().await;
    let uid = create(&world, "payments", "Payments", PURGE).await.uid().unwrap();
    let of_object = [("pins", "uid"), ("mapping_pins", "uid"), ("sync_runs", "config_uid")];
    let of_object = of_object.map(|(table, column)| format!("{table} WHERE {column} = '{uid}'"));
    let of_all = ["configs", "records", "plan_nodes", "work_items", "feeds", "scopes"].map(str::to_owned);
    for table in of_object.iter().chain(&of_all) {
        assert!(rows(&world, table).await > 0, "{table}");
    }
    world.delete::<AdoProjectConfig>("payments").await;
    for table in of_object.iter().chain(&of_all) {
        none(&world, table).await;
    }
    for table in ["record_changes", "links", "set_aside"] {
        none(&world, table).await;
    }
    let trail = trail(&mut world, "payments").await;
    let actions: Vec<AuditAction> = trail.iter().map(|record| record.action).collect();
    assert_eq!(actions, [AuditAction::Synced, AuditAction::Purged]);
    let last = &trail[1];
    assert_eq!((last.object.uid.as_str(), last.actor.to_string().as_str()), (&*uid, "kubernetes: ado-operator"));
    assert!(last.detail.contains(&project_id(&world, "Payments")), "{}", last.detail);
    assert!(!format!("{trail:?}").contains(&world.pat("full")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_retained_stays_and_so_does_the_raw_data_that_it_refers_to() {
    let mut world = connected_small().await;
    create(&world, "kept", "Payments", RETAIN).await;
    create(&world, "doomed", "Payments", PURGE).await;
    let (before, of_project) = (records(&world, "kept").await, raw(&world, "Payments").await);
    assert!(before > 0 && of_project > 0);
    world.delete::<AdoProjectConfig>("kept").await;
    world.delete::<AdoProjectConfig>("doomed").await;
    purged(&world, "doomed").await;
    let trail = trail(&mut world, "doomed").await;
    assert!(trail.last().unwrap().detail.contains("stays with other project configs"), "{trail:?}");
    // Nor does a process that begins think otherwise: it has looked at everything once that other project is dropped.
    start(&mut world).await;
    create(&world, "other", "Web Shop", PURGE).await;
    world.stop().await;
    world.delete::<AdoProjectConfig>("other").await;
    start(&mut world).await;
    wait::until("the other project", async || (raw(&world, "Web Shop").await == 0).then_some(())).await;
    assert_eq!((records(&world, "kept").await, raw(&world, "Payments").await), (before, of_project));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_data_goes_with_the_last_config_of_its_project() {
    let world = connected_small().await;
    create(&world, "one", "Payments", PURGE).await;
    create(&world, "two", "Payments", PURGE).await;
    let of_project = raw(&world, "Payments").await;
    let of_two = records(&world, "two").await;
    world.delete::<AdoProjectConfig>("one").await;
    purged(&world, "one").await;
    assert_eq!((records(&world, "two").await, raw(&world, "Payments").await), (of_two, of_project));
    world.delete::<AdoProjectConfig>("two").await;
    purged(&world, "two").await;
    wait::until("the raw data", async || (raw(&world, "Payments").await == 0).then_some(())).await;
    // Who comes later reads everything anew.
    create(&world, "three", "Payments", RETAIN).await;
    assert_eq!((records(&world, "three").await, raw(&world, "Payments").await), (of_two, of_project));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_nobody_saw_is_found_by_the_next_leader() {
    let mut world = connected_small().await;
    create(&world, "payments", "Payments", PURGE).await;
    world.stop().await;
    world.delete::<AdoProjectConfig>("payments").await;
    assert!(records(&world, "payments").await > 0);
    start(&mut world).await;
    purged(&world, "payments").await;
    none(&world, "work_items").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_object_of_the_same_name_takes_nothing_over_from_one_that_is_to_be_purged() {
    let mut world = connected_small().await;
    let old = create(&world, "payments", "Payments", PURGE).await.uid().unwrap();
    let key = number(&world, "SELECT key FROM configs").await;
    world.stop().await;
    world.delete::<AdoProjectConfig>("payments").await;
    apply(&world, json!({"deletionPolicy": RETAIN})).await;
    start(&mut world).await;
    let new = active(&world).await.uid().unwrap();
    assert_ne!(number(&world, "SELECT key FROM configs").await, key, "the history has another key");
    let trail = trail(&mut world, "payments").await;
    let told: Vec<(AuditAction, &str)> = trail.iter().map(|one| (one.action, one.object.uid.as_str())).collect();
    let expected = [(AuditAction::Synced, &*old), (AuditAction::Purged, &*old), (AuditAction::Synced, &*new)];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_that_was_seen_last_counts_whatever_the_state() {
    let world = connected_small().await;
    for (state, reason) in [("Active", "Synced"), ("Archived", "Archived"), ("Inactive", "Saved")] {
        for (before, after) in [(PURGE, RETAIN), (RETAIN, PURGE)] {
            let name = format!("{}-{}", state.to_lowercase(), after.to_lowercase());
            create(&world, &name, "Payments", before).await;
            let changed = json!({"spec": {"deletionPolicy": after, "state": state}});
            world.patch::<AdoProjectConfig>(&name, changed).await;
            world.config_is(&name, state, reason).await;
            world.delete::<AdoProjectConfig>(&name).await;
        }
    }
    for state in ["active", "archived", "inactive"] {
        purged(&world, &format!("{state}-purge")).await;
        assert!(records(&world, &format!("{state}-retain")).await > 0, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_right_before_the_deletion_counts() {
    let world = connected_small().await;
    create(&world, "saved-in-time", "Payments", PURGE).await;
    create(&world, "condemned", "Payments", RETAIN).await;
    for (name, policy) in [("saved-in-time", RETAIN), ("condemned", PURGE)] {
        world.patch::<AdoProjectConfig>(name, json!({"spec": {"deletionPolicy": policy}})).await;
        world.delete::<AdoProjectConfig>(name).await;
    }
    purged(&world, "condemned").await;
    assert!(records(&world, "saved-in-time").await > 0);
}

/// The operator could purge it, has it in no cache, and finds it by asking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_not_served_any_more_is_not_taken_for_gone() {
    let mut world = World::with_more_namespaces(1).await;
    let everybody = json!({"allowedNamespaces": {"from": "All"}});
    world.apply::<AdoIntegration>(world.integration("contoso", everybody)).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let elsewhere: Api<AdoProjectConfig> = Api::namespaced(world.client.clone(), &world.others()[0]);
    let reference = json!({"integrationRef": {"namespace": world.namespace}, "deletionPolicy": PURGE});
    let object = whole(world.config("elsewhere", "contoso", reference));
    elsewhere.create(&PostParams::default(), &object).await.unwrap();
    wait::object(&elsewhere, "elsewhere", "synced", |found| shows(found, "Active", "Synced")).await;
    create(&world, "doomed", "Web Shop", PURGE).await;
    let before = records(&world, "elsewhere").await;
    world.stop().await;
    world.delete::<AdoProjectConfig>("doomed").await;
    let served = [world.namespace.clone()];
    let (control_plane, clock) = (&world.control_plane, &world.clock);
    let narrow = Operator::start(control_plane, clock, world.data(), &served, world.flags()).await.unwrap();
    // Looked at in the order in which they came.
    wait::until("the raw data of the doomed", async || (raw(&world, "Web Shop").await == 0).then_some(())).await;
    assert_eq!(records(&world, "elsewhere").await, before);
    elsewhere.delete("elsewhere", &DeleteParams::default()).await.unwrap();
    hourly(&world, "elsewhere").await;
    narrow.stop().await;
}

/// In a control plane of its own, whose chart gives the operator less.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_may_not_ask_purges_nothing_until_it_may() {
    let control_plane = ControlPlane::own().await;
    let roles: Api<ClusterRole> = Api::all(control_plane.admin().await.unwrap());
    let full = roles.get(RELEASE).await.unwrap();
    let mut less = full.clone();
    for rule in less.rules.iter_mut().flatten() {
        if rule.resources.iter().flatten().any(|resource| resource == "adoprojectconfigs") {
            rule.verbs.retain(|verb| verb != "get");
        }
    }
    assert_ne!(less, full);
    let less = roles.replace(RELEASE, &PostParams::default(), &less).await.unwrap();
    let world = World::on(control_plane).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    for name in ["first", "second"] {
        let uid = create(&world, name, "Payments", PURGE).await.uid().unwrap();
        world.delete::<AdoProjectConfig>(name).await;
        none(&world, &format!("sync_runs WHERE config_uid = '{uid}'")).await;
    }
    // One after the other: with the second under way, the first is done with.
    assert!(records(&world, "first").await > 0);
    let full = ClusterRole { rules: full.rules, ..less };
    roles.replace(RELEASE, &PostParams::default(), &full).await.unwrap();
    hourly(&world, "first").await;
    hourly(&world, "second").await;
    wait::until("the raw data", async || (raw(&world, "Payments").await == 0).then_some(())).await;
}

fn whole(mut config: Value) -> AdoProjectConfig {
    config["apiVersion"] = "ado.testops.dev/v1alpha1".into();
    config["kind"] = "AdoProjectConfig".into();
    serde_json::from_value(config).unwrap()
}

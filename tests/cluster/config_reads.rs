//! Reads of a whole project: complete or without effect.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, Counts};
use ado_simulator::control::NewWorkItem;
use ado_simulator::{Effect, Fault, Options};
use serde_json::json;
use support::wait;
use support::world::{World, conditions, shows};

use crate::configs::{SECOND, active, apply, batches, connected, counts, number, refused, run, synced, without_feeds};

/// Work items of the store that count.
pub async fn present(world: &World) -> i64 {
    number(world, "SELECT count(*) FROM work_items WHERE absent = 0").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_cut_half_way_takes_nothing_away() {
    let world = connected(Options { items: 1200, ..Options::default() }).await;
    without_feeds(&world);
    apply(&world, json!({})).await;
    let before = counts(&active(&world).await);
    let (stored, in_one_read) = (present(&world).await, batches(&world));
    assert!(in_one_read >= 3, "{in_one_read} batches");

    let first = world.ado.work_items("Payments").unwrap().into_iter().find(|item| item.kind == "User Story").unwrap();
    world.ado.delete_work_item(first.id).unwrap();
    world.clock.hold();
    for (number, effect) in [
        Effect::CutBody { after_bytes: 500 },
        Effect::MalformedJson,
        Effect::WrongShape,
        Effect::Status { code: 500, retry_after: None },
    ]
    .into_iter()
    .enumerate()
    {
        let fault = world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", effect.clone()).after(1));
        if number == 0 {
            // From now on it is time to read everything.
            world.clock.advance(Duration::from_hours(25));
        }
        let found = run(&world, &format!("cut {number}")).await;
        assert_eq!(counts(&found), before, "{effect:?}");
        assert_eq!(present(&world).await, stored, "{effect:?}");
        assert_eq!(conditions(&found)["Synced"].0, "True", "{effect:?}");
        assert!(world.ado.remove_fault(fault));
    }
    let found = run(&world, "whole").await;
    assert_eq!(counts(&found).requirements, before.requirements - 1);
    assert_eq!(present(&world).await, stored - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_read_that_is_cut_half_way_counts_nothing_and_is_made_good() {
    let world = connected(Options { items: 1200, ..Options::default() }).await;
    without_feeds(&world);
    let cut = Effect::MalformedJson;
    world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", cut).after(1).times(2));
    apply(&world, json!({})).await;
    let found = world.config_is("payments", "Inactive", "Validating").await;
    assert_eq!(found.status.unwrap().counts, None);
    let done = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    let found = world.as_time_passes(SECOND, "payments", "synced", done).await;
    let live = world.ado.project("Payments").unwrap().work_items;
    assert_eq!(counts(&found).requirements, i64::try_from(live["User Story"]).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_in_azure_devops_is_in_the_next_read() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    let bug = |project: &str| NewWorkItem { project: project.into(), kind: "Bug".into(), ..NewWorkItem::default() };
    world.ado.create_work_item(&bug("Payments")).unwrap();
    world.ado.create_work_item(&bug("Web Shop")).unwrap();
    let found = run(&world, "after the change").await;
    assert_eq!(counts(&found), Counts { bugs: before.bugs + 1, ..before });
}

/// Every batch takes its time.
fn slow_batches(world: &World) {
    let slow = Effect::Delay { milliseconds: 200, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", slow));
}

/// Batches of one whole read.
fn batches_of_a_read(world: &World) -> u64 {
    world.ado.project("Payments").unwrap().work_items.values().sum::<u64>().div_ceil(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configs_of_one_project_share_what_they_read_at_the_same_time() {
    let world = connected(Options { items: 4000, ..Options::default() }).await;
    without_feeds(&world);
    let names = ["one", "two", "three", "four"];
    // The first read is held up at each of its batches, for as long as not all have come to where they would read.
    let held = Effect::Delay { milliseconds: 2000, retry_after: None };
    let held = world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", held));
    for name in names {
        world.apply::<AdoProjectConfig>(world.config(name, "contoso", json!({}))).await;
    }
    for name in names {
        world.config_is(name, "Inactive", "Syncing").await;
    }
    let first = batches_of_a_read(&world);
    assert!(batches(&world) < first, "{} batches: the first read is not over", batches(&world));
    assert!(world.ado.remove_fault(held));
    for name in names {
        let found = world.config_is(name, "Active", "Synced").await;
        let live = world.ado.project("Payments").unwrap().work_items;
        assert_eq!(counts(&found).bugs, i64::try_from(live["Bug"]).unwrap(), "{name}");
    }
    assert_eq!(batches(&world), first, "one read for all");
    let sent = world.ado.requests_since(0);
    let queries = sent.iter().filter(|one| one.route.ends_with("/wit/wiql") && one.target.contains("top=19999"));
    assert_eq!(queries.count(), 1, "which looked at all ids");
}

/// A world that is in the middle of a read of ten batches.
async fn reading() -> World {
    let world = connected(Options { items: 4000, ..Options::default() }).await;
    without_feeds(&world);
    assert!(batches_of_a_read(&world) >= 9);
    slow_batches(&world);
    apply(&world, json!({})).await;
    wait::until("the first batch", async || (batches(&world) > 0).then_some(())).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_ends_where_the_integration_is_disconnected() {
    let world = reading().await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    let read = batches(&world);
    assert!(read < batches_of_a_read(&world), "{read} batches");
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    let found = active(&world).await;
    let live = world.ado.project("Payments").unwrap().work_items;
    assert_eq!(counts(&found).bugs, i64::try_from(live["Bug"]).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_ends_where_the_project_is_no_more_allowed() {
    let world = reading().await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedProjects": ["Web*"]}})).await;
    refused(&world, "ProjectNotAllowed").await;
    assert!(batches(&world) < batches_of_a_read(&world), "{} batches", batches(&world));
}

/// People see how far it is before it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_tells_how_far_it_has_come() {
    let world = reading().await;
    wait::until("progress", async || {
        let so_far = "SELECT coalesce(max(items), 0) FROM sync_runs WHERE finished_at IS NULL";
        (number(&world, so_far).await > 0).then_some(())
    })
    .await;
    world.ado.clear_faults();
    active(&world).await;
    let ended = number(&world, "SELECT items FROM sync_runs WHERE finished_at IS NOT NULL ORDER BY id LIMIT 1").await;
    assert_eq!(ended, present(&world).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_ends_where_its_config_is_deleted() {
    let world = reading().await;
    world.delete::<AdoProjectConfig>("payments").await;
    wait::until("the run has ended", async || {
        let open = number(&world, "SELECT count(*) FROM sync_runs WHERE finished_at IS NULL").await;
        (open == 0).then_some(())
    })
    .await;
    world.calm::<AdoProjectConfig>().await;
    assert!(batches(&world) < batches_of_a_read(&world), "{} batches", batches(&world));
    let metrics = format!("http://{}/metrics", world.operator.as_ref().unwrap().metrics);
    let metrics = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    assert!(!metrics.contains("SyncRunNotOpen"), "a deletion is no failure: {metrics}");
}

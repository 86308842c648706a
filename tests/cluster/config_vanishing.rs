//! Work items that are not to be seen any more: few, or so many at once that a person has to look.

use std::time::Duration;

use ado_operator::api::{AdoProjectConfig, CONFIRM_DISAPPEARANCE, Counts};
use ado_simulator::control::{BulkChange, ItemChange};
use ado_simulator::{Options, ReportingDeleted};
use serde_json::json;
use support::wait;
use support::world::{World, message};

use crate::config_reads::present;
use crate::configs::{
    ACTIVE, GOOD, Own, active, apply, assert_config, batches, config, connected, counts, pass, run, without_feeds,
};
use crate::judge::Row;

/// Longer than the interval at which everything is looked for.
const DAY: Duration = Duration::from_hours(25);

/// Longer than the interval at which a disappearance is put in question.
const RECHECK: Duration = Duration::from_mins(11);

/// A mass of items vanished.
const VANISHED: Row<'_> = Row {
    state: "Active",
    ready: ("False", "MassDisappearance"),
    abnormal: &["Stalled"],
    kstatus: "Failed",
    argocd: "Degraded",
};

const NOT_SYNCED: Own = &[("MappingValid", "True", "MappingAccepted"), ("Synced", "False", "MassDisappearance")];

/// A synced config, of a project of which 30 items are more than a tenth.
async fn synced() -> World {
    let world = connected(Options { items: 400, ..Options::default() }).await;
    apply(&world, json!({})).await;
    active(&world).await;
    let all = present(&world).await;
    assert!((60..300).contains(&all), "{all} items");
    world.clock.hold();
    world
}

/// The first ids of the project.
fn ids(world: &World, most: usize) -> Vec<u32> {
    world.ado.work_items("Payments").unwrap().into_iter().map(|item| item.id).take(most).collect()
}

/// Lets a day pass, and waits until everything was looked for.
async fn next_day(world: &World) -> AdoProjectConfig {
    let before = queries(world);
    pass(world, DAY).await;
    wait::until("a look for everything", async || (queries(world) > before).then_some(())).await;
    world.calm::<AdoProjectConfig>().await;
    config(world).await
}

/// Queries for all ids of the project. The integration's own ask for a single one.
fn queries(world: &World) -> usize {
    let sent = world.ado.requests_since(0);
    sent.iter().filter(|one| one.route.ends_with("/wit/wiql") && one.target.contains("top=19999")).count()
}

/// What stood there before a mass of items vanished.
struct Before {
    counts: Counts,
    present: i64,
    /// The items.
    ids: Vec<u32>,
}

/// A world in which a mass of items is not to be seen any more.
async fn vanished(vanish: impl FnOnce(&World) -> Vec<u32>) -> (World, Before) {
    let world = synced().await;
    let (before, all) = (counts(&config(&world).await), present(&world).await);
    let ids = vanish(&world);
    let found = next_day(&world).await;
    assert_config(&found, &VANISHED, NOT_SYNCED);
    assert_eq!((counts(&found), present(&world).await), (before.clone(), all), "nothing is hidden");
    let text = message(&found);
    assert!(text.starts_with(&format!("30 of {all} work items")), "{text}");
    (world, Before { counts: before, present: all, ids })
}

fn hide(world: &World) -> Vec<u32> {
    let ids = ids(world, 30);
    world.ado.hide_work_items(&ids).unwrap();
    ids
}

fn destroy(world: &World) -> Vec<u32> {
    change(world, ItemChange { destroyed: true, ..ItemChange::default() })
}

/// Asserts that the config counts what the project has.
fn assert_counted(world: &World, found: &AdoProjectConfig) {
    let live = world.ado.project("Payments").unwrap().work_items;
    let number = |kind: &str| i64::try_from(live.get(kind).copied().unwrap_or_default()).unwrap();
    let found = counts(found);
    assert_eq!((found.requirements, found.bugs), (number("User Story"), number("Bug")));
}

/// Changes the first 30 items of the project.
fn change(world: &World, change: ItemChange) -> Vec<u32> {
    let bulk = BulkChange { ids: Some(ids(world, 30)), change, ..BulkChange::default() };
    world.ado.change_work_items(&bulk).unwrap()
}

async fn confirm(world: &World, id: &str) {
    let annotation = json!({"metadata": {"annotations": {CONFIRM_DISAPPEARANCE: id}}});
    world.patch::<AdoProjectConfig>("payments", annotation).await;
}

/// The id that the message shows.
fn shown_id(found: &AdoProjectConfig) -> String {
    message(found).rsplit('=').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_items_that_vanish_are_hidden_at_once_and_come_back() {
    let world = synced().await;
    let (before, all) = (counts(&config(&world).await), present(&world).await);
    let some = ids(&world, 20);
    world.ado.hide_work_items(&some).unwrap();
    assert_config(&next_day(&world).await, &ACTIVE, GOOD);
    assert_eq!(present(&world).await, all - 20);
    world.ado.show_work_items(&some).unwrap();
    let found = next_day(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!((counts(&found), present(&world).await), (before, all));
    assert!(world.ado.violations().is_empty(), "{:?}", world.ado.violations());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_that_is_destroyed_is_hidden_when_a_person_confirms_it_and_not_before() {
    let (world, before) = vanished(destroy).await;
    let found = run(&world, "an ordinary run").await;
    assert_config(&found, &VANISHED, NOT_SYNCED);
    let id = shown_id(&found);
    for wrong in ["yes", "00000000-0000-0000-0000-000000000000"] {
        confirm(&world, wrong).await;
        assert_config(&run(&world, wrong).await, &VANISHED, NOT_SYNCED);
    }
    assert_eq!(present(&world).await, before.present);
    confirm(&world, &id).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(present(&world).await, before.present - 30);
    assert_counted(&world, &found);

    // What was confirmed is no consent to another mass.
    hide(&world);
    let found = next_day(&world).await;
    assert_config(&found, &VANISHED, NOT_SYNCED);
    assert_ne!(shown_id(&found), id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_that_are_restored_heal_it_by_themselves_and_nothing_is_read_again() {
    let (world, before) = vanished(hide).await;
    pass(&world, RECHECK).await;
    assert_config(&config(&world).await, &VANISHED, NOT_SYNCED);
    let read = project_batches(&world);
    world.ado.show_work_items(&before.ids).unwrap();
    pass(&world, RECHECK).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!((counts(&found), present(&world).await), (before.counts, before.present));
    assert_eq!(project_batches(&world), read, "what is stored is there");
}

/// Batches of items of the project; candidates are looked for in the whole organization.
fn project_batches(world: &World) -> usize {
    let sent = world.ado.requests_since(0);
    let project = world.ado.project("Payments").unwrap().id.to_string();
    sent.iter().filter(|one| one.route.ends_with("/wit/workitemsbatch") && one.target.contains(&project)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_begins_looks_again_at_a_disappearance_that_is_shown() {
    let (mut world, before) = vanished(hide).await;
    world.stop().await;
    world.ado.show_work_items(&before.ids).unwrap();
    world.start().await.unwrap();
    let found = active(&world).await;
    assert_eq!((counts(&found), present(&world).await), (before.counts, before.present));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_in_the_recycle_bin_is_no_disappearance_and_what_is_restored_is_there_again() {
    let world = synced().await;
    let (before, all) = (counts(&config(&world).await), present(&world).await);
    // No feed tells of them, so that only the bin does.
    world.ado.change_quirks(|quirks| quirks.reporting_deleted = ReportingDeleted::Absent);
    let deleted = change(&world, ItemChange { deleted: Some(true), ..ItemChange::default() });
    assert_config(&next_day(&world).await, &ACTIVE, GOOD);
    assert_eq!(present(&world).await, all - 30);
    let restore = ItemChange { deleted: Some(false), ..ItemChange::default() };
    let bulk = BulkChange { ids: Some(deleted), in_recycle_bin: true, change: restore, ..BulkChange::default() };
    assert_eq!(world.ado.change_work_items(&bulk).unwrap().len(), 30);
    let found = next_day(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!((counts(&found), present(&world).await), (before, all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recycle_bin_that_cannot_be_read_is_no_evidence() {
    let world = synced().await;
    world.ado.change_quirks(|quirks| {
        quirks.reporting_deleted = ReportingDeleted::Absent;
        quirks.recycle_bin_limit = 10;
    });
    change(&world, ItemChange { deleted: Some(true), ..ItemChange::default() });
    assert_config(&next_day(&world).await, &VANISHED, NOT_SYNCED);
    world.ado.change_quirks(|quirks| quirks.recycle_bin_limit = 20_000);
    pass(&world, RECHECK).await;
    assert_config(&active(&world).await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_that_is_moved_to_another_project_is_hidden_here_and_no_disappearance() {
    let world = synced().await;
    let all = present(&world).await;
    let bulk = |kind: &str| BulkChange {
        project: Some("Payments".into()),
        kind: Some(kind.into()),
        limit: Some(25),
        change: ItemChange { project: Some("Web Shop".into()), kind: Some("Bug".into()), ..ItemChange::default() },
        ..BulkChange::default()
    };
    let moved = ["Bug", "User Story"].map(|kind| world.ado.change_work_items(&bulk(kind)).unwrap().len());
    let moved: usize = moved.into_iter().sum();
    assert!(moved > 20, "{moved}");
    let found = next_day(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(present(&world).await, all - i64::try_from(moved).unwrap());
    assert_counted(&world, &found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_for_everything_in_a_project_in_which_nothing_happened_is_one_query_and_no_batch() {
    let world = synced().await;
    let before = queries(&world);
    assert_config(&next_day(&world).await, &ACTIVE, GOOD);
    assert_eq!((queries(&world) - before, batches(&world)), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_feeds_an_idle_look_asks_for_the_tree_the_changes_and_the_recycle_bin() {
    let world = connected(Options { items: 400, ..Options::default() }).await;
    without_feeds(&world);
    apply(&world, json!({})).await;
    let before = active(&world).await;
    assert_eq!(before.status.as_ref().unwrap().effective.as_ref().unwrap().interval.as_deref(), Some("5m"));
    world.clock.hold();
    world.calm::<AdoProjectConfig>().await;
    pass(&world, Duration::from_mins(6)).await;
    let (since, asked) = (world.ado.last_request(), queries(&world));
    pass(&world, Duration::from_mins(6)).await;
    world.calm::<AdoProjectConfig>().await;
    let sent = world.ado.requests_since(since);
    let count = |part: &str| sent.iter().filter(|one| one.route.contains(part)).count();
    let parts = ["{structureGroup}", "/wit/recyclebin", "/wit/workitemsbatch", "/wit/reporting/"];
    assert_eq!(parts.map(count), [1, 1, 0, 0]);
    assert_eq!(queries(&world) - asked, 1);

    let some = ids(&world, 2);
    world.ado.set_field(some[0], "System.Title", "Changed").unwrap();
    world.ado.delete_work_item(some[1]).unwrap();
    let (all, read) = (present(&world).await, batches(&world));
    pass(&world, Duration::from_mins(6)).await;
    wait::until("the changes", async || (present(&world).await == all - 1).then_some(())).await;
    assert_eq!(batches(&world) - read, 1);
}

//! Limits of the service that no answer of it may cross: what the documentation leaves open works every way.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::{Effect, Fault, Options, Quirks};
use serde_json::{Value, json};
use support::wait;
use support::world::{World, message, shows};

use crate::config_reads::present;
use crate::configs::{apply, batches, connected_small, counts, without_feeds};

/// Results above which the service refuses a query or cuts its answer off.
const LIMIT: u64 = 20_000;

/// Ids that one query asks for at most.
const PAGE: u64 = 19_999;

/// Tens of thousands of work items take their time on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A world whose service has these switches, and the config `payments` once it is synced.
async fn synced(items: u32, change: impl FnOnce(&mut Quirks)) -> (World, AdoProjectConfig) {
    let world = World::with(Options { items, ..Options::default() }).await;
    without_feeds(&world);
    world.ado.change_quirks(change);
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    apply(&world, json!({})).await;
    let synced = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    let found = wait::object_within(PATIENCE, &world.api(), "payments", "synced", synced).await;
    (world, found)
}

/// Asserts that everything the project has is stored and counted; gives the number of its work items.
async fn assert_whole(world: &World, found: &AdoProjectConfig) -> u64 {
    let live = world.ado.project("Payments").unwrap().work_items;
    let number = |kind: &str| i64::try_from(live[kind]).unwrap();
    let found = counts(found);
    assert_eq!((found.requirements, found.bugs), (number("User Story"), number("Bug")));
    let all = live.values().sum();
    assert_eq!(u64::try_from(present(world).await).unwrap(), all);
    all
}

/// Queries for ids that were answered with that status. The integration's own ask for a single one.
fn queries(world: &World, status: u16) -> usize {
    let sent = world.ado.requests_since(0);
    let of_a_read = sent
        .iter()
        .filter(|request| request.route.ends_with("/wit/wiql") && request.target.contains(&format!("top={PAGE}")));
    of_a_read.filter(|request| request.status == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_over_the_result_limit_is_read_whole_where_top_avoids_the_limit() {
    let (world, found) = synced(45_000, |quirks| quirks.wiql_top_avoids_size_limit = true).await;
    let all = assert_whole(&world, &found).await;
    assert!(all > LIMIT, "{all}");
    assert_eq!((queries(&world, 200), queries(&world, 400)), (2, 0), "a full page, and the rest");
    assert_eq!(batches(&world), PAGE.div_ceil(200) + (all - PAGE).div_ceil(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_over_the_result_limit_is_read_whole_by_windows_where_top_does_not_avoid_it() {
    let (world, found) = synced(45_000, |quirks| quirks.wiql_top_avoids_size_limit = false).await;
    let all = assert_whole(&world, &found).await;
    assert!(all > LIMIT, "{all}");
    assert!(queries(&world, 400) > 0, "the service refused");
    assert!(queries(&world, 200) >= 2, "and answered windows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_cuts_off_at_its_limit_without_a_word_makes_no_work_item_vanish() {
    let cut = |quirks: &mut Quirks| {
        quirks.wiql_top_avoids_size_limit = false;
        quirks.wiql_truncates_silently = true;
    };
    let (world, found) = synced(45_000, cut).await;
    let all = assert_whole(&world, &found).await;
    assert!(all > LIMIT, "{all}");
    assert_eq!(queries(&world, 400), 0, "the service said nothing");
}

/// A limit far below that of the service, so that windows become narrow, and wide again where ids are sparse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_narrow_until_their_results_are_few_enough() {
    let low = |quirks: &mut Quirks| {
        quirks.wiql_result_limit = 20;
        quirks.wiql_top_avoids_size_limit = false;
    };
    let (world, found) = synced(900, low).await;
    let all = assert_whole(&world, &found).await;
    assert!(all > 100, "there is something to read: {all}");
    let answered = u64::try_from(queries(&world, 200)).unwrap();
    assert!(queries(&world, 400) > 0 && answered >= all.div_ceil(20), "{answered} windows for {all} work items");
}

/// A server that answers every query with the same ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_do_not_move_on_are_not_asked_for_again_and_again() {
    let world = connected_small().await;
    without_feeds(&world);
    let ids: Vec<Value> = (1..=19_999).map(|id| json!({"id": id, "url": ""})).collect();
    let answer = |body: Value| Effect::Answer {
        status: 200,
        content_type: Some("application/json".to_owned()),
        body: body.to_string(),
    };
    let same = answer(json!({"queryType": "flat", "asOf": "2026-01-01T00:00:00Z", "workItems": ids}));
    world.ado.add_fault(Fault::on_path("*/_apis/wit/wiql*", same));
    world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch*", answer(json!({"count": 0, "value": []}))));
    apply(&world, json!({})).await;
    let found = world.config_is("payments", "Inactive", "Validating").await;
    assert!(message(&found).contains("a list without end"), "{}", message(&found));
    let queries =
        world.ado.requests_since(0).into_iter().filter(|request| request.target.contains("top=19999")).count();
    assert_eq!(queries, 2, "the second says enough");
}

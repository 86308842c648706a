//! Nothing is asked in vain, and nothing is written while nothing happens.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::{Effect, Fault};
use serde_json::json;
use support::audit::Bookmark;
use support::wait;
use support::world::World;

use crate::configs::{active, apply, batches, config, connected_small, counts, edit, pass, reads, refused, synced};

/// Requests of the next hour, minute by minute.
async fn requests_of_an_hour(world: &World, of: &str) -> usize {
    let since = world.ado.last_request();
    for _ in 0..60 {
        pass(world, Duration::from_mins(1)).await;
    }
    world.ado.requests_since(since).iter().filter(|request| request.target.contains(of)).count()
}

/// What the operator wrote since then in the test's namespace.
async fn writes(world: &World, log: &Bookmark) -> Vec<String> {
    let writes = world.writes(log).await;
    writes
        .iter()
        .map(|entry| format!("{} {} {}", entry.verb, entry.object_ref.resource, entry.object_ref.name))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_verdict_is_put_in_question_six_times_an_hour() {
    let world = connected_small().await;
    world.clock.hold();
    apply(&world, json!({"project": "Nowhere"})).await;
    refused(&world, "ProjectNotFound").await;
    assert_eq!(requests_of_an_hour(&world, "/projects/Nowhere").await, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_asked_about_less_and_less_often() {
    let world = connected_small().await;
    world.clock.hold();
    world.ado.add_fault(Fault::on_path("*/_apis/projects/Payments*", Effect::MalformedJson));
    apply(&world, json!({})).await;
    world.config_is("payments", "Inactive", "Validating").await;
    // After 5, 10, 20 and 40 s, which is each of the first four minutes here; after 80 s in the sixth, and then every two.
    assert_eq!(requests_of_an_hour(&world, "/projects/Payments").await, 4 + 1 + 27);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_again_asks_nothing_and_writes_nothing() {
    let world = connected_small().await;
    world.clock.hold();
    apply(&world, json!({"team": "Nobody"})).await;
    refused(&world, "TeamNotFound").await;
    world.calm::<AdoProjectConfig>().await;
    let (since, log) = (world.ado.last_request(), world.bookmark().await);
    for _ in 0..20 {
        pass(&world, Duration::from_secs(1)).await;
    }
    assert!(world.ado.requests_since(since).is_empty());
    assert_eq!(writes(&world, &log).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synced_config_is_compared_by_ids_once_a_day_and_written_only_then() {
    let world = synced().await;
    world.clock.hold();
    pass(&world, Duration::from_mins(2)).await;
    wait::object(&world.api(), "contoso", "counting its config", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.project_configs) == Some(1)
    })
    .await;
    world.calm::<AdoProjectConfig>().await;
    let (read, log) = (batches(&world), world.bookmark().await);
    for _ in 0..46 {
        pass(&world, Duration::from_mins(30)).await;
    }
    assert_eq!(batches(&world), read);
    assert!(reads(&world) >= 40, "changes were looked for each time");
    assert_eq!(writes(&world, &log).await, [""; 0]);

    let before: AdoProjectConfig = config(&world).await;
    pass(&world, Duration::from_hours(1)).await;
    let time = |found: &AdoProjectConfig| found.status.clone().unwrap().sync.unwrap();
    let found: AdoProjectConfig =
        wait::object(&world.api(), "payments", "read again", |found| time(found) != time(&before)).await;
    assert_eq!(batches(&world), read, "ids alone");
    assert_eq!(time(&found).last_change_time, time(&before).last_change_time, "nothing changed");
    assert_eq!(writes(&world, &log).await, ["patch adoprojectconfigs payments"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_writes_nothing_and_reads_only_what_changed() {
    let mut world = synced().await;
    world.clock.hold();
    let nothing = world.config("nothing", "contoso", json!({"pullRequirements": null, "bugMapping": null}));
    world.apply::<AdoProjectConfig>(nothing).await;
    world.config_is("nothing", "Active", "NothingSelected").await;
    pass(&world, Duration::from_mins(2)).await;
    wait::object(&world.api(), "contoso", "counting its configs", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.project_configs) == Some(2)
    })
    .await;
    world.stop().await;
    let (read, looked, log) = (batches(&world), reads(&world), world.bookmark().await);
    let since = world.ado.last_request();
    world.start().await.unwrap();
    wait::until("the integration is validated", async || (world.ado.requests_since(since).len() > 5).then_some(()))
        .await;
    for _ in 0..5 {
        pass(&world, Duration::from_mins(11)).await;
    }
    assert_eq!(batches(&world), read);
    assert!(reads(&world) > looked, "only changes are looked for");
    assert_eq!(writes(&world, &log).await, [""; 0]);
}

/// The status tells of a read whose data are gone: what it counts must be there again soon, and not a day later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_is_read_again_at_once_where_the_store_was_lost() {
    let mut world = synced().await;
    world.clock.hold();
    let before = counts(&active(&world).await);
    world.lose_data().await;
    let read = reads(&world);
    world.start().await.unwrap();
    wait::until("another read", async || (reads(&world) > read).then_some(())).await;
    world.calm::<AdoProjectConfig>().await;
    assert_eq!(reads(&world), read + 1, "once");
    assert_eq!(counts(&active(&world).await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_a_crash_left_without_a_verdict_is_validated_by_the_next_process() {
    let mut world = synced().await;
    let slow = Effect::Delay { milliseconds: 20_000, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/wit/workitemtypes*", slow));
    edit(&world, json!({"bugMapping": {"workItemTypes": ["Nothing"]}})).await;
    world.config_is("payments", "Active", "Syncing").await;
    world.operator = None;
    world.ado.clear_faults();
    world.start().await.unwrap();
    refused(&world, "InvalidMapping").await;
}

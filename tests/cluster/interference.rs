//! Somebody else writes or deletes an object while the operator works on it.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::{Effect, Fault};
use kube::ResourceExt as _;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use support::wait;
use support::world::World;

use crate::configs::{self, assert_config, reads};
use crate::integrations::{self, assert_integration, checks, slow_verdict};

/// Longer than a look goes on before it says that it does.
const SLOW: Duration = Duration::from_secs(7);

/// The next answer of that area takes its time.
fn slow(world: &World, area: &str) {
    let milliseconds = SLOW.as_millis().try_into().unwrap();
    let slow = Effect::Delay { milliseconds, retry_after: None };
    world.ado.add_fault(Fault::on_path(&format!("*/_apis/{area}*"), slow).times(1));
}

/// Waits until that area was asked since then.
async fn asked(world: &World, since: u64, area: &str) {
    let sent = || world.ado.requests_since(since).iter().any(|request| request.target.contains(area));
    wait::until("the first request", async || sent().then_some(())).await;
}

/// Makes every write of the operator fail that is based on what it has read.
fn label() -> serde_json::Value {
    json!({"metadata": {"labels": {"team": "payments"}}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validation_whose_announcement_fails_is_announced_later_and_brought_to_its_end() {
    let world = World::new().await;
    slow_verdict(&world, SLOW);
    integrations::apply(&world, json!({})).await;
    wait::until("the first request", async || (checks(&world, 0) == 1).then_some(())).await;
    world.patch::<AdoIntegration>("contoso", label()).await;
    world.integration_is("contoso", "Inactive", "Validating").await;
    let found = world.integration_is("contoso", "Active", "Connected").await;
    assert_integration(&found, &integrations::ACTIVE, integrations::GOOD);
    assert_eq!(checks(&world, 0), 1, "what was found is written without being asked again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_whose_announcement_fails_is_announced_later_and_brought_to_its_end() {
    let world = configs::connected_small().await;
    let since = world.ado.last_request();
    slow(&world, "projects/Payments");
    configs::apply(&world, json!({})).await;
    asked(&world, since, "/_apis/projects/Payments").await;
    world.patch::<AdoProjectConfig>("payments", label()).await;
    world.config_is("payments", "Inactive", "Syncing").await;
    assert_config(&configs::active(&world).await, &configs::ACTIVE, configs::GOOD);
    assert_eq!(reads(&world), 1, "what was read is written without being read again");
}

/// Its end is seen while a look at it is under way, which pins what the config means when nobody expects it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_a_config_that_goes_while_it_is_looked_at() {
    let world = configs::connected_small().await;
    let since = world.ado.last_request();
    slow(&world, "work/backlogconfiguration");
    configs::apply(&world, json!({})).await;
    asked(&world, since, "/work/backlogconfiguration").await;
    let uid = configs::config(&world).await.uid().unwrap();
    world.delete::<AdoProjectConfig>("payments").await;
    let looks = world.looks::<AdoProjectConfig>().await;
    wait::until("the end of the look", async || (world.looks::<AdoProjectConfig>().await > looks).then_some(())).await;

    let file = world.data().join("ado-operator.db");
    wait::until("nothing is kept", async || {
        let mut store = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
        let kept = "SELECT (SELECT count(*) FROM pins WHERE uid = ?1) \
                    + (SELECT count(*) FROM sync_runs WHERE config_uid = ?1)";
        let kept: i64 = sqlx::query_scalar(kept).bind(&uid).fetch_one(&mut store).await.unwrap();
        (kept == 0).then_some(())
    })
    .await;
}

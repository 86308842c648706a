//! What the tests of project configs share: rows, a world with a config in it, and time.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, Counts, REQUESTED_AT};
use ado_simulator::{Options, ReportingRefusal};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use support::wait;
use support::world::{World, conditions};

pub use crate::judge::{Own, assert_whole as assert_config};
use crate::judge::{Row, assert_row};

/// Of a mapping that was accepted and synced.
pub const GOOD: Own = &[("MappingValid", "True", "MappingAccepted"), ("Synced", "True", "Synced")];

/// Where nothing is known yet.
pub const NOTHING: Own = &[];

/// How fast time passes where a test waits for the end of a pause.
pub const SECOND: Duration = Duration::from_secs(1);

/// A config that is synced.
pub const ACTIVE: Row<'_> =
    Row { state: "Active", ready: ("True", "Synced"), abnormal: &[], kstatus: "Current", argocd: "Healthy" };

/// A bad verdict that somebody must change something about.
pub fn stuck(reason: &str) -> Row<'_> {
    Row { state: "Error", ready: ("False", reason), abnormal: &["Stalled"], kstatus: "Failed", argocd: "Degraded" }
}

/// A bad verdict that is being worked on.
pub fn failing<'a>(reason: &'a str, abnormal: &'a [&'a str]) -> Row<'a> {
    Row { state: "Error", ready: ("False", reason), abnormal, kstatus: "InProgress", argocd: "Degraded" }
}

/// No verdict yet.
pub fn waiting<'a>(state: &'a str, reason: &'a str) -> Row<'a> {
    Row { state, ready: ("Unknown", reason), abnormal: &["Reconciling"], kstatus: "InProgress", argocd: "Progressing" }
}

/// Asserts a bad verdict on the config itself.
pub fn assert_stuck(found: &AdoProjectConfig, reason: &str) {
    assert_row(found, &stuck(reason));
    assert_eq!(conditions(found)["MappingValid"], ("False".into(), reason.into()));
}

/// A world with the integration `contoso`.
pub async fn connected(options: Options) -> World {
    let world = World::with(options).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world
}

/// The same with few work items.
pub async fn connected_small() -> World {
    connected(Options { items: 60, ..Options::default() }).await
}

/// A world with the integration `contoso` and the synced config `payments`.
pub async fn synced() -> World {
    let world = connected_small().await;
    apply(&world, json!({})).await;
    world.config_is("payments", "Active", "Synced").await;
    world
}

/// Applies the config `payments`; `change` is merged into its spec.
pub async fn apply(world: &World, change: Value) {
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", change)).await;
}

/// Merges a change into the spec of the config `payments`.
pub async fn edit(world: &World, change: Value) {
    world.patch::<AdoProjectConfig>("payments", json!({"spec": change})).await;
}

/// Waits for a bad verdict on the config `payments`.
pub async fn refused(world: &World, reason: &str) -> AdoProjectConfig {
    let found = world.config_is("payments", "Error", reason).await;
    assert_stuck(&found, reason);
    found
}

/// Waits until the config `payments` is synced.
pub async fn active(world: &World) -> AdoProjectConfig {
    world.config_is("payments", "Active", "Synced").await
}

/// The config `payments` as it is.
pub async fn config(world: &World) -> AdoProjectConfig {
    world.api().get("payments").await.unwrap()
}

/// Asks for a run and waits for its echo.
pub async fn run(world: &World, value: &str) -> AdoProjectConfig {
    ask(world, value).await;
    wait::object(&world.api(), "payments", "echoing the request", |found| echoes(found, value)).await
}

/// Asks for a run.
pub async fn ask(world: &World, value: &str) {
    let asked = json!({"metadata": {"annotations": {REQUESTED_AT: value}}});
    world.patch::<AdoProjectConfig>("payments", asked).await;
}

/// Whether a run that was asked for with that value has ended.
pub fn echoes(found: &AdoProjectConfig, value: &str) -> bool {
    found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some(value))
}

/// Whether a condition of that type stands there.
pub fn has(found: &AdoProjectConfig, kind: &str) -> bool {
    conditions(found).contains_key(kind)
}

/// Numbers of records that the config shows.
pub fn counts(found: &AdoProjectConfig) -> Counts {
    found.status.clone().unwrap().counts.unwrap()
}

/// From now on the service has no feeds of what changed, so that ids are queried and read in batches.
pub fn without_feeds(world: &World) {
    world.ado.change_quirks(|quirks| quirks.reporting_refusal = Some(ReportingRefusal::NotFound));
}

/// How often the feed of revisions was asked.
pub fn reads(world: &World) -> u64 {
    world.ado.count("POST", "/wit/reporting/workitemrevisions")
}

/// How many batches of work items were read.
pub fn batches(world: &World) -> u64 {
    world.ado.count("POST", "/wit/workitemsbatch")
}

/// Lets time pass, and the operator look at its configs.
pub async fn pass(world: &World, time: Duration) {
    world.pass::<AdoProjectConfig>(time).await;
}

/// Id of a project.
pub fn project_id(world: &World, name: &str) -> String {
    world.ado.project(name).unwrap().id.to_string()
}

/// A number from the operator's database.
pub async fn number(world: &World, query: &str) -> i64 {
    let file = world.data().join("ado-operator.db");
    let mut store = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut store).await.unwrap()
}

//! What keeps the operator itself from its work is shown, and ends by itself: a store that cannot write, a right that is missing.

use std::sync::Arc;
use std::time::Duration;

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use support::control_plane::{ControlPlane, RELEASE};
use support::wait;
use support::world::{World, conditions, message, shows};

use crate::configs::{self, SECOND};
use crate::integrations::{self, ACTIVE, GOOD, NOTHING, assert_integration, checks, pass, unreachable, waiting};
use crate::judge::{Own, Row, assert_whole};

/// What one try of a refused credential costs: connectionData is asked twice before a refusal is believed.
const ONE_TRY: usize = 2;

/// Asserts the row, and that the operator does not blame Azure DevOps.
fn assert_hindered<K: Serialize + ResourceExt>(found: &K, row: &Row<'_>, own: Own) {
    assert_whole(found, row, own);
    assert_eq!(conditions(found)["Unreachable"].1, "InternalError");
    assert!(message(found).starts_with("The operator could not do its work"), "{}", message(found));
}

async fn execute(world: &World, statement: String) {
    let file = world.data().join("ado-operator.db");
    let open = async || SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.ok();
    let mut store = wait::until("the store", open).await;
    // The operator makes the tables after it has started.
    wait::until("the table", async || sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut store).await.ok())
        .await;
    store.close().await.unwrap();
}

/// From now on the table takes no more rows, as if the volume were full.
async fn fill(world: &World, table: &str) {
    let refusal = "SELECT RAISE(FAIL, 'database or disk is full')";
    execute(world, format!("CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN {refusal}; END")).await;
}

/// The table takes rows again.
async fn empty(world: &World) {
    execute(world, "DROP TRIGGER full".to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_left_alone_although_the_store_cannot_take_note_of_it() {
    let world = World::new().await;
    world.clock.hold();
    fill(&world, "credential_refusals").await;
    world.put_token(&world.pat("expired")).await;
    integrations::apply(&world, json!({})).await;
    for _ in 0..10 {
        pass(&world, Duration::from_secs(10)).await;
    }
    let found = world.integration_is("contoso", "Inactive", "Unreachable").await;
    assert_hindered(&found, &unreachable("Inactive"), NOTHING);
    let text = message(&found);
    assert!(text.contains("store") && text.contains("full"), "{text}");
    assert_eq!(checks(&world, 0), ONE_TRY);

    empty(&world).await;
    pass(&world, Duration::from_secs(10)).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    assert_eq!(checks(&world, 0), ONE_TRY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_takes_no_work_items_is_shown_by_the_config_until_it_does() {
    let world = configs::connected_small().await;
    fill(&world, "work_items").await;
    configs::apply(&world, json!({})).await;
    let hindered = |found: &AdoProjectConfig| shows(found, "Inactive", "Unreachable");
    let found = world.as_time_passes(SECOND, "payments", "hindered", hindered).await;
    assert_hindered(&found, &unreachable("Inactive"), configs::NOTHING);
    assert!(message(&found).contains("store"), "{}", message(&found));
    empty(&world).await;
    let back = |found: &AdoProjectConfig| shows(found, "Active", "Synced");
    let found = world.as_time_passes(SECOND, "payments", "back", back).await;
    configs::assert_config(&found, &configs::ACTIVE, configs::GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_write_holds_a_deletion_for_five_minutes_and_no_longer() {
    let world = World::new().await;
    integrations::connected(&world).await;
    fill(&world, "audit").await;
    let permitted = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", permitted).await;
    world.delete::<AdoIntegration>("contoso").await;
    let found: AdoIntegration = wait::object(&world.api(), "contoso", "held", |found| {
        let text = message(found);
        text.contains("Being deleted") && text.contains("full")
    })
    .await;
    let row = Row { kstatus: "Terminating", ..waiting("Active", "Deleting") };
    assert_integration(&found, &row, NOTHING);
    world.clock.advance(Duration::from_mins(6));
    wait::until("it to be gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

/// The operator's role, with or without Secrets.
async fn permit_secrets(control_plane: &ControlPlane, permitted: bool) {
    let all: Api<ClusterRole> = Api::all(control_plane.admin().await.unwrap());
    let mut role = all.get(RELEASE).await.unwrap();
    let (from, to) = if permitted { ("nothing", "secrets") } else { ("secrets", "nothing") };
    let rules = role.rules.iter_mut().flatten().filter_map(|rule| rule.resources.as_mut());
    let resources = rules.flatten().filter(|resource| *resource == from);
    resources.for_each(|resource| to.clone_into(resource));
    all.replace(RELEASE, &PostParams::default(), &role).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_is_named_by_the_integration_until_it_is_given() {
    let control_plane = ControlPlane::own().await;
    let world = World::on(Arc::clone(&control_plane)).await;
    integrations::connected(&world).await;
    permit_secrets(&control_plane, false).await;
    let hindered = |found: &AdoIntegration| shows(found, "Active", "Unreachable");
    let found = world.as_time_passes(SECOND, "contoso", "hindered", hindered).await;
    assert_hindered(&found, &unreachable("Active"), GOOD);
    let text = message(&found);
    assert!(text.contains("cannot get resource \"secrets\"") && !text.contains("Status {"), "{text}");
    permit_secrets(&control_plane, true).await;
    let back = |found: &AdoIntegration| shows(found, "Active", "Connected");
    let found = world.as_time_passes(SECOND, "contoso", "back", back).await;
    assert_integration(&found, &ACTIVE, GOOD);
}

//! The operator with its store in PostgreSQL.

use std::sync::Arc;

use ado_operator::store::{AuditAction, Server, Store};
use serde_json::{Value, json};
use support::clock::ManualClock;
use support::operator::Operator;
use support::postgres::Postgres;
use support::wait;
use support::world::World;

use crate::configs::{self, assert_config};
use crate::integrations::{self, ACTIVE, GOOD, assert_integration};

async fn readiness(operator: &Operator) -> (u16, Value) {
    let answer = reqwest::get(format!("http://{}/readyz", operator.metrics)).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_down_at_the_start_is_waited_for_and_named() {
    let server = Postgres::durable().unwrap();
    let database = server.create_database().unwrap();
    let mut world = World::new().await;
    server.crash().unwrap();
    world.restart_with(&["--store-url", &database.url()]).await;
    let operator = world.operator.as_ref().unwrap();
    let (status, body) = readiness(operator).await;
    assert_eq!(status, 503);
    assert!(body["waitingFor"].as_array().unwrap().contains(&json!("Store")), "{body}");

    server.restart().unwrap();
    assert_integration(&integrations::connected(&world).await, &ACTIVE, GOOD);
    assert_eq!(readiness(operator).await.0, 200);
    let store = Store::connect(&Server::parse(&database.url()).unwrap()).await.unwrap();
    let trail = store.audit(&world.namespace, "contoso", 10).await.unwrap();
    assert_eq!(trail.iter().map(|record| record.action).collect::<Vec<_>>(), [AuditAction::Connected]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_a_database_and_the_next_leader_finds_what_the_last_one_wrote() {
    let database = Postgres::shared().and_then(|server| server.create_database()).unwrap();
    let mut world = configs::connected_small().await;
    world.restart_with(&["--store-url", &database.url()]).await;
    configs::apply(&world, json!({})).await;
    assert_config(&configs::active(&world).await, &configs::ACTIVE, configs::GOOD);

    let (clock, folder) = (Arc::<ManualClock>::default(), tempfile::tempdir().unwrap());
    let flags = [world.flags(), &["--identity", "second"].map(str::to_owned)].concat();
    let served = [world.namespace.clone()];
    let second = Operator::start(&world.control_plane, &clock, folder.path(), &served, &flags).await.unwrap();
    wait::until("the second to wait for the Lease", async || {
        let waiting = json!(["Leadership", "AdoIntegrations", "AdoProjectConfigs"]);
        (readiness(&second).await.1["waitingFor"] == waiting).then_some(())
    })
    .await;
    let read = configs::batches(&world);
    world.stop().await;
    wait::until("the second to lead", async || (readiness(&second).await.0 == 200).then_some(())).await;
    world.put_token(&world.pat("expired")).await;
    world.integration_is("contoso", "Error", "CredentialRefused").await;
    assert_eq!(configs::batches(&world), read, "nothing is read again");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file of SQLite is made");
    second.stop().await;
}

//! Rows of the table of states that an integration can be in.

use ado_operator::api::AdoIntegration;
use serde_json::json;
use support::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_credential_makes_an_integration_active() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let found = world.integration_is("contoso", "Active", "Connected").await;
    println!("{}", serde_json::to_string_pretty(&found.status).unwrap());
}

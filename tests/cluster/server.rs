//! Azure DevOps Server: collections below a virtual directory, an older version of the API, no access levels, no rate limit.

use ado_operator::api::AdoIntegration;
use ado_simulator::{Deployment, Options};
use serde_json::json;
use support::world::{World, message};

use crate::configs::{self, assert_config};
use crate::integrations::{self, assert_integration};

/// Azure DevOps Server 2022, which knows the API up to 7.0.
async fn server() -> World {
    let deployment = Deployment::OnPremises { virtual_directory: "tfs".to_owned() };
    World::with(Options { items: 60, deployment, api_versions: vec!["7.0".to_owned()], ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_of_a_server_is_connected_and_read() {
    let mut world = server().await;
    world.restart_with(&["--server-api-version", "7.0"]).await;
    assert!(world.ado.url().ends_with("/tfs/contoso"), "{}", world.ado.url());
    let found = integrations::connected(&world).await;
    assert_integration(&found, &integrations::ACTIVE, integrations::GOOD);
    let status = found.status.unwrap();
    assert_eq!(status.organization.unwrap().name, "contoso");
    let asked = world.ado.requests_since(0);
    assert!(asked.iter().all(|request| request.target.starts_with("/tfs/contoso/")), "{asked:?}");

    configs::apply(&world, json!({})).await;
    assert_config(&configs::active(&world).await, &configs::ACTIVE, configs::GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_the_server_does_not_know_is_told_with_the_remedy() {
    let world = server().await;
    integrations::apply(&world, json!({})).await;
    let unreachable = |found: &AdoIntegration| integrations::has(found, "Unreachable");
    let found = world.as_time_passes(configs::SECOND, "contoso", "unreachable", unreachable).await;
    let text = message(&found);
    assert!(text.contains("7.1") && text.contains("--server-api-version"), "{text}");
    assert!(world.ado.violation_count() > 0, "asking is a mistake, here on purpose");
    world.ado.reset_journal();
}

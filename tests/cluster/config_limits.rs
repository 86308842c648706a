//! Limits of the service that no answer of it may cross: what the documentation leaves open works both ways.

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use serde_json::json;
use support::world::World;

/// Requirements and bugs that Azure DevOps has and that the status tells.
async fn synced(world: &World) -> (u64, i64) {
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Active", "Synced").await.status.unwrap();
    let types = found.effective.unwrap();
    let books = world.ado.project("Payments").unwrap().work_items;
    let all = types.requirement_types.iter().chain(&types.bug_types);
    let had = all.filter_map(|name| books.get(name)).copied().sum();
    let counts = found.counts.unwrap();
    (had, counts.requirements + counts.bugs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_over_the_result_limit_is_read_whole_whether_or_not_top_avoids_it() {
    for avoids in [true, false] {
        let options = ado_simulator::Options { items: 900, ..ado_simulator::Options::default() };
        let world = World::with(options).await;
        world.ado.change_quirks(|quirks| {
            quirks.wiql_result_limit = 20;
            quirks.wiql_top_avoids_size_limit = avoids;
        });
        let (had, told) = synced(&world).await;
        assert!(had > 100, "there is something to read");
        assert_eq!(i64::try_from(had).unwrap(), told, "with $top avoiding the limit: {avoids}");
    }
}

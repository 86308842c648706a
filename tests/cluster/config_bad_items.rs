//! Work items that cannot be read: the config says so, and everything else of the project is there.

use ado_operator::api::AdoProjectConfig;
use ado_simulator::control::ItemChange;
use ado_simulator::{Effect, Fault};
use serde_json::json;

use crate::config_reads::present;
use crate::configs::{active, apply, connected_small, run};

fn warnings(found: &AdoProjectConfig) -> Vec<String> {
    found.status.clone().unwrap().warnings
}

/// The page of revisions is cut, so that its long texts come by batches, and those fail for one item.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_that_are_set_aside_or_at_the_revision_limit_are_warned_of_and_all_others_are_there() {
    let world = connected_small().await;
    let ids: Vec<u32> = world.ado.work_items("Payments").unwrap().iter().map(|item| item.id).collect();
    let (unreadable, limited) = (ids[3], ids[5]);
    world.ado.change_work_item(&ItemChange { id: limited, rev: Some(10_000), ..ItemChange::default() }).unwrap();
    let cut = Effect::CutBody { after_bytes: 2_000 };
    world.ado.add_fault(Fault::on_route("*/wit/reporting/workitemrevisions", cut).times(1));
    let failing = Effect::Status { code: 500, retry_after: None };
    let fault = world.ado.add_fault(Fault::on_route("*/wit/workitemsbatch", failing).item(unreadable));
    apply(&world, json!({})).await;
    let found = active(&world).await;
    let told = warnings(&found);
    assert!(told[0].contains("set aside") && told[0].ends_with(&format!(": 1 ({unreadable}).")), "{told:?}");
    assert!(
        told[1].contains("limit of 10,000 revisions") && told[1].ends_with(&format!(": 1 ({limited}).")),
        "{told:?}"
    );
    assert_eq!(usize::try_from(present(&world).await).unwrap(), ids.len());

    world.ado.remove_fault(fault);
    world.ado.set_field(unreadable, "System.Title", "Readable again").unwrap();
    let told = warnings(&run(&world, "readable").await);
    assert!(told[0].contains("limit of 10,000 revisions"), "{told:?}");
}

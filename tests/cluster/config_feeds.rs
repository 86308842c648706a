//! What changed comes by the reporting feeds, at the cost that they allow.

use std::collections::BTreeMap;
use std::time::Duration;

use ado_operator::api::{AdoProjectConfig, Counts};
use ado_simulator::control::{ItemChange, ItemLink, NewNode, NewWorkItem, NodeChange, ProjectChange};
use ado_simulator::{Effect, Fault, Options, Quirks};
use serde_json::json;
use support::wait;
use support::world::{World, conditions};

use crate::config_reads::present;
use crate::configs::{active, apply, batches, connected, connected_small, counts, number, pass, reads, run, synced};

/// Longer than the interval at which changes are looked for.
const INTERVAL: Duration = Duration::from_mins(6);

/// Lets an interval pass, and waits until changes were looked for.
async fn next_look(world: &World) -> AdoProjectConfig {
    let before = reads(world);
    pass(world, INTERVAL).await;
    wait::until("a look for changes", async || (reads(world) > before).then_some(())).await;
    world.calm::<AdoProjectConfig>().await;
    active(world).await
}

fn bug() -> NewWorkItem {
    NewWorkItem { project: "Payments".into(), kind: "Bug".into(), ..NewWorkItem::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_created_deleted_and_restored_is_there_and_gone_and_there_within_an_interval() {
    let world = synced().await;
    world.clock.hold();
    let before = counts(&active(&world).await);
    let id = world.ado.create_work_item(&bug()).unwrap();
    assert_eq!(counts(&next_look(&world).await).bugs, before.bugs + 1);
    world.ado.delete_work_item(id).unwrap();
    assert_eq!(counts(&next_look(&world).await), before);
    world.ado.change_work_item(&ItemChange { id, deleted: Some(false), ..ItemChange::default() }).unwrap();
    assert_eq!(counts(&next_look(&world).await).bugs, before.bugs + 1);
    assert_eq!(batches(&world), 0, "nothing but the feeds was read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_project_in_which_nothing_happened_costs_three_requests_and_a_team_one_more() {
    let world = synced().await;
    world.clock.hold();
    next_look(&world).await;
    for (team, cost) in [(None, 3), (Some("Payments Team"), 4)] {
        world.patch::<AdoProjectConfig>("payments", json!({"spec": {"team": team}})).await;
        active(&world).await;
        world.calm::<AdoProjectConfig>().await;
        let since = world.ado.last_request();
        next_look(&world).await;
        let project = |target: &str| target.contains("/wit/") || target.contains("/work/");
        let sent = world.ado.requests_since(since);
        let asked: Vec<&str> =
            sent.iter().map(|request| request.route.as_str()).filter(|route| project(route)).collect();
        let by_config = asked.iter().filter(|route| {
            ["reporting", "classificationnodes/{structureGroup}", "teamsettings"]
                .iter()
                .any(|part| route.contains(part))
        });
        assert_eq!(by_config.count(), cost, "{team:?}: {asked:?}");
    }
}

/// A team that is gone under an accepted spec is noticed once, and no look fails for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_is_gone_is_not_asked_for_at_every_look() {
    let world = connected_small().await;
    apply(&world, json!({"team": "Checkout", "iterationMapping": {"sprint": {"from": "TeamBoard"}}})).await;
    let before = counts(&active(&world).await);
    world.clock.hold();
    let gone = ProjectChange { project: "Payments".into(), remove_team: Some("Checkout".into()), ..Default::default() };
    world.ado.change_project(&gone).unwrap();
    let found = next_look(&world).await;
    assert_eq!(conditions(&found)["MappingValid"], ("False".to_owned(), "ProcessChanged".to_owned()));
    assert_eq!(counts(&found), before, "it keeps its last iterations");
    let since = world.ado.last_request();
    next_look(&world).await;
    let sent = world.ado.requests_since(since);
    let refused: Vec<&str> = sent.iter().filter(|one| one.status == 404).map(|one| one.target.as_str()).collect();
    assert_eq!(refused, [""; 0]);
}

/// A team whose settings Azure DevOps cannot read (TF400497) stops nothing: what it had selected is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_for_which_the_service_fails_stops_no_sync() {
    let world = connected_small().await;
    apply(&world, json!({"team": "Checkout", "iterationMapping": {"sprint": {"from": "TeamBoard"}}})).await;
    let before = counts(&active(&world).await);
    world.clock.hold();
    let broken = Effect::Status { code: 500, retry_after: None };
    for of_team in ["*/_apis/work/teamsettings/iterations*", "*Checkout/_apis/work/backlogconfiguration*"] {
        world.ado.add_fault(Fault::on_path(of_team, broken.clone()));
    }
    for bugs in 1..=2 {
        world.ado.create_work_item(&bug()).unwrap();
        let found = next_look(&world).await;
        assert_eq!(counts(&found), Counts { bugs: before.bugs + bugs, ..before.clone() });
        assert_eq!(conditions(&found)["Ready"], ("True".to_owned(), "Synced".to_owned()));
    }
}

/// Whether items of a deleted iteration get a new revision is unconfirmed; where they do not, no feed tells where they went.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_of_a_deleted_iteration_are_found_where_they_went_without_a_revision() {
    let world = connected_small().await;
    world.ado.change_quirks(|quirks| quirks.reclassifying_makes_revisions = false);
    let node = |name: &str| NewNode { project: "Payments".into(), name: name.into(), ..NewNode::default() };
    world.ado.add_node(&node("Old")).unwrap();
    world.ado.add_node(&node("New")).unwrap();
    let iteration = ("System.IterationPath".to_owned(), json!("Payments\\Old"));
    let item = NewWorkItem { fields: BTreeMap::from([iteration]), ..bug() };
    world.ado.create_work_item(&item).unwrap();
    apply(&world, json!({"iterationMapping": {"release": {"from": "Depth", "depth": 1}, "sprint": {"from": "None"}}}))
        .await;
    active(&world).await;
    world.clock.hold();
    let gone = NodeChange {
        project: "Payments".into(),
        node: "Payments\\Old".into(),
        delete: true,
        reclassify: Some("Payments\\New".into()),
        ..NodeChange::default()
    };
    world.ado.change_node(&gone).unwrap();
    next_look(&world).await;
    let assigned = "SELECT count(*) FROM records JOIN plan_nodes ON plan_nodes.config_key = records.config_key \
                    AND plan_nodes.identifier = records.release_id WHERE side = 'release' AND plan_nodes.name = 'New'";
    assert_eq!(number(&world, assigned).await, 1);
}

/// An epic in an iteration of its own.
fn epic(world: &World, iteration: &str) -> u32 {
    let node = NewNode { project: "Payments".into(), name: iteration.into(), ..NewNode::default() };
    world.ado.add_node(&node).unwrap();
    let fields = BTreeMap::from([("System.IterationPath".to_owned(), json!(format!("Payments\\{iteration}")))]);
    world.ado.create_work_item(&NewWorkItem { kind: "Epic".into(), fields, ..bug() }).unwrap()
}

/// Releases come from the epics here, so each of these two is a release only while it has the bug.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_changes_alone_gives_a_record_the_release_of_its_new_parent() {
    let world = connected_small().await;
    let (here, there) = (epic(&world, "Here"), epic(&world, "There"));
    let id = world.ado.create_work_item(&bug()).unwrap();
    let parent = |to| ItemLink { id, rel: "System.LinkTypes.Hierarchy-Reverse".into(), to, organization: None };
    let revision = || world.ado.work_items("Payments").unwrap().into_iter().find(|item| item.id == id).unwrap().rev;
    world.ado.link(&parent(here)).unwrap();
    let before = revision();
    let tier = json!({"release": {"from": "Tier", "tier": 1}, "sprint": {"from": "None"}});
    apply(&world, json!({"iterationMapping": tier})).await;
    let with_here = counts(&active(&world).await).releases;
    world.clock.hold();
    world.ado.unlink(&parent(here)).unwrap();
    assert_eq!(counts(&next_look(&world).await).releases, with_here - 1);
    world.ado.link(&parent(there)).unwrap();
    assert_eq!(counts(&next_look(&world).await).releases, with_here);
    assert_eq!(revision(), before, "the item itself is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_cut_is_read_again_from_where_the_last_one_ended() {
    let world = connected(Options { items: 1200, ..Options::default() }).await;
    world.ado.change_quirks(|quirks| quirks.reporting_page_size = 100);
    let revisions = "*/_apis/wit/reporting/workitemrevisions*";
    for effect in [Effect::CutBody { after_bytes: 5_000 }, Effect::MalformedJson] {
        world.ado.add_fault(Fault::on_path(revisions, effect).after(2).times(1));
    }
    apply(&world, json!({})).await;
    let found: AdoProjectConfig = world
        .as_time_passes(Duration::from_secs(1), "payments", "synced", |found: &AdoProjectConfig| {
            support::world::shows(found, "Active", "Synced")
        })
        .await;
    let live = world.ado.project("Payments").unwrap().work_items;
    let all: u64 = live.values().sum();
    assert_eq!(u64::try_from(present(&world).await).unwrap(), all);
    assert_eq!(counts(&found).bugs, i64::try_from(live["Bug"]).unwrap());
    assert!(reads(&world) <= all.div_ceil(100) + 5, "{} pages for {all} items: no page was read twice", reads(&world));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_the_service_does_not_know_any_more_begins_anew_and_misses_nothing() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    world.ado.create_work_item(&bug()).unwrap();
    let refused = Effect::Status { code: 400, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/wit/reporting/workitemrevisions*continuationToken*", refused).times(1));
    let found = run(&world, "with a lost token").await;
    assert_eq!(counts(&found).bugs, before.bugs + 1);
    assert_eq!(counts(&active(&world).await).requirements, before.requirements);
}

/// What the documentation leaves open makes no difference (`ado-api.md` §14).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_are_read_in_each_form_that_the_documentation_leaves_open() {
    let forms: [fn(&mut Quirks); 3] = [
        |quirks| quirks.reporting_last_token_in_next_link_only = true,
        |quirks| quirks.reporting_page_size = 7,
        |quirks| quirks.reporting_parent = ado_simulator::ReportingParent::LeftOut,
    ];
    for form in forms {
        let world = connected_small().await;
        world.ado.change_quirks(form);
        apply(&world, json!({})).await;
        let before = counts(&active(&world).await);
        let live = world.ado.project("Payments").unwrap().work_items;
        assert_eq!(before.bugs, i64::try_from(live["Bug"]).unwrap());
        world.ado.create_work_item(&bug()).unwrap();
        assert_eq!(counts(&run(&world, "again").await).bugs, before.bugs + 1);
    }
}

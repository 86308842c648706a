//! Requests: what a project costs, however many configs it has.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::Options;
use ado_simulator::control::{NewState, NewWorkItem};
use ado_simulator::state::StateCategory;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use support::audit::Bookmark;
use support::wait;
use support::world::{World, shows};

use crate::config_reads::present;
use crate::configs::{ACTIVE, GOOD, active, apply, assert_config, counts, edit, pass, refused, run};

/// Elements of a page of the feeds.
const PAGE: u64 = 100;

/// Longer than the interval at which changes are looked for.
const INTERVAL: Duration = Duration::from_mins(6);

/// Requests for what a process defines: project, types, categories, fields and backlog levels.
const DEFINED: u64 = 5;

/// The tree.
const TREE: u64 = 1;

/// Both teams of the project, and its default team.
const TEAMS: [&str; 3] = ["Checkout", "Newcomers", "Payments Team"];

/// A world whose integration is not validated again, and whose project needs several pages of both feeds. Time stands still.
async fn several_pages() -> World {
    let options = Options { items: 730, items_in: Some("Payments".into()), ..Options::default() };
    let world = World::with(options).await;
    world.ado.change_quirks(|quirks| quirks.reporting_page_size = PAGE.try_into().unwrap());
    world.apply::<AdoIntegration>(world.integration("contoso", json!({"interval": "24h"}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.clock.hold();
    world
}

/// Applies configs of the project, and waits until all are synced. Gives what was asked, by route.
async fn synced(world: &World, changes: &[Value]) -> Vec<String> {
    let since = world.ado.last_request();
    let names: Vec<String> = (0..changes.len()).map(|number| format!("config-{number}")).collect();
    for (name, change) in names.iter().zip(changes) {
        world.apply::<AdoProjectConfig>(world.config(name, "contoso", change.clone())).await;
    }
    for name in &names {
        assert_config(&world.config_is(name, "Active", "Synced").await, &ACTIVE, GOOD);
    }
    world.calm::<AdoProjectConfig>().await;
    asked(world, since)
}

fn asked(world: &World, since: u64) -> Vec<String> {
    let sent = world.ado.requests_since(since);
    sent.iter().map(|request| format!("{} {}", request.method, request.route)).collect()
}

/// Pages of both feeds from their beginning.
async fn pages(world: &World) -> u64 {
    let file = world.data().join("ado-operator.db");
    let mut store = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    let links: i64 = sqlx::query_scalar("SELECT count(*) FROM links").fetch_one(&mut store).await.unwrap();
    let pages = |elements: i64| u64::try_from(elements).unwrap().div_ceil(PAGE);
    let (items, links) = (pages(present(world).await), pages(links));
    assert!(items > 2 && links > 1, "{items} and {links} pages are several");
    items + links
}

#[track_caller]
fn assert_cost(asked: &[String], cost: u64) {
    assert_eq!(asked.len() as u64, cost, "{asked:#?}");
}

/// How often the status of a config was written.
async fn statuses(world: &World, since: &Bookmark) -> usize {
    let written = world.writes(since).await;
    written.iter().filter(|entry| entry.object_ref.resource == "adoprojectconfigs").count()
}

fn mapping_severities(types: &[&str]) -> Value {
    json!({"bugMapping": {"workItemTypes": types, "severityMapping": [{"ado": "1 - Critical", "testops": "High"}]}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sync_costs_what_the_process_defines_the_tree_and_the_pages_of_both_feeds() {
    let world = several_pages().await;
    let asked = synced(&world, &[json!({})]).await;
    assert_cost(&asked, DEFINED + TREE + pages(&world).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_costs_two_more() {
    let world = several_pages().await;
    let asked = synced(&world, &[json!({"team": "Checkout"})]).await;
    assert_cost(&asked, DEFINED + 2 + TREE + pages(&world).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn severities_cost_one_for_each_type_of_bugs() {
    let world = several_pages().await;
    let asked = synced(&world, &[mapping_severities(&["Bug", "Issue"])]).await;
    assert_cost(&asked, DEFINED + 2 + TREE + pages(&world).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_configs_of_a_project_cost_as_much_as_one() {
    let world = several_pages().await;
    let asked = synced(&world, &vec![mapping_severities(&["Bug"]); 10]).await;
    assert_cost(&asked, DEFINED + 1 + TREE + pages(&world).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_configs_of_a_project_cost_two_more_for_each_of_their_teams() {
    let world = several_pages().await;
    let changes: Vec<Value> = (0..10).map(|number| json!({"team": TEAMS[number % TEAMS.len()]})).collect();
    let asked = synced(&world, &changes).await;
    let limit = DEFINED + 1 + 2 * TEAMS.len() as u64 + TREE + pages(&world).await;
    assert!(asked.len() as u64 <= limit, "{} and not {limit}: {asked:#?}", asked.len());
}

/// A config that comes later finds what the others know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_further_config_of_a_project_costs_nothing_while_its_name_is_known() {
    let world = several_pages().await;
    synced(&world, &[json!({})]).await;
    let since = world.ado.last_request();
    apply(&world, json!({"iterationMapping": {"release": {"from": "None"}}})).await;
    active(&world).await;
    assert_cost(&asked(&world, since), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_cycle_of_ten_configs_costs_three_and_one_for_each_team() {
    for teams in [0, 1, 3] {
        let world = several_pages().await;
        let team = |number: usize| (teams > 0).then(|| TEAMS[number % teams.max(1)]);
        let changes: Vec<Value> = (0..10).map(|number| json!({"team": team(number)})).collect();
        synced(&world, &changes).await;
        for _ in 0..3 {
            let (since, log) = (world.ado.last_request(), world.bookmark().await);
            pass(&world, INTERVAL).await;
            world.calm::<AdoProjectConfig>().await;
            assert_cost(&asked(&world, since), 3 + teams as u64);
            assert_eq!(statuses(&world, &log).await, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_mapping_costs_no_request() {
    let world = several_pages().await;
    apply(&world, mapping_severities(&["Bug"])).await;
    let before = active(&world).await;
    let severities = json!([{"ado": "1 - Critical", "testops": "Lowest"}]);
    for change in [
        json!({"pullRequirements": {"statusMapping": [{"ado": "New", "testops": "InProgress"}]}}),
        json!({"bugMapping": {"statusMapping": [{"ado": "New", "testops": "Resolved"}], "severityMapping": severities}}),
        json!({"priorityMapping": [{"ado": 1, "testops": "Low"}]}),
        json!({"pullRequirements": {"releaseDateFields": ["SprintEndDate", "Microsoft.VSTS.Common.ClosedDate"]}}),
        json!({"iterationMapping": {"fullPath": true, "release": {"from": "Depth", "depth": 2}}}),
        json!({"pullRequirements": {"workItemTypes": ["User Story", "Feature"]}}),
        json!({"timeZone": "Europe/Berlin"}),
    ] {
        let since = world.ado.last_request();
        edit(&world, change.clone()).await;
        let found = active(&world).await;
        assert_cost(&asked(&world, since), 0);
        assert_config(&found, &ACTIVE, GOOD);
        assert_eq!(found.status.unwrap().sync, before.status.clone().unwrap().sync, "no data changed by {change}");
    }
    assert!(counts(&active(&world).await).requirements > counts(&before).requirements, "the features");
}

/// The next look is due by the age of the data, not of the edit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_does_not_put_off_the_next_look() {
    let world = several_pages().await;
    apply(&world, json!({})).await;
    active(&world).await;
    pass(&world, Duration::from_mins(4)).await;
    edit(&world, json!({"description": "Edited."})).await;
    active(&world).await;
    let since = world.ado.last_request();
    pass(&world, Duration::from_mins(1)).await;
    world.calm::<AdoProjectConfig>().await;
    assert_cost(&asked(&world, since), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_added_to_the_process_just_now_may_be_named_at_once() {
    let world = several_pages().await;
    apply(&world, json!({})).await;
    active(&world).await;
    let parked = NewState { name: "Parked".into(), category: StateCategory::InProgress };
    let mapping = json!({"bugMapping": {"statusMapping": [{"ado": "Parked", "testops": "Open"}]}});
    world.ado.add_state("Payments", "Bug", &parked).unwrap();
    edit(&world, mapping).await;
    assert_config(&active(&world).await, &ACTIVE, GOOD);
    edit(&world, json!({"bugMapping": {"statusMapping": [{"ado": "Never", "testops": "Open"}]}})).await;
    refused(&world, "InvalidMapping").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_a_run_has_all_read_anew() {
    let world = several_pages().await;
    apply(&world, json!({"team": "Checkout"})).await;
    let before = counts(&active(&world).await);
    let bug = NewWorkItem { project: "Payments".into(), kind: "Bug".into(), ..NewWorkItem::default() };
    world.ado.create_work_item(&bug).unwrap();
    let since = world.ado.last_request();
    let found = run(&world, "now").await;
    assert_eq!(counts(&found).bugs, before.bugs + 1);
    // One page of each feed has all that is new.
    assert_cost(&asked(&world, since), DEFINED + 2 + TREE + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_defines_is_read_again_after_some_hours_once_for_all() {
    let world = several_pages().await;
    synced(&world, &vec![json!({}); 5]).await;
    let types = || world.ado.count("GET", "/wit/workitemtypes");
    let before = types();
    pass(&world, Duration::from_hours(5)).await;
    world.calm::<AdoProjectConfig>().await;
    assert_eq!(types(), before + 1);
}

/// What one credential may read another may not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_read_with_another_credential_or_integration_is_used() {
    let world = several_pages().await;
    apply(&world, json!({})).await;
    active(&world).await;
    let types = || world.ado.count("GET", "/wit/workitemtypes");
    let before = types();
    world.put_token(&world.pat("operator")).await;
    wait::until("the types are read with the new credential", async || (types() > before).then_some(())).await;
    world.calm::<AdoProjectConfig>().await;
    active(&world).await;

    world.apply::<AdoIntegration>(world.integration("second", json!({"interval": "24h"}))).await;
    world.integration_is("second", "Active", "Connected").await;
    let before = types();
    world.apply::<AdoProjectConfig>(world.config("other", "second", json!({}))).await;
    world.config_is("other", "Active", "Synced").await;
    assert_eq!(types(), before + 1);
}

/// A read that comes soon after the last change of counts is told when their minute is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_written_once_a_minute_and_none_is_lost() {
    let world = several_pages().await;
    apply(&world, json!({"sync": {"interval": "1m"}})).await;
    active(&world).await;
    let half = Duration::from_secs(30);
    pass(&world, half).await;
    edit(&world, json!({"bugMapping": {"enabled": false}})).await;
    let before = active(&world).await;
    assert_eq!(counts(&before).bugs, 0, "an edit is told at once, with its counts");

    let story = NewWorkItem { project: "Payments".into(), kind: "User Story".into(), ..NewWorkItem::default() };
    world.ado.create_work_item(&story).unwrap();
    let (since, log) = (world.ado.last_request(), world.bookmark().await);
    pass(&world, half).await;
    world.calm::<AdoProjectConfig>().await;
    assert_cost(&asked(&world, since), 3);
    assert_eq!(statuses(&world, &log).await, 0, "it was read, and not told");

    world.clock.advance(half);
    let is_told = |found: &AdoProjectConfig| {
        shows(found, "Active", "Synced") && counts(found).requirements == counts(&before).requirements + 1
    };
    let found = wait::object(&world.api(), "payments", "told of the new story", is_told).await;
    assert_ne!(found.status.unwrap().sync, before.status.unwrap().sync, "when it changed is told too");
    world.calm::<AdoProjectConfig>().await;
    assert_eq!(statuses(&world, &log).await, 1);
}

//! Rows of the table of states that a project config can stand in.

use std::time::{Duration, Instant};

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig, REQUESTED_AT};
use ado_simulator::{Effect, Fault, Options};
use serde_json::json;
use support::audit::Bookmark;
use support::wait;
use support::world::{World, conditions, message};

use crate::configs::{
    ACTIVE, GOOD, NOTHING, Own, assert_config, batches, config, connected, connected_small, reads, run, stuck, synced,
    waiting,
};
use crate::judge::Row;

/// Work items that the simulator has of these types.
fn live(world: &World, project: &str, types: &[&str]) -> i64 {
    let all = world.ado.project(project).unwrap().work_items;
    types.iter().map(|name| i64::try_from(all.get(*name).copied().unwrap_or_default()).unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sync_counts_by_the_defaults_of_every_process() {
    let world = connected(Options { items: 600, ..Options::default() }).await;
    let explicit = json!({
        "pullRequirements": {"workItemTypes": ["Epic"]},
        "bugMapping": {"workItemTypes": ["Issue"]},
    });
    for (name, project, process, change, requirements, bugs) in [
        ("agile", "Payments", "Agile", json!({}), vec!["User Story"], "Bug"),
        ("scrum", "Web Shop", "Scrum", json!({}), vec!["Product Backlog Item"], "Bug"),
        ("cmmi", "Compliance", "CMMI", json!({}), vec!["Requirement"], "Bug"),
        ("inherited", "Platform", "Contoso Agile", json!({}), vec!["Customer Story", "Ticket"], "Bug"),
        ("basic", "Intranet", "Basic", explicit, vec!["Epic"], "Issue"),
        ("odd", "Größe v1.2 (alt)", "Agile", json!({}), vec!["User Story"], "Bug"),
    ] {
        let mut applied = world.config(name, "contoso", change);
        applied["spec"]["project"] = project.into();
        world.apply::<AdoProjectConfig>(applied).await;
        let found = world.config_is(name, "Active", "Synced").await;
        assert_config(&found, &ACTIVE, GOOD);
        let status = found.status.clone().unwrap();
        let effective = status.effective.unwrap();
        assert_eq!(
            (effective.requirement_types, effective.bug_types),
            (requirements.iter().map(|&name| name.into()).collect(), vec![bugs.into()])
        );
        let counts = status.counts.unwrap();
        assert_eq!(counts.requirements, live(&world, project, &requirements), "requirements of {project}");
        assert_eq!(counts.bugs, live(&world, project, &[bugs]), "bugs of {project}");
        assert!(counts.requirements > 0 && counts.bugs > 0, "{project} has both: {counts:?}");
        let resolved = status.project.unwrap();
        assert_eq!((resolved.name.as_str(), resolved.process.as_deref()), (project, Some(process)));
        assert_eq!(resolved.id, world.ado.project(project).unwrap().id.to_string());
        let integration = status.integration.unwrap();
        assert_eq!((integration.namespace, integration.name.as_str()), (world.namespace.clone(), "contoso"));
        let sync = status.sync.unwrap();
        assert!(sync.last_full_time.is_some() && sync.last_change_time == sync.last_full_time, "{sync:?}");
        assert!(status.team.is_none());
        assert_eq!(message(&found), format!("Project {project} is in sync."));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_are_found_in_any_case_and_shown_as_the_process_spells_them() {
    let world = connected_small().await;
    let change = json!({
        "project": "pAYMENTS",
        "team": "checkout",
        "pullRequirements": {"workItemTypes": ["user STORY", "feature"]},
        "bugMapping": {"workItemTypes": ["BUG"]},
    });
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", change)).await;
    let found = world.config_is("payments", "Active", "Synced").await;
    assert_config(&found, &ACTIVE, GOOD);
    let status = found.status.unwrap();
    assert_eq!(status.effective.unwrap().requirement_types, ["User Story", "Feature"]);
    assert_eq!(status.counts.unwrap().requirements, live(&world, "Payments", &["User Story", "Feature"]));
    assert_eq!(status.project.unwrap().name, "Payments");
    assert_eq!(status.team.unwrap().name, "Checkout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_toggle_pulls_one_kind() {
    let world = connected_small().await;
    let bugs = live(&world, "Payments", &["Bug"]);
    let stories = live(&world, "Payments", &["User Story"]);
    for (name, change, requirements, bugs) in [
        ("bugs", json!({"pullRequirements": {"enabled": false}}), 0, bugs),
        ("stories", json!({"bugMapping": null}), stories, 0),
    ] {
        world.apply::<AdoProjectConfig>(world.config(name, "contoso", change)).await;
        let found = world.config_is(name, "Active", "Synced").await;
        assert_config(&found, &ACTIVE, GOOD);
        let counts = found.status.unwrap().counts.unwrap();
        assert_eq!((counts.requirements, counts.bugs), (requirements, bugs), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_both_toggles_off_nothing_is_selected_and_nothing_read() {
    let world = connected_small().await;
    let off = json!({"pullRequirements": {"enabled": false}, "bugMapping": {"enabled": false}});
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", off.clone())).await;
    let row = Row { ready: ("True", "NothingSelected"), ..ACTIVE };
    let mapped: Own = &[("MappingValid", "True", "MappingAccepted")];
    let found = world.config_is("payments", "Active", "NothingSelected").await;
    assert_config(&found, &row, mapped);
    let counts = found.status.unwrap().counts.unwrap();
    assert_eq!((counts.requirements, counts.bugs), (0, 0));
    assert_eq!(reads(&world), 0);

    let on = json!({"spec": {"pullRequirements": {"enabled": true}, "bugMapping": {"enabled": true}}});
    world.patch::<AdoProjectConfig>("payments", on).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);

    let absent = json!({"spec": {"pullRequirements": null, "bugMapping": null}});
    world.patch::<AdoProjectConfig>("payments", absent).await;
    assert_config(&world.config_is("payments", "Active", "NothingSelected").await, &row, mapped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sync_that_takes_long_is_shown_as_waiting() {
    let world = connected_small().await;
    let slow = || {
        Fault::on_path(
            "*/_apis/wit/reporting/workitemrevisions*",
            Effect::Delay { milliseconds: 3500, retry_after: None },
        )
        .times(1)
    };
    world.ado.add_fault(slow());
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "Syncing").await;
    assert_config(&found, &waiting("Inactive", "Syncing"), NOTHING);
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);

    world.ado.add_fault(slow());
    // An edit alone needs no request.
    let edit = json!({"metadata": {"annotations": {REQUESTED_AT: "1"}}, "spec": {"description": "Edited."}});
    world.patch::<AdoProjectConfig>("payments", edit).await;
    let found = world.config_is("payments", "Active", "Syncing").await;
    assert_config(&found, &waiting("Active", "Syncing"), GOOD);
    let mapping = found.status.unwrap().conditions.into_iter().find(|one| one.type_ == "MappingValid").unwrap();
    assert_eq!(mapping.observed_generation, Some(1), "the verdict on the mapping is one on the spec before the edit");
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnected_integration_makes_its_configs_inactive_until_it_is_back() {
    let world = synced().await;
    let before = config(&world).await.status.unwrap();
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    let found = world.config_is("payments", "Inactive", "IntegrationInactive").await;
    let row = Row { state: "Inactive", ready: ("True", "IntegrationInactive"), ..ACTIVE };
    assert_config(&found, &row, GOOD);
    let status = found.status.unwrap();
    assert_eq!((&status.counts, &status.sync), (&before.counts, &before.sync), "data stays visible");

    let asked = world.ado.last_request();
    assert_config(&run(&world, "while disconnected").await, &row, GOOD);
    assert!(world.ado.requests_since(asked).is_empty(), "a request is echoed at once and without a run");

    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
    assert_eq!(batches(&world), 0, "what was read is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spec_that_was_edited_while_disconnected_is_validated_when_connected_again() {
    let world = synced().await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    let nonsense = json!({"spec": {"pullRequirements": {"workItemTypes": ["Nonsense"]}}});
    world.patch::<AdoProjectConfig>("payments", nonsense).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Active"}})).await;
    let found = world.config_is("payments", "Error", "InvalidMapping").await;
    let own: Own = &[("MappingValid", "False", "InvalidMapping"), ("Synced", "True", "Synced")];
    assert_config(&found, &stuck("InvalidMapping"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_integration_is_waited_for_and_then_an_error_until_it_comes() {
    let world = World::new().await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "IntegrationNotAvailable").await;
    assert_config(&found, &waiting("Inactive", "IntegrationNotAvailable"), NOTHING);
    world.clock.advance(Duration::from_secs(61));
    let found = world.config_is("payments", "Error", "IntegrationNotAvailable").await;
    assert_config(&found, &stuck("IntegrationNotAvailable"), NOTHING);
    assert!(message(&found).contains("spec.integrationRef"), "{}", message(&found));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_goes_away_leaves_the_state_for_a_minute() {
    let world = synced().await;
    // As somebody would who points the config at an integration that is yet to come.
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"integrationRef": {"name": "gone"}}})).await;
    let found = world.config_is("payments", "Active", "IntegrationNotAvailable").await;
    assert_config(&found, &waiting("Active", "IntegrationNotAvailable"), GOOD);
    world.clock.advance(Duration::from_secs(61));
    let found = world.config_is("payments", "Error", "IntegrationNotAvailable").await;
    assert_config(&found, &stuck("IntegrationNotAvailable"), GOOD);
    world.patch::<AdoProjectConfig>("payments", json!({"spec": {"integrationRef": {"name": "contoso"}}})).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_without_a_verdict_is_waited_for() {
    let world = World::new().await;
    let slow = Effect::Delay { milliseconds: 4000, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", slow).times(1));
    let start = Instant::now();
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.config_is("payments", "Inactive", "IntegrationNotReady").await;
    assert!(start.elapsed() >= Duration::from_secs(2), "what takes less than two seconds is not written");
    assert_config(&found, &waiting("Inactive", "IntegrationNotReady"), NOTHING);
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_being_deleted_is_no_more_ready() {
    let world = synced().await;
    let permitted = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", permitted).await;
    world.delete::<AdoIntegration>("contoso").await;
    let found = world.config_is("payments", "Active", "IntegrationNotReady").await;
    assert_config(&found, &waiting("Active", "IntegrationNotReady"), GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_stuck_makes_its_configs_stuck_until_it_is_good() {
    let world = synced().await;
    world.put_token(&world.pat("revoked")).await;
    let found = world.config_is("payments", "Error", "IntegrationError").await;
    assert_config(&found, &stuck("IntegrationError"), GOOD);
    let integration = world.integration_is("contoso", "Error", "CredentialRefused").await;
    assert!(message(&found).contains(&message(&integration)), "{}", message(&found));
    let asked = world.ado.last_request();
    assert_config(&run(&world, "while in error").await, &stuck("IntegrationError"), GOOD);
    assert!(world.ado.requests_since(asked).is_empty());

    world.put_token(&world.pat("full")).await;
    assert_config(&world.config_is("payments", "Active", "Synced").await, &ACTIVE, GOOD);
    assert_eq!(batches(&world), 0, "what was read is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_checked_again_touches_no_config() {
    let world = synced().await;
    world.calm::<AdoProjectConfig>().await;
    let log = world.bookmark().await;
    let slow = Effect::Delay { milliseconds: 3000, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", slow).times(1));
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"displayName": "Edited"}})).await;
    world.integration_is("contoso", "Active", "Validating").await;
    world.integration_is("contoso", "Active", "Connected").await;

    let asked = world.ado.last_request();
    world.clock.advance(Duration::from_mins(11));
    wait::until("another validation", async || (!world.ado.requests_since(asked).is_empty()).then_some(())).await;
    // A later change that the config does show proves that all earlier ones were looked at.
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": "Inactive"}})).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    assert_eq!(status_writes(&world, &log).await, 1, "the disconnection alone was written");
}

/// How often the status of a config of the world was written since then.
async fn status_writes(world: &World, log: &Bookmark) -> usize {
    let writes = world.writes(log).await;
    let of_configs = writes.iter().filter(|entry| entry.object_ref.resource == "adoprojectconfigs");
    of_configs.filter(|entry| entry.object_ref.subresource == "status").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requested_run_reads_again_and_is_echoed_at_its_end() {
    let world = synced().await;
    let before = reads(&world);
    let found = run(&world, "2026-11-23T10:00:00Z").await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(reads(&world), before + 1);

    let nonsense = json!({"spec": {"team": "Nobody"}});
    world.patch::<AdoProjectConfig>("payments", nonsense).await;
    world.config_is("payments", "Error", "TeamNotFound").await;
    let own: Own = &[("MappingValid", "False", "TeamNotFound"), ("Synced", "True", "Synced")];
    assert_config(&run(&world, "on failure too").await, &stuck("TeamNotFound"), own);
    assert_eq!(reads(&world), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_others_hold_back_shows_that_it_is_being_deleted() {
    let world = synced().await;
    let held = json!({"metadata": {"finalizers": ["example.com/held"]}});
    world.patch::<AdoProjectConfig>("payments", held).await;
    world.delete::<AdoProjectConfig>("payments").await;
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "being deleted", |found| {
        conditions(found).get("Ready").is_some_and(|(_, reason)| reason == "Deleting")
    })
    .await;
    assert_config(&found, &Row { kstatus: "Terminating", ..waiting("Active", "Deleting") }, GOOD);
}

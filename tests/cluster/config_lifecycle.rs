//! Saved and archived configs: what they show, what they ask for, and how they come back.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig, Counts};
use ado_simulator::{Effect, Fault};
use serde_json::{Value, json};
use support::wait;
use support::world::{World, condition, conditions, message, shows};

use crate::configs::{
    ACTIVE, GOOD, NOTHING, Own, active, apply, ask, assert_config, batches, config, connected_small, counts, echoes,
    edit, has, reads, refused, run, stuck, synced, waiting,
};
use crate::judge::{Row, assert_row};

const SAVED: Row<'_> = Row { state: "Inactive", ready: ("True", "Saved"), ..ACTIVE };

const ARCHIVED: Row<'_> = Row { state: "Archived", ready: ("True", "Archived"), ..ACTIVE };

const NOTHING_SELECTED: Row<'_> = Row { ready: ("True", "NothingSelected"), ..ACTIVE };

/// Of a mapping that fits, and of which nothing was synced.
const FITS: Own = &[("MappingValid", "True", "MappingAccepted")];

/// Waits until the config is saved and the verdict on the mapping of this very spec is that.
async fn saved(world: &World, mapping: (&str, &str)) -> AdoProjectConfig {
    wait::object(&world.api(), "payments", &format!("saved, {mapping:?}"), |found: &AdoProjectConfig| {
        let value = serde_json::to_value(found).unwrap();
        let verdict = condition(&value, "MappingValid");
        shows(found, "Inactive", "Saved")
            && verdict.is_some_and(|one| {
                (one["status"].as_str().unwrap(), one["reason"].as_str().unwrap()) == mapping
                    && one["observedGeneration"].as_i64() == found.metadata.generation
            })
    })
    .await
}

/// The message of the verdict on the mapping.
fn mapping_message(found: &AdoProjectConfig) -> String {
    let value = serde_json::to_value(found).unwrap();
    condition(&value, "MappingValid").unwrap()["message"].as_str().unwrap().to_owned()
}

/// How often work items were asked for, by query or by id.
fn item_requests(world: &World) -> u64 {
    batches(world) + reads(world)
}

/// Lets days pass, with a look at the end of each.
async fn days_pass(world: &World) {
    for day in ["one day", "two days", "three days"] {
        world.clock.advance(Duration::from_hours(25));
        run(world, day).await;
    }
    world.calm::<AdoProjectConfig>().await;
}

async fn archived(world: &World) -> AdoProjectConfig {
    world.config_is("payments", "Archived", "Archived").await
}

/// A run that is asked for is echoed, and nothing is sent for it.
async fn echoes_without_a_run(world: &World, row: &Row<'_>) {
    world.calm::<AdoProjectConfig>().await;
    let since = world.ado.last_request();
    let found = run(world, "at once").await;
    assert_row(&found, row);
    let sent = world.ado.requests_since(since);
    assert!(sent.is_empty(), "{sent:?}");
}

/// Work items of a type, of the project Payments.
fn live(world: &World, kind: &str) -> i64 {
    let project = world.ado.project("Payments").unwrap();
    i64::try_from(project.work_items.get(kind).copied().unwrap_or_default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_is_saved_first_is_validated_and_pulls_nothing_until_it_proceeds() {
    let world = connected_small().await;
    apply(&world, json!({"state": "Inactive", "team": "Checkout"})).await;
    let found = saved(&world, ("True", "MappingAccepted")).await;
    assert_config(&found, &SAVED, FITS);
    let status = found.status.clone().unwrap();
    assert_eq!(status.counts, None, "nothing was counted");
    assert_eq!(status.effective.unwrap().requirement_types, ["User Story"]);
    assert_eq!(status.project.unwrap().name, "Payments");
    assert_eq!(status.team.unwrap().name, "Checkout");
    assert!(!status.tiers.is_empty());
    echoes_without_a_run(&world, &SAVED).await;
    days_pass(&world).await;
    assert_config(&config(&world).await, &SAVED, FITS);
    assert_eq!(item_requests(&world), 0);

    edit(&world, json!({"state": "Active"})).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(counts(&found).requirements, live(&world, "User Story"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_config_shows_what_is_wrong_with_its_mapping_and_stays_healthy() {
    let world = connected_small().await;
    apply(&world, json!({"state": "Inactive", "pullRequirements": {"workItemTypes": ["Storey"]}})).await;
    let found = saved(&world, ("False", "InvalidMapping")).await;
    assert_config(&found, &SAVED, &[("MappingValid", "False", "InvalidMapping")]);
    let text = mapping_message(&found);
    assert!(text.starts_with("spec.pullRequirements.workItemTypes: ") && text.contains("User Story"), "{text}");
    for (change, reason, field) in [
        (
            json!({"pullRequirements": {"workItemTypes": null, "statusMapping": [{"ado": "Doing", "testops": "Open"}]}}),
            "InvalidMapping",
            "spec.pullRequirements.statusMapping: ",
        ),
        (json!({"pullRequirements": {"statusMapping": null}, "team": "Accounting"}), "TeamNotFound", "spec.team: "),
        (json!({"team": null, "project": "Nowhere"}), "ProjectNotFound", "spec.project: "),
        (json!({"project": "Payments", "timeZone": "Nowhere"}), "InvalidMapping", "spec.timeZone: "),
    ] {
        edit(&world, change).await;
        let found = saved(&world, ("False", reason)).await;
        assert_row(&found, &SAVED);
        let text = mapping_message(&found);
        assert!(text.starts_with(field), "{text}");
    }
    assert_eq!(batches(&world), 0, "nothing is pulled");

    // Proceeding with it is an Error, as it said; put right and saved again, it is valid.
    edit(&world, json!({"state": "Active"})).await;
    refused(&world, "InvalidMapping").await;
    edit(&world, json!({"state": "Inactive", "timeZone": null})).await;
    assert_config(&saved(&world, ("True", "MappingAccepted")).await, &SAVED, FITS);
    assert_eq!(batches(&world), 0, "nothing is pulled");
    edit(&world, json!({"state": null})).await;
    assert_config(&active(&world).await, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_synced_is_kept_while_a_config_is_saved() {
    let mut world = synced().await;
    let before = config(&world).await.status.unwrap();
    let asked = item_requests(&world);
    edit(&world, json!({"state": "Inactive"})).await;
    let found = saved(&world, ("True", "MappingAccepted")).await;
    assert_config(&found, &SAVED, GOOD);
    let status = found.status.unwrap();
    assert_eq!((&status.counts, &status.sync), (&before.counts, &before.sync));
    echoes_without_a_run(&world, &SAVED).await;
    world.stop().await;
    world.start().await.unwrap();
    days_pass(&world).await;
    assert_config(&config(&world).await, &SAVED, GOOD);
    assert_eq!(item_requests(&world), asked);
    assert_eq!(config(&world).await.status.unwrap().counts, before.counts);
    edit(&world, json!({"state": "Active"})).await;
    let found = active(&world).await;
    assert_eq!(Some(counts(&found)), before.counts);
    assert!(item_requests(&world) > asked);
}

/// Renames a type, so long ago that the operator takes nothing for known that was there before.
fn rename_features(world: &World) {
    world.ado.rename_type("Payments", "Feature", "Capability").unwrap();
    world.clock.advance(Duration::from_hours(5));
}

/// Names are pinned when a spec is accepted, and saving accepts nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saving_pins_nothing() {
    let world = connected_small().await;
    let features = json!({"workItemTypes": ["Feature"]});
    apply(&world, json!({"state": "Inactive", "pullRequirements": features})).await;
    saved(&world, ("True", "MappingAccepted")).await;
    rename_features(&world);
    edit(&world, json!({"state": "Active"})).await;
    refused(&world, "InvalidMapping").await;
    edit(&world, json!({"pullRequirements": {"workItemTypes": ["Capability"]}})).await;
    let found = active(&world).await;
    assert_eq!(counts(&found).requirements, live(&world, "Capability"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_pinned_before_stays_pinned_while_a_config_is_saved() {
    let world = connected_small().await;
    apply(&world, json!({"pullRequirements": {"workItemTypes": ["Feature"]}})).await;
    let before = counts(&active(&world).await);
    edit(&world, json!({"state": "Inactive"})).await;
    saved(&world, ("True", "MappingAccepted")).await;
    rename_features(&world);
    edit(&world, json!({"description": "Edited while it is saved."})).await;
    assert_config(&saved(&world, ("True", "MappingAccepted")).await, &SAVED, GOOD);
    edit(&world, json!({"state": "Active"})).await;
    let found = active(&world).await;
    assert_eq!(counts(&found), before);
    let warnings = found.status.unwrap().warnings;
    assert!(warnings.iter().any(|text| text.contains("Feature") && text.contains("Capability")), "{warnings:?}");
    edit(&world, json!({"state": "Inactive", "project": "Web Shop"})).await;
    assert_config(
        &saved(&world, ("False", "ProjectChanged")).await,
        &SAVED,
        &[("MappingValid", "False", "ProjectChanged"), ("Synced", "True", "Synced")],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_config_keeps_its_data_and_asks_for_nothing() {
    let mut world = synced().await;
    let before = config(&world).await.status.unwrap();
    world.calm::<AdoProjectConfig>().await;
    let since = world.ado.last_request();
    edit(&world, json!({"state": "Archived"})).await;
    let found = archived(&world).await;
    assert_config(&found, &ARCHIVED, GOOD);
    assert_eq!(
        message(&found),
        "Archived: nothing is synced, and all data is kept; set spec.state to Active to bring it back."
    );
    let kept = |found: AdoProjectConfig| {
        let status = found.status.unwrap();
        (status.counts, status.sync, status.effective, status.tiers)
    };
    let all = (before.counts.clone(), before.sync, before.effective, before.tiers);
    assert_eq!(kept(found), all);
    // An edit of an archived config is not looked at either.
    edit(&world, json!({"pullRequirements": {"workItemTypes": ["Storey"]}, "team": "Accounting"})).await;
    assert_config(&archived(&world).await, &ARCHIVED, GOOD);
    assert!(world.ado.requests_since(since).is_empty(), "{:?}", world.ado.requests_since(since));
    echoes_without_a_run(&world, &ARCHIVED).await;
    let asked = item_requests(&world);
    world.stop().await;
    world.start().await.unwrap();
    days_pass(&world).await;
    let found = archived(&world).await;
    assert_config(&found, &ARCHIVED, GOOD);
    assert_eq!(kept(found), all);
    assert_eq!(item_requests(&world), asked);

    edit(&world, json!({"state": "Active"})).await;
    refused(&world, "TeamNotFound").await;
    edit(&world, json!({"pullRequirements": {"workItemTypes": null}, "team": null})).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(Some(counts(&found)), before.counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_config_that_proceeds_waits_for_its_verdict() {
    let world = synced().await;
    edit(&world, json!({"state": "Inactive"})).await;
    saved(&world, ("True", "MappingAccepted")).await;
    comes_back_as_inactive(&world).await;
}

/// The config is to be active; as long as that takes it is Inactive, and waits.
async fn comes_back_as_inactive(world: &World) {
    world.calm::<AdoProjectConfig>().await;
    let slow = Effect::Delay { milliseconds: 3500, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/wit/reporting/workitemrevisions*", slow).times(1));
    // What was read before is too old by now.
    world.clock.advance(Duration::from_mins(6));
    edit(world, json!({"state": null})).await;
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "syncing", |found| {
        conditions(found).get("Ready").is_some_and(|(_, reason)| reason == "Syncing")
    })
    .await;
    assert_row(&found, &waiting("Inactive", "Syncing"));
    assert_config(&active(world).await, &ACTIVE, GOOD);
}

/// Nothing that is wrong elsewhere takes these states back, and they take all of it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archived_and_saved_stand_above_everything_about_the_integration() {
    let world = World::new().await;
    apply(&world, json!({"state": "Archived"})).await;
    assert_config(&archived(&world).await, &ARCHIVED, NOTHING);
    edit(&world, json!({"state": "Inactive"})).await;
    assert_config(&world.config_is("payments", "Inactive", "Saved").await, &SAVED, NOTHING);
    world.clock.advance(Duration::from_secs(61));
    edit(&world, json!({"state": "Active"})).await;
    world
        .as_time_passes(Duration::from_secs(61), "payments", "without its integration", |found: &AdoProjectConfig| {
            shows(found, "Error", "IntegrationNotAvailable")
        })
        .await;
    edit(&world, json!({"state": "Archived"})).await;
    assert_config(&archived(&world).await, &ARCHIVED, NOTHING);
    edit(&world, json!({"state": "Inactive"})).await;
    assert_config(&world.config_is("payments", "Inactive", "Saved").await, &SAVED, NOTHING);

    // A saved config is validated as soon as there is somebody to ask.
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_config(&saved(&world, ("True", "MappingAccepted")).await, &SAVED, FITS);
    edit(&world, json!({"state": "Active"})).await;
    active(&world).await;

    let disconnect = |state: &'static str| json!({"spec": {"state": state}});
    world.patch::<AdoIntegration>("contoso", disconnect("Inactive")).await;
    world.config_is("payments", "Inactive", "IntegrationInactive").await;
    all_states(&world, "IntegrationInactive", "Inactive").await;
    world.patch::<AdoIntegration>("contoso", disconnect("Active")).await;
    active(&world).await;
    world.put_token(&world.pat("revoked")).await;
    world.config_is("payments", "Error", "IntegrationError").await;
    all_states(&world, "IntegrationError", "Error").await;
}

/// Archives the config, saves it and lets it proceed; then it shows that again.
async fn all_states(world: &World, reason: &str, state: &str) {
    let since = world.ado.last_request();
    edit(world, json!({"state": "Archived"})).await;
    assert_config(&archived(world).await, &ARCHIVED, GOOD);
    edit(world, json!({"state": "Inactive"})).await;
    assert_config(&world.config_is("payments", "Inactive", "Saved").await, &SAVED, GOOD);
    ask(world, reason).await;
    let found = wait::object(&world.api(), "payments", "echoing", |found| echoes(found, reason)).await;
    assert_config(&found, &SAVED, GOOD);
    edit(world, json!({"state": "Active"})).await;
    let found = world.config_is("payments", state, reason).await;
    assert_eq!(conditions(&found)["MappingValid"].0, "True");
    assert!(!world.ado.requests_since(since).iter().any(|one| one.target.contains("/_apis/wit/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_config_itself_ends_with_its_archive() {
    let world = synced().await;
    let before = counts(&config(&world).await);
    edit(&world, json!({"bugMapping": {"workItemTypes": ["Storey"]}})).await;
    let own: Own = &[("MappingValid", "False", "InvalidMapping"), ("Synced", "True", "Synced")];
    assert_config(&refused(&world, "InvalidMapping").await, &stuck("InvalidMapping"), own);
    edit(&world, json!({"state": "Archived"})).await;
    let found = archived(&world).await;
    assert_config(&found, &ARCHIVED, own);
    assert_eq!(counts(&found), before);
    edit(&world, json!({"state": "Inactive"})).await;
    assert_config(&saved(&world, ("False", "InvalidMapping")).await, &SAVED, own);
    edit(&world, json!({"state": "Active"})).await;
    assert_config(&refused(&world, "InvalidMapping").await, &stuck("InvalidMapping"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_config_that_is_being_deleted_says_so() {
    let world = synced().await;
    edit(&world, json!({"state": "Archived"})).await;
    archived(&world).await;
    world.patch::<AdoProjectConfig>("payments", json!({"metadata": {"finalizers": ["example.com/held"]}})).await;
    world.delete::<AdoProjectConfig>("payments").await;
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "being deleted", |found| {
        conditions(found).get("Ready").is_some_and(|(_, reason)| reason == "Deleting")
    })
    .await;
    assert_config(&found, &Row { kstatus: "Terminating", ..waiting("Archived", "Deleting") }, GOOD);
}

/// What a toggle takes away comes back with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn toggles_take_records_out_of_the_counts_and_bring_them_back() {
    let world = synced().await;
    let all = counts(&config(&world).await);
    assert!(all.releases > 0 && all.sprints > 0 && all.requirements > 0 && all.bugs > 0, "{all:?}");
    let toggle = |requirements: bool, bugs: bool| -> Value {
        json!({"pullRequirements": {"enabled": requirements}, "bugMapping": {"enabled": bugs}})
    };
    edit(&world, toggle(false, true)).await;
    assert_eq!(counts(&active(&world).await), Counts { requirements: 0, ..all.clone() });
    edit(&world, toggle(true, false)).await;
    assert_eq!(counts(&active(&world).await), Counts { bugs: 0, ..all.clone() });

    edit(&world, toggle(false, false)).await;
    let found = world.config_is("payments", "Active", "NothingSelected").await;
    assert_config(&found, &NOTHING_SELECTED, FITS);
    assert!(!has(&found, "Synced"));
    let status = found.status.unwrap();
    assert_eq!(status.counts, Some(Counts::default()));
    assert!(status.unmapped.is_empty() && status.unmapped_total.is_none() && status.warnings.is_empty());
    let effective = status.effective.unwrap();
    assert!(effective.requirement_types.is_empty() && effective.bug_types.is_empty());
    assert_eq!((effective.release, effective.sprint), (None, None));
    let asked = item_requests(&world);
    days_pass(&world).await;
    assert_eq!(item_requests(&world), asked, "nothing is synced");
    assert_config(&run(&world, "nothing to do").await, &NOTHING_SELECTED, FITS);
    assert_eq!(item_requests(&world), asked, "nothing is synced");

    edit(&world, toggle(true, true)).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(counts(&found), all);
}

/// A saved config is validated as far as possible, and what was not possible at first may be so later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_config_that_could_not_be_validated_is_validated_later() {
    let world = connected_small().await;
    let down = Fault::on_path("*/_apis/wit/workitemtypes*", Effect::Status { code: 503, retry_after: None });
    world.ado.add_fault(down);
    apply(&world, json!({"state": "Inactive"})).await;
    assert_config(&world.config_is("payments", "Inactive", "Saved").await, &SAVED, NOTHING);
    world.calm::<AdoProjectConfig>().await;
    world.ado.clear_faults();
    world.clock.advance(Duration::from_hours(25));
    assert_config(&saved(&world, ("True", "MappingAccepted")).await, &SAVED, FITS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_config_that_comes_back_waits_as_inactive() {
    let world = synced().await;
    edit(&world, json!({"state": "Archived"})).await;
    archived(&world).await;
    comes_back_as_inactive(&world).await;
}

/// A project is pinned when a spec is accepted, and saving accepts nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_project_of_a_config_that_was_only_saved_may_be_corrected() {
    let world = connected_small().await;
    apply(&world, json!({"state": "Inactive", "project": "Web Shop"})).await;
    saved(&world, ("True", "MappingAccepted")).await;
    edit(&world, json!({"project": "Payments"})).await;
    let found = saved(&world, ("True", "MappingAccepted")).await;
    assert_eq!(found.status.unwrap().project.unwrap().name, "Payments");
    edit(&world, json!({"state": "Active"})).await;
    active(&world).await;
}

//! What Azure DevOps changes under an accepted mapping: what is renamed goes on with a warning, what is gone is told.

use std::time::Duration;

use ado_operator::api::{AdoProjectConfig, Counts};
use ado_simulator::control::{FieldValues, NewNode, NewState, NodeChange, ProjectChange, TeamChange};
use ado_simulator::state::StateCategory;
use serde_json::{Value, json};
use support::wait;
use support::world::{World, condition, shows};

use crate::configs::{ACTIVE, GOOD, Own, active, apply, assert_config, connected_small, counts, edit, refused, run};

/// Conditions of a config whose mapping names something that is gone.
const CHANGED: Own = &[("MappingValid", "False", "ProcessChanged"), ("Synced", "True", "Synced")];

/// A world with the config `payments` as changed, and what it counts.
async fn accepted(change: Value) -> (World, Counts) {
    let world = connected_small().await;
    apply(&world, change).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    let status = found.status.unwrap();
    assert_eq!(status.warnings, [""; 0], "nothing has changed so far");
    (world, status.counts.unwrap())
}

/// Another look at an accepted spec: everything that it names is still there.
async fn looks_good(world: &World, request: &str) -> AdoProjectConfig {
    let found = run(world, request).await;
    assert_config(&found, &ACTIVE, GOOD);
    found
}

/// Another look: it warns, with these words in one of the warnings, and goes on.
async fn warns(world: &World, request: &str, words: &[&str]) -> AdoProjectConfig {
    let found = looks_good(world, request).await;
    assert_warned(&found, words);
    found
}

fn assert_warned(found: &AdoProjectConfig, words: &[&str]) {
    let warnings = &found.status.as_ref().unwrap().warnings;
    let fits = warnings.iter().any(|text| words.iter().all(|word| text.contains(word)));
    assert!(fits, "{words:?} are in none of {warnings:?}");
}

fn assert_not_warned(found: &AdoProjectConfig) {
    assert_eq!(found.status.as_ref().unwrap().warnings, [""; 0]);
}

/// Another look: something is gone, and the verdict on the mapping names it and its field.
async fn misses(world: &World, request: &str, field: &str, name: &str) -> AdoProjectConfig {
    let found = run(world, request).await;
    assert_missing(&found, field, name);
    found
}

fn assert_missing(found: &AdoProjectConfig, field: &str, name: &str) {
    assert_config(found, &ACTIVE, CHANGED);
    let value = serde_json::to_value(found).unwrap();
    let text = condition(&value, "MappingValid").unwrap()["message"].as_str().unwrap();
    assert!(text.contains(&format!("{field}: {name}")), "{text}");
}

/// Stops the operator and starts another one on the same store.
async fn restart(world: &mut World) {
    world.stop().await;
    world.start().await.unwrap();
}

fn state_of(name: &str) -> NewState {
    NewState { name: name.to_owned(), category: StateCategory::InProgress }
}

fn change_node(world: &World, change: NodeChange) {
    world.ado.change_node(&NodeChange { project: "Payments".into(), ..change }).unwrap();
}

fn change_checkout(world: &World, change: TeamChange) {
    world.ado.change_team(&TeamChange { project: "Payments".into(), team: Some("Checkout".into()), ..change }).unwrap();
}

fn live(world: &World, project: &str, kind: &str) -> i64 {
    let all = world.ado.project(project).unwrap().work_items;
    i64::try_from(all.get(kind).copied().unwrap_or_default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_is_renamed_is_still_pulled() {
    let change = json!({"pullRequirements": {
        "workItemTypes": ["feature", "User Story"],
        "statusMapping": [{"ado": "New", "type": "Feature", "testops": "InProgress"}],
    }});
    let (mut world, before) = accepted(change).await;
    world.ado.rename_type("Payments", "Feature", "Capability").unwrap();
    for (number, field) in
        ["spec.pullRequirements.workItemTypes", "spec.pullRequirements.statusMapping"].into_iter().enumerate()
    {
        let found = warns(&world, &format!("renamed {number}"), &[field, "eature", "Capability"]).await;
        assert_eq!(counts(&found), before);
        let effective = found.status.unwrap().effective.unwrap();
        assert_eq!(effective.requirement_types, ["Capability", "User Story"]);
    }

    // An edit of something else, a restart, and another type that takes the old name change nothing of that.
    edit(&world, json!({"description": "Edited.", "timeZone": "Europe/Berlin"})).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_warned(&found, &["spec.pullRequirements.workItemTypes", "Capability"]);
    restart(&mut world).await;
    world.ado.add_type("Payments", "Feature", "Issue", &[state_of("New")]).unwrap();
    let found = warns(&world, "another feature", &["spec.pullRequirements.workItemTypes", "Capability"]).await;
    assert_eq!(counts(&found), before);
    edit(&world, json!({"description": "Edited again."})).await;
    let found = active(&world).await;
    assert_eq!((counts(&found), found.status.unwrap().warnings.is_empty()), (before.clone(), false));

    // The new name is a new entry, and means what is called so.
    edit(&world, json!({"pullRequirements": {"workItemTypes": ["Capability", "User Story"], "statusMapping": null}}))
        .await;
    let found = active(&world).await;
    assert_eq!(counts(&found), before);
    assert_not_warned(&found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iterations_that_are_renamed_are_still_releases() {
    let change = json!({"iterationMapping": {
        "release": {"from": "Paths", "paths": ["Payments\\Release 1", "Payments\\Release 2"]},
        "sprint": {"from": "Paths", "paths": ["Payments\\Release 1\\*"]},
    }});
    let (mut world, before) = accepted(change).await;
    assert_eq!((before.releases, before.sprints), (2, 3));
    change_node(
        &world,
        NodeChange { node: "Payments\\Release 1".into(), name: Some("Spring".into()), ..NodeChange::default() },
    );
    let spring = "Payments\\Spring";
    let found = warns(&world, "renamed", &["spec.iterationMapping.release.paths", "Payments\\Release 1", spring]).await;
    assert_eq!(counts(&found), before);
    assert_warned(&found, &["spec.iterationMapping.sprint.paths", spring]);

    // Moved below another node, it is still the same one.
    change_node(
        &world,
        NodeChange { node: spring.into(), parent: Some("Payments\\Backlog".into()), ..NodeChange::default() },
    );
    restart(&mut world).await;
    let found = warns(&world, "moved", &["spec.iterationMapping.release.paths", "Payments\\Backlog\\Spring"]).await;
    assert_eq!(counts(&found), before);

    // A new node with the old name is another one.
    let another = NewNode { project: "Payments".into(), name: "Release 1".into(), ..NewNode::default() };
    world.ado.add_node(&another).unwrap();
    edit(&world, json!({"description": "Edited."})).await;
    let found = active(&world).await;
    assert_warned(&found, &["spec.iterationMapping.release.paths", "Payments\\Backlog\\Spring"]);
    assert_eq!(counts(&found), before);

    // A project that is renamed renames all its paths.
    world.ado.rename_project("Payments", "Zahlungen").unwrap();
    let found = warns(&world, "project", &["spec.iterationMapping.release.paths", "Zahlungen\\Release 2"]).await;
    assert_eq!(counts(&found), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_is_renamed_keeps_its_board() {
    let change = json!({"team": "checkout", "iterationMapping": {"sprint": {"from": "TeamBoard"}}});
    let (mut world, before) = accepted(change).await;
    assert_eq!(before.sprints, 2);
    change_checkout(&world, TeamChange { name: Some("Cashiers".into()), ..TeamChange::default() });
    let found = warns(&world, "renamed", &["spec.team", "checkout", "Cashiers"]).await;
    assert_eq!(counts(&found), before);
    assert_eq!(found.status.unwrap().team.unwrap().name, "Cashiers");
    restart(&mut world).await;

    // Another team takes its old name.
    let another =
        ProjectChange { project: "Payments".into(), add_team: Some("Checkout".into()), ..ProjectChange::default() };
    world.ado.change_project(&another).unwrap();
    edit(&world, json!({"description": "Edited."})).await;
    let found = active(&world).await;
    assert_warned(&found, &["spec.team", "Cashiers"]);
    assert_eq!(counts(&found), before);

    // What the team selects may change at any time.
    let paths = ["Payments\\Release 4\\Sprint 12"].map(str::to_owned).to_vec();
    let cashiers = TeamChange { project: "Payments".into(), team: Some("Cashiers".into()), ..TeamChange::default() };
    world.ado.change_team(&TeamChange { iterations: Some(paths), ..cashiers }).unwrap();
    let found = warns(&world, "selected", &["spec.team", "Cashiers"]).await;
    assert_eq!(counts(&found).sprints, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_level_that_is_shifted_or_renamed_stays_the_same_level() {
    let change = json!({"iterationMapping": {"release": {"from": "Tier", "tier": 2}, "sprint": {"from": "None"}}});
    let (mut world, before) = accepted(change).await;
    assert!(before.releases > 0, "{before:?}");
    world.ado.rename_level("Payments", "Features", "Capabilities").unwrap();
    let found = looks_good(&world, "renamed").await;
    assert_eq!(counts(&found), before);
    world.ado.add_level("Payments", "Initiatives", &[]).unwrap();
    let found = warns(&world, "shifted", &["tier 2", "tier 3"]).await;
    assert_eq!(counts(&found), before);
    restart(&mut world).await;
    edit(&world, json!({"description": "Edited."})).await;
    let found = active(&world).await;
    assert_warned(&found, &["tier 2", "tier 3"]);
    assert_eq!(counts(&found), before);
    world.ado.remove_level("Payments", "Initiatives").unwrap();
    let found = looks_good(&world, "back").await;
    assert_not_warned(&found);
    assert_eq!(counts(&found), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_is_gone_is_no_longer_pulled_until_it_is_back() {
    let change = json!({
        "pullRequirements": {"workItemTypes": ["User Story", "Feature"]},
        "bugMapping": {"workItemTypes": ["Bug", "Issue"]},
    });
    let (mut world, before) = accepted(change).await;
    let (features, issues) = (live(&world, "Payments", "Feature"), live(&world, "Payments", "Issue"));
    assert!(features > 0 && issues > 0, "{features} {issues}");
    let (requirements, bugs) = ("spec.pullRequirements.workItemTypes", "spec.bugMapping.workItemTypes");
    for kind in ["Feature", "Issue"] {
        world.ado.disable_type("Payments", kind, true).unwrap();
    }
    let found = misses(&world, "gone", requirements, "Feature").await;
    assert_missing(&found, bugs, "Issue");
    let left = Counts { requirements: before.requirements - features, bugs: before.bugs - issues, ..before.clone() };
    assert_eq!(counts(&found), left);
    restart(&mut world).await;
    let found = misses(&world, "still gone", requirements, "Feature").await;
    assert_eq!(counts(&found), left);
    for kind in ["Feature", "Issue"] {
        world.ado.disable_type("Payments", kind, false).unwrap();
    }
    let found = looks_good(&world, "back").await;
    assert_eq!(counts(&found), before);
    assert_not_warned(&found);

    // A type that was removed is another one when it is made again, until the spec is judged anew.
    world.ado.remove_type("Payments", "Issue").unwrap();
    world.ado.add_type("Payments", "Issue", "Task", &[state_of("Open")]).unwrap();
    misses(&world, "another issue", bugs, "Issue").await;
    edit(&world, json!({"description": "Edited."})).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(found.status.unwrap().effective.unwrap().bug_types, ["Bug", "Issue"]);

    // One that is gone when the spec is edited is an Error.
    world.ado.disable_type("Payments", "Feature", true).unwrap();
    misses(&world, "gone again", requirements, "Feature").await;
    edit(&world, json!({"description": "Edited again."})).await;
    let own: Own = &[("MappingValid", "False", "InvalidMapping"), ("Synced", "True", "Synced")];
    assert_config(&refused(&world, "InvalidMapping").await, &crate::configs::stuck("InvalidMapping"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_and_severities_that_are_gone_are_told_unless_somebody_carries_them() {
    let world = connected_small().await;
    let severity = "Microsoft.VSTS.Common.Severity";
    let offers = |values: &[&str]| FieldValues {
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        ..FieldValues::default()
    };
    let usual = ["1 - Critical", "2 - High", "3 - Medium", "4 - Low"];
    let more = ["0 - Blocker", "1 - Critical", "2 - High", "3 - Medium", "4 - Low"];
    world.ado.set_field_values("Payments", "Bug", severity, &offers(&more)).unwrap();
    for kind in ["Bug", "User Story"] {
        world.ado.add_state("Payments", kind, &state_of("Parked")).unwrap();
    }
    let parked = json!([{"ado": "parked", "testops": "Open"}]);
    let change = json!({
        "pullRequirements": {"statusMapping": parked},
        "bugMapping": {"statusMapping": parked, "severityMapping": [{"ado": "0 - Blocker", "testops": "Critical"}]},
    });
    apply(&world, change).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    let before = counts(&found);

    world.ado.set_field_values("Payments", "Bug", severity, &offers(&usual)).unwrap();
    for kind in ["Bug", "User Story"] {
        world.ado.remove_state("Payments", kind, "Parked").unwrap();
    }
    let fields = ["spec.pullRequirements.statusMapping", "spec.bugMapping.statusMapping"];
    let severities = "spec.bugMapping.severityMapping";
    let found = misses(&world, "gone", fields[0], "parked").await;
    assert_missing(&found, fields[1], "parked");
    assert_missing(&found, severities, "0 - Blocker");
    assert_eq!(counts(&found), before);

    // Somebody carries them: they are not gone.
    let items = world.ado.work_items("Payments").unwrap();
    let of_kind = |kind: &str| items.iter().find(|item| item.kind == kind).unwrap().id;
    for kind in ["Bug", "User Story"] {
        world.ado.set_field(of_kind(kind), "System.State", "Parked").unwrap();
    }
    let found = misses(&world, "states carried", severities, "0 - Blocker").await;
    let value = serde_json::to_value(&found).unwrap();
    let text = condition(&value, "MappingValid").unwrap()["message"].as_str().unwrap();
    assert!(!text.contains("statusMapping"), "{text}");
    world.ado.set_field(of_kind("Bug"), severity, "0 - Blocker").unwrap();
    looks_good(&world, "all carried").await;

    world.ado.set_field(of_kind("User Story"), "System.State", "New").unwrap();
    misses(&world, "no more carried", fields[0], "parked").await;
    world.ado.add_state("Payments", "User Story", &state_of("Parked")).unwrap();
    looks_good(&world, "back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_iteration_that_is_gone_takes_its_records_with_it() {
    let change = json!({"iterationMapping": {
        "release": {"from": "Paths", "paths": ["Payments\\Release 1", "Payments\\Release 2"]},
        "sprint": {"from": "Paths", "paths": ["Payments\\Release 2\\*", "Payments\\Release 3\\*"]},
    }});
    let (mut world, before) = accepted(change).await;
    assert_eq!((before.releases, before.sprints), (2, 6));
    change_node(&world, NodeChange { node: "Payments\\Release 2".into(), delete: true, ..NodeChange::default() });
    let (releases, sprints) = ("spec.iterationMapping.release.paths", "spec.iterationMapping.sprint.paths");
    let left = Counts { releases: 1, sprints: 3, ..before.clone() };
    for request in ["gone", "still gone"] {
        let found = misses(&world, request, releases, "Payments\\Release 2").await;
        assert_missing(&found, sprints, "Payments\\Release 2\\*");
        assert_eq!(counts(&found), left);
        restart(&mut world).await;
    }
    // Another node of that name is not what was accepted; a spec that is judged anew may mean it.
    let another = NewNode { project: "Payments".into(), name: "Release 2".into(), ..NewNode::default() };
    world.ado.add_node(&another).unwrap();
    misses(&world, "another one", releases, "Payments\\Release 2").await;
    edit(&world, json!({"description": "Edited."})).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(counts(&found), Counts { releases: 2, ..left });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_is_gone_leaves_what_it_had_selected() {
    let change = json!({"team": "Checkout", "iterationMapping": {"sprint": {"from": "TeamBoard"}}});
    let (mut world, before) = accepted(change).await;
    assert_eq!(before.sprints, 2);
    let remove =
        ProjectChange { project: "Payments".into(), remove_team: Some("Checkout".into()), ..ProjectChange::default() };
    world.ado.change_project(&remove).unwrap();
    for request in ["gone", "still gone"] {
        let found = misses(&world, request, "spec.team", "Checkout").await;
        assert_eq!(counts(&found), before, "it keeps its last iterations");
        restart(&mut world).await;
    }
    let again =
        ProjectChange { project: "Payments".into(), add_team: Some("Checkout".into()), ..ProjectChange::default() };
    world.ado.change_project(&again).unwrap();
    let found = misses(&world, "another one", "spec.team", "Checkout").await;
    assert_eq!(counts(&found), before);
    edit(&world, json!({"description": "Edited."})).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    assert_eq!(counts(&found).sprints, 0, "the new team has selected nothing");
    world.ado.change_project(&remove).unwrap();
    misses(&world, "gone again", "spec.team", "Checkout").await;
    edit(&world, json!({"description": "Edited again."})).await;
    refused(&world, "TeamNotFound").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_level_that_is_gone_has_no_ancestors_until_it_is_back() {
    let world = connected_small().await;
    world.ado.add_level("Payments", "Initiatives", &["Epic".to_owned()]).unwrap();
    let change = json!({"iterationMapping": {"release": {"from": "Tier", "tier": 1}, "sprint": {"from": "None"}}});
    apply(&world, change).await;
    let found = active(&world).await;
    assert_config(&found, &ACTIVE, GOOD);
    let before = counts(&found);
    assert!(before.releases > 0, "{before:?}");
    world.ado.remove_level("Payments", "Initiatives").unwrap();
    let found = misses(&world, "gone", "spec.iterationMapping.release.tier", "1").await;
    assert_eq!(counts(&found), Counts { releases: 0, ..before.clone() }, "no other level takes its place");
    world.ado.add_level("Payments", "Initiatives", &["Epic".to_owned()]).unwrap();
    let found = looks_good(&world, "back").await;
    assert_eq!(counts(&found), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_field_that_is_gone_is_told_until_it_is_back() {
    let target = "Microsoft.VSTS.Scheduling.TargetDate";
    let change = json!({"pullRequirements": {
        "workItemTypes": ["User Story", "Feature"],
        "releaseDateFields": [target, "ReleaseEndDate"],
    }});
    let (world, before) = accepted(change).await;
    world.ado.remove_field("Payments", "Feature", target).unwrap();
    let found = misses(&world, "gone", "spec.pullRequirements.releaseDateFields", target).await;
    assert_eq!(counts(&found), before);
    world.ado.set_field_values("Payments", "User Story", target, &FieldValues::default()).unwrap();
    looks_good(&world, "back, at another type").await;
}

/// Nobody has to ask: a look a day finds what has changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_found_without_a_request() {
    let (world, _) = accepted(json!({"pullRequirements": {"workItemTypes": ["User Story", "Feature"]}})).await;
    world.ado.disable_type("Payments", "Feature", true).unwrap();
    world.clock.advance(Duration::from_hours(25));
    let is_told = |found: &AdoProjectConfig| {
        let value = serde_json::to_value(found).unwrap();
        shows(found, "Active", "Synced")
            && condition(&value, "MappingValid").is_some_and(|one| one["reason"] == "ProcessChanged")
    };
    let found = wait::object(&world.api(), "payments", "told of the change", is_told).await;
    assert_missing(&found, "spec.pullRequirements.workItemTypes", "Feature");
}

/// The old name keeps its pin, and the new one means the same type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_is_named_by_its_old_and_its_new_name_is_told_once() {
    let (world, before) = accepted(json!({"pullRequirements": {"workItemTypes": ["Feature"]}})).await;
    world.ado.rename_type("Payments", "Feature", "Capability").unwrap();
    edit(&world, json!({"pullRequirements": {"workItemTypes": ["Feature", "Capability"]}})).await;
    let found: AdoProjectConfig = wait::object(&world.api(), "payments", "judged", |found| {
        shows(found, "Active", "Synced") || shows(found, "Error", "InvalidMapping")
    })
    .await;
    assert_eq!(counts(&found), before);
    assert_ne!(found.status.unwrap().effective.unwrap().requirement_types, ["Capability", "Capability"]);
}

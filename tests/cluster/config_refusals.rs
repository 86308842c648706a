//! Bad input to a project config: what is wrong, in which field, and what would be right.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_simulator::state::Right;
use serde_json::{Value, json};
use support::wait;
use support::world::{World, message, shows};

use crate::configs::{
    active, apply, assert_stuck, batches, connected_small, counts, edit, pass, project_id, refused, run, synced,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_does_not_exist_and_one_that_is_hidden_look_the_same() {
    let world = connected_small().await;
    world.ado.hide_project("full", "Compliance").unwrap();
    let mut said = Vec::new();
    for project in ["Nowhere", "Compliance", "Retired", "../Payments", "."] {
        let name = format!("config-{}", said.len());
        let applied = world.config(&name, "contoso", json!({"project": project}));
        world.apply::<AdoProjectConfig>(applied).await;
        let found = world.config_is(&name, "Error", "ProjectNotFound").await;
        assert_stuck(&found, "ProjectNotFound");
        let text = message(&found);
        assert!(text.starts_with("spec.project: ") && text.contains(&format!("{project:?}")), "{text}");
        said.push(text.replace(&format!("{project:?}"), "…"));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_shown_later_is_found_on_request_and_by_itself() {
    let world = connected_small().await;
    for project in ["Payments", "Compliance"] {
        world.ado.hide_project("full", project).unwrap();
    }
    apply(&world, json!({})).await;
    let applied = world.config("compliance", "contoso", json!({"project": "Compliance"}));
    world.apply::<AdoProjectConfig>(applied).await;
    refused(&world, "ProjectNotFound").await;
    world.config_is("compliance", "Error", "ProjectNotFound").await;
    for project in ["Payments", "Compliance"] {
        world.ado.allow("full", &[Right::ViewProject], Some(project)).unwrap();
    }
    run(&world, "now").await;
    active(&world).await;
    world.clock.advance(Duration::from_mins(11));
    world.config_is("compliance", "Active", "Synced").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_credential_puts_a_bad_verdict_in_question_at_once() {
    let world = World::new().await;
    let narrow = world.ado.create_pat("narrow", &[]).unwrap();
    world.ado.hide_project("narrow", "Payments").unwrap();
    world.put_token(&narrow.token).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    apply(&world, json!({})).await;
    refused(&world, "ProjectNotFound").await;
    world.put_token(&world.pat("full")).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_team_is_answered_with_the_teams_that_there_are() {
    let world = connected_small().await;
    apply(&world, json!({"team": "Accounting"})).await;
    let text = message(&refused(&world, "TeamNotFound").await);
    for part in ["spec.team: ", "\"Accounting\"", "Payments Team", "Checkout", "Newcomers"] {
        assert!(text.contains(part), "{text}");
    }
    edit(&world, json!({"team": "Newcomers"})).await;
    let found = active(&world).await;
    assert_eq!(found.status.unwrap().team.unwrap().name, "Newcomers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_do_not_fit_are_answered_with_the_field_and_the_types_that_there_are() {
    let world = connected_small().await;
    let requirements = "spec.pullRequirements.workItemTypes";
    let bugs = "spec.bugMapping.workItemTypes";
    apply(&world, json!({"pullRequirements": {"workItemTypes": ["Nothing"]}})).await;
    let refusal = async |field: &str, problem: &str| {
        let expected = format!("{field}{problem}");
        let found: AdoProjectConfig = wait::object(&world.api(), "payments", &expected, |found| {
            shows(found, "Error", "InvalidMapping") && message(found).starts_with(&expected)
        })
        .await;
        assert_stuck(&found, "InvalidMapping");
        let text = message(&found);
        assert!(text.contains("The project has: ") && text.contains("User Story") && text.contains("Epic"), "{text}");
    };
    refusal(requirements, ": the project has no work item type \"Nothing\".").await;
    for (change, field, problem) in [
        (
            json!({"pullRequirements": {"workItemTypes": ["Feature", "FEATURE"]}}),
            requirements,
            ": Feature is named twice.",
        ),
        (json!({"pullRequirements": {"workItemTypes": ["bug"]}}), bugs, ": Bug is pulled as a requirement too"),
        (
            json!({"pullRequirements": {"workItemTypes": null}, "bugMapping": {"workItemTypes": ["Story"]}}),
            bugs,
            ": the project has no work item type \"Story\".",
        ),
        (json!({"bugMapping": {"workItemTypes": ["User Story"]}}), requirements, " must name the types"),
    ] {
        edit(&world, change).await;
        refusal(field, problem).await;
    }
    edit(&world, json!({"bugMapping": {"workItemTypes": null}})).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_basic_needs_explicit_types_of_bugs() {
    let world = connected_small().await;
    apply(&world, json!({"project": "Intranet"})).await;
    let text = message(&refused(&world, "InvalidMapping").await);
    assert!(text.starts_with("spec.bugMapping.workItemTypes must name the types"), "{text}");
    assert!(text.contains("Epic, Issue, Task"), "{text}");
    edit(&world, json!({"bugMapping": null})).await;
    let found = active(&world).await;
    assert_eq!(found.status.unwrap().effective.unwrap().requirement_types, ["Issue"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_switched_off_is_not_validated() {
    let world = connected_small().await;
    let off = json!({"bugMapping": {"enabled": false, "workItemTypes": ["Nothing"]}});
    apply(&world, off).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_outside_of_allowed_projects_is_refused_however_it_is_spelled() {
    let world = connected_small().await;
    let allow = async |patterns: Value| {
        world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedProjects": patterns}})).await;
        world.integration_is("contoso", "Active", "Connected").await;
    };
    allow(json!(["Web*"])).await;
    for spelling in ["Payments".to_owned(), "PAYMENTS".to_owned(), project_id(&world, "Payments")] {
        apply(&world, json!({"project": spelling})).await;
        let text = message(&refused(&world, "ProjectNotAllowed").await);
        assert!(text.contains(&format!("{spelling:?}")) && text.contains("spec.allowedProjects"), "{text}");
        // Whoever writes an id does not learn the name of a project that is none of theirs.
        assert_eq!(text.contains("\"Payments\""), spelling == "Payments", "{text}");
    }
    assert_eq!(batches(&world), 0);
    // A change of the integration alone, and by the id that the spec does not say.
    apply(&world, json!({})).await;
    refused(&world, "ProjectNotAllowed").await;
    allow(json!([project_id(&world, "Payments")])).await;
    active(&world).await;
    allow(json!(["pay*"])).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_no_more_allowed_is_left_alone_at_once() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    let allow = async |patterns: Value| {
        world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedProjects": patterns}})).await;
    };
    let read = batches(&world);
    allow(json!(["Web*"])).await;
    let found = refused(&world, "ProjectNotAllowed").await;
    assert_eq!(counts(&found), before, "what was read stays visible");
    world.integration_is("contoso", "Active", "Connected").await;
    let mapped = || world.ado.count("GET", "/work/backlogconfiguration");
    let before = mapped();
    assert_stuck(&run(&world, "not allowed").await, "ProjectNotAllowed");
    for _ in 0..5 {
        pass(&world, Duration::from_hours(6)).await;
    }
    assert_eq!(mapped(), before, "nothing is asked for the config");
    assert_eq!(batches(&world), read);

    allow(Value::Null).await;
    active(&world).await;
}

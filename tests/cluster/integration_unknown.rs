//! Answers on features that could not be had, or that may mean either: they prevent nothing, and take nothing back.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, Availability, Feature};
use ado_simulator::{Effect, Fault, MissingScopeStatus};
use serde_json::json;
use support::wait;
use support::world::{World, conditions, message, shows};

use crate::integrations::{ACTIVE, GOOD, LACKING, Own, assert_integration, pass, run, stuck};

/// Of a good credential of which something wanted could not be found out.
const SOME_UNKNOWN: Own =
    &[("CredentialValid", "True", "CredentialAccepted"), ("FeaturesAvailable", "Unknown", "SomeUnknown")];

/// Whether every wanted feature is available; empty before there is a verdict.
fn answer(found: &AdoIntegration) -> String {
    conditions(found).remove("FeaturesAvailable").unwrap_or_default().0
}

/// What is known of one feature.
fn available(found: &AdoIntegration, name: Feature) -> Availability {
    let features = &found.status.as_ref().unwrap().features;
    features.iter().find(|feature| feature.name == name).unwrap().available
}

/// Takes these areas out of service.
fn take_out(world: &World, areas: &[&str], effect: &Effect) {
    for area in areas {
        world.ado.add_fault(Fault::on_path(area, effect.clone()));
    }
}

/// Applies the integration and waits for its verdict, whatever that is.
async fn validated(world: &World) -> AdoIntegration {
    let applied = world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    let generation = applied.metadata.generation;
    wait::object(&world.api(), "contoso", "validated", |found: &AdoIntegration| {
        let observed = found.status.as_ref().and_then(|status| status.observed_generation) == generation;
        observed && conditions(found)["Ready"].0 != "Unknown"
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_area_without_an_answer_makes_features_unknown_and_nothing_else() {
    let failing = Effect::Status { code: 503, retry_after: None };
    for (area, effect) in [("*/_apis/wit/*", Effect::MalformedJson), ("*/_apis/projects*", failing)] {
        let world = World::new().await;
        take_out(&world, &[area], &effect);
        let found = validated(&world).await;
        assert_integration(&found, &ACTIVE, SOME_UNKNOWN);
        assert_eq!(available(&found, Feature::ManualSync), Availability::Unknown, "{area}");
        world.ado.clear_faults();
        let known = |found: &AdoIntegration| answer(found) == "True";
        let found = world.as_time_passes(Duration::from_secs(30), "contoso", "fully known", known).await;
        assert_integration(&found, &ACTIVE, GOOD);
        assert_eq!(found.status.unwrap().feature_summary.as_deref(), Some("2/2"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_a_credential_outlives_an_outage_of_the_areas_without_a_write() {
    let world = World::new().await;
    world.clock.hold();
    let before = validated(&world).await;
    assert_eq!(available(&before, Feature::CreateDefect), Availability::True);
    let log = world.bookmark().await;
    take_out(&world, &["*/_apis/wit/*", "*/_apis/projects*", "*/_apis/test*"], &Effect::MalformedJson);
    let struck = || world.ado.faults().iter().map(|fault| fault.struck).sum::<u64>();
    pass(&world, Duration::from_mins(11)).await;
    let first = struck();
    assert!(first > 0, "a validation without the areas");
    let mut after = run(&world, "again").await;
    assert!(struck() > first, "another validation without the areas");
    let status = after.status.as_mut().unwrap();
    status.last_handled_requested_at = None;
    assert_eq!(after.status, before.status);
    assert_eq!(world.writes(&log).await.len(), 1, "the echo");

    world.put_token(&world.pat("operator")).await;
    let found = wait::object(&world.api(), "contoso", "unknown", |found| answer(found) == "Unknown").await;
    assert_integration(&found, &ACTIVE, SOME_UNKNOWN);
    assert_eq!(available(&found, Feature::CreateDefect), Availability::Unknown, "of another credential");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_scope_is_believed_only_in_the_form_that_means_nothing_else() {
    let world = World::new().await;
    validated(&world).await;
    for form in [MissingScopeStatus::Unauthorized, MissingScopeStatus::UnauthorizedList] {
        world.ado.change_quirks(|quirks| quirks.missing_scope = form);
        world.put_token(&world.pat("no_work")).await;
        let found = world.integration_is("contoso", "Error", "FeatureUnavailable").await;
        assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
        assert!(message(&found).contains("ManualSync needs Work Items: Read"), "{}", message(&found));
        world.put_token(&world.pat("full")).await;
        world.integration_is("contoso", "Active", "Connected").await;
    }

    // A 403 may as well mean that the token's owner lacks a right in the project asked about.
    let other = World::new().await;
    other.ado.change_quirks(|quirks| quirks.missing_scope = MissingScopeStatus::Forbidden);
    other.put_token(&other.pat("no_work")).await;
    let found = validated(&other).await;
    assert_integration(&found, &ACTIVE, SOME_UNKNOWN);
    assert_eq!(available(&found, Feature::ManualSync), Availability::Unknown);
    other.ado.change_quirks(|quirks| quirks.missing_scope = MissingScopeStatus::Unauthorized);
    assert!(shows(&run(&other, "told now").await, "Error", "FeatureUnavailable"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_project_and_team_connects_where_the_service_takes_its_profile_scope_for_that() {
    let world = World::new().await;
    world.put_token(&world.pat("no_project")).await;
    let found = validated(&world).await;
    assert_integration(&found, &ACTIVE, GOOD);

    world.ado.change_quirks(|quirks| quirks.projects_accept_profile = false);
    let found = run(&world, "refused").await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
    assert!(message(&found).contains("ManualSync needs Project and Team: Read"), "{}", message(&found));

    let world = World::new().await;
    world.ado.change_quirks(|quirks| {
        quirks.projects_accept_profile = false;
        quirks.missing_scope = MissingScopeStatus::Forbidden;
    });
    world.put_token(&world.pat("no_project")).await;
    let found = validated(&world).await;
    assert_integration(&found, &ACTIVE, SOME_UNKNOWN);
}

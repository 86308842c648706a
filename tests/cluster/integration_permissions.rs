//! What a token and its owner may do, as an integration shows it: which permission is missing, and for which feature.

use ado_operator::api::{AdoIntegration, Availability, Feature};
use serde_json::{Value, json};
use support::wait;
use support::world::{World, condition, conditions, message};

use crate::integrations::{ACTIVE, GOOD, LACKING, assert_integration, stuck};

/// Puts that token into the Secret, applies the integration with that change, and waits for the verdict on both.
async fn verdict(world: &World, label: &str, change: Value) -> AdoIntegration {
    world.put_token(&world.pat(label)).await;
    let mut object = world.integration("contoso", change);
    // A generation of its own tells the verdict from earlier ones.
    object["spec"]["description"] = label.into();
    let generation = world.apply::<AdoIntegration>(object).await.metadata.generation;
    wait::object(&world.api(), "contoso", "validated", |found: &AdoIntegration| {
        let observed = found.status.as_ref().and_then(|status| status.observed_generation) == generation;
        observed && conditions(found).get("Ready").is_some_and(|(status, _)| status != "Unknown")
    })
    .await
}

/// What is known of a feature, and what was found missing for it.
fn feature(found: &AdoIntegration, name: Feature) -> (Availability, Vec<String>) {
    let features = &found.status.as_ref().unwrap().features;
    let feature = features.iter().find(|feature| feature.name == name).unwrap();
    (feature.available, feature.missing.clone())
}

/// The message of `FeaturesAvailable`.
fn told(found: &AdoIntegration) -> String {
    let value = serde_json::to_value(found).unwrap();
    condition(&value, "FeaturesAvailable").unwrap()["message"].as_str().unwrap().to_owned()
}

/// A wanted feature for which exactly this is missing.
fn assert_missing(found: &AdoIntegration, name: Feature, missing: &str) {
    assert_eq!(feature(found, name), (Availability::False, vec![missing.to_owned()]), "{name}");
    let sentence = format!("{name} needs {missing}");
    let (ready, told) = (message(found), told(found));
    assert!(ready.contains(&sentence) && told.contains(&sentence), "{sentence:?} is not in {ready:?} and {told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_is_named_with_every_wanted_feature_that_needs_it() {
    let world = World::new().await;
    let tests = "Test Management: Read & write";
    let cases: [(&str, &[Feature], &str); 4] = [
        ("contributor", &[Feature::WebhookSetup], "Service hooks: Edit subscriptions"),
        ("no_test", &[Feature::PushTestResult], tests),
        ("no_test", &[Feature::LinkTestCase], tests),
        ("no_test", &[Feature::PushTestResult, Feature::LinkTestCase], tests),
    ];
    for (label, wanted, missing) in cases {
        let mut features = vec![Feature::ManualSync];
        features.extend(wanted);
        let found = verdict(&world, label, json!({"features": features})).await;
        assert_integration(&found, &stuck("Active", "FeatureUnavailable"), LACKING);
        for name in wanted {
            assert_missing(&found, *name, missing);
        }
        assert!(message(&found).contains("spec.features"), "the other remedy is named: {}", message(&found));
        let summary = found.status.unwrap().feature_summary;
        assert_eq!(summary, Some(format!("1/{}", features.len())));
    }
}

/// What `LinkDefect` needs is part of what `ManualSync` needs, so it is never missing alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_of_defects_need_what_manual_sync_needs() {
    let world = World::new().await;
    world.ado.create_pat("work_alone_missing", &["vso.project", "vso.analytics"]).unwrap();
    let wanted = json!({"features": ["ManualSync", "LinkDefect"]});
    let found = verdict(&world, "work_alone_missing", wanted.clone()).await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
    for name in [Feature::ManualSync, Feature::LinkDefect] {
        assert_missing(&found, name, "Work Items: Read");
    }
    let found = verdict(&world, "read_only", wanted).await;
    assert_integration(&found, &ACTIVE, GOOD);
    assert_eq!(feature(&found, Feature::LinkDefect), (Availability::True, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_sees_no_project_makes_manual_sync_unavailable() {
    let world = World::new().await;
    let found = verdict(&world, "no_permission", json!({})).await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
    for name in [Feature::ManualSync, Feature::HandleWebhookEvents] {
        assert_missing(&found, name, "Project and Team: Read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allowed_projects_that_fit_nothing_are_named_as_the_cause() {
    let world = World::new().await;
    let found = verdict(&world, "full", json!({"allowedProjects": ["Paymnets", "Nowhere*"]})).await;
    assert_integration(&found, &stuck("Error", "FeatureUnavailable"), LACKING);
    assert_eq!(feature(&found, Feature::ManualSync).0, Availability::False);
    assert!(message(&found).contains("allowedProjects"), "not the token is to blame: {}", message(&found));
    let found = verdict(&world, "full", json!({"allowedProjects": ["Paymnets", "Web*"]})).await;
    assert_integration(&found, &ACTIVE, GOOD);
}

/// Documented as required, and used by none of our calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_documented_and_not_used_is_listed_and_warned_about_and_decides_nothing() {
    let world = World::new().await;
    for (label, missing) in [("operator", "Analytics: Read"), ("stakeholder", "Access level: Basic or higher")] {
        let found = verdict(&world, label, json!({})).await;
        assert_integration(&found, &ACTIVE, GOOD);
        for name in [Feature::ManualSync, Feature::HandleWebhookEvents] {
            assert_eq!(feature(&found, name), (Availability::True, vec![missing.to_owned()]), "{label}: {name}");
        }
        assert!(feature(&found, Feature::LinkDefect).1.is_empty(), "{label}: the others do not need it");
        let warning = told(&found);
        assert!(warning.contains(missing) && warning.contains("nothing here uses it"), "{label}: {warning}");
        assert_eq!(found.status.unwrap().feature_summary.as_deref(), Some("2/2"));
    }
}

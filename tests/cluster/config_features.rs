//! Verdicts on features for one project, as its config shows them.

use std::time::Duration;

use ado_operator::api::Availability::{self, False, True, Unknown};
use ado_operator::api::{AdoIntegration, AdoProjectConfig, Feature};
use ado_simulator::state::Right;
use ado_simulator::{Effect, Fault, Options};
use serde_json::json;
use support::wait;
use support::world::World;

use crate::configs::{ACTIVE, GOOD, active, apply, assert_config, config, pass, project_id, run, synced};
use crate::integrations;

const WRITES: &str = "Work Items: Read & write";
const TESTS: &str = "Test Management: Read & write";
const HOOKS: &str = "Service hooks: Edit subscriptions";

/// What a config or an integration shows of its features: name, answer, and what is missing.
type Shown = Vec<(Feature, Availability, Vec<String>)>;

fn features(found: &AdoProjectConfig) -> Shown {
    let features = found.status.clone().unwrap().features;
    features.into_iter().map(|feature| (feature.name, feature.available, feature.missing)).collect()
}

fn answer(found: &AdoProjectConfig, name: Feature) -> (Availability, Vec<String>) {
    let found = features(found).into_iter().find(|(feature, ..)| *feature == name);
    found.map(|(_, available, missing)| (available, missing)).unwrap()
}

fn refused(missing: &str) -> (Availability, Vec<String>) {
    (False, vec![missing.to_owned()])
}

fn granted() -> (Availability, Vec<String>) {
    (True, Vec::new())
}

/// Waits until the config `payments` gives that answer.
async fn shows(world: &World, name: Feature, wanted: (Availability, Vec<String>)) -> AdoProjectConfig {
    let what = format!("{name} {wanted:?}");
    wait::object(&world.api(), "payments", &what, |found: &AdoProjectConfig| {
        let shown = found.status.clone().unwrap_or_default().features;
        shown.iter().any(|one| one.name == name && (one.available, one.missing.clone()) == wanted)
    })
    .await
}

/// A world whose integration wants these features, with the synced config `judged` of the project on which the integration is
/// judged; and the name of another project.
async fn wanting(wanted: &[Feature]) -> (World, &'static str) {
    let world = World::with(Options { items: 60, ..Options::default() }).await;
    integrations::apply(&world, json!({"features": wanted})).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let mut projects = ["Payments", "Web Shop"];
    projects.sort_by_key(|name| project_id(&world, name));
    let [first, second] = projects;
    world.apply::<AdoProjectConfig>(world.config("judged", "contoso", json!({"project": first}))).await;
    world.config_is("judged", "Active", "Synced").await;
    (world, second)
}

/// Defects that were validated in a project since.
fn validations(world: &World, project: &str, since: u64) -> usize {
    let requests = world.ado.requests_since(since);
    let of = project_id(world, project);
    requests.iter().filter(|one| one.target.contains(&of) && one.target.contains("validateOnly")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_features_that_are_wanted_by_default_are_available_without_a_request() {
    let world = crate::configs::connected_small().await;
    let since = world.ado.last_request();
    apply(&world, json!({})).await;
    let found = active(&world).await;
    let expected = [Feature::ManualSync, Feature::HandleWebhookEvents].map(|name| (name, True, Vec::<String>::new()));
    assert_eq!(features(&found), expected);
    let probes = ["validateOnly", "/_apis/test", "/hooks/", "securitynamespaces", "security/permission", "_odata"];
    let asked = world.ado.requests_since(since);
    let asked: Vec<_> = asked.iter().filter(|one| probes.iter().any(|probe| one.target.contains(probe))).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_integration_lacks_in_every_project_is_taken_over() {
    let world = synced().await;
    world.put_token(&world.pat("operator")).await;
    for name in [Feature::ManualSync, Feature::HandleWebhookEvents] {
        let found = shows(&world, name, (True, vec!["Analytics: Read".to_owned()])).await;
        assert_config(&found, &ACTIVE, GOOD);
    }
}

/// Each right that is taken in one project alone takes the features that need it there, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_refuses_something_says_so_while_the_integration_has_it() {
    let cases: [(Right, &[Feature], &str); 3] = [
        (Right::WriteWorkItems, &[Feature::CreateDefect], WRITES),
        (Right::PublishTestResults, &[Feature::PushTestResult, Feature::LinkTestCase], TESTS),
        (Right::EditSubscriptions, &[Feature::WebhookSetup], HOOKS),
    ];
    let (world, project) = wanting(&Feature::ALL).await;
    apply(&world, json!({"project": project})).await;
    let found = active(&world).await;
    assert_eq!(features(&found), Feature::ALL.map(|name| (name, True, Vec::new())));
    for (number, (right, lost, missing)) in cases.into_iter().enumerate() {
        world.ado.deny("full", &[right], Some(project)).unwrap();
        let found = run(&world, &format!("without {number}")).await;
        for name in Feature::ALL {
            let expected = if lost.contains(&name) { refused(missing) } else { granted() };
            assert_eq!(answer(&found, name), expected, "{name} without {right:?}");
        }
        assert_config(&found, &ACTIVE, GOOD);
        world.ado.allow("full", &[right], Some(project)).unwrap();
    }
    let integration = world.integration_is("contoso", "Active", "Connected").await;
    assert!(integration.status.unwrap().features.iter().all(|feature| feature.available == True));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_unknown_changes_nothing_else_and_is_asked_for_again_at_the_next_look() {
    let (world, project) = wanting(&[Feature::ManualSync, Feature::CreateDefect]).await;
    let path = format!("*/{}/_apis/wit/workitems/*", project_id(&world, project));
    let fault = world.ado.add_fault(Fault::on_path(&path, Effect::Status { code: 503, retry_after: None }));
    apply(&world, json!({"project": project})).await;
    let found = active(&world).await;
    assert_eq!(answer(&found, Feature::CreateDefect), (Unknown, Vec::new()));
    assert_config(&found, &ACTIVE, GOOD);
    assert!(world.ado.remove_fault(fault));
    world
        .as_time_passes(Duration::from_secs(10), "payments", "asked again", |found: &AdoProjectConfig| {
            answer(found, Feature::CreateDefect) == granted()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_is_asked_again_after_four_hours_and_not_before() {
    let (world, project) = wanting(&[Feature::ManualSync, Feature::CreateDefect]).await;
    world.clock.hold();
    let first = world.ado.last_request();
    apply(&world, json!({"project": project})).await;
    assert_eq!(answer(&active(&world).await, Feature::CreateDefect), granted());
    assert_eq!(validations(&world, project, first), 1);
    let since = world.ado.last_request();
    world.ado.deny("full", &[Right::WriteWorkItems], Some(project)).unwrap();
    for _ in 0..23 {
        pass(&world, Duration::from_mins(10)).await;
    }
    assert_eq!(validations(&world, project, since), 0, "after 3 h 50 min");
    assert_eq!(answer(&config(&world).await, Feature::CreateDefect), granted());
    pass(&world, Duration::from_mins(10)).await;
    shows(&world, Feature::CreateDefect, refused(WRITES)).await;
    assert_eq!(validations(&world, project, since), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_credential_is_judged_anew() {
    let (world, project) = wanting(&[Feature::ManualSync, Feature::CreateDefect]).await;
    apply(&world, json!({"project": project})).await;
    assert_eq!(answer(&active(&world).await, Feature::CreateDefect), granted());
    let other = world.ado.create_pat("other", &[]).unwrap();
    world.ado.deny("other", &[Right::WriteWorkItems], Some(project)).unwrap();
    world.put_token(&other.token).await;
    let found = shows(&world, Feature::CreateDefect, refused(WRITES)).await;
    assert_config(&found, &ACTIVE, GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_follows_what_the_integration_wants() {
    let world = synced().await;
    let wanted = |features: &[Feature]| json!({"spec": {"features": features}});
    world.patch::<AdoIntegration>("contoso", wanted(&[Feature::WebhookSetup, Feature::LinkDefect])).await;
    let found = shows(&world, Feature::WebhookSetup, granted()).await;
    let names: Vec<Feature> = features(&found).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, [Feature::ManualSync, Feature::LinkDefect, Feature::WebhookSetup]);
    world.patch::<AdoIntegration>("contoso", wanted(&[Feature::ManualSync])).await;
    wait::object(&world.api(), "payments", "the short list", |found| features(found).len() == 1).await;
}

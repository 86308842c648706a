//! What a project config means for its life: one integration and one project, however they are spelled.

use std::time::Duration;

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig};
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use support::wait;
use support::world::{World, shows};

use crate::configs::{
    active, apply, assert_stuck, batches, connected_small, counts, edit, project_id, refused, run, synced,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_stays_with_its_project_however_that_is_spelled() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    let read = batches(&world);
    edit(&world, json!({"project": "Web Shop"})).await;
    let found = refused(&world, "ProjectChanged").await;
    assert_eq!(counts(&found), before);
    assert_eq!(found.status.unwrap().project.unwrap().name, "Payments");
    assert_eq!(batches(&world), read, "nothing of the other project is read");
    for spelling in ["Payments".to_owned(), "payments".to_owned(), project_id(&world, "Payments")] {
        edit(&world, json!({"project": spelling})).await;
        assert_eq!(active(&world).await.status.unwrap().project.unwrap().name, "Payments");
    }
    let namespace = world.namespace.clone();
    edit(&world, json!({"integrationRef": {"namespace": namespace}})).await;
    assert_eq!(counts(&active(&world).await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_was_never_accepted_may_be_corrected() {
    let world = connected_small().await;
    let nonsense = json!({"workItemTypes": ["Nothing"]});
    apply(&world, json!({"project": "Web Shop", "bugMapping": nonsense})).await;
    refused(&world, "InvalidMapping").await;
    edit(&world, json!({"project": "Payments", "bugMapping": {"workItemTypes": null}})).await;
    assert_eq!(active(&world).await.status.unwrap().project.unwrap().name, "Payments");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_renamed_goes_on() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    world.ado.rename_project("Payments", "Zahlungen").unwrap();
    world.clock.advance(Duration::from_hours(5));
    edit(&world, json!({"description": "The spec still says Payments."})).await;
    let named = |name: &'static str| {
        move |found: &AdoProjectConfig| {
            shows(found, "Active", "Synced") && found.status.as_ref().unwrap().project.as_ref().unwrap().name == name
        }
    };
    let found = wait::object(&world.api(), "payments", "renamed", named("Zahlungen")).await;
    assert_eq!(counts(&found), before);

    world.ado.rename_project("Zahlungen", "Paiements").unwrap();
    world.clock.advance(Duration::from_hours(25));
    let found = wait::object(&world.api(), "payments", "renamed again", named("Paiements")).await;
    assert_eq!(counts(&found), before);

    edit(&world, json!({"project": "Paiements"})).await;
    assert_eq!(counts(&active(&world).await), before);
}

/// Deletes the integration for good, although the config refers to it.
async fn delete_integration(world: &World) {
    let permitted = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", permitted).await;
    world.delete::<AdoIntegration>("contoso").await;
    world.clock.advance(Duration::from_mins(6));
    wait::until("the integration is gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_stays_with_its_integration() {
    let world = synced().await;
    world.apply::<AdoIntegration>(world.integration("other", json!({}))).await;
    world.integration_is("other", "Active", "Connected").await;
    let before = counts(&active(&world).await);
    let since = world.ado.last_request();
    edit(&world, json!({"integrationRef": {"name": "other"}})).await;
    let found = refused(&world, "IntegrationChanged").await;
    assert_eq!(counts(&found), before);
    assert_stuck(&run(&world, "through another").await, "IntegrationChanged");
    assert!(world.ado.requests_since(since).is_empty(), "nothing is sent through the other one");
    edit(&world, json!({"integrationRef": {"name": "contoso"}})).await;
    assert_eq!(counts(&active(&world).await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recreated_integration_is_another_one_if_and_only_if_its_organization_is() {
    let world = synced().await;
    let before = counts(&active(&world).await);
    delete_integration(&world).await;
    let fabrikam = json!({"organizationURL": world.ado.organization_url("fabrikam")});
    world.put_secret("fabrikam-pat", "token", &world.pat("other_organization")).await;
    let mut other = world.integration("contoso", fabrikam);
    other["spec"]["auth"]["pat"]["secretRef"]["name"] = "fabrikam-pat".into();
    world.apply::<AdoIntegration>(other).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let found = refused(&world, "IntegrationChanged").await;
    assert_eq!(counts(&found), before);

    delete_integration(&world).await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    assert_eq!(counts(&active(&world).await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_stays_with_its_project_although_the_store_is_lost() {
    let mut world = synced().await;
    let before = counts(&active(&world).await);
    world.lose_data().await;
    edit(&world, json!({"project": "Web Shop"})).await;
    world.start().await.unwrap();
    let found = refused(&world, "ProjectChanged").await;
    assert_eq!(counts(&found), before);
    edit(&world, json!({"project": "Payments"})).await;
    assert_eq!(counts(&active(&world).await), before);

    // The status could be lost next: the store has learnt from it.
    let nothing = Patch::Merge(json!({"status": {"project": null, "integration": null}}));
    world.api::<AdoProjectConfig>().patch_status("payments", &PatchParams::default(), &nothing).await.unwrap();
    edit(&world, json!({"project": "Web Shop"})).await;
    refused(&world, "ProjectChanged").await;
    edit(&world, json!({"project": "Payments"})).await;
    assert_eq!(active(&world).await.status.unwrap().project.unwrap().name, "Payments");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_stays_with_its_integration_although_the_store_is_lost() {
    let mut world = synced().await;
    world.apply::<AdoIntegration>(world.integration("other", json!({}))).await;
    world.integration_is("other", "Active", "Connected").await;
    world.lose_data().await;
    edit(&world, json!({"integrationRef": {"name": "other"}})).await;
    world.start().await.unwrap();
    refused(&world, "IntegrationChanged").await;
    edit(&world, json!({"integrationRef": {"name": "contoso"}})).await;
    active(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_is_created_again_means_what_its_spec_says() {
    let world = synced().await;
    let first = active(&world).await;
    world.delete::<AdoProjectConfig>("payments").await;
    wait::until("the config is gone", async || {
        world.api::<AdoProjectConfig>().get_opt("payments").await.unwrap().is_none().then_some(())
    })
    .await;
    apply(&world, json!({"project": "Web Shop"})).await;
    let second = active(&world).await;
    assert_ne!(first.uid(), second.uid());
    let status = second.status.clone().unwrap();
    assert!(status.sync.as_ref().unwrap().last_change_time.is_some(), "what was read before is new to this one");
    assert_eq!(status.project.unwrap().name, "Web Shop", "no pin outlives the object");
    assert_eq!(status.effective.unwrap().requirement_types, ["Product Backlog Item"]);
    assert!(counts(&second).requirements > 0);
}

/// Allows that project and no other.
async fn allow(world: &World, project: &str) {
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"allowedProjects": [project]}})).await;
}

/// A synced config of the project Payments, which was allowed by that name and is called Billing now.
async fn renamed() -> World {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({"allowedProjects": ["Payments"]}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    apply(&world, json!({})).await;
    active(&world).await;
    world.ado.rename_project("Payments", "Billing").unwrap();
    world
}

/// Whoever renames a project lets the permission follow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_project_is_permitted_by_its_new_name_and_no_more_by_the_old_one() {
    let world = renamed().await;
    run(&world, "renamed").await;
    refused(&world, "ProjectNotAllowed").await;
    allow(&world, "Billing").await;
    assert_eq!(active(&world).await.status.unwrap().project.unwrap().name, "Billing");
    allow(&world, "Payments").await;
    refused(&world, "ProjectNotAllowed").await;
}

/// The permission follows before anybody has seen the new name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_that_was_not_seen_so_far_is_asked_for_before_it_is_refused() {
    let world = renamed().await;
    allow(&world, "Billing").await;
    let renamed = |found: &AdoProjectConfig| found.status.as_ref().unwrap().project.as_ref().unwrap().name == "Billing";
    wait::object(&world.api(), "payments", "known by its new name", renamed).await;
    active(&world).await;
}

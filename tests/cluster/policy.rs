//! Integrations are disconnected, not deleted: the deletion policy of the chart in every case.

use std::sync::Arc;

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use support::control_plane::ControlPlane;
use support::wait;
use support::world::World;

/// What somebody reads whose DELETE of an integration is refused: the two remedies.
const KEPT: &str = "an AdoIntegration is kept: disconnect it with spec.state: Inactive instead; to delete it for good, \
                    first set the annotation ado.testops.dev/allow-deletion: \"true\" on it";

/// The same of a definition.
const DEFINITION_KEPT: &str = "this definition is kept, since every object of its kind would go with it; integrations are \
                               disconnected with spec.state: Inactive instead; to delete the definition for good, first set \
                               the annotation ado.testops.dev/allow-deletion: \"true\" on it";

/// A namespace without an operator, in a control plane whose policy is in force.
struct Place {
    control_plane: Arc<ControlPlane>,
    client: Client,
    namespace: String,
}

impl Place {
    async fn new(name: &str) -> Self {
        let control_plane = tokio::task::spawn_blocking(ControlPlane::shared).await.unwrap().unwrap();
        Self::within(control_plane, name).await
    }

    async fn within(control_plane: Arc<ControlPlane>, name: &str) -> Self {
        let client = control_plane.admin().await.unwrap();
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        let place = Self { control_plane, client, namespace: name.to_owned() };
        place.create("probe", json!({})).await;
        // The apiserver takes up a new policy a moment after it was created.
        wait::until("the policy is in force", async || {
            let dry_run = DeleteParams { dry_run: true, ..DeleteParams::default() };
            place.integrations().delete("probe", &dry_run).await.err().map(|_| ())
        })
        .await;
        place
    }

    fn integrations(&self) -> Api<AdoIntegration> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn create(&self, name: &str, metadata: Value) -> AdoIntegration {
        let mut object = json!({
            "apiVersion": "ado.testops.dev/v1alpha1",
            "kind": "AdoIntegration",
            "metadata": metadata,
            "spec": {
                "displayName": name,
                "organizationURL": "https://dev.azure.com/contoso",
                "auth": {"pat": {"secretRef": {"name": "pat", "key": "token"}}},
            },
        });
        object["metadata"]["name"] = name.into();
        let object = serde_json::from_value(object).unwrap();
        self.integrations().create(&PostParams::default(), &object).await.unwrap()
    }

    async fn exists(&self, name: &str) -> bool {
        self.integrations().get_opt(name).await.unwrap().is_some()
    }

    /// Runs kubectl in the namespace; gives what it says to a refusal.
    fn refused(&self, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--namespace", &self.namespace]].concat();
        let (done, output, refusal) = self.control_plane.kubectl(&arguments, "").unwrap();
        assert!(!done, "kubectl {arguments:?} was not refused: {output}");
        refusal
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_is_refused_and_the_remedies_are_named() {
    let place = Place::new("policy-refused").await;
    place.create("contoso", json!({})).await;
    let refusal = place.refused(&["delete", "adointegration", "contoso"]);
    assert!(refusal.contains(KEPT), "{refusal}");
    assert!(place.exists("contoso").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_is_refused_to_everybody_and_in_every_form() {
    let place = Place::new("policy-everybody").await;
    place.create("contoso", json!({})).await;
    for arguments in [
        vec!["delete", "adointegration", "contoso", "--as=alice", "--as-group=system:masters"],
        vec!["delete", "adointegration", "contoso", "--grace-period=0", "--force"],
        vec!["delete", "adointegration", "contoso", "--cascade=orphan"],
        vec!["delete", "adointegrations", "--all"],
    ] {
        let refusal = place.refused(&arguments);
        assert!(refusal.contains(KEPT), "{arguments:?}: {refusal}");
    }
    let collection =
        place.integrations().delete_collection(&DeleteParams::default(), &ListParams::default()).await.map(|_| ());
    let refusal = collection.expect_err("a whole collection was deleted").to_string();
    assert!(refusal.contains(KEPT), "{refusal}");
    assert!(place.exists("contoso").await && place.exists("probe").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnecting_is_no_permission_to_delete() {
    let place = Place::new("policy-disconnected").await;
    place.create("contoso", json!({})).await;
    let disconnect = Patch::Merge(json!({"spec": {"state": "Inactive"}}));
    place.integrations().patch("contoso", &PatchParams::default(), &disconnect).await.unwrap();
    assert!(place.refused(&["delete", "adointegration", "contoso"]).contains(KEPT));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_annotation_with_the_value_true_permits_deletion() {
    let place = Place::new("policy-annotated").await;
    for value in ["false", "TRUE", "yes", ""] {
        let name = format!("with-{}", value.to_lowercase()).trim_end_matches('-').to_owned();
        place.create(&name, json!({"annotations": {ALLOW_DELETION: value}})).await;
        assert!(place.refused(&["delete", "adointegration", &name]).contains(KEPT), "{value:?}");
    }
    place.create("contoso", json!({})).await;
    let annotate = ["annotate", "adointegration", "contoso", "ado.testops.dev/allow-deletion=true"];
    let delete = ["delete", "adointegration", "contoso"];
    for arguments in [&annotate[..], &delete[..]] {
        let arguments = [arguments, &["--namespace", &place.namespace]].concat();
        let (done, _, refusal) = place.control_plane.kubectl(&arguments, "").unwrap();
        assert!(done, "{refusal}");
    }
    assert!(!place.exists("contoso").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn project_configs_are_deleted_freely() {
    let place = Place::new("policy-configs").await;
    let configs: Api<AdoProjectConfig> = Api::namespaced(place.client.clone(), &place.namespace);
    let config = json!({
        "apiVersion": "ado.testops.dev/v1alpha1",
        "kind": "AdoProjectConfig",
        "metadata": {"name": "payments"},
        "spec": {"integrationRef": {"name": "contoso"}, "project": "Payments"},
    });
    configs.create(&PostParams::default(), &serde_json::from_value(config).unwrap()).await.unwrap();
    configs.delete("payments", &DeleteParams::default()).await.unwrap();
    assert!(configs.get_opt("payments").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_owned_goes_with_its_owner() {
    let place = Place::new("policy-owned").await;
    let owners: Api<ConfigMap> = Api::namespaced(place.client.clone(), &place.namespace);
    let owner: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "owner"}})).unwrap();
    let owner = owners.create(&PostParams::default(), &owner).await.unwrap();
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid()});
    place.create("contoso", json!({"ownerReferences": [reference]})).await;
    assert!(place.refused(&["delete", "adointegration", "contoso"]).contains(KEPT), "a person is still refused");
    owners.delete("owner", &DeleteParams::default()).await.unwrap();
    wait::until("the garbage collector took it", async || (!place.exists("contoso").await).then_some(())).await;
}

async fn delete_namespace(client: &Client, name: &str) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.delete(name, &DeleteParams::default()).await.unwrap();
    wait::until("the namespace is gone", async || namespaces.get_opt(name).await.unwrap().is_none().then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_deleted_goes_away_fully() {
    let place = Place::new("policy-namespace").await;
    place.create("contoso", json!({})).await;
    delete_namespace(&place.client, &place.namespace).await;
}

/// With an operator there are finalizers, and a project config that an integration waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_namespace_that_is_deleted_goes_away_fully() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    let found = world.integration_is("contoso", "Active", "Connected").await;
    assert!(!found.finalizers().is_empty());
    delete_namespace(&world.client, &world.namespace).await;
}

/// In a control plane of its own, since a definition takes all objects of its kind with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_are_kept_until_they_are_annotated_and_by_an_uninstall_too() {
    let place = Place::within(ControlPlane::own().await, "policy-definitions").await;
    let definitions: Api<CustomResourceDefinition> = Api::all(place.client.clone());
    let other = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        },
    });
    definitions.create(&PostParams::default(), &serde_json::from_value(other).unwrap()).await.unwrap();

    let ours = ["adointegrations.ado.testops.dev", "adoprojectconfigs.ado.testops.dev"];
    for name in ours {
        for arguments in
            [vec!["delete", "crd", name], vec!["delete", "crd", name, "--as=alice", "--as-group=system:masters"]]
        {
            let refusal = place.refused(&arguments);
            assert!(refusal.contains(DEFINITION_KEPT), "{arguments:?}: {refusal}");
        }
    }
    let collection = definitions.delete_collection(&DeleteParams::default(), &ListParams::default()).await.map(|_| ());
    let refusal = collection.expect_err("all definitions were deleted").to_string();
    assert!(refusal.contains(DEFINITION_KEPT), "{refusal}");

    let gone = async |name: &str| {
        wait::until("the definition is gone", async || {
            definitions.get_opt(name).await.unwrap().is_none().then_some(())
        })
        .await;
    };
    definitions.delete("widgets.example.com", &DeleteParams::default()).await.unwrap();
    gone("widgets.example.com").await;
    let annotate = Patch::Merge(json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}}));
    definitions.patch(ours[1], &PatchParams::default(), &annotate).await.unwrap();
    definitions.delete(ours[1], &DeleteParams::default()).await.unwrap();
    gone(ours[1]).await;

    let release = support::control_plane::RELEASE;
    let mut helm = place.control_plane.command("helm");
    let done = helm.args(["uninstall", release, "--namespace", release]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(place.exists("probe").await, "Helm keeps the definitions, and with them every object");
}

//! The operator may do what it does, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use ado_operator::api::{ALLOW_DELETION, AdoIntegration, AdoProjectConfig};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SelfSubjectRulesReview,
    SelfSubjectRulesReviewSpec,
};
use kube::api::PostParams;
use kube::config::AuthInfo;
use kube::{Api, Client};
use serde_json::json;
use support::audit::{Bookmark, Entry};
use support::control_plane::{ControlPlane, RELEASE};
use support::wait;
use support::world::World;

/// The operator's user.
const USER: &str = "system:serviceaccount:ado-operator:ado-operator";

/// Verb, API group, resource with its subresource.
type Right = (String, String, String);

/// What the operator may do in a namespace that it serves.
const SERVED: [(&str, &str, &[&str]); 7] = [
    ("ado.testops.dev", "adointegrations", &["get", "list", "watch", "patch"]),
    ("ado.testops.dev", "adoprojectconfigs", &["get", "list", "watch"]),
    ("ado.testops.dev", "adointegrations/status", &["patch"]),
    ("ado.testops.dev", "adoprojectconfigs/status", &["patch"]),
    ("", "secrets", &["get", "list", "watch"]),
    ("", "configmaps", &["get", "list", "watch"]),
    ("events.k8s.io", "events", &["create"]),
];

/// The labels of namespaces.
const LABELS: (&str, &str, &[&str]) = ("", "namespaces", &["get"]);

/// Where one operator serves all namespaces, it notices that their labels change.
const ALL_LABELS: (&str, &str, &[&str]) = ("", "namespaces", &["get", "list", "watch"]);

/// Its Lease, in its own namespace.
const LEASE: (&str, &str, &[&str]) = ("coordination.k8s.io", "leases", &["get", "create", "update"]);

fn rights<'a>(rows: impl IntoIterator<Item = &'a (&'a str, &'a str, &'a [&'a str])>) -> BTreeSet<Right> {
    let each = |(group, resource, verbs): &(&str, &str, &[&str])| {
        let right = |verb: &&str| ((*verb).to_owned(), (*group).to_owned(), (*resource).to_owned());
        verbs.iter().map(right).collect::<Vec<_>>()
    };
    rows.into_iter().flat_map(each).collect()
}

async fn shared() -> Arc<ControlPlane> {
    tokio::task::spawn_blocking(ControlPlane::shared).await.unwrap().unwrap()
}

async fn operator(control_plane: &ControlPlane) -> Client {
    Client::try_from(control_plane.operator_config().await.unwrap()).unwrap()
}

/// Every right in the namespace that somebody has.
async fn granted(client: Client, namespace: &str) -> BTreeSet<Right> {
    let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) };
    let review = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
    let reviewed = Api::all(client).create(&PostParams::default(), &review).await.unwrap();
    let status = reviewed.status.unwrap();
    assert!(!status.incomplete, "{:?}", status.evaluation_error);
    let mut found = BTreeSet::new();
    for rule in status.resource_rules {
        assert!(rule.resource_names.is_none_or(|names| names.is_empty()), "no rule is limited to names");
        for group in rule.api_groups.unwrap_or_default() {
            for resource in rule.resources.iter().flatten() {
                found.extend(rule.verbs.iter().map(|verb| (verb.clone(), group.clone(), resource.clone())));
            }
        }
    }
    found
}

/// The operator's rights in the namespace beyond those of anybody who signed in.
async fn own_rights(control_plane: &ControlPlane, namespace: &str) -> BTreeSet<Right> {
    let mut config = control_plane.admin_config().await.unwrap();
    config.auth_info = AuthInfo {
        impersonate: Some("nobody".into()),
        impersonate_groups: Some(vec!["system:authenticated".into()]),
        ..config.auth_info
    };
    let everybody = granted(Client::try_from(config).unwrap(), namespace).await;
    granted(operator(control_plane).await, namespace).await.difference(&everybody).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_are_these_and_no_others() {
    let control_plane = shared().await;
    let served = rights(SERVED.iter().chain([&ALL_LABELS]));
    assert_eq!(own_rights(&control_plane, "default").await, served);
    let home = rights(SERVED.iter().chain([&ALL_LABELS, &LEASE]));
    assert_eq!(own_rights(&control_plane, RELEASE).await, home);
}

async fn may(client: &Client, namespace: Option<&str>, verb: &str, group: &str, resource: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').map_or((resource, None), |(one, two)| (one, Some(two)));
    let attributes = ResourceAttributes {
        namespace: namespace.map(str::to_owned),
        verb: Some(verb.to_owned()),
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource: subresource.map(str::to_owned),
        ..ResourceAttributes::default()
    };
    let spec =
        SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..SelfSubjectAccessReviewSpec::default() };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    Api::all(client.clone()).create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_dangerous_is_refused() {
    let client = operator(&*shared().await).await;
    let ours = "ado.testops.dev";
    let refused: [(&str, &str, &[&str]); 18] = [
        (ours, "adointegrations", &["create", "update", "delete", "deletecollection"]),
        (ours, "adoprojectconfigs", &["create", "update", "patch", "delete", "deletecollection"]),
        (ours, "adointegrations/status", &["update"]),
        (ours, "adoprojectconfigs/status", &["update"]),
        (ours, "*", &["*"]),
        ("", "secrets", &["create", "update", "patch", "delete"]),
        ("", "configmaps", &["create", "update", "patch", "delete"]),
        ("", "namespaces", &["create", "update", "patch", "delete"]),
        ("", "serviceaccounts", &["impersonate", "get"]),
        ("", "serviceaccounts/token", &["create"]),
        ("", "users", &["impersonate"]),
        ("", "groups", &["impersonate"]),
        ("", "pods", &["create", "get", "list"]),
        ("", "pods/exec", &["create", "get"]),
        ("", "nodes", &["get", "list"]),
        ("events.k8s.io", "events", &["get", "list", "delete"]),
        ("rbac.authorization.k8s.io", "clusterroles", &["get", "create", "bind", "escalate"]),
        ("coordination.k8s.io", "leases", &["get", "create", "update", "delete"]),
    ];
    for (group, resource, verbs) in refused {
        for verb in verbs {
            let allowed = may(&client, Some("default"), verb, group, resource).await;
            assert!(!allowed, "{verb} {resource}.{group} is allowed in a namespace");
        }
    }
    for (group, resource, verb) in [
        ("apiextensions.k8s.io", "customresourcedefinitions", "get"),
        ("apiextensions.k8s.io", "customresourcedefinitions", "delete"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies", "delete"),
        ("authentication.k8s.io", "tokenreviews", "create"),
        ("authorization.k8s.io", "subjectaccessreviews", "create"),
    ] {
        assert!(!may(&client, None, verb, group, resource).await, "{verb} {resource}.{group} is allowed");
    }
    for verb in ["delete", "list", "patch"] {
        assert!(!may(&client, Some(RELEASE), verb, "coordination.k8s.io", "leases").await, "{verb} leases");
    }
}

/// Requests of the operator.
fn requests(log: &Bookmark) -> Vec<Entry> {
    log.since().unwrap().into_iter().filter(|entry| entry.user.username == USER).collect()
}

fn assert_nothing_was_forbidden(requests: &[Entry]) {
    let forbidden: Vec<&Entry> = requests.iter().filter(|entry| entry.response_status.code == 403).collect();
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

/// The right that a request needs.
fn needed(entry: &Entry) -> Right {
    let object = &entry.object_ref;
    let resource = match object.subresource.as_str() {
        "" => object.resource.clone(),
        subresource => format!("{}/{subresource}", object.resource),
    };
    (entry.verb.clone(), object.api_group.clone(), resource)
}

/// Connects, pulls, disconnects, connects again and deletes.
async fn live(world: &World) {
    let selected = json!({"allowedNamespaces": {"from": "Selector", "selector": {"matchLabels": {"none": "yet"}}}});
    world.apply::<AdoIntegration>(world.integration("contoso", selected)).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    for (state, shown, reason) in [("Inactive", "Inactive", "Disconnected"), ("Active", "Active", "Connected")] {
        world.patch::<AdoIntegration>("contoso", json!({"spec": {"state": state}})).await;
        world.integration_is("contoso", shown, reason).await;
    }
    world.config_is("payments", "Active", "Synced").await;
    world.delete::<AdoProjectConfig>("payments").await;
    let allowed = json!({"metadata": {"annotations": {ALLOW_DELETION: "true"}}});
    world.patch::<AdoIntegration>("contoso", allowed).await;
    world.delete::<AdoIntegration>("contoso").await;
    wait::until("the integration is gone", async || {
        world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_right_to_write_is_used_and_nothing_is_forbidden() {
    let control_plane = ControlPlane::own().await;
    let log = Bookmark::now(control_plane.audit_log()).unwrap();
    let mut world = World::everywhere(Arc::clone(&control_plane)).await;
    live(&world).await;
    world.stop().await;
    let requests = requests(&log);
    assert_nothing_was_forbidden(&requests);
    let used: BTreeSet<Right> = requests.iter().filter(|entry| entry.is_write()).map(needed).collect();
    let may_write: BTreeSet<Right> = rights(SERVED.iter().chain([&ALL_LABELS, &LEASE]))
        .into_iter()
        .filter(|(verb, ..)| !["get", "list", "watch"].contains(&verb.as_str()))
        .collect();
    assert_eq!(used, may_write);
    let read: BTreeSet<String> = requests.iter().map(|entry| entry.object_ref.resource.clone()).collect();
    for (_, resource, _) in SERVED.iter().chain([&ALL_LABELS]) {
        let resource = resource.split('/').next().unwrap();
        assert!(read.contains(resource), "{resource} are never asked for");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_for_one_namespace_has_rights_there_only() {
    let control_plane = ControlPlane::own().await;
    let mut world = World::on(Arc::clone(&control_plane)).await;
    world.stop().await;
    control_plane.install_chart(&[&format!("namespaces={{{}}}", world.namespace)]).unwrap();
    let served = rights(SERVED.iter().chain([&LABELS]));
    wait::until("the roles are in force", async || {
        (own_rights(&control_plane, &world.namespace).await == served).then_some(())
    })
    .await;
    assert_eq!(own_rights(&control_plane, "default").await, BTreeSet::new());
    assert_eq!(own_rights(&control_plane, RELEASE).await, rights([&LEASE]));

    let log = Bookmark::now(control_plane.audit_log()).unwrap();
    world.start().await.unwrap();
    live(&world).await;
    assert_nothing_was_forbidden(&requests(&log));
}

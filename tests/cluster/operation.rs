//! The operator as a program in a cluster: leadership, health, and the CLI beside it.

use std::process::{Command, Stdio};

use ado_operator::api::AdoIntegration;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use support::clock::ManualClock;
use support::control_plane::{ControlPlane, RELEASE};
use support::operator::Operator;
use support::wait;
use support::world::World;

fn leases(world: &World) -> Api<Lease> {
    Api::namespaced(world.client.clone(), RELEASE)
}

async fn holder(world: &World, lease: &str) -> Option<String> {
    leases(world).get_opt(lease).await.unwrap()?.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

async fn text(operator: &Operator, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{}{path}", operator.metrics)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A second replica with a database of its own.
async fn second(world: &World, data: &std::path::Path) -> Operator {
    let flags = ["--lease-name", &world.namespace, "--identity", "second"].map(str::to_owned);
    let clock = std::sync::Arc::<ManualClock>::default();
    let served = [world.namespace.clone()];
    Operator::start(&world.control_plane, &clock, data, &served, &flags).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_replica_waits_and_leads_when_the_first_ends() {
    let mut world = World::new().await;
    let lease = world.namespace.clone();
    wait::until("the first to lead", async || (holder(&world, &lease).await? == lease).then_some(())).await;
    let data = tempfile::tempdir().unwrap();
    let second = second(&world, data.path()).await;
    wait::until("the second to serve", async || text(&second, "/healthz").await.1.eq("ok").then_some(())).await;
    assert!(!text(&second, "/metrics").await.1.contains("\nado_operator_leader 1\n"));
    assert_eq!(holder(&world, &lease).await.as_deref(), Some(lease.as_str()));
    world.stop().await;
    wait::until("the second to lead", async || (holder(&world, &lease).await? == "second").then_some(())).await;
    wait::until("its metric", async || {
        text(&second, "/metrics").await.1.contains("\nado_operator_leader 1\n").then_some(())
    })
    .await;
    let transitions = leases(&world).get(&lease).await.unwrap().spec.unwrap().lease_transitions.unwrap();
    assert!(transitions > 0, "a new term has a higher epoch");
    second.stop().await;
    assert_eq!(holder(&world, &lease).await, None, "the Lease is handed back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_loses_its_lease_stops() {
    let world = World::new().await;
    let lease = world.namespace.clone();
    wait::until("it to lead", async || (holder(&world, &lease).await? == lease).then_some(())).await;
    let stolen = json!({"spec": {"holderIdentity": "somebody else"}});
    leases(&world).patch(&lease, &PatchParams::default(), &Patch::Merge(stolen)).await.unwrap();
    let operator = world.operator.as_ref().unwrap();
    wait::until("it to end", async || {
        reqwest::get(format!("http://{}/healthz", operator.metrics)).await.is_err().then_some(())
    })
    .await;
    assert_eq!(holder(&world, &lease).await.as_deref(), Some("somebody else"), "what was lost is not taken back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_names_what_is_missing() {
    let without = ["crds.install=false", "deletionPolicy.install=false"];
    let plane = tokio::task::spawn_blocking(move || ControlPlane::with_chart(&without)).await.unwrap().unwrap();
    let data = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::<ManualClock>::default();
    let operator = Operator::start(&plane, &clock, data.path(), &[], &[]).await.unwrap();
    wait::until("the store", async || {
        let (status, body) = text(&operator, "/readyz").await;
        let body: Value = serde_json::from_str(&body).ok()?;
        (status == 503 && body["waitingFor"] == json!(["AdoIntegrations", "AdoProjectConfigs"])).then_some(())
    })
    .await;
    assert_eq!(text(&operator, "/healthz").await, (200, "ok".to_owned()), "a missing CRD is no crash");
    let crds = support::root().join("crds");
    let (done, _, problem) = plane.kubectl(&["apply", "--server-side", "-f", &crds.to_string_lossy()], "").unwrap();
    assert!(done, "{problem}");
    wait::until("readiness", async || (text(&operator, "/readyz").await.0 == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_can_be_tested_before_anything_is_applied() {
    let world = World::new().await;
    let mut manifest = world.integration("contoso", json!({}));
    manifest["apiVersion"] = "ado.testops.dev/v1alpha1".into();
    manifest["kind"] = "AdoIntegration".into();
    manifest["metadata"]["namespace"] = world.namespace.clone().into();
    let file = world.data().join("x.yaml");
    std::fs::write(&file, serde_yaml_ng::to_string(&manifest).unwrap()).unwrap();
    let host = format!("localhost:{}", world.ado.address().port());
    let run = |label: &str| {
        let token = world.pat(label);
        let file = file.clone();
        let (kubeconfig, host) = (world.control_plane.kubeconfig().clone(), host.clone());
        tokio::task::spawn_blocking(move || {
            let done = Command::new(env!("CARGO_BIN_EXE_kubectl-ado"))
                .env("KUBECONFIG", kubeconfig)
                .args(["test-connection", "--allowed-host", &host, "-f"])
                .arg(file)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let output = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
            assert!(!output.contains(&token), "no token in the output");
            (done.status.code(), output)
        })
    };
    let (code, output) = run("full").await.unwrap();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("Work Items: Read"), "the permission table: {output}");
    world.put_token(&world.pat("expired")).await;
    let (code, output) = run("expired").await.unwrap();
    assert_eq!(code, Some(2), "{output}");
    assert!(world.api::<AdoIntegration>().get_opt("contoso").await.unwrap().is_none(), "nothing was applied");
}

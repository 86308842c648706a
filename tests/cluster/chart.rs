//! What the chart renders: the apiserver accepts it, the operator knows every setting in it, and the documentation
//! knows every setting and every metric of the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_operator::config::Config;
use clap::{CommandFactory as _, Parser as _};
use k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde::Deserialize as _;
use serde_json::{Value, json};
use support::control_plane::{ControlPlane, RELEASE};
use support::wait;
use support::world::World;

async fn shared() -> Arc<ControlPlane> {
    tokio::task::spawn_blocking(ControlPlane::shared).await.unwrap().unwrap()
}

fn chart() -> PathBuf {
    support::root().join("charts/ado-operator")
}

/// The sets of values that `make test` also lints.
fn value_sets() -> Vec<PathBuf> {
    let files: Vec<PathBuf> = fs::read_dir(chart().join("ci")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 6, "{files:?}");
    files
}

/// What Helm renders of the chart for that namespace.
fn rendered(control_plane: &ControlPlane, namespace: &str, more: &[&str]) -> String {
    let mut helm = control_plane.command("helm");
    helm.args(["template", RELEASE]).arg(chart()).args(["--namespace", namespace]).args(more);
    let done = helm.output().unwrap();
    assert!(done.status.success(), "{more:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn objects(text: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    documents.filter(|document| !document.is_null()).collect()
}

fn find<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

async fn make_namespace(control_plane: &ControlPlane, name: &str, labels: Value) {
    let namespaces: Api<Namespace> = Api::all(control_plane.admin().await.unwrap());
    let metadata = json!({"name": name, "labels": labels});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
    namespaces.patch(name, &PatchParams::apply("chart-tests"), &Patch::Apply(namespace)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_apiserver_accepts_what_every_set_of_values_renders() {
    let control_plane = shared().await;
    for name in ["chart-sets", "team-a", "team-b"] {
        make_namespace(&control_plane, name, json!({})).await;
    }
    let mut kinds = BTreeSet::new();
    for file in value_sets() {
        let text = rendered(&control_plane, "chart-sets", &["--values", &file.to_string_lossy()]);
        let found = objects(&text);
        kinds.extend(found.iter().map(|object| object["kind"].as_str().unwrap().to_owned()));
        let apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
        let (done, output, refusal) = control_plane.kubectl(&apply, &text).unwrap();
        assert!(done, "{}: {refusal}", file.display());
        assert_eq!(refusal, "", "{} is accepted with a warning", file.display());
        assert_eq!(output.lines().count(), found.len(), "{}: {output}", file.display());
    }
    for kind in ["PersistentVolumeClaim", "NetworkPolicy", "Role", "ClusterRole", "ValidatingAdmissionPolicy"] {
        assert!(kinds.contains(kind), "no set of values renders a {kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_mean_nothing_are_refused_with_their_name_before_anything_is_rendered() {
    let control_plane = shared().await;
    for (value, names) in [
        ("concurency=8", "concurency"),
        ("persistence.sise=1Gi", "sise"),
        ("concurrency=many", "concurrency"),
        ("namespaces=testops", "namespaces"),
        ("persistence.enabled=7", "enabled"),
        ("concurrency=0", "concurrency"),
        ("concurrency=257", "concurrency"),
        // Less than the service may take for a request under load.
        ("requestDeadlineSeconds=5", "requestDeadlineSeconds"),
    ] {
        let mut helm = control_plane.command("helm");
        let done = helm.args(["template", RELEASE]).arg(chart()).args(["--set", value]).output().unwrap();
        let refusal = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && done.stdout.is_empty(), "{value} was rendered");
        assert!(refusal.contains("schema") && refusal.contains(names), "{value}: {refusal}");
    }
    rendered(&control_plane, RELEASE, &["--set", "concurrency=256,requestDeadlineSeconds=100"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_lies_on_the_claim_that_the_values_name() {
    let control_plane = shared().await;
    let own = objects(&rendered(&control_plane, RELEASE, &["--set", "persistence.size=3Gi"]));
    let claim = find(&own, "PersistentVolumeClaim").unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "3Gi");
    assert_eq!(volume(&own)["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"]);
    let given = objects(&rendered(&control_plane, RELEASE, &["--set", "persistence.existingClaim=given"]));
    assert!(find(&given, "PersistentVolumeClaim").is_none());
    assert_eq!(volume(&given)["persistentVolumeClaim"]["claimName"], "given");
}

fn pod_spec(objects: &[Value]) -> &Value {
    &find(objects, "Deployment").unwrap()["spec"]["template"]["spec"]
}

fn volume(objects: &[Value]) -> &Value {
    let volumes = pod_spec(objects)["volumes"].as_array().unwrap();
    volumes.iter().find(|volume| volume["name"] == "data").unwrap()
}

/// The operator's flags by the variables that set them.
fn flags_by_variable() -> BTreeMap<String, String> {
    let command = Config::command();
    let pair = |flag: &clap::Arg| Some((flag.get_env()?.to_str()?.to_owned(), flag.get_long()?.to_owned()));
    command.get_arguments().filter_map(pair).collect()
}

/// The container's settings as a command line: its arguments, and each variable as the flag that it sets.
fn command_line(objects: &[Value], foreign: &[&str]) -> Vec<String> {
    let flags = flags_by_variable();
    let container = &pod_spec(objects)["containers"][0];
    let mut line = vec!["ado-operator".to_owned()];
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        if foreign.contains(&name) {
            continue;
        }
        let flag = flags.get(name).unwrap_or_else(|| panic!("the operator reads no variable {name}"));
        // What the kubelet fills in is some name.
        let value = variable["value"].as_str().unwrap_or("from-the-pod");
        line.push(format!("--{flag}={value}"));
    }
    line.extend(container["args"].as_array().into_iter().flatten().map(|flag| flag.as_str().unwrap().to_owned()));
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_takes_every_setting_of_the_deployment() {
    let control_plane = shared().await;
    for file in value_sets() {
        let found = objects(&rendered(&control_plane, RELEASE, &["--values", &file.to_string_lossy()]));
        let line = command_line(&found, &["RUST_BACKTRACE"]);
        Config::try_parse_from(&line).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let set = ["--set", "namespaces={a,b}", "--set", "allowedHosts={ado.example.com}", "--set", "concurrency=7"];
    let found = objects(&rendered(&control_plane, RELEASE, &set));
    let config = Config::try_parse_from(command_line(&found, &[])).unwrap();
    assert_eq!(config.namespaces, ["a", "b"]);
    assert_eq!((config.allowed_hosts.len(), config.concurrency), (1, 7));
    let mounts = &pod_spec(&found)["containers"][0]["volumeMounts"];
    assert_eq!(mounts[0]["mountPath"].as_str(), config.data_dir.to_str(), "the store lies on the volume");
    let port = &pod_spec(&found)["containers"][0]["ports"][0]["containerPort"];
    assert_eq!(port.as_u64(), Some(config.metrics_address.port().into()));
}

#[test]
fn the_documentation_names_the_operators_variables_and_no_others() {
    let known: BTreeSet<String> = flags_by_variable().into_keys().collect();
    let read = |file: &str| fs::read_to_string(support::root().join(file)).unwrap();
    let operations = read("docs/operations.md");
    for name in &known {
        assert!(operations.contains(&format!("`{name}`")), "docs/operations.md does not name {name}");
    }
    for file in ["docs/operations.md", "README.md", "charts/ado-operator/README.md", "charts/ado-operator/values.yaml"]
    {
        let text = read(file);
        let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
        let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with("ADO_OPERATOR_"));
        let unknown: Vec<&str> = words.filter(|word| !known.contains(*word)).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}, which the operator does not read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restricted_pod_security_admits_the_pod() {
    let control_plane = shared().await;
    let namespace = "chart-restricted";
    make_namespace(&control_plane, namespace, json!({"pod-security.kubernetes.io/enforce": "restricted"})).await;
    let found = objects(&rendered(&control_plane, namespace, &[]));
    let client = control_plane.admin().await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let account = serde_json::from_value(find(&found, "ServiceAccount").unwrap().clone()).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();

    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let mut pod = json!({"metadata": {"name": "operator"}, "spec": pod_spec(&found)});
    pods.create(&dry_run, &serde_json::from_value(pod.clone()).unwrap()).await.unwrap();
    pod["spec"]["containers"][0]["securityContext"]["capabilities"] = Value::Null;
    let refused = pods.create(&dry_run, &serde_json::from_value(pod).unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("violates PodSecurity"), "the namespace checks: {refused}");
}

/// Name and labels of the rows in a metrics text, without those that belong to the form of a histogram.
fn metrics(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let labels = labels.trim_end_matches('}').split(',').filter_map(|label| Some(label.split_once('=')?.0));
        found.entry(name.to_owned()).or_default().extend(labels.filter(|label| *label != "le").map(str::to_owned));
    }
    found
}

/// The metrics of the table in `docs/operations.md` with their labels.
fn documented_metrics() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(support::root().join("docs/operations.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `ado_operator_"));
    let each = rows.map(|row| {
        let (name, rest) = row.split_once('`').unwrap();
        let labels = rest.split('|').nth(1).unwrap_or_default();
        // After a colon come the values of the label before it.
        let labels = labels.split(':').next().unwrap_or_default();
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (format!("ado_operator_{name}"), labels)
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_names_the_operators_metrics_and_no_others() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.config_is("payments", "Active", "Synced").await;
    let address = world.operator.as_ref().unwrap().metrics;
    let documented = documented_metrics();
    // The counts of a reconcile follow its verdict.
    wait::until("all documented metrics", async || {
        let text = reqwest::get(format!("http://{address}/metrics")).await.ok()?.text().await.ok()?;
        let shown = metrics(&text);
        assert!(shown.keys().all(|name| documented.contains_key(name)), "docs/operations.md lacks one of {shown:?}");
        (shown == documented).then_some(())
    })
    .await;
}

//! What people copy, out of `samples/` and out of the documentation, is accepted by a real apiserver as it stands.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ado_operator::api::AdoProjectConfig;
use ado_simulator::Options;
use ado_simulator::control::{NewNode, NewWorkItem};
use jiff::civil::{Date, date};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde::Deserialize as _;
use serde_json::{Value, json};
use support::control_plane::ControlPlane;
use support::world::World;

use crate::configs::{active, connected};

/// A kind of Argo CD, which is not installed here.
const FOREIGN: &str = "argocd/application.yaml";

async fn shared() -> Arc<ControlPlane> {
    tokio::task::spawn_blocking(ControlPlane::shared).await.unwrap().unwrap()
}

/// Every manifest below a folder.
fn manifests(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { manifests(&path) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect()
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml_ng::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Makes the namespaces that the objects name: a dry run makes none.
async fn make_namespaces(control_plane: &ControlPlane, objects: &[Value]) {
    let namespaces: Api<Namespace> = Api::all(control_plane.admin().await.unwrap());
    for name in objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str()) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        namespaces.patch(name, &PatchParams::apply("samples"), &Patch::Apply(namespace)).await.unwrap();
    }
}

/// Has the apiserver accept every object of the text, with a field that it does not know as an error.
async fn accepted(control_plane: &ControlPlane, what: &str, text: &str) {
    let objects = documents(text);
    make_namespaces(control_plane, &objects).await;
    let apply = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
    let (done, output, refusal) = control_plane.kubectl(&apply, text).unwrap();
    assert!(done, "{what}: {refusal}");
    assert_eq!(refusal, "", "{what} is accepted with a warning");
    assert_eq!(output.lines().count(), objects.len(), "{what}: {output}");
    assert!(!objects.is_empty(), "{what} holds nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_is_accepted_as_it_stands() {
    let control_plane = shared().await;
    let folder = support::root().join("samples");
    let files = manifests(&folder);
    assert!(files.contains(&folder.join(FOREIGN)));
    for file in files.iter().filter(|file| !file.ends_with(FOREIGN)) {
        accepted(&control_plane, &file.display().to_string(), &fs::read_to_string(file).unwrap()).await;
    }
}

/// The kind itself is Argo CD's to judge; what the Application says of this folder is ours.
#[test]
fn the_application_serves_the_namespace_of_the_manifests_beside_it() {
    let folder = support::root().join("samples");
    let application = documents(&fs::read_to_string(folder.join(FOREIGN)).unwrap()).remove(0);
    let path = application["spec"]["source"]["path"].as_str().unwrap();
    let beside = manifests(&folder.join("argocd").join(path));
    assert!(!beside.is_empty());
    for object in beside.iter().flat_map(|file| documents(&fs::read_to_string(file).unwrap())) {
        assert_eq!(object["metadata"]["namespace"], application["spec"]["destination"]["namespace"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifests_in_the_documentation_are_accepted() {
    let control_plane = shared().await;
    let text = resources();
    let blocks = blocks(&text, "yaml");
    assert_eq!(blocks.len(), 3, "one of each kind, and the worked example");
    for block in blocks {
        accepted(&control_plane, "docs/resources.md", block).await;
    }
}

fn resources() -> String {
    fs::read_to_string(support::root().join("docs/resources.md")).unwrap()
}

/// What stands between fences that name a language, or name none.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fenced = text.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// First and last day of an iteration, if it has them.
type Days = Option<(Date, Date)>;

/// The iterations of the worked example: their parents, names and days.
const EXAMPLE_TREE: [(&str, &str, Days); 7] = [
    ("Payments", "2026", None),
    (r"Payments\2026", "R1", Some((date(2026, 1, 1), date(2026, 3, 31)))),
    (r"Payments\2026\R1", "Sprint 1", Some((date(2026, 1, 1), date(2026, 1, 31)))),
    (r"Payments\2026\R1", "Sprint 2", Some((date(2026, 2, 1), date(2026, 2, 28)))),
    (r"Payments\2026", "R2", Some((date(2026, 4, 1), date(2026, 6, 30)))),
    (r"Payments\2026\R2", "Sprint 1", Some((date(2026, 4, 1), date(2026, 4, 30)))),
    ("Payments", "Ideas", None),
];

/// The work items of the worked example: type, iteration, state, priority.
const EXAMPLE_ITEMS: [(&str, &str, &str, u8); 5] = [
    ("Feature", r"Payments\2026\R1", "Resolved", 1),
    ("User Story", r"Payments\2026\R1\Sprint 2", "Resolved", 2),
    ("User Story", r"Payments\Ideas", "Removed", 4),
    ("Bug", r"Payments\2026\R2\Sprint 1", "Active", 2),
    ("Task", r"Payments\2026\R1\Sprint 1", "New", 2),
];

fn make_example(world: &World) {
    for (parent, name, days) in EXAMPLE_TREE {
        let (project, parent, name) = ("Payments".into(), Some(parent.into()), name.into());
        let (start, finish) = (days.map(|days| days.0), days.map(|days| days.1));
        world.ado.add_node(&NewNode { project, parent, name, start, finish, ..NewNode::default() }).unwrap();
    }
    for (kind, iteration, state, priority) in EXAMPLE_ITEMS {
        let fields = json!({
            "System.Title": kind,
            "System.IterationPath": iteration,
            "System.State": state,
            "Microsoft.VSTS.Common.Priority": priority,
        });
        let fields = serde_json::from_value(fields).unwrap();
        let (project, kind) = ("Payments".into(), kind.into());
        world.ado.create_work_item(&NewWorkItem { project, kind, fields, ..NewWorkItem::default() }).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worked_example_comes_to_what_the_documentation_says() {
    let text = resources();
    let example = &text[text.find("### A worked example").unwrap()..];
    let spec = documents(blocks(example, "yaml")[0]).remove(0)["spec"].take();
    let said = documents(blocks(example, "").iter().find(|block| block.starts_with("counts:")).unwrap()).remove(0);
    let world = connected(Options { items: 0, ..Options::default() }).await;
    make_example(&world);
    world.apply::<AdoProjectConfig>(json!({"metadata": {"name": "payments"}, "spec": spec})).await;
    let status = serde_json::to_value(active(&world).await.status).unwrap();
    for (field, value) in said.as_object().unwrap() {
        assert_eq!(status[field], *value, "{field}");
    }
}

//! What people copy, out of `samples/` and out of the documentation, is accepted by a real apiserver as it stands.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde::Deserialize as _;
use serde_json::{Value, json};
use support::control_plane::ControlPlane;

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
    let text = fs::read_to_string(support::root().join("docs/resources.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert_eq!(blocks.len(), 2, "one of each kind");
    for block in blocks {
        accepted(&control_plane, "docs/resources.md", block).await;
    }
}

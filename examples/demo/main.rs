//! `make demo`: a real kube-apiserver, the operator and Azure DevOps (simulated, or yours), with the manifests of
//! `samples/` applied to them. Beside them stands a project config with a mistake, so that its message can be seen.
//!
//! With `--check` it verifies the outcome and ends. With `ADO_ORG_URL` and `ADO_PAT` in the environment it talks to that
//! organization instead of the simulator; with `ADO_CA_FILE` too, it trusts the private CA in that file.

mod organization;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use ado_operator::ado::model::ClassificationNode;
use ado_operator::api::{AdoIntegration, AdoProjectConfig, Counts, IterationSource, SourceKind};
use ado_operator::config::LogFormat;
use ado_simulator::Simulator;
use kube::Api;
use serde::Deserialize as _;
use serde_json::{Value, json};
use support::clock::ManualClock;
use support::control_plane::ControlPlane;
use support::operator::Operator;
use support::wait;
use support::world::{condition, message, shows};

use crate::organization::Organization;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Namespace of the samples.
const NAMESPACE: &str = "testops";

/// Name of the ConfigMap with the private CA.
const CA: &str = "organization-ca";

/// The project config with the mistake.
const MISSPELLED: &str = "misspelled";

/// The field with the mistake.
const MISSPELLED_FIELD: &str = "spec.pullRequirements.workItemTypes";

/// What is applied, relative to the root of the tree.
const FILES: [&str; 5] = [
    "samples/1-namespace.yaml",
    "samples/2-secret.yaml",
    "samples/3-integration.yaml",
    "samples/4-project-configs.yaml",
    "examples/demo/misspelled.yaml",
];

/// What the mapping came to, by kubectl's columns.
const COLUMNS: &str = "custom-columns=NAME:.metadata.name,STATE:.status.state,PROCESS:.status.project.process,\
    RELEASES:.status.counts.releases,SPRINTS:.status.counts.sprints,REQUIREMENTS:.status.counts.requirements,\
    BUGS:.status.counts.bugs,TYPES:.status.effective.requirementTypes";

#[tokio::main]
async fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match run(check).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(check: bool) -> Outcome<()> {
    support::install_crypto();
    ado_operator::telemetry::start("warn,ado_operator=info", LogFormat::Text)?;
    let started = Instant::now();
    let organization = Organization::find().await?;
    println!("Azure DevOps: {}", organization.describe());
    println!("Starting a control plane and installing the chart …");
    let control_plane = tokio::task::spawn_blocking(ControlPlane::shared).await??;
    println!("Kubernetes {} is up ({:.1} s).", control_plane.version(), started.elapsed().as_secs_f64());
    let data = tempfile::tempdir()?;
    let clock = Arc::<ManualClock>::default();
    let operator = Operator::start(&control_plane, &clock, data.path(), &[], &organization.flags()).await?;
    println!("The operator runs; metrics and health: http://{}", operator.metrics);
    println!("Applying samples/, and beside them a config with a mistake …");
    apply(&control_plane, &organization).await?;
    let result = settle(&control_plane, &organization).await;
    show(&control_plane)?;
    result?;
    println!("\nFrom nothing to synced in {:.1} s.", started.elapsed().as_secs_f64());
    if check {
        println!("Checked: {}.", organization.checked());
    } else {
        advise(&control_plane, &organization);
        tokio::signal::ctrl_c().await?;
        println!("\nStopping …");
    }
    operator.stop().await;
    Ok(())
}

/// Applies the samples as `kubectl apply` does.
async fn apply(control_plane: &Arc<ControlPlane>, organization: &Organization) -> Outcome<()> {
    let mut objects = Vec::new();
    for file in FILES {
        let text = std::fs::read_to_string(support::root().join(file))?;
        for (index, document) in serde_yaml_ng::Deserializer::from_str(&text).enumerate() {
            let mut object = Value::deserialize(document)?;
            organization.adapt(&mut object, index)?;
            objects.push(object);
        }
    }
    if let Some(pem) = organization.ca() {
        let metadata = json!({"name": CA, "namespace": NAMESPACE});
        objects.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": pem}}));
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    let plane = Arc::clone(control_plane);
    let applied = tokio::task::spawn_blocking(move || plane.kubectl(&["apply", "-f", "-"], &list)).await??;
    let (done, output, problem) = applied;
    print!("{output}");
    if done { Ok(()) } else { Err(problem.into()) }
}

/// Waits for the outcome and compares it with what Azure DevOps has.
async fn settle(control_plane: &ControlPlane, organization: &Organization) -> Outcome<()> {
    let client = control_plane.admin().await?;
    let integrations: Api<AdoIntegration> = Api::namespaced(client.clone(), NAMESPACE);
    let configs: Api<AdoProjectConfig> = Api::namespaced(client, NAMESPACE);
    let connected = |found: &AdoIntegration| shows(found, "Active", "Connected");
    wait::object(&integrations, "contoso", "Active", connected).await;
    for name in ["payments", "web-shop"] {
        let settled = |found: &AdoProjectConfig| shows(found, "Active", "Synced") || is_stalled(found);
        let found = wait::object(&configs, name, "settled", settled).await;
        if is_stalled(&found) {
            return Err(format!("{name} is stuck: {}", message(&found)).into());
        }
        if let Organization::Simulated(ado) = organization {
            compare(ado, &found).await?;
        }
    }
    let found = wait::object(&configs, MISSPELLED, "settled", is_stalled).await;
    let named = shows(&found, "Error", "InvalidMapping") && message(&found).starts_with(MISSPELLED_FIELD);
    if named { Ok(()) } else { Err(format!("{MISSPELLED} does not name its mistake: {}", message(&found)).into()) }
}

fn is_stalled(config: &AdoProjectConfig) -> bool {
    let value = serde_json::to_value(config).unwrap_or_default();
    condition(&value, "Stalled").is_some()
}

/// The counts in the status are those of the simulator's own books.
async fn compare(ado: &Simulator, config: &AdoProjectConfig) -> Outcome<()> {
    let status = config.status.clone().unwrap_or_default();
    let (counts, types) = (status.counts.unwrap_or_default(), status.effective.unwrap_or_default());
    let books = ado.project(&config.spec.project)?;
    let of_types = |types: &[String]| -> Outcome<i64> {
        Ok(types.iter().filter_map(|name| books.work_items.get(name)).sum::<u64>().try_into()?)
    };
    let tree = organization::iterations(ado, books.id).await?;
    let sources = config.spec.iteration_mapping.clone().unwrap_or_default();
    let expected = Counts {
        releases: chosen(sources.release.as_ref(), &tree)?,
        sprints: chosen(sources.sprint.as_ref(), &tree)?,
        requirements: of_types(&types.requirement_types)?,
        bugs: of_types(&types.bug_types)?,
    };
    if counts == expected && expected.requirements > 0 && expected.bugs > 0 && expected.sprints > 0 {
        return Ok(());
    }
    Err(format!("{}: status says {counts:?}, Azure DevOps has {expected:?}", config.spec.project).into())
}

/// Number of iterations that a source of the samples chooses.
fn chosen(source: Option<&IterationSource>, tree: &ClassificationNode) -> Outcome<i64> {
    match source.map(|source| (source.from, source.depth)) {
        Some((SourceKind::None, None)) => Ok(0),
        Some((SourceKind::Depth, Some(depth))) => Ok(at_depth(tree, depth).try_into()?),
        other => Err(format!("the demo counts by depth only, and a sample has {other:?}").into()),
    }
}

fn at_depth(node: &ClassificationNode, depth: i32) -> usize {
    if depth == 0 { 1 } else { node.children.iter().map(|child| at_depth(child, depth - 1)).sum() }
}

/// The objects as kubectl shows them.
fn show(control_plane: &ControlPlane) -> Outcome<()> {
    kubectl(control_plane, &["get", "adointegrations", "-n", NAMESPACE, "-o", "wide"])?;
    kubectl(control_plane, &["get", "adoprojectconfigs", "-n", NAMESPACE])?;
    println!("\nWhat the mapping came to:");
    kubectl(control_plane, &["get", "adoprojectconfigs", "-n", NAMESPACE, "-o", COLUMNS])?;
    println!("\nWhat is wrong with {MISSPELLED}:");
    let ready = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
    kubectl(control_plane, &["get", "adoprojectconfig", MISSPELLED, "-n", NAMESPACE, "-o", ready])
}

/// Shows a command and what it says.
fn kubectl(control_plane: &ControlPlane, arguments: &[&str]) -> Outcome<()> {
    let (_, output, problem) = control_plane.kubectl(arguments, "")?;
    let quoted: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
    println!("\n$ kubectl {}\n{}", quoted.join(" "), [output, problem].concat().trim_end());
    Ok(())
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    if argument.contains(['(', '"', '*']) { format!("'{argument}'") } else { argument.to_owned() }
}

fn advise(control_plane: &ControlPlane, organization: &Organization) {
    println!("\nTry next, in another shell:");
    println!("  export KUBECONFIG={}", control_plane.kubeconfig().display());
    println!("  export PATH={}:$PATH", control_plane.programs().display());
    println!("  kubectl -n {NAMESPACE} describe adointegration contoso");
    println!(
        "  kubectl -n {NAMESPACE} get adoprojectconfig payments -o yaml        # tiers, counts, what was filled in"
    );
    println!(
        "  kubectl -n {NAMESPACE} patch adointegration contoso --type merge -p '{{\"spec\":{{\"state\":\"Inactive\"}}}}'"
    );
    println!(
        "  kubectl -n {NAMESPACE} patch adointegration contoso --type merge -p '{{\"spec\":{{\"state\":\"Active\"}}}}'"
    );
    println!("  kubectl -n {NAMESPACE} delete adointegration contoso        # refused: disconnect instead");
    if let Organization::Simulated(ado) = organization {
        println!(
            "  kubectl -n {NAMESPACE} patch adoprojectconfig {MISSPELLED} --type merge -p '{{\"spec\":{{\"pullRequirements\":{{\"workItemTypes\":[\"User Story\"]}}}}}}'   # mended"
        );
        println!(
            "  kubectl -n {NAMESPACE} patch secret contoso-pat -p '{{\"stringData\":{{\"token\":\"wrong\"}}}}'   # an Error within seconds"
        );
        println!(
            "  curl -sk https://localhost:{}/_simulator/pats       # good tokens, and bad ones",
            ado.address().port()
        );
        println!(
            "  curl -sk https://localhost:{}/_simulator/requests   # what the operator asked",
            ado.address().port()
        );
    }
    println!(
        "\nThe operator runs in this process, so the chart's pod has nothing to do and stays Pending: there are no nodes."
    );
    println!("Ctrl-C ends everything.");
}

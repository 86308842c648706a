//! `make demo`: a real kube-apiserver, the operator and Azure DevOps (simulated, or yours), with the manifests of
//! `samples/` applied to them.
//!
//! With `--check` it verifies the outcome and ends. With `ADO_ORG_URL` and `ADO_PAT` in the environment it talks to that
//! organization instead of the simulator; with `ADO_CA_FILE` too, it trusts the private CA in that file.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use ado_operator::ado::model::Project;
use ado_operator::ado::{
    AdoClient, Budgets, CaBundle, HostPolicy, Limits, OrganizationUrl, Pat, Transport, TransportConfig,
};
use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_operator::config::LogFormat;
use ado_simulator::{Options, Simulator};
use kube::Api;
use serde::Deserialize as _;
use serde_json::{Value, json};
use support::clock::ManualClock;
use support::control_plane::ControlPlane;
use support::operator::Operator;
use support::wait;
use support::world::{condition, shows};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Namespace of the samples.
const NAMESPACE: &str = "testops";

/// Name of the ConfigMap with the private CA.
const CA: &str = "organization-ca";

/// Work items of the simulator.
const ITEMS: u32 = 1000;

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
    println!("Applying samples/ …");
    apply(&control_plane, &organization).await?;
    let result = settle(&control_plane, &organization).await;
    show(&control_plane)?;
    result?;
    println!("From nothing to synced in {:.1} s.", started.elapsed().as_secs_f64());
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

/// Where the demonstration gets its work items.
enum Organization {
    Simulated(Box<Simulator>),
    Real(Real),
}

/// An organization that somebody named.
struct Real {
    url: OrganizationUrl,
    token: String,
    /// Certificates of its private CA, in PEM.
    ca: Option<String>,
    projects: Vec<String>,
}

impl Real {
    async fn find(url: &str, token: String) -> Outcome<Self> {
        let url = OrganizationUrl::parse(url)?;
        let ca = std::env::var_os("ADO_CA_FILE").map(std::fs::read_to_string).transpose()?;
        let bundle = ca.as_deref().map(|pem| CaBundle::parse(pem.as_bytes())).transpose()?;
        let policy =
            HostPolicy::new(Self::allowed_host(&url).iter().map(|host| host.parse()).collect::<Result<_, _>>()?);
        let http =
            Transport::new(TransportConfig { policy, ..TransportConfig::default() }).http(bundle.as_ref(), None)?;
        let pat = Pat::from_bytes(token.as_bytes())?;
        let budget = Budgets::new().of_credential(&url, &pat.fingerprint());
        let client = AdoClient::new(http, url.clone(), pat, budget, Limits::default())?;
        client.connection_data().await?;
        let projects: Vec<Project> = client.projects().await?;
        let projects = projects.into_iter().map(|project| project.name).collect();
        Ok(Self { url, token, ca, projects })
    }

    /// A server outside of the cloud has to be allowed; whoever names it here allows it.
    fn allowed_host(url: &OrganizationUrl) -> Option<String> {
        (!url.is_cloud()).then(|| format!("{}:{}", url.host(), url.port()))
    }
}

impl Organization {
    async fn find() -> Outcome<Self> {
        match (std::env::var("ADO_ORG_URL"), std::env::var("ADO_PAT")) {
            (Ok(url), Ok(token)) => Ok(Self::Real(Real::find(&url, token).await?)),
            (Err(_), Err(_)) => {
                let options = Options { items: ITEMS, ..Options::default() };
                Ok(Self::Simulated(Box::new(Simulator::start(options).await?)))
            }
            (Ok(_), Err(_)) => Err("ADO_ORG_URL is set and ADO_PAT is not: set both, or none for the simulator".into()),
            (Err(_), Ok(_)) => Err("ADO_PAT is set and ADO_ORG_URL is not: set both, or none for the simulator".into()),
        }
    }

    /// What was verified at the end.
    fn checked(&self) -> &'static str {
        match self {
            Self::Simulated(_) => "the integration is Active and the counts are those of Azure DevOps",
            Self::Real(_) => "the integration is Active and the projects are synced",
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Simulated(ado) => format!("simulated at {} with {ITEMS} work items", ado.url()),
            Self::Real(Real { url, projects, .. }) => format!("{url}, {} readable projects", projects.len()),
        }
    }

    fn flags(&self) -> Vec<String> {
        let host = match self {
            Self::Simulated(ado) => Some(format!("localhost:{}", ado.address().port())),
            Self::Real(real) => Real::allowed_host(&real.url),
        };
        host.into_iter().flat_map(|host| ["--allowed-host".to_owned(), host]).collect()
    }

    /// Certificates of its private CA.
    fn ca(&self) -> Option<&str> {
        match self {
            Self::Simulated(ado) => Some(ado.ca_pem()),
            Self::Real(real) => real.ca.as_deref(),
        }
    }

    /// What differs from the files in `samples/`, as its README says.
    fn adapt(&self, object: &mut Value, index: usize) -> Outcome<()> {
        let (url, token) = match self {
            Self::Simulated(ado) => (ado.url().clone(), ado.pat("operator")?),
            Self::Real(real) => (real.url.to_string(), real.token.clone()),
        };
        match object["kind"].as_str().unwrap_or_default() {
            "Secret" => object["stringData"]["token"] = token.into(),
            "AdoIntegration" => {
                object["spec"]["organizationURL"] = url.into();
                if self.ca().is_some() {
                    object["spec"]["caBundle"] = json!({"configMapRef": {"name": CA}});
                }
            }
            "AdoProjectConfig" => {
                if let Self::Real(Real { projects, .. }) = self {
                    let project = projects.get(index % projects.len().max(1)).ok_or("the token can read no project")?;
                    object["spec"]["project"] = project.clone().into();
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Applies the samples as `kubectl apply` does.
async fn apply(control_plane: &Arc<ControlPlane>, organization: &Organization) -> Outcome<()> {
    let mut objects = Vec::new();
    for file in ["1-namespace.yaml", "2-secret.yaml", "3-integration.yaml", "4-project-configs.yaml"] {
        let text = std::fs::read_to_string(support::root().join("samples").join(file))?;
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
        if let Organization::Simulated(ado) = organization {
            compare(ado, &found)?;
        } else if is_stalled(&found) {
            return Err(format!("{name} is stuck; see its message above").into());
        }
    }
    Ok(())
}

fn is_stalled(config: &AdoProjectConfig) -> bool {
    let value = serde_json::to_value(config).unwrap_or_default();
    condition(&value, "Stalled").is_some()
}

/// The counts in the status are those of the simulator's own books.
fn compare(ado: &Simulator, config: &AdoProjectConfig) -> Outcome<()> {
    let status = config.status.clone().unwrap_or_default();
    let (counts, types) = (status.counts.unwrap_or_default(), status.effective.unwrap_or_default());
    let books = ado.project(&config.spec.project)?.work_items;
    let sum = |types: &[String]| -> usize {
        types.iter().filter_map(|name| books.get(name)).map(|count| usize::try_from(*count).unwrap_or(0)).sum()
    };
    let (requirements, bugs) = (sum(&types.requirement_types), sum(&types.bug_types));
    let told = (usize::try_from(counts.requirements)?, usize::try_from(counts.bugs)?);
    if told == (requirements, bugs) && requirements > 0 {
        return Ok(());
    }
    Err(format!("{}: status says {told:?}, Azure DevOps has {requirements} and {bugs}", config.spec.project).into())
}

/// The objects as kubectl shows them.
fn show(control_plane: &ControlPlane) -> Outcome<()> {
    for kind in ["adointegrations", "adoprojectconfigs"] {
        let (_, output, _) = control_plane.kubectl(&["get", kind, "-n", NAMESPACE, "-o", "wide"], "")?;
        println!("\n$ kubectl get {kind} -n {NAMESPACE} -o wide\n{output}");
    }
    Ok(())
}

fn advise(control_plane: &ControlPlane, organization: &Organization) {
    println!("\nTry next, in another shell:");
    println!("  export KUBECONFIG={}", control_plane.kubeconfig().display());
    println!("  export PATH={}:$PATH", control_plane.programs().display());
    println!("  kubectl -n {NAMESPACE} describe adointegration contoso");
    println!(
        "  kubectl -n {NAMESPACE} patch adointegration contoso --type merge -p '{{\"spec\":{{\"state\":\"Inactive\"}}}}'"
    );
    println!(
        "  kubectl -n {NAMESPACE} patch adointegration contoso --type merge -p '{{\"spec\":{{\"state\":\"Active\"}}}}'"
    );
    println!("  kubectl -n {NAMESPACE} delete adointegration contoso        # refused: disconnect instead");
    if let Organization::Simulated(ado) = organization {
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

//! The organization of the demonstration: the simulator, or the one that the environment names.

use ado_operator::ado::model::{ClassificationNode, Project, ProjectId};
use ado_operator::ado::{
    AdoClient, Budgets, CaBundle, HostPolicy, Limits, OrganizationUrl, Pat, Transport, TransportConfig,
};
use ado_simulator::{Options, Simulator};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{CA, MISSPELLED, Outcome};

/// Work items of the simulator.
const ITEMS: u32 = 1000;

/// Where the demonstration gets its work items.
pub enum Organization {
    Simulated(Box<Simulator>),
    Real(Real),
}

/// An organization that somebody named.
pub struct Real {
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
        let client = client(&url, &token, ca.as_deref(), Self::allowed_host(&url).as_deref())?;
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
    /// Starts the simulator, or asks the organization that the environment names for its projects.
    pub async fn find() -> Outcome<Self> {
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
    pub fn checked(&self) -> &'static str {
        match self {
            Self::Simulated(_) => {
                "the integration is Active, two configs have the counts of Azure DevOps, and the third names its mistake"
            }
            Self::Real(_) => "the integration is Active, two configs are synced, and the third names its mistake",
        }
    }

    /// What is used, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Simulated(ado) => format!("simulated at {} with {ITEMS} work items", ado.url()),
            Self::Real(Real { url, projects, .. }) => format!("{url}, {} readable projects", projects.len()),
        }
    }

    /// Flags that let the operator talk to it.
    pub fn flags(&self) -> Vec<String> {
        let host = match self {
            Self::Simulated(ado) => Some(simulated_host(ado)),
            Self::Real(real) => Real::allowed_host(&real.url),
        };
        host.into_iter().flat_map(|host| ["--allowed-host".to_owned(), host]).collect()
    }

    /// Certificates of its private CA.
    pub fn ca(&self) -> Option<&str> {
        match self {
            Self::Simulated(ado) => Some(ado.ca_pem()),
            Self::Real(real) => real.ca.as_deref(),
        }
    }

    /// What differs from the files in `samples/`, as its README says.
    pub fn adapt(&self, object: &mut Value, index: usize) -> Outcome<()> {
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
                    if object["metadata"]["name"] != MISSPELLED {
                        fit_any_process(&mut object["spec"]);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Types and values of the samples are those of Agile and Scrum; another project's process may have neither. Basic has no bug
/// category either.
fn fit_any_process(spec: &mut Value) {
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|name, _| ["integrationRef", "project"].contains(&name.as_str()));
    }
    spec["pullRequirements"] = json!({});
}

/// The host that the simulator's URLs name.
fn simulated_host(ado: &Simulator) -> String {
    format!("localhost:{}", ado.address().port())
}

/// The iterations of a project of the simulator, read beside the operator.
pub async fn iterations(ado: &Simulator, project: Uuid) -> Outcome<ClassificationNode> {
    let url = OrganizationUrl::parse(&ado.url())?;
    let client = client(&url, &ado.pat("operator")?, Some(ado.ca_pem()), Some(&simulated_host(ado)))?;
    Ok(client.iteration_tree(&ProjectId(project)).await?)
}

fn client(url: &OrganizationUrl, token: &str, ca: Option<&str>, allowed_host: Option<&str>) -> Outcome<AdoClient> {
    let bundle = ca.map(|pem| CaBundle::parse(pem.as_bytes())).transpose()?;
    let policy = HostPolicy::new(allowed_host.iter().map(|host| host.parse()).collect::<Result<_, _>>()?);
    let http = Transport::new(TransportConfig { policy, ..TransportConfig::default() }).http(bundle.as_ref(), None)?;
    let pat = Pat::from_bytes(token.as_bytes())?;
    let budget = Budgets::new().of_credential(url, &pat.fingerprint());
    Ok(AdoClient::new(http, url.clone(), pat, budget, Limits::default())?)
}

//! What all figures stand on: a control plane with the chart in it, Azure DevOps (simulated, in a process of its own),
//! and the programs under measurement.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kube::{Client, Config};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::control_plane::ControlPlane;
use tempfile::TempDir;

use crate::Outcome;

/// What all figures stand on.
pub struct Ground {
    /// The control plane, for one round alone.
    pub plane: ControlPlane,
    /// The administrator's client.
    pub admin: Client,
    /// Azure DevOps.
    pub ado: Ado,
    /// Configuration of a client with the operator's rights.
    pub operator_config: Config,
    programs: PathBuf,
    scratch: TempDir,
}

impl Ground {
    /// Starts everything.
    pub async fn new() -> Outcome<Self> {
        let programs = programs()?;
        let ado = Ado::start(&programs.join("ado-simulator"), ITEMS, None)?;
        let plane = tokio::task::spawn_blocking(|| ControlPlane::with_chart(&[])).await??;
        let admin = plane.admin().await?;
        let operator_config = plane.operator_config().await?;
        let scratch = tempfile::tempdir()?;
        let ground = Self { plane, admin, ado, operator_config, programs, scratch };
        ground.write_kubeconfig()?;
        Ok(ground)
    }

    /// The operator's program.
    pub fn operator_binary(&self) -> PathBuf {
        self.programs.join("ado-operator")
    }

    /// A kubeconfig with exactly the rights that the chart gives to the operator.
    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.scratch.path().join("operator.kubeconfig")
    }

    /// The administrator's kubeconfig with the operator's token in place of the certificate.
    fn write_kubeconfig(&self) -> Outcome<()> {
        use secrecy::ExposeSecret as _;
        let text = std::fs::read_to_string(self.plane.kubeconfig())?;
        let mut kubeconfig: Value = serde_yaml_ng::from_str(&text)?;
        let token = self.operator_config.auth_info.token.as_ref().ok_or("the ServiceAccount has no token")?;
        kubeconfig["users"][0]["user"] = json!({"token": token.expose_secret()});
        Ok(std::fs::write(self.operator_kubeconfig(), serde_json::to_vec(&kubeconfig)?)?)
    }
}

/// Work items where the figures are not about them.
const ITEMS: u32 = 1_000;

/// The folder of the built programs: this one is an example, which cargo puts into a folder below.
pub fn programs() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).ok_or("this program lies in no target folder")?;
    for name in ["ado-operator", "ado-simulator"] {
        if !folder.join(name).is_file() {
            return Err(format!("{name} is not built in {}; `make bench` builds it", folder.display()).into());
        }
    }
    Ok(folder.to_owned())
}

/// The simulator's process. It ends when its standard input closes, which happens at the latest with this process.
pub struct Ado {
    child: Child,
    ready: Ready,
    /// Certificate authority to trust, in PEM.
    pub ca: String,
    client: reqwest::Client,
}

/// What the simulator says when it is ready.
#[derive(Debug, Deserialize)]
struct Ready {
    url: String,
    ca_file: PathBuf,
    control_url: String,
}

/// A token with its label.
#[derive(Clone, Debug, Deserialize)]
pub struct Pat {
    /// Label in the simulator's journal.
    pub label: String,
    /// The token.
    pub token: String,
}

/// A request that the simulator answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Path and query as received.
    pub target: String,
    /// Route of the specification.
    pub route: String,
    /// Status of the answer.
    pub status: u16,
    /// Label of the token.
    pub pat: Option<String>,
}

impl Ado {
    /// Starts it with so many work items, all in one project or spread over all of them.
    pub fn start(program: &Path, items: u32, project: Option<&str>) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--seed", "1", "--items", &items.to_string()])
            .args(project.iter().flat_map(|project| ["--items-in", project]))
            .args(["--journal-limit", "200000", "--exit-on-stdin-eof"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let ready: Ready = serde_json::from_str(&line).map_err(|_| "the simulator did not start")?;
        let ca = std::fs::read_to_string(&ready.ca_file)?;
        let client = bare_client(&ca)?;
        Ok(Self { child, ready, ca, client })
    }

    /// URL of the organization.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// URL of the server.
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port())
    }

    /// Port on loopback.
    pub fn port(&self) -> u16 {
        url::Url::parse(&self.ready.url).ok().and_then(|url| url.port()).unwrap_or_default()
    }

    /// The simulator's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// New tokens, each of an administrator of its own.
    pub async fn create_pats(&self, label: &str, count: usize) -> Outcome<Vec<Pat>> {
        self.control("POST", "pats", Some(json!({"label": label, "count": count}))).await
    }

    /// Adds a project with some user stories and bugs.
    pub async fn add_project(&self, name: &str, items: usize) -> Outcome<()> {
        self.control::<Value>("POST", "projects", Some(json!({"name": name, "process": "Agile"}))).await?;
        for kind in ["User Story", "Bug"].iter().cycle().take(items) {
            let item = json!({"project": name, "type": kind, "fields": {"System.Title": "Nothing changes"}});
            self.control::<Value>("POST", "workitems", Some(item)).await?;
        }
        Ok(())
    }

    /// Forgets the requests so far.
    pub async fn forget(&self) -> Outcome<()> {
        self.control::<Value>("DELETE", "requests", None).await.map(drop)
    }

    /// Requests since the last time that they were forgotten.
    pub async fn requests(&self) -> Outcome<Vec<Asked>> {
        self.control("GET", "requests/log", None).await
    }

    async fn control<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<Value>) -> Outcome<T> {
        let url = format!("{}/{path}", self.ready.control_url.trim_end_matches('/'));
        let mut request = self.client.request(method.parse()?, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

impl Drop for Ado {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("the simulator did not end well: {error}");
        }
    }
}

/// An HTTP client that does nothing but send: one pool of connections, kept as long as they live.
pub fn bare_client(ca: &str) -> Outcome<reqwest::Client> {
    let ca = reqwest::Certificate::from_pem(ca.as_bytes())?;
    Ok(reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build()?)
}

//! A kube-apiserver with etcd and controller manager, one for a process, and our chart in it.

use std::io::{BufRead as _, BufReader, Error, Result};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use secrecy::SecretString;
use serde::Deserialize;

use crate::root;

/// Namespace and name of the chart's release, and of its ServiceAccount.
pub const RELEASE: &str = "ado-operator";

/// A running control plane; it ends with this process.
pub struct ControlPlane {
    // The programs end when this child's standard input closes.
    _child: Mutex<Child>,
    programs: PathBuf,
    up: Up,
}

/// What `controlplane up` says of itself.
#[derive(Clone, Debug, Deserialize)]
struct Up {
    kubeconfig: PathBuf,
    audit_log: PathBuf,
    version: String,
}

static SHARED: Mutex<Option<Arc<ControlPlane>>> = Mutex::new(None);

impl ControlPlane {
    /// The control plane of this process, with the chart installed; started at the first call. Blocks.
    pub fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*shared {
            return Ok(Arc::clone(running));
        }
        let started = Arc::new(Self::with_chart(&[])?);
        *shared = Some(Arc::clone(&started));
        Ok(started)
    }

    /// A control plane of its own with the chart, installed with these `--set` values. Blocks.
    pub fn with_chart(set: &[&str]) -> Result<Self> {
        let started = Self::start()?;
        started.install_chart(set)?;
        Ok(started)
    }

    /// A control plane with the chart for one test alone.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn own() -> Arc<Self> {
        let started = tokio::task::spawn_blocking(|| Self::with_chart(&[])).await.map_err(Error::other).flatten();
        Arc::new(started.unwrap_or_else(|error| panic!("no control plane: {error}")))
    }

    /// A control plane of its own, without the chart. Blocks for about three seconds, and for minutes where the programs
    /// have to be built first.
    pub fn start() -> Result<Self> {
        crate::install_crypto();
        let programs = programs()?;
        let mut child = Command::new(programs.join("controlplane"))
            .arg("up")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or_else(|| Error::other("no standard output"))?;
        BufReader::new(stdout).read_line(&mut line)?;
        let up = serde_json::from_str(&line).map_err(|_| Error::other("the control plane did not start"))?;
        Ok(Self { _child: Mutex::new(child), programs, up })
    }

    /// Installs or upgrades the chart as a user would, with further `--set` values. Blocks.
    pub fn install_chart(&self, set: &[&str]) -> Result<()> {
        let chart = root().join("charts/ado-operator");
        let mut helm = self.command("helm");
        helm.args(["upgrade", "--install", RELEASE]).arg(chart);
        helm.args(["--namespace", RELEASE, "--create-namespace", "--set", "persistence.enabled=false"]);
        for value in set {
            helm.args(["--set", value]);
        }
        let done = helm.output()?;
        if done.status.success() {
            return Ok(());
        }
        Err(Error::other(format!("helm: {}", String::from_utf8_lossy(&done.stderr))))
    }

    /// One of the programs, as the administrator.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env("KUBECONFIG", &self.up.kubeconfig);
        command
    }

    /// Runs kubectl as the administrator, with this on standard input; gives status, standard output and standard error.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Result<(bool, String, String)> {
        use std::io::Write as _;
        let mut child = self
            .command("kubectl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let done = child.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((done.status.success(), text(&done.stdout), text(&done.stderr)))
    }

    /// File of the administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &PathBuf {
        &self.up.kubeconfig
    }

    /// File of the apiserver's audit log.
    pub fn audit_log(&self) -> &PathBuf {
        &self.up.audit_log
    }

    /// Version of Kubernetes.
    pub fn version(&self) -> &str {
        &self.up.version
    }

    /// Folder of the programs.
    pub fn programs(&self) -> &PathBuf {
        &self.programs
    }

    /// Configuration of a client with the administrator's rights.
    pub async fn admin_config(&self) -> Result<Config> {
        let kubeconfig = Kubeconfig::read_from(&self.up.kubeconfig).map_err(Error::other)?;
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(Error::other)
    }

    /// A client with the administrator's rights.
    pub async fn admin(&self) -> Result<Client> {
        Client::try_from(self.admin_config().await?).map_err(Error::other)
    }

    /// Configuration of a client with exactly the rights that the chart gives to the operator.
    pub async fn operator_config(&self) -> Result<Config> {
        let mut config = self.admin_config().await?;
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin().await?, RELEASE);
        let request = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(4 * 3600), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let made =
            accounts.create_token_request(RELEASE, &PostParams::default(), &request).await.map_err(Error::other)?;
        let token = made.status.map(|status| SecretString::from(status.token));
        config.auth_info = AuthInfo { token, ..AuthInfo::default() };
        Ok(config)
    }
}

/// Folder of the programs, built if they are not there yet.
fn programs() -> Result<PathBuf> {
    let built = Command::new(root().join("tests/controlplane/build")).stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        return Err(Error::other("tests/controlplane/build failed"));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&built.stdout).trim()))
}

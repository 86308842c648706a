//! How a command reaches Azure DevOps: options that are named like the operator's flags, and where the token is.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::inputs::{Inputs, read_path};
use super::manifest::{Checked, LARGEST, Manifest};
use super::problem::Problem;
use crate::ado::{
    AdoClient, AllowedHost, Budgets, HostPolicy, Limits, NamedProxy, NamedServiceHost, Transport, TransportConfig,
};

/// Version of the REST API where none is given.
const API_VERSION: &str = "7.1";

/// Options of every command that asks Azure DevOps.
#[derive(Args, Debug)]
pub(super) struct Connection {
    /// File with the token; `-` reads standard input. Without it the Secret is read that `spec.auth` names.
    #[arg(long, value_name = "FILE")]
    pat_file: Option<PathBuf>,

    /// File with certificates of a private CA, in PEM, in place of `spec.caBundle`.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Host that the organization's URL may name besides the Azure DevOps cloud, as the operator's flag of that name.
    /// May be repeated.
    #[arg(long = "allowed-host", value_name = "NAME[:PORT]")]
    allowed_hosts: Vec<String>,

    /// Host of one service outside of the Azure DevOps cloud, as the operator's flag of that name. May be repeated.
    #[arg(long = "service-host", value_name = "SERVICE=NAME[:PORT]")]
    service_hosts: Vec<String>,

    /// Version of the REST API outside of the Azure DevOps cloud, as the operator's flag of that name.
    #[arg(long, default_value = API_VERSION, value_parser = ["7.0", API_VERSION, "7.2"])]
    server_api_version: String,

    /// Proxy that `spec.proxy` may name, as the operator's flag of that name. May be repeated.
    #[arg(long = "proxy", value_name = "NAME=URL")]
    proxies: Vec<String>,

    /// Kubeconfig to use.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig to use.
    #[arg(long)]
    context: Option<String>,
}

/// Whether a file stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a manifest from a file or standard input.
pub(super) fn read_manifest(path: &Path, input: &mut dyn Read) -> Result<Manifest, Problem> {
    let bytes = read_path(path, input, LARGEST, "the manifest")?;
    Ok(Manifest::parse(std::str::from_utf8(&bytes).map_err(|_| Problem::NotText)?)?)
}

impl Connection {
    /// Refuses a manifest and a token that would both come from standard input.
    pub fn check_streams(&self, manifest: &Path) -> Result<(), Problem> {
        if is_stdin(manifest) && self.pat_file.as_deref().is_some_and(is_stdin) {
            return Err(Problem::Usage("manifest and token cannot both come from standard input"));
        }
        Ok(())
    }

    /// Whether the CA comes from a file.
    pub fn has_ca_file(&self) -> bool {
        self.ca_file.is_some()
    }

    /// Hosts, proxies and trust, as far as they can be told without asking anybody.
    pub fn transport(&self) -> Result<Transport, Problem> {
        let hosts: Result<Vec<AllowedHost>, _> =
            self.allowed_hosts.iter().map(|host| AllowedHost::parse(host)).collect();
        let proxies: Result<Vec<NamedProxy>, _> = self.proxies.iter().map(|proxy| NamedProxy::parse(proxy)).collect();
        let services: Vec<NamedServiceHost> =
            self.service_hosts.iter().map(|host| NamedServiceHost::parse(host)).collect::<Result<_, _>>()?;
        let mut permitted = hosts.map_err(|_| Problem::AllowedHost)?;
        permitted.extend(services.iter().map(NamedServiceHost::permitted));
        let policy = HostPolicy::new(permitted);
        let hosts = services.into_iter().collect();
        Ok(Transport::new(TransportConfig { policy, hosts, proxies: proxies?, ..TransportConfig::default() }))
    }

    /// Where to look for objects: in the manifest, then in that namespace of the cluster.
    pub fn inputs<'a>(&self, manifest: &'a Manifest, namespace: Option<String>) -> Inputs<'a> {
        Inputs { manifest, namespace, kubeconfig: self.kubeconfig.clone(), context: self.context.clone() }
    }

    /// A client with the token of the integration.
    pub async fn client(
        &self,
        transport: &Transport,
        inputs: &Inputs<'_>,
        integration: &Checked,
        input: &mut (dyn Read + Send),
    ) -> Result<AdoClient, Problem> {
        let spec = &integration.object.spec;
        let Some(auth) = spec.pat() else { return Err(Problem::Usage("spec.auth has no pat")) };
        let pat = Box::pin(inputs.token(self.pat_file.as_deref(), input, &auth.secret_ref)).await?;
        let ca = Box::pin(inputs.ca_bundle(self.ca_file.as_deref(), spec.ca_bundle.as_ref())).await?;
        let http = transport.http(ca.as_ref(), spec.proxy.as_deref())?;
        let organization = integration.organization.clone();
        let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
        let limits = Limits::default().for_organization(&organization, &self.server_api_version);
        Ok(AdoClient::new(http, organization, pat, budget, limits)?)
    }

    /// The options again, for a command line that goes on. A proxy's URL may hold a password, so a placeholder stands for it.
    pub fn repeated(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        let shown = |path: &PathBuf| path.display().to_string();
        self.pat_file.iter().for_each(|path| option("--pat-file", shown(path)));
        self.ca_file.iter().for_each(|path| option("--ca-file", shown(path)));
        self.allowed_hosts.iter().for_each(|host| option("--allowed-host", host.clone()));
        self.service_hosts.iter().for_each(|host| option("--service-host", host.clone()));
        if self.server_api_version != API_VERSION {
            option("--server-api-version", self.server_api_version.clone());
        }
        for proxy in &self.proxies {
            let name = proxy.split('=').next().unwrap_or_default();
            option("--proxy", format!("{name}=URL"));
        }
        self.kubeconfig.iter().for_each(|path| option("--kubeconfig", shown(path)));
        self.context.iter().for_each(|context| option("--context", context.clone()));
        words
    }
}

//! `kubectl ado test-connection`: the operator's checks, run here and now, before anything is applied.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::inputs::{InputError, Inputs, read_path};
use super::manifest::{Checked, LARGEST, Manifest, ManifestError};
use super::report::{Failure, Report};
use super::{Exit, Streams};
use crate::ado::{
    AdoClient, AdoError, AllowedHost, Budgets, HostPolicy, Limits, NamedProxy, NamedServiceHost, Transport,
    TransportConfig,
};
use crate::domain::projects::ProjectFilter;
use crate::sync::probe::{ProbeRequest, probe};

const EXAMPLES: &str = "\
Examples:
  # Before anything is applied; the token comes from a password manager
  pass show ado/pat | kubectl ado test-connection -f integration.yaml --pat-file -

  # With the Secret that the manifest names, read through your kubeconfig
  kubectl ado test-connection -f integration.yaml -n team-a

  # Azure DevOps Server with a private CA
  kubectl ado test-connection -f integration.yaml --allowed-host tfs.example.com --ca-file ca.pem

Nothing is changed, neither in Azure DevOps nor in the cluster.

Exit codes:
  0  every wanted feature and service is available
  1  the command line, the manifest or something that it names is wrong
  2  Azure DevOps refused the token
  3  a wanted feature or service is not available
  4  no verdict: Azure DevOps did not answer, throttles, or did not answer enough";

/// Checks the connection that a manifest describes, and prints what its token may do.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TestConnection {
    /// Manifest with the integration, in YAML or JSON; `-` reads standard input. A Secret or ConfigMap in it is used
    /// where the integration refers to it.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    filename: PathBuf,

    /// Name of the integration, where the manifest has several.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

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
    #[arg(long, default_value = "7.1", value_parser = ["7.0", "7.1", "7.2"])]
    server_api_version: String,

    /// Proxy that `spec.proxy` may name, as the operator's flag of that name. May be repeated.
    #[arg(long = "proxy", value_name = "NAME=URL")]
    proxies: Vec<String>,

    /// Namespace of the integration, if the manifest names none.
    #[arg(short, long)]
    namespace: Option<String>,

    /// Kubeconfig to use.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig to use.
    #[arg(long)]
    context: Option<String>,

    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Forms of the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Tables for people.
    Table,
    /// One JSON object.
    Json,
    /// One YAML document.
    Yaml,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Usage(&'static str),
    #[error("--allowed-host must be NAME or NAME:PORT")]
    AllowedHost,
    #[error("--service-host {0}")]
    ServiceHost(#[from] crate::ado::InvalidServiceHost),
    #[error("--proxy: {0}")]
    Proxy(#[from] crate::ado::InvalidProxy),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("the manifest is no text in UTF-8")]
    NotText,
    #[error("the manifest cannot be used:\n{0}")]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    AzureDevOps(#[from] AdoError),
}

impl Problem {
    fn exit(&self) -> Exit {
        use crate::ado::ErrorClass;
        match self {
            Self::AzureDevOps(
                AdoError::CredentialRefused(_) | AdoError::Unauthorized { .. } | AdoError::Forbidden(_),
            ) => Exit::Refused,
            Self::AzureDevOps(error) => match error.class() {
                ErrorClass::Verdict => Exit::Invalid,
                ErrorClass::NoVerdict | ErrorClass::Throttled => Exit::NoVerdict,
            },
            Self::Usage(_)
            | Self::AllowedHost
            | Self::ServiceHost(_)
            | Self::Proxy(_)
            | Self::Input(_)
            | Self::NotText
            | Self::Manifest(_) => Exit::Invalid,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AzureDevOps(error) => error.reason(),
            Self::Input(InputError::Token { error, .. }) => error.reason(),
            Self::Input(InputError::CaBundle { error, .. }) => error.reason(),
            Self::Input(_) => "InputUnreadable",
            Self::NotText | Self::Manifest(_) => "InvalidManifest",
            Self::Usage(_) | Self::AllowedHost | Self::ServiceHost(_) | Self::Proxy(_) => "InvalidUsage",
        }
    }
}

impl TestConnection {
    /// Runs the command and prints its result.
    pub(super) async fn run(&self, streams: Streams<'_>) -> Exit {
        let (text, exit, failed) = match self.report(streams.input).await {
            Ok(report) => (self.written(&report, Report::table), report.exit(), false),
            Err(problem) => {
                let failure = Failure { reason: problem.reason(), message: problem.to_string() };
                (self.written(&failure, Failure::text), problem.exit(), true)
            }
        };
        let people = self.output == Format::Table;
        let target = if failed && people { streams.errors } else { streams.output };
        // A reader that went away needs no output.
        let _ = target.write_all(text.as_bytes()).and_then(|()| target.flush());
        exit
    }

    fn written<T: serde::Serialize>(&self, result: &T, table: impl FnOnce(&T) -> String) -> String {
        match self.output {
            Format::Table => table(result),
            Format::Json => serde_json::to_string_pretty(result).map(|text| text + "\n").unwrap_or_default(),
            Format::Yaml => serde_yaml_ng::to_string(result).unwrap_or_default(),
        }
    }

    async fn report(&self, input: &mut (dyn Read + Send)) -> Result<Report, Problem> {
        let stdin = |path: &PathBuf| path.as_os_str() == "-";
        if stdin(&self.filename) && self.pat_file.as_ref().is_some_and(stdin) {
            return Err(Problem::Usage("manifest and token cannot both come from standard input"));
        }
        let transport = self.transport()?;
        let bytes = read_path(&self.filename, input, LARGEST, "the manifest")?;
        let manifest = Manifest::parse(std::str::from_utf8(&bytes).map_err(|_| Problem::NotText)?)?;
        let integration = manifest.integration(self.name.as_deref())?;
        let client = self.client(&transport, &manifest, &integration, input).await?;
        let spec = &integration.object.spec;
        let request = ProbeRequest {
            services: spec.effective_services(),
            project: None,
            allowed: ProjectFilter::new(spec.allowed_projects.as_deref()),
        };
        let found = Box::pin(probe(&client, &request)).await?;
        let mut report = Report::new(&integration, &found);
        if self.ca_file.is_some() && spec.ca_bundle.is_none() {
            report.warn("the manifest has no caBundle: the operator will not trust the CA of --ca-file");
        }
        Ok(report)
    }

    fn transport(&self) -> Result<Transport, Problem> {
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

    async fn client(
        &self,
        transport: &Transport,
        manifest: &Manifest,
        integration: &Checked,
        input: &mut (dyn Read + Send),
    ) -> Result<AdoClient, Problem> {
        let spec = &integration.object.spec;
        let namespace = integration.object.metadata.namespace.clone().or_else(|| self.namespace.clone());
        let inputs = Inputs { manifest, namespace, kubeconfig: self.kubeconfig.clone(), context: self.context.clone() };
        let Some(auth) = spec.pat() else { return Err(Problem::Usage("spec.auth has no pat")) };
        let pat = Box::pin(inputs.token(self.pat_file.as_deref(), input, &auth.secret_ref)).await?;
        let ca = Box::pin(inputs.ca_bundle(self.ca_file.as_deref(), spec.ca_bundle.as_ref())).await?;
        let http = transport.http(ca.as_ref(), spec.proxy.as_deref())?;
        let organization = integration.organization.clone();
        let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
        let limits = Limits::default().for_organization(&organization, &self.server_api_version);
        Ok(AdoClient::new(http, organization, pat, budget, limits)?)
    }
}

//! `kubectl ado test-connection`: the operator's checks, run here and now, before anything is applied.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::{Connection, read_manifest};
use super::problem::Problem;
use super::report::{Failure, Report};
use super::{Exit, Streams};
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

    #[command(flatten)]
    connection: Connection,

    /// Namespace of the integration, if the manifest names none.
    #[arg(short, long)]
    namespace: Option<String>,

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
        self.connection.check_streams(&self.filename)?;
        let transport = self.connection.transport()?;
        let manifest = read_manifest(&self.filename, input)?;
        let integration = manifest.integration(self.name.as_deref())?;
        let namespace = integration.object.metadata.namespace.clone().or_else(|| self.namespace.clone());
        let inputs = self.connection.inputs(&manifest, namespace);
        let client = self.connection.client(&transport, &inputs, &integration, input).await?;
        let spec = &integration.object.spec;
        let request = ProbeRequest {
            services: spec.effective_services(),
            project: None,
            allowed: ProjectFilter::new(spec.allowed_projects.as_deref()),
        };
        let found = Box::pin(probe(&client, &request)).await?;
        let mut report = Report::new(&integration, &found);
        if self.connection.has_ca_file() && spec.ca_bundle.is_none() {
            report.warn("the manifest has no caBundle: the operator will not trust the CA of --ca-file");
        }
        Ok(report)
    }
}

//! Every flag of the operator with its default. This file is the only reader of the environment.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::ado::{AllowedHost, NamedProxy};

/// Keeps Azure DevOps integrations that are declared as Kubernetes objects.
#[derive(Clone, Debug, Parser)]
#[command(name = "ado-operator", version, args_override_self = true)]
pub struct Config {
    /// Namespaces to serve, separated by commas; none means all.
    // The long path makes clap take the list as one value, which may then be empty, as an unset variable of a manifest is.
    #[arg(long, env = "ADO_OPERATOR_NAMESPACES", value_name = "A,B", default_value = "", hide_default_value = true, value_parser = namespaces)]
    pub namespaces: ::std::vec::Vec<String>,

    /// Namespace of the operator itself: its Lease lies there.
    #[arg(long, env = "POD_NAMESPACE", default_value = "ado-operator")]
    pub operator_namespace: String,

    /// Name of the Lease by which replicas agree on one leader.
    #[arg(long, env = "ADO_OPERATOR_LEASE_NAME", default_value = "ado-operator")]
    pub lease_name: String,

    /// Name of this replica in the Lease; absent means a random one.
    #[arg(long, env = "POD_NAME")]
    pub identity: Option<String>,

    /// Folder of the SQLite database. It must lie on a local file system.
    #[arg(long, env = "ADO_OPERATOR_DATA_DIR", default_value = "/var/lib/ado-operator")]
    pub data_dir: PathBuf,

    /// Address on which metrics and health are served.
    #[arg(long, env = "ADO_OPERATOR_METRICS_ADDRESS", default_value = "0.0.0.0:9464")]
    pub metrics_address: SocketAddr,

    /// Host that organization URLs may name besides the Azure DevOps cloud, as NAME or NAME:PORT. May be repeated, or
    /// be several separated by commas.
    #[arg(long = "allowed-host", env = "ADO_OPERATOR_ALLOWED_HOSTS", value_name = "NAME[:PORT]", value_delimiter = ',', value_parser = AllowedHost::parse)]
    pub allowed_hosts: Vec<AllowedHost>,

    /// Proxy that integrations may name, as NAME=URL. May be repeated, or be several separated by commas. The URL may
    /// hold a password.
    #[arg(long = "proxy", env = "ADO_OPERATOR_PROXIES", value_name = "NAME=URL", value_delimiter = ',', hide_env_values = true, value_parser = NamedProxy::parse)]
    pub proxies: Vec<NamedProxy>,

    /// Number of objects of a kind that are reconciled at the same time.
    #[arg(long, env = "ADO_OPERATOR_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,

    /// Time that one request to Azure DevOps may take in all, in seconds. The service delays requests by up to 30 s
    /// under load, so less than 100 s would turn slowness into failure.
    #[arg(long, env = "ADO_OPERATOR_REQUEST_DEADLINE_SECONDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(100..=600))]
    pub request_deadline_seconds: u64,

    /// What is logged, in the syntax of tracing's `EnvFilter`.
    #[arg(long, env = "ADO_OPERATOR_LOG", default_value = "info,kube=warn")]
    pub log: String,

    /// Form of log lines.
    #[arg(long, env = "ADO_OPERATOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

/// The names in a list that commas separate.
#[expect(clippy::unnecessary_wraps, reason = "the signature is clap's")]
fn namespaces(list: &str) -> Result<Vec<String>, Infallible> {
    Ok(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

impl Config {
    /// Time that one request to Azure DevOps may take in all.
    pub fn request_deadline(&self) -> Duration {
        Duration::from_secs(self.request_deadline_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(arguments: &[&str]) -> Vec<String> {
        Config::try_parse_from(["ado-operator"].iter().chain(arguments)).expect("valid flags").namespaces
    }

    #[test]
    fn namespaces_are_one_list_and_an_empty_one_means_all() {
        assert_eq!(served(&["--namespaces", "a,b"]), ["a", "b"]);
        assert_eq!(served(&["--namespaces=a, b,"]), ["a", "b"]);
        assert!(served(&["--namespaces="]).is_empty());
        assert!(served(&[]).is_empty());
        assert!(Config::try_parse_from(["ado-operator", "--namespaces", "a", "b"]).is_err(), "b is no second name");
        assert!(Config::try_parse_from(["ado-operator", "--namespaces"]).is_err(), "the value was forgotten");
    }
}

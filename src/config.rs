//! Every flag of the operator with its default. This file is the only reader of the environment.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

use crate::ado::{AllowedHost, InvalidProxy, NamedProxy, NamedServiceHost};
use crate::store::{InvalidServer, Server};

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

    /// Folder of the SQLite database, unless --store-url names another one. It must lie on a local file system.
    #[arg(long, env = "ADO_OPERATOR_DATA_DIR", default_value = "/var/lib/ado-operator")]
    pub data_dir: PathBuf,

    /// Database of PostgreSQL to use in place of SQLite, as
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=FILE. It holds a password: others on the
    /// machine can read flags, but not variables.
    // Read by `server` and not by clap, which repeats a value that it refuses.
    #[arg(long, env = "ADO_OPERATOR_STORE_URL", value_name = "URL", hide_env_values = true, value_parser = secret)]
    pub store_url: Option<SecretString>,

    /// Address on which metrics and health are served.
    #[arg(long, env = "ADO_OPERATOR_METRICS_ADDRESS", default_value = "0.0.0.0:9464")]
    pub metrics_address: SocketAddr,

    /// Host that organization URLs may name besides the Azure DevOps cloud, as NAME or NAME:PORT. May be repeated, or
    /// be several separated by commas.
    #[arg(long = "allowed-host", env = "ADO_OPERATOR_ALLOWED_HOSTS", value_name = "NAME[:PORT]", value_delimiter = ',', value_parser = AllowedHost::parse)]
    pub allowed_hosts: Vec<AllowedHost>,

    /// Host of one service of organizations outside of the Azure DevOps cloud, as SERVICE=NAME or SERVICE=NAME:PORT, where
    /// SERVICE is analytics, entitlements or graph; it is permitted like an allowed host. A service that is not named is
    /// looked for at the organization's own host. May be repeated, or be several separated by commas.
    #[arg(long = "service-host", env = "ADO_OPERATOR_SERVICE_HOSTS", value_name = "SERVICE=NAME[:PORT]", value_delimiter = ',', value_parser = NamedServiceHost::parse)]
    pub service_hosts: Vec<NamedServiceHost>,

    /// Version of the REST API that is asked for outside of the Azure DevOps cloud: 7.0 for Azure DevOps Server 2022.
    #[arg(long, env = "ADO_OPERATOR_SERVER_API_VERSION", default_value = "7.1", value_parser = ["7.0", "7.1", "7.2"])]
    pub server_api_version: String,

    /// Proxy that integrations may name, as NAME=URL. May be repeated, or be several separated by commas. The URL may
    /// hold a password.
    // Read by `named_proxies` and not by clap, which repeats a value that it refuses.
    #[arg(long = "proxy", env = "ADO_OPERATOR_PROXIES", value_name = "NAME=URL", hide_env_values = true, value_parser = secret)]
    pub proxies: Vec<SecretString>,

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
fn namespaces(list: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> =
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    match names.iter().find(|name| !is_label(name)) {
        Some(name) => Err(format!("{name:?} is no name that a namespace can have")),
        None => Ok(names),
    }
}

/// A label as DNS has it (RFC 1123), which names of namespaces are.
fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63 && name.chars().all(plain) && !name.starts_with('-') && !name.ends_with('-')
}

impl Config {
    /// Hosts that requests may go to besides those of the cloud.
    pub fn permitted_hosts(&self) -> Vec<AllowedHost> {
        self.allowed_hosts.iter().cloned().chain(self.service_hosts.iter().map(NamedServiceHost::permitted)).collect()
    }

    /// The proxies that integrations may name.
    pub fn named_proxies(&self) -> Result<Vec<NamedProxy>, InvalidProxy> {
        let parse = |list: &SecretString| -> Vec<_> {
            proxies_in(list.expose_secret()).into_iter().map(NamedProxy::parse).collect()
        };
        self.proxies.iter().flat_map(parse).collect()
    }

    /// The database of PostgreSQL that holds the store; `None` for SQLite, also if the URL is empty, as an unset variable of
    /// a manifest is.
    pub fn server(&self) -> Result<Option<Server>, InvalidServer> {
        let url = self.store_url.as_ref().map(ExposeSecret::expose_secret).filter(|url| !url.is_empty());
        url.map(Server::parse).transpose()
    }

    /// Time that one request to Azure DevOps may take in all.
    pub fn request_deadline(&self) -> Duration {
        Duration::from_secs(self.request_deadline_seconds)
    }
}

/// Any text; clap finds nothing in it to complain of.
#[expect(clippy::unnecessary_wraps, reason = "the form of clap's parsers")]
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

/// The parts of a list of NAME=URL. A comma parts them only where another NAME=http follows: a password may hold commas.
fn proxies_in(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in list.match_indices(',') {
        let (name, url) = list[at + 1..].split_once('=').unwrap_or_default();
        let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if named && url.starts_with("http") {
            parts.push(&list[start..at]);
            start = at + 1;
        }
    }
    parts.push(&list[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(arguments: &[&str]) -> Vec<String> {
        Config::try_parse_from(["ado-operator"].iter().chain(arguments)).expect("valid flags").namespaces
    }

    #[test]
    fn a_password_in_a_list_of_proxies_may_hold_commas() {
        let list = "corporate=http://user:a,b=c@proxy:3128,other=http://proxy:1";
        assert_eq!(proxies_in(list), ["corporate=http://user:a,b=c@proxy:3128", "other=http://proxy:1"]);
        assert!(proxies_in("").is_empty());
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_not_repeated() {
        let config = Config::try_parse_from(["ado-operator", "--proxy", "corporate=socks5://user:hunter2@proxy:1080"]);
        let config = config.expect("clap has nothing to say about it");
        let error = config.named_proxies().expect_err("no such kind of proxy").to_string();
        assert!(!error.contains("hunter2") && !format!("{config:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn a_store_url_is_not_repeated_and_an_empty_one_means_sqlite() {
        let parsed = |url: &str| Config::try_parse_from(["ado-operator", "--store-url", url]).expect("any text");
        assert!(parsed("").server().expect("no URL").is_none());
        assert!(parsed("postgres://ado:hunter2@localhost/ado").server().expect("a URL").is_some());
        let config = parsed("postgres://ado:hunter2@db.example/ado");
        let refused = config.server().map(drop).expect_err("it is not verified");
        assert_eq!(refused, InvalidServer::Unverified);
        assert!(!format!("{refused} {config:?}").contains("hunter2"), "{refused} {config:?}");
    }

    #[test]
    fn namespaces_are_one_list_and_an_empty_one_means_all() {
        assert_eq!(served(&["--namespaces", "a,b"]), ["a", "b"]);
        assert_eq!(served(&["--namespaces=b, a,b,"]), ["a", "b"]);
        assert!(served(&["--namespaces="]).is_empty());
        assert!(served(&[]).is_empty());
        assert!(Config::try_parse_from(["ado-operator", "--namespaces", "a", "b"]).is_err(), "b is no second name");
        assert!(Config::try_parse_from(["ado-operator", "--namespaces"]).is_err(), "the value was forgotten");
        for odd in ["A_b", "a.b", "-a", "a,b c", &"a".repeat(64)] {
            assert!(Config::try_parse_from(["ado-operator", "--namespaces", odd]).is_err(), "{odd}");
        }
    }
}

//! Where the token and the CA bundle come from: a file, the manifest itself, or the cluster.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::manifest::Manifest;
use crate::ado::{CaBundle, CaBundleError, Pat, PatError};
use crate::api::{AdoIntegration, KeyReference, SecretKeyReference};

/// Most of a token's file that is read; the token itself may have 8 KiB.
const LARGEST_TOKEN_FILE: u64 = 64 << 10;
/// Most of a CA bundle's file that is read: what a ConfigMap can hold.
const LARGEST_CA_FILE: u64 = 1 << 20;
/// Key of a CA bundle where the reference names none.
const CA_KEY: &str = "ca.crt";
/// How long the cluster may take for one answer.
const CLUSTER_DEADLINE: Duration = Duration::from_secs(15);

/// Why an input cannot be had. No text holds any of its content, nor the value of `--pat-file`, which may be a token
/// that was given in place of a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// A file or stream cannot be read.
    #[error("{what} cannot be read: {kind}")]
    Unreadable { what: &'static str, kind: std::io::ErrorKind },
    /// A file or stream is too large.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge { what: &'static str, limit: u64 },
    /// The token is none.
    #[error("{source_name}: {error}")]
    Token { source_name: String, error: PatError },
    /// The CA bundle is none.
    #[error("{source_name}: {error}")]
    CaBundle { source_name: String, error: CaBundleError },
    /// No kubeconfig, or one that cannot be used.
    #[error(
        "{wanted} has to be read from the cluster, and no usable kubeconfig was found: give {option}, or set KUBECONFIG"
    )]
    NoCluster { wanted: String, option: &'static str },
    /// The cluster has no such object.
    #[error("{wanted} does not exist: create it, or give {option}")]
    NotFound { wanted: String, option: &'static str },
    /// The object has no such key.
    #[error("{wanted} has no key {key}")]
    NoKey { wanted: String, key: String },
    /// The caller may not read it.
    #[error("your kubeconfig may not read {wanted}: give {option}, or ask for the right to read it")]
    Forbidden { wanted: String, option: &'static str },
    /// The cluster did not answer, or not as expected.
    #[error("{wanted} could not be read from the cluster: {problem}")]
    Cluster { wanted: String, problem: String },
}

/// Reads all of a stream, up to a limit.
pub(super) fn read_bounded(
    reader: &mut dyn Read,
    limit: u64,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, InputError> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| InputError::Unreadable { what, kind: error.kind() })?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    if fits { Ok(bytes) } else { Err(InputError::TooLarge { what, limit }) }
}

/// Reads a file, or standard input if the path is `-`.
pub(super) fn read_path(
    path: &Path,
    input: &mut dyn Read,
    limit: u64,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, InputError> {
    if path.as_os_str() == "-" {
        return read_bounded(input, limit, what);
    }
    let mut file = File::open(path).map_err(|error| InputError::Unreadable { what, kind: error.kind() })?;
    read_bounded(&mut file, limit, what)
}

/// Everything that may hold a token or a CA bundle.
pub(super) struct Inputs<'a> {
    pub manifest: &'a Manifest,
    /// Namespace of the integration, if it is known without asking.
    pub namespace: Option<String>,
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
}

impl Inputs<'_> {
    /// The token: from a file, else from a Secret of the manifest, else from the cluster's Secret.
    pub async fn token(
        &self,
        file: Option<&Path>,
        input: &mut (dyn Read + Send),
        reference: &SecretKeyReference,
    ) -> Result<Pat, InputError> {
        let (bytes, source_name) = match file {
            Some(path) => {
                (read_path(path, input, LARGEST_TOKEN_FILE, "the file of --pat-file")?, "--pat-file".to_owned())
            }
            None => self.secret(&reference.name, &reference.key, "--pat-file").await?,
        };
        Pat::from_bytes(&bytes).map_err(|error| InputError::Token { source_name, error })
    }

    /// The CA bundle, if there is one: from a file, else from where the spec says.
    pub async fn ca_bundle(
        &self,
        file: Option<&Path>,
        spec: Option<&crate::api::CaBundle>,
    ) -> Result<Option<CaBundle>, InputError> {
        let (bytes, source_name) = match (file, spec) {
            (Some(path), _) => {
                let what = "the file of --ca-file";
                (read_path(path, &mut std::io::empty(), LARGEST_CA_FILE, what)?, "--ca-file".to_owned())
            }
            (None, Some(crate::api::CaBundle { config_map_ref: Some(reference), .. })) => {
                self.config_map(reference).await?
            }
            (None, Some(crate::api::CaBundle { secret_ref: Some(KeyReference { name, key }), .. })) => {
                self.secret(name, key.as_deref().unwrap_or(CA_KEY), "--ca-file").await?
            }
            (None, _) => return Ok(None),
        };
        CaBundle::parse(&bytes).map(Some).map_err(|error| InputError::CaBundle { source_name, error })
    }

    /// The integration of that name in the cluster.
    pub async fn integration(&self, name: &str) -> Result<AdoIntegration, InputError> {
        let (client, namespace) = self.cluster(&format!("AdoIntegration {name}"), "--filename").await?;
        let wanted = format!("AdoIntegration {namespace}/{name}");
        let api: Api<AdoIntegration> = Api::namespaced(client, &namespace);
        answer(api.get(name), &wanted, "--filename").await
    }

    async fn secret(
        &self,
        name: &str,
        key: &str,
        option: &'static str,
    ) -> Result<(Zeroizing<Vec<u8>>, String), InputError> {
        if let Some(object) = self.manifest.find("Secret", self.namespace.as_deref(), name) {
            return value_of(object, key, ["stringData"], "data")
                .map(|bytes| (bytes, format!("key {key} of Secret {name}")));
        }
        let (client, namespace) = self.cluster(&format!("Secret {name}"), option).await?;
        let wanted = format!("Secret {namespace}/{name}");
        let api: Api<Secret> = Api::namespaced(client, &namespace);
        let secret = answer(api.get(name), &wanted, option).await?;
        let value = secret.data.and_then(|mut data| data.remove(key));
        let bytes = value.ok_or_else(|| InputError::NoKey { wanted: wanted.clone(), key: key.to_owned() })?;
        Ok((Zeroizing::new(bytes.0), format!("key {key} of {wanted}")))
    }

    async fn config_map(&self, reference: &KeyReference) -> Result<(Zeroizing<Vec<u8>>, String), InputError> {
        let (name, key) = (&reference.name, reference.key.as_deref().unwrap_or(CA_KEY));
        if let Some(object) = self.manifest.find("ConfigMap", self.namespace.as_deref(), name) {
            return value_of(object, key, ["data"], "binaryData")
                .map(|bytes| (bytes, format!("key {key} of ConfigMap {name}")));
        }
        let (client, namespace) = self.cluster(&format!("ConfigMap {name}"), "--ca-file").await?;
        let wanted = format!("ConfigMap {namespace}/{name}");
        let api: Api<ConfigMap> = Api::namespaced(client, &namespace);
        let map = answer(api.get(name), &wanted, "--ca-file").await?;
        let text = map.data.and_then(|mut data| data.remove(key)).map(String::into_bytes);
        let binary = map.binary_data.and_then(|mut data| data.remove(key)).map(|bytes| bytes.0);
        let bytes = text.or(binary).ok_or_else(|| InputError::NoKey { wanted: wanted.clone(), key: key.to_owned() })?;
        Ok((Zeroizing::new(bytes), format!("key {key} of {wanted}")))
    }

    /// A client of the caller's cluster, and the namespace to look in.
    async fn cluster(&self, wanted: &str, option: &'static str) -> Result<(Client, String), InputError> {
        let unusable = || InputError::NoCluster { wanted: wanted.to_owned(), option };
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path).map_err(|_| unusable())?;
                Config::from_custom_kubeconfig(kubeconfig, &options).await
            }
            None => Config::from_kubeconfig(&options).await,
        };
        let config = config.map_err(|_| unusable())?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|_| unusable())?;
        Ok((client, namespace))
    }
}

/// The value of a key of an object in the manifest.
fn value_of(object: &Value, key: &str, plain: [&str; 1], encoded: &str) -> Result<Zeroizing<Vec<u8>>, InputError> {
    let text = |member: &str| object.get(member)?.get(key)?.as_str();
    let decoded = || STANDARD.decode(text(encoded)?.trim()).ok();
    let bytes = text(plain[0]).map(|value| value.as_bytes().to_vec()).or_else(decoded);
    let wanted = || format!("{} of the manifest", object.get("kind").and_then(Value::as_str).unwrap_or_default());
    bytes.map(Zeroizing::new).ok_or_else(|| InputError::NoKey { wanted: wanted(), key: key.to_owned() })
}

/// Waits for the cluster's answer. What an answer that cannot be read holds is not shown: it may be a Secret.
async fn answer<T>(
    request: impl Future<Output = Result<T, kube::Error>>,
    wanted: &str,
    option: &'static str,
) -> Result<T, InputError> {
    let wanted = wanted.to_owned();
    let Ok(result) = tokio::time::timeout(CLUSTER_DEADLINE, request).await else {
        let problem = format!("no answer within {} s", CLUSTER_DEADLINE.as_secs());
        return Err(InputError::Cluster { wanted, problem });
    };
    result.map_err(|error| match error {
        kube::Error::Api(status) if status.code == 404 => InputError::NotFound { wanted, option },
        kube::Error::Api(status) if status.code == 403 => InputError::Forbidden { wanted, option },
        kube::Error::Api(status) => {
            InputError::Cluster { wanted, problem: format!("HTTP {} {}", status.code, status.reason) }
        }
        kube::Error::Auth(_) => InputError::Cluster { wanted, problem: "signing in to the cluster failed".to_owned() },
        kube::Error::SerdeError(_) => InputError::Cluster { wanted, problem: "an answer of another form".to_owned() },
        _ => InputError::Cluster { wanted, problem: "the cluster cannot be reached".to_owned() },
    })
}

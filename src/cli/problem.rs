//! Why a command has no result.

use super::Exit;
use super::inputs::InputError;
use super::manifest::ManifestError;
use crate::ado::{AdoError, ErrorClass};
use crate::sync::SyncError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
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
    #[error("spec.organizationURL: {0}")]
    Url(#[from] crate::ado::OrganizationUrlError),
    /// The integration does not allow project configs of that namespace.
    #[error(
        "integration {integration} does not allow project configs in namespace {namespace}: let its spec.allowedNamespaces \
         include it, or give another --namespace"
    )]
    Namespace { integration: String, namespace: String },
    #[error(transparent)]
    AzureDevOps(#[from] AdoError),
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// What the command wrote cannot be put into YAML.
    #[error("the config cannot be written as YAML")]
    Unwritable,
}

impl Problem {
    /// How the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::AzureDevOps(error) | Self::Sync(SyncError::Ado(error)) => exit_of(error),
            // Nothing here stores anything or is withdrawn.
            Self::Sync(SyncError::Store(_) | SyncError::Withdrawn) => Exit::NoVerdict,
            Self::Usage(_)
            | Self::AllowedHost
            | Self::ServiceHost(_)
            | Self::Proxy(_)
            | Self::Input(_)
            | Self::NotText
            | Self::Manifest(_)
            | Self::Url(_)
            | Self::Namespace { .. }
            | Self::Sync(SyncError::Refused(_))
            | Self::Unwritable => Exit::Invalid,
        }
    }

    /// The constant that programs look at.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::AzureDevOps(error) | Self::Sync(SyncError::Ado(error)) => error.reason(),
            Self::Sync(SyncError::Refused(cause)) => cause.reason.as_str(),
            Self::Sync(SyncError::Store(_) | SyncError::Withdrawn) => "NoVerdict",
            Self::Input(InputError::Token { error, .. }) => error.reason(),
            Self::Input(InputError::CaBundle { error, .. }) => error.reason(),
            Self::Input(_) => "InputUnreadable",
            Self::NotText | Self::Manifest(_) => "InvalidManifest",
            Self::Url(error) => error.reason(),
            Self::Namespace { .. } => "NamespaceNotAllowed",
            Self::Unwritable => "Unwritable",
            Self::Usage(_) | Self::AllowedHost | Self::ServiceHost(_) | Self::Proxy(_) => "InvalidUsage",
        }
    }
}

fn exit_of(error: &AdoError) -> Exit {
    if let AdoError::CredentialRefused(_) | AdoError::Unauthorized { .. } | AdoError::Forbidden(_) = error {
        return Exit::Refused;
    }
    match error.class() {
        ErrorClass::Verdict => Exit::Invalid,
        ErrorClass::NoVerdict | ErrorClass::Throttled => Exit::NoVerdict,
    }
}

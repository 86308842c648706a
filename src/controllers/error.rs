//! Errors of a reconcile: those of our own surroundings. What Azure DevOps answers is a finding, never an error here.

use std::time::Duration;

use crate::store::StoreError;

/// Why a reconcile could not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The apiserver refused or did not answer.
    #[error("the apiserver: {}", said(.0))]
    Kubernetes(#[from] kube::Error),
    /// The store refused or did not answer.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// Deletion waits for project configs; the finalizer stays.
    #[error("deletion waits for {configs} project configs")]
    StillReferred {
        /// How many.
        configs: usize,
        /// How long it waits at most.
        left: Duration,
    },
    /// A look ended in a panic, which is a fault of ours.
    #[error("a look at the object broke off")]
    Broken,
    /// The finalizer could not be set or removed, or the reconcile within it failed.
    #[error(transparent)]
    Finalizer(Box<kube::runtime::finalizer::Error<ReconcileError>>),
}

impl ReconcileError {
    /// Somebody else wrote the object since it was read. A JSON patch, as of the finalizer, is then refused as invalid.
    pub fn is_conflict(&self) -> bool {
        use kube::runtime::finalizer::Error;
        let refused =
            |error: &kube::Error| matches!(error, kube::Error::Api(status) if [409, 422].contains(&status.code));
        match self.of_look() {
            Self::Kubernetes(kube::Error::Api(status)) => status.code == 409,
            Self::Finalizer(inner) => match inner.as_ref() {
                Error::AddFinalizer(error) | Error::RemoveFinalizer(error) => refused(error),
                Error::ApplyFailed(_) | Error::CleanupFailed(_) | Error::UnnamedObject | Error::InvalidFinalizer => {
                    false
                }
            },
            Self::Kubernetes(_) | Self::Store(_) | Self::StillReferred { .. } | Self::Broken => false,
        }
    }

    /// Nothing went wrong: deletion waits, as it should.
    pub fn is_wait(&self) -> bool {
        matches!(self.of_look(), Self::StillReferred { .. })
    }

    /// Another leader has taken over.
    pub fn is_fenced(&self) -> bool {
        matches!(self.of_look(), Self::Store(StoreError::Fenced { .. }))
    }

    /// When to look again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.of_look() {
            Self::StillReferred { left, .. } => Some(*left),
            Self::Kubernetes(_) | Self::Store(_) | Self::Broken | Self::Finalizer(_) => None,
        }
    }

    /// Label of metrics.
    pub fn reason(&self) -> &'static str {
        use kube::runtime::finalizer::Error;
        match self.of_look() {
            Self::Kubernetes(_) => "Kubernetes",
            Self::Store(error) => error.reason(),
            Self::StillReferred { .. } => "StillReferred",
            Self::Broken => "Broken",
            Self::Finalizer(inner) => match inner.as_ref() {
                Error::AddFinalizer(_) | Error::RemoveFinalizer(_) => "Kubernetes",
                Error::ApplyFailed(_) | Error::CleanupFailed(_) | Error::UnnamedObject | Error::InvalidFinalizer => {
                    "Finalizer"
                }
            },
        }
    }

    /// The error of the look itself, where the finalizer only wraps it.
    pub fn of_look(&self) -> &Self {
        use kube::runtime::finalizer::Error;
        match self {
            Self::Finalizer(inner) => match inner.as_ref() {
                Error::ApplyFailed(error) | Error::CleanupFailed(error) => error.of_look(),
                Error::AddFinalizer(_) | Error::RemoveFinalizer(_) | Error::UnnamedObject | Error::InvalidFinalizer => {
                    self
                }
            },
            Self::Kubernetes(_) | Self::Store(_) | Self::StillReferred { .. } | Self::Broken => self,
        }
    }
}

/// What the apiserver said, without the status object around it.
pub fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

/// Pause after so many failures in a row: 1 s, doubled with each, at most 2 min.
pub fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1)
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(10)))
        .min(Duration::from_mins(2))
}

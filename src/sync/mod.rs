//! Use cases: fetch, map, store.

pub mod aside;
pub mod batches;
mod changes;
pub mod feeds;
pub mod fields;
pub mod fingerprint;
mod id_pages;
mod items;
pub mod learnt;
pub mod look;
pub mod metadata;
pub mod probe;
pub mod pull;
pub mod reading;
pub mod reads;
mod reconcile;
mod records;
pub mod remap;
pub mod resolve;
pub mod shared;
#[cfg(test)]
mod tests;
mod writing;

use crate::ado::AdoError;
use crate::domain::verdict::Cause;
use crate::store::StoreError;

/// Why a use case came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Azure DevOps refused or did not answer.
    #[error(transparent)]
    Ado(#[from] AdoError),
    /// The store refused or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spec does not fit what Azure DevOps has.
    #[error("{}", .0.message)]
    Refused(Cause),
    /// It may not go on: the permission was withdrawn, or nobody wants it any more.
    #[error("withdrawn")]
    Withdrawn,
}

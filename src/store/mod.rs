//! The store: the only place with SQL.
//!
//! One SQLite file in a folder of its own, used by one process at a time, or a database of PostgreSQL that several share;
//! `backend.rs` tells how one statement serves both. Every record of Azure DevOps data begins with the integration's key
//! and its project ([`Scope`]); nothing is shared between two integrations. Times are Unix milliseconds and come from the
//! caller. Credentials are never stored, nor anything computed from one.

mod audit;
mod backend;
mod bounds;
mod changes;
mod configs;
mod connection;
mod error;
mod feeds;
mod filesystem;
mod ids;
mod integrations;
mod leadership;
mod links;
mod mapping_pins;
mod pins;
mod plan_nodes;
mod postgres;
mod presence;
mod purge;
mod records;
mod refusals;
mod set_aside;
mod sqlite;
mod sync_runs;
mod work_items;

#[cfg(test)]
pub(crate) mod testing;

pub use audit::{Actor, AuditAction, AuditRecord, AuditedObject, ObjectKind};
pub use changes::ChangedItem;
pub use configs::{ConfigClaim, MappingEnd, MappingState};
pub use connection::Store;
pub use error::{Cause, StoreError};
pub use feeds::Feed;
pub use filesystem::RefusedFileSystem;
pub use ids::{ConfigKey, IntegrationKey, ObjectUid, ProjectId, Scope, SyncRunId, WorkItemId};
pub use integrations::Accepted;
pub use links::{LinkRecord, MAX_LINKS};
pub use mapping_pins::PinnedMapping;
pub use pins::{ConfigPins, Pins};
pub use postgres::{InvalidServer, Server};
pub use purge::Purgeable;
pub use records::{MAX_RECORDS, RecordBatch, RecordTotals};
pub use refusals::Refusal;
pub use set_aside::{SetAside, SetAsideReason};
pub use sync_runs::{NewSyncRun, SyncKind, SyncOutcome, SyncRun, SyncRunEnd};
pub use work_items::{MAX_PAGE, StoredItem, WorkItemRecord};

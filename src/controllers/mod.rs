//! Kubernetes in, verdict out: one folder or file a kind, wired here.

mod absence;
mod causes;
pub mod connections;
pub mod context;
mod deadline;
mod error;
pub mod integration;
pub mod leadership;
pub mod leftovers;
mod lenient;
mod namespaces;
pub mod own_writes;
pub mod project_config;
mod purge;
pub mod queues;
pub mod refusals;
mod report;
mod status;
mod triggers;
pub mod visits;
mod watches;
mod wiring;

pub use context::Context;
pub use wiring::{Wiring, run};

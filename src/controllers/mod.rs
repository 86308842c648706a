//! Kubernetes in, verdict out: one folder or file a kind, wired here.

mod absence;
mod causes;
pub mod connections;
pub mod context;
mod deadline;
mod error;
pub mod integration;
pub mod leadership;
mod namespaces;
pub mod project_config;
mod report;
mod status;
mod triggers;
pub mod visits;
mod wiring;

pub use context::Context;
pub use wiring::{Wiring, run};

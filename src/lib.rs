//! ado-operator connects Azure DevOps to test management, declared as Kubernetes objects.
//!
//! The layers, lowest first, are described in `docs/architecture.md`; `tests/house.rs` keeps the imports between them
//! true.

pub mod ado;
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod controllers;
pub mod domain;
pub mod http;
pub mod metrics;
pub mod readiness;
pub mod store;
pub mod sync;
pub mod telemetry;

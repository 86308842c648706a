//! The operator on a real kube-apiserver, with the rights of the chart, against the strict simulator.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod chart;
mod config_limits;
mod config_namespaces;
mod config_outages;
mod config_pins;
mod config_reads;
mod config_refusals;
mod config_restraint;
mod config_states;
mod configs;
mod hostile;
mod integration_lifecycle;
mod integration_refusals;
mod integration_states;
mod integration_unknown;
mod judge;
mod operation;
mod policy;
mod rbac;
mod samples;
mod schema;
mod schema_urls;
mod secrecy;

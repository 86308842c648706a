//! The operator on a real kube-apiserver, with the rights of the chart, against the strict simulator.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit_trail;
mod chart;
mod columns;
mod config_credentials;
mod config_limits;
mod config_namespaces;
mod config_outages;
mod config_pins;
mod config_reads;
mod config_refusals;
mod config_restraint;
mod config_states;
mod configs;
mod crowds;
mod hostile;
mod integration_absence;
mod integration_credentials;
mod integration_lifecycle;
mod integration_outages;
mod integration_permissions;
mod integration_refusals;
mod integration_states;
mod integration_throttling;
mod integration_unknown;
mod integrations;
mod interference;
mod judge;
mod operation;
mod own_faults;
mod policy;
mod postgres;
mod rbac;
mod samples;
mod schema;
mod schema_urls;
mod secrecy;
mod server;
mod spoiled;

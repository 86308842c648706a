//! The operator on a real kube-apiserver, with the rights of the chart, against the strict simulator.

mod integration_lifecycle;
mod integration_refusals;
mod integration_states;
mod judge;
mod policy;
mod rbac;
mod schema;
mod secrecy;

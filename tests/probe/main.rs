//! Probes and `kubectl ado test-connection` against the simulator.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod bench;
mod cli;
mod cluster;
mod credentials;
mod faults;
mod manifests;
mod projects;
mod quirks;

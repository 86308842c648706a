//! Probes, `kubectl ado test-connection` and `kubectl ado init` against the simulator.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;
mod cli;
mod cluster;
mod credentials;
mod faults;
mod init;
mod init_choices;
mod manifests;
mod projects;
mod quirks;

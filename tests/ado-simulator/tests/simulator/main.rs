//! The simulator as its clients see it: one test binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it should be")]

mod contract_recordings;
mod contract_specifications;
mod control;
mod credentials;
mod faults;
mod items;
mod nodes;
mod processes;
mod program;
mod reads;
mod reporting;
mod strictness;
mod support;
mod wiql;
mod writes;

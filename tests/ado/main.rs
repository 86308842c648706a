//! The Azure DevOps client against the simulator: what each answer and each fault means, where requests may go, and
//! that what is sent is what the service's description knows.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod budget;
mod calls;
mod contract;
mod faults;
mod feeds;
mod hosts;
mod recordings;
mod secrecy;
mod support;
mod trust;
mod unconfirmed;

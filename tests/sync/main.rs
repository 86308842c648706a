//! The sync against a simulated Azure DevOps: whatever is edited there, whatever fails, wherever it ends before its time, it comes
//! to what a sync from scratch comes to, and to what the oracle of the mapping says.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod compare;
mod config;
mod crashes;
mod edits;
mod found;
mod kills;
mod live;
mod random;
mod scratch;
mod specs;
mod store;
#[path = "../mapping/words.rs"]
mod words;
mod world;

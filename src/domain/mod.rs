//! Pure decisions: no async, no I/O, no clock. Time and randomness come in as arguments.

pub mod attempts;
pub mod conditions;
pub mod disappearance;
pub mod features;
pub mod integration;
pub mod mapping;
pub mod project_config;
pub mod project_features;
pub mod projects;
pub mod records;
pub mod references;
pub mod restraint;
pub mod schedule;
pub mod troubles;
pub mod verdict;

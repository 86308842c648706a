//! The simulator as its clients see it: one test binary.

mod contract_recordings;
mod contract_specifications;
mod control;
mod credentials;
mod faults;
mod program;
mod reads;
mod strictness;
mod support;
mod wiql;
mod writes;

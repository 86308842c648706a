//! Work items: reading one or many, creating, updating (`ado-api.md` §9).

mod patch;
mod read;
mod relations;
mod rules;
mod view;
mod write;

pub(super) use read::{batch, get, list};
pub(super) use write::{create, update};

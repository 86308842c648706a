//! What the system processes are made of (`ado-api.md` §7, page *Choose a process*).

pub(crate) mod fields;
mod inherited;
mod system;

pub(crate) use inherited::contoso_agile;
pub(crate) use system::{agile, basic, cmmi, scrum};

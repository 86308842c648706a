//! The simulated world: organizations, tokens, clock.

pub(crate) mod catalog;
mod generate;
pub(crate) mod identity;
pub(crate) mod item_values;
pub(crate) mod items;
pub(crate) mod links;
pub(crate) mod organization;
pub(crate) mod permissions;
pub(crate) mod process;
pub(crate) mod project;
pub(crate) mod random;
pub(crate) mod revisions;
mod words;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub use identity::AccessLevel;
pub use permissions::{AccessControl, Right, Role};
pub use process::StateCategory;
pub use project::ProjectState;

use identity::Pats;
use organization::Organization;

/// Everything that a client can see, generated from a seed and changed by the control API.
#[derive(Debug)]
pub(crate) struct World {
    pub seed: u64,
    pub organizations: Vec<Organization>,
    pub pats: Pats,
    /// How far the simulated clock is ahead of the machine's.
    pub clock_offset: SignedDuration,
    /// Generated things so far, by kind, so that new ones get fresh ids.
    pub created: BTreeMap<&'static str, u64>,
}

impl World {
    /// The world of a seed: `contoso` with `items` work items (all in one project if it is named), and `fabrikam`.
    pub fn generate(seed: u64, items: u32, items_in: Option<&str>) -> Self {
        generate::world(seed, items, items_in)
    }

    /// Whether a project of this name is generated in `contoso`, ready to have work items.
    pub fn generates(name: &str) -> bool {
        generate::has_project(name)
    }

    /// The simulated time.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let millis = now.as_millisecond();
        let now = Timestamp::from_millisecond(millis).unwrap_or(now);
        now.checked_add(self.clock_offset).unwrap_or(now)
    }

    /// The index of an organization, its name compared without case.
    pub fn organization_index(&self, name: &str) -> Option<usize> {
        self.organizations.iter().position(|organization| organization.name.eq_ignore_ascii_case(name))
    }

    /// A number that no earlier thing of this kind had.
    pub fn next(&mut self, kind: &'static str) -> u64 {
        let counter = self.created.entry(kind).or_default();
        *counter += 1;
        // Far from the indexes of what is generated at the start.
        1_000_000_000 + *counter
    }
}

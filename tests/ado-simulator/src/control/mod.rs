//! What a test may do to a running simulator. The control API under [`PREFIX`] calls the same methods.

mod access;
pub(crate) mod http;
mod levels;
mod links;
mod nodes;
mod observe;
mod process;
mod projects;
mod teams;
mod work_items;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub use access::{NewPat, PatChange, PatInfo, PermissionChange};
pub use levels::{FieldValues, NewProcess};
pub use links::{BulkChange, ItemLink};
pub use nodes::{NewNode, NodeChange};
pub use observe::{OrganizationSummary, ProjectSummary, State};
pub use process::NewState;
pub use projects::{NewProject, ProjectChange};
pub use teams::TeamChange;
pub use work_items::{ItemChange, NewWorkItem, WorkItemSummary};
pub(crate) use work_items::{apply_row_field, fresh_details, fresh_row};

use crate::pipeline::Shared;
use crate::state::World;
use crate::state::organization::Organization;

/// The path under which the control API stands.
pub const PREFIX: &str = "/_simulator/";

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// Something that was named does not exist.
    #[error("there is no {kind} '{name}'")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// How it was named.
        name: String,
    },
    /// The change makes no sense.
    #[error("{0}")]
    Invalid(String),
}

impl ControlError {
    fn not_found(kind: &'static str, name: impl Into<String>) -> Self {
        Self::NotFound { kind, name: name.into() }
    }
}

/// A handle to a simulator's world; cheap to clone.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>, address: SocketAddr) -> Self {
        Self { shared, address }
    }

    /// A handle that only the control API uses, which needs no address.
    fn of(shared: &Arc<Shared>) -> Self {
        Self::new(Arc::clone(shared), shared.options.listen)
    }

    /// `https://localhost:PORT/contoso`.
    pub fn url(&self) -> String {
        self.organization_url("contoso")
    }

    /// The URL of an organization, existing or not.
    pub fn organization_url(&self, organization: &str) -> String {
        let directory = self.shared.options.deployment.virtual_directory();
        let directory = directory.map_or_else(String::new, |directory| format!("/{directory}"));
        format!("https://localhost:{}{directory}/{organization}", self.address.port())
    }

    /// The URL of the control API.
    pub fn control_url(&self) -> String {
        format!("https://localhost:{}{PREFIX}", self.address.port())
    }

    /// Tokens by label, of all organizations (`full`, `operator`, `read_only`, `expired`, …).
    pub fn pats(&self) -> BTreeMap<String, String> {
        let world = self.shared.world.read();
        world.pats.iter().map(|pat| (pat.label.clone(), pat.token.clone())).collect()
    }

    /// The token of a label.
    pub fn pat(&self, label: &str) -> Result<String, ControlError> {
        let world = self.shared.world.read();
        world.pats.by_label(label).map(|pat| pat.token.clone()).ok_or_else(|| ControlError::not_found("token", label))
    }

    fn read<T>(&self, organization: &str, read: impl FnOnce(&World, &Organization) -> T) -> Result<T, ControlError> {
        let world = self.shared.world.read();
        let index = find_organization(&world, organization)?;
        Ok(read(&world, &world.organizations[index]))
    }

    fn write<T>(
        &self,
        organization: &str,
        write: impl FnOnce(&mut World, usize) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        let mut world = self.shared.world.write();
        let index = find_organization(&world, organization)?;
        write(&mut world, index)
    }
}

fn find_organization(world: &World, name: &str) -> Result<usize, ControlError> {
    world.organization_index(name).ok_or_else(|| ControlError::not_found("organization", name))
}

fn find_project(organization: &Organization, key: &str) -> Result<usize, ControlError> {
    organization.project_index(key).ok_or_else(|| ControlError::not_found("project", key))
}

/// The identity of an account, a display name or a GUID.
fn find_identity(organization: &Organization, name: &str) -> Result<usize, ControlError> {
    let id = uuid::Uuid::try_parse(name).ok();
    let fits = |identity: &crate::state::identity::Identity| {
        Some(identity.id) == id
            || identity.account.eq_ignore_ascii_case(name)
            || identity.display_name.to_lowercase() == name.to_lowercase()
    };
    organization.identities.iter().position(fits).ok_or_else(|| ControlError::not_found("identity", name))
}

//! An organization: users, processes, projects, work items.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::catalog::fields::{Field, FieldIndex};
use super::identity::Identity;
use super::items::Items;
use super::process::Process;
use super::project::{Project, ProjectState};

/// An organization.
#[derive(Debug)]
pub(crate) struct Organization {
    pub name: String,
    /// `instanceId`, the id of the organization.
    pub id: Uuid,
    /// Whether it has public projects, so that anonymous callers are somebody.
    pub public: bool,
    /// Stopped: every call is answered with 503 TF24668.
    pub stopped: bool,
    pub identities: Vec<Identity>,
    pub processes: Vec<Process>,
    pub fields: Vec<Field>,
    pub field_index: HashMap<String, FieldIndex>,
    pub projects: Vec<Project>,
    pub items: Items,
    /// Service hook subscriptions as the API shows them.
    pub subscriptions: Vec<Value>,
    pub next_node: u32,
}

impl Organization {
    /// The project of this id or name, whatever its state.
    pub fn project_index(&self, key: &str) -> Option<usize> {
        let id = Uuid::try_parse(key).ok();
        let name = key.to_lowercase();
        self.projects.iter().position(|project| Some(project.id) == id || project.name.to_lowercase() == name)
    }

    /// The usable project of this id or name.
    pub fn live_project(&self, key: &str) -> Option<usize> {
        self.project_index(key).filter(|index| self.projects[*index].state == ProjectState::WellFormed)
    }

    pub fn process_of(&self, project: &Project) -> &Process {
        &self.processes[project.process]
    }

    /// The field of a reference name or display name, without case.
    pub fn field(&self, name: &str) -> Option<FieldIndex> {
        let name = name.to_lowercase();
        let by_display = || {
            let found = self.fields.iter().zip(0u16..).find(|(field, _)| field.name.to_lowercase() == name);
            found.map(|(_, index)| index)
        };
        self.field_index.get(&name).copied().or_else(by_display)
    }

    pub fn identity_index(&self, id: Uuid) -> Option<usize> {
        self.identities.iter().position(|identity| identity.id == id)
    }

    /// The identity of an account, a display name, or both as `Name <account>`.
    pub fn identity_named(&self, text: &str) -> Option<&Identity> {
        let account = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
        self.identities.iter().find(|identity| {
            identity.account.eq_ignore_ascii_case(account) || identity.display_name.eq_ignore_ascii_case(text)
        })
    }
}

//! Ids of the store's records.

use std::fmt;

use uuid::Uuid;

/// The store's id of an integration: a surrogate of (installation, namespace, name, organization id). Keys are never
/// used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, sqlx::Type)]
#[sqlx(transparent)]
pub struct IntegrationKey(pub(super) i64);

impl fmt::Display for IntegrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Id of an Azure DevOps project.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, sqlx::Type)]
#[sqlx(transparent)]
pub struct ProjectId(Uuid);

impl From<Uuid> for ProjectId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Id of a work item, unique within an organization.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WorkItemId(u32);

impl WorkItemId {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Ids as a JSON array: one parameter, whatever their number.
    pub(super) fn json(ids: impl Iterator<Item = Self>) -> String {
        ids.map(Self::get).collect::<serde_json::Value>().to_string()
    }
}

impl From<u32> for WorkItemId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

/// `metadata.uid` of a Kubernetes object.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, sqlx::Type)]
#[sqlx(transparent)]
pub struct ObjectUid(String);

impl ObjectUid {
    /// The uid as Kubernetes writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ObjectUid {
    fn from(uid: String) -> Self {
        Self(uid)
    }
}

impl From<&str> for ObjectUid {
    fn from(uid: &str) -> Self {
        Self(uid.to_owned())
    }
}

/// The store's id of a project config: a surrogate of (integration, project, namespace, name). Keys are never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, sqlx::Type)]
#[sqlx(transparent)]
pub struct ConfigKey(i64);

/// One run of a sync, as it is shown to people.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, sqlx::Type)]
#[sqlx(transparent)]
pub struct SyncRunId(i64);

/// What raw data belongs to: one Azure DevOps project as one integration reads it. Configs of an integration share it,
/// two integrations never do, since what one credential may read another may not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope {
    /// The integration.
    pub integration: IntegrationKey,
    /// The project.
    pub project: ProjectId,
}

//! A store in a folder that goes with the test.

use std::ops::Deref;
use std::path::Path;

use tempfile::TempDir;
use uuid::Uuid;

use super::{IntegrationKey, Scope, Store, WorkItemRecord};

pub struct TestStore {
    store: Store,
    folder: TempDir,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: Store::open(folder.path()).await.unwrap(), folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Drops the store without closing it; the folder stays.
    pub fn into_folder(self) -> TempDir {
        self.folder
    }

    /// Closes the store and opens the same folder again.
    pub async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Store::open(self.folder.path()).await.unwrap();
    }

    /// The scope of a project of an integration; both are created when first named.
    pub async fn scope(&self, integration: &str, project: u128) -> Scope {
        scope(&self.store, integration, project).await
    }
}

pub async fn scope(store: &Store, integration: &str, project: u128) -> Scope {
    let integration = integration_key(store, "ns", integration, "organization").await;
    Scope { integration, project: Uuid::from_u128(project).into() }
}

/// The key of an integration of this name, made when it is first asked for.
pub async fn integration_key(store: &Store, namespace: &str, name: &str, organization: &str) -> IntegrationKey {
    let uid = format!("{namespace}/{name}/{organization}").as_str().into();
    store.accept_organization(&uid, namespace, name, organization).await.unwrap().key
}

/// A user story of this id and revision.
pub fn item(id: u32, rev: u32) -> WorkItemRecord {
    WorkItemRecord {
        id: id.into(),
        rev,
        work_item_type: "User Story".into(),
        state: "New".into(),
        title: format!("Story {id}"),
        changed_at: 1_000 + i64::from(rev),
        fields: format!(r#"{{"System.Id":{id},"System.Rev":{rev}}}"#),
    }
}

//! A store in a folder or a database that goes with the test.

use std::ops::Deref;
use std::path::Path;

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use support::postgres::{Database, Postgres};
use tempfile::TempDir;
use uuid::Uuid;

use super::backend::{Backend, Connection, both};
use super::{ConfigClaim, ConfigKey, IntegrationKey, Scope, Server, Store, StoreError, WorkItemRecord};

pub struct TestStore {
    store: Store,
    home: Backend<TempDir, Database>,
    _shown: Shown,
}

/// Tells which database a test failed on.
struct Shown(&'static str);

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this happened on {}", self.0);
        }
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    /// A store in SQLite.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        Self { store, home: Backend::Sqlite(folder), _shown: Shown("SQLite") }
    }

    /// A store in PostgreSQL.
    pub async fn connect() -> Self {
        let database = Postgres::shared().and_then(|server| server.create_database()).unwrap();
        let store = Store::connect(&server(&database)).await.unwrap();
        Self { store, home: Backend::Postgres(database), _shown: Shown("PostgreSQL") }
    }

    /// A store in each kind of database. What holds for the store holds for both: `for store in TestStore::each().await`.
    pub async fn each() -> [Self; 2] {
        [Self::open().await, Self::connect().await]
    }

    /// The folder of SQLite.
    pub fn folder(&self) -> &Path {
        match &self.home {
            Backend::Sqlite(folder) => folder.path(),
            Backend::Postgres(_) => panic!("there is no folder"),
        }
    }

    /// Drops the store without closing it; the folder stays.
    pub fn into_folder(self) -> TempDir {
        match self.home {
            Backend::Sqlite(folder) => folder,
            Backend::Postgres(_) => panic!("there is no folder"),
        }
    }

    /// Another handle on the same database of PostgreSQL, as another process has it.
    pub async fn another(&self) -> Store {
        match &self.home {
            Backend::Sqlite(_) => panic!("there is one process at a time"),
            Backend::Postgres(database) => Store::connect(&server(database)).await.unwrap(),
        }
    }

    /// Closes the store and opens the same database again.
    pub async fn reopen(&mut self) {
        self.store.close().await;
        self.store = match &self.home {
            Backend::Sqlite(folder) => Store::open(folder.path()).await.unwrap(),
            Backend::Postgres(database) => Store::connect(&server(database)).await.unwrap(),
        };
    }

    /// The scope of a project of an integration; both are created when first named.
    pub async fn scope(&self, integration: &str, project: u128) -> Scope {
        scope(&self.store, integration, project).await
    }

    /// Executes a statement in a write of its own.
    pub async fn execute(&self, statement: &'static str) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        execute(transaction.connection(), statement).await?;
        transaction.commit().await
    }

    /// What a query finds.
    pub async fn rows<T>(&self, query: &'static str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        rows(&self.store, query).await.unwrap()
    }
}

async fn rows<T>(store: &Store, query: &'static str) -> Result<Vec<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(both!(store.readers(), db => sqlx::query_as(query).fetch_all(db).await?))
}

/// Executes a statement as a part of a write.
pub(super) async fn execute(connection: Connection<'_>, statement: &'static str) -> Result<(), StoreError> {
    both!(connection, db => {
        sqlx::query(statement).execute(db).await?;
    });
    Ok(())
}

/// The way to a database.
pub fn server(database: &Database) -> Server {
    Server::parse(&database.url()).unwrap()
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

/// The key of a config of this name, of an object and a project of its own.
pub async fn config(store: &Store, name: &str) -> ConfigKey {
    let (scope, uid) = (scope(store, name, 1).await, &name.into());
    store.claim_config(&ConfigClaim { scope, namespace: "ns", name, uid, purge: false }).await.unwrap()
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
        texts: None,
    }
}

//! Stores in folders and databases that go with the test, opened again as after a crash.

use std::path::Path;

use ado_operator::store::{Server, Store};
use support::postgres::{Database, Postgres};
use tempfile::TempDir;

/// A store and what it lies in.
pub struct TestStore {
    store: Option<Store>,
    home: Home,
}

enum Home {
    Folder(TempDir),
    Database(Database),
}

impl TestStore {
    /// A store in SQLite.
    pub async fn sqlite() -> Self {
        Self::within(Home::Folder(tempfile::tempdir().unwrap())).await
    }

    /// A store in PostgreSQL.
    pub async fn postgres() -> Self {
        Self::within(Home::Database(database().await)).await
    }

    /// A store in each kind of database.
    pub async fn each() -> [Self; 2] {
        [Self::sqlite().await, Self::postgres().await]
    }

    async fn within(home: Home) -> Self {
        let store = Some(open(&home).await);
        Self { store, home }
    }

    /// The store.
    pub fn get(&self) -> &Store {
        self.store.as_ref().expect("a store is open but for the moment of its crash")
    }

    /// Loses the handle without closing it, and opens the same database again.
    pub async fn crash(&mut self) {
        drop(self.store.take());
        self.store = Some(open(&self.home).await);
    }
}

/// A new and empty database of the server that this process shares.
pub async fn database() -> Database {
    let created = tokio::task::spawn_blocking(|| Postgres::shared().and_then(|server| server.create_database()));
    created.await.unwrap().unwrap()
}

/// The store in a folder.
pub async fn open_folder(folder: &Path) -> Store {
    Store::open(folder).await.unwrap()
}

/// The store in the database of a URL.
pub async fn connect(url: &str) -> Store {
    Store::connect(&Server::parse(url).unwrap()).await.unwrap()
}

async fn open(home: &Home) -> Store {
    match home {
        Home::Folder(folder) => open_folder(folder.path()).await,
        Home::Database(database) => connect(&database.url()).await,
    }
}

//! A handle on the store, whatever the database behind it.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::backend::{Backend, Database, Readers, Transaction, both};
use super::error::StoreError;
use super::postgres::Server;
use super::{postgres, sqlite};

/// The store. Clones share one database; a clone made by [`Store::as_leader`] writes under that leader's epoch.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    /// The epoch that this handle writes under; `None` writes whoever leads.
    pub(super) epoch: Option<i64>,
}

/// What all clones share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) database: Database,
    installation: Uuid,
}

impl Store {
    /// Opens the store in `folder`, which is created if it does not exist, and brings its schema up to date.
    ///
    /// The folder stays locked until the last clone is closed or dropped, or the process ends in whatever way. A second
    /// opener gets [`StoreError::Locked`] at once.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::of(Backend::Sqlite(sqlite::Database::open(folder).await?)).await
    }

    /// Opens the store in a database of PostgreSQL, and brings its schema up to date. Several processes may do so, also
    /// at the same time.
    pub async fn connect(server: &Server) -> Result<Self, StoreError> {
        Self::of(Backend::Postgres(postgres::Database::connect(server).await?)).await
    }

    async fn of(database: Database) -> Result<Self, StoreError> {
        let (mut transaction, _) = database.begin().await?;
        let installation = both!(transaction.connection(), db => {
            sqlx::query("INSERT INTO installation (only_row, id) VALUES (1, $1) ON CONFLICT DO NOTHING")
                .bind(Uuid::new_v4())
                .execute(&mut *db)
                .await?;
            sqlx::query_scalar("SELECT id FROM installation").fetch_one(db).await?
        });
        transaction.commit().await?;
        Ok(Self { shared: Arc::new(Shared { database, installation }), epoch: None })
    }

    /// The random id that this database got when it was created.
    pub fn installation_id(&self) -> Uuid {
        self.shared.installation
    }

    /// Size of the database in bytes; of SQLite with its write-ahead log.
    pub async fn size(&self) -> Result<u64, StoreError> {
        self.shared.database.size().await
    }

    /// Waits for calls under way and closes all connections, for all clones; of SQLite it releases the lock as well. Later
    /// calls get [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.shared.database.close().await;
    }

    /// Begins a write. Every write of the store begins here, so that none passes a newer leader.
    pub(super) async fn write(&self) -> Result<Transaction, StoreError> {
        let (transaction, stored) = self.shared.database.begin().await?;
        match self.epoch {
            Some(held) if held < stored => Err(StoreError::Fenced { held, stored }),
            _ => Ok(transaction),
        }
    }

    /// The connections for reads outside a write.
    pub(super) fn readers(&self) -> Readers<'_> {
        self.shared.database.readers()
    }
}

#[cfg(test)]
mod tests;

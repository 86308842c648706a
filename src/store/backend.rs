//! The two kinds of database behind the store, and how one statement serves both.
//!
//! A text that both understand numbers its parameters (`$1`), names the columns of a conflict, and writes `TRUE` and
//! `FALSE`. Where they differ, the two texts stand side by side.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

use super::error::StoreError;
use super::{postgres, sqlite};

/// How long a call to PostgreSQL may take in all. The server ends a statement before that; this is for a server that is
/// gone without a word, which the network would notice after a quarter of an hour.
const ANSWER: Duration = Duration::from_mins(3);

/// The same thing of either back end.
#[derive(Debug)]
pub(super) enum Backend<S, P> {
    /// A file of this process alone.
    Sqlite(S),
    /// A server that several processes share.
    Postgres(P),
}

/// An open database.
pub(super) type Database = Backend<sqlite::Database, postgres::Database>;

/// Connections for reads outside of a write.
pub(super) type Readers<'a> = Backend<&'a SqlitePool, &'a PgPool>;

/// The connection of a write.
pub(super) type Connection<'a> = Backend<&'a mut SqliteConnection, &'a mut PgConnection>;

/// A write under way. Dropped without a commit, it leaves nothing.
#[derive(Debug)]
pub(super) struct Transaction(Backend<sqlx::Transaction<'static, Sqlite>, sqlx::Transaction<'static, Postgres>>);

/// Does the same on either back end: `both!(connection, db => sqlx::query("…").execute(db).await?)`.
///
/// What stands behind the arrow is compiled once for each of them, so it may hold whatever both drivers understand. Of its
/// errors only sqlx's may leave it by `?`.
macro_rules! both {
    ($backend:expr, $db:ident => $call:expr) => {
        match $backend {
            $crate::store::backend::Backend::Sqlite($db) => $call,
            $crate::store::backend::Backend::Postgres($db) => {
                $crate::store::backend::answered(Box::pin(async { Ok($call) })).await?
            }
        }
    };
}
pub(super) use both;

/// What a call to PostgreSQL came to, if the server answers at all.
///
/// The call is in a box, since each caller's future would otherwise have room for the calls to both databases.
pub(super) async fn answered<T>(call: BoxFuture<'_, sqlx::Result<T>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER, call).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(StoreError::silent(ANSWER)),
    }
}

impl Database {
    /// Begins a write, and tells the epoch in force. There is one write at a time on either back end, so what it reads
    /// cannot change before it writes.
    pub(super) async fn begin(&self) -> Result<(Transaction, i64), StoreError> {
        let begun = match self {
            // The lock is taken at the start: SQLite would refuse to give it to a transaction that has read before.
            Self::Sqlite(database) => Backend::Sqlite(database.writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(database) => Backend::Postgres(answered(Box::pin(database.writer.begin())).await?),
        };
        let mut transaction = Transaction(begun);
        let in_force = match transaction.connection() {
            Backend::Sqlite(_) => "SELECT epoch FROM leader_epoch",
            // Held until the end of the transaction. A statement that had to wait for the lock sees what the one before
            // committed, and so do all later ones (PostgreSQL manual, "Read Committed Isolation Level").
            Backend::Postgres(_) => "SELECT epoch FROM leader_epoch FOR UPDATE",
        };
        let epoch = both!(transaction.connection(), db => sqlx::query_scalar(in_force).fetch_one(db).await?);
        Ok((transaction, epoch))
    }

    pub(super) fn readers(&self) -> Readers<'_> {
        match self {
            Self::Sqlite(database) => Backend::Sqlite(&database.readers),
            Self::Postgres(database) => Backend::Postgres(&database.readers),
        }
    }

    /// Bytes on the disk.
    pub(super) async fn size(&self) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(database) => database.size().await,
            Self::Postgres(database) => database.size().await,
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}

impl Transaction {
    pub(super) fn connection(&mut self) -> Connection<'_> {
        match &mut self.0 {
            Backend::Sqlite(transaction) => Backend::Sqlite(&mut **transaction),
            Backend::Postgres(transaction) => Backend::Postgres(&mut **transaction),
        }
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Backend::Sqlite(transaction) => Ok(transaction.commit().await?),
            Backend::Postgres(transaction) => answered(Box::pin(transaction.commit())).await,
        }
    }
}

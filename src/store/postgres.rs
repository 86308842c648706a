//! A database of PostgreSQL: its connections, and what holds for each of them.

use std::time::Duration;

use futures::future::join;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

use super::backend::answered;
use super::error::StoreError;

pub use server::{InvalidServer, Server};

mod server;

/// The name by which the server's administrator sees our connections.
const APPLICATION: &str = "ado-operator";

/// Readers of a process beside its one writer. With a few replicas that is far below a server's limit of 100 connections.
const READERS: u32 = 4;

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_mins(5);

/// How long a connection is kept at most: after a change of the server behind its name, none stays with the old one.
const LIFETIME: Duration = Duration::from_mins(30);

/// How long a caller waits for the writer, for a free reader, or for a server that refuses connections just now.
const ACQUIRE: Duration = Duration::from_secs(30);

/// How long a goodbye may take at shutdown.
const GOODBYE: Duration = Duration::from_secs(5);

/// Settings of each connection.
const SETTINGS: [(&str, &str); 9] = [
    // What the server ends by itself: a statement that takes too long, a wait for another writer, and a transaction of a
    // process that is gone, which would keep all others from writing. Of one that is gone in the middle of a statement only
    // the network tells, after a minute.
    ("statement_timeout", "120s"),
    ("lock_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    // Each statement of a write must see what the write before it committed (`Database::begin`).
    ("default_transaction_isolation", "read committed"),
    // Each statement is planned when it is executed: a plan that was made while a table was empty, and kept, would read all
    // of the table once it is full.
    ("plan_cache_mode", "force_custom_plan"),
    // Whatever is read in pages is read along an index that has its order. Until the server has looked at a new table it takes
    // a scope for a few rows, and would collect and sort all of them for each page.
    ("enable_sort", "off"),
];

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) writer: PgPool,
    pub(super) readers: PgPool,
}

impl Database {
    pub(super) async fn connect(server: &Server) -> Result<Self, StoreError> {
        let quiet = [("client_min_messages", "warning")];
        let options = server.options().clone().application_name(APPLICATION).options(quiet).disable_statement_logging();
        migrate(&options).await?;
        let writer = options.options(SETTINGS);
        let reader = writer.clone().options([("default_transaction_read_only", "on")]);
        let pool = |connections, options| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE)
                .idle_timeout(IDLE)
                .max_lifetime(LIFETIME)
                .connect_lazy_with(options)
        };
        Ok(Self { writer: pool(1, writer), readers: pool(READERS, reader) })
    }

    pub(super) async fn size(&self) -> Result<u64, StoreError> {
        let size = sqlx::query_scalar("SELECT pg_database_size(current_database())");
        let bytes: i64 = answered(Box::pin(size.fetch_one(&self.readers))).await?;
        Ok(bytes.unsigned_abs())
    }

    /// Waits for calls under way and closes all connections, or leaves it to the server if that takes too long.
    pub(super) async fn close(&self) {
        let closed = join(self.readers.close(), self.writer.close());
        let _ = tokio::time::timeout(GOODBYE, closed).await;
    }
}

/// Brings the schema up to date on a connection without limits: a migration may take long, and others wait for it meanwhile.
/// The first statement takes a lock of the server, so that one process at a time migrates.
async fn migrate(options: &PgConnectOptions) -> Result<(), StoreError> {
    // A pool would try again for a while, and then not tell why the server could not be reached.
    let connection = answered(Box::pin(options.connect())).await?;
    answered(Box::pin(connection.close())).await?;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE).connect_lazy_with(options.clone());
    let mut migrator = sqlx::migrate!("src/store/migrations/postgres");
    // Migrations only add, so a program that was rolled back works on the newer schema.
    migrator.set_ignore_missing(true);
    migrator.run(&pool).await?;
    pool.close().await;
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

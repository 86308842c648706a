//! What can go wrong in the store, and whether waiting helps.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

use super::filesystem::RefusedFileSystem;

/// What the driver or the database said, in one sentence.
///
/// The errors themselves are not kept: the details of PostgreSQL's repeat rows and keys.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        Self(match error.as_database_error() {
            Some(database) => match database.code() {
                Some(code) => format!("{} (code {code})", database.message()),
                None => database.message().to_owned(),
            },
            None => error.to_string(),
        })
    }
}

/// A failure of the store. No variant carries a stored or bound value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another handle of this one, holds the lock of this folder.
    #[error("the store is in use by another process: {} is locked", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder lies on a file system whose locks, shared memory or flushes a database cannot rely on.
    #[error(
        "the store's folder {} is on {file_system}, where a database file is not safe: use a block device volume",
        path.display()
    )]
    FileSystem {
        /// The folder.
        path: PathBuf,
        /// What it lies on.
        file_system: RefusedFileSystem,
    },
    /// The folder or a file in it could not be created, opened or examined.
    #[error("{} cannot be used: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the store's schema could not be brought up to date: {0}")]
    Migration(#[source] Cause),
    /// A newer leader has taken over; this one must stop writing.
    #[error("a newer leader writes to the store: epoch {stored} is in force, this writer has {held}")]
    Fenced {
        /// The epoch of the refused writer.
        held: i64,
        /// The epoch in force.
        stored: i64,
    },
    /// The sync run does not exist, or has ended.
    #[error("the sync run is not under way")]
    SyncRunNotOpen,
    /// The project config is gone, and its records with it.
    #[error("the project config is gone from the store")]
    ConfigGone,
    /// A value or a list is larger than the store takes.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, in bytes for texts and in entries for lists.
        limit: usize,
    },
    /// The volume of the database is full.
    #[error("the store's volume is full")]
    Full(#[source] Cause),
    /// The database was busy, closing, not to be reached, or could not be read or written just now.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] Cause),
    /// There is no trust in the server: its certificate is not the one of its name, or of no authority that is trusted, or
    /// the files with which to check it cannot be used.
    #[error("the database server cannot be trusted: {0}")]
    Untrusted(#[source] Cause),
    /// The file is not a database, or its contents are not what this program wrote.
    #[error("the store is damaged: {0}")]
    Damaged(#[source] Cause),
    /// The database refused a statement: a broken constraint, or a fault of this program.
    #[error("the store refused a statement: {0}")]
    Refused(#[source] Cause),
}

impl StoreError {
    /// A constant CamelCase word for conditions, metrics and logs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "StoreLocked",
            Self::FileSystem { .. } => "StoreFileSystemRefused",
            Self::Io { .. } => "StoreFolderUnusable",
            Self::Migration(_) => "StoreMigrationFailed",
            Self::Fenced { .. } => "Fenced",
            Self::SyncRunNotOpen => "SyncRunNotOpen",
            Self::ConfigGone => "StoredConfigGone",
            Self::TooLarge { .. } => "StoreValueTooLarge",
            Self::Full(_) => "StoreFull",
            Self::Unavailable(_) => "StoreUnavailable",
            Self::Untrusted(_) => "StoreUntrusted",
            Self::Damaged(_) => "StoreDamaged",
            Self::Refused(_) => "StoreStatementRefused",
        }
    }

    /// Whether the same call may succeed later without a change to the program, the data or the deployment.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Locked { .. } | Self::Full(_) | Self::Unavailable(_) => true,
            Self::FileSystem { .. }
            | Self::Io { .. }
            | Self::Migration(_)
            | Self::Fenced { .. }
            | Self::SyncRunNotOpen
            | Self::ConfigGone
            | Self::TooLarge { .. }
            | Self::Untrusted(_)
            | Self::Damaged(_)
            | Self::Refused(_) => false,
        }
    }

    /// The server did not answer within that time.
    pub(super) fn silent(limit: Duration) -> Self {
        Self::Unavailable(Cause(format!("no answer within {} s", limit.as_secs())))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let meaning = match &error {
            sqlx::Error::Database(database) => database_meaning(&**database),
            // rustls gives its errors this kind.
            sqlx::Error::Io(source) if source.kind() == std::io::ErrorKind::InvalidData => Self::Untrusted,
            sqlx::Error::Tls(_) => Self::Untrusted,
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => Self::Damaged,
            // The enum is open; what is left are faults in our statements, which no waiting mends.
            _ => Self::Refused,
        };
        meaning(error.into())
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => match Self::from(source) {
                Self::Refused(cause) => Self::Migration(cause),
                other => other,
            },
            other => Self::Migration(Cause(other.to_string())),
        }
    }
}

/// What an error of the database itself means.
fn database_meaning(error: &dyn DatabaseError) -> fn(Cause) -> StoreError {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() { postgres_meaning(code) } else { sqlite_meaning(code) }
}

/// A result code of SQLite (sqlite.org, "Result and Error Codes"), whose low byte is the primary one.
fn sqlite_meaning(extended: &str) -> fn(Cause) -> StoreError {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const NO_MEMORY: u32 = 7;
    const READ_ONLY: u32 = 8;
    const INTERRUPTED: u32 = 9;
    const IO_ERROR: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    const PROTOCOL: u32 = 15;
    const NOT_A_DATABASE: u32 = 26;
    match extended.parse::<u32>().map(|code| code & 0xff) {
        Ok(FULL) => StoreError::Full,
        Ok(BUSY | LOCKED | NO_MEMORY | READ_ONLY | INTERRUPTED | IO_ERROR | CANNOT_OPEN | PROTOCOL) => {
            StoreError::Unavailable
        }
        Ok(CORRUPT | NOT_A_DATABASE) => StoreError::Damaged,
        _ => StoreError::Refused,
    }
}

/// An SQLSTATE of PostgreSQL (manual, "PostgreSQL Error Codes"); its first two characters are its class.
fn postgres_meaning(code: &str) -> fn(Cause) -> StoreError {
    const DISK_FULL: &str = "53100";
    const DATA_CORRUPTED: &str = "XX001";
    const INDEX_CORRUPTED: &str = "XX002";
    const READ_ONLY: &str = "25006";
    const IDLE_IN_TRANSACTION: &str = "25P03";
    const SERIALIZATION: &str = "40001";
    const DEADLOCK: &str = "40P01";
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const IO_ERROR: &str = "58030";
    const CONNECTION_CLASS: &str = "08";
    const RESOURCES_CLASS: &str = "53";
    /// Shutdowns, restarts, statements that took too long.
    const INTERVENTION_CLASS: &str = "57";
    match code {
        DISK_FULL => StoreError::Full,
        DATA_CORRUPTED | INDEX_CORRUPTED => StoreError::Damaged,
        // A read-only server is a standby: after a failover it is another one's turn, or it becomes the first itself.
        READ_ONLY | IDLE_IN_TRANSACTION | SERIALIZATION | DEADLOCK | LOCK_NOT_AVAILABLE | IO_ERROR => {
            StoreError::Unavailable
        }
        _ => match code.get(..2) {
            Some(CONNECTION_CLASS | RESOURCES_CLASS | INTERVENTION_CLASS) => StoreError::Unavailable,
            _ => StoreError::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause() -> Cause {
        Cause("cause".into())
    }

    #[test]
    fn codes_of_postgres_have_the_meaning_of_their_class() {
        for (code, reason) in [
            ("53100", "StoreFull"),
            ("XX001", "StoreDamaged"),
            ("XX002", "StoreDamaged"),
            ("XX000", "StoreStatementRefused"),
            ("08006", "StoreUnavailable"),
            ("53300", "StoreUnavailable"),
            ("57P01", "StoreUnavailable"),
            ("57P03", "StoreUnavailable"),
            ("57014", "StoreUnavailable"),
            ("40001", "StoreUnavailable"),
            ("40P01", "StoreUnavailable"),
            ("55P03", "StoreUnavailable"),
            ("25006", "StoreUnavailable"),
            ("25P02", "StoreStatementRefused"),
            ("23505", "StoreStatementRefused"),
            ("28P01", "StoreStatementRefused"),
            ("", "StoreStatementRefused"),
            ("ü", "StoreStatementRefused"),
        ] {
            assert_eq!(postgres_meaning(code)(cause()).reason(), reason, "{code}");
        }
    }

    #[test]
    fn codes_of_sqlite_have_the_meaning_of_their_low_byte() {
        for (code, reason) in [
            ("13", "StoreFull"),
            ("5", "StoreUnavailable"),
            ("261", "StoreUnavailable"),
            ("779", "StoreDamaged"),
            ("2067", "StoreStatementRefused"),
            ("", "StoreStatementRefused"),
        ] {
            assert_eq!(sqlite_meaning(code)(cause()).reason(), reason, "{code}");
        }
    }
}

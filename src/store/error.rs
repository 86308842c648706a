//! What can go wrong in the store, and whether waiting helps.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use super::filesystem::RefusedFileSystem;

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
    Migration(#[source] Box<MigrateError>),
    /// A newer leader has taken over; this one must stop writing.
    #[error("a newer leader writes to the store: epoch {stored} is in force, this writer has {held}")]
    Fenced {
        /// The epoch of the refused writer.
        held: i64,
        /// The epoch in force.
        stored: i64,
    },
    /// The full read was finished, aborted, or superseded by a later one of the same project.
    #[error("the full read is no longer open")]
    RunNotOpen,
    /// The sync run does not exist, or has ended.
    #[error("the sync run is not under way")]
    SyncRunNotOpen,
    /// A value or a list is larger than the store takes.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, in bytes for texts and in entries for lists.
        limit: usize,
    },
    /// The volume is full.
    #[error("the store's volume is full")]
    Full(#[source] sqlx::Error),
    /// The database was busy, closing, or could not be read or written just now.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The file is not a database, or its contents are not what this program wrote.
    #[error("the store is damaged: {0}")]
    Damaged(#[source] sqlx::Error),
    /// The database refused a statement: a broken constraint, or a fault of this program.
    #[error("the store refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
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
            Self::RunNotOpen => "FullReadNotOpen",
            Self::SyncRunNotOpen => "SyncRunNotOpen",
            Self::TooLarge { .. } => "StoreValueTooLarge",
            Self::Full(_) => "StoreFull",
            Self::Unavailable(_) => "StoreUnavailable",
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
            | Self::RunNotOpen
            | Self::SyncRunNotOpen
            | Self::TooLarge { .. }
            | Self::Damaged(_)
            | Self::Refused(_) => false,
        }
    }
}

/// The primary result codes of SQLite that we tell apart (sqlite.org, "Result and Error Codes").
mod code {
    pub const BUSY: u32 = 5;
    pub const LOCKED: u32 = 6;
    pub const NO_MEMORY: u32 = 7;
    pub const READ_ONLY: u32 = 8;
    pub const INTERRUPTED: u32 = 9;
    pub const IO_ERROR: u32 = 10;
    pub const CORRUPT: u32 = 11;
    pub const FULL: u32 = 13;
    pub const CANNOT_OPEN: u32 = 14;
    pub const PROTOCOL: u32 = 15;
    pub const NOT_A_DATABASE: u32 = 26;
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match primary_code(database.code().as_deref()) {
                Some(code::FULL) => Self::Full(error),
                Some(
                    code::BUSY
                    | code::LOCKED
                    | code::NO_MEMORY
                    | code::READ_ONLY
                    | code::INTERRUPTED
                    | code::IO_ERROR
                    | code::CANNOT_OPEN
                    | code::PROTOCOL,
                ) => Self::Unavailable(error),
                Some(code::CORRUPT | code::NOT_A_DATABASE) => Self::Damaged(error),
                _ => Self::Refused(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
                Self::Damaged(error)
            }
            // The enum is open; what is left are faults in our statements, which no waiting mends.
            _ => Self::Refused(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                let error = Self::from(source);
                match error {
                    Self::Refused(source) => Self::Migration(Box::new(MigrateError::Execute(source))),
                    other => other,
                }
            }
            other => Self::Migration(Box::new(other)),
        }
    }
}

/// The low byte of an extended result code.
fn primary_code(extended: Option<&str>) -> Option<u32> {
    extended?.parse::<u32>().ok().map(|code| code & 0xff)
}

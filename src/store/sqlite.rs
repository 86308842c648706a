//! A database of SQLite: opening, locking and closing its file.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use super::error::StoreError;
use super::filesystem;

/// Names of the files in the store's folder; SQLite adds `-wal` and `-shm` to the first.
const DATABASE: &str = "ado-operator.db";
const LOCK: &str = "ado-operator.lock";

/// Readers beside the one writer. Each is a thread with a cache of its own, started when needed.
const READERS: u32 = 4;

/// How long an unused reader is kept.
const READER_IDLE: Duration = Duration::from_mins(1);

/// Page caches in KiB. The operating system caches the file as well, so these only have to hold what one page of a sync
/// touches: the upper levels of the indexes and the rows being written.
const WRITER_CACHE_KIB: u32 = 4_096;
const READER_CACHE_KIB: u32 = 1_024;

/// The write-ahead log shrinks back to this size, in bytes, after a large transaction.
const WAL_LIMIT: u32 = 16 * 1024 * 1024;

/// How long a statement waits for a lock inside the database. Only checkpoints and a copy made by an administrator ever
/// hold one, since all writes of this process pass one connection.
const BUSY: Duration = Duration::from_secs(10);

/// How long a caller waits for the writer, or for a free reader.
const ACQUIRE: Duration = Duration::from_secs(30);

/// An open database. Fields are dropped in this order: connections before the lock.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
    file: PathBuf,
    lock: Lock,
}

/// The lock of the folder, until it is dropped.
///
/// It is let go of explicitly: closing the file would not do while a process that another thread is just starting has it open
/// as well.
#[derive(Debug)]
struct Lock(File);

impl Lock {
    fn release(&self) {
        // An error here means that the operating system has no such lock any more, which is what we want.
        let _ = self.0.unlock();
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.release();
    }
}

impl Database {
    pub(super) async fn open(folder: &Path) -> Result<Self, StoreError> {
        create_folder(folder)?;
        refuse_unsafe_file_system(folder, filesystem::magic(folder))?;
        let lock = lock(&folder.join(LOCK))?;
        let file = folder.join(DATABASE);
        create_private_file(&file)?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(writer_options(&file))
            .await?;
        migrate(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(READER_IDLE)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(reader_options(&file));
        Ok(Self { writer, readers, file, lock })
    }

    /// Size of the database and its write-ahead log, in bytes.
    pub(super) async fn size(&self) -> Result<u64, StoreError> {
        let mut total = 0;
        for path in [self.file.clone(), with_suffix(&self.file, "-wal")] {
            match tokio::fs::metadata(&path).await {
                Ok(metadata) => total += metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Io { path, source }),
            }
        }
        Ok(total)
    }

    /// Waits for calls under way, closes all connections and releases the lock.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        // Last, since the last connection to close folds the write-ahead log into the database, which a reader may not.
        self.writer.close().await;
        self.lock.release();
    }
}

fn writer_options(database: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it returns. With NORMAL the last commits before a power failure are lost, among
        // them the audit trail's, and a webhook event that was answered with 200. It costs one flush per transaction,
        // that is per page of a sync.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
        .pragma("journal_size_limit", WAL_LIMIT.to_string())
        // The container's root is read-only: there may be no folder for temporary files.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

fn reader_options(database: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(database)
        .read_only(true)
        .busy_timeout(BUSY)
        .pragma("cache_size", format!("-{READER_CACHE_KIB}"))
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let mut migrator = sqlx::migrate!("src/store/migrations/sqlite");
    // Migrations only add, so a program that was rolled back works on the newer schema.
    migrator.set_ignore_missing(true);
    migrator.run(writer).await?;
    Ok(())
}

fn create_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| StoreError::Io { path: folder.to_owned(), source })
}

fn refuse_unsafe_file_system(folder: &Path, magic: std::io::Result<u32>) -> Result<(), StoreError> {
    let magic = magic.map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
    match filesystem::refused(magic) {
        Some(file_system) => Err(StoreError::FileSystem { path: folder.to_owned(), file_system }),
        None => Ok(()),
    }
}

/// Locks a file of our own: locks on the database file itself are SQLite's.
fn lock(path: &Path) -> Result<Lock, StoreError> {
    let file = create_private_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

/// Opens a file, creating it for this user alone: it holds whatever the credentials can read. SQLite gives the mode
/// of the database to the files beside it.
fn create_private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

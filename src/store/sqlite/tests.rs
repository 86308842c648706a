use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::Store;
use crate::store::backend::Backend;
use crate::store::testing::{TestStore, item};

pub(super) fn database(store: &Store) -> &Database {
    match &store.shared.database {
        Backend::Sqlite(database) => database,
        Backend::Postgres(_) => panic!("this is not SQLite"),
    }
}

#[tokio::test]
async fn a_second_opener_is_refused_at_once_and_told_the_file() {
    let mut store = TestStore::open().await;
    let refused = Store::open(store.folder()).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Locked { path } if *path == store.folder().join(LOCK)), "{refused:?}");
    assert!(refused.to_string().contains("ado-operator.lock"), "{refused}");
    assert_eq!((refused.reason(), refused.is_transient()), ("StoreLocked", true));
    store.reopen().await;
}

#[test]
fn a_folder_on_a_network_file_system_is_refused_with_both_names() {
    let refused = refuse_unsafe_file_system(Path::new("/data"), Ok(0x6969)).unwrap_err();
    assert_eq!((refused.reason(), refused.is_transient()), ("StoreFileSystemRefused", false));
    assert!(refused.to_string().starts_with("the store's folder /data is on NFS"), "{refused}");
    refuse_unsafe_file_system(Path::new("/data"), Ok(0xEF53)).expect("ext4 is safe");
}

#[tokio::test]
async fn a_clone_keeps_the_lock_until_it_is_closed() {
    let store = TestStore::open().await;
    let clone = Store::clone(&store).as_leader(1);
    let folder = store.folder().to_owned();
    assert!(matches!(Store::open(&folder).await, Err(StoreError::Locked { .. })));
    clone.close().await;
    Store::open(&folder).await.unwrap().close().await;
}

#[tokio::test]
async fn connections_are_durable() {
    let store = TestStore::open().await;
    let pragma = |name: &str| format!("PRAGMA {name}");
    for (name, value) in [("synchronous", 2), ("foreign_keys", 1), ("cache_size", -4_096), ("temp_store", 2)] {
        let found: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(pragma(name))).fetch_one(&database(&store).writer).await.unwrap();
        assert_eq!(found, value, "{name}");
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&database(&store).readers).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_new_folder_and_its_files_are_for_this_user_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data/store");
    let store = Store::open(&folder).await.unwrap();
    let scope = crate::store::testing::scope(&store, "contoso", 1).await;
    store.put_revisions(scope, &[item(1, 1)], &[], None).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "database, write-ahead log, its index and the lock: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn the_size_is_that_of_database_and_log() {
    let store = TestStore::open().await;
    let on_disk = |name: &str| std::fs::metadata(store.folder().join(name)).unwrap().len();
    let expected = on_disk("ado-operator.db") + on_disk("ado-operator.db-wal");
    assert_eq!(store.size().await.unwrap(), expected);
    assert!(expected > 0);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damage_and_a_folder_that_is_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(DATABASE), "no database, but long enough to have a header".repeat(100)).unwrap();
    let refused = Store::open(folder.path()).await.unwrap_err();
    assert_eq!((refused.reason(), refused.is_transient()), ("StoreDamaged", false), "{refused:?}");

    let file = folder.path().join(DATABASE);
    let refused = Store::open(&file).await.unwrap_err();
    assert_eq!(refused.reason(), "StoreFolderUnusable");
    assert!(refused.to_string().contains(DATABASE), "{refused}");
}

#[tokio::test]
async fn a_full_volume_is_reported_as_such_and_may_pass() {
    let store = TestStore::open().await;
    let scope = store.scope("contoso", 1).await;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&database(&store).writer).await.unwrap();
    let limit = |pages: i64| sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}")));
    limit(pages).execute(&database(&store).writer).await.unwrap();
    let page: Vec<_> = (1..=1_000).map(|id| item(id, 1)).collect();
    let refused = store.put_revisions(scope, &page, &[], None).await.unwrap_err();
    assert_eq!((refused.reason(), refused.is_transient()), ("StoreFull", true));
    assert_eq!(store.count_by_type(scope).await.unwrap(), []);
    limit(1_000_000).execute(&database(&store).writer).await.unwrap();
    store.put_revisions(scope, &page, &[], None).await.unwrap();
}

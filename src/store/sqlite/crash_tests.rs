//! What a killed process leaves: this test binary runs itself as the process that is killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::tests::database;
use crate::store::testing::{TestStore, item, scope};
use crate::store::{Store, StoreError};

const FOLDER: &str = "STORE_CRASH_TEST_FOLDER";
const PAGE: u32 = 50;

/// Not a test: the process that is killed. It writes pages and reports each one after its commit, until it is killed.
#[tokio::test]
#[ignore = "runs only as the child of a_killed_process_loses_no_page_and_no_half_page_remains"]
async fn write_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let store = Store::open(&folder).await.unwrap();
    let scope = scope(&store, "contoso", 1).await;
    for page in 0.. {
        let items: Vec<_> = (page * PAGE..(page + 1) * PAGE).map(|id| item(id, 1)).collect();
        store.put_revisions(scope, &items, &[], None).await.unwrap();
        println!("\ncommitted {page}");
    }
}

#[tokio::test]
async fn a_killed_process_loses_no_page_and_no_half_page_remains() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{}::write_until_killed", module_path!().split_once("::").unwrap().1)])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut committed = lines.filter_map(|line| line.strip_prefix("committed ")?.parse::<u32>().ok());
    let reported = committed.by_ref().find(|page| *page >= 20).expect("the child stopped before its twentieth page");
    assert!(matches!(Store::open(folder.path()).await, Err(StoreError::Locked { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    let reported = committed.last().unwrap_or(reported);

    let store = Store::open(folder.path()).await.expect("the lock went with the process");
    let scope = scope(&store, "contoso", 1).await;
    let counts = store.count_by_type(scope).await.unwrap();
    let stored = counts[0].1;
    assert!(stored >= u64::from((reported + 1) * PAGE), "{stored} items, but page {reported} was committed");
    assert_eq!(stored % u64::from(PAGE), 0, "a page is stored whole or not at all");
    let check: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&database(&store).readers).await.unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_store_that_is_dropped_without_closing_keeps_what_was_committed() {
    let store = TestStore::open().await;
    let first = scope(&store, "contoso", 1).await;
    store.put_revisions(first, &[item(1, 1)], &[], None).await.unwrap();
    let folder = store.into_folder();
    let store = Store::open(folder.path()).await.expect("the lock went with the last handle");
    assert_eq!(store.count_by_type(first).await.unwrap(), [("User Story".to_owned(), 1)]);
}

use super::*;
use crate::store::testing::{TestStore, execute, integration_key, item};

const PIN: &str = "INSERT INTO pins (uid, kind, value) VALUES ('uid', 'ProjectId', 'p')";

#[tokio::test]
async fn migrations_run_once_and_leave_data_alone() {
    for mut store in TestStore::each().await {
        let applied = "SELECT version, CAST(installed_on AS TEXT) FROM _sqlx_migrations ORDER BY version";
        let first: Vec<(i64, String)> = store.rows(applied).await;
        let key = integration_key(&store, "ns", "contoso", "organization").await;
        store.reopen().await;
        let second: Vec<(i64, String)> = store.rows(applied).await;
        assert_eq!(first, second);
        assert!(!first.is_empty());
        assert_eq!(integration_key(&store, "ns", "contoso", "organization").await, key);
    }
}

#[tokio::test]
async fn a_program_that_was_rolled_back_opens_the_newer_schema() {
    for mut store in TestStore::each().await {
        let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 SELECT 9999, 'of a later release', TRUE, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        store.execute(later).await.unwrap();
        store.reopen().await;
    }
}

#[tokio::test]
async fn a_read_does_not_wait_for_a_write_and_sees_only_what_is_committed() {
    for store in TestStore::each().await {
        let mut transaction = store.write().await.unwrap();
        execute(transaction.connection(), PIN).await.unwrap();
        assert_eq!(store.pins(&"uid".into()).await.unwrap().project_id, None);
        transaction.commit().await.unwrap();
        assert_eq!(store.pins(&"uid".into()).await.unwrap().project_id.as_deref(), Some("p"));
    }
}

#[tokio::test]
async fn a_write_that_is_dropped_half_way_leaves_nothing_and_frees_the_writer() {
    for store in TestStore::each().await {
        let mut transaction = store.write().await.unwrap();
        execute(transaction.connection(), PIN).await.unwrap();
        drop(transaction);
        store.record_refusal(&"other".into(), "secret/1", 1).await.unwrap();
        assert_eq!(store.pins(&"uid".into()).await.unwrap().project_id, None);
    }
}

#[tokio::test]
async fn an_error_does_not_repeat_the_values_that_were_bound() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        // PostgreSQL tells the whole row that breaks a rule.
        let rule = match store.readers() {
            Backend::Sqlite(_) => {
                "CREATE TRIGGER rule BEFORE INSERT ON work_items BEGIN SELECT RAISE(ABORT, 'no'); END"
            }
            Backend::Postgres(_) => "ALTER TABLE work_items ADD CONSTRAINT rule CHECK (title <> 'hunter2')",
        };
        store.execute(rule).await.unwrap();
        let mut secret = item(1, 1);
        secret.title = "hunter2".into();
        secret.fields = r#"{"x":"hunter2"}"#.into();
        let refused = store.put_revisions(scope, &[secret], &[], None).await.unwrap_err();
        assert_eq!((refused.reason(), refused.is_transient()), ("StoreStatementRefused", false));
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    for store in TestStore::each().await {
        let refused = write_by_reader(&store).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
}

/// Writes by way of a reader.
async fn write_by_reader(store: &Store) -> Result<(), StoreError> {
    both!(store.readers(), db => {
        sqlx::query("DELETE FROM pins").execute(db).await?;
    });
    Ok(())
}

#[tokio::test]
async fn closing_one_clone_closes_all() {
    for store in TestStore::each().await {
        let clone = Store::clone(&store).as_leader(1);
        clone.close().await;
        let refused = store.record_refusal(&"uid".into(), "secret/1", 1).await.unwrap_err();
        assert_eq!((refused.reason(), refused.is_transient()), ("StoreUnavailable", true));
    }
}

#[tokio::test]
async fn the_size_grows_with_what_is_stored() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let before = store.size().await.unwrap();
        let page: Vec<_> = (1..=1_000).map(|id| item(id, 1)).collect();
        store.put_revisions(scope, &page, &[], None).await.unwrap();
        assert!(store.size().await.unwrap() > before);
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations").join(folder);
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
        files.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

use std::sync::Arc;

use support::postgres::Postgres;

use super::*;
use crate::store::backend::{Backend, both};
use crate::store::testing::{TestStore, execute, item, scope, server};
use crate::store::{Store, StoreError};

async fn texts(store: &Store, query: &'static str) -> Result<Vec<String>, StoreError> {
    Ok(both!(store.readers(), db => sqlx::query_scalar(query).fetch_all(db).await?))
}

/// Waits until a session of this database waits for another one's lock.
async fn somebody_waits(store: &Store) {
    let waiting =
        "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while texts(store, waiting).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn processes_that_start_at_once_find_one_and_the_same_store() {
    let database = Postgres::shared().unwrap().create_database().unwrap();
    let opened = (0..8).map(|_| async { Store::connect(&server(&database)).await });
    let stores = futures::future::try_join_all(opened).await.unwrap();
    let ids: Vec<_> = stores.iter().map(Store::installation_id).collect();
    assert_eq!(ids, vec![ids[0]; 8]);
}

#[tokio::test]
async fn a_write_of_another_process_is_not_overtaken_by_a_newer_leader() {
    let store = TestStore::connect().await;
    store.raise_epoch(1).await.unwrap();
    let (older, newer) = (store.another().await.as_leader(1), store.another().await);
    let mut under_way = older.write().await.unwrap();
    let raise = tokio::spawn(async move { newer.raise_epoch(2).await });
    somebody_waits(&store).await;
    assert_eq!(store.epoch().await.unwrap(), 1, "the older leader has passed its check, so the newer one waits");
    execute(under_way.connection(), "INSERT INTO pins (uid, kind, value) VALUES ('a', 'ProjectId', 'p')")
        .await
        .unwrap();
    under_way.commit().await.unwrap();
    raise.await.unwrap().unwrap();
    assert!(matches!(older.write().await.map(drop), Err(StoreError::Fenced { held: 1, stored: 2 })));
    assert_eq!(store.pins(&"a".into()).await.unwrap().project_id.as_deref(), Some("p"));
}

#[tokio::test]
async fn a_leader_that_waits_while_a_newer_one_takes_over_is_shut_out() {
    let store = TestStore::connect().await;
    store.raise_epoch(1).await.unwrap();
    let (older, newer) = (store.another().await.as_leader(1), store.another().await);
    let (mut takes_over, _) = newer.shared.database.begin().await.unwrap();
    let late = tokio::spawn(async move { older.record_refusal(&"uid".into(), "secret/1", 1).await });
    somebody_waits(&store).await;
    execute(takes_over.connection(), "UPDATE leader_epoch SET epoch = 2").await.unwrap();
    takes_over.commit().await.unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Err(StoreError::Fenced { held: 1, stored: 2 })), "{late:?}");
    assert_eq!(store.last_refusal(&"uid".into()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_by_an_older_leader_once_a_newer_one_is_in_force() {
    let store = TestStore::connect().await;
    store.raise_epoch(1).await.unwrap();
    let (older, newer) = (store.another().await.as_leader(1), store.another().await);
    let (begun, mut progress) = tokio::sync::watch::channel(0);
    let writer = tokio::spawn(async move {
        for at in 1.. {
            match older.record_refusal(&"uid".into(), "secret/1", at).await {
                Ok(()) => begun.send_replace(at),
                Err(error) => return error,
            };
        }
        unreachable!("it is shut out before")
    });
    progress.wait_for(|written| *written >= 20).await.unwrap();
    newer.raise_epoch(2).await.unwrap();
    let last = store.last_refusal(&"uid".into()).await.unwrap();
    let refused = writer.await.unwrap();
    assert!(matches!(refused, StoreError::Fenced { held: 1, stored: 2 }), "{refused:?}");
    assert_eq!(store.last_refusal(&"uid".into()).await.unwrap(), last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_loses_no_page_and_no_half_page_remains() {
    const PAGE: u32 = 50;
    let server_of_test = Postgres::durable().unwrap();
    let database = server_of_test.create_database().unwrap();
    let store = Store::connect(&server(&database)).await.unwrap();
    let first = scope(&store, "contoso", 1).await;
    let (report, mut committed) = tokio::sync::watch::channel(0);
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for page in 0.. {
                let items: Vec<_> = (page * PAGE..(page + 1) * PAGE).map(|id| item(id, 1)).collect();
                match store.put_revisions(first, &items, &[], None).await {
                    Ok(_) => report.send_replace(page + 1),
                    Err(error) => return error,
                };
            }
            unreachable!("the server ends before")
        }
    });
    committed.wait_for(|pages| *pages >= 20).await.unwrap();
    let crashing = Arc::clone(&server_of_test);
    tokio::task::spawn_blocking(move || crashing.crash()).await.unwrap().unwrap();
    let error = writer.await.unwrap();
    assert!(error.is_transient(), "{error:?}");
    let reported = *committed.borrow();

    let down = Store::connect(&server(&database)).await.unwrap_err();
    assert!(matches!(down, StoreError::Unavailable(_)), "{down:?}");
    server_of_test.restart().unwrap();
    let stored = store.count_by_type(first).await.expect("the same handle works again")[0].1;
    assert!(stored >= u64::from(reported * PAGE), "{stored} items, but {reported} pages were committed");
    assert_eq!(stored % u64::from(PAGE), 0, "a page is stored whole or not at all");
    store.put_revisions(first, &[item(1, 2)], &[], None).await.expect("the read goes on");
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced() {
    let store = TestStore::connect().await;
    store.record_refusal(&"uid".into(), "secret/1", 1).await.unwrap();
    let admin = store.another().await;
    let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(!texts(&admin, end).await.unwrap().is_empty());
    store.record_refusal(&"uid".into(), "secret/2", 2).await.unwrap();
    assert_eq!(store.last_refusal(&"uid".into()).await.unwrap().unwrap().refused_at, 2);
}

#[tokio::test]
async fn every_connection_has_its_name_and_its_settings() {
    let store = TestStore::connect().await;
    let Backend::Postgres(database) = &store.shared.database else { panic!("this is not PostgreSQL") };
    for pool in [&database.writer, &database.readers] {
        for (setting, expected) in [
            ("application_name", "ado-operator"),
            ("statement_timeout", "2min"),
            ("lock_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("default_transaction_isolation", "read committed"),
            ("plan_cache_mode", "force_custom_plan"),
        ] {
            let found = sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(pool).await;
            assert_eq!(found.ok(), Some(expected.to_owned()), "{setting}");
        }
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_may_be_tried_again() {
    let store = TestStore::connect().await;
    let mut transaction = store.write().await.unwrap();
    execute(transaction.connection(), "SET LOCAL statement_timeout = '20ms'").await.unwrap();
    let refused = execute(transaction.connection(), "SELECT pg_sleep(60)").await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    drop(transaction);
    store.record_refusal(&"uid".into(), "secret/1", 1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = answered::<()>(Box::pin(std::future::pending())).await.unwrap_err();
    assert!(matches!(silent, StoreError::Unavailable(_)), "{silent:?}");
    assert_eq!(silent.to_string(), "the store is not available: no answer within 180 s");
}

#[tokio::test]
async fn a_server_without_that_database_is_told_by_its_name() {
    let database = Postgres::shared().unwrap().create_database().unwrap();
    let absent = Server::parse(&database.url().replace(database.name(), "absent")).unwrap();
    let refused = Store::connect(&absent).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(_)) && refused.to_string().contains("absent"), "{refused:?}");
}

#[tokio::test]
async fn nothing_of_the_store_shows_the_password() {
    let store = TestStore::connect().await;
    assert!(!format!("{:?}", *store).contains(support::postgres::PASSWORD));
}

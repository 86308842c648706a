use std::time::Instant;

use uuid::Uuid;

use super::*;
use crate::store::testing::{TestStore, item};

/// What is stored of a scope: id, revision, fields and mark, by id.
async fn stored(store: &Store, scope: Scope) -> Vec<(i64, i64, String, bool)> {
    rows_of(store, scope).await.unwrap()
}

async fn rows_of(store: &Store, scope: Scope) -> Result<Vec<(i64, i64, String, bool)>, StoreError> {
    let rows =
        "SELECT id, rev, fields, absent FROM work_items WHERE integration_key = $1 AND project_id = $2 ORDER BY id";
    Ok(both!(store.readers(), db => {
        sqlx::query_as(rows).bind(scope.integration).bind(scope.project).fetch_all(db).await?
    }))
}

/// Ids of a scope with their marks.
async fn marks(store: &Store, scope: Scope) -> Vec<(i64, bool)> {
    stored(store, scope).await.into_iter().map(|(id, _, _, absent)| (id, absent)).collect()
}

/// A full read that sees these items in one page and finishes.
async fn read(store: &Store, scope: Scope, items: &[WorkItemRecord]) -> FullReadEnd {
    let run = store.begin_full_read(scope).await.unwrap();
    store.put_work_items(scope, run, items).await.unwrap();
    store.finish_full_read(scope, run).await.unwrap()
}

#[tokio::test]
async fn a_higher_revision_wins_an_equal_one_overwrites_a_lower_one_changes_nothing() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let run = store.begin_full_read(scope).await.unwrap();
        let rewritten = WorkItemRecord { fields: "{}".into(), ..item(1, 5) };
        for (put, written, rev, fields) in [
            (item(1, 5), 1, 5, item(1, 5).fields),
            (item(1, 5), 0, 5, item(1, 5).fields),
            (rewritten, 1, 5, "{}".to_owned()),
            (item(1, 4), 0, 5, "{}".to_owned()),
            (item(1, 6), 1, 6, item(1, 6).fields),
        ] {
            let changed = store.put_work_items(scope, run, std::slice::from_ref(&put)).await.unwrap();
            assert_eq!(changed, written, "{put:?}");
            assert_eq!(stored(&store, scope).await, [(1, rev, fields, false)], "{put:?}");
        }
    }
}

#[tokio::test]
async fn each_column_alone_makes_an_equal_revision_differ() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let run = store.begin_full_read(scope).await.unwrap();
        let first = item(1, 1);
        for changed in [
            WorkItemRecord { work_item_type: "Bug".into(), ..first.clone() },
            WorkItemRecord { state: "Closed".into(), ..first.clone() },
            WorkItemRecord { title: "Another".into(), ..first.clone() },
            WorkItemRecord { changed_at: 9, ..first.clone() },
            WorkItemRecord { fields: "{}".into(), ..first.clone() },
            WorkItemRecord { texts: Some("{}".into()), ..first.clone() },
        ] {
            store.put_work_items(scope, run, std::slice::from_ref(&first)).await.unwrap();
            let written = store.put_work_items(scope, run, std::slice::from_ref(&changed)).await.unwrap();
            assert_eq!(written, 1, "{changed:?}");
            assert_eq!(store.texts(scope, 1.into()).await.unwrap(), changed.texts);
        }
    }
}

#[tokio::test]
async fn an_item_twice_in_a_page_counts_once_with_its_highest_revision() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let run = store.begin_full_read(scope).await.unwrap();
        let last = WorkItemRecord { fields: r#"{"last":true}"#.into(), ..item(1, 3) };
        let page = [item(1, 3), last, item(1, 2), item(2, 1)];
        assert_eq!(store.put_work_items(scope, run, &page).await.unwrap(), 2);
        assert_eq!(stored(&store, scope).await[0], (1, 3, r#"{"last":true}"#.to_owned(), false));
    }
}

#[tokio::test]
async fn items_that_a_completed_read_did_not_see_are_marked_and_not_counted() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let bug = WorkItemRecord { work_item_type: "Bug".into(), ..item(3, 1) };
        assert_eq!(read(&store, scope, &[item(1, 1), item(2, 1), bug.clone()]).await.missing, 0);
        let all = vec![("Bug".to_owned(), 1), ("User Story".to_owned(), 2)];
        assert_eq!(store.count_by_type(scope).await.unwrap(), all);

        assert_eq!(read(&store, scope, &[item(1, 1)]).await, FullReadEnd { missing: 2, marked: 2 });
        let again = read(&store, scope, &[item(1, 1)]).await;
        assert_eq!(again, FullReadEnd { missing: 2, marked: 0 }, "what was absent before is no change");
        assert_eq!(marks(&store, scope).await, [(1, false), (2, true), (3, true)]);
        assert_eq!(store.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), 1)]);

        assert_eq!(read(&store, scope, &[item(1, 1), item(2, 2), bug]).await.missing, 0);
        assert_eq!(store.count_by_type(scope).await.unwrap(), all);
    }
}

#[tokio::test]
async fn an_item_seen_only_with_an_older_revision_is_present() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        read(&store, scope, &[item(1, 5)]).await;
        assert_eq!(read(&store, scope, &[item(1, 4)]).await.missing, 0);
        assert_eq!(marks(&store, scope).await, [(1, false)]);
    }
}

#[tokio::test]
async fn a_read_that_does_not_finish_changes_no_mark_and_keeps_its_pages() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        read(&store, scope, &[item(1, 1), item(2, 1)]).await;
        read(&store, scope, &[item(1, 1)]).await;

        let aborted = store.begin_full_read(scope).await.unwrap();
        store.put_work_items(scope, aborted, &[item(2, 2), item(3, 1)]).await.unwrap();
        store.abort_full_read(scope, aborted).await.unwrap();
        assert_eq!(marks(&store, scope).await, [(1, false), (2, true), (3, false)]);
        assert_eq!(stored(&store, scope).await[1].1, 2, "the newer revision is kept");

        // What the aborted read saw is not taken for seen by the next one.
        assert_eq!(read(&store, scope, &[item(1, 1)]).await.missing, 2);
    }
}

#[tokio::test]
async fn a_read_that_is_over_takes_nothing_more() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let superseded = store.begin_full_read(scope).await.unwrap();
        let aborted = store.begin_full_read(scope).await.unwrap();
        store.abort_full_read(scope, aborted).await.unwrap();
        let finished = store.begin_full_read(scope).await.unwrap();
        store.finish_full_read(scope, finished).await.unwrap();
        let again = store.finish_full_read(scope, finished).await;
        assert!(matches!(again, Err(StoreError::RunNotOpen)), "{again:?}");
        let open = store.begin_full_read(scope).await.unwrap();
        for run in [superseded, aborted, finished] {
            let put = store.put_work_items(scope, run, &[item(1, 1)]).await;
            assert!(matches!(put, Err(StoreError::RunNotOpen)), "{put:?}");
            let end = store.finish_full_read(scope, run).await;
            assert!(matches!(end, Err(StoreError::RunNotOpen)), "{end:?}");
            store.abort_full_read(scope, run).await.unwrap();
        }
        assert_eq!(stored(&store, scope).await, []);
        store.put_work_items(scope, open, &[item(1, 1)]).await.unwrap();
    }
}

#[tokio::test]
async fn two_scopes_never_mix() {
    for store in TestStore::each().await {
        let scopes =
            [store.scope("contoso", 1).await, store.scope("contoso", 2).await, store.scope("fabrikam", 1).await];
        for (rev, scope) in (1..).zip(scopes) {
            read(&store, scope, &[item(1, rev), item(2, rev)]).await;
        }
        assert_eq!(read(&store, scopes[1], &[item(1, 9)]).await.missing, 1);
        for (rev, scope) in [(1, scopes[0]), (3, scopes[2])] {
            let revs: Vec<_> =
                stored(&store, scope).await.into_iter().map(|(id, rev, _, absent)| (id, rev, absent)).collect();
            assert_eq!(revs, [(1, rev, false), (2, rev, false)]);
            assert_eq!(store.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), 2)]);
        }

        let run = store.begin_full_read(scopes[0]).await.unwrap();
        for other in [scopes[1], scopes[2]] {
            let put = store.put_work_items(other, run, &[item(7, 1)]).await;
            assert!(matches!(put, Err(StoreError::RunNotOpen)), "{put:?}");
            store.abort_full_read(other, run).await.unwrap();
        }
        store.put_work_items(scopes[0], run, &[item(1, 1)]).await.expect("the other scopes did not abort it");

        // What an open read of one scope has seen is nothing to another.
        assert_eq!(read(&store, scopes[2], &[]).await.missing, 2);
        assert_eq!(store.finish_full_read(scopes[0], run).await.unwrap().missing, 1);
    }
}

#[tokio::test]
async fn a_page_over_a_limit_stores_nothing() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let run = store.begin_full_read(scope).await.unwrap();
        let page: Vec<_> = (0..=u32::try_from(MAX_PAGE).unwrap()).map(|id| item(id, 1)).collect();
        let long = [item(1, 1), WorkItemRecord { fields: "x".repeat(MAX_FIELDS + 1), ..item(2, 1) }];
        for too_large in [&page[..], &long] {
            let refused = store.put_work_items(scope, run, too_large).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
        }
        assert_eq!(stored(&store, scope).await, []);
        assert_eq!(store.put_work_items(scope, run, &page[1..]).await.unwrap(), MAX_PAGE as u64);
    }
}

#[tokio::test]
async fn a_nul_is_replaced_since_not_every_database_can_hold_it() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let odd = WorkItemRecord { title: "a\0b".into(), work_item_type: "\0".into(), ..item(1, 1) };
        read(&store, scope, std::slice::from_ref(&odd)).await;
        assert_eq!(store.count_by_type(scope).await.unwrap(), [("\u{FFFD}".to_owned(), 1)]);
        assert_eq!(store.rows::<(String,)>("SELECT title FROM work_items").await, [("a\u{FFFD}b".to_owned(),)]);
        let run = store.begin_full_read(scope).await.unwrap();
        assert_eq!(store.put_work_items(scope, run, &[odd]).await.unwrap(), 0, "it did not change");
    }
}

#[tokio::test]
async fn types_are_counted_in_the_order_of_their_bytes() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let of_type = |id, name: &str| WorkItemRecord { work_item_type: name.into(), ..item(id, 1) };
        read(&store, scope, &[of_type(1, "bug"), of_type(2, "Épic"), of_type(3, "Zone"), of_type(4, "Bug")]).await;
        let names: Vec<_> = store.count_by_type(scope).await.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Bug", "Zone", "bug", "Épic"]);
    }
}

/// Prints what 100,000 items cost: a first read, one without changes, one with a new revision of each item, and one
/// that sees nothing. The times are for people; what is asserted is the outcome.
#[tokio::test]
async fn a_hundred_thousand_items_in_pages_of_a_thousand() {
    const ITEMS: u32 = 100_000;
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        // No database can compress it to nothing.
        let noise: String =
            (0..2_000_u16).map(|n| Uuid::new_v5(&Uuid::NAMESPACE_OID, &n.to_be_bytes()).to_string()).collect();
        let fields = |id: u32, rev: u32| {
            let body = &noise[usize::try_from(id).unwrap() % 70_000..][..2_000];
            format!(r#"{{"System.Id":{id},"System.Rev":{rev},"System.Description":"{body}"}}"#)
        };
        for (label, rev, expected) in
            [("first", 1, u64::from(ITEMS)), ("unchanged", 1, 0), ("all changed", 2, u64::from(ITEMS))]
        {
            let mut total = 0;
            let started = Instant::now();
            let run = store.begin_full_read(scope).await.unwrap();
            for first in (1..=ITEMS).step_by(1_000) {
                let page: Vec<_> = (first..first + 1_000)
                    .map(|id| WorkItemRecord { fields: fields(id, rev), ..item(id, rev) })
                    .collect();
                total += store.put_work_items(scope, run, &page).await.unwrap();
            }
            let pages = started.elapsed();
            let end = store.finish_full_read(scope, run).await.unwrap();
            let took = started.elapsed();
            println!(
                "{label}: {ITEMS} items in {took:?} (end {:?}), {:.0} items/s, {} bytes stored",
                took.saturating_sub(pages),
                f64::from(ITEMS) / took.as_secs_f64(),
                store.size().await.unwrap()
            );
            assert_eq!((total, end.missing), (expected, 0), "{label}");
        }
        let started = Instant::now();
        assert_eq!(store.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), u64::from(ITEMS))]);
        println!("count: {:?}", started.elapsed());
        let started = Instant::now();
        let run = store.begin_full_read(scope).await.unwrap();
        assert_eq!(store.finish_full_read(scope, run).await.unwrap().missing, u64::from(ITEMS));
        println!("all absent: {:?}", started.elapsed());
    }
}

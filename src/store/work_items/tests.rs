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

/// Stores these items in one page.
async fn put_all(store: &Store, scope: Scope, items: &[WorkItemRecord]) -> u64 {
    store.put_revisions(scope, items, &[], None).await.unwrap()
}

#[tokio::test]
async fn a_higher_revision_wins_an_equal_one_overwrites_a_lower_one_changes_nothing() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let rewritten = WorkItemRecord { fields: "{}".into(), ..item(1, 5) };
        for (put, written, rev, fields) in [
            (item(1, 5), 1, 5, item(1, 5).fields),
            (item(1, 5), 0, 5, item(1, 5).fields),
            (rewritten, 1, 5, "{}".to_owned()),
            (item(1, 4), 0, 5, "{}".to_owned()),
            (item(1, 6), 1, 6, item(1, 6).fields),
        ] {
            let changed = store.put_revisions(scope, std::slice::from_ref(&put), &[], None).await.unwrap();
            assert_eq!(changed, written, "{put:?}");
            assert_eq!(stored(&store, scope).await, [(1, rev, fields, false)], "{put:?}");
        }
    }
}

#[tokio::test]
async fn each_column_alone_makes_an_equal_revision_differ() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let first = item(1, 1);
        for changed in [
            WorkItemRecord { work_item_type: "Bug".into(), ..first.clone() },
            WorkItemRecord { state: "Closed".into(), ..first.clone() },
            WorkItemRecord { title: "Another".into(), ..first.clone() },
            WorkItemRecord { changed_at: 9, ..first.clone() },
            WorkItemRecord { fields: "{}".into(), ..first.clone() },
            WorkItemRecord { texts: Some("{}".into()), ..first.clone() },
        ] {
            store.put_revisions(scope, std::slice::from_ref(&first), &[], None).await.unwrap();
            let written = store.put_revisions(scope, std::slice::from_ref(&changed), &[], None).await.unwrap();
            assert_eq!(written, 1, "{changed:?}");
            assert_eq!(store.texts(scope, 1.into()).await.unwrap(), changed.texts);
        }
    }
}

#[tokio::test]
async fn an_item_twice_in_a_page_counts_once_with_its_highest_revision() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let last = WorkItemRecord { fields: r#"{"last":true}"#.into(), ..item(1, 3) };
        let page = [item(1, 3), last, item(1, 2), item(2, 1)];
        assert_eq!(store.put_revisions(scope, &page, &[], None).await.unwrap(), 2);
        assert_eq!(stored(&store, scope).await[0], (1, 3, r#"{"last":true}"#.to_owned(), false));
    }
}

#[tokio::test]
async fn hidden_items_are_marked_and_not_counted() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let bug = WorkItemRecord { work_item_type: "Bug".into(), ..item(3, 1) };
        put_all(&store, scope, &[item(1, 1), item(2, 1), bug.clone()]).await;
        let all = vec![("Bug".to_owned(), 1), ("User Story".to_owned(), 2)];
        assert_eq!(store.count_by_type(scope).await.unwrap(), all);

        assert_eq!(store.hide(scope, &[2.into(), 3.into()]).await.unwrap(), 2);
        assert_eq!(store.hide(scope, &[2.into(), 3.into()]).await.unwrap(), 0, "what was absent before is no change");
        assert_eq!(marks(&store, scope).await, [(1, false), (2, true), (3, true)]);
        assert_eq!(store.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), 1)]);

        put_all(&store, scope, &[item(2, 2), bug]).await;
        assert_eq!(store.count_by_type(scope).await.unwrap(), all);
    }
}

#[tokio::test]
async fn two_scopes_never_mix() {
    for store in TestStore::each().await {
        let scopes =
            [store.scope("contoso", 1).await, store.scope("contoso", 2).await, store.scope("fabrikam", 1).await];
        for (rev, scope) in (1..).zip(scopes) {
            put_all(&store, scope, &[item(1, rev), item(2, rev)]).await;
        }
        put_all(&store, scopes[1], &[item(1, 9)]).await;
        assert_eq!(store.hide(scopes[1], &[2.into()]).await.unwrap(), 1);
        for (rev, scope) in [(1, scopes[0]), (3, scopes[2])] {
            let revs: Vec<_> =
                stored(&store, scope).await.into_iter().map(|(id, rev, _, absent)| (id, rev, absent)).collect();
            assert_eq!(revs, [(1, rev, false), (2, rev, false)]);
            assert_eq!(store.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), 2)]);
        }
    }
}

#[tokio::test]
async fn a_page_over_a_limit_stores_nothing() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let page: Vec<_> = (0..=u32::try_from(MAX_PAGE).unwrap()).map(|id| item(id, 1)).collect();
        let long = [item(1, 1), WorkItemRecord { fields: "x".repeat(MAX_FIELDS + 1), ..item(2, 1) }];
        for too_large in [&page[..], &long] {
            let refused = store.put_revisions(scope, too_large, &[], None).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
        }
        assert_eq!(stored(&store, scope).await, []);
        assert_eq!(store.put_revisions(scope, &page[1..], &[], None).await.unwrap(), MAX_PAGE as u64);
    }
}

#[tokio::test]
async fn a_nul_is_replaced_since_not_every_database_can_hold_it() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let odd = WorkItemRecord { title: "a\0b".into(), work_item_type: "\0".into(), ..item(1, 1) };
        put_all(&store, scope, std::slice::from_ref(&odd)).await;
        assert_eq!(store.count_by_type(scope).await.unwrap(), [("\u{FFFD}".to_owned(), 1)]);
        assert_eq!(store.rows::<(String,)>("SELECT title FROM work_items").await, [("a\u{FFFD}b".to_owned(),)]);
        assert_eq!(store.put_revisions(scope, &[odd], &[], None).await.unwrap(), 0, "it did not change");
    }
}

#[tokio::test]
async fn types_are_counted_in_the_order_of_their_bytes() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let of_type = |id, name: &str| WorkItemRecord { work_item_type: name.into(), ..item(id, 1) };
        put_all(&store, scope, &[of_type(1, "bug"), of_type(2, "Épic"), of_type(3, "Zone"), of_type(4, "Bug")]).await;
        let names: Vec<_> = store.count_by_type(scope).await.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Bug", "Zone", "bug", "Épic"]);
    }
}

/// Prints what 100,000 items cost: a first read, one without changes, one with a new revision of each item, and hiding them
/// all. The times are for people; what is asserted is the outcome.
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
            for first in (1..=ITEMS).step_by(1_000) {
                let page: Vec<_> = (first..first + 1_000)
                    .map(|id| WorkItemRecord { fields: fields(id, rev), ..item(id, rev) })
                    .collect();
                total += store.put_revisions(scope, &page, &[], None).await.unwrap();
            }
            let took = started.elapsed();
            println!(
                "{label}: {ITEMS} items in {took:?}, {:.0} items/s, {} bytes stored",
                f64::from(ITEMS) / took.as_secs_f64(),
                store.size().await.unwrap()
            );
            assert_eq!(total, expected, "{label}");
        }
        let started = Instant::now();
        assert_eq!(store.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), u64::from(ITEMS))]);
        println!("count: {:?}", started.elapsed());
        let started = Instant::now();
        let ids: Vec<WorkItemId> = (1..=ITEMS).map(WorkItemId::from).collect();
        assert_eq!(store.hide(scope, &ids).await.unwrap(), u64::from(ITEMS));
        println!("all absent: {:?}", started.elapsed());
    }
}

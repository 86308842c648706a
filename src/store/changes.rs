//! Change numbers: which of a scope's raw data is newer than what was made of it.
//!
//! Each transaction that changes anything of a scope has a number of its own, one higher than the last, and the items that it
//! changed bear it. There is one write at a time, so a number that can be seen has all lower ones behind it.

use sqlx::AssertSqlSafe;

use super::backend::{Connection, both};
use super::bounds::column;
use super::connection::Store;
use super::error::StoreError;
use super::ids::Scope;
use super::work_items::{COLUMNS, StoredItem};

/// The change that a transaction makes, if it changes anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub scope: Scope,
    pub number: i64,
}

/// An item that is present or absent since a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangedItem {
    /// Number of the change.
    pub change: u64,
    /// Whether it is there; of an absent one the last that was seen is told.
    pub is_present: bool,
    /// The item.
    pub item: StoredItem,
}

impl Store {
    /// Number of the latest change of any raw data of a scope: items, whether they are present, links. 0 if there never was one.
    pub async fn latest_change(&self, scope: Scope) -> Result<u64, StoreError> {
        let change: Option<i64> = both!(self.readers(), db => {
            sqlx::query_scalar(LATEST).bind(scope.integration).bind(scope.project).fetch_optional(db).await?
        });
        Ok(change.unwrap_or_default().unsigned_abs())
    }

    /// Items whose last change stands behind this one and not behind the latest that counts, by rising change and id, at most so
    /// many.
    pub async fn changed_items(
        &self,
        scope: Scope,
        (change, id): (u64, u32),
        latest: u64,
        most: u32,
    ) -> Result<Vec<ChangedItem>, StoreError> {
        let changed = format!(
            "SELECT change, absent, {COLUMNS} FROM work_items WHERE integration_key = $1 AND project_id = $2 \
             AND (change, id) > ($3, $4) AND change <= $5 ORDER BY change, id LIMIT $6"
        );
        let rows: Vec<Row> = both!(self.readers(), db => {
            sqlx::query_as(AssertSqlSafe(changed))
                .bind(scope.integration)
                .bind(scope.project)
                .bind(column(change))
                .bind(i64::from(id))
                .bind(column(latest))
                .bind(i64::from(most))
                .fetch_all(db)
                .await?
        });
        let item = |(change, absent, id, rev, kind, state, changed_at, fields): Row| {
            let item = StoredItem::of((id, rev, kind, state, changed_at, fields))?;
            Some(ChangedItem { change: change.unsigned_abs(), is_present: !absent, item })
        };
        Ok(rows.into_iter().filter_map(item).collect())
    }
}

/// A changed item: its change, whether it is absent, and the columns of an item.
type Row = (i64, bool, i64, i64, String, String, i64, String);

const LATEST: &str = "SELECT change FROM scopes WHERE integration_key = $1 AND project_id = $2";

/// The number for what a transaction will change.
pub(super) async fn next_change(connection: Connection<'_>, scope: Scope) -> Result<Change, StoreError> {
    let latest: Option<i64> = both!(connection, db => {
        sqlx::query_scalar(LATEST).bind(scope.integration).bind(scope.project).fetch_optional(db).await?
    });
    Ok(Change { scope, number: latest.unwrap_or_default() + 1 })
}

/// Uses up the number if any row bears it, or if something changed that bears none.
pub(super) async fn keep_change(connection: Connection<'_>, change: Change, rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Ok(());
    }
    let keep = "INSERT INTO scopes (integration_key, project_id, change) VALUES ($1, $2, $3) \
                ON CONFLICT (integration_key, project_id) DO UPDATE SET change = excluded.change";
    both!(connection, db => {
        let keep = sqlx::query(keep).bind(change.scope.integration).bind(change.scope.project).bind(change.number);
        keep.execute(db).await?;
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LinkRecord;
    use crate::store::testing::{TestStore, item};

    /// Ids behind a change, with their changes and whether they are present.
    async fn behind(store: &Store, scope: Scope, after: (u64, u32), most: u32) -> Vec<(u64, u32, bool)> {
        let changed = store.changed_items(scope, after, u64::MAX, most).await.unwrap();
        changed.into_iter().map(|one| (one.change, one.item.id, one.is_present)).collect()
    }

    #[tokio::test]
    async fn each_write_that_changes_something_has_a_number_and_its_items_bear_it() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            assert_eq!(store.latest_change(scope).await.unwrap(), 0);
            store.put_revisions(scope, &[item(2, 1), item(1, 1)], &[], None).await.unwrap();
            store.put_revisions(scope, &[item(1, 1), item(3, 1)], &[], Some("t")).await.unwrap();
            assert_eq!(behind(&store, scope, (0, 0), 10).await, [(1, 1, true), (1, 2, true), (2, 3, true)]);
            store.put_revisions(scope, &[item(3, 1)], &[], Some("u")).await.unwrap();
            assert_eq!(store.latest_change(scope).await.unwrap(), 2, "nothing changed");
            store.put_revisions(scope, &[item(2, 2)], &[2.into()], None).await.unwrap();
            assert_eq!(store.hide(scope, &[1.into(), 2.into(), 9.into()]).await.unwrap(), 1);
            store.reopen().await;
            assert_eq!(store.latest_change(scope).await.unwrap(), 4);
            assert_eq!(behind(&store, scope, (2, 0), 10).await, [(2, 3, true), (3, 2, false), (4, 1, false)]);
            assert_eq!(behind(&store, scope, (2, 3), 1).await, [(3, 2, false)]);
            let until = store.changed_items(scope, (1, 0), 2, 10).await.unwrap();
            let until: Vec<_> = until.iter().map(|one| one.item.id).collect();
            assert_eq!(until, [3], "what comes later is not told of");
        }
    }

    #[tokio::test]
    async fn a_changed_link_is_a_change_of_the_scope() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let link =
                LinkRecord { rel: "R".into(), source: 1.into(), target: 2.into(), changed_at: 1, is_active: true };
            for expected in [1, 1] {
                store.put_links(scope, std::slice::from_ref(&link), None).await.unwrap();
                assert_eq!(store.latest_change(scope).await.unwrap(), expected);
            }
            let removed = LinkRecord { is_active: false, changed_at: 2, ..link };
            store.put_links(scope, &[removed], None).await.unwrap();
            assert_eq!(store.latest_change(scope).await.unwrap(), 2);
        }
    }

    #[tokio::test]
    async fn every_scope_counts_for_itself() {
        for store in TestStore::each().await {
            let (one, two) = (store.scope("contoso", 1).await, store.scope("contoso", 2).await);
            for rev in 1..4 {
                store.put_revisions(one, &[item(1, rev)], &[], None).await.unwrap();
            }
            store.put_revisions(two, &[item(1, 1)], &[], None).await.unwrap();
            assert_eq!((store.latest_change(one).await.unwrap(), store.latest_change(two).await.unwrap()), (3, 1));
            assert_eq!(store.hide(two, &[1.into()]).await.unwrap(), 1);
            assert_eq!(behind(&store, one, (0, 0), 10).await, [(3, 1, true)]);
        }
    }
}

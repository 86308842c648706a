//! Which stored items are there, and which are gone or hidden from the credential. What is gone stays stored.

use super::backend::{Backend, Connection, both};
use super::changes::{Change, keep_change, next_change};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{Scope, WorkItemId};

impl Store {
    /// Stored ids above one by rising id, at most so many, with whether each is present.
    pub async fn ids_above(&self, scope: Scope, id: u32, most: u32) -> Result<Vec<(WorkItemId, bool)>, StoreError> {
        let rows: Vec<(i64, bool)> = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT id, absent FROM work_items WHERE integration_key = $1 AND project_id = $2 AND id > $3 \
                 ORDER BY id LIMIT $4",
            )
            .bind(scope.integration)
            .bind(scope.project)
            .bind(i64::from(id))
            .bind(i64::from(most))
            .fetch_all(db)
            .await?
        });
        let narrow = |(id, absent): (i64, bool)| Some((u32::try_from(id).ok()?.into(), !absent));
        Ok(rows.into_iter().filter_map(narrow).collect())
    }

    /// Number of items that are present.
    pub async fn count_present(&self, scope: Scope) -> Result<u64, StoreError> {
        let count: i64 = both!(self.readers(), db => {
            sqlx::query_scalar(
                "SELECT count(*) FROM work_items WHERE integration_key = $1 AND project_id = $2 AND absent = FALSE",
            )
            .bind(scope.integration)
            .bind(scope.project)
            .fetch_one(db)
            .await?
        });
        Ok(count.unsigned_abs())
    }

    /// Present items of a scope by the name of their type, in the order of the names.
    pub async fn count_by_type(&self, scope: Scope) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT work_item_type, count(*) FROM work_items \
                 WHERE integration_key = $1 AND project_id = $2 AND absent = FALSE \
                 GROUP BY work_item_type ORDER BY work_item_type",
            )
            .bind(scope.integration)
            .bind(scope.project)
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(|(name, count)| (name, count.unsigned_abs())).collect())
    }

    /// Marks items absent, and gives the number of those that were present.
    pub async fn hide(&self, scope: Scope, ids: &[WorkItemId]) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let change = next_change(transaction.connection(), scope).await?;
        let hidden = mark(transaction.connection(), change, ids, true).await?;
        keep_change(transaction.connection(), change, hidden).await?;
        transaction.commit().await?;
        Ok(hidden)
    }
}

/// Marks stored items absent or present, and gives the number of those that were not marked so before.
pub(super) async fn mark(
    connection: Connection<'_>,
    change: Change,
    ids: &[WorkItemId],
    absent: bool,
) -> Result<u64, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let update = match connection {
        // A cross join is done in this order: each id is looked up. Else SQLite would walk along all items of the scope.
        Backend::Sqlite(_) => {
            "UPDATE work_items SET absent = $1, change = $2 WHERE rowid IN (SELECT work_items.rowid \
             FROM json_each($5) AS wanted CROSS JOIN work_items WHERE integration_key = $3 AND project_id = $4 \
             AND work_items.id = wanted.value AND absent <> $1)"
        }
        Backend::Postgres(_) => {
            "UPDATE work_items SET absent = $1, change = $2 WHERE integration_key = $3 AND project_id = $4 \
             AND absent <> $1 AND id IN (SELECT jsonb_array_elements_text($5::jsonb)::bigint)"
        }
    };
    let ids = WorkItemId::json(ids.iter().copied());
    Ok(both!(connection, db => {
        let update = sqlx::query(update).bind(absent).bind(change.number);
        let update = update.bind(change.scope.integration).bind(change.scope.project).bind(ids);
        update.execute(db).await?.rows_affected()
    }))
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{TestStore, item};

    #[tokio::test]
    async fn hidden_items_stay_stored_and_come_back_when_they_are_read_again() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            store.put_revisions(scope, &[item(1, 1), item(2, 1), item(3, 1)], &[], None).await.unwrap();
            assert_eq!(store.hide(scope, &[3.into(), 1.into(), 1.into()]).await.unwrap(), 2);
            let marks = [(1.into(), false), (2.into(), true), (3.into(), false)];
            assert_eq!(store.ids_above(scope, 0, 10).await.unwrap(), marks);
            assert_eq!(store.ids_above(scope, 1, 1).await.unwrap(), marks[1..2]);
            assert_eq!(store.count_present(scope).await.unwrap(), 1);
            // An older revision is an answer about the item too.
            store.put_revisions(scope, &[item(3, 1)], &[], None).await.unwrap();
            assert_eq!(store.count_present(scope).await.unwrap(), 2);
        }
    }
}

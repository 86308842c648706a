//! Items that could not be read as they are, or can be changed no more.

use sqlx::AssertSqlSafe;

use super::backend::{Backend, Connection, both};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{Scope, WorkItemId};
use crate::domain::troubles::REVISION_LIMIT;

/// The most items that one call sets aside.
const MAX_ITEMS: usize = 10_000;

/// Why an item is set aside.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
pub enum SetAsideReason {
    /// It is larger than what is read of an item; its long texts are missing, or all of it.
    TooLarge,
    /// Azure DevOps fails whenever it is asked for.
    Unreadable,
}

/// An item that is set aside. What was stored of it before stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SetAside {
    /// Its id.
    pub id: WorkItemId,
    /// Why.
    pub reason: SetAsideReason,
}

impl Store {
    /// Sets items aside until they are stored again.
    ///
    /// Errors: [`StoreError::TooLarge`] for more than 10,000, with nothing stored.
    pub async fn set_aside(&self, scope: Scope, items: &[SetAside]) -> Result<(), StoreError> {
        if items.len() > MAX_ITEMS {
            return Err(StoreError::TooLarge { what: "list of items that are set aside", limit: MAX_ITEMS });
        }
        let mut transaction = self.write().await?;
        let keep = "INSERT INTO set_aside (integration_key, project_id, id, reason) VALUES ($1, $2, $3, $4) \
                    ON CONFLICT (integration_key, project_id, id) DO UPDATE SET reason = excluded.reason";
        both!(transaction.connection(), db => {
            for item in items {
                let keep = sqlx::query(keep).bind(scope.integration).bind(scope.project);
                keep.bind(i64::from(item.id.get())).bind(item.reason).execute(&mut *db).await?;
            }
        });
        transaction.commit().await
    }

    /// Items that are set aside, by rising id, at most so many.
    pub async fn items_set_aside(&self, scope: Scope, most: u32) -> Result<Vec<SetAside>, StoreError> {
        let rows: Vec<(i64, SetAsideReason)> = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT id, reason FROM set_aside WHERE integration_key = $1 AND project_id = $2 ORDER BY id LIMIT $3",
            )
            .bind(scope.integration)
            .bind(scope.project)
            .bind(i64::from(most))
            .fetch_all(db)
            .await?
        });
        let item = |(id, reason)| Some(SetAside { id: u32::try_from(id).ok()?.into(), reason });
        Ok(rows.into_iter().filter_map(item).collect())
    }
}

impl Store {
    /// Sets items aside no more.
    pub async fn forget_set_aside(&self, scope: Scope, ids: &[WorkItemId]) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        take_back(transaction.connection(), scope, ids).await?;
        transaction.commit().await
    }

    /// Present items that have as many revisions as programs may make ([`REVISION_LIMIT`]), by rising id, at most so many.
    pub async fn items_at_revision_limit(&self, scope: Scope, most: u32) -> Result<Vec<WorkItemId>, StoreError> {
        // The limit stands in the text, since the index is for this very condition.
        let limit = format!(
            "SELECT id FROM work_items WHERE integration_key = $1 AND project_id = $2 AND absent = FALSE \
             AND rev >= {REVISION_LIMIT} ORDER BY id LIMIT $3"
        );
        let ids: Vec<i64> = both!(self.readers(), db => {
            let ids = sqlx::query_scalar(AssertSqlSafe(limit)).bind(scope.integration).bind(scope.project);
            ids.bind(i64::from(most)).fetch_all(db).await?
        });
        Ok(ids.into_iter().filter_map(|id| u32::try_from(id).ok()).map(WorkItemId::from).collect())
    }
}

/// Items that were read are set aside no more.
pub(super) async fn take_back(connection: Connection<'_>, scope: Scope, ids: &[WorkItemId]) -> Result<(), StoreError> {
    let delete = match connection {
        Backend::Sqlite(_) => {
            "DELETE FROM set_aside WHERE integration_key = $1 AND project_id = $2 \
             AND id IN (SELECT value FROM json_each($3))"
        }
        Backend::Postgres(_) => {
            "DELETE FROM set_aside WHERE integration_key = $1 AND project_id = $2 \
             AND id IN (SELECT jsonb_array_elements_text($3::jsonb)::bigint)"
        }
    };
    let ids = WorkItemId::json(ids.iter().copied());
    both!(connection, db => {
        sqlx::query(delete).bind(scope.integration).bind(scope.project).bind(ids).execute(db).await?;
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestStore, item};

    #[tokio::test]
    async fn an_item_is_set_aside_until_it_is_read() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let aside = |id: u32, reason| SetAside { id: id.into(), reason };
            let (large, unreadable) = (SetAsideReason::TooLarge, SetAsideReason::Unreadable);
            store.put_revisions(scope, &[item(1, 1)], &[], None).await.unwrap();
            store.set_aside(scope, &[aside(7, unreadable), aside(1, large)]).await.unwrap();
            store.set_aside(scope, &[aside(7, large)]).await.unwrap();
            store.reopen().await;
            assert_eq!(store.items_set_aside(scope, 10).await.unwrap(), [aside(1, large), aside(7, large)]);
            assert_eq!(store.items_set_aside(scope, 1).await.unwrap(), [aside(1, large)]);
            store.put_revisions(scope, &[item(1, 1)], &[], None).await.unwrap();
            assert_eq!(store.items_set_aside(scope, 10).await.unwrap(), [aside(7, large)]);
            store.forget_set_aside(scope, &[7.into(), 8.into()]).await.unwrap();
            assert_eq!(store.items_set_aside(scope, 10).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn items_at_the_revision_limit_are_found_while_they_are_present() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let items = [(1, 9_999), (2, 10_000), (3, 10_007), (4, 20_000)].map(|(id, rev)| item(id, rev));
            store.put_revisions(scope, &items, &[4.into()], None).await.unwrap();
            let other = store.scope("contoso", 2).await;
            store.put_revisions(other, &[item(5, 10_000)], &[], None).await.unwrap();
            let found = async |most| {
                let found = store.items_at_revision_limit(scope, most).await.unwrap();
                found.into_iter().map(WorkItemId::get).collect::<Vec<_>>()
            };
            assert_eq!((found(10).await, found(1).await), (vec![2, 3], vec![2]));
        }
    }
}

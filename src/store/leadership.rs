//! Fencing: a leader that lost its Lease without noticing cannot write any more.

use super::backend::both;
use super::connection::Store;
use super::error::StoreError;

impl Store {
    /// The same store for a leader of this epoch: once a higher one is stored, each write through this handle is
    /// refused with [`StoreError::Fenced`] in its own transaction. Reads are not affected.
    #[must_use]
    pub fn as_leader(&self, epoch: i64) -> Self {
        Self { shared: self.shared.clone(), epoch: Some(epoch) }
    }

    /// The highest epoch so far; 0 before the first leader.
    pub async fn epoch(&self) -> Result<i64, StoreError> {
        let epoch = "SELECT epoch FROM leader_epoch";
        Ok(both!(self.readers(), db => sqlx::query_scalar(epoch).fetch_one(db).await?))
    }

    /// Puts `new` in force: the first act of a new leader, which shuts all earlier ones out. The epoch in force may be
    /// repeated; a lower one gets [`StoreError::Fenced`].
    pub async fn raise_epoch(&self, new: i64) -> Result<(), StoreError> {
        let mut transaction = self.as_leader(new).write().await?;
        let raise = "UPDATE leader_epoch SET epoch = $1";
        both!(transaction.connection(), db => {
            sqlx::query(raise).bind(new).execute(db).await?;
        });
        transaction.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ConfigPins;
    use crate::store::testing::{TestStore, item};

    #[tokio::test]
    async fn a_newer_leader_shuts_the_older_one_out() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            assert_eq!(store.epoch().await.unwrap(), 0);
            store.raise_epoch(3).await.unwrap();
            let older = store.as_leader(3);
            older.put_revisions(scope, &[item(1, 1)], &[], None).await.unwrap();

            store.raise_epoch(4).await.unwrap();
            let newer = store.as_leader(4);
            let refused = older.put_revisions(scope, &[item(2, 1)], &[], None).await;
            assert!(matches!(refused, Err(StoreError::Fenced { held: 3, stored: 4 })), "{refused:?}");
            let pins = ConfigPins { integration: "contoso", project_id: "p", project_spelling: "Payments" };
            let refused = older.pin_config(&"uid".into(), &pins).await;
            assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
            assert_eq!(older.count_by_type(scope).await.unwrap(), [("User Story".to_owned(), 1)]);
            newer.put_revisions(scope, &[item(2, 1)], &[], None).await.unwrap();

            store.reopen().await;
            assert_eq!(store.epoch().await.unwrap(), 4);
            let refused = store.as_leader(3).hide(scope, &[1.into()]).await;
            assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
            store.hide(scope, &[1.into()]).await.expect("a handle without an epoch is not fenced");
        }
    }

    #[tokio::test]
    async fn an_epoch_is_never_lowered() {
        for store in TestStore::each().await {
            store.raise_epoch(7).await.unwrap();
            store.raise_epoch(7).await.expect("the epoch in force may be repeated");
            let refused = store.raise_epoch(6).await;
            assert!(matches!(refused, Err(StoreError::Fenced { held: 6, stored: 7 })), "{refused:?}");
            assert_eq!(store.epoch().await.unwrap(), 7);
        }
    }

    #[tokio::test]
    async fn a_write_under_way_is_not_overtaken_by_a_newer_leader() {
        for store in TestStore::each().await {
            store.raise_epoch(1).await.unwrap();
            let older = store.as_leader(1);
            let under_way = older.write().await.unwrap();
            let raise = tokio::spawn({
                let store = Store::clone(&store);
                async move { store.raise_epoch(2).await }
            });
            // The older leader has passed its check, so the newer one waits until that write is done.
            assert_eq!(store.epoch().await.unwrap(), 1);
            assert!(!raise.is_finished());
            under_way.commit().await.unwrap();
            raise.await.unwrap().unwrap();
            assert!(matches!(older.write().await.map(drop), Err(StoreError::Fenced { .. })));
        }
    }
}

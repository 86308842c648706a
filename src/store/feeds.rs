//! What the reporting feeds bring, and where they go on.
//!
//! Pages are written in parts; the token is written with the last part. Whatever is repeated ends with the same rows: a page
//! that was cut, or that a crash forgot, is read again.

use std::collections::HashSet;

use super::backend::{Connection, both};
use super::bounds::within;
use super::changes::{keep_change, next_change};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{Scope, WorkItemId};
use super::presence::mark;
use super::set_aside::take_back;
use super::work_items::{self, WorkItemRecord};

/// Longest token, in bytes.
pub(super) const TOKEN: usize = 4_096;

/// A feed of a project.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feed {
    /// Revisions of work items.
    Revisions,
    /// Changes of links between them.
    Links,
}

impl Feed {
    /// Its name in the store.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Revisions => "Revisions",
            Self::Links => "Links",
        }
    }
}

/// The name of what is no feed: changes by their times, where there are none.
const CHANGES: &str = "Changes";

impl Store {
    /// Where a feed goes on; None if it was never read to the end of a page.
    pub async fn feed_token(&self, scope: Scope, feed: Feed) -> Result<Option<String>, StoreError> {
        self.token(scope, feed.as_str()).await
    }

    /// The time of the server from which changes are looked for where there are no feeds, as it was given to
    /// [`Self::end_changes`]; None if they never were.
    pub async fn changes_since(&self, scope: Scope) -> Result<Option<String>, StoreError> {
        self.token(scope, CHANGES).await
    }

    async fn token(&self, scope: Scope, feed: &str) -> Result<Option<String>, StoreError> {
        let token = "SELECT token FROM feeds WHERE integration_key = $1 AND project_id = $2 AND feed = $3";
        Ok(both!(self.readers(), db => {
            sqlx::query_scalar(token).bind(scope.integration).bind(scope.project).bind(feed).fetch_optional(db).await?
        }))
    }

    /// Forgets where a feed goes on, so that it is read from its beginning.
    pub async fn forget_feed(&self, scope: Scope, feed: Feed) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let forget = "DELETE FROM feeds WHERE integration_key = $1 AND project_id = $2 AND feed = $3";
        both!(transaction.connection(), db => {
            sqlx::query(forget).bind(scope.integration).bind(scope.project).bind(feed.as_str()).execute(db).await?;
        });
        transaction.commit().await
    }

    /// Stores a part of a page of revisions, and with the last part where the feed goes on: a higher revision wins, an equal
    /// one overwrites. Items in the recycle bin are marked absent, all others present, and what was set aside is no more. Gives
    /// the number of changes.
    ///
    /// Errors: [`StoreError::TooLarge`] for more than [`MAX_PAGE`](super::MAX_PAGE) items or a text over its limit, with
    /// nothing stored.
    pub async fn put_revisions(
        &self,
        scope: Scope,
        items: &[WorkItemRecord],
        deleted: &[WorkItemId],
        token: Option<&str>,
    ) -> Result<u64, StoreError> {
        let rows = work_items::checked(items)?;
        let mut transaction = self.write().await?;
        let change = next_change(transaction.connection(), scope).await?;
        let mut changed = work_items::put(transaction.connection(), change, &rows).await?;
        let gone: HashSet<WorkItemId> = deleted.iter().copied().collect();
        let ids: Vec<WorkItemId> = rows.iter().map(|item| item.id).collect();
        let present: Vec<WorkItemId> = ids.iter().copied().filter(|id| !gone.contains(id)).collect();
        changed += mark(transaction.connection(), change, &present, false).await?;
        changed += mark(transaction.connection(), change, deleted, true).await?;
        keep_change(transaction.connection(), change, changed).await?;
        take_back(transaction.connection(), scope, &ids).await?;
        keep_token(transaction.connection(), scope, Feed::Revisions, token).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Ends a read of changes by their times: items in the recycle bin are marked absent, and later reads go on from that time
    /// of the server, if it is known. Gives the number of those that were present.
    pub async fn end_changes(
        &self,
        scope: Scope,
        deleted: &[WorkItemId],
        time: Option<&str>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let change = next_change(transaction.connection(), scope).await?;
        let hidden = mark(transaction.connection(), change, deleted, true).await?;
        keep_change(transaction.connection(), change, hidden).await?;
        keep(transaction.connection(), scope, CHANGES, time).await?;
        transaction.commit().await?;
        Ok(hidden)
    }
}

/// Keeps where a feed goes on behind the page that the transaction ends.
pub(super) async fn keep_token(
    connection: Connection<'_>,
    scope: Scope,
    feed: Feed,
    token: Option<&str>,
) -> Result<(), StoreError> {
    keep(connection, scope, feed.as_str(), token).await
}

async fn keep(connection: Connection<'_>, scope: Scope, feed: &str, token: Option<&str>) -> Result<(), StoreError> {
    let Some(token) = token else { return Ok(()) };
    within("token of a feed", token, TOKEN)?;
    let keep = "INSERT INTO feeds (integration_key, project_id, feed, token) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (integration_key, project_id, feed) DO UPDATE SET token = excluded.token";
    both!(connection, db => {
        let keep = sqlx::query(keep).bind(scope.integration).bind(scope.project).bind(feed).bind(token);
        keep.execute(db).await?;
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestStore, item};

    async fn present(store: &Store, scope: Scope) -> Vec<u32> {
        store.items_above(scope, 0, 100).await.unwrap().iter().map(|item| item.id).collect()
    }

    #[tokio::test]
    async fn a_page_and_where_it_ends_are_stored_together() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            assert_eq!(store.feed_token(scope, Feed::Revisions).await.unwrap(), None);
            assert_eq!(store.put_revisions(scope, &[item(1, 1), item(2, 1)], &[], None).await.unwrap(), 2);
            assert_eq!(store.feed_token(scope, Feed::Revisions).await.unwrap(), None, "the page goes on");
            assert_eq!(store.put_revisions(scope, &[item(3, 1)], &[], Some("t1")).await.unwrap(), 1);
            store.reopen().await;
            assert_eq!(store.feed_token(scope, Feed::Revisions).await.unwrap().as_deref(), Some("t1"));
            assert_eq!(store.feed_token(scope, Feed::Links).await.unwrap(), None);
            assert_eq!(present(&store, scope).await, [1, 2, 3]);
            store.forget_feed(scope, Feed::Revisions).await.unwrap();
            assert_eq!(store.feed_token(scope, Feed::Revisions).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_page_that_is_read_again_changes_nothing() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let page = [item(1, 2), item(2, 1)];
            assert_eq!(store.put_revisions(scope, &page, &[2.into()], Some("t")).await.unwrap(), 3);
            assert_eq!(store.put_revisions(scope, &page, &[2.into()], Some("t")).await.unwrap(), 0);
            assert_eq!(present(&store, scope).await, [1]);
        }
    }

    #[tokio::test]
    async fn a_deleted_item_is_absent_until_it_is_told_of_again() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            store.put_revisions(scope, &[item(1, 1)], &[], None).await.unwrap();
            store.put_revisions(scope, &[item(1, 2)], &[1.into()], None).await.unwrap();
            assert_eq!(present(&store, scope).await, [0; 0]);
            store.put_revisions(scope, &[item(1, 3)], &[], None).await.unwrap();
            assert_eq!(present(&store, scope).await, [1]);
        }
    }

    #[tokio::test]
    async fn what_the_recycle_bin_has_is_hidden_and_the_time_of_the_read_is_kept_with_that() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            store.put_revisions(scope, &[item(1, 1), item(2, 1)], &[], None).await.unwrap();
            let begun = "2026-03-01T08:30:15.25Z";
            assert_eq!(store.end_changes(scope, &[2.into(), 3.into()], Some(begun)).await.unwrap(), 1);
            assert_eq!(store.end_changes(scope, &[2.into()], None).await.unwrap(), 0);
            store.reopen().await;
            assert_eq!(store.changes_since(scope).await.unwrap().as_deref(), Some(begun));
            assert_eq!(present(&store, scope).await, [1]);
        }
    }

    #[tokio::test]
    async fn what_is_over_a_limit_stores_nothing() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let long = "t".repeat(TOKEN + 1);
            let refused = store.put_revisions(scope, &[item(1, 1)], &[], Some(&long)).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
            assert_eq!(present(&store, scope).await, [0; 0]);
        }
    }
}

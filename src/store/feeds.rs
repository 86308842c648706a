//! What the reporting feeds bring, and where they go on.
//!
//! Pages are written in parts; the token is written with the last part. Whatever is repeated ends with the same rows: a page
//! that was cut, or that a crash forgot, is read again.

use std::collections::HashSet;

use super::backend::{Backend, Connection, Transaction, both};
use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{Scope, WorkItemId};
use super::work_items::{self, WorkItemRecord};

/// Longest token, in bytes.
const TOKEN: usize = 4_096;

/// The most links that one call takes.
pub const MAX_LINKS: usize = 10_000;

/// A feed of a project.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
pub enum Feed {
    /// Revisions of work items.
    Revisions,
    /// Changes of links between them.
    Links,
}

/// The newest change of a link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkRecord {
    /// Its type, without direction.
    pub rel: String,
    /// Where it starts; the parent, of a hierarchy.
    pub source: WorkItemId,
    /// Where it leads; the child, of a hierarchy.
    pub target: WorkItemId,
    /// When it was added or removed, Unix milliseconds.
    pub changed_at: i64,
    /// Whether it is there.
    pub is_active: bool,
}

impl Store {
    /// Where a feed goes on; None if it was never read to the end of a page.
    pub async fn feed_token(&self, scope: Scope, feed: Feed) -> Result<Option<String>, StoreError> {
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
            sqlx::query(forget).bind(scope.integration).bind(scope.project).bind(feed).execute(db).await?;
        });
        transaction.commit().await
    }

    /// Stores a part of a page of revisions, and with the last part where the feed goes on: a higher revision wins, an equal
    /// one overwrites. Items in the recycle bin are marked absent, all others present. Gives the number of rows that changed.
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
        let written = work_items::put(transaction.connection(), scope, None, &rows).await?;
        let gone: HashSet<WorkItemId> = deleted.iter().copied().collect();
        let present = rows.iter().map(|item| item.id).filter(|id| !gone.contains(id));
        let mut changed = written.inserted + written.updated;
        changed += mark(transaction.connection(), scope, &WorkItemId::json(present), false).await?;
        changed += mark(transaction.connection(), scope, &WorkItemId::json(deleted.iter().copied()), true).await?;
        keep_token(&mut transaction, scope, Feed::Revisions, token).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Stores a part of a page of link changes, and with the last part where the feed goes on: of each link the newest change
    /// counts, of equally old ones the last. Gives the number of rows that changed.
    ///
    /// Errors: [`StoreError::TooLarge`] for more than [`MAX_LINKS`] or an overlong type, with nothing stored.
    pub async fn put_links(&self, scope: Scope, links: &[LinkRecord], token: Option<&str>) -> Result<u64, StoreError> {
        if links.len() > MAX_LINKS {
            return Err(StoreError::TooLarge { what: "page of links", limit: MAX_LINKS });
        }
        for link in links {
            within("type of a link", &link.rel, bounds::NAME)?;
        }
        let mut transaction = self.write().await?;
        let changed = put_links(transaction.connection(), scope, links).await?;
        keep_token(&mut transaction, scope, Feed::Links, token).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Active links of a type behind one, as (source, target), by rising source and target, at most so many.
    pub async fn links_behind(
        &self,
        scope: Scope,
        rel: &str,
        (source, target): (u32, u32),
        most: u32,
    ) -> Result<Vec<(u32, u32)>, StoreError> {
        let rows: Vec<(i64, i64)> = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT source_id, target_id FROM links WHERE integration_key = $1 AND project_id = $2 AND rel = $3 \
                 AND (source_id, target_id) > ($4, $5) AND active = TRUE ORDER BY source_id, target_id LIMIT $6",
            )
            .bind(scope.integration)
            .bind(scope.project)
            .bind(rel)
            .bind(i64::from(source))
            .bind(i64::from(target))
            .bind(i64::from(most))
            .fetch_all(db)
            .await?
        });
        let narrow = |(source, target)| Some((u32::try_from(source).ok()?, u32::try_from(target).ok()?));
        Ok(rows.into_iter().filter_map(narrow).collect())
    }
}

async fn keep_token(
    transaction: &mut Transaction,
    scope: Scope,
    feed: Feed,
    token: Option<&str>,
) -> Result<(), StoreError> {
    let Some(token) = token else { return Ok(()) };
    within("token of a feed", token, TOKEN)?;
    let keep = "INSERT INTO feeds (integration_key, project_id, feed, token) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (integration_key, project_id, feed) DO UPDATE SET token = excluded.token";
    both!(transaction.connection(), db => {
        let keep = sqlx::query(keep).bind(scope.integration).bind(scope.project).bind(feed).bind(token);
        keep.execute(db).await?;
    });
    Ok(())
}

/// Marks stored items absent or present, and gives the number of those that were not marked so before.
async fn mark(connection: Connection<'_>, scope: Scope, ids: &str, absent: bool) -> Result<u64, StoreError> {
    let update = match connection {
        Backend::Sqlite(_) => {
            "UPDATE work_items SET absent = $1 WHERE integration_key = $2 AND project_id = $3 AND absent <> $1 \
             AND id IN (SELECT value FROM json_each($4))"
        }
        Backend::Postgres(_) => {
            "UPDATE work_items SET absent = $1 WHERE integration_key = $2 AND project_id = $3 AND absent <> $1 \
             AND id IN (SELECT jsonb_array_elements_text($4::jsonb)::bigint)"
        }
    };
    Ok(both!(connection, db => {
        let update = sqlx::query(update).bind(absent).bind(scope.integration).bind(scope.project).bind(ids);
        update.execute(db).await?.rows_affected()
    }))
}

/// Stores a change of a link, unless a newer one is stored already.
const PUT_LINK: &str = "INSERT INTO links (integration_key, project_id, rel, source_id, target_id, changed_at, active) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7) \
                        ON CONFLICT (integration_key, project_id, rel, source_id, target_id) DO UPDATE SET \
                        changed_at = excluded.changed_at, active = excluded.active \
                        WHERE excluded.changed_at > links.changed_at OR \
                        (excluded.changed_at = links.changed_at AND excluded.active <> links.active)";

/// Writes changes one by one, since one statement may not touch the same row twice.
async fn put_links(connection: Connection<'_>, scope: Scope, links: &[LinkRecord]) -> Result<u64, StoreError> {
    Ok(both!(connection, db => {
        let mut changed = 0;
        for link in links {
            let row = sqlx::query(PUT_LINK)
                .bind(scope.integration)
                .bind(scope.project)
                .bind(&link.rel)
                .bind(i64::from(link.source.get()))
                .bind(i64::from(link.target.get()))
                .bind(link.changed_at)
                .bind(link.is_active);
            changed += row.execute(&mut *db).await?.rows_affected();
        }
        changed
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestStore, item};

    fn link(source: u32, target: u32, changed_at: i64, is_active: bool) -> LinkRecord {
        LinkRecord { rel: "Hierarchy".into(), source: source.into(), target: target.into(), changed_at, is_active }
    }

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
    async fn of_a_link_the_newest_change_counts_in_whatever_order_they_come() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let page = [link(1, 2, 20, false), link(1, 2, 10, true), link(1, 3, 10, true), link(4, 3, 11, true)];
            store.put_links(scope, &page, Some("l1")).await.unwrap();
            assert_eq!(store.links_behind(scope, "Hierarchy", (0, 0), 10).await.unwrap(), [(1, 3), (4, 3)]);
            assert_eq!(store.links_behind(scope, "Hierarchy", (1, 3), 10).await.unwrap(), [(4, 3)]);
            assert_eq!(store.put_links(scope, &page, Some("l1")).await.unwrap(), 0, "nothing is new");
            store.put_links(scope, &[link(1, 2, 30, true)], None).await.unwrap();
            assert_eq!(store.links_behind(scope, "Hierarchy", (0, 0), 1).await.unwrap(), [(1, 2)]);
            assert_eq!(store.links_behind(scope, "Related", (0, 0), 10).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn what_is_over_a_limit_stores_nothing() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let long = "t".repeat(TOKEN + 1);
            for refused in [
                store.put_revisions(scope, &[item(1, 1)], &[], Some(&long)).await,
                store.put_links(scope, &[link(1, 2, 1, true)], Some(&long)).await,
                store.put_links(scope, &vec![link(1, 2, 1, true); MAX_LINKS + 1], None).await,
            ] {
                assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
            }
            assert_eq!(present(&store, scope).await, [0; 0]);
            assert_eq!(store.links_behind(scope, "Hierarchy", (0, 0), 10).await.unwrap(), []);
        }
    }
}

//! Links between work items, as the feed of their changes tells them.

use std::collections::HashMap;

use serde_json::json;

use super::backend::{Backend, Connection, both};
use super::bounds::{self, within};
use super::changes::{Change, keep_change, next_change};
use super::connection::Store;
use super::error::StoreError;
use super::feeds::{Feed, keep_token};
use super::ids::{Scope, WorkItemId};

/// The most links that one call takes.
pub const MAX_LINKS: usize = 10_000;

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
        let change = next_change(transaction.connection(), scope).await?;
        let changed = put(transaction.connection(), change, &newest(links)).await?;
        keep_change(transaction.connection(), change, changed).await?;
        keep_token(transaction.connection(), scope, Feed::Links, token).await?;
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

impl Store {
    /// Where active links of a type lead from an item, by rising id, at most so many: from a requirement or bug to the test
    /// cases that test it (`Microsoft.VSTS.Common.TestedBy`), from a parent to its children.
    pub async fn targets(
        &self,
        scope: Scope,
        rel: &str,
        source: WorkItemId,
        most: u32,
    ) -> Result<Vec<WorkItemId>, StoreError> {
        let links = self.links_behind(scope, rel, (source.get(), 0), most).await?;
        Ok(links.into_iter().filter(|(from, _)| *from == source.get()).map(|(_, target)| target.into()).collect())
    }
}

/// Each link once, by its newest change: one statement may not touch the same row twice.
fn newest(links: &[LinkRecord]) -> Vec<&LinkRecord> {
    let mut newest: HashMap<(&str, WorkItemId, WorkItemId), &LinkRecord> = HashMap::with_capacity(links.len());
    for link in links {
        let kept = newest.entry((&link.rel, link.source, link.target)).or_insert(link);
        if link.changed_at >= kept.changed_at {
            *kept = link;
        }
    }
    let mut newest: Vec<_> = newest.into_values().collect();
    newest.sort_unstable_by_key(|link| (&*link.rel, link.source, link.target));
    newest
}

/// What becomes of a link that is stored already.
const UPDATE: &str = "ON CONFLICT (integration_key, project_id, rel, source_id, target_id) DO UPDATE SET \
                      changed_at = excluded.changed_at, active = excluded.active \
                      WHERE excluded.changed_at > links.changed_at OR \
                      (excluded.changed_at = links.changed_at AND excluded.active <> links.active)";

/// Writes changes, no link twice, and gives the number of rows that are new or differ.
async fn put(connection: Connection<'_>, change: Change, links: &[&LinkRecord]) -> Result<u64, StoreError> {
    let rows = match connection {
        Backend::Sqlite(_) => {
            "SELECT $1, $2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each($3) WHERE TRUE"
        }
        Backend::Postgres(_) => {
            "SELECT $1, $2, value ->> 0, (value ->> 1)::bigint, (value ->> 2)::bigint, (value ->> 3)::bigint, \
             (value ->> 4)::boolean FROM jsonb_array_elements($3::jsonb) AS value"
        }
    };
    let put = format!(
        "INSERT INTO links (integration_key, project_id, rel, source_id, target_id, changed_at, active) {rows} {UPDATE}"
    );
    let row = |link: &&LinkRecord| {
        let rel = bounds::without_nul(&link.rel);
        json!([rel, link.source.get(), link.target.get(), link.changed_at, link.is_active])
    };
    let links = links.iter().map(row).collect::<serde_json::Value>().to_string();
    Ok(both!(connection, db => {
        let put = sqlx::query(sqlx::AssertSqlSafe(put));
        let put = put.bind(change.scope.integration).bind(change.scope.project).bind(links);
        put.execute(db).await?.rows_affected()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;

    fn link(source: u32, target: u32, changed_at: i64, is_active: bool) -> LinkRecord {
        LinkRecord { rel: "Hierarchy".into(), source: source.into(), target: target.into(), changed_at, is_active }
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
            assert_eq!(store.put_links(scope, &[link(1, 2, 30, false)], None).await.unwrap(), 1);
            assert_eq!(store.links_behind(scope, "Hierarchy", (0, 0), 10).await.unwrap(), [(1, 3), (4, 3)]);
            assert_eq!(store.links_behind(scope, "Related", (0, 0), 10).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn the_targets_of_an_item_are_its_own() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let page = [link(1, 9, 1, true), link(2, 5, 1, true), link(2, 3, 1, true), link(2, 4, 1, false)];
            store.put_links(scope, &page, None).await.unwrap();
            store.put_links(scope, &[link(3, 7, 1, true)], None).await.unwrap();
            for (source, most, expected) in [(2, 10, vec![3, 5]), (2, 1, vec![3]), (1, 10, vec![9]), (5, 10, vec![])] {
                let found = store.targets(scope, "Hierarchy", source.into(), most).await.unwrap();
                assert_eq!(found.into_iter().map(WorkItemId::get).collect::<Vec<_>>(), expected, "{source}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_over_a_limit_stores_nothing() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let long = "t".repeat(super::super::feeds::TOKEN + 1);
            for refused in [
                store.put_links(scope, &[link(1, 2, 1, true)], Some(&long)).await,
                store.put_links(scope, &vec![link(1, 2, 1, true); MAX_LINKS + 1], None).await,
            ] {
                assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
            }
            assert_eq!(store.links_behind(scope, "Hierarchy", (0, 0), 10).await.unwrap(), []);
        }
    }
}

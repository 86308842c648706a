//! Raw work items, page by page.

use std::borrow::Cow;
use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::backend::{Backend, Connection, answered, both};
use super::bounds::{self, within};
use super::changes::Change;
use super::connection::Store;
use super::error::StoreError;
use super::ids::{Scope, WorkItemId};

/// The most items that one call takes.
pub const MAX_PAGE: usize = 10_000;

/// Longest JSON text of one item's fields, in bytes. A work item's long texts have at most 1 MiB each; callers set the
/// stricter limit that fits them.
const MAX_FIELDS: usize = 16 * 1024 * 1024;

/// What becomes of a row that is stored already, for the two statements that insert pages: a higher revision replaces it, an
/// equal one if it differs. Long texts that were read once of a revision stay when it is read again without them.
const UPDATE: &str = " ON CONFLICT (integration_key, project_id, id) DO UPDATE SET rev = excluded.rev, \
     work_item_type = excluded.work_item_type, state = excluded.state, title = excluded.title, \
     changed_at = excluded.changed_at, change = excluded.change, fields = excluded.fields, texts = CASE \
     WHEN excluded.rev = work_items.rev THEN COALESCE(excluded.texts, work_items.texts) ELSE excluded.texts END \
     WHERE excluded.rev > work_items.rev OR (excluded.rev = work_items.rev AND \
     (excluded.work_item_type, excluded.state, excluded.title, excluded.changed_at, excluded.fields, \
     COALESCE(excluded.texts, work_items.texts)) \
     IS DISTINCT FROM (work_items.work_item_type, work_items.state, work_items.title, work_items.changed_at, \
     work_items.fields, work_items.texts))";

/// A work item as it was fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WorkItemRecord {
    /// Its id.
    pub id: WorkItemId,
    /// Its revision; it grows with each change.
    pub rev: u32,
    /// Name of its type, such as `User Story`.
    pub work_item_type: String,
    /// Its state, such as `Active`.
    pub state: String,
    /// Its title.
    pub title: String,
    /// When it was last changed in Azure DevOps, Unix milliseconds.
    pub changed_at: i64,
    /// All fetched fields but the long texts, by reference name, as JSON text. The same fields must give the same text, else
    /// an unchanged item counts as updated.
    pub fields: String,
    /// Long texts by reference name, as JSON text; None if it has none.
    pub texts: Option<String>,
}

impl WorkItemRecord {
    /// Whether the store takes it. A title that is too long is shortened; a shortened type or state would be another one.
    pub fn fits(&self) -> bool {
        self.check().is_ok()
    }

    fn check(&self) -> Result<(), StoreError> {
        within("work item type", &self.work_item_type, bounds::NAME)?;
        within("work item state", &self.state, bounds::NAME)?;
        within("work item fields", &self.fields, MAX_FIELDS)?;
        within("long texts of a work item", self.texts.as_deref().unwrap_or_default(), MAX_FIELDS)?;
        Ok(())
    }

    /// The title as it is stored.
    fn stored_title(&self) -> Cow<'_, str> {
        bounds::without_nul(bounds::shortened(&self.title, bounds::TITLE))
    }
}

/// A stored work item as the mapping reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredItem {
    /// Its id.
    pub id: u32,
    /// Its revision.
    pub rev: u32,
    /// Name of its type.
    pub work_item_type: String,
    /// Its state.
    pub state: String,
    /// When it was last changed in Azure DevOps, Unix milliseconds.
    pub changed_at: i64,
    /// All fetched fields but the long texts, by reference name, as JSON text.
    pub fields: String,
}

/// The columns of a [`StoredItem`], in the order in which its rows are read.
pub(super) const COLUMNS: &str = "id, rev, work_item_type, state, changed_at, fields";

/// A row of [`COLUMNS`].
pub(super) type Row = (i64, i64, String, String, i64, String);

impl StoredItem {
    /// The item of a row; none is stored whose numbers do not fit.
    pub(super) fn of((id, rev, work_item_type, state, changed_at, fields): Row) -> Option<Self> {
        let (id, rev) = (u32::try_from(id).ok()?, u32::try_from(rev).ok()?);
        Some(Self { id, rev, work_item_type, state, changed_at, fields })
    }
}

impl Store {
    /// Long texts of an item by reference name, as JSON text; None if it has none, or is not stored.
    pub async fn texts(&self, scope: Scope, id: WorkItemId) -> Result<Option<String>, StoreError> {
        let texts = "SELECT texts FROM work_items WHERE integration_key = $1 AND project_id = $2 AND id = $3";
        let texts: Option<Option<String>> = both!(self.readers(), db => {
            let texts = sqlx::query_scalar(texts).bind(scope.integration).bind(scope.project);
            texts.bind(i64::from(id.get())).fetch_optional(db).await?
        });
        Ok(texts.flatten())
    }

    /// Present items of a scope whose ids are above one, by rising id, at most so many.
    pub async fn items_above(&self, scope: Scope, id: u32, most: u32) -> Result<Vec<StoredItem>, StoreError> {
        let items = format!(
            "SELECT {COLUMNS} FROM work_items \
             WHERE integration_key = $1 AND project_id = $2 AND id > $3 AND absent = FALSE ORDER BY id LIMIT $4"
        );
        let rows: Vec<Row> = both!(self.readers(), db => {
            sqlx::query_as(AssertSqlSafe(items))
            .bind(scope.integration)
            .bind(scope.project)
            .bind(i64::from(id))
            .bind(i64::from(most))
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().filter_map(StoredItem::of).collect())
    }
}

/// Stores these rows, no id twice, and gives the number of those that are new or differ from what was stored.
pub(super) async fn put(
    connection: Connection<'_>,
    change: Change,
    rows: &[&WorkItemRecord],
) -> Result<u64, StoreError> {
    match connection {
        Backend::Sqlite(db) => Ok(sqlite::put(db, change, rows).await?),
        Backend::Postgres(db) => answered(Box::pin(postgres::put(db, change, rows))).await,
    }
}

/// The page in the order of its ids, each id once: the highest revision of it, the last one of equals.
pub(super) fn checked(page: &[WorkItemRecord]) -> Result<Vec<&WorkItemRecord>, StoreError> {
    if page.len() > MAX_PAGE {
        return Err(StoreError::TooLarge { what: "page of work items", limit: MAX_PAGE });
    }
    let mut latest: HashMap<WorkItemId, &WorkItemRecord> = HashMap::with_capacity(page.len());
    for item in page {
        item.check()?;
        let kept = latest.entry(item.id).or_insert(item);
        if item.rev >= kept.rev {
            *kept = item;
        }
    }
    let mut items: Vec<_> = latest.into_values().collect();
    items.sort_unstable_by_key(|item| item.id);
    Ok(items)
}

mod postgres;
mod sqlite;

#[cfg(test)]
mod tests;

//! Raw work items, and full reads of them.
//!
//! A full read sees a project's items page by page. Items are written as their pages come; which items were seen is
//! kept beside them, and only a read that finishes turns that into marks. So a read that stops half-way marks nothing,
//! and an item that did not change is not written again.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{RunId, Scope, WorkItemId};

/// The most items that one call takes.
pub const MAX_PAGE: usize = 10_000;

/// Longest JSON text of one item's fields, in bytes. A work item's long texts have at most 1 MiB each; callers set the
/// stricter limit that fits them.
const MAX_FIELDS: usize = 16 * 1024 * 1024;

/// Rows per statement. Larger ones gain nothing, and a statement of this one size stays prepared.
const ROWS: usize = 100;

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
    /// All fetched fields, by reference name, as JSON text. The same fields must give the same text, else an unchanged
    /// item counts as updated.
    pub fields: String,
}

/// What a page changed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// Items that were not stored before.
    pub inserted: u64,
    /// Items whose stored contents changed.
    pub updated: u64,
}

/// What a full read found at its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FullReadEnd {
    /// Stored items that this read did not see. They stay stored, and count as present no more.
    pub missing: u64,
    /// Stored items that this read found absent, or present again, unlike the one before.
    pub marked: u64,
}

impl Store {
    /// Begins a full read. An unfinished one of the same scope is abandoned: its pages stay stored, its id is refused.
    pub async fn begin_full_read(&self, scope: Scope) -> Result<RunId, StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM full_reads WHERE integration_key = ? AND project_id = ?")
            .bind(scope.integration)
            .bind(scope.project)
            .execute(&mut *transaction)
            .await?;
        let run = sqlx::query_scalar("INSERT INTO full_reads (integration_key, project_id) VALUES (?, ?) RETURNING id")
            .bind(scope.integration)
            .bind(scope.project)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(run)
    }

    /// Stores a page of a full read in one transaction: a higher revision wins, an equal one overwrites, a lower one
    /// changes nothing. Any order and any repetition of pages ends with the same rows.
    ///
    /// Errors: [`StoreError::RunNotOpen`]; [`StoreError::TooLarge`] for more than [`MAX_PAGE`] items, or a text over its
    /// limit, with nothing stored.
    pub async fn put_work_items(
        &self,
        scope: Scope,
        run: RunId,
        page: &[WorkItemRecord],
    ) -> Result<Changes, StoreError> {
        let items = checked(page)?;
        let mut transaction = self.write().await?;
        refuse_closed(&mut transaction, scope, run).await?;
        let mut changes = Changes::default();
        for rows in items.chunks(ROWS) {
            let ids = json_ids(rows);
            let stored = count_stored(&mut transaction, scope, &ids).await?;
            let written = upsert(&mut transaction, scope, rows).await?;
            let inserted = (rows.len() as u64).saturating_sub(stored);
            changes.inserted += inserted;
            changes.updated += written.saturating_sub(inserted);
            mark_seen(&mut transaction, run, &ids).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }

    /// Ends a full read that saw everything: what it saw is present, what else is stored of the scope is marked absent.
    pub async fn finish_full_read(&self, scope: Scope, run: RunId) -> Result<FullReadEnd, StoreError> {
        let mut transaction = self.write().await?;
        refuse_closed(&mut transaction, scope, run).await?;
        let mut marked = 0;
        for statement in [
            "UPDATE work_items SET absent = 1 WHERE integration_key = ? AND project_id = ? AND absent = 0 \
             AND NOT EXISTS (SELECT 1 FROM full_read_items seen WHERE seen.run_id = ? AND seen.id = work_items.id)",
            "UPDATE work_items SET absent = 0 WHERE integration_key = ? AND project_id = ? AND absent = 1 \
             AND EXISTS (SELECT 1 FROM full_read_items seen WHERE seen.run_id = ? AND seen.id = work_items.id)",
        ] {
            let done = sqlx::query(statement)
                .bind(scope.integration)
                .bind(scope.project)
                .bind(run)
                .execute(&mut *transaction)
                .await?;
            marked += done.rows_affected();
        }
        let missing: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM work_items WHERE integration_key = ? AND project_id = ? AND absent = 1",
        )
        .bind(scope.integration)
        .bind(scope.project)
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM full_reads WHERE id = ?").bind(run).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(FullReadEnd { missing: missing.unsigned_abs(), marked })
    }

    /// Gives up a full read. Its pages stay stored and no mark changes; nothing happens if it is not open.
    pub async fn abort_full_read(&self, scope: Scope, run: RunId) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM full_reads WHERE id = ? AND integration_key = ? AND project_id = ?")
            .bind(run)
            .bind(scope.integration)
            .bind(scope.project)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Present items of a scope by the name of their type, in the order of the names.
    pub async fn count_by_type(&self, scope: Scope) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT work_item_type, count(*) FROM work_items \
             WHERE integration_key = ? AND project_id = ? AND absent = 0 GROUP BY work_item_type ORDER BY work_item_type",
        )
        .bind(scope.integration)
        .bind(scope.project)
        .fetch_all(self.readers())
        .await?;
        Ok(rows.into_iter().map(|(name, count)| (name, count.unsigned_abs())).collect())
    }
}

/// The page in the order of its ids, each id once: the highest revision of it, the last one of equals.
fn checked(page: &[WorkItemRecord]) -> Result<Vec<&WorkItemRecord>, StoreError> {
    if page.len() > MAX_PAGE {
        return Err(StoreError::TooLarge { what: "page of work items", limit: MAX_PAGE });
    }
    let mut latest: HashMap<WorkItemId, &WorkItemRecord> = HashMap::with_capacity(page.len());
    for item in page {
        within("work item type", &item.work_item_type, bounds::NAME)?;
        within("work item state", &item.state, bounds::NAME)?;
        within("work item title", &item.title, bounds::TITLE)?;
        within("work item fields", &item.fields, MAX_FIELDS)?;
        let kept = latest.entry(item.id).or_insert(item);
        if item.rev >= kept.rev {
            *kept = item;
        }
    }
    let mut items: Vec<_> = latest.into_values().collect();
    items.sort_unstable_by_key(|item| item.id);
    Ok(items)
}

async fn refuse_closed(connection: &mut SqliteConnection, scope: Scope, run: RunId) -> Result<(), StoreError> {
    let open: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM full_reads WHERE id = ? AND integration_key = ? AND project_id = ?")
            .bind(run)
            .bind(scope.integration)
            .bind(scope.project)
            .fetch_optional(connection)
            .await?;
    open.map(|_| ()).ok_or(StoreError::RunNotOpen)
}

/// The ids as a JSON array: one parameter, whatever their number.
fn json_ids(rows: &[&WorkItemRecord]) -> String {
    rows.iter().map(|item| item.id.get()).collect::<serde_json::Value>().to_string()
}

async fn count_stored(connection: &mut SqliteConnection, scope: Scope, ids: &str) -> Result<u64, StoreError> {
    let stored: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM json_each(?) wanted CROSS JOIN work_items \
         ON integration_key = ? AND project_id = ? AND work_items.id = wanted.value",
    )
    .bind(ids)
    .bind(scope.integration)
    .bind(scope.project)
    .fetch_one(connection)
    .await?;
    Ok(stored.unsigned_abs())
}

/// Writes the rows that are new or differ from what is stored, and gives their number.
async fn upsert(connection: &mut SqliteConnection, scope: Scope, rows: &[&WorkItemRecord]) -> Result<u64, StoreError> {
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO work_items (integration_key, project_id, id, rev, work_item_type, state, title, changed_at, fields) ",
    );
    statement.push_values(rows, |mut row, item| {
        row.push_bind(scope.integration)
            .push_bind(scope.project)
            .push_bind(i64::from(item.id.get()))
            .push_bind(i64::from(item.rev))
            .push_bind(item.work_item_type.as_str())
            .push_bind(item.state.as_str())
            .push_bind(item.title.as_str())
            .push_bind(item.changed_at)
            .push_bind(item.fields.as_str());
    });
    statement.push(
        " ON CONFLICT (integration_key, project_id, id) DO UPDATE SET rev = excluded.rev, \
         work_item_type = excluded.work_item_type, state = excluded.state, title = excluded.title, \
         changed_at = excluded.changed_at, fields = excluded.fields \
         WHERE excluded.rev > work_items.rev OR (excluded.rev = work_items.rev AND \
         (excluded.work_item_type, excluded.state, excluded.title, excluded.changed_at, excluded.fields) IS NOT \
         (work_items.work_item_type, work_items.state, work_items.title, work_items.changed_at, work_items.fields))",
    );
    // A statement of another size would take the place of one that is used again.
    let query = statement.build().persistent(rows.len() == ROWS);
    Ok(query.execute(connection).await?.rows_affected())
}

async fn mark_seen(connection: &mut SqliteConnection, run: RunId, ids: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO full_read_items (run_id, id) SELECT ?, value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(run)
    .bind(ids)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;

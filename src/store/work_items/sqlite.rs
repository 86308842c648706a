//! Pages of work items in SQLite: a statement with many rows, and lists of ids as JSON.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{Changes, UPDATE, WorkItemRecord};
use crate::store::bounds::without_nul;
use crate::store::{RunId, Scope, WorkItemId};

/// Rows per statement. Larger ones gain nothing, and a statement of this one size stays prepared.
const ROWS: usize = 100;

/// Stores these rows, no id twice, and marks them as seen by a full read.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    scope: Scope,
    run: Option<RunId>,
    rows: &[&WorkItemRecord],
) -> sqlx::Result<Changes> {
    let mut changes = Changes::default();
    for rows in rows.chunks(ROWS) {
        let ids = WorkItemId::json(rows.iter().map(|item| item.id));
        let stored = count_stored(connection, scope, &ids).await?;
        let written = upsert(connection, scope, rows).await?;
        let inserted = (rows.len() as u64).saturating_sub(stored);
        changes.inserted += inserted;
        changes.updated += written.saturating_sub(inserted);
        if let Some(run) = run {
            mark_seen(connection, run, &ids).await?;
        }
    }
    Ok(changes)
}

async fn count_stored(connection: &mut SqliteConnection, scope: Scope, ids: &str) -> sqlx::Result<u64> {
    let stored: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM json_each($1) wanted CROSS JOIN work_items \
         ON integration_key = $2 AND project_id = $3 AND work_items.id = wanted.value",
    )
    .bind(ids)
    .bind(scope.integration)
    .bind(scope.project)
    .fetch_one(connection)
    .await?;
    Ok(stored.unsigned_abs())
}

/// Writes the rows that are new or differ from what is stored, and gives their number.
async fn upsert(connection: &mut SqliteConnection, scope: Scope, rows: &[&WorkItemRecord]) -> sqlx::Result<u64> {
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO work_items (integration_key, project_id, id, rev, work_item_type, state, title, changed_at, fields) ",
    );
    statement.push_values(rows, |mut row, item| {
        row.push_bind(scope.integration)
            .push_bind(scope.project)
            .push_bind(i64::from(item.id.get()))
            .push_bind(i64::from(item.rev))
            .push_bind(without_nul(&item.work_item_type))
            .push_bind(without_nul(&item.state))
            .push_bind(without_nul(&item.title))
            .push_bind(item.changed_at)
            .push_bind(without_nul(&item.fields));
    });
    statement.push(UPDATE);
    // A statement of another size would take the place of one that is used again.
    let query = statement.build().persistent(rows.len() == ROWS);
    Ok(query.execute(connection).await?.rows_affected())
}

async fn mark_seen(connection: &mut SqliteConnection, run: RunId, ids: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO full_read_items (run_id, id) SELECT $1, value FROM json_each($2) WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(run)
    .bind(ids)
    .execute(connection)
    .await?;
    Ok(())
}

//! Pages of work items in SQLite: a statement with many rows.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{UPDATE, WorkItemRecord};
use crate::store::bounds::without_nul;
use crate::store::changes::Change;

/// Rows per statement. Larger ones gain nothing, and a statement of this one size stays prepared.
const ROWS: usize = 100;

/// Stores these rows, no id twice, and gives the number of those that are new or differ.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    change: Change,
    rows: &[&WorkItemRecord],
) -> sqlx::Result<u64> {
    let mut written = 0;
    for rows in rows.chunks(ROWS) {
        written += upsert(connection, change, rows).await?;
    }
    Ok(written)
}

/// Writes the rows that are new or differ from what is stored, and gives their number.
async fn upsert(connection: &mut SqliteConnection, change: Change, rows: &[&WorkItemRecord]) -> sqlx::Result<u64> {
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO work_items (integration_key, project_id, id, rev, work_item_type, state, title, changed_at, change, \
         fields, texts) ",
    );
    statement.push_values(rows, |mut row, item| {
        row.push_bind(change.scope.integration)
            .push_bind(change.scope.project)
            .push_bind(i64::from(item.id.get()))
            .push_bind(i64::from(item.rev))
            .push_bind(without_nul(&item.work_item_type))
            .push_bind(without_nul(&item.state))
            .push_bind(item.stored_title())
            .push_bind(item.changed_at)
            .push_bind(change.number)
            .push_bind(without_nul(&item.fields))
            .push_bind(item.texts.as_deref().map(without_nul));
    });
    statement.push(UPDATE);
    // A statement of another size would take the place of one that is used again.
    let query = statement.build().persistent(rows.len() == ROWS);
    Ok(query.execute(connection).await?.rows_affected())
}

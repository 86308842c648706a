//! Batches of records in SQLite: statements with many rows.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{RecordBatch, Row, Told};
use crate::domain::records::RecordChange;
use crate::store::{ConfigKey, WorkItemId};

/// Rows per statement, as with work items.
const ROWS: usize = 100;

pub(super) async fn write(
    db: &mut SqliteConnection,
    config: ConfigKey,
    put: &[Row<'_>],
    batch: &RecordBatch,
) -> sqlx::Result<()> {
    for rows in put.chunks(ROWS) {
        put_records(db, config, rows).await?;
    }
    if !batch.gone.is_empty() {
        sqlx::query("DELETE FROM records WHERE config_key = $1 AND id IN (SELECT value FROM json_each($2))")
            .bind(config)
            .bind(WorkItemId::json(batch.gone.iter().copied()))
            .execute(&mut *db)
            .await?;
    }
    for changes in batch.changes.chunks(ROWS) {
        tell(db, config, changes).await?;
    }
    Ok(())
}

async fn put_records(db: &mut SqliteConnection, config: ConfigKey, rows: &[Row<'_>]) -> sqlx::Result<()> {
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT OR REPLACE INTO records (config_key, id, rev, kind, work_item_type, release_id, sprint_id, status, \
         category, priority, severity, release_date, unmapped) ",
    );
    statement.push_values(rows, |mut columns, row| {
        let standing = &row.record.standing;
        columns
            .push_bind(config)
            .push_bind(i64::from(row.record.id))
            .push_bind(i64::from(row.record.rev))
            .push_bind(standing.kind.as_str())
            .push_bind(&standing.work_item_type)
            .push_bind(standing.release)
            .push_bind(standing.sprint)
            .push_bind(row.status())
            .push_bind(&standing.category)
            .push_bind(row.priority())
            .push_bind(row.severity())
            .push_bind(&row.release_date)
            .push_bind(&row.unmapped);
    });
    // A statement of another size would take the place of one that is used again.
    statement.build().persistent(rows.len() == ROWS).execute(db).await?;
    Ok(())
}

async fn tell(db: &mut SqliteConnection, config: ConfigKey, changes: &[RecordChange]) -> sqlx::Result<()> {
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO record_changes (config_key, item_id, at, kind, work_item_type, release_id, sprint_id, status, \
         category, was_kind, was_work_item_type, was_release_id, was_sprint_id, was_status, was_category) ",
    );
    statement.push_values(changes, |mut columns, change| {
        columns.push_bind(config).push_bind(i64::from(change.id)).push_bind(change.at);
        for standing in [Told(change.is.as_ref()), Told(change.was.as_ref())] {
            columns
                .push_bind(standing.kind())
                .push_bind(standing.work_item_type())
                .push_bind(standing.release())
                .push_bind(standing.sprint())
                .push_bind(standing.status())
                .push_bind(standing.category());
        }
    });
    statement.build().persistent(changes.len() == ROWS).execute(db).await?;
    Ok(())
}

//! Batches of records in PostgreSQL: a statement for all rows, with an array for each column.

use sqlx::PgConnection;

use super::{RecordBatch, Row, Told};
use crate::domain::records::RecordChange;
use crate::store::ConfigKey;

pub(super) async fn write(
    db: &mut PgConnection,
    config: ConfigKey,
    put: &[Row<'_>],
    batch: &RecordBatch,
) -> sqlx::Result<()> {
    if !put.is_empty() {
        put_records(db, config, put).await?;
    }
    if !batch.gone.is_empty() {
        let gone: Vec<i64> = batch.gone.iter().map(|id| id.get().into()).collect();
        sqlx::query("DELETE FROM records WHERE config_key = $1 AND id = ANY($2)")
            .bind(config)
            .bind(gone)
            .execute(&mut *db)
            .await?;
    }
    if !batch.changes.is_empty() {
        tell(db, config, &batch.changes).await?;
    }
    Ok(())
}

async fn put_records(db: &mut PgConnection, config: ConfigKey, rows: &[Row<'_>]) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO records (config_key, id, rev, kind, work_item_type, release_id, sprint_id, status, category, \
         priority, severity, release_date, unmapped) \
         SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], \
         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[]) \
         ON CONFLICT (config_key, id) DO UPDATE SET rev = excluded.rev, kind = excluded.kind, \
         work_item_type = excluded.work_item_type, release_id = excluded.release_id, sprint_id = excluded.sprint_id, \
         status = excluded.status, category = excluded.category, priority = excluded.priority, \
         severity = excluded.severity, release_date = excluded.release_date, unmapped = excluded.unmapped",
    )
    .bind(config)
    .bind(rows.iter().map(|row| i64::from(row.record.id)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| i64::from(row.record.rev)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.record.standing.kind.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.record.standing.work_item_type.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.record.standing.release).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.record.standing.sprint).collect::<Vec<_>>())
    .bind(rows.iter().map(Row::status).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.record.standing.category.as_deref()).collect::<Vec<_>>())
    .bind(rows.iter().map(Row::priority).collect::<Vec<_>>())
    .bind(rows.iter().map(Row::severity).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.release_date.as_deref()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.unmapped.as_deref()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

async fn tell(db: &mut PgConnection, config: ConfigKey, changes: &[RecordChange]) -> sqlx::Result<()> {
    let mut tell = sqlx::query(
        "INSERT INTO record_changes (config_key, item_id, at, kind, work_item_type, release_id, sprint_id, status, \
         category, was_kind, was_work_item_type, was_release_id, was_sprint_id, was_status, was_category) \
         SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], \
         $8::text[], $9::text[], $10::text[], $11::text[], $12::uuid[], $13::uuid[], $14::text[], $15::text[])",
    )
    .bind(config)
    .bind(changes.iter().map(|change| i64::from(change.id)).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.at).collect::<Vec<_>>());
    let is: Vec<Told<'_>> = changes.iter().map(|change| Told(change.is.as_ref())).collect();
    let was: Vec<Told<'_>> = changes.iter().map(|change| Told(change.was.as_ref())).collect();
    for standings in [is, was] {
        tell = tell
            .bind(standings.iter().map(|told| told.kind()).collect::<Vec<_>>())
            .bind(standings.iter().map(|told| told.work_item_type()).collect::<Vec<_>>())
            .bind(standings.iter().map(|told| told.release()).collect::<Vec<_>>())
            .bind(standings.iter().map(|told| told.sprint()).collect::<Vec<_>>())
            .bind(standings.iter().map(|told| told.status()).collect::<Vec<_>>())
            .bind(standings.iter().map(|told| told.category()).collect::<Vec<_>>());
    }
    tell.execute(db).await?;
    Ok(())
}

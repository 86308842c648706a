//! Pages of work items in PostgreSQL: one statement for all rows, with an array for each column.

use std::borrow::Cow;

use sqlx::{AssertSqlSafe, PgConnection};

use super::{Changes, UPDATE, WorkItemRecord};
use crate::store::bounds::without_nul;
use crate::store::{RunId, Scope};

/// Bytes of fields in one statement, if it has more than one row. A message to the server may have 1 GiB.
const MESSAGE: usize = 64 * 1024 * 1024;

/// Stores these rows, no id twice, and marks them as seen by a full read.
pub(super) async fn put(
    connection: &mut PgConnection,
    scope: Scope,
    run: Option<RunId>,
    rows: &[&WorkItemRecord],
) -> sqlx::Result<Changes> {
    let mut changes = Changes::default();
    let mut bytes = 0;
    let fits = |_: &&WorkItemRecord, next: &&WorkItemRecord| {
        bytes += next.fields.len();
        let fits = bytes <= MESSAGE;
        if !fits {
            bytes = next.fields.len();
        }
        fits
    };
    for part in rows.chunk_by(fits) {
        let (inserted, updated) = upsert(connection, scope, part).await?;
        changes.inserted += inserted.unsigned_abs();
        changes.updated += updated.unsigned_abs();
    }
    if let Some(run) = run {
        mark_seen(connection, run, rows).await?;
    }
    Ok(changes)
}

/// Writes the rows that are new or differ from what is stored, and gives the numbers of either.
///
/// A row that was there before has been locked by this transaction, whose number its new version then bears as `xmax`.
async fn upsert(connection: &mut PgConnection, scope: Scope, rows: &[&WorkItemRecord]) -> sqlx::Result<(i64, i64)> {
    let numbers = |of: fn(&WorkItemRecord) -> i64| rows.iter().map(|item| of(item)).collect::<Vec<_>>();
    let statement = format!(
        "WITH written AS (INSERT INTO work_items \
         (integration_key, project_id, id, rev, work_item_type, state, title, changed_at, fields) \
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[], \
         $9::text[]) {UPDATE} RETURNING xmax = 0 AS is_new) \
         SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"
    );
    sqlx::query_as(AssertSqlSafe(statement))
        .bind(scope.integration)
        .bind(scope.project)
        .bind(numbers(|item| item.id.get().into()))
        .bind(numbers(|item| item.rev.into()))
        .bind(texts(rows, |item| &item.work_item_type))
        .bind(texts(rows, |item| &item.state))
        .bind(texts(rows, |item| &item.title))
        .bind(numbers(|item| item.changed_at))
        .bind(texts(rows, |item| &item.fields))
        .fetch_one(connection)
        .await
}

fn texts<'a>(rows: &[&'a WorkItemRecord], of: fn(&WorkItemRecord) -> &String) -> Vec<Cow<'a, str>> {
    rows.iter().map(|item| without_nul(of(item))).collect()
}

async fn mark_seen(connection: &mut PgConnection, run: RunId, rows: &[&WorkItemRecord]) -> sqlx::Result<()> {
    let ids: Vec<i64> = rows.iter().map(|item| item.id.get().into()).collect();
    sqlx::query("INSERT INTO full_read_items (run_id, id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING")
        .bind(run)
        .bind(ids)
        .execute(connection)
        .await?;
    Ok(())
}

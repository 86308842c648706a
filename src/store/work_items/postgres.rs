//! Pages of work items in PostgreSQL: one statement for all rows, with an array for each column.

use std::borrow::Cow;

use sqlx::{AssertSqlSafe, PgConnection};

use super::{UPDATE, WorkItemRecord};
use crate::store::bounds::without_nul;
use crate::store::{RunId, Scope};

/// Bytes of fields in one statement, if it has more than one row. A message to the server may have 1 GiB.
const MESSAGE: usize = 64 * 1024 * 1024;

/// Stores these rows, no id twice, and marks them as seen. Gives how many were stored before, and how many were written.
pub(super) async fn put(
    connection: &mut PgConnection,
    scope: Scope,
    run: RunId,
    rows: &[&WorkItemRecord],
) -> sqlx::Result<(u64, u64)> {
    let ids: Vec<i64> = rows.iter().map(|item| item.id.get().into()).collect();
    let stored = count_stored(connection, scope, &ids).await?;
    let mut written = 0;
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
        written += upsert(connection, scope, part).await?;
    }
    mark_seen(connection, run, &ids).await?;
    Ok((stored, written))
}

async fn count_stored(connection: &mut PgConnection, scope: Scope, ids: &[i64]) -> sqlx::Result<u64> {
    let stored: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM work_items WHERE integration_key = $1 AND project_id = $2 AND id = ANY($3)",
    )
    .bind(scope.integration)
    .bind(scope.project)
    .bind(ids)
    .fetch_one(connection)
    .await?;
    Ok(stored.unsigned_abs())
}

/// Writes the rows that are new or differ from what is stored, and gives their number.
async fn upsert(connection: &mut PgConnection, scope: Scope, rows: &[&WorkItemRecord]) -> sqlx::Result<u64> {
    let numbers = |of: fn(&WorkItemRecord) -> i64| rows.iter().map(|item| of(item)).collect::<Vec<_>>();
    let statement = format!(
        "INSERT INTO work_items (integration_key, project_id, id, rev, work_item_type, state, title, changed_at, fields) \
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[], \
         $9::text[]){UPDATE}"
    );
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(scope.integration)
        .bind(scope.project)
        .bind(numbers(|item| item.id.get().into()))
        .bind(numbers(|item| item.rev.into()))
        .bind(texts(rows, |item| &item.work_item_type))
        .bind(texts(rows, |item| &item.state))
        .bind(texts(rows, |item| &item.title))
        .bind(numbers(|item| item.changed_at))
        .bind(texts(rows, |item| &item.fields))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn texts<'a>(rows: &[&'a WorkItemRecord], of: fn(&WorkItemRecord) -> &String) -> Vec<Cow<'a, str>> {
    rows.iter().map(|item| without_nul(of(item))).collect()
}

async fn mark_seen(connection: &mut PgConnection, run: RunId, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO full_read_items (run_id, id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING")
        .bind(run)
        .bind(ids)
        .execute(connection)
        .await?;
    Ok(())
}

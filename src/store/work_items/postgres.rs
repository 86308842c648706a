//! Pages of work items in PostgreSQL: one statement for all rows, with an array for each column.

use std::borrow::Cow;

use sqlx::{AssertSqlSafe, PgConnection};

use super::{UPDATE, WorkItemRecord};
use crate::store::bounds::without_nul;
use crate::store::changes::Change;

/// Bytes of fields and texts in one statement, if it has more than one row. A message to the server may have 1 GiB.
const MESSAGE: usize = 64 * 1024 * 1024;

/// Stores these rows, no id twice, and gives the number of those that are new or differ.
pub(super) async fn put(connection: &mut PgConnection, change: Change, rows: &[&WorkItemRecord]) -> sqlx::Result<u64> {
    let (mut written, mut bytes) = (0, 0);
    let fits = |_: &&WorkItemRecord, next: &&WorkItemRecord| {
        let length = next.fields.len() + next.texts.as_ref().map_or(0, String::len);
        bytes += length;
        let fits = bytes <= MESSAGE;
        if !fits {
            bytes = length;
        }
        fits
    };
    for part in rows.chunk_by(fits) {
        written += upsert(connection, change, part).await?;
    }
    Ok(written)
}

/// Writes the rows that are new or differ from what is stored, and gives their number.
async fn upsert(connection: &mut PgConnection, change: Change, rows: &[&WorkItemRecord]) -> sqlx::Result<u64> {
    let numbers = |of: fn(&WorkItemRecord) -> i64| rows.iter().map(|item| of(item)).collect::<Vec<_>>();
    let statement = format!(
        "INSERT INTO work_items \
         (integration_key, project_id, change, id, rev, work_item_type, state, title, changed_at, fields, texts) \
         SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[], \
         $10::text[], $11::text[]) {UPDATE}"
    );
    let upsert = sqlx::query(AssertSqlSafe(statement))
        .bind(change.scope.integration)
        .bind(change.scope.project)
        .bind(change.number)
        .bind(numbers(|item| item.id.get().into()))
        .bind(numbers(|item| item.rev.into()))
        .bind(texts(rows, |item| &item.work_item_type))
        .bind(texts(rows, |item| &item.state))
        .bind(rows.iter().map(|item| item.stored_title()).collect::<Vec<_>>())
        .bind(numbers(|item| item.changed_at))
        .bind(texts(rows, |item| &item.fields))
        .bind(rows.iter().map(|item| item.texts.as_deref().map(without_nul)).collect::<Vec<_>>());
    Ok(upsert.execute(connection).await?.rows_affected())
}

fn texts<'a>(rows: &[&'a WorkItemRecord], of: fn(&WorkItemRecord) -> &String) -> Vec<Cow<'a, str>> {
    rows.iter().map(|item| without_nul(of(item))).collect()
}

//! Rows of PostgreSQL, by `COPY`.

use futures::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use super::{OPENED, ROWS};
use crate::Outcome;

/// A table in memory: parts of so many lines, one for each row.
struct Table {
    name: String,
    parts: Vec<Vec<u8>>,
    rows: usize,
}

/// See [`super::copy`].
pub async fn copy(from: &str, to: &str) -> Outcome<(f64, usize)> {
    let mut source = PgConnection::connect(from).await?;
    let tables = tables(&mut source).await?;
    source.close().await?;
    let mut target = PgConnection::connect(to).await?;
    // Tables are filled in any order: no reference is looked up.
    sqlx::query("SET session_replication_role = replica").execute(&mut target).await?;
    let started = Instant::now();
    for table in &tables {
        for part in &table.parts {
            let mut copy = target.copy_in_raw(&format!("COPY {} FROM STDIN", table.name)).await?;
            copy.send(part.as_slice()).await?;
            copy.finish().await?;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    target.close().await?;
    Ok((seconds, tables.iter().map(|table| table.rows).sum()))
}

async fn tables(source: &mut PgConnection) -> Outcome<Vec<Table>> {
    let names: Vec<String> = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
        .fetch_all(&mut *source)
        .await?;
    let mut tables = Vec::new();
    for name in names.into_iter().filter(|name| !OPENED.contains(&name.as_str())) {
        let mut lines = source.copy_out_raw(&format!("COPY {name} TO STDOUT")).await?;
        // The server sends a message for each row.
        let (mut parts, mut rows) = (Vec::new(), 0);
        while let Some(line) = lines.try_next().await? {
            if rows % ROWS == 0 {
                parts.push(Vec::new());
            }
            if let Some(part) = parts.last_mut() {
                part.extend_from_slice(&line);
            }
            rows += 1;
        }
        tables.push(Table { name, parts, rows });
    }
    Ok(tables)
}

//! Rows of SQLite: statements of many rows, prepared once, and many of them in one transaction.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
};
use tokio::time::Instant;

use super::{OPENED, ROWS};
use crate::Outcome;

/// Rows of one statement; more gain nothing.
const STATEMENT: usize = 100;

/// A table in memory.
struct Table {
    name: String,
    columns: usize,
    rows: Vec<Vec<Value>>,
}

enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// See [`super::copy`].
pub async fn copy(from: &Path, to: &Path) -> Outcome<(f64, usize)> {
    let mut source = open(from).await?;
    let tables = tables(&mut source).await?;
    source.close().await?;
    let mut target = open(to).await?;
    let started = Instant::now();
    for table in &tables {
        for rows in table.rows.chunks(ROWS) {
            let mut transaction = target.begin().await?;
            for rows in rows.chunks(STATEMENT) {
                insert(&mut transaction, table, rows).await?;
            }
            transaction.commit().await?;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    target.close().await?;
    Ok((seconds, tables.iter().map(|table| table.rows.len()).sum()))
}

/// As durable as the store's own connection: each commit is on the disk when it returns.
async fn open(folder: &Path) -> Outcome<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("ado-operator.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .disable_statement_logging();
    Ok(options.connect().await?)
}

async fn tables(source: &mut SqliteConnection) -> Outcome<Vec<Table>> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(&mut *source).await?;
    let mut tables = Vec::new();
    for name in names.into_iter().filter(|name| !OPENED.contains(&name.as_str())) {
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {name}"))).fetch_all(&mut *source).await?;
        let rows = rows.iter().map(values).collect::<Outcome<Vec<_>>>()?;
        let Some(columns) = rows.first().map(Vec::len) else { continue };
        tables.push(Table { name, columns, rows });
    }
    Ok(tables)
}

fn values(row: &SqliteRow) -> Outcome<Vec<Value>> {
    let value = |column: usize| {
        let raw = row.try_get_raw(column)?;
        Ok(match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "TEXT" => Value::Text(row.try_get_unchecked(column)?),
            "BLOB" => Value::Blob(row.try_get_unchecked(column)?),
            _ => Value::Integer(row.try_get_unchecked(column)?),
        })
    };
    (0..row.len()).map(value).collect()
}

async fn insert(target: &mut SqliteConnection, table: &Table, rows: &[Vec<Value>]) -> Outcome<()> {
    let row = format!("({})", vec!["?"; table.columns].join(","));
    let text = format!("INSERT INTO {} VALUES {}", table.name, vec![row.as_str(); rows.len()].join(","));
    let mut statement = sqlx::query(AssertSqlSafe(Arc::<str>::from(text))).persistent(rows.len() == STATEMENT);
    for value in rows.iter().flatten() {
        statement = bind(statement, value);
    }
    statement.execute(target).await?;
    Ok(())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind<'q>(statement: Query<'q>, value: &'q Value) -> Query<'q> {
    match value {
        Value::Null => statement.bind(None::<i64>),
        Value::Integer(number) => statement.bind(number),
        Value::Text(text) => statement.bind(text),
        Value::Blob(bytes) => statement.bind(bytes),
    }
}

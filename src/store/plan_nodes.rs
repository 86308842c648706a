//! Releases and sprints of project configs.

use jiff::civil::Date;
use sqlx::{PgConnection, QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::backend::{Backend, Connection, answered, both};
use super::bounds::{within, without_nul};
use super::connection::Store;
use super::error::StoreError;
use super::ids::ConfigKey;
use crate::domain::mapping::plan::PlanNode;
use crate::domain::mapping::warnings::Side;

/// Longest name, in bytes: a full path has up to 14 names of 255 characters.
const NAME: usize = 16 * 1024;

/// Rows per statement of SQLite.
const ROWS: usize = 100;

impl Store {
    /// The releases or sprints of a config, in the order of the tree.
    pub async fn plan_nodes(&self, config: ConfigKey, side: Side) -> Result<Vec<PlanNode>, StoreError> {
        type Columns = (Uuid, String, Option<String>, Option<String>, Option<Uuid>);
        let nodes = "SELECT identifier, name, start_date, finish_date, release_id FROM plan_nodes \
                     WHERE config_key = $1 AND side = $2 ORDER BY position";
        let rows: Vec<Columns> = both!(self.readers(), db => {
            sqlx::query_as(nodes).bind(config).bind(side.as_str()).fetch_all(db).await?
        });
        let day = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let node = |(identifier, name, start, finish, release)| PlanNode {
            identifier,
            name,
            start: day(start),
            finish: day(finish),
            release,
        };
        Ok(rows.into_iter().map(node).collect())
    }
}

/// The nodes of a side as they are stored.
pub(super) fn checked(nodes: &[PlanNode]) -> Result<Vec<PlanNode>, StoreError> {
    let checked = |node: &PlanNode| {
        let name = without_nul(within("name of an iteration", &node.name, NAME)?).into_owned();
        Ok(PlanNode { name, ..node.clone() })
    };
    nodes.iter().map(checked).collect()
}

/// Replaces the nodes of a side.
pub(super) async fn replace(
    connection: Connection<'_>,
    config: ConfigKey,
    side: Side,
    nodes: &[PlanNode],
) -> Result<(), StoreError> {
    match connection {
        Backend::Sqlite(db) => Ok(replace_in_sqlite(db, config, side, nodes).await?),
        Backend::Postgres(db) => answered(Box::pin(replace_in_postgres(db, config, side, nodes))).await,
    }
}

const FORGET: &str = "DELETE FROM plan_nodes WHERE config_key = $1 AND side = $2";

async fn replace_in_sqlite(
    db: &mut SqliteConnection,
    config: ConfigKey,
    side: Side,
    nodes: &[PlanNode],
) -> sqlx::Result<()> {
    sqlx::query(FORGET).bind(config).bind(side.as_str()).execute(&mut *db).await?;
    let mut position = 0_i64;
    for part in nodes.chunks(ROWS) {
        let mut statement = QueryBuilder::<Sqlite>::new(
            "INSERT INTO plan_nodes \
             (config_key, side, position, identifier, name, start_date, finish_date, release_id) ",
        );
        statement.push_values(part, |mut row, node| {
            row.push_bind(config)
                .push_bind(side.as_str())
                .push_bind(position)
                .push_bind(node.identifier)
                .push_bind(&node.name)
                .push_bind(text(node.start))
                .push_bind(text(node.finish))
                .push_bind(node.release);
            position += 1;
        });
        statement.build().persistent(part.len() == ROWS).execute(&mut *db).await?;
    }
    Ok(())
}

async fn replace_in_postgres(
    db: &mut PgConnection,
    config: ConfigKey,
    side: Side,
    nodes: &[PlanNode],
) -> sqlx::Result<()> {
    sqlx::query(FORGET).bind(config).bind(side.as_str()).execute(&mut *db).await?;
    sqlx::query(
        "INSERT INTO plan_nodes (config_key, side, position, identifier, name, start_date, finish_date, release_id) \
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::uuid[])",
    )
    .bind(config)
    .bind(side.as_str())
    .bind((0_i64..).take(nodes.len()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.identifier).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| text(node.start)).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| text(node.finish)).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.release).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

fn text(day: Option<Date>) -> Option<String> {
    day.as_ref().map(Date::to_string)
}

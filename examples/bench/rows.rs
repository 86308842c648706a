//! The second limit of a sync: the same final rows, written from memory into the tables of an empty database by the fastest
//! plain means that there are. Nothing is looked up, compared or updated.

mod postgres;
mod sqlite;

use ado_operator::store::{Server, Store};

use crate::Outcome;
use crate::sync::Place;

/// Rows of one transaction.
const ROWS: usize = 10_000;

/// Tables that a store has rows in once it is open.
const OPENED: [&str; 4] = ["_sqlx_migrations", "installation", "leader_epoch", "sqlite_sequence"];

/// Writes all rows of one store into the tables of an empty one; gives the seconds and the number of rows.
pub async fn copy(from: &Place, to: &Place) -> Outcome<(f64, usize)> {
    match (from, to) {
        (Place::Folder(from), Place::Folder(to)) => {
            Store::open(to).await?.close().await;
            sqlite::copy(from, to).await
        }
        (Place::Server(from), Place::Server(to)) => {
            Store::connect(&Server::parse(to)?).await?.close().await;
            postgres::copy(from, to).await
        }
        _ => Err("rows are only copied between databases of the same kind".into()),
    }
}

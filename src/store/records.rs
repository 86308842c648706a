//! Records: what the work items of a project are in test management, as a config maps them, and the history of that.

use jiff::civil::Date;
use uuid::Uuid;

use super::backend::{Backend, Connection, answered, both};
use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{ConfigKey, WorkItemId};
use crate::domain::mapping::RecordKind;
use crate::domain::mapping::unmapped::{Unmapped, UnmappedCounts, UnmappedValue};
use crate::domain::records::{Rating, RecordChange, RecordStatus, Standing, StoredRecord};

/// The most entries that each list of a batch may have.
pub const MAX_RECORDS: usize = 10_000;

/// Records that are read at a time where all are counted.
const PAGE: u32 = 10_000;

/// Longest text of an item's unmapped values, in bytes; each has at most 256 characters.
const UNMAPPED: usize = 16 * 1024;

/// What is different from what is stored.
#[derive(Clone, Debug, Default)]
pub struct RecordBatch {
    /// Records that are new or different, no id twice.
    pub put: Vec<StoredRecord>,
    /// Items that are no records any more.
    pub gone: Vec<WorkItemId>,
    /// What the history is told.
    pub changes: Vec<RecordChange>,
}

impl RecordBatch {
    /// Records that are written or removed.
    pub fn len(&self) -> usize {
        self.put.len() + self.gone.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.gone.is_empty() && self.changes.is_empty()
    }
}

/// What the records of a config add up to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecordTotals {
    /// Number of requirements.
    pub requirements: u64,
    /// Number of bugs.
    pub bugs: u64,
    /// Values that nobody mapped, most items first.
    pub unmapped: Vec<UnmappedValue>,
}

/// A query for records of a config that holds for some of them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, rev, kind, work_item_type, release_id, sprint_id, status, category, priority, severity, \
             release_date, unmapped FROM records WHERE config_key = $1 ",
            $which
        )
    };
}

impl Store {
    /// Writes a batch in one transaction; of an empty one nothing.
    ///
    /// Errors: [`StoreError::ConfigGone`]; [`StoreError::TooLarge`] for a list of more than [`MAX_RECORDS`] or a text over its
    /// limit, with nothing stored.
    pub async fn write_records(&self, config: ConfigKey, batch: &RecordBatch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        if batch.put.len().max(batch.gone.len()).max(batch.changes.len()) > MAX_RECORDS {
            return Err(StoreError::TooLarge { what: "batch of records", limit: MAX_RECORDS });
        }
        let put = batch.put.iter().map(Row::checked).collect::<Result<Vec<_>, _>>()?;
        let mut transaction = self.write().await?;
        refuse_gone(transaction.connection(), config).await?;
        match transaction.connection() {
            Backend::Sqlite(db) => sqlite::write(db, config, &put, batch).await?,
            Backend::Postgres(db) => answered(Box::pin(postgres::write(db, config, &put, batch))).await?,
        }
        transaction.commit().await
    }

    /// Records of a config whose ids are above one, by rising id, at most so many.
    pub async fn records_above(&self, config: ConfigKey, id: u32, most: u32) -> Result<Vec<StoredRecord>, StoreError> {
        let rows: Vec<Columns> = both!(self.readers(), db => {
            let above = select!("AND id > $2 ORDER BY id LIMIT $3");
            sqlx::query_as(above).bind(config).bind(i64::from(id)).bind(i64::from(most)).fetch_all(db).await?
        });
        rows.into_iter().map(stored).collect()
    }

    /// The records of these items, in any order.
    pub async fn records_of(&self, config: ConfigKey, ids: &[WorkItemId]) -> Result<Vec<StoredRecord>, StoreError> {
        let ids = WorkItemId::json(ids.iter().copied());
        let of = match self.readers() {
            Backend::Sqlite(_) => select!("AND id IN (SELECT value FROM json_each($2))"),
            Backend::Postgres(_) => select!("AND id IN (SELECT jsonb_array_elements_text($2::jsonb)::bigint)"),
        };
        let rows: Vec<Columns> =
            both!(self.readers(), db => sqlx::query_as(of).bind(config).bind(ids).fetch_all(db).await?);
        rows.into_iter().map(stored).collect()
    }

    /// What the records of a config add up to.
    pub async fn record_totals(&self, config: ConfigKey) -> Result<RecordTotals, StoreError> {
        let (requirements, bugs): (i64, i64) = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT count(*) FILTER (WHERE kind = $2), count(*) FILTER (WHERE kind = $3) FROM records \
                 WHERE config_key = $1",
            )
            .bind(config)
            .bind(RecordKind::Requirement.as_str())
            .bind(RecordKind::Bug.as_str())
            .fetch_one(db)
            .await?
        });
        let unmapped = self.unmapped_values(config).await?;
        Ok(RecordTotals { requirements: requirements.unsigned_abs(), bugs: bugs.unsigned_abs(), unmapped })
    }

    /// Grouping in the database would sort all that is unmapped in its memory, which may be every record.
    async fn unmapped_values(&self, config: ConfigKey) -> Result<Vec<UnmappedValue>, StoreError> {
        let (mut counts, mut last) = (UnmappedCounts::default(), 0_i64);
        loop {
            let page: Vec<(i64, String, String)> = both!(self.readers(), db => {
                sqlx::query_as(
                    "SELECT id, kind, unmapped FROM records \
                     WHERE config_key = $1 AND id > $2 AND unmapped IS NOT NULL ORDER BY id LIMIT $3",
                )
                .bind(config)
                .bind(last)
                .bind(i64::from(PAGE))
                .fetch_all(db)
                .await?
            });
            let Some((id, _, _)) = page.last() else { return Ok(counts.into_sorted()) };
            last = *id;
            for (_, kind, unmapped) in &page {
                counts.add(kind_named(kind)?, &read_unmapped(Some(unmapped)), 1);
            }
        }
    }

    /// The history of a config behind a row, oldest rows first, at most so many; each with its number.
    pub async fn record_changes(
        &self,
        config: ConfigKey,
        behind: i64,
        most: u32,
    ) -> Result<Vec<(i64, RecordChange)>, StoreError> {
        let rows: Vec<ChangeColumns> = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT id, item_id, at, kind, work_item_type, release_id, sprint_id, status, category, was_kind, \
                 was_work_item_type, was_release_id, was_sprint_id, was_status, was_category FROM record_changes \
                 WHERE config_key = $1 AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(config)
            .bind(behind)
            .bind(i64::from(most))
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(|row| Ok((row.id, row.change()?))).collect()
    }
}

/// A record as it is written.
struct Row<'a> {
    record: &'a StoredRecord,
    release_date: Option<String>,
    unmapped: Option<String>,
}

impl<'a> Row<'a> {
    fn checked(record: &'a StoredRecord) -> Result<Self, StoreError> {
        within("work item type", &record.standing.work_item_type, bounds::NAME)?;
        // Texts and options only: there is nothing that could not be written.
        let unmapped = || serde_json::to_string(&record.unmapped).unwrap_or_default();
        let unmapped = (!record.unmapped.is_empty()).then(unmapped);
        within("unmapped values", unmapped.as_deref().unwrap_or_default(), UNMAPPED)?;
        Ok(Self { record, release_date: record.release_date.as_ref().map(Date::to_string), unmapped })
    }

    fn status(&self) -> Option<&'static str> {
        self.record.standing.status.map(RecordStatus::as_str)
    }

    fn priority(&self) -> Option<&'static str> {
        self.record.priority.map(Rating::as_str)
    }

    fn severity(&self) -> Option<&'static str> {
        self.record.severity.map(Rating::as_str)
    }
}

/// A standing as it is written to the history, or that there is none.
#[derive(Clone, Copy)]
struct Told<'a>(Option<&'a Standing>);

impl<'a> Told<'a> {
    fn kind(self) -> Option<&'static str> {
        self.0.map(|standing| standing.kind.as_str())
    }

    fn work_item_type(self) -> Option<&'a str> {
        self.0.map(|standing| standing.work_item_type.as_str())
    }

    fn release(self) -> Option<Uuid> {
        self.0.and_then(|standing| standing.release)
    }

    fn sprint(self) -> Option<Uuid> {
        self.0.and_then(|standing| standing.sprint)
    }

    fn status(self) -> Option<&'static str> {
        self.0.and_then(|standing| standing.status).map(RecordStatus::as_str)
    }

    fn category(self) -> Option<&'a str> {
        self.0.and_then(|standing| standing.category.as_deref())
    }
}

/// The columns of a record: id, revision, kind, type, release, sprint, status, category, priority, severity, release date,
/// unmapped.
type Columns = (
    i64,
    i64,
    String,
    String,
    Option<Uuid>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

fn stored(columns: Columns) -> Result<StoredRecord, StoreError> {
    let (id, rev, kind, work_item_type, release, sprint, status, category, priority, severity, date, unmapped) =
        columns;
    let kind = kind_named(&kind)?;
    let standing =
        Standing { kind, work_item_type, release, sprint, status: status_named(status.as_deref()), category };
    Ok(StoredRecord {
        id: narrow(id)?,
        rev: narrow(rev)?,
        standing,
        priority: rating_named(priority.as_deref()),
        severity: rating_named(severity.as_deref()),
        release_date: date.and_then(|date| date.parse().ok()),
        unmapped: read_unmapped(unmapped.as_deref()),
    })
}

#[derive(sqlx::FromRow)]
struct ChangeColumns {
    id: i64,
    item_id: i64,
    at: i64,
    kind: Option<String>,
    work_item_type: Option<String>,
    release_id: Option<Uuid>,
    sprint_id: Option<Uuid>,
    status: Option<String>,
    category: Option<String>,
    was_kind: Option<String>,
    was_work_item_type: Option<String>,
    was_release_id: Option<Uuid>,
    was_sprint_id: Option<Uuid>,
    was_status: Option<String>,
    was_category: Option<String>,
}

impl ChangeColumns {
    fn change(self) -> Result<RecordChange, StoreError> {
        let is = self.kind.map(|kind| {
            Ok::<_, StoreError>(Standing {
                kind: kind_named(&kind)?,
                work_item_type: self.work_item_type.unwrap_or_default(),
                release: self.release_id,
                sprint: self.sprint_id,
                status: status_named(self.status.as_deref()),
                category: self.category,
            })
        });
        let was = self.was_kind.map(|kind| {
            Ok::<_, StoreError>(Standing {
                kind: kind_named(&kind)?,
                work_item_type: self.was_work_item_type.unwrap_or_default(),
                release: self.was_release_id,
                sprint: self.was_sprint_id,
                status: status_named(self.was_status.as_deref()),
                category: self.was_category,
            })
        });
        Ok(RecordChange { id: narrow(self.item_id)?, at: self.at, was: was.transpose()?, is: is.transpose()? })
    }
}

/// Words that a later version wrote are none: the next mapping puts it right.
fn status_named(name: Option<&str>) -> Option<RecordStatus> {
    RecordStatus::ALL.into_iter().find(|status| name == Some(status.as_str()))
}

fn rating_named(name: Option<&str>) -> Option<Rating> {
    Rating::ALL.into_iter().find(|rating| name == Some(rating.as_str()))
}

fn read_unmapped(text: Option<&str>) -> Unmapped {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn kind_named(name: &str) -> Result<RecordKind, StoreError> {
    let kind = RecordKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    kind.ok_or_else(|| sqlx::Error::Decode("no kind of records".into()).into())
}

fn narrow(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()).into())
}

async fn refuse_gone(connection: Connection<'_>, config: ConfigKey) -> Result<(), StoreError> {
    let found: Option<ConfigKey> = both!(connection, db => {
        sqlx::query_scalar("SELECT key FROM configs WHERE key = $1").bind(config).fetch_optional(db).await?
    });
    found.map(|_| ()).ok_or(StoreError::ConfigGone)
}

mod postgres;
mod sqlite;

#[cfg(test)]
mod tests;

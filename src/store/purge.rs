//! Data that go with their project config.
//!
//! A purge is done in parts, so that nobody else's write waits for the end of a large one: first the records, then the config with
//! all that is small, then the raw data of a project that no config has any more. What is broken off is found again, the config by
//! its row, and raw data by having no config.

use sqlx::AssertSqlSafe;

use super::audit::{self, Actor, AuditAction, AuditRecord, AuditedObject, ObjectKind};
use super::backend::both;
use super::connection::Store;
use super::error::StoreError;
use super::ids::{ConfigKey, IntegrationKey, ObjectUid, ProjectId, Scope};
use super::pins;

/// Rows that one write deletes at most, where there may be millions.
const PART: i64 = 2_000;

/// Tables of a config's own data that may be large. Each has a column `id`.
const LARGE: [&str; 2] = ["records", "record_changes"];

/// Tables of raw data besides the work items.
const RAW: [&str; 4] = ["links", "set_aside", "feeds", "scopes"];

/// Whether a config has the raw data of the project $2 of the integration $1.
const CLAIMED: &str = "EXISTS (SELECT 1 FROM configs WHERE integration_key = $1 AND project_id = $2)";

/// A stored config whose data go with its object.
#[derive(Clone, Debug, Eq, PartialEq, sqlx::FromRow)]
pub struct Purgeable {
    /// Its key.
    pub key: ConfigKey,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// The object.
    pub uid: ObjectUid,
}

impl Store {
    /// Keeps the deletion policy of an object, if the store has data of it. Nothing is written if it is known.
    pub async fn keep_policy(&self, uid: &ObjectUid, purge: bool) -> Result<(), StoreError> {
        let find = "SELECT count(*) FROM configs WHERE uid = $1 AND purge <> $2";
        let others: i64 =
            both!(self.readers(), db => sqlx::query_scalar(find).bind(uid).bind(purge).fetch_one(db).await?);
        if others == 0 {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        both!(transaction.connection(), db => {
            let keep = "UPDATE configs SET purge = $2 WHERE uid = $1";
            sqlx::query(keep).bind(uid).bind(purge).execute(db).await?;
        });
        transaction.commit().await
    }

    /// Configs whose data go with their objects, behind that key, by rising key; at most so many.
    pub async fn purgeable(&self, behind: Option<ConfigKey>, most: u32) -> Result<Vec<Purgeable>, StoreError> {
        let find = "SELECT key, namespace, name, uid FROM configs WHERE purge = TRUE AND ($1 IS NULL OR key > $1) \
                    ORDER BY key LIMIT $2";
        Ok(both!(self.readers(), db => {
            sqlx::query_as(find).bind(behind).bind(i64::from(most)).fetch_all(db).await?
        }))
    }

    /// The same, of the objects that ever had that name.
    pub async fn purgeable_named(&self, namespace: &str, name: &str) -> Result<Vec<Purgeable>, StoreError> {
        let find = "SELECT key, namespace, name, uid FROM configs \
                    WHERE namespace = $1 AND name = $2 AND purge = TRUE ORDER BY key LIMIT 1000";
        Ok(both!(self.readers(), db => sqlx::query_as(find).bind(namespace).bind(name).fetch_all(db).await?))
    }

    /// Deletes what is stored of a config whose object is gone: records, releases and sprints, history, sync runs and pins. The
    /// audit trail stays, and gets an entry. Whether it was there, and still to be purged, is the answer.
    ///
    /// Raw data that no other config has are left to [`drop_unclaimed`](Self::drop_unclaimed); from here on they are read anew.
    pub async fn purge_config(&self, config: &Purgeable, actor: &Actor, at: i64) -> Result<bool, StoreError> {
        for table in LARGE {
            while self.drop_part_of(table, config).await? > 0 {}
        }
        let mut transaction = self.write().await?;
        let doomed = "SELECT integration_key, project_id FROM configs WHERE key = $1 AND uid = $2 AND purge = TRUE";
        let doomed: Option<(IntegrationKey, ProjectId)> = both!(transaction.connection(), db => {
            sqlx::query_as(doomed).bind(config.key).bind(&config.uid).fetch_optional(db).await?
        });
        let Some((integration, project)) = doomed else { return Ok(false) };
        let is_claimed: bool = both!(transaction.connection(), db => {
            for table in LARGE.into_iter().chain(["plan_nodes"]) {
                let drop = AssertSqlSafe(format!("DELETE FROM {table} WHERE config_key = $1"));
                sqlx::query(drop).bind(config.key).execute(&mut *db).await?;
            }
            sqlx::query("DELETE FROM configs WHERE key = $1").bind(config.key).execute(&mut *db).await?;
            let drop = AssertSqlSafe(format!(
                "DELETE FROM feeds WHERE integration_key = $1 AND project_id = $2 AND NOT {CLAIMED}"
            ));
            sqlx::query(drop).bind(integration).bind(project).execute(&mut *db).await?;
            let claimed = AssertSqlSafe(format!("SELECT {CLAIMED}"));
            sqlx::query_scalar(claimed).bind(integration).bind(project).fetch_one(db).await?
        });
        pins::forget(transaction.connection(), &config.uid).await?;
        audit::append(transaction.connection(), &entry(config, project, is_claimed, actor, at)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Deletes the raw data of projects that no stored config has any more, and tells how many work items those were.
    ///
    /// A config is [claimed](Self::claim_config) before its project is read, so such data were left behind: by a purge that was
    /// broken off, or by a read that was under way when its config was purged.
    pub async fn drop_unclaimed(&self) -> Result<u64, StoreError> {
        let mut dropped = 0;
        while let Some(scope) = self.unclaimed().await? {
            loop {
                match self.drop_part_of_project(scope).await? {
                    0 => break,
                    items => dropped += items,
                }
            }
            self.drop_rest_of_project(scope).await?;
        }
        Ok(dropped)
    }

    /// Deletes some rows of a config, if it is still to be purged; tells how many.
    async fn drop_part_of(&self, table: &str, config: &Purgeable) -> Result<u64, StoreError> {
        let drop = AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE config_key = $1 \
             AND id IN (SELECT id FROM {table} WHERE config_key = $1 ORDER BY id LIMIT $2) \
             AND EXISTS (SELECT 1 FROM configs WHERE key = $1 AND uid = $3 AND purge = TRUE)"
        ));
        let mut transaction = self.write().await?;
        let dropped = both!(transaction.connection(), db => {
            sqlx::query(drop).bind(config.key).bind(PART).bind(&config.uid).execute(db).await?.rows_affected()
        });
        transaction.commit().await?;
        Ok(dropped)
    }

    /// A project with raw data and without a config.
    async fn unclaimed(&self) -> Result<Option<Scope>, StoreError> {
        let find = "SELECT integration_key, project_id FROM \
                    (SELECT integration_key, project_id FROM scopes UNION SELECT integration_key, project_id FROM feeds \
                     UNION SELECT integration_key, project_id FROM set_aside) raw \
                    WHERE NOT EXISTS (SELECT 1 FROM configs WHERE configs.integration_key = raw.integration_key \
                    AND configs.project_id = raw.project_id) LIMIT 1";
        let found: Option<(IntegrationKey, ProjectId)> =
            both!(self.readers(), db => sqlx::query_as(find).fetch_optional(db).await?);
        Ok(found.map(|(integration, project)| Scope { integration, project }))
    }

    /// Deletes some work items of a project that has no config; tells how many.
    async fn drop_part_of_project(&self, scope: Scope) -> Result<u64, StoreError> {
        let drop = AssertSqlSafe(format!(
            "DELETE FROM work_items WHERE integration_key = $1 AND project_id = $2 AND id IN \
             (SELECT id FROM work_items WHERE integration_key = $1 AND project_id = $2 ORDER BY id LIMIT $3) \
             AND NOT {CLAIMED}"
        ));
        let mut transaction = self.write().await?;
        let dropped = both!(transaction.connection(), db => {
            let drop = sqlx::query(drop).bind(scope.integration).bind(scope.project).bind(PART);
            drop.execute(db).await?.rows_affected()
        });
        transaction.commit().await?;
        Ok(dropped)
    }

    async fn drop_rest_of_project(&self, scope: Scope) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for table in RAW {
            let drop = AssertSqlSafe(format!(
                "DELETE FROM {table} WHERE integration_key = $1 AND project_id = $2 AND NOT {CLAIMED}"
            ));
            both!(transaction.connection(), db => {
                sqlx::query(drop).bind(scope.integration).bind(scope.project).execute(db).await?;
            });
        }
        transaction.commit().await
    }
}

fn entry(config: &Purgeable, project: ProjectId, is_claimed: bool, actor: &Actor, at: i64) -> AuditRecord {
    let raw =
        if is_claimed { "stays with other project configs" } else { "goes too, as no other project config has it" };
    AuditRecord {
        at,
        actor: actor.clone(),
        action: AuditAction::Purged,
        object: AuditedObject {
            kind: ObjectKind::AdoProjectConfig,
            namespace: config.namespace.clone(),
            name: config.name.clone(),
            uid: config.uid.clone(),
        },
        detail: format!("records, history and sync runs deleted; what was read of project {project} {raw}"),
    }
}

#[cfg(test)]
mod tests;

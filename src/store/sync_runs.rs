//! The history of syncs, as it is shown to people.

use super::backend::both;
use super::bounds::{self, column, shortened, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{IntegrationKey, ObjectUid, ProjectId, Scope, SyncRunId};

/// Runs kept per config.
const KEPT: u32 = 100;

/// What a run reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
pub enum SyncKind {
    /// Every work item of the project.
    Full,
    /// What changed since the last run.
    Incremental,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
pub enum SyncOutcome {
    /// All was read and stored.
    Succeeded,
    /// It stopped with an error; what was stored before stays.
    Failed,
    /// The process that ran it ended first.
    Interrupted,
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewSyncRun {
    /// Whose raw data is read.
    pub scope: Scope,
    /// `metadata.uid` of the project config that it is for.
    pub config_uid: ObjectUid,
    /// What it reads.
    pub kind: SyncKind,
    /// Unix milliseconds.
    pub started_at: i64,
}

/// How a run ended, and what it cost.
#[derive(Clone, Debug)]
pub struct SyncRunEnd {
    /// Unix milliseconds.
    pub finished_at: i64,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// Work items read.
    pub items: u64,
    /// Requests sent to Azure DevOps.
    pub requests: u64,
    /// The reason of a failure, a constant word; never a text from outside. Over 256 bytes it is shortened.
    pub reason: Option<String>,
}

/// A run as it is stored.
#[derive(Clone, Debug, Eq, PartialEq, sqlx::FromRow)]
pub struct SyncRun {
    /// Its id; later runs have higher ones.
    pub id: SyncRunId,
    /// The integration whose credential read.
    pub integration_key: IntegrationKey,
    /// The project that was read.
    pub project_id: ProjectId,
    /// `metadata.uid` of the project config.
    pub config_uid: ObjectUid,
    /// What it read.
    pub kind: SyncKind,
    /// Unix milliseconds.
    pub started_at: i64,
    /// Unix milliseconds; `None` while it runs.
    pub finished_at: Option<i64>,
    /// `None` while it runs.
    pub outcome: Option<SyncOutcome>,
    /// Work items read, so far if it runs.
    #[sqlx(try_from = "i64")]
    pub items: u64,
    /// Requests sent to Azure DevOps, so far if it runs.
    #[sqlx(try_from = "i64")]
    pub requests: u64,
    /// The reason of a failure.
    pub reason: Option<String>,
}

impl Store {
    /// Records that a run begins, and drops the config's oldest runs over the limit of 100.
    pub async fn start_sync_run(&self, run: &NewSyncRun) -> Result<SyncRunId, StoreError> {
        within("uid", run.config_uid.as_str(), bounds::NAME)?;
        let mut transaction = self.write().await?;
        let id = both!(transaction.connection(), db => {
            let id = sqlx::query_scalar(
                "INSERT INTO sync_runs (integration_key, project_id, config_uid, kind, started_at) \
                 VALUES ($1, $2, $3, $4, $5) RETURNING id",
            )
            .bind(run.scope.integration)
            .bind(run.scope.project)
            .bind(&run.config_uid)
            .bind(run.kind)
            .bind(run.started_at)
            .fetch_one(&mut *db)
            .await?;
            sqlx::query(
                "DELETE FROM sync_runs WHERE config_uid = $1 AND id <= \
                 (SELECT id FROM sync_runs WHERE config_uid = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
            )
            .bind(&run.config_uid)
            .bind(i64::from(KEPT))
            .execute(db)
            .await?;
            id
        });
        transaction.commit().await?;
        Ok(id)
    }

    /// Records how far a run has come. Nothing happens if it has ended.
    pub async fn note_progress(&self, id: SyncRunId, items: u64, requests: u64) -> Result<(), StoreError> {
        let note = "UPDATE sync_runs SET items = $1, requests = $2 WHERE id = $3 AND finished_at IS NULL";
        let mut transaction = self.write().await?;
        both!(transaction.connection(), db => {
            sqlx::query(note).bind(column(items)).bind(column(requests)).bind(id).execute(db).await?;
        });
        transaction.commit().await
    }

    /// Records how a run ended; [`StoreError::SyncRunNotOpen`] if it has ended before.
    pub async fn finish_sync_run(&self, id: SyncRunId, end: &SyncRunEnd) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let ended = both!(transaction.connection(), db => {
            sqlx::query(
                "UPDATE sync_runs SET finished_at = $1, outcome = $2, items = $3, requests = $4, reason = $5 \
                 WHERE id = $6 AND finished_at IS NULL",
            )
            .bind(end.finished_at)
            .bind(end.outcome)
            .bind(column(end.items))
            .bind(column(end.requests))
            .bind(end.reason.as_deref().map(|reason| shortened(reason, bounds::REASON)))
            .bind(id)
            .execute(db)
            .await?
            .rows_affected()
        });
        if ended == 0 {
            return Err(StoreError::SyncRunNotOpen);
        }
        transaction.commit().await
    }

    /// Ends the runs that an earlier process left open, and tells how many there were. For a new leader, before its
    /// first sync.
    pub async fn interrupt_sync_runs(&self, at: i64) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let ended = both!(transaction.connection(), db => {
            sqlx::query("UPDATE sync_runs SET finished_at = $1, outcome = $2 WHERE finished_at IS NULL")
                .bind(at)
                .bind(SyncOutcome::Interrupted)
                .execute(db)
                .await?
                .rows_affected()
        });
        transaction.commit().await?;
        Ok(ended)
    }

    /// The latest runs of a config, newest first; at most 100.
    pub async fn sync_runs(&self, config_uid: &ObjectUid, limit: u32) -> Result<Vec<SyncRun>, StoreError> {
        Ok(both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT id, integration_key, project_id, config_uid, kind, started_at, finished_at, outcome, items, \
                 requests, reason FROM sync_runs WHERE config_uid = $1 ORDER BY id DESC LIMIT $2",
            )
            .bind(config_uid)
            .bind(i64::from(limit.min(KEPT)))
            .fetch_all(db)
            .await?
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;

    fn run(scope: Scope, config: &str, started_at: i64) -> NewSyncRun {
        NewSyncRun { scope, config_uid: config.into(), kind: SyncKind::Full, started_at }
    }

    #[tokio::test]
    async fn a_run_is_recorded_from_start_to_end() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let id = store.start_sync_run(&run(scope, "config", 10)).await.unwrap();
            let open = store.sync_runs(&"config".into(), 10).await.unwrap();
            assert_eq!((open.len(), open[0].id, open[0].started_at, open[0].outcome), (1, id, 10, None));
            store.note_progress(id, 5, 2).await.unwrap();
            let open = store.sync_runs(&"config".into(), 10).await.unwrap();
            assert_eq!((open[0].items, open[0].requests, open[0].outcome), (5, 2, None));

            let end = SyncRunEnd {
                finished_at: 20,
                outcome: SyncOutcome::Failed,
                items: 7,
                requests: 3,
                reason: Some("Throttled".into()),
            };
            store.finish_sync_run(id, &end).await.unwrap();
            let ended = store.sync_runs(&"config".into(), 10).await.unwrap().remove(0);
            assert_eq!((ended.finished_at, ended.outcome), (Some(20), Some(SyncOutcome::Failed)));
            assert_eq!((ended.items, ended.requests, ended.reason.as_deref()), (7, 3, Some("Throttled")));
            assert_eq!((ended.integration_key, ended.project_id), (scope.integration, scope.project));

            store.note_progress(id, 99, 99).await.unwrap();
            assert_eq!(store.sync_runs(&"config".into(), 10).await.unwrap(), [ended], "it has ended");
            let again = store.finish_sync_run(id, &end).await;
            assert!(matches!(again, Err(StoreError::SyncRunNotOpen)), "{again:?}");
        }
    }

    #[tokio::test]
    async fn the_last_hundred_runs_of_each_config_are_kept() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            store.start_sync_run(&run(scope, "quiet", 0)).await.unwrap();
            for started_at in 1..=103 {
                store.start_sync_run(&run(scope, "busy", started_at)).await.unwrap();
            }
            let kept = store.sync_runs(&"busy".into(), u32::MAX).await.unwrap();
            assert_eq!(kept.iter().map(|run| run.started_at).collect::<Vec<_>>(), (4..=103).rev().collect::<Vec<_>>());
            assert_eq!(store.rows::<(i64,)>("SELECT count(*) FROM sync_runs").await, [(101,)]);
        }
    }

    #[tokio::test]
    async fn runs_that_a_crash_left_open_are_marked_interrupted() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let ended = store.start_sync_run(&run(scope, "config", 1)).await.unwrap();
            let end =
                SyncRunEnd { finished_at: 2, outcome: SyncOutcome::Succeeded, items: 0, requests: 0, reason: None };
            store.finish_sync_run(ended, &end).await.unwrap();
            store.start_sync_run(&run(scope, "config", 3)).await.unwrap();
            store.reopen().await;
            assert_eq!(store.interrupt_sync_runs(9).await.unwrap(), 1);
            let outcomes: Vec<_> = store.sync_runs(&"config".into(), 10).await.unwrap();
            let outcomes: Vec<_> = outcomes.iter().map(|run| (run.finished_at, run.outcome)).collect();
            assert_eq!(outcomes, [(Some(9), Some(SyncOutcome::Interrupted)), (Some(2), Some(SyncOutcome::Succeeded))]);
        }
    }
}

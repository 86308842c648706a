//! Pins: ids that a first validation resolved and that hold for the life of a Kubernetes object.

use sqlx::AssertSqlSafe;

use super::backend::{Backend, Connection, both};
use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::ObjectUid;

/// Tables of what is kept for an object, with the column of its uid.
const OF_OBJECTS: [(&str, &str); 4] =
    [("pins", "uid"), ("mapping_pins", "uid"), ("credential_refusals", "uid"), ("sync_runs", "config_uid")];

/// What can be pinned.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
enum PinKind {
    /// Id of the organization.
    OrganizationId,
    /// `metadata.uid` of the `AdoIntegration` that a project config refers to.
    IntegrationUid,
    /// Id of the Azure DevOps project.
    ProjectId,
    /// What the spec called the project when it was last accepted. Unlike the others it moves.
    ProjectSpelling,
}

/// The pins of one object; `None` is not pinned so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pins {
    /// Id of the organization.
    pub organization_id: Option<String>,
    /// `metadata.uid` of the `AdoIntegration`.
    pub integration_uid: Option<String>,
    /// Id of the Azure DevOps project.
    pub project_id: Option<String>,
    /// What the spec called the project when it was last accepted.
    pub project_spelling: Option<String>,
}

/// What an accepted project config means.
#[derive(Clone, Copy, Debug)]
pub struct ConfigPins<'a> {
    /// The integration.
    pub integration: &'a str,
    /// Id of the Azure DevOps project.
    pub project_id: &'a str,
    /// What the spec calls the project.
    pub project_spelling: &'a str,
}

impl Store {
    /// What is pinned for an object.
    pub async fn pins(&self, uid: &ObjectUid) -> Result<Pins, StoreError> {
        let all = "SELECT kind, value FROM pins WHERE uid = $1";
        let rows: Vec<(PinKind, String)> =
            both!(self.readers(), db => sqlx::query_as(all).bind(uid).fetch_all(db).await?);
        let mut pins = Pins::default();
        for (kind, value) in rows {
            let slot = match kind {
                PinKind::OrganizationId => &mut pins.organization_id,
                PinKind::IntegrationUid => &mut pins.integration_uid,
                PinKind::ProjectId => &mut pins.project_id,
                PinKind::ProjectSpelling => &mut pins.project_spelling,
            };
            *slot = Some(value);
        }
        Ok(pins)
    }

    /// Pins an accepted project config: integration and project unless they are pinned already, and how its spec spells the
    /// project. Gives what holds: of two that race, both get the same. Nothing is written if nothing is new.
    pub async fn pin_config(&self, uid: &ObjectUid, config: &ConfigPins<'_>) -> Result<Pins, StoreError> {
        within("uid", uid.as_str(), bounds::NAME)?;
        let values = [
            (PinKind::IntegrationUid, config.integration),
            (PinKind::ProjectId, config.project_id),
            (PinKind::ProjectSpelling, config.project_spelling),
        ];
        for (_, value) in values {
            within("pinned value", value, bounds::NAME)?;
        }
        let known = self.pins(uid).await?;
        let is_new = known.integration_uid.is_none()
            || known.project_id.is_none()
            || known.project_spelling.as_deref() != Some(config.project_spelling);
        if !is_new {
            return Ok(known);
        }
        let mut transaction = self.write().await?;
        for (kind, value) in values {
            both!(transaction.connection(), db => {
                sqlx::query(
                    "INSERT INTO pins (uid, kind, value) VALUES ($1, $2, $3) \
                     ON CONFLICT (uid, kind) DO UPDATE SET value = excluded.value WHERE pins.kind = 'ProjectSpelling'",
                )
                .bind(uid)
                .bind(kind)
                .bind(value)
                .execute(db)
                .await?;
            });
        }
        transaction.commit().await?;
        self.pins(uid).await
    }

    /// Forgets what was kept for an object that is gone: its pins, its refused credential and its sync runs, which a
    /// new object of the same name does not take over. Work items and the audit trail stay.
    pub async fn forget_object(&self, uid: &ObjectUid) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        forget(transaction.connection(), uid).await?;
        transaction.commit().await
    }

    /// [`forget_object`](Self::forget_object), for every object that is not among those that are alive.
    pub async fn forget_all_but(&self, alive: &[ObjectUid]) -> Result<(), StoreError> {
        let alive = serde_json::Value::from(alive.iter().map(ObjectUid::as_str).collect::<Vec<_>>()).to_string();
        let mut transaction = self.write().await?;
        let listed = match transaction.connection() {
            Backend::Sqlite(_) => "SELECT value FROM json_each($1)",
            Backend::Postgres(_) => "SELECT jsonb_array_elements_text($1::jsonb)",
        };
        for (table, column) in OF_OBJECTS {
            let statement = AssertSqlSafe(format!("DELETE FROM {table} WHERE {column} NOT IN ({listed})"));
            both!(transaction.connection(), db => {
                sqlx::query(statement).bind(&alive).execute(db).await?;
            });
        }
        transaction.commit().await
    }
}

/// [`Store::forget_object`] as a part of a write.
pub(super) async fn forget(connection: Connection<'_>, uid: &ObjectUid) -> Result<(), StoreError> {
    both!(connection, db => {
        for (table, column) in OF_OBJECTS {
            let statement = AssertSqlSafe(format!("DELETE FROM {table} WHERE {column} = $1"));
            sqlx::query(statement).bind(uid).execute(&mut *db).await?;
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;
    use crate::store::{NewSyncRun, SyncKind};

    fn config<'a>(integration: &'a str, project_id: &'a str, project_spelling: &'a str) -> ConfigPins<'a> {
        ConfigPins { integration, project_id, project_spelling }
    }

    #[tokio::test]
    async fn integration_and_project_are_pinned_once_and_the_spelling_moves() {
        for store in TestStore::each().await {
            let uid = ObjectUid::from("uid-1");
            assert_eq!(store.pins(&uid).await.unwrap(), Pins::default());
            let first = store.pin_config(&uid, &config("contoso", "p-1", "Payments")).await.unwrap();
            let expected = Pins {
                organization_id: None,
                integration_uid: Some("contoso".into()),
                project_id: Some("p-1".into()),
                project_spelling: Some("Payments".into()),
            };
            assert_eq!(first, expected);
            let second = store.pin_config(&uid, &config("fabrikam", "p-2", "payments")).await.unwrap();
            assert_eq!(second, Pins { project_spelling: Some("payments".into()), ..expected });
            assert_eq!(store.pins(&uid).await.unwrap(), second);
            assert_eq!(store.pins(&ObjectUid::from("uid-2")).await.unwrap(), Pins::default());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn all_that_race_for_a_pin_get_the_same_value() {
        for store in TestStore::each().await {
            let uid = ObjectUid::from("uid-1");
            let racers = (0..32).map(|n| {
                let (store, uid) = (Store::clone(&store), uid.clone());
                let id = i32::to_string(&n);
                tokio::spawn(async move { store.pin_config(&uid, &config("contoso", &id, "Payments")).await.unwrap() })
            });
            let values = futures::future::try_join_all(racers).await.unwrap();
            let holds = store.pins(&uid).await.unwrap();
            assert_eq!(values, vec![holds; 32]);
        }
    }

    #[tokio::test]
    async fn what_was_kept_for_an_object_that_is_gone_is_forgotten() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let (gone, stays) = (ObjectUid::from("gone"), ObjectUid::from("stays"));
            for uid in [&gone, &stays] {
                store.pin_config(uid, &config("integration", "p", "Payments")).await.unwrap();
                store.record_refusal(uid, "secret/1", 1).await.unwrap();
                let run = NewSyncRun { scope, config_uid: uid.clone(), kind: SyncKind::Full, started_at: 1 };
                store.start_sync_run(&run).await.unwrap();
            }
            store.forget_all_but(&[gone.clone(), stays.clone()]).await.unwrap();
            assert!(store.last_refusal(&gone).await.unwrap().is_some(), "it is alive");
            store.forget_object(&gone).await.unwrap();
            assert_eq!(store.pins(&gone).await.unwrap(), Pins::default());
            assert_eq!(store.last_refusal(&gone).await.unwrap(), None);
            assert_eq!(store.sync_runs(&gone, 10).await.unwrap(), []);
            assert_eq!(store.pins(&stays).await.unwrap().integration_uid.as_deref(), Some("integration"));
            assert!(store.last_refusal(&stays).await.unwrap().is_some());
            assert_eq!(store.sync_runs(&stays, 10).await.unwrap().len(), 1);
            store.forget_all_but(&[]).await.unwrap();
            assert_eq!(store.pins(&stays).await.unwrap(), Pins::default());
            assert_eq!(store.last_refusal(&stays).await.unwrap(), None);
            assert_eq!(store.sync_runs(&stays, 10).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn an_overlong_pin_is_refused() {
        for store in TestStore::each().await {
            let long = "x".repeat(bounds::NAME + 1);
            let refused = store.pin_config(&"uid-1".into(), &config("contoso", &long, "Payments")).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
        }
    }
}

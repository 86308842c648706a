//! Pins: ids that a first validation resolved and that hold for the life of a Kubernetes object.

use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::ObjectUid;

/// What can be pinned.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
pub enum PinKind {
    /// Id of the organization.
    OrganizationId,
    /// `metadata.uid` of the `AdoIntegration` that a project config refers to.
    IntegrationUid,
    /// Id of the Azure DevOps project.
    ProjectId,
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
}

impl Store {
    /// What is pinned for an object.
    pub async fn pins(&self, uid: &ObjectUid) -> Result<Pins, StoreError> {
        let rows: Vec<(PinKind, String)> =
            sqlx::query_as("SELECT kind, value FROM pins WHERE uid = ?").bind(uid).fetch_all(self.readers()).await?;
        let mut pins = Pins::default();
        for (kind, value) in rows {
            let slot = match kind {
                PinKind::OrganizationId => &mut pins.organization_id,
                PinKind::IntegrationUid => &mut pins.integration_uid,
                PinKind::ProjectId => &mut pins.project_id,
            };
            *slot = Some(value);
        }
        Ok(pins)
    }

    /// Pins `value` unless something is pinned already, and gives what holds: of two that race, both get the same.
    pub async fn pin(&self, uid: &ObjectUid, kind: PinKind, value: &str) -> Result<String, StoreError> {
        within("uid", uid.as_str(), bounds::NAME)?;
        within("pinned value", value, bounds::NAME)?;
        let mut transaction = self.write().await?;
        sqlx::query("INSERT INTO pins (uid, kind, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(uid)
            .bind(kind)
            .bind(value)
            .execute(&mut *transaction)
            .await?;
        let holds = sqlx::query_scalar("SELECT value FROM pins WHERE uid = ? AND kind = ?")
            .bind(uid)
            .bind(kind)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(holds)
    }

    /// Forgets what was kept for an object that is gone: its pins, its refused credential and its sync runs, which a
    /// new object of the same name does not take over. Work items and the audit trail stay.
    pub async fn forget_object(&self, uid: &ObjectUid) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for statement in [
            "DELETE FROM pins WHERE uid = ?",
            "DELETE FROM credential_refusals WHERE uid = ?",
            "DELETE FROM sync_runs WHERE config_uid = ?",
        ] {
            sqlx::query(statement).bind(uid).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;
    use crate::store::{NewSyncRun, SyncKind};

    #[tokio::test]
    async fn a_pin_is_set_once() {
        let store = TestStore::open().await;
        let uid = ObjectUid::from("uid-1");
        assert_eq!(store.pins(&uid).await.unwrap(), Pins::default());
        assert_eq!(store.pin(&uid, PinKind::OrganizationId, "first").await.unwrap(), "first");
        assert_eq!(store.pin(&uid, PinKind::OrganizationId, "second").await.unwrap(), "first");
        assert_eq!(store.pin(&uid, PinKind::ProjectId, "project").await.unwrap(), "project");
        let expected =
            Pins { organization_id: Some("first".into()), integration_uid: None, project_id: Some("project".into()) };
        assert_eq!(store.pins(&uid).await.unwrap(), expected);
        assert_eq!(store.pins(&ObjectUid::from("uid-2")).await.unwrap(), Pins::default());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn all_that_race_for_a_pin_get_the_same_value() {
        let store = TestStore::open().await;
        let uid = ObjectUid::from("uid-1");
        let racers = (0..32).map(|n| {
            let (store, uid) = (Store::clone(&store), uid.clone());
            tokio::spawn(async move { store.pin(&uid, PinKind::ProjectId, &n.to_string()).await.unwrap() })
        });
        let values = futures::future::try_join_all(racers).await.unwrap();
        let holds = store.pins(&uid).await.unwrap().project_id.unwrap();
        assert_eq!(values, vec![holds; 32]);
    }

    #[tokio::test]
    async fn what_was_kept_for_an_object_that_is_gone_is_forgotten() {
        let store = TestStore::open().await;
        let scope = store.scope("contoso", 1).await;
        let (gone, stays) = (ObjectUid::from("gone"), ObjectUid::from("stays"));
        for uid in [&gone, &stays] {
            store.pin(uid, PinKind::IntegrationUid, "integration").await.unwrap();
            store.record_refusal(uid, "secret/1", 1).await.unwrap();
            let run = NewSyncRun { scope, config_uid: uid.clone(), kind: SyncKind::Full, started_at: 1 };
            store.start_sync_run(&run).await.unwrap();
        }
        store.forget_object(&gone).await.unwrap();
        assert_eq!(store.pins(&gone).await.unwrap(), Pins::default());
        assert_eq!(store.last_refusal(&gone).await.unwrap(), None);
        assert_eq!(store.sync_runs(&gone, 10).await.unwrap(), []);
        assert_eq!(store.pins(&stays).await.unwrap().integration_uid.as_deref(), Some("integration"));
        assert!(store.last_refusal(&stays).await.unwrap().is_some());
        assert_eq!(store.sync_runs(&stays, 10).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_overlong_pin_is_refused() {
        let store = TestStore::open().await;
        let refused = store.pin(&"uid-1".into(), PinKind::ProjectId, &"x".repeat(bounds::NAME + 1)).await;
        assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    }
}

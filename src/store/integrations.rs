//! The store's own ids of integrations.

use super::backend::both;
use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{IntegrationKey, ObjectUid};

const FIND: &str =
    "SELECT key FROM integrations WHERE installation = $1 AND namespace = $2 AND name = $3 AND organization_id = $4";

const ADD: &str = "INSERT INTO integrations (installation, namespace, name, organization_id) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT DO NOTHING";

const PINNED: &str = "SELECT value FROM pins WHERE uid = $1 AND kind = 'OrganizationId'";

const PIN: &str = "INSERT INTO pins (uid, kind, value) VALUES ($1, 'OrganizationId', $2) ON CONFLICT DO NOTHING";

/// What holds for an integration whose credential was accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// The organization that the object is pinned to: the one that accepted it, unless another was pinned before.
    pub organization_id: String,
    /// The store's key of the integration with the organization that accepted it.
    pub key: IntegrationKey,
}

impl Store {
    /// Pins an object to an organization that it was connected to before, unless it is pinned already.
    pub async fn pin_organization(&self, uid: &ObjectUid, organization_id: &str) -> Result<(), StoreError> {
        within("uid", uid.as_str(), bounds::NAME)?;
        within("organization id", organization_id, bounds::NAME)?;
        let mut transaction = self.write().await?;
        both!(transaction.connection(), db => {
            sqlx::query(PIN).bind(uid).bind(organization_id).execute(db).await?;
        });
        transaction.commit().await
    }

    /// Takes note that an organization accepted a credential of an integration: pins the object to it unless it is pinned
    /// already, gives the integration its key, and forgets an earlier refusal.
    ///
    /// A recreated object with the same namespace, name and organization gets the same key, and so finds its data again.
    /// Nothing is written if all of it is known, so that a validation at the interval waits for nobody.
    pub async fn accept_organization(
        &self,
        uid: &ObjectUid,
        namespace: &str,
        name: &str,
        organization_id: &str,
    ) -> Result<Accepted, StoreError> {
        within("uid", uid.as_str(), bounds::NAME)?;
        within("namespace", namespace, bounds::NAME)?;
        within("name", name, bounds::NAME)?;
        within("organization id", organization_id, bounds::NAME)?;
        let installation = self.installation_id();
        let known = both!(self.readers(), db => {
            let pinned = sqlx::query_scalar(PINNED).bind(uid).fetch_optional(db).await?;
            let find = sqlx::query_scalar(FIND).bind(installation).bind(namespace).bind(name).bind(organization_id);
            (pinned, find.fetch_optional(db).await?)
        });
        if let (Some(organization_id), Some(key)) = known
            && self.last_refusal(uid).await?.is_none()
        {
            return Ok(Accepted { organization_id, key });
        }
        let mut transaction = self.write().await?;
        let accepted = both!(transaction.connection(), db => {
            sqlx::query(PIN).bind(uid).bind(organization_id).execute(&mut *db).await?;
            sqlx::query(ADD)
                .bind(installation)
                .bind(namespace)
                .bind(name)
                .bind(organization_id)
                .execute(&mut *db)
                .await?;
            sqlx::query("DELETE FROM credential_refusals WHERE uid = $1").bind(uid).execute(&mut *db).await?;
            let pinned = sqlx::query_scalar(PINNED).bind(uid).fetch_one(&mut *db).await?;
            let find = sqlx::query_scalar(FIND).bind(installation).bind(namespace).bind(name).bind(organization_id);
            Accepted { organization_id: pinned, key: find.fetch_one(db).await? }
        });
        transaction.commit().await?;
        Ok(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestStore, integration_key};

    #[tokio::test]
    async fn a_key_belongs_to_namespace_name_and_organization() {
        for store in TestStore::each().await {
            let key = integration_key(&store, "ns", "contoso", "org-1").await;
            assert_eq!(integration_key(&store, "ns", "contoso", "org-1").await, key);
            let mut keys = vec![key];
            for (namespace, name, organization) in
                [("other", "contoso", "org-1"), ("ns", "fabrikam", "org-1"), ("ns", "contoso", "org-2")]
            {
                keys.push(integration_key(&store, namespace, name, organization).await);
            }
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), 4);
        }
    }

    #[tokio::test]
    async fn a_key_survives_a_restart() {
        for mut store in TestStore::each().await {
            let key = integration_key(&store, "ns", "contoso", "org-1").await;
            let installation = store.installation_id();
            store.reopen().await;
            assert_eq!(store.installation_id(), installation);
            assert_eq!(integration_key(&store, "ns", "contoso", "org-1").await, key);
        }
    }

    #[tokio::test]
    async fn the_first_organization_that_accepts_an_object_is_the_one_for_its_life() {
        for store in TestStore::each().await {
            let uid = ObjectUid::from("uid-1");
            let first = store.accept_organization(&uid, "ns", "contoso", "org-1").await.unwrap();
            assert_eq!(first.organization_id, "org-1");
            let other = store.accept_organization(&uid, "ns", "contoso", "org-2").await.unwrap();
            assert_eq!(other.organization_id, "org-1");
            assert_eq!(store.accept_organization(&uid, "ns", "contoso", "org-1").await.unwrap(), first);
            store.pin_organization(&uid, "org-3").await.unwrap();
            assert_eq!(store.pins(&uid).await.unwrap().organization_id.as_deref(), Some("org-1"));
        }
    }

    #[tokio::test]
    async fn an_accepted_credential_ends_a_refusal_and_what_is_known_is_not_written_again() {
        for store in TestStore::each().await {
            let uid = ObjectUid::from("uid-1");
            store.record_refusal(&uid, "secret/1", 1_000).await.unwrap();
            let accepted = store.accept_organization(&uid, "ns", "contoso", "org-1").await.unwrap();
            assert_eq!(store.last_refusal(&uid).await.unwrap(), None);
            // A writer that was fenced off can still learn what is known, since that takes no write.
            store.raise_epoch(2).await.unwrap();
            let fenced = store.as_leader(1);
            assert_eq!(fenced.accept_organization(&uid, "ns", "contoso", "org-1").await.unwrap(), accepted);
            assert!(fenced.accept_organization(&uid, "ns", "contoso", "org-2").await.is_err());
        }
    }
}

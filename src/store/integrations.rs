//! The store's own ids of integrations.

use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::IntegrationKey;

const FIND: &str =
    "SELECT key FROM integrations WHERE installation = ? AND namespace = ? AND name = ? AND organization_id = ?";

impl Store {
    /// The key of an integration; created when it is first asked for. A recreated object with the same namespace, name
    /// and organization gets the same key, and so finds its data again.
    pub async fn integration_key(
        &self,
        namespace: &str,
        name: &str,
        organization_id: &str,
    ) -> Result<IntegrationKey, StoreError> {
        within("namespace", namespace, bounds::NAME)?;
        within("name", name, bounds::NAME)?;
        within("organization id", organization_id, bounds::NAME)?;
        let find =
            || sqlx::query_scalar(FIND).bind(self.installation_id()).bind(namespace).bind(name).bind(organization_id);
        // Nearly always it is there, and a read waits for nobody.
        if let Some(key) = find().fetch_optional(self.readers()).await? {
            return Ok(key);
        }
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO integrations (installation, namespace, name, organization_id) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(self.installation_id())
        .bind(namespace)
        .bind(name)
        .bind(organization_id)
        .execute(&mut *transaction)
        .await?;
        let key = find().fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::TestStore;

    #[tokio::test]
    async fn a_key_belongs_to_namespace_name_and_organization() {
        let store = TestStore::open().await;
        let key = store.integration_key("ns", "contoso", "org-1").await.unwrap();
        assert_eq!(store.integration_key("ns", "contoso", "org-1").await.unwrap(), key);
        let mut keys = vec![key];
        for (namespace, name, organization) in
            [("other", "contoso", "org-1"), ("ns", "fabrikam", "org-1"), ("ns", "contoso", "org-2")]
        {
            keys.push(store.integration_key(namespace, name, organization).await.unwrap());
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 4);
    }

    #[tokio::test]
    async fn a_key_survives_a_restart() {
        let mut store = TestStore::open().await;
        let key = store.integration_key("ns", "contoso", "org-1").await.unwrap();
        let installation = store.installation_id();
        store.reopen().await;
        assert_eq!(store.installation_id(), installation);
        assert_eq!(store.integration_key("ns", "contoso", "org-1").await.unwrap(), key);
    }
}

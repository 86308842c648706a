//! Credentials that Azure DevOps refused. Kept over a restart, since trying an expired token again and again can lock
//! an account.

use super::backend::both;
use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::ObjectUid;

/// The last refusal of an object's credential.
#[derive(Clone, Debug, Eq, PartialEq, sqlx::FromRow)]
pub struct Refusal {
    /// The caller's name of the credential, such as uid and resource version of its Secret and the organization URL;
    /// nothing of the credential itself.
    pub credential_version: String,
    /// When it was refused, Unix milliseconds.
    pub refused_at: i64,
}

impl Store {
    /// Records a refusal, in place of an earlier one of the same object.
    pub async fn record_refusal(
        &self,
        uid: &ObjectUid,
        credential_version: &str,
        refused_at: i64,
    ) -> Result<(), StoreError> {
        within("uid", uid.as_str(), bounds::NAME)?;
        within("credential version", credential_version, bounds::CREDENTIAL_VERSION)?;
        let mut transaction = self.write().await?;
        both!(transaction.connection(), db => {
            sqlx::query(
                "INSERT INTO credential_refusals (uid, credential_version, refused_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (uid) DO UPDATE SET credential_version = excluded.credential_version, \
                 refused_at = excluded.refused_at",
            )
            .bind(uid)
            .bind(credential_version)
            .bind(refused_at)
            .execute(db)
            .await?;
        });
        transaction.commit().await
    }

    /// The last refusal, unless a credential was accepted since.
    pub async fn last_refusal(&self, uid: &ObjectUid) -> Result<Option<Refusal>, StoreError> {
        let last = "SELECT credential_version, refused_at FROM credential_refusals WHERE uid = $1";
        Ok(both!(self.readers(), db => sqlx::query_as(last).bind(uid).fetch_optional(db).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;

    #[tokio::test]
    async fn a_refusal_survives_a_restart_and_the_last_one_counts() {
        for mut store in TestStore::each().await {
            let uid = ObjectUid::from("uid-1");
            assert_eq!(store.last_refusal(&uid).await.unwrap(), None);
            store.record_refusal(&uid, "secret/1", 1_000).await.unwrap();
            store.record_refusal(&uid, "secret/2", 2_000).await.unwrap();
            store.reopen().await;
            let expected = Refusal { credential_version: "secret/2".into(), refused_at: 2_000 };
            assert_eq!(store.last_refusal(&uid).await.unwrap(), Some(expected));
            assert_eq!(store.last_refusal(&"uid-2".into()).await.unwrap(), None);
        }
    }
}

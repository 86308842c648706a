//! What the names of an accepted mapping stand for, so that renames in Azure DevOps change nothing.

use super::backend::both;
use super::bounds::{self, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::ObjectUid;

/// Longest text of pins, in bytes: a mapping names at most some hundred things.
const PINS: usize = 1024 * 1024;

/// The pins of an accepted mapping.
#[derive(Clone, Debug, Eq, PartialEq, sqlx::FromRow)]
pub struct PinnedMapping {
    /// Generation of the spec that was accepted last.
    pub generation: i64,
    /// The pins, as JSON text of the caller's.
    pub pins: String,
}

impl Store {
    /// The mapping of an object that was accepted last.
    pub async fn pinned_mapping(&self, uid: &ObjectUid) -> Result<Option<PinnedMapping>, StoreError> {
        let kept = "SELECT generation, pins FROM mapping_pins WHERE uid = $1";
        Ok(both!(self.readers(), db => sqlx::query_as(kept).bind(uid).fetch_optional(db).await?))
    }

    /// Keeps an accepted mapping in place of the one before. Nothing is written if it is the same.
    pub async fn pin_mapping(&self, uid: &ObjectUid, mapping: &PinnedMapping) -> Result<(), StoreError> {
        within("uid", uid.as_str(), bounds::NAME)?;
        within("pins of a mapping", &mapping.pins, PINS)?;
        if self.pinned_mapping(uid).await?.as_ref() == Some(mapping) {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        both!(transaction.connection(), db => {
            sqlx::query(
                "INSERT INTO mapping_pins (uid, generation, pins) VALUES ($1, $2, $3) \
                 ON CONFLICT (uid) DO UPDATE SET generation = excluded.generation, pins = excluded.pins",
            )
            .bind(uid)
            .bind(mapping.generation)
            .bind(&mapping.pins)
            .execute(db)
            .await?;
        });
        transaction.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;

    fn pinned(generation: i64, pins: &str) -> PinnedMapping {
        PinnedMapping { generation, pins: pins.to_owned() }
    }

    #[tokio::test]
    async fn the_last_accepted_mapping_is_kept_until_its_object_goes() {
        for store in TestStore::each().await {
            let uid = ObjectUid::from("uid-1");
            assert_eq!(store.pinned_mapping(&uid).await.unwrap(), None);
            for mapping in [pinned(1, "{}"), pinned(2, r#"{"types":{}}"#)] {
                store.pin_mapping(&uid, &mapping).await.unwrap();
                assert_eq!(store.pinned_mapping(&uid).await.unwrap(), Some(mapping));
            }
            store.forget_all_but(std::slice::from_ref(&uid)).await.unwrap();
            assert!(store.pinned_mapping(&uid).await.unwrap().is_some(), "it is alive");
            store.forget_object(&uid).await.unwrap();
            assert_eq!(store.pinned_mapping(&uid).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn overlong_pins_are_refused() {
        for store in TestStore::each().await {
            let refused = store.pin_mapping(&"uid-1".into(), &pinned(1, &"x".repeat(PINS + 1))).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
        }
    }
}

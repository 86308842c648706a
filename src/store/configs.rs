//! Project configs as the store knows them: whose their records are, and what those stand for.

use uuid::Uuid;

use super::backend::{Connection, both};
use super::bounds::{self, column, within};
use super::connection::Store;
use super::error::StoreError;
use super::ids::{ConfigKey, ObjectUid, Scope};
use super::plan_nodes;
use crate::domain::mapping::plan::PlanNode;
use crate::domain::mapping::warnings::Side;

/// Longest text of what items said besides their records, in bytes: some numbers for each node of a tree.
const SEEN: usize = 1024 * 1024;

/// A project config that maps a project.
#[derive(Clone, Copy, Debug)]
pub struct ConfigClaim<'a> {
    /// The project, as its integration reads it.
    pub scope: Scope,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The object.
    pub uid: &'a ObjectUid,
    /// Whether its data go with it.
    pub purge: bool,
}

/// What the records of a config stand for.
#[derive(Clone, Debug, Default, Eq, PartialEq, sqlx::FromRow)]
pub struct MappingState {
    /// Fingerprint of the mapping that all records were made by; None while that is not so.
    pub fingerprint: Option<Uuid>,
    /// The change of the raw data that they stand for.
    #[sqlx(try_from = "i64")]
    pub change_number: u64,
    /// Whether the object's records were ever complete.
    pub mapped: bool,
    /// What the items said besides their records, as text of the caller's.
    pub seen: String,
}

/// A mapping that came to its end.
#[derive(Clone, Copy, Debug)]
pub struct MappingEnd<'a> {
    /// Fingerprint of the mapping.
    pub fingerprint: Uuid,
    /// The change of the raw data that the records stand for now.
    pub change_number: u64,
    /// What the items said besides their records, as text of the caller's.
    pub seen: &'a str,
    /// The releases, in the order of the tree.
    pub releases: &'a [PlanNode],
    /// The sprints, in the order of the tree.
    pub sprints: &'a [PlanNode],
}

impl Store {
    /// The key of a config, made when it is first claimed. Nothing is written if all of it is known.
    ///
    /// A new object under the name of an earlier one gets its history. The records of the earlier one are dropped: nothing of
    /// them may be shown before the new object's credential has confirmed it. The policy is that of an object's first claim; a
    /// later one is [kept](Self::keep_policy) beside it, so that a claim that comes late takes nothing back.
    pub async fn claim_config(&self, claim: &ConfigClaim<'_>) -> Result<ConfigKey, StoreError> {
        within("uid", claim.uid.as_str(), bounds::NAME)?;
        within("namespace", claim.namespace, bounds::NAME)?;
        within("name", claim.name, bounds::NAME)?;
        let find = "SELECT key, uid FROM configs \
                    WHERE integration_key = $1 AND project_id = $2 AND namespace = $3 AND name = $4";
        let Scope { integration, project } = claim.scope;
        let known: Option<(ConfigKey, ObjectUid)> = both!(self.readers(), db => {
            let find = sqlx::query_as(find).bind(integration).bind(project).bind(claim.namespace).bind(claim.name);
            find.fetch_optional(db).await?
        });
        match known {
            Some((key, uid)) if uid == *claim.uid => return Ok(key),
            Some(_) | None => {}
        }
        let mut transaction = self.write().await?;
        let key = put(transaction.connection(), claim).await?;
        if known.is_some_and(|(_, uid)| uid != *claim.uid) {
            drop_records(transaction.connection(), key).await?;
        }
        transaction.commit().await?;
        Ok(key)
    }

    /// What the records of a config stand for; nothing, for a config that is gone.
    pub async fn mapping_state(&self, config: ConfigKey) -> Result<MappingState, StoreError> {
        let state = "SELECT fingerprint, change_number, mapped, seen FROM configs WHERE key = $1";
        let state: Option<MappingState> =
            both!(self.readers(), db => sqlx::query_as(state).bind(config).fetch_optional(db).await?);
        Ok(state.unwrap_or_default())
    }

    /// Begins to map a config by another mapping: until that [ends](Self::finish_mapping) its records stand for nothing, so that
    /// what is left half-done is done again.
    pub async fn begin_mapping(&self, config: ConfigKey) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        both!(transaction.connection(), db => {
            sqlx::query("UPDATE configs SET fingerprint = NULL WHERE key = $1").bind(config).execute(db).await?;
        });
        transaction.commit().await
    }

    /// Ends a mapping: its records are all written. Plan nodes are replaced if they differ.
    ///
    /// Errors: [`StoreError::ConfigGone`]; [`StoreError::TooLarge`] for a text over its limit, with nothing stored.
    pub async fn finish_mapping(&self, config: ConfigKey, end: &MappingEnd<'_>) -> Result<(), StoreError> {
        within("what items said", end.seen, SEEN)?;
        let mut changed = Vec::new();
        for (side, nodes) in [(Side::Release, end.releases), (Side::Sprint, end.sprints)] {
            let nodes = plan_nodes::checked(nodes)?;
            if self.plan_nodes(config, side).await? != nodes {
                changed.push((side, nodes));
            }
        }
        let mut transaction = self.write().await?;
        let updated = both!(transaction.connection(), db => {
            sqlx::query(
                "UPDATE configs SET fingerprint = $1, change_number = $2, seen = $3, mapped = TRUE WHERE key = $4",
            )
            .bind(end.fingerprint)
            .bind(column(end.change_number))
            .bind(end.seen)
            .bind(config)
            .execute(db)
            .await?
            .rows_affected()
        });
        if updated == 0 {
            return Err(StoreError::ConfigGone);
        }
        for (side, nodes) in changed {
            plan_nodes::replace(transaction.connection(), config, side, &nodes).await?;
        }
        transaction.commit().await
    }
}

async fn put(connection: Connection<'_>, claim: &ConfigClaim<'_>) -> Result<ConfigKey, StoreError> {
    let put = "INSERT INTO configs (integration_key, project_id, namespace, name, uid, purge) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (integration_key, project_id, namespace, name) \
               DO UPDATE SET uid = excluded.uid, purge = excluded.purge RETURNING key";
    Ok(both!(connection, db => {
        sqlx::query_scalar(put)
            .bind(claim.scope.integration)
            .bind(claim.scope.project)
            .bind(claim.namespace)
            .bind(claim.name)
            .bind(claim.uid)
            .bind(claim.purge)
            .fetch_one(db)
            .await?
    }))
}

async fn drop_records(connection: Connection<'_>, config: ConfigKey) -> Result<(), StoreError> {
    both!(connection, db => {
        for statement in [
            "DELETE FROM records WHERE config_key = $1",
            "DELETE FROM plan_nodes WHERE config_key = $1",
            "UPDATE configs SET fingerprint = NULL, change_number = 0, mapped = FALSE, seen = '' WHERE key = $1",
        ] {
            sqlx::query(statement).bind(config).execute(&mut *db).await?;
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mapping::RecordKind;
    use crate::domain::mapping::unmapped::Unmapped;
    use crate::domain::records::{RecordChange, Standing, StoredRecord};
    use crate::store::RecordBatch;
    use crate::store::testing::TestStore;

    const FINGERPRINT: Uuid = Uuid::from_u128(7);

    async fn claim(store: &Store, scope: Scope, name: &str, uid: &str) -> ConfigKey {
        let (namespace, uid) = ("ns", &ObjectUid::from(uid));
        store.claim_config(&ConfigClaim { scope, namespace, name, uid, purge: false }).await.unwrap()
    }

    fn node(number: u128, name: &str) -> PlanNode {
        PlanNode {
            identifier: Uuid::from_u128(number),
            name: name.into(),
            start: "2026-01-01".parse().ok(),
            finish: None,
            release: (number > 1).then(|| Uuid::from_u128(1)),
        }
    }

    async fn finish(store: &Store, config: ConfigKey, sprints: &[PlanNode]) -> Result<(), StoreError> {
        let releases = [node(1, "R1")];
        let end = MappingEnd { fingerprint: FINGERPRINT, change_number: 5, seen: "{}", releases: &releases, sprints };
        store.finish_mapping(config, &end).await
    }

    /// One record, and one row of history.
    fn batch() -> RecordBatch {
        let standing = Standing {
            kind: RecordKind::Bug,
            work_item_type: "Bug".into(),
            release: None,
            sprint: None,
            status: None,
            category: None,
        };
        let change = RecordChange { id: 1, at: 1, was: None, is: Some(standing.clone()) };
        let record = StoredRecord {
            id: 1,
            rev: 1,
            standing,
            priority: None,
            severity: None,
            release_date: None,
            unmapped: Unmapped::default(),
        };
        RecordBatch { put: vec![record], changes: vec![change], ..RecordBatch::default() }
    }

    #[tokio::test]
    async fn a_config_has_one_key_for_its_name_project_and_integration() {
        for mut store in TestStore::each().await {
            let scopes = [store.scope("contoso", 1).await, store.scope("contoso", 2).await];
            let mut keys = Vec::new();
            for scope in scopes {
                for name in ["one", "two"] {
                    keys.push(claim(&store, scope, name, "uid").await);
                }
            }
            store.reopen().await;
            assert_eq!(claim(&store, scopes[0], "one", "uid").await, keys[0]);
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), 4);
        }
    }

    #[tokio::test]
    async fn what_is_known_is_not_written_again_and_a_later_claim_changes_no_policy() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let (key, uid) = (claim(&store, scope, "payments", "uid").await, &ObjectUid::from("uid"));
            finish(&store, key, &[]).await.unwrap();
            let purging = ConfigClaim { scope, namespace: "ns", name: "payments", uid, purge: true };
            assert_eq!(store.claim_config(&purging).await.unwrap(), key);
            assert_eq!(store.rows::<(bool,)>("SELECT purge FROM configs").await, [(false,)]);
            assert!(store.mapping_state(key).await.unwrap().fingerprint.is_some(), "the records stay");
            store.raise_epoch(2).await.unwrap();
            // A writer that was fenced off can still learn what is known, since that takes no write.
            assert_eq!(store.as_leader(1).claim_config(&purging).await.unwrap(), key);
        }
    }

    #[tokio::test]
    async fn a_new_object_of_the_same_name_finds_the_history_and_no_record() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let key = claim(&store, scope, "payments", "first").await;
            let other = claim(&store, scope, "other", "other").await;
            for key in [key, other] {
                store.write_records(key, &batch()).await.unwrap();
                finish(&store, key, &[]).await.unwrap();
            }
            assert_eq!(claim(&store, scope, "payments", "second").await, key);
            assert_eq!(store.mapping_state(key).await.unwrap(), MappingState::default());
            assert_eq!(store.records_above(key, 0, 10).await.unwrap(), []);
            assert_eq!(store.plan_nodes(key, Side::Release).await.unwrap(), []);
            assert_eq!(store.record_changes(key, 0, 10).await.unwrap().len(), 1);
            assert_eq!(store.records_above(other, 0, 10).await.unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn what_records_stand_for_is_known_from_the_end_of_a_mapping_to_the_beginning_of_another() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let key = claim(&store, scope, "payments", "uid").await;
            assert_eq!(store.mapping_state(key).await.unwrap(), MappingState::default());
            finish(&store, key, &[]).await.unwrap();
            store.reopen().await;
            let ended =
                MappingState { fingerprint: Some(FINGERPRINT), change_number: 5, mapped: true, seen: "{}".to_owned() };
            assert_eq!(store.mapping_state(key).await.unwrap(), ended);
            store.begin_mapping(key).await.unwrap();
            assert_eq!(store.mapping_state(key).await.unwrap(), MappingState { fingerprint: None, ..ended });
        }
    }

    #[tokio::test]
    async fn plan_nodes_are_kept_in_the_order_of_the_tree_and_replaced_where_they_differ() {
        for mut store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let (key, other) =
                (claim(&store, scope, "payments", "uid").await, claim(&store, scope, "other", "uid").await);
            let many: Vec<PlanNode> = (2..252).rev().map(|number| node(number, "S")).collect();
            finish(&store, other, &many).await.unwrap();
            for sprints in [many.clone(), vec![node(9, "S 9\0"), node(8, "S 8")], Vec::new()] {
                finish(&store, key, &sprints).await.unwrap();
                let kept = store.plan_nodes(key, Side::Sprint).await.unwrap();
                let expected: Vec<PlanNode> = sprints
                    .into_iter()
                    .map(|node| PlanNode { name: node.name.replace('\0', "\u{FFFD}"), ..node })
                    .collect();
                assert_eq!(kept, expected);
            }
            store.reopen().await;
            assert_eq!(store.plan_nodes(key, Side::Release).await.unwrap(), [node(1, "R1")]);
            assert_eq!(store.plan_nodes(other, Side::Sprint).await.unwrap(), many);
        }
    }

    #[tokio::test]
    async fn a_config_that_is_gone_ends_no_mapping() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            let key = claim(&store, scope, "payments", "uid").await;
            store.execute("DELETE FROM configs").await.unwrap();
            let refused = finish(&store, key, &[node(2, "S")]).await;
            assert!(matches!(refused, Err(StoreError::ConfigGone)), "{refused:?}");
            assert_eq!(store.plan_nodes(key, Side::Sprint).await.unwrap(), []);
        }
    }
}

//! The audit trail: who did what, for good. The database itself refuses to change or delete a record.

use std::fmt;

use super::backend::{Connection, both};
use super::bounds::{self, shortened, within, without_nul};
use super::connection::Store;
use super::error::StoreError;
use super::ids::ObjectUid;

/// The longest list that is read at once.
const MAX_LIST: u32 = 1_000;

/// Who acted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Actor {
    /// A user of our API, by the name that Kubernetes gave in its token review.
    User(String),
    /// Somebody who changed a Kubernetes object, by the field manager of the change.
    FieldManager(String),
}

/// The kind of an actor is stored beside its name: a user may be called anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
enum ActorKind {
    User,
    FieldManager,
}

impl Actor {
    fn parts(&self) -> (ActorKind, &str) {
        match self {
            Self::User(name) => (ActorKind::User, name),
            Self::FieldManager(name) => (ActorKind::FieldManager, name),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::FieldManager(name) => write!(f, "kubernetes: {name}"),
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
pub enum AuditAction {
    /// An integration became connected: first validated, or switched back to Active.
    Connected,
    /// An integration was switched to Inactive.
    Disconnected,
    /// The credential in use was replaced by another one.
    CredentialChanged,
    /// Azure DevOps refused the credential.
    CredentialRefused,
    /// Work items of a project were read.
    Synced,
    /// A project config was archived.
    Archived,
    /// The stored data of a project config were deleted with it.
    Purged,
}

/// Kind of a Kubernetes object of ours.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, sqlx::Type)]
#[sqlx(type_name = "TEXT")]
pub enum ObjectKind {
    /// The connection to an organization.
    AdoIntegration,
    /// The mapping of a project.
    AdoProjectConfig,
}

/// The object that was acted on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditedObject {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its `metadata.uid`: an object of the same name may come and go.
    pub uid: ObjectUid,
}

/// One record of the trail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRecord {
    /// Unix milliseconds.
    pub at: i64,
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub object: AuditedObject,
    /// A sentence for people, shortened to 1,024 bytes. It must hold no credential, nor a text that may contain one.
    pub detail: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    at: i64,
    actor_kind: ActorKind,
    actor: String,
    action: AuditAction,
    object_kind: ObjectKind,
    namespace: String,
    name: String,
    uid: ObjectUid,
    detail: String,
}

impl From<Row> for AuditRecord {
    fn from(row: Row) -> Self {
        let actor = match row.actor_kind {
            ActorKind::User => Actor::User(row.actor),
            ActorKind::FieldManager => Actor::FieldManager(row.actor),
        };
        let object = AuditedObject { kind: row.object_kind, namespace: row.namespace, name: row.name, uid: row.uid };
        Self { at: row.at, actor, action: row.action, object, detail: row.detail }
    }
}

impl Store {
    /// Appends a record.
    pub async fn append_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        append(transaction.connection(), record).await?;
        transaction.commit().await
    }

    /// The latest records about objects of this name, of both kinds, newest first; at most 1,000.
    pub async fn audit(&self, namespace: &str, name: &str, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let rows: Vec<Row> = both!(self.readers(), db => {
            sqlx::query_as(
                "SELECT at, actor_kind, actor, action, object_kind, namespace, name, uid, detail FROM audit \
                 WHERE namespace = $1 AND name = $2 ORDER BY id DESC LIMIT $3",
            )
            .bind(namespace)
            .bind(name)
            .bind(i64::from(limit.min(MAX_LIST)))
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(AuditRecord::from).collect())
    }
}

/// Appends a record as a part of a write.
pub(super) async fn append(connection: Connection<'_>, record: &AuditRecord) -> Result<(), StoreError> {
    let (actor_kind, actor) = record.actor.parts();
    let object = &record.object;
    within("namespace", &object.namespace, bounds::NAME)?;
    within("name", &object.name, bounds::NAME)?;
    within("uid", object.uid.as_str(), bounds::NAME)?;
    let (actor, detail) = (without_nul(actor), without_nul(&record.detail));
    both!(connection, db => {
        sqlx::query(
            "INSERT INTO audit (at, actor_kind, actor, action, object_kind, namespace, name, uid, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(record.at)
        .bind(actor_kind)
        .bind(shortened(&actor, bounds::NAME))
        .bind(record.action)
        .bind(object.kind)
        .bind(&object.namespace)
        .bind(&object.name)
        .bind(&object.uid)
        .bind(shortened(&detail, bounds::DETAIL))
        .execute(db)
        .await?;
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::backend::Backend;
    use crate::store::testing::TestStore;

    fn record(name: &str, action: AuditAction, actor: Actor) -> AuditRecord {
        let object = AuditedObject {
            kind: ObjectKind::AdoIntegration,
            namespace: "ns".into(),
            name: name.into(),
            uid: "uid-1".into(),
        };
        AuditRecord { at: 5, actor, action, object, detail: "Connected to Contoso.".into() }
    }

    #[tokio::test]
    async fn records_come_back_newest_first_and_of_the_named_object_only() {
        for mut store in TestStore::each().await {
            let connected = record("contoso", AuditAction::Connected, Actor::FieldManager("kubectl".into()));
            let disconnected = record("contoso", AuditAction::Disconnected, Actor::User("kubernetes: kubectl".into()));
            for entry in
                [&connected, &record("other", AuditAction::Connected, Actor::User("ann".into())), &disconnected]
            {
                store.append_audit(entry).await.unwrap();
            }
            store.reopen().await;
            assert_eq!(store.audit("ns", "contoso", 10).await.unwrap(), [disconnected.clone(), connected]);
            assert_eq!(store.audit("ns", "contoso", 1).await.unwrap(), [disconnected]);
            assert_eq!(store.audit("elsewhere", "contoso", 10).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn the_database_refuses_to_change_delete_or_replace_a_record() {
        for store in TestStore::each().await {
            let entry = record("contoso", AuditAction::Connected, Actor::User("ann".into()));
            store.append_audit(&entry).await.unwrap();
            let own = match store.readers() {
                Backend::Sqlite(_) => [
                    "INSERT OR REPLACE INTO audit SELECT id, at, actor_kind, 'eve', action, object_kind, namespace, name, \
                 uid, detail FROM audit",
                    "DELETE FROM audit WHERE id = 1",
                ],
                Backend::Postgres(_) => [
                    "INSERT INTO audit OVERRIDING SYSTEM VALUE SELECT * FROM audit \
                 ON CONFLICT (id) DO UPDATE SET actor = 'eve'",
                    "TRUNCATE audit",
                ],
            };
            for tampering in
                ["UPDATE audit SET detail = 'nothing happened'", "DELETE FROM audit"].into_iter().chain(own)
            {
                let refused = store.execute(tampering).await.unwrap_err().to_string();
                assert!(refused.contains("append-only"), "{tampering}: {refused}");
            }
            assert_eq!(store.audit("ns", "contoso", 10).await.unwrap(), [entry]);
        }
    }

    #[tokio::test]
    async fn a_long_detail_is_shortened_and_a_long_name_refused() {
        for store in TestStore::each().await {
            let mut entry = record("contoso", AuditAction::Synced, Actor::User("ann".into()));
            entry.detail = "ü".repeat(1_000);
            store.append_audit(&entry).await.unwrap();
            assert_eq!(store.audit("ns", "contoso", 1).await.unwrap()[0].detail, "ü".repeat(512));
            entry.object.name = "n".repeat(bounds::NAME + 1);
            let refused = store.append_audit(&entry).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { what: "name", .. })), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_nul_is_replaced_since_not_every_database_can_hold_it() {
        for store in TestStore::each().await {
            let mut entry = record("contoso", AuditAction::Synced, Actor::User("a\0nn".into()));
            entry.detail = "\0".into();
            store.append_audit(&entry).await.unwrap();
            let stored = store.audit("ns", "contoso", 1).await.unwrap().remove(0);
            assert_eq!((stored.actor, &*stored.detail), (Actor::User("a\u{FFFD}nn".into()), "\u{FFFD}"));
        }
    }

    #[test]
    fn a_field_manager_is_shown_as_kubernetes() {
        assert_eq!(Actor::FieldManager("argocd".into()).to_string(), "kubernetes: argocd");
        assert_eq!(Actor::User("ann".into()).to_string(), "ann");
    }
}

use super::*;
use crate::domain::mapping::RecordKind;
use crate::domain::records::{RecordChange, Standing};
use crate::store::testing::{TestStore, item};
use crate::store::{ConfigClaim, ConfigPins, Feed, NewSyncRun, Pins, RecordBatch, SetAside, SetAsideReason, SyncKind};

const AT: i64 = 7_000;

fn actor() -> Actor {
    Actor::FieldManager("ado-operator".into())
}

async fn claim(store: &Store, scope: Scope, name: &str, purge: bool) -> ConfigKey {
    let uid = &ObjectUid::from(format!("uid of {name}"));
    store.claim_config(&ConfigClaim { scope, namespace: "ns", name, uid, purge }).await.unwrap()
}

/// Claims a config with history, a sync run and pins.
async fn config(store: &Store, scope: Scope, name: &str, purge: bool, changes: u32) -> ConfigKey {
    let key = claim(store, scope, name, purge).await;
    let standing = |kind| Standing {
        kind,
        work_item_type: "Bug".into(),
        release: None,
        sprint: None,
        status: None,
        category: None,
    };
    let change = |id| RecordChange { id, at: 1, was: None, is: Some(standing(RecordKind::Bug)) };
    for part in (1..=changes).collect::<Vec<u32>>().chunks(500) {
        let changes = part.iter().copied().map(change).collect();
        store.write_records(key, &RecordBatch { changes, ..RecordBatch::default() }).await.unwrap();
    }
    let uid = ObjectUid::from(format!("uid of {name}"));
    let pins = ConfigPins { integration: "1", project_id: "p", project_spelling: "Payments" };
    store.pin_config(&uid, &pins).await.unwrap();
    let run = NewSyncRun { scope, config_uid: uid, kind: SyncKind::Full, started_at: 1 };
    store.start_sync_run(&run).await.unwrap();
    key
}

/// Stores raw data of every kind.
async fn read(store: &Store, scope: Scope, items: u32) {
    for part in (1..=items).collect::<Vec<u32>>().chunks(200) {
        let part: Vec<_> = part.iter().map(|id| item(*id, 1)).collect();
        store.put_revisions(scope, &part, &[], Some("token")).await.unwrap();
    }
    let aside = [SetAside { id: 9_999_999.into(), reason: SetAsideReason::TooLarge }];
    store.set_aside(scope, &aside).await.unwrap();
}

async fn named(store: &Store, name: &str) -> Purgeable {
    store.purgeable_named("ns", name).await.unwrap().remove(0)
}

async fn count(store: &TestStore, query: &'static str) -> i64 {
    store.rows::<(i64,)>(query).await[0].0
}

#[tokio::test]
async fn a_purged_config_leaves_nothing_but_the_audit_trail() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let key = config(&store, scope, "payments", true, 3).await;
        read(&store, scope, 3).await;
        assert!(store.purge_config(&named(&store, "payments").await, &actor(), AT).await.unwrap());
        assert_eq!(store.record_changes(key, 0, 10).await.unwrap(), []);
        let uid = ObjectUid::from("uid of payments");
        assert_eq!(store.pins(&uid).await.unwrap(), Pins::default());
        assert_eq!(store.sync_runs(&uid, 10).await.unwrap(), []);
        assert_eq!(count(&store, "SELECT count(*) FROM configs").await, 0);
        assert_eq!(store.drop_unclaimed().await.unwrap(), 3);
        for rest in [
            "SELECT count(*) FROM work_items",
            "SELECT count(*) FROM links",
            "SELECT count(*) FROM set_aside",
            "SELECT count(*) FROM feeds",
            "SELECT count(*) FROM scopes",
        ] {
            assert_eq!(count(&store, rest).await, 0, "{rest}");
        }
        let trail = store.audit("ns", "payments", 10).await.unwrap();
        assert_eq!(trail.len(), 1);
        let entry = &trail[0];
        assert_eq!((entry.at, entry.action, &entry.object.uid), (AT, AuditAction::Purged, &uid));
        assert!(entry.detail.contains("goes too"), "{}", entry.detail);
        assert_eq!(store.drop_unclaimed().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn raw_data_stays_with_the_last_config_of_its_project_and_the_data_of_others_are_not_touched() {
    for store in TestStore::each().await {
        let (scope, elsewhere) = (store.scope("contoso", 1).await, store.scope("contoso", 2).await);
        for (scope, name, purge) in [(scope, "payments", true), (scope, "kept", false), (elsewhere, "other", true)] {
            config(&store, scope, name, purge, 2).await;
        }
        read(&store, scope, 4).await;
        read(&store, elsewhere, 5).await;
        assert!(store.purge_config(&named(&store, "payments").await, &actor(), AT).await.unwrap());
        assert_eq!(store.drop_unclaimed().await.unwrap(), 0);
        assert_eq!(count(&store, "SELECT count(*) FROM work_items").await, 9);
        assert_eq!(count(&store, "SELECT count(*) FROM record_changes").await, 4);
        assert_eq!(store.feed_token(scope, Feed::Revisions).await.unwrap().as_deref(), Some("token"));
        let detail = store.audit("ns", "payments", 1).await.unwrap().remove(0).detail;
        assert!(detail.contains("stays with other project configs"), "{detail}");
        store.keep_policy(&"uid of kept".into(), true).await.unwrap();
        assert!(store.purge_config(&named(&store, "kept").await, &actor(), AT).await.unwrap());
        assert_eq!(
            store.feed_token(scope, Feed::Revisions).await.unwrap(),
            None,
            "a new config reads from the beginning"
        );
        assert_eq!(store.drop_unclaimed().await.unwrap(), 4);
        assert_eq!(count(&store, "SELECT count(*) FROM work_items").await, 5);
        assert_eq!(count(&store, "SELECT count(*) FROM record_changes").await, 2);
        assert_eq!(store.sync_runs(&"uid of other".into(), 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn more_than_one_part_goes() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let changes = u32::try_from(PART).unwrap() + 100;
        config(&store, scope, "payments", true, changes).await;
        read(&store, scope, changes).await;
        assert!(store.purge_config(&named(&store, "payments").await, &actor(), AT).await.unwrap());
        assert_eq!(count(&store, "SELECT count(*) FROM record_changes").await, 0);
        assert_eq!(store.drop_unclaimed().await.unwrap(), u64::from(changes));
    }
}

#[tokio::test]
async fn the_policy_that_was_kept_last_counts_until_the_end() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        config(&store, scope, "payments", true, 1).await;
        let uid = ObjectUid::from("uid of payments");
        let found = named(&store, "payments").await;
        store.keep_policy(&uid, false).await.unwrap();
        assert_eq!(store.purgeable(None, 10).await.unwrap(), []);
        assert!(!store.purge_config(&found, &actor(), AT).await.unwrap());
        assert_eq!(count(&store, "SELECT count(*) FROM record_changes").await, 1);
        assert_eq!(store.audit("ns", "payments", 10).await.unwrap(), []);
        store.keep_policy(&uid, true).await.unwrap();
        assert_eq!(store.purgeable(None, 10).await.unwrap(), [found]);
    }
}

#[tokio::test]
async fn a_policy_that_is_known_is_not_written_again_nor_one_of_an_object_without_data() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        claim(&store, scope, "payments", true).await;
        store.raise_epoch(2).await.unwrap();
        // A writer that was fenced off may do what takes no write.
        let fenced = store.as_leader(1);
        fenced.keep_policy(&"uid of payments".into(), true).await.unwrap();
        fenced.keep_policy(&"nobody".into(), true).await.unwrap();
        assert!(fenced.keep_policy(&"uid of payments".into(), false).await.is_err());
    }
}

#[tokio::test]
async fn another_object_that_took_over_the_name_is_not_purged_in_its_place() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let key = claim(&store, scope, "payments", true).await;
        let found = named(&store, "payments").await;
        let uid = &ObjectUid::from("another");
        let other = ConfigClaim { scope, namespace: "ns", name: "payments", uid, purge: true };
        assert_eq!(store.claim_config(&other).await.unwrap(), key);
        assert!(!store.purge_config(&found, &actor(), AT).await.unwrap());
        assert_eq!(count(&store, "SELECT count(*) FROM configs").await, 1);
    }
}

#[tokio::test]
async fn purgeable_configs_are_read_page_by_page() {
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        for (name, purge) in [("a", true), ("b", false), ("c", true), ("d", true)] {
            claim(&store, scope, name, purge).await;
        }
        let first = store.purgeable(None, 2).await.unwrap();
        let rest = store.purgeable(first.last().map(|config| config.key), 2).await.unwrap();
        let names: Vec<&str> = first.iter().chain(&rest).map(|config| config.name.as_str()).collect();
        assert_eq!(names, ["a", "c", "d"]);
    }
}

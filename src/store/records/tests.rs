use uuid::Uuid;

use super::*;
use crate::domain::mapping::unmapped::{BUG_STATUSES, PRIORITIES, REQUIREMENT_STATUSES, SEVERITIES};
use crate::store::testing::{TestStore, config};

fn record(id: u32) -> StoredRecord {
    StoredRecord {
        id,
        rev: 1,
        standing: Standing {
            kind: RecordKind::Requirement,
            work_item_type: "User Story".into(),
            release: None,
            sprint: None,
            status: Some(RecordStatus::Open),
            category: Some("Proposed".into()),
        },
        priority: None,
        severity: None,
        release_date: None,
        unmapped: Unmapped::default(),
    }
}

/// A record with something in every column.
fn full(id: u32) -> StoredRecord {
    let text = |text: &str| Some(text.to_owned());
    StoredRecord {
        id,
        rev: u32::MAX,
        standing: Standing {
            kind: RecordKind::Bug,
            work_item_type: "Fehler 🐞".into(),
            release: Some(Uuid::from_u128(1)),
            sprint: Some(Uuid::from_u128(2)),
            status: Some(RecordStatus::InProgress),
            category: text("Other"),
        },
        priority: Some(Rating::Critical),
        severity: Some(Rating::Lowest),
        release_date: "2026-02-28".parse().ok(),
        unmapped: Unmapped { status: text("Odd\0 \"state\""), priority: text("9"), severity: text("ü") },
    }
}

fn put(records: &[StoredRecord]) -> RecordBatch {
    RecordBatch { put: records.to_vec(), ..RecordBatch::default() }
}

async fn all(store: &Store, config: ConfigKey) -> Vec<StoredRecord> {
    store.records_above(config, 0, 10_000).await.unwrap()
}

#[tokio::test]
async fn a_record_is_stored_as_it_is_replaced_and_removed() {
    for mut store in TestStore::each().await {
        let config = config(&store, "payments").await;
        store.write_records(config, &put(&[record(1), full(2)])).await.unwrap();
        store.reopen().await;
        assert_eq!(all(&store, config).await, [record(1), full(2)]);
        store.write_records(config, &put(&[full(1), record(2)])).await.unwrap();
        assert_eq!(all(&store, config).await, [full(1), record(2)], "nothing of the earlier ones is left");
        let gone = RecordBatch { gone: vec![1.into(), 7.into()], ..RecordBatch::default() };
        store.write_records(config, &gone).await.unwrap();
        assert_eq!(all(&store, config).await, [record(2)]);
    }
}

#[tokio::test]
async fn records_are_read_by_rising_id_and_by_their_ids() {
    for store in TestStore::each().await {
        let (ours, other) = (config(&store, "payments").await, config(&store, "other").await);
        let records: Vec<StoredRecord> = (1..=250).map(record).collect();
        store.write_records(ours, &put(&records)).await.unwrap();
        store.write_records(other, &put(&[full(3)])).await.unwrap();
        assert_eq!(store.records_above(ours, 0, 2).await.unwrap(), records[..2]);
        assert_eq!(store.records_above(ours, 248, 10).await.unwrap(), records[248..]);
        let mut some = store.records_of(ours, &[3.into(), 250.into(), 999.into()]).await.unwrap();
        some.sort_by_key(|record| record.id);
        assert_eq!(some, [record(3), record(250)]);
        assert_eq!(store.records_of(ours, &[]).await.unwrap(), []);
    }
}

#[tokio::test]
async fn records_add_up_to_totals_and_unmapped_values() {
    for store in TestStore::each().await {
        let config = config(&store, "payments").await;
        assert_eq!(store.record_totals(config).await.unwrap(), RecordTotals::default());
        let unmapped = |status: &str, priority: Option<&str>| Unmapped {
            status: Some(status.into()),
            priority: priority.map(str::to_owned),
            severity: None,
        };
        let odd = |id, unmapped| StoredRecord { unmapped, ..record(id) };
        let records =
            [record(1), odd(2, unmapped("odd", Some("9"))), odd(3, unmapped("Odd", None)), full(4), record(5)];
        store.write_records(config, &put(&records)).await.unwrap();
        let totals = store.record_totals(config).await.unwrap();
        assert_eq!((totals.requirements, totals.bugs), (4, 1));
        let value = |field, value: &str, items| UnmappedValue { field, value: value.into(), items };
        let expected = [
            value(PRIORITIES, "9", 2),
            value(REQUIREMENT_STATUSES, "Odd", 2),
            value(SEVERITIES, "ü", 1),
            value(BUG_STATUSES, "Odd\0 \"state\"", 1),
        ];
        let mut found = totals.unmapped;
        assert!(found.is_sorted_by(|a, b| (b.items, a.field) <= (a.items, b.field)), "{found:?}");
        found.sort_by_key(|one| expected.iter().position(|known| known == one));
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn the_history_is_kept_in_order_and_read_page_by_page() {
    for mut store in TestStore::each().await {
        let config = config(&store, "payments").await;
        let (open, bug) = (record(1).standing, full(1).standing);
        let change = |at, was: Option<&Standing>, is: Option<&Standing>| RecordChange {
            id: 1,
            at,
            was: was.cloned(),
            is: is.cloned(),
        };
        let told = [change(30, None, Some(&open)), change(10, Some(&open), Some(&bug)), change(20, Some(&bug), None)];
        for part in [&told[..2], &told[2..]] {
            let batch = RecordBatch { changes: part.to_vec(), ..RecordBatch::default() };
            store.write_records(config, &batch).await.unwrap();
        }
        store.reopen().await;
        let first = store.record_changes(config, 0, 2).await.unwrap();
        let last = store.record_changes(config, first[1].0, 2).await.unwrap();
        let found: Vec<RecordChange> = first.into_iter().chain(last).map(|(_, change)| change).collect();
        assert_eq!(found, told);
    }
}

#[tokio::test]
async fn a_batch_is_stored_as_a_whole_or_not_at_all() {
    for store in TestStore::each().await {
        let config = config(&store, "payments").await;
        let mut long = record(2);
        long.standing.work_item_type = "x".repeat(bounds::NAME + 1);
        let many = vec![record(1); MAX_RECORDS + 1];
        for batch in [put(&[record(1), long]), put(&many)] {
            let refused = store.write_records(config, &batch).await;
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
        }
        assert_eq!(all(&store, config).await, []);
    }
}

#[tokio::test]
async fn nothing_is_written_for_a_config_that_is_gone_or_for_an_empty_batch() {
    for store in TestStore::each().await {
        let config = config(&store, "payments").await;
        store.execute("DELETE FROM configs").await.unwrap();
        let refused = store.write_records(config, &put(&[record(1)])).await;
        assert!(matches!(refused, Err(StoreError::ConfigGone)), "{refused:?}");
        assert_eq!(all(&store, config).await, []);
        store.raise_epoch(2).await.unwrap();
        // A writer that was fenced off cannot write.
        store.as_leader(1).write_records(config, &RecordBatch::default()).await.unwrap();
    }
}

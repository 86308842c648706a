//! A second store that is filled from nothing, which every other one has to be like.

use ado_operator::domain::records::StoredRecord;
use ado_operator::store::Store;
use ado_operator::sync::pull::Depth;
use ado_operator::sync::resolve::Validated;
use serde_json::Value;

use crate::compare::{self, Raw};
use crate::config::{Config, Stop};
use crate::store::TestStore;

/// What a sync from scratch comes to.
pub struct Scratch {
    validated: Validated,
    outcome: Outcome,
}

/// What a store holds, and what it is mapped to in the oracle's words.
struct Outcome {
    raw: Raw,
    records: Vec<StoredRecord>,
    mapped: Value,
}

impl Outcome {
    async fn read(config: &Config, store: &Store, validated: &Validated) -> Self {
        let project = config.project().await.expect("the project");
        let scope = config.scope(store, &project).await;
        let mapped = config.map(store, validated).await.expect("a mapping");
        let key = config.key(store, scope).await;
        let (raw, records) = (Raw::read(store, scope).await, compare::records(store, key).await);
        Self { raw, records, mapped: compare::mapped(store, key, validated, &mapped).await }
    }
}

impl Scratch {
    /// Fills a new store, with the pins that the config has in that other store.
    pub async fn of(config: &Config, store: &Store) -> Self {
        let validated = config.learn(store).await.expect("an accepted spec");
        let (fresh, beginner) = (TestStore::sqlite().await, config.elsewhere());
        let done = beginner.read(fresh.get(), &validated, Depth::Everything, Stop::Never).await;
        done.expect("a sync without a fault").expect("nothing stops it");
        let outcome = Outcome::read(&beginner, fresh.get(), &validated).await;
        Self { validated, outcome }
    }

    /// Fails unless a store that was just synced holds the same. Gives what it is mapped to.
    pub async fn assert_like(&self, config: &Config, store: &Store) -> Value {
        let Outcome { raw, records, mapped: ours } = Outcome::read(config, store, &self.validated).await;
        let Outcome { raw: from_scratch, records: other_records, mapped: theirs } = &self.outcome;
        let differences = raw.differences(from_scratch);
        assert!(differences.is_empty(), "not as from scratch:\n{}", differences.join("\n"));
        assert_eq!(ours, *theirs, "not as from scratch:\n{}", compare::difference(&ours, theirs));
        assert_eq!(records, *other_records, "not as from scratch");
        ours
    }
}

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::*;
use crate::ado::model::{BacklogConfiguration, ClassificationNode, TypeCategory, WorkItemType};
use crate::api::AdoProjectConfigSpec;
use crate::domain::mapping::accept::World;
use crate::domain::mapping::pins::MappingPins;
use crate::domain::mapping::process::Process;
use crate::domain::mapping::warnings::Side;
use crate::domain::records::{RecordChange, RecordStatus, Standing};
use crate::store::testing::TestStore;
use crate::store::{ConfigClaim, LinkRecord, RecordBatch, WorkItemRecord};
use crate::sync::feeds::HIERARCHY;
use crate::sync::fingerprint::fingerprint;

const NOW: i64 = 1_000_000;
const TYPES: [&str; 5] = ["Epic", "Feature", "User Story", "Bug", "Task"];
const STATES: [&str; 4] = ["New", "Active", "Closed", "Odd"];

fn read<T: serde::de::DeserializeOwned>(value: &serde_json::Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn process() -> Process {
    let states = json!([
        {"name": "New", "category": "Proposed"}, {"name": "Active", "category": "InProgress"},
        {"name": "Closed", "category": "Completed"}
    ]);
    let types = TYPES.map(|name| read::<WorkItemType>(&json!({"name": name, "states": states})));
    let categories: [TypeCategory; 1] =
        [read(&json!({"referenceName": "Microsoft.BugCategory", "workItemTypes": [{"name": "Bug"}]}))];
    let level = |id: &str, rank: u32, name: &str| json!({"id": id, "name": id, "rank": rank, "workItemTypes": [{"name": name}]});
    let backlog: BacklogConfiguration = read(&json!({
        "taskBacklog": level("tasks", 1, "Task"),
        "requirementBacklog": level("stories", 2, "User Story"),
        "portfolioBacklogs": [level("features", 3, "Feature"), level("epics", 4, "Epic")],
    }));
    Process::new(types.to_vec(), &categories, backlog)
}

/// Iterations 1 to 6: a root, two releases, and three sprints below them.
fn tree() -> Tree {
    let node = |id: u32, name: &str, children: serde_json::Value| {
        json!({"id": id, "identifier": Uuid::from_u128(id.into()), "name": name, "structureType": "iteration",
               "hasChildren": true, "children": children})
    };
    let root: ClassificationNode = read(&node(
        1,
        "Payments",
        json!([
            node(2, "R1", json!([node(4, "S1", json!([])), node(5, "S2", json!([]))])),
            node(3, "R2", json!([node(6, "S1", json!([]))])),
        ]),
    ));
    Tree::new(&root)
}

/// Specs whose items are mapped each by itself, by their ancestors, and with a value that is looked for among all of them.
fn specs() -> Vec<AdoProjectConfigSpec> {
    let both = json!({"integrationRef": {"name": "contoso"}, "project": "Payments",
                      "pullRequirements": {}, "bugMapping": {}});
    let with = |extra: serde_json::Value| {
        let mut spec = both.clone();
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        read::<AdoProjectConfigSpec>(&spec)
    };
    vec![
        with(json!({})),
        with(json!({"iterationMapping": {"release": {"from": "Tier", "tier": 1}}})),
        with(json!({"iterationMapping": {"fullPath": true, "sprint": {"from": "Tier", "tier": 2}}})),
        with(json!({"bugMapping": {"statusMapping": [{"ado": "Odd", "testops": "Open"}]}})),
        with(
            json!({"pullRequirements": {"workItemTypes": ["Feature", "User Story"]}, "bugMapping": {"enabled": false},
                    "priorityMapping": [{"ado": 1, "testops": "Critical"}]}),
        ),
        with(json!({"pullRequirements": {"enabled": false}, "bugMapping": {"enabled": false}})),
    ]
}

/// Everything that a mapping needs, for one spec.
struct InForce {
    mapping: Mapping,
    fingerprint: Uuid,
}

struct Project {
    tree: Tree,
    specs: Vec<InForce>,
}

impl Project {
    fn new() -> Self {
        let (process, tree, pins) = (process(), tree(), MappingPins::default());
        let severities = BTreeMap::new();
        let world = World { process: &process, tree: &tree, fields: &[], severities: &severities, team: None };
        let mapped = |spec: &AdoProjectConfigSpec| InForce {
            mapping: Mapping::new(spec, &world, &pins),
            fingerprint: fingerprint(spec, &world, &pins),
        };
        let specs = specs().iter().map(mapped).collect();
        Self { tree, specs }
    }

    fn remap<'a>(&'a self, store: &'a Store, scope: Scope, config: ConfigKey, spec: usize) -> Remap<'a> {
        let InForce { mapping, fingerprint } = &self.specs[spec];
        Remap { store, scope, config, mapping, tree: &self.tree, fingerprint: *fingerprint, now: NOW }
    }
}

async fn claim(store: &Store, scope: Scope, name: &str) -> ConfigKey {
    let claim = ConfigClaim { scope, namespace: "ns", name, uid: &name.into(), purge: false };
    store.claim_config(&claim).await.unwrap()
}

fn item(id: u32, rev: u32, (of_type, state, iteration): (usize, usize, u32)) -> WorkItemRecord {
    WorkItemRecord {
        id: id.into(),
        rev,
        work_item_type: TYPES[of_type].into(),
        state: STATES[state].into(),
        title: String::new(),
        changed_at: 1_000 + i64::from(rev),
        fields: json!({"System.IterationId": iteration, "Microsoft.VSTS.Common.Priority": rev % 5}).to_string(),
        texts: None,
    }
}

/// A user story in a sprint.
const STORY: (usize, usize, u32) = (2, 0, 4);

/// Everything that is stored of a config.
async fn contents(store: &Store, config: ConfigKey) -> (Vec<StoredRecord>, Vec<Uuid>, Vec<Uuid>) {
    let mut nodes = Vec::new();
    for side in [Side::Release, Side::Sprint] {
        let side = store.plan_nodes(config, side).await.unwrap();
        nodes.push(side.iter().map(|node| node.identifier).collect());
    }
    let sprints = nodes.pop().unwrap();
    (store.records_above(config, 0, 10_000).await.unwrap(), nodes.pop().unwrap(), sprints)
}

async fn history(store: &Store, config: ConfigKey) -> Vec<RecordChange> {
    let rows = store.record_changes(config, 0, 10_000).await.unwrap();
    rows.into_iter().map(|(_, change)| change).collect()
}

/// Something that happens to a project between two mappings.
#[derive(Clone, Debug)]
enum Event {
    Edit(u32, (usize, usize, u32)),
    Delete(u32),
    Hide(u32),
    Link(u32, u32, bool),
    Switch(usize),
    /// A mapping that another one interrupted: some records are gone, some are wrong.
    Crash(u32),
    Map,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let id = || 1_u32..12;
    let place = (0..TYPES.len(), 0..STATES.len(), 0_u32..7);
    let event = prop_oneof![
        8 => (id(), place).prop_map(|(id, place)| Event::Edit(id, place)),
        1 => id().prop_map(Event::Delete),
        1 => id().prop_map(Event::Hide),
        3 => (id(), id(), prop::bool::weighted(0.8)).prop_map(|(parent, child, on)| Event::Link(parent, child, on)),
        1 => (0..specs().len()).prop_map(Event::Switch),
        1 => id().prop_map(Event::Crash),
        4 => Just(Event::Map),
    ];
    prop::collection::vec(event, 1..40)
}

/// A project to which things happen, and a config that follows them.
struct Life<'a> {
    project: &'a Project,
    store: &'a Store,
    scope: Scope,
    config: ConfigKey,
    spec: usize,
    rev: u32,
    /// What was a record when the history began.
    beginning: Option<BTreeMap<u32, Standing>>,
    maps: u32,
}

impl Life<'_> {
    async fn happen(&mut self, event: &Event) {
        let (store, scope) = (self.store, self.scope);
        self.rev += 1;
        match *event {
            Event::Edit(id, place) => {
                store.put_revisions(scope, &[item(id, self.rev, place)], &[], None).await.unwrap();
            }
            Event::Delete(id) => {
                store.put_revisions(scope, &[], &[id.into()], None).await.unwrap();
            }
            Event::Hide(id) => {
                store.hide(scope, &[id.into()]).await.unwrap();
            }
            Event::Link(parent, child, is_active) => {
                let (source, target, changed_at) = (parent.into(), child.into(), self.rev.into());
                let link = LinkRecord { rel: HIERARCHY.into(), source, target, changed_at, is_active };
                store.put_links(scope, &[link], Some("l")).await.unwrap();
            }
            Event::Switch(spec) => self.spec = spec,
            Event::Crash(id) => self.crash(id).await,
            Event::Map => self.map().await,
        }
    }

    /// Leaves what a mapping leaves that began and did not end: for an item of another kind, as far as it is told.
    async fn crash(&self, id: u32) {
        self.store.begin_mapping(self.config).await.unwrap();
        let old = self.store.records_of(self.config, &[id.into()]).await.unwrap();
        let has_history = self.beginning.is_some();
        let change = |old: &StoredRecord| RecordChange { id, at: NOW, was: Some(old.standing.clone()), is: None };
        let changes = old.iter().filter(|_| has_history).map(change).collect();
        let batch = RecordBatch { gone: vec![id.into()], changes, ..RecordBatch::default() };
        self.store.write_records(self.config, &batch).await.unwrap();
    }

    /// Maps what is different, and compares with a config that was never mapped before.
    async fn map(&mut self) {
        let mapped = self.project.remap(self.store, self.scope, self.config, self.spec).run().await.unwrap();
        self.maps += 1;
        let fresh = claim(self.store, self.scope, &format!("fresh-{}", self.maps)).await;
        let expected = self.project.remap(self.store, self.scope, fresh, self.spec).run().await.unwrap();
        assert_eq!(mapped, expected);
        let ours = contents(self.store, self.config).await;
        assert_eq!(ours, contents(self.store, fresh).await);
        assert_eq!(history(self.store, fresh).await, [], "the first records are no change");
        let standings = ours.0.into_iter().map(|record| (record.id, record.standing)).collect();
        self.compare_with_history(standings).await;
    }

    /// Each row goes on where the one before it ended, and the last one ends at the record.
    async fn compare_with_history(&mut self, present: BTreeMap<u32, Standing>) {
        let mut standing = self.beginning.get_or_insert_with(|| present.clone()).clone();
        for change in history(self.store, self.config).await {
            assert_eq!(standing.remove(&change.id), change.was, "{change:?}");
            assert_ne!(change.was, change.is);
            standing.extend(change.is.map(|is| (change.id, is)));
        }
        assert_eq!(standing, present);
    }
}

async fn live(store: &Store, project: &Project, name: &str, events: &[Event]) {
    let scope = crate::store::testing::scope(store, name, 1).await;
    let config = claim(store, scope, "config").await;
    let mut life = Life { project, store, scope, config, spec: 0, rev: 0, beginning: None, maps: 0 };
    for event in events {
        life.happen(event).await;
    }
    life.map().await;
}

/// Every life has an integration of its own in one database: making one takes longer than most lives.
#[test]
fn whatever_happens_the_records_are_those_of_a_whole_mapping_and_the_history_leads_to_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let project = Project::new();
    for (store, cases) in runtime.block_on(TestStore::each()).into_iter().zip([48, 12]) {
        let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..Default::default() });
        let lives = std::cell::Cell::new(0);
        let outcome = runner.run(&events(), |events| {
            lives.set(lives.get() + 1);
            runtime.block_on(live(&store, &project, &format!("life-{}", lives.get()), &events));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
        runtime.block_on(store.close());
    }
}

#[tokio::test]
async fn nothing_is_written_where_nothing_changed_also_after_a_restart() {
    let project = Project::new();
    for mut store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let epic = item(1, 1, (0, 0, 2));
        store.put_revisions(scope, &[epic, item(2, 1, STORY), item(3, 1, (3, 3, 5))], &[], None).await.unwrap();
        let link =
            LinkRecord { rel: HIERARCHY.into(), source: 1.into(), target: 2.into(), changed_at: 1, is_active: true };
        store.put_links(scope, &[link], Some("l")).await.unwrap();
        let mut first = Vec::new();
        for spec in 0..project.specs.len() {
            let config = claim(&store, scope, &spec.to_string()).await;
            first.push((config, project.remap(&store, scope, config, spec).run().await.unwrap()));
        }
        store.reopen().await;
        store.raise_epoch(2).await.unwrap();
        // A writer that was fenced off cannot write.
        let fenced = store.as_leader(1);
        for (spec, (config, mapped)) in first.into_iter().enumerate() {
            assert_eq!(project.remap(&fenced, scope, config, spec).run().await.unwrap(), mapped, "spec {spec}");
        }
    }
}

#[tokio::test]
async fn a_changed_item_alone_is_mapped_again() {
    let project = Project::new();
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let config = claim(&store, scope, "config").await;
        store.put_revisions(scope, &[item(1, 1, STORY), item(2, 1, STORY)], &[], None).await.unwrap();
        project.remap(&store, scope, config, 0).run().await.unwrap();
        // A record that no mapping would make stays until its item changes: nobody looks at it.
        store.execute("UPDATE records SET priority = 'Lowest' WHERE id = 2").await.unwrap();
        store.put_revisions(scope, &[item(1, 2, (2, 2, 4))], &[], None).await.unwrap();
        project.remap(&store, scope, config, 0).run().await.unwrap();
        let records = contents(&store, config).await.0;
        assert_eq!(records[0].standing.status, Some(RecordStatus::Closed));
        assert_eq!(records[1].priority.map(crate::domain::records::Rating::as_str), Some("Lowest"));
        let told = history(&store, config).await;
        assert_eq!((told.len(), told[0].id, told[0].at), (1, 1, 1_002), "at the time of its edit");
    }
}

#[tokio::test]
async fn another_mapping_is_told_to_the_history_as_of_now() {
    let project = Project::new();
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let config = claim(&store, scope, "config").await;
        store.put_revisions(scope, &[item(1, 1, STORY), item(2, 1, (3, 0, 4))], &[], None).await.unwrap();
        project.remap(&store, scope, config, 0).run().await.unwrap();
        assert_eq!(history(&store, config).await, []);
        // Bugs are switched off.
        let mapped = project.remap(&store, scope, config, 4).run().await.unwrap();
        assert_eq!((mapped.totals.requirements, mapped.totals.bugs), (1, 0));
        let told = history(&store, config).await;
        assert_eq!(
            told.iter().map(|change| (change.id, change.at, change.is.is_some())).collect::<Vec<_>>(),
            [(2, NOW, false)]
        );
    }
}

#[tokio::test]
async fn a_project_of_several_pages_is_mapped_and_followed() {
    let project = Project::new();
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let config = claim(&store, scope, "config").await;
        let all: Vec<WorkItemRecord> = (1..=2_500).map(|id| item(id, 1, STORY)).collect();
        store.put_revisions(scope, &all, &[], None).await.unwrap();
        let mapped = project.remap(&store, scope, config, 0).run().await.unwrap();
        assert_eq!(mapped.totals.requirements, 2_500);
        // A gap that is longer than a page of records, and one item in ten edited.
        let hidden: Vec<_> = (100..=1_600).map(Into::into).collect();
        store.hide(scope, &hidden).await.unwrap();
        let edited: Vec<WorkItemRecord> = (1..=250).map(|tenth| item(tenth * 10, 2, (2, 2, 6))).collect();
        store.put_revisions(scope, &edited, &[], None).await.unwrap();
        store.hide(scope, &hidden).await.unwrap();
        for (spec, name) in [(0, "by changes"), (1, "as a whole")] {
            let mapped = project.remap(&store, scope, config, spec).run().await.unwrap();
            assert_eq!(mapped.totals.requirements, 2_500 - 1_501, "{name}");
            let ids: BTreeSet<u32> = contents(&store, config).await.0.iter().map(|record| record.id).collect();
            assert!((1..=2_500).all(|id| ids.contains(&id) != (100..=1_600).contains(&id)), "{name}");
        }
    }
}

#[tokio::test]
#[ignore = "measures; run it alone and with --release"]
async fn how_long_a_hundred_thousand_items_take() {
    const ITEMS: u32 = 100_000;
    let project = Project::new();
    for store in TestStore::each().await {
        let scope = store.scope("contoso", 1).await;
        let config = claim(&store, scope, "config").await;
        for part in (1..=ITEMS).collect::<Vec<_>>().chunks(5_000) {
            let items: Vec<WorkItemRecord> = part.iter().map(|id| item(*id, 1, (2, 0, 4 + id % 3))).collect();
            store.put_revisions(scope, &items, &[], None).await.unwrap();
        }
        let mut size = store.size().await.unwrap();
        for (label, spec) in [("first", 0), ("by tiers", 1), ("by depth", 0), ("unchanged", 0)] {
            let started = std::time::Instant::now();
            let mapped = project.remap(&store, scope, config, spec).run().await.unwrap();
            let took = started.elapsed();
            let grown = store.size().await.unwrap().saturating_sub(size);
            size += grown;
            println!("{label}: {ITEMS} items in {took:?}, {grown} bytes more");
            assert_eq!(mapped.totals.requirements, u64::from(ITEMS), "{label}");
        }
    }
}

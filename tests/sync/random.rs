//! Random edits, syncs, crashes, faults and other specs, in any order.

use ado_operator::domain::mapping::pins::MappingPins;
use ado_operator::sync::SyncError;
use ado_operator::sync::pull::Depth;
use ado_simulator::{Effect, Fault, ReportingRefusal};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::compare;
use crate::config::{Config, Stop};
use crate::edits::{Edit, Editor, edit};
use crate::live::Live;
use crate::scratch::Scratch;
use crate::specs::{KITS, Kit, SPECS, spec};
use crate::store::TestStore;
use crate::world::{Plain, World};

/// Cases of the short run; `SOAK=1` runs a hundred times as many.
const CASES: u32 = 24;

/// Items that a case begins with.
const ITEMS: u32 = 24;

/// What happens in a case.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody edits the project.
    Edit(Edit),
    /// The project is read and mapped; `depth` says how far that looks.
    Sync { depth: Depth, stop: Stop },
    /// The process ends between two syncs.
    Restart,
    /// Another spec, with the pins of the one before it or without.
    Accept { spec: usize, keeps_pins: bool },
    /// Values in a page of a feed.
    PageSize(u32),
    /// Some of the next answers go wrong.
    Fault { of: u8, effect: u8, after: u64, times: u64 },
    /// Whether the feeds are refused.
    Feeds(Option<ReportingRefusal>),
}

/// What holds for the whole of a case.
#[derive(Clone, Copy, Debug)]
struct Setting {
    kit: usize,
    spec: usize,
    on_postgres: bool,
    last_token_in_next_link: bool,
    reclassifying_makes_revisions: bool,
}

fn setting() -> impl Strategy<Value = Setting> {
    let of = (0..KITS.len(), 0..SPECS, any::<bool>(), any::<bool>(), any::<bool>());
    of.prop_map(|(kit, spec, on_postgres, last_token_in_next_link, reclassifying_makes_revisions)| Setting {
        kit,
        spec,
        on_postgres,
        last_token_in_next_link,
        reclassifying_makes_revisions,
    })
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        4 => Just(Stop::Never),
        2 => (1..8_u32).prop_map(Stop::BeforeRequest),
        2 => (1..200_u32).prop_map(Stop::AfterPolls),
        1 => (1..8_u32).prop_map(Stop::Unwanted),
    ]
}

fn depth() -> impl Strategy<Value = Depth> {
    prop_oneof![6 => Just(Depth::Changes), 2 => Just(Depth::Ids), 1 => Just(Depth::Links), 1 => Just(Depth::Everything)]
}

fn step() -> impl Strategy<Value = Step> {
    let refusal = prop_oneof![
        2 => Just(None),
        1 => Just(Some(ReportingRefusal::NotFound)),
        1 => Just(Some(ReportingRefusal::Forbidden)),
    ];
    prop_oneof![
        24 => edit().prop_map(Step::Edit),
        8 => (depth(), stop()).prop_map(|(depth, stop)| Step::Sync { depth, stop }),
        1 => Just(Step::Restart),
        3 => (0..SPECS, any::<bool>()).prop_map(|(spec, keeps_pins)| Step::Accept { spec, keeps_pins }),
        1 => (1..9_u32).prop_map(Step::PageSize),
        2 => (any::<u8>(), any::<u8>(), 0..3_u64, 1..5_u64)
            .prop_map(|(of, effect, after, times)| Step::Fault { of, effect, after, times }),
        1 => refusal.prop_map(Step::Feeds),
    ]
}

fn fault(of: u8, effect: u8, after: u64, times: u64) -> Fault {
    let paths = [
        "*/reporting/workitemrevisions*",
        "*/reporting/workitemlinks*",
        "*/wit/wiql*",
        "*/wit/workitemsbatch*",
        "*/classificationnodes/*",
        "*/_apis/*",
    ];
    let effects = [
        Effect::CutBody { after_bytes: 700 },
        Effect::Status { code: 503, retry_after: None },
        Effect::Status { code: 500, retry_after: None },
        Effect::TooManyRequests { retry_after: 300 },
        Effect::Delay { milliseconds: 2, retry_after: Some(0) },
        Effect::MalformedJson,
        Effect::LoseReply,
        Effect::EmptyOk,
    ];
    let path = paths[usize::from(of) % paths.len()];
    Fault::on_path(path, effects[usize::from(effect) % effects.len()].clone()).after(after).times(times)
}

/// A case under way.
struct Case<'a> {
    world: &'a World,
    kit: &'a Kit,
    plain: Plain,
    stored: TestStore,
    config: Config,
    editor: Editor<'a>,
    /// The spec in force, and the project in which it was accepted; no oracle knows it if its pins are older than that.
    accepted: (Value, Option<Value>),
}

impl<'a> Case<'a> {
    async fn new(world: &'a World, setting: Setting) -> Self {
        let kit = &KITS[setting.kit];
        world.control().change_quirks(|quirks| {
            quirks.reporting_page_size = 5;
            quirks.reporting_last_token_in_next_link_only = setting.last_token_in_next_link;
            quirks.reclassifying_makes_revisions = setting.reclassifying_makes_revisions;
        });
        let stored = if setting.on_postgres { TestStore::postgres().await } else { TestStore::sqlite().await };
        let spec = spec(kit, setting.spec);
        let config = Config::new(world.access(), "config", &spec);
        let (plain, editor) = (world.plain(), Editor::new(world, kit));
        let mut case = Self { world, kit, plain, stored, config, editor, accepted: (Value::Null, None) };
        assert!(case.accept(spec, false).await, "every spec fits at first");
        case
    }

    /// Whether a spec is taken; the oracle must say the same.
    async fn accept(&mut self, spec: Value, keeps_pins: bool) -> bool {
        let store = self.stored.get();
        let live = Live { plain: &self.plain, project: self.kit.project };
        let then = live.world(spec["team"].as_str()).await;
        let earlier = if keeps_pins { self.config.pins(store).await } else { MappingPins::default() };
        let afresh = self.config.accept(store, &spec, MappingPins::default()).await;
        let said =
            compare::oracle(&json!({"spec": spec, "accepted": null, "world": then, "items": live.items().await}));
        assert_eq!(said["error"].is_object(), afresh.is_err(), "{afresh:?}, and the oracle says {said}");
        let Ok(afresh) = afresh else { return false };
        let pins = self.config.accept(store, &spec, earlier).await.expect("what fits without earlier pins");
        self.accepted = (spec, (pins == afresh).then_some(then));
        true
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Edit(edit) => self.editor.make(edit).await,
            Step::Sync { depth, stop } => self.sync(*depth, *stop).await,
            Step::Restart => {
                self.stored.crash().await;
                self.config.restart();
            }
            Step::Accept { spec: number, keeps_pins } => {
                self.world.control().clear_faults();
                self.accept(spec(self.kit, *number), *keeps_pins).await;
            }
            Step::PageSize(size) => self.world.control().change_quirks(|quirks| quirks.reporting_page_size = *size),
            Step::Fault { of, effect, after, times } => {
                self.world.add_fault(fault(*of, *effect, *after, *times));
            }
            Step::Feeds(refusal) => self.world.control().change_quirks(|quirks| quirks.reporting_refusal = *refusal),
        }
    }

    /// A sync that may fail for what Azure DevOps does, and for nothing else.
    async fn sync(&mut self, depth: Depth, stop: Stop) {
        match self.config.sync(self.stored.get(), depth, stop).await {
            None => self.stored.crash().await,
            Some(Ok(_) | Err(SyncError::Ado(_) | SyncError::Withdrawn)) => {}
            Some(Err(error)) => panic!("{error}"),
        }
    }

    /// Once all is well again, the store is what a sync from scratch makes it, and what the oracle says.
    async fn end(mut self) {
        self.world.control().clear_faults();
        self.world.control().change_quirks(|quirks| quirks.reporting_refusal = None);
        let store = self.stored.get();
        let depth = if self.editor.changed_untold() { Depth::Everything } else { Depth::Links };
        let report = self.config.sync(store, depth, Stop::Never).await.expect("no crash").expect("no fault");
        if let Some(disappearance) = report.disappearance {
            self.config.confirm(disappearance.id);
            let report = self.config.sync(store, depth, Stop::Never).await.expect("no crash").expect("no fault");
            assert_eq!(report.disappearance, None, "it is confirmed");
        }
        let ours = Scratch::of(&self.config, store).await.assert_like(&self.config, store).await;
        self.ask_oracle(&ours).await;
        self.world.assert_clean();
    }

    async fn ask_oracle(&self, ours: &Value) {
        let (spec, Some(then)) = &self.accepted else { return };
        let live = Live { plain: &self.plain, project: self.kit.project };
        let (now, items) = (live.world(spec["team"].as_str()).await, live.items().await);
        let accepted = if now == *then { &Value::Null } else { then };
        let theirs = compare::oracle(&json!({"spec": spec, "accepted": accepted, "world": now, "items": items}));
        let difference = compare::difference(ours, &theirs);
        assert_eq!(*ours, theirs, "not as the oracle says:\n{difference}\nspec {spec}\nitems {}", json!(items));
    }
}

fn cases() -> u32 {
    if std::env::var_os("SOAK").is_some() { CASES * 100 } else { CASES }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_store_becomes_what_a_sync_from_scratch_makes_it(
        setting in setting(),
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new(KITS[setting.kit].project, ITEMS).await;
            let mut case = Case::new(&world, setting).await;
            for step in &steps {
                case.take(step).await;
            }
            case.end().await;
        });
    }
}

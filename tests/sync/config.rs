//! A project config at work: what the operator does for it, without Kubernetes.

use std::future::{pending, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use ado_operator::ado::AdoClient;
use ado_operator::ado::model::ProjectDetails;
use ado_operator::api::{AdoProjectConfigSpec, ResolvedIntegration};
use ado_operator::clock::{SharedClock, SystemClock};
use ado_operator::domain::mapping::pins::MappingPins;
use ado_operator::domain::projects::ProjectFilter;
use ado_operator::store::{ConfigClaim, ConfigKey, ObjectUid, PinnedMapping, Scope, Store};
use ado_operator::sync::SyncError;
use ado_operator::sync::look::Look;
use ado_operator::sync::pull::{Depth, Pull, PullReport};
use ado_operator::sync::reading::Reading;
use ado_operator::sync::reads::{Reads, Wish};
use ado_operator::sync::remap::{Mapped, Remap};
use ado_operator::sync::resolve::{self, Accepted, Validated};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use crate::world::Access;

/// Where a read of a project ends before its time.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// Nowhere.
    Never,
    /// It is dropped in place of this request, counted from 1.
    BeforeRequest(u32),
    /// It is dropped after it was looked at so often, wherever that is.
    AfterPolls(u32),
    /// It is told before this request that nobody wants it any more.
    Unwanted(u32),
}

/// A project config of some integration.
pub struct Config {
    access: Access,
    client: AdoClient,
    clock: SharedClock,
    reads: Arc<Reads>,
    uid: String,
    spec: AdoProjectConfigSpec,
    generation: i64,
    tolerance: Duration,
    confirmed: Option<Uuid>,
    project: OnceCell<ProjectDetails>,
}

impl Config {
    /// One that nobody looked at yet.
    pub fn new(access: &Access, uid: &str, spec: &Value) -> Self {
        Self {
            access: access.clone(),
            client: access.client(),
            clock: Arc::new(SystemClock),
            reads: Arc::default(),
            uid: uid.to_owned(),
            spec: serde_json::from_value(spec.clone()).unwrap(),
            generation: 0,
            tolerance: Duration::ZERO,
            confirmed: None,
            project: OnceCell::new(),
        }
    }

    /// Another one that shares the reads of this one.
    pub fn beside(&self, uid: &str, spec: &Value) -> Self {
        Self { reads: Arc::clone(&self.reads), ..Self::new(&self.access, uid, spec) }
    }

    /// Lets it be content with a read that began so long before.
    pub fn is_content_with(&mut self, tolerance: Duration) {
        self.tolerance = tolerance;
    }

    /// The same config in a process that knows nothing of this one.
    pub fn elsewhere(&self) -> Self {
        Self {
            access: self.access.clone(),
            client: self.access.client(),
            clock: Arc::clone(&self.clock),
            reads: Arc::default(),
            uid: self.uid.clone(),
            spec: self.spec.clone(),
            generation: self.generation,
            tolerance: self.tolerance,
            confirmed: None,
            project: self.project.clone(),
        }
    }

    /// What a new process begins with.
    pub fn restart(&mut self) {
        self.reads = Arc::default();
        self.forgive();
    }

    /// Forgets what the service asked to be waited for.
    fn forgive(&mut self) {
        self.client = self.access.client();
    }

    /// A look at the project as it is.
    fn look(&self) -> Look {
        Look::once(self.client.clone())
    }

    /// The project, whose id stays.
    pub async fn project(&self) -> Result<ProjectDetails, SyncError> {
        let all = ProjectFilter::default();
        let look = self.look();
        let find = || resolve::project(&look, &self.spec, None, &all);
        self.project.get_or_try_init(find).await.cloned()
    }

    /// Lets the items vanish that a read did not dare to hide, as a person does who read the message.
    pub fn confirm(&mut self, disappearance: Uuid) {
        self.confirmed = Some(disappearance);
    }

    /// Whose raw data the project's are.
    pub async fn scope(&self, store: &Store, project: &ProjectDetails) -> Scope {
        let accepted = store.accept_organization(&"integration".into(), "ns", "contoso", "organization").await.unwrap();
        Scope { integration: accepted.key, project: project.id.0.into() }
    }

    /// Whose records the project's become.
    pub async fn key(&self, store: &Store, scope: Scope) -> ConfigKey {
        let claim = ConfigClaim { scope, namespace: "ns", name: &self.uid, uid: &self.uid(), purge: false };
        store.claim_config(&claim).await.unwrap()
    }

    fn uid(&self) -> ObjectUid {
        self.uid.as_str().into()
    }

    /// The pins of the spec that was accepted last.
    pub async fn pins(&self, store: &Store) -> MappingPins {
        let stored = store.pinned_mapping(&self.uid()).await.unwrap();
        stored.map(|stored| serde_json::from_str(&stored.pins).unwrap()).unwrap_or_default()
    }

    async fn pin(&self, store: &Store, pins: &MappingPins) {
        let pins = serde_json::to_string(pins).unwrap();
        store.pin_mapping(&self.uid(), &PinnedMapping { generation: self.generation, pins }).await.unwrap();
    }

    async fn validated(&self, spec: &AdoProjectConfigSpec, accepted: Accepted) -> Result<Validated, SyncError> {
        let project = self.project().await?;
        Box::pin(resolve::mapping(&self.look(), spec, ResolvedIntegration::default(), &project, accepted)).await
    }

    /// Gives the config a spec, with the pins of the one before it or without. One that is refused is not taken.
    pub async fn accept(
        &mut self,
        store: &Store,
        spec: &Value,
        earlier: MappingPins,
    ) -> Result<MappingPins, SyncError> {
        let spec: AdoProjectConfigSpec = serde_json::from_value(spec.clone()).unwrap();
        let accepted = Accepted { pins: earlier, is_current: false };
        let validated = self.validated(&spec, accepted).await?;
        self.spec = spec;
        self.generation += 1;
        self.pin(store, &validated.pins).await;
        Ok(validated.pins)
    }

    /// What the accepted spec stands for at present.
    pub async fn learn(&self, store: &Store) -> Result<Validated, SyncError> {
        let pins = self.pins(store).await;
        let validated = self.validated(&self.spec, Accepted { pins, is_current: true }).await?;
        self.pin(store, &validated.pins).await;
        Ok(validated)
    }

    /// Reads the project and maps it. None: it was dropped on the way, and everything in memory with it.
    pub async fn sync(&mut self, store: &Store, depth: Depth, stop: Stop) -> Option<Result<PullReport, SyncError>> {
        let done = Box::pin(self.try_sync(store, depth, stop)).await.transpose();
        match &done {
            None => self.restart(),
            Some(Err(_)) => self.forgive(),
            Some(Ok(_)) => {}
        }
        done
    }

    async fn try_sync(&self, store: &Store, depth: Depth, stop: Stop) -> Result<Option<PullReport>, SyncError> {
        let validated = self.learn(store).await?;
        let Some(report) = self.read(store, &validated, depth, stop).await? else { return Ok(None) };
        self.map(store, &validated).await?;
        Ok(Some(report))
    }

    /// Reads the project into the store.
    pub async fn read(
        &self,
        store: &Store,
        validated: &Validated,
        depth: Depth,
        stop: Stop,
    ) -> Result<Option<PullReport>, SyncError> {
        let project = self.project().await?;
        let (asked, reached) = (AtomicU32::new(0), Notify::new());
        let permitted = || -> BoxFuture<'_, bool> {
            let request = asked.fetch_add(1, Ordering::Relaxed) + 1;
            match stop {
                Stop::BeforeRequest(last) if request >= last => {
                    reached.notify_one();
                    pending().boxed()
                }
                Stop::Unwanted(last) => ready(request < last).boxed(),
                _ => ready(true).boxed(),
            }
        };
        let reading = Reading {
            client: &self.client,
            store,
            scope: self.scope(store, &project).await,
            project: project.id,
            fields: &validated.fields.wanted,
            permitted: &permitted,
        };
        let pull = Pull { reading, clock: &self.clock, config: &self.uid, reads: &self.reads };
        let run = within_polls(
            Box::pin(pull.run(Wish { tolerance: self.tolerance, depth, confirmed: self.confirmed })),
            stop,
        );
        tokio::select! {
            done = run => done.transpose(),
            () = reached.notified() => Ok(None),
        }
    }

    /// Maps what is stored.
    pub async fn map(&self, store: &Store, validated: &Validated) -> Result<Mapped, SyncError> {
        let project = self.project().await?;
        let scope = self.scope(store, &project).await;
        let config = self.key(store, scope).await;
        let Validated { mapping, tree, fingerprint, .. } = validated;
        let now = self.clock.now().as_millisecond();
        Remap { store, scope, config, mapping, tree, fingerprint: *fingerprint, now }.run().await
    }
}

/// The outcome of a future that may be polled so often and is then dropped.
async fn within_polls<T>(mut run: impl Future<Output = T> + Unpin, stop: Stop) -> Option<T> {
    let mut left = match stop {
        Stop::AfterPolls(polls) => polls,
        _ => u32::MAX,
    };
    poll_fn(|context| match left.checked_sub(1) {
        None => Poll::Ready(None),
        Some(less) => {
            left = less;
            run.poll_unpin(context).map(Some)
        }
    })
    .await
}

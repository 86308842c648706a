//! Builds the operator out of its parts and runs it; used by `main` and by the tests.

use std::hash::RandomState;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::HeaderValue;
use ::http::header::USER_AGENT;
use kube::runtime::events::Reporter;
use kube::{Client, Config as KubeConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use crate::ado::{Budgets, HostPolicy, InvalidProxy, NamedProxy, Transport, TransportConfig};
use crate::api::FIELD_MANAGER;
use crate::clock::SharedClock;
use crate::config::Config;
use crate::controllers::connections::Connections;
use crate::controllers::leadership::Candidate;
use crate::controllers::leftovers::Gone;
use crate::controllers::own_writes::OwnWrites;
use crate::controllers::refusals::Refusals;
use crate::controllers::visits::Visits;
use crate::controllers::{self, Context, Wiring};
use crate::http;
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::store::{InvalidServer, Server, Store, StoreError};
use crate::sync::reads::Reads;

/// Longest time that the apiserver may let us wait for an answer. Watches are not bound by it.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A watch on which nothing was heard for so long is dead; the apiserver ends each before, and sends bookmarks meanwhile.
const WATCH_TIMEOUT: Duration = Duration::from_secs(330);

/// What is under way at shutdown may take so long to end; the pod is given 30 s.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(15);

/// Pause between two tries to open a store that is not available.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// How often the size of the database is measured.
const SIZE_INTERVAL: Duration = Duration::from_mins(1);

/// Parts that have to be reached before the operator is ready.
const PARTS: [&str; 4] = ["Store", "Leadership", "AdoIntegrations", "AdoProjectConfigs"];

/// Why the operator could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store could not be opened.
    #[error("the store could not be opened: {0}")]
    Store(#[from] StoreError),
    /// No client for the apiserver could be made.
    #[error("no client for the apiserver could be made: {0}")]
    Kubernetes(#[from] kube::Error),
    /// Neither a kubeconfig nor a service account was found.
    #[error("no way to the apiserver was found: {0}")]
    Kubeconfig(#[from] kube::config::InferConfigError),
    /// The database cannot be used as it is named. The text does not repeat it, since it holds a password.
    #[error("--store-url: {0}")]
    StoreUrl(#[from] InvalidServer),
    /// A proxy cannot be read. The text does not repeat it, since it may hold a password.
    #[error("--proxy: {0}")]
    Proxy(#[from] InvalidProxy),
    /// The address for metrics and health is taken, or not ours.
    #[error("--metrics-address: {0}")]
    Listen(#[source] std::io::Error),
    /// The runtime or a signal handler could not be set up, or metrics and health could not be served any longer.
    #[error(transparent)]
    Process(#[from] std::io::Error),
    /// It runs already.
    #[error("the operator was started twice")]
    Started,
    /// Another replica leads now; this process ends, and what it was doing with it.
    #[error("another replica took the Lease")]
    LeadershipLost,
}

/// The operator, built and not yet running.
pub struct App {
    config: Config,
    kube: KubeConfig,
    clock: SharedClock,
    proxies: Vec<NamedProxy>,
    server: Option<Server>,
    listener: Option<TcpListener>,
    metrics: Metrics,
    readiness: Readiness,
}

impl App {
    /// Builds the operator. Its metrics and health are served as soon as it runs.
    pub async fn new(config: Config, kube: KubeConfig, clock: SharedClock) -> Result<Self, AppError> {
        let proxies = config.named_proxies()?;
        let server = config.server()?;
        let listener = Some(TcpListener::bind(config.metrics_address).await.map_err(AppError::Listen)?);
        let readiness = Readiness::waiting_for(&PARTS);
        Ok(Self { config, kube, clock, proxies, server, listener, metrics: Metrics::default(), readiness })
    }

    /// Where metrics and health are served.
    pub fn metrics_address(&self) -> Result<std::net::SocketAddr, AppError> {
        self.listener.as_ref().ok_or(AppError::Started)?.local_addr().map_err(AppError::Listen)
    }

    /// Runs until shutdown: serves, waits for the Lease, leads.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), AppError> {
        let router = http::router(self.readiness.clone(), self.metrics.clone());
        let listener = self.listener.take().ok_or(AppError::Started)?;
        let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let server = AbortOnDropHandle::new(tokio::spawn(serving.into_future()));
        tokio::select! {
            result = self.work(&shutdown) => result,
            error = unserved(server, &shutdown) => Err(error),
        }
    }

    /// Opens the store and works with it until shutdown.
    async fn work(&self, shutdown: &CancellationToken) -> Result<(), AppError> {
        let store = tokio::select! {
            store = self.open_store() => store?,
            () = shutdown.cancelled() => return Ok(()),
        };
        self.readiness.reached("Store");
        let result = self.stand(&store, shutdown).await;
        store.close().await;
        result
    }

    /// Opens the store, as soon as it is available. Meanwhile `/readyz` says that it is waited for.
    async fn open_store(&self) -> Result<Store, StoreError> {
        loop {
            let opened = match &self.server {
                Some(server) => Store::connect(server).await,
                None => Store::open(&self.config.data_dir).await,
            };
            match opened {
                Err(error @ StoreError::Unavailable(_)) => warn!(%error, "the store could not be opened; trying again"),
                opened => return opened,
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }

    /// Stands for election, and leads once elected.
    async fn stand(&self, store: &Store, shutdown: &CancellationToken) -> Result<(), AppError> {
        let mut kube = named(self.kube.clone());
        // The client would repeat what was refused for the moment up to 15 times, in silence, and in the end only every few
        // minutes: watches have pauses of their own, and no write may come late.
        kube.default_retry = false;
        kube.read_timeout = Some(WATCH_TIMEOUT);
        let watches = Client::try_from(kube.clone())?;
        kube.read_timeout = Some(CALL_TIMEOUT);
        let calls = Client::try_from(kube)?;
        let (namespace, lease) = (&self.config.operator_namespace, &self.config.lease_name);
        let candidate = Candidate::new(calls.clone(), namespace, lease, &identity(&self.config));
        let floor = store.epoch().await?;
        let mut term = tokio::select! {
            term = candidate.elected(floor) => term,
            () = shutdown.cancelled() => return Ok(()),
        };
        let epoch = term.epoch;
        let ended = CancellationToken::new();
        // A task of its own: no other work may keep it from renewing in time, and it renews from the first moment on.
        let holding = AbortOnDropHandle::new(tokio::spawn({
            let ended = ended.clone();
            async move {
                let lost = ended.run_until_cancelled(term.hold()).await.is_some();
                (!lost).then_some(term)
            }
        }));
        tokio::pin!(holding);
        let result = tokio::select! {
            result = self.take_office(store, epoch, calls, watches, shutdown) => result,
            () = grace(shutdown) => Ok(()),
            _ = &mut holding => Err(AppError::LeadershipLost),
        };
        self.metrics.leads(false);
        ended.cancel();
        if result.is_ok()
            && let Ok(Some(term)) = holding.await
        {
            term.resign().await;
        }
        result
    }

    async fn take_office(
        &self,
        store: &Store,
        epoch: i64,
        calls: Client,
        watches: Client,
        shutdown: &CancellationToken,
    ) -> Result<(), AppError> {
        store.raise_epoch(epoch).await?;
        self.lead(store.as_leader(epoch), calls, watches, shutdown).await
    }

    /// Runs the controllers for the time of one term.
    async fn lead(
        &self,
        store: Store,
        calls: Client,
        watches: Client,
        shutdown: &CancellationToken,
    ) -> Result<(), AppError> {
        let interrupted = store.interrupt_sync_runs(self.clock.now().as_millisecond()).await?;
        info!(interrupted, "leading");
        self.metrics.leads(true);
        self.readiness.reached("Leadership");
        let wiring =
            Wiring { watches, namespaces: self.config.namespaces.clone(), concurrency: self.config.concurrency };
        let _sizes = AbortOnDropHandle::new(tokio::spawn(measure_store(store.clone(), self.metrics.clone())));
        let ctx = Arc::new(self.context(calls, store));
        controllers::run(ctx, wiring, self.readiness.clone(), shutdown.clone()).await;
        Ok(())
    }

    fn context(&self, client: Client, store: Store) -> Context {
        let transport = Transport::new(TransportConfig {
            policy: HostPolicy::new(self.config.permitted_hosts()),
            hosts: self.config.service_hosts.iter().cloned().collect(),
            proxies: self.proxies.clone(),
            observer: Arc::new(self.metrics.clone()),
            ..TransportConfig::default()
        });
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: self.config.identity.clone() };
        Context {
            reporter,
            client,
            clock: Arc::clone(&self.clock),
            store,
            transport,
            budgets: Budgets::new(),
            metrics: self.metrics.clone(),
            request_deadline: self.config.request_deadline(),
            server_api_version: self.config.server_api_version.as_str().into(),
            connections: Connections::default(),
            refusals: Refusals::default(),
            integration_visits: Visits::default(),
            config_visits: Visits::default(),
            reads: Reads::default(),
            readers: Semaphore::new(self.config.concurrency.into()),
            digests: RandomState::new(),
            failures: Visits::default(),
            own_writes: OwnWrites::default(),
            wake: Arc::default(),
            gone: Gone::default(),
            caches: OnceLock::new(),
        }
    }
}

/// Ends if the HTTP server ends although nobody asked it to.
async fn unserved(server: AbortOnDropHandle<std::io::Result<()>>, shutdown: &CancellationToken) -> AppError {
    let ended = server.await;
    if shutdown.is_cancelled() {
        std::future::pending::<()>().await;
    }
    AppError::Process(match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => std::io::Error::other("metrics and health are no longer served"),
        Err(error) => std::io::Error::other(error),
    })
}

/// Ends some time after shutdown was asked for: what is still under way then is resumed by the next leader.
async fn grace(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(SHUTDOWN_GRACE).await;
}

/// The apiserver takes the field manager of a patch that names none, such as that of a finalizer, from the user agent.
fn named(mut kube: KubeConfig) -> KubeConfig {
    let agent = HeaderValue::from_static(concat!("ado-operator/", env!("CARGO_PKG_VERSION")));
    kube.headers.push((USER_AGENT, agent));
    kube
}

async fn measure_store(store: Store, metrics: Metrics) {
    loop {
        match store.size().await {
            Ok(bytes) => metrics.store_size(bytes),
            Err(error) => error!(%error, "the size of the store could not be measured"),
        }
        tokio::time::sleep(SIZE_INTERVAL).await;
    }
}

/// The replica's name in the Lease: the pod's name, or something random.
fn identity(config: &Config) -> String {
    let given = config.identity.clone().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| format!("ado-operator-{}", uuid::Uuid::new_v4()))
}

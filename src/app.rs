//! Builds the operator out of its parts and runs it; used by `main` and by the tests.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::HeaderValue;
use ::http::header::USER_AGENT;
use kube::runtime::events::{Recorder, Reporter};
use kube::{Client, Config as KubeConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info};

use crate::ado::{Budgets, HostPolicy, Transport, TransportConfig};
use crate::api::FIELD_MANAGER;
use crate::clock::SharedClock;
use crate::config::Config;
use crate::controllers::connections::Connections;
use crate::controllers::leadership::Candidate;
use crate::controllers::visits::Visits;
use crate::controllers::{self, Context, Wiring};
use crate::http;
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::store::{Store, StoreError};

/// Longest time that the apiserver may let us wait for an answer. Watches are not bound by it.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What is under way at shutdown may take so long to end; the pod is given 30 s.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(15);

/// How often the size of the database is measured.
const SIZE_INTERVAL: Duration = Duration::from_mins(1);

/// Parts that have to be reached before the operator is ready.
const PARTS: [&str; 3] = ["Store", "AdoIntegrations", "AdoProjectConfigs"];

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
    /// The address for metrics and health is taken, or not ours.
    #[error("--metrics-address: {0}")]
    Listen(#[from] std::io::Error),
    /// Another replica leads now; this process ends, and what it was doing with it.
    #[error("another replica took the Lease")]
    LeadershipLost,
}

/// The operator, built and not yet running.
pub struct App {
    config: Config,
    kube: KubeConfig,
    clock: SharedClock,
    listener: TcpListener,
    metrics: Metrics,
    readiness: Readiness,
}

impl App {
    /// Builds the operator. Its metrics and health are served as soon as it runs.
    pub async fn new(config: Config, kube: KubeConfig, clock: SharedClock) -> Result<Self, AppError> {
        let listener = TcpListener::bind(config.metrics_address).await?;
        let readiness = Readiness::waiting_for(&PARTS);
        Ok(Self { config, kube, clock, listener, metrics: Metrics::default(), readiness })
    }

    /// Where metrics and health are served.
    pub fn metrics_address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// Runs until shutdown: serves, waits for the Lease, leads.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), AppError> {
        let router = http::router(self.readiness.clone(), self.metrics.clone());
        let served = axum::serve(self.listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let _server = AbortOnDropHandle::new(tokio::spawn(served.into_future()));
        let store = Store::open(&self.config.data_dir).await?;
        self.readiness.reached("Store");
        let result = lead(&self.config, self.kube, self.clock, &store, self.metrics, self.readiness, shutdown).await;
        store.close().await;
        result
    }
}

async fn lead(
    config: &Config,
    kube: KubeConfig,
    clock: SharedClock,
    store: &Store,
    metrics: Metrics,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> Result<(), AppError> {
    let kube = named(kube);
    let mut patient = kube.clone();
    patient.default_retry = false;
    patient.read_timeout = Some(CALL_TIMEOUT);
    let calls = Client::try_from(patient)?;
    let candidate = Candidate::new(calls.clone(), &config.operator_namespace, &config.lease_name, &identity(config));
    let floor = store.epoch().await?;
    let mut term = tokio::select! {
        term = candidate.elected(floor) => term,
        () = shutdown.cancelled() => return Ok(()),
    };
    store.raise_epoch(term.epoch).await?;
    let store = store.as_leader(term.epoch);
    let interrupted = store.interrupt_sync_runs(clock.now().as_millisecond()).await?;
    info!(interrupted, "leading");
    metrics.leads(true);
    let wiring = Wiring {
        watches: Client::try_from(kube)?,
        namespaces: config.namespaces.clone(),
        concurrency: config.concurrency,
    };
    let ctx = Arc::new(context(config, calls, clock, store.clone(), metrics.clone()));
    let _sizes = AbortOnDropHandle::new(tokio::spawn(measure_store(store, metrics.clone())));
    let result = tokio::select! {
        () = controllers::run(ctx, wiring, readiness, shutdown.clone()) => Ok(()),
        () = grace(&shutdown) => Ok(()),
        () = term.hold() => Err(AppError::LeadershipLost),
    };
    metrics.leads(false);
    if result.is_ok() {
        term.resign().await;
    }
    result
}

/// Ends some time after shutdown was asked for: what is still under way then is resumed by the next leader.
async fn grace(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(SHUTDOWN_GRACE).await;
}

fn context(config: &Config, client: Client, clock: SharedClock, store: Store, metrics: Metrics) -> Context {
    let transport = Transport::new(TransportConfig {
        policy: HostPolicy::new(config.allowed_hosts.clone()),
        proxies: config.proxies.clone(),
        observer: Arc::new(metrics.clone()),
        ..TransportConfig::default()
    });
    let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: config.identity.clone() };
    Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        clock,
        store,
        transport,
        budgets: Budgets::new(),
        metrics,
        request_deadline: config.request_deadline(),
        connections: Connections::default(),
        integration_visits: Visits::default(),
        config_visits: Visits::default(),
        failures: Visits::default(),
        caches: OnceLock::new(),
    }
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
    config.identity.clone().unwrap_or_else(|| format!("ado-operator-{}", uuid::Uuid::new_v4()))
}

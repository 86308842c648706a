//! Watches, queues and controllers, from start to shutdown.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all, select_all};
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::applier;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store as Cache, store};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::SetOnce;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::context::{Caches, Context, Listed};
use super::error::{ReconcileError, backoff};
use super::lenient::Lenient;
use super::queues::{Queue, Scope};
use super::watches::{Seen, Touched, follow, keep};
use super::{integration, leftovers, project_config, purge, report, triggers};
use crate::api::{AdoIntegration, AdoProjectConfig};
use crate::readiness::Readiness;

/// Events of one object that come so close together are one.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// Pause after a conflict: somebody else wrote the object, and what they wrote is on its way to us.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// So many conflicts in a row are the normal course of things.
const CONFLICTS: u32 = 3;

/// A controller begins without the other kind's objects, and without those of other namespaces, if they are not listed
/// within this time: one namespace that cannot be listed must not stop all others.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at project configs for each look at an integration: most wait for a turn to read a project, and must not keep
/// others from being looked at.
const CONFIGS_PER_INTEGRATION: u16 = 8;

/// What runs where.
pub struct Wiring {
    /// Client of the watches, which stay open.
    pub watches: Client,
    /// Namespaces to serve; empty means all.
    pub namespaces: Vec<String>,
    /// Integrations that are looked at, and projects that are read, at the same time.
    pub concurrency: u16,
}

/// What one watched namespace, or all of them, has of its own.
struct Part {
    scope: Scope,
    listed: Arc<Listed>,
    integrations: (Cache<AdoIntegration>, Writer<AdoIntegration>, Queue<AdoIntegration>),
    configs: (Cache<AdoProjectConfig>, Writer<AdoProjectConfig>, Queue<AdoProjectConfig>),
}

impl Wiring {
    fn scopes(&self) -> Vec<Scope> {
        if self.namespaces.is_empty() { vec![None] } else { self.namespaces.iter().cloned().map(Some).collect() }
    }

    fn api<K>(&self, scope: &Scope) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match scope {
            None => Api::all(self.watches.clone()),
            Some(namespace) => Api::namespaced(self.watches.clone(), namespace),
        }
    }

    fn parts(&self, ctx: &Context) -> Option<Vec<Part>> {
        let scopes = self.scopes();
        let (integrations, configs) = ctx.wake.open(&scopes)?;
        let part = |((scope, integrations), configs)| {
            let ((of_integrations, integrations_in), (of_configs, configs_in)) = (store(), store());
            Part {
                scope,
                listed: Arc::default(),
                integrations: (of_integrations, integrations_in, integrations),
                configs: (of_configs, configs_in, configs),
            }
        };
        Some(scopes.into_iter().zip(integrations).zip(configs).map(part).collect())
    }
}

/// Runs both controllers until shutdown. `readiness` learns when the caches are filled.
pub async fn run(ctx: Arc<Context>, wiring: Wiring, readiness: Readiness, shutdown: CancellationToken) {
    let Some(parts) = wiring.parts(&ctx) else {
        warn!("the controllers were started twice");
        return;
    };
    let (namespaces, namespaces_in) = store();
    let caches = Caches {
        integrations: parts.iter().map(|part| part.integrations.0.clone()).collect(),
        configs: parts.iter().map(|part| part.configs.0.clone()).collect(),
        namespaces: wiring.namespaces.is_empty().then_some(namespaces),
        listed: parts.iter().map(|part| Arc::clone(&part.listed)).collect(),
        namespaces_listed: Arc::default(),
    };
    // Set here and nowhere else, after the queues were opened for the first time.
    let _ = ctx.caches.set(caches.clone());
    let _resync = AbortOnDropHandle::new(tokio::spawn(resync(Arc::clone(&ctx))));
    let _purges = AbortOnDropHandle::new(tokio::spawn(purge::run(Arc::clone(&ctx), caches.clone())));
    let _leftovers = AbortOnDropHandle::new(tokio::spawn(leftovers::clear(Arc::clone(&ctx), caches.clone())));
    let mut watches: Vec<BoxFuture<'static, ()>> = Vec::new();
    if caches.namespaces.is_some() {
        watches.push(watch_namespaces(&wiring, &ctx, namespaces_in, &caches));
    }
    let filling = fill(caches.clone(), readiness);
    let mut controllers = vec![shutdown.clone().run_until_cancelled_owned(filling).map(drop).boxed()];
    for part in parts {
        let Part { scope, listed, integrations: (integrations, integrations_in, of_integrations), configs } = part;
        let (configs, configs_in, of_configs) = configs;
        watches.extend(watch(&wiring, &ctx, &scope, (integrations_in, configs_in), &listed));
        let concurrency = wiring.concurrency;
        let ready = Ready { all: caches.clone(), listed };
        let begin = ready.clone().wait().boxed();
        let queue = Turns { cache: integrations, queue: of_integrations, concurrency };
        controllers.push(drive(queue, begin, integration::reconcile, &ctx, &shutdown));
        let concurrency = concurrency.saturating_mul(CONFIGS_PER_INTEGRATION);
        let queue = Turns { cache: configs, queue: of_configs, concurrency };
        controllers.push(drive(queue, ready.wait().boxed(), project_config::reconcile, &ctx, &shutdown));
    }
    // The watches go on for as long as a look is under way: it may depend on what they bring. None ends by itself; should one
    // break off, the process does not go on blind.
    tokio::select! {
        _ = join_all(controllers) => {}
        _ = select_all(watches) => warn!("a watch broke off"),
    }
}

/// The watches of a part, each in a task of its own, so that none waits for another.
fn watch(
    wiring: &Wiring,
    ctx: &Arc<Context>,
    scope: &Scope,
    (integrations, configs): (Writer<AdoIntegration>, Writer<AdoProjectConfig>),
    listed: &Arc<Listed>,
) -> [BoxFuture<'static, ()>; 4] {
    let shared = || (Arc::clone(ctx), Arc::clone(listed), scope.clone());
    let (of_integrations, of_configs, of_secrets, of_config_maps) = (shared(), shared(), shared(), shared());
    let secrets: Api<Lenient<PartialObjectMeta<Secret>>> = wiring.api(scope);
    let config_maps: Api<Lenient<PartialObjectMeta<ConfigMap>>> = wiring.api(scope);
    [
        spawned(keep(wiring.api(scope), integrations, report::keep_authors, move |seen| {
            let (ctx, listed, _) = &of_integrations;
            note_list(&listed.integrations, matches!(seen, Seen::Listed));
            listed.note_unread(&seen);
            triggers::of_integration(ctx, seen);
        })),
        spawned(keep(wiring.api(scope), configs, report::keep_authors, move |seen| {
            let (ctx, listed, _) = &of_configs;
            note_list(&listed.configs, matches!(seen, Seen::Listed));
            listed.note_unread(&seen);
            triggers::of_config(ctx, seen);
        })),
        spawned(follow(secrets, move |touched| {
            let (ctx, listed, scope) = &of_secrets;
            triggers::of_secret(ctx, scope, &touched);
            note_list(&listed.secrets, matches!(touched, Touched::Listed));
        })),
        spawned(follow(config_maps, move |touched| {
            let (ctx, listed, scope) = &of_config_maps;
            triggers::of_config_map(ctx, scope, &touched);
            note_list(&listed.config_maps, matches!(touched, Touched::Listed));
        })),
    ]
}

fn watch_namespaces(
    wiring: &Wiring,
    ctx: &Arc<Context>,
    cache: Writer<PartialObjectMeta<Namespace>>,
    caches: &Caches,
) -> BoxFuture<'static, ()> {
    let (api, ctx) = (Api::all(wiring.watches.clone()), Arc::clone(ctx));
    let listed = Arc::clone(&caches.namespaces_listed);
    spawned(keep(api, cache, keep_labels, move |seen| {
        note_list(&listed, matches!(seen, Seen::Listed));
        triggers::of_namespace(&ctx, seen);
    }))
}

/// Lists after the first are no news.
fn note_list(list: &SetOnce<()>, is_listed: bool) {
    if is_listed {
        let _ = list.set(());
    }
}

fn keep_labels(namespace: &mut PartialObjectMeta<Namespace>) {
    namespace.metadata.managed_fields = None;
    namespace.metadata.annotations = None;
}

/// A task that ends with the future.
fn spawned(work: impl Future<Output = ()> + Send + 'static) -> BoxFuture<'static, ()> {
    AbortOnDropHandle::new(tokio::spawn(work)).map(drop).boxed()
}

/// Wakes everything when the time jumps.
async fn resync(ctx: Arc<Context>) {
    ctx.clock.jumps().for_each(async |()| triggers::wake_all(&ctx)).await;
}

async fn fill(caches: Caches, readiness: Readiness) {
    join_all(caches.listed.iter().map(|listed| listed.integrations.wait())).await;
    readiness.reached("AdoIntegrations");
    join_all(caches.listed.iter().map(|listed| listed.configs.wait())).await;
    readiness.reached("AdoProjectConfigs");
}

/// What a controller waits for before its first look. Lists that come later wake every object once more.
#[derive(Clone)]
struct Ready {
    all: Caches,
    listed: Arc<Listed>,
}

impl Ready {
    async fn wait(self) {
        self.listed.integrations.wait().await;
        let rest = async {
            tokio::join!(self.all.filled(), self.listed.secrets.wait(), self.listed.config_maps.wait());
        };
        let _ = timeout(PATIENCE, rest).await;
    }
}

/// What one controller works through.
struct Turns<K: Resource<DynamicType = ()> + Clone + 'static> {
    cache: Cache<K>,
    queue: Queue<K>,
    concurrency: u16,
}

fn drive<K, F, R>(
    turns: Turns<K>,
    begin: BoxFuture<'static, ()>,
    reconcile: F,
    ctx: &Arc<Context>,
    shutdown: &CancellationToken,
) -> BoxFuture<'static, ()>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Action, ReconcileError>> + Send + 'static,
{
    let Turns { cache, queue, concurrency } = turns;
    let config = controller::Config::default().concurrency(concurrency).debounce(DEBOUNCE);
    let queue = begin.map(move |()| queue).flatten_stream();
    let queue = queue.take_until(shutdown.clone().cancelled_owned()).map(Ok::<_, Infallible>);
    // A task for each look: they run on all cores, and a panic in one ends that one.
    let seen = cache.clone();
    let look = move |object: Arc<K>, ctx: Arc<Context>| {
        let work = reconcile(Arc::clone(&object), Arc::clone(&ctx));
        let uid = object.uid().unwrap_or_default();
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let (measured, seen) = (Arc::clone(&ctx), seen.clone());
        let task = tokio::spawn(async move {
            let result = measure(&*object, &measured, work).await;
            // It went while it was looked at: what the look left behind is to be forgotten as well.
            if seen.get(&ObjectRef::from_obj(&*object)).is_none_or(|seen| seen.uid() != object.uid()) {
                measured.gone.note(&*object);
            }
            result
        });
        AbortOnDropHandle::new(task).map(move |ended| {
            ended.unwrap_or_else(|_| {
                ctx.failures.put(&uid, ctx.failures.get(&uid).saturating_add(1));
                ctx.metrics.reconciled(kind_of::<K>(), ReconcileError::Broken.reason(), Duration::ZERO);
                warn!(kind = kind_of::<K>(), namespace, name, error = %ReconcileError::Broken, "a reconcile failed");
                Err(ReconcileError::Broken)
            })
        })
    };
    let looks = applier(look, after_error, Arc::clone(ctx), cache, queue, config);
    looks.for_each(async |ended| note(ended.err())).boxed()
}

/// Failures of a look were told by the look itself.
fn note(error: Option<controller::Error<ReconcileError, Infallible>>) {
    match error {
        None | Some(controller::Error::ReconcilerFailed(..)) => {}
        Some(error) => debug!(%error, "an object was not looked at"),
    }
}

/// The kind as a label of metrics.
fn kind_of<K: Resource<DynamicType = ()>>() -> &'static str {
    if K::kind(&()) == AdoIntegration::kind(&()) { "AdoIntegration" } else { "AdoProjectConfig" }
}

/// Counts a reconcile, and the failures in a row of its object.
async fn measure<K>(
    object: &K,
    ctx: &Context,
    work: impl Future<Output = Result<Action, ReconcileError>>,
) -> Result<Action, ReconcileError>
where
    K: Resource<DynamicType = ()>,
{
    let start = Instant::now();
    let result = work.await;
    let outcome = result.as_ref().map_or_else(ReconcileError::reason, |_| "ok");
    let kind = kind_of::<K>();
    ctx.metrics.reconciled(kind, outcome, start.elapsed());
    let uid = object.uid().unwrap_or_default();
    match &result {
        Ok(_) => ctx.failures.forget(&uid),
        Err(error) => {
            let failures = ctx.failures.get(&uid).saturating_add(1);
            ctx.failures.put(&uid, failures);
            if error.is_wait() || (error.is_conflict() && failures <= CONFLICTS) {
                debug!(kind, %error, "a reconcile waits");
                return result;
            }
            let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
            warn!(kind, namespace, name, %error, "a reconcile failed");
        }
    }
    result
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is kube's")]
fn after_error<K: Resource<DynamicType = ()>>(object: Arc<K>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    let failures = ctx.failures.get(&object.uid().unwrap_or_default());
    let soon = error.is_conflict() && failures <= CONFLICTS;
    Action::requeue(if soon { CONFLICT_PAUSE } else { error.retry_after().unwrap_or_else(|| backoff(failures)) })
}

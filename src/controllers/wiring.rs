//! Watches and controllers, from start to shutdown.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action};
use kube::runtime::{Controller, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::context::{Caches, Context};
use super::error::{ReconcileError, backoff};
use super::{integration, project_config, triggers};
use crate::api::{AdoIntegration, AdoProjectConfig};
use crate::readiness::Readiness;

/// Events of one object that come so close together are one.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// Pause after a conflict: somebody else wrote the object, and what they wrote is on its way to us.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// So many conflicts in a row are the normal course of things.
const CONFLICTS: u32 = 3;

/// What runs where.
pub struct Wiring {
    /// Client of the watches, which stay open.
    pub watches: Client,
    /// Namespaces to serve; empty means all.
    pub namespaces: Vec<String>,
    /// Objects of a kind that are reconciled at the same time.
    pub concurrency: u16,
}

/// A set of watched objects: one namespace, or all of them.
type Scope = Option<String>;

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

    fn controller<K>(&self, scope: &Scope, ctx: &Context, shutdown: &CancellationToken) -> Controller<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Debug
            + Send
            + Sync
            + 'static,
    {
        let config = controller::Config::default().concurrency(self.concurrency).debounce(DEBOUNCE);
        Controller::new(self.api(scope), watcher::Config::default())
            .with_config(config)
            .reconcile_all_on(ctx.clock.jumps())
            .graceful_shutdown_on(shutdown.clone().cancelled_owned())
    }
}

/// Runs both controllers until shutdown. `readiness` learns when the caches are filled.
pub async fn run(ctx: Arc<Context>, wiring: Wiring, readiness: Readiness, shutdown: CancellationToken) {
    let scopes = wiring.scopes();
    let integrations: Vec<Controller<AdoIntegration>> =
        scopes.iter().map(|scope| wiring.controller(scope, &ctx, &shutdown)).collect();
    let configs: Vec<Controller<AdoProjectConfig>> =
        scopes.iter().map(|scope| wiring.controller(scope, &ctx, &shutdown)).collect();
    let caches = Caches {
        integrations: integrations.iter().map(Controller::store).collect(),
        configs: configs.iter().map(Controller::store).collect(),
    };
    if ctx.caches.set(caches.clone()).is_err() {
        warn!("the controllers were started twice");
        return;
    }
    let integrations = integrations.into_iter().zip(&scopes).map(|(controller, scope)| {
        let controller = watch_named(controller, &wiring, scope, &scopes, &ctx);
        drive(controller, integration::reconcile, &ctx).boxed()
    });
    let configs = configs.into_iter().zip(&scopes).map(|(controller, scope)| {
        let controller = watch_integrations(controller, &wiring, scope, &scopes, &ctx);
        drive(controller, project_config::reconcile, &ctx).boxed()
    });
    let filled = fill(caches, readiness).boxed();
    join_all(integrations.chain(configs).chain([filled])).await;
}

async fn fill(caches: Caches, readiness: Readiness) {
    let integrations =
        join_all(caches.integrations.iter().map(kube::runtime::reflector::Store::wait_until_ready)).await;
    if integrations.iter().all(Result::is_ok) {
        readiness.reached("AdoIntegrations");
    }
    let configs = join_all(caches.configs.iter().map(kube::runtime::reflector::Store::wait_until_ready)).await;
    if configs.iter().all(Result::is_ok) {
        readiness.reached("AdoProjectConfigs");
    }
}

/// Integrations wake when something changes that they name, and when a project config names them.
fn watch_named(
    mut controller: Controller<AdoIntegration>,
    wiring: &Wiring,
    scope: &Scope,
    scopes: &[Scope],
    ctx: &Arc<Context>,
) -> Controller<AdoIntegration> {
    let secrets: Api<PartialObjectMeta<Secret>> = metadata(wiring, scope);
    let config_maps: Api<PartialObjectMeta<ConfigMap>> = metadata(wiring, scope);
    let (of_secret, of_config_map) = (Arc::clone(ctx), Arc::clone(ctx));
    controller = controller
        .watches(secrets, watcher::Config::default(), move |secret| triggers::of_secret(&of_secret, &secret))
        .watches(config_maps, watcher::Config::default(), move |map| triggers::of_config_map(&of_config_map, &map));
    for from in scopes {
        let (ctx, scope) = (Arc::clone(ctx), scope.clone());
        controller = controller.watches(wiring.api(from), watcher::Config::default(), move |config| {
            triggers::of_config(&ctx, &config).filter(|target| within(&scope, target.namespace.as_deref()))
        });
    }
    controller
}

/// Project configs wake when their integration changes, and when the labels of their namespace do.
fn watch_integrations(
    mut controller: Controller<AdoProjectConfig>,
    wiring: &Wiring,
    scope: &Scope,
    scopes: &[Scope],
    ctx: &Arc<Context>,
) -> Controller<AdoProjectConfig> {
    for from in scopes {
        let (ctx, scope) = (Arc::clone(ctx), scope.clone());
        controller = controller.watches(wiring.api(from), watcher::Config::default(), move |integration| {
            let mut targets = triggers::of_integration(&ctx, &integration);
            targets.retain(|target| within(&scope, target.namespace.as_deref()));
            targets
        });
    }
    if scope.is_none() {
        let namespaces: Api<PartialObjectMeta<Namespace>> = Api::all(wiring.watches.clone());
        let ctx = Arc::clone(ctx);
        controller = controller
            .watches(namespaces, watcher::Config::default(), move |namespace| triggers::of_namespace(&ctx, &namespace));
    }
    controller
}

fn within(scope: &Scope, namespace: Option<&str>) -> bool {
    scope.as_deref().is_none_or(|own| namespace == Some(own))
}

/// Metadata only: the values of Secrets are read by name, one at a time.
fn metadata<K>(wiring: &Wiring, scope: &Scope) -> Api<PartialObjectMeta<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + k8s_openapi::Resource<Scope = NamespaceResourceScope>,
{
    wiring.api(scope)
}

async fn drive<K, F, R>(controller: Controller<K>, reconcile: F, ctx: &Arc<Context>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    F: Fn(Arc<K>, Arc<Context>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Action, ReconcileError>> + Send + 'static,
{
    let measured = move |object: Arc<K>, ctx: Arc<Context>| {
        let work = reconcile(Arc::clone(&object), Arc::clone(&ctx));
        async move { measure(&*object, &ctx, work).await }
    };
    controller.run(measured, after_error, Arc::clone(ctx)).for_each(async |_| ()).await;
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
    let kind = if K::kind(&()) == AdoIntegration::kind(&()) { "AdoIntegration" } else { "AdoProjectConfig" };
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
    Action::requeue(if soon { CONFLICT_PAUSE } else { backoff(failures) })
}

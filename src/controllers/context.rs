//! What every reconcile needs.

use std::hash::RandomState;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::events::Reporter;
use kube::runtime::reflector::{ObjectRef, Store as Cache};
use kube::{Api, Client, Resource, ResourceExt as _};
use tokio::sync::{Semaphore, SetOnce};

use super::connections::Connections;
use super::leftovers::Gone;
use super::own_writes::OwnWrites;
use super::queues::Wake;
use super::refusals::Refusals;
use super::visits::Visits;
use super::watches::Seen;
use super::{integration, project_config};
use crate::ado::{Budgets, Transport};
use crate::api::{AdoIntegration, AdoProjectConfig};
use crate::clock::SharedClock;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::sync::reads::Reads;

/// Whether an object as it was seen still asks for the same: it was neither replaced nor edited.
pub fn asks_the_same<K: Resource>(seen: &K, object: &K) -> bool {
    let (seen, object) = (seen.meta(), object.meta());
    seen.uid == object.uid && seen.generation == object.generation
}

/// What every reconcile needs.
pub struct Context {
    /// Client of the apiserver; each of its calls ends within a deadline of its own.
    pub client: Client,
    /// The time.
    pub clock: SharedClock,
    /// The store, fenced by the leader's epoch.
    pub store: Store,
    /// HTTP to Azure DevOps.
    pub transport: Transport,
    /// Request budgets of all identities.
    pub budgets: Budgets,
    /// Counters and gauges.
    pub metrics: Metrics,
    /// Who Events come from.
    pub reporter: Reporter,
    /// Time that one request to Azure DevOps may take in all.
    pub request_deadline: Duration,
    /// REST API version of organizations outside of the cloud.
    pub server_api_version: Arc<str>,
    /// Connections that are in force, for project configs.
    pub connections: Connections,
    /// Credentials that were refused lately, whichever object has them.
    pub refusals: Refusals,
    /// What earlier looks at integrations left behind in this process.
    pub integration_visits: Visits<integration::Visit>,
    /// What earlier looks at project configs left behind in this process.
    pub config_visits: Visits<project_config::Visit>,
    /// Reads of whole projects that are under way.
    pub reads: Reads,
    /// Projects that are read at the same time.
    pub readers: Semaphore,
    /// Tells whether two credentials are the same, with a key that is this process's own.
    pub digests: RandomState,
    /// Failures in a row, by the uid of the object.
    pub failures: Visits<u32>,
    /// Changes of objects that this process made.
    pub own_writes: OwnWrites,
    /// Asks for looks at objects.
    pub wake: Arc<Wake>,
    /// Objects that have gone.
    pub gone: Gone,
    /// Objects as the watches last saw them.
    pub caches: OnceLock<Caches>,
}

/// Whether the first lists of a namespace, or of all, are there: from then on every change is told.
///
/// The caches have a signal of their own. It wakes one of those who wait for it at the same time and loses the others
/// (kube-runtime 5.0), so it is left to kube's `applier`.
#[derive(Debug, Default)]
pub struct Listed {
    /// Integrations.
    pub integrations: SetOnce<()>,
    /// Project configs.
    pub configs: SetOnce<()>,
    /// Secrets, which are not cached.
    pub secrets: SetOnce<()>,
    /// `ConfigMap`s, which are not cached.
    pub config_maps: SetOnce<()>,
    /// Whether there was an object that could not be read.
    pub unread: SetOnce<()>,
}

impl Listed {
    /// Takes note of an object that cannot be read.
    pub fn note_unread<K>(&self, seen: &Seen<K>) {
        if matches!(seen, Seen::Unread) {
            let _ = self.unread.set(());
        }
    }
}

/// Objects as the watches last saw them: one cache a watched namespace, or one for all.
#[derive(Clone)]
pub struct Caches {
    /// Integrations.
    pub integrations: Vec<Cache<AdoIntegration>>,
    /// Project configs.
    pub configs: Vec<Cache<AdoProjectConfig>>,
    /// Namespaces with their labels; absent where only some are served.
    pub namespaces: Option<Cache<PartialObjectMeta<Namespace>>>,
    /// What was listed so far, in the order of the caches.
    pub listed: Vec<Arc<Listed>>,
    /// Whether the namespaces were.
    pub namespaces_listed: Arc<SetOnce<()>>,
}

impl Caches {
    /// Waits until everything was listed that is cached.
    pub async fn filled(&self) {
        join_all(self.listed.iter().map(|listed| listed.integrations.wait())).await;
        join_all(self.listed.iter().map(|listed| listed.configs.wait())).await;
        if self.namespaces.is_some() {
            self.namespaces_listed.wait().await;
        }
    }
}

impl Context {
    /// An API of the namespace.
    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The integration of that name.
    pub fn integration(&self, namespace: &str, name: &str) -> Option<Arc<AdoIntegration>> {
        let key = ObjectRef::new(name).within(namespace);
        self.caches.get()?.integrations.iter().find_map(|cache| cache.get(&key))
    }

    /// The project config as it was last seen.
    pub fn config(&self, namespace: &str, name: &str) -> Option<Arc<AdoProjectConfig>> {
        let key = ObjectRef::new(name).within(namespace);
        self.caches.get()?.configs.iter().find_map(|cache| cache.get(&key))
    }

    /// Project configs that name the integration, allowed or not.
    pub fn configs_of(&self, integration: &AdoIntegration) -> Vec<Arc<AdoProjectConfig>> {
        let meta = &integration.metadata;
        let key = (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let names = |config: &AdoProjectConfig| config.integration() == key;
        self.configs(names).collect()
    }

    /// Such integrations.
    pub fn integrations(&self, which: impl Fn(&AdoIntegration) -> bool) -> impl Iterator<Item = Arc<AdoIntegration>> {
        let caches = self.caches.get().map(|caches| caches.integrations.as_slice()).unwrap_or_default();
        caches.iter().flat_map(move |cache| cache.state_filter(&which))
    }

    /// Such project configs.
    pub fn configs(&self, which: impl Fn(&AdoProjectConfig) -> bool) -> impl Iterator<Item = Arc<AdoProjectConfig>> {
        let caches = self.caches.get().map(|caches| caches.configs.as_slice()).unwrap_or_default();
        caches.iter().flat_map(move |cache| cache.state_filter(&which))
    }

    /// Whether the object is as this process's own write of its status left it, so that there is nothing to look at.
    pub fn is_own_write<K: Resource>(&self, object: &K) -> bool {
        self.own_writes.explain(&object.uid().unwrap_or_default(), &object.resource_version().unwrap_or_default())
    }
}

//! What every reconcile needs.

use std::hash::RandomState;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::runtime::events::Recorder;
use kube::runtime::reflector::{ObjectRef, Store as Cache};
use kube::{Api, Client, Resource};

use super::connections::Connections;
use super::visits::Visits;
use super::{integration, project_config};
use crate::ado::{Budgets, Transport};
use crate::api::{AdoIntegration, AdoProjectConfig};
use crate::clock::SharedClock;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::sync::reads::Reads;

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
    /// Events.
    pub recorder: Recorder,
    /// Time that one request to Azure DevOps may take in all.
    pub request_deadline: Duration,
    /// Connections that are in force, for project configs.
    pub connections: Connections,
    /// What earlier looks at integrations left behind in this process.
    pub integration_visits: Visits<integration::Visit>,
    /// What earlier looks at project configs left behind in this process.
    pub config_visits: Visits<project_config::Visit>,
    /// Reads of whole projects that are under way.
    pub reads: Reads,
    /// Tells whether two credentials are the same, with a key that is this process's own.
    pub digests: RandomState,
    /// Failures in a row, by the uid of the object.
    pub failures: Visits<u32>,
    /// Objects as the watches last saw them.
    pub caches: OnceLock<Caches>,
}

/// Objects as the watches last saw them: one cache a watched namespace, or one for all.
#[derive(Clone)]
pub struct Caches {
    /// Integrations.
    pub integrations: Vec<Cache<AdoIntegration>>,
    /// Project configs.
    pub configs: Vec<Cache<AdoProjectConfig>>,
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
        let names = |config: &AdoProjectConfig| {
            let (namespace, name) = config.integration_key();
            (namespace.as_str(), name.as_str()) == key
        };
        let caches = self.caches.get().map(|caches| caches.configs.as_slice()).unwrap_or_default();
        caches.iter().flat_map(|cache| cache.state_filter(names)).collect()
    }
}

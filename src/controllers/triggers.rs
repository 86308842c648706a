//! Which objects a change of another object wakes.

use kube::Resource;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;

use super::context::Context;
use crate::api::{AdoIntegration, AdoProjectConfig};

/// Integrations that read this Secret.
pub fn of_secret<K: Resource>(ctx: &Context, secret: &PartialObjectMeta<K>) -> Vec<ObjectRef<AdoIntegration>> {
    integrations(ctx, secret, |integration, name| {
        let token = integration.spec.auth.pat.as_ref().map(|pat| pat.secret_ref.name.as_str());
        let ca = integration.spec.ca_bundle.as_ref().and_then(|bundle| bundle.secret_ref.as_ref());
        token == Some(name) || ca.is_some_and(|reference| reference.name == name)
    })
}

/// Integrations that read this `ConfigMap`.
pub fn of_config_map<K: Resource>(ctx: &Context, config_map: &PartialObjectMeta<K>) -> Vec<ObjectRef<AdoIntegration>> {
    integrations(ctx, config_map, |integration, name| {
        let ca = integration.spec.ca_bundle.as_ref().and_then(|bundle| bundle.config_map_ref.as_ref());
        ca.is_some_and(|reference| reference.name == name)
    })
}

fn integrations<K: Resource>(
    ctx: &Context,
    named: &PartialObjectMeta<K>,
    reads: impl Fn(&AdoIntegration, &str) -> bool,
) -> Vec<ObjectRef<AdoIntegration>> {
    let (namespace, name) = (named.metadata.namespace.clone(), named.metadata.name.clone().unwrap_or_default());
    let Some(caches) = ctx.caches.get() else { return Vec::new() };
    let reads = |integration: &AdoIntegration| integration.metadata.namespace == namespace && reads(integration, &name);
    let found = caches.integrations.iter().flat_map(|cache| cache.state_filter(reads));
    found.map(|integration| ObjectRef::from_obj(&*integration)).collect()
}

/// The integration that a project config names, if it exists.
pub fn of_config(ctx: &Context, config: &AdoProjectConfig) -> Option<ObjectRef<AdoIntegration>> {
    let (namespace, name) = config.integration_key();
    ctx.integration(&namespace, &name).map(|integration| ObjectRef::from_obj(&*integration))
}

/// Project configs that name this integration.
pub fn of_integration(ctx: &Context, integration: &AdoIntegration) -> Vec<ObjectRef<AdoProjectConfig>> {
    ctx.configs_of(integration).iter().map(|config| ObjectRef::from_obj(&**config)).collect()
}

/// Project configs in this namespace, whose labels may decide whether an integration allows them.
pub fn of_namespace<K: Resource>(ctx: &Context, namespace: &PartialObjectMeta<K>) -> Vec<ObjectRef<AdoProjectConfig>> {
    let name = namespace.metadata.name.as_deref().unwrap_or_default();
    let Some(caches) = ctx.caches.get() else { return Vec::new() };
    let within = |config: &AdoProjectConfig| config.metadata.namespace.as_deref() == Some(name);
    let found = caches.configs.iter().flat_map(|cache| cache.state_filter(within));
    found.map(|config| ObjectRef::from_obj(&*config)).collect()
}

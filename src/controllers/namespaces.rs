//! Which project configs an integration allows, by their namespaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::context::Context;
use super::deadline::within;
use crate::api::{AdoIntegration, AdoProjectConfig};
use crate::domain::references::{allows, labels_decide};

/// Whether the integration allows project configs of that namespace. Labels are read only where they decide.
pub async fn is_allowed(integration: &AdoIntegration, namespace: &str, ctx: &Context) -> kube::Result<bool> {
    let own = integration.namespace().unwrap_or_default();
    let allowed = integration.spec.allowed_namespaces.as_ref();
    let labels =
        if labels_decide(allowed, &own, namespace) { labels(namespace, ctx).await? } else { Some(BTreeMap::new()) };
    // Where they decide and are not known, nothing is allowed: a selector may also choose by what is not there.
    Ok(labels.is_some_and(|labels| allows(allowed, &own, namespace, &labels)))
}

/// Project configs that refer to the integration from a namespace that it allows.
pub async fn allowed_configs(integration: &AdoIntegration, ctx: &Context) -> kube::Result<Vec<Arc<AdoProjectConfig>>> {
    let mut verdicts: BTreeMap<String, bool> = BTreeMap::new();
    let mut allowed = Vec::new();
    for config in ctx.configs_of(integration) {
        let namespace = config.namespace().unwrap_or_default();
        let verdict = match verdicts.get(&namespace) {
            Some(verdict) => *verdict,
            None => is_allowed(integration, &namespace, ctx).await?,
        };
        verdicts.insert(namespace, verdict);
        if verdict {
            allowed.push(config);
        }
    }
    Ok(allowed)
}

/// Labels of a namespace, as they were last seen where all are watched; else, and where it was not seen so far, they are asked for.
/// None if they cannot be had: an operator that serves named namespaces only may not be able to read them.
async fn labels(namespace: &str, ctx: &Context) -> kube::Result<Option<BTreeMap<String, String>>> {
    let cache = ctx.caches.get().and_then(|caches| caches.namespaces.as_ref());
    if let Some(seen) = cache.and_then(|cache| cache.get(&ObjectRef::new(namespace))) {
        return Ok(Some(seen.labels().clone()));
    }
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(ctx.client.clone());
    match within(api.get_opt(namespace)).await {
        Ok(found) => Ok(found.map(|found| found.labels().clone())),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        Err(error) => Err(error),
    }
}

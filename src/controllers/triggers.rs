//! Which objects a change of an object wakes.

use std::collections::BTreeMap;

use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt as _};

use super::context::Context;
use super::queues::Scope;
use super::watches::{Seen, Touched};
use crate::api::{AdoIntegration, AdoProjectConfig};

/// An integration: itself, and the project configs that name it.
pub fn of_integration(ctx: &Context, seen: Seen<AdoIntegration>) {
    match seen {
        Seen::Changed { now, .. } => {
            if !ctx.is_own_write(&*now) {
                ctx.wake.integration(ObjectRef::from_obj(&*now));
            }
            wake_configs_of(ctx, &now);
        }
        Seen::Gone(object) => {
            wake_configs_of(ctx, &object);
            ctx.gone.note(&*object);
        }
        Seen::Listed => wake_all(ctx),
        Seen::Unread => {}
    }
}

/// A project config: itself, and the integration that it names where that one has to know.
pub fn of_config(ctx: &Context, seen: Seen<AdoProjectConfig>) {
    match seen {
        Seen::Changed { before, now } => {
            if !ctx.is_own_write(&*now) {
                ctx.wake.config(ObjectRef::from_obj(&*now));
            }
            let before = before.as_deref().map(reference);
            let reference = reference(&now);
            if before.as_ref() != Some(&reference) {
                before.iter().chain([&reference]).for_each(|(key, ..)| wake_integration(ctx, *key));
            }
        }
        Seen::Gone(object) => {
            wake_integration(ctx, object.integration());
            ctx.gone.note_config(&object);
        }
        Seen::Listed => wake_all(ctx),
        Seen::Unread => {}
    }
}

/// What an integration knows of a project config: which one it names, whether it is on its way out, and its project. What
/// else changes in a config, above all the data in its status, is none of its business.
fn reference(config: &AdoProjectConfig) -> ((&str, &str), bool, Option<&str>) {
    let project = config.status.as_ref().and_then(|status| status.project.as_ref()).map(|project| project.id.as_str());
    (config.integration(), config.metadata.deletion_timestamp.is_some(), project)
}

/// A Secret: the integrations that read it.
pub fn of_secret<K: Resource>(ctx: &Context, scope: &Scope, touched: &Touched<'_, K>) {
    wake_readers(ctx, scope, touched, |integration, name| {
        let token = integration.spec.pat().map(|pat| pat.secret_ref.name.as_str());
        let ca = integration.spec.ca_bundle.as_ref().and_then(|bundle| bundle.secret_ref.as_ref());
        token == Some(name) || ca.is_some_and(|reference| reference.name == name)
    });
}

/// A `ConfigMap`: the integrations that read it.
pub fn of_config_map<K: Resource>(ctx: &Context, scope: &Scope, touched: &Touched<'_, K>) {
    wake_readers(ctx, scope, touched, |integration, name| {
        let ca = integration.spec.ca_bundle.as_ref().and_then(|bundle| bundle.config_map_ref.as_ref());
        ca.is_some_and(|reference| reference.name == name)
    });
}

/// A namespace whose labels changed: the project configs in it, since labels may decide whether an integration allows them,
/// and the integrations that they name.
pub fn of_namespace<K>(ctx: &Context, seen: Seen<PartialObjectMeta<K>>)
where
    PartialObjectMeta<K>: Resource<DynamicType = ()>,
{
    let labels = |namespace: &PartialObjectMeta<K>| -> BTreeMap<String, String> { namespace.labels().clone() };
    match seen {
        Seen::Changed { before: Some(before), now } if labels(&before) == labels(&now) => {}
        Seen::Changed { now: namespace, .. } | Seen::Gone(namespace) => {
            let name = namespace.name_any();
            for config in ctx.configs(|config| config.metadata.namespace.as_deref() == Some(&name)) {
                ctx.wake.config(ObjectRef::from_obj(&*config));
                wake_integration(ctx, config.integration());
            }
        }
        Seen::Listed => wake_all(ctx),
        Seen::Unread => {}
    }
}

/// Everything: the time jumped, or something was listed anew.
pub fn wake_all(ctx: &Context) {
    wake_integrations(ctx, |_| true);
    ctx.configs(|_| true).for_each(|config| ctx.wake.config(ObjectRef::from_obj(&*config)));
}

/// Project configs that name the integration, allowed or not.
pub fn wake_configs_of(ctx: &Context, integration: &AdoIntegration) {
    ctx.configs_of(integration).iter().for_each(|config| ctx.wake.config(ObjectRef::from_obj(&**config)));
}

fn wake_readers<K: Resource>(
    ctx: &Context,
    scope: &Scope,
    touched: &Touched<'_, K>,
    reads: impl Fn(&AdoIntegration, &str) -> bool,
) {
    match touched {
        Touched::Object(object) => {
            let (namespace, name) = (object.metadata.namespace.as_ref(), object.metadata.name.as_deref());
            let name = name.unwrap_or_default();
            wake_integrations(ctx, |integration| {
                integration.metadata.namespace.as_ref() == namespace && reads(integration, name)
            });
        }
        Touched::Listed => {
            wake_integrations(ctx, |integration| scope.is_none() || integration.metadata.namespace == *scope);
        }
    }
}

fn wake_integration(ctx: &Context, (namespace, name): (&str, &str)) {
    ctx.wake.integration(ObjectRef::new(name).within(namespace));
}

fn wake_integrations(ctx: &Context, which: impl Fn(&AdoIntegration) -> bool) {
    ctx.integrations(which).for_each(|integration| ctx.wake.integration(ObjectRef::from_obj(&*integration)));
}

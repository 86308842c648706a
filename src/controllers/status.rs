//! The one way in which a status is written.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::context::Context;
use super::deadline::within;
use crate::api::{AdoIntegration, AdoProjectConfig, FIELD_MANAGER};

/// A kind whose objects can be asked to be looked at.
pub trait Watched: Resource<DynamicType = ()> {
    /// Asks for a look at the object.
    fn wake(ctx: &Context, object: &Self);
}

impl Watched for AdoIntegration {
    fn wake(ctx: &Context, object: &Self) {
        ctx.wake.integration(ObjectRef::from_obj(object));
    }
}

impl Watched for AdoProjectConfig {
    fn wake(ctx: &Context, object: &Self) {
        ctx.wake.config(ObjectRef::from_obj(object));
    }
}

/// Applies the whole status server-side. Uid and resource version make it fail with a conflict if the object changed or
/// was replaced since it was read, so a verdict on an older spec is never written.
///
/// What the watch then brings is remembered as this process's own, so that it wakes nobody who just wrote it.
pub async fn apply<K, S>(ctx: &Context, api: &Api<K>, object: &K, status: &S) -> kube::Result<K>
where
    K: Watched + Clone + DeserializeOwned + Debug,
    S: Serialize + Sync,
{
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name, "uid": object.uid(), "resourceVersion": object.resource_version()},
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let uid = object.uid().unwrap_or_default();
    let write = ctx.own_writes.begin(&uid);
    let written: kube::Result<K> = within(api.patch_status(&name, &params, &Patch::Apply(patch))).await;
    if write.end(written.as_ref().ok().and_then(ResourceExt::resource_version)) {
        K::wake(ctx, object);
    }
    written
}

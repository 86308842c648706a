//! The one way in which a status is written.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::deadline::within;
use crate::api::FIELD_MANAGER;

/// Applies the whole status server-side. Uid and resource version make it fail with a conflict if the object changed or
/// was replaced since it was read, so a verdict on an older spec is never written.
pub async fn apply<K, S>(api: &Api<K>, object: &K, status: &S) -> kube::Result<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    S: Serialize + Sync,
{
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name, "uid": object.uid(), "resourceVersion": object.resource_version()},
        "status": status,
    });
    within(api.patch_status(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(patch))).await
}

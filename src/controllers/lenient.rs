//! Objects as the apiserver sends them. One that cannot be read must not hide all others of its list, and much of an object may
//! be written by others than its owner.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kube::Resource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An object, or what can be told of one that cannot be read.
///
/// kube's `DeserializeGuard` reads the metadata of such an object again, and fails where it is these that cannot be read.
#[derive(Clone, Debug)]
pub struct Lenient<K>(pub Result<K, Unreadable>);

/// An object that cannot be read. Why is not told: the text would repeat what stands in the object.
#[derive(Clone, Debug)]
pub struct Unreadable(ObjectMeta);

impl<'de, K> Deserialize<'de> for Lenient<K>
where
    K: Resource + DeserializeOwned,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut sent = Value::deserialize(deserializer)?;
        // Any writer of the object gives them times, and Kubernetes permits later ones than we can read.
        if let Some(Value::Array(entries)) = sent.pointer_mut("/metadata/managedFields") {
            entries.retain(|entry| ManagedFieldsEntry::deserialize(entry).is_ok());
        }
        let mut read = K::deserialize(&sent);
        // A status is ours to write. One that somebody spoiled counts as none and is written anew.
        if read.is_err() && sent.as_object_mut().is_some_and(|members| members.remove("status").is_some()) {
            read = K::deserialize(&sent);
        }
        Ok(Self(read.map_err(|_| Unreadable(named(&sent)))))
    }
}

fn named(sent: &Value) -> ObjectMeta {
    let text = |name: &str| sent["metadata"][name].as_str().map(str::to_owned);
    ObjectMeta {
        name: text("name"),
        namespace: text("namespace"),
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        ..ObjectMeta::default()
    }
}

impl<K: Resource> Resource for Lenient<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn metadata_api() -> bool {
        K::metadata_api()
    }

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|Unreadable(meta)| meta, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|Unreadable(meta)| meta, K::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt as _;
    use serde_json::json;

    use super::*;
    use crate::api::AdoIntegration;

    /// Later than any time that we can read.
    const FAR: &str = "9999-12-31T23:59:59Z";

    fn read(status: &Value, manager: &Value, projects: &Value) -> Lenient<AdoIntegration> {
        let spec = json!({"displayName": "x", "organizationURL": "https://dev.azure.com/contoso", "allowedProjects": projects});
        let metadata = json!({"name": "contoso", "uid": "1", "managedFields": [manager, {"manager": "kubectl"}]});
        let kind = AdoIntegration::kind(&());
        let object = json!({"apiVersion": "ado.testops.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec, "status": status});
        serde_json::from_value(object).expect("never fails")
    }

    #[test]
    fn what_others_spoiled_is_left_out() {
        let object = read(&json!({"observedGeneration": 3}), &json!({"manager": "x", "time": FAR}), &Value::Null);
        let object = object.0.expect("readable");
        assert_eq!(object.managed_fields().len(), 1);
        assert_eq!(object.status.expect("a status").observed_generation, Some(3));

        let condition =
            json!({"type": "Ready", "status": "True", "reason": "A", "message": "", "lastTransitionTime": FAR});
        for status in [json!({"conditions": [condition]}), json!({"identity": 5}), json!("nonsense")] {
            let object = read(&status, &json!({"manager": "x"}), &Value::Null).0.expect("readable");
            assert!(object.status.is_none(), "{status}");
        }
    }

    #[test]
    fn an_object_that_cannot_be_read_keeps_its_name() {
        let object = read(&Value::Null, &json!({}), &json!(7));
        assert_eq!((object.name_any().as_str(), object.uid().as_deref()), ("contoso", Some("1")));
        assert!(object.0.is_err());
    }
}

//! The CustomResourceDefinitions as they are applied.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;

use super::{AdoIntegration, AdoProjectConfig};

/// Both definitions, in the order of their names.
pub fn crds() -> [CustomResourceDefinition; 2] {
    [finish(AdoIntegration::crd()), finish(AdoProjectConfig::crd())]
}

/// Both definitions as files: their names and their YAML.
pub fn crd_files() -> Result<Vec<(String, String)>, serde_yaml_ng::Error> {
    crds()
        .iter()
        .map(|crd| {
            let plural = &crd.spec.names.plural;
            let yaml = serde_yaml_ng::to_string(crd)?;
            Ok((format!("{plural}.yaml"), format!("# Generated from src/api by `make generate`.\n{yaml}")))
        })
        .collect()
}

/// Adds what the derive macros cannot say.
///
/// An object without a status must not look healthy to kstatus, so the apiserver fills in an observed generation that
/// no object ever has.
fn finish(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let mut root = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        if let Some(status) =
            root.as_mut().and_then(|root| root.properties.as_mut()).and_then(|all| all.get_mut("status"))
        {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
            // A default cannot be pruned to null, so `status` itself is an object or absent.
            status.nullable = None;
        }
        if let Some(root) = root {
            forget_null(root);
        }
    }
    crd
}

/// A null, as templates leave it for a value that nobody set, is as good as no field. An enumeration would refuse it, so there it
/// is no value, and the apiserver takes it out. Elsewhere it is one: a server-side apply that empties an object leaves a null behind.
fn forget_null(schema: &mut JSONSchemaProps) {
    if schema.enum_.is_some() {
        schema.nullable = None;
    }
    schema.properties.iter_mut().flat_map(BTreeMap::values_mut).for_each(forget_null);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        forget_null(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        forget_null(values);
    }
}

//! The CustomResourceDefinitions as they are applied.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
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
        let root = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        if let Some(status) = root.and_then(|root| root.properties.as_mut()).and_then(|all| all.get_mut("status")) {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
            forget_null(status);
        }
    }
    crd
}

/// A default cannot be pruned to null, so `status` itself is an object or absent.
fn forget_null(status: &mut JSONSchemaProps) {
    status.nullable = None;
}

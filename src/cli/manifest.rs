//! Reads manifests: YAML or JSON, one or several documents.

use kube::ResourceExt as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::schema::{Problem, problems};
use crate::ado::{OrganizationUrl, OrganizationUrlError};
use crate::api::{AdoIntegration, GROUP, crds};

/// Largest manifest that is read, in bytes.
pub(super) const LARGEST: u64 = 1 << 20;
const KIND: &str = "AdoIntegration";
const VERSION: &str = "v1alpha1";

/// Why a manifest cannot be used. No text repeats a value of the manifest, which may hold a pasted token.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManifestError {
    /// No YAML.
    #[error("line {line}, column {column}: not valid YAML: {problem}")]
    Syntax { line: usize, column: usize, problem: String },
    /// YAML that JSON cannot express.
    #[error("document {document}: a key is not a text, or a value has a YAML tag")]
    NotJson { document: usize },
    /// No integration among the documents.
    #[error("there is no AdoIntegration (apiVersion {GROUP}/{VERSION}) in it")]
    NoIntegration,
    /// No integration of that name among the documents.
    #[error("there is no AdoIntegration of the name that --name gives; there is {0}")]
    NoSuchIntegration(String),
    /// More than one.
    #[error("there are several AdoIntegrations in it: choose one with --name: {0}")]
    SeveralIntegrations(String),
    /// What the apiserver or the operator would refuse.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The objects of a manifest.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    objects: Vec<Value>,
}

/// An integration that the apiserver and the operator would accept, as far as can be told without asking anybody.
#[derive(Debug)]
pub(super) struct Checked {
    pub object: AdoIntegration,
    pub organization: OrganizationUrl,
}

impl Manifest {
    /// Reads all documents; the items of a `List` count as documents of their own.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut objects = Vec::new();
        for (index, document) in serde_yaml_ng::Deserializer::from_str(text).enumerate() {
            let yaml = serde_yaml_ng::Value::deserialize(document).map_err(|error| syntax(&error))?;
            let not_json = |_| ManifestError::NotJson { document: index + 1 };
            let mut value = serde_json::to_value(yaml).map_err(not_json)?;
            drop_nulls(&mut value);
            match value.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) if kind(&value).ends_with("List") => objects.extend(items),
                Some(items) => {
                    value["items"] = items;
                    objects.push(value);
                }
                None => objects.push(value),
            }
        }
        Ok(Self { objects })
    }

    /// The integration of that name, or without a name the only one.
    pub fn integration(&self, name: Option<&str>) -> Result<Checked, ManifestError> {
        let all: Vec<&Value> = self.objects.iter().filter(|object| is_integration(object)).collect();
        let chosen: Vec<&Value> = all
            .iter()
            .copied()
            .filter(|object| name.is_none_or(|name| metadata(object, "name") == Some(name)))
            .collect();
        match (chosen.as_slice(), name) {
            ([object], _) => check(object),
            ([], Some(_)) if !all.is_empty() => Err(ManifestError::NoSuchIntegration(names(&all))),
            ([], _) => Err(ManifestError::NoIntegration),
            (several, _) => Err(ManifestError::SeveralIntegrations(names(several))),
        }
    }

    /// The core object of that kind and name. A namespace that is not written fits any.
    pub fn find(&self, kind_wanted: &str, namespace: Option<&str>, name: &str) -> Option<&Value> {
        self.objects.iter().find(|object| {
            let place = metadata(object, "namespace");
            object.get("apiVersion").and_then(Value::as_str) == Some("v1")
                && kind(object) == kind_wanted
                && metadata(object, "name") == Some(name)
                && (place.is_none() || namespace.is_none() || place == namespace)
        })
    }
}

fn check(value: &Value) -> Result<Checked, ManifestError> {
    let version = format!("{GROUP}/{VERSION}");
    if value.get("apiVersion").and_then(Value::as_str) != Some(&version) {
        return Err(ManifestError::Invalid(vec![Problem::new("apiVersion", format!("must be {version}"))]));
    }
    let found = problems(&schema(), value);
    if !found.is_empty() {
        return Err(ManifestError::Invalid(found));
    }
    let object: AdoIntegration = serde_json::from_value(value.clone())
        .map_err(|_| ManifestError::Invalid(vec![Problem::new("", "is not an AdoIntegration")]))?;
    Checked::new(object)
        .map_err(|error| ManifestError::Invalid(vec![Problem::new("spec.organizationURL", error.to_string())]))
}

/// The schema of an integration, as it is applied.
fn schema() -> Value {
    let wanted = crds().into_iter().find(|crd| crd.spec.names.kind == KIND);
    let version = wanted.and_then(|crd| crd.spec.versions.into_iter().find(|version| version.name == VERSION));
    let schema = version.and_then(|version| version.schema).and_then(|schema| schema.open_api_v3_schema);
    serde_json::to_value(schema).unwrap_or_default()
}

/// The error's place and its kind. The parser's own text is kept only where it is about syntax alone.
fn syntax(error: &serde_yaml_ng::Error) -> ManifestError {
    let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
    let text = error.to_string();
    let about_content = text.contains('"') || text.contains('`');
    let text = text.split(" at line ").next().unwrap_or_default();
    let problem =
        if about_content { "a key stands twice, or an anchor is unknown".to_owned() } else { text.to_owned() };
    ManifestError::Syntax { line, column, problem }
}

/// The apiserver takes a null for a field that was left out.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn is_integration(object: &Value) -> bool {
    let group = object.get("apiVersion").and_then(Value::as_str).and_then(|version| version.split_once('/'));
    kind(object) == KIND && group.is_some_and(|(group, _)| group == GROUP)
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn metadata<'a>(object: &'a Value, member: &str) -> Option<&'a str> {
    object.get("metadata")?.get(member)?.as_str()
}

fn names(objects: &[&Value]) -> String {
    let name = |object: &&Value| metadata(object, "name").unwrap_or("(without a name)").to_owned();
    objects.iter().map(name).collect::<Vec<_>>().join(", ")
}

impl Checked {
    /// An integration that the schema accepted.
    pub fn new(object: AdoIntegration) -> Result<Self, OrganizationUrlError> {
        let organization = OrganizationUrl::parse(&object.spec.organization_url)?;
        Ok(Self { object, organization })
    }

    /// The integration's name.
    pub fn name(&self) -> String {
        self.object.name_any()
    }
}

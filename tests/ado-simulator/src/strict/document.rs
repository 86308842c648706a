//! The part of Swagger 2.0 that the `OpenAPI` files of Azure DevOps use.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// One file. Descriptions and examples are not kept.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    pub paths: BTreeMap<String, BTreeMap<String, OperationDocument>>,
    /// Paths told apart by their query string.
    #[serde(default, rename = "x-ms-paths")]
    pub query_paths: BTreeMap<String, BTreeMap<String, OperationDocument>>,
    #[serde(default)]
    pub definitions: HashMap<String, Schema>,
}

/// One operation.
#[derive(Debug, Deserialize)]
pub(crate) struct OperationDocument {
    #[serde(default)]
    pub parameters: Vec<ParameterDocument>,
    #[serde(default)]
    pub consumes: Vec<String>,
    #[serde(default)]
    pub responses: BTreeMap<String, ResponseDocument>,
    #[serde(default)]
    pub security: Vec<HashMap<String, Vec<String>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ResponseDocument {
    #[serde(default)]
    pub schema: Option<Schema>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ParameterDocument {
    #[serde(default, rename = "$ref")]
    pub reference: Option<String>,
    #[serde(default)]
    pub name: String,
    #[serde(default, rename = "in")]
    pub place: String,
    #[serde(default)]
    pub required: bool,
    /// Overrides `required` for path parameters that may be left out.
    #[serde(default, rename = "x-ms-required")]
    pub really_required: Option<bool>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub format: Option<String>,
    #[serde(default, rename = "enum")]
    pub values: Option<Vec<String>>,
    #[serde(default)]
    pub schema: Option<Schema>,
}

/// A schema. `type: object` without properties stands for any JSON (the generator writes it for `object` and `JToken`).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Schema {
    #[serde(default, rename = "$ref")]
    pub(crate) reference: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) format: Option<String>,
    #[serde(default, rename = "enum")]
    pub(crate) values: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) properties: BTreeMap<String, Schema>,
    #[serde(default)]
    pub(crate) items: Option<Box<Schema>>,
    #[serde(default, rename = "additionalProperties")]
    pub(crate) additional: Option<Box<Schema>>,
    #[serde(default, rename = "allOf")]
    pub(crate) parents: Vec<Schema>,
}

impl Schema {
    /// Whether it describes a list.
    pub fn is_array(&self) -> bool {
        self.kind.as_deref() == Some("array")
    }
}

/// Reads a file; each begins with a byte order mark.
pub(crate) fn parse(text: &str) -> Result<Document, serde_json::Error> {
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
}

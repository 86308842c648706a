//! Checks a manifest as the apiserver would, by the schema and the CEL rules of our own definition.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use kube::core::cel::{ErrorKind, Validator};
use serde_json::{Map, Value, json};

/// Longest name of a member that a message repeats. Tokens are longer.
const LONGEST_NAME: usize = 40;

/// Something wrong with a manifest. It never holds a value of the manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    /// Where, such as `spec.auth.pat`; empty for the whole object.
    pub field: String,
    /// What, as a sentence without a full stop.
    pub message: String,
}

impl Problem {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.field, self.message) }
    }
}

/// Everything that is wrong with an object of the kind whose schema is given. Rules are looked at, as by the apiserver,
/// only where the shape is right.
pub(super) fn problems(schema: &Value, object: &Value) -> Vec<Problem> {
    let shape = problems_of_shape(schema, object);
    if shape.is_empty() { problems_of_rules(schema, object) } else { shape }
}

fn problems_of_shape(schema: &Value, object: &Value) -> Vec<Problem> {
    let mut strict = schema.clone();
    make_strict(&mut strict);
    if let Some(properties) = strict.get_mut("properties").and_then(Value::as_object_mut) {
        add_object_metadata(properties);
    }
    match jsonschema::validator_for(&strict) {
        Ok(validator) => validator.iter_errors(object).flat_map(|error| of_shape(&error)).collect(),
        Err(error) => vec![Problem::new("", format!("the schema of this program is broken: {}", error.masked()))],
    }
}

fn of_shape(error: &jsonschema::ValidationError<'_>) -> Vec<Problem> {
    let place = dotted(error.instance_path());
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![Problem::new(below(property.as_str().unwrap_or_default()), "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| Problem::new(below(shown(name)), "there is no such field")).collect()
        }
        ValidationErrorKind::UniqueItems => vec![Problem::new(place, "must not name anything twice")],
        ValidationErrorKind::MinItems { limit } => {
            let noun = if *limit == 1 { "entry" } else { "entries" };
            vec![Problem::new(place, format!("must have at least {limit} {noun}"))]
        }
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => {
            vec![Problem::new(place, format!("must be of type {kind}"))]
        }
        ValidationErrorKind::Enum { options } => {
            vec![Problem::new(place, format!("must be one of {}", listed(options)))]
        }
        ValidationErrorKind::Pattern { .. } => vec![Problem::new(place, "has not the expected form")],
        _ => vec![Problem::new(place, error.masked_with("the value").to_string())],
    }
}

fn listed(options: &Value) -> String {
    let names = options.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.collect::<Vec<_>>().join(", ")
}

fn problems_of_rules(schema: &Value, object: &Value) -> Vec<Problem> {
    let Err(errors) = Validator::new().validate(schema, object, None) else { return Vec::new() };
    errors
        .into_iter()
        .map(|error| match error.kind {
            ErrorKind::ValidationFailure => Problem::new(error.field_path, error.message),
            // Texts of other kinds may quote values.
            _ => Problem::new(error.field_path, "a rule of the schema could not be evaluated"),
        })
        .collect()
}

/// Says in JSON Schema what Kubernetes means without saying it: fields that are not listed are errors
/// (`fieldValidation: Strict`, which kubectl asks for), and sets have no equal entries.
fn make_strict(schema: &mut Value) {
    match schema {
        Value::Object(node) => {
            node.values_mut().for_each(make_strict);
            let open = node.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
            if !open && node.get("properties").is_some_and(Value::is_object) && node.contains_key("type") {
                node.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            if node.get("x-kubernetes-list-type").and_then(Value::as_str) == Some("set") {
                node.insert("uniqueItems".to_owned(), Value::Bool(true));
            }
        }
        Value::Array(nodes) => nodes.iter_mut().for_each(make_strict),
        _ => {}
    }
}

/// The members that every object has and that the schema of a kind leaves to the apiserver.
fn add_object_metadata(properties: &mut Map<String, Value>) {
    properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
    properties.insert("kind".to_owned(), json!({"type": "string"}));
    let metadata = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
            "namespace": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        },
    });
    properties.insert("metadata".to_owned(), metadata);
}

fn dotted(location: &Location) -> String {
    location.segments().fold(String::new(), |path, segment| match segment {
        LocationSegment::Index(index) => format!("{path}[{index}]"),
        LocationSegment::Property(name) if path.is_empty() => shown(&name).to_owned(),
        LocationSegment::Property(name) => format!("{path}.{}", shown(&name)),
    })
}

fn shown(name: &str) -> &str {
    if name.len() <= LONGEST_NAME { name } else { "(a long name)" }
}

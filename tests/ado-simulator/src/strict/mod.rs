//! Strictness: what the `OpenAPI` files do not know is refused.

mod catalog;
mod document;
mod operation;
mod schema;
mod version;

use http::{HeaderMap, Method};
use serde_json::Value;

pub use catalog::SpecificationError;
pub(crate) use catalog::{Area, Catalog};
pub(crate) use operation::{BodyRule, Format, Operation, Parameter, VersionRule, unmarked};
pub(crate) use schema::Checker;
pub use schema::Direction;
pub(crate) use version::check_version;

use crate::envelope::Refusal;
use crate::journal::ViolationKind;
use crate::target::Target;

/// Something wrong with a request, and how it is refused.
#[derive(Debug)]
pub(crate) struct Fault {
    pub kind: ViolationKind,
    pub detail: String,
    pub refusal: Box<Refusal>,
}

impl Fault {
    fn refused(kind: ViolationKind, refusal: Refusal) -> Self {
        Self { kind, detail: refusal.message.clone(), refusal: Box::new(refusal) }
    }

    fn strict(kind: ViolationKind, detail: String) -> Self {
        Self::refused(kind, Refusal::strict(detail))
    }
}

/// The operation that a request means.
pub(crate) struct Matched<'a> {
    pub area: &'a Area,
    pub operation: &'a Operation,
    pub parameters: Vec<(String, String)>,
}

/// The outcome of looking for the operation.
pub(crate) enum Search<'a> {
    Found(Matched<'a>),
    /// The path exists with other methods.
    WrongMethod,
    Nothing,
}

/// Finds the operation; of several with the same path the one whose query fits best.
pub(crate) fn search<'a>(
    catalog: &'a Catalog,
    method: &Method,
    target: &Target,
) -> Result<Search<'a>, SpecificationError> {
    let mut best: Option<(usize, Matched<'a>)> = None;
    let mut path_known = false;
    for area in catalog.areas_for(&target.segments)? {
        for operation in &area.operations {
            let Some(parameters) = operation.match_path(&target.segments) else { continue };
            path_known = true;
            if operation.method != *method {
                continue;
            }
            let misfit = operation.misfit(target);
            if best.as_ref().is_none_or(|(least, _)| misfit < *least) {
                best = Some((misfit, Matched { area, operation, parameters }));
            }
        }
    }
    Ok(match best {
        Some((_, matched)) => Search::Found(matched),
        None if path_known => Search::WrongMethod,
        None => Search::Nothing,
    })
}

/// Checks names and values of the query parameters.
pub(crate) fn check_query(operation: &Operation, target: &Target) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, value) in target.query.iter().filter(|(name, _)| !operation::is_version(name)) {
        match operation.parameter(name) {
            None => faults.push(Fault::strict(
                ViolationKind::UnknownParameter,
                format!("The operation {} {} has no query parameter '{name}'.", operation.method, operation.template),
            )),
            Some(parameter) if !parameter.format.accepts(value) => faults.push(Fault::strict(
                ViolationKind::InvalidParameter,
                format!("The value '{value}' is not valid for the query parameter '{name}'."),
            )),
            Some(_) => {}
        }
    }
    for parameter in operation.query.iter().filter(|p| p.required && target.query_value(&p.name).is_none()) {
        faults.push(Fault::strict(
            ViolationKind::MissingParameter,
            format!("The query parameter '{}' is required.", parameter.name),
        ));
    }
    faults
}

/// What in an answer does not fit the schema of its operation; `None` where no schema describes it.
pub(crate) fn check_answer(
    catalog: &Catalog,
    method: &Method,
    target: &Target,
    body: &Value,
) -> Result<Option<Vec<String>>, SpecificationError> {
    let Search::Found(matched) = search(catalog, method, target)? else { return Ok(None) };
    let Some(schema) = &matched.operation.response else { return Ok(None) };
    // An array stands for a list envelope on the wire.
    let value = match body.get("value") {
        Some(list) if schema.is_array() => list,
        _ => body,
    };
    Ok(Some(Checker::new(&matched.area.definitions, Direction::Response).check(value, schema)))
}

/// Reads and checks the body.
pub(crate) fn check_body(matched: &Matched<'_>, headers: &HeaderMap, body: &[u8]) -> Result<Value, Fault> {
    let Some(rule) = &matched.operation.body else {
        return if body.is_empty() {
            Ok(Value::Null)
        } else {
            Err(Fault::strict(ViolationKind::Body, "The operation takes no body.".to_owned()))
        };
    };
    check_content_type(matched.operation, rule, headers)?;
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let message = format!("TF400898: An Internal Error Occurred. Activity Id: the body is not JSON ({error}).");
        Fault::refused(ViolationKind::Body, Refusal::service(http::StatusCode::BAD_REQUEST, message))
    })?;
    let Some(schema) = &rule.schema else { return Ok(value) };
    let problems = Checker::new(&matched.area.definitions, Direction::Request).check(&value, schema);
    if problems.is_empty() {
        return Ok(value);
    }
    Err(Fault::strict(ViolationKind::Body, format!("The body does not fit: {}", problems.join("; "))))
}

fn check_content_type(operation: &Operation, rule: &BodyRule, headers: &HeaderMap) -> Result<(), Fault> {
    let sent = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = sent.split(';').next().unwrap_or_default().trim();
    if rule.consumes.is_empty() || rule.consumes.iter().any(|known| known.eq_ignore_ascii_case(media)) {
        return Ok(());
    }
    let message = format!(
        "The request indicated a Content-Type of \"{media}\" for method type \"{}\" which is not supported. Valid content types for this method are: {}.",
        operation.method,
        rule.consumes.join(", ")
    );
    let status = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let refusal = Refusal::web_api(status, "VssRequestContentTypeNotSupportedException", message);
    Err(Fault::refused(ViolationKind::ContentType, refusal))
}

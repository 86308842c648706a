//! An operation of the specification, compiled for matching requests.

use std::collections::BTreeSet;

use super::document::{OperationDocument, ParameterDocument, Schema};
use crate::target::Target;

/// One segment of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Compared without case.
    Literal(String),
    /// A parameter, perhaps behind a literal character (`${type}`).
    Parameter { prefix: String, name: String, format: Format },
    /// A parameter that takes all that is left (`{path}` of classification nodes).
    Rest { name: String },
}

/// What a parameter's text must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Any text.
    Text,
    /// A 32-bit integer; in a path only positive ones fit (recorded: id 0 finds no controller).
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A GUID.
    Uuid,
    /// An ISO 8601 date, with or without time.
    Date,
    /// Integers separated by commas.
    Integers,
    /// One of these, without case.
    OneOf(Vec<String>),
}

impl Format {
    fn of(parameter: &ParameterDocument) -> Self {
        if let Some(values) = &parameter.values {
            return Self::OneOf(values.clone());
        }
        match (parameter.kind.as_deref(), parameter.format.as_deref()) {
            (Some("integer"), _) => Self::Integer,
            (Some("boolean"), _) => Self::Boolean,
            (_, Some("uuid")) => Self::Uuid,
            (_, Some("date-time")) => Self::Date,
            (_, Some("array (int32)")) => Self::Integers,
            _ => Self::Text,
        }
    }

    /// Whether the text fits.
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Integer => text.parse::<i32>().is_ok(),
            Self::Boolean => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
            Self::Uuid => uuid::Uuid::try_parse(text).is_ok(),
            Self::Date => {
                text.parse::<jiff::Timestamp>().is_ok()
                    || text.parse::<jiff::civil::DateTime>().is_ok()
                    || text.parse::<jiff::civil::Date>().is_ok()
            }
            Self::Integers => text.split(',').all(|part| part.trim().parse::<i32>().is_ok()),
            Self::OneOf(values) => values.iter().any(|value| value.eq_ignore_ascii_case(text)),
        }
    }
}

/// A query parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub name: String,
    pub required: bool,
    pub format: Format,
}

/// Which `api-version` an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionRule {
    /// Released: `7.1`, and `7.1-preview[.n]` as well.
    Released,
    /// Preview with this resource version: only with the flag.
    Preview(u8),
    /// Takes none (`OData`).
    None,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct BodyRule {
    /// `None` where the own table does not describe it.
    pub schema: Option<Schema>,
    /// Media types taken.
    pub consumes: Vec<String>,
}

/// A compiled operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub method: http::Method,
    /// The path as the specification writes it, without a query.
    pub template: String,
    pub query: Vec<Parameter>,
    pub body: Option<BodyRule>,
    pub version: VersionRule,
    /// Any of these is enough.
    pub scopes: Vec<String>,
    /// The schema of the answer 200, if there is one.
    pub response: Option<Schema>,
    variants: Vec<Vec<Segment>>,
}

impl Operation {
    /// An operation of the own table, whose template may mark parameters: `{id:int}`, `{userId:guid}`, `{team?}`.
    pub fn own(method: &http::Method, marked: &str, version: VersionRule) -> Self {
        let formats = |name: &str| {
            let format = match name.trim_end_matches('?').split_once(':') {
                Some((_, "int")) => Format::Integer,
                Some((_, "guid")) => Format::Uuid,
                _ => Format::Text,
            };
            (format, name.ends_with('?'))
        };
        Self {
            method: method.clone(),
            template: unmarked(marked),
            query: Vec::new(),
            body: None,
            version,
            scopes: Vec::new(),
            response: None,
            variants: variants(marked, &formats),
        }
    }

    /// An operation of an `OpenAPI` file. `template` may carry a query that tells it apart.
    pub fn compile(method: &str, template: &str, document: &OperationDocument) -> Option<Self> {
        let method = http::Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
        let path = template.split('?').next().unwrap_or(template);
        let find = |name: &str| document.parameters.iter().find(|p| p.place == "path" && p.name == name);
        let formats = |name: &str| {
            find(name).map_or((Format::Text, false), |p| (Format::of(p), p.really_required == Some(false)))
        };
        let in_query = document.parameters.iter().filter(|p| p.place == "query" && p.name != "api-version");
        let query =
            in_query.map(|p| Parameter { name: p.name.clone(), required: p.required, format: Format::of(p) }).collect();
        let body = document.parameters.iter().find(|p| p.place == "body");
        Some(Self {
            method,
            template: path.to_owned(),
            query,
            body: body.map(|p| BodyRule { schema: p.schema.clone(), consumes: document.consumes.clone() }),
            version: version(&document.parameters),
            scopes: scopes(document),
            response: document.responses.get("200").and_then(|response| response.schema.clone()),
            variants: variants(path, &formats),
        })
    }

    /// The values of the path parameters, if the path fits.
    pub fn match_path(&self, segments: &[String]) -> Option<Vec<(String, String)>> {
        self.variants.iter().find_map(|variant| match_variant(variant, segments))
    }

    /// How many query parameters are unknown, invalid or missing; the least fitting of several has the most.
    pub fn misfit(&self, target: &Target) -> usize {
        let missing = self.query.iter().filter(|p| p.required && target.query_value(&p.name).is_none()).count();
        let unknown = target.query.iter().filter(|(name, _)| !is_version(name) && self.parameter(name).is_none());
        missing + unknown.count()
    }

    /// The parameter of this name, compared without case.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.query.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }
}

/// The template as the specification writes it: without the marks of the own table.
pub(crate) fn unmarked(template: &str) -> String {
    let parts = template.split('/').map(|part| match part.split_once('{') {
        Some((prefix, rest)) => format!("{prefix}{{{}}}", parameter_name(rest.trim_end_matches('}'))),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

fn parameter_name(marked: &str) -> &str {
    marked.split([':', '?']).next().unwrap_or(marked)
}

/// Whether a query parameter is the API version.
pub(crate) fn is_version(name: &str) -> bool {
    name.eq_ignore_ascii_case("api-version")
}

fn version(parameters: &[ParameterDocument]) -> VersionRule {
    let mut references = parameters.iter().filter_map(|parameter| parameter.reference.as_deref());
    let preview = references.find_map(|name| name.rsplit_once("-preview.")?.1.parse().ok());
    preview.map_or(VersionRule::Released, VersionRule::Preview)
}

fn scopes(document: &OperationDocument) -> Vec<String> {
    let all: BTreeSet<String> = document.security.iter().flat_map(|entry| entry.values().flatten().cloned()).collect();
    all.into_iter().collect()
}

/// The template with each choice of optional parameters left out.
fn variants(template: &str, formats: &dyn Fn(&str) -> (Format, bool)) -> Vec<Vec<Segment>> {
    // Beside each variant: whether its last optional parameter was left out. Then the next one is too: there is no
    // team without its project.
    let mut all = vec![(Vec::new(), false)];
    for part in template.split('/').filter(|part| !part.is_empty()) {
        let (segment, optional) = segment(part, template, formats);
        let mut next = Vec::new();
        for (variant, skipped) in all {
            let mut longer: Vec<Segment> = variant.clone();
            longer.push(segment.clone());
            if !(optional && skipped) {
                next.push((longer, false));
            }
            if optional {
                next.push((variant, true));
            }
        }
        all = next;
    }
    all.into_iter().map(|(variant, _)| variant).collect()
}

fn segment(part: &str, template: &str, formats: &dyn Fn(&str) -> (Format, bool)) -> (Segment, bool) {
    let Some((prefix, name)) = part.strip_suffix('}').and_then(|part| part.split_once('{')) else {
        return (Segment::Literal(part.to_lowercase()), false);
    };
    let (format, optional) = formats(name);
    let name = parameter_name(name);
    if name == "path" && template.contains("classificationnodes") {
        return (Segment::Rest { name: name.to_owned() }, optional);
    }
    (Segment::Parameter { prefix: prefix.to_owned(), name: name.to_owned(), format }, optional)
}

fn match_variant(variant: &[Segment], segments: &[String]) -> Option<Vec<(String, String)>> {
    let rest = matches!(variant.last(), Some(Segment::Rest { .. }));
    if !(variant.len() == segments.len() || rest && segments.len() > variant.len()) {
        return None;
    }
    let mut values = Vec::new();
    for (index, (segment, text)) in variant.iter().zip(segments).enumerate() {
        match segment {
            Segment::Literal(literal) if text.eq_ignore_ascii_case(literal) => {}
            Segment::Literal(_) => return None,
            Segment::Parameter { prefix, name, format } => {
                let text = text.strip_prefix(prefix.as_str())?;
                let positive = *format != Format::Integer || text.parse::<i32>().is_ok_and(|id| id > 0);
                if text.is_empty() || text == "_apis" || !positive || !format.accepts(text) {
                    return None;
                }
                values.push((name.clone(), text.to_owned()));
            }
            Segment::Rest { name } => {
                values.push((name.clone(), segments[index..].join("\\")));
                break;
            }
        }
    }
    Some(values)
}

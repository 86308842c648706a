//! The operations in use, and how a request's URL and body are made. Names never leave their segment.

use std::fmt;

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use super::error::AdoError;
use super::service::{Service, ServiceBase};

/// Longest name that becomes a path segment.
const MAX_SEGMENT: usize = 256;
/// Everything but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How large an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// One object, or a page of small ones: 4 MiB.
    Small,
    /// Types with their layouts (half a megabyte each project and more), 200 work items: 32 MiB.
    Large,
}

impl Size {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Small => 4 << 20,
            Self::Large => 32 << 20,
        }
    }
}

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Patch,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Patch => Method::PATCH,
        }
    }
}

/// Which API version a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// The version of the configuration, such as `7.1`.
    Released,
    /// The same with `-preview`: the resource was never released.
    Preview,
    /// None: the version stands in the path.
    InPath,
}

/// One operation of the REST API that this client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub(crate) service: Service,
    pub(crate) method: Verb,
    /// Path below the organization, with one `{…}` for each variable segment.
    pub(crate) template: &'static str,
    pub(crate) version: Version,
    /// Whether sending it twice does the same as once, so that a failed try may be repeated.
    pub(crate) repeatable: bool,
    /// Whether a refused token is asked about once more before the refusal is believed.
    pub(crate) confirmed: bool,
    pub(crate) size: Size,
    /// The area, for messages.
    pub(crate) area: &'static str,
}

impl Route {
    pub(crate) const fn get(area: &'static str, template: &'static str) -> Self {
        Self {
            service: Service::Core,
            method: Verb::Get,
            template,
            version: Version::Released,
            repeatable: true,
            confirmed: true,
            size: Size::Small,
            area,
        }
    }

    /// A question that is too long for a URL.
    pub(crate) const fn ask(area: &'static str, template: &'static str) -> Self {
        Self { method: Verb::Post, ..Self::get(area, template) }
    }

    /// For questions that few tokens have the scope of and nothing depends on: a refusal is no news.
    pub(crate) const fn asked_once(self) -> Self {
        Self { confirmed: false, ..self }
    }

    pub(crate) const fn large(self) -> Self {
        Self { size: Size::Large, ..self }
    }

    /// The path with its variable parts left open: the label in metrics.
    #[must_use]
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method.as_str()
    }

    /// The service asked.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }
}

/// One request to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) route: &'static Route,
    path: Result<String, AdoError>,
    query: Vec<(&'static str, String)>,
    /// Media type and content.
    pub(crate) body: Option<(&'static str, Vec<u8>)>,
}

impl Call {
    /// Fills the route's variable segments in their order.
    pub(crate) fn new(route: &'static Route, segments: &[&str]) -> Self {
        Self { route, path: fill(route.template, segments), query: Vec::new(), body: None }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.query.push((name, format!("{value}")));
        self
    }

    pub(crate) fn json<T: Serialize>(self, body: &T) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn json_patch<T: Serialize>(self, body: &T) -> Self {
        self.body("application/json-patch+json", body)
    }

    fn body<T: Serialize>(mut self, media_type: &'static str, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = Some((media_type, bytes)),
            // Only a map with keys that are no text can fail, which no type here has.
            Err(_) => self.path = Err(AdoError::InvalidName),
        }
        self
    }

    pub(crate) fn url(&self, base: &ServiceBase, api_version: &str) -> Result<Url, AdoError> {
        let path = self.path.clone()?;
        let prefix = encode_path(&base.segments);
        let mut text = format!("https://{}:{}{prefix}/{path}", base.host, base.port);
        let version = match self.route.version {
            Version::Released => Some(api_version.to_owned()),
            Version::Preview => Some(format!("{api_version}-preview")),
            Version::InPath => None,
        };
        let version = version.map(|version| ("api-version", version));
        for (index, (name, value)) in self.query.iter().cloned().chain(version).enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            text.push(separator);
            text.push_str(name);
            text.push('=');
            text.extend(utf8_percent_encode(&value, SEGMENT));
        }
        Url::parse(&text).map_err(|_| AdoError::InvalidName)
    }
}

/// A path of names, each encoded so that it stays one segment, with a slash before each.
pub(crate) fn encode_path(names: &[String]) -> String {
    names.iter().fold(String::new(), |mut path, name| {
        path.push('/');
        path.extend(utf8_percent_encode(name, SEGMENT));
        path
    })
}

/// Puts encoded names in place of the template's `{…}`.
fn fill(template: &str, segments: &[&str]) -> Result<String, AdoError> {
    let mut path = String::with_capacity(template.len() + 64);
    let mut names = segments.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let name = names.next().copied().filter(|name| is_segment(name)).ok_or(AdoError::InvalidName)?;
        path.push_str(before);
        path.extend(utf8_percent_encode(name, SEGMENT));
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    path.push_str(rest);
    Ok(path)
}

fn is_segment(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_SEGMENT && name != "." && name != ".." && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_one_encoded_segment() {
        let path = |template, names: &[&str]| fill(template, names).expect("valid");
        assert_eq!(
            path("{project}/_apis/wit/workitems/${type}", &["Web Shop", "User Story"]),
            "Web%20Shop/_apis/wit/workitems/$User%20Story"
        );
        assert_eq!(
            path("_apis/projects/{project}", &["a/b?c#d&e%2F;ü"]),
            "_apis/projects/a%2Fb%3Fc%23d%26e%252F%3B%C3%BC"
        );
        assert_eq!(path("_apis/projects", &[]), "_apis/projects");
    }

    #[test]
    fn what_would_leave_its_place_is_refused() {
        let long = "x".repeat(MAX_SEGMENT + 1);
        for name in ["", ".", "..", "a\nb", "a\0b", long.as_str()] {
            assert_eq!(fill("_apis/projects/{project}", &[name]), Err(AdoError::InvalidName), "{name:?}");
        }
        assert_eq!(fill("_apis/projects/{project}", &[]), Err(AdoError::InvalidName));
        // An encoded dot segment is a name like any other: its percent sign is encoded.
        assert_eq!(fill("{project}", &["%2e%2e"]).as_deref(), Ok("%252e%252e"));
    }
}

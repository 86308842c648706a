//! Answers, and the headers that the service puts on them (README of the recordings, *Headers*).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use uuid::Uuid;

/// What the body is, as far as headers depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No body and no content type.
    Empty,
    /// A JSON answer, whose content type echoes the API version.
    Versioned,
    /// A page of a reporting feed, whose content type has the API version and no charset (recorded).
    Reporting,
    /// JSON without the version: errors, route tables.
    Json,
    /// A body whose content type stands in the headers already.
    Other,
}

/// The headers about caching, which some refusals lack (recorded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// `cache-control`, `expires` and `pragma`.
    All,
    /// All but `pragma`.
    NoPragma,
    None,
}

/// An answer before the common headers are added.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub kind: Kind,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The front door answered, not the service: none of the service's own headers.
    pub front_door: bool,
    pub cache: Cache,
}

impl Reply {
    fn new(status: StatusCode, kind: Kind, body: impl Into<Bytes>) -> Self {
        Self { status, kind, headers: HeaderMap::new(), body: body.into(), front_door: false, cache: Cache::All }
    }

    /// 200 with a JSON value.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::new(StatusCode::OK, Kind::Versioned, serde_json::to_vec(value).unwrap_or_default())
    }

    /// 200 with a page of a reporting feed, which is JSON already.
    pub fn reporting(body: Vec<u8>) -> Self {
        Self::new(StatusCode::OK, Kind::Reporting, body)
    }

    /// 200 with a list envelope.
    pub fn list<T: Serialize>(values: &[T]) -> Self {
        #[derive(Serialize)]
        struct List<'a, T> {
            count: usize,
            value: &'a [T],
        }
        Self::json(&List { count: values.len(), value: values })
    }

    /// An error with a JSON body.
    pub fn error_json(status: StatusCode, body: Vec<u8>) -> Self {
        Self::new(status, Kind::Json, body)
    }

    /// A body of another media type.
    pub fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::new(status, Kind::Other, body);
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        reply
    }

    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self::new(status, Kind::Empty, Bytes::new())
    }

    /// 401 with the challenge; `body` is empty or an empty list (recorded both ways).
    pub fn challenge(base: &str, body: &'static str) -> Self {
        let mut reply = Self::new(StatusCode::UNAUTHORIZED, Kind::Empty, body);
        reply.cache = if body.is_empty() { Cache::None } else { Cache::NoPragma };
        reply.insert(WWW_AUTHENTICATE, &format!("Basic realm=\"{base}/\""));
        reply
    }

    /// 203 with the page that a browser would show.
    pub fn sign_in_page() -> Self {
        let status = StatusCode::NON_AUTHORITATIVE_INFORMATION;
        Self::text(status, "text/html; charset=utf-8", SIGN_IN_PAGE)
    }

    /// 302 to the sign-in page.
    pub fn sign_in_redirect(base: &str) -> Self {
        let mut reply =
            Self::text(StatusCode::FOUND, "text/html; charset=utf-8", "<html><body>Object moved</body></html>");
        reply.insert(LOCATION, &format!("{base}/_signin?realm=localhost&reply_to={base}"));
        reply
    }

    /// 404 in plain text, as the router gives it for a route that does not fit.
    pub fn no_route(path: &str) -> Self {
        let message = format!("The controller for path '{path}' was not found or does not implement IController.");
        let mut reply = Self::text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", message.clone());
        reply.service_error(&message);
        reply.cache = Cache::None;
        reply
    }

    /// The message again, percent-encoded, where the body is not of the usual kind.
    pub fn service_error(&mut self, message: &str) {
        let encoded = percent_encoding::utf8_percent_encode(message, percent_encoding::NON_ALPHANUMERIC).to_string();
        self.insert(HeaderName::from_static("x-tfs-serviceerror"), &encoded);
    }

    /// Adds a header; a value that no header can carry is left out.
    pub fn insert(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// The same answer with another status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

/// Own text; only the markers matter (HTML, the word, a form).
const SIGN_IN_PAGE: &str = "<!DOCTYPE html>\r\n<html lang=\"en\"><head><title>Azure DevOps Services | Sign In</title></head>\r\n<body><form method=\"post\" action=\"/_signin\"><h1>Sign in to continue</h1><button>Sign in</button></form></body></html>\r\n";

/// Who and what an answer belongs to.
pub(crate) struct Origin<'a> {
    /// Identity and account name, where the caller is known.
    pub user: Option<(Uuid, &'a str)>,
    /// The API version served, such as `7.1` or `7.1-preview.1`.
    pub version: &'a str,
    /// The client's `X-TFS-Session`.
    pub session: Option<HeaderValue>,
    /// A fresh id of this request.
    pub activity: Uuid,
    /// Constant per simulator.
    pub process: Uuid,
}

/// Adds the headers that are on every answer.
pub(crate) fn complete(reply: &mut Reply, origin: &Origin<'_>) {
    front_door_headers(&mut reply.headers, origin);
    if reply.front_door {
        return;
    }
    service_headers(reply, origin);
    content_headers(reply, origin.version);
}

fn fixed(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}

/// Leaves out a value that no header can carry.
fn text(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

const P3P: &str = "CP=\"CAO DSP COR ADMa DEV CONo TELo CUR PSA PSD TAI IVDo OUR SAMi BUS DEM NAV STA UNI COM INT PHY ONL FIN PUR LOC CNT\"";

/// Those that even a stopped organization's answer has.
fn front_door_headers(headers: &mut HeaderMap, origin: &Origin<'_>) {
    fixed(headers, "p3p", P3P);
    fixed(headers, "strict-transport-security", "max-age=31536000; includeSubDomains");
    fixed(headers, "x-cache", "CONFIG_NOCACHE");
    fixed(headers, "x-content-type-options", "nosniff");
    text(headers, "x-tfs-processid", &origin.process.to_string());
    text(headers, "x-msedge-ref", &format!("Ref A: {:X} Ref B: SIMEDGE0101", origin.activity.simple()));
}

/// Those of the service itself.
fn service_headers(reply: &mut Reply, origin: &Origin<'_>) {
    let headers = &mut reply.headers;
    let activity = origin.activity.to_string();
    text(headers, "activityid", &activity);
    text(headers, "x-vss-e2eid", &activity);
    match &origin.session {
        Some(session) => drop(headers.insert(HeaderName::from_static("x-tfs-session"), session.clone())),
        None => text(headers, "x-tfs-session", &activity),
    }
    text(headers, "x-vss-senderdeploymentid", &origin.process.to_string());
    text(headers, "request-context", &format!("appId=cid-v1:{}", origin.process));
    fixed(headers, "access-control-expose-headers", "Request-Context");
    if reply.cache != Cache::None {
        fixed(headers, "cache-control", "no-cache");
        fixed(headers, "expires", "-1");
    }
    if reply.cache == Cache::All {
        fixed(headers, "pragma", "no-cache");
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        return;
    }
    fixed(headers, "x-frame-options", "SAMEORIGIN");
    if let Some((id, account)) = origin.user {
        text(headers, "x-vss-userdata", &format!("{id}:{account}"));
    }
}

fn content_headers(reply: &mut Reply, version: &str) {
    let value = match reply.kind {
        Kind::Empty | Kind::Other => return,
        Kind::Versioned => format!("application/json; charset=utf-8; api-version={version}"),
        Kind::Reporting => format!("application/json; api-version={version}"),
        Kind::Json => "application/json; charset=utf-8".to_owned(),
    };
    reply.insert(CONTENT_TYPE, &value);
    if reply.status == StatusCode::OK {
        reply.headers.insert(http::header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

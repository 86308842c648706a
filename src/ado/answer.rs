//! What an answer means. Pure: status, headers and body in, meaning out (`ado-api.md` §2–4).

use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use http::{HeaderName, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::credential::Pat;
use super::error::{AdoError, Defect, Outage, ServiceMessage, SignIn};
use super::pace::{MAX_HOLD, Quota, RateHeaders};
use super::text::{is_hidden, whole_characters};

/// Longest part of a service's message that is passed on, in characters.
const MAX_MESSAGE: usize = 300;
/// Longest type key, code or field name that is passed on.
const MAX_KEY: usize = 128;
/// Most field names that are passed on.
const MAX_FIELDS: usize = 20;
/// Pause after a 429 that does not name one.
const DEFAULT_PAUSE: Duration = Duration::from_secs(30);
/// The message code of a stopped organization.
const STOPPED: &str = "TF24668";

const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What status and headers say, before the body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A body of the expected form should follow.
    Success,
    /// The credential is not accepted.
    SignIn(SignIn),
    /// A redirect to somewhere else.
    Redirect,
    /// A page of somebody between us and the service: a captive portal, a proxy, a maintenance page.
    Foreign,
    /// An error, which the body may explain.
    Failure(StatusCode),
}

/// Judges status and headers. `www-authenticate` is not looked at: it comes with some 200 too.
pub(crate) fn kind(status: StatusCode, headers: &HeaderMap) -> Kind {
    match status {
        StatusCode::NON_AUTHORITATIVE_INFORMATION => Kind::SignIn(SignIn::Page),
        StatusCode::UNAUTHORIZED => Kind::SignIn(SignIn::Unauthorized),
        status if status.is_success() && is_html(headers) && is_azure_devops(headers) => Kind::SignIn(SignIn::Html),
        status if status.is_success() && is_html(headers) => Kind::Foreign,
        status if status.is_success() => Kind::Success,
        status if status.is_redirection() && leads_to_sign_in(headers) => Kind::SignIn(SignIn::Redirect),
        status if status.is_redirection() => Kind::Redirect,
        status => Kind::Failure(status),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn is_type(headers: &HeaderMap, media_type: &str) -> bool {
    let given = text(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    given.trim().eq_ignore_ascii_case(media_type)
}

fn is_html(headers: &HeaderMap) -> bool {
    is_type(headers, "text/html") || is_type(headers, "application/xhtml+xml")
}

/// Whether the answer is the service's own: nearly all that were recorded have one of these, whatever their status.
/// A page without them says nothing about a credential.
fn is_azure_devops(headers: &HeaderMap) -> bool {
    ["activityid", "x-vss-e2eid", "x-tfs-processid"].iter().any(|name| headers.contains_key(*name))
}

/// `…/_signin` on the same or the profile host, or the identity provider itself.
fn leads_to_sign_in(headers: &HeaderMap) -> bool {
    let target = text(headers, &LOCATION).unwrap_or_default().to_ascii_lowercase();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let provider = ["https://login.microsoftonline.com/", "https://login.live.com/", "https://login.windows.net/"];
    path.split('/').any(|segment| segment == "_signin") || provider.iter().any(|host| target.starts_with(host))
}

/// Reads the rate limit headers; they come with answers of any status. Times are counted from the answer's own `Date`,
/// where it has one, so that a wrong clock on either side does not matter.
pub(crate) fn rate_headers(headers: &HeaderMap, now: Timestamp) -> RateHeaders {
    let now = text(headers, &DATE).and_then(http_date).unwrap_or(now);
    RateHeaders { retry_after: retry_after(headers, now), quota: quota(headers, now) }
}

fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    let after = match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => until(http_date(value)?, now),
    };
    (!after.is_zero()).then_some(after.min(MAX_HOLD))
}

fn quota(headers: &HeaderMap, now: Timestamp) -> Option<Quota> {
    let number = |name: HeaderName| text(headers, &name)?.parse::<f64>().ok().filter(|number| number.is_finite());
    let limit = number(RATE_LIMIT).filter(|limit| *limit > 0.0)?;
    let remaining = number(RATE_REMAINING)?;
    let reset =
        text(headers, &RATE_RESET)?.parse::<i64>().ok().and_then(|second| Timestamp::from_second(second).ok())?;
    Some(Quota { limit, remaining, reset: until(reset, now) })
}

/// Time from `now` to `then`; zero if that has passed.
fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp())
}

/// Where an error came from, for its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) host: &'a str,
    pub(crate) pat: &'a Pat,
}

/// The meaning of a status outside 2xx and 3xx and not 401.
pub(crate) fn failure(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    rate: RateHeaders,
    origin: Origin<'_>,
) -> AdoError {
    let message = service_message(status, headers, body, origin.pat);
    match status {
        StatusCode::FORBIDDEN => AdoError::Forbidden(message),
        StatusCode::NOT_FOUND | StatusCode::GONE => AdoError::NotFound(message),
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => AdoError::Conflict(message),
        StatusCode::TOO_MANY_REQUESTS => AdoError::Throttled { after: rate.retry_after.unwrap_or(DEFAULT_PAUSE) },
        StatusCode::SERVICE_UNAVAILABLE if message.code.as_deref() == Some(STOPPED) => {
            AdoError::OrganizationStopped(message)
        }
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            AdoError::Unavailable { host: origin.host.to_owned(), outage: Outage::Status(status.as_u16()) }
        }
        StatusCode::BAD_REQUEST if is_out_of_range(&message) => AdoError::VersionNotServed(message),
        _ => AdoError::BadRequest(message),
    }
}

/// "The requested REST API version of 7.1 is out of range for this server." Not recorded; reported by users of servers of
/// every version.
fn is_out_of_range(message: &ServiceMessage) -> bool {
    message.type_key.as_deref() == Some("VssVersionOutOfRangeException")
        || message.message.contains("is out of range for this server")
}

/// The pace that an answer imposes: its headers, and a pause after a 429 without `Retry-After`.
pub(crate) fn pace(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> RateHeaders {
    let mut rate = rate_headers(headers, now);
    if status == StatusCode::TOO_MANY_REQUESTS {
        rate.retry_after = rate.retry_after.or(Some(DEFAULT_PAUSE));
    }
    rate
}

/// Reads JSON, behind a byte order mark too, and with halves of characters in its texts.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], host: &str) -> Result<T, AdoError> {
    let body = without_mark(body);
    let malformed = |defect| AdoError::Malformed { host: host.to_owned(), defect };
    if body.trim_ascii().is_empty() {
        return Err(malformed(Defect::Empty));
    }
    let whole = || whole_characters(str::from_utf8(body).ok()?);
    let read = serde_json::from_slice(body).or_else(|error| match whole() {
        Some(whole) => serde_json::from_str(&whole),
        None => Err(error),
    });
    read.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => malformed(Defect::Shape),
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof | serde_json::error::Category::Io => {
            malformed(Defect::NotJson)
        }
    })
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The error envelope of the REST API, and of the Analytics service (`error.message`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Envelope {
    message: Option<String>,
    type_key: Option<String>,
    custom_properties: Option<RuleProperties>,
    error: Option<InnerError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InnerError {
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RuleProperties {
    field_reference_name: Option<String>,
    rule_validation_errors: Option<Vec<RuleError>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RuleError {
    #[serde(alias = "FieldReferenceName")]
    field_reference_name: Option<String>,
}

fn service_message(status: StatusCode, headers: &HeaderMap, body: &[u8], pat: &Pat) -> ServiceMessage {
    let body = without_mark(body);
    let envelope: Envelope = serde_json::from_slice(body).unwrap_or_default();
    let plain = || is_type(headers, "text/plain").then(|| String::from_utf8_lossy(body).into_owned());
    let said = envelope.message.or(envelope.error.and_then(|error| error.message)).or_else(plain).unwrap_or_default();
    let rules = envelope.custom_properties.unwrap_or_default();
    let listed =
        rules.rule_validation_errors.unwrap_or_default().into_iter().filter_map(|rule| rule.field_reference_name);
    let mut fields: Vec<String> = rules.field_reference_name.into_iter().chain(listed).map(|name| key(&name)).collect();
    fields.dedup();
    fields.truncate(MAX_FIELDS);
    // A server that echoes the credential gets no line in a status.
    let message = if pat.occurs_in(&said) { String::new() } else { bounded(&said, MAX_MESSAGE) };
    let type_key = envelope.type_key.filter(|name| !pat.occurs_in(name)).map(|name| key(&name));
    fields.retain(|name| !pat.occurs_in(name));
    ServiceMessage { status: status.as_u16(), type_key, code: code(&message), message, fields }
}

fn key(text: &str) -> String {
    bounded(text, MAX_KEY)
}

/// One line without control characters, at most `limit` characters long.
fn bounded(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || is_hidden(c)).filter(|word| !word.is_empty()) {
        let gap = usize::from(!line.is_empty());
        let room = limit.saturating_sub(length + gap);
        let size = word.chars().take(room + 1).count();
        if size > room {
            // One character less makes room for the mark of what is left out.
            match room {
                0 if length >= limit => drop(line.pop()),
                0 => {}
                _ => line.extend(std::iter::repeat_n(' ', gap).chain(word.chars().take(room - 1))),
            }
            line.push('…');
            return line;
        }
        line.extend(std::iter::repeat_n(' ', gap));
        line.push_str(word);
        length += gap + size;
    }
    line
}

/// The `TFnnnnnn` or `VSnnnnnn` in front of a message.
fn code(message: &str) -> Option<String> {
    let word = message.split([':', ' ', ',', '.']).next()?;
    let digits = word.strip_prefix("TF").or_else(|| word.strip_prefix("VS"))?;
    (digits.len() >= 4 && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    type Pairs<'a> = &'a [(&'static str, &'a str)];

    fn headers(pairs: Pairs) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("valid")))
            .collect()
    }

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().expect("valid")
    }

    fn failed(status: u16, pairs: Pairs, body: &str) -> AdoError {
        let pat = Pat::from_bytes(b"0123456789secret").expect("valid");
        let status = StatusCode::from_u16(status).expect("valid");
        let headers = headers(pairs);
        failure(
            status,
            &headers,
            body.as_bytes(),
            rate_headers(&headers, now()),
            Origin { host: "dev.azure.com", pat: &pat },
        )
    }

    #[test]
    fn sign_in_pages_are_recognised_in_each_form() {
        let html = [("content-type", "text/html; charset=utf-8")];
        let json = [("content-type", "application/json; charset=utf-8; api-version=7.1")];
        let signin = [("location", "https://app.vssps.visualstudio.com/_signin?realm=dev.azure.com")];
        let relative = [("location", "/contoso/_signin")];
        let entra = [("location", "https://login.microsoftonline.com/common/oauth2/authorize")];
        let elsewhere = [("location", "https://dev.azure.com/other/_apis/projects?next=_signin")];
        let challenge = [("content-type", "application/json"), ("www-authenticate", "Basic realm=\"x\"")];
        let own = [html[0], ("activityid", "4a1f8f0e-0c1b-4d0e-9c56-0d4f5f1f2a3b")];
        let cases: [(u16, Pairs, Kind); 14] = [
            (200, &json, Kind::Success),
            (200, &challenge, Kind::Success),
            (201, &json, Kind::Success),
            (204, &[], Kind::Success),
            (200, &own, Kind::SignIn(SignIn::Html)),
            (200, &html, Kind::Foreign),
            (203, &html, Kind::SignIn(SignIn::Page)),
            (203, &json, Kind::SignIn(SignIn::Page)),
            (302, &signin, Kind::SignIn(SignIn::Redirect)),
            (302, &relative, Kind::SignIn(SignIn::Redirect)),
            (302, &entra, Kind::SignIn(SignIn::Redirect)),
            (301, &elsewhere, Kind::Redirect),
            (401, &[], Kind::SignIn(SignIn::Unauthorized)),
            (403, &html, Kind::Failure(StatusCode::FORBIDDEN)),
        ];
        for (status, pairs, expected) in cases {
            assert_eq!(
                kind(StatusCode::from_u16(status).expect("valid"), &headers(pairs)),
                expected,
                "{status} {pairs:?}"
            );
        }
    }

    #[test]
    fn rate_headers_are_read_on_any_answer_and_against_the_servers_clock() {
        let seconds = |pairs: Pairs| rate_headers(&headers(pairs), now()).retry_after;
        assert_eq!(seconds(&[("retry-after", "30")]), Some(Duration::from_secs(30)));
        assert_eq!(seconds(&[("retry-after", " 0.5 ")]), Some(Duration::from_millis(500)));
        assert_eq!(seconds(&[("retry-after", "Mon, 23 Nov 2026 12:02:00 GMT")]), Some(Duration::from_mins(2)));
        let skewed = [("date", "Mon, 23 Nov 2026 11:00:00 GMT"), ("retry-after", "Mon, 23 Nov 2026 11:00:10 GMT")];
        assert_eq!(seconds(&skewed), Some(Duration::from_secs(10)));
        assert_eq!(seconds(&[("retry-after", "1000000000")]), Some(MAX_HOLD));
        for useless in ["0", "-5", "soon", "NaN", "inf", "1e300", "Mon, 23 Nov 2020 12:00:00 GMT"] {
            assert_eq!(seconds(&[("retry-after", useless)]), None, "{useless}");
        }
        let reset = (now().as_second() + 60).to_string();
        let quota =
            [("x-ratelimit-limit", "200"), ("x-ratelimit-remaining", "150.5"), ("x-ratelimit-reset", reset.as_str())];
        let expected = Quota { limit: 200.0, remaining: 150.5, reset: Duration::from_mins(1) };
        assert_eq!(rate_headers(&headers(&quota), now()).quota, Some(expected));
        assert_eq!(rate_headers(&headers(&quota[..2]), now()).quota, None);
        assert_eq!(rate_headers(&headers(&[("x-ratelimit-limit", "0"), quota[1], quota[2]]), now()).quota, None);
    }

    #[test]
    fn statuses_have_their_meaning_whatever_the_body_is() {
        let bodies =
            ["", "<html></html>", "{\"count\":0,\"value\":[]}", "{", "\u{feff}{\"message\":\"TF1\"}", "[]", "null"];
        for body in bodies {
            assert!(matches!(failed(403, &[], body), AdoError::Forbidden(_)), "{body}");
            assert!(matches!(failed(404, &[], body), AdoError::NotFound(_)), "{body}");
            assert!(matches!(failed(400, &[], body), AdoError::BadRequest(_)), "{body}");
            assert!(matches!(failed(413, &[], body), AdoError::BadRequest(_)), "{body}");
            assert!(matches!(failed(409, &[], body), AdoError::Conflict(_)), "{body}");
            assert!(matches!(failed(412, &[], body), AdoError::Conflict(_)), "{body}");
            for status in [408, 500, 502, 503, 504] {
                assert!(
                    matches!(failed(status, &[], body), AdoError::Unavailable { outage: Outage::Status(s), .. } if s == status),
                    "{body}"
                );
            }
        }
        assert_eq!(failed(429, &[("retry-after", "7")], ""), AdoError::Throttled { after: Duration::from_secs(7) });
        assert_eq!(failed(429, &[], ""), AdoError::Throttled { after: DEFAULT_PAUSE });
    }

    #[test]
    fn a_stopped_organization_is_told_from_an_outage_by_its_code() {
        let body = "\u{feff}{\"message\":\"TF24668: The collection is stopped.\",\"typeKey\":\"VssServiceException\"}";
        let AdoError::OrganizationStopped(message) = failed(503, &[], body) else { panic!("stopped") };
        assert_eq!(
            (message.code.as_deref(), message.type_key.as_deref()),
            (Some("TF24668"), Some("VssServiceException"))
        );
    }

    #[test]
    fn a_rule_violation_names_its_fields() {
        let body = r#"{"message":"TF401320: Rule Error for field Found In.","typeKey":"RuleValidationException",
            "customProperties":{"FieldReferenceName":"Custom.FoundIn","RuleValidationErrors":[{"fieldReferenceName":"Custom.FoundIn"},
            {"fieldReferenceName":"Custom.Team"}]}}"#;
        let AdoError::BadRequest(message) = failed(400, &[], body) else { panic!("bad request") };
        assert_eq!(message.fields, ["Custom.FoundIn", "Custom.Team"]);
        assert_eq!(message.code.as_deref(), Some("TF401320"));
    }

    #[test]
    fn messages_are_one_bounded_line_without_the_credential() {
        let plain =
            failed(404, &[("content-type", "text/plain")], "The controller\nfor path '/x' was\t\u{202e}not found");
        assert_eq!(
            plain.to_string(),
            "not found, or hidden from the identity: The controller for path '/x' was not found"
        );
        let AdoError::BadRequest(long) = failed(400, &[], &format!("{{\"message\":\"{}\"}}", "ä".repeat(5000))) else {
            panic!("bad request")
        };
        assert_eq!(long.message.chars().count(), MAX_MESSAGE);
        assert!(long.message.ends_with('…'));
        let words = failed(400, &[], &format!("{{\"message\":\"{}\"}}", "word ".repeat(5000)));
        assert!(words.service_message().is_some_and(|message| message.message.chars().count() <= MAX_MESSAGE));
        for length in 0..12 {
            let line = bounded("ab cde f ghijk", length);
            assert!(line.chars().count() <= length.max(1), "{length}: {line}");
        }
        assert_eq!(
            (bounded("ab cde", 6).as_str(), bounded("ab cde", 5).as_str(), bounded("ab cde", 3).as_str()),
            ("ab cde", "ab c…", "ab…")
        );
        for echo in ["0123456789secret", "Basic OjAxMjM0NTY3ODlzZWNyZXQ="] {
            let error = failed(400, &[], &format!("{{\"message\":\"bad {echo}\",\"typeKey\":\"{echo}\"}}"));
            assert!(!format!("{error} {error:?}").contains(echo));
        }
    }

    #[test]
    fn json_is_read_behind_a_mark_and_what_is_none_is_told_apart() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct One {
            a: u32,
        }
        let read = |body: &[u8]| parse::<One>(body, "h");
        assert_eq!(read(b"\xef\xbb\xbf{\"a\":1,\"b\":null}"), Ok(One { a: 1 }));
        let malformed = |defect| Err(AdoError::Malformed { host: "h".to_owned(), defect });
        assert_eq!(read(b""), malformed(Defect::Empty));
        assert_eq!(read(b"<html>"), malformed(Defect::NotJson));
        assert_eq!(read(b"{\"b\":1}"), malformed(Defect::Shape));
        assert_eq!(read(b"{\"a\":"), malformed(Defect::NotJson));
        // Members that are not read are skipped without recursion; what is read has serde_json's limit of 128 levels.
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let unread = format!("{{\"b\":{deep},\"a\":1}}");
        assert_eq!(read(unread.as_bytes()), Ok(One { a: 1 }));
        assert_eq!(parse::<serde_json::Value>(deep.as_bytes(), "h").err(), malformed(Defect::NotJson).err());
    }
}

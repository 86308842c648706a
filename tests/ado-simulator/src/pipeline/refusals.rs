//! Answers that no handler gives: refused credentials, throttling, and what faults put in place of the right answer.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::auth::Credential;
use crate::envelope::Refusal;
use crate::faults::Effect;
use crate::quirks::{CredentialRefusal, Quirks, UnknownOrganization};
use crate::reply::Reply;
use crate::target::Target;

/// The answer for an organization that does not exist.
pub(super) fn unknown_organization(headers: &HeaderMap, base: &str, quirks: &Quirks) -> Reply {
    match quirks.unknown_organization {
        UnknownOrganization::NotFound => {
            let page =
                "<!DOCTYPE html><html><head><title>404 - Page not found</title></head><body><h1>404</h1></body></html>";
            Reply::text(StatusCode::NOT_FOUND, "text/html; charset=utf-8", page)
        }
        UnknownOrganization::Refused => refuse_credential(headers, base, &Credential::Absent, quirks),
    }
}

/// The refusal of a credential, in the form that is switched on.
pub(super) fn refuse_credential(headers: &HeaderMap, base: &str, credential: &Credential, quirks: &Quirks) -> Reply {
    let suppressed = headers.get("x-tfs-fedauthredirect").is_some_and(|value| value == "Suppress");
    match quirks.credential_refusal {
        _ if *credential == Credential::Malformed => Reply::challenge(base, ""),
        CredentialRefusal::Redirect if suppressed => Reply::challenge(base, ""),
        CredentialRefusal::Redirect => Reply::sign_in_redirect(base),
        CredentialRefusal::SignInPage => Reply::sign_in_page(),
        CredentialRefusal::UnauthorizedJson => {
            let mut reply = Reply::from(Refusal::unauthorized());
            reply.insert(http::header::WWW_AUTHENTICATE, &format!("Basic realm=\"{base}/\""));
            reply
        }
        CredentialRefusal::UnauthorizedEmpty => Reply::challenge(base, ""),
    }
}

/// 429 TF400733 (`ado-api.md` §3).
pub(super) fn too_many_requests(retry_after: Option<u32>) -> Reply {
    let message = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource 'Concurrency' in namespace 'User'.";
    let mut reply = Reply::from(Refusal::service(StatusCode::TOO_MANY_REQUESTS, message));
    if let Some(seconds) = retry_after {
        throttled(&mut reply, seconds);
        reply.headers.insert("x-ratelimit-remaining", 0.into());
    }
    reply
}

/// The headers of an answer that was throttled (`ado-api.md` §4).
pub(crate) fn throttled(reply: &mut Reply, retry_after: u32) {
    let reset = jiff::Timestamp::now().as_second() + i64::from(retry_after);
    reply.headers.insert(http::header::RETRY_AFTER, retry_after.into());
    reply.headers.insert("x-ratelimit-resource", http::HeaderValue::from_static("Core/Usage/User"));
    reply.headers.insert("x-ratelimit-limit", 200.into());
    reply.headers.insert("x-ratelimit-remaining", 0.into());
    reply.headers.insert("x-ratelimit-reset", reset.into());
}

/// The answer that a fault gives instead of the right one, if it does.
pub(super) fn replaced(effect: &Effect, target: &Target) -> Option<Reply> {
    let json = |text: &'static str| {
        Reply::text(
            StatusCode::OK,
            "application/json; charset=utf-8; api-version=7.1",
            Bytes::from_static(text.as_bytes()),
        )
    };
    Some(match effect {
        Effect::SignInPage => Reply::sign_in_page(),
        Effect::Redirect => Reply::sign_in_redirect(&target.base),
        Effect::Status { code, retry_after } => status(*code, *retry_after, target),
        Effect::TooManyRequests { retry_after } => too_many_requests(Some(*retry_after)),
        Effect::HtmlOk => Reply::sign_in_page().with_status(StatusCode::OK),
        Effect::ForeignPage => {
            Reply::text(StatusCode::OK, "text/html; charset=utf-8", "<html><body>Accept the terms of use</body></html>")
        }
        Effect::MalformedJson => json("{\"count\":2,\"value\":[{\"id\":\"0"),
        Effect::WrongShape => json("[\"neither\",{\"of\":[\"these\"]},42,null]"),
        Effect::Oversized { .. } | Effect::SlowBody { .. } => json(""),
        Effect::EmptyOk => Reply::empty(StatusCode::OK),
        Effect::Answer { status, content_type, body } => answer(*status, content_type.as_deref(), body),
        Effect::Delay { .. } | Effect::CutBody { .. } | Effect::Reset | Effect::LoseReply | Effect::Rewrite { .. } => {
            return None;
        }
    })
}

/// Replaces texts in a body.
pub(super) fn rewrite(reply: &mut Reply, texts: &[(String, String)]) {
    let mut body = String::from_utf8_lossy(&reply.body).into_owned();
    for (from, to) in texts {
        body = body.replace(from, to);
    }
    reply.body = body.into();
}

fn status(code: u16, retry_after: Option<u32>, target: &Target) -> Reply {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = match status {
        StatusCode::UNAUTHORIZED => Reply::challenge(&target.base, ""),
        StatusCode::FORBIDDEN => Refusal::access_denied("The user", "something").into(),
        StatusCode::NOT_FOUND => Refusal::not_found("VssServiceException", "It does not exist.").into(),
        _ => Reply::from(Refusal::service(status, format!("TF400898: An Internal Error Occurred ({status})."))),
    };
    if let Some(seconds) = retry_after {
        reply.headers.insert(http::header::RETRY_AFTER, seconds.into());
    }
    reply
}

fn answer(status: u16, content_type: Option<&str>, body: &str) -> Reply {
    let mut reply = Reply::empty(StatusCode::from_u16(status).unwrap_or(StatusCode::OK));
    reply.body = Bytes::copy_from_slice(body.as_bytes());
    if let Some(content_type) = content_type {
        reply.insert(http::header::CONTENT_TYPE, content_type);
    }
    reply
}

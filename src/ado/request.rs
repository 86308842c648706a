//! The only send path: URL, authentication, budget, deadline, size limit, judgement and retries of every request.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use super::answer::{self, Kind, Origin};
use super::budget::{Patience, Slot};
use super::client::AdoClient;
use super::error::{AdoError, CertificateProblem, Defect, Outage};
use super::guard::Refusal;
use super::observer::RequestRecord;
use super::route::{Call, Route};
use super::service::{Service, ServiceBase};

/// Most of an error's body that is read.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// Memory that is taken for a body before any of it has come.
const FIRST_BUFFER: usize = 64 * 1024;
/// Longest continuation token that is sent back.
const MAX_TOKEN: usize = 4096;
const FED_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");
const CONTINUATION_TOKEN: HeaderName = HeaderName::from_static("x-ms-continuationtoken");

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// The token for the next page, where the answer came with one.
    pub(crate) continuation: Option<String>,
}

impl AdoClient {
    /// Sends a call and reads its answer, within the deadline. After an outage it is repeated if the route allows that. A
    /// refused token had no effect whatever the call, and is asked about once more: a throttled service was seen to answer
    /// 401 (`ado-api.md` §2).
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T, AdoError> {
        self.fetch(call).await.map(|answer| answer.value)
    }

    /// [`send`](Self::send), for calls whose headers matter.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<Answer<T>, AdoError> {
        let base = self.locate(call.route.service)?;
        let host = shown(&base);
        let url = call.url(&base, &self.limits().api_version)?;
        let deadline = Instant::now() + self.limits().deadline;
        let mut repeats = Repeats {
            outages: if call.route.repeatable { self.limits().retries } else { 0 },
            refusals: usize::from(call.route.confirmed),
            patience: self.patience(),
        };
        let tries = ExponentialBuilder::default()
            .with_min_delay(self.limits().retry_delay)
            .with_max_times(repeats.outages + repeats.refusals)
            .with_jitter();
        let all = (|| self.attempt(&call, &url, &host, deadline))
            .retry(tries)
            .sleep(tokio::time::sleep)
            .when(|error| repeats.permit(error));
        match tokio::time::timeout_at(deadline, all).await {
            Ok(result) => result,
            Err(_) => Err(AdoError::Deadline { host, after: self.limits().deadline }),
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        call: &Call,
        url: &Url,
        host: &str,
        deadline: Instant,
    ) -> Result<Answer<T>, AdoError> {
        let patience = Patience { deadline, pause: self.patience() };
        let slot = self.budget().acquire(self.priority(), patience).await?;
        let record = Record { client: self, route: call.route, host, started: Instant::now(), outcome: None };
        let result = self.exchange(call, url, host, slot).await;
        record.close(result.as_ref().err());
        result
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        call: &Call,
        url: &Url,
        host: &str,
        slot: Slot,
    ) -> Result<Answer<T>, AdoError> {
        let origin = Origin { host, pat: self.pat() };
        let response = self.request(call, url)?.send().await.map_err(|error| self.network_error(&error, host))?;
        let status = response.status();
        let headers = response.headers().clone();
        let rate = answer::pace(status, &headers, Timestamp::now());
        self.budget().observe(rate);
        match answer::kind(status, &headers) {
            Kind::SignIn(how) => Err(AdoError::Unauthorized { area: call.route.area, how }),
            Kind::Redirect => Err(AdoError::Malformed { host: host.to_owned(), defect: Defect::Redirect }),
            Kind::Foreign => Err(AdoError::Malformed { host: host.to_owned(), defect: Defect::ForeignPage }),
            Kind::Failure(status) => {
                // What cannot be read of an error's body is left out: the status says enough.
                let body = read_body(response, MAX_ERROR_BODY).await.unwrap_or_default();
                Err(answer::failure(status, &headers, &body, rate, origin))
            }
            Kind::Success => {
                let limit = call.route.size.bytes().min(self.limits().max_answer);
                let body = read_body(response, limit).await.map_err(|error| match error {
                    BodyError::TooLarge => AdoError::TooLarge { host: host.to_owned(), limit },
                    BodyError::Cut => AdoError::Unavailable { host: host.to_owned(), outage: Outage::Cut },
                })?;
                drop(slot);
                Ok(Answer { value: answer::parse(&body, host)?, continuation: continuation(&headers) })
            }
        }
    }

    fn request(&self, call: &Call, url: &Url) -> Result<reqwest::RequestBuilder, AdoError> {
        let authorization = self.pat().authorization().ok_or(AdoError::InvalidName)?;
        let mut request = self
            .http()
            .client
            .request(call.route.method.method(), url.clone())
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(FED_AUTH_REDIRECT, HeaderValue::from_static("Suppress"));
        if let Some((media_type, body)) = &call.body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static(media_type)).body(body.clone());
        }
        Ok(request)
    }

    /// The place of a service, if requests may go there.
    pub(crate) fn locate(&self, service: Service) -> Result<ServiceBase, AdoError> {
        let config = self.http().transport.config();
        let base = config.hosts.locate(self.organization(), service);
        match config.policy.check(&base.host, base.port) {
            Ok(()) => Ok(base),
            Err(Refusal::DisallowedHost) => Err(AdoError::DisallowedHost { host: shown(&base) }),
            Err(Refusal::PrivateAddress) => Err(AdoError::PrivateAddress { host: shown(&base) }),
        }
    }

    /// The meaning of an error of the HTTP layer. Its own text is not passed on: it may hold addresses and URLs.
    fn network_error(&self, error: &reqwest::Error, host: &str) -> AdoError {
        let host = host.to_owned();
        if find::<Refusal>(error).is_some() {
            return AdoError::PrivateAddress { host };
        }
        if let Some(rustls::Error::InvalidCertificate(problem)) = find::<rustls::Error>(error) {
            // On the way to an https proxy there are two certificates, and the error does not tell whose it is.
            let proxy = self.http().proxy.as_ref().filter(|proxy| proxy.is_secure);
            let host = proxy.map_or(host.clone(), |proxy| format!("{host} or of proxy {}", proxy.name));
            return AdoError::Certificate { host, problem: certificate_problem(problem) };
        }
        if let Some(proxy) = self.http().proxy.as_ref().filter(|_| error.is_connect()) {
            return AdoError::Proxy { name: proxy.name.to_string(), host };
        }
        let outage = if error.is_dns() {
            Outage::Dns
        } else if error.is_connect() {
            Outage::Connect
        } else {
            Outage::Cut
        };
        AdoError::Unavailable { host, outage }
    }
}

/// How often a call may be repeated.
struct Repeats {
    outages: usize,
    refusals: usize,
    patience: Duration,
}

impl Repeats {
    /// Outages pass, a short pause is waited for by the budget, and a refusal may have been a slip; all else would be the same
    /// again.
    fn permit(&mut self, error: &AdoError) -> bool {
        let left = match error {
            AdoError::Unavailable { .. } => &mut self.outages,
            AdoError::Throttled { after } if *after <= self.patience => &mut self.outages,
            AdoError::Unauthorized { .. } => &mut self.refusals,
            _ => return false,
        };
        let is_permitted = *left > 0;
        *left = left.saturating_sub(1);
        is_permitted
    }
}

/// Tells logs and metrics how a request ended, even if its caller stopped waiting.
struct Record<'a> {
    client: &'a AdoClient,
    route: &'static Route,
    host: &'a str,
    started: Instant,
    outcome: Option<&'static str>,
}

impl Record<'_> {
    fn close(mut self, error: Option<&AdoError>) {
        self.outcome = Some(error.map_or("2xx", AdoError::reason));
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        let outcome = self.outcome.unwrap_or("Cancelled");
        let (method, route) = (self.route.method(), self.route.template);
        tracing::debug!(
            method,
            route,
            host = self.host,
            outcome,
            milliseconds = milliseconds(duration),
            "asked Azure DevOps"
        );
        let record = RequestRecord { service: self.route.service, method, route, outcome, duration };
        self.client.http().transport.config().observer.observed(&record);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The host as messages show it: with its port unless that is 443.
fn shown(base: &ServiceBase) -> String {
    if base.port == 443 { base.host.to_string() } else { format!("{}:{}", base.host, base.port) }
}

enum BodyError {
    TooLarge,
    Cut,
}

async fn read_body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > limit {
        return Err(BodyError::TooLarge);
    }
    // A server may announce more than it sends, so memory is taken as the body comes.
    let mut body = Vec::with_capacity(announced.min(FIRST_BUFFER));
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::Cut)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn continuation(headers: &HeaderMap) -> Option<String> {
    let token = headers.get(CONTINUATION_TOKEN)?.to_str().ok()?.trim();
    (!token.is_empty() && token.len() <= MAX_TOKEN).then(|| token.to_owned())
}

fn certificate_problem(error: &rustls::CertificateError) -> CertificateProblem {
    use rustls::CertificateError as E;
    match error {
        // A known CA of the same name with another key shows as a bad signature.
        E::UnknownIssuer | E::BadSignature => CertificateProblem::UnknownIssuer,
        E::NotValidForName | E::NotValidForNameContext { .. } => CertificateProblem::WrongName,
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            CertificateProblem::NotInForce
        }
        _ => CertificateProblem::Invalid,
    }
}

/// The first error of type `T` in a chain of causes. An `io::Error` hides the error that it wraps from `source()`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        current = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_within_an_io_error_is_found() {
        let inner = io::Error::other(io::Error::other(Refusal::PrivateAddress));
        assert_eq!(find::<Refusal>(&inner), Some(&Refusal::PrivateAddress));
        assert!(find::<Refusal>(&io::Error::from(io::ErrorKind::NotFound)).is_none());
    }
}

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
use super::observer::Record;
use super::route::Call;
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

/// A call on its way.
struct Errand<'a> {
    call: &'a Call,
    url: Url,
    host: String,
    /// When the answer must have come, or where it is read as it comes, have begun.
    deadline: Instant,
}

/// A successful answer whose body is still to be read. The right to the request is held until then.
pub(crate) struct Opened {
    pub(crate) response: reqwest::Response,
    pub(crate) slot: Slot,
    pub(crate) record: Record,
    pub(crate) host: String,
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
        let errand = self.errand(&call)?;
        self.repeated(&errand, || self.attempt(&errand)).await
    }

    /// Sends a call and leaves its answer's body to be read. Until the answer begins, all is as with [`send`](Self::send);
    /// then the caller minds size and time.
    pub(crate) async fn begin(&self, call: Call) -> Result<Opened, AdoError> {
        let errand = self.errand(&call)?;
        self.repeated(&errand, || self.open(&errand)).await
    }

    fn errand<'a>(&self, call: &'a Call) -> Result<Errand<'a>, AdoError> {
        let base = self.locate(call.route.service)?;
        let url = call.url(&base, &self.limits().api_version)?;
        Ok(Errand { call, url, host: shown(&base), deadline: Instant::now() + self.limits().deadline })
    }

    /// Takes a step until it succeeds, fails for good, or the errand's time is over.
    async fn repeated<T, F: Future<Output = Result<T, AdoError>>>(
        &self,
        errand: &Errand<'_>,
        step: impl FnMut() -> F,
    ) -> Result<T, AdoError> {
        let route = errand.call.route;
        let mut repeats = Repeats {
            outages: if route.repeatable { self.limits().retries } else { 0 },
            refusals: usize::from(route.confirmed),
            patience: self.patience(),
        };
        let tries = ExponentialBuilder::default()
            .with_min_delay(self.limits().retry_delay)
            .with_max_times(repeats.outages + repeats.refusals)
            .with_jitter();
        let all = step.retry(tries).sleep(tokio::time::sleep).when(|error| repeats.permit(error));
        match tokio::time::timeout_at(errand.deadline, all).await {
            Ok(result) => result,
            Err(_) => Err(AdoError::Deadline { host: errand.host.clone(), after: self.limits().deadline }),
        }
    }

    async fn attempt<T: DeserializeOwned>(&self, errand: &Errand<'_>) -> Result<Answer<T>, AdoError> {
        let Opened { response, slot, record, host } = self.open(errand).await?;
        let continuation = continuation(response.headers());
        let limit = errand.call.route.size.bytes().min(self.limits().max_answer);
        let result = match read_body(response, limit).await {
            Ok(body) => {
                drop(slot);
                answer::parse(&body, &host)
            }
            Err(BodyError::TooLarge) => Err(AdoError::TooLarge { host, limit }),
            Err(BodyError::Cut) => Err(AdoError::Unavailable { host, outage: Outage::Cut }),
        };
        record.close(result.as_ref().err());
        Ok(Answer { value: result?, continuation })
    }

    /// Sends a request in its turn. Its body is still to be read when this is a success.
    async fn open(&self, errand: &Errand<'_>) -> Result<Opened, AdoError> {
        let patience = Patience { deadline: errand.deadline, pause: self.patience() };
        let slot = self.budget().acquire(self.priority(), patience).await?;
        let record = Record::new(self, errand.call.route, &errand.host);
        match self.exchange(errand).await {
            Ok(response) => Ok(Opened { response, slot, record, host: errand.host.clone() }),
            Err(error) => {
                record.close(Some(&error));
                Err(error)
            }
        }
    }

    async fn exchange(&self, errand: &Errand<'_>) -> Result<reqwest::Response, AdoError> {
        let Errand { call, url, host, .. } = errand;
        let response = self.request(call, url)?.send().await.map_err(|error| self.network_error(&error, host))?;
        let status = response.status();
        let rate = answer::pace(status, response.headers(), Timestamp::now());
        self.budget().observe(rate);
        match answer::kind(status, response.headers()) {
            Kind::Success => Ok(response),
            Kind::SignIn(how) => Err(AdoError::Unauthorized { area: call.route.area, how }),
            Kind::Redirect => Err(AdoError::Malformed { host: host.clone(), defect: Defect::Redirect }),
            Kind::Foreign => Err(AdoError::Malformed { host: host.clone(), defect: Defect::ForeignPage }),
            Kind::Failure(status) => {
                let headers = response.headers().clone();
                // What cannot be read of an error's body is left out: the status says enough.
                let body = read_body(response, MAX_ERROR_BODY).await.unwrap_or_default();
                Err(answer::failure(status, &headers, &body, rate, Origin { host, pat: self.pat() }))
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

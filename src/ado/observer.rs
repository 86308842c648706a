//! What is told to logs and metrics about each request, without this layer knowing them.

use std::time::Duration;

use tokio::time::Instant;

use super::client::AdoClient;
use super::error::AdoError;
use super::route::Route;
use super::service::Service;

/// One request that was sent, or was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRecord {
    /// The service asked.
    pub service: Service,
    /// The HTTP method.
    pub method: &'static str,
    /// The path with its variable parts left open: one of [`ROUTES`](super::ROUTES).
    pub route: &'static str,
    /// How it ended: `2xx`, or the reason of the error. From a closed set.
    pub outcome: &'static str,
    /// From the turn in the budget until the answer was read.
    pub duration: Duration,
}

/// Told about each request.
pub trait RequestObserver: Send + Sync {
    /// Called when a request ended; must not block.
    fn observed(&self, record: &RequestRecord);
}

/// Tells nobody.
impl RequestObserver for () {
    fn observed(&self, _: &RequestRecord) {}
}

/// Tells logs and metrics how a request ended, even if its caller stopped waiting.
#[derive(Debug)]
pub(crate) struct Record {
    client: AdoClient,
    route: &'static Route,
    host: String,
    started: Instant,
    outcome: Option<&'static str>,
}

impl Record {
    pub(crate) fn new(client: &AdoClient, route: &'static Route, host: &str) -> Self {
        Self { client: client.clone(), route, host: host.to_owned(), started: Instant::now(), outcome: None }
    }

    pub(crate) fn close(mut self, error: Option<&AdoError>) {
        self.outcome = Some(error.map_or("2xx", AdoError::reason));
    }
}

impl Drop for Record {
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

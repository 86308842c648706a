//! What is told to the metrics about each request, without this layer knowing them.

use std::time::Duration;

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

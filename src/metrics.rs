//! What the operator counts. Label values come from closed sets only: no name, no error text, no token.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::ado::{RequestObserver, RequestRecord};

/// A label value out of a closed set.
type Word = &'static str;

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ReconcileLabels {
    kind: Word,
    outcome: Word,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct KindLabels {
    kind: Word,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    service: Word,
    route: Word,
    outcome: Word,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ServiceLabels {
    service: Word,
}

/// Handles of all metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ReconcileLabels, Counter>,
    reconcile_seconds: Family<KindLabels, Histogram>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<ServiceLabels, Histogram>,
    store_bytes: Gauge,
    leader: Gauge,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 15))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ado_operator");
        let metrics = Self {
            registry: Arc::default(),
            reconciles: Family::default(),
            reconcile_seconds: Family::new_with_constructor(seconds),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            store_bytes: Gauge::default(),
            leader: Gauge::default(),
        };
        registry.register("reconciles", "Reconciles by kind and outcome", metrics.reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "Time of a reconcile by kind",
            Unit::Seconds,
            metrics.reconcile_seconds.clone(),
        );
        registry.register("ado_requests", "Requests to Azure DevOps", metrics.requests.clone());
        registry.register_with_unit(
            "ado_request_duration",
            "Time of a request to Azure DevOps, its turn in the budget included",
            Unit::Seconds,
            metrics.request_seconds.clone(),
        );
        registry.register_with_unit("store_size", "Size of the database", Unit::Bytes, metrics.store_bytes.clone());
        registry.register("leader", "1 while this replica leads", metrics.leader.clone());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    /// Counts a reconcile. `outcome` is `ok` or the reason of its error.
    pub fn reconciled(&self, kind: Word, outcome: Word, duration: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { kind, outcome }).inc();
        self.reconcile_seconds.get_or_create(&KindLabels { kind }).observe(duration.as_secs_f64());
    }

    /// Notes the size of the database.
    pub fn store_size(&self, bytes: u64) {
        self.store_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Notes whether this replica leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// All metrics in the `OpenMetrics` text format.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl RequestObserver for Metrics {
    fn observed(&self, record: &RequestRecord) {
        let service = record.service.as_str();
        let labels = RequestLabels { service, route: record.route, outcome: record.outcome };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&ServiceLabels { service }).observe(record.duration.as_secs_f64());
    }
}

//! What was asked and answered: counts, a bounded log of requests, and violations of strictness.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Violations kept in full; beyond that only their number grows.
const VIOLATION_LIMIT: usize = 1_000;

/// Why a request violates strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ViolationKind {
    /// No operation has this path.
    UnknownPath,
    /// The path exists, the method does not.
    UnknownMethod,
    /// A query parameter that the operation does not have.
    UnknownParameter,
    /// A query parameter with a value outside its type or enumeration.
    InvalidParameter,
    /// A required query parameter is absent.
    MissingParameter,
    /// `api-version` is absent, unknown, or lacks the preview flag.
    ApiVersion,
    /// The content type is not one that the operation consumes.
    ContentType,
    /// A body that is missing, not JSON, or does not fit its schema.
    Body,
    /// Known to the specification, not built here (answered 501).
    NotImplemented,
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// What kind it is.
    pub kind: ViolationKind,
    /// The request's method.
    pub method: String,
    /// The request's path with its query, as received.
    pub target: String,
    /// What was wrong, in words.
    pub detail: String,
}

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Position since the start, from 1; never reset, so a test can ask for what came later.
    pub sequence: u64,
    /// Milliseconds since the simulator's start.
    pub at_ms: u64,
    /// The method.
    pub method: String,
    /// Path and query as received (tokens never stand in URLs).
    pub target: String,
    /// The route template of the specification, empty where none matched.
    pub route: String,
    /// The status answered; 0 where the connection was reset instead.
    pub status: u16,
    /// The identity that the credential belonged to, if it was accepted.
    pub identity: Option<Uuid>,
    /// The label of the token (such as `read_only`), never the token.
    pub pat: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
}

/// How often a route was called with which result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCount {
    /// The method.
    pub method: String,
    /// The route template; empty for requests that matched none.
    pub route: String,
    /// The status answered.
    pub status: u16,
    /// Number of requests.
    pub count: u64,
}

/// The record of everything since the start or the last reset.
#[derive(Debug)]
pub(crate) struct Journal {
    limit: usize,
    sequence: u64,
    requests: VecDeque<RequestRecord>,
    counts: BTreeMap<(String, String, u16), u64>,
    violations: Vec<Violation>,
    violation_count: u64,
}

impl Journal {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            sequence: 0,
            requests: VecDeque::new(),
            counts: BTreeMap::new(),
            violations: Vec::new(),
            violation_count: 0,
        }
    }

    /// Adds a request; its sequence number is given here.
    pub fn record(&mut self, mut request: RequestRecord) {
        self.sequence += 1;
        request.sequence = self.sequence;
        let key = (request.method.clone(), request.route.clone(), request.status);
        *self.counts.entry(key).or_default() += 1;
        if self.limit == 0 {
            return;
        }
        if self.requests.len() >= self.limit {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }

    pub fn violate(&mut self, violation: Violation) {
        self.violation_count += 1;
        if self.violations.len() < VIOLATION_LIMIT {
            self.violations.push(violation);
        }
    }

    /// Forgets counts, requests and violations; the sequence goes on.
    pub fn reset(&mut self) {
        self.requests.clear();
        self.counts.clear();
        self.violations.clear();
        self.violation_count = 0;
    }

    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Requests after `sequence`, oldest first, as far as they are still kept.
    pub fn since(&self, sequence: u64) -> Vec<RequestRecord> {
        self.requests.iter().filter(|request| request.sequence > sequence).cloned().collect()
    }

    pub fn counts(&self) -> Vec<RequestCount> {
        let rows = self.counts.iter();
        rows.map(|((method, route, status), count)| RequestCount {
            method: method.clone(),
            route: route.clone(),
            status: *status,
            count: *count,
        })
        .collect()
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub fn violations(&self) -> (u64, Vec<Violation>) {
        (self.violation_count, self.violations.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(route: &str) -> RequestRecord {
        RequestRecord {
            sequence: 0,
            at_ms: 0,
            method: "GET".to_owned(),
            target: "/contoso".to_owned(),
            route: route.to_owned(),
            status: 200,
            identity: None,
            pat: None,
            user_agent: None,
        }
    }

    #[test]
    fn the_log_is_bounded_and_the_counts_are_not() {
        let mut journal = Journal::new(2);
        for _ in 0..5 {
            journal.record(request("/a"));
        }
        assert_eq!(journal.since(0).iter().map(|r| r.sequence).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((journal.total(), journal.counts().len()), (5, 1));
        journal.reset();
        journal.record(request("/b"));
        assert_eq!(journal.since(5).len(), 1);
    }
}

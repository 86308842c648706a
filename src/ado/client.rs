//! The client: one per integration, cheap to clone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::budget::BudgetHandle;
use super::credential::Pat;
use super::error::AdoError;
use super::organization::OrganizationUrl;
use super::pace::Priority;
use super::service::Service;
use super::transport::Http;

/// Limits of a client's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest time for one call in all: its turn in the budget, every try, the answer (only its beginning where that is
    /// read as it comes). At least 100 s outside of
    /// tests, since the service delays requests by up to 30 s and answers them all the same (`ado-api.md` §4).
    pub deadline: Duration,
    /// How often a call that only reads is repeated after an outage.
    pub retries: usize,
    /// Pause before the first repetition; it doubles each time, with jitter.
    pub retry_delay: Duration,
    /// Longest pause asked for by the service that is waited for within a call. A longer one, or one that is in force
    /// before the call, ends it with [`AdoError::Throttled`] at once.
    pub patience: Duration,
    /// Largest answer in bytes, below the limit that each call has of its own; of an answer that is read as it comes, the
    /// largest element.
    pub max_answer: usize,
    /// Longest time between two parts of an answer that is read as it comes. Its first part has the whole deadline.
    pub idle: Duration,
    /// Longest time in all that such an answer is waited for. Time that its reader takes does not count.
    pub streaming: Duration,
    /// REST API version: `7.1` on the cloud, `7.0` on Azure DevOps Server 2022.
    pub api_version: Arc<str>,
}

impl Limits {
    /// The same with the REST API version of servers, where the organization is on one.
    #[must_use]
    pub fn for_organization(self, organization: &OrganizationUrl, server_api_version: &str) -> Self {
        if organization.is_cloud() { self } else { Self { api_version: server_api_version.into(), ..self } }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_mins(2),
            retries: 2,
            retry_delay: Duration::from_millis(500),
            patience: Duration::from_secs(30),
            max_answer: 32 << 20,
            idle: Duration::from_mins(1),
            streaming: Duration::from_mins(30),
            api_version: "7.1".into(),
        }
    }
}

struct Inner {
    http: Http,
    organization: OrganizationUrl,
    pat: Pat,
    budget: BudgetHandle,
    limits: Limits,
}

/// A client of one organization's REST API under one credential. Cheap to clone.
#[derive(Clone)]
pub struct AdoClient {
    inner: Arc<Inner>,
    priority: Priority,
    patience: Duration,
}

impl AdoClient {
    /// A client with [`Priority::User`]. Nothing is sent yet; an organization whose host is not permitted is refused
    /// here ([`AdoError::DisallowedHost`], [`AdoError::PrivateAddress`]).
    pub fn new(
        http: Http,
        organization: OrganizationUrl,
        pat: Pat,
        budget: BudgetHandle,
        limits: Limits,
    ) -> Result<Self, AdoError> {
        let (priority, patience) = (Priority::User, limits.patience);
        let client = Self { inner: Arc::new(Inner { http, organization, pat, budget, limits }), priority, patience };
        client.locate(Service::Core)?;
        Ok(client)
    }

    /// The same client for requests of another priority.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self { priority, ..self.clone() }
    }

    /// The same client for work that cannot be taken up again where it stopped: it waits for every pause that ends before
    /// the deadline of its call.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self { patience: self.limits().deadline, ..self.clone() }
    }

    /// The organization that is asked.
    #[must_use]
    pub fn organization(&self) -> &OrganizationUrl {
        &self.inner.organization
    }

    /// The budget that the client's requests draw on.
    #[must_use]
    pub fn budget(&self) -> &BudgetHandle {
        &self.inner.budget
    }

    /// The priority of the client's requests.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(crate) fn pat(&self) -> &Pat {
        &self.inner.pat
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

impl fmt::Debug for AdoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdoClient")
            .field("organization", &self.organization().as_str())
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

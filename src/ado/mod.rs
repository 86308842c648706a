//! The Azure DevOps REST client. Imports nothing else of ours; everything goes through `request.rs`.

mod analytics;
mod answer;
mod budget;
mod client;
mod connection;
mod credential;
mod elements;
mod entitlements;
mod error;
mod guard;
mod hooks;
pub mod model;
mod nodes;
mod observer;
mod organization;
mod pace;
mod page;
mod places;
mod processes;
mod projects;
pub mod reasons;
mod reporting;
mod repositories;
mod request;
mod route;
mod security;
mod service;
mod test_management;
mod text;
mod transport;
mod work_items;

pub use budget::{BudgetHandle, Budgets, MAX_PARALLEL, Place};
pub use client::{AdoClient, Limits};
pub use credential::{Fingerprint, Pat, PatError};
pub use error::{AdoError, CertificateProblem, Defect, ErrorClass, Outage, Retry, ServiceMessage, SignIn};
pub use guard::{AllowedHost, HostPolicy, Refusal, is_globally_reachable};
pub use observer::{RequestObserver, RequestRecord};
pub use organization::{OrganizationUrl, OrganizationUrlError, UrlProblem};
pub use pace::Priority;
pub use page::{Fed, FeedToken, InvalidToken, MAX_ELEMENT, Page, PageEnd};
pub use places::Caller;
pub use reporting::{FeedStart, RevisionsQuery};
pub use route::Route;
pub use service::{InvalidHost, InvalidServiceHost, NamedServiceHost, Service, ServiceHost, ServiceHosts};
pub use transport::{
    AddressLookup, CaBundle, CaBundleError, Http, InvalidProxy, Lookup, NamedProxy, SystemLookup, Transport,
    TransportConfig,
};
pub use work_items::{MAX_BATCH, Wiql};

/// Every operation that this client can send: the values of the label `route` in metrics.
pub static ROUTES: [&Route; 33] = [
    &connection::CONNECTION_DATA,
    &projects::PROJECTS,
    &projects::PROJECT,
    &projects::TEAMS,
    &projects::TEAM,
    &processes::TYPES,
    &processes::CATEGORIES,
    &processes::PROJECT_BACKLOGS,
    &processes::TEAM_BACKLOGS,
    &processes::TYPE_FIELDS,
    &processes::TYPE_FIELD,
    &processes::FIELDS,
    &nodes::ITERATIONS,
    &nodes::NODES,
    &nodes::TEAM_ITERATIONS,
    &work_items::WIQL,
    &work_items::BATCH,
    &work_items::BATCH_ANYWHERE,
    &work_items::RECYCLE_BIN,
    &work_items::CREATE,
    &work_items::UPDATE,
    &reporting::REVISIONS,
    &reporting::LINKS,
    &security::NAMESPACES,
    &security::EVALUATE,
    &repositories::PROJECT_REPOSITORIES,
    &repositories::REPOSITORIES,
    &test_management::RUNS,
    &test_management::POINTS,
    &test_management::PLANS,
    &hooks::EVENT_TYPES,
    &analytics::WORK_ITEMS,
    &entitlements::ENTITLEMENT,
];

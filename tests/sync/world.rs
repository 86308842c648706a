//! A simulated Azure DevOps, asked by the operator's client and, past all of its code, by a plain one.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ado_operator::ado::{
    AddressLookup, AdoClient, AllowedHost, Budgets, CaBundle, HostPolicy, Limits, Lookup, OrganizationUrl, Pat,
    Transport, TransportConfig,
};
use ado_simulator::{Control, Fault, Options, Simulator};
use reqwest::{Certificate, Client};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// Label of the token that the operator has.
pub const OPERATOR: &str = "operator under test";

/// Label of the token that is asked with past the operator: what goes wrong strikes the operator alone.
pub const ONLOOKER: &str = "full";

/// A simulator, and the operator's way to it.
pub struct World {
    simulator: Simulator,
    access: Access,
    operator: Uuid,
}

/// The way to a simulator of this process or another one.
#[derive(Clone)]
pub struct Access {
    /// URL of the organization.
    pub url: String,
    /// The authority to trust, as PEM.
    pub ca: String,
    /// The token.
    pub pat: String,
}

/// Resolves every name to the loopback.
struct Loopback;

impl AddressLookup for Loopback {
    fn lookup(&self, _: String) -> Lookup {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
    }
}

impl World {
    /// A simulator whose items are all in one project.
    pub async fn new(project: &str, items: u32) -> Self {
        Self::with(Options { items, items_in: Some(project.to_owned()), ..Options::default() }).await
    }

    /// Any simulator.
    pub async fn with(options: Options) -> Self {
        support::install_crypto();
        let simulator = Simulator::start(options).await.unwrap();
        let operator = simulator.create_pat(OPERATOR, &[]).unwrap();
        let access = Access { url: simulator.url(), ca: simulator.ca_pem().to_owned(), pat: operator.token };
        Self { simulator, access, operator: operator.identity }
    }

    /// What may be done to the simulator.
    pub fn control(&self) -> &Control {
        &self.simulator
    }

    /// The operator's way to it.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// A client without any code of the operator's.
    pub fn plain(&self) -> Plain {
        let ca = Certificate::from_pem(self.access.ca.as_bytes()).unwrap();
        let http = Client::builder().tls_certs_only([ca]).build().unwrap();
        Plain { http, access: Access { pat: self.simulator.pat(ONLOOKER).unwrap(), ..self.access.clone() } }
    }

    /// Adds a fault that strikes the operator.
    pub fn add_fault(&self, fault: Fault) {
        self.simulator.add_fault(fault.identity(self.operator));
    }

    /// Nothing was asked that the service's description does not know.
    pub fn assert_clean(&self) {
        assert_eq!(self.simulator.violation_count(), 0, "{:#?}", self.simulator.violations());
    }
}

impl Access {
    /// The operator's client, with a budget of its own: what an earlier one was told to wait for is forgotten.
    pub fn client(&self) -> AdoClient {
        let organization = OrganizationUrl::parse(&self.url).unwrap();
        let port = Url::parse(&self.url).unwrap().port().unwrap();
        let config = TransportConfig {
            policy: HostPolicy::new(vec![AllowedHost::parse(&format!("localhost:{port}")).unwrap()]),
            lookup: Arc::new(Loopback),
            ..TransportConfig::default()
        };
        let ca = CaBundle::parse(self.ca.as_bytes()).unwrap();
        let http = Transport::new(config).http(Some(&ca), None).unwrap();
        let pat = Pat::from_bytes(self.pat.as_bytes()).unwrap();
        let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
        let limits =
            Limits { deadline: Duration::from_secs(30), retry_delay: Duration::from_millis(1), ..Limits::default() };
        AdoClient::new(http, organization, pat, budget, limits).unwrap()
    }
}

/// A client without any code of the operator's.
pub struct Plain {
    http: Client,
    access: Access,
}

impl Plain {
    /// The answer to a GET below the organization, whose path is given by its segments.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Value {
        self.answer(self.http.get(self.url(path, query))).await
    }

    /// The same with a body.
    pub async fn post(&self, path: &[&str], query: &[(&str, &str)], body: &Value) -> Value {
        self.answer(self.http.post(self.url(path, query)).json(body)).await
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = Url::parse(&self.access.url).unwrap();
        url.path_segments_mut().unwrap().extend(path);
        url.query_pairs_mut().extend_pairs(query).append_pair("api-version", "7.1");
        url
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.basic_auth("", Some(&self.access.pat)).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

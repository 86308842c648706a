//! A simulator with a client of ours, and what every probe must leave as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use ado_operator::ado::{
    AdoClient, AdoError, AllowedHost, Budgets, CaBundle, HostPolicy, Limits, OrganizationUrl, Pat, Transport,
    TransportConfig,
};
use ado_operator::api::{Availability, Service};
use ado_operator::domain::features::Permission;
use ado_operator::sync::probe::{ProbeReport, ProbeRequest, probe};
use ado_simulator::{Options, Simulator};

/// Limits under which a test needs no patience; the deadline is long enough for a busy machine.
fn limits(deadline: Duration) -> Limits {
    let retry_delay = Duration::from_millis(1);
    Limits { deadline, retries: 0, retry_delay, patience: Duration::ZERO, ..Limits::default() }
}

/// A running simulator.
pub struct Bench {
    pub simulator: Simulator,
    transport: Transport,
    before: Snapshot,
}

/// What is stored in the simulator, without its clock.
#[derive(Debug, PartialEq)]
struct Snapshot {
    organizations: String,
    items: BTreeMap<String, String>,
}

impl Bench {
    pub async fn start() -> Self {
        Self::with_items(60).await
    }

    pub async fn with_items(items: u32) -> Self {
        let simulator = Simulator::start(Options { items, ..Options::default() }).await.expect("the simulator starts");
        let allowed = AllowedHost::parse(&host(&simulator)).expect("a host");
        let policy = HostPolicy::new(vec![allowed]);
        let transport = Transport::new(TransportConfig { policy, ..TransportConfig::default() });
        let before = snapshot(&simulator);
        Self { simulator, transport, before }
    }

    /// Takes the present state for that from which nothing may move, after a test changed it on purpose.
    pub fn mark(&mut self) {
        self.before = snapshot(&self.simulator);
    }

    pub fn client_of(&self, organization: &str, label: &str) -> AdoClient {
        self.client_within(Duration::from_secs(30), organization, label)
    }

    /// A client that gives each request so long.
    pub fn client_within(&self, deadline: Duration, organization: &str, label: &str) -> AdoClient {
        let url = self.simulator.organization_url(organization);
        let organization = OrganizationUrl::parse(&url).expect("a URL");
        let token = self.simulator.pat(label).expect("a token of that label");
        let pat = Pat::from_bytes(token.as_bytes()).expect("a token");
        let ca = CaBundle::parse(self.simulator.ca_pem().as_bytes()).expect("a CA");
        let http = self.transport.http(Some(&ca), None).expect("an HTTP client");
        let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
        AdoClient::new(http, organization, pat, budget, limits(deadline)).expect("a permitted host")
    }

    pub async fn try_probe(&self, label: &str, request: &ProbeRequest) -> Result<ProbeReport, AdoError> {
        probe(&self.client_of("contoso", label), request).await
    }

    pub async fn probe_with(&self, label: &str, request: &ProbeRequest) -> ProbeReport {
        self.try_probe(label, request).await.expect("connectionData answers")
    }

    /// Probes as an integration with both services would that names Payments.
    pub async fn probe(&self, label: &str) -> ProbeReport {
        self.probe_with(label, &self.on("Payments")).await
    }

    /// A request about a project of contoso.
    pub fn on(&self, project: &str) -> ProbeRequest {
        let id = self.simulator.project(project).expect("a project").id;
        let services = vec![Service::AzureDevOps, Service::AzureRepos];
        ProbeRequest { services, project: id.to_string().parse().ok(), ..ProbeRequest::default() }
    }

    /// Asserts that nothing was changed by what was done, and that the simulator had nothing to complain about.
    pub fn assert_untouched(&self) {
        assert_eq!(snapshot(&self.simulator), self.before);
        assert_eq!(self.simulator.violation_count(), 0, "{:#?}", self.simulator.violations());
    }
}

/// `localhost:PORT`.
pub fn host(simulator: &Simulator) -> String {
    format!("localhost:{}", simulator.address().port())
}

fn snapshot(simulator: &Simulator) -> Snapshot {
    let state = simulator.state();
    let projects =
        state.organizations.iter().find(|organization| organization.name == "contoso").map(|it| &it.projects);
    let items = |name: &String| format!("{:?}", simulator.work_items(name).expect("work items"));
    Snapshot {
        organizations: format!("{:?}", state.organizations),
        items: projects.into_iter().flatten().map(|project| (project.name.clone(), items(&project.name))).collect(),
    }
}

/// One letter for each feature in its order: T, F or U.
pub fn letters(report: &ProbeReport) -> String {
    report.features.iter().map(|verdict| letter(verdict.available)).collect()
}

/// T, F or U.
pub fn letter(answer: Availability) -> char {
    match answer {
        Availability::True => 'T',
        Availability::False => 'F',
        Availability::Unknown => 'U',
    }
}

/// One letter for each permission in its order; `-` for what was not asked.
pub fn permission_letters(report: &ProbeReport) -> String {
    let of = |permission| report.findings.get(permission).map_or('-', |finding| letter(finding.answer));
    Permission::ALL.into_iter().map(of).collect()
}

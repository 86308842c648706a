//! A simulator with a client for each of its tokens.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ado_operator::ado::model::{ProjectId, WorkItemId};
use ado_operator::ado::{
    AddressLookup, AdoClient, AllowedHost, Budgets, CaBundle, HostPolicy, Limits, Lookup, OrganizationUrl, Pat,
    RequestObserver, RequestRecord, Transport, TransportConfig,
};
use ado_simulator::{Fault, Options, Simulator};
use tracing_subscriber::fmt::MakeWriter;

/// Limits that let a test of retries and deadlines end soon.
pub fn limits() -> Limits {
    Limits { deadline: Duration::from_secs(30), retry_delay: Duration::from_millis(1), ..Limits::default() }
}

/// All that this binary logs, at trace level. One for the process: a subscriber per test would miss what another test's
/// thread registered first.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn get() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let subscriber =
                tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
            tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
            log
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("unpoisoned")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Keeps what the client tells about its requests.
#[derive(Default)]
pub struct Records(Mutex<Vec<RequestRecord>>);

impl RequestObserver for Records {
    fn observed(&self, record: &RequestRecord) {
        self.0.lock().expect("unpoisoned").push(*record);
    }
}

impl Records {
    pub fn all(&self) -> Vec<RequestRecord> {
        self.0.lock().expect("unpoisoned").clone()
    }
}

/// Resolves every name to the given addresses.
pub struct Fixed(pub Vec<IpAddr>);

impl AddressLookup for Fixed {
    fn lookup(&self, _: String) -> Lookup {
        let addresses = self.0.clone();
        Box::pin(async move { Ok(addresses) })
    }
}

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub struct World {
    pub simulator: Simulator,
    pub records: Arc<Records>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Options { items: 30, ..Options::default() }).await
    }

    pub async fn with(options: Options) -> Self {
        Log::get();
        let simulator = Simulator::start(options).await.expect("the simulator starts");
        Self { simulator, records: Arc::default() }
    }

    pub fn port(&self) -> u16 {
        self.simulator.address().port()
    }

    /// The simulator's host and port as `--allowed-host` takes them.
    pub fn allowed(&self) -> AllowedHost {
        AllowedHost::parse(&format!("localhost:{}", self.port())).expect("a host")
    }

    pub fn config(&self) -> TransportConfig {
        TransportConfig {
            policy: HostPolicy::new(vec![self.allowed()]),
            observer: Arc::clone(&self.records) as Arc<dyn RequestObserver>,
            lookup: Arc::new(Fixed(vec![LOOPBACK])),
            ..TransportConfig::default()
        }
    }

    pub fn ca(&self) -> CaBundle {
        CaBundle::parse(self.simulator.ca_pem().as_bytes()).expect("the simulator's CA")
    }

    pub fn organization(&self) -> OrganizationUrl {
        OrganizationUrl::parse(&self.simulator.url()).expect("the simulator's URL")
    }

    pub fn pat(&self, label: &str) -> Pat {
        Pat::from_bytes(self.simulator.pat(label).expect("a label").as_bytes()).expect("a token")
    }

    /// A client with a budget of its own, so that one test's pauses are not another's.
    pub fn client(&self, label: &str) -> AdoClient {
        self.client_with(label, limits())
    }

    pub fn client_with(&self, label: &str, limits: Limits) -> AdoClient {
        self.client_of(self.config(), self.organization(), label, limits)
    }

    pub fn client_of(
        &self,
        config: TransportConfig,
        organization: OrganizationUrl,
        label: &str,
        limits: Limits,
    ) -> AdoClient {
        let http = Transport::new(config).http(Some(&self.ca()), None).expect("a client");
        let pat = self.pat(label);
        let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
        AdoClient::new(http, organization, pat, budget, limits).expect("a permitted host")
    }

    /// Adds a fault that strikes until it is removed, runs `step`, removes it, and tells how often it struck.
    pub async fn during<T>(&self, fault: Fault, step: impl Future<Output = T>) -> (T, u64) {
        let before = self.simulator.last_request();
        let id = self.simulator.add_fault(fault);
        let result = step.await;
        self.simulator.remove_fault(id);
        let sent = self.simulator.requests_since(before).len();
        (result, u64::try_from(sent).expect("few"))
    }

    /// Nothing was asked that the service's description does not know.
    pub fn assert_clean(&self) {
        assert_eq!(self.simulator.violation_count(), 0, "{:#?}", self.simulator.violations());
    }
}

pub async fn project(client: &AdoClient, name: &str) -> ProjectId {
    client.project(name).await.expect("the project").id
}

pub async fn first_item(client: &AdoClient, project: &ProjectId) -> WorkItemId {
    let found = client.query_ids(project, &ado_operator::ado::Wiql::new(), 1).await.expect("a query");
    *found.ids.first().expect("an item")
}

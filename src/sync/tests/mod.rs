//! Reads of the simulator into each kind of database.

mod hostile;
mod pages;

use std::collections::BTreeMap;
use std::time::Duration;

use ado_simulator::{Effect, Fault, Options, Simulator};
use futures::FutureExt as _;
use serde_json::{Map, Value};

use super::SyncError;
use super::feeds::{Extent, FeedRead};
use super::fields::wanted;
use super::pull::PullReport;
use super::reading::Reading;
use crate::ado::model::ProjectId;
use crate::ado::{
    AdoClient, AdoError, AllowedHost, Budgets, CaBundle, HostPolicy, Limits, OrganizationUrl, Pat, Transport,
    TransportConfig,
};
use crate::store::testing::TestStore;
use crate::store::{Feed, Scope, SetAsideReason};

const REVISIONS: &str = "*/_apis/wit/reporting/workitemrevisions";
const BATCHES: &str = "*/_apis/wit/workitemsbatch";
const DESCRIPTION: &str = "System.Description";

/// A project that is read into a store.
struct World {
    ado: Simulator,
    store: TestStore,
    client: AdoClient,
    scope: Scope,
    project: ProjectId,
    fields: Vec<String>,
}

/// Limits with which a failure is soon told.
fn limits() -> Limits {
    Limits { deadline: Duration::from_secs(30), retry_delay: Duration::from_millis(1), ..Limits::default() }
}

fn client(ado: &Simulator, limits: Limits) -> AdoClient {
    let allowed = AllowedHost::parse(&format!("localhost:{}", ado.address().port())).unwrap();
    let config = TransportConfig { policy: HostPolicy::new(vec![allowed]), ..TransportConfig::default() };
    let ca = CaBundle::parse(ado.ca_pem().as_bytes()).unwrap();
    let organization = OrganizationUrl::parse(&ado.url()).unwrap();
    let pat = Pat::from_bytes(ado.pat("full").unwrap().as_bytes()).unwrap();
    let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
    let http = Transport::new(config).http(Some(&ca), None).unwrap();
    AdoClient::new(http, organization, pat, budget, limits).unwrap()
}

impl World {
    /// Payments with so many items, for each kind of database.
    async fn each(items: u32) -> Vec<Self> {
        let mut worlds = Vec::new();
        for store in TestStore::each().await {
            let options = Options { items, items_in: Some("Payments".into()), ..Options::default() };
            let ado = Simulator::start(options).await.unwrap();
            let client = client(&ado, limits());
            let project = client.project("Payments").await.unwrap().id;
            let fields = wanted(&client.organization_fields().await.unwrap());
            let scope = store.scope("contoso", 1).await;
            worlds.push(Self { ado, store, client, scope, project, fields });
        }
        worlds
    }

    /// The same with other limits of its client.
    fn with(self, limits: Limits) -> Self {
        Self { client: client(&self.ado, limits), ..self }
    }

    fn reading(&self) -> Reading<'_> {
        let Self { client, store, scope, project, fields, .. } = self;
        Reading { client, store, scope: *scope, project: *project, fields, permitted: &|| async { true }.boxed() }
    }

    /// Reads what changed.
    async fn read(&self) -> Result<PullReport, SyncError> {
        let (reading, mut report) = (self.reading(), PullReport::default());
        let extent = FeedRead(reading).run(false, &mut report).await?;
        assert!(matches!(extent, Some(Extent::Changes | Extent::Everything { .. })), "{extent:?}");
        Ok(report)
    }

    /// All that is stored of present items: fields and long texts.
    async fn stored(&self) -> BTreeMap<u32, (Map<String, Value>, Map<String, Value>)> {
        let mut stored = BTreeMap::new();
        let object = |text: &str| serde_json::from_str(text).unwrap();
        for item in self.store.items_above(self.scope, 0, 10_000).await.unwrap() {
            let texts = self.store.texts(self.scope, item.id.into()).await.unwrap();
            stored.insert(item.id, (object(&item.fields), texts.as_deref().map(object).unwrap_or_default()));
        }
        stored
    }

    /// What is set aside, and why.
    async fn aside(&self) -> Vec<(u32, SetAsideReason)> {
        let all = self.store.items_set_aside(self.scope, 10_000).await.unwrap();
        all.iter().map(|one| (one.id.get(), one.reason)).collect()
    }

    /// Ids of the project's items in the service.
    fn ids(&self) -> Vec<u32> {
        self.ado.work_items("Payments").unwrap().iter().map(|item| item.id).collect()
    }

    /// How often a route was asked for since a request.
    fn asked(&self, since: u64, route: &str) -> usize {
        let is_it = |asked: &str| asked.to_lowercase().ends_with(&route[1..].to_lowercase());
        self.ado.requests_since(since).iter().filter(|request| is_it(&request.route)).count()
    }
}

fn failing(code: u16) -> Effect {
    Effect::Status { code, retry_after: None }
}

/// Batch reads that ask for an item fail, whatever else they ask for.
fn unreadable(id: u32) -> Fault {
    Fault::on_route(BATCHES, failing(500)).item(id)
}

/// The page of revisions is cut behind so many bytes, this once.
fn cut(after_bytes: usize) -> Fault {
    Fault::on_route(REVISIONS, Effect::CutBody { after_bytes }).times(1)
}

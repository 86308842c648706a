//! A project read into a store and mapped by the operator's own code, without Kubernetes: what the figures of items measure.
//! This is the only file of the benchmark that knows how that code is called.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ado_operator::ado::model::ProjectDetails;
use ado_operator::ado::{
    AdoClient, AllowedHost, Budgets, CaBundle, HostPolicy, Limits, OrganizationUrl, Pat, Transport, TransportConfig,
};
use ado_operator::api::{AdoProjectConfigSpec, ResolvedIntegration};
use ado_operator::clock::{SharedClock, SystemClock};
use ado_operator::domain::projects::ProjectFilter;
use ado_operator::store::{ConfigClaim, ConfigKey, ObjectUid, Scope, Server, Store};
use ado_operator::sync::look::Look;
use ado_operator::sync::pull::{Depth, Pull};
use ado_operator::sync::reading::Reading;
use ado_operator::sync::reads::{Reads, Wish};
use ado_operator::sync::remap::Remap;
use ado_operator::sync::resolve::{self, Accepted, Validated};
use futures::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Outcome;

/// Uid of the config that everything is read for.
const CONFIG: &str = "bench";

/// Which project goes where.
#[derive(Debug, Deserialize, Serialize)]
pub struct Order {
    /// URL of the organization.
    pub organization: String,
    /// Certificate authority to trust, in PEM.
    pub ca: String,
    /// The token.
    pub token: String,
    /// Name of the project.
    pub project: String,
    /// Where the store is.
    pub store: Place,
    /// Whether it is then mapped in other ways as well.
    pub remaps: bool,
}

/// A database of either kind.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Place {
    /// SQLite, in this folder.
    Folder(PathBuf),
    /// PostgreSQL, at this URL.
    Server(String),
}

/// A project and its store.
pub struct Subject {
    client: AdoClient,
    store: Store,
    scope: Scope,
    config: ConfigKey,
    project: ProjectDetails,
    clock: SharedClock,
    reads: Reads,
}

/// What a spec came to in the live project.
pub struct Learnt(Validated);

impl Learnt {
    /// The body of the request for a page of revisions, as the sync sends it; the journal keeps none.
    pub fn revisions_body(&self) -> Value {
        let fields: Vec<&str> = self.0.fields.wanted.iter().map(String::as_str).chain(["System.IsDeleted"]).collect();
        json!({"fields": fields, "includeLatestOnly": true, "includeDeleted": true})
    }
}

impl Subject {
    /// Opens the store and finds the project.
    pub async fn find(order: &Order) -> Outcome<Self> {
        let client = client(order)?;
        let store = match &order.store {
            Place::Folder(folder) => Store::open(folder).await?,
            Place::Server(url) => Store::connect(&Server::parse(url)?).await?,
        };
        let project = client.project(&order.project).await?;
        let key = store.accept_organization(&ObjectUid::from("contoso"), "bench", "contoso", "contoso").await?.key;
        let scope = Scope { integration: key, project: project.id.0.into() };
        let uid = ObjectUid::from(CONFIG);
        let claim = ConfigClaim { scope, namespace: "bench", name: "bench", uid: &uid, purge: false };
        let config = store.claim_config(&claim).await?;
        Ok(Self { client, store, scope, config, project, clock: Arc::new(SystemClock), reads: Reads::default() })
    }

    /// Reads what a spec is held against, and accepts it.
    pub async fn learn(&self, spec: Value) -> Outcome<Learnt> {
        let spec: AdoProjectConfigSpec = serde_json::from_value(spec)?;
        let allowed = ProjectFilter::new(None);
        let look = Look::once(self.client.clone());
        let project = resolve::project(&look, &spec, None, &allowed).await?;
        let integration = ResolvedIntegration::default();
        Ok(Learnt(resolve::mapping(&look, &spec, integration, &project, Accepted::default()).await?))
    }

    /// Reads what changed since the last time, at first everything; gives the number of items that were read.
    pub async fn pull(&self, learnt: &Learnt) -> Outcome<u64> {
        let permitted = || async { true }.boxed();
        let reading = Reading {
            client: &self.client,
            store: &self.store,
            scope: self.scope,
            project: self.project.id,
            fields: &learnt.0.fields.wanted,
            permitted: &permitted,
        };
        let pull = Pull { reading, clock: &self.clock, config: CONFIG, reads: &self.reads };
        Ok(pull.run(Wish { tolerance: Duration::ZERO, depth: Depth::Changes, confirmed: None }).await?.items)
    }

    /// Maps what is stored, without a request; gives the number of records.
    pub async fn map(&self, learnt: &Learnt) -> Outcome<u64> {
        let Validated { mapping, tree, fingerprint, .. } = &learnt.0;
        let (store, scope, config) = (&self.store, self.scope, self.config);
        let now = self.clock.now().as_millisecond();
        let mapped = Remap { store, scope, config, mapping, tree, fingerprint: *fingerprint, now }.run().await?;
        Ok(mapped.totals.requirements + mapped.totals.bugs)
    }

    /// Closes the store.
    pub async fn close(self) {
        self.store.close().await;
    }
}

fn client(order: &Order) -> Outcome<AdoClient> {
    let port = url::Url::parse(&order.organization)?.port().ok_or("the simulator's URL has no port")?;
    let host = AllowedHost::parse(&format!("localhost:{port}")).map_err(|_| "no host")?;
    let policy = HostPolicy::new(vec![host]);
    let transport = Transport::new(TransportConfig { policy, ..TransportConfig::default() });
    let http = transport.http(Some(&CaBundle::parse(order.ca.as_bytes())?), None)?;
    let organization = OrganizationUrl::parse(&order.organization)?;
    let pat = Pat::from_bytes(order.token.as_bytes())?;
    let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
    Ok(AdoClient::new(http, organization, pat, budget, Limits::default())?)
}

//! A fleet: a thousand integrations of a thousand identities, all there before the operator starts.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ado_operator::api::AdoIntegration;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::audit::{Bookmark, Entry};
use support::control_plane::RELEASE;
use support::world::shows;
use tokio::time::timeout;

use crate::Outcome;
use crate::bare::{self, Recipe};
use crate::figure::{Figure, median, percentile, ratio};
use crate::ground::{Ground, Pat};
use crate::process::{Memory, Operator, cpu_seconds, settled};
use crate::secret;

/// Integrations, and as many identities.
const SIZE: usize = 1000;

/// Namespace of the operator's fleet.
pub const NAMESPACE: &str = "fleet";

/// How many objects are made at the same time.
const MAKERS: usize = 32;

/// A fleet that takes longer has failed.
const DEADLINE: Duration = Duration::from_mins(2);

/// How the time may compare with the limit.
const FACTOR: f64 = 1.5;

/// What one round came to.
pub struct Round {
    seconds: f64,
    limit: f64,
    writes: f64,
    memory: Memory,
    verdicts: Vec<f64>,
    bare_verdicts: Vec<f64>,
}

/// Measures the fleet from the start of the operator on; then, while it is connected, changes of a Secret; then what bare
/// loops need for the same.
pub async fn measure(ground: &Ground) -> Outcome<Round> {
    let pats = ground.ado.create_pats(NAMESPACE, SIZE).await?;
    create(ground, NAMESPACE, &pats, true).await?;
    ground.ado.forget().await?;
    let bookmark = Bookmark::now(ground.plane.audit_log())?;
    let folder = tempfile::tempdir()?;
    let operator = Operator::spawn(ground, folder.path())?;
    let seconds = connect(ground, &operator).await?;
    settled(operator.pid()?).await?;
    let memory = Memory::of(operator.pid()?)?;
    eprintln!("fleet: PSS {:.1} MB, peak {:.1} MB", memory.proportional, memory.peak);
    eprintln!("{}", operator.metrics("ado_operator_reconciles_total").await?);
    let calls = calls(&bookmark)?;
    let writes: usize = calls.iter().filter(|(call, _)| call.counts()).map(|(_, count)| count).sum();
    let recipe = Recipe::observe(ground, &pats, &calls).await?;
    let verdicts = secret::measure(ground, &pats).await?;
    operator.stop().await?;
    Ok(Round {
        seconds,
        limit: bare::best(ground, &recipe, &pats).await?,
        writes: ratio(writes, SIZE),
        memory,
        verdicts,
        bare_verdicts: bare::secret(ground, &recipe, &pats).await?,
    })
}

/// Prints the figures: the middle of all rounds for times, the worst for all else.
pub fn print(rounds: &[Round]) -> Outcome<()> {
    let all = |value: fn(&Round) -> f64| rounds.iter().map(value).collect::<Vec<f64>>();
    let (seconds, limit) = (median(&all(|round| round.seconds)), median(&all(|round| round.limit)));
    let worst = |value: fn(&Round) -> f64| percentile(&all(value), 1.0);
    Figure::at_most("1,000 integrations until Active", seconds, "s", FACTOR * limit).with_limit(limit).print()?;
    Figure::at_most("writes per integration", worst(|round| round.writes), "writes", 3.0).print()?;
    Figure::at_most("memory with 1,000 integrations", worst(|round| round.memory.resident), "MB", 64.0).print()?;
    let verdicts: Vec<f64> = rounds.iter().flat_map(|round| round.verdicts.clone()).collect();
    let bare: Vec<f64> = rounds.iter().flat_map(|round| round.bare_verdicts.clone()).collect();
    secret::print(&verdicts, &bare)
}

/// Waits until all are Active; gives the seconds since the operator was spawned.
async fn connect(ground: &Ground, operator: &Operator) -> Outcome<f64> {
    let simulated = cpu_seconds(ground.ado.pid())?;
    let connected = timeout(DEADLINE, all_active(&ground.admin, NAMESPACE, SIZE)).await;
    connected.map_err(|_| format!("not all are Active; the operator's log ends with:\n{}", operator.log_end()))??;
    let seconds = operator.spawned().elapsed().as_secs_f64();
    eprintln!(
        "fleet: {SIZE} Active after {seconds:.2} s; CPU of the operator {:.2} s, of the simulator {:.2} s",
        cpu_seconds(operator.pid()?)?,
        cpu_seconds(ground.ado.pid())? - simulated
    );
    Ok(seconds)
}

/// A kind of call to the apiserver.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ApiCall {
    /// `patch`, `create`, …
    pub verb: String,
    /// `adointegrations`, `adointegrations/status`, …
    pub resource: String,
    write: bool,
}

impl ApiCall {
    /// Whether it is a write that an integration causes: Events stand apart, and the Lease is the process's.
    fn counts(&self) -> bool {
        self.write && !matches!(self.resource.as_str(), "events" | "leases")
    }
}

/// What the operator asked of the apiserver since the bookmark.
fn calls(bookmark: &Bookmark) -> Outcome<BTreeMap<ApiCall, usize>> {
    let user = format!("system:serviceaccount:{RELEASE}:{RELEASE}");
    let mut calls = BTreeMap::new();
    for entry in bookmark.since()?.into_iter().filter(|entry| entry.user.username == user) {
        let write = entry.is_write();
        let Entry { verb, object_ref, .. } = entry;
        let resource = if object_ref.subresource.is_empty() {
            object_ref.resource
        } else {
            format!("{}/{}", object_ref.resource, object_ref.subresource)
        };
        *calls.entry(ApiCall { verb, resource, write }).or_default() += 1;
    }
    for (call, count) in &calls {
        eprintln!("apiserver: {:6} {} {}", count, call.verb, call.resource);
    }
    Ok(calls)
}

/// Creates a namespace with an integration for each token, with or without the Secrets.
pub async fn create(ground: &Ground, namespace: &str, pats: &[Pat], secrets: bool) -> Outcome<()> {
    let client = &ground.admin;
    make::<Namespace>(&Api::all(client.clone()), json!({"metadata": {"name": namespace}})).await?;
    let ca = json!({"metadata": {"name": "simulator-ca"}, "data": {"ca.crt": ground.ado.ca}});
    make::<ConfigMap>(&Api::namespaced(client.clone(), namespace), ca).await?;
    let (integrations, tokens) = (
        Api::<AdoIntegration>::namespaced(client.clone(), namespace),
        Api::<Secret>::namespaced(client.clone(), namespace),
    );
    let made = stream::iter(pats).map(|pat| async {
        if secrets {
            make(&tokens, json!({"metadata": {"name": pat.label}, "stringData": {"token": pat.token}})).await?;
        }
        make(&integrations, integration(ground, &pat.label)).await
    });
    let done: Outcome<()> = made.buffer_unordered(MAKERS).try_collect().await;
    eprintln!("{namespace}: {} integrations made", pats.len());
    done
}

fn integration(ground: &Ground, name: &str) -> Value {
    let spec = json!({
        "displayName": name,
        "organizationURL": ground.ado.url(),
        "auth": {"pat": {"secretRef": {"name": name, "key": "token"}}},
        "caBundle": {"configMapRef": {"name": "simulator-ca"}},
    });
    json!({
        "apiVersion": "ado.testops.dev/v1alpha1", "kind": "AdoIntegration", "metadata": {"name": name}, "spec": spec,
    })
}

async fn make<K>(api: &Api<K>, object: Value) -> Outcome<()>
where
    K: kube::Resource + Clone + serde::Serialize + DeserializeOwned + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
    Ok(())
}

/// Waits until so many integrations of the namespace are Active.
async fn all_active(client: &Client, namespace: &str, count: usize) -> Outcome<()> {
    let api = Api::<AdoIntegration>::namespaced(client.clone(), namespace);
    let mut seen = Box::pin(watcher(api, watcher::Config::default()).default_backoff().applied_objects());
    let mut active = HashSet::new();
    while let Some(object) = seen.try_next().await? {
        if shows(&object, "Active", "Connected") {
            active.insert(object.name_any());
        }
        if active.len() == count {
            return Ok(());
        }
    }
    Err("the watch ended".into())
}

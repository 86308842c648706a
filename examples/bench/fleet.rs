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
use support::audit::{Bookmark, Entry, ObjectRef};
use support::control_plane::RELEASE;
use support::world::shows;
use tokio::time::timeout;

use crate::Outcome;
use crate::bare::{self, Best, Recipe};
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

/// A fleet that takes longer has missed its target: it is measured no further.
const DEADLINE: Duration = Duration::from_mins(2);

/// How the time may compare with the limit.
const FACTOR: f64 = 1.5;

/// What one round came to.
pub struct Round {
    seconds: f64,
    limit: Best,
    writes: f64,
    memory: Memory,
    verdicts: Vec<f64>,
    bare_verdicts: Vec<f64>,
}

impl Round {
    /// Whether the fleet was connected within the deadline.
    pub fn is_complete(&self) -> bool {
        is_in_time(self.seconds)
    }
}

fn is_in_time(seconds: f64) -> bool {
    seconds < DEADLINE.as_secs_f64()
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
    let (seconds, active) = connect(ground, &operator).await?;
    let connected: Vec<Pat> = pats.iter().filter(|pat| active.contains(&pat.label)).cloned().collect();
    settled(operator.pid()?).await?;
    let memory = Memory::of(operator.pid()?)?;
    eprintln!("fleet: PSS {:.1} MB, peak {:.1} MB", memory.proportional, memory.peak);
    eprintln!("{}", operator.metrics("ado_operator_reconciles_total").await?);
    let calls = calls(&bookmark, &active)?;
    let writes: usize = calls.iter().filter(|(call, _)| call.counts()).map(|(_, count)| count).sum();
    let recipe = Recipe::observe(ground, &connected, &calls).await?;
    let whole = is_in_time(seconds);
    let verdicts = if whole { secret::measure(ground, &connected).await? } else { Vec::new() };
    operator.stop().await?;
    let limit = bare::best(ground, &recipe, &pats).await?;
    let bare_verdicts = if whole { bare::secret(ground, &recipe, &connected).await? } else { Vec::new() };
    Ok(Round { seconds, limit, writes: ratio(writes, connected.len()), memory, verdicts, bare_verdicts })
}

/// Prints the figures: the middle of all rounds for times, the worst for all else. A round that was given up is no time that
/// others could make good.
pub fn print(rounds: &[Round]) -> Outcome<()> {
    let all = |value: fn(&Round) -> f64| rounds.iter().map(value).collect::<Vec<f64>>();
    let worst = |value: fn(&Round) -> f64| percentile(&all(value), 1.0);
    let whole = rounds.iter().all(Round::is_complete);
    let seconds = if whole { median(&all(|round| round.seconds)) } else { worst(|round| round.seconds) };
    let limit = median(&all(|round| round.limit.seconds));
    let mut figure = Figure::at_most("1,000 integrations until Active", seconds, "s", FACTOR * limit).with_limit(limit);
    if let Some(best) = rounds.iter().map(|round| round.limit).find(|best| best.seconds.total_cmp(&limit).is_eq()) {
        figure = figure.with_loops(best.loops);
    }
    figure.given_up_unless(whole).print()?;
    Figure::at_most("writes per integration", worst(|round| round.writes), "writes", 3.0).print()?;
    Figure::at_most("memory with 1,000 integrations", worst(|round| round.memory.resident), "MB", 64.0).print()?;
    let verdicts: Vec<f64> = rounds.iter().flat_map(|round| round.verdicts.clone()).collect();
    let bare: Vec<f64> = rounds.iter().flat_map(|round| round.bare_verdicts.clone()).collect();
    if verdicts.is_empty() {
        eprintln!("no changes of a Secret were measured: that takes a fleet that is connected");
        return Ok(());
    }
    secret::print(&verdicts, &bare)
}

/// Waits until all are Active, but no longer than the deadline: gives the seconds since the operator was spawned, and the
/// names of those that are Active.
async fn connect(ground: &Ground, operator: &Operator) -> Outcome<(f64, HashSet<String>)> {
    let simulated = cpu_seconds(ground.ado.pid())?;
    let mut active = HashSet::new();
    let seconds = match timeout(DEADLINE, all_active(&ground.admin, NAMESPACE, SIZE, &mut active)).await {
        Ok(done) => done.map(|()| operator.spawned().elapsed().as_secs_f64().min(DEADLINE.as_secs_f64()))?,
        Err(_) => DEADLINE.as_secs_f64(),
    };
    if !is_in_time(seconds) {
        eprintln!("fleet: the deadline is over; the operator's log ends with:\n{}", operator.log_end());
    }
    if active.is_empty() {
        return Err("none is Active, so there is nothing to measure".into());
    }
    eprintln!(
        "fleet: {} Active after {seconds:.2} s; CPU of the operator {:.2} s, of the simulator {:.2} s",
        active.len(),
        cpu_seconds(operator.pid()?)?,
        cpu_seconds(ground.ado.pid())? - simulated
    );
    Ok((seconds, active))
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

/// What the operator asked of the apiserver since the bookmark. What it did for integrations that are not Active is left
/// out: it was not done with them, or it was later.
fn calls(bookmark: &Bookmark, active: &HashSet<String>) -> Outcome<BTreeMap<ApiCall, usize>> {
    let user = format!("system:serviceaccount:{RELEASE}:{RELEASE}");
    let mut calls = BTreeMap::new();
    let counts = |entry: &Entry| {
        let ObjectRef { resource, name, .. } = &entry.object_ref;
        entry.user.username == user && (resource != "adointegrations" || name.is_empty() || active.contains(name))
    };
    for entry in bookmark.since()?.into_iter().filter(counts) {
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

/// Waits until so many integrations of the namespace are Active; notes the names of those that are.
async fn all_active(client: &Client, namespace: &str, count: usize, active: &mut HashSet<String>) -> Outcome<()> {
    let api = Api::<AdoIntegration>::namespaced(client.clone(), namespace);
    let mut seen = Box::pin(watcher(api, watcher::Config::default()).default_backoff().applied_objects());
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

//! The physical limit: bare loops that send what the operator sent, and write what it wrote.
//!
//! One HTTP client with one pool of connections, one client of the apiserver, and no reading, deciding or storing
//! between. What is sent comes from the simulator's journal, what is written from the apiserver's audit log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoIntegrationStatus, FIELD_MANAGER, INTEGRATION_FINALIZER};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::core::{ObjectMeta, PartialObjectMeta, Request};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::Outcome;
use crate::figure::ratio;
use crate::fleet::{self, ApiCall, NAMESPACE};
use crate::ground::{Asked, Ground, Pat, bare_client};
use crate::secret;

/// How many loops are tried.
const WIDTHS: [usize; 4] = [8, 16, 32, 64];

/// Loops that take longer have failed.
const DEADLINE: Duration = Duration::from_secs(90);

/// What one integration costs.
#[derive(Clone)]
pub struct Recipe {
    requests: Vec<Asked>,
    finalizers: usize,
    statuses: usize,
    status: AdoIntegrationStatus,
    events: Vec<Event>,
}

impl Recipe {
    /// Finds out what the operator did for each integration.
    pub async fn observe(ground: &Ground, pats: &[Pat], calls: &BTreeMap<ApiCall, usize>) -> Outcome<Self> {
        let all = ground.ado.requests().await?;
        eprintln!("Azure DevOps: {:.2} requests per integration", ratio(all.len(), pats.len()));
        let first = pats.first().ok_or("there is no token")?;
        let requests: Vec<Asked> = all.into_iter().filter(|asked| asked.pat.as_ref() == Some(&first.label)).collect();
        for asked in &requests {
            eprintln!("  {} {} {}", asked.status, asked.method, asked.route);
        }
        let each = |verb: &str, resource: &str| {
            let known = calls.iter().find(|(call, _)| call.verb == verb && call.resource == resource);
            // Rounded to the nearest: a conflict now and then is not part of the recipe.
            known.map_or(0, |(_, count)| (count + pats.len() / 2) / pats.len())
        };
        let integrations = Api::<AdoIntegration>::namespaced(ground.admin.clone(), NAMESPACE);
        let status = integrations.get(&first.label).await?.status.ok_or("an integration has no status")?;
        let events = Api::<Event>::namespaced(ground.admin.clone(), NAMESPACE);
        let fields = format!("regarding.name={}", first.label);
        let mut events = events.list(&ListParams::default().fields(&fields)).await?.items;
        events.truncate(each("create", "events"));
        let finalizers = each("patch", "adointegrations");
        Ok(Self { requests, finalizers, statuses: each("patch", "adointegrations/status"), status, events })
    }
}

/// The loops' tools.
struct Bare {
    http: reqwest::Client,
    kube: Client,
    origin: String,
    namespace: String,
    recipe: Recipe,
    pats: Vec<Pat>,
    next: AtomicUsize,
}

impl Bare {
    fn new(ground: &Ground, namespace: &str, recipe: &Recipe, pats: &[Pat]) -> Outcome<Self> {
        Ok(Self {
            http: bare_client(&ground.ado.ca)?,
            kube: Client::try_from(ground.operator_config.clone())?,
            origin: ground.ado.origin(),
            namespace: namespace.to_owned(),
            recipe: recipe.clone(),
            pats: pats.to_vec(),
            next: AtomicUsize::new(0),
        })
    }

    /// One loop: takes the next object until there is none.
    async fn work(&self) -> Outcome<()> {
        while let Some(pat) = self.pats.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let meta = self.finalize(&pat.label).await?;
            self.ask(&pat.token).await?;
            self.show(&meta).await?;
            self.tell(&meta).await?;
        }
        Ok(())
    }

    /// Sends what a probe sends.
    async fn ask(&self, token: &str) -> Outcome<()> {
        for asked in &self.recipe.requests {
            let url = format!("{}{}", self.origin, asked.target);
            let mut request = self.http.request(asked.method.parse()?, url).basic_auth("", Some(token));
            if asked.method != "GET" {
                let (media_type, body) = body(&asked.route)?;
                request = request.header("content-type", media_type).body(body.to_string());
            }
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            answer.bytes().await?;
            if status != asked.status {
                return Err(format!("{} was answered with {status}, not with {}", asked.route, asked.status).into());
            }
        }
        Ok(())
    }

    fn path(&self) -> Request {
        Request::new(format!("/apis/ado.testops.dev/v1alpha1/namespaces/{}/adointegrations", self.namespace))
    }

    async fn send(&self, request: http::Request<Vec<u8>>) -> Outcome<ObjectMeta> {
        let written: PartialObjectMeta<AdoIntegration> = self.kube.request(request).await?;
        Ok(written.metadata)
    }

    /// Adds the finalizer as kube's runtime does.
    async fn finalize(&self, name: &str) -> Outcome<ObjectMeta> {
        let mut meta = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        for _ in 0..self.recipe.finalizers {
            let steps = json!([
                {"op": "test", "path": "/metadata/finalizers", "value": null},
                {"op": "add", "path": "/metadata/finalizers", "value": [INTEGRATION_FINALIZER]},
            ]);
            let patch = Patch::Json::<()>(serde_json::from_value(steps)?);
            meta = self.send(self.path().patch(name, &PatchParams::default(), &patch)?).await?;
        }
        Ok(meta)
    }

    /// Writes the status as the operator does.
    async fn show(&self, meta: &ObjectMeta) -> Outcome<()> {
        let name = meta.name.clone().unwrap_or_default();
        for again in 0..self.recipe.statuses {
            // An equal status would cost no write.
            let generation =
                if again + 1 == self.recipe.statuses { self.recipe.status.observed_generation } else { None };
            let patch = Patch::Apply(json!({
                "apiVersion": "ado.testops.dev/v1alpha1",
                "kind": "AdoIntegration",
                "metadata": {"name": name, "uid": meta.uid},
                "status": AdoIntegrationStatus { observed_generation: generation, ..self.recipe.status.clone() },
            }));
            let params = PatchParams::apply(FIELD_MANAGER).force();
            self.send(self.path().patch_subresource("status", &name, &params, &patch)?).await?;
        }
        Ok(())
    }

    /// Publishes the events.
    async fn tell(&self, meta: &ObjectMeta) -> Outcome<()> {
        for event in &self.recipe.events {
            let mut event = event.clone();
            event.metadata = ObjectMeta { generate_name: Some("bare-".into()), ..ObjectMeta::default() };
            if let Some(regarding) = &mut event.regarding {
                regarding.name.clone_from(&meta.name);
                regarding.uid.clone_from(&meta.uid);
                regarding.namespace = Some(self.namespace.clone());
            }
            let path = Request::new(format!("/apis/events.k8s.io/v1/namespaces/{}/events", self.namespace));
            self.send(path.create(&PostParams::default(), serde_json::to_vec(&event)?)?).await?;
        }
        Ok(())
    }
}

/// Body of a request that has one. The journal keeps none; a body that Azure DevOps would not take shows as another
/// status than the operator got.
fn body(route: &str) -> Outcome<(&'static str, Value)> {
    let json = "application/json";
    Ok(match route.rsplit('/').next().unwrap_or_default() {
        "wiql" => {
            let query = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project ORDER BY [System.Id]";
            (json, json!({"query": query}))
        }
        "permissionevaluationbatch" => {
            // Namespaces `ServiceHooks` and `Project` (`ado-api.md` §12).
            let hooks = json!({"securityNamespaceId": "cb594ebe-87dd-4fc9-ac2c-6a10a4c92046", "token": "PublisherSecurity", "permissions": 3});
            let results = json!({"securityNamespaceId": "52d39943-cb85-4d7f-8fa8-c6baac873819", "token": "$PROJECT", "permissions": 8});
            (json, json!({"alwaysAllowAdministrators": false, "evaluations": [hooks, hooks, results]}))
        }
        "points" => (json, json!({"pointsFilter": {"testcaseIds": [1]}})),
        "${type}" => {
            let title = json!({"op": "add", "path": "/fields/System.Title", "value": "Nothing is saved"});
            ("application/json-patch+json", json!([title]))
        }
        _ => return Err(format!("the body of {route} is not known here; add it to examples/bench/bare.rs").into()),
    })
}

/// The best of all numbers of loops.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    /// Its time, in seconds.
    pub seconds: f64,
    /// The number of loops.
    pub loops: usize,
}

/// The shortest time of all numbers of loops.
pub async fn best(ground: &Ground, recipe: &Recipe, pats: &[Pat]) -> Outcome<Best> {
    let mut best = Best { seconds: f64::INFINITY, loops: 0 };
    for width in WIDTHS {
        let namespace = format!("bare-{width}");
        fleet::create(ground, &namespace, pats, false).await?;
        let bare = Arc::new(Bare::new(ground, &namespace, recipe, pats)?);
        let started = Instant::now();
        let loops = (0..width).map(|_| {
            let bare = Arc::clone(&bare);
            tokio::spawn(async move { bare.work().await })
        });
        let ended = timeout(DEADLINE, try_join_all(loops)).await.map_err(|_| "the bare loops took too long")??;
        let seconds = started.elapsed().as_secs_f64();
        ended.into_iter().collect::<Outcome<Vec<()>>>()?;
        eprintln!("bare: {width} loops took {seconds:.2} s");
        if seconds < best.seconds {
            best = Best { seconds, loops: width };
        }
    }
    eprintln!("bare: {} loops were best", best.loops);
    Ok(best)
}

/// Seconds from a change of a Secret until a bare watcher has seen it and one probe is done, several times.
pub async fn secret(ground: &Ground, recipe: &Recipe, pats: &[Pat]) -> Outcome<Vec<f64>> {
    let pat = pats.first().ok_or("there is no token")?;
    let bare = Bare::new(ground, NAMESPACE, recipe, pats)?;
    let secrets = Api::<Secret>::namespaced(ground.admin.clone(), NAMESPACE);
    let seen = Api::<PartialObjectMeta<Secret>>::namespaced(bare.kube.clone(), NAMESPACE);
    let mut seen = watcher(seen, watcher::Config::default()).default_backoff().applied_objects().boxed();
    let mut times = Vec::new();
    for round in 0..secret::CHANGES {
        let started = Instant::now();
        let written = secret::put(&secrets, &pat.label, &format!("{round}")).await?;
        while let Some(object) = timeout(DEADLINE, seen.try_next()).await.map_err(|_| "no watch event came")?? {
            if object.resource_version() == written.resource_version() {
                break;
            }
        }
        bare.ask(&pat.token).await?;
        times.push(started.elapsed().as_secs_f64());
    }
    Ok(times)
}

//! The world of one test: a namespace, a simulated Azure DevOps, a database and an operator that serves that namespace.
//! What the operator does in it is watched in the file beside.

mod watched;

use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use ado_operator::config::Config;
use ado_simulator::{Options, Simulator};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clock::ManualClock;
use crate::control_plane::ControlPlane;
use crate::operator::Operator;
use crate::wait;

/// Name of the Secret with the token.
pub const TOKEN: &str = "contoso-pat";

/// Name of the ConfigMap with the simulator's CA.
pub const CA: &str = "simulator-ca";

/// The world of one test.
pub struct World {
    /// The control plane that all tests of this process share.
    pub control_plane: Arc<ControlPlane>,
    /// The administrator's client.
    pub client: Client,
    /// The test's own namespace.
    pub namespace: String,
    /// Azure DevOps.
    pub ado: Simulator,
    /// Time, as the operator sees it.
    pub clock: Arc<ManualClock>,
    /// The operator; None while it is stopped.
    pub operator: Option<Operator>,
    data: TempDir,
    others: Vec<String>,
    flags: Vec<String>,
    everywhere: bool,
    request_deadline: Option<Duration>,
}

impl World {
    /// A world with a running operator, the token `full` in a Secret and the simulator's CA in a ConfigMap.
    pub async fn new() -> Self {
        Self::with(Options { items: 60, ..Options::default() }).await
    }

    /// The same with another simulator.
    pub async fn with(options: Options) -> Self {
        let made = Self::build(Self::shared().await, options, &[], false).await;
        made.unwrap_or_else(|error| panic!("the world could not be made: {error}"))
    }

    /// The same with an operator that serves that many further namespaces.
    pub async fn with_more_namespaces(count: usize) -> Self {
        let names: Vec<String> = (0..count).map(|_| name()).collect();
        let options = Options { items: 60, ..Options::default() };
        let made = Self::build(Self::shared().await, options, &names, false).await;
        made.unwrap_or_else(|error| panic!("the world could not be made: {error}"))
    }

    /// A world in another control plane, which has the chart.
    pub async fn on(control_plane: Arc<ControlPlane>) -> Self {
        let options = Options { items: 60, ..Options::default() };
        let made = Self::build(control_plane, options, &[], false).await;
        made.unwrap_or_else(|error| panic!("the world could not be made: {error}"))
    }

    /// The same with an operator that serves all namespaces, so nobody else may be served there.
    pub async fn everywhere(control_plane: Arc<ControlPlane>) -> Self {
        let options = Options { items: 60, ..Options::default() };
        let made = Self::build(control_plane, options, &[], true).await;
        made.unwrap_or_else(|error| panic!("the world could not be made: {error}"))
    }

    async fn shared() -> Arc<ControlPlane> {
        let started = tokio::task::spawn_blocking(ControlPlane::shared).await.map_err(Error::other);
        started.flatten().unwrap_or_else(|error| panic!("no control plane: {error}"))
    }

    async fn build(
        control_plane: Arc<ControlPlane>,
        options: Options,
        others: &[String],
        everywhere: bool,
    ) -> Result<Self> {
        let client = control_plane.admin().await?;
        let namespace = name();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        for name in others.iter().chain([&namespace]) {
            let object = object(json!({"metadata": {"name": name}}))?;
            namespaces.create(&PostParams::default(), &object).await.map_err(Error::other)?;
        }
        let ado = Simulator::start(options).await.map_err(Error::other)?;
        let flags = vec!["--allowed-host".to_owned(), format!("localhost:{}", ado.address().port())];
        let (clock, data, others) = (Arc::default(), TempDir::new()?, others.to_vec());
        let (operator, request_deadline) = (None, None);
        let mut world = Self {
            control_plane,
            client,
            namespace,
            ado,
            clock,
            operator,
            data,
            others,
            flags,
            everywhere,
            request_deadline,
        };
        world.start().await?;
        let token = world.pat("full");
        world.put_token(&token).await;
        world.put_ca(world.ado.ca_pem()).await;
        Ok(world)
    }

    /// Starts the operator on the database that there is.
    pub async fn start(&mut self) -> Result<()> {
        let mut namespaces = vec![self.namespace.clone()];
        namespaces.extend_from_slice(&self.others);
        if self.everywhere {
            namespaces.clear();
        }
        let (control_plane, clock, data) = (&self.control_plane, &self.clock, self.data.path());
        let shorten = |config: &mut Config| {
            if let Some(deadline) = self.request_deadline {
                config.request_deadline_seconds = deadline.as_secs();
            }
        };
        let started = Operator::start_changed(control_plane, clock, data, &namespaces, &self.flags, shorten).await?;
        self.operator = Some(started);
        Ok(())
    }

    /// Stops the operator in good order.
    pub async fn stop(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.stop().await;
        }
    }

    /// The flags that the operator is started with, besides those of its namespaces and its folder.
    pub fn flags(&self) -> &[String] {
        &self.flags
    }

    /// Starts the operator again with further flags.
    pub async fn restart_with(&mut self, flags: &[&str]) {
        self.stop().await;
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self.start().await.unwrap_or_else(|error| panic!("the operator could not be started: {error}"));
    }

    /// Starts the operator again with a shorter deadline for requests than its flag permits, in whole seconds.
    pub async fn restart_with_deadline(&mut self, deadline: Duration) {
        self.request_deadline = Some(deadline);
        self.restart_with(&[]).await;
    }

    /// Loses the operator's database: the next start finds an empty folder.
    pub async fn lose_data(&mut self) {
        self.stop().await;
        self.data = TempDir::new().unwrap_or_else(|error| panic!("no folder could be made: {error}"));
    }

    /// Folder of the operator's database.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Further namespaces that the operator serves.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// A token of the simulator, by its label.
    pub fn pat(&self, label: &str) -> String {
        self.ado.pat(label).unwrap_or_else(|error| panic!("no token {label}: {error}"))
    }

    /// An API of the test's namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Puts a token into the Secret, with a trailing newline as `kubectl create secret --from-file` leaves it.
    pub async fn put_token(&self, token: &str) {
        self.put_secret(TOKEN, "token", &format!("{token}\n")).await;
    }

    /// Puts a value into a Secret.
    pub async fn put_secret(&self, name: &str, key: &str, value: &str) {
        self.apply::<Secret>(json!({"metadata": {"name": name}, "stringData": {key: value}})).await;
    }

    /// Puts certificates into the ConfigMap.
    pub async fn put_ca(&self, pem: &str) {
        self.apply::<ConfigMap>(json!({"metadata": {"name": CA}, "data": {"ca.crt": pem}})).await;
    }

    /// Deletes an object.
    pub async fn delete<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        let deleted = self.api::<K>().delete(name, &DeleteParams::default()).await;
        deleted.unwrap_or_else(|error| panic!("{name} could not be deleted: {error}"));
    }

    /// An integration with the simulator's organization; `change` is merged into its spec.
    pub fn integration(&self, name: &str, change: Value) -> Value {
        let mut spec = json!({
            "displayName": name,
            "organizationURL": self.ado.url(),
            "auth": {"pat": {"secretRef": {"name": TOKEN, "key": "token"}}},
            "caBundle": {"configMapRef": {"name": CA}},
        });
        merge(&mut spec, change);
        json!({"metadata": {"name": name}, "spec": spec})
    }

    /// A project config of that integration; `change` is merged into its spec.
    pub fn config(&self, name: &str, integration: &str, change: Value) -> Value {
        let mut spec = json!({
            "integrationRef": {"name": integration},
            "project": "Payments",
            "pullRequirements": {"enabled": true},
            "bugMapping": {"enabled": true},
        });
        merge(&mut spec, change);
        json!({"metadata": {"name": name}, "spec": spec})
    }

    /// Applies an object in the test's namespace, as `kubectl apply --server-side` does.
    pub async fn apply<K>(&self, object: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Serialize,
    {
        self.try_apply(object).await.unwrap_or_else(|error| panic!("an object was refused: {error}"))
    }

    /// Applies an object that the apiserver may refuse.
    pub async fn try_apply<K>(&self, mut object: Value) -> kube::Result<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        object["apiVersion"] = K::api_version(&()).into();
        object["kind"] = K::kind(&()).into();
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let params = PatchParams::apply("kubectl").force();
        self.api::<K>().patch(&name, &params, &Patch::Apply(object)).await
    }

    /// Merges a change into an object.
    pub async fn patch<K>(&self, name: &str, change: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        let patched = self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await;
        patched.unwrap_or_else(|error| panic!("{name} could not be changed: {error}"))
    }

    /// Lets time pass, so much at each look, until the object is as wished.
    pub async fn as_time_passes<K>(&self, step: Duration, name: &str, what: &str, wished: impl Fn(&K) -> bool) -> K
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        wait::object(&self.api(), name, what, |found| {
            let done = wished(found);
            if !done {
                self.clock.advance(step);
            }
            done
        })
        .await
    }

    /// Waits until the integration shows that state and that reason of `Ready`.
    pub async fn integration_is(&self, name: &str, state: &str, reason: &str) -> AdoIntegration {
        let what = format!("{state} ({reason})");
        wait::object(&self.api(), name, &what, |found: &AdoIntegration| shows(found, state, reason)).await
    }

    /// Waits until the project config shows that state and that reason of `Ready`.
    pub async fn config_is(&self, name: &str, state: &str, reason: &str) -> AdoProjectConfig {
        let what = format!("{state} ({reason})");
        wait::object(&self.api(), name, &what, |found: &AdoProjectConfig| shows(found, state, reason)).await
    }
}

impl Drop for World {
    /// A test that ends well has sent nothing that Azure DevOps would not know.
    fn drop(&mut self) {
        if !thread::panicking() {
            let violations = self.ado.violations();
            assert!(violations.is_empty(), "the simulator refused requests as unknown: {violations:?}");
        }
    }
}

/// Whether a status is about the current spec and shows that state and that reason of `Ready`.
pub fn shows<K: Resource + Serialize>(object: &K, state: &str, reason: &str) -> bool {
    let value = serde_json::to_value(object).unwrap_or_default();
    let status = &value["status"];
    status["state"] == state
        && status["observedGeneration"].as_i64() == object.meta().generation
        && condition(&value, "Ready").is_some_and(|ready| ready["reason"] == reason)
}

/// A condition of an object.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Conditions of an object: status and reason by type.
pub fn conditions<K: Serialize>(object: &K) -> BTreeMap<String, (String, String)> {
    let value = serde_json::to_value(object).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = value["status"]["conditions"].as_array().cloned().unwrap_or_default();
    all.iter().map(|found| (text(&found["type"]), (text(&found["status"]), text(&found["reason"])))).collect()
}

/// The message of an object's `Ready`.
pub fn message<K: Serialize>(object: &K) -> String {
    let value = serde_json::to_value(object).unwrap_or_default();
    condition(&value, "Ready").and_then(|ready| ready["message"].as_str()).unwrap_or_default().to_owned()
}

/// The generation that a status is about.
pub fn observed<K: ResourceExt + Serialize>(object: &K) -> i64 {
    serde_json::to_value(object).unwrap_or_default()["status"]["observedGeneration"].as_i64().unwrap_or(-1)
}

fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    into.remove(&key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, change) => *into = change,
    }
}

fn object<K: DeserializeOwned>(value: Value) -> Result<K> {
    serde_json::from_value(value).map_err(Error::other)
}

fn name() -> String {
    format!("t-{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}

//! Words that both kinds use: states, services, features and references.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form that Kubernetes asks of the name of an object (RFC 1123 subdomain); `minLength` speaks of an empty one.
pub(super) const NAME_RULE: &str = "self.name.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')";

/// The same in words.
pub(super) const NAME_MESSAGE: &str = "must be the name of an object: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit";

const KEY_MESSAGE: &str = "must be a key of its data: letters, digits, '-', '_' and '.'";

/// What an integration is to be: Active connects or reconnects, Inactive disconnects and keeps all data. Absent means
/// Active.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DesiredState {
    /// Connected: the credential is checked and project configs may sync.
    #[default]
    Active,
    /// Disconnected: nothing is sent to Azure DevOps; data and history are kept.
    Inactive,
}

/// What an integration is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum IntegrationState {
    /// Disconnected, or without a verdict so far.
    #[default]
    Inactive,
    /// The credential and Azure DevOps were found good.
    Active,
    /// The credential, the configuration or Azure DevOps fails; the condition `Ready` says why.
    Error,
}

/// A service of Azure DevOps that an integration may use.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Service {
    /// Boards, test management and service hooks; always part of an integration.
    AzureDevOps,
    /// Git repositories (scope Code: read).
    AzureRepos,
}

/// A feature that an integration can offer, in the order in which it is shown.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Feature {
    /// Pull releases, sprints, requirements and bugs on request and at intervals.
    ManualSync,
    /// Link an existing work item as a defect of a test.
    LinkDefect,
    /// Create a work item as a defect of a test.
    CreateDefect,
    /// Push test results into test runs.
    PushTestResult,
    /// Link one of our test cases with an Azure DevOps test case.
    LinkTestCase,
    /// Take work item events that Azure DevOps posts.
    HandleWebhookEvents,
    /// Create and repair the service hooks that post those events.
    WebhookSetup,
}

impl Feature {
    /// Every feature, in the order of the documentation's permission table.
    pub const ALL: [Self; 7] = [
        Self::ManualSync,
        Self::LinkDefect,
        Self::CreateDefect,
        Self::PushTestResult,
        Self::LinkTestCase,
        Self::HandleWebhookEvents,
        Self::WebhookSetup,
    ];

    /// The name as it stands in `spec.features`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManualSync => "ManualSync",
            Self::LinkDefect => "LinkDefect",
            Self::CreateDefect => "CreateDefect",
            Self::PushTestResult => "PushTestResult",
            Self::LinkTestCase => "LinkTestCase",
            Self::HandleWebhookEvents => "HandleWebhookEvents",
            Self::WebhookSetup => "WebhookSetup",
        }
    }
}

impl std::fmt::Display for Feature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Answer of a probe. Unknown (a timeout, throttling, a server error) never turns something healthy red.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Availability {
    /// Probed and found available.
    True,
    /// Probed and refused.
    False,
    /// No verdict could be had.
    #[default]
    Unknown,
}

/// Verdict on one feature.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeatureStatus {
    /// Name of the feature.
    pub name: Feature,
    /// True, False or Unknown.
    #[serde(default)]
    pub available: Availability,
    /// Permissions and scopes that were found missing, in the words of Azure DevOps' token page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// One key of a Secret in the object's namespace.
// Names become part of a request's path, so they are checked here and again before use; the value is not repeated, since
// people paste tokens.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(NAME_RULE).message(NAME_MESSAGE).field_path(".name"),
    validation = Rule::new("self.key.matches('^[-._a-zA-Z0-9]*$')").message(KEY_MESSAGE).field_path(".key")
)]
pub struct SecretKeyReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in its data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// One key of a ConfigMap or Secret in the object's namespace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(NAME_RULE).message(NAME_MESSAGE).field_path(".name"),
    validation = Rule::new("!has(self.key) || self.key.matches('^[-._a-zA-Z0-9]*$')").message(KEY_MESSAGE).field_path(".key")
)]
pub struct KeyReference {
    /// Name of the ConfigMap or Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in its data; absent means `ca.crt`.
    #[schemars(length(min = 1, max = 253))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A duration of Go's form between one minute and one day. The form is asked for first, because CEL's `duration()` fails
/// on anything else, and a rule that fails explains nothing. A schema pattern would do the same with a worse message.
pub(super) fn interval(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "nullable": true,
        "maxLength": 32,
        "x-kubernetes-validations": [{
            "rule": "self.matches('^([0-9]{1,6}(h|m|s))+$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')",
            "message": "must be a duration from 1m to 24h, such as 10m or 1h30m"
        }]
    })
}

/// A time of whole seconds as people write it: `10m`, `1h30m`, `90s` as `1m30s`.
pub fn written(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .fold(String::new(), |text, (number, unit)| format!("{text}{number}{unit}"))
}

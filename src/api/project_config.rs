//! `AdoProjectConfig`: how one Azure DevOps project is mapped to test management.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::{NAME_MESSAGE, NAME_RULE};

/// Which project is pulled through which integration, and what of it.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "ado.testops.dev",
    version = "v1alpha1",
    kind = "AdoProjectConfig",
    namespaced,
    status = "AdoProjectConfigStatus",
    derive = "PartialEq",
    doc = "The mapping of one Azure DevOps project to test management.",
    shortname = "adop",
    category = "ado",
    selectable = ".spec.integrationRef.name",
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Integration", type_ = "string", json_path = ".spec.integrationRef.name"),
    printcolumn(name = "Project", type_ = "string", json_path = ".status.project.name"),
    printcolumn(name = "Requirements", type_ = "integer", json_path = ".status.counts.requirements"),
    printcolumn(name = "Bugs", type_ = "integer", json_path = ".status.counts.bugs"),
    printcolumn(name = "Last Change", type_ = "date", json_path = ".status.sync.lastChangeTime"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Team", type_ = "string", json_path = ".status.team.name", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub struct AdoProjectConfigSpec {
    /// The integration to use. The one that it first meant is kept for the life of the object.
    pub integration_ref: IntegrationReference,

    /// Azure DevOps project, by name or id. The project that it first meant is kept for the life of the object.
    #[schemars(length(min = 1, max = 256))]
    pub project: String,

    /// Team of that project, by name or id. It filters nothing. Absent means no team.
    #[schemars(length(min = 1, max = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,

    /// What this mapping is for, at most 255 characters.
    #[schemars(length(max = 4096))]
    #[x_kube(validation = Rule::new("size(self) <= 255").message("description must have at most 255 characters"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,

    /// Work items that become requirements. Absent means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_requirements: Option<PullRequirements>,

    /// Work items that become bugs. Absent means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug_mapping: Option<BugMapping>,
}

/// A reference to an `AdoIntegration`.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(NAME_RULE).message(NAME_MESSAGE).field_path(".name"),
    // `namespace` is a word of CEL, so the field is escaped.
    validation = Rule::new("!has(self.__namespace__) || self.__namespace__.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$')")
        .message("must be the name of a namespace: lower-case letters, digits and '-'").field_path(".namespace")
)]
pub struct IntegrationReference {
    /// Name of the integration.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its namespace, which must be allowed by the integration. Absent means the config's own.
    #[schemars(length(min = 1, max = 63))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Requirements.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PullRequirements {
    /// Whether requirements are pulled. Absent means true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Work item types. Absent means the process's requirement level without bugs.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_types: Option<Vec<String>>,
}

/// Bugs.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BugMapping {
    /// Whether bugs are pulled. Absent means true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Work item types. Absent means the process's bug category.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_types: Option<Vec<String>>,
}

/// What a project config is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum ConfigState {
    /// Not syncing: no verdict so far, or the integration is disconnected.
    #[default]
    Inactive,
    /// Synced, and kept in sync.
    Active,
    /// The config or its integration fails; the condition `Ready` says why.
    Error,
}

/// What the operator found. Nothing in it moves by itself.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoProjectConfigStatus {
    /// Inactive, Active or Error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ConfigState>,
    /// Generation of the spec that this status is about; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, Unreachable, Throttled, MappingValid and Synced.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the annotation `ado.testops.dev/requestedAt` whose run ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_requested_at: Option<String>,
    /// The integration in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<ResolvedIntegration>,
    /// The project that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectStatus>,
    /// The team that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamStatus>,
    /// Number of records in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// When data last changed and was last read as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncStatus>,
    /// Defaults that were filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<EffectiveProjectConfig>,
}

/// The integration that a config uses.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResolvedIntegration {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An Azure DevOps project.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectStatus {
    /// Id; the pin of the config.
    pub id: String,
    /// Name as Azure DevOps spells it.
    pub name: String,
    /// Name of its process, such as Agile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
}

/// An Azure DevOps team.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TeamStatus {
    /// Id.
    pub id: String,
    /// Name as Azure DevOps spells it.
    pub name: String,
}

/// Numbers of records.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Work items of the requirement types.
    pub requirements: i64,
    /// Work items of the bug types.
    pub bugs: i64,
}

/// Times of the sync, in UTC, RFC 3339.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStatus {
    /// When a sync last changed what is stored.
    #[schemars(schema_with = "date_time")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change_time: Option<String>,
    /// When the project was last read as a whole.
    #[schemars(schema_with = "date_time")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_full_time: Option<String>,
}

/// Values in force for what the spec leaves out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EffectiveProjectConfig {
    /// Work item types pulled as requirements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requirement_types: Vec<String>,
    /// Work item types pulled as bugs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bug_types: Vec<String>,
}

fn date_time(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "format": "date-time"})
}

impl AdoProjectConfig {
    /// Namespace and name of the integration that the spec names, with the own namespace filled in.
    pub fn integration(&self) -> (&str, &str) {
        let reference = &self.spec.integration_ref;
        let own = self.metadata.namespace.as_deref().unwrap_or_default();
        (reference.namespace.as_deref().unwrap_or(own), &reference.name)
    }
}

impl AdoProjectConfigSpec {
    /// The requirements block, if it is there and on.
    pub fn requirements(&self) -> Option<&PullRequirements> {
        self.pull_requirements.as_ref().filter(|block| block.enabled.unwrap_or(true))
    }

    /// The bug block, if it is there and on.
    pub fn bugs(&self) -> Option<&BugMapping> {
        self.bug_mapping.as_ref().filter(|block| block.enabled.unwrap_or(true))
    }
}

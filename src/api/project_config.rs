//! `AdoProjectConfig`: how one Azure DevOps project is mapped to test management.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mapping::{IterationMapping, PriorityEntry, SeverityEntry, StatusEntry};
use super::shared::{FeatureStatus, NAME_MESSAGE, NAME_RULE, interval};

/// Where iterations come from the board of a team, there must be a team.
const TEAM_RULE: &str = "has(self.team) || !has(self.iterationMapping) || \
    ((!has(self.iterationMapping.release) || self.iterationMapping.release.from != 'TeamBoard') && \
    (!has(self.iterationMapping.sprint) || self.iterationMapping.sprint.from != 'TeamBoard'))";

/// No two entries of a `statusMapping` say what the same state of the same type means.
const STATUS_RULE: &str =
    "self.all(x, self.exists_one(y, x.ado == y.ado && (has(x.type) ? x.type : '') == (has(y.type) ? y.type : '')))";

const STATUS_MESSAGE: &str = "statusMapping must not repeat a state, or a state and type";

/// Which project is pulled through which integration, and what of it.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
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
#[x_kube(
    validation = Rule::new(TEAM_RULE)
        .message("team must be given where iterationMapping takes releases or sprints from TeamBoard").field_path(".team")
)]
pub struct AdoProjectConfigSpec {
    /// The integration to use. The one that it first meant is kept for the life of the object.
    pub integration_ref: IntegrationReference,

    /// Azure DevOps project, by name or id. The project that it first meant is kept for the life of the object.
    #[schemars(length(min = 1, max = 256))]
    pub project: String,

    /// Team of that project, by name or id: it selects the team board and the level of bugs, and filters nothing. Absent means
    /// the project's default team for the level of bugs, and no board.
    #[schemars(length(min = 1, max = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,

    /// What this mapping is for, at most 255 characters.
    #[schemars(length(max = 4096))]
    #[x_kube(validation = Rule::new("size(self) <= 255").message("description must have at most 255 characters"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,

    /// Active syncs, Inactive only keeps the object and what was synced, Archived takes it out of the plans and keeps all data.
    /// Absent means Active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DesiredConfigState>,

    /// Work items that become requirements. Absent means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_requirements: Option<PullRequirements>,

    /// Work items that become bugs. Absent means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug_mapping: Option<BugMapping>,

    /// Which iterations are releases and sprints. Absent means depth 1 and depth 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration_mapping: Option<IterationMapping>,

    /// What the priorities of requirements and bugs mean. Absent or empty means 1 Critical, 2 High, 3 Medium, 4 Low; a list is
    /// all there is.
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["ado".into()]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_mapping: Option<Vec<PriorityEntry>>,

    /// Time zone of calendar dates, by its name in the IANA database, such as Europe/Berlin. Absent means UTC.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,

    /// How often to look for changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncIntervals>,

    /// What becomes of the stored data when this object is deleted. Absent means Retain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// How often to look for changes.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncIntervals {
    /// Time between two looks for changes, 1m to 24h. Absent means 5m. It is stretched to what the service's limits allow.
    #[schemars(schema_with = "interval")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// Time between two comparisons of all ids, 1m to 24h. Absent means 24h.
    #[schemars(schema_with = "interval")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_interval: Option<Duration>,
}

/// What a project config is to be.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DesiredConfigState {
    /// Synced.
    #[default]
    Active,
    /// Saved, and not synced.
    Inactive,
    /// Taken out of the plans, with all data kept.
    Archived,
}

/// What becomes of stored data.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DeletionPolicy {
    /// It stays.
    #[default]
    Retain,
    /// It is deleted, apart from the audit trail.
    Purge,
}

/// A reference to an `AdoIntegration`.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
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
    /// Where the release date comes from: the first of these that has a date. `ReleaseEndDate` and `SprintEndDate` are the last
    /// days of the item's release and sprint, anything else is the reference name of a date field. Absent means no date.
    #[schemars(length(min = 1, max = 3), inner(length(min = 1, max = 256)))]
    #[x_kube(validation = Rule::new("self.all(x, self.exists_one(y, x == y))").message("releaseDateFields must not repeat a field"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date_fields: Option<Vec<String>>,
    /// What states mean. Absent or empty means by the category of each state; a state without an entry too.
    #[schemars(length(max = 150))]
    #[x_kube(validation = Rule::new(STATUS_RULE).message(STATUS_MESSAGE))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_mapping: Option<Vec<StatusEntry>>,
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
    /// What severities mean. Absent or empty means by the leading number, 1 Critical to 5 Lowest; a list is all there is.
    #[schemars(length(max = 200))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["ado".into()]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_mapping: Option<Vec<SeverityEntry>>,
    /// What states mean. Absent or empty means by the category of each state; a state without an entry too.
    #[schemars(length(max = 150))]
    #[x_kube(validation = Rule::new(STATUS_RULE).message(STATUS_MESSAGE))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_mapping: Option<Vec<StatusEntry>>,
}

/// What a project config is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum ConfigState {
    /// Not syncing: saved only, no verdict so far, or the integration is disconnected.
    #[default]
    Inactive,
    /// Synced, and kept in sync.
    Active,
    /// The config or its integration fails; the condition `Ready` says why.
    Error,
    /// Taken out of the plans, with all data kept.
    Archived,
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
    /// Levels of the backlog from the top, with their types as the team works with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// One entry for each feature that the integration wants, judged for this project. Writing back needs True here.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureStatus>,
    /// Number of records in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Values that the mapping says nothing about, most items first, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<UnmappedStatus>,
    /// Number of such values, shown or not. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmapped_total: Option<i64>,
    /// What works and should be looked at, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
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

/// A level of the backlog.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tier {
    /// Its place, 1 at the top.
    pub tier: i64,
    /// Work item types on it.
    pub types: Vec<String>,
}

/// A value of Azure DevOps that the mapping says nothing about.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UnmappedStatus {
    /// The field of the spec that could say what it means.
    pub field: String,
    /// The value.
    pub value: String,
    /// Work items that carry it.
    pub items: i64,
}

/// Numbers of records.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Iterations that are releases.
    pub releases: i64,
    /// Iterations that are sprints.
    pub sprints: i64,
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
    /// Where releases come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Where sprints come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sprint: Option<String>,
    /// Time zone of calendar dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Time between two looks for changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Time between two comparisons of all ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_interval: Option<String>,
    /// What becomes of the data when the object is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
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
    /// Time between two looks for changes where the spec does not say.
    pub const DEFAULT_INTERVAL: std::time::Duration = std::time::Duration::from_mins(5);

    /// Time between two whole reads where the spec does not say.
    pub const DEFAULT_FULL_INTERVAL: std::time::Duration = std::time::Duration::from_hours(24);

    /// Time between two looks for changes.
    pub fn effective_interval(&self) -> std::time::Duration {
        self.sync.as_ref().and_then(|sync| sync.interval).map_or(Self::DEFAULT_INTERVAL, Into::into)
    }

    /// Time between two whole reads.
    pub fn effective_full_interval(&self) -> std::time::Duration {
        self.sync.as_ref().and_then(|sync| sync.full_interval).map_or(Self::DEFAULT_FULL_INTERVAL, Into::into)
    }

    /// What the config is to be.
    pub fn desired_state(&self) -> DesiredConfigState {
        self.state.unwrap_or_default()
    }

    /// The requirements block, if it is there and on.
    pub fn requirements(&self) -> Option<&PullRequirements> {
        self.pull_requirements.as_ref().filter(|block| block.enabled.unwrap_or(true))
    }

    /// The bug block, if it is there and on.
    pub fn bugs(&self) -> Option<&BugMapping> {
        self.bug_mapping.as_ref().filter(|block| block.enabled.unwrap_or(true))
    }
}

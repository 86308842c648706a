//! `AdoIntegration`: the connection of a namespace to one Azure DevOps organization.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::{
    DesiredState, Feature, FeatureStatus, IntegrationState, KeyReference, SecretKeyReference, Service, interval,
    written,
};

/// What to connect, with which credential, and who may use it.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "ado.testops.dev",
    version = "v1alpha1",
    kind = "AdoIntegration",
    namespaced,
    status = "AdoIntegrationStatus",
    derive = "PartialEq",
    doc = "The connection to one Azure DevOps organization: its URL, its credential, and who may use it.",
    shortname = "adoi",
    category = "ado",
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Organization", type_ = "string", json_path = ".status.organization.name"),
    printcolumn(name = "Features", type_ = "string", json_path = ".status.featureSummary"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
// Rules on the URL stand here and not on the field: a rule on a field prints the whole value, and people paste tokens.
#[x_kube(
    validation = Rule::new("has(self.auth)").message("auth must name the Secret with the token, as in auth: {pat: {secretRef: {name: contoso-pat, key: token}}}").field_path(".auth"),
    validation = Rule::new(rules::URL_SCHEME).message(rules::url_message("must start with https://")).field_path(".organizationURL"),
    validation = Rule::new(rules::URL_PLAIN).message(rules::url_message("must not contain user information, a query, a fragment or white space")).field_path(".organizationURL"),
    validation = Rule::new(rules::URL_CLOUD).message(rules::url_message("must name the organization and nothing below it, such as a project")).field_path(".organizationURL"),
    validation = Rule::new(rules::URL_LEGACY).message(rules::url_message("must name the organization and nothing below it, such as a project")).field_path(".organizationURL")
)]
pub struct AdoIntegrationSpec {
    /// Name shown to people, 1 to 50 characters.
    #[schemars(length(max = 255))]
    #[x_kube(validation = Rule::new("size(self) >= 1 && size(self) <= 50").message("displayName must have 1 to 50 characters"))]
    pub display_name: String,

    /// The organization's URL, such as `https://dev.azure.com/contoso`. It starts with `https://`; a trailing slash is
    /// ignored. The organization that it first meant is kept for the life of the object: the URL may be respelled, but
    /// not be pointed at another organization.
    #[schemars(length(min = 1, max = 400))]
    #[serde(rename = "organizationURL")]
    pub organization_url: String,

    /// What this connection is for, at most 255 characters.
    #[schemars(length(max = 4096))]
    #[x_kube(validation = Rule::new("size(self) <= 255").message("description must have at most 255 characters"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,

    /// Active connects or reconnects, Inactive disconnects and keeps all data. Absent means Active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DesiredState>,

    /// How to authenticate: exactly one way. Required; absent, a rule explains what to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,

    /// Services to use. Absent means AzureDevOps, which is always one of them.
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("'AzureDevOps' in self").message("services must contain AzureDevOps")
    )]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<Service>>,

    /// Features that are wanted. Absent means ManualSync and HandleWebhookEvents; ManualSync is always one of them.
    /// Features that write to Azure DevOps act only if they are listed.
    #[schemars(length(min = 1, max = 7))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<Feature>>,

    /// Namespaces whose project configs may refer to this integration. Absent means its own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,

    /// Azure DevOps projects that project configs may name: ids, or names in which `*` stands for any run of characters;
    /// case does not matter. Matched against the project's real name and id. Absent means all.
    #[schemars(length(min = 1, max = 200), inner(length(min = 1, max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_projects: Option<Vec<String>>,

    /// Certificates of a private CA, in PEM, that are trusted beside the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,

    /// Name of a proxy that the operator's administrator configured. Absent means a direct connection.
    #[schemars(length(min = 1, max = 63))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,

    /// Time between two validations, 1m to 24h. Absent means 10m.
    #[schemars(schema_with = "interval")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
}

/// A way to authenticate.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.pat), has(self.servicePrincipal), has(self.workloadIdentity)].filter(x, x).size() == 1")
        .message("auth must contain exactly one of pat, servicePrincipal and workloadIdentity"),
    validation = Rule::new("!has(self.servicePrincipal) && !has(self.workloadIdentity)")
        .message("servicePrincipal and workloadIdentity are not available in this version; use pat")
)]
pub struct Auth {
    /// A personal access token of one organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pat: Option<PatAuth>,

    /// Reserved for Entra ID client credentials; refused in this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_principal: Option<UnavailableAuth>,

    /// Reserved for Entra ID workload identity; refused in this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<UnavailableAuth>,
}

/// A way to authenticate whose members are not defined yet.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct UnavailableAuth {}

/// A personal access token.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PatAuth {
    /// Where the token is kept, in the namespace of the integration. White space around it is ignored.
    pub secret_ref: SecretKeyReference,
}

/// Namespaces that may refer to an integration.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.from == 'Selector') == has(self.selector)")
        .message("allowedNamespaces.selector must be given with from: Selector, and only then")
)]
pub struct AllowedNamespaces {
    /// Same: the integration's own namespace; All: every namespace; Selector: those whose labels match `selector`, and
    /// its own.
    pub from: NamespacesFrom,
    /// Labels of namespaces.
    #[schemars(schema_with = "rules::label_selector")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// Where project configs may stand.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum NamespacesFrom {
    /// The integration's own namespace.
    #[default]
    Same,
    /// Every namespace.
    All,
    /// Namespaces chosen by their labels.
    Selector,
}

/// A private CA.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.configMapRef) != has(self.secretRef)")
        .message("caBundle must contain exactly one of configMapRef and secretRef")
)]
pub struct CaBundle {
    /// A ConfigMap of the integration's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<KeyReference>,
    /// A Secret of the integration's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KeyReference>,
}

/// What the operator found. Nothing in it moves by itself.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoIntegrationStatus {
    /// Inactive, Active or Error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<IntegrationState>,
    /// Generation of the spec that this status is about; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, Unreachable, Throttled, CredentialValid and FeaturesAvailable.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the annotation `ado.testops.dev/requestedAt` whose run ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_requested_at: Option<String>,
    /// Who the credential belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityStatus>,
    /// The organization that was found behind the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationStatus>,
    /// One entry for each service in use.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceStatus>,
    /// One entry for each feature there is, wanted or not.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureStatus>,
    /// Available features out of those that are wanted, such as `2/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_summary: Option<String>,
    /// The credential that the verdict is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialStatus>,
    /// Number of project configs that refer to this integration from a namespace that it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_configs: Option<i64>,
    /// Defaults that were filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<EffectiveIntegration>,
}

/// The owner of a credential.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IdentityStatus {
    /// Name as Azure DevOps shows it.
    pub display_name: String,
    /// Id of the identity.
    pub id: String,
}

/// An organization.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrganizationStatus {
    /// Name, as it stands in the URL.
    pub name: String,
    /// Instance id; the pin of the integration.
    pub id: String,
}

/// State of one service.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Name of the service.
    pub name: Service,
    /// Inactive, Active or Error.
    #[serde(default)]
    pub state: IntegrationState,
    /// What was found, such as the number of readable repositories.
    #[serde(default)]
    pub message: String,
}

/// The credential that was checked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CredentialStatus {
    /// Name of its Secret.
    pub secret_name: String,
    /// Version of the Secret that was checked.
    pub resource_version: String,
    /// When it expires, where that can be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// Values in force for what the spec leaves out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EffectiveIntegration {
    /// Services in use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Features wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// Where project configs may stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<NamespacesFrom>,
    /// Time between two validations, as in `1h30m`. A text, since whatever stands in a status can be read then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
}

impl AdoIntegrationSpec {
    /// Time between two validations where the spec names none.
    pub const DEFAULT_INTERVAL: std::time::Duration = std::time::Duration::from_mins(10);

    /// What the author wants, with the default filled in.
    pub fn desired_state(&self) -> DesiredState {
        self.state.unwrap_or_default()
    }

    /// The personal access token, where that is the way to authenticate.
    pub fn pat(&self) -> Option<&PatAuth> {
        self.auth.as_ref()?.pat.as_ref()
    }

    /// Services in use, in their fixed order.
    pub fn effective_services(&self) -> Vec<Service> {
        let mut services = self.services.clone().unwrap_or_default();
        services.push(Service::AzureDevOps);
        services.sort_unstable();
        services.dedup();
        services
    }

    /// Features wanted, in their fixed order.
    pub fn effective_features(&self) -> Vec<Feature> {
        let mut features = self.features.clone().unwrap_or_else(|| vec![Feature::HandleWebhookEvents]);
        features.push(Feature::ManualSync);
        features.sort_unstable();
        features.dedup();
        features
    }

    /// Time between two validations.
    pub fn effective_interval(&self) -> std::time::Duration {
        self.interval.map_or(Self::DEFAULT_INTERVAL, Into::into)
    }

    /// Every default that is in force.
    pub fn effective(&self) -> EffectiveIntegration {
        EffectiveIntegration {
            services: self.effective_services(),
            features: self.effective_features(),
            allowed_namespaces: Some(self.allowed_namespaces.as_ref().map_or(NamespacesFrom::Same, |a| a.from)),
            interval: Some(written(self.effective_interval())),
        }
    }
}

/// Schema rules of this kind.
mod rules {
    use kube::core::Message;
    use schemars::{Schema, SchemaGenerator, json_schema};

    /// The URL has the one scheme under which a credential may be sent.
    pub(super) const URL_SCHEME: &str = "self.organizationURL.startsWith('https://')";

    /// Nothing that could carry a secret: no user information, query, fragment or white space.
    pub(super) const URL_PLAIN: &str = "!self.organizationURL.matches('[@?#\\\\s]')";

    /// `dev.azure.com` is followed by exactly one segment.
    pub(super) const URL_CLOUD: &str = "!self.organizationURL.lowerAscii().matches('^https?://([^/?#]*@)?dev[.]azure[.]com([:/?#]|$)') \
         || self.organizationURL.lowerAscii().matches('^https?://([^/?#]*@)?dev[.]azure[.]com(:443)?/[^/?#]+/?([?#].*)?$')";

    /// `{organization}.visualstudio.com` is followed by no segment.
    pub(super) const URL_LEGACY: &str = "!self.organizationURL.lowerAscii().matches('^https?://([^/?#]*@)?[^/?#@]*[.]visualstudio[.]com([:/?#]|$)') \
         || self.organizationURL.lowerAscii().matches('^https?://([^/?#]*@)?[a-z0-9-]+[.]visualstudio[.]com(:443)?/?([?#].*)?$')";

    /// A sentence with the value as it should read. The value is put together from the host and the organization's name
    /// alone (which has at most 50 characters), so that nothing else that was pasted comes back.
    pub(super) fn url_message(problem: &str) -> Message {
        const CLOUD: &str = "self.organizationURL.lowerAscii().find('dev[.]azure[.]com/[a-z0-9-]+')";
        const LEGACY: &str = "self.organizationURL.lowerAscii().find('[a-z0-9-]+[.]visualstudio[.]com')";
        Message::Expression(format!(
            "'organizationURL {problem}; write https://' + \
             ({CLOUD} != '' && size({CLOUD}) <= 64 ? {CLOUD} : \
             {LEGACY} != '' && size({LEGACY}) <= 67 ? {LEGACY} : 'dev.azure.com/<organization>')"
        ))
    }

    /// A label selector with the bounds that Kubernetes' own type leaves open.
    pub(super) fn label_selector(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({"type": "string", "maxLength": 317});
        json_schema!({
            "type": "object",
            "properties": {
                "matchLabels": {"type": "object", "maxProperties": 32, "additionalProperties": text},
                "matchExpressions": {
                    "type": "array",
                    "maxItems": 32,
                    "x-kubernetes-list-type": "atomic",
                    "items": {
                        "type": "object",
                        "required": ["key", "operator"],
                        "properties": {
                            "key": text,
                            "operator": {"type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
                            "values": {"type": "array", "maxItems": 64, "items": text, "x-kubernetes-list-type": "atomic"}
                        },
                        "x-kubernetes-validations": [{
                            "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
                            "message": "values must be given with the operators In and NotIn, and only then"
                        }]
                    }
                }
            }
        })
    }
}

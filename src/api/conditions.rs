//! Condition types and reasons of both kinds. These constants are part of the API: alerts and scripts match on them.

/// Longest condition message, in characters; a longer one is cut.
pub const MESSAGE_LIMIT: usize = 1024;

/// Types of conditions, with the polarity that they have.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConditionType {
    /// The object is what its spec asks for (kstatus). True is healthy.
    Ready,
    /// Work towards the spec goes on (kstatus). Present only while True.
    Reconciling,
    /// Nothing goes on until somebody changes something (kstatus). Present only while True.
    Stalled,
    /// No verdict could be had from Azure DevOps for a while. Present only while True.
    Unreachable,
    /// Azure DevOps asked us to slow down for longer than an interval. Present only while True.
    Throttled,
    /// The credential was accepted by the organization. Integration only.
    CredentialValid,
    /// Every wanted feature was found available. Integration only.
    FeaturesAvailable,
    /// The mapping fits the live process. Project config only.
    MappingValid,
    /// The store holds what Azure DevOps had at the last sync. Project config only.
    Synced,
}

impl ConditionType {
    /// The name as it stands in `status.conditions[].type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Unreachable => "Unreachable",
            Self::Throttled => "Throttled",
            Self::CredentialValid => "CredentialValid",
            Self::FeaturesAvailable => "FeaturesAvailable",
            Self::MappingValid => "MappingValid",
            Self::Synced => "Synced",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Reasons of conditions and events.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason, for the documentation and for metric labels.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The constant as it stands in `reason`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

reasons! {
    /// The integration was validated.
    Connected,
    /// The project config's first sync is done.
    Synced,
    /// Nothing is pulled, because neither toggle is on.
    NothingSelected,
    /// Disconnected on request (`spec.state: Inactive`).
    Disconnected,
    /// Saved on request and not synced (`spec.state: Inactive`).
    Saved,
    /// Archived on request (`spec.state: Archived`).
    Archived,
    /// The spec or something that it names is being validated.
    Validating,
    /// The first sync is under way.
    Syncing,
    /// The object is being deleted.
    Deleting,
    /// The spec's URL cannot be the URL of an organization.
    InvalidOrganizationURL,
    /// The spec contradicts itself.
    InvalidSpec,
    /// A reference in the spec is no name that an object can have.
    InvalidReference,
    /// The named Secret does not exist.
    SecretNotFound,
    /// The named Secret has no such key.
    SecretKeyNotFound,
    /// The named ConfigMap does not exist or has no such key.
    ConfigMapNotFound,
    /// The Secret's value cannot be a token: empty, several lines, or not printable.
    InvalidToken,
    /// The CA bundle holds no usable certificate.
    InvalidCABundle,
    /// `spec.proxy` names no proxy that the administrator configured.
    UnknownProxy,
    /// The host is neither an Azure DevOps cloud host nor an allowed one.
    DisallowedHost,
    /// The host resolves to addresses that are not globally reachable.
    PrivateAddress,
    /// Azure DevOps refused the credential.
    CredentialRefused,
    /// The host answers, but not as the organization that the URL names.
    OrganizationNotFound,
    /// The spec means another organization than the one that was first validated.
    OrganizationChanged,
    /// A wanted feature is not available.
    FeatureUnavailable,
    /// Azure Repos cannot be read.
    AzureReposUnavailable,
    /// No verdict could be had from Azure DevOps.
    Unreachable,
    /// The operator could not do its own work: its rights or its store stand in the way.
    InternalError,
    /// The server's certificate is not trusted.
    CertificateNotTrusted,
    /// The token was accepted.
    CredentialAccepted,
    /// Everything that was asked for is available.
    AllAvailable,
    /// Some answers could not be had.
    SomeUnknown,
    /// Azure DevOps asked us to slow down.
    Throttled,
    /// The integration does not exist, or does not allow this namespace.
    IntegrationNotAvailable,
    /// The integration has no verdict yet, or is being deleted.
    IntegrationNotReady,
    /// The integration is disconnected.
    IntegrationInactive,
    /// The integration's state is Error.
    IntegrationError,
    /// The spec means another integration than the one that was first validated.
    IntegrationChanged,
    /// The project does not exist or cannot be read.
    ProjectNotFound,
    /// The integration's `allowedProjects` does not have the project.
    ProjectNotAllowed,
    /// The spec means another project than the one that was first validated.
    ProjectChanged,
    /// The project has no such team.
    TeamNotFound,
    /// The mapping names something that the process does not have.
    InvalidMapping,
    /// The mapping fits the process.
    MappingAccepted,
    /// The mapping was accepted, and Azure DevOps has since lost something that it names.
    ProcessChanged,
    /// Too many work items vanished at once, without evidence that they were deleted.
    MassDisappearance,
}

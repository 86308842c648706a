//! The Kubernetes API: custom resources of group `ado.testops.dev`, their conditions and annotations.
//!
//! Rules that the apiserver can check stand in the schema (types, patterns, CEL); everything else is live validation in
//! the controllers. This layer imports nothing of ours.

mod annotations;
mod conditions;
mod crd;
mod integration;
mod mapping;
mod project_config;
mod shared;

pub use annotations::{ALLOW_DELETION, CONFIRM_DISAPPEARANCE, REQUESTED_AT};
pub use conditions::{ConditionType, MESSAGE_LIMIT, Reason};
pub use crd::{crd_files, crds};
pub use integration::{
    AdoIntegration, AdoIntegrationSpec, AdoIntegrationStatus, AllowedNamespaces, Auth, CaBundle, CredentialStatus,
    EffectiveIntegration, IdentityStatus, NamespacesFrom, OrganizationStatus, PatAuth, ServiceStatus, UnavailableAuth,
};
pub use mapping::{
    IterationMapping, IterationSource, PriorityEntry, Rating, RecordStatus, SeverityEntry, SourceKind, StatusEntry,
};
pub use project_config::{
    AdoProjectConfig, AdoProjectConfigSpec, AdoProjectConfigStatus, BugMapping, ConfigState, Counts, DeletionPolicy,
    DesiredConfigState, EffectiveProjectConfig, IntegrationReference, ProjectStatus, PullRequirements,
    ResolvedIntegration, SyncIntervals, SyncStatus, TeamStatus, Tier, UnmappedStatus,
};
pub use shared::{
    Availability, DesiredState, Feature, FeatureStatus, IntegrationState, KeyReference, SecretKeyReference, Service,
    written,
};

/// API group of both kinds.
pub const GROUP: &str = "ado.testops.dev";

/// The one field manager of every write that the controllers make.
pub const FIELD_MANAGER: &str = "ado-operator";

/// Finalizer of an `AdoIntegration`: deletion waits for the project configs that refer to it.
pub const INTEGRATION_FINALIZER: &str = "ado.testops.dev/project-configs";

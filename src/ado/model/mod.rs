//! What the REST API says, reduced to the members that are used. Unknown members are skipped while reading, unknown
//! values of enumerations are kept as text, and an absent member means the same as null (`ado-api.md` §1, "Wire form
//! versus spec").

mod connection;
mod ids;
mod json;
mod processes;
mod projects;
mod reporting;
mod security;
mod work_items;

pub use connection::{AccessLevel, ConnectionData, Entitlement, HookEventType, Identity};
pub use ids::{IdentityId, OrganizationId, ProjectId, RepositoryId, SecurityNamespaceId, TeamId, WorkItemId};
pub(crate) use json::{BareOrList, List, leading_id, without_nulls};
pub use processes::{
    BacklogConfiguration, BacklogLevel, BugsBehavior, Field, FieldKind, State, StateCategory, TypeCategory, TypeField,
    WorkItemType,
};
pub use projects::{
    ClassificationNode, ClassificationRoots, NodeDates, NodeStructure, Project, ProjectDetails, ProjectState,
    Repository, Team, TeamIteration,
};
pub use reporting::{LinkChange, Revision};
pub(crate) use security::{EvaluatedPermission, EvaluationAnswer, EvaluationBatch};
pub use security::{PermissionQuery, SecurityAction, SecurityNamespace};
pub use work_items::{DeletedWorkItem, Link, LinkKind, LinkedWorkItem, Patch, QueryResult, Validation, WorkItem};

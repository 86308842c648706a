//! A strict, stateful simulator of the Azure DevOps REST API, in the spirit of Pebble.
//!
//! [`Simulator::start`] serves a generated organization over TLS on a loopback address. What the `OpenAPI` files do not
//! know is refused and recorded as a violation; what they know and the simulator lacks is answered with 501. Tests
//! steer it with the methods of [`Control`] or, from outside the process, by the same operations under `/_simulator/`.

pub(crate) mod api;
pub mod auth;
pub mod control;
pub(crate) mod envelope;
pub mod faults;
pub mod journal;
pub mod options;
pub(crate) mod pipeline;
pub mod quirks;
pub mod rate_limit;
pub(crate) mod reply;
pub mod server;
pub mod state;
pub mod strict;
pub(crate) mod target;
pub mod tls;

pub use auth::Scopes;
pub use control::{Control, ControlError};
pub use faults::{Effect, Fault};
pub use journal::{RequestRecord, Violation, ViolationKind};
pub use options::{Deployment, Options, SpecificationSource};
pub use quirks::{
    CredentialRefusal, ExistingLink, HooksWithoutView, MissingScopeStatus, ProbeOrder, Quirks, RecycleBinForm,
    ReportingDeleted, ReportingParent, ReportingRefusal, UnknownOrganization,
};
pub use rate_limit::RateLimit;
pub use server::{Simulator, StartError};

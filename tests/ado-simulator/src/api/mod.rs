//! The operations that the simulator implements, one file per area.
#![allow(clippy::unnecessary_wraps, reason = "handlers share one signature, whether they can fail or not")]

mod backlogs;
mod core;
mod entitlements;
mod fields;
mod git;
mod graph;
mod hooks;
mod location;
mod nodes;
mod odata;
mod processes;
mod recycle_bin;
mod reporting;
mod routes;
mod security;
mod teams;
mod test;
mod types;
mod wiql;
mod work_items;

use std::collections::HashMap;

use http::Method;
use serde_json::Value;

pub(crate) use routes::{own_operations, undescribed_operations};

use crate::envelope::Refusal;
use crate::options::Deployment;
use crate::quirks::Quirks;
use crate::reply::Reply;
use crate::state::World;
use crate::state::identity::Identity;
use crate::state::organization::Organization;
use crate::state::permissions::{self, Right};
use crate::state::project::{Project, ProjectState, Team};
use crate::strict::Operation;
use crate::target::Target;

/// The route of the credential check.
pub(crate) const CONNECTION_DATA: &str = "/{organization}/_apis/connectionData";

/// What a handler gives.
pub(crate) type Outcome = Result<Reply, Refusal>;

/// A handler: most read, some change the world.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    Read(fn(&Call<'_>, &World) -> Outcome),
    Write(fn(&Call<'_>, &mut World) -> Outcome),
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Index of the identity in its organization.
    Known(usize),
    Anonymous,
}

/// A request that passed every check but the handler's own.
pub(crate) struct Call<'a> {
    pub seed: u64,
    pub organization: usize,
    pub caller: Caller,
    pub target: &'a Target,
    pub parameters: &'a [(String, String)],
    pub body: &'a Value,
    pub quirks: &'a Quirks,
    pub deployment: &'a Deployment,
    /// Nothing may be changed: the caller is to be told about the body before its scope is refused.
    pub dry: bool,
}

impl Call<'_> {
    /// A path parameter, if it is in the URL.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A path parameter as a number; the route made sure that it is one.
    pub fn id(&self, name: &str) -> u32 {
        self.parameter(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// A query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.target.query_value(name)
    }

    /// A query parameter that is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A query parameter as a number; negative ones count as absent.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.query(name).and_then(|text| text.parse().ok())
    }

    /// A query parameter as a list separated by commas.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.query(name).map(|text| text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
    }

    pub fn organization<'w>(&self, world: &'w World) -> &'w Organization {
        &world.organizations[self.organization]
    }

    /// The caller; *Anonymous* reaches connectionData only, which asks for itself.
    pub fn identity<'w>(&self, world: &'w World) -> Result<&'w Identity, Refusal> {
        match self.caller {
            Caller::Known(index) => Ok(&self.organization(world).identities[index]),
            Caller::Anonymous => Err(Refusal::unauthorized()),
        }
    }

    /// The project of the URL, if the caller may see it.
    pub fn project<'w>(&self, world: &'w World) -> Result<&'w Project, Refusal> {
        let key = self.parameter("project").or(self.parameter("projectId")).unwrap_or_default();
        Ok(&self.organization(world).projects[self.visible_project(world, key)?])
    }

    /// The index of the project of the URL, `None` where the URL names none.
    pub fn project_index(&self, world: &World) -> Result<Option<usize>, Refusal> {
        self.parameter("project").map(|key| self.visible_project(world, key)).transpose()
    }

    /// The index of a project that the caller may see.
    pub fn visible_project(&self, world: &World, key: &str) -> Result<usize, Refusal> {
        let organization = self.organization(world);
        let identity = self.identity(world)?;
        let visible = |index: &usize| permissions::may(identity, Right::ViewProject, &organization.projects[*index]);
        organization.live_project(key).filter(visible).ok_or_else(|| Refusal::no_project(key))
    }

    /// The team of the URL, else the project's default team.
    pub fn team<'w>(&self, project: &'w Project) -> Result<&'w Team, Refusal> {
        let team = match self.parameter("team") {
            Some(key) => project.team(key),
            None => project.teams.first(),
        };
        team.ok_or_else(|| Refusal::no_team(self.parameter("team").unwrap_or_default()))
    }

    /// Of which projects the caller may read work items; of none that is deleted.
    pub fn readable(&self, world: &World) -> Result<Vec<bool>, Refusal> {
        let identity = self.identity(world)?;
        let may = |project| {
            [Right::ViewProject, Right::ReadWorkItems].iter().all(|right| permissions::may(identity, *right, project))
        };
        let projects = self.organization(world).projects.iter();
        Ok(projects.map(|project| project.state == ProjectState::WellFormed && may(project)).collect())
    }

    /// A member of the body, whose name is read without case as the service does.
    pub fn member(&self, name: &str) -> Option<&Value> {
        let mut members = self.body.as_object()?.iter();
        members.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether the caller holds a right.
    pub fn may(&self, world: &World, right: Right, project: &Project) -> bool {
        self.identity(world).is_ok_and(|identity| permissions::may(identity, right, project))
    }

    /// `https://host/{organization}`.
    pub fn base(&self) -> &str {
        &self.target.base
    }

    /// The URL of a project's resources: links carry the id, never the name (recorded).
    pub fn project_base(&self, project: &Project) -> String {
        format!("{}/{}", self.base(), project.id)
    }
}

/// An identity as `Name <account>`.
fn person_text(reference: &Value) -> String {
    let text = |name: &str| reference.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{} <{}>", text("displayName"), text("uniqueName"))
}

/// A date with or without time and zone (UTC if left out), in milliseconds of the Unix epoch.
fn moment(text: &str) -> Option<i64> {
    let utc = |date: jiff::civil::DateTime| date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let timestamp = text.parse::<jiff::Timestamp>().ok();
    let moment = timestamp.or_else(|| utc(text.parse().ok()?)).or_else(|| {
        let date: jiff::civil::Date = text.parse().ok()?;
        utc(date.into())
    })?;
    Some(moment.as_millisecond())
}

/// Handlers by method and lower-case template.
pub(crate) fn handlers() -> HashMap<(Method, String), Handler> {
    routes::ROUTES.iter().map(|route| ((route.method(), route.template().to_lowercase()), route.handler)).collect()
}

/// The scopes of which one is needed, where quirks change what the specification says.
pub(crate) fn scopes_wanted(operation: &Operation, quirks: &Quirks) -> Vec<String> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let template = operation.template.as_str();
    if template == CONNECTION_DATA && quirks.connection_data_needs_scope {
        return names(&["vso.profile", "vso.project"]);
    }
    if template.ends_with("/_apis/test/points") && !quirks.test_points_enforces_write_scope {
        return names(&["vso.test"]);
    }
    if operation.scopes.iter().any(|scope| scope == "vso.project") && !quirks.projects_accept_profile {
        return names(&["vso.project"]);
    }
    let security = ["/_apis/permissions/", "/permissionevaluationbatch", "/_apis/securitynamespaces"];
    if quirks.security_reads_need_scope && security.iter().any(|part| template.contains(part)) {
        return names(&["vso.security_manage"]);
    }
    operation.scopes.clone()
}

/// Whether the call is one of the probes whose checks may come in another order (`ado-api.md` §12, §14.2).
pub(crate) fn is_probe(call: &Call<'_>) -> bool {
    let last = call.target.segments.last().map_or("", String::as_str);
    call.flag("validateOnly") || last.eq_ignore_ascii_case("subscriptions") || last.eq_ignore_ascii_case("points")
}

//! Counts, requests, violations, faults, switches, clock, and a summary of the world.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Control, ControlError, find_identity};
use crate::faults::{ArmedFault, Fault};
use crate::journal::{RequestCount, RequestRecord, Violation, ViolationKind};
use crate::quirks::Quirks;
use crate::rate_limit::RateLimit;
use crate::state::items::Presence;
use crate::state::organization::Organization;
use crate::strict;
use crate::target::Target;

/// A project as the summary shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSummary {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `wellFormed`, `deleted`, …
    pub state: &'static str,
    /// The name of its process.
    pub process: String,
    /// Names of its teams, the default one first.
    pub teams: Vec<String>,
    /// Live work items by type.
    pub work_items: BTreeMap<String, u64>,
}

/// An organization as the summary shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationSummary {
    /// Its id (`instanceId`).
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its projects, deleted ones too.
    pub projects: Vec<ProjectSummary>,
    /// Accounts of its identities.
    pub identities: Vec<String>,
    /// Number of service hook subscriptions.
    pub subscriptions: usize,
}

/// The summary of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The seed.
    pub seed: u64,
    /// The simulated time.
    pub now: Timestamp,
    /// Whether the `OpenAPI` files are in use.
    pub described: bool,
    /// The organizations.
    pub organizations: Vec<OrganizationSummary>,
}

impl Control {
    /// A summary of the world. It walks all work items: not for tight loops.
    pub fn state(&self) -> State {
        let world = self.shared.world.read();
        State {
            seed: world.seed,
            now: world.now(),
            described: self.shared.catalog.described(),
            organizations: world.organizations.iter().map(summary).collect(),
        }
    }

    /// The summary of one project of `contoso`.
    pub fn project(&self, name: &str) -> Result<ProjectSummary, ControlError> {
        let summary = self.read("contoso", |_, organization| summary(organization))?;
        let found = summary.projects.into_iter().find(|project| project.name == name);
        found.ok_or_else(|| ControlError::not_found("project", name))
    }

    /// Requests by method, route template and status since the start or the last reset.
    pub fn request_counts(&self) -> Vec<RequestCount> {
        self.shared.journal.lock().counts()
    }

    /// All requests since the start or the last reset.
    pub fn request_total(&self) -> u64 {
        self.shared.journal.lock().total()
    }

    /// How often a route was called, whatever the status; `route` is the end of the template, such as `/wit/wiql`.
    pub fn count(&self, method: &str, route: &str) -> u64 {
        let counts = self.request_counts();
        let matching = counts.iter().filter(|row| {
            row.method.eq_ignore_ascii_case(method) && row.route.to_lowercase().ends_with(&route.to_lowercase())
        });
        matching.map(|row| row.count).sum()
    }

    /// The number of the last request. It is never reset: [`Control::requests_since`] with it gives what came later.
    pub fn last_request(&self) -> u64 {
        self.shared.journal.lock().sequence()
    }

    /// The kept requests after a number, oldest first.
    pub fn requests_since(&self, sequence: u64) -> Vec<RequestRecord> {
        self.shared.journal.lock().since(sequence)
    }

    /// Violations of strictness (things the simulator lacks are among them), at most 1,000.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.journal.lock().violations().1
    }

    /// The number of violations without what the simulator merely lacks.
    pub fn violation_count(&self) -> usize {
        self.violations().iter().filter(|violation| violation.kind != ViolationKind::NotImplemented).count()
    }

    /// What in a JSON answer to `method url` does not fit the `OpenAPI` files, each with its place; `None` where they
    /// describe no such answer (or are not in use).
    pub fn check_answer(&self, method: &str, url: &str, body: &Value) -> Result<Option<Vec<String>>, ControlError> {
        let invalid = |error: &dyn std::fmt::Display| ControlError::Invalid(error.to_string());
        let method = method.parse::<http::Method>().map_err(|error| invalid(&error))?;
        let uri = url.parse::<http::Uri>().map_err(|error| invalid(&error))?;
        let target = Target::read(
            &uri,
            uri.authority().map_or("localhost", |authority| authority.as_str()),
            self.shared.options.deployment.virtual_directory(),
        );
        strict::check_answer(&self.shared.catalog, &method, &target, body).map_err(|error| invalid(&error))
    }

    /// Forgets counts, requests and violations.
    pub fn reset_journal(&self) {
        self.shared.journal.lock().reset();
    }

    /// Arms a fault and gives its number.
    pub fn add_fault(&self, fault: Fault) -> u64 {
        self.shared.faults.lock().add(fault)
    }

    /// Disarms a fault; false if there is none of this number.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.shared.faults.lock().remove(id)
    }

    /// The faults in force, with how often each struck.
    pub fn faults(&self) -> Vec<ArmedFault> {
        self.shared.faults.lock().list()
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.lock().clear();
    }

    /// The switches in force.
    pub fn quirks(&self) -> Quirks {
        self.shared.quirks.read().clone()
    }

    /// Sets all switches.
    pub fn set_quirks(&self, quirks: Quirks) {
        *self.shared.quirks.write() = quirks;
    }

    /// Changes some switches.
    pub fn change_quirks(&self, change: impl FnOnce(&mut Quirks)) {
        change(&mut self.shared.quirks.write());
    }

    /// Sets the rate limit of everybody, or of one identity of `contoso`; `None` removes it.
    pub fn set_rate_limit(&self, identity: Option<&str>, limit: Option<RateLimit>) -> Result<(), ControlError> {
        let id = match identity {
            None => None,
            Some(name) => Some(self.read("contoso", |_, organization| {
                find_identity(organization, name).map(|index| organization.identities[index].id)
            })??),
        };
        self.shared.limits.lock().set(id, limit);
        Ok(())
    }

    /// Moves the simulated clock forward (or back); expiry, `asOf` and new dates follow it.
    pub fn advance_clock(&self, seconds: i64) {
        let mut world = self.shared.world.write();
        world.clock_offset = world.clock_offset.saturating_add(SignedDuration::from_secs(seconds));
    }

    /// Stops or starts an organization: a stopped one answers everything with 503 TF24668.
    pub fn set_stopped(&self, organization: &str, stopped: bool) -> Result<(), ControlError> {
        self.write(organization, |world, index| {
            world.organizations[index].stopped = stopped;
            Ok(())
        })
    }

    /// Gives an organization public projects, so that anonymous callers may be answered.
    pub fn set_public(&self, organization: &str, public: bool) -> Result<(), ControlError> {
        self.write(organization, |world, index| {
            world.organizations[index].public = public;
            Ok(())
        })
    }
}

fn summary(organization: &Organization) -> OrganizationSummary {
    let mut counts: BTreeMap<(u16, u16), u64> = BTreeMap::new();
    for (_, row) in organization.items.from(1).filter(|(_, row)| row.presence == Presence::Live) {
        *counts.entry((row.project, row.kind)).or_default() += 1;
    }
    let projects = organization.projects.iter().zip(0u16..).map(|(project, index)| {
        let process = organization.process_of(project);
        let of_project = counts.iter().filter(|((owner, _), _)| *owner == index);
        ProjectSummary {
            id: project.id,
            name: project.name.clone(),
            state: project.state.name(),
            process: process.name.clone(),
            teams: project.teams.iter().map(|team| team.name.clone()).collect(),
            work_items: of_project
                .map(|((_, kind), count)| (process.types[usize::from(*kind)].name.clone(), *count))
                .collect(),
        }
    });
    OrganizationSummary {
        id: organization.id,
        name: organization.name.clone(),
        projects: projects.collect(),
        identities: organization.identities.iter().map(|identity| identity.account.clone()).collect(),
        subscriptions: organization.subscriptions.len(),
    }
}

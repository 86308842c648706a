//! Finds out what a credential may do, without leaving anything behind (`ado-api.md` §12).
//!
//! Verdicts here are those of an integration: they cover the credential, the organization and the token's scopes, seen
//! through one project. What that one project refuses (403, 404) is no verdict here; its own config has one, from
//! [`probe_project`].
//!
//! `questions.rs` asks, `judgement.rs` draws the conclusions.

mod judgement;
mod project;
mod questions;

pub use project::{ProjectReport, probe_project};

use std::time::Duration;

use crate::ado::model::{ConnectionData, ProjectId};
use crate::ado::{AdoClient, AdoError};
use crate::api::{Availability, Service};
use crate::domain::features::{FeatureVerdict, Findings, judge};
use crate::domain::projects::ProjectFilter;
use questions::Prober;

/// What to probe.
#[derive(Clone, Debug, Default)]
pub struct ProbeRequest {
    /// Services in use: repositories are asked for only with [`Service::AzureRepos`].
    pub services: Vec<Service>,
    /// The lowest project id that a config names. Absent means the lowest that is readable and allowed.
    pub project: Option<ProjectId>,
    /// Projects that configs may name.
    pub allowed: ProjectFilter,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct ProbeReport {
    /// Who the credential belongs to, and which organization answered.
    pub connection: ConnectionData,
    /// The project that was asked about; absent if none could be chosen.
    pub project: Option<ProbedProject>,
    /// Why none of the projects that there are could be asked about.
    pub no_project: Option<String>,
    /// What was found about each permission.
    pub findings: Findings,
    /// The verdicts on all seven features.
    pub features: Vec<FeatureVerdict>,
    /// What was found about Azure Repos, if it is in use.
    pub repositories: Option<RepositoriesFinding>,
    /// The longest pause that the service asked for.
    pub throttled: Option<Duration>,
    /// What people should know although it decides nothing.
    pub warnings: Vec<String>,
}

/// The project that was asked about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProbedProject {
    /// Its id.
    pub id: ProjectId,
    /// Its name; the id again if the project could not be read.
    pub name: String,
}

/// What was found about Azure Repos.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositoriesFinding {
    /// Whether repositories can be read.
    pub available: Availability,
    /// How many can be read; disabled ones are left out.
    pub count: Option<usize>,
    /// The same in words.
    pub message: String,
}

/// Probes everything that the seven features and Azure Repos need, in about a dozen requests.
///
/// An error means that connectionData gave no good answer: the credential was refused twice, or there is no verdict on
/// it. Anything that goes wrong later is a finding. A 401 of one area is believed, as a missing scope, only if it came
/// twice, the service did not throttle meanwhile, and connectionData still accepts the credential (`ado-api.md` §2).
pub async fn probe(client: &AdoClient, request: &ProbeRequest) -> Result<ProbeReport, AdoError> {
    let connection = client.connection_data().await?;
    probe_connected(client, connection, request).await
}

/// The same for a credential that was just verified, by whoever has to look at the organization first.
pub async fn probe_connected(
    client: &AdoClient,
    connection: ConnectionData,
    request: &ProbeRequest,
) -> Result<ProbeReport, AdoError> {
    let prober = Prober::new(client);
    // Boxed, because the answers of a dozen requests make a large future.
    let answers = Box::pin(prober.ask(request, &connection.identity.id)).await;
    let noted = prober.noted();
    let trust = judgement::Trust { refusals: noted.throttled.is_none(), of_project: false };
    if noted.refused && trust.refusals {
        client.connection_data().await?;
    }
    let mut findings = Findings::default();
    judgement::conclude(&answers, trust, &mut findings);
    Ok(ProbeReport {
        connection,
        project: answers.project(),
        no_project: answers.no_project(),
        features: judge(&findings),
        repositories: judgement::repositories(&answers, trust),
        throttled: noted.throttled,
        warnings: judgement::warnings(&answers, &findings),
        findings,
    })
}

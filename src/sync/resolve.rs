//! What the names in a project config stand for in the live project.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::ado::model::ProjectDetails;
use crate::ado::{AdoClient, AdoError, Wiql};
use crate::api::{
    AdoProjectConfigSpec, EffectiveProjectConfig, ProjectStatus, Reason, ResolvedIntegration, TeamStatus, Tier,
};
use crate::domain::mapping::pins::MappingPins;
use crate::domain::mapping::process::Process;
use crate::domain::mapping::tree::Tree;
use crate::domain::mapping::{Mapping, accept};
use crate::domain::project_config::Resolved;
use crate::domain::projects::ProjectFilter;
use crate::domain::verdict::Cause;

use super::SyncError;
use super::fingerprint::fingerprint;
use super::learnt::Fields;
use super::look::Look;
use super::metadata::Metadata;

/// Finds the project that the spec names, by its id where that is known, and checks that the integration allows it.
pub async fn project(
    look: &Look,
    spec: &AdoProjectConfigSpec,
    known: Option<&str>,
    allowed: &ProjectFilter,
) -> Result<ProjectDetails, SyncError> {
    let found = match look.project(known.unwrap_or(&spec.project)).await {
        Err(AdoError::NotFound(_) | AdoError::Forbidden(_) | AdoError::InvalidName) => {
            let message = format!(
                "spec.project: the organization has no project {:?}, or the credential may not read it; correct the name \
                 or grant its owner access to the project.",
                spec.project
            );
            return Err(SyncError::Refused(Cause::new(Reason::ProjectNotFound, message)));
        }
        other => other?,
    };
    if allowed.allows(&found.name, &found.id.to_string()) {
        return Ok(found);
    }
    Err(SyncError::Refused(not_allowed(&spec.project)))
}

/// The integration's `allowedProjects` does not have the project. It is named as the spec names it: whoever wrote an id there
/// does not learn the name of a project that is none of theirs.
pub fn not_allowed(project: &str) -> Cause {
    let message = format!(
        "spec.project: the integration does not allow project {project:?}; ask for it to be added to its \
         spec.allowedProjects."
    );
    Cause::new(Reason::ProjectNotAllowed, message)
}

/// What an object's spec was accepted as before.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// Ids of what it named.
    pub pins: MappingPins,
    /// Whether it was the spec as it is now.
    pub is_current: bool,
}

/// A mapping that fits the project, and what it was held against.
#[derive(Clone, Debug)]
pub struct Validated {
    /// What the names in the spec stand for.
    pub resolved: Resolved,
    /// The mapping at work.
    pub mapping: Mapping,
    /// The iterations.
    pub tree: Arc<Tree>,
    /// Of the mapping and of what it was held against.
    pub fingerprint: Uuid,
    /// Ids of what the spec names.
    pub pins: MappingPins,
    /// Names of the project's types, of disabled ones too.
    pub types: Vec<String>,
    /// The fields of the organization.
    pub fields: Arc<Fields>,
    /// Since when it is known what the process defines.
    pub defined_at: Timestamp,
}

/// Holds a spec against a project that was found. A spec that was accepted before is not refused for what changed in Azure
/// DevOps since; a new one must fit.
pub async fn mapping(
    look: &Look,
    spec: &AdoProjectConfigSpec,
    integration: ResolvedIntegration,
    project: &ProjectDetails,
    accepted: Accepted,
) -> Result<Validated, SyncError> {
    let metadata = Metadata::read(look, spec, project, &accepted.pins, accepted.is_current).await?;
    let mut pins = if accepted.is_current {
        accepted.pins
    } else {
        fit(look.client(), spec, project, &metadata, &accepted.pins).await?
    };
    if let Some((_, team)) = &metadata.team {
        pins.team = Some(team.clone());
    }
    let mapping = Mapping::new(spec, &metadata.world(), &pins);
    let fingerprint = fingerprint(spec, &metadata.world(), &pins);
    let types = metadata.process.all_names().to_vec();
    let resolved = Resolved {
        integration,
        project: ProjectStatus {
            id: project.id.to_string(),
            name: project.name.clone(),
            process: project.process_name.clone(),
        },
        team: metadata.team.as_ref().map(|(team, _)| TeamStatus { id: team.id.to_string(), name: team.name.clone() }),
        tiers: tiers(&metadata.process),
        effective: effective(spec, &mapping),
        features: None,
    };
    let Metadata { tree, fields, .. } = metadata;
    Ok(Validated { resolved, mapping, tree, fingerprint, pins, types, fields, defined_at: look.defined_at() })
}

/// Accepts a spec if the process has what it names, or if some item still carries the values that it has no more.
async fn fit(
    client: &AdoClient,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
    metadata: &Metadata,
    earlier: &MappingPins,
) -> Result<MappingPins, SyncError> {
    let (pins, unoffered) = accept::accept(spec, &metadata.world(), earlier).map_err(SyncError::Refused)?;
    for value in unoffered {
        let carriers = Wiql::new().types(value.types.clone()).field_is(value.of, value.value.clone());
        if !client.any_item(&project.id, &carriers).await? {
            return Err(SyncError::Refused(value.refusal()));
        }
    }
    Ok(pins)
}

fn tiers(process: &Process) -> Vec<Tier> {
    (1..).zip(process.tiers()).map(|(tier, types)| Tier { tier, types }).collect()
}

fn effective(spec: &AdoProjectConfigSpec, mapping: &Mapping) -> EffectiveProjectConfig {
    let selected = mapping.selected();
    let pulls = !selected.requirement_types.is_empty() || !selected.bug_types.is_empty();
    EffectiveProjectConfig {
        requirement_types: selected.requirement_types.clone(),
        bug_types: selected.bug_types.clone(),
        release: pulls.then(|| mapping.sources().release.to_string()),
        sprint: pulls.then(|| mapping.sources().sprint.to_string()),
        time_zone: Some(spec.time_zone.clone().unwrap_or_else(|| "UTC".to_owned())),
        deletion_policy: Some(spec.deletion_policy.unwrap_or_default()),
        ..EffectiveProjectConfig::default()
    }
}

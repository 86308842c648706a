//! What the mapping is held against: types, states, levels, iterations, fields and the team of a project.

use std::collections::BTreeMap;

use futures::future::OptionFuture;

use super::{SyncError, fields};
use crate::ado::model::{Field, FieldKind, ProjectDetails, Team, TeamId};
use crate::ado::{AdoClient, AdoError};
use crate::api::{AdoProjectConfigSpec, Reason};
use crate::domain::mapping::accept::{SEVERITY, TeamView, World};
use crate::domain::mapping::folded;
use crate::domain::mapping::pins::{MappingPins, TeamPin};
use crate::domain::mapping::process::Process;
use crate::domain::mapping::selection;
use crate::domain::mapping::tree::Tree;
use crate::domain::verdict::Cause;

/// What a project is at present.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The process, as the team works with it.
    pub process: Process,
    /// The iterations.
    pub tree: Tree,
    /// Date fields of the organization.
    pub dates: Vec<Field>,
    /// The fields to read of every item.
    pub wanted: Vec<String>,
    /// Severities by the type of bugs that offers them; only asked for if the spec maps severities.
    pub severities: BTreeMap<String, Vec<String>>,
    /// The team, with what it has selected.
    pub team: Option<(Team, TeamPin)>,
}

impl Metadata {
    /// Reads it. `earlier` says which team an accepted spec means.
    pub async fn read(
        client: &AdoClient,
        spec: &AdoProjectConfigSpec,
        project: &ProjectDetails,
        earlier: &MappingPins,
        is_accepted: bool,
    ) -> Result<Self, SyncError> {
        let found = team(client, spec, project, earlier, is_accepted).await?;
        let id = found.as_ref().map(|team| team.id);
        let nodes = OptionFuture::from(id.map(|id| async move { client.team_iterations(&project.id, &id).await }));
        let (types, categories, backlog, root, fields, nodes) = tokio::try_join!(
            client.work_item_types(&project.id),
            client.work_item_type_categories(&project.id),
            client.backlog_configuration(&project.id, id.as_ref()),
            client.iteration_tree(&project.id),
            client.organization_fields(),
            async { nodes.await.transpose() },
        )?;
        let process = Process::new(types, &categories, backlog);
        let severities = severities(client, spec, project, &process, earlier).await?;
        Ok(Self {
            process,
            tree: Tree::new(&root),
            wanted: fields::wanted(&fields),
            dates: fields.into_iter().filter(|field| field.kind == FieldKind::DateTime).collect(),
            severities,
            team: found.map(|team| {
                let spelling = folded(spec.team.as_deref().unwrap_or_default());
                let nodes = nodes.unwrap_or_default().into_iter().map(|iteration| iteration.id).collect();
                let pin = TeamPin { spelling, id: team.id.0, nodes };
                (team, pin)
            }),
        })
    }

    /// The part of it that a spec is held against.
    pub fn world(&self) -> World<'_> {
        World {
            process: &self.process,
            tree: &self.tree,
            fields: &self.dates,
            severities: &self.severities,
            team: self.team.as_ref().map(|(team, pin)| TeamView { name: &team.name, pin }),
        }
    }
}

/// The team that the spec names, by its id where the name was accepted before. A team that is gone under an accepted spec is
/// none; a new spec is refused.
async fn team(
    client: &AdoClient,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
    earlier: &MappingPins,
    is_accepted: bool,
) -> Result<Option<Team>, SyncError> {
    let Some(name) = &spec.team else { return Ok(None) };
    let pinned = earlier.team.as_ref().filter(|team| team.spelling == folded(name)).map(|team| TeamId(team.id));
    if let Some(id) = pinned {
        match client.team(&project.id, &id.to_string()).await {
            Ok(found) => return Ok(Some(found)),
            Err(AdoError::NotFound(_)) if is_accepted => return Ok(None),
            Err(AdoError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match client.team(&project.id, name).await {
        Ok(found) => Ok(Some(found)),
        Err(AdoError::NotFound(_) | AdoError::InvalidName) => {
            Err(SyncError::Refused(no_team(client, name, project).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn no_team(client: &AdoClient, name: &str, project: &ProjectDetails) -> Result<Cause, SyncError> {
    let teams = client.teams(&project.id).await?;
    let names: Vec<&str> = teams.iter().take(30).map(|team| team.name.as_str()).collect();
    let message = format!("spec.team: project {:?} has no team {name:?}. It has: {}.", project.name, names.join(", "));
    Ok(Cause::new(Reason::TeamNotFound, message))
}

/// Severities that the types of bugs offer: one request for each type that has the field.
async fn severities(
    client: &AdoClient,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
    process: &Process,
    earlier: &MappingPins,
) -> Result<BTreeMap<String, Vec<String>>, SyncError> {
    let maps = spec.bugs().and_then(|block| block.severity_mapping.as_ref()).is_some_and(|list| !list.is_empty());
    if !maps {
        return Ok(BTreeMap::new());
    }
    offered_severities(client, project, selection::current(spec, process, earlier).bug_types).await
}

/// Severities that types offer, by the type; a type that has none is left out.
pub async fn offered_severities(
    client: &AdoClient,
    project: &ProjectDetails,
    types: Vec<String>,
) -> Result<BTreeMap<String, Vec<String>>, SyncError> {
    let mut found = BTreeMap::new();
    for name in types {
        if let Some(field) = client.type_field(&project.id, &name, SEVERITY).await? {
            found.insert(name, field.allowed_values);
        }
    }
    Ok(found)
}

//! What the mapping is held against: types, states, levels, iterations, fields and the team of a project.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SyncError;
use super::learnt::Fields;
use super::look::Look;
use crate::ado::model::{BacklogConfiguration, ProjectDetails, Team, TeamId};
use crate::ado::{AdoError, Outage};
use crate::api::{AdoProjectConfigSpec, Reason};
use crate::domain::mapping::accept::{TeamView, World};
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
    pub tree: Arc<Tree>,
    /// The fields of the organization.
    pub fields: Arc<Fields>,
    /// Severities by the type of bugs that offers them; only asked for if the spec maps severities.
    pub severities: BTreeMap<String, Vec<String>>,
    /// The team, with what it has selected.
    pub team: Option<(Team, TeamPin)>,
}

impl Metadata {
    /// Reads it. `earlier` says which team an accepted spec means.
    pub async fn read(
        look: &Look,
        spec: &AdoProjectConfigSpec,
        project: &ProjectDetails,
        earlier: &MappingPins,
        is_accepted: bool,
    ) -> Result<Self, SyncError> {
        let defined = async {
            let fields = look.fields().await?;
            let types = look.types(project.id, &fields).await?;
            Ok::<_, SyncError>((fields, types))
        };
        let of_team = async {
            let team = team_at_work(look, spec, project, earlier, is_accepted).await?;
            let backlog = match look.backlog(project, team.as_ref().map(|(team, _)| team.id)).await {
                Err(error) if is_accepted && team.is_some() && is_team_broken(&error) => {
                    look.backlog(project, None).await?
                }
                backlog => backlog?,
            };
            Ok::<_, SyncError>((team, backlog))
        };
        let tree = async { look.tree(project.id).await.map_err(SyncError::from) };
        let ((fields, types), (team, backlog), tree) = tokio::try_join!(defined, of_team, tree)?;
        let process = Process::new(types.types.clone(), &types.categories, BacklogConfiguration::clone(&backlog));
        let severities = severities(look, spec, project, &process, earlier).await?;
        Ok(Self { process, tree, fields, severities, team })
    }

    /// The part of it that a spec is held against.
    pub fn world(&self) -> World<'_> {
        World {
            process: &self.process,
            tree: &self.tree,
            fields: &self.fields.dates,
            severities: &self.severities,
            team: self.team.as_ref().map(|(team, pin)| TeamView { name: &team.name, pin }),
        }
    }
}

/// The team that the spec names, with what it has selected. A team that is gone while it is still taken for known is asked for
/// once more, by the name that a new spec gives it.
async fn team_at_work(
    look: &Look,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
    earlier: &MappingPins,
    is_accepted: bool,
) -> Result<Option<(Team, TeamPin)>, SyncError> {
    let mut may_repeat = true;
    loop {
        let Some(team) = team(look, spec, project, earlier, is_accepted).await? else { return Ok(None) };
        match look.selection(project.id, team.id).await {
            Ok(nodes) => {
                let spelling = folded(spec.team.as_deref().unwrap_or_default());
                let pin = TeamPin { spelling, id: team.id.0, nodes: nodes.to_vec() };
                return Ok(Some((team, pin)));
            }
            Err(AdoError::NotFound(_)) if may_repeat => look.forget_teams(project.id),
            Err(error) if is_accepted && is_team_broken(&error) => {
                let kept = earlier.team.clone().filter(|pin| pin.id == team.id.0);
                return Ok(Some((team, kept.ok_or(error)?)));
            }
            Err(error) => return Err(error.into()),
        }
        may_repeat = false;
    }
}

/// Whether the service fails for one thing of a project, as it does for good for a team whose settings are broken. What an
/// accepted spec had of it is kept then: one bad team stops no sync.
pub fn is_team_broken(error: &AdoError) -> bool {
    matches!(error, AdoError::Unavailable { outage: Outage::Status(_), .. })
}

/// The team that the spec names, by its id where the name was accepted before. A team that is gone under an accepted spec is
/// none; a new spec is refused.
async fn team(
    look: &Look,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
    earlier: &MappingPins,
    is_accepted: bool,
) -> Result<Option<Team>, SyncError> {
    let Some(name) = &spec.team else { return Ok(None) };
    let pinned = earlier.team.as_ref().filter(|team| team.spelling == folded(name)).map(|team| TeamId(team.id));
    if let Some(id) = pinned {
        match look.team(project, &id.to_string()).await {
            Ok(found) => return Ok(Some(found)),
            Err(AdoError::NotFound(_)) if is_accepted => return Ok(None),
            Err(AdoError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match look.team(project, name).await {
        Ok(found) => Ok(Some(found)),
        Err(AdoError::NotFound(_) | AdoError::InvalidName) => {
            Err(SyncError::Refused(no_team(look, name, project).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn no_team(look: &Look, name: &str, project: &ProjectDetails) -> Result<Cause, SyncError> {
    let teams = look.teams(project.id).await?;
    let names: Vec<&str> = teams.iter().take(30).map(|team| team.name.as_str()).collect();
    let message = format!("spec.team: project {:?} has no team {name:?}. It has: {}.", project.name, names.join(", "));
    Ok(Cause::new(Reason::TeamNotFound, message))
}

/// Severities that the types of bugs offer: one request for each type that has the field.
async fn severities(
    look: &Look,
    spec: &AdoProjectConfigSpec,
    project: &ProjectDetails,
    process: &Process,
    earlier: &MappingPins,
) -> Result<BTreeMap<String, Vec<String>>, SyncError> {
    let maps = spec.bugs().and_then(|block| block.severity_mapping.as_ref()).is_some_and(|list| !list.is_empty());
    if !maps {
        return Ok(BTreeMap::new());
    }
    offered_severities(look, project, selection::current(spec, process, earlier).bug_types).await
}

/// Severities that types offer, by the type; a type that has none is left out.
pub async fn offered_severities(
    look: &Look,
    project: &ProjectDetails,
    types: Vec<String>,
) -> Result<BTreeMap<String, Vec<String>>, SyncError> {
    let mut found = BTreeMap::new();
    for name in types {
        if let Some(offered) = look.severities(project.id, &name).await? {
            found.insert(name, offered.to_vec());
        }
    }
    Ok(found)
}

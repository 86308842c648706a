//! One run of a project config: its names are resolved, then the project is read.

use std::sync::Arc;

use futures::FutureExt as _;
use jiff::Timestamp;
use kube::ResourceExt;

use crate::ado::AdoError;
use crate::ado::model::{ProjectDetails, TeamId};
use crate::api::{
    AdoIntegration, AdoProjectConfig, Counts, DesiredState, Reason, ResolvedIntegration, SyncStatus, UnmappedStatus,
    written,
};
use crate::controllers::connections::Connection;
use crate::controllers::context::{Context, asks_the_same};
use crate::controllers::{namespaces, purge};
use crate::domain::mapping::pins::MappingPins;
use crate::domain::mapping::same;
use crate::domain::project_config::{Finding, Synced, Vanished};
use crate::domain::projects::ProjectFilter;
use crate::domain::references::Pinned;
use crate::domain::troubles::Troubled;
use crate::domain::verdict::{Cause, after};
use crate::store::{ConfigClaim, ConfigKey, ConfigPins, ObjectUid, PinnedMapping, Scope};
use crate::sync::learnt::METADATA_AGE;
use crate::sync::look::{Ages, Look};
use crate::sync::metadata::is_team_broken;
use crate::sync::pull::{Depth, Pull, PullReport};
use crate::sync::reading::Reading;
use crate::sync::reads::Wish;
use crate::sync::remap::{Mapped, Remap};
use crate::sync::resolve::{self, Accepted, Validated};
use crate::sync::{SyncError, aside};

/// The integration as a status names it.
pub fn resolved(integration: &AdoIntegration) -> ResolvedIntegration {
    ResolvedIntegration { namespace: integration.namespace().unwrap_or_default(), name: integration.name_any() }
}

/// Whose names are resolved and whose project is read, with whose help.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The config.
    pub object: &'a AdoProjectConfig,
    /// Its integration.
    pub integration: &'a AdoIntegration,
    /// The integration's connection.
    pub connection: &'a Connection,
    /// What was pinned before.
    pub pinned: &'a Pinned,
    /// When it was synced before.
    pub synced: &'a SyncStatus,
    /// What all runs share.
    pub ctx: &'a Context,
}

impl Inputs<'_> {
    /// Holds the spec against the project, as far as it is known. What was known before the look refuses nothing: then the
    /// project is asked. Nothing is written.
    pub async fn validate(&self, look: &Look) -> Result<(ProjectDetails, Validated), SyncError> {
        match self.hold(look).await {
            Err(SyncError::Refused(_) | SyncError::Ado(AdoError::NotFound(_) | AdoError::Forbidden(_)))
                if look.is_old() =>
            {
                self.hold(&look.anew()).await
            }
            outcome => outcome,
        }
    }

    async fn hold(&self, look: &Look) -> Result<(ProjectDetails, Validated), SyncError> {
        let Self { object, integration, pinned, ctx, .. } = *self;
        let shown = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        let known = pinned.known_project(&object.spec.project, generation, &shown);
        let allowed = ProjectFilter::new(integration.spec.allowed_projects.as_deref());
        let project = resolve::project(look, &object.spec, known.as_deref(), &allowed).await?;
        if !pinned.permits_project(&project.id.to_string(), &shown) {
            return Err(SyncError::Refused(project_changed()));
        }
        let accepted = accepted(object, ctx).await?;
        let validated = resolve::mapping(look, &object.spec, resolved(integration), &project, accepted).await?;
        Ok((project, validated))
    }

    /// A look through the connection that is content with what is known, up to these ages.
    pub fn look(&self, ages: Ages) -> Look {
        let Connection { client, learnt, .. } = self.connection;
        Look::new(client.clone(), Arc::clone(learnt), Arc::clone(&self.ctx.clock), ages)
    }

    /// Resolves the names and reads the project. What an earlier look learnt is used again while it holds.
    pub async fn pull(&self, earlier: Option<Known>, wish: Wish, ages: Ages) -> Result<(Finding, Known), SyncError> {
        let look = self.look(ages);
        let (known, reads_all) = match earlier {
            Some(known) if !known.is_outdated && self.still_holds(&known, &look).await? => (known, false),
            earlier => {
                let known = self.learn(&look, earlier.as_ref().and_then(|known| known.seen)).await?;
                let reads_all = self.has_changed_untold(&known, earlier.as_ref()).await?;
                (known, reads_all)
            }
        };
        let wish = if reads_all { Wish { depth: Depth::Everything, ..wish } } else { wish };
        let result = self.read(&known, wish).await;
        if matches!(result, Err(SyncError::Ado(AdoError::NotFound(_) | AdoError::Forbidden(_)))) {
            self.connection.learnt.forget(&known.project);
        }
        result
    }

    async fn read(&self, known: &Known, wish: Wish) -> Result<(Finding, Known), SyncError> {
        let Self { object, integration, connection, ctx, .. } = *self;
        let Validated { resolved, fields, .. } = &*known.validated;
        let project = &known.project;
        let scope = self.scope(project);
        let config = self.claim(scope).await?;
        if object.spec.requirements().is_none() && object.spec.bugs().is_none() {
            // What was pulled before is taken out of the records, once.
            let mapped = if known.mapped.is_none() { Some(self.map(known, scope, config).await?) } else { None };
            let finding = Finding::NothingSelected(Box::new(resolved.clone()));
            return Ok((finding, Known { mapped: mapped.or_else(|| known.mapped.clone()), ..known.clone() }));
        }
        let uid = object.uid().unwrap_or_default();
        let permitted = || is_permitted(object, integration, project, ctx).boxed();
        let (client, store, fields) = (&connection.client, &ctx.store, &fields.wanted);
        let reading = Reading { client, store, scope, project: project.id, fields, permitted: &permitted };
        let pull = Pull { reading, clock: &ctx.clock, config: &uid, reads: &ctx.reads };
        let report = pull.run(wish).await?;
        let mapped = self.map(known, scope, config).await?;
        let troubles = aside::troubles(store, scope).await?;
        let finding = self.finding(known, &mapped, &troubles, report);
        let (mapped, seen) = (Some(mapped), Some(report.number));
        Ok((finding, Known { mapped, seen, read_at: Some(report.at), ..known.clone() }))
    }

    /// Whose the records are. Claimed before the project is read, so that raw data that another config gives up meanwhile stay.
    async fn claim(&self, scope: Scope) -> Result<ConfigKey, SyncError> {
        let object = self.object;
        let claim = ConfigClaim {
            scope,
            namespace: &object.namespace().unwrap_or_default(),
            name: &object.name_any(),
            uid: &ObjectUid::from(object.uid().unwrap_or_default()),
            purge: purge::is_wanted(object),
        };
        Ok(self.ctx.store.claim_config(&claim).await?)
    }

    /// Brings the records up to date, unless they are known to be.
    async fn map(&self, known: &Known, scope: Scope, config: ConfigKey) -> Result<Arc<Mapped>, SyncError> {
        let store = &self.ctx.store;
        if let Some(mapped) = &known.mapped
            && mapped.change == store.latest_change(scope).await?
        {
            return Ok(Arc::clone(mapped));
        }
        let Validated { mapping, tree, fingerprint, .. } = &*known.validated;
        let now = self.ctx.clock.now().as_millisecond();
        let remap = Remap { store, scope, config, mapping, tree, fingerprint: *fingerprint, now };
        Ok(Arc::new(remap.run().await?))
    }

    fn scope(&self, project: &ProjectDetails) -> Scope {
        Scope { integration: self.connection.key, project: project.id.0.into() }
    }

    /// Whether items may have changed without a revision, so that no feed tells of it: those of a type that was renamed bear
    /// its new name, and those of an iteration that was deleted may have been moved to another one silently (`ado-api.md` §8).
    async fn has_changed_untold(&self, known: &Known, earlier: Option<&Known>) -> Result<bool, SyncError> {
        let Validated { types, tree, .. } = &*known.validated;
        let stored = self.ctx.store.count_by_type(self.scope(&known.project)).await?;
        // Those that were strange before did not become known by reading them again, and no name is no name of another type.
        let is_known = |name: &str| name.is_empty() || types.iter().any(|known| same(known, name));
        let strange: Vec<&String> = stored.iter().map(|(name, _)| name).filter(|name| !is_known(name)).collect();
        let was_strange = |name: &String| {
            earlier.is_some_and(|earlier| !earlier.validated.types.iter().any(|known| same(known, name)))
        };
        let has_strange_types = strange.iter().any(|name| !was_strange(name));
        Ok(has_strange_types || earlier.is_some_and(|earlier| tree.lacks_any_of(&earlier.validated.tree)))
    }

    /// Learns what the spec stands for, and keeps it for the object's life.
    async fn learn(&self, look: &Look, seen: Option<u64>) -> Result<Known, SyncError> {
        let (project, validated) = self.validate(look).await?;
        pin(self.object, self.connection, &project, &validated.pins, self.ctx).await?;
        let validated = Arc::new(validated);
        Ok(Known { project, validated, mapped: None, seen, read_at: None, is_outdated: false })
    }

    /// Whether what was learnt is young enough, and the iterations are as they were: they change without anything that tells
    /// of it, so they are read each time (`ado-api.md` §8).
    async fn still_holds(&self, known: &Known, look: &Look) -> Result<bool, SyncError> {
        let Validated { resolved, pins, tree, defined_at, .. } = &*known.validated;
        if after(*defined_at, METADATA_AGE) <= self.ctx.clock.now() {
            return Ok(false);
        }
        let project = known.project.id;
        // A team that is gone stays pinned, and has nothing to tell.
        let team = pins.team.as_ref().filter(|_| resolved.team.is_some());
        let (found, selected) = tokio::try_join!(look.tree(project), async {
            match team {
                Some(team) => match look.selection(project, TeamId(team.id)).await {
                    Err(AdoError::NotFound(_)) => Ok(None),
                    Err(error) if is_team_broken(&error) => Ok(Some(Arc::from(&*team.nodes))),
                    nodes => nodes.map(Some),
                },
                None => Ok(None),
            }
        })?;
        Ok(found == *tree && selected.as_deref() == team.map(|team| team.nodes.as_slice()))
    }

    fn finding(&self, known: &Known, mapped: &Mapped, troubles: &[Troubled], report: PullReport) -> Finding {
        let spec = &self.object.spec;
        let mut resolved = known.validated.resolved.clone();
        resolved.effective.interval = Some(written(spec.effective_interval()));
        resolved.effective.full_interval = Some(written(spec.effective_full_interval()));
        // Two looks may be content with the same read, which tells nothing the second time.
        let is_new = known.seen != Some(report.number);
        let depth = if is_new { report.depth } else { Depth::Changes };
        let report = PullReport { changed: is_new && report.changed, depth, ..report };
        let mut synced = synced(mapped, troubles, times(self.synced, report, self.ctx.clock.now()));
        let (namespace, name) = (self.object.namespace().unwrap_or_default(), self.object.name_any());
        synced.disappearance =
            report.disappearance.map(|found| Vanished { id: found.id, cause: found.cause(&namespace, &name) });
        Finding::Synced(Box::new(resolved), Box::new(synced))
    }
}

/// What a look learnt about a config's project. It is used again for some hours, as long as nothing speaks against it.
#[derive(Clone, Debug)]
pub struct Known {
    project: ProjectDetails,
    validated: Arc<Validated>,
    /// What the project is in test management.
    mapped: Option<Arc<Mapped>>,
    /// Number of the last read of the project that was looked at.
    seen: Option<u64>,
    /// When the read began that was last looked at.
    pub read_at: Option<Timestamp>,
    /// The spec is another one by now, or somebody asked for a run: what it stands for has to be learnt once more.
    pub is_outdated: bool,
}

impl Known {
    /// The same, to be learnt once more before it is used.
    pub fn outdated(self) -> Self {
        Self { is_outdated: true, ..self }
    }
}

/// What the object's spec was accepted as. Pins that cannot be read are none, as with a new store.
async fn accepted(object: &AdoProjectConfig, ctx: &Context) -> Result<Accepted, SyncError> {
    let uid = ObjectUid::from(object.uid().unwrap_or_default());
    let stored = ctx.store.pinned_mapping(&uid).await?;
    let pins = stored.as_ref().and_then(|mapping| serde_json::from_str(&mapping.pins).ok());
    let is_current = pins.is_some() && stored.map(|mapping| mapping.generation) == object.metadata.generation;
    Ok(Accepted { pins: pins.unwrap_or_default(), is_current })
}

/// What a status shows. Items in trouble come before the warnings of the mapping, of which there may be more than it has room
/// for.
fn synced(mapped: &Mapped, troubles: &[Troubled], sync: SyncStatus) -> Synced {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let records = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let troubles = troubles.iter().map(ToString::to_string);
    let warnings = troubles.chain(mapped.warnings.iter().map(ToString::to_string)).collect();
    let unmapped = mapped.totals.unmapped.iter().map(|one| UnmappedStatus {
        field: one.field.to_owned(),
        value: one.value.clone(),
        items: records(one.items),
    });
    Synced {
        counts: Counts {
            releases: number(mapped.releases),
            sprints: number(mapped.sprints),
            requirements: records(mapped.totals.requirements),
            bugs: records(mapped.totals.bugs),
        },
        sync,
        unmapped: unmapped.collect(),
        warnings,
        gone: mapped.gone.iter().map(ToString::to_string).collect(),
        disappearance: None,
    }
}

/// Whether a read that is under way may go on, by what was last seen: the config is still there and says the same, and its
/// integration still lends it the project.
async fn is_permitted(
    object: &AdoProjectConfig,
    integration: &AdoIntegration,
    project: &ProjectDetails,
    ctx: &Context,
) -> bool {
    let namespace = object.namespace().unwrap_or_default();
    let wanted = ctx
        .config(&namespace, &object.name_any())
        .is_some_and(|seen| asks_the_same(&*seen, object) && seen.metadata.deletion_timestamp.is_none());
    let named = resolved(integration);
    let Some(seen) = ctx.integration(&named.namespace, &named.name).filter(|_| wanted) else { return false };
    let allowed = ProjectFilter::new(seen.spec.allowed_projects.as_deref());
    let lent = seen.uid() == integration.uid()
        && seen.metadata.deletion_timestamp.is_none()
        && seen.spec.desired_state() == DesiredState::Active
        && ctx.connections.get(&seen.uid().unwrap_or_default()).is_some()
        && allowed.allows(&project.name, &project.id.to_string());
    // Labels that cannot be had for a moment are no reason to begin again.
    lent && namespaces::is_allowed(&seen, &namespace, ctx).await.unwrap_or(true)
}

/// Integration and project of a mapping that was accepted are kept for the object's life. Nothing is pinned before, so that
/// a mistake can be put right.
async fn pin(
    object: &AdoProjectConfig,
    connection: &Connection,
    project: &ProjectDetails,
    mapping: &MappingPins,
    ctx: &Context,
) -> Result<(), SyncError> {
    let uid = ObjectUid::from(object.uid().unwrap_or_default());
    let (integration, project_id) = (connection.key.to_string(), project.id.to_string());
    let pins =
        ConfigPins { integration: &integration, project_id: &project_id, project_spelling: &object.spec.project };
    ctx.store.pin_config(&uid, &pins).await?;
    let pins = serde_json::to_string(mapping).unwrap_or_default();
    let mapping = PinnedMapping { generation: object.metadata.generation.unwrap_or_default(), pins };
    ctx.store.pin_mapping(&uid, &mapping).await?;
    Ok(())
}

/// The spec names another integration than the pinned one, or that one has another organization now.
pub fn integration_changed() -> Cause {
    let message = "spec.integrationRef means another integration or organization than the one that this config was first \
                   synced through; set it back, or create a new AdoProjectConfig.";
    Cause::new(Reason::IntegrationChanged, message)
}

fn project_changed() -> Cause {
    let message = "spec.project means another project than the one that this config was first synced from; set it back, or \
                   create a new AdoProjectConfig.";
    Cause::new(Reason::ProjectChanged, message)
}

fn times(before: &SyncStatus, report: PullReport, now: Timestamp) -> SyncStatus {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    let before = before.clone();
    // What another config has read already is new to this one.
    let last_change_time = before.last_change_time.filter(|_| !report.changed).or_else(|| Some(now.clone()));
    let last_full_time = before.last_full_time.filter(|_| report.depth < Depth::Links).or(Some(now));
    SyncStatus { last_change_time, last_full_time }
}

//! One run of a project config: its names are resolved, then the project is read.

use futures::FutureExt as _;
use jiff::Timestamp;
use kube::ResourceExt;

use crate::ado::model::ProjectDetails;
use crate::api::{AdoIntegration, AdoProjectConfig, DesiredState, Reason, ResolvedIntegration, SyncStatus};
use crate::controllers::connections::Connection;
use crate::controllers::context::{Context, asks_the_same};
use crate::controllers::namespaces;
use crate::domain::project_config::{Finding, Synced};
use crate::domain::projects::ProjectFilter;
use crate::domain::references::Pinned;
use crate::domain::verdict::Cause;
use crate::store::{ConfigPins, ObjectUid, Scope};
use crate::sync::full::{FullRead, counts};
use crate::sync::{SyncError, resolve};

/// The integration as a status names it.
pub fn resolved(integration: &AdoIntegration) -> ResolvedIntegration {
    ResolvedIntegration { namespace: integration.namespace().unwrap_or_default(), name: integration.name_any() }
}

/// Resolves the names and reads the project.
pub async fn pull(
    object: &AdoProjectConfig,
    integration: &AdoIntegration,
    connection: &Connection,
    allowed: &ProjectFilter,
    pinned: &Pinned,
    ctx: &Context,
) -> Result<Finding, SyncError> {
    let client = &connection.client;
    let shown = object.status.clone().unwrap_or_default();
    let known = pinned.known_project(&object.spec.project, object.metadata.generation.unwrap_or_default(), &shown);
    let project = resolve::project(client, &object.spec, known.as_deref(), allowed).await?;
    if !pinned.permits_project(&project.id.to_string(), &shown) {
        return Err(SyncError::Refused(project_changed()));
    }
    let resolved = resolve::mapping(client, &object.spec, resolved(integration), &project).await?;
    pin(object, connection, &project, ctx).await?;
    if object.spec.requirements().is_none() && object.spec.bugs().is_none() {
        return Ok(Finding::NothingSelected(Box::new(resolved)));
    }
    let scope = Scope { integration: connection.key, project: project.id.0.into() };
    let uid = object.uid().unwrap_or_default();
    let permitted = || is_permitted(object, integration, &project, ctx).boxed();
    let read = FullRead {
        client,
        store: &ctx.store,
        clock: &ctx.clock,
        scope,
        project: project.id,
        config: &uid,
        reads: &ctx.reads,
        permitted: &permitted,
    };
    let report = read.run().await?;
    let synced = Synced {
        counts: counts(&ctx.store, scope, &resolved.effective).await?,
        sync: times(object, report.changed, ctx.clock.now()),
    };
    Ok(Finding::Synced(Box::new(resolved), Box::new(synced)))
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
    ctx: &Context,
) -> Result<(), SyncError> {
    let uid = ObjectUid::from(object.uid().unwrap_or_default());
    let (integration, project_id) = (connection.key.to_string(), project.id.to_string());
    let pins =
        ConfigPins { integration: &integration, project_id: &project_id, project_spelling: &object.spec.project };
    ctx.store.pin_config(&uid, &pins).await?;
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

fn times(object: &AdoProjectConfig, changed: bool, now: Timestamp) -> SyncStatus {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    let before = object.status.as_ref().and_then(|status| status.sync.clone()).unwrap_or_default();
    // What another config has read already is new to this one.
    let last_change_time = before.last_change_time.filter(|_| !changed).or_else(|| Some(now.clone()));
    SyncStatus { last_change_time, last_full_time: Some(now) }
}

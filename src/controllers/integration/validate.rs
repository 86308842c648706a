//! One validation: the credential first, then the organization's identity, and only then everything else.

use std::sync::Arc;

use kube::ResourceExt;

use super::inputs::Inputs;
use crate::ado::AdoError;
use crate::ado::model::{ConnectionData, ProjectId};
use crate::api::{AdoIntegration, AdoProjectConfig, IdentityStatus, OrganizationStatus, Reason};
use crate::controllers::causes::{Meaning, meaning};
use crate::controllers::connections::Connection;
use crate::controllers::context::Context;
use crate::domain::integration::{Repositories, Validation};
use crate::domain::projects::ProjectFilter;
use crate::domain::verdict::Cause;
use crate::store::{ObjectUid, StoreError};
use crate::sync::probe::{ProbeReport, ProbeRequest, probe_connected};

/// What a validation came to.
pub enum Outcome {
    /// Everything was probed.
    Validated(Box<Validation>, Connection),
    /// Azure DevOps or the spec is at fault.
    Answered(Meaning),
}

/// Validates.
pub async fn validate(
    object: &AdoIntegration,
    configs: &[Arc<AdoProjectConfig>],
    inputs: &Inputs,
    ctx: &Context,
) -> Result<Outcome, StoreError> {
    let connection = match inputs.client.connection_data().await {
        Ok(connection) => connection,
        Err(error) => return Ok(Outcome::Answered(refusal(object, inputs, &error))),
    };
    let uid = ObjectUid::from(object.uid().unwrap_or_default());
    let organization = connection.instance_id.to_string();
    if pinned_organization(object, &uid, ctx).await?.is_some_and(|pinned| pinned != organization) {
        return Ok(Outcome::Answered(organization_changed()));
    }
    let request = request(object, configs);
    let report = match probe_connected(&inputs.client, connection, &request).await {
        Ok(report) => report,
        Err(error) => return Ok(Outcome::Answered(refusal(object, inputs, &error))),
    };
    let namespace = object.namespace().unwrap_or_default();
    let accepted = ctx.store.accept_organization(&uid, &namespace, &object.name_any(), &organization).await?;
    if accepted.organization_id != organization {
        return Ok(Outcome::Answered(organization_changed()));
    }
    let lent = Connection {
        client: inputs.client.clone(),
        key: accepted.key,
        digest: inputs.credential_digest.clone(),
        learnt: Arc::default(),
    };
    Ok(Outcome::Validated(Box::new(validation(inputs, report)), lent))
}

/// The organization that the object means for life. The store's word counts; a new store learns it from the status.
async fn pinned_organization(
    object: &AdoIntegration,
    uid: &ObjectUid,
    ctx: &Context,
) -> Result<Option<String>, StoreError> {
    if let Some(pinned) = ctx.store.pins(uid).await?.organization_id {
        return Ok(Some(pinned));
    }
    let shown = object.status.as_ref().and_then(|status| status.organization.as_ref());
    let Some(shown) = shown.map(|organization| organization.id.as_str()).filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    ctx.store.pin_organization(uid, shown).await?;
    Ok(Some(shown.to_owned()))
}

fn organization_changed() -> Meaning {
    let message = "spec.organizationURL means another organization than the one that this integration was first \
                   connected to; set it back, or create a new AdoIntegration for the other organization.";
    Meaning::Refused(Cause::new(Reason::OrganizationChanged, message))
}

/// A refused token may also mean that the URL was pointed at another organization: then both causes are named.
fn refusal(object: &AdoIntegration, inputs: &Inputs, error: &AdoError) -> Meaning {
    let mut meaning = meaning(error);
    let known = object.status.as_ref().and_then(|status| status.organization.as_ref()).map(|known| known.name.as_str());
    let named = inputs.client.organization().name();
    if let Meaning::Refused(cause) = &mut meaning
        && cause.reason == Reason::CredentialRefused
        && known.is_some_and(|known| !known.eq_ignore_ascii_case(named))
    {
        cause.message.push_str(
            " Or spec.organizationURL means another organization than before: a token of one organization is refused by \
             every other, and this integration stays with the organization that it was first connected to.",
        );
    }
    meaning
}

/// Features are probed on the lowest project id that an allowed project config names, else on the lowest that is allowed.
fn request(object: &AdoIntegration, configs: &[Arc<AdoProjectConfig>]) -> ProbeRequest {
    let allowed = ProjectFilter::new(object.spec.allowed_projects.as_deref());
    let named = configs.iter().filter_map(|config| {
        let project = config.status.as_ref()?.project.as_ref()?;
        project.id.parse::<ProjectId>().ok().filter(|_| allowed.allows(&project.name, &project.id))
    });
    ProbeRequest { services: object.spec.effective_services(), project: named.min(), allowed: allowed.clone() }
}

fn validation(inputs: &Inputs, report: ProbeReport) -> Validation {
    let ConnectionData { identity, instance_id, .. } = report.connection;
    Validation {
        identity: IdentityStatus { display_name: identity.display_name, id: identity.id.to_string() },
        organization: OrganizationStatus {
            name: inputs.client.organization().name().to_owned(),
            id: instance_id.to_string(),
        },
        credential: inputs.credential.clone(),
        features: report.features.iter().map(crate::domain::features::FeatureVerdict::status).collect(),
        repositories: report
            .repositories
            .map(|found| Repositories { available: found.available, message: found.message }),
        no_project: report.no_project,
    }
}

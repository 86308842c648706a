//! Access levels (`ado-api.md` §12; recorded in `security/userentitlement-get.http`).

use serde_json::json;
use uuid::Uuid;

use super::{Call, Outcome, graph};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::permissions::Role;

pub(super) fn get(call: &Call<'_>, world: &World) -> Outcome {
    let caller = call.identity(world)?;
    let organization = call.organization(world);
    let id = call.parameter("userId").and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_default();
    if caller.role != Role::Administrator && caller.id != id {
        return Err(Refusal::access_denied(&caller.display_name, "View user entitlements"));
    }
    let identity = organization.identity_index(id).map(|index| &organization.identities[index]);
    let identity = identity
        .ok_or_else(|| Refusal::not_found("MemberNotFoundException", format!("The member {id} was not found.")))?;
    Ok(Reply::json(&json!({
        "user": graph::user_json(organization, identity),
        "extensions": [],
        "id": identity.id,
        "accessLevel": {
            "licensingSource": "account",
            "accountLicenseType": identity.access_level,
            "msdnLicenseType": "none",
            "gitHubLicenseType": "none",
            "licenseDisplayName": identity.access_level.display(),
            "status": "active",
            "statusMessage": "",
            "assignmentSource": "unknown",
        },
        "lastAccessedDate": "0001-01-01T00:00:00Z",
        "dateCreated": "2025-02-03T09:36:41.874279Z",
        "projectEntitlements": [],
        "groupAssignments": [],
    })))
}

//! Graph: descriptors and users.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::identity::Identity;
use crate::state::organization::Organization;

pub(super) fn descriptor(call: &Call<'_>, world: &World) -> Outcome {
    call.identity(world)?;
    let organization = call.organization(world);
    let id = call.parameter("storageKey").and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_default();
    let identity = organization.identity_index(id).map(|index| &organization.identities[index]);
    let identity = identity.ok_or_else(|| missing(&id.to_string()))?;
    let base = format!("https://vssps.dev.azure.com/{}/_apis/Graph", organization.name);
    Ok(Reply::json(&json!({
        "value": identity.subject,
        "_links": {
            "self": {"href": format!("{base}/Descriptors/{id}")},
            "storageKey": {"href": format!("{base}/StorageKeys/{}", identity.subject)},
            "subject": {"href": format!("{base}/Users/{}", identity.subject)},
        },
    })))
}

pub(super) fn user(call: &Call<'_>, world: &World) -> Outcome {
    call.identity(world)?;
    let organization = call.organization(world);
    let wanted = call.parameter("userDescriptor").unwrap_or_default();
    let found = organization.identities.iter().find(|identity| identity.subject == wanted);
    found.map(|identity| Reply::json(&user_json(organization, identity))).ok_or_else(|| missing(wanted))
}

fn missing(name: &str) -> Refusal {
    Refusal::not_found("GraphSubjectNotFoundException", format!("VS860016: Could not find Graph subject {name}."))
}

/// A user; graph links point to its own host (recorded).
pub(super) fn user_json(organization: &Organization, identity: &Identity) -> Value {
    let subject = &identity.subject;
    let base = format!("https://vssps.dev.azure.com/{}/_apis/Graph", organization.name);
    json!({
        "subjectKind": "user",
        "directoryAlias": identity.account.split('@').next(),
        "domain": organization.id,
        "principalName": identity.account,
        "mailAddress": identity.account,
        "origin": "aad",
        "originId": identity.id,
        "displayName": identity.display_name,
        "_links": {
            "self": {"href": format!("{base}/Users/{subject}")},
            "memberships": {"href": format!("{base}/Memberships/{subject}")},
            "membershipState": {"href": format!("{base}/MembershipStates/{subject}")},
            "storageKey": {"href": format!("{base}/StorageKeys/{subject}")},
            "avatar": {"href": format!("https://dev.azure.com/{}/_apis/GraphProfile/MemberAvatars/{subject}", organization.name)},
        },
        "url": format!("{base}/Users/{subject}"),
        "descriptor": subject,
    })
}

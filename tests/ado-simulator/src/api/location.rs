//! connectionData and resource areas, which have no published description (`ado-api.md` §2; recorded in `location/`).

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Caller, Outcome};
use crate::envelope::Refusal;
use crate::options::Deployment;
use crate::reply::Reply;
use crate::state::World;
use crate::state::identity::Identity;
use crate::state::random;

/// Ids of the areas that the simulator serves, all on its one host.
const AREAS: &[(u128, &str)] = &[
    (0x79134c72_4a58_4b42_976c_04e7115f32bf, "core"),
    (0x5264459e_e5e0_4bd8_b118_0985e68a4ec5, "wit"),
    (0x1d4f49f9_02b9_4e26_b826_2cdb6195f2a9, "work"),
    (0x5264459e_e5e0_4bd8_b118_0985e68a4ec6, "processes"),
    (0x3b95fb80_fdda_4218_b60e_1052d070ae6b, "Test"),
    (0x4e080c62_fa21_4fbc_8fef_2a10a2b38049, "git"),
    (0xbb1e7ec9_e901_4b68_999a_de7012b920f8, "Graph"),
    (0x68ddce18_2501_45f1_a17b_7931a9922690, "MemberEntitlementManagement"),
];

pub(super) fn connection_data(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let user = match call.caller {
        Caller::Known(index) => user(&organization.identities[index]),
        Caller::Anonymous => anonymous(),
    };
    Ok(Reply::json(&json!({
        "authenticatedUser": user,
        "authorizedUser": user,
        "instanceId": organization.id,
        "deploymentId": random::guid(call.seed, "deployment", 0),
        "deploymentType": match call.deployment {
            Deployment::Hosted => "hosted",
            Deployment::OnPremises { .. } => "onPremises",
        },
        "locationServiceData": {
            "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
            "defaultAccessMappingMoniker": "PublicAccessMapping",
            "lastChangeId": 424_001,
            "lastChangeId64": 424_001,
        },
    })))
}

fn user(identity: &Identity) -> Value {
    json!({
        "id": identity.id,
        "descriptor": identity.descriptor(),
        "subjectDescriptor": identity.subject,
        "providerDisplayName": identity.display_name,
        "customDisplayName": format!("{} (simulated)", identity.display_name),
        "isActive": true,
        "properties": {"Account": {"$type": "System.String", "$value": identity.account}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    })
}

/// The identity of callers without a credential (`ado-api.md` §2).
fn anonymous() -> Value {
    let id = Uuid::from_u128(0xaaaaaaaa_aaaa_aaaa_aaaa_aaaaaaaaaaaa);
    json!({
        "id": id,
        "descriptor": format!("System:PublicAccess;{id}"),
        "providerDisplayName": "Anonymous",
        "isActive": true,
        "properties": {},
        "resourceVersion": 2,
        "metaTypeId": 255,
    })
}

pub(super) fn resource_areas(call: &Call<'_>, _: &World) -> Outcome {
    Ok(Reply::list(&AREAS.iter().map(|area| area_json(call, area)).collect::<Vec<_>>()))
}

pub(super) fn resource_area(call: &Call<'_>, _: &World) -> Outcome {
    let wanted = call.parameter("areaId").and_then(|text| Uuid::try_parse(text).ok());
    let found = AREAS.iter().find(|(id, _)| Some(Uuid::from_u128(*id)) == wanted);
    let missing = || Refusal::not_found("ResourceAreaNotFoundException", "The resource area was not found.");
    found.map(|area| Reply::json(&area_json(call, area))).ok_or_else(missing)
}

fn area_json(call: &Call<'_>, (id, name): &(u128, &str)) -> Value {
    json!({"id": Uuid::from_u128(*id), "name": name, "locationUrl": format!("{}/", call.base())})
}

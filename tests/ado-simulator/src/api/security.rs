//! Permission evaluation and security namespaces (`ado-api.md` §12; recorded in `security/`).

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::identity::Identity;
use crate::state::permissions::{self, NAMESPACES, Namespace, Role};

pub(super) fn permissions(call: &Call<'_>, world: &World) -> Outcome {
    let identity = call.identity(world)?;
    let namespace = namespace(call.parameter("securityNamespaceId"))?;
    let bits = call.id("permissions");
    let delimiter = call.query("delimiter").filter(|text| !text.is_empty()).unwrap_or(",");
    let tokens = call.query("tokens").unwrap_or_default();
    let administrators = call.flag("alwaysAllowAdministrators");
    let values: Vec<bool> =
        tokens.split(delimiter).map(|token| holds(identity, namespace.id, token, bits, administrators)).collect();
    Ok(Reply::json(&json!({"count": values.len(), "value": values})))
}

pub(super) fn evaluation_batch(call: &Call<'_>, world: &World) -> Outcome {
    let identity = call.identity(world)?;
    let administrators = member(call.body, "alwaysAllowAdministrators").and_then(Value::as_bool).unwrap_or(false);
    let evaluations = member(call.body, "evaluations").and_then(Value::as_array);
    let evaluations =
        evaluations.ok_or_else(|| Refusal::argument("Value cannot be null. Parameter name: evaluations"))?;
    let mut results = Vec::new();
    for evaluation in evaluations {
        let text = |name| member(evaluation, name).and_then(Value::as_str);
        let namespace = namespace(text("securityNamespaceId"))?;
        let token = text("token").unwrap_or_default();
        let bits = member(evaluation, "permissions").and_then(Value::as_u64).and_then(|bits| u32::try_from(bits).ok());
        let bits = bits.unwrap_or(0);
        results.push(json!({
            "securityNamespaceId": namespace.id,
            "token": token,
            "permissions": bits,
            "value": holds(identity, namespace.id, token, bits, administrators),
        }));
    }
    Ok(Reply::json(&json!({"evaluations": results})))
}

/// A member of a request, its name compared without case as the service does (recorded).
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn holds(identity: &Identity, namespace: Uuid, token: &str, bits: u32, administrators: bool) -> bool {
    let allowed = permissions::effective(identity, namespace, token) & bits == bits;
    allowed || administrators && identity.role == Role::Administrator
}

fn namespace(id: Option<&str>) -> Result<&'static Namespace, Refusal> {
    let wanted = id.and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_default();
    let missing = || {
        let message = format!("TF50310: The security namespace {wanted} does not exist.");
        Refusal::not_found("InvalidSecurityNamespaceException", message)
    };
    NAMESPACES.iter().find(|namespace| namespace.id == wanted).ok_or_else(missing)
}

pub(super) fn namespaces(call: &Call<'_>, world: &World) -> Outcome {
    call.identity(world)?;
    let wanted = call.parameter("securityNamespaceId");
    let values = match wanted.map(|id| namespace(Some(id))).transpose()? {
        Some(namespace) => vec![json_of(namespace)],
        None => NAMESPACES.iter().map(json_of).collect(),
    };
    Ok(Reply::list(&values))
}

fn json_of(namespace: &Namespace) -> Value {
    let actions: Vec<Value> = namespace
        .actions
        .iter()
        .map(|(bit, name, display)| json!({"bit": bit, "name": name, "displayName": display, "namespaceId": namespace.id}))
        .collect();
    json!({
        "namespaceId": namespace.id,
        "name": namespace.name,
        "displayName": namespace.name,
        "separatorValue": namespace.separator,
        "elementLength": -1,
        "writePermission": namespace.write,
        "readPermission": namespace.read,
        "dataspaceCategory": namespace.dataspace,
        "actions": actions,
        "structureValue": 1,
        "extensionType": null,
        "isRemotable": true,
        "useTokenTranslator": true,
        "systemBitMask": 0,
    })
}

//! Service hooks: event types and subscriptions (`ado-api.md` §10; recorded in `hooks/`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::quirks::HooksWithoutView;
use crate::reply::Reply;
use crate::state::World;
use crate::state::permissions::{self, SERVICE_HOOKS};

/// Id, name, inputs (id and name) beside area path and type.
type Event = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Work item events.
const EVENTS: &[Event] = &[
    ("workitem.created", "Work item created", &[]),
    ("workitem.deleted", "Work item deleted", &[]),
    ("workitem.restored", "Work item restored", &[]),
    ("workitem.updated", "Work item updated", &[("changedFields", "Field")]),
    ("workitem.commented", "Work item commented on", &[("commentPattern", "Contains string")]),
];

const VIEW: u32 = 1;
const EDIT: u32 = 2;

pub(super) fn event_types(call: &Call<'_>, world: &World) -> Outcome {
    publisher(call, world)?;
    Ok(Reply::list(&EVENTS.iter().map(|event| event_json(call, event)).collect::<Vec<_>>()))
}

pub(super) fn event_type(call: &Call<'_>, world: &World) -> Outcome {
    publisher(call, world)?;
    let wanted = call.parameter("eventTypeId").unwrap_or_default();
    let found = EVENTS.iter().find(|(id, _, _)| id.eq_ignore_ascii_case(wanted));
    let missing =
        || Refusal::not_found("EventTypeNotFoundException", format!("The event type {wanted} was not found."));
    found.map(|event| Reply::json(&event_json(call, event))).ok_or_else(missing)
}

fn publisher(call: &Call<'_>, world: &World) -> Result<(), Refusal> {
    call.identity(world)?;
    let wanted = call.parameter("publisherId").unwrap_or_default();
    let missing = || Refusal::not_found("PublisherNotFoundException", format!("The publisher {wanted} was not found."));
    wanted.eq_ignore_ascii_case("tfs").then_some(()).ok_or_else(missing)
}

fn event_json(call: &Call<'_>, (id, name, inputs): &Event) -> Value {
    let common = [("areaPath", "Area path"), ("workItemType", "Work item type")];
    let inputs: Vec<Value> = common.iter().chain(*inputs).map(|(id, name)| input_json(id, name)).collect();
    json!({
        "publisherId": "tfs",
        "id": id,
        "url": format!("{}/_apis/hooks/publishers/tfs/eventTypes/{id}", call.base()),
        "name": name,
        "description": format!("Sent when this happens: {}.", name.to_lowercase()),
        "supportedResourceVersions": ["1.0-preview.1", "1.0-preview.2", "1.0", "3.1-preview.3", "5.1-preview.3"],
        "inputDescriptors": inputs,
    })
}

fn input_json(id: &str, name: &str) -> Value {
    json!({
        "id": id,
        "name": name,
        "description": format!("Limits the events by: {}.", name.to_lowercase()),
        "inputMode": "combo",
        "isConfidential": false,
        "useInDefaultDescription": false,
        "validation": {"dataType": "string"},
        "values": {
            "defaultValue": "",
            "possibleValues": [{"value": "", "displayValue": "[Any]"}],
            "isLimitedToPossibleValues": true,
            "isReadOnly": true,
        },
        "hasDynamicValueInformation": true,
    })
}

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let identity = call.identity(world)?;
    let organization = call.organization(world);
    let filters = ["publisherId", "eventType", "consumerId", "consumerActionId"];
    let fits = |subscription: &&Value| {
        filters
            .iter()
            .all(|name| call.query(name).is_none_or(|wanted| wanted.is_empty() || subscription[*name] == wanted))
    };
    let wanted: Vec<&Value> = organization.subscriptions.iter().filter(fits).collect();
    let may_see = |subscription: &Value| {
        permissions::effective(identity, SERVICE_HOOKS, &token(&subscription["publisherInputs"])) & VIEW == VIEW
    };
    let everything = permissions::effective(identity, SERVICE_HOOKS, "PublisherSecurity") & VIEW == VIEW;
    if !everything && call.quirks.hooks_without_view == HooksWithoutView::Forbidden {
        return Err(Refusal::hooks_denied(&identity.display_name, "View Subscriptions"));
    }
    let visible = wanted.into_iter().filter(|subscription| may_see(subscription));
    Ok(Reply::list(&visible.map(|subscription| shown(call, subscription)).collect::<Vec<_>>()))
}

pub(super) fn get(call: &Call<'_>, world: &World) -> Outcome {
    let identity = call.identity(world)?;
    let wanted = call.parameter("subscriptionId").and_then(|text| Uuid::try_parse(text).ok());
    let fits = |subscription: &&Value| Uuid::try_parse(subscription["id"].as_str().unwrap_or_default()).ok() == wanted;
    let found = call.organization(world).subscriptions.iter().find(fits).ok_or_else(|| {
        let id = wanted.unwrap_or_default();
        Refusal::not_found("SubscriptionNotFoundException", format!("The subscription {id} was not found."))
    })?;
    if permissions::effective(identity, SERVICE_HOOKS, &token(&found["publisherInputs"])) & VIEW != VIEW {
        return Err(Refusal::hooks_denied(&identity.display_name, "View Subscriptions"));
    }
    Ok(Reply::json(&shown(call, found)))
}

/// A subscription with the links that depend on how the caller named the host.
fn shown(call: &Call<'_>, subscription: &Value) -> Value {
    let mut subscription = subscription.clone();
    let id = subscription["id"].as_str().unwrap_or_default().to_owned();
    let hooks = format!("{}/_apis/hooks", call.base());
    let url = format!("{hooks}/subscriptions/{id}");
    let links = json!({
        "self": {"href": url},
        "consumer": {"href": format!("{hooks}/consumers/webHooks")},
        "actions": {"href": format!("{hooks}/consumers/webHooks/actions")},
        "notifications": {"href": format!("{url}/notifications")},
        "publisher": {"href": format!("{hooks}/publishers/tfs")},
    });
    if let Some(members) = subscription.as_object_mut() {
        members.insert("url".to_owned(), json!(url));
        members.insert("_links".to_owned(), links);
    }
    subscription
}

/// The security token of a subscription (`ado-api.md` §10).
fn token(publisher_inputs: &Value) -> String {
    match publisher_inputs.get("projectId").and_then(Value::as_str).filter(|id| !id.is_empty()) {
        Some(project) => format!("PublisherSecurity/{project}"),
        None => "PublisherSecurity".to_owned(),
    }
}

/// Creates a subscription; also the fallback probe for *Edit subscriptions* (`ado-api.md` §12).
pub(super) fn create(call: &Call<'_>, world: &mut World) -> Outcome {
    let identity = call.identity(world)?.clone();
    let inputs = call.body.get("publisherInputs").cloned().unwrap_or_else(|| json!({}));
    let allowed = permissions::effective(&identity, SERVICE_HOOKS, &token(&inputs)) & EDIT == EDIT;
    let denied = || Refusal::hooks_denied(&identity.display_name, "Edit Subscription");
    let body_first = call.quirks.probe_order == crate::quirks::ProbeOrder::BodyFirst;
    if !allowed && !body_first {
        return Err(denied());
    }
    check_inputs(call.body)?;
    if !allowed {
        return Err(denied());
    }
    if call.dry {
        return Ok(Reply::empty(http::StatusCode::OK));
    }
    let number = world.next("subscription");
    let id = crate::state::random::guid(call.seed, "subscription", number);
    let subscription = new_subscription(call, id, inputs, &identity.short_reference(), &world.now().to_string());
    world.organizations[call.organization].subscriptions.push(subscription.clone());
    Ok(Reply::json(&shown(call, &subscription)))
}

fn check_inputs(body: &Value) -> Result<(), Refusal> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("publisherId") != "tfs" || text("consumerId") != "webHooks" || text("consumerActionId") != "httpRequest" {
        return Err(Refusal::argument("The publisher, consumer or consumer action is not supported."));
    }
    if !EVENTS.iter().any(|(id, _, _)| *id == text("eventType")) {
        return Err(Refusal::argument(format!("The event type '{}' is not supported.", text("eventType"))));
    }
    let url = body.pointer("/consumerInputs/url").and_then(Value::as_str).unwrap_or_default();
    if !url.starts_with("https://") {
        return Err(Refusal::argument("The consumer input 'url' is required and must be an HTTPS URL."));
    }
    Ok(())
}

fn new_subscription(call: &Call<'_>, id: Uuid, mut inputs: Value, owner: &Value, now: &str) -> Value {
    if let Some(members) = inputs.as_object_mut() {
        // The server adds this one; confidential inputs read back masked (recorded).
        members.insert(
            "tfsSubscriptionId".to_owned(),
            json!(crate::state::random::guid(call.seed, "tfsSubscription", id.as_u64_pair().0)),
        );
    }
    let mut consumer = call.body.get("consumerInputs").and_then(Value::as_object).cloned().unwrap_or_default();
    mask(&mut consumer);
    json!({
        "id": id,
        "publisherId": "tfs",
        "eventType": call.body.get("eventType"),
        "subscriber": null,
        "resourceVersion": call.body.get("resourceVersion"),
        "eventDescription": "Any work item",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "actionDescription": "To a web hook",
        "status": "enabled",
        "createdBy": owner,
        "createdDate": now,
        "modifiedBy": owner,
        "modifiedDate": now,
        "publisherInputs": inputs,
        "consumerInputs": consumer,
    })
}

fn mask(inputs: &mut Map<String, Value>) {
    if let Some(password) = inputs.get_mut("basicAuthPassword") {
        *password = json!("********");
    }
}

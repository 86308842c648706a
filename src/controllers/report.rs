//! What people hear of a reconcile besides the status: events and the audit trail.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};
use kube::{Resource, ResourceExt};

use super::context::Context;
use super::error::ReconcileError;
use crate::api::{ConditionType, FIELD_MANAGER, Reason};
use crate::domain::conditions;
use crate::store::{Actor, AuditAction, AuditRecord, AuditedObject, ObjectKind};

/// A kind that the audit trail knows.
pub trait Audited: Resource<DynamicType = ()> {
    /// Its name there.
    const KIND: ObjectKind;
}

impl Audited for crate::api::AdoIntegration {
    const KIND: ObjectKind = ObjectKind::AdoIntegration;
}

impl Audited for crate::api::AdoProjectConfig {
    const KIND: ObjectKind = ObjectKind::AdoProjectConfig;
}

/// Publishes an event if `Ready` says something else than before. Waiting is shown by the status alone.
pub async fn transition<K>(ctx: &Context, object: &K, before: &[Condition], after: &[Condition])
where
    K: Resource<DynamicType = ()>,
{
    let Some(ready) = conditions::find(after, ConditionType::Ready) else { return };
    let same = |shown: &Condition| shown.status == ready.status && shown.reason == ready.reason;
    if conditions::find(before, ConditionType::Ready).is_some_and(same) || ready.status == "Unknown" {
        return;
    }
    let type_ = if ready.status == "True" { EventType::Normal } else { EventType::Warning };
    publish(ctx, object, type_, &ready.reason, &ready.message).await;
}

/// Publishes a warning.
pub async fn warn<K: Resource<DynamicType = ()>>(ctx: &Context, object: &K, reason: Reason, message: String) {
    publish(ctx, object, EventType::Warning, reason.as_str(), &message).await;
}

/// Events are a courtesy: one that cannot be published is logged and forgotten.
async fn publish<K>(ctx: &Context, object: &K, type_: EventType, reason: &str, message: &str)
where
    K: Resource<DynamicType = ()>,
{
    let event = Event {
        type_,
        reason: reason.to_owned(),
        note: Some(message.chars().take(crate::api::MESSAGE_LIMIT).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = ctx.recorder.publish(&event, &object.object_ref(&())).await {
        tracing::warn!(%error, reason, "an event could not be published");
    }
}

/// Appends to the audit trail. `actor` is a field manager: that of whoever wrote the object or its Secret, or our own for
/// what the operator found out by itself.
pub async fn audit<K>(
    ctx: &Context,
    object: &K,
    actor: &str,
    action: AuditAction,
    detail: &str,
) -> Result<(), ReconcileError>
where
    K: Audited,
{
    let record = AuditRecord {
        at: ctx.clock.now().as_millisecond(),
        actor: Actor::FieldManager(actor.to_owned()),
        action,
        object: AuditedObject {
            kind: K::KIND,
            namespace: object.meta().namespace.clone().unwrap_or_default(),
            name: object.meta().name.clone().unwrap_or_default(),
            uid: object.meta().uid.clone().unwrap_or_default().into(),
        },
        detail: detail.to_owned(),
    };
    Ok(ctx.store.append_audit(&record).await?)
}

/// The field manager that last wrote the object itself, as opposed to its status.
pub fn author<K: Resource<DynamicType = ()>>(object: &K) -> String {
    let managers = object.managed_fields();
    let writers = managers.iter().filter(|entry| entry.subresource.as_deref().unwrap_or_default().is_empty());
    let last = writers
        .filter(|entry| entry.manager.as_deref() != Some(FIELD_MANAGER))
        .max_by_key(|entry| entry.time.as_ref().map(|time| time.0));
    last.and_then(|entry| entry.manager.clone()).unwrap_or_else(|| "unknown".to_owned())
}

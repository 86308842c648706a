//! What people hear of a reconcile besides the status: events and the audit trail.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ManagedFieldsEntry};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Resource, ResourceExt};

use super::context::Context;
use super::deadline::within;
use super::error::ReconcileError;
use crate::api::{ConditionType, FIELD_MANAGER, REQUESTED_AT, Reason};
use crate::domain::conditions;
use crate::store::{Actor, AuditAction, AuditRecord, AuditedObject, ObjectKind};

/// Longest value of the annotation that asks for a run, in bytes.
const LONGEST_REQUEST: usize = 256;

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

/// Logs and publishes an event if `Ready` says something else than before. Waiting is shown by the status alone.
pub async fn transition<K>(ctx: &Context, object: &K, before: &[Condition], after: &[Condition])
where
    K: Resource<DynamicType = ()>,
{
    let Some(ready) = conditions::find(after, ConditionType::Ready) else { return };
    let same = |shown: &Condition| shown.status == ready.status && shown.reason == ready.reason;
    if conditions::find(before, ConditionType::Ready).is_some_and(same) || ready.status == "Unknown" {
        return;
    }
    let (kind, namespace, name) = (K::kind(&()), object.namespace().unwrap_or_default(), object.name_any());
    tracing::info!(%kind, namespace, name, ready = ready.status, reason = ready.reason, "a verdict changed");
    let type_ = if ready.status == "True" { EventType::Normal } else { EventType::Warning };
    publish(ctx, object, type_, &ready.reason, &ready.message).await;
}

/// A value of the annotation that asks for a run, and for which none has ended. It is repeated in the status, so one that is longer
/// than any time stamp asks for nothing.
pub fn requested<'a>(object: &'a impl Resource, handled: Option<&String>) -> Option<&'a String> {
    let asked = object.meta().annotations.as_ref()?.get(REQUESTED_AT)?;
    (handled != Some(asked) && asked.len() <= LONGEST_REQUEST).then_some(asked)
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
    // A recorder remembers events to count them as series, and repeats the note of the first: each of ours says something
    // else, and they are few.
    let recorder = Recorder::new(ctx.client.clone(), ctx.reporter.clone());
    let reference = object.object_ref(&());
    if let Err(error) = within(recorder.publish(&event, &reference)).await {
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

/// The field manager that last wrote what an object is about: its spec, or a Secret's data. Who only annotated it, or wrote
/// its status, is not meant.
pub fn author<K: Resource<DynamicType = ()>>(object: &K) -> String {
    let last = object.managed_fields().iter().filter(|entry| is_author(entry));
    let last = last.max_by_key(|entry| entry.time.as_ref().map(|time| time.0));
    last.and_then(|entry| entry.manager.clone()).unwrap_or_else(|| "unknown".to_owned())
}

fn is_author(entry: &ManagedFieldsEntry) -> bool {
    let own = entry.manager.as_deref() == Some(FIELD_MANAGER);
    let of_status = !entry.subresource.as_deref().unwrap_or_default().is_empty();
    let wrote = |field: &str| entry.fields_v1.as_ref().is_none_or(|fields| fields.0.get(field).is_some());
    !own && !of_status && (wrote("f:spec") || wrote("f:data") || wrote("f:stringData"))
}

/// Leaves of an object's managed fields who its authors are and when they wrote. The fields themselves take more memory than
/// all else that is cached of an object, and nobody reads them.
pub fn keep_authors<K: Resource<DynamicType = ()>>(object: &mut K) {
    let entries = object.managed_fields_mut();
    entries.retain(is_author);
    for entry in entries.iter_mut() {
        entry.fields_v1 = None;
    }
    entries.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::api::core::v1::Secret;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, Time};
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, second: i64, fields: serde_json::Value) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            time: Timestamp::from_second(second).ok().map(Time),
            fields_v1: Some(FieldsV1(fields)),
            ..ManagedFieldsEntry::default()
        }
    }

    #[test]
    fn the_author_is_who_last_wrote_the_content_with_and_without_the_fields() {
        let mut object = Secret::default();
        let status = ManagedFieldsEntry { subresource: Some("status".to_owned()), ..entry("other", 9, json!({})) };
        object.metadata.managed_fields = Some(vec![
            entry("helm", 1, json!({"f:data": {}})),
            entry("argocd", 2, json!({"f:data": {}})),
            entry("kubectl-annotate", 3, json!({"f:metadata": {}})),
            entry(FIELD_MANAGER, 4, json!({"f:data": {}})),
            status,
        ]);
        assert_eq!(author(&object), "argocd");
        keep_authors(&mut object);
        assert_eq!(author(&object), "argocd");
        let kept = object.metadata.managed_fields.unwrap();
        assert!(kept.len() == 2 && kept.iter().all(|entry| entry.fields_v1.is_none()), "{kept:?}");
        assert_eq!(author(&Secret::default()), "unknown");
    }
}

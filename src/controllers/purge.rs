//! Stored data of project configs that are gone, where their `deletionPolicy` is Purge.
//!
//! A config has no finalizer, so its end may pass unseen: while no operator runs, or in a namespace that is not served for the
//! moment. So the store keeps each config's policy, and it is looked for configs that are gone: when one is seen to go, when this
//! process begins to lead, and from time to time. That one is not seen proves nothing, so the apiserver is asked for it.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kube::ResourceExt as _;
use kube::core::Status;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::context::{Caches, Context};
use super::deadline::within;
use super::error::ReconcileError;
use crate::api::{AdoProjectConfig, DeletionPolicy, FIELD_MANAGER};
use crate::domain::schedule::until;
use crate::domain::verdict::after;
use crate::store::{Actor, Purgeable, StoreError};

/// Time between two looks for configs that are gone.
const INTERVAL: Duration = Duration::from_hours(1);

/// The first look does not wait longer for the caches, which only spare it questions.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stored configs that are read at a time.
const PAGE: u32 = 100;

/// Whether the config's data go with it.
pub fn is_wanted(config: &AdoProjectConfig) -> bool {
    config.spec.deletion_policy.unwrap_or_default() == DeletionPolicy::Purge
}

/// Looks for stored configs that are gone: now, and from time to time.
pub async fn run(ctx: Arc<Context>, caches: Caches) {
    let mut jumps = ctx.clock.jumps();
    let _ = timeout(PATIENCE, caches.filled()).await;
    loop {
        if let Err(error) = all(&ctx).await {
            warn!(%error, "it could not be looked for project configs whose data are to be purged");
        }
        let due = after(ctx.clock.now(), INTERVAL);
        while ctx.clock.now() < due {
            tokio::select! {
                () = sleep(until(due, ctx.clock.now())) => {}
                Some(()) = jumps.next() => {}
            }
        }
    }
}

async fn all(ctx: &Context) -> Result<(), StoreError> {
    let mut behind = None;
    loop {
        let page = ctx.store.purgeable(behind, PAGE).await?;
        let Some(last) = page.last() else { break };
        behind = Some(last.key);
        for config in &page {
            if let Err(error) = purge_if_gone(config, ctx).await {
                complain(config, &error);
            }
        }
    }
    drop_raw(ctx).await
}

/// Purges what is stored of objects that had this name and are gone. An error means that it is not known whether they are.
pub async fn named(namespace: &str, name: &str, ctx: &Context) -> Result<(), ReconcileError> {
    let mut is_purged = false;
    for config in ctx.store.purgeable_named(namespace, name).await? {
        is_purged |= purge_if_gone(&config, ctx).await?;
    }
    if is_purged {
        drop_raw(ctx).await?;
    }
    Ok(())
}

/// Purges what an object of this name left behind that was seen to go. A look that was under way then may have written later.
pub async fn departed(namespace: &str, name: &str, ctx: &Context) -> Result<(), ReconcileError> {
    named(namespace, name, ctx).await?;
    Ok(drop_raw(ctx).await?)
}

async fn drop_raw(ctx: &Context) -> Result<(), StoreError> {
    let items = ctx.store.drop_unclaimed().await?;
    if items > 0 {
        info!(items, "work items were purged that no project config has any more");
    }
    Ok(())
}

async fn purge_if_gone(config: &Purgeable, ctx: &Context) -> Result<bool, ReconcileError> {
    let seen = ctx.config(&config.namespace, &config.name);
    let lives = seen.is_some_and(|seen| seen.uid().as_deref() == Some(config.uid.as_str()));
    if lives || !is_gone(config, ctx).await? {
        return Ok(false);
    }
    let actor = Actor::FieldManager(FIELD_MANAGER.to_owned());
    let is_purged = ctx.store.purge_config(config, &actor, ctx.clock.now().as_millisecond()).await?;
    // Whoever comes next reads what went with it.
    ctx.reads.forget();
    if is_purged {
        info!(namespace = config.namespace, name = config.name, "the data of a project config were purged");
    }
    Ok(is_purged)
}

/// Whether the apiserver says that there is no such object, or another one of that name.
async fn is_gone(config: &Purgeable, ctx: &Context) -> kube::Result<bool> {
    let api = ctx.api::<AdoProjectConfig>(&config.namespace);
    // Its metadata can be read whatever stands in the object.
    match within(api.get_metadata(&config.name)).await {
        Ok(found) => Ok(found.uid().as_deref() != Some(config.uid.as_str())),
        Err(kube::Error::Api(status)) if denies(&status, &config.name) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether an answer is about the object. Where the kind itself is not served there is a 404 as well, which names nothing.
fn denies(status: &Status, name: &str) -> bool {
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.name == name)
}

/// A namespace that this release may not read is nobody's fault.
fn complain(config: &Purgeable, error: &ReconcileError) {
    let (namespace, name) = (&config.namespace, &config.name);
    match error {
        ReconcileError::Kubernetes(kube::Error::Api(status)) if status.code == 403 => {
            debug!(namespace, name, %error, "whether a project config is gone may not be asked");
        }
        _ => warn!(namespace, name, %error, "the data of a project config could not be purged"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_an_answer_about_the_object_itself_says_that_it_is_gone() {
        let says = |status: serde_json::Value| {
            let status: Status = serde_json::from_value(status).expect("a status");
            denies(&status, "payments")
        };
        assert!(says(json!({"code": 404, "reason": "NotFound", "details": {"name": "payments"}})));
        assert!(!says(json!({"code": 404, "message": "404 page not found"})), "the kind is not served");
        assert!(!says(json!({"code": 404, "reason": "NotFound", "details": {"name": "other"}})));
        assert!(!says(json!({"code": 403, "reason": "Forbidden", "details": {"name": "payments"}})));
    }
}

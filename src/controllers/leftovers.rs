//! What is kept for an object that has gone, and is to be forgotten.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::runtime::reflector::Store as Cache;
use kube::{Resource, ResourceExt as _};
use tracing::warn;

use super::context::{Caches, Context};
use super::purge;
use crate::api::AdoProjectConfig;
use crate::store::ObjectUid;

/// An object that has gone.
#[derive(Debug)]
struct Departed {
    namespace: String,
    name: String,
    uid: String,
    /// Whether its data go with it, by the last that was seen of it.
    purge: Option<bool>,
}

/// Takes note of objects that have gone. Most of them had no finalizer, so their end is seen and not announced.
#[derive(Debug)]
pub struct Gone {
    sender: UnboundedSender<Departed>,
    receiver: Mutex<Option<UnboundedReceiver<Departed>>>,
}

impl Default for Gone {
    fn default() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Gone {
    /// An object has gone.
    pub fn note(&self, object: &impl Resource) {
        self.send(object, None);
    }

    /// A project config has gone; this is the last that was seen of it.
    pub fn note_config(&self, config: &AdoProjectConfig) {
        self.send(config, Some(purge::is_wanted(config)));
    }

    fn send(&self, object: &impl Resource, purge: Option<bool>) {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let departed = Departed { namespace, name, uid: object.uid().unwrap_or_default(), purge };
        // Without a receiver the process is about to end.
        let _ = self.sender.unbounded_send(departed);
    }

    fn take(&self) -> Option<UnboundedReceiver<Departed>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Forgets what is kept for objects that have gone: before this process began, and from then on. The audit trail stays, and so
/// do work items and records unless they are to be purged.
pub async fn clear(ctx: Arc<Context>, caches: Caches) {
    let gone = ctx.gone.take();
    tokio::join!(clear_earlier(&ctx, &caches), async {
        if let Some(mut gone) = gone {
            while let Some(departed) = gone.next().await {
                forget(&ctx, departed).await;
            }
        }
    });
}

/// Objects that went while nobody was looking. Where only some namespaces are served, an object that is not seen may live on
/// in another one; and one that cannot be read is not seen either.
async fn clear_earlier(ctx: &Context, caches: &Caches) {
    if caches.namespaces.is_none() {
        return;
    }
    caches.filled().await;
    if caches.listed.iter().any(|listed| listed.unread.initialized()) {
        return;
    }
    let integrations = caches.integrations.iter().flat_map(Cache::state).filter_map(|object| object.uid());
    let configs = caches.configs.iter().flat_map(Cache::state).filter_map(|object| object.uid());
    let alive: Vec<ObjectUid> = integrations.chain(configs).map(ObjectUid::from).collect();
    if let Err(error) = ctx.store.forget_all_but(&alive).await {
        warn!(%error, "what was kept for objects that have gone could not be forgotten");
    }
}

async fn forget(ctx: &Context, departed: Departed) {
    let Departed { namespace, name, uid, purge } = departed;
    ctx.connections.remove(&uid);
    ctx.integration_visits.forget(&uid);
    ctx.config_visits.forget(&uid);
    ctx.failures.forget(&uid);
    ctx.own_writes.forget(&uid);
    let uid = ObjectUid::from(uid);
    let end = async {
        if let Some(purge) = purge {
            ctx.store.keep_policy(&uid, purge).await?;
        }
        ctx.store.forget_object(&uid).await?;
        purge::departed(&namespace, &name, ctx).await
    };
    if let Err(error) = end.await {
        warn!(namespace, name, %error, "what was kept for an object that has gone could not be forgotten");
    }
}

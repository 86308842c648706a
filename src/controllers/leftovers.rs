//! What is kept for an object that has gone, and is to be forgotten.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::runtime::reflector::Store as Cache;
use kube::{Resource, ResourceExt as _};
use tracing::warn;

use super::context::{Caches, Context};
use crate::store::ObjectUid;

/// Takes note of objects that have gone. Most of them had no finalizer, so their end is seen and not announced.
#[derive(Debug)]
pub struct Gone {
    sender: UnboundedSender<String>,
    receiver: Mutex<Option<UnboundedReceiver<String>>>,
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
        // Without a receiver the process is about to end.
        let _ = self.sender.unbounded_send(object.uid().unwrap_or_default());
    }

    fn take(&self) -> Option<UnboundedReceiver<String>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Forgets what is kept for objects that have gone: before this process began, and from then on. Work items and the audit
/// trail stay.
pub async fn clear(ctx: Arc<Context>, caches: Caches) {
    let gone = ctx.gone.take();
    tokio::join!(clear_earlier(&ctx, &caches), async {
        if let Some(mut gone) = gone {
            while let Some(uid) = gone.next().await {
                forget(&ctx, uid).await;
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

async fn forget(ctx: &Context, uid: String) {
    ctx.connections.remove(&uid);
    ctx.integration_visits.forget(&uid);
    ctx.config_visits.forget(&uid);
    ctx.failures.forget(&uid);
    ctx.own_writes.forget(&uid);
    if let Err(error) = ctx.store.forget_object(&ObjectUid::from(uid)).await {
        warn!(%error, "what was kept for an object that has gone could not be forgotten");
    }
}

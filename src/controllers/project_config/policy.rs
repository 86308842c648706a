//! What becomes of a config's data when it goes: kept in the store, since its end may pass unseen.

use kube::ResourceExt;

use super::Run;
use crate::controllers::error::ReconcileError;
use crate::controllers::purge;
use crate::store::ObjectUid;

impl Run<'_> {
    /// Keeps the policy that the spec has, whatever the config's state. Before the first look at an object, what an earlier one of
    /// its name left to be purged goes: nothing of that is taken over.
    pub(super) async fn keep_policy(&mut self) -> Result<(), ReconcileError> {
        let purge = purge::is_wanted(&self.object);
        if self.visit.policy == Some(purge) {
            return Ok(());
        }
        if self.visit.policy.is_none() {
            purge::named(&self.object.namespace().unwrap_or_default(), &self.object.name_any(), self.ctx).await?;
        }
        self.ctx.store.keep_policy(&ObjectUid::from(self.uid.clone()), purge).await?;
        self.visit.policy = Some(purge);
        Ok(())
    }
}

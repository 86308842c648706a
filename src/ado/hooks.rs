//! Service hooks.

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{HookEventType, List};
use super::route::{Call, Route};

pub(super) static EVENT_TYPES: Route = Route::get("service hooks", "_apis/hooks/publishers/{publisher}/eventtypes");
/// The publisher of work item events.
const PUBLISHER: &str = "tfs";

impl AdoClient {
    /// The events of work items and code to which a hook can be subscribed.
    pub async fn hook_event_types(&self) -> Result<Vec<HookEventType>, AdoError> {
        let list: List<HookEventType> = self.send(Call::new(&EVENT_TYPES, &[PUBLISHER])).await?;
        Ok(list.value)
    }
}

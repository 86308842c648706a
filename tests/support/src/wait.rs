//! Waiting for a state of the world, never for a time.

use std::fmt::Debug;
use std::time::Duration;

use kube::{Api, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

/// How long a condition may take before the test fails. Far above what is ever needed: it only ends a hopeless wait.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(40);

/// Looks until there is something; `what` names it for the failure.
///
/// # Panics
/// If it does not come.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for: {what}");
        sleep(LOOK).await;
    }
}

/// Waits until the object is as wished.
///
/// # Panics
/// If it does not become so; shows how it is.
pub async fn object<K>(api: &Api<K>, name: &str, what: &str, wished: impl Fn(&K) -> bool) -> K
where
    K: Clone + Debug + DeserializeOwned + kube::Resource,
{
    object_within(PATIENCE, api, name, what, wished).await
}

/// The same with a patience of its own, for what takes its time on a busy machine.
///
/// # Panics
/// If it does not become so; shows how it is.
pub async fn object_within<K>(
    patience: Duration,
    api: &Api<K>,
    name: &str,
    what: &str,
    wished: impl Fn(&K) -> bool,
) -> K
where
    K: Clone + Debug + DeserializeOwned + kube::Resource,
{
    let end = Instant::now() + patience;
    let mut last = None;
    while Instant::now() < end {
        if let Ok(Some(found)) = api.get_opt(name).await {
            if wished(&found) {
                return found;
            }
            last = Some(found);
        }
        sleep(LOOK).await;
    }
    panic!(
        "waited in vain for {name} to be {what}; it is {last:#?}",
        last = last.map(|mut seen| {
            seen.managed_fields_mut().clear();
            seen
        })
    );
}

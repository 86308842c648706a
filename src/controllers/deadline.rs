//! Every call of the apiserver ends within a time of our own; its client would wait for as long as bytes trickle in.

use std::time::Duration;

use tokio::time::timeout;

/// Longest time that one call may take in all.
const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// The call's outcome, or an error once its time is over.
pub async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    let ended = timeout(CALL_DEADLINE, call).await;
    ended.unwrap_or_else(|_| Err(kube::Error::Service("the apiserver did not answer in time".into())))
}

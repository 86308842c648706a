//! What the tests of integrations share: rows, the conditions beside them, and a world with an integration in it.

use std::time::Duration;

use ado_operator::api::{AdoIntegration, REQUESTED_AT};
use ado_simulator::{Effect, Fault};
use serde_json::{Value, json};
use support::wait;
use support::world::{World, conditions, message};

use crate::judge::Row;
pub use crate::judge::{Own, assert_whole as assert_integration};

/// Of a credential that was accepted and may do everything that is wanted.
pub const GOOD: Own =
    &[("CredentialValid", "True", "CredentialAccepted"), ("FeaturesAvailable", "True", "AllAvailable")];

/// Of a credential that was accepted and lacks something that is wanted.
pub const LACKING: Own =
    &[("CredentialValid", "True", "CredentialAccepted"), ("FeaturesAvailable", "False", "FeatureUnavailable")];

/// Of a credential that was refused.
pub const REFUSED: Own = &[("CredentialValid", "False", "CredentialRefused")];

/// Where nothing is claimed of the credential.
pub const NOTHING: Own = &[];

/// A connected integration.
pub const ACTIVE: Row<'_> =
    Row { state: "Active", ready: ("True", "Connected"), abnormal: &[], kstatus: "Current", argocd: "Healthy" };

/// A bad verdict that somebody must change something about.
pub fn stuck<'a>(state: &'a str, reason: &'a str) -> Row<'a> {
    Row { state, ready: ("False", reason), abnormal: &["Stalled"], kstatus: "Failed", argocd: "Degraded" }
}

/// No verdict yet.
pub fn waiting<'a>(state: &'a str, reason: &'a str) -> Row<'a> {
    Row { state, ready: ("Unknown", reason), abnormal: &["Reconciling"], kstatus: "InProgress", argocd: "Progressing" }
}

/// No verdict could be had for a while, after a good one or none.
pub fn unreachable(state: &str) -> Row<'_> {
    Row { abnormal: &["Reconciling", "Unreachable"], ..waiting(state, "Unreachable") }
}

/// No verdict could be had for so long that it is an error.
pub const OUT_OF_REACH: Row<'_> = Row {
    state: "Error",
    ready: ("False", "Unreachable"),
    abnormal: &["Reconciling", "Unreachable"],
    kstatus: "InProgress",
    argocd: "Degraded",
};

/// Applies the integration `contoso`; `change` is merged into its spec.
pub async fn apply(world: &World, change: Value) {
    world.apply::<AdoIntegration>(world.integration("contoso", change)).await;
}

/// Applies the integration `contoso` and waits until it is connected.
pub async fn connected(world: &World) -> AdoIntegration {
    connected_with(world, json!({})).await
}

/// The same with a change to its spec.
pub async fn connected_with(world: &World, change: Value) -> AdoIntegration {
    apply(world, change).await;
    world.integration_is("contoso", "Active", "Connected").await
}

/// Applies the integration `contoso` with that change and waits for a bad verdict for that reason, with those words.
pub async fn refused(world: &World, change: Value, reason: &str, words: &[&str]) -> AdoIntegration {
    apply(world, change).await;
    let found = world.integration_is("contoso", "Error", reason).await;
    assert_refused(&found, reason, words);
    found
}

/// Asserts a bad verdict for that reason, with those words. It is one on the credential only if that was looked at.
pub fn assert_refused(found: &AdoIntegration, reason: &str, words: &[&str]) {
    let credential = if matches!(reason, "CredentialRefused" | "InvalidToken") { "False" } else { "Unknown" };
    assert_integration(found, &stuck("Error", reason), &[("CredentialValid", credential, reason)]);
    let text = message(found);
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

/// The integration `contoso` as it is.
pub async fn integration(world: &World) -> AdoIntegration {
    world.api().get("contoso").await.unwrap()
}

/// Asks for a run.
pub async fn ask(world: &World, value: &str) {
    let annotation = json!({"metadata": {"annotations": {REQUESTED_AT: value}}});
    world.patch::<AdoIntegration>("contoso", annotation).await;
}

/// Asks for a run and waits until it has ended.
pub async fn run(world: &World, value: &str) -> AdoIntegration {
    ask(world, value).await;
    wait::object(&world.api(), "contoso", "echoing", |found| echoes(found, value)).await
}

/// Whether a run that was asked for with that value has ended.
pub fn echoes(found: &AdoIntegration, value: &str) -> bool {
    found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some(value))
}

/// Whether a condition of that type stands there.
pub fn has(found: &AdoIntegration, kind: &str) -> bool {
    conditions(found).contains_key(kind)
}

/// Lets time pass, and the operator look at its integrations.
pub async fn pass(world: &World, time: Duration) {
    world.pass::<AdoIntegration>(time).await;
}

/// The next check of the credential takes its time.
pub fn slow_verdict(world: &World, time: Duration) {
    let milliseconds = time.as_millis().try_into().unwrap();
    let slow = Effect::Delay { milliseconds, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", slow).times(1));
}

/// How often the credential was checked since then.
pub fn checks(world: &World, since: u64) -> usize {
    let sent = world.ado.requests_since(since);
    sent.iter().filter(|request| request.target.to_lowercase().contains("connectiondata")).count()
}

/// Whether a validation went through to its last question since then.
pub fn is_validated(world: &World, since: u64) -> bool {
    world.ado.requests_since(since).iter().any(|request| request.target.contains("permissionevaluationbatch"))
}

//! How soon a changed Secret shows as a new verdict, in the midst of a connected fleet.

use std::time::Duration;

use ado_operator::api::AdoIntegration;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;
use support::world::shows;
use tokio::time::{Instant, timeout};

use crate::Outcome;
use crate::figure::{Figure, percentile};
use crate::fleet::NAMESPACE;
use crate::ground::{Ground, Pat};

/// Changes of the Secret.
pub const CHANGES: usize = 30;

/// A verdict that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// The promise, in seconds.
const TARGET: f64 = 5.0;

/// Prints the figures: seconds from the change of a Secret to the verdict on it, the operator's and those of a bare loop.
pub fn print(verdicts: &[f64], bare: &[f64]) -> Outcome<()> {
    let shares = [("Secret to verdict, p50", 0.5), ("Secret to verdict, p99", 0.99), ("Secret to verdict, max", 1.0)];
    for (name, share) in shares {
        let figure = Figure::at_most(name, percentile(verdicts, share), "s", TARGET);
        figure.with_limit(percentile(bare, share)).print()?;
    }
    Ok(())
}

/// Takes the token of one integration away and gives it back, again and again; seconds to each verdict.
pub async fn measure(ground: &Ground, pats: &[Pat]) -> Outcome<Vec<f64>> {
    let pat = pats.first().ok_or("there is no token")?;
    let secrets = Api::<Secret>::namespaced(ground.admin.clone(), NAMESPACE);
    let integrations = Api::<AdoIntegration>::namespaced(ground.admin.clone(), NAMESPACE);
    let named = watcher::Config::default().fields(&format!("metadata.name={}", pat.label));
    let mut seen = watcher(integrations, named).default_backoff().applied_objects().boxed();
    let mut times = Vec::new();
    for round in 0..CHANGES {
        let (token, state, reason) = if round % 2 == 0 {
            ("0".repeat(52), "Error", "CredentialRefused")
        } else {
            (pat.token.clone(), "Active", "Connected")
        };
        let started = Instant::now();
        put(&secrets, &pat.label, &token).await?;
        let verdict = timeout(DEADLINE, verdict(&mut seen, state, reason)).await;
        verdict.map_err(|_| format!("no verdict ({reason}) on a changed Secret"))??;
        times.push(started.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// Puts a token into a Secret.
pub async fn put(secrets: &Api<Secret>, name: &str, token: &str) -> Outcome<Secret> {
    let change = Patch::Merge(json!({"stringData": {"token": token}}));
    Ok(secrets.patch(name, &PatchParams::default(), &change).await?)
}

type Seen = BoxStream<'static, watcher::Result<AdoIntegration>>;

async fn verdict(seen: &mut Seen, state: &str, reason: &str) -> Outcome<()> {
    while let Some(object) = seen.try_next().await? {
        if shows(&object, state, reason) {
            return Ok(());
        }
    }
    Err("the watch ended".into())
}

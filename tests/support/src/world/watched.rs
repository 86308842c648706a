//! What the operator of a world does: how often it looks, and what it writes.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Resource;
use kube::api::ListParams;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{World, name};
use crate::audit::{Bookmark, Entry};
use crate::wait;

/// An operator that looked at nothing new between so many of our looks is calm.
const CALM: u32 = 5;

impl World {
    /// How often the running operator has looked at objects of that kind.
    pub async fn looks<K: Resource<DynamicType = ()>>(&self) -> u64 {
        let operator = self.operator.as_ref().unwrap_or_else(|| panic!("the operator does not run"));
        let answer = reqwest::get(format!("http://{}/metrics", operator.metrics)).await;
        let text = match answer {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        let text = text.unwrap_or_else(|error| panic!("no metrics: {error}"));
        let kind = format!("kind=\"{}\"", K::kind(&()));
        let of_kind = |line: &&str| line.starts_with("ado_operator_reconciles_total{") && line.contains(&kind);
        text.lines().filter(of_kind).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Lets time pass, and the operator look at every object of that kind in the test's namespace. A look that was under
    /// way when the time passed knows nothing of that, so there is another one behind it.
    pub async fn pass<K>(&self, time: Duration)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        let objects = self.api::<K>().list(&ListParams::default()).await;
        let objects = objects.unwrap_or_else(|error| panic!("no list: {error}")).items.len() as u64;
        for time in [time, Duration::ZERO] {
            let wanted = self.looks::<K>().await + objects.max(1);
            self.clock.advance(time);
            wait::until("another look", async || (self.looks::<K>().await >= wanted).then_some(())).await;
        }
    }

    /// Waits until the operator has done with looking at objects of that kind, so that the next look has a new cause.
    pub async fn calm<K: Resource<DynamicType = ()>>(&self) {
        let (mut looks, mut same) = (0, 0);
        wait::until("calm", async || {
            let now = self.looks::<K>().await;
            same = if now == looks { same + 1 } else { 0 };
            looks = now;
            (same == CALM).then_some(())
        })
        .await;
    }

    /// What the apiserver answered in the test's namespace since a place in its audit log, up to this very moment.
    pub async fn audited(&self, since: &Bookmark) -> Vec<Entry> {
        let end = name();
        self.apply::<ConfigMap>(json!({"metadata": {"name": end}})).await;
        let entries = wait::until("the end of the audit log", async || {
            let entries = since.since().unwrap_or_else(|error| panic!("no audit log: {error}"));
            entries.iter().any(|entry| entry.object_ref.name == end).then_some(entries)
        })
        .await;
        entries.into_iter().filter(|entry| entry.object_ref.namespace == self.namespace).collect()
    }

    /// What the operator wrote in the test's namespace since a place in the audit log, up to this very moment: Leases and
    /// reviews apart, and without what the apiserver refused.
    pub async fn writes(&self, since: &Bookmark) -> Vec<Entry> {
        let mut entries = self.audited(since).await;
        entries.retain(|entry| entry.is_operators() && entry.is_write() && entry.is_done());
        let aside = |resource: &str| resource == "leases" || resource.ends_with("reviews");
        entries.retain(|entry| !aside(&entry.object_ref.resource));
        entries
    }

    /// The end of the audit log, behind everything that was answered before.
    pub async fn bookmark(&self) -> Bookmark {
        let now = || Bookmark::now(self.control_plane.audit_log());
        let early = now().unwrap_or_else(|error| panic!("no audit log: {error}"));
        self.audited(&early).await;
        now().unwrap_or_else(|error| panic!("no audit log: {error}"))
    }
}

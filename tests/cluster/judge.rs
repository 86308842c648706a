//! Assertions on a whole row of the table of states.

use std::sync::{Mutex, OnceLock};

use kube::ResourceExt;
use serde::Serialize;
use support::control_plane::ControlPlane;
use support::verdict::Verdict;
use support::world::conditions;

/// A row: what an object shows and what others make of it.
pub struct Row<'a> {
    /// `status.state`.
    pub state: &'a str,
    /// Status and reason of `Ready`.
    pub ready: (&'a str, &'a str),
    /// Abnormal-true conditions that stand there.
    pub abnormal: &'a [&'a str],
    /// What kstatus makes of it.
    pub kstatus: &'a str,
    /// What Argo CD makes of it.
    pub argocd: &'a str,
}

/// Type, status and reason of the conditions that are neither `Ready` nor abnormal-true, by type.
pub type Own = &'static [(&'static str, &'static str, &'static str)];

/// Conditions that stand there only while they are True.
const ABNORMAL: [&str; 4] = ["Reconciling", "Stalled", "Throttled", "Unreachable"];

fn judge() -> &'static Verdict {
    static JUDGE: OnceLock<Verdict> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one = STARTING.lock();
    JUDGE.get_or_init(|| Verdict::start(&ControlPlane::shared().expect("a control plane")).expect("the judge"))
}

/// Asserts that the object stands in that row.
pub fn assert_row<K: Serialize + ResourceExt>(object: &K, row: &Row<'_>) {
    let value = serde_json::to_value(object).expect("an object");
    let shown = conditions(object);
    assert_eq!(value["status"]["state"], row.state, "state of {value:#}");
    let ready = shown.get("Ready").map(|(status, reason)| (status.as_str(), reason.as_str()));
    assert_eq!(ready, Some(row.ready), "Ready of {value:#}");
    let abnormal: Vec<&str> = ABNORMAL.into_iter().filter(|kind| shown.contains_key(*kind)).collect();
    assert_eq!(abnormal, row.abnormal, "abnormal conditions of {value:#}");
    assert!(abnormal.iter().all(|kind| shown[*kind].0 == "True"), "abnormal conditions are True or gone: {value:#}");
    let judged = judge().judge(object).expect("a judgement");
    assert_eq!(
        (judged.kstatus.as_str(), judged.argocd.as_deref()),
        (row.kstatus, Some(row.argocd)),
        "verdicts on {value:#}"
    );
}

/// Asserts that the object stands in that row, and that exactly these other conditions stand there.
pub fn assert_whole<K: Serialize + ResourceExt>(object: &K, row: &Row<'_>, own: &[(&str, &str, &str)]) {
    assert_row(object, row);
    let shown = conditions(object);
    let other: Vec<(&str, &str, &str)> = shown
        .iter()
        .filter(|(kind, _)| *kind != "Ready" && !row.abnormal.contains(&kind.as_str()))
        .map(|(kind, (status, reason))| (kind.as_str(), status.as_str(), reason.as_str()))
        .collect();
    assert_eq!(other, own, "other conditions of {}", object.name_any());
}

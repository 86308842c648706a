//! A process that syncs one project and then maps it in other ways. It is this program once more, so that its memory and its
//! CPU time are those of the sync alone.

use std::process::Stdio;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::Instant;

use crate::Outcome;
use crate::process::{Memory, cpu_seconds};
use crate::sync::{Order, Subject};

/// First argument that makes this program the one that syncs.
pub const SYNC: &str = "sync";

/// What a sync came to.
#[derive(Debug, Deserialize, Serialize)]
pub struct Report {
    /// Items that were read.
    pub items: u64,
    /// Requirements and bugs that they became.
    pub records: u64,
    /// Seconds to read what the spec is held against.
    pub learning: f64,
    /// Seconds to read everything into the store.
    pub pulling: f64,
    /// Seconds to map it.
    pub mapping: f64,
    /// CPU time up to here, in seconds.
    pub cpu: f64,
    /// The most memory that was resident up to here, in MB.
    pub peak: f64,
    /// Other mappings of the same items.
    pub remapped: Vec<Remapped>,
    /// The most memory that was resident in all, in MB.
    pub last_peak: f64,
    /// The body of each request for revisions.
    pub revisions_body: Value,
}

impl Report {
    /// Seconds from the first request to the last record.
    pub fn seconds(&self) -> f64 {
        self.learning + self.pulling + self.mapping
    }
}

/// A mapping of what was stored.
#[derive(Debug, Deserialize, Serialize)]
pub struct Remapped {
    /// What it is called.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// Number of its records.
    pub records: u64,
}

/// The mapping that is synced, and then two that change nearly everything: other iterations for each record, and more types.
fn specs(project: &str) -> (Value, [(&'static str, Value); 2]) {
    let spec = |requirements: Value, release: Value, sprint: Value| {
        json!({
            "integrationRef": {"name": "contoso"},
            "project": project,
            "pullRequirements": requirements,
            "bugMapping": {},
            "iterationMapping": {"release": release, "sprint": sprint},
        })
    };
    let depth = |depth: u8| json!({"from": "Depth", "depth": depth});
    let tier = |tier: u8| json!({"from": "Tier", "tier": tier});
    let all =
        json!({"workItemTypes": ["Epic", "Feature", "User Story", "Task"], "releaseDateFields": ["SprintEndDate"]});
    let first = spec(json!({}), depth(1), depth(2));
    let by_depth = spec(all.clone(), json!({"from": "None"}), depth(1));
    (first, [("Depth", by_depth), ("Tier", spec(all, tier(1), tier(2)))])
}

/// Has a process of its own do it.
pub async fn run(order: &Order) -> Outcome<Report> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(SYNC)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    input.write_all(&serde_json::to_vec(order)?).await?;
    drop(input);
    let done = child.wait_with_output().await?;
    serde_json::from_slice(&done.stdout).map_err(|_| "the sync failed".into())
}

/// The process: its order comes by standard input, its report goes to standard output.
pub async fn main() -> Outcome<()> {
    let mut order = Vec::new();
    tokio::io::stdin().read_to_end(&mut order).await?;
    let order: Order = serde_json::from_slice(&order)?;
    let subject = Subject::find(&order).await?;
    let (first, others) = specs(&order.project);
    let mut clock = Clock::start();
    let learnt = subject.learn(first).await?;
    let learning = clock.lap();
    let items = subject.pull(&learnt).await?;
    let pulling = clock.lap();
    let records = subject.map(&learnt).await?;
    let mapping = clock.lap();
    let (cpu, peak) = (cpu_seconds(std::process::id())?, Memory::of(std::process::id())?.peak);
    let mut remapped = Vec::new();
    for (name, spec) in others.into_iter().filter(|_| order.remaps) {
        let learnt = subject.learn(spec).await?;
        clock.lap();
        let records = subject.map(&learnt).await?;
        remapped.push(Remapped { name: name.to_owned(), seconds: clock.lap(), records });
    }
    subject.close().await;
    let last_peak = Memory::of(std::process::id())?.peak;
    let revisions_body = learnt.revisions_body();
    let report = Report { items, records, learning, pulling, mapping, cpu, peak, remapped, last_peak, revisions_body };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// Tells how long each of several steps took.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the last call.
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let lap = now.duration_since(self.0).as_secs_f64();
        self.0 = now;
        lap
    }
}

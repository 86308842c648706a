//! `make bench`: measures the released operator as a process, against a real kube-apiserver and the simulator, and its sync
//! alone, as a process without Kubernetes. Prints one line of JSON per figure; everything else goes to standard error.
//!
//! A missed target is said and is no failure, be it missed by so much that the measurement was given up; a figure that
//! could not be measured for another reason is one. The limits are measured in the same run, on the same machine.

mod bare;
mod figure;
mod fleet;
mod ground;
mod idle;
mod items;
mod pages;
mod process;
mod rows;
mod secret;
mod start;
mod sync;
mod worker;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::fleet::Round;
use crate::ground::Ground;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Rounds with a fleet, whose middle counts: other programs disturb one now and then.
const ROUNDS: usize = 3;

/// No further round begins after this. All three take four minutes on two idle cores.
const ENOUGH: Duration = Duration::from_mins(4);

/// A part that takes longer has failed.
const DEADLINE: Duration = Duration::from_mins(8);

#[tokio::main]
async fn main() -> ExitCode {
    support::install_crypto();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [program, folder] if program == start::BARE => start::bare(Path::new(folder)).await,
        [program] if program == worker::SYNC => Box::pin(worker::main()).await,
        parts => run(parts).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures these parts, or all of them.
async fn run(parts: &[String]) -> Outcome<()> {
    let known = ["fleet", "items", "idle"];
    if let Some(unknown) = parts.iter().find(|part| !known.contains(&part.as_str())) {
        return Err(format!("there is no part {unknown:?}; the parts are {}", known.join(", ")).into());
    }
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    if is_wanted("fleet") {
        within_deadline("fleet", fleet()).await?;
    }
    if is_wanted("items") {
        within_deadline("items", items::measure()).await?;
    }
    if is_wanted("idle") {
        within_deadline("idle", idle::measure()).await?;
    }
    Ok(())
}

async fn within_deadline(part: &str, figures: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    tell_load();
    let started = Instant::now();
    timeout(DEADLINE, figures).await.map_err(|_| format!("{part} took too long"))??;
    eprintln!("{part} took {} s", started.elapsed().as_secs());
    Ok(())
}

/// Starts and fleets.
async fn fleet() -> Outcome<()> {
    let started = Instant::now();
    let mut rounds: Vec<Round> = Vec::new();
    while rounds.is_empty() || rounds.len() < ROUNDS && started.elapsed() < ENOUGH {
        // Each round has a control plane of its own, so that it finds no object of an earlier one.
        let ground = Ground::new().await?;
        if rounds.is_empty() {
            start::measure(&ground).await?;
        }
        let round = fleet::measure(&ground).await?;
        let is_complete = round.is_complete();
        rounds.push(round);
        tell_load();
        if !is_complete {
            // Another one would take as long and say no more.
            break;
        }
    }
    eprintln!("{} rounds in {} s", rounds.len(), started.elapsed().as_secs());
    fleet::print(&rounds)
}

/// Says how busy the machine is: what others do on it shows in every figure but memory and writes.
fn tell_load() {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    eprintln!("load average: {}", text.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
}

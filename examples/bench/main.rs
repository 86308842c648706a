//! `make bench`: measures the released operator as a process, against a real kube-apiserver and the simulator, and prints
//! one line of JSON per figure. Everything else goes to standard error.
//!
//! A missed target is said and is no failure, be it missed by so much that the measurement was given up; a figure that
//! could not be measured for another reason is one. The limits are measured in the same run, on the same machine.

mod bare;
mod figure;
mod fleet;
mod ground;
mod process;
mod secret;
mod start;

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

/// A run that takes longer has failed.
const DEADLINE: Duration = Duration::from_mins(8);

#[tokio::main]
async fn main() -> ExitCode {
    support::install_crypto();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [program, folder] if program == start::BARE => start::bare(Path::new(folder)).await,
        _ => timeout(DEADLINE, run()).await.unwrap_or_else(|_| Err("the whole took too long".into())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let started = Instant::now();
    let mut rounds: Vec<Round> = Vec::new();
    tell_load();
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

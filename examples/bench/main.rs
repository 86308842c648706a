//! `make bench`: measures the released operator as a process, against a real kube-apiserver and the simulator, and prints
//! one line of JSON per figure. Everything else goes to standard error.
//!
//! A missed target is said and is no failure; a figure that could not be measured is one. The limits are measured in the
//! same run, on the same machine.

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

use tokio::time::timeout;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The whole run takes two minutes on two idle cores.
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
    let ground = ground::Ground::new().await?;
    start::measure(&ground).await?;
    fleet::measure(&ground).await
}

//! Start and rest: how soon the operator is ready, and what it then occupies.

use std::path::Path;
use std::process::Stdio;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use kube::api::ListParams;
use kube::{Api, Client, Config};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::Instant;

use crate::Outcome;
use crate::figure::{Figure, median};
use crate::ground::Ground;
use crate::process::{Memory, Operator, settled};

/// Starts whose median counts.
const STARTS: usize = 5;

/// First argument that makes this program the bare one.
pub const BARE: &str = "bare-start";

/// Measures starts from nothing: first of the bare program, then of the operator.
pub async fn measure(ground: &Ground) -> Outcome<()> {
    let (mut starts, mut bare_starts) = (Vec::new(), Vec::new());
    let (mut memory, mut bare_memory) = (Memory::default(), Memory::default());
    for _ in 0..STARTS {
        let (seconds, at_rest) = run_bare(ground).await?;
        bare_starts.push(seconds);
        bare_memory = at_rest;
    }
    for _ in 0..STARTS {
        let folder = tempfile::tempdir()?;
        let mut operator = Operator::spawn(ground, folder.path())?;
        starts.push(operator.ready().await?.as_secs_f64());
        settled(operator.pid()?).await?;
        memory = Memory::of(operator.pid()?)?;
        operator.stop().await?;
    }
    eprintln!("start: {starts:.3?} s; bare: {bare_starts:.3?} s");
    eprintln!(
        "idle: PSS {:.1} MB, peak {:.1} MB; bare: PSS {:.1} MB",
        memory.proportional, memory.peak, bare_memory.proportional
    );
    Figure::at_most("start to ready", median(&starts), "s", 3.0).with_limit(median(&bare_starts)).print()?;
    Figure::at_most("idle memory", memory.resident, "MB", 30.0).with_limit(bare_memory.resident).print()
}

/// Runs the bare program as a process of its own: seconds until it has done what cannot be saved, memory at rest.
async fn run_bare(ground: &Ground) -> Outcome<(f64, Memory)> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.env_clear().env("KUBECONFIG", ground.operator_kubeconfig()).arg(BARE).arg(folder.path());
    let started = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line).await?;
    let seconds = started.elapsed().as_secs_f64();
    let pid = child.id().filter(|_| line.trim() == BARE).ok_or("the bare program failed")?;
    settled(pid).await?;
    let memory = Memory::of(pid)?;
    drop(child.stdin.take());
    child.wait().await?;
    Ok((seconds, memory))
}

/// The bare program: connects, lists both kinds, writes to a new database, says so, and keeps what it has open until its
/// standard input ends.
pub async fn bare(folder: &Path) -> Outcome<()> {
    let database = async {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("bare.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = options.connect().await?;
        sqlx::query("CREATE TABLE bare (id INTEGER PRIMARY KEY)").execute(&mut connection).await?;
        Outcome::Ok(connection)
    };
    let lists = async {
        let client = Client::try_from(Config::infer().await?)?;
        let (integrations, configs) =
            (Api::<AdoIntegration>::all(client.clone()), Api::<AdoProjectConfig>::all(client));
        let params = ListParams::default();
        Outcome::Ok((integrations.list(&params).await?, configs.list(&params).await?))
    };
    let (_kept, _listed) = futures::try_join!(database, lists)?;
    println!("{BARE}");
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}

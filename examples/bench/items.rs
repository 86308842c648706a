//! What a first sync of many items costs, into either database, and what no sync could save: see `pages.rs` and `rows.rs`.
//!
//! Each sync is a process of its own ([`worker`](crate::worker)), with the simulator in another one and PostgreSQL, whose
//! commits are on the disk when they return, in a third.

use std::sync::Arc;
use std::time::Duration;

use support::postgres::{Database, Postgres};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::Outcome;
use crate::figure::{Figure, median, percentile};
use crate::ground::{Ado, Pat, programs};
use crate::pages::{Download, download};
use crate::process::cpu_seconds;
use crate::rows;
use crate::sync::{Order, Place};
use crate::worker::{self, Report};

/// The project that has all items.
const PROJECT: &str = "Payments";

/// Numbers of items, and how often each is measured.
const SIZES: [(u32, usize); 4] = [(1_000, 5), (10_000, 3), (PROMISED, 3), (1_000_000, 1)];

/// More items than that are measured with SQLite alone: each kind takes over a minute with a million of them.
const MOST_ON_BOTH: u32 = PROMISED;

/// No further number of items begins after this. On two idle cores all of them do.
const ENOUGH: Duration = Duration::from_mins(4);

/// The number that the promises are about.
const PROMISED: u32 = 100_000;

/// How the time may compare with the larger limit, and the cost of an item with that of others.
const FACTOR: f64 = 1.5;

/// Longest time of a first sync, in seconds.
const LONGEST: f64 = 10.0;

/// Most memory, in MB.
const MEMORY: f64 = 96.0;

/// Longest time of another mapping, in seconds.
const REMAPPING: f64 = 3.0;

/// A kind of database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// Its name in figures.
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Where a store is for one sync; it is gone afterwards.
enum Scratch {
    Folder(TempDir),
    Database(Database),
}

impl Scratch {
    fn new(kind: Kind, server: &Arc<Postgres>) -> Outcome<Self> {
        Ok(match kind {
            Kind::Sqlite => Self::Folder(tempfile::tempdir()?),
            Kind::Postgres => Self::Database(server.create_database()?),
        })
    }

    fn place(&self) -> Place {
        match self {
            Self::Folder(folder) => Place::Folder(folder.path().to_owned()),
            Self::Database(database) => Place::Server(database.url()),
        }
    }
}

/// One sync with its limits, which are only measured at the promised number.
struct Round {
    report: Report,
    limits: Option<Limits>,
}

#[derive(Clone, Copy)]
struct Limits {
    download: Download,
    insertion: f64,
}

impl Limits {
    /// The larger one: whatever is done at the same time, it takes that long.
    fn seconds(self) -> f64 {
        self.download.seconds.max(self.insertion)
    }
}

/// What an item costs among so many.
struct Cost {
    kind: Kind,
    items: u32,
    microseconds: f64,
}

/// Measures and prints.
pub async fn measure() -> Outcome<()> {
    let server = tokio::task::spawn_blocking(Postgres::durable).await??;
    let mut costs = Vec::new();
    let started = Instant::now();
    for (items, rounds) in SIZES {
        if started.elapsed() > ENOUGH {
            eprintln!("{items} items are not measured: the machine is busy");
            break;
        }
        let ado = Ado::start(&programs()?.join("ado-simulator"), items, Some(PROJECT))?;
        let pats = ado.create_pats("items", 1).await?;
        let pat = pats.first().ok_or("there is no token")?;
        let kinds = if items > MOST_ON_BOTH { &[Kind::Sqlite][..] } else { &[Kind::Sqlite, Kind::Postgres] };
        for kind in kinds.iter().copied() {
            let mut measured = Vec::new();
            for _ in 0..rounds {
                measured.push(round(&ado, pat, kind, &server, items).await?);
            }
            let seconds = median(&all(&measured, |round| round.report.pulling + round.report.mapping));
            costs.push(Cost { kind, items, microseconds: 1e6 * seconds / f64::from(items) });
            if items == PROMISED {
                print(kind, &measured)?;
            }
        }
    }
    print_costs(&costs)
}

async fn round(ado: &Ado, pat: &Pat, kind: Kind, server: &Arc<Postgres>, items: u32) -> Outcome<Round> {
    let scratch = Scratch::new(kind, server)?;
    ado.forget().await?;
    let simulated = cpu_seconds(ado.pid())?;
    let order = Order {
        organization: ado.url().to_owned(),
        ca: ado.ca.clone(),
        token: pat.token.clone(),
        project: PROJECT.to_owned(),
        store: scratch.place(),
        remaps: items <= PROMISED,
    };
    let report = worker::run(&order).await?;
    if report.items != u64::from(items) {
        return Err(format!("{} items were read in place of {items}", report.items).into());
    }
    tell(kind, &report, cpu_seconds(ado.pid())? - simulated);
    let limits = if items == PROMISED { Some(limits(ado, pat, kind, server, &scratch, &report).await?) } else { None };
    Ok(Round { report, limits })
}

async fn limits(
    ado: &Ado,
    pat: &Pat,
    kind: Kind,
    server: &Arc<Postgres>,
    synced: &Scratch,
    report: &Report,
) -> Outcome<Limits> {
    let download = download(ado, &pat.token, &ado.requests().await?, &report.revisions_body).await?;
    let empty = Scratch::new(kind, server)?;
    let (insertion, rows) = rows::copy(&synced.place(), &empty.place()).await?;
    eprintln!(
        "limits: {} pages with {:.1} MB in {:.2} s, {rows} rows into {kind:?} in {insertion:.2} s",
        download.pages, download.megabytes, download.seconds
    );
    Ok(Limits { download, insertion })
}

fn tell(kind: Kind, report: &Report, simulated: f64) {
    let Report { items, records, learning, pulling, mapping, cpu, peak, remapped, last_peak, .. } = report;
    eprintln!(
        "{items} items into {kind:?}: metadata {learning:.2} s, pull {pulling:.2} s, {records} records {mapping:.2} s; \
         CPU {cpu:.2} s, of the simulator {simulated:.2} s; peak {peak:.1} MB, with other mappings {last_peak:.1} MB"
    );
    for other in remapped {
        eprintln!("  mapped by {}: {} records in {:.2} s", other.name, other.records, other.seconds);
    }
}

fn all(rounds: &[Round], value: impl Fn(&Round) -> f64) -> Vec<f64> {
    rounds.iter().map(value).collect()
}

/// Prints the figures of the promised number: the middle of all rounds, of memory the worst. The limit is the larger one of
/// both in each round.
fn print(kind: Kind, rounds: &[Round]) -> Outcome<()> {
    let into = kind.name();
    let seconds = median(&all(rounds, |round| round.report.seconds()));
    let limits: Vec<f64> = rounds.iter().filter_map(|round| round.limits).map(Limits::seconds).collect();
    let limit = median(&limits);
    let target = LONGEST.min(FACTOR * limit);
    let items = f64::from(PROMISED);
    Figure::at_most(format!("100,000 items into {into}"), seconds, "s", target).with_limit(limit).print()?;
    let rate = Figure::at_least(format!("rate into {into}"), items / seconds, "items/s", items / target);
    rate.with_limit(items / limit).print()?;
    let peak = percentile(&all(rounds, |round| round.report.peak), 1.0);
    Figure::at_most(format!("peak memory, 100,000 items into {into}"), peak, "MB", MEMORY).print()?;
    let others = rounds.first().map(|round| round.report.remapped.as_slice()).unwrap_or_default();
    for (place, other) in others.iter().enumerate() {
        let of = |round: &Round| round.report.remapped.get(place).map_or(f64::INFINITY, |other| other.seconds);
        let name = format!("re-mapping 100,000 items by {}, {into}", other.name);
        Figure::at_most(name, median(&all(rounds, of)), "s", REMAPPING).print()?;
    }
    Ok(())
}

/// Prints what an item costs among few and many of them, beside what it costs among the promised number. What is read once,
/// however many items there are, is left out.
fn print_costs(costs: &[Cost]) -> Outcome<()> {
    for cost in costs {
        let promised = costs.iter().find(|other| other.kind == cost.kind && other.items == PROMISED);
        let target = promised.map_or(f64::INFINITY, |promised| FACTOR * promised.microseconds);
        let name = format!("cost per item of {} into {}", cost.items, cost.kind.name());
        Figure::at_most(name, cost.microseconds, "µs", target).print()?;
    }
    Ok(())
}

//! Processes under measurement: the operator as it is released, and what the kernel says of a process.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use support::control_plane::RELEASE;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::Outcome;
use crate::ground::Ground;

/// Pause between two looks at `/readyz`.
const LOOK: Duration = Duration::from_millis(2);

/// A start that takes longer has failed.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A process is idle when it used no measurable CPU time for so long.
const QUIET: Duration = Duration::from_secs(1);

/// Idleness is not waited for longer than this.
const SETTLE_DEADLINE: Duration = Duration::from_secs(20);

/// How long a good end may take.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Memory of a process, in MB (10⁶ bytes).
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Resident now (`VmRSS`), shared pages included.
    pub resident: f64,
    /// The most that ever was resident (`VmHWM`).
    pub peak: f64,
    /// Resident, with shared pages divided among those who share them (PSS).
    pub proportional: f64,
}

impl Memory {
    /// Of the process with that id.
    pub fn of(pid: u32) -> Outcome<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        Ok(Self {
            resident: megabytes(&status, "VmRSS:")?,
            peak: megabytes(&status, "VmHWM:")?,
            proportional: megabytes(&rollup, "Pss:")?,
        })
    }
}

fn megabytes(text: &str, name: &str) -> Outcome<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name} in /proc"))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

/// CPU time that a process has used, in seconds.
pub fn cpu_seconds(pid: u32) -> Outcome<f64> {
    // Clock ticks of a hundredth of a second in the fields after the name, which may hold spaces (proc_pid_stat(5)).
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("an unknown form of /proc/…/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    Ok(f64::from(ticks(11) + ticks(12)) / 100.0)
}

/// Waits until the process does nothing any more.
pub async fn settled(pid: u32) -> Outcome<()> {
    let end = Instant::now() + SETTLE_DEADLINE;
    let (mut used, mut since) = (cpu_seconds(pid)?, Instant::now());
    while since.elapsed() < QUIET {
        if Instant::now() > end {
            eprintln!("process {pid} did not come to rest within {} s", SETTLE_DEADLINE.as_secs());
            break;
        }
        sleep(Duration::from_millis(50)).await;
        let now = cpu_seconds(pid)?;
        // One tick is what a Lease renewal may cost.
        if now - used > 0.011 {
            (used, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// The released operator, running with the chart's ServiceAccount. Dropping it kills it.
pub struct Operator {
    child: Child,
    spawned: Instant,
    address: SocketAddr,
    log: PathBuf,
}

impl Operator {
    /// Starts it on a data folder.
    pub fn spawn(ground: &Ground, data: &Path) -> Outcome<Self> {
        // Free for the moment; nothing else on this machine is likely to take it meanwhile.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = data.join("operator.log");
        let mut command = Command::new(ground.operator_binary());
        command
            .env_clear()
            .env("KUBECONFIG", ground.operator_kubeconfig())
            .arg("--metrics-address")
            .arg(address.to_string())
            .args(["--operator-namespace", RELEASE, "--lease-name", "bench", "--identity", "bench"])
            .arg("--data-dir")
            .arg(data.join("data"))
            .args(["--allowed-host", &format!("localhost:{}", ground.ado.port())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .kill_on_drop(true);
        let spawned = Instant::now();
        Ok(Self { child: command.spawn()?, spawned, address, log })
    }

    /// Waits until `/readyz` answers 200; gives the time since the start.
    pub async fn ready(&mut self) -> Outcome<Duration> {
        let url = format!("http://{}/readyz", self.address);
        let client = reqwest::Client::builder().no_proxy().build()?;
        loop {
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                return Ok(self.spawned.elapsed());
            }
            if self.child.try_wait()?.is_some() || self.spawned.elapsed() > START_DEADLINE {
                return Err(format!("the operator did not become ready; its log ends with:\n{}", self.log_end()).into());
            }
            sleep(LOOK).await;
        }
    }

    /// When it was started.
    pub fn spawned(&self) -> Instant {
        self.spawned
    }

    /// Its process id.
    pub fn pid(&self) -> Outcome<u32> {
        self.child.id().ok_or_else(|| format!("the operator has ended; its log ends with:\n{}", self.log_end()).into())
    }

    /// Its metrics whose names begin so, without comments.
    pub async fn metrics(&self, prefix: &str) -> Outcome<String> {
        let text = reqwest::get(format!("http://{}/metrics", self.address)).await?.text().await?;
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(prefix)).collect();
        Ok(lines.join("\n"))
    }

    /// Ends it in good order.
    pub async fn stop(mut self) -> Outcome<()> {
        let pid = self.pid()?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        if timeout(STOP_DEADLINE, self.child.wait()).await.is_err() {
            eprintln!("the operator did not end within {} s; it is killed", STOP_DEADLINE.as_secs());
            self.child.kill().await?;
        }
        Ok(())
    }

    /// The last lines of its log.
    pub fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n")
    }
}

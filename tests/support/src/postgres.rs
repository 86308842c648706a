//! Servers of PostgreSQL for tests: real ones, with their data in a folder that goes with the process.

use std::io::{Error, Result};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fs};

use tempfile::TempDir;

/// The server's superuser, and its password over TLS; whoever reaches the socket file needs none.
pub const USER: &str = "ado";
/// See [`USER`].
pub const PASSWORD: &str = "hunter2";

/// What is given up for speed where nothing has to survive.
const CARELESS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";

/// The programs that are called.
const PROGRAMS: [&str; 5] = ["initdb", "pg_ctl", "postgres", "createdb", "dropdb"];

/// Ends the server and removes its folder when this process ends, in whatever way: standard input closes then.
const KEEPER: &str = r#"cat >/dev/null; "$0" "$@" >/dev/null 2>&1; rm -rf "$FOLDER""#;

static SHARED: Mutex<Option<Arc<Postgres>>> = Mutex::new(None);

/// A running server. It ends when it is dropped, and when this process ends.
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    account: Option<Account>,
    options: String,
    port: u16,
    keeper: Mutex<Child>,
    databases: AtomicU32,
}

/// A certificate and its key, as PEM.
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// A database of a test. It is deleted when it is dropped.
pub struct Database {
    server: Arc<Postgres>,
    name: String,
}

impl Postgres {
    /// The server of this process, started at the first call. Nothing in it would survive a crash. Blocks.
    pub fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*shared {
            return Ok(Arc::clone(running));
        }
        let started = Arc::new(Self::start(CARELESS, None)?);
        *shared = Some(Arc::clone(&started));
        Ok(started)
    }

    /// A server for one test alone, behind a socket file, that keeps what was committed. Blocks for about two seconds.
    pub fn durable() -> Result<Arc<Self>> {
        Self::start("", None).map(Arc::new)
    }

    /// A server for one test alone that also listens on the loopback, by TLS with this certificate. Blocks.
    pub fn with_tls(certificate: &Certificate) -> Result<Arc<Self>> {
        Self::start(CARELESS, Some(certificate)).map(Arc::new)
    }

    fn start(options: &str, certificate: Option<&Certificate>) -> Result<Self> {
        let programs = programs()?;
        let account = Account::of_server()?;
        let folder = TempDir::with_prefix("postgres-")?.keep();
        let port = free_port()?;
        let listen = match certificate {
            Some(certificate) => certificate.options(&folder)?,
            None => "-c listen_addresses=''".to_owned(),
        };
        let socket = format!("-p {port} -k {}", folder.display());
        let options = format!("{socket} {listen} {options} -c max_connections=300");
        fs::write(folder.join("password"), PASSWORD)?;
        give(account, &folder)?;
        let keeper = Mutex::new(keep(account, &programs, &folder)?);
        let server = Self { programs, folder, account, options, port, keeper, databases: AtomicU32::new(0) };
        let mut initdb = server.as_server("initdb");
        initdb.args(["--username", USER, "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]);
        initdb.args(["--auth-local", "trust", "--auth-host", "scram-sha-256", "--pwfile"]);
        run(initdb.arg(server.folder.join("password")).arg(server.data()))?;
        server.restart()?;
        Ok(server)
    }

    /// A new and empty database.
    pub fn create_database(self: &Arc<Self>) -> Result<Database> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        run(self.as_user("createdb").args(["--template", "template0"]).arg(&name))?;
        Ok(Database { server: Arc::clone(self), name })
    }

    /// Ends the server at once, without goodbye to anybody; what it wrote it must recover at the next start.
    pub fn crash(&self) -> Result<()> {
        run(self.as_server("pg_ctl").args(["stop", "--mode", "immediate", "--pgdata"]).arg(self.data()))
    }

    /// Starts the server on the data that there is.
    pub fn restart(&self) -> Result<()> {
        let log = self.folder.join("log");
        let mut start = self.as_server("pg_ctl");
        start.args(["start", "--wait", "--options", &self.options, "--pgdata"]).arg(self.data());
        run(start.arg("--log").arg(&log))
            .map_err(|error| Error::other(format!("{error}\n{}", fs::read_to_string(&log).unwrap_or_default())))
    }

    /// Port of the server on the loopback, if it has a certificate; it is a part of the socket file's name as well.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program as the account that the server runs under.
    fn as_server(&self, program: &str) -> Command {
        let mut command = Account::command(self.account, &self.programs.join(program));
        command.current_dir(&self.folder);
        command
    }

    /// A program that connects as the superuser.
    fn as_user(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["--username", USER, "--port", &self.port.to_string(), "--host"]).arg(&self.folder);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        drop(keeper.stdin.take());
        if let Err(error) = keeper.wait() {
            eprintln!("a server of PostgreSQL was not ended: {error}");
        }
    }
}

impl Certificate {
    /// Writes the files, and gives the options of a server that uses them on the loopback.
    fn options(&self, folder: &Path) -> Result<String> {
        let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
        fs::write(&certificate, &self.certificate)?;
        fs::write(&key, &self.key)?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let (certificate, key) = (certificate.display(), key.display());
        Ok(format!("-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={certificate} -c ssl_key_file={key}"))
    }
}

impl Database {
    /// URL of the database, by way of the socket file.
    pub fn url(&self) -> String {
        let (folder, port) = (self.server.folder.display(), self.server.port);
        format!("postgres:///{}?host={folder}&port={port}&user={USER}&password={PASSWORD}", self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    /// Whoever is still connected is thrown out.
    fn drop(&mut self) {
        if let Err(error) = run(self.server.as_user("dropdb").arg("--force").arg(&self.name)) {
            eprintln!("a database stays until its server ends: {error}");
        }
    }
}

/// Starts the program that ends the server when this process ends. Nobody's Ctrl-C reaches it.
fn keep(account: Option<Account>, programs: &Path, folder: &Path) -> Result<Child> {
    let mut keeper = Account::command(account, Path::new("/bin/sh"));
    keeper.args(["-c", KEEPER]).arg(programs.join("pg_ctl")).args(["stop", "--mode", "immediate", "--pgdata"]);
    keeper.arg(folder.join("data")).env("FOLDER", folder).current_dir("/").process_group(0);
    keeper.stdin(Stdio::piped()).spawn()
}

/// Folder of the programs: that of the `initdb` in the path, else where Debian puts them.
fn programs() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok());
    let in_path = in_path.filter_map(|initdb| initdb.parent().map(Path::to_path_buf));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    installed.sort();
    let is_whole = |folder: &PathBuf| PROGRAMS.iter().all(|program| folder.join(program).is_file());
    in_path.chain(installed.into_iter().rev()).find(is_whole).ok_or_else(|| {
        let programs = PROGRAMS.join(", ");
        Error::other(format!("no PostgreSQL: {programs} are needed; `make check-postgres` installs them on Debian"))
    })
}

/// Whom the server runs as.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// The account of the server, if it is not that of this process: it refuses to run as root.
    fn of_server() -> Result<Option<Self>> {
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let named = |name: &str| {
            let fields: Vec<&str> = accounts
                .lines()
                .map(|line| line.split(':'))
                .find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.collect()))?;
            Some(Self { user: fields.get(1)?.parse().ok()?, group: fields.get(2)?.parse().ok()? })
        };
        let found = named("postgres").or_else(|| named("nobody"));
        found
            .map(Some)
            .ok_or_else(|| Error::other("PostgreSQL does not run as root, and there is no account postgres or nobody"))
    }

    fn command(account: Option<Self>, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(account) = account {
            command.uid(account.user).gid(account.group);
        }
        command
    }
}

/// Gives a folder and the files in it to the server.
fn give(account: Option<Account>, folder: &Path) -> Result<()> {
    let Some(account) = account else { return Ok(()) };
    let files = fs::read_dir(folder)?.map(|file| file.map(|file| file.path())).collect::<Result<Vec<_>>>()?;
    for path in files.iter().map(PathBuf::as_path).chain([folder]) {
        chown(path, Some(account.user), Some(account.group))?;
    }
    Ok(())
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs a program to its end; what it says is told if it fails.
fn run(command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).output()?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    Err(Error::other(format!("{}: {said}", command.get_program().display())))
}

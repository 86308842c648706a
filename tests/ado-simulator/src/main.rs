//! The simulator as a program.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use ado_simulator::{Deployment, Options, Simulator, SpecificationSource};
use clap::Parser;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// Simulates Azure DevOps on a loopback address; prints one JSON line when it is ready.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Everything generated follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Work items of organization contoso, at most 1,000,000.
    #[arg(long, default_value_t = 1000)]
    items: u32,
    /// The project of contoso that gets all work items; they are spread over all if left out.
    #[arg(long)]
    items_in: Option<String>,
    /// Folder for ca.pem; a temporary one if left out.
    #[arg(long)]
    ca_dir: Option<PathBuf>,
    /// A further name that the certificate is valid for; may be repeated.
    #[arg(long = "host-name")]
    host_names: Vec<String>,
    /// Folder of the `OpenAPI` files.
    #[arg(long, env = "ADO_SPECS_DIR")]
    specs_dir: Option<PathBuf>,
    /// Simulates Azure DevOps Server, with its collections below this virtual directory, such as `tfs`.
    #[arg(long)]
    virtual_directory: Option<String>,
    /// A released API version to serve; may be repeated.
    #[arg(long = "api-version", default_value = "7.1")]
    api_versions: Vec<String>,
    /// Requests that are kept in the log.
    #[arg(long, default_value_t = 20_000)]
    journal_limit: usize,
    /// Ends when standard input ends.
    #[arg(long)]
    exit_on_stdin_eof: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ado-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let source = arguments.specs_dir.filter(|folder| folder.is_dir());
    let options = Options {
        listen: arguments.listen,
        seed: arguments.seed,
        items: arguments.items,
        items_in: arguments.items_in,
        host_names: arguments.host_names,
        specifications: source.map_or(SpecificationSource::Discover, SpecificationSource::Folder),
        deployment: arguments
            .virtual_directory
            .map_or(Deployment::Hosted, |virtual_directory| Deployment::OnPremises { virtual_directory }),
        api_versions: arguments.api_versions,
        journal_limit: arguments.journal_limit,
        ..Options::default()
    };
    let items = options.items;
    let simulator = Simulator::start(options).await?;
    // Kept until the end: a temporary folder goes with the program.
    let temporary = tempfile::tempdir()?;
    let folder = arguments.ca_dir.unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, simulator.ca_pem())?;
    let state = simulator.state();
    let ready = json!({
        "url": simulator.url(),
        "ca_file": ca_file,
        "control_url": simulator.control_url(),
        "pats": simulator.pats(),
        "projects": state.organizations.first().map(|organization| &organization.projects),
        "seed": state.seed,
        "items": items,
        "described": simulator.described(),
    });
    let mut output = std::io::stdout().lock();
    writeln!(output, "{ready}")?;
    output.flush()?;
    drop(output);
    wait_for_end(arguments.exit_on_stdin_eof).await?;
    Ok(())
}

async fn wait_for_end(until_stdin_ends: bool) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stdin_ends = async {
        if until_stdin_ends {
            let mut rest = Vec::new();
            let _ = tokio::io::stdin().read_to_end(&mut rest).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_ends => {}
    }
    Ok(())
}

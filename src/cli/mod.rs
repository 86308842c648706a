//! `kubectl ado`: the command line tool. `bin/kubectl-ado.rs` gives it the process's arguments and streams; tests give
//! it others.

mod connection;
mod init;
mod inputs;
mod manifest;
mod problem;
mod report;
mod schema;
mod test_connection;
mod yaml;

use std::ffi::OsString;
use std::io::{Read, Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

pub use init::Init;
pub use test_connection::TestConnection;

/// Connects Azure DevOps to test management.
#[derive(Debug, Parser)]
#[command(name = "kubectl-ado", bin_name = "kubectl ado", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    TestConnection(Box<TestConnection>),
    Init(Box<Init>),
}

/// How a command ended; the number is the exit code of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Everything that was asked for is available.
    Success = 0,
    /// The command line, the manifest or something that it names is wrong.
    Invalid = 1,
    /// Azure DevOps refused the credential.
    Refused = 2,
    /// A wanted feature or service is not available.
    Unavailable = 3,
    /// No verdict could be had.
    NoVerdict = 4,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut (dyn Read + Send),
    /// Results.
    pub output: &'a mut (dyn Write + Send),
    /// Everything else.
    pub errors: &'a mut (dyn Write + Send),
}

/// Runs the command that the arguments (the program's name first) name. Output that cannot be written is given up: its
/// reader is gone.
pub async fn run<T>(arguments: impl IntoIterator<Item = T>, streams: Streams<'_>) -> Exit
where
    T: Into<OsString> + Clone,
{
    match Cli::try_parse_from(arguments) {
        Ok(Cli { command: Command::TestConnection(command) }) => Box::pin(command.run(streams)).await,
        Ok(Cli { command: Command::Init(command) }) => Box::pin(command.run(streams)).await,
        Err(error) => {
            let target = if error.use_stderr() { streams.errors } else { streams.output };
            let _ = target.write_all(usage_text(&error).as_bytes());
            if error.use_stderr() { Exit::Invalid } else { Exit::Success }
        }
    }
}

/// The text of a usage error. A stray argument is not repeated: people paste tokens.
fn usage_text(error: &clap::Error) -> String {
    let stray = match error.kind() {
        ErrorKind::UnknownArgument => error.get(ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => error.get(ContextKind::InvalidSubcommand),
        _ => None,
    };
    match stray {
        Some(ContextValue::String(argument)) if !argument.starts_with('-') => {
            "error: an argument that belongs to no option (not repeated here)\n\nFor more information, try '--help'.\n"
                .to_owned()
        }
        _ => error.render().to_string(),
    }
}

//! `kubectl ado`, a plugin of kubectl: found by it as `kubectl-ado` on the path.

use std::io::{stderr, stdin, stdout};
use std::process::ExitCode;

use ado_operator::cli::{Exit, Streams, run};

#[tokio::main]
async fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("error: another TLS provider is installed already");
        return Exit::Invalid.into();
    }
    let streams = Streams { input: &mut stdin(), output: &mut stdout(), errors: &mut stderr() };
    run(std::env::args_os(), streams).await.into()
}

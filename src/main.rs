//! The operator: reads its flags, starts logging, runs until a signal.

use std::process::ExitCode;
use std::sync::Arc;

use ado_operator::app::{App, AppError};
use ado_operator::clock::SystemClock;
use ado_operator::config::Config;
use ado_operator::telemetry;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

fn main() -> ExitCode {
    let config = Config::parse();
    // rustls is built without a provider of its own choice; the first handshake panics unless one is installed.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("a TLS provider was installed before");
    }
    if let Err(error) = telemetry::start(&config.log, config.log_format) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(AppError::from).and_then(|runtime| runtime.block_on(run(config))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the operator ends");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), AppError> {
    let kube = kube::Config::infer().await?;
    let app = App::new(config, kube, Arc::new(SystemClock)).await?;
    info!(version = env!("CARGO_PKG_VERSION"), metrics = %app.metrics_address()?, "starting");
    let shutdown = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.cancel();
    });
    app.run(shutdown).await
}

//! An operator in this process: the real parts, with a clock that the test moves.

use std::io::{Error, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ado_operator::app::App;
use ado_operator::config::Config;
use clap::Parser as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::ManualClock;
use crate::control_plane::{ControlPlane, RELEASE};

/// A running operator. Dropping it stops it without goodbye, as a crash would.
pub struct Operator {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
    /// Where metrics and health are served.
    pub metrics: SocketAddr,
}

impl Operator {
    /// Starts an operator for these namespaces (none: all) with the chart's rights, and further flags.
    pub async fn start(
        control_plane: &ControlPlane,
        clock: &Arc<ManualClock>,
        data: &Path,
        namespaces: &[String],
        flags: &[String],
    ) -> Result<Self> {
        Self::start_changed(control_plane, clock, data, namespaces, flags, |_| ()).await
    }

    /// The same, with a change to what the flags came to: it may go beyond what they permit.
    pub async fn start_changed(
        control_plane: &ControlPlane,
        clock: &Arc<ManualClock>,
        data: &Path,
        namespaces: &[String],
        flags: &[String],
        change: impl FnOnce(&mut Config),
    ) -> Result<Self> {
        let mut arguments: Vec<String> = ["ado-operator", "--metrics-address", "127.0.0.1:0"].map(Into::into).into();
        arguments.extend(["--operator-namespace".into(), RELEASE.into(), "--data-dir".into()]);
        arguments.push(data.to_string_lossy().into_owned());
        let lease = namespaces.first().map_or("all", String::as_str);
        arguments.extend(["--lease-name".into(), lease.into(), "--identity".into(), lease.into()]);
        if !namespaces.is_empty() {
            arguments.extend(["--namespaces".into(), namespaces.join(",")]);
        }
        arguments.extend_from_slice(flags);
        let mut config = Config::try_parse_from(arguments).map_err(Error::other)?;
        change(&mut config);
        let kube = control_plane.operator_config().await?;
        let app = App::new(config, kube, Arc::clone(clock) as _).await.map_err(Error::other)?;
        let metrics = app.metrics_address().map_err(Error::other)?;
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = app.run(stop).await {
                eprintln!("the operator ended: {error}");
            }
        });
        Ok(Self { shutdown, task, metrics })
    }

    /// Stops it in good order.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if let Err(error) = (&mut self.task).await {
            eprintln!("the operator did not end well: {error}");
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! Logs. A message can be read alone and has its values as fields; a failure is logged once; secrets never.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// Starts logging to standard error, once a process.
pub fn start(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    // kube's client logs the body of an answer that it cannot parse, and that body may be a Secret.
    let filter = EnvFilter::try_new(filter)?.add_directive("kube_client::client=error".parse()?);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
        LogFormat::Text => builder.finish().try_init(),
    };
    started.map_err(|_| TelemetryError::Started)
}

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("--log: {0}")]
    Filter(#[from] ParseError),
    /// Somebody started it before.
    #[error("logging was started before")]
    Started,
}

//! What tests, demonstration and benchmarks share: a real control plane with the chart in it, real servers of
//! PostgreSQL, the simulator, and a running operator.

#![allow(clippy::panic, clippy::missing_panics_doc, reason = "what is waited for in vain fails the test that waits")]

pub mod audit;
pub mod clock;
pub mod control_plane;
pub mod operator;
pub mod postgres;
pub mod verdict;
pub mod wait;
pub mod world;

/// Chooses the TLS provider of this process; more than once does no harm.
pub fn install_crypto() {
    // A second installation fails, and says so by giving the provider back.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// The project's folder.
pub fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(std::path::Path::to_path_buf).unwrap_or_default()
}

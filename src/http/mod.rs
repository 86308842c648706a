//! What the operator serves over HTTP.

mod health;

pub use health::router;

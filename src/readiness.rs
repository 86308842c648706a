//! What stands between start and ready.

use std::sync::{Arc, Mutex, PoisonError};

/// What the operator still waits for before it is ready. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Mutex<Vec<&'static str>>>);

impl Readiness {
    /// Not ready until each of these is reached.
    pub fn waiting_for(parts: &[&'static str]) -> Self {
        Self(Arc::new(Mutex::new(parts.to_vec())))
    }

    /// A part is reached.
    pub fn reached(&self, part: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|waiting| *waiting != part);
    }

    /// What is still waited for.
    pub fn missing(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

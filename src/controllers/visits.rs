//! What looks at an object leave behind in this process, by its uid.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A map that is lost with the process; everything in it can be found out again.
#[derive(Debug)]
pub struct Visits<V>(Mutex<HashMap<String, V>>);

impl<V> Default for Visits<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone + Default> Visits<V> {
    /// What the last look left behind. A controller never reconciles one object twice at the same time, so nobody else
    /// changes it meanwhile.
    pub fn get(&self, uid: &str) -> V {
        self.lock(|all| all.get(uid).cloned()).unwrap_or_default()
    }

    /// Leaves something behind.
    pub fn put(&self, uid: &str, visit: V) {
        self.lock(|all| all.insert(uid.to_owned(), visit));
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: &str) {
        self.lock(|all| all.remove(uid));
    }

    fn lock<R>(&self, work: impl FnOnce(&mut HashMap<String, V>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A number from 0 to 1 that stays the same for an object: the first digits of its uid, which is random. It spreads what many
/// objects do over time.
pub fn spread(uid: &str) -> f64 {
    let digits = u32::from_str_radix(uid.get(..8).unwrap_or_default(), 16).unwrap_or_default();
    f64::from(digits) / f64::from(u32::MAX)
}

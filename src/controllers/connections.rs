//! Connections in force: what a validated integration lends to its project configs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ado::AdoClient;
use crate::store::IntegrationKey;
use crate::sync::learnt::Learnt;

/// A validated connection.
#[derive(Clone)]
pub struct Connection {
    /// Client with the credential that was validated.
    pub client: AdoClient,
    /// Key of the integration in the store.
    pub key: IntegrationKey,
    /// Tells whether another connection has the same credential.
    pub digest: String,
    /// What was learnt through it.
    pub learnt: Arc<Learnt>,
}

/// Connections by the uid of their integration.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<String, Connection>>>);

impl Connections {
    /// The connection of an integration.
    pub fn get(&self, uid: &str) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    /// Puts a connection in force; tells whether there was none before. What was learnt with the same credential in the same
    /// organization stays known.
    pub fn put(&self, uid: &str, mut connection: Connection) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = all.get(uid).filter(|one| one.digest == connection.digest && one.key == connection.key);
        if let Some(before) = same {
            connection.learnt = Arc::clone(&before.learnt);
        }
        all.insert(uid.to_owned(), connection).is_none()
    }

    /// Takes a connection out of force, unless the integration has another credential by now; tells whether it did.
    #[must_use]
    pub fn withdraw(&self, uid: &str, connection: &Connection) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = all.get(uid).is_some_and(|current| current.digest == connection.digest);
        if is_same {
            all.remove(uid);
        }
        is_same
    }

    /// Whether that credential is still in force.
    pub fn has(&self, uid: &str, connection: &Connection) -> bool {
        self.get(uid).is_some_and(|current| current.digest == connection.digest)
    }

    /// Takes a connection out of force.
    pub fn remove(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

//! Credentials that were refused: a token that many objects have is not tried by each of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::schedule::REFUSED_PROBE;
use crate::domain::verdict::elapsed;

/// Refusals of this process.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Known>);

/// What is known of credentials, by the digest of credential, place and way.
#[derive(Debug, Default)]
struct Known {
    refused: HashMap<String, Timestamp>,
    /// Those that are being tried again.
    tried: HashSet<String>,
}

/// The turn to try a credential again; it ends when this is dropped.
#[must_use]
#[derive(Debug)]
pub struct Turn<'a> {
    refusals: &'a Refusals,
    digest: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.refusals.lock(|known| known.tried.remove(&self.digest));
    }
}

impl Refusals {
    /// When the credential was refused, if that was within the hour after which it is tried again.
    pub fn last(&self, digest: &str, now: Timestamp) -> Option<Timestamp> {
        self.lock(|known| known.refused.get(digest).copied()).filter(|at| is_fresh(*at, now))
    }

    /// The credential was refused at that time, which may be some time ago.
    pub fn note(&self, digest: &str, at: Timestamp, now: Timestamp) {
        self.lock(|known| {
            known.refused.retain(|_, refused| is_fresh(*refused, now));
            let last = known.refused.entry(digest.to_owned()).or_insert(at);
            *last = at.max(*last);
        });
    }

    /// The credential was accepted. Tells whether a refusal of it was known.
    pub fn forget(&self, digest: &str) -> bool {
        self.lock(|known| known.refused.remove(digest).is_some())
    }

    /// The turn to try a refused credential again: of all objects with that credential one has it at a time, and what comes of
    /// it holds for the others.
    pub fn turn(&self, digest: &str) -> Option<Turn<'_>> {
        let is_free = self.lock(|known| known.tried.insert(digest.to_owned()));
        is_free.then(|| Turn { refusals: self, digest: digest.to_owned() })
    }

    fn lock<R>(&self, work: impl FnOnce(&mut Known) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A time that lies ahead was taken from a clock that has gone back since: it says nothing.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at <= now && elapsed(at, now) < REFUSED_PROBE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_refusal_is_known_for_an_hour_or_until_the_credential_is_accepted() {
        let refusals = Refusals::default();
        refusals.note("a", at(1000), at(1000));
        refusals.note("a", at(900), at(1000));
        assert_eq!(refusals.last("a", at(4599)), Some(at(1000)));
        assert_eq!(refusals.last("b", at(1000)), None);
        assert_eq!(refusals.last("a", at(4600)), None);
        assert_eq!(refusals.last("a", at(999)), None, "the clock went back");
        assert!(refusals.forget("a") && !refusals.forget("a"));
        assert_eq!(refusals.last("a", at(1000)), None);
        refusals.note("c", at(1000), at(1000));
        refusals.note("d", at(8000), at(9000));
        refusals.note("e", at(7000), at(9000));
        assert_eq!(refusals.last("d", at(9000)), Some(at(8000)), "an older one of another takes nothing away");
        assert_eq!(refusals.0.lock().expect("unpoisoned").refused.len(), 2, "old ones are not kept");
    }

    #[test]
    fn a_refused_credential_is_tried_by_one_at_a_time() {
        let refusals = Refusals::default();
        let turn = refusals.turn("a").expect("the first");
        assert!(refusals.turn("a").is_none() && refusals.turn("b").is_some());
        drop(turn);
        assert!(refusals.turn("a").is_some());
    }
}

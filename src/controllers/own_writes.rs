//! Which changes of an object are this process's own writes of its status, and so no reason to look at it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The writes, by the uid of the object.
#[derive(Debug, Default)]
pub struct OwnWrites(Mutex<HashMap<String, Write>>);

/// The last write of an object.
#[derive(Debug)]
enum Write {
    /// Under way: the watch may bring it before its answer comes. These versions were seen meanwhile.
    UnderWay(Vec<String>),
    /// Done; the object then had this version.
    Done(String),
}

impl OwnWrites {
    /// A write begins.
    pub fn begin<'a>(&'a self, uid: &'a str) -> UnderWay<'a> {
        self.lock(|all| all.insert(uid.to_owned(), Write::UnderWay(Vec::new())));
        UnderWay { writes: self, uid }
    }

    /// Whether this version of an object is no reason to look at it: it is our own write, or it is told at the end of the one
    /// under way.
    pub fn explain(&self, uid: &str, version: &str) -> bool {
        self.lock(|all| match all.get_mut(uid) {
            Some(Write::UnderWay(seen)) => {
                seen.push(version.to_owned());
                true
            }
            Some(Write::Done(own)) => own == version,
            None => false,
        })
    }

    /// The object has gone.
    pub fn forget(&self, uid: &str) {
        self.lock(|all| all.remove(uid));
    }

    fn lock<R>(&self, work: impl FnOnce(&mut HashMap<String, Write>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A write under way. One that breaks off leaves nothing behind, or whatever happened to its object later would be hushed up.
#[must_use]
#[derive(Debug)]
pub struct UnderWay<'a> {
    writes: &'a OwnWrites,
    uid: &'a str,
}

impl UnderWay<'_> {
    /// The write has ended with that version, or without effect. Tells whether something else was seen meanwhile.
    #[must_use]
    pub fn end(self, version: Option<String>) -> bool {
        self.writes.lock(|all| {
            let seen = match all.remove(self.uid) {
                Some(Write::UnderWay(seen)) => seen,
                Some(Write::Done(_)) | None => Vec::new(),
            };
            let others = seen.iter().any(|seen| Some(seen) != version.as_ref());
            if let Some(version) = version {
                all.insert(self.uid.to_owned(), Write::Done(version));
            }
            others
        })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.writes.lock(|all| {
            if matches!(all.get(self.uid), Some(Write::UnderWay(_))) {
                all.remove(self.uid);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_write_is_known_whether_the_watch_or_the_answer_comes_first() {
        let writes = OwnWrites::default();
        assert!(!writes.explain("a", "1"), "nothing was written");
        let write = writes.begin("a");
        assert!(writes.explain("a", "2"));
        assert!(!write.end(Some("2".to_owned())), "it was our own");
        assert!(!writes.begin("a").end(Some("3".to_owned())));
        assert!(writes.explain("a", "3"));
        assert!(!writes.explain("a", "4"), "somebody else's");
    }

    #[test]
    fn what_others_write_meanwhile_is_told_at_the_end() {
        let writes = OwnWrites::default();
        let write = writes.begin("a");
        assert!(writes.explain("a", "5"));
        assert!(writes.explain("a", "6"));
        assert!(write.end(Some("5".to_owned())));
        let write = writes.begin("a");
        assert!(writes.explain("a", "7"));
        assert!(write.end(None), "our own was refused");
        assert!(!writes.explain("a", "5"), "nothing is known any more");
    }

    #[test]
    fn a_write_that_breaks_off_hushes_nothing_up() {
        let writes = OwnWrites::default();
        drop(writes.begin("a"));
        assert!(!writes.explain("a", "8"));
    }
}

//! Places for callers with several requests: a few for each identity at a time, and a line of those who want one.

use std::collections::VecDeque;
use std::fmt;

use super::budget::MAX_PARALLEL;

/// Most callers of one identity and priority that may be inside at a time: enough to keep its requests coming, and few enough
/// that one identity that must wait does not keep everybody else waiting.
pub(super) const MAX_CALLERS: usize = 2 * MAX_PARALLEL;

/// Who wants a place, and how he is called when one is free.
pub struct Caller {
    name: String,
    call: Box<dyn FnOnce() + Send>,
}

impl Caller {
    /// Somebody who has one place in the line, however often he asks. `call` should return at once.
    pub fn new(name: impl Into<String>, call: impl FnOnce() + Send + 'static) -> Self {
        Self { name: name.into(), call: Box::new(call) }
    }

    pub(super) fn call(self) {
        (self.call)();
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The places of one identity and priority.
#[derive(Debug, Default)]
pub(super) struct Places {
    inside: usize,
    line: VecDeque<Caller>,
}

impl Places {
    /// Lets the caller in, or puts him at the end of the line.
    pub(super) fn enter(&mut self, caller: Caller) -> bool {
        self.line.retain(|other| other.name != caller.name);
        let is_free = self.inside < MAX_CALLERS;
        if is_free {
            self.inside += 1;
        } else {
            self.line.push_back(caller);
        }
        is_free
    }

    /// Gives a place back; the next in line is to be called. He may find the place taken again, and stands in line again then.
    pub(super) fn leave(&mut self) -> Option<Caller> {
        self.inside = self.inside.saturating_sub(1);
        self.line.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Caller {
        Caller::new(name, || ())
    }

    #[test]
    fn who_finds_no_place_is_called_in_turn_and_once() {
        let mut places = Places::default();
        assert!((0..MAX_CALLERS).all(|number| places.enter(caller(&number.to_string()))));
        assert!(["a", "b", "a", "c"].iter().all(|name| !places.enter(caller(name))), "however often one asks");
        let called = |places: &mut Places| places.leave().map(|caller| caller.name);
        assert_eq!(called(&mut places).as_deref(), Some("b"), "who asks again goes to the end");
        assert!(places.enter(caller("a")), "there is room, and he is not called any more");
        assert_eq!(called(&mut places).as_deref(), Some("c"));
        assert_eq!(called(&mut places), None);
    }
}

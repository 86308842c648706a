//! Answers that many want: one question at a time for each key, and its answer for all who are content with it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::SharedClock;
use crate::domain::verdict::after;

/// An answer, and when its question began to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Answer<V> {
    /// By the machine's clock.
    pub began: Instant,
    /// By ours.
    pub at: Timestamp,
    /// What the answer was.
    pub value: V,
}

/// Who is content with which answer: one to a question that began after they asked, or not too long before.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    /// When they asked.
    pub asked: Instant,
    /// How old the answer may be at most; zero is no age at all.
    pub tolerance: Duration,
}

/// The turns of a key, and how the last one ended.
#[derive(Debug)]
struct Turn<V> {
    last: Arc<tokio::sync::Mutex<Option<Answer<V>>>>,
    used: Instant,
}

/// Answers by their key. One that nobody uses for some time is forgotten.
#[derive(Debug)]
pub struct Shared<K, V> {
    turns: Mutex<HashMap<K, Turn<V>>>,
    kept: Duration,
}

impl<K: Eq + Hash, V: Clone> Shared<K, V> {
    /// Answers that are kept for so long after their last use.
    pub fn new(kept: Duration) -> Self {
        Self { turns: Mutex::default(), kept }
    }

    /// Asks once no other asks the same, unless there is an answer by then that is young enough. A failure is nobody else's.
    pub async fn get<E>(
        &self,
        key: K,
        clock: &SharedClock,
        age: Age,
        ask: impl Future<Output = Result<V, E>>,
    ) -> Result<Answer<V>, E> {
        self.get_if(key, clock, age, |_| true, |_, value| value, ask).await
    }

    /// The same where a young answer must also fit, and each is made of the one before and of what was heard.
    pub async fn get_if<H, E>(
        &self,
        key: K,
        clock: &SharedClock,
        age: Age,
        fits: impl Fn(&V) -> bool,
        next: impl FnOnce(Option<&V>, H) -> V,
        ask: impl Future<Output = Result<H, E>>,
    ) -> Result<Answer<V>, E> {
        let turn = self.turn(key);
        let mut last = turn.lock().await;
        // An answer of the future is none: the clock was put back since.
        let now = clock.now();
        let is_within = |answer: &Answer<V>| answer.at <= now && after(answer.at, age.tolerance) > now;
        let is_young = |answer: &Answer<V>| answer.began > age.asked || is_within(answer);
        if let Some(answer) = last.as_ref().filter(|answer| is_young(answer) && fits(&answer.value)) {
            return Ok(answer.clone());
        }
        let (began, at) = (Instant::now(), clock.now());
        let heard = ask.await?;
        let answer = Answer { began, at, value: next(last.as_ref().map(|answer| &answer.value), heard) };
        *last = Some(answer.clone());
        Ok(answer)
    }

    /// Keeps an answer that came with another question, unless its own is being asked.
    pub fn put(&self, key: K, answer: Answer<V>) {
        if let Ok(mut last) = self.turn(key).try_lock() {
            *last = Some(answer);
        }
    }

    /// Forgets all answers, but not that somebody is asking.
    pub fn clear(&self) {
        let turns: Vec<_> = self.lock(|all| all.values().map(|turn| Arc::clone(&turn.last)).collect());
        for turn in turns {
            if let Ok(mut last) = turn.try_lock() {
                *last = None;
            }
        }
    }

    /// Forgets the answers to these keys. Who is asking keeps what he hears to himself and to those who wait for it.
    pub fn forget(&self, which: impl Fn(&K) -> bool) {
        self.lock(|all| all.retain(|key, _| !which(key)));
    }

    fn turn(&self, key: K) -> Arc<tokio::sync::Mutex<Option<Answer<V>>>> {
        let now = Instant::now();
        self.lock(|all| {
            all.retain(|_, turn| Arc::strong_count(&turn.last) > 1 || turn.used + self.kept > now);
            let turn = all.entry(key).or_insert_with(|| Turn { last: Arc::default(), used: now });
            turn.used = now;
            Arc::clone(&turn.last)
        })
    }

    fn lock<R>(&self, work: impl FnOnce(&mut HashMap<K, Turn<V>>) -> R) -> R {
        work(&mut self.turns.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::clock::SystemClock;

    const HOUR: Duration = Duration::from_hours(1);

    struct Asking {
        shared: Shared<u8, u64>,
        clock: SharedClock,
        count: AtomicU64,
    }

    impl Asking {
        fn new() -> Self {
            Self { shared: Shared::new(HOUR), clock: Arc::new(SystemClock), count: AtomicU64::new(0) }
        }

        /// The answer is how often anything was asked.
        async fn ask(&self, key: u8, tolerance: Duration) -> u64 {
            let age = Age { asked: Instant::now(), tolerance };
            let ask = async {
                let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(count)
            };
            self.shared.get(key, &self.clock, age, ask).await.expect("an answer").value
        }
    }

    #[tokio::test]
    async fn all_who_asked_meanwhile_share_the_next_answer() {
        let asking = Asking::new();
        assert_eq!(join_all((0..5).map(|_| asking.ask(1, Duration::ZERO))).await, [1, 2, 2, 2, 2]);
    }

    #[tokio::test]
    async fn who_is_content_with_an_old_answer_shares_the_one_under_way() {
        let asking = Asking::new();
        assert_eq!(join_all((0..5).map(|_| asking.ask(1, HOUR))).await, [1; 5]);
        assert_eq!(
            (asking.ask(2, HOUR).await, asking.ask(1, HOUR).await, asking.ask(1, Duration::ZERO).await),
            (2, 1, 3)
        );
    }

    #[tokio::test]
    async fn what_is_forgotten_is_asked_anew_and_what_is_put_is_not_asked() {
        let asking = Asking::new();
        assert_eq!((asking.ask(1, HOUR).await, asking.ask(2, HOUR).await), (1, 2));
        asking.shared.forget(|key| *key == 1);
        assert_eq!((asking.ask(1, HOUR).await, asking.ask(2, HOUR).await), (3, 2));
        asking.shared.put(4, Answer { began: Instant::now(), at: Timestamp::now(), value: 77 });
        assert_eq!(asking.ask(4, HOUR).await, 77);
    }

    #[tokio::test]
    async fn an_answer_of_the_future_counts_for_nobody() {
        let asking = Asking::new();
        let at = after(Timestamp::now(), HOUR);
        let began = Instant::now();
        asking.shared.put(1, Answer { began, at, value: 77 });
        assert_eq!((asking.ask(1, HOUR).await, asking.ask(1, HOUR).await), (1, 1));
    }

    #[tokio::test]
    async fn all_answers_are_forgotten_and_who_asks_is_still_alone() {
        let asking = Asking::new();
        assert_eq!(asking.ask(1, HOUR).await, 1);
        asking.shared.clear();
        assert_eq!(asking.ask(1, HOUR).await, 2);
        let turn = asking.shared.turn(1);
        let busy = turn.lock().await;
        asking.shared.clear();
        assert!(asking.shared.turn(1).try_lock().is_err(), "there is one turn for all");
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_uses_is_not_kept() {
        let asking = Asking::new();
        asking.ask(1, HOUR).await;
        tokio::time::advance(HOUR / 2).await;
        asking.ask(2, HOUR).await;
        tokio::time::advance(HOUR / 2 + Duration::from_secs(1)).await;
        asking.ask(3, HOUR).await;
        let mut kept: Vec<u8> = asking.shared.lock(|all| all.keys().copied().collect());
        kept.sort_unstable();
        assert_eq!(kept, [2, 3]);
    }
}

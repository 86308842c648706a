//! The request budget of an identity: how many requests at a time, and when (`ado-api.md` §4; one budget per
//! organization and identity, since the service limits identities).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::credential::Fingerprint;
use super::error::AdoError;
use super::model::IdentityId;
use super::organization::OrganizationUrl;
use super::pace::{Decision, PRIORITIES, Pace, Priority, RateHeaders};
use super::places::{Caller, Places};

/// Most requests of one identity at a time.
pub const MAX_PARALLEL: usize = 4;
/// Tells a caller when to come back whose turn did not come in time.
const CONGESTION_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct State {
    in_flight: usize,
    places: [Places; PRIORITIES],
    pace: Pace,
    waiting: [VecDeque<oneshot::Sender<Slot>>; PRIORITIES],
}

#[derive(Debug, Default)]
struct Budget {
    state: Mutex<State>,
    /// Told when the pace changed, so that those in line look again at how long they must wait.
    repaced: Notify,
}

/// The right to one request. Dropping it gives it to the next in line.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Budget>);

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(state);
        self.0.dispatch(Instant::now());
    }
}

/// A caller's place. Dropping it calls the next in line.
#[derive(Debug)]
pub struct Place {
    budget: Arc<Budget>,
    priority: Priority,
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = self.budget.lock().places[self.priority.rank()].leave();
        // After the lock is released: nobody knows what he does.
        if let Some(caller) = next {
            caller.call();
        }
    }
}

/// How long somebody waits for the right to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// When the turn must have come.
    pub deadline: Instant,
    /// Longest pause asked for by the service that is waited for.
    pub pause: Duration,
}

impl Patience {
    fn outlasts(&self, until: Instant) -> bool {
        until < self.deadline && until.saturating_duration_since(Instant::now()) <= self.pause
    }
}

impl Budget {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and the state is plain data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands free slots to those in line: by priority, then by arrival.
    fn dispatch(self: &Arc<Self>, now: Instant) {
        // A slot whose receiver went away meanwhile is dropped here, after the lock is released, and dispatches again.
        while let Some((sender, slot)) = self.next_grant(now) {
            drop(sender.send(slot));
        }
    }

    fn next_grant(self: &Arc<Self>, now: Instant) -> Option<(oneshot::Sender<Slot>, Slot)> {
        let mut state = self.lock();
        if state.in_flight >= MAX_PARALLEL {
            return None;
        }
        for priority in [Priority::User, Priority::Webhook, Priority::Incremental, Priority::Full] {
            let pace = state.pace;
            let queue = &mut state.waiting[priority.rank()];
            queue.retain(|sender| !sender.is_closed());
            if pace.decide(priority, now) != Decision::Go {
                continue;
            }
            if let Some(sender) = queue.pop_front() {
                state.in_flight += 1;
                return Some((sender, Slot(Arc::clone(self))));
            }
        }
        None
    }

    fn enqueue(self: &Arc<Self>, priority: Priority) -> oneshot::Receiver<Slot> {
        let (sender, receiver) = oneshot::channel();
        self.lock().waiting[priority.rank()].push_back(sender);
        self.dispatch(Instant::now());
        receiver
    }

    /// Waits for a slot; a pause that outlasts the caller's patience is told at once.
    async fn acquire(self: &Arc<Self>, priority: Priority, patience: Patience) -> Result<Slot, AdoError> {
        let deadline = patience.deadline;
        let mut receiver = self.enqueue(priority);
        loop {
            // Made before the pace is read, so that no change between the two is missed.
            let repaced = self.repaced.notified();
            let wake = match self.decide(priority) {
                Decision::WaitUntil(until) if !patience.outlasts(until) => return Err(throttled(until)),
                Decision::WaitUntil(until) => until,
                Decision::Go => deadline,
            };
            tokio::select! {
                biased;
                granted = &mut receiver => return granted.map_err(|_| AdoError::Throttled { after: CONGESTION_PAUSE }),
                () = repaced => {}
                () = tokio::time::sleep_until(wake) => {
                    let now = Instant::now();
                    if now >= deadline {
                        return Err(AdoError::Throttled { after: CONGESTION_PAUSE });
                    }
                    self.dispatch(now);
                }
            }
        }
    }

    fn decide(&self, priority: Priority) -> Decision {
        let pace = self.lock().pace;
        pace.decide(priority, Instant::now())
    }

    fn observe(self: &Arc<Self>, headers: RateHeaders) {
        let now = Instant::now();
        self.lock().pace.observe(headers, now);
        self.repaced.notify_waiters();
        self.dispatch(now);
    }
}

fn throttled(until: Instant) -> AdoError {
    AdoError::Throttled { after: until - Instant::now() }
}

#[derive(Debug, Default)]
struct Registry {
    credentials: HashMap<(String, Fingerprint), Weak<Shared>>,
    identities: HashMap<(String, IdentityId), Weak<Budget>>,
}

impl Registry {
    fn drop_unused(&mut self) {
        self.identities.retain(|_, budget| budget.strong_count() > 0);
    }
}

/// All budgets of the process.
#[derive(Debug, Clone, Default)]
pub struct Budgets(Arc<Mutex<Registry>>);

impl Budgets {
    /// No budgets yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The budget of a credential in an organization, shared by all who use that credential there. Once its identity is
    /// known ([`BudgetHandle::identify`]) it is joined with those of the identity's other credentials.
    #[must_use]
    pub fn of_credential(&self, organization: &OrganizationUrl, credential: &Fingerprint) -> BudgetHandle {
        let key = (organization.key(), credential.clone());
        let mut registry = lock(&self.0);
        if let Some(shared) = registry.credentials.get(&key).and_then(Weak::upgrade) {
            return BudgetHandle(shared);
        }
        let shared = Arc::new(Shared { budgets: self.clone(), key: key.clone(), current: Mutex::default() });
        registry.credentials.insert(key, Arc::downgrade(&shared));
        BudgetHandle(shared)
    }

    /// How many budgets are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        let registry = lock(&self.0);
        registry.credentials.len().max(registry.identities.len())
    }

    /// Whether no budget is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A credential's way to the budget that it currently draws on.
#[derive(Debug)]
struct Shared {
    budgets: Budgets,
    key: (String, Fingerprint),
    current: Mutex<(Option<IdentityId>, Arc<Budget>)>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut registry = lock(&self.budgets.0);
        if registry.credentials.get(&self.key).is_some_and(|weak| weak.strong_count() == 0) {
            registry.credentials.remove(&self.key);
        }
        *lock(&self.current) = Default::default();
        registry.drop_unused();
    }
}

/// A share in a budget. Clones draw on the same one.
#[derive(Debug, Clone)]
pub struct BudgetHandle(Arc<Shared>);

impl BudgetHandle {
    /// Tells whose budget this is: from now on it is one with that of the identity's other credentials in the
    /// organization, and the stricter of both paces holds. Requests that are under way or in line finish on the old
    /// one.
    pub fn identify(&self, identity: &IdentityId) {
        let key = (self.0.key.0.clone(), *identity);
        let mut registry = lock(&self.0.budgets.0);
        let mut current = lock(&self.0.current);
        if current.0.as_ref() == Some(identity) {
            return;
        }
        if current.0.replace(*identity).is_some() {
            // The token now belongs to somebody else: the former identity's pace says nothing about this one.
            current.1 = Arc::default();
        }
        if let Some(common) = registry.identities.get(&key).and_then(Weak::upgrade) {
            let pace = current.1.lock().pace;
            common.lock().pace.join(pace);
            common.repaced.notify_waiters();
            current.1 = common;
        } else {
            registry.identities.insert(key, Arc::downgrade(&current.1));
        }
        registry.drop_unused();
    }

    /// A place for a caller with several requests, which may be long in coming; none if too many are inside. Whoever gets
    /// none is called when he should try again, and lets others work meanwhile.
    #[must_use]
    pub fn enter(&self, priority: Priority, caller: Caller) -> Option<Place> {
        let budget = Arc::clone(&lock(&self.0.current).1);
        let is_free = budget.lock().places[priority.rank()].enter(caller);
        // Not made where it is not given: dropping it would free somebody else's.
        is_free.then(|| Place { budget, priority })
    }

    /// Waits for the right to send one request.
    pub(crate) async fn acquire(&self, priority: Priority, patience: Patience) -> Result<Slot, AdoError> {
        let budget = Arc::clone(&lock(&self.0.current).1);
        budget.acquire(priority, patience).await
    }

    /// Takes note of what an answer says about the limits.
    pub(crate) fn observe(&self, headers: RateHeaders) {
        let budget = Arc::clone(&lock(&self.0.current).1);
        budget.observe(headers);
    }
}

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinHandle;
use tokio::time::{advance, sleep};

use super::super::credential::Pat;
use super::super::pace::Quota;
use super::super::places::MAX_CALLERS;
use super::*;

const FAR: Duration = Duration::from_hours(10);

fn organization(name: &str) -> OrganizationUrl {
    OrganizationUrl::parse(&format!("https://dev.azure.com/{name}")).expect("valid")
}

fn handle(budgets: &Budgets, token: &str) -> BudgetHandle {
    let pat = Pat::from_bytes(token.as_bytes()).expect("valid");
    budgets.of_credential(&organization("contoso"), &pat.fingerprint())
}

fn identity(number: u128) -> IdentityId {
    IdentityId(uuid::Uuid::from_u128(number))
}

fn quota(remaining: f64, reset: u64) -> RateHeaders {
    let quota = Quota { limit: 200.0, remaining, reset: Duration::from_secs(reset) };
    RateHeaders { retry_after: None, quota: Some(quota) }
}

fn hold(seconds: u64) -> RateHeaders {
    RateHeaders { retry_after: Some(Duration::from_secs(seconds)), quota: None }
}

fn within(deadline: Duration) -> Patience {
    Patience { deadline: Instant::now() + deadline, pause: FAR }
}

async fn slot(handle: &BudgetHandle, priority: Priority) -> Slot {
    handle.acquire(priority, within(FAR)).await.expect("a slot")
}

/// Seconds until a request of that priority may be sent.
async fn wait(handle: &BudgetHandle, priority: Priority) -> u64 {
    let start = Instant::now();
    drop(slot(handle, priority).await);
    start.elapsed().as_secs()
}

/// A task that waits for its turn, notes its name, and keeps the slot for a second.
async fn queue(
    handle: &BudgetHandle,
    priority: Priority,
    name: &'static str,
    order: &Arc<Mutex<Vec<&'static str>>>,
) -> JoinHandle<()> {
    let (handle, order) = (handle.clone(), Arc::clone(order));
    let task = tokio::spawn(async move {
        let slot = slot(&handle, priority).await;
        lock(&order).push(name);
        sleep(Duration::from_secs(1)).await;
        drop(slot);
    });
    tokio::task::yield_now().await;
    task
}

#[tokio::test(start_paused = true)]
async fn at_most_four_requests_of_a_budget_are_under_way() {
    let handle = handle(&Budgets::new(), "token");
    let mut slots = Vec::new();
    for _ in 0..MAX_PARALLEL {
        slots.push(slot(&handle, Priority::Full).await);
    }
    let waiting = handle.acquire(Priority::User, within(Duration::from_secs(10))).await;
    assert_eq!(waiting.expect_err("all taken"), AdoError::Throttled { after: CONGESTION_PAUSE });
    drop(slots.pop());
    assert_eq!(wait(&handle, Priority::Full).await, 0);
}

#[tokio::test(start_paused = true)]
async fn slots_go_by_priority_and_then_by_arrival() {
    let handle = handle(&Budgets::new(), "token");
    let order = Arc::default();
    let mut held = Vec::new();
    for _ in 0..MAX_PARALLEL {
        held.push(slot(&handle, Priority::Full).await);
    }
    let mut tasks = Vec::new();
    for (priority, name) in [
        (Priority::Full, "full 1"),
        (Priority::Incremental, "incremental"),
        (Priority::Full, "full 2"),
        (Priority::Webhook, "webhook"),
        (Priority::User, "user 1"),
        (Priority::User, "user 2"),
    ] {
        tasks.push(queue(&handle, priority, name, &order).await);
    }
    // One slot is left to pass from hand to hand.
    drop(held.pop());
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(*lock(&order), ["user 1", "user 2", "webhook", "incremental", "full 1", "full 2"]);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_neither_takes_a_slot_nor_loses_one() {
    let handle = handle(&Budgets::new(), "token");
    let mut held = Vec::new();
    for _ in 0..MAX_PARALLEL {
        held.push(slot(&handle, Priority::User).await);
    }
    let order = Arc::default();
    let gone = queue(&handle, Priority::User, "gone", &order).await;
    let stays = queue(&handle, Priority::Full, "stays", &order).await;
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    drop(held.pop());
    stays.await.expect("no panic");
    assert_eq!(*lock(&order), ["stays"]);
    // A slot that was granted to somebody who left before taking it comes back as well.
    let granted = lock(&handle.0.current).1.enqueue(Priority::User);
    drop(granted);
    drop(held);
    for _ in 0..MAX_PARALLEL {
        assert_eq!(wait(&handle, Priority::Full).await, 0);
    }
    assert_eq!(lock(&handle.0.current).1.lock().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn pauses_end_by_themselves_and_by_better_news() {
    let handle = handle(&Budgets::new(), "token");
    handle.observe(hold(30));
    assert_eq!(wait(&handle, Priority::User).await, 30);
    handle.observe(quota(100.0, 45));
    assert_eq!(wait(&handle, Priority::User).await, 0);
    assert_eq!(wait(&handle, Priority::Full).await, 45);
    handle.observe(quota(10.0, 1000));
    let order = Arc::default();
    let task = queue(&handle, Priority::Full, "full", &order).await;
    advance(Duration::from_secs(5)).await;
    assert!(lock(&order).is_empty());
    let news = Instant::now();
    handle.observe(quota(190.0, 1000));
    task.await.expect("no panic");
    assert_eq!(news.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_begins_while_somebody_waits_in_line_ends_for_them_too() {
    let handle = handle(&Budgets::new(), "token");
    let mut held = Vec::new();
    for _ in 0..MAX_PARALLEL {
        held.push(slot(&handle, Priority::User).await);
    }
    let order = Arc::default();
    let task = queue(&handle, Priority::Full, "full", &order).await;
    handle.observe(hold(20));
    drop(held);
    let start = Instant::now();
    task.await.expect("no panic");
    assert_eq!(start.elapsed().as_secs(), 20 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_another_credential_brings_along_ends_for_those_in_line_too() {
    let budgets = Budgets::new();
    let (one, two) = (handle(&budgets, "one"), handle(&budgets, "two"));
    one.identify(&identity(1));
    let mut held = Vec::new();
    for _ in 0..MAX_PARALLEL {
        held.push(slot(&one, Priority::User).await);
    }
    let order = Arc::default();
    let task = queue(&one, Priority::Full, "full", &order).await;
    two.observe(hold(20));
    two.identify(&identity(1));
    drop(held);
    let start = Instant::now();
    task.await.expect("no panic");
    assert_eq!(start.elapsed().as_secs(), 20 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_the_deadline_is_told_at_once() {
    let handle = handle(&Budgets::new(), "token");
    handle.observe(hold(300));
    let start = Instant::now();
    let refused = handle.acquire(Priority::User, within(Duration::from_mins(2))).await;
    assert_eq!(refused.expect_err("too long"), AdoError::Throttled { after: Duration::from_mins(5) });
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_the_patience_is_told_at_once_and_a_shorter_one_is_waited_for() {
    let handle = handle(&Budgets::new(), "token");
    let patience = || Patience { pause: Duration::from_secs(5), ..within(FAR) };
    handle.observe(hold(6));
    let start = Instant::now();
    let refused = handle.acquire(Priority::User, patience()).await;
    assert_eq!(refused.expect_err("too long"), AdoError::Throttled { after: Duration::from_secs(6) });
    assert_eq!(start.elapsed(), Duration::ZERO);
    advance(Duration::from_secs(2)).await;
    drop(handle.acquire(Priority::User, patience()).await.expect("a slot"));
    assert_eq!(start.elapsed().as_secs(), 6);
    // Who is in line when a long pause begins need not stay there.
    let mut held = Vec::new();
    for _ in 0..MAX_PARALLEL {
        held.push(slot(&handle, Priority::User).await);
    }
    let waiting = handle.acquire(Priority::User, patience());
    let (told, ()) = tokio::join!(waiting, async { handle.observe(hold(60)) });
    assert_eq!(told.expect_err("too long"), AdoError::Throttled { after: Duration::from_mins(1) });
}

#[tokio::test]
async fn callers_of_one_identity_leave_room_for_others() {
    let budgets = Budgets::new();
    let (one, two) = (handle(&budgets, "one"), handle(&budgets, "two"));
    let calls = Arc::new(AtomicUsize::new(0));
    let caller = |name: usize| {
        let calls = Arc::clone(&calls);
        Caller::new(name.to_string(), move || {
            calls.fetch_add(1, Ordering::SeqCst);
        })
    };
    let mut names = 0..;
    let mut enter = |handle: &BudgetHandle| handle.enter(Priority::User, caller(names.next().expect("endless")));
    let mut places: Vec<Place> = (0..MAX_CALLERS).map(|_| enter(&one).expect("a place")).collect();
    assert!((0..3).all(|_| enter(&one).is_none()), "however many ask");
    let full = one.enter(Priority::Full, caller(1000));
    assert!(full.is_some(), "long reads and short checks do not hold each other up");
    assert!(enter(&two).is_some(), "another identity is not held up");
    places.pop();
    assert_eq!(calls.load(Ordering::SeqCst), 1, "the next in line is called, and nobody else");
    assert!(enter(&one).is_some(), "a place that was left is free again");
}

#[tokio::test(start_paused = true)]
async fn credentials_of_one_identity_share_a_budget_once_that_is_known() {
    let budgets = Budgets::new();
    let (one, two) = (handle(&budgets, "one"), handle(&budgets, "two"));
    one.identify(&identity(1));
    one.observe(hold(60));
    assert_eq!(wait(&two, Priority::User).await, 0);
    two.observe(hold(90));
    two.identify(&identity(1));
    let other = handle(&budgets, "three");
    other.identify(&identity(2));
    assert_eq!(wait(&other, Priority::User).await, 0);
    // The longer of both pauses holds for both.
    assert_eq!(wait(&one, Priority::User).await, 90);
    one.observe(hold(10));
    assert_eq!(wait(&two, Priority::User).await, 10);
    let elsewhere =
        budgets.of_credential(&organization("fabrikam"), &Pat::from_bytes(b"one").expect("valid").fingerprint());
    one.observe(hold(10));
    assert_eq!(wait(&elsewhere, Priority::User).await, 0);
}

#[tokio::test]
async fn budgets_go_with_their_last_user() {
    let budgets = Budgets::new();
    let (one, two) = (handle(&budgets, "one"), handle(&budgets, "two"));
    one.identify(&identity(1));
    two.identify(&identity(1));
    one.identify(&identity(1));
    assert_eq!(budgets.len(), 2);
    let again = handle(&budgets, "one");
    drop(one);
    assert_eq!(budgets.len(), 2);
    drop((again, two));
    assert!(budgets.is_empty());
}

#[tokio::test]
async fn many_waiters_all_get_their_turn_and_never_more_than_four_at_once() {
    let handle = handle(&Budgets::new(), "token");
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..400)
        .map(|number| {
            let (handle, now, most) = (handle.clone(), Arc::clone(&now), Arc::clone(&most));
            let priority =
                [Priority::User, Priority::Webhook, Priority::Incremental, Priority::Full][number % PRIORITIES];
            tokio::spawn(async move {
                let slot = slot(&handle, priority).await;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                drop(slot);
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(most.load(Ordering::SeqCst), MAX_PARALLEL);
    assert_eq!(lock(&handle.0.current).1.lock().in_flight, 0);
}

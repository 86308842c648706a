//! The budget as the wire shows it.

use ado_operator::ado::{AdoClient, Budgets, Limits, MAX_PARALLEL, Priority, Transport};
use ado_simulator::{Effect, Fault, RateLimit};

use crate::support::{World, limits};

fn sharing(world: &World, budgets: &Budgets, label: &str) -> AdoClient {
    let http = Transport::new(world.config()).http(Some(&world.ca()), None).expect("a client");
    let pat = world.pat(label);
    let budget = budgets.of_credential(&world.organization(), &pat.fingerprint());
    AdoClient::new(http, world.organization(), pat, budget, limits()).expect("permitted")
}

#[tokio::test]
async fn without_headers_four_requests_run_at_once_and_none_is_paced() {
    let world = World::new().await;
    let client = world.client("full");
    world
        .simulator
        .add_fault(Fault::on_path("*/_apis/projects", Effect::Delay { milliseconds: 60_000, retry_after: None }));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.projects().await })
        })
        .collect();
    let struck = || world.simulator.faults().iter().map(|fault| fault.struck).sum::<u64>();
    while struck() < MAX_PARALLEL as u64 {
        tokio::task::yield_now().await;
    }
    // A request of somebody else gets its answer in the meantime: the limit is the identity's.
    let other = world.client("reader");
    other.connection_data().await.expect("not held up");
    assert_eq!(struck(), MAX_PARALLEL as u64);
    for task in tasks {
        task.abort();
    }
}

#[tokio::test]
async fn background_work_pauses_before_users_do() {
    let world = World::new().await;
    let limit = |remaining| RateLimit { limit: 200, remaining, cost: 0, reset_seconds: 600 };
    for (remaining, user, background) in [(190, true, true), (120, true, false), (40, false, false)] {
        world.simulator.set_rate_limit(None, Some(limit(remaining))).expect("set");
        let client = world.client("full");
        client.connection_data().await.expect("the first answer tells the limit");
        for (priority, goes) in [
            (Priority::User, user),
            (Priority::Webhook, user),
            (Priority::Incremental, background),
            (Priority::Full, background),
        ] {
            let result = client.with_priority(priority).connection_data().await;
            let reason = result.as_ref().err().map(ado_operator::ado::AdoError::reason);
            assert_eq!(reason, if goes { None } else { Some("Throttled") }, "{remaining} {priority:?}");
        }
    }
}

#[tokio::test]
async fn two_tokens_of_one_identity_are_held_together() {
    let world = World::new().await;
    let budgets = Budgets::new();
    let (full, operator, reader) =
        (sharing(&world, &budgets, "full"), sharing(&world, &budgets, "operator"), sharing(&world, &budgets, "reader"));
    for client in [&full, &operator, &reader] {
        client.connection_data().await.expect("an identity");
    }
    let held = Fault::on_path("*/_apis/projects", Effect::TooManyRequests { retry_after: 300 }).times(1);
    world.simulator.add_fault(held);
    assert_eq!(full.projects().await.expect_err("held").reason(), "Throttled");
    assert_eq!(operator.projects().await.expect_err("held too").reason(), "Throttled");
    reader.projects().await.expect("somebody else");
    drop((full, operator, reader));
    assert!(budgets.is_empty());
}

#[tokio::test]
async fn an_exhausted_limit_ends_in_a_429_that_names_the_pause() {
    let world = World::new().await;
    let limit = RateLimit { limit: 10, remaining: 0, cost: 1, reset_seconds: 120 };
    world.simulator.set_rate_limit(None, Some(limit)).expect("set");
    let client = world.client_with("full", Limits { patience: std::time::Duration::ZERO, ..limits() });
    let error = client.connection_data().await.expect_err("exhausted");
    assert_eq!(error.reason(), "Throttled");
}

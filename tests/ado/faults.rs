//! Every fault has its own meaning.

use std::time::Duration;

use ado_operator::ado::{AdoError, Defect, ErrorClass, Limits, Outage, SignIn};
use ado_simulator::{Effect, Fault};

use crate::support::{World, limits};

const PROJECTS: &str = "*/_apis/projects";

/// What `projects()` gives under a fault, and how many requests it took.
async fn projects_under(world: &World, effect: Effect, limits: Limits) -> (AdoError, u64) {
    let client = world.client_with("full", limits);
    let (result, sent) = world.during(Fault::on_path(PROJECTS, effect), client.projects()).await;
    (result.expect_err("an error"), sent)
}

fn status(code: u16) -> Effect {
    Effect::Status { code, retry_after: None }
}

fn answer(status: u16, content_type: &str, body: &str) -> Effect {
    Effect::Answer { status, content_type: Some(content_type.to_owned()), body: body.to_owned() }
}

#[tokio::test]
async fn a_refused_token_is_recognised_in_every_form() {
    let world = World::new().await;
    for (effect, form) in [
        (Effect::SignInPage, SignIn::Page),
        (Effect::Redirect, SignIn::Redirect),
        (Effect::HtmlOk, SignIn::Html),
        (status(401), SignIn::Unauthorized),
        (answer(401, "application/json", "{\"count\":0,\"value\":[]}"), SignIn::Unauthorized),
        (answer(203, "application/json", "{\"count\":0,\"value\":[]}"), SignIn::Page),
    ] {
        let (error, sent) = projects_under(&world, effect.clone(), limits()).await;
        assert_eq!(error, AdoError::Unauthorized { area: "projects", how: form }, "{effect:?}");
        assert_eq!(sent, 2, "a refusal is asked about once more: {effect:?}");
        let client = world.client("full");
        let (result, _) = world.during(Fault::on_path("*/connectionData", effect), client.connection_data()).await;
        assert_eq!(result.expect_err("refused"), AdoError::CredentialRefused(form));
    }
}

#[tokio::test]
async fn a_refusal_that_was_a_slip_is_not_noticed_whatever_the_call() {
    let world = World::new().await;
    let client = world.client("full");
    let project = crate::support::project(&client, "Payments").await;
    for effect in [Effect::SignInPage, Effect::Redirect, Effect::HtmlOk, status(401)] {
        world.simulator.add_fault(Fault::on_path(PROJECTS, effect.clone()).times(1));
        assert!(!client.projects().await.expect("the second time").is_empty(), "{effect:?}");
        let patch = ado_operator::ado::model::Patch::new().field("System.Title", "x");
        world.simulator.add_fault(Fault::on_path("*/workitems/*", effect.clone()).times(1));
        client.validate_create(&project, "Bug", &patch).await.expect("the second time");
    }
}

#[tokio::test]
async fn refusals_are_verdicts_and_are_not_repeated() {
    let world = World::new().await;
    for (code, reason) in [
        (400, "BadRequest"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (412, "Conflict"),
        (413, "BadRequest"),
    ] {
        let (error, sent) = projects_under(&world, status(code), limits()).await;
        assert_eq!((error.reason(), error.class(), sent), (reason, ErrorClass::Verdict, 1), "{code}: {error}");
        assert_eq!(error.service_message().map(|message| message.status), Some(code));
    }
    let (error, _) = projects_under(&world, answer(404, "text/plain", "The controller was not found"), limits()).await;
    assert_eq!(error.service_message().map(|message| message.message.as_str()), Some("The controller was not found"));
}

#[tokio::test]
async fn outages_give_no_verdict_and_reads_are_tried_three_times() {
    let world = World::new().await;
    for (effect, outage) in [
        (status(500), Outage::Status(500)),
        (status(502), Outage::Status(502)),
        (status(503), Outage::Status(503)),
        (status(504), Outage::Status(504)),
        (answer(503, "text/html", "<html>down</html>"), Outage::Status(503)),
        (Effect::CutBody { after_bytes: 10 }, Outage::Cut),
        (Effect::Reset, Outage::Cut),
        (Effect::LoseReply, Outage::Cut),
    ] {
        let (error, sent) = projects_under(&world, effect.clone(), limits()).await;
        let AdoError::Unavailable { outage: seen, .. } = &error else { panic!("{effect:?}: {error}") };
        assert_eq!((*seen, error.class(), sent), (outage, ErrorClass::NoVerdict, 3), "{effect:?}");
    }
}

/// A service under load delays answers by up to 30 s, and gives them all the same (`ado-api.md` §4): what waits less takes them
/// for outages and asks again.
#[tokio::test]
async fn every_limit_of_time_is_far_beyond_the_longest_delay_of_a_good_answer() {
    const LONGEST_DELAY: Duration = Duration::from_secs(30);
    let Limits { deadline, idle, streaming, .. } = Limits::default();
    assert!(deadline >= Duration::from_secs(100));
    for limit in [deadline, idle, streaming] {
        assert!(limit >= 2 * LONGEST_DELAY, "{limit:?}");
    }
}

#[tokio::test]
async fn an_outage_that_passes_is_not_noticed_by_a_read() {
    let world = World::new().await;
    for effect in [status(503), Effect::CutBody { after_bytes: 3 }, Effect::Reset] {
        let client = world.client("full");
        world.simulator.add_fault(Fault::on_path(PROJECTS, effect).times(2));
        assert!(!client.projects().await.expect("the third try").is_empty());
    }
}

#[tokio::test]
async fn what_is_not_a_read_is_never_repeated() {
    let world = World::new().await;
    let client = world.client("full");
    let project = crate::support::project(&client, "Payments").await;
    let patch = ado_operator::ado::model::Patch::new().field("System.Title", "x");
    let step = client.validate_create(&project, "Bug", &patch);
    let (result, sent) = world.during(Fault::always(status(503)), step).await;
    assert_eq!((result.expect_err("an outage").reason(), sent), ("Unavailable", 1));
}

#[tokio::test]
async fn answers_that_are_not_the_services_give_no_verdict() {
    let world = World::new().await;
    for (effect, defect) in [
        (Effect::MalformedJson, Defect::NotJson),
        (Effect::WrongShape, Defect::Shape),
        (Effect::EmptyOk, Defect::Empty),
        (answer(200, "application/json", "\u{feff}not json"), Defect::NotJson),
        (answer(200, "text/plain", "hello"), Defect::NotJson),
        (
            answer(200, "application/json", "{\"value\":[{\"id\":\"no GUID\",\"name\":\"x\",\"state\":\"new\"}]}"),
            Defect::Shape,
        ),
        (answer(200, "application/json", "{\"value\":null}"), Defect::Shape),
        (answer(301, "text/plain", ""), Defect::Redirect),
        (Effect::ForeignPage, Defect::ForeignPage),
    ] {
        let (error, sent) = projects_under(&world, effect.clone(), limits()).await;
        let AdoError::Malformed { defect: seen, .. } = &error else { panic!("{effect:?}: {error}") };
        assert_eq!((*seen, error.class(), sent), (defect, ErrorClass::NoVerdict, 1), "{effect:?}");
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_not_read_to_its_end() {
    let world = World::new().await;
    let (error, _) = projects_under(&world, Effect::Oversized { bytes: 64 << 20 }, limits()).await;
    assert_eq!((error.reason(), error.class()), ("TooLarge", ErrorClass::NoVerdict));
    let small = Limits { max_answer: 100, ..limits() };
    let client = world.client_with("full", small);
    assert_eq!(client.projects().await.expect_err("over 100 bytes").reason(), "TooLarge");
}

#[tokio::test]
async fn a_body_that_never_ends_meets_the_deadline() {
    let world = World::new().await;
    let short = Limits { deadline: Duration::from_millis(300), ..limits() };
    for effect in
        [Effect::SlowBody { interval_milliseconds: 20 }, Effect::Delay { milliseconds: 60_000, retry_after: None }]
    {
        let (error, _) = projects_under(&world, effect, short.clone()).await;
        assert_eq!((error.reason(), error.class()), ("Deadline", ErrorClass::NoVerdict));
    }
}

#[tokio::test]
async fn a_delayed_200_is_a_success_and_its_retry_after_holds_the_next_request() {
    let world = World::new().await;
    let client = world.client("full");
    let delay = Effect::Delay { milliseconds: 200, retry_after: Some(600) };
    let (result, sent) = world.during(Fault::on_path(PROJECTS, delay), client.projects()).await;
    assert!(!result.expect("a success").is_empty());
    assert_eq!(sent, 1);
    let before = world.simulator.last_request();
    let AdoError::Throttled { after } = client.projects().await.expect_err("held") else { panic!("throttled") };
    assert!(after > Duration::from_secs(500) && after <= Duration::from_mins(10), "{after:?}");
    assert!(world.simulator.requests_since(before).is_empty());
}

#[tokio::test]
async fn a_429_holds_everybody_of_the_budget_and_a_short_one_is_waited_for() {
    let world = World::new().await;
    let client = world.client("full");
    let refused = Fault::on_path(PROJECTS, Effect::TooManyRequests { retry_after: 120 });
    let (result, sent) = world.during(refused, client.projects()).await;
    let error = result.expect_err("throttled");
    assert_eq!((error.reason(), error.class(), sent), ("Throttled", ErrorClass::Throttled, 1));
    let before = world.simulator.last_request();
    assert_eq!(client.connection_data().await.expect_err("held").reason(), "Throttled");
    assert!(world.simulator.requests_since(before).is_empty());

    let client = world.client("full");
    world.simulator.add_fault(Fault::on_path(PROJECTS, Effect::TooManyRequests { retry_after: 1 }).times(1));
    let start = std::time::Instant::now();
    assert!(!client.projects().await.expect("after the pause").is_empty());
    assert!(start.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn a_stopped_organization_is_told_from_an_outage() {
    let world = World::new().await;
    world.simulator.set_stopped("contoso", true).expect("known");
    let error = world.client("full").connection_data().await.expect_err("stopped");
    assert_eq!((error.reason(), error.class()), ("OrganizationStopped", ErrorClass::NoVerdict));
    assert_eq!(error.service_message().and_then(|message| message.code.as_deref()), Some("TF24668"));
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_the_request() {
    let world = World::new().await;
    let client = world.client("full");
    world
        .simulator
        .add_fault(Fault::on_path(PROJECTS, Effect::Delay { milliseconds: 60_000, retry_after: None }).times(1));
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.projects().await }
    });
    // The fault has struck once the request is at the server.
    while world.simulator.faults().iter().all(|fault| fault.struck == 0) {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert_eq!(world.records.all().last().map(|record| record.outcome), Some("Cancelled"));
    assert!(!client.projects().await.expect("the slot is free again").is_empty());
}

#[tokio::test]
async fn a_field_that_a_type_lacks_is_told_in_several_ways_and_other_refusals_are_not_taken_for_it() {
    let world = World::new().await;
    let client = world.client("full");
    let project = crate::support::project(&client, "Payments").await;
    let ask = || client.type_field(&project, "Bug", "Microsoft.VSTS.Common.Severity");
    let under = async |effect: Effect| world.during(Fault::on_path("*/fields/*", effect), ask()).await.0;
    let unknown = "{\"message\":\"TF51535: Cannot find field.\",\"typeKey\":\"X\"}";
    for effect in [
        status(404),
        Effect::EmptyOk,
        answer(204, "application/json", ""),
        answer(200, "application/json", "null"),
        answer(400, "application/json", unknown),
    ] {
        assert_eq!(under(effect.clone()).await, Ok(None), "{effect:?}");
    }
    for (effect, reason) in [(status(400), "BadRequest"), (status(403), "Forbidden"), (Effect::WrongShape, "Malformed")]
    {
        assert_eq!(under(effect.clone()).await.expect_err("an error").reason(), reason, "{effect:?}");
    }
}

//! What goes wrong on the way is no verdict.

use std::time::Duration;

use ado_operator::ado::{AdoError, ErrorClass};
use ado_operator::sync::probe::probe;
use ado_simulator::{Effect, Fault};

use crate::bench::{Bench, letters};

/// Where a request is struck, and the features that then have no verdict.
const PLACES: [(&str, &str, &str); 10] = [
    ("GET", "*/_apis/projects/{projectId}", "UUUUUUT"),
    ("GET", "*/teams/{teamId}", "UUUUUUT"),
    ("POST", "*/wit/wiql", "UUTTTUT"),
    ("GET", "*/wit/workitemtypecategories", "UUTTTUT"),
    ("POST", "*/wit/workitems/*", "TTUTTTT"),
    ("GET", "*/testplan/plans", "TTTUUTT"),
    ("POST", "*/test/points", "TTTUUTT"),
    ("GET", "*/_odata/*", "TTTTTTT"),
    ("GET", "*/hooks/publishers/*", "TTTTTTU"),
    ("POST", "*/permissionevaluationbatch", "TTTTTTU"),
];

fn outages() -> Vec<Effect> {
    vec![
        Effect::Status { code: 500, retry_after: None },
        Effect::Status { code: 503, retry_after: None },
        Effect::Reset,
        Effect::CutBody { after_bytes: 10 },
        Effect::MalformedJson,
        Effect::EmptyOk,
        Effect::Status { code: 403, retry_after: None },
        Effect::Status { code: 404, retry_after: None },
    ]
}

#[tokio::test]
async fn each_outage_on_each_question_is_unknown_for_the_features_that_need_its_answer() {
    let bench = Bench::start().await;
    for (method, route, expected) in PLACES {
        for effect in outages() {
            let not_found_is_an_answer =
                matches!(effect, Effect::Status { code: 404, .. }) && route.ends_with("/points");
            let expected = if not_found_is_an_answer { "TTTTTTT" } else { expected };
            let fault = Fault::on_route(route, effect.clone()).method(method);
            bench.simulator.add_fault(fault);
            let report = bench.probe("full").await;
            assert_eq!(letters(&report), expected, "{route} {effect:?}: {:#?}", report.findings);
            assert!(bench.simulator.faults()[0].struck > 0, "{route} was asked");
            bench.simulator.clear_faults();
        }
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_unknown() {
    let bench = Bench::start().await;
    let late = Effect::Delay { milliseconds: 60_000, retry_after: None };
    bench.simulator.add_fault(Fault::on_route("*/wit/wiql", late));
    let client = bench.client_within(Duration::from_secs(5), "contoso", "full");
    let report = probe(&client, &bench.on("Payments")).await.expect("connectionData answers");
    assert_eq!(letters(&report), "UUTTTUT");
    bench.assert_untouched();
}

#[tokio::test]
async fn throttling_is_reported_with_its_pause_and_turns_nothing_false() {
    let bench = Bench::start().await;
    bench.simulator.add_fault(Fault::on_route("*/wit/wiql", Effect::TooManyRequests { retry_after: 600 }));
    let report = bench.probe("full").await;
    assert!(!letters(&report).contains('F'), "{:#?}", report.findings);
    let pause = report.throttled.expect("noted");
    assert!(pause > Duration::from_mins(9) && pause <= Duration::from_mins(10), "{pause:?}");
}

#[tokio::test]
async fn under_throttling_a_refusal_is_not_believed() {
    let bench = Bench::start().await;
    // The access level is asked for last, after everything that this token is refused.
    bench.simulator.add_fault(Fault::on_route("*/userentitlements/*", Effect::TooManyRequests { retry_after: 600 }));
    let report = bench.probe("no_work").await;
    assert!(report.throttled.is_some());
    assert_eq!(letters(&report), "UUUUUUU", "{:#?}", report.findings);
    bench.simulator.clear_faults();
    assert_eq!(letters(&bench.probe("no_work").await), "FFFFFFF");
}

#[tokio::test]
async fn one_refusal_is_asked_about_again_and_two_are_believed() {
    let bench = Bench::start().await;
    for effect in
        [Effect::Status { code: 401, retry_after: None }, Effect::SignInPage, Effect::HtmlOk, Effect::Redirect]
    {
        for (method, route, unknown) in PLACES {
            // Whether evaluation needs a scope is unconfirmed, so its refusal is no verdict at all.
            let evaluation = route.ends_with("evaluationbatch");
            let believed = if evaluation { unknown.to_owned() } else { unknown.replace('U', "F") };
            let once = if evaluation { unknown } else { "TTTTTTT" };
            bench.simulator.add_fault(Fault::on_route(route, effect.clone()).method(method).times(1));
            assert_eq!(letters(&bench.probe("full").await), once, "{route} {effect:?} once");
            bench.simulator.clear_faults();
            bench.simulator.add_fault(Fault::on_route(route, effect.clone()).method(method));
            assert_eq!(letters(&bench.probe("full").await), believed, "{route} {effect:?}");
            bench.simulator.clear_faults();
        }
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn a_token_that_ends_while_it_is_probed_is_a_refused_credential() {
    let bench = Bench::start().await;
    // Everything after the first connectionData is refused, as if the token had been revoked right then.
    bench.simulator.add_fault(Fault::always(Effect::Status { code: 401, retry_after: None }).after(1));
    let error = bench.try_probe("full", &bench.on("Payments")).await.expect_err("refused");
    assert!(matches!(error, AdoError::CredentialRefused(_)), "{error}");
}

#[tokio::test]
async fn connection_data_that_gives_no_verdict_is_an_error_without_one() {
    let bench = Bench::start().await;
    let on = |effect| Fault::on_route("*/_apis/connectionData", effect);
    for effect in outages().into_iter().take(6) {
        bench.simulator.add_fault(on(effect.clone()));
        let error = bench.try_probe("full", &bench.on("Payments")).await.expect_err("no verdict");
        assert_eq!(error.class(), ErrorClass::NoVerdict, "{effect:?}: {error}");
        bench.simulator.clear_faults();
    }
    bench.simulator.add_fault(on(Effect::TooManyRequests { retry_after: 60 }));
    let error = bench.try_probe("full", &bench.on("Payments")).await.expect_err("throttled");
    assert_eq!(error.class(), ErrorClass::Throttled, "{error}");
    bench.simulator.clear_faults();
    bench.simulator.set_stopped("contoso", true).expect("stopped");
    let error = bench.try_probe("full", &bench.on("Payments")).await.expect_err("stopped");
    assert!(matches!(error, AdoError::OrganizationStopped(_)), "{error}");
}

#[tokio::test]
async fn one_refused_connection_data_is_asked_again() {
    let bench = Bench::start().await;
    let once = Fault::on_route("*/_apis/connectionData", Effect::Status { code: 401, retry_after: None }).times(1);
    bench.simulator.add_fault(once);
    assert_eq!(letters(&bench.probe("full").await), "TTTTTTT");
}

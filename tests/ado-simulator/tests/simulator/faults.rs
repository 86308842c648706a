//! Faults on demand, as a client meets them.

use std::time::{Duration, Instant};

use ado_simulator::{Effect, Fault, RateLimit};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Bench, answer, bench};

const PROJECTS: &str = "/_apis/projects?api-version=7.1";

async fn raw(bench: &Bench) -> reqwest::Result<reqwest::Response> {
    let request = bench.client.get(format!("{}{PROJECTS}", bench.simulator.url()));
    request.basic_auth("", Some(bench.simulator.pat("full").unwrap())).send().await
}

#[tokio::test]
async fn faults_with_an_answer_give_it_once_and_then_all_is_well() {
    let bench = bench().await;
    for (effect, status, content_type) in [
        (Effect::SignInPage, 203, "text/html; charset=utf-8"),
        (Effect::Redirect, 302, "text/html; charset=utf-8"),
        (Effect::Status { code: 401, retry_after: None }, 401, ""),
        (Effect::Status { code: 403, retry_after: None }, 403, "application/json; charset=utf-8"),
        (Effect::Status { code: 404, retry_after: None }, 404, "application/json; charset=utf-8"),
        (Effect::Status { code: 503, retry_after: Some(3) }, 503, "application/json; charset=utf-8"),
        (Effect::TooManyRequests { retry_after: 7 }, 429, "application/json; charset=utf-8"),
        (Effect::HtmlOk, 200, "text/html; charset=utf-8"),
        (Effect::ForeignPage, 200, "text/html; charset=utf-8"),
        (Effect::EmptyOk, 200, ""),
        (Effect::Answer { status: 418, content_type: None, body: "x".to_owned() }, 418, ""),
    ] {
        bench.simulator.add_fault(Fault::on_path("*/_apis/projects", effect.clone()).times(1));
        let answer = answer(raw(&bench).await.unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, content_type), "{effect:?}");
        assert_eq!(answer.headers.contains_key("x-tfs-processid"), effect != Effect::ForeignPage, "{effect:?}");
        if let Effect::TooManyRequests { .. } = effect {
            assert_eq!(answer.header("retry-after"), "7");
            assert!(answer.text.contains("TF400733") && answer.headers.contains_key("x-ratelimit-reset"));
        }
        assert_eq!(raw(&bench).await.unwrap().status(), StatusCode::OK);
        bench.simulator.clear_faults();
    }
}

#[tokio::test]
async fn bad_json_has_status_200() {
    let bench = bench().await;
    bench.simulator.add_fault(Fault::on_route("*/_apis/projects", Effect::MalformedJson).times(1));
    assert!(serde_json::from_str::<serde_json::Value>(&raw(&bench).await.unwrap().text().await.unwrap()).is_err());
    bench.simulator.add_fault(Fault::on_route("*/_apis/projects", Effect::WrongShape).times(1));
    assert!(answer(raw(&bench).await.unwrap()).await.json().is_array());
}

#[tokio::test]
async fn a_cut_body_and_a_reset_are_errors_of_the_connection() {
    let bench = bench().await;
    bench.simulator.add_fault(Fault::always(Effect::CutBody { after_bytes: 40 }).times(1));
    let response = raw(&bench).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.is_err());
    bench.simulator.add_fault(Fault::always(Effect::Reset).times(2));
    assert!(raw(&bench).await.is_err());
    let statuses: Vec<u16> = bench.simulator.requests_since(0).iter().map(|request| request.status).collect();
    assert_eq!((statuses[0], statuses.last()), (200, Some(&0)));
}

#[tokio::test]
async fn a_lost_reply_has_done_its_work() {
    let bench = bench().await;
    let before = bench.simulator.work_items("Payments").unwrap().len();
    bench.simulator.add_fault(Fault::on_route("*/workitems/${type}", Effect::LoseReply).times(1));
    let url = format!("{}/Payments/_apis/wit/workitems/$Bug?api-version=7.1", bench.simulator.url());
    let request = bench.client.post(url).basic_auth("", Some(bench.simulator.pat("full").unwrap()));
    let body = json!([{"op": "add", "path": "/fields/System.Title", "value": "x"}]).to_string();
    assert!(request.header("content-type", "application/json-patch+json").body(body).send().await.is_err());
    assert_eq!(bench.simulator.work_items("Payments").unwrap().len(), before + 1);
}

#[tokio::test]
async fn a_delay_answers_late_and_says_so() {
    let bench = bench().await;
    bench.simulator.add_fault(Fault::always(Effect::Delay { milliseconds: 120, retry_after: Some(2) }));
    let begun = Instant::now();
    let answer = answer(raw(&bench).await.unwrap()).await;
    assert!(begun.elapsed() >= Duration::from_millis(120));
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!((answer.header("retry-after"), answer.header("x-ratelimit-delay")), ("2", "0.120"));
    assert_eq!(answer.json()["count"], 6);
}

#[tokio::test]
async fn oversized_and_endless_bodies_keep_coming() {
    let bench = bench().await;
    bench.simulator.add_fault(Fault::always(Effect::Oversized { bytes: 3_000_000 }).times(1));
    assert!(raw(&bench).await.unwrap().bytes().await.unwrap().len() > 3_000_000);
    bench.simulator.add_fault(Fault::always(Effect::SlowBody { interval_milliseconds: 1 }).times(1));
    let mut response = raw(&bench).await.unwrap();
    for _ in 0..5 {
        assert_eq!(response.chunk().await.unwrap().unwrap().as_ref(), b" ");
    }
}

#[tokio::test]
async fn faults_may_strike_one_identity_only() {
    let bench = bench().await;
    let other = bench.simulator.create_pat("other", &[]).unwrap();
    bench.simulator.add_fault(Fault::always(Effect::SignInPage).identity(other.identity));
    assert_eq!(bench.get("full", PROJECTS).await.status, StatusCode::OK);
    assert_eq!(bench.get("other", PROJECTS).await.status.as_u16(), 203);
    assert_eq!(bench.simulator.faults()[0].struck, 1);
}

#[tokio::test]
async fn a_rate_limit_counts_down_per_identity_and_ends_in_429() {
    let bench = bench().await;
    assert!(!bench.get("full", PROJECTS).await.headers.contains_key("x-ratelimit-limit"));
    let limit = RateLimit { limit: 200, remaining: 2, cost: 1, reset_seconds: 30 };
    bench.simulator.set_rate_limit(None, Some(limit)).unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = bench.get("full", PROJECTS).await;
        seen.push((answer.status.as_u16(), answer.header("x-ratelimit-remaining").to_owned()));
    }
    assert_eq!(seen, [(200, "1".to_owned()), (200, "0".to_owned()), (429, "0".to_owned())]);
    assert_eq!(bench.get("contributor", PROJECTS).await.header("x-ratelimit-remaining"), "1");
    bench.simulator.set_rate_limit(None, None).unwrap();
    assert_eq!(bench.get("full", PROJECTS).await.status, StatusCode::OK);
}

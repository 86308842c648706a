//! What the specification does not know is refused and recorded.

use ado_simulator::{Options, SpecificationSource, ViolationKind};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Bench, bench, bench_with, test_data};

/// The kind of the one violation that a request causes.
async fn violation(bench: &Bench, method: Method, path: &str, body: Option<Value>) -> (StatusCode, ViolationKind) {
    bench.simulator.reset_journal();
    let answer = bench.send("full", method, path, body).await;
    let violations = bench.simulator.violations();
    assert_eq!(violations.len(), 1, "{path}: {violations:?}");
    (answer.status, violations[0].kind)
}

#[tokio::test]
async fn every_kind_of_deviation_is_refused_and_named() {
    if test_data("ADO_SPECS_DIR", "../shared/ado-specs").is_none() {
        return;
    }
    let bench = bench().await;
    let wiql = "/Payments/_apis/wit/wiql?api-version=7.1";
    let cases: Vec<(Method, &str, Option<Value>, StatusCode, ViolationKind)> = vec![
        (Method::GET, "/_apis/projectz?api-version=7.1", None, StatusCode::NOT_FOUND, ViolationKind::UnknownPath),
        (
            Method::GET,
            "/Payments/_apis/wit/workitems/0?api-version=7.1",
            None,
            StatusCode::NOT_FOUND,
            ViolationKind::UnknownPath,
        ),
        (Method::PUT, wiql, Some(json!({})), StatusCode::METHOD_NOT_ALLOWED, ViolationKind::UnknownMethod),
        (
            Method::GET,
            "/_apis/projects?top=1&api-version=7.1",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::UnknownParameter,
        ),
        (
            Method::GET,
            "/_apis/projects?$top=x&api-version=7.1",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::InvalidParameter,
        ),
        (
            Method::GET,
            "/_apis/projects?stateFilter=old&api-version=7.1",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::InvalidParameter,
        ),
        (
            Method::GET,
            "/_apis/wit/workitems?api-version=7.1",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::MissingParameter,
        ),
        (Method::GET, "/_apis/projects", None, StatusCode::BAD_REQUEST, ViolationKind::ApiVersion),
        (Method::GET, "/_apis/projects?api-version=9.0", None, StatusCode::BAD_REQUEST, ViolationKind::ApiVersion),
        (
            Method::GET,
            "/_apis/projects?api-version=7.1-previewer",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::ApiVersion,
        ),
        (
            Method::GET,
            "/_apis/connectionData?api-version=7.1-preview.9",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::ApiVersion,
        ),
        (
            Method::GET,
            "/_apis/connectionData?api-version=7.1",
            None,
            StatusCode::BAD_REQUEST,
            ViolationKind::ApiVersion,
        ),
        (Method::POST, wiql, Some(json!({"query": "x", "top": 1})), StatusCode::BAD_REQUEST, ViolationKind::Body),
        (Method::POST, wiql, Some(json!({"query": 1})), StatusCode::BAD_REQUEST, ViolationKind::Body),
        (Method::POST, wiql, Some(json!([])), StatusCode::BAD_REQUEST, ViolationKind::Body),
        (
            Method::POST,
            "/_apis/wit/workitemsbatch?api-version=7.1",
            Some(json!({"ids": [1], "errorPolicy": "ignore"})),
            StatusCode::BAD_REQUEST,
            ViolationKind::Body,
        ),
        (
            Method::POST,
            "/Payments/_apis/wit/workitems/$Bug?validateOnly=true&api-version=7.1",
            Some(json!([{"op": "put", "path": "/fields/System.Title", "value": "x"}])),
            StatusCode::BAD_REQUEST,
            ViolationKind::Body,
        ),
        (
            Method::GET,
            "/Payments/_apis/wit/queries?api-version=7.1",
            None,
            StatusCode::NOT_IMPLEMENTED,
            ViolationKind::NotImplemented,
        ),
    ];
    for (method, path, body, status, kind) in cases {
        assert_eq!(violation(&bench, method.clone(), path, body).await, (status, kind), "{method} {path}");
    }
}

#[tokio::test]
async fn the_wrong_content_type_is_refused() {
    let bench = bench().await;
    let url = format!("{}/Payments/_apis/wit/workitems/$Bug?validateOnly=true&api-version=7.1", bench.simulator.url());
    let request = bench.client.post(url).basic_auth("", Some(bench.simulator.pat("full").unwrap()));
    let response = request.header("content-type", "application/json").body("[]").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(bench.simulator.violations()[0].kind, ViolationKind::ContentType);
}

#[tokio::test]
async fn versions_are_echoed_and_may_stand_in_accept() {
    let bench = bench().await;
    let echoed = async |query: &str, accept: &str| {
        let url = format!("{}/_apis/projects{query}", bench.simulator.url());
        let request = bench.client.get(url).basic_auth("", Some(bench.simulator.pat("full").unwrap()));
        let response = request.header("accept", accept).send().await.unwrap();
        let text = response.headers()["content-type"].to_str().unwrap().to_owned();
        text.rsplit_once("api-version=").map_or(String::new(), |(_, version)| version.to_owned())
    };
    assert_eq!(echoed("?api-version=7.1", "application/json").await, "7.1");
    assert_eq!(echoed("", "application/json;api-version=7.1").await, "7.1");
    assert_eq!(echoed("?api-version=7.1-preview", "*/*").await, "7.1-preview.1");
    assert_eq!(bench.simulator.violation_count(), 0);
}

#[tokio::test]
async fn without_the_files_the_own_table_serves_and_refuses_just_so() {
    let bench = bench_with(Options { specifications: SpecificationSource::OwnTable, ..Options::default() }).await;
    assert!(!bench.simulator.described());
    assert_eq!(bench.read("/_apis/projects/Payments?api-version=7.1").await["name"], "Payments");
    let query = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project";
    let found = bench.query("Payments", query, "&$top=3").await.json();
    assert_eq!(found["workItems"].as_array().unwrap().len(), 3);
    assert_eq!(bench.simulator.violation_count(), 0);
    for (path, kind) in [
        ("/_apis/projectz?api-version=7.1", ViolationKind::UnknownPath),
        ("/_apis/projects?top=1&api-version=7.1", ViolationKind::UnknownParameter),
        ("/_apis/projects", ViolationKind::ApiVersion),
    ] {
        assert_eq!(violation(&bench, Method::GET, path, None).await.1, kind);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let bench = bench_with(Options { body_limit: 1000, ..Options::default() }).await;
    let answer = bench.query("Payments", &"x".repeat(2000), "").await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn only_loopback_addresses_are_listened_on() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let refused = ado_simulator::Simulator::start(Options { listen, ..Options::default() }).await;
    assert!(matches!(refused.err(), Some(ado_simulator::StartError::NotLoopback(_))));
}

//! Tokens: how bad ones are refused, what scopes and permissions allow.

use ado_simulator::state::Right;
use ado_simulator::{CredentialRefusal, HooksWithoutView, MissingScopeStatus, ProbeOrder, Quirks, UnknownOrganization};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Bench, answer, bench, bench_with_quirks};

const PROJECTS: &str = "/_apis/projects?api-version=7.1";
const CONNECTION: &str = "/_apis/connectionData?api-version=7.1-preview";
const CREATE: &str = "/Payments/_apis/wit/workitems/$Bug?validateOnly=true&api-version=7.1";

#[tokio::test]
async fn bad_tokens_are_refused_in_the_chosen_form() {
    let bench = bench().await;
    for pat in ["expired", "revoked", "other_organization", ""] {
        for (form, status) in [
            (CredentialRefusal::SignInPage, 203),
            (CredentialRefusal::Redirect, 302),
            (CredentialRefusal::UnauthorizedJson, 401),
            (CredentialRefusal::UnauthorizedEmpty, 401),
        ] {
            bench.simulator.change_quirks(|quirks| quirks.credential_refusal = form);
            let answer = bench.get(pat, CONNECTION).await;
            assert_eq!(answer.status.as_u16(), status, "{pat} {form:?}");
            match form {
                CredentialRefusal::SignInPage => assert!(answer.header("content-type").starts_with("text/html")),
                CredentialRefusal::Redirect => assert!(answer.header("location").contains("/_signin")),
                CredentialRefusal::UnauthorizedJson => assert!(answer.text.contains("TF400813")),
                CredentialRefusal::UnauthorizedEmpty => assert_eq!(answer.text, ""),
            }
        }
    }
}

#[tokio::test]
async fn suppress_turns_a_redirect_into_401() {
    let bench =
        bench_with_quirks(Quirks { credential_refusal: CredentialRefusal::Redirect, ..Quirks::default() }).await;
    let request = bench.client.get(format!("{}{CONNECTION}", bench.simulator.url()));
    let response = request.header("X-TFS-FedAuthRedirect", "Suppress").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn surplus_padding_is_401_whatever_the_form() {
    let bench = bench().await;
    // 52 characters and the colon: 53 bytes, whose base 64 ends in one sign of padding.
    let encoded = reqwest_basic(&bench.simulator.pat("full").unwrap());
    let send = async |value: String| {
        let request = bench.client.get(format!("{}{CONNECTION}", bench.simulator.url()));
        request.header("authorization", value).send().await.unwrap().status()
    };
    assert_eq!(send(format!("Basic {encoded}")).await, StatusCode::OK);
    assert_eq!(send(format!("Basic {encoded}=")).await, StatusCode::UNAUTHORIZED);
}

fn reqwest_basic(token: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!(":{token}"))
}

#[tokio::test]
async fn tokens_come_and_go() {
    let bench = bench().await;
    let made = bench.simulator.create_pat("mine", &["vso.project"]).unwrap();
    let answer = bench.get("mine", CONNECTION).await.json();
    assert_eq!(answer["authenticatedUser"]["id"], json!(made.identity));
    bench.simulator.expire_pat("mine").unwrap();
    assert_eq!(bench.get("mine", CONNECTION).await.status.as_u16(), 203);
    assert!(bench.simulator.create_pat("mine", &[]).is_err());
    bench.simulator.advance_clock(100 * 365 * 86_400);
    assert_eq!(bench.get("full", CONNECTION).await.status.as_u16(), 203);
}

#[tokio::test]
async fn a_missing_scope_is_told_from_a_bad_token() {
    let bench = bench().await;
    for (pat, path, status) in [
        ("read_only", PROJECTS, 200),
        ("analytics_only", PROJECTS, 401),
        ("analytics_only", CONNECTION, 200),
        ("no_work", "/Payments/_apis/wit/classificationnodes/Iterations?api-version=7.1", 401),
        ("no_test", "/Payments/_apis/test/runs?api-version=7.1", 401),
        ("operator", "/Payments/_apis/test/runs?api-version=7.1", 200),
        ("no_code", "/Payments/_apis/git/repositories?api-version=7.1", 401),
        ("operator", "/Payments/_apis/git/repositories?api-version=7.1", 200),
        ("no_project", PROJECTS, 200),
    ] {
        assert_eq!(bench.get(pat, path).await.status.as_u16(), status, "{pat} {path}");
    }
    for (form, status, text) in [
        (MissingScopeStatus::Unauthorized, 401, ""),
        (MissingScopeStatus::UnauthorizedList, 401, "{\"count\":0,\"value\":[]}"),
    ] {
        bench.simulator.change_quirks(|quirks| quirks.missing_scope = form);
        let answer = bench.get("analytics_only", PROJECTS).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (status, text));
    }
    bench.simulator.change_quirks(|quirks| quirks.missing_scope = MissingScopeStatus::Forbidden);
    assert_eq!(bench.get("analytics_only", PROJECTS).await.status, StatusCode::FORBIDDEN);
    bench.simulator.change_quirks(|quirks| quirks.projects_accept_profile = false);
    assert_eq!(bench.get("no_project", PROJECTS).await.status, StatusCode::FORBIDDEN);
}

async fn create(bench: &Bench, pat: &str, title: bool) -> u16 {
    let body = if title {
        json!([{"op": "add", "path": "/fields/System.Title", "value": "x"}])
    } else {
        json!([{"op": "add", "path": "/fields/System.Tags", "value": "x"}])
    };
    bench.post(pat, CREATE, body).await.status.as_u16()
}

#[tokio::test]
async fn the_order_of_scope_permission_and_body_is_switchable() {
    let bench = bench().await;
    assert_eq!((create(&bench, "read_only", false).await, create(&bench, "reader", false).await), (401, 403));
    assert_eq!((create(&bench, "full", false).await, create(&bench, "full", true).await), (400, 200));
    bench.simulator.change_quirks(|quirks| quirks.probe_order = ProbeOrder::BodyFirst);
    assert_eq!((create(&bench, "read_only", false).await, create(&bench, "reader", false).await), (400, 400));
    assert_eq!((create(&bench, "read_only", true).await, create(&bench, "reader", true).await), (401, 403));
    bench.simulator.change_quirks(|quirks| quirks.validate_only_checks_permission = false);
    assert_eq!(create(&bench, "reader", true).await, 200);
    let items = bench.simulator.work_items("Payments").unwrap().len();
    assert_eq!(create(&bench, "full", true).await, 200);
    assert_eq!(bench.simulator.work_items("Payments").unwrap().len(), items);
}

#[tokio::test]
async fn test_points_may_enforce_the_write_scope() {
    let bench = bench().await;
    bench.simulator.create_pat("test_read", &["vso.test"]).unwrap();
    let path = "/Payments/_apis/test/points?api-version=7.1";
    let body = json!({"pointsFilter": {"testcaseIds": [1]}});
    assert_eq!(bench.post("test_read", path, body.clone()).await.status.as_u16(), 401);
    bench.simulator.change_quirks(|quirks| quirks.test_points_enforces_write_scope = false);
    assert_eq!(bench.post("test_read", path, body).await.status.as_u16(), 200);
}

#[tokio::test]
async fn security_reads_and_connection_data_may_need_a_scope() {
    let bench = bench().await;
    let namespaces = "/_apis/securitynamespaces?api-version=7.1";
    assert_eq!(bench.get("analytics_only", namespaces).await.status.as_u16(), 200);
    bench.simulator.change_quirks(|quirks| {
        quirks.security_reads_need_scope = true;
        quirks.connection_data_needs_scope = true;
    });
    assert_eq!(bench.get("analytics_only", namespaces).await.status.as_u16(), 401);
    assert_eq!(bench.get("full", namespaces).await.status.as_u16(), 200);
    assert_eq!(bench.get("analytics_only", CONNECTION).await.status.as_u16(), 401);
    assert_eq!(bench.get("read_only", CONNECTION).await.status.as_u16(), 200);
}

#[tokio::test]
async fn anonymous_callers_are_somebody_on_public_organizations_only_if_switched() {
    let bench = bench().await;
    bench.simulator.set_public("contoso", true).unwrap();
    assert_eq!(bench.get("expired", CONNECTION).await.status.as_u16(), 203);
    bench.simulator.change_quirks(|quirks| quirks.connection_data_anonymous = true);
    let data = bench.get("expired", CONNECTION).await.json();
    assert_eq!(data["authenticatedUser"]["providerDisplayName"], "Anonymous");
    assert_eq!(bench.get("expired", PROJECTS).await.status.as_u16(), 203);
    bench.simulator.set_public("contoso", false).unwrap();
    assert_eq!(bench.get("expired", CONNECTION).await.status.as_u16(), 203);
}

#[tokio::test]
async fn an_unknown_organization_is_404_or_refused() {
    let bench = bench().await;
    let url = format!("{}{CONNECTION}", bench.simulator.organization_url("nobody"));
    let status = async || {
        let request = bench.client.get(&url).basic_auth("", Some(bench.simulator.pat("full").unwrap()));
        answer(request.send().await.unwrap()).await.status.as_u16()
    };
    assert_eq!(status().await, 404);
    bench.simulator.change_quirks(|quirks| quirks.unknown_organization = UnknownOrganization::Refused);
    assert_eq!(status().await, 203);
}

#[tokio::test]
async fn a_stopped_organization_answers_503_behind_a_byte_order_mark() {
    let bench = bench().await;
    bench.simulator.set_stopped("contoso", true).unwrap();
    let answer = bench.get("full", CONNECTION).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text.starts_with('\u{feff}') && answer.text.contains("TF24668"), "{}", answer.text);
    assert!(answer.headers.contains_key("x-tfs-serviceerror") && !answer.headers.contains_key("activityid"));
}

#[tokio::test]
async fn subscriptions_without_view_are_refused_or_filtered() {
    let bench = bench().await;
    let path = "/_apis/hooks/subscriptions?api-version=7.1";
    assert_eq!(bench.get("full", path).await.json()["count"], 1);
    bench.simulator.deny("contributor", &[Right::ViewSubscriptions], None).unwrap();
    assert_eq!(bench.get("contributor", path).await.status, StatusCode::FORBIDDEN);
    bench.simulator.change_quirks(|quirks| quirks.hooks_without_view = HooksWithoutView::Filtered);
    assert_eq!(bench.get("contributor", path).await.json(), json!({"count": 0, "value": []}));
}

#[tokio::test]
async fn creating_a_subscription_needs_edit_and_a_url() {
    let bench = bench().await;
    let path = "/_apis/hooks/subscriptions?api-version=7.1";
    let project = bench.simulator.project("Payments").unwrap().id;
    let body = |url: &str| {
        json!({"publisherId": "tfs", "eventType": "workitem.created", "resourceVersion": "1.0", "consumerId": "webHooks",
            "consumerActionId": "httpRequest", "publisherInputs": {"projectId": project},
            "consumerInputs": {"url": url, "basicAuthPassword": "secret"}})
    };
    assert_eq!(bench.post("contributor", path, body("")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.post("full", path, body("")).await.status, StatusCode::BAD_REQUEST);
    let created = bench.post("full", path, body("https://hooks.example.com/x")).await.json();
    assert_eq!(created["consumerInputs"]["basicAuthPassword"], "********");
    let id = created["id"].as_str().unwrap();
    assert_eq!(bench.read(&format!("/_apis/hooks/subscriptions/{id}?api-version=7.1")).await["id"], created["id"]);
    bench.simulator.change_quirks(|quirks| quirks.probe_order = ProbeOrder::BodyFirst);
    assert_eq!(bench.post("analytics_only", path, body("")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        bench.post("analytics_only", path, body("https://x.example.com")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(bench.read(path).await["count"], 2);
}

#[tokio::test]
async fn the_journal_names_labels_and_never_tokens() {
    let bench = bench().await;
    bench.get("full", CONNECTION).await;
    bench.send("expired", Method::GET, CONNECTION, None).await;
    let log = bench.simulator.requests_since(0);
    assert_eq!(log.iter().map(|r| r.pat.as_deref()).collect::<Vec<_>>(), [Some("full"), None]);
    let text = serde_json::to_string(&log).unwrap();
    assert!(bench.simulator.pats().values().all(|token| !text.contains(token.as_str())));
    let last = bench.simulator.last_request();
    assert!(bench.simulator.requests_since(last).is_empty());
    assert_eq!(bench.simulator.count("GET", "/_apis/connectionData"), 2);
}

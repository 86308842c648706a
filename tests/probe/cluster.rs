//! Token and CA bundle out of the cluster that a kubeconfig names, or out of the manifest itself.

use ado_operator::cli::Exit;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bench::host;
use crate::cli::{Desk, Outcome, run_with};

/// An apiserver that knows one Secret, one ConfigMap and one Secret that nobody may read. It checks no credentials.
async fn apiserver(token: &str, ca: &str) -> String {
    serve(core(token, ca)).await
}

/// What an apiserver has of the core group.
pub fn core(token: &str, ca: &str) -> Router {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "contoso-pat", "namespace": "team-a"},
        "data": {"token": STANDARD.encode(format!("{token}\n"))}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca", "namespace": "team-a"}, "data": {"ca.crt": ca}});
    let core = "/api/v1/namespaces/team-a";
    Router::new()
        .route(&format!("{core}/secrets/contoso-pat"), get(move || async move { Json(secret) }))
        .route(&format!("{core}/configmaps/ca"), get(move || async move { Json(map) }))
        .route(&format!("{core}/secrets/forbidden"), get(|| async { status(StatusCode::FORBIDDEN, "Forbidden") }))
        .fallback(|| async { status(StatusCode::NOT_FOUND, "NotFound") })
}

/// Serves it and gives the URL.
pub async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn status(code: StatusCode, reason: &str) -> (StatusCode, Json<Value>) {
    let body = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason, "code": code.as_u16(), "message": reason});
    (code, Json(body))
}

pub fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters: [{{name: test, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: test, user: {{}}}}]\ncontexts: [{{name: test, context: {{cluster: test, user: test, namespace: team-a}}}}]\n"
    )
}

/// Runs without `--pat-file` and `--ca-file`.
async fn from_cluster(desk: &Desk, manifest: &str, server: &str) -> Outcome {
    let manifest = desk.file("manifest.yaml", manifest);
    let config = desk.file("kubeconfig", &kubeconfig(server));
    let allowed = host(&desk.bench.simulator);
    let arguments =
        ["kubectl-ado", "test-connection", "-f", &manifest, "--kubeconfig", &config, "--allowed-host", &allowed]
            .map(str::to_owned);
    let outcome = run_with(&arguments, "").await;
    let token = desk.token("full");
    for text in [&outcome.output, &outcome.errors] {
        assert!(!text.contains(&token) && !text.contains(&STANDARD.encode(&token)), "repeated: {text}");
    }
    outcome
}

const CA_OF_MAP: &str = "  caBundle: {configMapRef: {name: ca}}\n";

#[tokio::test]
async fn token_and_ca_come_from_the_objects_that_the_spec_names() {
    let desk = Desk::new().await;
    let server = apiserver(&desk.token("full"), desk.bench.simulator.ca_pem()).await;
    let outcome = from_cluster(&desk, &desk.manifest(CA_OF_MAP), &server).await;
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
    let elsewhere = desk.manifest(CA_OF_MAP).replace(", namespace: team-a", "");
    let outcome = from_cluster(&desk, &elsewhere, &server).await;
    assert_eq!(outcome.exit, Exit::Success, "the kubeconfig's namespace is used: {}", outcome.errors);
    desk.bench.assert_untouched();
}

#[tokio::test]
async fn what_the_cluster_does_not_give_is_named_with_the_way_round_it() {
    let desk = Desk::new().await;
    let server = apiserver(&desk.token("full"), desk.bench.simulator.ca_pem()).await;
    let manifest = desk.manifest(CA_OF_MAP);
    let cases = [
        (
            manifest.replace("name: contoso-pat", "name: absent"),
            "Secret team-a/absent does not exist: create it, or give --pat-file",
        ),
        (
            manifest.replace("name: contoso-pat", "name: forbidden"),
            "your kubeconfig may not read Secret team-a/forbidden: give --pat-file, or ask for the right to read it",
        ),
        (manifest.replace("key: token", "key: pat"), "Secret team-a/contoso-pat has no key pat"),
        (
            manifest.replace("{name: ca}", "{name: absent}"),
            "ConfigMap team-a/absent does not exist: create it, or give --ca-file",
        ),
        (manifest.replace("{name: ca}", "{name: ca, key: other}"), "ConfigMap team-a/ca has no key other"),
    ];
    for (manifest, expected) in cases {
        let outcome = from_cluster(&desk, &manifest, &server).await;
        assert_eq!(outcome.errors, format!("error: InputUnreadable: {expected}\n"));
        assert_eq!(outcome.exit, Exit::Invalid);
    }
    let outcome = from_cluster(&desk, &manifest, "http://127.0.0.1:1").await;
    assert!(outcome.errors.contains("could not be read from the cluster"), "{}", outcome.errors);
    assert_eq!(desk.bench.simulator.request_total(), 0, "nothing was sent");
}

#[tokio::test]
async fn without_a_kubeconfig_the_way_round_it_is_named() {
    let desk = Desk::new().await;
    let manifest = desk.file("manifest.yaml", &desk.manifest(""));
    let arguments =
        ["kubectl-ado", "test-connection", "-f", &manifest, "--kubeconfig", "/nonexistent"].map(str::to_owned);
    let outcome = run_with(&arguments, "").await;
    let expected = "error: InputUnreadable: Secret contoso-pat has to be read from the cluster, and no usable kubeconfig was \
                    found: give --pat-file, or set KUBECONFIG\n";
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Invalid, expected));
}

#[tokio::test]
async fn a_secret_and_a_config_map_of_the_manifest_are_used_before_the_cluster_is_asked() {
    let desk = Desk::new().await;
    let token = desk.token("full");
    let ca = desk.bench.simulator.ca_pem().trim_end().replace('\n', "\n    ");
    let map = format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: ca}}\ndata:\n  ca.crt: |\n    {ca}\n");
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: contoso-pat, namespace: team-a}\n";
    for data in [format!("stringData: {{token: {token}}}\n"), format!("data: {{token: {}}}\n", STANDARD.encode(&token))]
    {
        let manifest = format!("{}{secret}{data}{map}", desk.manifest(CA_OF_MAP));
        let outcome = from_cluster(&desk, &manifest, "http://127.0.0.1:1").await;
        assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
    }
    let elsewhere = secret.replace("team-a", "team-b");
    let manifest = format!("{}{elsewhere}stringData: {{token: {token}}}\n{map}", desk.manifest(CA_OF_MAP));
    let outcome = from_cluster(&desk, &manifest, "http://127.0.0.1:1").await;
    assert!(outcome.errors.contains("could not be read from the cluster"), "{}", outcome.errors);
    desk.bench.assert_untouched();
}

//! Tokens stay where they are: in the Secret, and in the `Authorization` header.

use std::process::{Command, Stdio};

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use base64::Engine as _;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::json;
use support::control_plane::RELEASE;
use support::wait;
use support::world::World;

/// The operator as a program of its own, logging everything it can.
struct Program {
    child: std::process::Child,
    log: std::path::PathBuf,
}

impl Program {
    fn start(world: &World, kubeconfig: &std::path::Path, proxy: &str) -> Self {
        let log = world.data().join("operator.log");
        let child = Command::new(env!("CARGO_BIN_EXE_ado-operator"))
            .env("KUBECONFIG", kubeconfig)
            .env("ADO_OPERATOR_PROXIES", proxy)
            .args(["--log", "trace", "--metrics-address", "127.0.0.1:0", "--namespaces", &world.namespace])
            .args(["--operator-namespace", RELEASE, "--lease-name", &world.namespace])
            .args(["--allowed-host", &format!("localhost:{}", world.ado.address().port())])
            .arg("--data-dir")
            .arg(world.data())
            .stderr(std::fs::File::create(&log).expect("a log file"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the operator");
        Self { child, log }
    }

    /// Where it serves its metrics, by its own word.
    async fn metrics(&self) -> String {
        wait::until("the line that tells the address", async || {
            let log = std::fs::read_to_string(&self.log).ok()?;
            let lines = log.lines().filter(|line| line.contains("starting"));
            let mut lines = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            let starting = lines.find(|line| line["message"] == "starting")?;
            starting["metrics"].as_str().map(str::to_owned)
        })
        .await
    }

    fn end(mut self) -> String {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(self.child.wait().expect("an end").success(), "the operator ends well on SIGTERM");
        std::fs::read_to_string(&self.log).expect("a log")
    }
}

/// A kubeconfig file with the operator's token.
async fn kubeconfig(world: &World) -> std::path::PathBuf {
    use secrecy::ExposeSecret as _;
    let config = world.control_plane.operator_config().await.expect("a configuration");
    let token = config.auth_info.token.expect("a token").expose_secret().to_owned();
    let admin = std::fs::read_to_string(world.control_plane.kubeconfig()).expect("a kubeconfig");
    let mut parsed: serde_json::Value = serde_yaml_ng::from_str(&admin).expect("YAML");
    parsed["users"][0]["user"] = json!({"token": token});
    let file = world.data().join("kubeconfig");
    std::fs::write(&file, parsed.to_string()).expect("a file");
    file
}

/// The secret in the forms in which it could leak.
fn forms(secret: &str) -> Vec<String> {
    let base64 = base64::engine::general_purpose::STANDARD;
    vec![
        secret.to_owned(),
        base64.encode(format!(":{secret}")),
        base64.encode(secret),
        base64.encode(format!("{secret}\n")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_reaches_logs_events_statuses_metrics_or_the_database() {
    let mut world = World::new().await;
    world.stop().await;
    let mut secrets: Vec<String> = Vec::new();
    let proxy_password = "pr0xy-passw0rd-of-this-test";
    secrets.push(proxy_password.to_owned());
    let kubeconfig = kubeconfig(&world).await;
    let program = Program::start(&world, &kubeconfig, &format!("corporate=http://user:{proxy_password}@127.0.0.1:9"));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.apply::<AdoProjectConfig>(world.config("payments", "contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.config_is("payments", "Active", "Synced").await;
    secrets.push(world.pat("full"));
    for label in ["expired", "read_only", "no_work", "other_organization"] {
        world.put_token(&world.pat(label)).await;
        secrets.push(world.pat(label));
        let reason = match label {
            "read_only" => "Connected",
            "no_work" => "FeatureUnavailable",
            _ => "CredentialRefused",
        };
        let state = if label == "read_only" { "Active" } else { "Error" };
        world.integration_is("contoso", state, reason).await;
    }
    let pasted = "first-line-of-a-token\nsecond-line-of-a-token";
    world.put_secret(support::world::TOKEN, "token", pasted).await;
    secrets.extend(pasted.lines().map(str::to_owned));
    world.integration_is("contoso", "Error", "InvalidToken").await;
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.apply::<AdoIntegration>(world.integration("proxied", json!({"proxy": "corporate"}))).await;
    let pasted = "t0ken-that-was-pasted-into-the-url";
    secrets.push(pasted.to_owned());
    let url = world.ado.organization_url(pasted);
    world.apply::<AdoIntegration>(world.integration("pasted", json!({"organizationURL": url}))).await;
    world.integration_is("pasted", "Error", "OrganizationNotFound").await;
    wait::object(&world.api(), "proxied", "looked at", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.observed_generation) == Some(1)
    })
    .await;
    let address = program.metrics().await;
    let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("ado_operator_ado_requests_total"), "{metrics}");
    let integrations = world.api::<AdoIntegration>().list(&ListParams::default()).await.unwrap();
    let configs = world.api::<AdoProjectConfig>().list(&ListParams::default()).await.unwrap();
    let events = world.api::<Event>().list(&ListParams::default()).await.unwrap();
    assert!(!events.items.is_empty(), "there are events to look at");
    let statuses: Vec<String> = integrations
        .iter()
        .map(|found| serde_json::to_string(&found.status).unwrap())
        .chain(configs.iter().map(|found| serde_json::to_string(&found.status).unwrap()))
        .collect();
    let log = program.end();
    assert!(log.contains("\"level\":\"TRACE\""), "the log is at trace level");
    assert!(!log.contains("panicked"), "nothing of all this made a part of the operator panic");
    let database: Vec<u8> = std::fs::read_dir(world.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains("ado-operator.db"))
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(!database.is_empty(), "there is a database to look at");
    let database = String::from_utf8_lossy(&database).into_owned();
    let places = [
        ("logs", log),
        ("metrics", metrics),
        ("statuses", statuses.join("\n")),
        ("events", serde_json::to_string(&events.items).unwrap()),
        ("database", database),
    ];
    for (place, text) in &places {
        for secret in &secrets {
            for form in forms(secret) {
                assert!(!text.contains(&form), "a secret is in the {place}");
            }
        }
    }
}

//! Bad input that only live validation can refuse: Error and Stalled, with a reason and a remedy, and never a hot loop.

use std::time::Duration;

use ado_operator::api::AdoIntegration;
use ado_simulator::{CredentialRefusal, Effect, Fault, Options, Simulator, UnknownOrganization};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::{Value, json};
use support::wait;
use support::world::{TOKEN, World, conditions, message};

use crate::judge::{Row, assert_row};

fn stuck(reason: &'static str) -> Row<'static> {
    Row { state: "Error", ready: ("False", reason), abnormal: &["Stalled"], kstatus: "Failed", argocd: "Degraded" }
}

/// Applies an integration with that change and asserts that it is refused for that reason, with those words.
async fn refused(world: &World, change: Value, reason: &'static str, words: &[&str]) -> AdoIntegration {
    world.apply::<AdoIntegration>(world.integration("contoso", change)).await;
    let found = world.integration_is("contoso", "Error", reason).await;
    assert_row(&found, &stuck(reason));
    let text = message(&found);
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_credential_is_an_error_in_whatever_form_it_is_refused() {
    let forms = [
        CredentialRefusal::SignInPage,
        CredentialRefusal::Redirect,
        CredentialRefusal::UnauthorizedJson,
        CredentialRefusal::UnauthorizedEmpty,
    ];
    let world = World::new().await;
    for form in forms {
        world.ado.change_quirks(|quirks| quirks.credential_refusal = form);
        for label in ["expired", "revoked", "other_organization"] {
            world.put_token(&world.pat(label)).await;
            let found = refused(&world, json!({}), "CredentialRefused", &["token", "Secret"]).await;
            assert_eq!(conditions(&found)["CredentialValid"], ("False".into(), "CredentialRefused".into()));
            world.put_token(&world.pat("full")).await;
            world.integration_is("contoso", "Active", "Connected").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anonymous_answer_of_an_organization_with_public_projects_is_a_refusal() {
    let world = World::new().await;
    world.ado.set_public("contoso", true).unwrap();
    world.ado.change_quirks(|quirks| quirks.connection_data_anonymous = true);
    world.put_token(&world.pat("expired")).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_not_tried_before_its_secret_changes_or_the_hour_is_over() {
    let world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
    let asked = world.ado.last_request();
    for _ in 0..5 {
        world.clock.advance(Duration::from_mins(11));
    }
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"description": "edited"}})).await;
    wait::object(&world.api(), "contoso", "observed", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.observed_generation) == found.metadata.generation
    })
    .await;
    assert!(world.ado.requests_since(asked).is_empty(), "the refused token was left alone for 55 minutes");
    world.clock.advance(Duration::from_mins(6));
    wait::until("the hourly probe", async || (!world.ado.requests_since(asked).is_empty()).then_some(())).await;
    let asked = world.ado.last_request();
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
    assert!(!world.ado.requests_since(asked).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_left_alone_by_a_restarted_operator_too() {
    let mut world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    let before = refused(&world, json!({}), "CredentialRefused", &[]).await;
    world.stop().await;
    let asked = world.ado.last_request();
    world.start().await.unwrap();
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"description": "edited"}})).await;
    let after = wait::object(&world.api(), "contoso", "observed", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.observed_generation) == found.metadata.generation
    })
    .await;
    assert_row(&after, &stuck("CredentialRefused"));
    assert_eq!(message(&before), message(&after));
    assert!(world.ado.requests_since(asked).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_on_a_refused_token_is_served_once_a_minute() {
    let world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
    let asked = world.ado.last_request();
    let ask = |value: &str| json!({"metadata": {"annotations": {"ado.testops.dev/requestedAt": value}}});
    let handled = |value: &'static str| {
        move |found: &AdoIntegration| {
            found.status.as_ref().is_some_and(|status| status.last_handled_requested_at.as_deref() == Some(value))
        }
    };
    world.patch::<AdoIntegration>("contoso", ask("1")).await;
    world.clock.advance(Duration::from_secs(61));
    wait::object(&world.api(), "contoso", "handled", handled("1")).await;
    let probes = |since: u64| {
        let all = world.ado.requests_since(since);
        all.iter().filter(|request| request.target.to_lowercase().contains("connectiondata")).count()
    };
    assert_eq!(probes(asked), 2, "one probe asks connectionData twice before it believes a refusal");
    world.patch::<AdoIntegration>("contoso", ask("2")).await;
    world.patch::<AdoIntegration>("contoso", ask("3")).await;
    world.clock.advance(Duration::from_secs(61));
    wait::object(&world.api(), "contoso", "handled", handled("3")).await;
    assert_eq!(probes(asked), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_401_of_an_area_is_no_refusal_of_the_credential() {
    let world = World::new().await;
    world.ado.add_fault(Fault::on_path("*/_apis/projects*", Effect::Status { code: 401, retry_after: None }).times(1));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_cannot_be_one_is_refused_without_being_sent() {
    let world = World::new().await;
    let asked = world.ado.last_request();
    for value in ["", "  \n", "first\nsecond", "tökén"] {
        world.put_secret(TOKEN, "token", value).await;
        refused(&world, json!({}), "InvalidToken", &[TOKEN, "token"]).await;
    }
    assert!(world.ado.requests_since(asked).is_empty());
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_and_addresses_that_are_not_permitted_are_refused_without_a_request() {
    let world = World::new().await;
    let port = world.ado.address().port();
    let asked = world.ado.last_request();
    let url = |text: String| json!({"organizationURL": text});
    refused(&world, url("https://ado.example.com/contoso".into()), "DisallowedHost", &["--allowed-host"]).await;
    refused(&world, url(format!("https://127.0.0.1:{port}/contoso")), "DisallowedHost", &["--allowed-host"]).await;
    refused(&world, url("https://localhost:1/contoso".into()), "DisallowedHost", &["--allowed-host"]).await;
    refused(&world, url("https://dev.azure.com.evil.example/contoso".into()), "DisallowedHost", &[]).await;
    assert!(world.ado.requests_since(asked).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowed_name_never_leads_to_a_link_local_or_metadata_address() {
    let mut world = World::new().await;
    world.restart_with(&["--allowed-host", "169.254.169.254", "--allowed-host", "[::1]:9"]).await;
    let change = json!({"organizationURL": "https://169.254.169.254/contoso"});
    refused(&world, change, "PrivateAddress", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_that_did_not_sign_the_server_and_a_broken_one_are_refused() {
    let world = World::new().await;
    world.put_ca("").await;
    refused(&world, json!({}), "InvalidCABundle", &["caBundle"]).await;
    let other = Simulator::start(Options { items: 10, ..Options::default() }).await.unwrap();
    let certificate = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let bundles = [(other.ca_pem(), "CertificateNotTrusted"), (certificate, "InvalidCABundle")];
    for (pem, reason) in bundles {
        world.calm::<AdoIntegration>().await;
        world.put_ca(pem).await;
        let found = world.integration_is("contoso", "Error", reason).await;
        assert_row(&found, &stuck(reason));
        assert!(message(&found).contains("caBundle"), "{}", message(&found));
        world.calm::<AdoIntegration>().await;
        world.put_ca(world.ado.ca_pem()).await;
        world.integration_is("contoso", "Active", "Connected").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_may_also_lie_in_a_secret() {
    let world = World::new().await;
    world.put_secret("ca", "bundle.pem", world.ado.ca_pem()).await;
    let change = json!({"caBundle": {"configMapRef": null, "secretRef": {"name": "ca", "key": "bundle.pem"}}});
    world.apply::<AdoIntegration>(world.integration("contoso", change)).await;
    world.integration_is("contoso", "Active", "Connected").await;
    let other = Simulator::start(Options { items: 10, ..Options::default() }).await.unwrap();
    for (pem, reason) in [(other.ca_pem(), "CertificateNotTrusted"), ("nothing of the kind", "InvalidCABundle")] {
        world.calm::<AdoIntegration>().await;
        world.put_secret("ca", "bundle.pem", pem).await;
        let found = world.integration_is("contoso", "Error", reason).await;
        assert_row(&found, &stuck(reason));
        world.calm::<AdoIntegration>().await;
        world.put_secret("ca", "bundle.pem", world.ado.ca_pem()).await;
        world.integration_is("contoso", "Active", "Connected").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_nobody_configured_is_refused() {
    let world = World::new().await;
    refused(&world, json!({"proxy": "corporate"}), "UnknownProxy", &["--proxy"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_that_does_not_exist_is_refused_in_either_way() {
    let world = World::new().await;
    let token = "p4zzw0rdthatsomebodypastedintotheurl";
    let url = world.ado.organization_url(token);
    for reason in ["OrganizationNotFound", "CredentialRefused"] {
        world.ado.change_quirks(|quirks| {
            quirks.unknown_organization = match reason {
                "OrganizationNotFound" => UnknownOrganization::NotFound,
                _ => UnknownOrganization::Refused,
            }
        });
        let found = refused(&world, json!({"organizationURL": url, "description": reason}), reason, &[]).await;
        let status = serde_json::to_string(&found.status).unwrap();
        assert!(!status.contains(token), "a token that was pasted into the URL is not echoed: {status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_stays_with_its_organization() {
    let world = World::new().await;
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
    world.put_token(&world.pat("other_organization")).await;
    let asked = world.ado.last_request();
    let other = world.ado.organization_url("fabrikam");
    let found = refused(&world, json!({"organizationURL": other}), "OrganizationChanged", &["organizationURL"]).await;
    assert_eq!(found.status.unwrap().organization.unwrap().name, "contoso");
    let sent = world.ado.requests_since(asked);
    assert!(sent.iter().all(|request| request.target.to_lowercase().contains("connectiondata")), "{sent:?}");
    world.put_token(&world.pat("full")).await;
    let found =
        refused(&world, json!({"organizationURL": other}), "CredentialRefused", &["another organization"]).await;
    assert!(found.status.unwrap().identity.is_some());
    let slashed = format!("{}/", world.ado.url());
    world.apply::<AdoIntegration>(world.integration("contoso", json!({"organizationURL": slashed}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_for_ever_is_no_hot_loop() {
    let world = World::new().await;
    let log = world.bookmark().await;
    // An answer that the client does not ask for again by itself, so that each probe is one request.
    world.ado.add_fault(Fault::always(Effect::MalformedJson));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Inactive", "Validating").await;
    for (steps, seconds) in [(40, 5), (100, 10)] {
        for _ in 0..steps {
            world.pass::<AdoIntegration>(Duration::from_secs(seconds)).await;
        }
    }
    world.integration_is("contoso", "Error", "Unreachable").await;
    // After 5, 10, 20, 40 and 80 s every two minutes, each pause shortened by up to a tenth: six probes in the first
    // 155 s, then one each 110 to 120 s of the 20 minutes.
    let probes = world.ado.requests_since(0);
    assert!(probes.iter().all(|request| request.target.to_lowercase().contains("connectiondata")), "{probes:?}");
    assert!((14..=16).contains(&probes.len()), "{} probes in 20 minutes", probes.len());
    world.ado.clear_faults();
    let entries = world.audited(&log).await;
    let ours = entries.iter().filter(|entry| entry.is_operators() && entry.object_ref.resource == "adointegrations");
    // A write that met somebody else's is refused and changes nothing.
    let writes = ours.filter(|entry| entry.is_write() && entry.response_status.code < 300).count();
    assert_eq!(writes, 4, "the finalizer, waiting, Unreachable, and Error");
}

/// A URL that the schema accepts and that means no organization.
async fn no_organization(world: &World, path: &str, secret: &str, words: &[&str]) {
    let url = format!("https://localhost:{}{path}", world.ado.address().port());
    let change = json!({"organizationURL": url, "description": path});
    let found = refused(world, change, "InvalidOrganizationURL", words).await;
    let status = serde_json::to_string(&found.status).unwrap();
    assert!(secret.is_empty() || !status.contains(secret), "what was pasted into the URL is not echoed: {status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_the_schema_accepts_and_that_means_no_organization_is_refused_without_an_echo() {
    let token = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
    let world = World::new().await;
    let asked = world.ado.last_request();
    let host = format!("https://localhost:{}", world.ado.address().port());
    no_organization(&world, "", "", &["must name the organization"]).await;
    let corrected = format!("write {host}/contoso.");
    no_organization(&world, "/contoso/_git/web", "_git", &["must end after the organization", &corrected]).await;
    no_organization(&world, "/a/b/c/d/e", "", &["must end after the organization"]).await;
    no_organization(&world, "/contoso/%2e%2e/x", "%2e", &["is not a valid URL"]).await;
    no_organization(&world, &format!("/{token}"), token, &["must name the organization by 1 to 50"]).await;
    no_organization(&world, &format!("/contoso/{token}"), token, &["1 to 50", &corrected]).await;
    let cloud = json!({"organizationURL": format!("https://dev.azure.com/{token}")});
    let found = refused(&world, cloud, "InvalidOrganizationURL", &["1 to 50"]).await;
    assert!(!serde_json::to_string(&found.status).unwrap().contains(token));
    assert!(world.ado.requests_since(asked).is_empty());
    let events = world.api::<Event>().list(&ListParams::default()).await.unwrap();
    assert!(!serde_json::to_string(&events.items).unwrap().contains(token));
    world.apply::<AdoIntegration>(world.integration("contoso", json!({}))).await;
    world.integration_is("contoso", "Active", "Connected").await;
}

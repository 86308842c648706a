//! Bad input that only live validation can refuse: Error and Stalled, with a reason and a remedy, and never a hot loop.

use std::fs;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::time::Duration;

use ado_operator::api::AdoIntegration;
use ado_simulator::{Effect, Fault, Options, Simulator, UnknownOrganization};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::json;
use support::world::World;

use crate::integrations::{
    NOTHING, OUT_OF_REACH, apply, assert_integration, assert_refused, checks, connected, connected_with, pass, refused,
};

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
    refused(&world, change, "PrivateAddress", &["169.254.169.254"]).await;
}

/// A name of this machine, other than `localhost`, whose addresses no permission makes reachable. Nearly every machine has
/// one: its own name, or one of those that Debian gives to loopback and multicast addresses.
fn inward_name() -> Option<String> {
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let entries = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let names = entries.flat_map(|line| line.split_whitespace().skip(1));
    let leads_inward = |name: &&str| {
        let addresses: Vec<IpAddr> =
            (*name, 443).to_socket_addrs().into_iter().flatten().map(|address| address.ip()).collect();
        !addresses.is_empty() && addresses.iter().all(|address| address.is_loopback() || address.is_multicast())
    };
    names.filter(|name| !name.eq_ignore_ascii_case("localhost")).find(leads_inward).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowed_name_that_resolves_to_a_forbidden_address_is_refused_without_a_request() {
    let Some(name) = inward_name() else {
        eprintln!("skipped: no name in /etc/hosts but localhost has a loopback or multicast address");
        return;
    };
    let mut world = World::new().await;
    let host = format!("{name}:{}", world.ado.address().port());
    world.restart_with(&["--allowed-host", &host]).await;
    let asked = world.ado.last_request();
    let change = json!({"organizationURL": format!("https://{host}/contoso")});
    refused(&world, change, "PrivateAddress", &[&name, "addresses that are not permitted"]).await;
    assert!(world.ado.requests_since(asked).is_empty());
    connected(&world).await;
}

/// The schema compares the entries of a set letter by letter; Azure DevOps does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allowed_projects_that_differ_in_case_only_are_refused() {
    let world = World::new().await;
    let asked = world.ado.last_request();
    let twice = json!({"allowedProjects": ["Web*", "Payments", "PAYMENTS"]});
    refused(&world, twice, "InvalidSpec", &["spec.allowedProjects", "PAYMENTS"]).await;
    assert!(world.ado.requests_since(asked).is_empty());
    connected_with(&world, json!({"allowedProjects": ["Web*", "Payments"]})).await;
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
        assert_refused(&found, reason, &["caBundle"]);
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
    connected_with(&world, change).await;
    let other = Simulator::start(Options { items: 10, ..Options::default() }).await.unwrap();
    for (pem, reason) in [(other.ca_pem(), "CertificateNotTrusted"), ("nothing of the kind", "InvalidCABundle")] {
        world.calm::<AdoIntegration>().await;
        world.put_secret("ca", "bundle.pem", pem).await;
        let found = world.integration_is("contoso", "Error", reason).await;
        assert_refused(&found, reason, &["caBundle"]);
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
    connected(&world).await;
    world.put_token(&world.pat("other_organization")).await;
    let asked = world.ado.last_request();
    let other = world.ado.organization_url("fabrikam");
    let found = refused(&world, json!({"organizationURL": other}), "OrganizationChanged", &["organizationURL"]).await;
    assert_eq!(found.status.unwrap().organization.unwrap().name, "contoso");
    let sent = world.ado.requests_since(asked);
    assert_eq!(checks(&world, asked), sent.len(), "nothing but connectionData is sent: {sent:?}");
    world.put_token(&world.pat("full")).await;
    let found =
        refused(&world, json!({"organizationURL": other}), "CredentialRefused", &["another organization"]).await;
    assert!(found.status.unwrap().identity.is_some());
    connected_with(&world, json!({"organizationURL": format!("{}/", world.ado.url())})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_for_ever_is_no_hot_loop() {
    let world = World::new().await;
    world.clock.hold();
    let log = world.bookmark().await;
    // An answer that the client does not ask for again by itself, so that each probe is one request.
    world.ado.add_fault(Fault::always(Effect::MalformedJson));
    apply(&world, json!({})).await;
    world.integration_is("contoso", "Inactive", "Validating").await;
    for (steps, seconds) in [(40, 5), (100, 10)] {
        for _ in 0..steps {
            pass(&world, Duration::from_secs(seconds)).await;
        }
    }
    let found = world.integration_is("contoso", "Error", "Unreachable").await;
    assert_integration(&found, &OUT_OF_REACH, NOTHING);
    // After 5, 10, 20, 40 and 80 s every two minutes, each pause shortened by up to a tenth: six probes in the first
    // 155 s, then one each 110 to 120 s of the 20 minutes.
    let probes = world.ado.requests_since(0);
    assert_eq!(checks(&world, 0), probes.len(), "{probes:?}");
    assert!((14..=16).contains(&probes.len()), "{} probes in 20 minutes", probes.len());
    let writes = world.writes(&log).await;
    let ours = writes.iter().filter(|entry| entry.object_ref.resource == "adointegrations");
    assert_eq!(ours.count(), 4, "the finalizer, waiting, Unreachable, and Error");
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
    connected(&world).await;
}

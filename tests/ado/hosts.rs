//! Requests go only to permitted hosts and addresses.

use std::sync::Arc;

use ado_operator::ado::{
    AdoClient, AdoError, AllowedHost, Budgets, ErrorClass, HostPolicy, OrganizationUrl, Outage, ServiceHost,
    ServiceHosts, Transport, TransportConfig,
};

use crate::support::{Fixed, LOOPBACK, World, limits, project};

fn build(world: &World, config: TransportConfig, url: &str) -> Result<AdoClient, AdoError> {
    let organization = OrganizationUrl::parse(url).expect("a URL");
    let http = Transport::new(config).http(Some(&world.ca()), None)?;
    let pat = world.pat("full");
    let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
    AdoClient::new(http, organization, pat, budget, limits())
}

fn resolving(world: &World, allowed: &[&str], addresses: &[&str]) -> TransportConfig {
    let allowed = allowed.iter().map(|text| AllowedHost::parse(text).expect("a host"));
    let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
    TransportConfig { policy: HostPolicy::new(allowed.collect()), lookup: Arc::new(Fixed(addresses)), ..world.config() }
}

#[tokio::test]
async fn a_host_that_is_not_permitted_gets_no_client() {
    let world = World::new().await;
    let port = world.port();
    let named = format!("localhost:{port}");
    for (allowed, url, host) in [
        (vec![], world.simulator.url(), named.clone()),
        (vec![named.as_str()], format!("https://127.0.0.1:{port}/contoso"), format!("127.0.0.1:{port}")),
        (vec![named.as_str()], "https://localhost/contoso".to_owned(), "localhost".to_owned()),
        (vec![], "https://dev.azure.com:8443/contoso".to_owned(), "dev.azure.com:8443".to_owned()),
        (vec![], "https://a.b.visualstudio.com".to_owned(), "a.b.visualstudio.com".to_owned()),
    ] {
        let error = build(&world, resolving(&world, &allowed, &["127.0.0.1"]), &url).expect_err("refused");
        assert_eq!(error, AdoError::DisallowedHost { host });
        assert_eq!(error.class(), ErrorClass::Verdict);
    }
    let literal = build(&world, resolving(&world, &["169.254.169.254"], &[]), "https://169.254.169.254/contoso");
    assert_eq!(literal.expect_err("metadata"), AdoError::PrivateAddress { host: "169.254.169.254".to_owned() });
    assert_eq!(world.simulator.request_total(), 0);
}

#[tokio::test]
async fn a_name_is_not_followed_to_addresses_that_its_kind_may_not_have() {
    let world = World::new().await;
    let tfs = format!("tfs.example.com:{}", world.port());
    let at_tfs = format!("https://{tfs}/contoso");
    for (allowed, addresses, url) in [
        (vec![], vec!["10.0.0.1"], "https://dev.azure.com/contoso"),
        (vec![], vec!["127.0.0.1", "::1"], "https://dev.azure.com/contoso"),
        (vec![], vec!["169.254.169.254"], "https://contoso.visualstudio.com"),
        (vec![], vec!["64:ff9b::7f00:1"], "https://contoso.visualstudio.com"),
        (vec![], vec!["::ffff:127.0.0.1"], "https://contoso.visualstudio.com"),
        (vec![tfs.as_str()], vec!["127.0.0.1"], &at_tfs),
        (vec![tfs.as_str()], vec!["169.254.169.254", "fe80::1", "fd00:ec2::254"], &at_tfs),
        (vec![tfs.as_str()], vec!["168.63.129.16"], &at_tfs),
    ] {
        let client = build(&world, resolving(&world, &allowed, &addresses), url).expect("a permitted name");
        let error = client.connection_data().await.expect_err("refused");
        assert_eq!(
            (error.reason(), error.class()),
            ("PrivateAddress", ErrorClass::Verdict),
            "{addresses:?} {url}: {error}"
        );
    }
    assert_eq!(world.simulator.request_total(), 0);
}

#[tokio::test]
async fn of_several_addresses_only_permitted_ones_are_connected_to() {
    let world = World::new().await;
    let allowed = format!("localhost:{}", world.port());
    let config = resolving(&world, &[&allowed], &["169.254.169.254", "100.64.0.1", "127.0.0.1"]);
    let client = build(&world, config, &world.simulator.url()).expect("permitted");
    client.connection_data().await.expect("through the loopback address");
}

#[tokio::test]
async fn a_literal_loopback_address_works_where_the_administrator_gave_it() {
    let world = World::new().await;
    let allowed = format!("127.0.0.1:{}", world.port());
    let client =
        build(&world, resolving(&world, &[&allowed], &[]), &format!("https://{allowed}/contoso")).expect("permitted");
    client.connection_data().await.expect("an answer");
}

#[tokio::test]
async fn a_name_without_addresses_and_a_closed_port_are_outages() {
    let world = World::new().await;
    let client = build(&world, resolving(&world, &[], &[]), "https://dev.azure.com/contoso").expect("permitted");
    let error = client.connection_data().await.expect_err("no address");
    assert_eq!(error, AdoError::Unavailable { host: "dev.azure.com".to_owned(), outage: Outage::Dns });

    let closed =
        tokio::net::TcpListener::bind((LOOPBACK, 0)).await.expect("a port").local_addr().expect("an address").port();
    let host = format!("localhost:{closed}");
    let client = build(&world, resolving(&world, &[&host], &["127.0.0.1"]), &format!("https://{host}/contoso"))
        .expect("permitted");
    assert_eq!(
        client.connection_data().await.expect_err("closed"),
        AdoError::Unavailable { host, outage: Outage::Connect }
    );
}

#[tokio::test]
async fn a_service_at_a_host_of_its_own_is_permitted_on_its_own() {
    let world = World::new().await;
    let hosts = |host: &str| {
        let host = ServiceHost::parse(&format!("{host}:{}", world.port())).expect("a host");
        ServiceHosts { analytics: Some(host), ..ServiceHosts::default() }
    };
    let elsewhere = TransportConfig { hosts: hosts("analytics.example.com"), ..world.config() };
    let client = build(&world, elsewhere, &world.simulator.url()).expect("the core host is permitted");
    let payments = project(&client, "Payments").await;
    let error = client.analytics_probe(&payments).await.expect_err("not permitted");
    assert_eq!(error.reason(), "DisallowedHost");

    let same = TransportConfig { hosts: hosts("localhost"), ..world.config() };
    let client = build(&world, same, &world.simulator.url()).expect("permitted");
    client.analytics_probe(&payments).await.expect("an answer");
}

#[tokio::test]
async fn names_that_are_no_segment_are_refused_before_anything_is_sent() {
    let world = World::new().await;
    let client = world.client("full");
    let long = "x".repeat(300);
    for name in ["", ".", "..", "a\u{0}b", long.as_str()] {
        assert_eq!(client.project(name).await.expect_err("no segment"), AdoError::InvalidName);
    }
    assert_eq!(world.simulator.request_total(), 0);
    for name in ["../Payments", "Payments/teams", "Payments?includeCapabilities=false", "%2e%2e", "Payments#"] {
        let error = client.project(name).await.expect_err("no such project");
        assert!(matches!(error.reason(), "NotFound" | "BadRequest"), "{name}: {error}");
    }
}

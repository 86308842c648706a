//! Certificates and proxies.

use std::sync::{Arc, Mutex};

use ado_operator::ado::{
    AdoClient, AdoError, Budgets, CertificateProblem, ErrorClass, NamedProxy, OrganizationUrl, Transport,
    TransportConfig,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Fixed, LOOPBACK, World, limits};

fn client(
    world: &World,
    transport: &Transport,
    ca: Option<&World>,
    proxy: Option<&str>,
    url: &str,
) -> Result<AdoClient, AdoError> {
    let ca = ca.map(World::ca);
    let organization = OrganizationUrl::parse(url).expect("a URL");
    let http = transport.http(ca.as_ref(), proxy)?;
    let pat = world.pat("full");
    let budget = Budgets::new().of_credential(&organization, &pat.fingerprint());
    AdoClient::new(http, organization, pat, budget, limits())
}

#[tokio::test]
async fn a_private_ca_is_trusted_only_where_it_is_given() {
    let (world, other) = (World::new().await, World::new().await);
    let transport = Transport::new(world.config());
    let url = world.simulator.url();
    client(&world, &transport, Some(&world), None, &url).expect("a client").connection_data().await.expect("trusted");
    for ca in [None, Some(&other)] {
        let error = client(&world, &transport, ca, None, &url)
            .expect("a client")
            .connection_data()
            .await
            .expect_err("not trusted");
        let host = format!("localhost:{}", world.port());
        assert_eq!(error, AdoError::Certificate { host, problem: CertificateProblem::UnknownIssuer });
        assert_eq!(error.class(), ErrorClass::Verdict);
        assert!(error.to_string().contains("caBundle"));
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let world = World::new().await;
    // Only names that are given may resolve to a private address, and loopback needs `localhost`: so the proxy leads
    // there.
    let proxy = Proxy::start(world.port(), None).await;
    let config = TransportConfig { proxies: vec![proxy.named("http://")], ..world.config() };
    let transport = Transport::new(config);
    let client =
        client(&world, &transport, Some(&world), Some("corporate"), "https://dev.azure.com/contoso").expect("a client");
    let error = client.connection_data().await.expect_err("another name");
    assert_eq!(
        error,
        AdoError::Certificate { host: "dev.azure.com".to_owned(), problem: CertificateProblem::WrongName }
    );
}

/// A CONNECT proxy that leads every tunnel to one port, and keeps the heads of what it was asked.
pub struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `refuse` is the status line's end for every request, such as `407 Proxy Authentication Required`.
    pub async fn start(target: u16, refuse: Option<&'static str>) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heads = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, target, refuse, Arc::clone(&heads)));
            }
        });
        Self { port, asked }
    }

    pub fn named(&self, scheme_and_login: &str) -> NamedProxy {
        NamedProxy::parse(&format!("corporate={scheme_and_login}127.0.0.1:{}", self.port)).expect("a proxy")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

async fn serve(mut stream: TcpStream, target: u16, refuse: Option<&str>, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    heads.lock().expect("unpoisoned").push(String::from_utf8_lossy(&head).into_owned());
    if let Some(status) = refuse {
        let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        return;
    }
    let Ok(mut upstream) = TcpStream::connect((LOOPBACK, target)).await else { return };
    if stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
        let _ = copy_bidirectional(&mut stream, &mut upstream).await;
    }
}

#[tokio::test]
async fn a_named_proxy_is_asked_for_a_tunnel_with_its_own_login() {
    let world = World::new().await;
    let proxy = Proxy::start(world.port(), None).await;
    // The proxy resolves the target: here no name has an address.
    let config = TransportConfig {
        proxies: vec![proxy.named("http://user:s3cret@")],
        lookup: Arc::new(Fixed(Vec::new())),
        ..world.config()
    };
    let transport = Transport::new(config);
    let client = client(&world, &transport, Some(&world), Some("corporate"), &world.simulator.url()).expect("a client");
    client.connection_data().await.expect("through the proxy");
    let asked = proxy.asked();
    let head = asked.first().expect("one tunnel").to_lowercase();
    assert!(head.starts_with(&format!("connect localhost:{} http/1.1\r\n", world.port())), "{head}");
    assert!(asked[0].contains("Basic dXNlcjpzM2NyZXQ="), "the proxy's login");
    let token = world.simulator.pat("full").expect("a label");
    assert!(!asked[0].contains(&token) && asked[0].matches("Basic ").count() == 1, "nothing of ours goes to the proxy");
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_away_gives_no_verdict_on_the_target() {
    let world = World::new().await;
    for refuse in ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"] {
        let proxy = Proxy::start(world.port(), Some(refuse)).await;
        let transport = Transport::new(TransportConfig { proxies: vec![proxy.named("http://")], ..world.config() });
        let client =
            client(&world, &transport, Some(&world), Some("corporate"), &world.simulator.url()).expect("a client");
        let error = client.connection_data().await.expect_err("refused");
        let host = format!("localhost:{}", world.port());
        assert_eq!(error, AdoError::Proxy { name: "corporate".to_owned(), host }, "{refuse}");
        assert_eq!(error.class(), ErrorClass::NoVerdict);
    }
    assert_eq!(world.simulator.request_total(), 0);
}

#[tokio::test]
async fn the_certificate_of_a_secure_proxy_is_not_taken_for_the_targets_alone() {
    let world = World::new().await;
    // The simulator's certificate stands for the proxy's: nobody here trusts its CA.
    let proxy = NamedProxy::parse(&format!("corporate=https://localhost:{}", world.port())).expect("a proxy");
    let transport = Transport::new(TransportConfig { proxies: vec![proxy], ..world.config() });
    let client = client(&world, &transport, None, Some("corporate"), &world.simulator.url()).expect("a client");
    let error = client.connection_data().await.expect_err("not trusted");
    let host = format!("localhost:{} or of proxy corporate", world.port());
    assert_eq!(error, AdoError::Certificate { host, problem: CertificateProblem::UnknownIssuer });
}

#[tokio::test]
async fn the_targets_name_is_judged_before_the_proxy_is_asked() {
    let world = World::new().await;
    let proxy = Proxy::start(world.port(), None).await;
    let transport = Transport::new(TransportConfig { proxies: vec![proxy.named("http://")], ..world.config() });
    for url in
        ["https://internal.example.com/contoso", "https://169.254.169.254/contoso", "https://localhost:1/contoso"]
    {
        let error = client(&world, &transport, Some(&world), Some("corporate"), url).expect_err("not permitted");
        assert_eq!(error.reason(), "DisallowedHost", "{url}");
    }
    assert!(proxy.asked().is_empty());
}

//! Connections: TLS trust, proxies, and the guard over addresses. Clients with equal settings share one connection
//! pool.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::error::AdoError;
use super::guard::{HostPolicy, Refusal};
use super::observer::RequestObserver;
use super::service::ServiceHosts;

/// Largest CA bundle that is read.
const MAX_BUNDLE: usize = 1024 * 1024;
/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 32;
/// Most clients that are kept; those in use live on when the cache is emptied.
const MAX_CLIENTS: usize = 64;
/// Idle connections kept per host. All identities of an organization's host share them; a connection that finds no place here
/// is closed, and the next request pays for a TLS handshake.
const MAX_IDLE_PER_HOST: usize = 64;
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// What a server may send ahead of its reader on one HTTP/2 stream, in bytes: the library's own 2 MiB would be the largest part
/// of the memory that a page takes which is read as it comes.
const STREAM_WINDOW: u32 = 512 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Why a CA bundle cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaBundleError {
    /// No certificate in it.
    #[error("the CA bundle holds no certificate: it must be PEM text with at least one CERTIFICATE block")]
    NoCertificate,
    /// A block that is no certificate, or a damaged one.
    #[error("certificate {number} of the CA bundle cannot be read: it must be PEM text of X.509 certificates")]
    Unreadable {
        /// Which one, from 1.
        number: usize,
    },
    /// Over 1 MiB.
    #[error(
        "the CA bundle is larger than 1 MiB: give only the certificates of the CA that issued the server's certificate"
    )]
    TooLarge,
}

impl CaBundleError {
    /// The condition reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        super::reasons::INVALID_CA_BUNDLE
    }
}

/// Certificates of CAs that are trusted besides those of the system.
#[derive(Debug, Clone)]
pub struct CaBundle {
    certificates: Arc<[CertificateDer<'static>]>,
}

impl CaBundle {
    /// Reads PEM text with at least one certificate.
    pub fn parse(pem: &[u8]) -> Result<Self, CaBundleError> {
        if pem.len() > MAX_BUNDLE {
            return Err(CaBundleError::TooLarge);
        }
        let mut certificates = Vec::new();
        let mut roots = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let unreadable = CaBundleError::Unreadable { number: index + 1 };
            let certificate = certificate.map_err(|_| unreadable)?;
            roots.add(certificate.clone()).map_err(|_| unreadable)?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(CaBundleError::NoCertificate);
        }
        Ok(Self { certificates: certificates.into() })
    }
}

/// Why a text configures no proxy. No variant carries the text: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a proxy must be NAME=URL, with a name of lower case letters, digits and hyphens, and an http:// or https:// URL of host and port"
)]
pub struct InvalidProxy;

/// A proxy that the administrator configured (`--proxy name=url`); integrations choose one by name.
#[derive(Clone)]
pub struct NamedProxy {
    name: Arc<str>,
    url: Url,
    login: Option<(String, SecretString)>,
}

impl NamedProxy {
    /// Reads `NAME=URL`; user name and password may stand in the URL.
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let (name, url) = text.split_once('=').ok_or(InvalidProxy)?;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(is_plain) {
            return Err(InvalidProxy);
        }
        let mut url = Url::parse(url.trim()).map_err(|_| InvalidProxy)?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !bare {
            return Err(InvalidProxy);
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| InvalidProxy);
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some((decode(user)?, SecretString::from(decode(password.unwrap_or_default())?))),
        };
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| InvalidProxy)?;
        Ok(Self { name: name.into(), url, login })
    }

    fn build(&self) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::https(self.url.clone())?;
        Ok(match &self.login {
            Some((user, password)) => proxy.basic_auth(user, password.expose_secret()),
            None => proxy,
        })
    }
}

impl std::str::FromStr for NamedProxy {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        Self::parse(text)
    }
}

impl fmt::Debug for NamedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedProxy({})", self.name)
    }
}

/// The addresses of a name, when they arrive.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name.
pub trait AddressLookup: Send + Sync {
    /// All addresses of `name`.
    fn lookup(&self, name: String) -> Lookup;
}

/// Asks the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl AddressLookup for SystemLookup {
    fn lookup(&self, name: String) -> Lookup {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// What all connections of the process have in common.
#[derive(Clone)]
pub struct TransportConfig {
    /// Permitted hosts and addresses.
    pub policy: HostPolicy,
    /// Hosts of the services of organizations outside the cloud.
    pub hosts: ServiceHosts,
    /// The proxies that integrations may choose from.
    pub proxies: Vec<NamedProxy>,
    /// Time to make a connection, name resolution included.
    pub connect_timeout: Duration,
    /// Told about each request.
    pub observer: Arc<dyn RequestObserver>,
    /// Resolves names; proxied requests leave that to the proxy.
    pub lookup: Arc<dyn AddressLookup>,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            policy: HostPolicy::default(),
            hosts: ServiceHosts::default(),
            proxies: Vec::new(),
            connect_timeout: Duration::from_secs(15),
            observer: Arc::new(()),
            lookup: Arc::new(SystemLookup),
        }
    }
}

/// The certificates trusted besides the system's, and the proxy's name.
type ClientKey = (Option<Arc<[CertificateDer<'static>]>>, Option<Arc<str>>);

/// A client once it was built.
type KeptClient = Arc<Mutex<Option<reqwest::Client>>>;

struct Inner {
    config: TransportConfig,
    clients: Mutex<HashMap<ClientKey, KeptClient>>,
}

/// Makes and keeps the HTTP clients. Cheap to clone.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

impl Transport {
    /// Nothing is connected or loaded yet. Installs rustls' ring provider for the process if no provider is installed.
    #[must_use]
    pub fn new(config: TransportConfig) -> Self {
        // An error means that a provider is there already, which is what we want.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(Arc::new(Inner { config, clients: Mutex::default() }))
    }

    /// A client that trusts `ca` besides the system's CAs and goes through the proxy of that name. Equal settings share
    /// one client and its connections.
    pub fn http(&self, ca: Option<&CaBundle>, proxy: Option<&str>) -> Result<Http, AdoError> {
        let proxy = match proxy {
            Some(name) => {
                let named = self.0.config.proxies.iter().find(|proxy| &*proxy.name == name);
                Some(named.ok_or(AdoError::UnknownProxy)?)
            }
            None => None,
        };
        let key = (ca.map(|ca| Arc::clone(&ca.certificates)), proxy.map(|proxy| Arc::clone(&proxy.name)));
        let kept = self.kept(key);
        // Reading the system's certificates takes milliseconds: only those wait who want the same client.
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match &*kept {
            Some(client) => client.clone(),
            None => kept.insert(self.build(ca, proxy).map_err(|_| AdoError::Setup)?).clone(),
        };
        let proxy =
            proxy.map(|proxy| ProxyInUse { name: Arc::clone(&proxy.name), is_secure: proxy.url.scheme() == "https" });
        Ok(Http { client, proxy, transport: self.clone() })
    }

    /// The place of a client, which may be empty so far.
    fn kept(&self, key: ClientKey) -> KeptClient {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MAX_CLIENTS && !clients.contains_key(&key) {
            clients.clear();
        }
        Arc::clone(clients.entry(key).or_default())
    }

    fn build(&self, ca: Option<&CaBundle>, proxy: Option<&NamedProxy>) -> reqwest::Result<reqwest::Client> {
        let certificates: Vec<reqwest::Certificate> = ca
            .iter()
            .flat_map(|ca| ca.certificates.iter())
            .map(|certificate| reqwest::Certificate::from_der(certificate))
            .collect::<reqwest::Result<_>>()?;
        let with_system = self.builder(proxy)?.tls_certs_merge(certificates.clone()).build();
        // Fails only where the system has no CA at all (a bare image): then the bundle is all there is, and without one
        // every connection ends in an error that asks for it.
        with_system.or_else(|_| self.builder(proxy)?.tls_certs_only(certificates).build())
    }

    fn builder(&self, proxy: Option<&NamedProxy>) -> reqwest::Result<reqwest::ClientBuilder> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("ado-operator/", env!("CARGO_PKG_VERSION")))
            .https_only(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.0.config.connect_timeout)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(KEEPALIVE)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_keep_alive_interval(KEEPALIVE)
            .http2_keep_alive_timeout(KEEPALIVE);
        Ok(match proxy {
            // The administrator chose the proxy's address, and the proxy resolves the target's name.
            Some(proxy) => builder.proxy(proxy.build()?),
            None => builder.dns_resolver(GuardedResolver(Arc::clone(&self.0))),
        })
    }

    pub(crate) fn config(&self) -> &TransportConfig {
        &self.0.config
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// What messages tell of a proxy.
#[derive(Debug, Clone)]
pub(crate) struct ProxyInUse {
    pub(crate) name: Arc<str>,
    /// Whether the connection to it is by TLS.
    pub(crate) is_secure: bool,
}

/// A connection pool with its trust and proxy. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    pub(crate) client: reqwest::Client,
    /// The proxy, if requests go through one.
    pub(crate) proxy: Option<ProxyInUse>,
    pub(crate) transport: Transport,
}

impl fmt::Debug for Http {
    // The client's own text would show the proxy's settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

/// Leaves of a name's addresses those that the policy permits. What is returned here is what is connected to, so an
/// answer that changes between a check and its use (DNS rebinding) gains nothing.
struct GuardedResolver(Arc<Inner>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let host = Host::Domain(name.as_str().to_owned());
            let mut found = inner.config.lookup.lookup(name.as_str().to_owned()).await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            found.retain(|address| inner.config.policy.permits(&host, *address));
            found.truncate(MAX_ADDRESSES);
            if found.is_empty() {
                return Err(Refusal::PrivateAddress.into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_needs_certificates_that_can_be_read() {
        assert_eq!(CaBundle::parse(b"").expect_err("empty"), CaBundleError::NoCertificate);
        assert_eq!(CaBundle::parse(b"not PEM").expect_err("text"), CaBundleError::NoCertificate);
        let damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(CaBundle::parse(damaged).expect_err("damaged"), CaBundleError::Unreadable { number: 1 });
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert_eq!(CaBundle::parse(cut).expect_err("cut"), CaBundleError::Unreadable { number: 1 });
        let large = vec![b' '; MAX_BUNDLE + 1];
        assert_eq!(CaBundle::parse(&large).expect_err("large"), CaBundleError::TooLarge);
    }

    #[test]
    fn a_proxy_is_a_name_and_a_bare_url_and_its_login_never_shows() {
        let proxy = NamedProxy::parse("corporate=http://user:s3cr%40t@proxy.example.com:3128").expect("valid");
        assert_eq!(proxy.url.as_str(), "http://proxy.example.com:3128/");
        assert_eq!(
            proxy.login.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret())),
            Some(("user", "s3cr@t"))
        );
        assert_eq!(format!("{proxy:?}"), "NamedProxy(corporate)");
        for text in [
            "corporate",
            "=http://x:1",
            "Corporate=http://x:1",
            "a=ftp://x",
            "a=socks5://x",
            "a=http://x/path",
            "a=http://x?q",
            "a=nonsense",
        ] {
            assert_eq!(NamedProxy::parse(text).expect_err(text), InvalidProxy, "{text}");
        }
    }

    #[test]
    fn equal_settings_share_a_client_and_unknown_proxies_are_refused() {
        let proxies = vec![NamedProxy::parse("corporate=http://127.0.0.1:3128").expect("valid")];
        let transport = Transport::new(TransportConfig { proxies, ..TransportConfig::default() });
        for _ in 0..3 {
            transport.http(None, None).expect("a client");
            transport.http(None, Some("corporate")).expect("a client");
        }
        assert_eq!(transport.0.clients.lock().expect("unpoisoned").len(), 2);
        assert_eq!(transport.http(None, Some("other")).expect_err("unknown"), AdoError::UnknownProxy);
    }
}

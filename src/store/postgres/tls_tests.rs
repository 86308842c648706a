//! Real handshakes with a real server: whom the store trusts.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use support::postgres::{Certificate, Database, PASSWORD, Postgres, USER};
use tempfile::TempDir;

use super::Server;
use crate::store::{Store, StoreError};

/// A server whose certificate is for `localhost` and not for 127.0.0.1, and a database in it.
struct Guarded {
    database: Database,
    server: Arc<Postgres>,
    folder: TempDir,
}

impl Guarded {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = authority("authority");
        std::fs::write(folder.path().join("ca.crt"), &ca.0).unwrap();
        std::fs::write(folder.path().join("other.crt"), authority("another one").0).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ca.1).unwrap();
        let certificate = Certificate { certificate: leaf.pem(), key: key.serialize_pem() };
        let server = Postgres::with_tls(&certificate).unwrap();
        Self { database: server.create_database().unwrap(), server, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn connect(&self, password: &str, host: &str, parameters: &str) -> Result<Store, StoreError> {
        let (port, name) = (self.server.port(), self.database.name());
        let url = format!("postgres://{USER}:{password}@{host}:{port}/{name}?{parameters}");
        Store::connect(&Server::parse(&url).unwrap()).await
    }

    /// Connects by `verify-full` with an authority's certificate.
    async fn verified(&self, password: &str, host: &str, authority: &str) -> Result<Store, StoreError> {
        let parameters = format!("sslmode=verify-full&sslrootcert={}", self.file(authority).display());
        self.connect(password, host, &parameters).await
    }
}

fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (params.self_signed(&key).unwrap().pem(), Issuer::new(params, key))
}

#[tokio::test]
async fn only_a_server_with_the_right_name_and_authority_is_trusted() {
    let guarded = Guarded::start();
    let store = guarded.verified(PASSWORD, "localhost", "ca.crt").await.unwrap();
    store.record_refusal(&"uid".into(), "secret/1", 1).await.unwrap();
    for (host, authority, told) in
        [("127.0.0.1", "ca.crt", "not valid for name"), ("localhost", "other.crt", "UnknownIssuer")]
    {
        let refused = guarded.verified(PASSWORD, host, authority).await.unwrap_err();
        assert_eq!((refused.reason(), refused.is_transient()), ("StoreUntrusted", false), "{refused:?}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
    let refused = guarded.connect(PASSWORD, "localhost", "sslmode=verify-full").await.unwrap_err();
    assert!(matches!(refused, StoreError::Untrusted(_)), "the system trusts no such authority: {refused:?}");
}

#[tokio::test]
async fn a_refused_password_is_not_repeated() {
    let guarded = Guarded::start();
    let refused = guarded.verified("swordfish", "localhost", "ca.crt").await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused:?}");
    let text = format!("{refused} {refused:?}");
    assert!(text.contains("password authentication failed") && !text.contains("swordfish"), "{text}");
}

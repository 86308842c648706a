//! Where a database of PostgreSQL is, as a URL says it.

use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::net::IpAddr;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// Parameters of the URL. sqlx would log any other one with its value, and that value may be a part of a password in which
/// a `?` or `&` was not escaped.
const PARAMETERS: [&str; 9] =
    ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "user", "password", "dbname"];

/// Those of them that name files.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

/// A database of PostgreSQL and the way to it. It holds a password, so it shows nothing of itself.
#[derive(Clone)]
pub struct Server(PgConnectOptions);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server(…)")
    }
}

/// What is wrong with the URL of a database. No text repeats a part of it, since it holds a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidServer {
    /// It is no URL.
    #[error("it is no URL of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full")]
    Unreadable,
    /// It begins with something else than `postgres:` or `postgresql:`.
    #[error("it must begin with postgres://, the only kind of server that there is")]
    Scheme,
    /// It has a parameter that is not known.
    #[error(
        "it has a parameter other than {}; a ? or & in a password is written as %3F or %26",
        PARAMETERS.join(", ")
    )]
    Parameter,
    /// A parameter has a value that it cannot have.
    #[error(
        "a parameter has a value that it cannot have: sslmode is disable, prefer, require, verify-ca or verify-full"
    )]
    Value,
    /// A file that it names cannot be read.
    #[error("the file of {parameter} cannot be read: {error}")]
    File {
        /// The parameter.
        parameter: &'static str,
        /// What the operating system said.
        error: ErrorKind,
    },
    /// It names no database.
    #[error("it names no database: postgres://HOST/DATABASE")]
    Database,
    /// Somebody between us and the server could read and change everything.
    #[error(
        "a server on another machine is trusted by its certificate only: add sslmode=verify-full, and \
         sslrootcert=FILE where its authority is none that the system trusts"
    )]
    Unverified,
}

impl Server {
    /// Reads a URL such as `postgres://user:password@db.example:5432/ado?sslmode=verify-full&sslrootcert=/etc/ca.crt`.
    ///
    /// A server beyond this machine must be verified by `verify-full`; one on the loopback or behind a socket file
    /// (`postgres:///ado?host=/run/postgresql`) need not be. What the URL leaves open is taken from the variables that
    /// PostgreSQL's own programs read (`PGPASSWORD`, `PGPASSFILE`, …).
    pub fn parse(url: &str) -> Result<Self, InvalidServer> {
        let url = Url::parse(url).map_err(|_| InvalidServer::Unreadable)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(InvalidServer::Scheme);
        }
        if url.query_pairs().any(|(name, _)| !PARAMETERS.contains(&&*name)) {
            return Err(InvalidServer::Parameter);
        }
        refuse_unreadable(&url)?;
        let options = PgConnectOptions::from_url(&url).map_err(|_| InvalidServer::Value)?;
        if options.get_database().is_none() {
            return Err(InvalidServer::Database);
        }
        if !is_near(&options) && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
            return Err(InvalidServer::Unverified);
        }
        Ok(Self(options))
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.0
    }
}

/// sqlx would say only that some file is not there, which may be the socket as well.
fn refuse_unreadable(url: &Url) -> Result<(), InvalidServer> {
    for (name, file) in url.query_pairs() {
        if let Some(&parameter) = FILES.iter().find(|parameter| **parameter == name) {
            File::open(&*file).map_err(|error| InvalidServer::File { parameter, error: error.kind() })?;
        }
    }
    Ok(())
}

/// Whether the server is on this machine, so that nobody is on the way to it.
fn is_near(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_another_machine_must_be_verified_and_one_on_this_need_not() {
        for near in [
            "postgres://user:hunter2@localhost/ado",
            "postgres://127.0.0.1:5433/ado?sslmode=disable",
            "postgres://[::1]/ado",
            "postgresql:///ado?host=/run/postgresql&user=ado&password=hunter2",
            "postgres://user@%2Frun%2Fpostgresql/ado",
            "postgres://user:hunter2@db.example/ado?sslmode=verify-full",
            "postgres://db.example/ado?sslmode=verify-full&sslrootcert=/dev/null",
        ] {
            assert!(Server::parse(near).is_ok(), "{near}: {:?}", Server::parse(near).map(drop));
        }
        for far in [
            "postgres://user:hunter2@db.example/ado",
            "postgres://db.example/ado?sslmode=require",
            "postgres://db.example/ado?sslmode=verify-ca&sslrootcert=/dev/null",
            "postgres://10.0.0.1/ado?sslmode=prefer",
            "postgres://localhost/ado?host=db.example",
            "postgres://localhost.example/ado",
        ] {
            assert_eq!(Server::parse(far).map(drop), Err(InvalidServer::Unverified), "{far}");
        }
        let text = InvalidServer::Unverified.to_string();
        assert!(text.contains("add sslmode=verify-full") && text.contains("sslrootcert"), "{text}");
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_and_not_repeated() {
        let absent = InvalidServer::File { parameter: "sslrootcert", error: ErrorKind::NotFound };
        for (url, expected) in [
            ("hunter2", InvalidServer::Unreadable),
            ("", InvalidServer::Unreadable),
            ("postgres://user:hunter2@db:port/ado", InvalidServer::Unreadable),
            ("mysql://user:hunter2@localhost/ado", InvalidServer::Scheme),
            ("postgres://localhost/ado?sslmode=hunter2", InvalidServer::Value),
            ("postgres://localhost/ado?port=hunter2", InvalidServer::Value),
            ("postgres://localhost/ado?hunter2=1", InvalidServer::Parameter),
            ("postgres://localhost/ado?options=-csearch_path=hunter2", InvalidServer::Parameter),
            ("postgres://user:hunter2@localhost", InvalidServer::Database),
            ("postgres://localhost/ado?sslrootcert=/hunter2", absent),
        ] {
            let refused = Server::parse(url).map(drop).unwrap_err();
            assert_eq!(refused, expected, "{url}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
        }
        let server = Server::parse("postgres://user:hunter2@localhost/ado").unwrap();
        assert!(!format!("{server:?}").contains("hunter2"), "{server:?}");
    }
}

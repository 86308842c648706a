//! A client that trusts the simulator's authority.

use std::path::PathBuf;

use ado_simulator::{Options, Quirks, Simulator};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value;

/// An answer, read completely.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn type_key(&self) -> String {
        self.json()["typeKey"].as_str().unwrap_or_default().to_owned()
    }
}

/// A simulator and a client for it.
pub struct Bench {
    pub simulator: Simulator,
    pub client: Client,
}

pub async fn bench() -> Bench {
    bench_with(Options::default()).await
}

pub async fn bench_with_quirks(quirks: Quirks) -> Bench {
    bench_with(Options { quirks, ..Options::default() }).await
}

pub async fn bench_with(options: Options) -> Bench {
    let simulator = Simulator::start(options).await.unwrap();
    let client = client(simulator.ca_pem(), simulator.address());
    Bench { simulator, client }
}

/// A client that follows no redirect and trusts this authority alone.
pub fn client(ca_pem: &str, address: std::net::SocketAddr) -> Client {
    // A second test of the process finds the provider installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([ca])
        .redirect(redirect::Policy::none())
        .resolve("contoso.visualstudio.com", address)
        .build()
        .unwrap()
}

impl Bench {
    /// A request below the organization's URL.
    pub async fn send(&self, pat: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let content_type =
            if path.contains("/workitems/") { "application/json-patch+json" } else { "application/json" };
        let url = format!("{}{path}", self.simulator.url());
        let mut request = self.client.request(method, url);
        if !pat.is_empty() {
            request = request.basic_auth("", Some(self.simulator.pat(pat).unwrap()));
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, content_type).body(body.to_string());
        }
        answer(request.send().await.unwrap()).await
    }

    pub async fn get(&self, pat: &str, path: &str) -> Answer {
        self.send(pat, Method::GET, path, None).await
    }

    pub async fn post(&self, pat: &str, path: &str, body: Value) -> Answer {
        self.send(pat, Method::POST, path, Some(body)).await
    }

    /// 200, and the JSON.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get("full", path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }

    /// Ids that a query finds in a project.
    pub async fn query(&self, project: &str, query: &str, parameters: &str) -> Answer {
        let path = format!("/{project}/_apis/wit/wiql?api-version=7.1{parameters}");
        self.post("full", &path, serde_json::json!({"query": query})).await
    }

    /// A request to the control API.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.simulator.control_url()));
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        answer(request.send().await.unwrap()).await
    }
}

pub async fn answer(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// A folder named by a variable, else beside the workspace; `None`, with a line, where it is absent.
pub fn test_data(variable: &str, default: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(default));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: the folder {} is absent (set {variable})", folder.display());
    None
}

//! The first limit of a sync: the same pages, downloaded and thrown away.

use serde_json::Value;
use tokio::time::Instant;

use crate::Outcome;
use crate::ground::{Ado, Asked, bare_client};

/// What a download came to.
#[derive(Clone, Copy, Debug)]
pub struct Download {
    /// How long it took.
    pub seconds: f64,
    /// What came, in MB (10⁶ bytes).
    pub megabytes: f64,
    /// Number of pages.
    pub pages: usize,
}

/// Sends the requests for pages again that a sync sent, one after the other as it must, and reads the answers without looking
/// at them. The tokens are known from the journal, so nothing is parsed.
pub async fn download(ado: &Ado, token: &str, asked: &[Asked], revisions_body: &Value) -> Outcome<Download> {
    let pages: Vec<&Asked> = asked.iter().filter(|asked| asked.route.contains("/wit/reporting/")).collect();
    let client = bare_client(&ado.ca)?;
    let body = revisions_body.to_string();
    let mut bytes = 0_usize;
    let started = Instant::now();
    for page in &pages {
        let url = format!("{}{}", ado.origin(), page.target);
        let mut request = client.request(page.method.parse()?, url).basic_auth("", Some(token));
        if page.method == "POST" {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        let mut answer = request.send().await?.error_for_status()?;
        while let Some(chunk) = answer.chunk().await? {
            bytes += chunk.len();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let megabytes = f64::from(u32::try_from(bytes / 1_000)?) / 1e3;
    Ok(Download { seconds, megabytes, pages: pages.len() })
}

//! Faults on demand: which requests they strike, how often, and what happens to those.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::state::random;

/// What a fault does to a request that it strikes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// 203 with an HTML sign-in page.
    SignInPage,
    /// 302 to `/_signin`.
    Redirect,
    /// This status with an envelope (401: empty body and challenge), optionally with `Retry-After` in seconds.
    Status {
        /// 400 to 599.
        code: u16,
        /// Seconds in `Retry-After`.
        retry_after: Option<u32>,
    },
    /// 429 TF400733 with `Retry-After` and the rate limit headers.
    TooManyRequests {
        /// Seconds in `Retry-After`.
        retry_after: u32,
    },
    /// The right answer after a delay (at most 120 s); with `retry_after` also the headers of a throttled 200.
    Delay {
        /// Milliseconds to wait.
        milliseconds: u64,
        /// Seconds in `Retry-After`.
        retry_after: Option<u32>,
    },
    /// The right answer, whose connection breaks after this many bytes of the body.
    CutBody {
        /// Bytes sent before the cut.
        after_bytes: usize,
    },
    /// The connection is reset before anything is done.
    Reset,
    /// The request is carried out, then the connection is reset: the reply is lost.
    LoseReply,
    /// 200 with an HTML sign-in page.
    HtmlOk,
    /// 200 with an HTML page of somebody in between, such as a captive portal: without the service's headers.
    ForeignPage,
    /// 200 with JSON that breaks off.
    MalformedJson,
    /// 200 with JSON of another shape.
    WrongShape,
    /// 200 with a JSON string of about this many bytes.
    Oversized {
        /// Length of the body.
        bytes: u64,
    },
    /// 200 whose body drips and never ends.
    SlowBody {
        /// Milliseconds between the drips.
        interval_milliseconds: u64,
    },
    /// 200 with an empty body.
    EmptyOk,
    /// The right answer, in whose body each of these texts is replaced by the one beside it.
    Rewrite {
        /// Texts and what takes their place.
        texts: Vec<(String, String)>,
    },
    /// Exactly this answer.
    Answer {
        /// The status.
        status: u16,
        /// The content type; absent for none.
        content_type: Option<String>,
        /// The body.
        body: String,
    },
}

/// A fault as a test describes it. Criteria left out match everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The method to strike.
    #[serde(default)]
    pub method: Option<String>,
    /// A glob on the path as sent, without the query (`*` stands for any text), compared without case.
    #[serde(default)]
    pub path: Option<String>,
    /// A glob on the route template, such as `*/_apis/wit/wiql`, compared without case.
    #[serde(default)]
    pub route: Option<String>,
    /// Only requests with a token of this identity.
    #[serde(default)]
    pub identity: Option<Uuid>,
    /// Only batch reads that ask for this work item.
    #[serde(default)]
    pub item: Option<u32>,
    /// Matching requests that are spared at first.
    #[serde(default)]
    pub skip: u64,
    /// Requests to strike before the fault is spent; absent for no end.
    #[serde(default)]
    pub count: Option<u64>,
    /// Probability from 0 to 1, drawn from the seed; absent for always.
    #[serde(default)]
    pub probability: Option<f64>,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// A fault that strikes every request.
    pub fn always(effect: Effect) -> Self {
        Self {
            method: None,
            path: None,
            route: None,
            identity: None,
            item: None,
            skip: 0,
            count: None,
            probability: None,
            effect,
        }
    }

    /// A fault on the requests whose path matches a glob.
    pub fn on_path(glob: &str, effect: Effect) -> Self {
        Self { path: Some(glob.to_owned()), ..Self::always(effect) }
    }

    /// A fault on the requests whose route template matches a glob.
    pub fn on_route(glob: &str, effect: Effect) -> Self {
        Self { route: Some(glob.to_owned()), ..Self::always(effect) }
    }

    /// Struck at most `count` times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests of this identity.
    #[must_use]
    pub fn identity(mut self, identity: Uuid) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Only batch reads that ask for this work item.
    #[must_use]
    pub fn item(mut self, id: u32) -> Self {
        self.item = Some(id);
        self
    }

    /// After sparing `skip` requests.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// With this probability.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    fn matches(&self, request: &Struck<'_>) -> bool {
        let method = self.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(request.method));
        let path = self.path.as_deref().is_none_or(|pattern| glob(pattern, request.path));
        let route = self.route.as_deref().is_none_or(|pattern| glob(pattern, request.route));
        let item = || self.item.is_none_or(|id| request.asks_for(id));
        method && path && route && self.identity.is_none_or(|identity| request.identity == Some(identity)) && item()
    }
}

/// What faults are matched against.
pub(crate) struct Struck<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub route: &'a str,
    pub identity: Option<Uuid>,
    pub body: &'a [u8],
}

impl Struck<'_> {
    /// Whether the work item is among the `ids` of the body.
    fn asks_for(&self, id: u32) -> bool {
        let body: serde_json::Value = serde_json::from_slice(self.body).unwrap_or_default();
        body["ids"].as_array().is_some_and(|ids| ids.iter().any(|asked| *asked == id))
    }
}

/// A fault in force.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArmedFault {
    /// Names the fault in the control API.
    pub id: u64,
    /// Requests that matched so far.
    pub seen: u64,
    /// Requests that were struck so far.
    pub struck: u64,
    /// The description.
    pub fault: Fault,
}

/// The faults in force; the first that strikes wins.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    next: u64,
    armed: Vec<ArmedFault>,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 1, armed: Vec::new() }
    }

    pub fn add(&mut self, fault: Fault) -> u64 {
        let id = self.next;
        self.next += 1;
        self.armed.push(ArmedFault { id, seen: 0, struck: 0, fault });
        id
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }

    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.armed.len();
        self.armed.retain(|armed| armed.id != id);
        self.armed.len() != before
    }

    pub fn list(&self) -> Vec<ArmedFault> {
        self.armed.clone()
    }

    /// The effect on this request, if one strikes.
    pub fn strike(&mut self, request: &Struck<'_>) -> Option<Effect> {
        for armed in &mut self.armed {
            if !armed.fault.matches(request) {
                continue;
            }
            armed.seen += 1;
            let spent = armed.fault.count.is_some_and(|count| armed.struck >= count);
            if spent || armed.seen <= armed.fault.skip {
                continue;
            }
            let drawn = random::unit(random::mix(self.seed, armed.id, armed.seen));
            if armed.fault.probability.is_some_and(|probability| drawn >= probability) {
                continue;
            }
            armed.struck += 1;
            return Some(armed.fault.effect.clone());
        }
        None
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text; without case.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pattern.rsplit_once('*').map(|(_, last)| last) else { return rest.is_empty() };
    let middle: Vec<&str> = parts.collect();
    for part in &middle[..middle.len().saturating_sub(1)] {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(path: &'a str, route: &'a str) -> Struck<'a> {
        Struck { method: "GET", path, route, identity: None, body: b"" }
    }

    #[test]
    fn globs_match_anywhere_a_star_stands() {
        assert!(glob("*/_apis/wit/wiql", "/{organization}/{project}/{team}/_apis/wit/wiql"));
        assert!(glob("/contoso/*/wit/*", "/contoso/p/_apis/WIT/workitemsbatch"));
        assert!(!glob("/contoso/_apis", "/contoso/_apis/projects"));
        assert!(!glob("*/a/*/b", "/x/a/b"));
        assert!(glob("*", ""));
    }

    #[test]
    fn a_fault_spares_the_first_and_is_spent_at_its_count() {
        let mut faults = Faults::new(1);
        faults.add(Fault::on_path("*/projects", Effect::Reset).after(1).times(2));
        let struck: Vec<bool> = (0..5).map(|_| faults.strike(&request("/o/projects", "")).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.strike(&request("/o/other", "")).is_none());
    }

    #[test]
    fn probability_is_drawn_from_the_seed() {
        let draw = |seed| {
            let mut faults = Faults::new(seed);
            faults.add(Fault::always(Effect::Reset).probability(0.3));
            (0..1000).map(|_| faults.strike(&request("/", "")).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let struck = draw(7).iter().filter(|hit| **hit).count();
        assert!((200..400).contains(&struck), "{struck}");
    }

    #[test]
    fn a_fault_reads_from_json_and_refuses_unknown_members() {
        let text = r#"{"route":"*/wiql","count":1,"effect":{"kind":"tooManyRequests","retryAfter":5}}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(fault, Fault::on_route("*/wiql", Effect::TooManyRequests { retry_after: 5 }).times(1));
        assert!(serde_json::from_str::<Fault>(r#"{"effect":{"kind":"reset"},"pathh":"x"}"#).is_err());
    }
}

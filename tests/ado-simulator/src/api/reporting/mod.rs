//! The reporting feeds (`ado-api.md` §9 *Reporting*; recorded in `wit/reporting-*`). Pages are written straight into the
//! body: no value is built per item, and nothing is sorted.

mod links;
mod revisions;
mod show;

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

pub(super) use links::list as links;
pub(super) use revisions::{ask as revisions_posted, list as revisions};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::quirks::ReportingRefusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::organization::Organization;

/// What both feeds begin with: the way out for a client without them, and the parameters that exclude each other.
fn open(call: &Call<'_>, world: &World) -> Result<Scope, Refusal> {
    match call.quirks.reporting_refusal {
        Some(ReportingRefusal::NotFound) => {
            return Err(Refusal::not_found("VssResourceNotFoundException", "The reporting resource was not found."));
        }
        Some(ReportingRefusal::Forbidden) => {
            return Err(Refusal::access_denied(&call.identity(world)?.display_name, "View work items for reporting"));
        }
        None => {}
    }
    let project = call.project_index(world)?;
    let token = call.query("continuationToken").filter(|token| !token.is_empty());
    let start = call.query("startDateTime").filter(|text| !text.is_empty());
    if token.is_some() && start.is_some() {
        return Err(Refusal::argument("The parameters continuationToken and startDateTime exclude each other."));
    }
    let start = start.map(|text| super::moment(text).ok_or_else(|| bad_date(text))).transpose()?;
    let readable = call.readable(world)?;
    if project.is_some_and(|project| !readable[project]) {
        return Err(Refusal::access_denied(&call.identity(world)?.display_name, "View work items in this node"));
    }
    Ok(Scope { project, start, readable })
}

fn bad_date(text: &str) -> Refusal {
    Refusal::argument(format!("The value '{text}' is not a date. Parameter name: startDateTime"))
}

/// A token that this feed did not give.
fn bad_token(token: &str) -> Refusal {
    let message = format!("The continuation token '{token}' is not valid.");
    Refusal::tracking(StatusCode::BAD_REQUEST, "InvalidContinuationTokenException", message)
}

/// Where a feed is asked for.
struct Scope {
    /// The project of the URL.
    project: Option<usize>,
    /// Only changes after this moment, in milliseconds of the Unix epoch.
    start: Option<i64>,
    /// Which projects the caller may read work items of.
    readable: Vec<bool>,
}

/// Types by process and place, of which the feed gives changes.
struct Types(Vec<Vec<bool>>);

impl Types {
    /// The types of these names in any process; a name that no process has or had is refused.
    fn named(organization: &Organization, names: &[String]) -> Result<Self, Refusal> {
        let is = |name: &String, candidate: &str| name.eq_ignore_ascii_case(candidate);
        let all = || organization.processes.iter().flat_map(|process| &process.types);
        if let Some(unknown) = names.iter().find(|name| !all().any(|kind| is(name, &kind.name))) {
            let message = format!("VS402323: Work item type {unknown} does not exist.");
            return Err(Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemTypeNotFoundException", message));
        }
        let wanted = |kind: &str| names.iter().any(|name| is(name, kind));
        let processes = organization.processes.iter();
        Ok(Self(processes.map(|process| process.types.iter().map(|kind| wanted(&kind.name)).collect()).collect()))
    }

    fn has(&self, process: usize, kind: u16) -> bool {
        self.0.get(process).and_then(|types| types.get(usize::from(kind))).copied().unwrap_or(false)
    }
}

/// Names of a list in the query (separated by commas) or in the body; `None` if it is absent or empty.
fn names(call: &Call<'_>, name: &str) -> Option<Vec<String>> {
    let from_query = call.list(name).map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let from_body = || {
        let list = call.member(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    from_query.or_else(from_body).filter(|names| !names.is_empty())
}

/// A page under construction.
struct Page {
    body: Vec<u8>,
    count: usize,
}

impl Page {
    fn new() -> Self {
        Self { body: b"{\"values\":[".to_vec(), count: 0 }
    }

    fn add(&mut self, value: &impl Serialize) -> Result<(), Refusal> {
        if self.count > 0 {
            self.body.push(b',');
        }
        self.count += 1;
        serde_json::to_writer(&mut self.body, value)
            .map_err(|error| Refusal::service(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
    }

    /// Ends the page with its token. `next` is there on the last page too (recorded).
    fn end(mut self, call: &Call<'_>, world: &World, feed: &str, token: &str, last: bool) -> Outcome {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Tail<'a> {
            next_link: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            continuation_token: Option<&'a str>,
            is_last_batch: bool,
        }
        let base = match call.project_index(world)? {
            Some(project) => call.project_base(&call.organization(world).projects[project]),
            None => call.base().to_owned(),
        };
        let changed = ["continuationToken", "startDateTime"];
        let query = call.target.query.iter();
        let kept = query.filter(|(name, _)| !changed.iter().any(|other| other.eq_ignore_ascii_case(name)));
        let mut next_link = format!("{base}/_apis/wit/reporting/{feed}?continuationToken={token}");
        for (name, value) in kept {
            next_link.extend(["&", name, "=", &super::nodes::encode(value)]);
        }
        let hidden = last && call.quirks.reporting_last_token_in_next_link_only;
        let tail = Tail { next_link, continuation_token: (!hidden).then_some(token), is_last_batch: last };
        let tail = serde_json::to_vec(&tail).unwrap_or_default();
        self.body.extend_from_slice(b"],");
        self.body.extend_from_slice(&tail[1..]);
        Ok(Reply::reporting(self.body))
    }
}

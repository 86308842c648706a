//! The reporting feeds: what changed in a project since a time or a token (`ado-api.md` §9).

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{LinkChange, ProjectId, Revision};
use super::page::{FeedToken, MAX_ELEMENT, Page, PageLimits};
use super::route::{Call, Route};

pub(super) static REVISIONS: Route = Route::ask("work items", "{project}/_apis/wit/reporting/workitemrevisions");
pub(super) static LINKS: Route = Route::get("work items", "{project}/_apis/wit/reporting/workitemlinks");

/// Where the reading of a feed starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedStart {
    /// With the oldest entry.
    Beginning,
    /// With what changed after this time.
    Since(Timestamp),
    /// Where an earlier page ended.
    Token(FeedToken),
}

impl FeedStart {
    /// The token excludes the time.
    fn add_to(&self, call: Call) -> Call {
        match self {
            Self::Beginning => call,
            Self::Since(time) => call.query("startDateTime", time),
            Self::Token(token) => call.query("continuationToken", token),
        }
    }

    fn token(&self) -> Option<FeedToken> {
        match self {
            Self::Beginning | Self::Since(_) => None,
            Self::Token(token) => Some(token.clone()),
        }
    }
}

/// What a page of revisions holds. It must stay the same from page to page of one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionsQuery<'a> {
    /// Reference names of the fields; none given means all but long texts. One that the organization does not have is refused.
    pub fields: &'a [&'a str],
    /// Long texts too, among the fields given.
    pub long_texts: bool,
    /// Only the newest revision of each item.
    pub latest_only: bool,
    /// Items in the recycle bin too.
    pub deleted: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RevisionsBody<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [&'a str],
    include_latest_only: bool,
    include_deleted: bool,
}

impl AdoClient {
    /// A page of the revisions of a project's work items. An item that was moved to another project, or whose rights were taken
    /// away, is just not told of any more.
    pub async fn revisions(
        &self,
        project: &ProjectId,
        query: &RevisionsQuery<'_>,
        start: &FeedStart,
    ) -> Result<Page<Revision>, AdoError> {
        let body = RevisionsBody {
            fields: query.fields,
            include_latest_only: query.latest_only,
            include_deleted: query.deleted,
        };
        let call = start.add_to(Call::new(&REVISIONS, &[&project.to_string()]));
        // The service takes it with fields only (`ado-api.md` §9).
        let is_expanded = query.long_texts && !query.fields.is_empty();
        let call = if is_expanded { call.query("$expand", "fields") } else { call };
        self.page(call.json(&body), start).await
    }

    /// A page of the changes of links that a project's items have. With `types` only those, named without direction; none
    /// given means all.
    pub async fn link_changes(
        &self,
        project: &ProjectId,
        types: &[&str],
        start: &FeedStart,
    ) -> Result<Page<LinkChange>, AdoError> {
        let call = start.add_to(Call::new(&LINKS, &[&project.to_string()]));
        let call = if types.is_empty() { call } else { call.query("linkTypes", types.join(",")) };
        self.page(call, start).await
    }

    async fn page<T: DeserializeOwned>(&self, call: Call, start: &FeedStart) -> Result<Page<T>, AdoError> {
        let limits = PageLimits {
            element: MAX_ELEMENT.min(self.limits().max_answer),
            idle: self.limits().idle,
            total: self.limits().streaming,
        };
        Ok(Page::new(self.begin(call).await?, limits, start.token()))
    }
}

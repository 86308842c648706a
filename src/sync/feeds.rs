//! The reporting feeds of a project, read from where they ended last (`ado-api.md` §9): the first read and every later one are
//! the same, only that the first one begins at the beginning.

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::SyncError;
use crate::ado::model::{LinkChange, ProjectId, Revision};
use crate::ado::{AdoClient, AdoError, Defect, Fed, FeedStart, FeedToken, Page, PageEnd, Priority, RevisionsQuery};
use crate::store::{Feed, LinkRecord, Scope, Store, WorkItemId, WorkItemRecord};

/// Elements that are written at a time.
const PART: usize = 1_000;

/// Pages in a row without anything in them, after which a feed has no end.
const EMPTY_PAGES: u32 = 100;

/// The links that mean something to us.
const LINK_TYPES: [&str; 3] = [HIERARCHY, "Microsoft.VSTS.Common.TestedBy", "System.LinkTypes.Related"];

/// Links between parents (source) and children (target).
pub const HIERARCHY: &str = "System.LinkTypes.Hierarchy";

/// Whether an item is in the recycle bin.
const IS_DELETED: &str = "System.IsDeleted";

/// What to read, for whom.
pub struct FeedRead<'a> {
    /// Client of the integration.
    pub client: &'a AdoClient,
    /// Where it goes.
    pub store: &'a Store,
    /// Whose raw data it is.
    pub scope: Scope,
    /// The project.
    pub project: ProjectId,
    /// Fields to read of every work item.
    pub fields: &'a [String],
    /// Asked before every request: whether the read may go on.
    pub permitted: &'a (dyn Fn() -> BoxFuture<'a, bool> + Send + Sync),
}

/// What a read of the feeds came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FeedReport {
    /// Revisions that were read.
    pub items: u64,
    /// Elements that were too large to be read.
    pub set_aside: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Whether anything in the store is different from before.
    pub changed: bool,
    /// The whole project was read, because nothing was known of where the feed ended.
    pub whole: bool,
}

impl FeedRead<'_> {
    /// Reads both feeds to their present ends. Gives None where the service does not offer them.
    pub async fn run(&self) -> Result<Option<FeedReport>, SyncError> {
        let mut report = FeedReport::default();
        for feed in [Feed::Revisions, Feed::Links] {
            match self.read(feed, &mut report).await {
                Ok(()) => {}
                Err(SyncError::Ado(error)) if is_refusal(&error) && feed == Feed::Revisions => return Ok(None),
                // Parents are then those that the items themselves name.
                Err(SyncError::Ado(error)) if is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(report))
    }

    async fn read(&self, feed: Feed, report: &mut FeedReport) -> Result<(), SyncError> {
        let stored = self.store.feed_token(self.scope, feed).await?;
        let known = stored.and_then(|token| FeedToken::try_from(token).ok());
        let start = known.clone().map_or(FeedStart::Beginning, FeedStart::Token);
        match self.pages(feed, start, report).await {
            // A token that the service does not know any more: all is read again, and what is stored stays meanwhile.
            Err(SyncError::Ado(AdoError::BadRequest(_))) if known.is_some() => {
                self.store.forget_feed(self.scope, feed).await?;
                self.pages(feed, FeedStart::Beginning, report).await
            }
            done => done,
        }
    }

    async fn pages(&self, feed: Feed, mut start: FeedStart, report: &mut FeedReport) -> Result<(), SyncError> {
        let client = self.client.with_priority(Priority::Full).patient();
        report.whole |= feed == Feed::Revisions && start == FeedStart::Beginning;
        let mut empty = 0;
        loop {
            if !(self.permitted)().await {
                return Err(SyncError::Withdrawn);
            }
            report.requests += 1;
            let (end, elements) = match feed {
                Feed::Revisions => self.revisions(&client, &start, report).await?,
                Feed::Links => self.links(&client, &start, report).await?,
            };
            let PageEnd::More(token) = end else { return Ok(()) };
            empty = if elements == 0 { empty + 1 } else { 0 };
            if empty > EMPTY_PAGES {
                let host = client.organization().host().to_string();
                return Err(AdoError::Malformed { host, defect: Defect::Endless }.into());
            }
            start = FeedStart::Token(token);
        }
    }

    async fn revisions(
        &self,
        client: &AdoClient,
        start: &FeedStart,
        report: &mut FeedReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).chain([IS_DELETED]).collect();
        let query = RevisionsQuery { fields: &fields, long_texts: false, latest_only: true, deleted: true };
        let mut page = client.revisions(&self.project, &query, start).await?;
        let mut elements = 0;
        loop {
            let (part, end) = part(&mut page, report).await?;
            elements += part.len();
            report.items += part.len() as u64;
            let (items, deleted) = records(&part);
            let token = end.as_ref().and_then(token);
            let changed = self.store.put_revisions(self.scope, &items, &deleted, token.as_deref()).await?;
            report.changed |= changed > 0;
            if let Some(end) = end {
                return Ok((end, elements));
            }
        }
    }

    async fn links(
        &self,
        client: &AdoClient,
        start: &FeedStart,
        report: &mut FeedReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        let mut page = client.link_changes(&self.project, &LINK_TYPES, start).await?;
        let mut elements = 0;
        loop {
            let (part, end) = part(&mut page, report).await?;
            elements += part.len();
            let links: Vec<LinkRecord> = part.iter().filter_map(link).collect();
            let token = end.as_ref().and_then(token);
            let changed = self.store.put_links(self.scope, &links, token.as_deref()).await?;
            report.changed |= changed > 0;
            if let Some(end) = end {
                return Ok((end, elements));
            }
        }
    }
}

/// The service does not offer the feed, or not to this credential; the items themselves may be readable all the same.
fn is_refusal(error: &AdoError) -> bool {
    matches!(
        error,
        AdoError::NotFound(_) | AdoError::Forbidden(_) | AdoError::BadRequest(_) | AdoError::VersionNotServed(_)
    )
}

/// Where the feed goes on behind a page.
fn token(end: &PageEnd) -> Option<String> {
    match end {
        PageEnd::More(token) | PageEnd::Last(Some(token)) => Some(token.to_string()),
        PageEnd::Last(None) => None,
    }
}

/// The next elements of a page, and its end if it is reached. What is too large is counted and passed over.
async fn part<T: DeserializeOwned>(
    page: &mut Page<T>,
    report: &mut FeedReport,
) -> Result<(Vec<T>, Option<PageEnd>), SyncError> {
    let mut part = Vec::new();
    while part.len() < PART {
        match page.next().await? {
            Fed::One(element) => part.push(element),
            Fed::TooLarge { .. } => report.set_aside += 1,
            Fed::End(end) => return Ok((part, Some(end))),
        }
    }
    Ok((part, None))
}

/// Revisions as they are stored, and which of them are in the recycle bin.
fn records(revisions: &[Revision]) -> (Vec<WorkItemRecord>, Vec<WorkItemId>) {
    let mut deleted = Vec::new();
    let records = revisions.iter().map(|revision| {
        let mut fields: Map<String, Value> = serde_json::from_str(revision.fields.get()).unwrap_or_default();
        if fields.remove(IS_DELETED).is_some_and(|value| value == Value::Bool(true)) {
            deleted.push(WorkItemId::from(revision.id.0));
        }
        super::records::record(revision.id, revision.rev, &fields)
    });
    let records = records.collect();
    (records, deleted)
}

/// A change of a link. One whose time cannot be read counts as older than any other.
fn link(change: &LinkChange) -> Option<LinkRecord> {
    let changed: Option<Timestamp> = change.changed_date.parse().ok();
    LINK_TYPES.iter().any(|known| known.eq_ignore_ascii_case(&change.rel)).then(|| LinkRecord {
        rel: change.rel.clone(),
        source: change.source_id.0.into(),
        target: change.target_id.0.into(),
        changed_at: changed.map_or(0, Timestamp::as_millisecond),
        is_active: change.is_active,
    })
}

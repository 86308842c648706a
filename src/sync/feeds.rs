//! The reporting feeds of a project, read from where they ended last (`ado-api.md` §9): the first read and every later one are
//! the same, only that the first one begins at the beginning.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::SyncError;
use super::pull::PullReport;
use super::reading::Reading;
use super::records::record;
use crate::ado::model::{LinkChange, Revision};
use crate::ado::{AdoClient, AdoError, Defect, Fed, FeedStart, FeedToken, Page, PageEnd, RevisionsQuery};
use crate::store::{Feed, LinkRecord, WorkItemId, WorkItemRecord};

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

/// How far a read of the feeds reached back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// To where the last one ended.
    Changes,
    /// To the beginning.
    Everything {
        /// Whether nothing was stored before, so that nothing that is stored can be gone.
        is_first: bool,
    },
}

/// A read of what changed.
pub struct FeedRead<'a>(pub Reading<'a>);

impl FeedRead<'_> {
    /// Reads both feeds to their present ends. Gives None where the service does not offer them.
    pub async fn run(&self, report: &mut PullReport) -> Result<Option<Extent>, SyncError> {
        let extent = match self.read(Feed::Revisions, report).await {
            Err(SyncError::Ado(error)) if is_refusal(&error) => return Ok(None),
            extent => extent?,
        };
        match self.read(Feed::Links, report).await {
            // Parents are then those that the items themselves name.
            Err(SyncError::Ado(error)) if is_refusal(&error) => Ok(Some(extent)),
            read => read.map(|_| Some(extent)),
        }
    }

    async fn read(&self, feed: Feed, report: &mut PullReport) -> Result<Extent, SyncError> {
        let Reading { store, scope, .. } = self.0;
        let stored = store.feed_token(scope, feed).await?;
        if let Some(token) = stored.and_then(|token| FeedToken::try_from(token).ok()) {
            match self.pages(feed, FeedStart::Token(token), report).await {
                // A token that the service does not know any more: all is read again, and what is stored stays meanwhile.
                Err(SyncError::Ado(AdoError::BadRequest(_))) => store.forget_feed(scope, feed).await?,
                done => return done.map(|()| Extent::Changes),
            }
        }
        let is_first = store.items_above(scope, 0, 1).await?.is_empty();
        self.pages(feed, FeedStart::Beginning, report).await?;
        Ok(Extent::Everything { is_first })
    }

    async fn pages(&self, feed: Feed, mut start: FeedStart, report: &mut PullReport) -> Result<(), SyncError> {
        let client = self.0.patient_client();
        let mut empty = 0;
        loop {
            self.0.check_permission().await?;
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
        report: &mut PullReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        let Reading { store, scope, project, fields, .. } = self.0;
        let fields: Vec<&str> = fields.iter().map(String::as_str).chain([IS_DELETED]).collect();
        let query = RevisionsQuery { fields: &fields, long_texts: false, latest_only: true, deleted: true };
        let mut page = client.revisions(&project, &query, start).await?;
        let mut elements = 0;
        loop {
            let (part, end) = part(&mut page, report).await?;
            elements += part.len();
            report.items += part.len() as u64;
            let (items, deleted) = records(part);
            let token = end.as_ref().and_then(token);
            let changed = store.put_revisions(scope, &items, &deleted, token.as_deref()).await?;
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
        report: &mut PullReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        let mut page = client.link_changes(&self.0.project, &LINK_TYPES, start).await?;
        let mut elements = 0;
        loop {
            let (part, end) = part(&mut page, report).await?;
            elements += part.len();
            let links: Vec<LinkRecord> = part.iter().filter_map(link).collect();
            let token = end.as_ref().and_then(token);
            let changed = self.0.store.put_links(self.0.scope, &links, token.as_deref()).await?;
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
    report: &mut PullReport,
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
fn records(revisions: Vec<Revision>) -> (Vec<WorkItemRecord>, Vec<WorkItemId>) {
    let mut deleted = Vec::new();
    let record_of = |Revision { id, rev, fields }| {
        let mut fields: Map<String, Value> = serde_json::from_str(RawValue::get(&fields)).unwrap_or_default();
        if fields.remove(IS_DELETED) == Some(Value::Bool(true)) {
            deleted.push(WorkItemId::from(id.0));
        }
        record(id, rev, fields)
    };
    let records = revisions.into_iter().map(record_of).collect();
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

//! The reporting feeds of a project, read from where they ended last (`ado-api.md` §9): the first read and every later one are
//! the same, only that the first one begins at the beginning.

use futures::FutureExt as _;
use futures::future::join;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::SyncError;
use super::aside::Left;
use super::batches;
use super::fields::short;
use super::pull::PullReport;
use super::reading::Reading;
use super::records::{Gathered, record};
use super::writing::{self, Writer};
use crate::ado::model::{LinkChange, Revision, WorkItemId};
use crate::ado::{AdoClient, AdoError, Defect, Fed, FeedStart, FeedToken, Page, PageEnd, RevisionsQuery};
use crate::store::{self, Feed, LinkRecord};

/// Elements of a part. Pages of the service's usual sizes are one part.
const PART: usize = 2_000;

/// Bytes of fields in a part; one element may go beyond. About ten parts are held in memory.
const PART_BYTES: usize = 2 << 20;

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
    ///
    /// `all_links` reads all links anew: a link between two items is told of when it changes, which for items that come from
    /// another project was before they were here.
    pub async fn run(&self, all_links: bool, report: &mut PullReport) -> Result<Option<Extent>, SyncError> {
        let extent = match self.read(Feed::Revisions, false, report).await {
            Err(SyncError::Ado(error)) if is_refusal(&error) => return Ok(None),
            extent => extent?,
        };
        match self.read(Feed::Links, all_links, report).await {
            // Parents are then those that the items themselves name.
            Err(SyncError::Ado(error)) if is_refusal(&error) => Ok(Some(extent)),
            read => read.map(|_| Some(extent)),
        }
    }

    async fn read(&self, feed: Feed, anew: bool, report: &mut PullReport) -> Result<Extent, SyncError> {
        let Reading { store, scope, .. } = self.0;
        let stored = if anew { None } else { store.feed_token(scope, feed).await? };
        if let Some(token) = stored.and_then(|token| FeedToken::try_from(token).ok()) {
            match self.read_from(feed, FeedStart::Token(token), report).await {
                // A token that the service does not know any more: all is read again, and what is stored stays meanwhile. So
                // does the token until there is another one: it may be something else that was refused.
                Err(SyncError::Ado(AdoError::BadRequest(_))) => {}
                done => return done.map(|()| Extent::Changes),
            }
        }
        let is_first = store.items_above(scope, 0, 1).await?.is_empty();
        self.read_from(feed, FeedStart::Beginning, report).await?;
        Ok(Extent::Everything { is_first })
    }

    /// Reads a feed into the store, up to its present end.
    async fn read_from(&self, feed: Feed, start: FeedStart, report: &mut PullReport) -> Result<(), SyncError> {
        let Reading { store, scope, .. } = self.0;
        let (writer, orders) = writing::channel();
        let read = self.pages(feed, start, writer, report).boxed();
        let (read, changed) = join(read, writing::write(store, scope, feed, orders).boxed()).await;
        // A reader whose writer fails ends as well; why, the writer knows.
        report.changed |= changed? > 0;
        read
    }

    async fn pages(
        &self,
        feed: Feed,
        mut start: FeedStart,
        writer: Writer,
        report: &mut PullReport,
    ) -> Result<(), SyncError> {
        let client = self.0.patient_client();
        let mut empty = 0;
        loop {
            let (end, elements) = match self.page(&client, feed, &start, &writer, Texts::InPage, report).await {
                // A page is cut for its size, or fails for what is in it, and both are mostly the long texts.
                Err(SyncError::Ado(error)) if is_broken(&error) => {
                    self.page(&client, feed, &start, &writer, Texts::Apart, report).await?
                }
                read => read?,
            };
            let PageEnd::More(token) = end else { return Ok(()) };
            self.0.tell(report).await?;
            empty = if elements == 0 { empty + 1 } else { 0 };
            if empty > EMPTY_PAGES {
                let host = client.organization().host().to_string();
                return Err(AdoError::Malformed { host, defect: Defect::Endless }.into());
            }
            start = FeedStart::Token(token);
        }
    }

    /// Reads a page into the store, and gives its end and the number of its elements.
    async fn page(
        &self,
        client: &AdoClient,
        feed: Feed,
        start: &FeedStart,
        writer: &Writer,
        texts: Texts,
        report: &mut PullReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        self.0.check_permission().await?;
        report.requests += 1;
        match feed {
            Feed::Revisions => self.revisions(client, start, writer, texts, report).await,
            Feed::Links => self.links(client, start, writer, report).await,
        }
    }

    async fn revisions(
        &self,
        client: &AdoClient,
        start: &FeedStart,
        writer: &Writer,
        texts: Texts,
        report: &mut PullReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        let Reading { store, scope, project, fields, .. } = self.0;
        let wanted = match texts {
            Texts::InPage => fields.iter().map(String::as_str).collect(),
            Texts::Apart => short(fields),
        };
        let is_apart = wanted.len() < fields.len();
        let fields: Vec<&str> = wanted.into_iter().chain([IS_DELETED]).collect();
        let query = RevisionsQuery { fields: &fields, long_texts: !is_apart, latest_only: true, deleted: true };
        let mut page = client.revisions(&project, &query, start).await?;
        let (mut elements, mut left) = (0, Left::default());
        loop {
            let part = part(&mut page, |revision: &Revision| revision.fields.get().len()).await?;
            elements += part.count();
            report.items += part.elements.len() as u64;
            let (gathered, deleted) = records(part.elements, is_apart, &mut left);
            left.odd.extend(part.odd);
            left.large.extend(part.large);
            report.set_aside += part.nameless + gathered.set_aside.len() as u64;
            let token = part.end.as_ref().and_then(token);
            let known = token.clone().filter(|_| left.is_empty());
            writer.put(writing::Part { gathered, deleted, token: known, ..writing::Part::default() }).await?;
            if let Some(end) = part.end {
                if !left.is_empty() {
                    // What comes now says more of an item, so it is written behind all else.
                    writer.finish().await?;
                    // The page is over by now: it would hold the place of the requests that are needed here.
                    left.read(self.0, report).await?;
                    store.put_revisions(scope, &[], &[], token.as_deref()).await?;
                }
                return Ok((end, elements));
            }
        }
    }

    async fn links(
        &self,
        client: &AdoClient,
        start: &FeedStart,
        writer: &Writer,
        report: &mut PullReport,
    ) -> Result<(PageEnd, usize), SyncError> {
        let mut page = client.link_changes(&self.0.project, &LINK_TYPES, start).await?;
        let mut elements = 0;
        loop {
            let part = part(&mut page, |_: &LinkChange| 0).await?;
            elements += part.count();
            // Whatever is of such a size, or has no ends, is no link.
            report.set_aside += part.nameless + (part.odd.len() + part.large.len()) as u64;
            let links = part.elements.iter().filter_map(link).collect();
            let token = part.end.as_ref().and_then(token);
            writer.put(writing::Part { links, token, ..writing::Part::default() }).await?;
            if let Some(end) = part.end {
                return Ok((end, elements));
            }
        }
    }
}

/// How the long texts of a page's items come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Texts {
    /// With the page.
    InPage,
    /// By batch reads behind the page.
    Apart,
}

/// Revisions as they are stored, and which of them are in the recycle bin. Of what is not in there, whatever has to be read once
/// more is noted.
fn records(revisions: Vec<Revision>, is_apart: bool, left: &mut Left) -> (Gathered, Vec<store::WorkItemId>) {
    let (mut gathered, mut deleted) = (Gathered::default(), Vec::new());
    for revision in revisions {
        let Some(mut fields) = revision.fields() else {
            left.odd.push(revision.id);
            continue;
        };
        let is_deleted = fields.remove(IS_DELETED) == Some(Value::Bool(true));
        if is_deleted {
            deleted.push(revision.id.0.into());
        } else if is_apart {
            left.odd.push(revision.id);
        }
        gathered.take(record(revision.id, revision.rev, fields));
    }
    (gathered, deleted)
}

/// A page that fails in a way that a smaller one may not.
fn is_broken(error: &AdoError) -> bool {
    !matches!(error, AdoError::BadRequest(_)) && batches::reason(error).is_some()
}

/// The service does not offer it, or not to this credential; the items themselves may be readable all the same.
pub(super) fn is_refusal(error: &AdoError) -> bool {
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

/// Some elements of a page.
struct Part<T> {
    elements: Vec<T>,
    /// Items whose elements are not as documented.
    odd: Vec<WorkItemId>,
    /// Items whose elements are over the limit.
    large: Vec<WorkItemId>,
    /// Elements that could not be read, and do not tell whose they are.
    nameless: u64,
    /// The end of the page, if it is reached.
    end: Option<PageEnd>,
}

impl<T> Part<T> {
    fn count(&self) -> usize {
        self.elements.len() + self.odd.len() + self.large.len() + usize::try_from(self.nameless).unwrap_or(usize::MAX)
    }
}

/// The next elements of a page. `bytes` tells the size of one.
async fn part<T: DeserializeOwned>(page: &mut Page<T>, bytes: fn(&T) -> usize) -> Result<Part<T>, AdoError> {
    let mut part = Part { elements: Vec::new(), odd: Vec::new(), large: Vec::new(), nameless: 0, end: None };
    let mut size = 0;
    while part.end.is_none() && part.elements.len() < PART && size < PART_BYTES {
        match page.next().await? {
            Fed::One(element) => {
                size += bytes(&element);
                part.elements.push(element);
            }
            Fed::Odd { id: Some(id) } => part.odd.push(id),
            Fed::TooLarge { id: Some(id) } => part.large.push(id),
            Fed::Odd { id: None } | Fed::TooLarge { id: None } => part.nameless += 1,
            Fed::End(end) => part.end = Some(end),
        }
    }
    Ok(part)
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

//! A page of a reporting feed, read as it comes: the service picks its size, and we its largest element.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::{Buf, Bytes};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::form_urlencoded;

use super::answer;
use super::budget::Slot;
use super::elements::{Broken, Elements, Found, MAX_FRAME};
use super::error::{AdoError, Defect, Outage};
use super::model::{WorkItemId, leading_id};
use super::observer::Record;
use super::request::Opened;

/// Largest element of a page: some long texts of a million characters each (`ado-api.md` §5).
pub const MAX_ELEMENT: usize = 4 << 20;
/// Largest page. None should come near it; it ends what never ends.
const MAX_PAGE: usize = 1 << 30;
/// Longest continuation token.
const MAX_TOKEN: usize = 4096;

/// Where a feed goes on; opaque. To be stored together with what the page before it brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeedToken(String);

/// A text that is empty, over 4,096 bytes or has control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a continuation token has 1 to 4096 bytes and no control characters")]
pub struct InvalidToken;

impl TryFrom<String> for FeedToken {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        let is_valid = !text.is_empty() && text.len() <= MAX_TOKEN && !text.chars().any(char::is_control);
        if is_valid { Ok(Self(text)) } else { Err(InvalidToken) }
    }
}

impl From<FeedToken> for String {
    fn from(token: FeedToken) -> Self {
        token.0
    }
}

impl fmt::Display for FeedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a page brings next.
#[derive(Debug, Clone, PartialEq)]
pub enum Fed<T> {
    /// An element.
    One(T),
    /// An element over the limit. It was skipped; a batch read may bring the item in parts.
    TooLarge {
        /// The item's id, where the element begins with it.
        id: Option<WorkItemId>,
    },
    /// An element that is JSON, but not what is documented. A batch read may bring the item.
    Odd {
        /// The item's id, where it has one.
        id: Option<WorkItemId>,
    },
    /// The page is at its end, and all that makes it a page was good.
    End(PageEnd),
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageEnd {
    /// Another page, which goes on here.
    More(FeedToken),
    /// Nothing now; later changes go on here. Without a token the feed can only be read from a time.
    Last(Option<FeedToken>),
}

/// The members of a page besides its elements, which were taken out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    /// Empty by now; without it this is no page.
    #[serde(rename = "values")]
    _values: Vec<IgnoredAny>,
    #[serde(default)]
    next_link: Option<String>,
    #[serde(default)]
    continuation_token: Option<String>,
    #[serde(default)]
    is_last_batch: Option<bool>,
}

impl Frame {
    /// What follows this page, which was asked for with `sent`. The last page may carry its token in `nextLink` alone
    /// (`ado-api.md` §9); of that link only the token is taken.
    fn end(self, sent: Option<&FeedToken>) -> Result<PageEnd, Defect> {
        let query = self.next_link.as_deref().and_then(|link| link.split_once('?')).map_or("", |(_, query)| query);
        let linked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "continuationToken");
        let own = self.continuation_token.filter(|text| !text.is_empty());
        let text = own.or_else(|| linked.map(|(_, text)| text.into_owned()));
        let token = text.map(FeedToken::try_from).transpose().map_err(|_| Defect::Shape)?;
        match token {
            token if self.is_last_batch == Some(true) => Ok(PageEnd::Last(token.or_else(|| sent.cloned()))),
            Some(token) if sent != Some(&token) => Ok(PageEnd::More(token)),
            // To go on here would give the same page for ever.
            Some(_) | None => Err(Defect::Endless),
        }
    }
}

/// A page while it comes. Nothing is read ahead: a reader that takes its time slows the service down. The right to the request
/// is held until the end, an error, or the page is dropped.
pub struct Page<T> {
    response: reqwest::Response,
    elements: Elements,
    chunk: Bytes,
    received: usize,
    waited: Duration,
    limits: PageLimits,
    host: String,
    sent: Option<FeedToken>,
    held: Option<(Slot, Record)>,
    over: Option<Result<PageEnd, AdoError>>,
    element: PhantomData<fn() -> T>,
}

/// Limits of a page's reading; see [`Limits`](super::Limits).
#[derive(Debug, Clone, Copy)]
pub(super) struct PageLimits {
    pub(super) element: usize,
    pub(super) idle: Duration,
    pub(super) total: Duration,
}

impl<T: DeserializeOwned> Page<T> {
    pub(super) fn new(opened: Opened, limits: PageLimits, sent: Option<FeedToken>) -> Self {
        Self {
            response: opened.response,
            elements: Elements::new("values", limits.element),
            chunk: Bytes::new(),
            received: 0,
            waited: Duration::ZERO,
            limits,
            host: opened.host,
            sent,
            held: Some((opened.slot, opened.record)),
            over: None,
            element: PhantomData,
        }
    }

    /// The next element, or the end. Once an error came the page is over, and its token is unknown: what came before it is good
    /// in itself.
    pub async fn next(&mut self) -> Result<Fed<T>, AdoError> {
        if let Some(over) = &self.over {
            return over.clone().map(Fed::End);
        }
        let result = self.step().await;
        let over = match &result {
            Ok(Fed::One(_) | Fed::TooLarge { .. } | Fed::Odd { .. }) => return result,
            Ok(Fed::End(end)) => Ok(end.clone()),
            Err(error) => Err(error.clone()),
        };
        if let Some((_, record)) = self.held.take() {
            record.close(over.as_ref().err());
        }
        self.over = Some(over);
        result
    }

    async fn step(&mut self) -> Result<Fed<T>, AdoError> {
        loop {
            if let Some(fed) = self.take()? {
                return Ok(fed);
            }
            match self.receive().await? {
                Some(chunk) => self.chunk = chunk,
                None => return self.end().map(Fed::End),
            }
        }
    }

    /// The next element of what was received.
    fn take(&mut self) -> Result<Option<Fed<T>>, AdoError> {
        let mut rest: &[u8] = &self.chunk;
        let found = self.elements.next(&mut rest).map_err(|broken| broken_page(broken, &self.host))?;
        let fed = match found {
            Some(Found::Element(text)) => Some(match answer::parse(text, &self.host) {
                Err(AdoError::Malformed { defect: Defect::Shape, .. }) => Fed::Odd { id: leading_id(text) },
                element => Fed::One(element?),
            }),
            Some(Found::TooLarge(beginning)) => Some(Fed::TooLarge { id: leading_id(beginning) }),
            None => None,
        };
        let used = self.chunk.len() - rest.len();
        self.chunk.advance(used);
        Ok(fed)
    }

    /// Waits for the next part of the body.
    async fn receive(&mut self) -> Result<Option<Bytes>, AdoError> {
        let host = || self.host.clone();
        let left = self.limits.total.saturating_sub(self.waited);
        let started = Instant::now();
        let Ok(received) = tokio::time::timeout(left.min(self.limits.idle), self.response.chunk()).await else {
            let after = if left <= self.limits.idle { self.limits.total } else { self.limits.idle };
            return Err(AdoError::Deadline { host: host(), after });
        };
        self.waited += started.elapsed();
        let chunk = received.map_err(|_| AdoError::Unavailable { host: host(), outage: Outage::Cut })?;
        self.received += chunk.as_ref().map_or(0, Bytes::len);
        if self.received > MAX_PAGE {
            return Err(AdoError::TooLarge { host: host(), limit: MAX_PAGE });
        }
        Ok(chunk)
    }

    /// What the whole page says of the next one.
    fn end(&mut self) -> Result<PageEnd, AdoError> {
        let elements = std::mem::replace(&mut self.elements, Elements::new("values", self.limits.element));
        let text = elements.finish().map_err(|broken| broken_page(broken, &self.host))?;
        let frame: Frame = answer::parse(&text, &self.host)?;
        frame.end(self.sent.as_ref()).map_err(|defect| AdoError::Malformed { host: self.host.clone(), defect })
    }
}

impl<T> fmt::Debug for Page<T> {
    // The response's own text would show headers, and some of those are for cookies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("host", &self.host).field("received", &self.received).finish_non_exhaustive()
    }
}

fn broken_page(broken: Broken, host: &str) -> AdoError {
    match broken {
        Broken::NotJson => AdoError::Malformed { host: host.to_owned(), defect: Defect::NotJson },
        Broken::FrameTooLarge => AdoError::TooLarge { host: host.to_owned(), limit: MAX_FRAME },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> FeedToken {
        text.to_owned().try_into().expect("a token")
    }

    fn end(frame: &str, sent: Option<&str>) -> Result<PageEnd, Defect> {
        let frame: Frame = serde_json::from_str(frame).expect("a frame");
        frame.end(sent.map(token).as_ref())
    }

    #[test]
    fn the_token_is_the_member_or_else_the_links() {
        let link = r#""nextLink":"https://evil.example/x?a=1&continuationToken=842%3B5%3B3&api-version=7.1""#;
        let more = |text| Ok(PageEnd::More(token(text)));
        let last = |text: Option<&str>| Ok(PageEnd::Last(text.map(token)));
        let both = format!(r#"{{"values":[],{link},"continuationToken":"9;9;9","isLastBatch":false}}"#);
        assert_eq!(end(&both, None), more("9;9;9"));
        assert_eq!(end(&format!(r#"{{"isLastBatch":false,{link},"values":[]}}"#), Some("1;1;1")), more("842;5;3"));
        assert_eq!(end(&format!(r#"{{{link},"values":[],"isLastBatch":true}}"#), None), last(Some("842;5;3")));
        assert_eq!(end(r#"{"values":[],"continuationToken":"7"}"#, None), more("7"), "isLastBatch may be absent");
        assert_eq!(end(r#"{"values":[],"nextLink":null,"isLastBatch":true}"#, Some("7")), last(Some("7")));
        assert_eq!(end(r#"{"values":[],"continuationToken":"","isLastBatch":true}"#, Some("7")), last(Some("7")));
        assert_eq!(end(r#"{"values":[],"nextLink":"no URL","isLastBatch":true}"#, None), last(None));
        assert_eq!(end(r#"{"values":[],"nextLink":"/x?continuationToken=7"}"#, None), more("7"));
    }

    #[test]
    fn a_page_that_leads_nowhere_is_an_error() {
        for (frame, sent) in [
            (r#"{"values":[]}"#, None),
            (r#"{"values":[],"isLastBatch":false}"#, Some("7")),
            (r#"{"values":[],"isLastBatch":false,"continuationToken":"7"}"#, Some("7")),
            (r#"{"values":[],"isLastBatch":null,"nextLink":"https://h/x?continuationToken=7"}"#, Some("7")),
        ] {
            assert_eq!(end(frame, sent), Err(Defect::Endless), "{frame}");
        }
        let long =
            format!(r#"{{"values":[],"nextLink":"https://h/x?continuationToken={}"}}"#, "7".repeat(MAX_TOKEN + 1));
        assert_eq!(end(&long, None), Err(Defect::Shape));
    }

    #[test]
    fn a_token_is_bounded_and_printable() {
        for text in [String::new(), "a\nb".to_owned(), "x".repeat(MAX_TOKEN + 1)] {
            assert_eq!(FeedToken::try_from(text), Err(InvalidToken));
        }
        assert_eq!(serde_json::to_string(&token("813;350;1")).expect("JSON"), "\"813;350;1\"");
        assert!(serde_json::from_str::<FeedToken>("\"\"").is_err());
    }
}

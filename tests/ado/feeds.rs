//! The reporting feeds, as pages that come in parts.

use std::collections::BTreeSet;
use std::time::Duration;

use ado_operator::ado::model::{LinkChange, LinkKind, ProjectId, Revision, WorkItemId};
use ado_operator::ado::{
    AdoClient, AdoError, Defect, Fed, FeedStart, FeedToken, Limits, MAX_BATCH, MAX_PARALLEL, Outage, Page, PageEnd,
    RevisionsQuery, SignIn, Wiql,
};
use ado_simulator::{Effect, Fault, Options};
use serde::de::DeserializeOwned;

use crate::support::{World, limits};

const REVISIONS: &str = "*/_apis/wit/reporting/workitemrevisions";
const LINKS: &str = "*/_apis/wit/reporting/workitemlinks";
const ALL: RevisionsQuery<'static> =
    RevisionsQuery { fields: &["System.Title"], long_texts: true, latest_only: true, deleted: true };

fn project() -> ProjectId {
    "f4b53f43-e2a9-4893-9099-699329beae68".parse().expect("a GUID")
}

fn token(text: &str) -> FeedToken {
    text.to_owned().try_into().expect("a token")
}

fn json(body: impl Into<String>) -> Effect {
    Effect::Answer {
        status: 200,
        content_type: Some("application/json; api-version=7.1".to_owned()),
        body: body.into(),
    }
}

/// All that a page brings before its end or an error.
pub async fn read_page<T: DeserializeOwned>(
    page: &mut Page<T>,
) -> (Vec<T>, Vec<Option<WorkItemId>>, Result<PageEnd, AdoError>) {
    let (mut elements, mut large) = (Vec::new(), Vec::new());
    loop {
        match page.next().await {
            Ok(Fed::One(element)) => elements.push(element),
            Ok(Fed::TooLarge { id } | Fed::Odd { id }) => large.push(id),
            Ok(Fed::End(end)) => return (elements, large, Ok(end)),
            Err(error) => return (elements, large, Err(error)),
        }
    }
}

async fn revisions(client: &AdoClient, start: FeedStart) -> Result<Page<Revision>, AdoError> {
    client.revisions(&project(), &ALL, &start).await
}

/// The page of revisions that the service gives, and how it ends.
async fn under(world: &World, effect: Effect, limits: Limits) -> (Vec<u32>, Result<PageEnd, AdoError>) {
    let client = world.client_with("full", limits);
    world.simulator.add_fault(Fault::on_path(REVISIONS, effect).times(1));
    let mut page = revisions(&client, FeedStart::Token(token("1;1;1"))).await.expect("an answer begins");
    let (found, _, end) = read_page(&mut page).await;
    assert_eq!(page.next().await.err(), end.as_ref().err().cloned(), "what is over stays over");
    (found.iter().map(|revision| revision.id.0).collect(), end)
}

#[tokio::test]
async fn a_page_brings_its_elements_as_they_were_written_and_then_its_token() {
    let world = World::new().await;
    let client = world.client("full");
    let fields = r#"{"System.Title": "a \"b\" ]}", "System.Tags":null,"Custom.N" : 1.50}"#;
    let body = format!(
        "{{\"isLastBatch\":false,\"nextLink\":\"https://elsewhere.example/x?continuationToken=8%3B3%3B1\",
        \"values\":[{{\"id\":7,\"rev\":3,\"fields\":{fields}}} , {{\"id\":8,\"rev\":1}}]}}"
    );
    world.simulator.add_fault(Fault::on_path(REVISIONS, json(body)).times(1));
    let mut page = revisions(&client, FeedStart::Beginning).await.expect("a page");
    let (found, large, end) = read_page(&mut page).await;
    assert_eq!(end, Ok(PageEnd::More(token("8;3;1"))));
    assert!(large.is_empty());
    let found: Vec<_> = found.iter().map(|found| (found.id.0, found.rev, found.fields.get())).collect();
    assert_eq!(found, [(7, 3, fields), (8, 1, "null")]);
    assert_eq!(read_page(&mut page).await.2, end, "the end again");
    let seen: Vec<_> = world.records.all().iter().map(|record| (record.method, record.outcome)).collect();
    assert_eq!(seen, [("POST", "2xx")]);
}

#[tokio::test]
async fn what_is_sent_is_the_token_or_the_time() {
    let world = World::new().await;
    let client = world.client("full");
    let empty = || json("{\"values\":[],\"isLastBatch\":true}");
    world.simulator.add_fault(Fault::on_path(REVISIONS, empty()));
    world.simulator.add_fault(Fault::on_path(LINKS, empty()));
    let time = "2026-11-23T12:00:00Z".parse().expect("a time");
    let mark = world.simulator.last_request();
    for start in [FeedStart::Beginning, FeedStart::Since(time), FeedStart::Token(token("1;2;3"))] {
        revisions(&client, start.clone()).await.expect("a page");
        client
            .link_changes(&project(), &["System.LinkTypes.Hierarchy", "System.LinkTypes.Related"], &start)
            .await
            .expect("a page");
    }
    let plain = RevisionsQuery { fields: &[], ..ALL };
    client.revisions(&project(), &plain, &FeedStart::Beginning).await.expect("a page");
    client.link_changes(&project(), &[], &FeedStart::Beginning).await.expect("a page");
    let sent: Vec<String> = world
        .simulator
        .requests_since(mark)
        .iter()
        .map(|request| request.target.split_once('?').map(|(_, query)| query.to_owned()).expect("a query"))
        .collect();
    let types = "linkTypes=System.LinkTypes.Hierarchy%2CSystem.LinkTypes.Related";
    assert_eq!(
        sent,
        [
            "$expand=fields&api-version=7.1".to_owned(),
            format!("{types}&api-version=7.1"),
            "startDateTime=2026-11-23T12%3A00%3A00Z&$expand=fields&api-version=7.1".to_owned(),
            format!("startDateTime=2026-11-23T12%3A00%3A00Z&{types}&api-version=7.1"),
            "continuationToken=1%3B2%3B3&$expand=fields&api-version=7.1".to_owned(),
            format!("continuationToken=1%3B2%3B3&{types}&api-version=7.1"),
            "api-version=7.1".to_owned(),
            "api-version=7.1".to_owned(),
        ]
    );
}

#[tokio::test]
async fn links_have_both_ends_and_may_be_gone() {
    let world = World::new().await;
    let client = world.client("full");
    let body = r#"{"values":[{"rel":"System.LinkTypes.Hierarchy","sourceId":7,"targetId":8,"isActive":false,
        "changedDate":"2026-03-18T17:17:52.02Z","sourceProjectId":"x"}],"continuationToken":"6281123","isLastBatch":true}"#;
    world.simulator.add_fault(Fault::on_path(LINKS, json(body)));
    let mut page = client.link_changes(&project(), &[], &FeedStart::Beginning).await.expect("a page");
    let (found, _, end) = read_page(&mut page).await;
    let link = LinkChange {
        rel: "System.LinkTypes.Hierarchy".to_owned(),
        source_id: WorkItemId(7),
        target_id: WorkItemId(8),
        changed_date: "2026-03-18T17:17:52.02Z".to_owned(),
        is_active: false,
    };
    assert_eq!((found, end), (vec![link], Ok(PageEnd::Last(Some(token("6281123"))))));
}

#[tokio::test]
async fn a_page_over_every_limit_is_read_whose_elements_are_not_and_a_large_element_is_skipped() {
    let world = World::new().await;
    let small = Limits { max_answer: 10_000, ..limits() };
    let revision = |id: u32, length: usize| {
        format!("{{\"id\":{id},\"rev\":1,\"fields\":{{\"System.Title\":\"{}\"}}}}", "x".repeat(length))
    };
    let mut elements: Vec<String> = (1..=2000).map(|id| revision(id, 1000)).collect();
    elements[9] = revision(10, 100_000);
    elements[19] = format!("{{\"fields\":{{\"System.Title\":\"{}\"}},\"id\":20}}", "x".repeat(20_000));
    let body = format!("{{\"values\":[{}],\"isLastBatch\":true}}", elements.join(","));
    let client = world.client_with("full", small);
    world.simulator.add_fault(Fault::on_path(REVISIONS, json(body)));
    let mut page = revisions(&client, FeedStart::Beginning).await.expect("a page");
    let (found, large, end) = read_page(&mut page).await;
    assert_eq!((found.len(), end), (1998, Ok(PageEnd::Last(None))));
    assert_eq!(large, [Some(WorkItemId(10)), None]);
}

#[tokio::test]
async fn an_element_that_is_json_and_not_as_documented_is_told_of_and_the_rest_comes() {
    let world = World::new().await;
    let client = world.client("full");
    let odd = r#"{"id":7,"rev":"three"},null,{"id":"none","rev":1},{"rev":2,"id":8},[9],{"fields":{},"id":10}"#;
    world.simulator.add_fault(Fault::on_path(REVISIONS, json(format!("{{\"values\":[{odd}],\"isLastBatch\":true}}"))));
    let mut page = revisions(&client, FeedStart::Beginning).await.expect("a page");
    let (found, odd, end) = read_page(&mut page).await;
    assert_eq!((found.len(), found[0].id, end), (1, WorkItemId(8), Ok(PageEnd::Last(None))));
    assert_eq!(odd, [Some(WorkItemId(7)), None, None, None, Some(WorkItemId(10))]);
}

#[tokio::test]
async fn half_a_character_is_no_reason_to_refuse_an_answer() {
    let world = World::new().await;
    let client = world.client("full");
    let body = r#"{"count":1,"value":[{"id":7,"rev":1,"fields":{"System.Title":"cut \ud83d"}}]}"#;
    world.simulator.add_fault(Fault::on_path("*/_apis/wit/workitemsbatch", json(body)));
    let found = client.work_items(&project(), &[WorkItemId(7)], &["System.Title"]).await.expect("an item");
    assert_eq!(found[0].fields["System.Title"], "cut \u{fffd}");
}

#[tokio::test]
async fn a_page_that_is_not_whole_ends_in_an_error_behind_what_was_good() {
    let world = World::new().await;
    let good = r#"{"id":7,"rev":1,"fields":{}}"#;
    for (rest, defect) in [
        (r#",{"id":8,"rev":1,"fie"#, Defect::NotJson),
        (",", Defect::NotJson),
        ("]", Defect::NotJson),
        (r#"],"isLastBatch":true"#, Defect::NotJson),
        (r#",{"id":8,"rev":1,"fields":{]}],"isLastBatch":true}"#, Defect::NotJson),
        (r#" {"id":8,"rev":1}],"isLastBatch":true}"#, Defect::NotJson),
        (r#"],"isLastBatch":"so it is"}"#, Defect::Shape),
        ("]}", Defect::Endless),
        (r#"],"isLastBatch":false}"#, Defect::Endless),
        (r#"],"isLastBatch":false,"continuationToken":"1;1;1"}"#, Defect::Endless),
    ] {
        let (found, end) = under(&world, json(format!("{{\"values\":[{good}{rest}")), limits()).await;
        let Err(AdoError::Malformed { defect: seen, .. }) = end else { panic!("{rest}: {end:?}") };
        assert_eq!((found.as_slice(), seen), ([7].as_slice(), defect), "{rest}");
    }
    for (effect, reason) in [
        (Effect::EmptyOk, "Malformed"),
        (Effect::MalformedJson, "Malformed"),
        (Effect::WrongShape, "Malformed"),
        (json("{\"value\":[],\"isLastBatch\":true}"), "Malformed"),
        (json("[]"), "Malformed"),
        (Effect::Oversized { bytes: 64 << 20 }, "TooLarge"),
    ] {
        let (found, end) = under(&world, effect.clone(), limits()).await;
        assert_eq!((found.len(), end.expect_err("an error").reason()), (0, reason), "{effect:?}");
    }
}

#[tokio::test]
async fn a_page_is_asked_for_as_everything_else_is() {
    let world = World::new().await;
    let client = world.client("full");
    let start = || revisions(&client, FeedStart::Beginning);
    for (effect, form) in [
        (Effect::SignInPage, SignIn::Page),
        (Effect::HtmlOk, SignIn::Html),
        (Effect::Status { code: 401, retry_after: None }, SignIn::Unauthorized),
    ] {
        let (page, sent) = world.during(Fault::on_path(REVISIONS, effect), start()).await;
        let error = page.expect_err("refused");
        assert_eq!((error, sent), (AdoError::Unauthorized { area: "work items", how: form }, 2));
    }
    for (effect, reason, tries) in [
        (Effect::Status { code: 403, retry_after: None }, "Forbidden", 1),
        (Effect::Status { code: 404, retry_after: None }, "NotFound", 1),
        (Effect::Status { code: 503, retry_after: None }, "Unavailable", 3),
        (Effect::ForeignPage, "Malformed", 1),
        (Effect::TooManyRequests { retry_after: 300 }, "Throttled", 1),
    ] {
        let (page, sent) = world.during(Fault::on_path(REVISIONS, effect.clone()), start()).await;
        assert_eq!((page.expect_err("an error").reason(), sent), (reason, tries), "{effect:?}");
    }
    let before = world.simulator.last_request();
    assert_eq!(start().await.expect_err("held by the 429").reason(), "Throttled");
    assert!(world.simulator.requests_since(before).is_empty());
}

#[tokio::test]
async fn a_page_may_take_longer_than_the_deadline_but_not_stand_still() {
    let world = World::new().await;
    let short = Limits { deadline: Duration::from_secs(10), idle: Duration::from_millis(200), ..limits() };
    let (_, end) = under(&world, Effect::SlowBody { interval_milliseconds: 60_000 }, short.clone()).await;
    let AdoError::Deadline { after, .. } = end.expect_err("it stands still") else { panic!("a deadline") };
    assert_eq!(after, short.idle);

    let dripping = Effect::SlowBody { interval_milliseconds: 20 };
    let short = Limits { deadline: Duration::from_millis(400), streaming: Duration::from_millis(800), ..limits() };
    let started = std::time::Instant::now();
    let (_, end) = under(&world, dripping, short.clone()).await;
    let AdoError::Deadline { after, .. } = end.expect_err("it never ends") else { panic!("a deadline") };
    assert_eq!(after, short.streaming);
    assert!(started.elapsed() >= short.streaming, "more than the deadline passed");

    let late = Effect::Delay { milliseconds: 60_000, retry_after: None };
    let client = world.client_with("full", short);
    world.simulator.add_fault(Fault::on_path(REVISIONS, late));
    let error = revisions(&client, FeedStart::Beginning).await.expect_err("no answer begins");
    assert_eq!(error.reason(), "Deadline");
}

#[tokio::test]
async fn a_page_holds_the_right_to_its_request_until_it_is_dropped() {
    let world = World::new().await;
    let client = world.client_with("full", Limits { deadline: Duration::from_secs(5), ..limits() });
    world
        .simulator
        .add_fault(Fault::on_path(REVISIONS, json("{\"values\":[{\"id\":1,\"rev\":1}],\"isLastBatch\":true}")));
    let mut pages = Vec::new();
    for _ in 0..MAX_PARALLEL {
        pages.push(revisions(&client, FeedStart::Beginning).await.expect("a page"));
    }
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.connection_data().await }
    });
    pages.pop();
    waiting.await.expect("no panic").expect("its turn came");
    assert_eq!(world.records.all().first().map(|record| record.outcome), Some("Cancelled"));
    let mut page = pages.remove(0);
    // A task of the sync reads it, so it must be able to move between threads.
    let (found, _, end) = tokio::spawn(async move { read_page(&mut page).await }).await.expect("no panic");
    assert_eq!((found.len(), end), (1, Ok(PageEnd::Last(None))));
    client.connection_data().await.expect("a page at its end holds nothing");
}

/// All pages from a start on, and where the feed goes on later.
async fn read_on<T: DeserializeOwned>(
    mut start: FeedStart,
    ask: impl AsyncFn(&FeedStart) -> Result<Page<T>, AdoError>,
) -> (Vec<T>, usize, FeedStart) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let (found, large, end) = read_page(&mut ask(&start).await.expect("a page")).await;
        assert!(large.is_empty());
        all.extend(found);
        pages += 1;
        match end.expect("a whole page") {
            PageEnd::More(token) => start = FeedStart::Token(token),
            PageEnd::Last(token) => return (all, pages, FeedStart::Token(token.expect("a token"))),
        }
    }
}

#[tokio::test]
async fn a_project_is_read_page_by_page_and_later_only_what_changed() {
    let world = World::with(Options { items: 300, ..Options::default() }).await;
    let client = world.client("full");
    let payments = crate::support::project(&client, "Payments").await;
    let ids = client.query_ids(&payments, &Wiql::new(), 19_999).await.expect("ids").ids;
    for in_link_only in [false, true] {
        world.simulator.change_quirks(|quirks| {
            quirks.reporting_page_size = 7;
            quirks.reporting_last_token_in_next_link_only = in_link_only;
        });
        let ask = async |start: &FeedStart| client.revisions(&payments, &ALL, start).await;
        let (found, pages, next) = read_on(FeedStart::Beginning, ask).await;
        let mut seen: Vec<WorkItemId> = found.iter().map(|revision| revision.id).collect();
        seen.sort_unstable();
        assert_eq!(seen, ids);
        assert!(pages >= ids.len() / 7, "{pages} pages");
        assert!(found.iter().all(|revision| revision.fields.get().contains("\"System.Title\"")));
        let (none, _, next) = read_on(next, ask).await;
        assert!(none.is_empty());
        world.simulator.set_field(ids[3].0, "System.Title", "Another title").expect("changed");
        let (changed, _, _) = read_on(next, ask).await;
        assert_eq!(changed.iter().map(|revision| revision.id).collect::<Vec<_>>(), [ids[3]]);
        assert!(changed[0].fields.get().contains("Another title"));
    }
    world.assert_clean();
}

#[tokio::test]
async fn the_links_of_a_project_are_those_that_its_items_have() {
    let world = World::with(Options { items: 300, ..Options::default() }).await;
    let client = world.client("full");
    let payments = crate::support::project(&client, "Payments").await;
    world.simulator.change_quirks(|quirks| quirks.reporting_page_size = 10);
    let ask = async |start: &FeedStart| client.link_changes(&payments, &["System.LinkTypes.Hierarchy"], start).await;
    let (changes, _, _) = read_on(FeedStart::Beginning, ask).await;
    let told: BTreeSet<_> = changes.iter().map(|link| (link.source_id, link.target_id)).collect();
    assert!(!told.is_empty() && changes.iter().all(|link| link.is_active));
    let ids = client.query_ids(&payments, &Wiql::new(), 19_999).await.expect("ids").ids;
    let mut read = BTreeSet::new();
    for ids in ids.chunks(MAX_BATCH) {
        for item in client.linked_work_items(&payments, ids).await.expect("a batch") {
            let children = item.links.iter().filter(|link| link.kind == LinkKind::Child);
            read.extend(children.map(|link| (item.id, link.target)));
        }
    }
    assert_eq!(told, read);
    world.assert_clean();
}

#[tokio::test]
async fn a_connection_that_breaks_within_a_page_leaves_what_came_before() {
    let world = World::with(Options { items: 300, ..Options::default() }).await;
    let client = world.client("full");
    let payments = crate::support::project(&client, "Payments").await;
    world.simulator.add_fault(Fault::on_path(REVISIONS, Effect::CutBody { after_bytes: 2000 }));
    let mut page = client.revisions(&payments, &ALL, &FeedStart::Beginning).await.expect("a page");
    let (found, _, end) = read_page(&mut page).await;
    let AdoError::Unavailable { outage, .. } = end.expect_err("cut") else { panic!("an outage") };
    assert_eq!(outage, Outage::Cut);
    assert!(!found.is_empty() && found.iter().all(|revision| revision.fields.get().ends_with('}')));
}

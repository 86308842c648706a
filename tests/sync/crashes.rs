//! Syncs that end before their time go on from the last stored page.

use std::time::Duration;

use ado_operator::domain::mapping::pins::MappingPins;
use ado_operator::store::{Feed, Store};
use ado_operator::sync::SyncError;
use ado_operator::sync::pull::Depth;
use ado_simulator::Control;
use serde_json::Value;
use url::form_urlencoded;

use crate::config::{Config, Stop};
use crate::scratch::Scratch;
use crate::specs::{KITS, Kit, spec};
use crate::store::TestStore;
use crate::world::World;

const KIT: &Kit = &KITS[0];

/// Configs that looked once within this time do not look again.
const INTERVAL: Duration = Duration::from_mins(5);

/// A project of some pages in each feed.
async fn world() -> World {
    let world = World::new(KIT.project, 45).await;
    world.control().change_quirks(|quirks| quirks.reporting_page_size = 10);
    world
}

/// A config whose spec is accepted, with a store.
async fn accepted(world: &World, stored: &TestStore, spec: &Value) -> Config {
    let mut config = Config::new(world.access(), "config", spec);
    config.accept(stored.get(), spec, MappingPins::default()).await.expect("a spec that fits");
    config
}

/// Requests to either feed, revisions and links, and all others that read items.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Asked {
    revisions: usize,
    links: usize,
    others: usize,
}

impl Asked {
    fn since(control: &Control, mark: u64) -> Self {
        let sent = control.requests_since(mark);
        let count = |part: &str| sent.iter().filter(|request| request.route.to_lowercase().contains(part)).count();
        let others = count("/wit/wiql") + count("/wit/workitemsbatch");
        Self { revisions: count("workitemrevisions"), links: count("workitemlinks"), others }
    }

    fn pages(self) -> u32 {
        u32::try_from(self.revisions + self.links).expect("some pages")
    }

    /// What is left of a read after what is stored. The feed that was at its end is asked once whether it goes on.
    fn left_behind(self, (revisions, links): (usize, usize)) -> Self {
        let revisions = self.revisions.saturating_sub(revisions).max(1);
        let links = self.links.saturating_sub(links).max(1);
        Self { revisions, links, others: 0 }
    }

    /// What is left of a read after so many pages. The feed that was at its end is asked once whether it goes on.
    fn left_after(self, pages: u32) -> Self {
        let done = usize::try_from(pages).expect("some pages");
        let revisions = self.revisions.saturating_sub(done).max(1);
        Self { revisions, links: self.links - done.saturating_sub(self.revisions), others: 0 }
    }
}

/// How many pages of either feed are stored: the token is that with which the next page was asked for when nothing stopped the
/// read, or that of the end.
async fn stored_pages(config: &Config, store: &Store, tokens: &[Vec<String>; 2]) -> (usize, usize) {
    let project = config.project().await.expect("the project");
    let scope = config.scope(store, &project).await;
    let mut pages = [0; 2];
    for ((feed, tokens), pages) in [Feed::Revisions, Feed::Links].into_iter().zip(tokens).zip(&mut pages) {
        if let Some(token) = store.feed_token(scope, feed).await.expect("a store") {
            *pages = 1 + tokens.iter().position(|asked| *asked == token).unwrap_or(tokens.len());
        }
    }
    (pages[0], pages[1])
}

/// The tokens with which pages of either feed were asked for, in their order.
fn tokens(control: &Control, mark: u64) -> [Vec<String>; 2] {
    let sent = control.requests_since(mark);
    ["workitemrevisions", "workitemlinks"].map(|feed| {
        let targets = sent.iter().map(|request| &request.target).filter(|target| target.to_lowercase().contains(feed));
        let queries = targets.filter_map(|target| target.split_once('?').map(|(_, query)| query));
        let pairs = queries.flat_map(|query| form_urlencoded::parse(query.as_bytes()));
        pairs.filter(|(name, _)| name == "continuationToken").map(|(_, token)| token.into_owned()).collect()
    })
}

/// What a first sync asks that nothing stops, and what it comes to.
async fn undisturbed(world: &World, spec: &Value) -> (Asked, Scratch) {
    let stored = TestStore::sqlite().await;
    let mut config = accepted(world, &stored, spec).await;
    let mark = world.control().last_request();
    config.sync(stored.get(), Depth::Changes, Stop::Never).await.expect("no crash").expect("no fault");
    let asked = Asked::since(world.control(), mark);
    assert!(asked.revisions > 3 && asked.links > 1 && asked.others == 0, "{asked:?}");
    (asked, Scratch::of(&config, stored.get()).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sync_that_ends_before_any_of_its_requests_goes_on_from_the_last_stored_page() {
    let (world, spec) = (world().await, spec(KIT, 0));
    let begin = world.control().last_request();
    let (all, scratch) = undisturbed(&world, &spec).await;
    // The sync to compare with asks for the same pages after it.
    let mut tokens = tokens(world.control(), begin);
    tokens[0].truncate(all.revisions - 1);
    tokens[1].truncate(all.links - 1);
    let mut went_on = 0;
    for request in 1..=all.pages() {
        for mut stored in TestStore::each().await {
            let mut config = accepted(&world, &stored, &spec).await;
            let crashed = config.sync(stored.get(), Depth::Changes, Stop::BeforeRequest(request)).await;
            assert!(crashed.is_none(), "request {request} of {all:?}");
            stored.crash().await;
            let done = stored_pages(&config, stored.get(), &tokens).await;
            assert!(done.0 + done.1 < request as usize, "{done:?} before request {request}");
            went_on += done.0 + done.1;
            let mark = world.control().last_request();
            config.sync(stored.get(), Depth::Changes, Stop::Never).await.expect("no crash").expect("no fault");
            let asked = Asked::since(world.control(), mark);
            assert_eq!(asked, all.left_behind(done), "it had ended before request {request}");
            scratch.assert_like(&config, stored.get()).await;
        }
    }
    assert!(went_on > 0, "pages are stored while others are read");
    world.assert_clean();
}

/// Each run gets a little farther than the one before: in a page, in the write of a page, between two of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_ends_anywhere_again_and_again_comes_to_its_end_all_the_same() {
    let world = world().await;
    for mut stored in TestStore::each().await {
        let mut config = accepted(&world, &stored, &spec(KIT, 3)).await;
        let mut crashes = 0;
        while config.sync(stored.get(), Depth::Changes, Stop::AfterPolls(1 + 3 * crashes)).await.is_none() {
            stored.crash().await;
            crashes += 1;
        }
        assert!(crashes > 5, "{crashes} crashes");
        config.sync(stored.get(), Depth::Changes, Stop::Never).await.expect("no crash").expect("no fault");
        Scratch::of(&config, stored.get()).await.assert_like(&config, stored.get()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_spec_in_the_midst_of_a_sync_takes_over_what_was_read() {
    let (world, later) = (world().await, spec(KIT, 7));
    let (all, scratch) = undisturbed(&world, &later).await;
    for request in 1..=all.pages() {
        let stored = TestStore::sqlite().await;
        let mut config = accepted(&world, &stored, &spec(KIT, 3)).await;
        let withdrawn = config.sync(stored.get(), Depth::Changes, Stop::Unwanted(request)).await.expect("no crash");
        assert!(matches!(withdrawn, Err(SyncError::Withdrawn)), "{withdrawn:?}");
        let earlier = config.pins(stored.get()).await;
        config.accept(stored.get(), &later, earlier).await.expect("a spec that fits");
        let mark = world.control().last_request();
        config.sync(stored.get(), Depth::Changes, Stop::Never).await.expect("no crash").expect("no fault");
        assert_eq!(Asked::since(world.control(), mark), all.left_after(request - 1));
        scratch.assert_like(&config, stored.get()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configs_that_share_a_download_go_on_with_it_where_one_of_them_ends() {
    let world = world().await;
    let (all, _) = undisturbed(&world, &spec(KIT, 0)).await;
    for stored in TestStore::each().await {
        let mut first = accepted(&world, &stored, &spec(KIT, 0)).await;
        first.is_content_with(INTERVAL);
        let mut others = Vec::new();
        for (number, uid) in [(3, "second"), (5, "third")] {
            let mut other = first.beside(uid, &spec(KIT, number));
            other.is_content_with(INTERVAL);
            other.accept(stored.get(), &spec(KIT, number), MappingPins::default()).await.expect("a spec that fits");
            others.push(other);
        }
        let mark = world.control().last_request();
        let [second, third] = &mut others[..] else { panic!("two configs") };
        let store = stored.get();
        let (ended, second_done, third_done) = tokio::join!(
            first.sync(store, Depth::Changes, Stop::Unwanted(3)),
            second.sync(store, Depth::Changes, Stop::Never),
            third.sync(store, Depth::Changes, Stop::Never),
        );
        let done = ended.expect("no crash");
        assert!(
            matches!(done, Ok(_) | Err(SyncError::Withdrawn)),
            "it ended, or had what another one had read: {done:?}"
        );
        second_done.expect("no crash").expect("no fault");
        third_done.expect("no crash").expect("no fault");
        let asked = Asked::since(world.control(), mark);
        assert_eq!(asked, all, "one download");
        for config in &others {
            Scratch::of(config, store).await.assert_like(config, store).await;
        }
    }
}

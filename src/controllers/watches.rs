//! Watches: one for each kind and namespace. What one brings is put into its cache first and told afterwards, so whoever is
//! woken by it sees it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures::StreamExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store as Cache};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::warn;

use super::lenient::Lenient;

/// Objects in one page of a list. A page is decoded as a whole beside the cache that it goes into.
const PAGE: u32 = 100;

/// Pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What a watch saw.
#[derive(Debug)]
pub enum Seen<K> {
    /// An object as it is now, and as it was before if it was known.
    Changed {
        /// Before.
        before: Option<Arc<K>>,
        /// Now.
        now: Arc<K>,
    },
    /// An object is gone; this is how it was last seen.
    Gone(Arc<K>),
    /// Everything was listed, at the start or after the watch had lost its place: anything may have changed.
    Listed,
    /// There is an object that cannot be read.
    Unread,
}

fn config() -> Config {
    Config::default().page_size(PAGE)
}

/// Pauses after failures of a watch. kube's own grow to half a minute, which is long for whoever has just granted the missing
/// right or installed the missing definition.
struct Pauses {
    next: backon::ExponentialBackoff,
    failed: Option<Instant>,
}

impl Pauses {
    fn new() -> Self {
        let pauses = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_delay(LONGEST_PAUSE);
        Self { next: pauses.with_jitter().without_max_times().build(), failed: None }
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.failed = Some(Instant::now());
        self.next.next()
    }
}

impl Backoff for Pauses {
    /// Called with every event; and a watch announces each list before it asks for it. So only time without a failure counts.
    fn reset(&mut self) {
        if self.failed.is_some_and(|failed| failed.elapsed() > 2 * LONGEST_PAUSE) {
            *self = Self::new();
        }
    }
}

/// Keeps a cache as the apiserver has it, for as long as it is polled. `shrink` takes out of an object what nobody reads.
pub async fn keep<K>(api: Api<Lenient<K>>, mut cache: Writer<K>, shrink: fn(&mut K), seen: impl Fn(Seen<K>))
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let reader = cache.as_reader();
    let mut unread = BTreeSet::new();
    let mut events = pin!(watcher(api, config()).backoff(Pauses::new()));
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => match readable(event, &reader, &mut unread) {
                Some(event) => take(&mut cache, &reader, &shrunk(event, shrink), &unread, &seen),
                None => seen(Seen::Unread),
            },
            Err(error) => complain(&K::kind(&()), &error),
        }
    }
}

/// The event, if its object can be read. Of one that cannot, the cache keeps what it has; its uid is noted where it is listed.
fn readable<K>(event: Event<Lenient<K>>, reader: &Cache<K>, unread: &mut BTreeSet<String>) -> Option<Event<K>>
where
    K: Resource<DynamicType = ()> + Clone,
{
    let object = match event {
        Event::Init => {
            unread.clear();
            return Some(Event::Init);
        }
        Event::InitDone => return Some(Event::InitDone),
        Event::InitApply(Lenient(Ok(object))) => return Some(Event::InitApply(object)),
        Event::Apply(Lenient(Ok(object))) => return Some(Event::Apply(object)),
        Event::Delete(Lenient(Ok(object))) => return Some(Event::Delete(object)),
        Event::Delete(object) => {
            let key = ObjectRef::new(&object.name_any()).within(&object.namespace().unwrap_or_default());
            return reader.get(&key).map(|known| Event::Delete((*known).clone()));
        }
        Event::InitApply(object) => {
            unread.extend(object.uid());
            object
        }
        Event::Apply(object) => object,
    };
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    warn!(kind = %K::kind(&()), namespace, name, "an object cannot be read and is passed over");
    None
}

fn shrunk<K>(mut event: Event<K>, shrink: fn(&mut K)) -> Event<K> {
    if let Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) = &mut event {
        shrink(object);
    }
    event
}

fn take<K>(
    cache: &mut Writer<K>,
    reader: &Cache<K>,
    event: &Event<K>,
    unread: &BTreeSet<String>,
    seen: &impl Fn(Seen<K>),
) where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    match event {
        Event::Apply(object) => {
            let key = ObjectRef::from_obj(object);
            let before = reader.get(&key);
            cache.apply_watcher_event(event);
            let Some(now) = reader.get(&key) else { return };
            // An object of the same name may be another one, whose predecessor's end went unseen.
            let (before, gone) = match before {
                Some(other) if other.uid() != now.uid() => (None, Some(other)),
                before => (before, None),
            };
            if let Some(object) = gone {
                seen(Seen::Gone(object));
            }
            seen(Seen::Changed { before, now });
        }
        Event::Delete(object) => {
            cache.apply_watcher_event(event);
            seen(Seen::Gone(Arc::new(object.clone())));
        }
        Event::InitDone => {
            let before = reader.state();
            cache.apply_watcher_event(event);
            let is_gone =
                |old: &Arc<K>| reader.get(&ObjectRef::from_obj(&**old)).is_none_or(|new| new.uid() != old.uid());
            let is_unread = |old: &Arc<K>| old.uid().is_some_and(|uid| unread.contains(&uid));
            before
                .into_iter()
                .filter(|old| is_gone(old) && !is_unread(old))
                .for_each(|object| seen(Seen::Gone(object)));
            seen(Seen::Listed);
        }
        Event::Init | Event::InitApply(_) => cache.apply_watcher_event(event),
    }
}

/// What a watch of metadata tells.
#[derive(Debug)]
pub enum Touched<'a, K> {
    /// An object was created, changed or deleted.
    Object(&'a PartialObjectMeta<K>),
    /// Everything was listed; anything may have changed.
    Listed,
}

/// Tells of changes of objects that are not cached, for as long as it is polled.
pub async fn follow<K>(api: Api<Lenient<PartialObjectMeta<K>>>, touched: impl Fn(Touched<'_, K>))
where
    K: Resource<DynamicType = ()> + Debug + Send + Sync + 'static,
    PartialObjectMeta<K>: Resource<DynamicType = ()> + Clone + DeserializeOwned,
{
    let mut events = pin!(watcher(api, config()).backoff(Pauses::new()));
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(Lenient(Ok(object))) | Event::Delete(Lenient(Ok(object)))) => {
                touched(Touched::Object(&object));
            }
            // Of one that cannot be read nobody knows what it is to whom.
            Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => touched(Touched::Listed),
            Ok(Event::Init | Event::InitApply(_)) => {}
            Err(error) => complain(&K::kind(&()), &error),
        }
    }
}

/// The watch is tried again, less often with each failure.
fn complain(kind: &str, error: &watcher::Error) {
    warn!(kind, %error, "a watch failed");
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::runtime::reflector::store;

    use super::*;

    fn object(name: &str, uid: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.to_owned());
        object.metadata.namespace = Some("a".to_owned());
        object.metadata.uid = Some(uid.to_owned());
        object
    }

    /// What is told of these events, in short.
    fn told(events: &[Event<ConfigMap>]) -> Vec<String> {
        let (reader, mut cache) = store::<ConfigMap>();
        let told = RefCell::new(Vec::new());
        let uid = |object: &ConfigMap| object.uid().unwrap_or_default();
        let seen = |seen: Seen<ConfigMap>| {
            told.borrow_mut().push(match seen {
                Seen::Changed { before, now } => {
                    assert!(reader.get(&ObjectRef::from_obj(&*now)).is_some(), "the cache has it already");
                    format!("{} is {}", before.map_or("new".to_owned(), |before| uid(&before)), uid(&now))
                }
                Seen::Gone(object) => format!("{} is gone", uid(&object)),
                Seen::Listed => format!("listed {}", reader.len()),
                Seen::Unread => unreachable!("every event is readable"),
            });
        };
        for event in events {
            take(&mut cache, &reader, event, &BTreeSet::new(), &seen);
        }
        told.into_inner()
    }

    #[test]
    fn nothing_is_told_of_a_list_before_the_cache_has_all_of_it() {
        let events = [
            Event::Init,
            Event::InitApply(object("x", "1")),
            Event::InitApply(object("y", "2")),
            Event::InitDone,
            Event::Apply(object("x", "1")),
            Event::Apply(object("z", "3")),
            Event::Delete(object("y", "2")),
        ];
        assert_eq!(told(&events), ["listed 2", "1 is 1", "new is 3", "2 is gone"]);
    }

    #[test]
    fn the_end_of_an_object_is_told_although_nobody_saw_it() {
        let events = [
            Event::Init,
            Event::InitApply(object("x", "1")),
            Event::InitApply(object("y", "2")),
            Event::InitApply(object("z", "3")),
            Event::InitDone,
            Event::Init,
            Event::InitApply(object("x", "1")),
            Event::InitApply(object("y", "4")),
            Event::InitDone,
            Event::Apply(object("x", "5")),
        ];
        let mut told = told(&events);
        assert_eq!(told.remove(0), "listed 3");
        told[..2].sort();
        assert_eq!(told, ["2 is gone", "3 is gone", "listed 2", "1 is gone", "new is 5"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_goes_on_failing_is_tried_less_and_less_often() {
        let mut pauses = Pauses::new();
        for doubling in [500, 1000, 2000, 4000, 8000, 8000, 8000] {
            // What is announced before each try says nothing of its success.
            pauses.reset();
            let pause = pauses.next().expect("there is always another try");
            let least = Duration::from_millis(doubling);
            assert!(pause >= least && pause <= 2 * least, "{pause:?} where {least:?} are due");
            tokio::time::advance(pause).await;
        }
        tokio::time::advance(3 * LONGEST_PAUSE).await;
        pauses.reset();
        assert!(pauses.next().expect("another") <= 2 * FIRST_PAUSE, "it went well for a while");
    }
}

//! What was read of a feed, on its way into the store: while one part is written the next one is read.

use std::collections::HashSet;

use tokio::sync::{mpsc, oneshot};

use super::SyncError;
use super::records::Gathered;
use crate::store::{Feed, LinkRecord, Scope, Store, StoreError, WorkItemId};

/// Parts that may wait, beside those that are being written and the one that is being read.
const WAITING: usize = 4;

/// Parts that wait are written in one transaction, until it has so many elements: half of what the store takes at once, so that
/// the last one fits in any case.
const TOGETHER: usize = 5_000;

/// A part of a page, or several of one feed.
#[derive(Debug, Default)]
pub struct Part {
    /// Items.
    pub gathered: Gathered,
    /// Those of them that are in the recycle bin.
    pub deleted: Vec<WorkItemId>,
    /// Changes of links.
    pub links: Vec<LinkRecord>,
    /// Where the feed goes on behind it, if it ends a page.
    pub token: Option<String>,
}

impl Part {
    fn len(&self) -> usize {
        self.gathered.records.len() + self.links.len()
    }

    /// Adds a later part. What it tells of an item counts.
    fn append(&mut self, later: Self) {
        if !self.deleted.is_empty() || !self.gathered.set_aside.is_empty() {
            let told: HashSet<WorkItemId> = later.gathered.records.iter().map(|record| record.id).collect();
            self.deleted.retain(|id| !told.contains(id));
            self.gathered.set_aside.retain(|aside| !told.contains(&aside.id));
        }
        self.gathered.records.extend(later.gathered.records);
        self.gathered.set_aside.extend(later.gathered.set_aside);
        self.deleted.extend(later.deleted);
        self.links.extend(later.links);
        self.token = later.token.or(self.token.take());
    }
}

/// What a reader sends to the writer.
enum Order {
    Write(Part),
    /// To tell when everything before is written.
    Tell(oneshot::Sender<()>),
}

/// The reader's end.
pub struct Writer(mpsc::Sender<Order>);

impl Writer {
    /// Hands a part over; waits while enough others wait.
    pub async fn put(&self, part: Part) -> Result<(), SyncError> {
        self.send(Order::Write(part)).await
    }

    /// Waits until everything that was handed over is written.
    pub async fn finish(&self) -> Result<(), SyncError> {
        let (tell, told) = oneshot::channel();
        self.send(Order::Tell(tell)).await?;
        told.await.map_err(|_| SyncError::Withdrawn)
    }

    /// A writer that is gone has failed, and its error is the one that counts.
    async fn send(&self, order: Order) -> Result<(), SyncError> {
        self.0.send(order).await.map_err(|_| SyncError::Withdrawn)
    }
}

/// A way of parts from a reader to who writes them.
pub fn channel() -> (Writer, Orders) {
    let (sender, orders) = mpsc::channel(WAITING);
    (Writer(sender), Orders(orders))
}

/// The writer's end.
pub struct Orders(mpsc::Receiver<Order>);

/// Writes what a reader hands over, in its order, until it hands over no more: what was read is written, even if the reading
/// fails then. Gives the number of changes.
pub async fn write(store: &Store, scope: Scope, feed: Feed, orders: Orders) -> Result<u64, StoreError> {
    let Orders(mut orders) = orders;
    let mut changed = 0;
    while let Some(order) = orders.recv().await {
        let (mut tell, mut whole) = (None, Part::default());
        let mut next = Some(order);
        while let Some(order) = next {
            match order {
                Order::Write(part) => whole.append(part),
                Order::Tell(waiting) => tell = Some(waiting),
            }
            let goes_on = tell.is_none() && whole.len() < TOGETHER;
            next = if goes_on { orders.try_recv().ok() } else { None };
        }
        changed += keep(store, scope, feed, whole).await?;
        if let Some(waiting) = tell {
            // A reader that does not wait any more has failed itself.
            let _ = waiting.send(());
        }
    }
    Ok(changed)
}

async fn keep(store: &Store, scope: Scope, feed: Feed, part: Part) -> Result<u64, StoreError> {
    let token = part.token.as_deref();
    match feed {
        Feed::Revisions => part.gathered.store(store, scope, &part.deleted, token).await,
        Feed::Links => store.put_links(scope, &part.links, token).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestStore, item};

    /// A part with these items, of which some are in the recycle bin.
    fn part(items: &[(u32, u32)], deleted: &[u32], token: Option<&str>) -> Part {
        let records = items.iter().map(|(id, rev)| item(*id, *rev)).collect();
        Part {
            gathered: Gathered { records, ..Gathered::default() },
            deleted: deleted.iter().map(|id| WorkItemId::from(*id)).collect(),
            token: token.map(str::to_owned),
            ..Part::default()
        }
    }

    async fn present(store: &Store, scope: Scope) -> Vec<u32> {
        store.items_above(scope, 0, 100).await.expect("items").iter().map(|item| item.id).collect()
    }

    #[tokio::test]
    async fn parts_that_wait_are_written_together_with_the_last_token() {
        let store = TestStore::open().await;
        let scope = store.scope("contoso", 1).await;
        let (writer, orders) = channel();
        writer.put(part(&[(1, 1), (2, 1)], &[], Some("t1"))).await.expect("room");
        writer.put(part(&[(3, 1)], &[], None)).await.expect("room");
        drop(writer);
        assert_eq!(write(&store, scope, Feed::Revisions, orders).await.expect("written"), 3);
        assert_eq!(present(&store, scope).await, [1, 2, 3]);
        assert_eq!(store.latest_change(scope).await.expect("a number"), 1);
        assert_eq!(store.feed_token(scope, Feed::Revisions).await.expect("a token").as_deref(), Some("t1"));
    }

    #[tokio::test]
    async fn what_a_later_part_tells_of_an_item_counts() {
        let store = TestStore::open().await;
        let scope = store.scope("contoso", 1).await;
        let (writer, orders) = channel();
        writer.put(part(&[(1, 2), (2, 1)], &[1], None)).await.expect("room");
        writer.put(part(&[(1, 3), (2, 2)], &[2], None)).await.expect("room");
        drop(writer);
        write(&store, scope, Feed::Revisions, orders).await.expect("written");
        assert_eq!(present(&store, scope).await, [1]);
    }

    #[tokio::test]
    async fn what_was_handed_over_is_in_the_store_once_the_writer_has_finished() {
        let store = TestStore::open().await;
        let scope = store.scope("contoso", 1).await;
        let (writer, orders) = channel();
        let read = async {
            for id in 1..=20 {
                writer.put(part(&[(id, 1)], &[], None)).await?;
            }
            writer.finish().await?;
            assert_eq!(present(&store, scope).await.len(), 20);
            drop(writer);
            Ok::<_, SyncError>(())
        };
        let (read, written) = tokio::join!(read, write(&store, scope, Feed::Revisions, orders));
        read.expect("read");
        assert_eq!(written.expect("written"), 20);
    }

    #[tokio::test]
    async fn a_reader_whose_writer_failed_ends() {
        let store = TestStore::open().await;
        let scope = store.scope("contoso", 1).await;
        let (writer, orders) = channel();
        let long = "t".repeat(5_000);
        let read = async {
            for id in 1..=20 {
                writer.put(part(&[(id, 1)], &[], Some(&long))).await?;
            }
            Ok::<_, SyncError>(())
        };
        let (read, written) = tokio::join!(read, write(&store, scope, Feed::Revisions, orders));
        assert!(matches!(read, Err(SyncError::Withdrawn)), "{read:?}");
        assert!(matches!(written, Err(StoreError::TooLarge { .. })), "{written:?}");
    }
}

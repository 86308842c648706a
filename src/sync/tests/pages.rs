//! Pages that fail, and the items because of which they do.

use ado_simulator::control::ItemChange;

use super::*;
use crate::store::SetAside;
use crate::sync::aside;

#[tokio::test]
async fn long_texts_come_with_the_feed_and_are_stored_apart() {
    for world in World::each(60).await {
        let since = world.ado.last_request();
        let report = world.read().await.unwrap();
        let stored = world.stored().await;
        assert_eq!(stored.keys().copied().collect::<Vec<_>>(), world.ids());
        assert!(stored.values().all(|(fields, _)| !fields.contains_key(DESCRIPTION)));
        let texts = |name: &str| stored.values().filter(|(_, texts)| texts.contains_key(name)).count();
        for name in [DESCRIPTION, "Microsoft.VSTS.Common.AcceptanceCriteria", "Microsoft.VSTS.TCM.ReproSteps"] {
            assert!(texts(name) > 0, "{name}");
        }
        assert_eq!((report.items, report.set_aside, report.requests), (60, 0, 2));
        assert_eq!(world.asked(since, BATCHES), 0);
    }
}

#[tokio::test]
async fn a_page_that_is_cut_is_read_again_without_long_texts_which_follow_by_batches_of_200() {
    let [clean, _] = <[World; 2]>::try_from(World::each(450).await).ok().unwrap();
    clean.read().await.unwrap();
    for world in World::each(450).await {
        world.ado.add_fault(cut(200_000));
        let since = world.ado.last_request();
        let report = world.read().await.unwrap();
        assert_eq!(world.stored().await, clean.stored().await);
        assert_eq!((world.asked(since, REVISIONS), world.asked(since, BATCHES)), (2, 3));
        assert_eq!((report.requests, report.set_aside), (6, 0));
        assert_eq!(world.aside().await, []);
        world.ado.set_field(world.ids()[0], "System.Title", "x").unwrap();
        world.read().await.unwrap();
        assert_eq!(world.asked(since, BATCHES), 3, "the next page comes with its texts");
        assert!(world.ado.violations().is_empty());
    }
}

#[tokio::test]
async fn a_page_fails_in_other_ways_and_is_read_again_too() {
    for effect in [failing(500), Effect::MalformedJson, Effect::WrongShape, Effect::EmptyOk] {
        // The client asks three times before it says that the service fails.
        let times = if matches!(effect, Effect::Status { .. }) { 3 } else { 1 };
        for world in World::each(20).await {
            world.ado.add_fault(Fault::on_route(REVISIONS, effect.clone()).times(times));
            world.read().await.unwrap();
            let stored = world.stored().await;
            assert_eq!((stored.len(), world.aside().await), (20, Vec::new()), "{effect:?}");
            assert!(stored.values().any(|(_, texts)| texts.contains_key(DESCRIPTION)), "{effect:?}");
        }
    }
}

#[tokio::test]
async fn the_one_item_for_which_batches_fail_is_set_aside_and_the_rest_is_read() {
    for world in World::each(120).await {
        world.read().await.unwrap();
        let (ids, before) = (world.ids(), world.stored().await);
        let bad = ids[70];
        for id in &ids {
            world.ado.set_field(*id, DESCRIPTION, "new").unwrap();
        }
        world.ado.add_fault(cut(5_000));
        let fault = world.ado.add_fault(unreadable(bad));
        let report = world.read().await.unwrap();
        let stored = world.stored().await;
        assert_eq!(stored.len(), before.len());
        for (id, (_, texts)) in &stored {
            assert_eq!(texts.get(DESCRIPTION).is_some_and(|text| text == "new"), *id != bad, "{id}");
        }
        assert_eq!((world.aside().await, report.set_aside), (vec![(bad, SetAsideReason::Unreadable)], 1));
        // Seven halvings with two batches each, and the question about nobody at each failure.
        assert!(report.requests < 35, "{}", report.requests);

        world.ado.remove_fault(fault);
        world.ado.set_field(bad, DESCRIPTION, "newer").unwrap();
        world.read().await.unwrap();
        assert_eq!(world.aside().await, []);
        assert_eq!(world.stored().await[&bad].1[DESCRIPTION], "newer");
    }
}

#[tokio::test]
async fn when_all_batches_fail_no_item_is_blamed_and_the_page_is_read_again_later() {
    for world in World::each(120).await {
        world.ado.add_fault(cut(5_000));
        let fault = world.ado.add_fault(Fault::on_route(BATCHES, failing(503)));
        let since = world.ado.last_request();
        let refused = world.read().await;
        assert!(matches!(refused, Err(SyncError::Ado(AdoError::Unavailable { .. }))), "{refused:?}");
        assert_eq!(world.aside().await, []);
        assert_eq!(world.asked(since, BATCHES), 6, "one batch and the question about nobody, each asked three times");
        world.ado.remove_fault(fault);
        world.read().await.unwrap();
        let stored = world.stored().await;
        assert_eq!(stored.keys().copied().collect::<Vec<_>>(), world.ids());
        assert!(stored.values().any(|(_, texts)| texts.contains_key(DESCRIPTION)));
    }
}

#[tokio::test]
async fn a_service_that_fails_for_too_many_items_is_not_reachable() {
    for world in World::each(230).await {
        let world = world.with(Limits { retries: 0, ..limits() });
        for id in world.ids() {
            world.ado.add_fault(Fault::on_route(BATCHES, failing(400)).item(id));
        }
        world.ado.add_fault(cut(5_000));
        let refused = world.read().await;
        assert!(matches!(refused, Err(SyncError::Ado(AdoError::Unavailable { .. }))), "{refused:?}");
        assert_eq!(world.store.feed_token(world.scope, Feed::Revisions).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_stored_of_an_item_stays_when_it_cannot_be_read_any_more() {
    for world in World::each(20).await {
        world.read().await.unwrap();
        let before = world.stored().await;
        // Everything is read from the beginning, without long texts, and the one item cannot be had.
        world.store.forget_feed(world.scope, Feed::Revisions).await.unwrap();
        let bad = world.ids()[3];
        world.ado.add_fault(cut(5_000));
        world.ado.add_fault(unreadable(bad));
        world.read().await.unwrap();
        assert_eq!(world.stored().await, before);
        assert_eq!(world.aside().await, [(bad, SetAsideReason::Unreadable)]);
    }
}

#[tokio::test]
async fn an_item_over_the_limit_comes_without_its_long_texts_and_is_set_aside() {
    for world in World::each(20).await {
        let world = world.with(Limits { max_answer: 100_000, ..limits() });
        let large = world.ids()[5];
        world.ado.set_field(large, DESCRIPTION, "x".repeat(200_000)).unwrap();
        let report = world.read().await.unwrap();
        let stored = world.stored().await;
        assert_eq!((stored.len(), report.set_aside), (20, 1));
        assert!(stored[&large].0.contains_key("System.Title") && stored[&large].1.is_empty());
        assert_eq!(world.aside().await, [(large, SetAsideReason::TooLarge)]);

        world.ado.set_field(large, DESCRIPTION, "short again").unwrap();
        world.read().await.unwrap();
        assert_eq!(world.aside().await, []);
        assert_eq!(world.stored().await[&large].1[DESCRIPTION], "short again");
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_as_a_whole_is_read_in_parts() {
    for world in World::each(20).await {
        let world = world.with(Limits { max_answer: 100_000, ..limits() });
        for id in world.ids() {
            world.ado.set_field(id, DESCRIPTION, "x".repeat(60_000)).unwrap();
        }
        world.ado.add_fault(cut(5_000));
        world.read().await.unwrap();
        assert!(world.stored().await.values().all(|(_, texts)| texts[DESCRIPTION].as_str().unwrap().len() == 60_000));
        assert_eq!(world.aside().await, []);
    }
}

#[tokio::test]
async fn an_element_that_is_not_as_documented_is_read_by_its_id_and_one_without_is_only_counted() {
    for world in World::each(20).await {
        let ids = world.ids();
        let odd = |id: u32, to: &str| (format!(r#"{{"id":{id},"rev":"#), to.to_owned());
        let texts =
            vec![odd(ids[2], &format!(r#"{{"id":{},"rev":null,"x":"#, ids[2])), odd(ids[4], r#"{"id":"four","rev":"#)];
        world.ado.add_fault(Fault::on_route(REVISIONS, Effect::Rewrite { texts }).times(1));
        let since = world.ado.last_request();
        let report = world.read().await.unwrap();
        let stored = world.stored().await;
        assert!(stored.contains_key(&ids[2]) && !stored.contains_key(&ids[4]));
        assert_eq!((stored.len(), report.set_aside, world.asked(since, BATCHES)), (19, 1, 1));
        assert_eq!(world.aside().await, []);
    }
}

#[tokio::test]
async fn what_is_set_aside_is_read_once_more_and_forgotten_if_it_is_gone() {
    for world in World::each(20).await {
        let ids = world.ids();
        let (again, still, gone, large) = (ids[2], ids[3], ids[4], ids[5]);
        let aside = |id: u32, reason| SetAside { id: id.into(), reason };
        let unreadable = [again, still, gone].map(|id| aside(id, SetAsideReason::Unreadable));
        world.store.set_aside(world.scope, &unreadable).await.unwrap();
        world.store.set_aside(world.scope, &[aside(large, SetAsideReason::TooLarge)]).await.unwrap();
        world.ado.change_work_item(&ItemChange { id: gone, destroyed: true, ..ItemChange::default() }).unwrap();
        world.ado.add_fault(super::unreadable(still));
        let mut report = PullReport::default();
        aside::retry(world.reading(), &mut report).await.unwrap();
        let expected = [(still, SetAsideReason::Unreadable), (large, SetAsideReason::TooLarge)];
        assert_eq!((world.aside().await, report.set_aside), (expected.to_vec(), 2));
        let stored = world.stored().await;
        assert_eq!(stored.keys().copied().collect::<Vec<_>>(), [again, large]);
        assert!(stored[&large].1.is_empty() && !stored[&again].1.is_empty());
    }
}

//! Items with values that nobody would expect: all of them are stored, or set aside with a reason, and none stops the rest.

use ado_simulator::control::{ItemChange, ItemLink, NewWorkItem};
use serde_json::json;

use super::*;

/// Shows this value of a field of an item from now on.
fn show(world: &World, id: u32, field: &str, value: Value) {
    let shown = BTreeMap::from([(field.to_owned(), value)]);
    world.ado.change_work_item(&ItemChange { id, shown, ..ItemChange::default() }).unwrap();
}

#[tokio::test]
async fn odd_values_are_kept_as_they_came() {
    let odd = [
        ("System.Title", json!(7)),
        ("System.Title", json!("<script>alert(1)</script> 😀 a\u{0}b \u{202e}")),
        ("System.Title", json!("t".repeat(10_000))),
        ("System.State", json!({"name": "New"})),
        ("System.State", json!("a\u{0}b")),
        ("System.WorkItemType", json!("No Such Type")),
        ("System.WorkItemType", json!(null)),
        ("System.IterationId", json!("12")),
        ("System.IterationId", json!(-1)),
        ("System.IterationPath", json!(["Payments"])),
        ("System.Parent", json!(-5)),
        ("System.Parent", json!("x")),
        ("Microsoft.VSTS.Common.Priority", json!({"displayName": "2"})),
        ("Microsoft.VSTS.Common.Priority", json!(1e300)),
        ("Microsoft.VSTS.Common.ClosedDate", json!("9999-12-31T23:59:59.999Z")),
        ("Microsoft.VSTS.Common.ClosedDate", json!("0001-01-01T00:00:00Z")),
        ("System.ChangedDate", json!("9999-12-31T23:59:59.999Z")),
        ("System.ChangedDate", json!(0)),
        ("System.Tags", json!(["a"])),
        ("System.Description", json!("d".repeat(1 << 20))),
        ("System.Description", json!(12)),
        ("System.IsDeleted", json!("yes")),
    ];
    for world in World::each(40).await {
        let ids = world.ids();
        for (id, (field, value)) in ids.iter().zip(&odd) {
            show(&world, *id, field, value.clone());
        }
        let itself = *ids.last().unwrap();
        show(&world, itself, "System.Parent", json!(itself));
        let report = world.read().await.unwrap();
        let stored = world.stored().await;
        assert_eq!((stored.len(), report.set_aside), (40, 0));
        for (id, (field, value)) in ids.iter().zip(&odd) {
            let (fields, texts) = &stored[id];
            let is_kept = !value.is_null() && *field != "System.IsDeleted";
            // PostgreSQL's texts have no NUL, and an escaped one is none.
            assert_eq!(fields.get(*field).or(texts.get(*field)), is_kept.then_some(value), "{field}");
        }
        assert_eq!(stored[&itself].0["System.Parent"], itself);
        assert!(world.ado.violations().is_empty());
    }
}

#[tokio::test]
async fn half_an_emoji_is_replaced_in_the_feed_and_in_batches() {
    for world in World::each(10).await {
        let ids = world.ids();
        for (id, field) in ids.iter().zip(["System.Title", "System.State", DESCRIPTION]) {
            show(&world, *id, field, json!("a@half@"));
        }
        let half = Effect::Rewrite { texts: vec![("@half@".into(), r"\ud83d".into())] };
        world.ado.add_fault(cut(300));
        world.ado.add_fault(Fault::on_route(BATCHES, half.clone()));
        world.ado.add_fault(Fault::on_route(REVISIONS, half));
        for _ in 0..2 {
            let report = world.read().await.unwrap();
            let stored = world.stored().await;
            assert_eq!((stored.len(), report.set_aside), (10, 0));
            assert_eq!(stored[&ids[0]].0["System.Title"], "a\u{fffd}");
            assert_eq!(stored[&ids[1]].0["System.State"], "a\u{fffd}");
            assert_eq!(stored[&ids[2]].1[DESCRIPTION], "a\u{fffd}");
            world.store.forget_feed(world.scope, Feed::Revisions).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_item_with_an_endless_type_or_state_is_set_aside_and_the_rest_is_read() {
    for world in World::each(10).await {
        let ids = world.ids();
        show(&world, ids[1], "System.WorkItemType", json!("t".repeat(600)));
        show(&world, ids[2], "System.State", json!("s".repeat(600)));
        let report = world.read().await.unwrap();
        let large = |id| (id, SetAsideReason::TooLarge);
        assert_eq!((world.aside().await, report.set_aside), (vec![large(ids[1]), large(ids[2])], 2));
        assert_eq!(world.stored().await.len(), 8);
        assert!(world.store.feed_token(world.scope, Feed::Revisions).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_number_that_no_computer_has_sets_its_item_aside() {
    for world in World::each(10).await {
        let bad = world.ids()[4];
        show(&world, bad, "System.Title", json!("@number@"));
        let endless = Effect::Rewrite { texts: vec![(r#""@number@""#.into(), "1e999".into())] };
        for route in [REVISIONS, BATCHES] {
            world.ado.add_fault(Fault::on_route(route, endless.clone()));
        }
        let report = world.read().await.unwrap();
        assert_eq!((world.aside().await, report.set_aside), (vec![(bad, SetAsideReason::Unreadable)], 1));
        assert_eq!(world.stored().await.len(), 9);
    }
}

/// A new item of a type.
fn create(world: &World, kind: &str) -> u32 {
    let new = NewWorkItem { project: "Payments".into(), kind: kind.into(), ..NewWorkItem::default() };
    world.ado.create_work_item(&new).unwrap()
}

const TESTED_BY: &str = "Microsoft.VSTS.Common.TestedBy";

#[tokio::test]
async fn test_cases_come_along_with_what_they_test() {
    for world in World::each(0).await {
        let (story, bug) = (create(&world, "User Story"), create(&world, "Bug"));
        let cases = [create(&world, "Test Case"), create(&world, "Test Case")];
        let link = |id, direction, to| {
            world.ado.link(&ItemLink { id, rel: format!("{TESTED_BY}-{direction}"), to, organization: None }).unwrap();
        };
        link(story, "Forward", cases[0]);
        // Said from the other end, it is the same.
        link(cases[1], "Reverse", story);
        link(bug, "Forward", cases[1]);
        world.read().await.unwrap();
        let kinds = world.store.count_by_type(world.scope).await.unwrap();
        assert!(kinds.contains(&("Test Case".to_owned(), 2)), "{kinds:?}");
        for (source, expected) in [(story, cases.to_vec()), (bug, vec![cases[1]]), (cases[0], vec![])] {
            let found = world.store.targets(world.scope, TESTED_BY, source.into(), 10).await.unwrap();
            assert_eq!(found.into_iter().map(crate::store::WorkItemId::get).collect::<Vec<_>>(), expected);
        }
    }
}

#[tokio::test]
async fn thousands_of_links_of_one_item_are_read() {
    for world in World::each(0).await {
        let story = create(&world, "User Story");
        let cases: Vec<u32> = (0..2_500).map(|_| create(&world, "Test Case")).collect();
        for to in &cases {
            let rel = format!("{TESTED_BY}-Forward");
            world.ado.link(&ItemLink { id: story, rel, to: *to, organization: None }).unwrap();
        }
        world.read().await.unwrap();
        let found = world.store.targets(world.scope, TESTED_BY, story.into(), 10_000).await.unwrap();
        assert_eq!(found.into_iter().map(crate::store::WorkItemId::get).collect::<Vec<_>>(), cases);
    }
}

#[tokio::test]
async fn an_item_at_the_revision_limit_is_read_as_any_other() {
    for world in World::each(10).await {
        let id = world.ids()[0];
        world.ado.change_work_item(&ItemChange { id, rev: Some(10_000), ..ItemChange::default() }).unwrap();
        world.read().await.unwrap();
        assert_eq!((world.stored().await.len(), world.aside().await), (10, Vec::new()));
        let found = world.store.items_at_revision_limit(world.scope, 10).await.unwrap();
        assert_eq!(found, [id.into()]);
    }
}

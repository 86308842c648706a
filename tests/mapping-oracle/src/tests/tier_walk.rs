//! "Iterations": release or sprint from `Tier`.

use serde_json::{Value, json};

use super::{
    agile, answer, below, chain, dated, depth, item, listed, node, none, paths, release_of, sides, spot, tier, warns_of,
};

/// `Payments` with `A` (2), `B` (3) and `C` (4), and `A1` (5) below `A`.
fn tree() -> Value {
    let a = node(2, "A", vec![node(5, "A1", vec![])]);
    node(1, "Payments", vec![a, node(3, "B", vec![]), node(4, "C", vec![])])
}

/// A spec that pulls user stories alone, with these sides.
fn stories(release: &Value, sprint: &Value) -> Value {
    let mut spec = sides(release, sprint);
    spec["bugMapping"]["enabled"] = json!(false);
    spec
}

#[test]
fn looking_at_the_item_itself_first() {
    let items = [item(1, "User Story", 2), below(1, item(2, "User Story", 3))];
    let out = answer(&stories(&tier(3), &none()), &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n3", null]));
}

#[test]
fn then_its_parents_through_types_of_no_tier() {
    let items = [item(1, "Epic", 2), below(1, item(2, "Issue", 3)), below(2, item(3, "User Story", 4))];
    let out = answer(&stories(&tier(1), &none()), &agile(tree()), &items);
    assert_eq!(spot(&out, 3), json!(["n2", null]));
}

#[test]
fn elsewhere_deleted_or_unreadable_ends_the_walk_with_none() {
    let out = answer(&stories(&tier(1), &none()), &agile(tree()), &[below(77, item(3, "User Story", 4))]);
    assert_eq!(spot(&out, 3), json!([null, null]));
    let out = answer(&stories(&tier(1), &none()), &agile(tree()), &[item(3, "User Story", 4)]);
    assert_eq!(spot(&out, 3), json!([null, null]));
}

#[test]
fn a_closed_cycle_ends_the_walk_with_none() {
    let items =
        [below(2, item(1, "User Story", 2)), below(1, item(2, "Feature", 3)), below(4, item(4, "User Story", 3))];
    let out = answer(&stories(&tier(1), &none()), &agile(tree()), &items);
    assert_eq!(spot(&out, 1), json!([null, null]));
    assert_eq!(spot(&out, 4), json!([null, null]));
    let out = answer(&stories(&tier(2), &none()), &agile(tree()), &items);
    assert_eq!(spot(&out, 1), json!(["n3", null]), "an ancestor within the cycle is found");
}

#[test]
fn only_nodes_that_pulled_items_reach_are_releases_or_sprints() {
    let items =
        [item(1, "Epic", 2), below(1, item(2, "User Story", 4)), item(3, "Epic", 3), below(3, item(4, "Task", 3))];
    let out = answer(&stories(&tier(1), &none()), &agile(tree()), &items);
    assert_eq!(listed(&out, "releases"), ["n2"]);
    let out = answer(&stories(&none(), &tier(1)), &agile(tree()), &items);
    assert_eq!(listed(&out, "sprints"), ["n2"]);
}

#[test]
fn release_from_tier_ignores_the_release_that_tree_or_dates_give_a_sprint() {
    let mut tree = tree();
    tree["children"][0] = dated(tree["children"][0].clone(), "2026-01-01", "2026-12-31");
    tree["children"][0]["children"][0] = dated(tree["children"][0]["children"][0].clone(), "2026-01-01", "2026-02-01");
    let items = [
        item(1, "Epic", 2),
        below(1, item(2, "User Story", 2)),
        item(3, "Epic", 3),
        below(3, item(4, "User Story", 5)),
    ];
    let out = answer(&stories(&tier(1), &depth(2)), &agile(tree), &items);
    assert_eq!(listed(&out, "releases"), ["n2", "n3"]);
    assert_eq!(spot(&out, 4), json!(["n3", "n5"]));
    assert_eq!(release_of(&out, "n5"), Value::Null);
}

#[test]
fn release_from_tier_judges_both_sources_per_item() {
    // `B` is the release of story 2 and the sprint of story 4.
    let items = [
        item(1, "Epic", 3),
        below(1, item(2, "User Story", 3)),
        item(3, "Epic", 4),
        below(3, item(4, "User Story", 3)),
    ];
    let out = answer(&stories(&tier(1), &depth(1)), &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n3", null]));
    assert_eq!(spot(&out, 4), json!(["n4", "n3"]));
    assert_eq!(listed(&out, "releases"), ["n3", "n4"]);
    assert_eq!(listed(&out, "sprints"), ["n2", "n3", "n4"]);
    assert!(!warns_of(&out, "ReleasesTakeAll"), "{out}");
}

#[test]
fn where_an_items_sprint_node_is_its_release_the_next_sprint_above_counts() {
    let items = [item(1, "Epic", 5), below(1, item(2, "User Story", 5))];
    let spec = stories(&tier(1), &paths(&["Payments\\*", "Payments\\*\\*"]));
    let out = answer(&spec, &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n5", "n2"]));
}

#[test]
fn release_from_tier_makes_no_sprint_above_a_release() {
    let items = [item(1, "Epic", 5), below(1, item(2, "User Story", 5))];
    let out = answer(&stories(&tier(1), &depth(1)), &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n5", "n2"]));
    assert!(!warns_of(&out, "SprintAboveRelease"));
}

#[test]
fn sprint_from_tier_its_release_comes_from_the_sprints_node() {
    // The feature sits on `S1` below the release `2026`; the story itself on the root.
    let items = [item(1, "Feature", 4), below(1, item(2, "User Story", 1))];
    let out = answer(&stories(&depth(1), &tier(2)), &agile(chain()), &items);
    assert_eq!(spot(&out, 2), json!(["n2", "n4"]));
    assert_eq!(release_of(&out, "n4"), "n2");
}

#[test]
fn sprint_from_tier_on_a_release_node_the_item_has_no_sprint_and_takes_its_own_nearest_release() {
    let items = [item(1, "Feature", 3), below(1, item(2, "User Story", 5))];
    let out = answer(&stories(&depth(1), &tier(2)), &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n2", null]));
    assert_eq!(out["sprints"], json!([]));
    assert!(warns_of(&out, "ReleasesTakeAll"), "{out}");
}

#[test]
fn sprint_from_tier_without_a_release_leaves_the_item_its_own() {
    let items = [item(1, "Feature", 3), below(1, item(2, "User Story", 5))];
    let out = answer(&stories(&depth(2), &tier(2)), &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n5", "n3"]));
    assert_eq!(release_of(&out, "n3"), Value::Null);
}

#[test]
fn both_from_tier_and_the_same_node_no_sprint() {
    let items = [
        item(1, "Epic", 2),
        below(1, item(2, "Feature", 2)),
        below(2, item(3, "User Story", 5)),
        below(1, item(4, "Feature", 3)),
        below(4, item(5, "User Story", 5)),
    ];
    let out = answer(&stories(&tier(1), &tier(2)), &agile(tree()), &items);
    assert_eq!(spot(&out, 3), json!(["n2", null]));
    assert_eq!(spot(&out, 5), json!(["n2", "n3"]));
    assert_eq!(listed(&out, "sprints"), ["n3"]);
}

#[test]
fn one_sprint_may_stand_under_several_releases() {
    let items = [
        item(1, "Epic", 2),
        below(1, item(2, "User Story", 4)),
        item(3, "Epic", 3),
        below(3, item(4, "User Story", 4)),
    ];
    let out = answer(&stories(&tier(1), &depth(1)), &agile(tree()), &items);
    assert_eq!(spot(&out, 2), json!(["n2", "n4"]));
    assert_eq!(spot(&out, 4), json!(["n3", "n4"]));
}

//! "When the process disagrees": nodes that `Paths` names before the first `*`, pinned by id.

use serde_json::{Value, json};

use super::{agile, chain, gone, later, listed, node, none, paths, renamed, sides};

const SPRINT_PATHS: &str = "spec.iterationMapping.sprint.paths";

#[test]
fn literal_path_nodes_are_pinned_by_id() {
    let path = "Payments\\2026\\R1";
    let spec = sides(&none(), &paths(&[path]));
    let renamed_tree =
        node(1, "Payments", vec![node(2, "2026", vec![node(3, "First", vec![]), node(9, "R1", vec![])])]);
    let out = later(&spec, &agile(chain()), &agile(renamed_tree), &[]);
    assert_eq!(listed(&out, "sprints"), ["n3"]);
    assert_eq!(out["warnings"], json!([renamed(SPRINT_PATHS, path)]));
    let without = node(1, "Payments", vec![node(2, "2026", vec![node(9, "R1", vec![])])]);
    let out = later(&spec, &agile(chain()), &agile(without), &[]);
    assert_eq!(out["gone"], gone(SPRINT_PATHS, path));
    assert_eq!(out["sprints"], json!([]));
}

/// What the sprints of one path are, accepted in the chain, in a later tree.
fn sprints_later(path: &str, tree: Value) -> Value {
    later(&sides(&none(), &paths(&[path])), &agile(chain()), &agile(tree), &[])
}

fn matches_nothing(path: &str) -> Value {
    json!({"kind": "MatchesNothing", "side": "sprint", "source": path})
}

#[test]
fn before_a_star_a_renamed_node_is_followed_with_a_warning() {
    let path = "Payments\\2026\\*";
    let year = node(2, "Year", vec![node(3, "R1", vec![]), node(5, "R2", vec![])]);
    let out = sprints_later(path, node(1, "Payments", vec![year, node(8, "2026", vec![node(9, "R1", vec![])])]));
    assert_eq!(listed(&out, "sprints"), ["n3", "n5"]);
    assert_eq!(out["warnings"], json!([renamed(SPRINT_PATHS, path)]));
    assert_eq!(out["gone"], json!([]));
    assert_eq!(sprints_later("payments\\2026\\*", chain())["warnings"], json!([]), "case is no other name");
}

#[test]
fn before_a_star_a_moved_node_is_followed_whatever_became_of_the_nodes_above_it() {
    let path = "Payments\\2026\\R1\\*";
    let moved = node(3, "R1", vec![node(4, "S1", vec![])]);
    for tree in [
        node(1, "Payments", vec![moved.clone()]),
        node(1, "Payments", vec![node(2, "2026", vec![]), node(8, "Old", vec![node(9, "Older", vec![moved])])]),
    ] {
        let out = sprints_later(path, tree);
        assert_eq!(listed(&out, "sprints"), ["n4"]);
        assert_eq!(out["warnings"], json!([renamed(SPRINT_PATHS, path)]));
        assert_eq!(out["gone"], json!([]));
    }
}

#[test]
fn before_a_star_a_renamed_project_is_followed_with_a_warning() {
    let billing = || node(1, "Billing", vec![node(2, "2026", vec![node(3, "R1", vec![])])]);
    for (path, sprint) in [("Payments\\*", "n2"), ("Payments\\*\\R1", "n3"), ("Payments\\2026\\*", "n3")] {
        let out = sprints_later(path, billing());
        assert_eq!(listed(&out, "sprints"), [sprint]);
        assert_eq!(out["warnings"], json!([renamed(SPRINT_PATHS, path)]));
        assert_eq!(out["gone"], json!([]));
    }
}

#[test]
fn names_after_a_star_are_those_of_now() {
    let path = "Payments\\*\\R1";
    let out = sprints_later(path, node(1, "Payments", vec![node(2, "2026", vec![node(3, "First", vec![])])]));
    assert_eq!(out["sprints"], json!([]));
    assert_eq!(out["warnings"], json!([matches_nothing(path)]));
    assert_eq!(out["gone"], json!([]));
    let year = node(2, "2026", vec![node(3, "First", vec![]), node(9, "r1", vec![])]);
    assert_eq!(listed(&sprints_later(path, node(1, "Payments", vec![year])), "sprints"), ["n9"]);
}

#[test]
fn a_path_with_a_star_is_gone_with_the_node_before_it_though_another_has_its_name() {
    let path = "Payments\\2026\\*";
    let out = sprints_later(path, node(1, "Payments", vec![node(9, "2026", vec![node(3, "R1", vec![])])]));
    assert_eq!(out["sprints"], json!([]));
    assert_eq!(out["gone"], gone(SPRINT_PATHS, path));
    assert_eq!(out["warnings"], json!([matches_nothing(path)]));
}

#[test]
fn a_path_that_begins_with_a_star_pins_nothing() {
    let path = "*\\2026";
    let out = sprints_later(path, node(1, "Billing", vec![node(2, "2027", vec![]), node(9, "2026", vec![])]));
    assert_eq!(listed(&out, "sprints"), ["n9"]);
    assert_eq!(out["warnings"], json!([]));
    let out = sprints_later(path, node(1, "Billing", vec![node(2, "2027", vec![])]));
    assert_eq!(out["gone"], json!([]));
    assert_eq!(out["warnings"], json!([matches_nothing(path)]));
}

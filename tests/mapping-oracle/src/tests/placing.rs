//! "Iterations": the release and sprint of an item, neither from `Tier`.

use serde_json::{Value, json};

use super::{
    agile, answer, chain, dated, depth, item, listed, node, none, paths, release_of, sides, spot, warns, warns_of, with,
};

/// A release `R` (2) from January to March beside a sprint folder `S` (3).
fn by_date(sprint: Value, more: Vec<Value>) -> Value {
    let mut nodes = vec![dated(node(2, "R", vec![]), "2026-01-01", "2026-03-31"), sprint];
    nodes.extend(more);
    node(1, "Payments", nodes)
}

#[test]
fn the_nearest_node_at_or_above_its_own_iteration_that_is_a_sprint_or_release() {
    let items = [item(1, "User Story", 4), item(2, "User Story", 3), item(3, "User Story", 2)];
    let out = answer(&sides(&depth(1), &depth(2)), &agile(chain()), &items);
    assert_eq!(spot(&out, 1), json!(["n2", "n3"]));
    assert_eq!(spot(&out, 2), json!(["n2", "n3"]));
    assert_eq!(spot(&out, 3), json!(["n2", null]));
    let nested = sides(&none(), &paths(&["Payments\\2026", "Payments\\2026\\R1"]));
    assert_eq!(spot(&answer(&nested, &agile(chain()), &items), 1), json!([null, "n3"]));
}

#[test]
fn none_at_or_above_is_unassigned() {
    let out = answer(&sides(&depth(1), &depth(2)), &agile(chain()), &[item(1, "User Story", 1), item(2, "Bug", 99)]);
    assert_eq!(spot(&out, 1), json!([null, null]));
    assert_eq!(spot(&out, 2), json!([null, null]));
}

#[test]
fn an_item_is_on_the_node_of_its_iteration_id_else_of_its_path() {
    let lost = with(item(1, "User Story", 99), "System.IterationPath", "payments\\2026\\R1");
    let both = with(item(2, "User Story", 2), "System.IterationPath", "Payments\\2026\\R1");
    let out = answer(&sides(&depth(1), &depth(2)), &agile(chain()), &[lost, both]);
    assert_eq!(spot(&out, 1), json!(["n2", "n3"]));
    assert_eq!(spot(&out, 2), json!(["n2", null]));
}

#[test]
fn a_node_matched_by_both_sources_is_a_release_only() {
    let spec = sides(&depth(2), &paths(&["Payments\\*", "Payments\\*\\*"]));
    let out = answer(&spec, &agile(chain()), &[item(1, "User Story", 3)]);
    assert_eq!(listed(&out, "releases"), ["n3"]);
    assert_eq!(listed(&out, "sprints"), ["n2"]);
    assert!(!warns_of(&out, "NamedTwice"));
}

#[test]
fn a_warning_if_both_sources_name_a_node_literally() {
    let named = paths(&["Payments\\2026\\R1"]);
    let out = answer(&sides(&named, &paths(&["payments\\2026\\r1", "Payments\\2026\\R1\\*"])), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), ["n3"]);
    assert_eq!(listed(&out, "sprints"), ["n4"]);
    assert_eq!(out["warnings"], json!([{"kind": "NamedTwice", "path": "Payments\\2026\\R1"}]));
    let out = answer(&sides(&named, &paths(&["Payments\\2026\\*"])), &agile(chain()), &[]);
    assert!(!warns_of(&out, "NamedTwice"));
}

#[test]
fn a_sprint_belongs_to_the_nearest_release_above_it() {
    let spec = sides(&paths(&["Payments\\2026", "Payments\\2026\\R1"]), &depth(3));
    let out = answer(&spec, &agile(chain()), &[]);
    assert_eq!(release_of(&out, "n4"), "n3");
}

#[test]
fn with_none_above_to_a_release_by_date() {
    let spec = sides(&paths(&["Payments\\R"]), &paths(&["Payments\\S"]));
    let sprint = |start, finish| by_date(dated(node(3, "S", vec![]), start, finish), vec![]);
    let release = |tree| release_of(&answer(&spec, &agile(tree), &[]), "n3");
    assert_eq!(release(sprint("2026-02-01", "2026-02-14")), "n2");
    assert_eq!(release(sprint("2026-01-01", "2026-03-31")), "n2", "the interval is inclusive");
    assert_eq!(release(sprint("2025-12-31", "2026-01-14")), Value::Null);
    assert_eq!(release(sprint("2026-03-30", "2026-04-01")), Value::Null);
}

#[test]
fn by_date_only_if_exactly_one_contains_the_sprint_nested_ones_both_count() {
    let spec = sides(&paths(&["Payments\\R", "Payments\\Q"]), &paths(&["Payments\\S"]));
    let sprint = dated(node(3, "S", vec![]), "2026-02-01", "2026-02-14");
    let other = |start, finish| vec![dated(node(4, "Q", vec![]), start, finish)];
    let nested = by_date(sprint.clone(), other("2026-02-01", "2026-02-28"));
    assert_eq!(release_of(&answer(&spec, &agile(nested), &[]), "n3"), Value::Null);
    let apart = by_date(sprint, other("2026-04-01", "2026-04-30"));
    assert_eq!(release_of(&answer(&spec, &agile(apart), &[]), "n3"), "n2");
}

#[test]
fn half_dated_nodes_contain_nothing() {
    let spec = sides(&paths(&["Payments\\R"]), &paths(&["Payments\\S"]));
    let sprint = dated(node(3, "S", vec![]), "2026-02-01", "2026-02-14");
    for missing in ["startDate", "finishDate"] {
        let mut tree = by_date(sprint.clone(), vec![]);
        tree["children"][0][missing] = Value::Null;
        assert_eq!(release_of(&answer(&spec, &agile(tree), &[]), "n3"), Value::Null, "{missing}");
    }
    let endless = node(1, "Payments", vec![dated(node(2, "R", vec![]), "0001-01-01", "9999-12-31"), sprint]);
    assert_eq!(release_of(&answer(&spec, &agile(endless), &[]), "n3"), Value::Null);
}

#[test]
fn a_half_dated_sprint_is_contained_by_nothing() {
    let spec = sides(&paths(&["Payments\\R"]), &paths(&["Payments\\S"]));
    let mut tree = by_date(dated(node(3, "S", vec![]), "2026-02-01", "2026-02-14"), vec![]);
    tree["children"][1]["finishDate"] = Value::Null;
    assert_eq!(release_of(&answer(&spec, &agile(tree), &[]), "n3"), Value::Null);
}

#[test]
fn a_release_above_wins_over_dates() {
    let below = dated(node(4, "S", vec![]), "2026-02-01", "2026-02-14");
    let tree = by_date(node(3, "Other", vec![below]), vec![]);
    let spec = sides(&paths(&["Payments\\R", "Payments\\Other"]), &depth(2));
    assert_eq!(release_of(&answer(&spec, &agile(tree), &[]), "n4"), "n3");
}

#[test]
fn an_item_whose_sprint_has_a_release_takes_that_release_even_if_it_sits_on_another() {
    // The sprint `2026` lies above the release `R1`, and by date in the release `Year`.
    let sprint = dated(node(2, "2026", vec![node(3, "R1", vec![])]), "2026-02-01", "2026-02-14");
    let tree = node(1, "Payments", vec![sprint, dated(node(5, "Year", vec![]), "2026-01-01", "2026-12-31")]);
    let spec = sides(&paths(&["Payments\\2026\\R1", "Payments\\Year"]), &paths(&["Payments\\2026"]));
    let out = answer(&spec, &agile(tree), &[item(1, "User Story", 3)]);
    assert_eq!(spot(&out, 1), json!(["n5", "n2"]));
}

#[test]
fn a_sprint_above_a_release_is_a_warning() {
    let out = answer(&sides(&depth(3), &depth(1)), &agile(chain()), &[item(1, "User Story", 4)]);
    assert!(warns(&out, &json!({"kind": "SprintAboveRelease", "sprint": "Payments\\2026"})), "{out}");
    assert_eq!(spot(&out, 1), json!(["n4", "n2"]), "a sprint without a release leaves the item its own");
    let out = answer(&sides(&depth(1), &depth(2)), &agile(chain()), &[]);
    assert!(!warns_of(&out, "SprintAboveRelease"));
}

//! "Iterations": which nodes are releases and sprints.

use serde_json::{Value, json};

use super::{
    agile, answer, bare, both, chain, depth, item, listed, node, none, paths, refused, sides, spot, tier, warns,
    warns_of,
};

fn of_team(nodes: &[&str], spec: &Value) -> (Value, Value) {
    let mut world = agile(chain());
    world["team"]["nodes"] = json!(nodes);
    let mut spec = spec.clone();
    spec["team"] = json!("Payments Team");
    (spec, world)
}

#[test]
fn depth_is_every_node_that_many_levels_below_the_root() {
    let out = answer(&sides(&depth(2), &depth(3)), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), ["n3"]);
    assert_eq!(listed(&out, "sprints"), ["n4"]);
}

#[test]
fn paths_are_named_as_in_the_iteration_path_without_case() {
    let out = answer(&sides(&paths(&["payments\\2026\\r1"]), &none()), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), ["n3"]);
}

#[test]
fn a_star_stands_for_one_whole_level() {
    let tree = node(
        1,
        "Payments",
        vec![
            node(2, "2026", vec![node(3, "R1", vec![node(4, "S1", vec![])]), node(5, "R2", vec![])]),
            node(6, "2027", vec![node(7, "R1", vec![])]),
        ],
    );
    let out =
        answer(&sides(&paths(&["Payments\\2026\\*"]), &paths(&["Payments\\*\\*\\S1"])), &agile(tree.clone()), &[]);
    assert_eq!(listed(&out, "releases"), ["n3", "n5"]);
    assert_eq!(listed(&out, "sprints"), ["n4"]);
    let out = answer(&sides(&paths(&["Payments\\*\\R1"]), &none()), &agile(tree), &[]);
    assert_eq!(listed(&out, "releases"), ["n3", "n7"]);
}

#[test]
fn a_path_that_begins_with_a_star_never_selects_the_root() {
    let out = answer(&sides(&paths(&["*"]), &paths(&["*\\*"])), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), Vec::<String>::new());
    assert_eq!(listed(&out, "sprints"), ["n2"]);
    assert!(warns(&out, &json!({"kind": "MatchesNothing", "side": "release", "source": "*"})), "{out}");
}

#[test]
fn tier_is_the_iteration_of_the_items_ancestor_at_that_tier() {
    let items = [item(1, "Feature", 2), super::below(1, item(2, "User Story", 4))];
    let out = answer(&sides(&tier(2), &none()), &agile(chain()), &items);
    assert_eq!(spot(&out, 2), json!(["n2", null]));
}

#[test]
fn team_board_is_the_nodes_of_the_teams_iteration_list() {
    let (spec, world) = of_team(&["N4"], &sides(&depth(1), &json!({"from": "TeamBoard"})));
    let out = answer(&spec, &world, &[]);
    assert_eq!(listed(&out, "sprints"), ["n4"]);
}

#[test]
fn team_board_needs_a_team() {
    let spec = sides(&depth(1), &json!({"from": "TeamBoard"}));
    assert_eq!(refused(&spec, &agile(chain()), &[]), "spec.team");
}

#[test]
fn none_has_no_nodes() {
    let out = answer(&sides(&none(), &none()), &agile(chain()), &[item(1, "User Story", 4)]);
    assert_eq!(out["releases"], json!([]));
    assert_eq!(out["sprints"], json!([]));
    assert_eq!(spot(&out, 1), json!([null, null]));
}

#[test]
fn left_out_release_is_depth_1_and_sprint_depth_2() {
    let out = answer(&both(json!({})), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), ["n2"]);
    assert_eq!(listed(&out, "sprints"), ["n3"]);
    let out = answer(&sides(&paths(&["Payments\\2026\\R1\\S1"]), &Value::Null), &agile(chain()), &[]);
    assert_eq!(listed(&out, "sprints"), ["n3"]);
    let out = answer(&sides(&Value::Null, &none()), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), ["n2"]);
}

#[test]
fn beside_a_given_depth_n_the_sprint_is_n_plus_1() {
    let out = answer(&sides(&depth(2), &Value::Null), &agile(chain()), &[]);
    assert_eq!(listed(&out, "sprints"), ["n4"]);
}

#[test]
fn beside_a_given_depth_n_the_release_is_n_minus_1() {
    let out = answer(&sides(&Value::Null, &depth(3)), &agile(chain()), &[]);
    assert_eq!(listed(&out, "releases"), ["n3"]);
}

#[test]
fn beside_a_given_depth_1_the_release_is_none() {
    let out = answer(&sides(&Value::Null, &depth(1)), &agile(chain()), &[]);
    assert_eq!(out["releases"], json!([]));
    assert_eq!(listed(&out, "sprints"), ["n2"]);
    assert_eq!(out["warnings"], json!([]), "no source that could match nothing");
}

#[test]
fn a_release_left_out_never_takes_a_node_that_the_sprints_paths_select() {
    let tree = node(1, "Payments", vec![node(2, "Sprint 1", vec![]), node(3, "R1", vec![node(4, "S", vec![])])]);
    let out = answer(&sides(&Value::Null, &paths(&["Payments\\Sprint 1"])), &agile(tree.clone()), &[]);
    assert_eq!(listed(&out, "releases"), ["n3"]);
    assert_eq!(listed(&out, "sprints"), ["n2"]);
    let out = answer(&sides(&depth(1), &paths(&["Payments\\Sprint 1"])), &agile(tree), &[]);
    assert_eq!(listed(&out, "releases"), ["n2", "n3"]);
    assert_eq!(out["sprints"], json!([]));
}

#[test]
fn the_root_is_a_release_or_sprint_only_if_paths_names_it() {
    let out = answer(&sides(&paths(&["Payments"]), &depth(1)), &agile(chain()), &[item(1, "User Story", 1)]);
    assert_eq!(listed(&out, "releases"), ["n1"]);
    assert_eq!(spot(&out, 1), json!(["n1", null]));
    let (spec, world) = of_team(&["n1", "n3"], &sides(&none(), &json!({"from": "TeamBoard"})));
    assert_eq!(listed(&answer(&spec, &world, &[]), "sprints"), ["n3"]);
    let out = answer(&sides(&tier(3), &none()), &agile(chain()), &[item(1, "User Story", 1)]);
    assert_eq!(out["releases"], json!([]));
    assert_eq!(spot(&out, 1), json!([null, null]));
}

#[test]
fn used_only_if_one_of_the_toggles_is_on() {
    let mut spec = sides(&paths(&["Payments\\Nowhere"]), &depth(1));
    spec["pullRequirements"]["enabled"] = json!(false);
    spec["bugMapping"]["enabled"] = json!(false);
    let out = answer(&spec, &agile(chain()), &[item(1, "User Story", 2)]);
    assert_eq!(out["records"], json!([]));
    assert_eq!(out["sprints"], json!([]));
    assert_eq!(out["warnings"], json!([]));
}

#[test]
fn full_path_makes_names_the_full_path_instead_of_the_leaf() {
    let mut spec = sides(&depth(1), &depth(2));
    assert_eq!(answer(&spec, &agile(chain()), &[])["sprints"][0]["name"], "R1");
    spec["iterationMapping"]["fullPath"] = json!(true);
    let out = answer(&spec, &agile(chain()), &[]);
    assert_eq!(out["releases"][0]["name"], "Payments\\2026");
    assert_eq!(out["sprints"][0]["name"], "Payments\\2026\\R1");
}

#[test]
fn equal_leaf_names_stay_two_records_with_full_path_false_a_warning() {
    let tree = node(
        1,
        "Payments",
        vec![node(2, "2026", vec![node(3, "sprint 1", vec![])]), node(4, "2027", vec![node(5, "Sprint 1", vec![])])],
    );
    let mut spec = sides(&depth(1), &depth(2));
    let out = answer(&spec, &agile(tree.clone()), &[]);
    assert_eq!(listed(&out, "sprints"), ["n3", "n5"]);
    assert_eq!(out["warnings"], json!([{"kind": "EqualNames", "side": "sprint", "name": "Sprint 1"}]));
    spec["iterationMapping"]["fullPath"] = json!(true);
    assert_eq!(answer(&spec, &agile(tree), &[])["warnings"], json!([]));
}

#[test]
fn renames_and_moves_keep_identity() {
    let moved =
        node(1, "Payments", vec![node(5, "Archive", vec![node(3, "Release One", vec![])]), node(2, "2026", vec![])]);
    let spec = sides(&paths(&["Payments\\2026\\R1"]), &none());
    let out = super::later(&spec, &agile(chain()), &agile(moved), &[item(1, "User Story", 3)]);
    assert_eq!(spot(&out, 1), json!(["n3", null]));
    assert_eq!(out["releases"][0]["name"], "Release One");
}

#[test]
fn dateless_nodes_are_kept() {
    let tree =
        node(1, "Payments", vec![node(2, "A", vec![]), super::dated(node(3, "B", vec![]), "2026-01-01", "2026-02-01")]);
    assert_eq!(listed(&answer(&sides(&depth(1), &none()), &agile(tree), &[]), "releases"), ["n2", "n3"]);
}

#[test]
fn what_stands_before_the_first_star_must_exist() {
    let release = "spec.iterationMapping.release.paths";
    let sprint = "spec.iterationMapping.sprint.paths";
    let world = agile(chain());
    assert_eq!(refused(&sides(&paths(&["Payments\\2025\\*"]), &none()), &world, &[]), release);
    assert_eq!(refused(&sides(&none(), &paths(&["Payments\\2026", "Payments\\2025"])), &world, &[]), sprint);
    assert_eq!(refused(&sides(&none(), &paths(&["Payments\\*\\Nowhere"])), &world, &[]), Value::Null);
}

#[test]
fn a_star_depth_tier_or_team_list_that_matches_nothing_is_a_warning() {
    let nothing = |side: &str, source: &str| json!({"kind": "MatchesNothing", "side": side, "source": source});
    let spec = sides(&paths(&["Payments\\2026\\R1\\S1\\*", "Payments\\*"]), &depth(9));
    let out = answer(&spec, &agile(chain()), &[]);
    assert_eq!(out["warnings"], json!([nothing("release", "Payments\\2026\\R1\\S1\\*"), nothing("sprint", "Depth 9")]));
    let (spec, world) = of_team(&["elsewhere"], &sides(&tier(9), &json!({"from": "TeamBoard"})));
    let out = answer(&spec, &world, &[item(1, "User Story", 3)]);
    assert_eq!(out["warnings"], json!([nothing("release", "Tier 9"), nothing("sprint", "TeamBoard")]));
    let out = answer(&sides(&none(), &tier(1)), &agile(chain()), &[item(1, "User Story", 3)]);
    assert_eq!(out["warnings"], json!([nothing("sprint", "Tier 1")]));
}

#[test]
fn on_a_flat_tree_a_warning_says_to_write_release_none() {
    let flat = node(1, "Payments", vec![node(2, "Sprint 1", vec![]), node(3, "Sprint 2", vec![])]);
    let all = json!({"kind": "ReleasesTakeAll"});
    assert!(warns(&answer(&both(json!({})), &agile(flat.clone()), &[]), &all));
    assert!(!warns_of(&answer(&sides(&none(), &depth(1)), &agile(flat), &[]), "ReleasesTakeAll"));
    assert!(!warns_of(&answer(&both(json!({})), &agile(bare()), &[]), "ReleasesTakeAll"));
    assert!(!warns_of(&answer(&both(json!({})), &agile(chain()), &[]), "ReleasesTakeAll"));
}

#[test]
fn where_releases_take_every_node_of_the_sprint_source_a_warning_says_so() {
    let all = json!({"kind": "ReleasesTakeAll"});
    let out = answer(&sides(&depth(2), &paths(&["Payments\\2026\\R1"])), &agile(chain()), &[]);
    assert!(warns(&out, &all), "{out}");
    let out = answer(&sides(&depth(2), &paths(&["Payments\\2026\\*", "Payments\\2026"])), &agile(chain()), &[]);
    assert!(!warns(&out, &all), "{out}");
}

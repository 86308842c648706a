//! "Iterations", but for `Tier`.

use serde_json::{Value, json};

use super::agile;
use crate::small::{Small, children, remove_named};

const YEARS: &str = "
2026
  R1
    S1
  R2
";

/// Two siblings; what stands in the second is joined to the first by dates only.
fn side_by_side(releases: &str, sprints: &str) -> Small {
    let indented = |lines: &str| lines.replace(", ", "\n  ");
    let tree = format!("Releases\n  {}\nSprints\n  {}", indented(releases), indented(sprints));
    Small::new("Agile", &tree).release(r"Paths Payments\Releases\*").sprint(r"Paths Payments\Sprints\*")
}

#[test]
fn depth_is_every_node_that_many_levels_below_the_root() {
    let answer = Small::new("Agile", YEARS).release("Depth 2").sprint("None").map();
    assert_eq!(answer.releases(), "R1, R2");
}

#[test]
fn paths_are_nodes_named_as_in_system_iteration_path() {
    let answer = Small::new("Agile", YEARS).release(r"Paths Payments\2026\R1, payments\2026\r2").sprint("None").map();
    assert_eq!(answer.releases(), "R1, R2");
}

#[test]
fn a_star_stands_for_one_whole_level() {
    let answer = Small::new("Agile", YEARS).release(r"Paths Payments\*\R1").sprint(r"Paths Payments\2026\*").map();
    assert_eq!((answer.releases(), answer.sprints()), ("R1".to_owned(), "R2".to_owned()));
    let part = Small::new("Agile", YEARS).release(r"Paths Payments\*").sprint("None").map();
    assert_eq!(part.releases(), "2026");
}

#[test]
fn team_board_is_the_nodes_of_the_teams_iteration_list() {
    let answer = agile().team("S1, S3").sprint("TeamBoard").item("1 Bug @S2").map();
    assert_eq!(answer.sprints(), "S1 in R1, S3 in R2");
    assert_eq!(answer.spots(), "1 R1/-");
}

#[test]
fn team_board_needs_team() {
    let answer = agile().team("S1").sprint("TeamBoard").given(|world| world["team"] = Value::Null).map();
    assert_eq!(answer.refused(), Some("spec.team"));
}

#[test]
fn none_is_no_node() {
    let answer = agile().release("None").sprint("None").item("1 Bug @S2").map();
    assert_eq!((answer.releases(), answer.sprints()), ("-".to_owned(), "-".to_owned()));
    assert_eq!(answer.spots(), "1 -/-");
}

#[test]
fn left_out_release_is_depth_1_and_sprint_depth_2() {
    let answer = agile().map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1, R2", "S1 in R1, S2 in R1, S3 in R2"));
    let beside_none = agile().sprint("None").map();
    assert_eq!(beside_none.releases(), "R1, R2");
}

#[test]
fn beside_a_given_depth_n_the_sprint_is_n_plus_1() {
    let answer = Small::new("Agile", YEARS).release("Depth 2").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1, R2", "S1 in R1"));
}

#[test]
fn beside_a_given_depth_n_the_release_is_n_minus_1() {
    let answer = Small::new("Agile", YEARS).sprint("Depth 3").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1, R2", "S1 in R1"));
}

#[test]
fn beside_a_sprint_at_depth_1_the_release_is_none() {
    let answer = agile().sprint("Depth 1").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("-", "R1, R2"));
}

#[test]
fn a_release_left_out_never_takes_a_node_that_the_sprints_paths_select() {
    let answer = agile().sprint(r"Paths Payments\R2, Payments\*\S1").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1", "S1 in R1, R2"));
}

#[test]
fn the_root_is_a_release_or_sprint_only_if_paths_names_it() {
    let by_path = agile().release("Paths Payments").item("1 Bug @R1").map();
    assert_eq!((by_path.releases().as_str(), by_path.spots().as_str()), ("Payments", "1 Payments/-"));
    let by_board = agile().team("Payments, R1").release("TeamBoard").item("1 Bug @R2").map();
    assert_eq!((by_board.releases().as_str(), by_board.spots().as_str()), ("R1", "1 -/-"));
    let by_tier = agile().release("Tier 1").items("1 Epic @Payments; 2 Bug @S1 <1").map();
    assert_eq!((by_tier.releases().as_str(), by_tier.spots().as_str()), ("-", "2 -/S1"));
}

#[test]
fn an_items_sprint_is_the_nearest_sprint_at_or_above_its_own_iteration() {
    let small = Small::new("Agile", YEARS).release("None").sprint(r"Paths Payments\2026, Payments\2026\R1");
    let answer = small.items("1 Bug @S1; 2 Bug @R1; 3 Bug @R2; 4 Bug @2026").map();
    assert_eq!(answer.spots(), "1 -/R1, 2 -/R1, 3 -/2026, 4 -/2026");
}

#[test]
fn an_items_release_is_the_nearest_release_at_or_above_its_own_iteration() {
    let small = Small::new("Agile", YEARS).release(r"Paths Payments\2026, Payments\2026\R1").sprint("None");
    let answer = small.items("1 Bug @S1; 2 Bug @R1; 3 Bug @R2; 4 Bug @2026").map();
    assert_eq!(answer.spots(), "1 R1/-, 2 R1/-, 3 2026/-, 4 2026/-");
}

#[test]
fn an_item_with_none_above_is_unassigned() {
    let answer = agile().release(r"Paths Payments\R1").items("1 Bug @Payments; 2 Bug @R2; 3 Bug @R1").map();
    assert_eq!(answer.spots(), "1 -/-, 2 -/-, 3 R1/-");
}

#[test]
fn a_node_matched_by_both_sources_is_a_release_only() {
    let answer = agile().release(r"Paths Payments\*").sprint(r"Paths Payments\R1, Payments\R1\S1").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1, R2", "S1 in R1"));
    assert_eq!(answer.warnings(), "-");
}

#[test]
fn with_a_warning_if_both_name_it_literally() {
    let answer = agile().release(r"Paths Payments\R1").sprint(r"Paths payments\r1, Payments\R1\S1").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1", "S1 in R1"));
    assert_eq!(answer.warnings(), r"NamedTwice Payments\R1");
}

#[test]
fn a_sprint_belongs_to_the_nearest_release_above_it() {
    let small = Small::new("Agile", YEARS).release(r"Paths Payments\2026, Payments\2026\R1").sprint("Depth 3");
    assert_eq!(small.map().sprints(), "S1 in R1");
    let dates_lie = Small::new("Agile", "R1 01-01..01-31\n  S1 02-02..02-03\nR2 02-01..02-28").map();
    assert_eq!(dates_lie.sprints(), "S1 in R1");
}

#[test]
fn with_none_above_to_a_release_by_date_only_if_exactly_one_inclusive_interval_contains_it() {
    let answer = side_by_side("R1 01-01..01-31, R2 02-01..02-28", "S1 01-01..01-31, S2 01-31..02-01, S3 02-28..02-28");
    assert_eq!(answer.map().sprints(), "S1 in R1, S2, S3 in R2");
}

#[test]
fn nested_releases_both_count() {
    let answer = side_by_side("R1 01-01..12-31, R2 02-01..02-28", "S1 01-01..01-31, S2 02-01..02-28").map();
    assert_eq!(answer.sprints(), "S1 in R1, S2");
}

#[test]
fn half_dated_nodes_contain_nothing() {
    let answer = side_by_side("R1 01-01.., R2 ..12-31, R3 02-01..02-28", "S1 01-01..01-31, S2 02-01..02-28").map();
    assert_eq!(answer.sprints(), "S1, S2 in R3");
}

#[test]
fn else_a_sprint_belongs_to_none() {
    let answer = side_by_side("R1 01-01..01-31", "S1 03-01..03-02, S2").item("1 Bug @S1").map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1, S2", "1 -/S1"));
}

#[test]
fn an_item_whose_sprint_has_a_release_takes_that_release_even_if_it_sits_on_another() {
    let small = Small::new("Agile", "S1 02-01..02-02\n  R1\nR2 02-01..02-28");
    let small = small.release(r"Paths Payments\R2, Payments\S1\R1").sprint(r"Paths Payments\S1");
    assert_eq!(small.item("1 Bug @R1").map().spots(), "1 R2/S1");
}

#[test]
fn a_sprint_above_a_release_is_a_warning() {
    let answer = agile().release("Depth 2").sprint(r"Paths Payments\R1").item("1 Bug @S1").map();
    assert_eq!((answer.spots().as_str(), answer.warnings().as_str()), ("1 S1/R1", r"SprintAboveRelease Payments\R1"));
}

#[test]
fn one_sprint_may_stand_under_several_releases() {
    let items = "1 Epic @R1; 2 Epic @R2; 3 Bug @S1 <1; 4 Bug @S1 <2";
    let answer = agile().release("Tier 1").items(items).map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1, S2, S3", "3 R1/S1, 4 R2/S1"));
}

#[test]
fn equal_leaf_names_stay_two_records_with_a_warning() {
    let small = Small::new("Agile", "Web\n  S1\nApp\n  S1").item(r"1 Bug @App\S1");
    let answer = small.map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1 in Web, S1 in App", r"1 App/App\S1"));
    assert_eq!(answer.warnings(), "EqualNames sprint S1");
    assert_eq!(small.spec("iterationMapping/fullPath", json!(true)).map().warnings(), "-");
}

#[test]
fn full_path_names_are_the_full_path() {
    let answer = agile().spec("iterationMapping/fullPath", json!(true)).map();
    assert_eq!(answer.releases(), r"Payments\R1, Payments\R2");
}

#[test]
fn renames_keep_identity() {
    let small = agile().item("1 Bug @S1").then(|world| children(&mut world["tree"])[0]["name"] = json!("Spring"));
    let answer = small.map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("Spring, R2", "1 R1/S1"));
}

#[test]
fn moves_keep_identity() {
    let small = agile().item("1 Bug @S1").then(|world| {
        let sprint = children(&mut children(&mut world["tree"])[0]).remove(0);
        children(&mut children(&mut world["tree"])[1]).push(sprint);
    });
    let answer = small.map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1 in R2, S2 in R1, S3 in R2", "1 R2/S1"));
}

#[test]
fn dateless_nodes_are_kept() {
    let answer = Small::new("Agile", "R1\n  S1\n  S2 01-01..").map();
    assert_eq!((answer.releases().as_str(), answer.sprints().as_str()), ("R1", "S1 in R1, S2 in R1"));
}

#[test]
fn what_stands_before_the_first_star_must_exist() {
    let refused = agile().release(r"Paths Payments\R9\*").map();
    assert_eq!(refused.refused(), Some("spec.iterationMapping.release.paths"));
    let behind_it = agile().sprint(r"Paths Payments\*\S9").map();
    assert_eq!(behind_it.refused(), None);
}

#[test]
fn a_source_that_matches_nothing_is_a_warning() {
    let expected = "MatchesNothing sprint";
    assert_eq!(agile().sprint(r"Paths Payments\*\S9").map().warnings(), expected);
    assert_eq!(agile().release("None").sprint("Depth 3").map().warnings(), expected);
    assert_eq!(agile().sprint("Tier 1").map().warnings(), expected);
    assert_eq!(agile().team("").sprint("TeamBoard").map().warnings(), expected);
}

#[test]
fn on_a_flat_tree_a_warning_says_to_write_release_from_none() {
    let flat = agile().given(|world| ["S1", "S2", "S3"].iter().for_each(|name| remove_named(world, name)));
    assert_eq!(flat.clone().sprint("None").map().warnings(), "ReleasesTakeAll");
    assert_eq!(flat.release("None").sprint("Depth 1").map().warnings(), "-");
}

#[test]
fn where_releases_take_every_node_of_the_sprint_source_a_warning_says_so() {
    let answer = agile().team("R1, R2").sprint("TeamBoard").map();
    assert_eq!((answer.sprints().as_str(), answer.warnings().as_str()), ("-", "ReleasesTakeAll"));
    assert_eq!(agile().team("R1, S2").sprint("TeamBoard").map().warnings(), "-");
}

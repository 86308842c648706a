//! "Iterations", the sentences on `Tier`.

use super::agile;
use crate::small::Small;

#[test]
fn tier_is_the_iteration_of_the_items_ancestor_at_that_tier() {
    let answer = agile().release("Tier 1").items("1 Epic @R2; 2 Feature @R1 <1; 3 User Story @S1 <2").map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("R2", "3 R2/S1"));
}

#[test]
fn tier_looks_at_the_item_itself_first() {
    let items = "1 User Story @R1; 2 User Story @R2 <1";
    assert_eq!(agile().release("Tier 3").items(items).map().spots(), "1 R1/-, 2 R2/-");
}

#[test]
fn tier_then_looks_at_its_parents_through_types_of_no_tier() {
    let items = "1 Epic @R1; 2 Issue @R2 <1; 3 Bug @R2 <2; 4 Bug @S3 <3";
    assert_eq!(agile().release("Tier 1").items(items).map().spots(), "3 R1/-, 4 R1/S3");
}

#[test]
fn a_parent_elsewhere_deleted_or_unreadable_ends_the_walk_with_none() {
    let answer = agile().release("Tier 1").items("1 Feature @R1 <77; 2 User Story @S1 <1").map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("-", "2 -/S1"));
}

#[test]
fn a_closed_cycle_ends_the_walk_with_none() {
    let items = "1 Feature @R1 <2; 2 Feature @R1 <1; 3 User Story @S1 <1; 4 Bug @S1 <4";
    assert_eq!(agile().release("Tier 1").items(items).map().spots(), "3 -/S1, 4 -/S1");
}

#[test]
fn an_ancestor_below_a_cycle_counts() {
    let items = "1 Epic @R1 <2; 2 Epic @R2 <1; 3 User Story @S1 <1";
    assert_eq!(agile().release("Tier 1").items(items).map().spots(), "3 R1/S1");
}

#[test]
fn only_nodes_that_pulled_items_reach_are_releases() {
    let answer = agile().release("Tier 1").items("1 Epic @R1; 2 Epic @R2; 3 Task @S1 <1; 4 Bug @S1 <2").map();
    assert_eq!(answer.releases(), "R2");
}

#[test]
fn only_nodes_that_pulled_items_reach_are_sprints() {
    let answer = agile().sprint("Tier 2").items("1 Feature @S1; 2 Feature @S2; 3 Task @S3 <1; 4 Bug @S3 <2").map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S2 in R1", "4 R1/S2"));
}

#[test]
fn release_from_tier_ignores_the_release_that_the_tree_gives_a_sprint() {
    let items = "1 Epic @R1; 2 User Story @S3 <1; 3 Epic @R2; 4 User Story @S3 <3; 5 Bug @S3";
    let answer = agile().release("Tier 1").items(items).map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1, S2, S3", "2 R1/S3, 4 R2/S3, 5 -/S3"));
}

#[test]
fn release_from_tier_ignores_the_release_that_dates_give_a_sprint() {
    let small = Small::new("Agile", "R1 01-01..01-31\nR2\nSprints\n  S1 01-01..01-02").release("Tier 1");
    let answer = small.items("1 Epic @R2; 2 Bug @S1 <1; 3 Epic @R1; 4 Bug @S1 <3; 5 Bug @S1").map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1", "2 R2/S1, 4 R1/S1, 5 -/S1"));
}

#[test]
fn with_release_from_tier_both_sources_is_judged_per_item() {
    let items = "1 Epic @R1; 2 Bug @R1 <1; 3 Epic @R2; 4 Bug @R1 <3";
    let answer = agile().release("Tier 1").sprint("Depth 1").items(items).map();
    assert_eq!(answer.spots(), "2 R1/-, 4 R2/R1");
}

#[test]
fn sprint_from_tier_has_the_release_of_the_sprints_node() {
    let answer = agile().sprint("Tier 2").items("1 Feature @S1; 2 User Story @S3 <1").map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1 in R1", "2 R1/S1"));
}

#[test]
fn sprint_from_tier_on_a_release_node_gives_no_sprint_and_the_items_own_nearest_release() {
    let answer = agile().sprint("Tier 2").items("1 Feature @R1; 2 User Story @S3 <1").map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("-", "2 R2/-"));
}

#[test]
fn where_an_items_sprint_node_is_its_release_the_next_sprint_above_counts() {
    let small = agile().release("Tier 1").sprint(r"Paths Payments\*, Payments\*\*");
    let answer = small.items("1 Epic @S1; 2 Bug @S1 <1; 3 Epic @R2; 4 Bug @R2 <3").map();
    assert_eq!(answer.spots(), "2 S1/R1, 4 R2/-");
}

//! "Tiers and bugs".

use serde_json::json;

use super::agile;
use crate::small::Small;
use crate::small::processes::level;

/// Basic, whose bug category holds its only requirement type.
fn basic(behavior: &str) -> Small {
    Small::with_bugs("Basic", behavior, super::RELEASES)
}

fn bugs(behavior: &str) -> Small {
    Small::with_bugs("Agile", behavior, super::RELEASES)
}

#[test]
fn tiers_come_by_rank() {
    assert_eq!(agile().map().tiers(), "Epic, Feature, User Story, Task");
    assert_eq!(Small::new("Inherited", "").map().tiers(), "Initiative, Epic, Capability, Spike+Story, Work");
}

#[test]
fn hidden_levels_are_included() {
    let small = agile().given(|world| {
        world["backlogs"]["hiddenBacklogs"] = json!(["Level30"]);
        world["backlogs"]["portfolioBacklogs"][0]["isHidden"] = json!(true);
    });
    assert_eq!(small.map().tiers(), "Epic, Feature, User Story, Task");
}

#[test]
fn the_level_is_pinned_by_its_backlog_id() {
    let small = agile().release("Tier 1").then(|world| {
        world["backlogs"]["portfolioBacklogs"].as_array_mut().unwrap().push(level(90, &["Issue"]));
    });
    let answer = small.items("1 Issue @R1; 2 Epic @R2 <1; 3 User Story @S1 <2").map();
    assert_eq!(answer.tiers(), "Issue, Epic, Feature, User Story, Task");
    assert_eq!((answer.spots().as_str(), answer.warnings().as_str()), ("3 R2/S1", "Shifted 1 2"));
}

#[test]
fn bugs_behavior_sets_the_tier_of_bug_category_types() {
    let of = |behavior: &str| bugs(behavior).map().bug_types();
    assert_eq!([of("off"), of("asRequirements"), of("asTasks")], ["Bug no tier", "Bug tier 3", "Bug tier 4"]);
}

#[test]
fn bugs_behavior_sets_nothing_but_the_tier() {
    for behavior in ["off", "asRequirements", "asTasks"] {
        let answer = bugs(behavior).items("1 User Story @S1; 2 Bug @S1").map();
        assert_eq!((answer.requirement_types().as_str(), answer.spots().as_str()), ("User Story", "1 R1/S1, 2 R1/S1"));
        assert_eq!((answer.count("requirement"), answer.count("bug")), (1, 1));
    }
}

#[test]
fn bugs_behavior_sets_no_tier_of_other_types_mapped_to_bugs() {
    let small = bugs("asTasks").spec("bugMapping/workItemTypes", json!(["Bug", "Issue"]));
    assert_eq!(small.map().bug_types(), "Bug tier 4, Issue no tier");
}

#[test]
fn bugs_behavior_wins_over_a_level_that_lists_them() {
    let listed = |behavior: &str| {
        bugs(behavior).given(|world| world["backlogs"]["requirementBacklog"] = level(20, &["User Story", "Bug"]))
    };
    assert_eq!(listed("off").map().bug_types(), "Bug no tier");
    assert_eq!(listed("asTasks").map().bug_types(), "Bug tier 4");
}

#[test]
fn a_bug_category_without_which_no_requirement_type_would_be_left_counts_as_empty_everywhere() {
    for behavior in ["off", "asRequirements", "asTasks"] {
        let answer = basic(behavior).spec("bugMapping", json!(null)).item("1 Issue @S1").map();
        assert_eq!((answer.requirement_types().as_str(), answer.bug_types().as_str()), ("Issue", "-"));
        assert_eq!((answer.tiers().as_str(), answer.count("requirement")), ("Epic, Issue, Task", 1));
    }
}

#[test]
fn then_bug_mapping_needs_explicit_types() {
    assert_eq!(basic("off").map().refused(), Some("spec.bugMapping.workItemTypes"));
    let explicit = basic("off").spec("bugMapping/workItemTypes", json!(["Task"])).map();
    assert_eq!((explicit.requirement_types().as_str(), explicit.bug_types().as_str()), ("Issue", "Task tier 3"));
}

#[test]
fn default_requirement_types_are_the_requirement_level_minus_the_bug_category() {
    let listed = agile().given(|world| world["backlogs"]["requirementBacklog"] = level(20, &["User Story", "Bug"]));
    assert_eq!(listed.clone().map().requirement_types(), "User Story");
    assert_eq!(listed.spec("bugMapping", json!(null)).map().requirement_types(), "User Story");
}

#[test]
fn default_requirement_types_are_without_those_of_bug_mapping() {
    let small = Small::new("Inherited", "").spec("bugMapping/workItemTypes", json!(["spike"]));
    assert_eq!(small.map().requirement_types(), "Story");
}

#[test]
fn no_requirement_type_left_is_an_error() {
    let small = basic("off").spec("bugMapping/workItemTypes", json!(["Issue"]));
    assert_eq!(small.map().refused(), Some("spec.pullRequirements.workItemTypes"));
}

#[test]
fn defaults_follow_the_process() {
    let small = agile().then(|world| {
        world["backlogs"]["requirementBacklog"] = level(20, &["User Story", "Issue"]);
        world["categories"][1]["workItemTypes"] = json!(["Bug", "Task"]);
    });
    let answer = small.map();
    assert_eq!(answer.requirement_types(), "Issue, User Story");
    assert_eq!(answer.bug_types(), "Bug no tier, Task no tier");
}

#[test]
fn bug_mapping_subtracts_its_types_switched_off_too() {
    let off = json!({"enabled": false, "workItemTypes": ["Spike"]});
    let answer = Small::new("Inherited", "").spec("bugMapping", off).map();
    assert_eq!((answer.requirement_types().as_str(), answer.bug_types().as_str()), ("Story", "-"));
}

#[test]
fn a_type_in_both_effective_lists_is_an_error() {
    let field = Some("spec.bugMapping.workItemTypes");
    let by_default = agile().spec("pullRequirements/workItemTypes", json!(["User Story", "bug"]));
    assert_eq!(by_default.clone().map().refused(), field);
    assert_eq!(by_default.spec("bugMapping/workItemTypes", json!(["Bug"])).map().refused(), field);
}

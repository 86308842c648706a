//! "Tiers and bugs".

use serde_json::{Value, json};

use super::{
    agile, answer, bare, below, both, chain, item, later, level, node, none, record, refused, sides, spot, tier, warns,
};

/// The Basic process: the bug category holds Issue, which is the only requirement type.
fn basic() -> Value {
    let mut world = agile(bare());
    world["categories"] = json!([{"referenceName": "Microsoft.BugCategory", "workItemTypes": ["Issue"]}]);
    world["backlogs"] = json!({
        "portfolioBacklogs": [level("epics", 4, &["Epic"])],
        "requirementBacklog": level("requirements", 2, &["Issue"]),
        "taskBacklog": level("tasks", 1, &["Task"]),
        "bugsBehavior": "off",
    });
    world
}

fn pulling_only() -> Value {
    json!({"pullRequirements": {}})
}

#[test]
fn tiers_by_rank_hidden_levels_included() {
    let out = answer(&both(json!({})), &agile(bare()), &[]);
    let expected = json!([
        {"tier": 1, "types": ["Epic"]},
        {"tier": 2, "types": ["Feature"]},
        {"tier": 3, "types": ["User Story"]},
        {"tier": 4, "types": ["Task"]},
    ]);
    assert_eq!(out["tiers"], expected);
}

#[test]
fn the_level_is_pinned_by_its_backlog_id() {
    let accepted = agile(chain());
    let mut world = accepted.clone();
    let levels = world["backlogs"]["portfolioBacklogs"].as_array_mut().expect("levels");
    levels.push(level("themes", 9, &["Issue"]));
    let items = [item(1, "Epic", 2), below(1, item(2, "User Story", 4))];
    let out = later(&sides(&tier(1), &none()), &accepted, &world, &items);
    assert_eq!(spot(&out, 2), json!(["n2", null]));
    assert!(warns(&out, &json!({"kind": "Shifted", "was": 1, "is": 2})), "{out}");
}

#[test]
fn bugs_behavior_only_sets_the_tier_of_bug_category_types() {
    let tiers = |behavior: &str| {
        let mut world = agile(bare());
        world["backlogs"]["bugsBehavior"] = json!(behavior);
        let out = answer(&both(json!({})), &world, &[]);
        assert_eq!(out["requirementTypes"], json!(["User Story"]), "{behavior} changes no type list");
        assert_eq!(out["bugTypes"], json!(["Bug"]));
        json!([out["tiers"][2]["types"], out["tiers"][3]["types"]])
    };
    assert_eq!(tiers("off"), json!([["User Story"], ["Task"]]));
    assert_eq!(tiers("asRequirements"), json!([["Bug", "User Story"], ["Task"]]));
    assert_eq!(tiers("asTasks"), json!([["User Story"], ["Bug", "Task"]]));
}

#[test]
fn bugs_behavior_wins_over_a_level_that_lists_them() {
    let tiers = |behavior: &str| {
        let mut world = agile(bare());
        world["backlogs"]["bugsBehavior"] = json!(behavior);
        world["backlogs"]["requirementBacklog"] = level("requirements", 2, &["User Story", "Bug"]);
        let out = answer(&both(json!({})), &world, &[]);
        json!([out["tiers"][2]["types"], out["tiers"][3]["types"]])
    };
    assert_eq!(tiers("off"), json!([["User Story"], ["Task"]]));
    assert_eq!(tiers("asTasks"), json!([["User Story"], ["Bug", "Task"]]));
}

#[test]
fn a_bug_without_a_tier_is_walked_through() {
    let items = [item(1, "Epic", 2), below(1, item(2, "Bug", 3)), below(2, item(3, "Bug", 4))];
    let mut world = agile(chain());
    assert_eq!(spot(&answer(&sides(&tier(1), &none()), &world, &items), 3), json!(["n2", null]));
    world["backlogs"]["bugsBehavior"] = json!("asTasks");
    assert_eq!(spot(&answer(&sides(&tier(4), &none()), &world, &items), 3), json!(["n4", null]));
}

#[test]
fn a_bug_category_without_which_no_requirement_type_would_be_left_counts_as_empty_everywhere() {
    let mut world = basic();
    world["backlogs"]["bugsBehavior"] = json!("asTasks");
    let out = answer(&pulling_only(), &world, &[item(1, "Issue", 1)]);
    assert_eq!(out["requirementTypes"], json!(["Issue"]));
    assert_eq!(record(&out, 1)["kind"], "requirement");
    assert_eq!(out["tiers"][1]["types"], json!(["Issue"]), "no bug whose tier bugsBehavior would set");
}

#[test]
fn then_bug_mapping_needs_explicit_types() {
    assert_eq!(refused(&both(json!({})), &basic(), &[]), "spec.bugMapping.workItemTypes");
    let out = answer(&both(json!({"bugMapping": {"workItemTypes": ["Bug"]}})), &basic(), &[]);
    assert_eq!(out["bugTypes"], json!(["Bug"]));
    assert_eq!(out["requirementTypes"], json!(["Issue"]));
}

#[test]
fn default_requirement_types_are_the_requirement_level_minus_the_bug_category_minus_the_bug_types() {
    let mut world = agile(bare());
    world["backlogs"]["requirementBacklog"] = level("requirements", 2, &["User Story", "Bug", "Issue", "Task"]);
    let out = answer(&both(json!({})), &world, &[]);
    assert_eq!(out["requirementTypes"], json!(["Issue", "Task", "User Story"]));
    let out = answer(&both(json!({"bugMapping": {"workItemTypes": ["issue"]}})), &world, &[]);
    assert_eq!(out["requirementTypes"], json!(["Task", "User Story"]));
}

#[test]
fn none_left_is_an_error() {
    let field = "spec.pullRequirements.workItemTypes";
    let spec = both(json!({"bugMapping": {"workItemTypes": ["User Story"]}}));
    assert_eq!(refused(&spec, &agile(bare()), &[]), field);
    let mut world = agile(bare());
    world["backlogs"]["requirementBacklog"] = Value::Null;
    assert_eq!(refused(&pulling_only(), &world, &[]), field);
    world["backlogs"]["requirementBacklog"] = level("requirements", 2, &[]);
    assert_eq!(refused(&pulling_only(), &world, &[]), field);
    assert_eq!(answer(&json!({"bugMapping": {}}), &world, &[])["bugTypes"], json!(["Bug"]));
}

#[test]
fn defaults_follow_the_process() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    world["backlogs"]["requirementBacklog"] = level("requirements", 2, &["User Story", "Issue"]);
    world["categories"][1]["workItemTypes"] = json!(["Bug", "Task"]);
    let out = later(&both(json!({})), &accepted, &world, &[]);
    assert_eq!(out["requirementTypes"], json!(["Issue", "User Story"]));
    assert_eq!(out["bugTypes"], json!(["Bug", "Task"]));
}

#[test]
fn bug_mapping_subtracts_its_types_switched_off_too() {
    let mut world = agile(bare());
    world["backlogs"]["requirementBacklog"] = level("requirements", 2, &["User Story", "Issue"]);
    let spec = both(json!({"bugMapping": {"enabled": false, "workItemTypes": ["Issue", "Nothing"]}}));
    let out = answer(&spec, &world, &[]);
    assert_eq!(out["requirementTypes"], json!(["User Story"]));
    assert_eq!(out["bugTypes"], json!([]));
}

#[test]
fn a_type_in_both_effective_lists_is_an_error() {
    let bug = json!({"workItemTypes": ["Bug", "User Story"]});
    assert_eq!(refused(&both(json!({"pullRequirements": bug})), &agile(bare()), &[]), "spec.bugMapping.workItemTypes");
    let spec = both(json!({"pullRequirements": bug, "bugMapping": {"enabled": false}}));
    assert_eq!(answer(&spec, &agile(bare()), &[])["requirementTypes"], json!(["Bug", "User Story"]));
}

#[test]
fn a_type_that_comes_into_both_lists_only_later_is_a_bug() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    world["categories"][1]["workItemTypes"] = json!(["Bug", "Feature"]);
    let spec = both(json!({"pullRequirements": {"workItemTypes": ["Feature", "User Story"]}}));
    let out = later(&spec, &accepted, &world, &[item(1, "Feature", 1)]);
    assert_eq!(record(&out, 1)["kind"], "bug");
    assert_eq!(out["requirementTypes"], json!(["User Story"]));
}

#[test]
fn only_items_of_selected_types_are_pulled() {
    let items = [item(4, "Bug", 1), item(3, "Task", 1), item(2, "user story", 1), item(1, "Unknown", 1)];
    let out = answer(&both(json!({})), &agile(bare()), &items);
    let ids: Vec<&Value> = out["records"].as_array().expect("records").iter().map(|record| &record["id"]).collect();
    assert_eq!(ids, [2, 4]);
}

#[test]
fn a_level_that_does_not_exist_has_no_tier() {
    let mut world = agile(node(1, "Payments", vec![]));
    world["backlogs"]["requirementBacklog"] = Value::Null;
    let spec = both(json!({"pullRequirements": {"workItemTypes": ["User Story"]}}));
    let out = answer(&spec, &world, &[]);
    assert_eq!(out["tiers"][2], json!({"tier": 3, "types": ["Task"]}));
}

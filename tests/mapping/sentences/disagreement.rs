//! "When the process disagrees".

use serde_json::{Value, json};

use super::agile;
use crate::small::processes::{RESOLVED, SEVERITY};
use crate::small::{Small, children, remove_named, rename};

const STATE: &str = "System.State";

fn resolved_is_open() -> Value {
    json!([{"ado": "Resolved", "testops": "Open"}])
}

/// A type loses a state.
fn drop_state(world: &mut Value, name: &str) {
    world["types"].as_array_mut().unwrap().iter_mut().for_each(|one| remove_named(&mut one["states"], name));
}

#[test]
fn a_new_spec_that_names_a_type_that_does_not_exist_is_an_error() {
    for field in ["pullRequirements/workItemTypes", "bugMapping/workItemTypes"] {
        let answer = agile().spec(field, json!(["Wish"])).map();
        assert_eq!(answer.refused(), Some(format!("spec.{}", field.replace('/', ".")).as_str()));
    }
}

#[test]
fn a_new_spec_that_names_a_state_that_does_not_exist_is_an_error() {
    for field in ["pullRequirements/statusMapping", "bugMapping/statusMapping"] {
        let answer = agile().spec(field, json!([{"ado": "Wished", "testops": "Open"}])).map();
        assert_eq!(answer.refused(), Some(format!("spec.{}", field.replace('/', ".")).as_str()));
    }
}

#[test]
fn a_new_spec_that_names_a_severity_that_does_not_exist_is_an_error() {
    let answer = agile().spec("bugMapping/severityMapping", json!([{"ado": "9 - Odd", "testops": "Low"}])).map();
    assert_eq!(answer.refused(), Some("spec.bugMapping.severityMapping"));
}

#[test]
fn a_new_spec_that_names_a_field_that_does_not_exist_is_an_error() {
    let answer = agile().spec("pullRequirements/releaseDateFields", json!(["Custom.Wish"])).map();
    assert_eq!(answer.refused(), Some("spec.pullRequirements.releaseDateFields"));
}

#[test]
fn a_new_spec_that_names_a_path_that_does_not_exist_is_an_error() {
    for side in ["release", "sprint"] {
        let answer = agile().side(side, r"Paths Payments\R9").map();
        assert_eq!(answer.refused(), Some(format!("spec.iterationMapping.{side}.paths").as_str()));
    }
}

#[test]
fn a_new_spec_that_names_a_team_that_does_not_exist_is_an_error() {
    assert_eq!(agile().spec("team", json!("Wishers")).map().refused(), Some("spec.team"));
}

#[test]
fn a_state_no_longer_offered_that_some_item_still_carries_is_accepted() {
    let small = agile().spec("bugMapping/statusMapping", json!([{"ado": "Old", "testops": "Closed"}]));
    assert_eq!(small.clone().item("1 Bug @S1").map().refused(), Some("spec.bugMapping.statusMapping"));
    assert_eq!(small.item("1 Bug @S1").with(STATE, "Old").map().of(1, "status"), "Closed");
}

#[test]
fn a_severity_no_longer_offered_that_some_item_still_carries_is_accepted() {
    let small = agile().spec("bugMapping/severityMapping", json!([{"ado": "9 - Odd", "testops": "Low"}]));
    assert_eq!(small.item("1 Bug @S1").with(SEVERITY, "9 - Odd").map().of(1, "severity"), "Low");
}

#[test]
fn blocks_whose_toggle_is_off_are_not_validated() {
    let wrong = json!({
        "enabled": false,
        "workItemTypes": ["Wish"],
        "statusMapping": [{"ado": "Wished", "testops": "Open"}],
    });
    let answer = agile().spec("bugMapping", wrong.clone()).map();
    assert_eq!((answer.refused(), answer.bug_types().as_str()), (None, "-"));
    assert_eq!(agile().spec("pullRequirements", wrong).map().refused(), None);
}

#[test]
fn an_iteration_mapping_that_is_not_used_is_not_validated() {
    let off = json!({"enabled": false});
    let small = agile().spec("pullRequirements", off.clone()).spec("bugMapping", off).release(r"Paths Payments\R9");
    assert_eq!(small.map().refused(), None);
}

#[test]
fn an_entry_for_a_type_that_is_not_selected_is_unused() {
    let entries = json!([{"ado": "New", "type": "Feature", "testops": "Closed"}]);
    let answer = agile().spec("pullRequirements/statusMapping", entries).item("1 User Story @S1").map();
    assert_eq!(answer.of(1, "status"), "Open");
}

#[test]
fn a_severity_mapping_where_no_bug_type_has_severity_is_a_warning() {
    let small = agile().spec("bugMapping/workItemTypes", json!(["Issue"]));
    let answer = small.spec("bugMapping/severityMapping", json!([{"ado": "2 - High", "testops": "Low"}])).map();
    assert_eq!((answer.refused(), answer.warnings().as_str()), (None, "NoSeverity"));
}

#[test]
fn types_are_pinned_by_reference_name() {
    let small = agile().spec("bugMapping/workItemTypes", json!(["Bug"])).then(|world| rename(world, "Bug", "Defect"));
    let answer = small.item("1 Defect @S1").map();
    assert_eq!((answer.bug_types().as_str(), answer.count("bug")), ("Defect no tier", 1));
    assert_eq!(
        (answer.warnings().as_str(), answer.gone().as_str()),
        ("Renamed spec.bugMapping.workItemTypes Bug", "-")
    );
}

#[test]
fn another_type_of_the_old_name_is_not_the_pinned_one() {
    let small = agile().spec("bugMapping/workItemTypes", json!(["Bug"])).then(|world| {
        rename(world, "Bug", "Defect");
        rename(world, "Issue", "Bug");
    });
    let answer = small.items("1 Defect @S1; 2 Bug @S1").map();
    assert_eq!((answer.bug_types().as_str(), answer.spots().as_str()), ("Defect no tier", "1 R1/S1"));
}

#[test]
fn a_type_that_is_gone_is_no_longer_pulled() {
    let small = agile().spec("pullRequirements/workItemTypes", json!(["User Story", "Issue"]));
    let answer = small.items("1 User Story @S1; 2 Issue @S1").then(|world| remove_named(world, "Issue")).map();
    assert_eq!((answer.requirement_types().as_str(), answer.spots().as_str()), ("User Story", "1 R1/S1"));
    assert_eq!(answer.gone(), "spec.pullRequirements.workItemTypes Issue");
}

#[test]
fn a_team_keeps_its_last_nodes() {
    let small = agile().team("S1").sprint("TeamBoard").then(|world| world["team"] = Value::Null);
    let answer = small.items("1 Bug @S1; 2 Bug @S2").map();
    assert_eq!((answer.sprints().as_str(), answer.spots().as_str()), ("S1 in R1", "1 R1/S1, 2 R1/-"));
    assert_eq!(answer.gone(), "spec.team Payments Team");
}

#[test]
fn a_team_that_is_renamed_goes_on_with_a_warning() {
    let small = agile().team("S1").sprint("TeamBoard").then(|world| world["team"]["name"] = json!("Payers"));
    let answer = small.map();
    assert_eq!(
        (answer.sprints().as_str(), answer.warnings().as_str()),
        ("S1 in R1", "Renamed spec.team Payments Team")
    );
}

#[test]
fn a_level_that_is_shifted_goes_on_with_a_warning() {
    let small = agile().release("Tier 2").then(|world| remove_named(&mut world["backlogs"], "Level 40"));
    let answer = small.items("1 Feature @R2; 2 User Story @S1 <1").map();
    assert_eq!((answer.spots().as_str(), answer.warnings().as_str()), ("2 R2/S1", "Shifted 2 1"));
}

#[test]
fn a_level_that_is_gone_has_no_ancestors() {
    let small = agile().release("Tier 2").then(|world| remove_named(&mut world["backlogs"], "Level 30"));
    let answer = small.items("1 Feature @R2; 2 User Story @S1 <1").map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("-", "2 -/S1"));
    assert_eq!(answer.gone(), "spec.iterationMapping.release.tier 2");
}

#[test]
fn literal_path_nodes_are_pinned_by_id() {
    let small = agile().release(r"Paths Payments\R1").then(|world| {
        children(&mut world["tree"])[0]["name"] = json!("Spring");
        children(&mut world["tree"])[1]["name"] = json!("R1");
    });
    let answer = small.items("1 Bug @S1; 2 Bug @S3").map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("Spring", "1 R1/S1, 2 -/S3"));
    assert_eq!(answer.warnings(), r"Renamed spec.iterationMapping.release.paths Payments\R1");
}

#[test]
fn a_literal_path_node_that_moved_goes_on_with_a_warning() {
    let small = agile().release(r"Paths Payments\R1").then(|world| {
        let moved = children(&mut world["tree"]).remove(0);
        children(&mut children(&mut world["tree"])[0]).push(moved);
    });
    let answer = small.item("1 Bug @R1").map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("R1", "1 R1/-"));
    assert_eq!(answer.warnings(), r"Renamed spec.iterationMapping.release.paths Payments\R1");
}

#[test]
fn a_literal_path_node_that_is_gone_is_process_changed() {
    let small = agile().release(r"Paths Payments\R1, Payments\R2").then(|world| remove_named(world, "R1"));
    let answer = small.item("1 Bug @S3").map();
    assert_eq!((answer.releases().as_str(), answer.spots().as_str()), ("R2", "1 R2/S3"));
    assert_eq!(answer.gone(), r"spec.iterationMapping.release.paths Payments\R1");
}

#[test]
fn a_state_that_is_gone_is_process_changed() {
    let small =
        agile().spec("bugMapping/statusMapping", resolved_is_open()).then(|world| drop_state(world, "Resolved"));
    assert_eq!(small.item("1 Bug @S1").map().gone(), "spec.bugMapping.statusMapping Resolved");
}

#[test]
fn what_was_accepted_of_a_state_that_is_gone_stays_in_force() {
    let small =
        agile().spec("bugMapping/statusMapping", resolved_is_open()).then(|world| drop_state(world, "Resolved"));
    assert_eq!(small.item("1 Bug @S1").with(STATE, "Resolved").map().of(1, "status"), "Open");
}

#[test]
fn a_field_that_is_gone_is_process_changed() {
    let small = agile().spec("pullRequirements/releaseDateFields", json!([RESOLVED])).then(|world| {
        world["fields"].as_array_mut().unwrap().retain(|field| field["referenceName"] != RESOLVED);
    });
    assert_eq!(small.map().gone(), format!("spec.pullRequirements.releaseDateFields {RESOLVED}"));
}

#[test]
fn a_toggle_turned_off_removes_its_records() {
    let small = Small::new("Agile", "R1\n  S1").items("1 User Story @S1; 2 Bug @S1");
    assert_eq!(small.clone().map().spots(), "1 R1/S1, 2 R1/S1");
    let without_bugs = small.clone().spec("bugMapping/enabled", json!(false)).map();
    assert_eq!(without_bugs.spots(), "1 R1/S1");
    let bugs_only = small.spec("pullRequirements/enabled", json!(false)).map();
    assert_eq!(bugs_only.spots(), "2 R1/S1");
}

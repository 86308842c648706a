//! "When the process disagrees".

use serde_json::{Value, json};

use super::{
    agile, answer, bare, below, both, chain, depth, gone, item, later, listed, none, paths, record, refused, renamed,
    sides, spot, tier, warns, warns_of, with,
};

const REQUIREMENT_TYPES: &str = "spec.pullRequirements.workItemTypes";
const BUG_TYPES: &str = "spec.bugMapping.workItemTypes";
const STATUS: &str = "spec.pullRequirements.statusMapping";
const BUG_STATUS: &str = "spec.bugMapping.statusMapping";
const SEVERITIES: &str = "spec.bugMapping.severityMapping";
const FIELDS: &str = "spec.pullRequirements.releaseDateFields";

fn pull(block: &Value) -> Value {
    both(json!({"pullRequirements": block}))
}

fn bugs(block: &Value) -> Value {
    both(json!({"bugMapping": block}))
}

#[test]
fn a_type_that_does_not_exist_is_an_error() {
    let world = agile(bare());
    assert_eq!(refused(&pull(&json!({"workItemTypes": ["User Story", "Wish"]})), &world, &[]), REQUIREMENT_TYPES);
    assert_eq!(refused(&bugs(&json!({"workItemTypes": ["Wish"]})), &world, &[]), BUG_TYPES);
    let entry = json!([{"ado": "New", "type": "Wish", "testops": "Open"}]);
    assert_eq!(refused(&pull(&json!({"statusMapping": entry})), &world, &[]), STATUS);
}

#[test]
fn a_state_severity_field_or_team_that_does_not_exist_is_an_error() {
    let world = agile(bare());
    let state = json!([{"ado": "Dreamt", "testops": "Open"}]);
    assert_eq!(refused(&pull(&json!({"statusMapping": state})), &world, &[]), STATUS);
    assert_eq!(refused(&bugs(&json!({"statusMapping": state})), &world, &[]), BUG_STATUS);
    let severity = json!([{"ado": "9 - Dreamt", "testops": "Low"}]);
    assert_eq!(refused(&bugs(&json!({"severityMapping": severity})), &world, &[]), SEVERITIES);
    assert_eq!(refused(&pull(&json!({"releaseDateFields": ["Custom.Nothing"]})), &world, &[]), FIELDS);
    let mut teamless = world;
    teamless["team"] = Value::Null;
    assert_eq!(refused(&both(json!({"team": "Dreamers"})), &teamless, &[]), "spec.team");
}

#[test]
fn names_that_differ_in_case_only_are_an_error_of_their_field() {
    let world = agile(chain());
    assert_eq!(refused(&pull(&json!({"workItemTypes": ["Feature", "feature"]})), &world, &[]), REQUIREMENT_TYPES);
    assert_eq!(refused(&bugs(&json!({"workItemTypes": ["Bug", "bug"]})), &world, &[]), BUG_TYPES);
    let fields = json!(["ReleaseEndDate", "releaseenddate"]);
    assert_eq!(refused(&pull(&json!({"releaseDateFields": fields})), &world, &[]), FIELDS);
    let states = json!([
        {"ado": "New", "type": "User Story", "testops": "Open"},
        {"ado": "new", "type": "user story", "testops": "Open"},
    ]);
    assert_eq!(refused(&pull(&json!({"statusMapping": states})), &world, &[]), STATUS);
    let states = json!([{"ado": "New", "testops": "Open"}, {"ado": "new", "testops": "Open"}]);
    assert_eq!(refused(&pull(&json!({"statusMapping": states})), &world, &[]), STATUS);
    let severities = json!([{"ado": "2 - High", "testops": "Low"}, {"ado": "2 - high", "testops": "Low"}]);
    assert_eq!(refused(&bugs(&json!({"severityMapping": severities})), &world, &[]), SEVERITIES);
    let twice = paths(&["Payments\\2026", "payments\\2026"]);
    assert_eq!(refused(&sides(&twice, &none()), &world, &[]), "spec.iterationMapping.release.paths");
}

#[test]
fn a_state_or_severity_that_some_item_still_carries_is_accepted() {
    let world = agile(bare());
    let state = json!({"statusMapping": [{"ado": "Old", "testops": "Closed"}]});
    let carried = |work_item_type: &str| [with(item(1, work_item_type, 1), "System.State", "OLD")];
    assert_eq!(refused(&pull(&state), &world, &carried("Task")), STATUS, "an item of another type");
    let out = answer(&pull(&state), &world, &carried("user story"));
    assert_eq!(record(&out, 1)["status"], "Closed");
    assert_eq!(out["gone"], json!([]));
    let severity = bugs(&json!({"severityMapping": [{"ado": "7 - Old", "testops": "Low"}]}));
    let items = [with(item(1, "Bug", 1), "Microsoft.VSTS.Common.Severity", "7 - old")];
    assert_eq!(refused(&severity, &world, &[]), SEVERITIES);
    assert_eq!(record(&answer(&severity, &world, &items), 1)["severity"], "Low");
}

#[test]
fn a_state_of_an_entry_with_a_type_must_be_one_of_that_type() {
    let mut world = agile(bare());
    world["types"][1]["states"] = json!([{"name": "Planned", "category": "Proposed"}]);
    let spec = |work_item_type: Option<&str>| {
        let entry = json!([{"ado": "Planned", "type": work_item_type, "testops": "Open"}]);
        pull(&json!({"workItemTypes": ["Feature", "User Story"], "statusMapping": entry}))
    };
    assert_eq!(refused(&spec(Some("User Story")), &world, &[]), STATUS);
    assert_eq!(refused(&spec(Some("Feature")), &world, &[]), Value::Null);
    assert_eq!(refused(&spec(None), &world, &[]), Value::Null);
}

#[test]
fn blocks_whose_toggle_is_off_are_not_validated() {
    let wrong = json!({
        "enabled": false,
        "workItemTypes": ["Wish"],
        "statusMapping": [{"ado": "Dreamt", "testops": "Open"}],
        "severityMapping": [{"ado": "Dreamt", "testops": "Low"}],
        "releaseDateFields": ["Custom.Nothing"],
    });
    assert_eq!(refused(&pull(&wrong), &agile(bare()), &[]), Value::Null);
    assert_eq!(refused(&bugs(&wrong), &agile(bare()), &[]), Value::Null);
}

#[test]
fn an_entry_for_a_type_that_is_not_selected_is_unused() {
    let entry = json!([{"ado": "Dreamt", "type": "Task", "testops": "Open"}]);
    assert_eq!(refused(&pull(&json!({"statusMapping": entry})), &agile(bare()), &[]), Value::Null);
    let entry = json!([{"ado": "Dreamt", "type": "User Story", "testops": "Open"}]);
    assert_eq!(refused(&pull(&json!({"statusMapping": entry})), &agile(bare()), &[]), STATUS);
}

#[test]
fn a_severity_mapping_where_no_bug_type_has_severity_is_a_warning() {
    let spec =
        |types: &[&str]| bugs(&json!({"workItemTypes": types, "severityMapping": [{"ado": "Any", "testops": "Low"}]}));
    let out = answer(&spec(&["Issue"]), &agile(bare()), &[]);
    let nothing = |side: &str, source: &str| json!({"kind": "MatchesNothing", "side": side, "source": source});
    let expected = [nothing("release", "Depth 1"), nothing("sprint", "Depth 2"), json!({"kind": "NoSeverity"})];
    assert_eq!(out["warnings"], json!(expected));
    assert_eq!(refused(&spec(&["Issue", "Bug"]), &agile(bare()), &[]), SEVERITIES);
}

#[test]
fn types_are_pinned_by_reference_name_and_a_renamed_one_goes_on_with_a_warning() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    world["types"][1]["name"] = json!("Capability");
    world["types"][5]["name"] = json!("Feature");
    world["backlogs"]["portfolioBacklogs"][0]["workItemTypes"] = json!(["Capability"]);
    let entries = json!([{"ado": "New", "type": "Feature", "testops": "Closed"}]);
    let spec = pull(&json!({"workItemTypes": ["feature"], "statusMapping": entries}));
    let out = later(&spec, &accepted, &world, &[item(1, "Capability", 1), item(2, "Feature", 1)]);
    assert_eq!(out["requirementTypes"], json!(["Capability"]));
    assert_eq!(out["records"].as_array().expect("records").len(), 1);
    assert_eq!(record(&out, 1)["status"], "Closed");
    assert!(warns(&out, &renamed(REQUIREMENT_TYPES, "feature")), "{out}");
    assert!(warns(&out, &renamed(STATUS, "Feature")), "{out}");
    assert_eq!(out["gone"], json!([]));
    assert!(!warns_of(&answer(&spec, &accepted, &[]), "Renamed"));
}

#[test]
fn what_is_gone_is_process_changed_a_type_is_no_longer_pulled() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    world["types"][1]["referenceName"] = json!("Ref.Another");
    let spec = pull(&json!({"workItemTypes": ["Feature", "User Story"]}));
    let out = later(&spec, &accepted, &world, &[item(1, "Feature", 1), item(2, "User Story", 1)]);
    assert_eq!(out["gone"], gone(REQUIREMENT_TYPES, "Feature"));
    assert_eq!(out["requirementTypes"], json!(["User Story"]));
    assert_eq!(out["records"].as_array().expect("records").len(), 1);
}

#[test]
fn a_state_a_severity_and_a_field_can_be_gone() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    world["types"][2]["states"] = json!([{"name": "Begun", "category": "InProgress"}]);
    world["severities"]["Bug"] = json!(["2 - High"]);
    let spec = both(json!({
        "pullRequirements": {
            "statusMapping": [{"ado": "New", "testops": "Open"}],
            "releaseDateFields": ["Microsoft.VSTS.Common.ResolvedDate"],
        },
        "bugMapping": {"severityMapping": [
            {"ado": "1 - Critical", "testops": "Low"},
            {"ado": "2 - High", "testops": "Low"},
        ]},
    }));
    assert_eq!(later(&spec, &accepted, &accepted, &[])["gone"], json!([]));
    world["fields"] = json!([]);
    let expected = json!([
        {"field": SEVERITIES, "name": "1 - Critical"},
        {"field": FIELDS, "name": "Microsoft.VSTS.Common.ResolvedDate"},
        {"field": STATUS, "name": "New"},
    ]);
    assert_eq!(later(&spec, &accepted, &world, &[])["gone"], expected);
    let carried = later(&spec, &accepted, &world, &[item(1, "User Story", 1)]);
    assert_eq!(carried["gone"].as_array().expect("names").len(), 2, "a state that an item carries is not gone");
}

#[test]
fn a_state_of_a_type_that_is_gone_or_no_longer_selected_is_not_gone_itself() {
    let accepted = agile(bare());
    let entries = json!([{"ado": "New", "type": "User Story", "testops": "Open"}]);
    let spec = pull(&json!({"statusMapping": entries}));
    let mut world = accepted.clone();
    world["backlogs"]["requirementBacklog"] = super::level("requirements", 2, &["Issue"]);
    world["types"][2]["states"] = json!([]);
    assert_eq!(later(&spec, &accepted, &world, &[])["gone"], json!([]));
    world["types"].as_array_mut().expect("types").remove(2);
    assert_eq!(later(&spec, &accepted, &world, &[])["gone"], gone(STATUS, "User Story"));
}

#[test]
fn what_two_entries_lost_is_gone_once() {
    let accepted = agile(bare());
    let entries = ["Feature", "User Story"].map(|name| json!({"ado": "New", "type": name, "testops": "Open"}));
    let spec = pull(&json!({"workItemTypes": ["Feature", "User Story"], "statusMapping": entries}));
    let mut world = accepted.clone();
    world["types"][1]["states"] = json!([]);
    world["types"][2]["states"] = json!([]);
    assert_eq!(later(&spec, &accepted, &world, &[])["gone"], gone(STATUS, "New"));
}

#[test]
fn a_state_that_was_only_carried_when_the_spec_was_accepted_can_be_gone() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    world["types"].as_array_mut().expect("types").retain(|candidate| candidate["name"] != "Feature");
    let types = ["Feature", "User Story"];
    let spec = pull(&json!({"workItemTypes": types, "statusMapping": [{"ado": "Old", "testops": "Open"}]}));
    let old = |id: i64, work_item_type: &str| with(item(id, work_item_type, 1), "System.State", "old");
    let feature = json!({"field": REQUIREMENT_TYPES, "name": "Feature"});
    let out = later(&spec, &accepted, &world, &[old(1, "Feature")]);
    assert_eq!(out["gone"], json!([{"field": STATUS, "name": "Old"}, feature]));
    let out = later(&spec, &accepted, &world, &[old(1, "Feature"), old(2, "User Story")]);
    assert_eq!(out["gone"], json!([feature]));
}

#[test]
fn a_severity_that_was_not_offered_when_the_spec_was_accepted_can_be_gone() {
    const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";
    let mut accepted = agile(bare());
    let world = accepted.clone();
    accepted["types"][4]["fields"] = json!([]);
    accepted["severities"] = json!({});
    let spec = bugs(&json!({"severityMapping": [{"ado": "Never", "testops": "Low"}]}));
    assert_eq!(later(&spec, &accepted, &world, &[])["gone"], gone(SEVERITIES, "Never"));
    let carried = |work_item_type: &str| [with(item(1, work_item_type, 1), SEVERITY, "never")];
    assert_eq!(later(&spec, &accepted, &world, &carried("Bug"))["gone"], json!([]));
    assert_eq!(later(&spec, &accepted, &world, &carried("User Story"))["gone"], gone(SEVERITIES, "Never"));
}

#[test]
fn only_a_pulled_item_of_the_entrys_side_and_type_carries_its_state() {
    let accepted = agile(bare());
    let entries = json!([{"ado": "New", "type": "Feature", "testops": "Open"}, {"ado": "Cut", "testops": "Removed"}]);
    let spec = pull(&json!({"workItemTypes": ["Feature", "User Story"], "statusMapping": entries}));
    let mut world = accepted.clone();
    world["types"][1]["states"] = json!([]);
    world["types"][2]["states"] = json!([]);
    let cut = |id: i64, work_item_type: &str| with(item(id, work_item_type, 1), "System.State", "Cut");
    let both_gone = json!([{"field": STATUS, "name": "Cut"}, {"field": STATUS, "name": "New"}]);
    let others = [item(1, "User Story", 1), item(2, "Task", 1), cut(3, "Bug"), cut(4, "Task")];
    assert_eq!(later(&spec, &accepted, &world, &others)["gone"], both_gone);
    assert_eq!(later(&spec, &accepted, &world, &[item(1, "Feature", 1)])["gone"], gone(STATUS, "Cut"));
    assert_eq!(later(&spec, &accepted, &world, &[cut(1, "User Story")])["gone"], gone(STATUS, "New"));
}

#[test]
fn where_all_types_of_a_side_are_gone_its_states_and_severities_are_not_gone_besides() {
    let accepted = agile(bare());
    let mut world = accepted.clone();
    let types = world["types"].as_array_mut().expect("types");
    types.retain(|candidate| !["User Story", "Bug"].map(Value::from).contains(&candidate["name"]));
    let states = json!([{"ado": "New", "testops": "Open"}]);
    let severities = json!([{"ado": "2 - High", "testops": "Low"}]);
    let spec = both(json!({
        "pullRequirements": {"workItemTypes": ["User Story"], "statusMapping": states},
        "bugMapping": {"workItemTypes": ["Bug"], "statusMapping": states, "severityMapping": severities},
    }));
    let expected = json!([{"field": BUG_TYPES, "name": "Bug"}, {"field": REQUIREMENT_TYPES, "name": "User Story"}]);
    assert_eq!(later(&spec, &accepted, &world, &[])["gone"], expected);
}

#[test]
fn a_team_keeps_its_last_nodes() {
    let mut accepted = agile(chain());
    accepted["team"]["nodes"] = json!(["n3"]);
    let mut spec = sides(&depth(1), &json!({"from": "TeamBoard"}));
    spec["team"] = json!("Payments Team");
    let mut world = accepted.clone();
    world["team"] = Value::Null;
    let out = later(&spec, &accepted, &world, &[]);
    assert_eq!(out["gone"], gone("spec.team", "Payments Team"));
    assert_eq!(listed(&out, "sprints"), ["n3"]);
    world["team"] = json!({"id": "t2", "name": "Payments Team", "nodes": ["n4"]});
    let out = later(&spec, &accepted, &world, &[]);
    assert_eq!(out["gone"], gone("spec.team", "Payments Team"), "another team of that name");
    world["team"]["name"] = json!("Another Team");
    assert!(!warns_of(&later(&spec, &accepted, &world, &[]), "Renamed"), "another team is no renamed one");
    assert_eq!(listed(&out, "sprints"), ["n3"]);
}

#[test]
fn a_renamed_team_goes_on_with_a_warning() {
    let accepted = agile(chain());
    let mut spec = sides(&depth(1), &json!({"from": "TeamBoard"}));
    spec["team"] = json!("Payments Team");
    let mut world = accepted.clone();
    world["team"] = json!({"id": "t1", "name": "Money Team", "nodes": ["n4"]});
    let out = later(&spec, &accepted, &world, &[]);
    assert_eq!(out["warnings"], json!([renamed("spec.team", "Payments Team")]));
    assert_eq!(listed(&out, "sprints"), ["n4"]);
}

#[test]
fn a_level_that_is_gone_has_no_ancestors() {
    let accepted = agile(chain());
    let mut world = accepted.clone();
    world["backlogs"]["portfolioBacklogs"] = json!([super::level("other", 4, &["Epic"])]);
    let items = [item(1, "Epic", 2), below(1, item(2, "User Story", 4))];
    let out = later(&sides(&tier(1), &none()), &accepted, &world, &items);
    assert_eq!(spot(&out, 2), json!([null, null]));
    assert_eq!(out["gone"], gone("spec.iterationMapping.release.tier", "1"));
}

#[test]
fn a_shifted_level_goes_on_with_a_warning() {
    let accepted = agile(chain());
    let mut world = accepted.clone();
    world["backlogs"]["portfolioBacklogs"] = json!([super::level("features", 3, &["Feature"])]);
    let items = [item(1, "Feature", 2), below(1, item(2, "User Story", 4))];
    let out = later(&sides(&tier(2), &none()), &accepted, &world, &items);
    assert_eq!(spot(&out, 2), json!(["n2", null]));
    assert_eq!(out["warnings"], json!([{"kind": "Shifted", "was": 2, "is": 1}]));
    assert_eq!(out["gone"], json!([]));
}

#[test]
fn an_invalid_spec_is_judged_in_the_world_of_its_acceptance() {
    let mut accepted = agile(bare());
    let world = accepted.clone();
    let types = accepted["types"].as_array_mut().expect("types");
    types.retain(|candidate| candidate["name"] != "Feature");
    let out = later(&pull(&json!({"workItemTypes": ["Feature"]})), &accepted, &world, &[]);
    assert_eq!(out, json!({"error": {"field": REQUIREMENT_TYPES}}));
}

#[test]
fn a_toggle_turned_off_removes_its_records() {
    let items = [item(1, "User Story", 1), item(2, "Bug", 1)];
    let out = answer(&pull(&json!({"enabled": false})), &agile(bare()), &items);
    assert_eq!(out["records"].as_array().expect("records").len(), 1);
    assert_eq!(record(&out, 2)["kind"], "bug");
    let out = answer(&json!({"pullRequirements": {}}), &agile(bare()), &items);
    assert_eq!(out["records"].as_array().expect("records").len(), 1);
    assert_eq!(record(&out, 1)["kind"], "requirement");
}

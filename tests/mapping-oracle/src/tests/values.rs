//! "Values".

use serde_json::{Value, json};

use super::{agile, answer, bare, both, dated, depth, item, node, record, refused, sides, with};

const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";
const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";
const RESOLVED: &str = "Microsoft.VSTS.Common.ResolvedDate";
const STATE: &str = "System.State";
const STORY_STATUS: &str = "spec.pullRequirements.statusMapping";

/// What a member of the record of one story, or one bug, is.
fn member(spec: &Value, item: Value, member: &str) -> Value {
    let id = item["id"].as_i64().expect("an id");
    record(&answer(spec, &agile(bare()), &[item]), id)[member].clone()
}

fn story(field: &str, value: impl Into<Value>) -> Value {
    with(item(1, "User Story", 1), field, value)
}

fn bug(field: &str, value: impl Into<Value>) -> Value {
    with(item(1, "Bug", 1), field, value)
}

fn unmapped(spec: &Value, items: &[Value]) -> Value {
    answer(spec, &agile(bare()), items)["unmapped"].clone()
}

fn entry(field: &str, value: &str, items: usize) -> Value {
    json!({"field": field, "value": value, "items": items})
}

#[test]
fn left_out_or_empty_priority_1_to_4_is_critical_high_medium_low() {
    for spec in [both(json!({})), both(json!({"priorityMapping": []}))] {
        for (number, word) in [(1, "Critical"), (2, "High"), (3, "Medium"), (4, "Low")] {
            assert_eq!(member(&spec, story(PRIORITY, number), "priority"), word);
            assert_eq!(member(&spec, bug(PRIORITY, number), "priority"), word);
        }
        assert_eq!(member(&spec, story(PRIORITY, 5), "priority"), Value::Null);
        assert_eq!(unmapped(&spec, &[story(PRIORITY, 5)]), json!([entry("spec.priorityMapping", "5", 1)]));
    }
}

#[test]
fn left_out_or_empty_severity_by_its_leading_number() {
    let words =
        [("1 - Critical", "Critical"), ("2", "High"), ("3x", "Medium"), ("4 - Low", "Low"), ("5 - Tiny", "Lowest")];
    for spec in [both(json!({})), both(json!({"bugMapping": {"severityMapping": []}}))] {
        for (severity, word) in words {
            assert_eq!(member(&spec, bug(SEVERITY, severity), "severity"), word);
        }
        let counted = [bug(SEVERITY, "6 - None"), with(item(2, "Bug", 1), SEVERITY, "High - 2")];
        let field = "spec.bugMapping.severityMapping";
        assert_eq!(unmapped(&spec, &counted), json!([entry(field, "6 - None", 1), entry(field, "High - 2", 1)]));
        assert_eq!(member(&spec, bug(SEVERITY, "12 - No"), "severity"), Value::Null);
    }
    assert_eq!(member(&both(json!({})), story(SEVERITY, "1 - Critical"), "severity"), Value::Null);
}

#[test]
fn left_out_or_empty_status_by_the_state_category_of_type_and_state() {
    let words = [
        ("New", "Proposed", "Open"),
        ("active", "InProgress", "InProgress"),
        ("Resolved", "Resolved", "Resolved"),
        ("Closed", "Completed", "Closed"),
        ("Cut", "Removed", "Removed"),
    ];
    for (state, category, status) in words {
        assert_eq!(member(&both(json!({})), story(STATE, state), "status"), status);
        assert_eq!(member(&both(json!({})), story(STATE, state), "category"), category);
        assert_eq!(
            unmapped(&both(json!({"pullRequirements": {"statusMapping": []}})), &[story(STATE, state)]),
            json!([])
        );
    }
}

#[test]
fn the_same_state_of_another_type_has_another_category() {
    let mut world = agile(bare());
    world["types"][4]["states"] = json!([{"name": "New", "category": "Completed"}]);
    let out = answer(&both(json!({})), &world, &[item(1, "User Story", 1), item(2, "Bug", 1)]);
    assert_eq!(record(&out, 1)["status"], "Open");
    assert_eq!(record(&out, 2)["status"], "Closed");
}

#[test]
fn a_list_given_a_state_without_an_entry_uses_its_category_and_is_counted() {
    let spec = both(json!({"pullRequirements": {"statusMapping": [{"ado": "new", "testops": "Resolved"}]}}));
    assert_eq!(member(&spec, story(STATE, "New"), "status"), "Resolved");
    assert_eq!(member(&spec, story(STATE, "Active"), "status"), "InProgress");
    let items = [story(STATE, "New"), with(item(2, "User Story", 1), STATE, "Active"), item(3, "Bug", 1)];
    assert_eq!(unmapped(&spec, &items), json!([entry(STORY_STATUS, "Active", 1)]));
}

#[test]
fn a_list_given_a_priority_or_severity_without_an_entry_stays_unset_and_is_counted() {
    let spec = both(json!({
        "priorityMapping": [{"ado": 1, "testops": "Low"}],
        "bugMapping": {"severityMapping": [{"ado": "1 - critical", "testops": "Lowest"}]},
    }));
    assert_eq!(member(&spec, bug(PRIORITY, 1), "priority"), "Low");
    assert_eq!(member(&spec, bug(PRIORITY, 2), "priority"), Value::Null);
    assert_eq!(member(&spec, bug(SEVERITY, "1 - Critical"), "severity"), "Lowest");
    assert_eq!(member(&spec, bug(SEVERITY, "2 - High"), "severity"), Value::Null);
    let item = with(bug(PRIORITY, 2), SEVERITY, "2 - High");
    let expected = [entry("spec.bugMapping.severityMapping", "2 - High", 1), entry("spec.priorityMapping", "2", 1)];
    assert_eq!(unmapped(&spec, &[item]), json!(expected));
}

#[test]
fn type_is_optional_and_the_specific_entry_wins() {
    let entries = json!([
        {"ado": "New", "testops": "Closed"},
        {"ado": "new", "type": "feature", "testops": "InProgress"},
    ]);
    let spec =
        both(json!({"pullRequirements": {"workItemTypes": ["Feature", "User Story"], "statusMapping": entries}}));
    assert_eq!(member(&spec, item(1, "Feature", 1), "status"), "InProgress");
    assert_eq!(member(&spec, item(1, "User Story", 1), "status"), "Closed");
}

#[test]
fn unmapped_most_items_first_then_field_and_value() {
    let spec = both(json!({}));
    let mut items = vec![with(bug(SEVERITY, "none"), PRIORITY, 9), with(item(2, "Bug", 1), STATE, "Lost")];
    items.extend([3, 4].map(|id| with(item(id, "User Story", 1), PRIORITY, 7)));
    items.push(with(item(5, "User Story", 1), PRIORITY, 8));
    let expected = [
        entry("spec.priorityMapping", "7", 2),
        entry("spec.bugMapping.severityMapping", "none", 1),
        entry("spec.bugMapping.statusMapping", "Lost", 1),
        entry("spec.priorityMapping", "8", 1),
        entry("spec.priorityMapping", "9", 1),
    ];
    assert_eq!(unmapped(&spec, &items), json!(expected));
}

#[test]
fn unmapped_values_that_differ_in_case_only_are_one_entry() {
    let items = [
        story(STATE, "lost"),
        with(item(2, "User Story", 1), STATE, "LOST"),
        with(item(3, "User Story", 1), STATE, "Lost"),
    ];
    assert_eq!(unmapped(&both(json!({})), &items), json!([entry(STORY_STATUS, "LOST", 3)]));
}

#[test]
fn a_state_of_no_category_is_counted() {
    let odd = story(STATE, "Odd");
    assert_eq!(member(&both(json!({})), odd.clone(), "status"), Value::Null);
    assert_eq!(member(&both(json!({})), odd.clone(), "category"), "Elsewhere");
    assert_eq!(member(&both(json!({})), story(STATE, "Lost"), "category"), Value::Null);
    assert_eq!(unmapped(&both(json!({})), &[odd]), json!([entry(STORY_STATUS, "Odd", 1)]));
}

#[test]
fn priority_2_as_text_and_2_point_0_are_2() {
    for value in [json!("2"), json!(2.0), json!(2), json!("2.0")] {
        assert_eq!(member(&both(json!({})), story(PRIORITY, value.clone()), "priority"), "High", "{value}");
    }
    let spec = both(json!({"priorityMapping": [{"ado": 1, "testops": "Low"}]}));
    let items = [story(PRIORITY, "2"), with(item(2, "User Story", 1), PRIORITY, 2.0)];
    assert_eq!(unmapped(&spec, &items), json!([entry("spec.priorityMapping", "2", 2)]));
    assert_eq!(member(&both(json!({})), story(PRIORITY, 2.5), "priority"), Value::Null);
}

#[test]
fn priority_0_is_counted_an_absent_value_is_not() {
    let spec = both(json!({}));
    assert_eq!(unmapped(&spec, &[story(PRIORITY, 0)]), json!([entry("spec.priorityMapping", "0", 1)]));
    assert_eq!(unmapped(&spec, &[story(PRIORITY, Value::Null), item(2, "User Story", 1)]), json!([]));
    assert_eq!(member(&spec, item(1, "User Story", 1), "priority"), Value::Null);
}

#[test]
fn ado_names_compare_without_case() {
    let lower = json!({"id": 1, "fields": {
        "system.workitemtype": "user STORY",
        "system.state": "NEW",
        "microsoft.vsts.common.priority": 1,
    }});
    let out = answer(&both(json!({"pullRequirements": {"workItemTypes": ["USER story"]}})), &agile(bare()), &[lower]);
    assert_eq!(record(&out, 1)["status"], "Open");
    assert_eq!(record(&out, 1)["priority"], "Critical");
}

/// A story on a sprint (3) below a release (2), with these date fields.
fn release_date(fields: &[&str], zone: Option<&str>, resolved: Option<&str>, finishes: [&str; 2]) -> Value {
    let sprint = dated(node(3, "S", vec![]), "2026-01-01", finishes[1]);
    let tree = node(1, "Payments", vec![dated(node(2, "R", vec![sprint]), "2026-01-01", finishes[0])]);
    let mut spec = sides(&depth(1), &depth(2));
    spec["pullRequirements"] = json!({"releaseDateFields": fields});
    spec["timeZone"] = json!(zone);
    let items = [with(item(1, "User Story", 3), RESOLVED, resolved), with(item(2, "Bug", 3), RESOLVED, resolved)];
    let out = answer(&spec, &agile(tree), &items);
    assert_eq!(record(&out, 2)["releaseDate"], Value::Null, "bugs have none");
    record(&out, 1)["releaseDate"].clone()
}

#[test]
fn release_end_date_and_sprint_end_date_are_the_finish_dates_and_the_first_with_a_date_wins() {
    let finishes = ["2026-06-30", "2026-01-14"];
    let all = ["ReleaseEndDate", "SprintEndDate", RESOLVED];
    assert_eq!(release_date(&all, None, None, finishes), "2026-06-30");
    assert_eq!(release_date(&all[1..], None, None, finishes), "2026-01-14");
    assert_eq!(release_date(&[RESOLVED, "SprintEndDate"], None, Some("2026-03-01T10:00:00Z"), finishes), "2026-03-01");
    assert_eq!(release_date(&[], None, Some("2026-03-01T10:00:00Z"), finishes), Value::Null);
}

#[test]
fn a_calendar_date_in_the_time_zone_and_utc_if_absent() {
    let finishes = ["2026-06-30", "2026-01-14"];
    let date = |zone, text| release_date(&[RESOLVED], zone, Some(text), finishes);
    assert_eq!(date(None, "2026-03-01T23:30:00Z"), "2026-03-01");
    assert_eq!(date(Some("Europe/Berlin"), "2026-03-01T23:30:00Z"), "2026-03-02");
    assert_eq!(date(Some("America/New_York"), "2026-03-01T03:00:00.123Z"), "2026-02-28");
}

#[test]
fn null_unmapped_or_year_9999_before_any_conversion_is_empty() {
    let next = [RESOLVED, "SprintEndDate"];
    let finishes = ["9999-12-31", "2026-01-14"];
    let date = |text: Option<&str>| release_date(&next, Some("America/New_York"), text, finishes);
    assert_eq!(date(None), "2026-01-14");
    assert_eq!(date(Some("9999-01-01T00:00:00Z")), "2026-01-14");
    assert_eq!(date(Some("0001-01-01T00:00:00Z")), "2026-01-14");
    assert_eq!(date(Some("9998-12-31T23:00:00Z")), "9998-12-31");
    assert_eq!(release_date(&["ReleaseEndDate", "SprintEndDate"], None, None, finishes), "2026-01-14");
    assert_eq!(release_date(&["ReleaseEndDate"], None, None, finishes), Value::Null);
    let spec = both(json!({
        "pullRequirements": {"releaseDateFields": ["SprintEndDate"]},
        "iterationMapping": {"sprint": {"from": "None"}},
    }));
    assert_eq!(member(&spec, item(1, "User Story", 1), "releaseDate"), Value::Null, "unmapped");
}

#[test]
fn a_field_need_exist_on_one_selected_type_only() {
    let field = "spec.pullRequirements.releaseDateFields";
    let spec = |types: &[&str], name: &str| {
        both(json!({"pullRequirements": {"workItemTypes": types, "releaseDateFields": [name]}}))
    };
    assert_eq!(refused(&spec(&["Epic", "Feature"], RESOLVED), &agile(bare()), &[]), Value::Null);
    assert_eq!(refused(&spec(&["Epic"], RESOLVED), &agile(bare()), &[]), field);
    assert_eq!(refused(&spec(&["Feature"], PRIORITY), &agile(bare()), &[]), field, "no date");
}

#[test]
fn an_unknown_time_zone_is_an_error() {
    let spec = |zone: &str| both(json!({"timeZone": zone}));
    assert_eq!(refused(&spec("Europe/Nowhere"), &agile(bare()), &[]), "spec.timeZone");
    assert_eq!(refused(&spec("Etc/Unknown"), &agile(bare()), &[]), "spec.timeZone");
    assert_eq!(refused(&spec("Europe/Berlin"), &agile(bare()), &[]), Value::Null);
}

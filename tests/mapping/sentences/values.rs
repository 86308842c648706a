//! "Values".

use serde_json::{Value, json};

use super::agile;
use crate::small::Small;
use crate::small::processes::{PRIORITY, RESOLVED, SEVERITY};

const STATE: &str = "System.State";

/// Bugs with these values of a field; numbered from 1.
fn bugs(small: Small, field: &str, values: &[Value]) -> Small {
    let numbered = (1..).zip(values);
    numbered.fold(small, |small, (id, value)| small.item(&format!("{id} Bug @S1")).with(field, value.clone()))
}

/// What a member of the record is for each of some values of a field.
fn each(small: Small, field: &str, values: &[Value], member: &str) -> Vec<String> {
    let answer = bugs(small, field, values).map();
    (1..=values.len()).map(|id| answer.of(id, member)).collect()
}

/// The release date of a story on S1, with a time of resolution.
fn release_date(fields: Value, resolved: &str) -> String {
    let small = dated().spec("pullRequirements/releaseDateFields", fields);
    small.item("1 User Story @S1").with(RESOLVED, resolved).map().of(1, "releaseDate")
}

fn dated() -> Small {
    Small::new("Agile", "R1 01-01..03-31\n  S1 01-01..01-31\n  S2\nR2 04-01..06-30")
}

#[test]
fn a_priority_list_left_out_or_empty_maps_1_to_4() {
    let numbers = [json!(1), json!(2), json!(3), json!(4)];
    let expected = ["Critical", "High", "Medium", "Low"];
    assert_eq!(each(agile(), PRIORITY, &numbers, "priority"), expected);
    assert_eq!(each(agile().spec("priorityMapping", json!([])), PRIORITY, &numbers, "priority"), expected);
}

#[test]
fn a_severity_list_left_out_or_empty_maps_the_leading_number_1_to_5() {
    let texts = [json!("1 - Critical"), json!("2 - High"), json!("3 - Medium"), json!("4 - Low"), json!("5 - Odd")];
    let expected = ["Critical", "High", "Medium", "Low", "Lowest"];
    assert_eq!(each(agile(), SEVERITY, &texts, "severity"), expected);
    assert_eq!(each(agile().spec("bugMapping/severityMapping", json!([])), SEVERITY, &texts, "severity"), expected);
}

#[test]
fn a_status_list_left_out_or_empty_maps_the_state_category() {
    let states = [json!("New"), json!("Active"), json!("Resolved"), json!("Closed"), json!("Removed")];
    let expected = ["Open", "InProgress", "Resolved", "Closed", "Removed"];
    assert_eq!(each(agile(), STATE, &states, "status"), expected);
    assert_eq!(each(agile().spec("bugMapping/statusMapping", json!([])), STATE, &states, "status"), expected);
}

#[test]
fn the_state_category_is_that_of_type_and_state() {
    let small = Small::new("CMMI", "R1").item("1 Requirement @R1").with(STATE, "Resolved");
    let answer = small.item("2 Bug @R1").with(STATE, "Resolved").map();
    assert_eq!((answer.of(1, "status").as_str(), answer.of(2, "status").as_str()), ("InProgress", "Resolved"));
}

#[test]
fn of_a_list_given_a_state_without_an_entry_uses_its_category_and_is_counted() {
    let small = agile().spec("bugMapping/statusMapping", json!([{"ado": "Active", "testops": "Open"}]));
    let answer = bugs(small, STATE, &[json!("Active"), json!("Closed")]).map();
    assert_eq!((answer.of(1, "status").as_str(), answer.of(2, "status").as_str()), ("Open", "Closed"));
    assert_eq!(answer.unmapped(), "spec.bugMapping.statusMapping Closed ×1");
}

#[test]
fn of_a_list_given_a_priority_without_an_entry_stays_unset_and_is_counted() {
    let small = agile().spec("priorityMapping", json!([{"ado": 2, "testops": "Lowest"}]));
    let answer = bugs(small, PRIORITY, &[json!(2), json!(1)]).map();
    assert_eq!((answer.of(1, "priority").as_str(), answer.of(2, "priority").as_str()), ("Lowest", "-"));
    assert_eq!(answer.unmapped(), "spec.priorityMapping 1 ×1");
}

#[test]
fn of_a_list_given_a_severity_without_an_entry_stays_unset_and_is_counted() {
    let small = agile().spec("bugMapping/severityMapping", json!([{"ado": "2 - High", "testops": "Lowest"}]));
    let answer = bugs(small, SEVERITY, &[json!("2 - High"), json!("1 - Critical")]).map();
    assert_eq!((answer.of(1, "severity").as_str(), answer.of(2, "severity").as_str()), ("Lowest", "-"));
    assert_eq!(answer.unmapped(), "spec.bugMapping.severityMapping 1 - Critical ×1");
}

#[test]
fn a_priority_or_severity_beyond_the_default_list_is_counted() {
    let answer = bugs(agile(), PRIORITY, &[json!(7)]).with(SEVERITY, "none").map();
    assert_eq!((answer.of(1, "priority").as_str(), answer.of(1, "severity").as_str()), ("-", "-"));
    assert_eq!(answer.unmapped(), "spec.bugMapping.severityMapping none ×1, spec.priorityMapping 7 ×1");
}

#[test]
fn unmapped_has_most_items_first_then_field_and_value() {
    let small = agile().spec("pullRequirements/statusMapping", json!([{"ado": "Active", "testops": "Open"}]));
    let small = small.item("11 User Story @S1").item("12 User Story @S1").with(STATE, "Closed");
    let answer = bugs(small, PRIORITY, &[json!(9), json!(8), json!(9)]).map();
    let statuses = "spec.pullRequirements.statusMapping Closed ×1, spec.pullRequirements.statusMapping New ×1";
    assert_eq!(answer.unmapped(), format!("spec.priorityMapping 9 ×2, spec.priorityMapping 8 ×1, {statuses}"));
}

#[test]
fn a_state_of_no_category_is_counted() {
    let small = agile().given(|world| {
        let states = json!([{"name": "Odd", "category": "Elsewhere"}]);
        world["types"].as_array_mut().unwrap().iter_mut().for_each(|one| one["states"] = states.clone());
    });
    let answer = small.items("1 User Story @S1; 2 Bug @S1").map();
    assert_eq!((answer.of(1, "status").as_str(), answer.of(2, "status").as_str()), ("-", "-"));
    let expected = "spec.bugMapping.statusMapping Odd ×1, spec.pullRequirements.statusMapping Odd ×1";
    assert_eq!(answer.unmapped(), expected);
}

#[test]
fn a_state_that_the_type_has_not_is_counted() {
    let answer = bugs(agile(), STATE, &[json!("Vanished")]).map();
    assert_eq!(answer.of(1, "status"), "-");
    assert_eq!(answer.unmapped(), "spec.bugMapping.statusMapping Vanished ×1");
}

#[test]
fn priority_as_text_2_and_as_2_0_are_2() {
    assert_eq!(each(agile(), PRIORITY, &[json!("2"), json!(2.0)], "priority"), ["High", "High"]);
}

#[test]
fn a_priority_of_0_is_counted_and_an_absent_one_is_not() {
    let answer = bugs(agile(), PRIORITY, &[json!(0), Value::Null]).item("3 Bug @S1").map();
    assert_eq!((answer.of(1, "priority").as_str(), answer.of(3, "priority").as_str()), ("-", "-"));
    assert_eq!(answer.unmapped(), "spec.priorityMapping 0 ×1");
}

#[test]
fn ado_names_compare_without_case() {
    let small = agile().spec("bugMapping/statusMapping", json!([{"ado": "aCTIVE", "type": "bUG", "testops": "Open"}]));
    let small = small.spec("bugMapping/severityMapping", json!([{"ado": "2 - HIGH", "testops": "Low"}]));
    let answer = small.item("1 Bug @S1").with(STATE, "ACTIVE").with(SEVERITY, "2 - high").map();
    assert_eq!((answer.of(1, "status").as_str(), answer.of(1, "severity").as_str()), ("Open", "Low"));
    let by_category = agile().item("1 Bug @S1").with(STATE, "cLoSeD").map();
    assert_eq!(by_category.of(1, "status"), "Closed");
}

#[test]
fn the_entry_with_a_type_wins_wherever_it_stands() {
    let general = json!({"ado": "Active", "testops": "Open"});
    let specific = json!({"ado": "Active", "type": "Bug", "testops": "Removed"});
    for entries in [json!([general, specific]), json!([specific, general])] {
        let small = agile().spec("bugMapping/statusMapping", entries);
        assert_eq!(small.item("1 Bug @S1").with(STATE, "Active").map().of(1, "status"), "Removed");
    }
}

#[test]
fn the_release_date_is_the_first_field_with_a_date() {
    let date = |fields: Value| release_date(fields, "2026-05-05T12:00:00Z");
    assert_eq!(date(json!(["SprintEndDate", RESOLVED])), "2026-01-31");
    assert_eq!(date(json!([RESOLVED, "SprintEndDate"])), "2026-05-05");
}

#[test]
fn the_release_date_is_a_calendar_date_of_the_time_zone() {
    let small = agile().spec("pullRequirements/releaseDateFields", json!([RESOLVED]));
    let small = small.item("1 User Story @S1").with(RESOLVED, "2026-03-01T23:00:00Z");
    assert_eq!(small.clone().map().of(1, "releaseDate"), "2026-03-01");
    assert_eq!(small.spec("timeZone", json!("Europe/Berlin")).map().of(1, "releaseDate"), "2026-03-02");
}

#[test]
fn bugs_have_no_release_date() {
    let small = dated().spec("pullRequirements/releaseDateFields", json!(["ReleaseEndDate", RESOLVED]));
    let answer = small.item("1 Bug @S1").with(RESOLVED, "2026-03-01T23:00:00Z").map();
    assert_eq!((answer.of(1, "release") != "-", answer.of(1, "releaseDate").as_str()), (true, "-"));
}

#[test]
fn release_end_date_and_sprint_end_date_are_finish_dates_of_the_items_release_and_sprint() {
    let date = |field: &str| release_date(json!([field]), "2026-05-05T12:00:00Z");
    assert_eq!((date("ReleaseEndDate").as_str(), date("SprintEndDate").as_str()), ("2026-03-31", "2026-01-31"));
}

#[test]
fn the_finish_date_of_an_iteration_is_of_no_time_zone() {
    let small = dated().spec("pullRequirements/releaseDateFields", json!(["SprintEndDate"]));
    let small = small.spec("timeZone", json!("America/New_York")).item("1 User Story @S1");
    assert_eq!(small.map().of(1, "releaseDate"), "2026-01-31");
}

#[test]
fn null_unmapped_or_dateless_is_empty() {
    let small =
        dated().spec("pullRequirements/releaseDateFields", json!([RESOLVED, "SprintEndDate", "ReleaseEndDate"]));
    let answer =
        small.item("1 User Story @S2").with(RESOLVED, Value::Null).items("2 User Story @R2; 3 User Story @Payments");
    let answer = answer.map();
    let dates = [1, 2, 3].map(|id| answer.of(id, "releaseDate"));
    assert_eq!(dates, ["2026-03-31", "2026-06-30", "-"]);
}

#[test]
fn year_9999_is_empty_before_any_conversion() {
    let small = dated().spec("pullRequirements/releaseDateFields", json!([RESOLVED, "SprintEndDate"]));
    let small = small.spec("timeZone", json!("America/New_York")).item("1 User Story @S1");
    assert_eq!(small.with(RESOLVED, "9999-01-01T00:00:00Z").map().of(1, "releaseDate"), "2026-01-31");
}

#[test]
fn a_date_field_need_exist_on_one_selected_type_only() {
    let small = agile().spec("pullRequirements/releaseDateFields", json!([RESOLVED])).given(|world| {
        let types = world["types"].as_array_mut().unwrap().iter_mut().filter(|one| one["name"] != "Feature");
        types.for_each(|one| one["fields"] = json!([STATE]));
    });
    let both = small.clone().spec("pullRequirements/workItemTypes", json!(["User Story", "Feature"]));
    assert_eq!(both.map().refused(), None);
    assert_eq!(small.map().refused(), Some("spec.pullRequirements.releaseDateFields"));
}

#[test]
fn an_unknown_time_zone_is_an_error() {
    assert_eq!(agile().spec("timeZone", json!("Mars/Base")).map().refused(), Some("spec.timeZone"));
}

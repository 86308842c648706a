//! Every rule of the mapping in the schema of project configs, as somebody meets it who types `kubectl apply`.

use serde_json::{Value, json};

use crate::schema::configs;

const STATUS_REPEATED: &str = "statusMapping must not repeat a state, or a state and type";
const UNION: &str = "must give depth with from: Depth, paths with from: Paths, tier with from: Tier, and nothing else";
const RATINGS: &str = r#"supported values: "Critical", "High", "Medium", "Low", "Lowest""#;
const STATUSES: &str = r#"supported values: "Open", "InProgress", "Resolved", "Closed", "Removed""#;

/// That many different texts of that many characters, which differ at their ends only.
fn texts(count: usize, length: usize, filler: char) -> Vec<String> {
    (0..count).map(|n| format!("{}{n:03}", String::from(filler).repeat(length - 3))).collect()
}

#[test]
fn release_dates_come_from_at_most_three_different_fields() {
    let tried = configs();
    let place = "spec.pullRequirements.releaseDateFields";
    let with = |fields: Value| json!({"releaseDateFields": fields});
    let three = ["ReleaseEndDate", "SprintEndDate", "Microsoft.VSTS.Common.ResolvedDate"];
    tried.accepts("pullRequirements", with(json!(three)));
    tried.accepts("pullRequirements", with(json!(texts(3, 256, 'x'))));
    tried.accepts("pullRequirements", with(Value::Null));
    for (fields, place, sentence) in [
        (json!([]), place.to_owned(), "should have at least 1 items"),
        (json!(texts(4, 8, 'x')), place.to_owned(), "Too many: 4: must have at most 3 items"),
        (json!(["A", "B", "A"]), place.to_owned(), "releaseDateFields must not repeat a field"),
        (json!([""]), format!("{place}[0]"), "should be at least 1 chars long"),
        (json!(["x".repeat(257)]), format!("{place}[0]"), "may not be more than 256 bytes"),
    ] {
        tried.rejects("pullRequirements", with(fields), &[(&place, sentence)]);
    }
}

#[test]
fn a_status_mapping_says_once_what_a_state_of_a_type_means() {
    let tried = configs();
    let entry = |ado: &str, kind: Value, testops: &str| match kind {
        Value::Null => json!({"ado": ado, "testops": testops}),
        kind => json!({"ado": ado, "type": kind, "testops": testops}),
    };
    let any = || Value::Null;
    for block in ["pullRequirements", "bugMapping"] {
        let place = format!("spec.{block}.statusMapping");
        let with = |entries: Value| json!({"statusMapping": entries});
        tried.accepts(block, with(json!([])));
        tried.accepts(block, with(Value::Null));
        // The same state of two types, and of all others.
        tried.accepts(
            block,
            with(json!([
                entry("New", any(), "Open"),
                entry("New", json!("Feature"), "InProgress"),
                entry("New", json!("Bug"), "Resolved"),
                entry("Gone", json!("Bug"), "Removed"),
                entry("Done", json!("Bug"), "Closed"),
            ])),
        );
        for repeated in [
            json!([entry("New", any(), "Open"), entry("New", any(), "Open")]),
            json!([entry("New", any(), "Open"), entry("Done", any(), "Closed"), entry("New", any(), "Closed")]),
            json!([entry("New", json!("Bug"), "Open"), entry("New", json!("Bug"), "Closed")]),
        ] {
            tried.rejects(block, with(repeated), &[(&place, STATUS_REPEATED)]);
        }
        let one = |entry: Value| with(json!([entry]));
        let long = "x".repeat(129);
        for (refused, member, sentence) in [
            (entry("New", any(), "Done"), "[0].testops", format!("Unsupported value: \"Done\": {STATUSES}")),
            (entry("New", any(), "open"), "[0].testops", format!("Unsupported value: \"open\": {STATUSES}")),
            (json!({"ado": "New"}), "[0].testops", "Required value".into()),
            (json!({"testops": "Open"}), "[0].ado", "Required value".into()),
            (entry("", any(), "Open"), "[0].ado", "should be at least 1 chars long".into()),
            (entry(&long, any(), "Open"), "[0].ado", "may not be more than 128 bytes".into()),
            (entry("New", json!(""), "Open"), "[0].type", "should be at least 1 chars long".into()),
            (entry("New", json!(long), "Open"), "[0].type", "may not be more than 128 bytes".into()),
        ] {
            tried.rejects(block, one(refused), &[(&format!("{place}{member}"), &sentence)]);
        }
        let many: Vec<Value> = texts(151, 8, 'x').iter().map(|ado| entry(ado, any(), "Open")).collect();
        tried.rejects(block, with(json!(many)), &[(&place, "Too many: 151: must have at most 150 items")]);
    }
}

#[test]
fn a_severity_has_one_meaning() {
    let tried = configs();
    let place = "spec.bugMapping.severityMapping";
    let with = |entries: Value| json!({"severityMapping": entries});
    tried.accepts("bugMapping", with(json!([])));
    let all = ["Critical", "High", "Medium", "Low", "Lowest"];
    let five: Vec<Value> = all.iter().map(|name| json!({"ado": format!("S {name}"), "testops": name})).collect();
    tried.accepts("bugMapping", with(json!(five)));
    let twice = json!([{"ado": "1 - Critical", "testops": "High"}, {"ado": "1 - Critical", "testops": "Low"}]);
    let duplicate = format!("{place}[1]");
    tried.rejects("bugMapping", with(twice), &[(&duplicate, r#"Duplicate value: {"ado":"1 - Critical"}"#)]);
    for (entry, member, sentence) in [
        (json!({"ado": "1", "testops": "Grave"}), "[0].testops", format!("Unsupported value: \"Grave\": {RATINGS}")),
        (json!({"ado": "1"}), "[0].testops", "Required value".into()),
        (json!({"ado": "", "testops": "Low"}), "[0].ado", "should be at least 1 chars long".into()),
        (json!({"ado": "x".repeat(257), "testops": "Low"}), "[0].ado", "may not be more than 256 bytes".into()),
        (json!({"ado": 1, "testops": "Low"}), "[0].ado", "must be of type string: \"integer\"".into()),
    ] {
        tried.rejects("bugMapping", with(json!([entry])), &[(&format!("{place}{member}"), &sentence)]);
    }
    let many: Vec<Value> = texts(201, 8, 'x').iter().map(|ado| json!({"ado": ado, "testops": "Low"})).collect();
    tried.rejects("bugMapping", with(json!(many)), &[(place, "Too many: 201: must have at most 200 items")]);
}

#[test]
fn a_priority_from_1_to_4_has_one_meaning() {
    let tried = configs();
    let place = "spec.priorityMapping";
    let four: Vec<Value> = (1..=4).map(|ado| json!({"ado": ado, "testops": "Lowest"})).collect();
    tried.accepts("priorityMapping", json!(four));
    tried.accepts("priorityMapping", json!([]));
    let twice = json!([{"ado": 2, "testops": "High"}, {"ado": 2, "testops": "Low"}]);
    tried.rejects("priorityMapping", twice, &[("spec.priorityMapping[1]", r#"Duplicate value: {"ado":2}"#)]);
    for (entry, member, sentence) in [
        (json!({"ado": 0, "testops": "Low"}), "[0].ado", "should be greater than or equal to 1".to_owned()),
        (json!({"ado": 5, "testops": "Low"}), "[0].ado", "should be less than or equal to 4".into()),
        (json!({"ado": "1", "testops": "Low"}), "[0].ado", "must be of type integer: \"string\"".into()),
        (json!({"ado": 1, "testops": "Urgent"}), "[0].testops", format!("Unsupported value: \"Urgent\": {RATINGS}")),
        (json!({"ado": 1}), "[0].testops", "Required value".into()),
        (json!({"testops": "Low"}), "[0].ado", "Required value".into()),
    ] {
        tried.rejects("priorityMapping", json!([entry]), &[(&format!("{place}{member}"), &sentence)]);
    }
}

#[test]
fn a_source_gives_what_its_kind_takes_and_nothing_else() {
    let tried = configs();
    let paths = json!(["Payments\\2026\\*"]);
    for side in ["release", "sprint"] {
        let with = |source: &Value| json!({side: source});
        let place = format!("spec.iterationMapping.{side}");
        for accepted in [
            json!({"from": "None"}),
            json!({"from": "None", "depth": null, "paths": null, "tier": null}),
            json!({"from": "Depth", "depth": 1}),
            json!({"from": "Depth", "depth": 14}),
            json!({"from": "Paths", "paths": paths}),
            json!({"from": "Tier", "tier": 1}),
            json!({"from": "Tier", "tier": 10}),
        ] {
            tried.accepts("iterationMapping", with(&accepted));
        }
        for refused in [
            json!({"from": "Depth"}),
            json!({"from": "Paths"}),
            json!({"from": "Tier"}),
            json!({"from": "None", "depth": 1}),
            json!({"from": "None", "paths": paths}),
            json!({"from": "None", "tier": 1}),
            json!({"from": "Depth", "depth": 1, "tier": 1}),
            json!({"from": "Depth", "tier": 1}),
            json!({"from": "Tier", "tier": 1, "paths": paths}),
            json!({"from": "Paths", "paths": paths, "depth": 1}),
        ] {
            tried.rejects("iterationMapping", with(&refused), &[(&place, UNION)]);
        }
        let kinds = r#"Unsupported value: "Area": supported values: "None", "Depth", "Paths", "Tier", "TeamBoard""#;
        for (refused, member, sentence) in [
            (json!({"from": "Area"}), ".from", kinds),
            (json!({}), ".from", "Required value"),
            (json!({"from": "Depth", "depth": 0}), ".depth", "should be greater than or equal to 1"),
            (json!({"from": "Depth", "depth": 15}), ".depth", "should be less than or equal to 14"),
            (json!({"from": "Tier", "tier": 0}), ".tier", "should be greater than or equal to 1"),
            (json!({"from": "Tier", "tier": 11}), ".tier", "should be less than or equal to 10"),
        ] {
            tried.rejects("iterationMapping", with(&refused), &[(&format!("{place}{member}"), sentence)]);
        }
    }
    tried.accepts("iterationMapping", json!({"fullPath": true}));
    tried.accepts("iterationMapping", json!({}));
    tried.accepts("iterationMapping", json!({"fullPath": null, "release": null, "sprint": null}));
}

#[test]
fn paths_are_different_and_bounded() {
    let tried = configs();
    let with = |paths: Value| json!({"sprint": {"from": "Paths", "paths": paths}});
    let place = "spec.iterationMapping.sprint.paths";
    tried.accepts("iterationMapping", with(json!(texts(50, 1024, 'x'))));
    for (paths, place, sentence) in [
        (json!([]), place.to_owned(), "should have at least 1 items"),
        (json!(texts(51, 8, 'x')), place.to_owned(), "Too many: 51: must have at most 50 items"),
        (json!(["Payments\\R1", "Payments\\R2", "Payments\\R1"]), place.to_owned(), "paths must not repeat an entry"),
        (json!([""]), format!("{place}[0]"), "should be at least 1 chars long"),
        (json!(["x".repeat(1025)]), format!("{place}[0]"), "may not be more than 1024 bytes"),
    ] {
        tried.rejects("iterationMapping", with(paths), &[(&place, sentence)]);
    }
}

#[test]
fn a_team_board_is_on_one_side_and_has_a_team() {
    let tried = configs();
    let board = json!({"from": "TeamBoard"});
    let with_team = |mapping: &Value| json!({"team": "Payments Team", "iterationMapping": mapping});
    for side in ["release", "sprint"] {
        let mapping = json!({side: board});
        tried.accepts_at_any_size(&with_team(&mapping));
        let sentence = "team must be given where iterationMapping takes releases or sprints from TeamBoard";
        tried.rejects("iterationMapping", mapping, &[("spec.team", sentence)]);
        let further = json!({side: {"from": "TeamBoard", "depth": 1}});
        let place = format!("spec.iterationMapping.{side}");
        tried.rejects("iterationMapping", further, &[("spec.team", sentence), (&place, UNION)]);
    }
    let both = json!({"release": board, "sprint": board});
    tried.rejects(
        "iterationMapping",
        both,
        &[
            ("spec.iterationMapping", "iterationMapping: only one of release and sprint can come from TeamBoard"),
            ("spec.team", "team must be given where iterationMapping takes releases or sprints from TeamBoard"),
        ],
    );
}

#[test]
fn a_time_zone_has_a_length() {
    let tried = configs();
    tried.accepts("timeZone", json!("Europe/Berlin"));
    tried.accepts("timeZone", json!("x".repeat(64)));
    tried.rejects("timeZone", json!(""), &[("spec.timeZone", "should be at least 1 chars long")]);
    tried.rejects("timeZone", json!("x".repeat(65)), &[("spec.timeZone", "may not be more than 64 bytes")]);
}

#[test]
fn the_intervals_of_a_sync_are_between_a_minute_and_a_day() {
    let tried = configs();
    tried.accepts("sync", json!({}));
    for member in ["interval", "fullInterval"] {
        let place = format!("spec.sync.{member}");
        for good in ["1m", "60s", "5m", "1h30m", "24h", "1440m"] {
            tried.accepts("sync", json!({member: good}));
        }
        tried.accepts("sync", json!({member: null}));
        for bad in ["59s", "24h1s", "0m", "1d", "5", "", "-5m", "0.5h", "25h"] {
            let sentence = "must be a duration from 1m to 24h, such as 10m or 1h30m";
            tried.rejects("sync", json!({member: bad}), &[(&place, sentence)]);
        }
        let long = "1".repeat(32) + "m";
        tried.rejects("sync", json!({member: long}), &[(&place, "may not be more than 32 bytes")]);
        tried.rejects("sync", json!({member: 300}), &[(&place, r#"must be of type string: "integer""#)]);
    }
}

#[test]
fn states_and_deletion_policies_are_those_that_there_are() {
    let tried = configs();
    for (member, values, other) in [
        ("state", vec!["Active", "Inactive", "Archived"], "Error"),
        ("deletionPolicy", vec!["Retain", "Purge"], "Delete"),
    ] {
        for value in &values {
            tried.accepts(member, json!(value));
        }
        let offered: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        let sentence = format!("Unsupported value: {other:?}: supported values: {}", offered.join(", "));
        tried.rejects(member, json!(other), &[(&format!("spec.{member}"), &sentence)]);
    }
}

/// The document that has the most and the longest of everything, with these entries in both status mappings.
fn largest(filler: char, statuses: &[Value]) -> Value {
    let text = |length: usize| json!(texts(1, length, filler)[0]);
    let severities: Vec<Value> =
        texts(200, 256, filler).iter().map(|ado| json!({"ado": ado, "testops": "Critical"})).collect();
    let types = texts(64, 128, filler);
    let source = json!({"from": "Paths", "paths": texts(50, 1024, filler)});
    let priorities: Vec<Value> = (1..=4).map(|ado| json!({"ado": ado, "testops": "Critical"})).collect();
    json!({
        "project": text(256),
        "team": text(256),
        "description": text(255),
        "pullRequirements": {
            "workItemTypes": types,
            "releaseDateFields": texts(3, 256, filler),
            "statusMapping": statuses,
        },
        "bugMapping": {"workItemTypes": types, "severityMapping": severities, "statusMapping": statuses},
        "iterationMapping": {"fullPath": true, "release": source, "sprint": source},
        "priorityMapping": priorities,
        "timeZone": text(64),
        "sync": {"interval": "1h1m1s", "fullInterval": "23h59m59s"},
    })
}

/// Rules compare every entry with every other, and the apiserver stops where that costs too much. Texts are measured in
/// characters, of which the longest take four bytes.
#[test]
fn the_largest_document_is_not_too_much_for_the_rules() {
    let tried = configs();
    for filler in ['x', '𝄞'] {
        let states = texts(150, 128, filler);
        let general: Vec<Value> = states.iter().map(|ado| json!({"ado": ado, "testops": "InProgress"})).collect();
        let typed: Vec<Value> =
            states.iter().map(|ado| json!({"ado": ado, "type": ado, "testops": "InProgress"})).collect();
        for statuses in [general, typed] {
            tried.accepts_at_any_size(&largest(filler, &statuses));
        }
    }
}

/// Of pairs that differ in one part only, the other part has to be compared as a whole.
#[test]
fn many_entries_for_the_same_state_are_not_too_much_for_the_rules() {
    let tried = configs();
    for filler in ['x', '𝄞'] {
        let types = texts(150, 128, filler);
        let statuses: Vec<Value> =
            types.iter().map(|name| json!({"ado": types[0], "type": name, "testops": "InProgress"})).collect();
        tried.accepts_at_any_size(&largest(filler, &statuses));
    }
}

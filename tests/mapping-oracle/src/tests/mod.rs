//! One small world per sentence of the rules. The names of the tests are those sentences.

mod pinned_paths;
mod placing;
mod process;
mod sources;
mod tier_walk;
mod tiers;
mod values;

use serde_json::{Value, json};

use crate::map;

/// An iteration node; its identifier is `n` and its number.
fn node(id: i64, name: &str, children: Vec<Value>) -> Value {
    let mut node = json!({"id": id, "identifier": format!("n{id}"), "name": name});
    node["children"] = Value::Array(children);
    node
}

fn dated(mut node: Value, start: &str, finish: &str) -> Value {
    node["startDate"] = json!(start);
    node["finishDate"] = json!(finish);
    node
}

/// A type with one state of each category.
fn work_type(name: &str, fields: &[&str]) -> Value {
    json!({
        "name": name,
        "referenceName": format!("Ref.{}", name.replace(' ', "")),
        "states": [
            {"name": "New", "category": "Proposed"},
            {"name": "Active", "category": "InProgress"},
            {"name": "Resolved", "category": "Resolved"},
            {"name": "Closed", "category": "Completed"},
            {"name": "Cut", "category": "Removed"},
            {"name": "Odd", "category": "Elsewhere"},
        ],
        "fields": fields,
    })
}

fn level(id: &str, rank: i64, types: &[&str]) -> Value {
    json!({"id": id, "name": id, "rank": rank, "workItemTypes": types})
}

/// A world like the Agile process, with a tree.
fn agile(tree: Value) -> Value {
    const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";
    const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";
    const RESOLVED: &str = "Microsoft.VSTS.Common.ResolvedDate";
    let mut world = json!({
        "types": [
            work_type("Epic", &[PRIORITY]),
            work_type("Feature", &[PRIORITY, RESOLVED]),
            work_type("User Story", &[PRIORITY, RESOLVED]),
            work_type("Task", &[PRIORITY]),
            work_type("Bug", &[PRIORITY, SEVERITY, RESOLVED]),
            work_type("Issue", &[PRIORITY]),
        ],
        "categories": [
            {"referenceName": "Microsoft.RequirementCategory", "workItemTypes": ["User Story"]},
            {"referenceName": "Microsoft.BugCategory", "workItemTypes": ["Bug"]},
        ],
        "backlogs": {
            "portfolioBacklogs": [level("features", 3, &["Feature"]), level("epics", 4, &["Epic"])],
            "requirementBacklog": level("requirements", 2, &["User Story"]),
            "taskBacklog": level("tasks", 1, &["Task"]),
            "bugsBehavior": "off",
        },
        "fields": [
            {"referenceName": PRIORITY, "type": "integer"},
            {"referenceName": SEVERITY, "type": "string"},
            {"referenceName": RESOLVED, "type": "dateTime"},
            {"referenceName": "Custom.Elsewhere", "type": "dateTime"},
        ],
        "severities": {"Bug": ["1 - Critical", "2 - High"]},
        "team": {"id": "t1", "name": "Payments Team", "nodes": []},
    });
    world["tree"] = tree;
    world
}

/// `Payments` with `2026` (2), below it `R1` (3), below it `S1` (4).
fn chain() -> Value {
    node(1, "Payments", vec![node(2, "2026", vec![node(3, "R1", vec![node(4, "S1", vec![])])])])
}

/// `Payments` alone.
fn bare() -> Value {
    node(1, "Payments", vec![])
}

/// An item in state New, on the node of a number.
fn item(id: i64, work_item_type: &str, iteration: i64) -> Value {
    let fields = json!({
        "System.WorkItemType": work_item_type,
        "System.State": "New",
        "System.IterationId": iteration,
    });
    json!({"id": id, "fields": fields})
}

fn with(mut item: Value, field: &str, value: impl Into<Value>) -> Value {
    item["fields"][field] = value.into();
    item
}

fn below(parent: i64, mut item: Value) -> Value {
    item["parent"] = json!(parent);
    item
}

/// A spec with both toggles on.
fn both(mut more: Value) -> Value {
    for block in ["pullRequirements", "bugMapping"] {
        if more[block].is_null() {
            more[block] = json!({});
        }
    }
    more
}

/// A spec with both toggles on and these sides; null leaves one out.
fn sides(release: &Value, sprint: &Value) -> Value {
    both(json!({"iterationMapping": {"release": release, "sprint": sprint}}))
}

fn depth(depth: usize) -> Value {
    json!({"from": "Depth", "depth": depth})
}

fn paths(paths: &[&str]) -> Value {
    json!({"from": "Paths", "paths": paths})
}

fn tier(tier: usize) -> Value {
    json!({"from": "Tier", "tier": tier})
}

fn none() -> Value {
    json!({"from": "None"})
}

fn answer(spec: &Value, world: &Value, items: &[Value]) -> Value {
    later(spec, &Value::Null, world, items)
}

fn later(spec: &Value, accepted: &Value, world: &Value, items: &[Value]) -> Value {
    map(&json!({"spec": spec, "accepted": accepted, "world": world, "items": items}))
}

/// The field that makes a spec an Error.
fn refused(spec: &Value, world: &Value, items: &[Value]) -> Value {
    answer(spec, world, items)["error"]["field"].clone()
}

fn record(answer: &Value, id: i64) -> &Value {
    let records = answer["records"].as_array().unwrap_or_else(|| panic!("records in {answer}"));
    records.iter().find(|record| record["id"] == id).unwrap_or_else(|| panic!("record {id} in {answer}"))
}

/// Release and sprint of an item.
fn spot(answer: &Value, id: i64) -> Value {
    let record = record(answer, id);
    json!([record["release"], record["sprint"]])
}

/// The identifiers of the releases, or of the sprints.
fn listed(answer: &Value, side: &str) -> Vec<String> {
    let nodes = answer[side].as_array().unwrap_or_else(|| panic!("{side} in {answer}"));
    nodes.iter().map(|node| node["identifier"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The release of a sprint.
fn release_of(answer: &Value, sprint: &str) -> Value {
    let sprints = answer["sprints"].as_array().unwrap_or_else(|| panic!("sprints in {answer}"));
    let found = sprints.iter().find(|node| node["identifier"] == sprint);
    found.unwrap_or_else(|| panic!("sprint {sprint} in {answer}"))["release"].clone()
}

fn warns(answer: &Value, warning: &Value) -> bool {
    answer["warnings"].as_array().unwrap_or_else(|| panic!("warnings in {answer}")).contains(warning)
}

fn warns_of(answer: &Value, kind: &str) -> bool {
    let warnings = answer["warnings"].as_array().unwrap_or_else(|| panic!("warnings in {answer}"));
    warnings.iter().any(|warning| warning["kind"] == kind)
}

fn gone(field: &str, name: &str) -> Value {
    json!([{"field": field, "name": name}])
}

fn renamed(field: &str, was: &str) -> Value {
    json!({"kind": "Renamed", "field": field, "was": was})
}

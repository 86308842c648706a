//! What our mapping comes to, in the oracle's words.

use ado_operator::domain::mapping::plan::PlanNode;
use ado_operator::domain::mapping::unmapped::UnmappedValue;
use ado_operator::domain::mapping::warnings::{Gone, Side, Warning};
use serde_json::{Value, json};

pub fn gone(found: &[Gone]) -> Vec<Value> {
    let mut gone: Vec<_> = found.iter().map(|gone| (gone.field, &gone.name)).collect();
    gone.sort();
    gone.dedup();
    gone.into_iter().map(|(field, name)| json!({"field": field, "name": name})).collect()
}

pub fn unmapped(found: &[UnmappedValue]) -> Vec<Value> {
    found.iter().map(|one| json!({"field": one.field, "value": one.value, "items": one.items})).collect()
}

pub fn nodes(found: &[PlanNode], with_release: bool) -> Vec<Value> {
    let mut found: Vec<&PlanNode> = found.iter().collect();
    found.sort_by_key(|node| node.identifier.to_string());
    let shown = |node: &&PlanNode| {
        let mut shown = json!({"identifier": node.identifier, "name": node.name});
        if with_release {
            shown["release"] = json!(node.release);
        }
        shown
    };
    found.iter().map(shown).collect()
}

pub fn warnings(found: &[Warning]) -> Vec<Value> {
    let side = |side: Side| match side {
        Side::Release => "release",
        Side::Sprint => "sprint",
    };
    let mut all: Vec<Value> = found
        .iter()
        .map(|warning| match warning {
            Warning::MatchesNothing { side: of, source } => {
                json!({"kind": "MatchesNothing", "side": side(*of), "source": source})
            }
            Warning::ReleasesTakeAll => json!({"kind": "ReleasesTakeAll"}),
            Warning::NamedTwice { path } => json!({"kind": "NamedTwice", "path": path}),
            Warning::SprintAboveRelease { sprint } => json!({"kind": "SprintAboveRelease", "sprint": sprint}),
            Warning::EqualNames { side: of, name } => json!({"kind": "EqualNames", "side": side(*of), "name": name}),
            Warning::Renamed { field, was, .. } => json!({"kind": "Renamed", "field": field, "was": was}),
            Warning::Shifted { was, is } => json!({"kind": "Shifted", "was": was, "is": is}),
            Warning::NoSeverity => json!({"kind": "NoSeverity"}),
        })
        .collect();
    all.sort_by_key(Value::to_string);
    all.dedup();
    all
}

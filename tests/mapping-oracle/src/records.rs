//! The answer: types, tiers, releases, sprints, records and what is to be said about them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::acceptance::{BUG_SEVERITY, BUG_STATUS, REQUIREMENT_STATUS};
use crate::input::{Item, WorkType};
use crate::iterations::PlaceNo;
use crate::placing::{Plan, Spot, place};
use crate::process::{among, levels, tier_of_type, type_named};
use crate::selection::{Selection, selected_now};
use crate::sources::Sides;
use crate::values::{Mapped, category, priority, release_date, severity, status};
use crate::{Case, drift, warnings};

const PRIORITIES: &str = "spec.priorityMapping";

/// Whether an item is a requirement or a bug.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Requirement,
    Bug,
}

/// Everything that the mapping gives.
pub(crate) fn document(case: &Case) -> Value {
    let selection = selected_now(case);
    let mut pulled: Vec<&Item> = case.items.iter().filter(|item| kind_of(case, &selection, item).is_some()).collect();
    pulled.sort_by_key(|item| item.id);
    let mut warned = drift::warnings(case);
    warned.extend(warnings::no_severity(case));
    let plan = if case.spec.uses_iterations() {
        let sides = Sides::of(case.spec.iteration_mapping.as_ref());
        let plan = place(case, &sides, &pulled);
        warned.extend(warnings::of_iterations(case, &sides, &plan));
        plan
    } else {
        Plan::default()
    };
    let mut tally = Tally::default();
    let records: Vec<Value> =
        pulled.iter().filter_map(|item| record(case, &selection, &plan, item, &mut tally)).collect();
    json!({
        "requirementTypes": names(&selection.requirements),
        "bugTypes": names(&selection.bugs),
        "tiers": tiers(case),
        "releases": releases(case, &plan),
        "sprints": sprints(case, &plan),
        "records": records,
        "unmapped": tally.sorted(),
        "warnings": warnings::sorted(warned),
        "gone": drift::gone(case),
    })
}

fn names(types: &[&WorkType]) -> Vec<String> {
    let mut names: Vec<String> = types.iter().map(|it| it.name.clone()).collect();
    names.sort();
    names
}

/// The types of each tier, bugs where `bugsBehavior` puts them.
fn tiers(case: &Case) -> Vec<Value> {
    let of_tier = |tier: usize| -> Vec<&WorkType> {
        case.now.types.iter().filter(|it| tier_of_type(case.now, it) == Some(tier)).collect()
    };
    (1..=levels(case.now).len()).map(|tier| json!({"tier": tier, "types": names(&of_tier(tier))})).collect()
}

/// Rule: "`fullPath`: names are the full path instead of the leaf".
fn name_of(case: &Case, node: PlaceNo) -> String {
    let node = &case.tree_now.places[node];
    if warnings::full_path(case) { node.path.clone() } else { node.name.clone() }
}

fn identifier(case: &Case, node: Option<PlaceNo>) -> Option<String> {
    node.map(|node| case.tree_now.places[node].identifier.clone())
}

fn by_identifier(mut nodes: Vec<Value>) -> Vec<Value> {
    nodes.sort_by_key(|node| node["identifier"].as_str().map(str::to_owned));
    nodes
}

fn releases(case: &Case, plan: &Plan) -> Vec<Value> {
    let release = |node: &PlaceNo| json!({"identifier": identifier(case, Some(*node)), "name": name_of(case, *node)});
    by_identifier(plan.releases.iter().map(release).collect())
}

fn sprints(case: &Case, plan: &Plan) -> Vec<Value> {
    let sprint = |node: &PlaceNo| {
        let release = plan.release_of_sprint.get(node).copied();
        json!({
            "identifier": identifier(case, Some(*node)),
            "name": name_of(case, *node),
            "release": identifier(case, release),
        })
    };
    by_identifier(plan.sprints.iter().map(sprint).collect())
}

/// Whether an item is pulled, and as what.
fn kind_of(case: &Case, selection: &Selection, item: &Item) -> Option<Kind> {
    let own = type_named(case.now, &item.type_name())?;
    if among(&selection.bugs, own) {
        Some(Kind::Bug)
    } else {
        among(&selection.requirements, own).then_some(Kind::Requirement)
    }
}

fn record(case: &Case, selection: &Selection, plan: &Plan, item: &Item, tally: &mut Tally) -> Option<Value> {
    let own = type_named(case.now, &item.type_name())?;
    let kind = kind_of(case, selection, item)?;
    let spot = plan.spots.get(&item.id).copied().unwrap_or_default();
    let (status, severity) = match kind {
        Kind::Requirement => (requirement_status(case, own, item, tally), None),
        Kind::Bug => (bug_status(case, own, item, tally), bug_severity(case, item, tally)),
    };
    let priorities = case.spec.priority_mapping.as_deref().unwrap_or_default();
    Some(json!({
        "id": item.id,
        "kind": if kind == Kind::Bug { "bug" } else { "requirement" },
        "release": identifier(case, spot.release),
        "sprint": identifier(case, spot.sprint),
        "status": status,
        "category": category(own, item),
        "priority": tally.count(PRIORITIES, priority(priorities, item)),
        "severity": severity,
        "releaseDate": if kind == Kind::Bug { None } else { date_of(case, item, spot) },
    }))
}

fn requirement_status(case: &Case, own: &WorkType, item: &Item, tally: &mut Tally) -> Option<String> {
    let entries = case.spec.pull()?.statuses();
    tally.count(REQUIREMENT_STATUS, status(case, entries, own, item))
}

fn bug_status(case: &Case, own: &WorkType, item: &Item, tally: &mut Tally) -> Option<String> {
    let entries = case.spec.bugs()?.statuses();
    tally.count(BUG_STATUS, status(case, entries, own, item))
}

fn bug_severity(case: &Case, item: &Item, tally: &mut Tally) -> Option<String> {
    let entries = case.spec.bugs()?.severities();
    tally.count(BUG_SEVERITY, severity(entries, item))
}

/// Rule: "release date (requirements only; bugs have none)".
fn date_of(case: &Case, item: &Item, spot: Spot) -> Option<String> {
    let fields = case.spec.pull()?.release_date_fields.as_deref().unwrap_or_default();
    release_date(case, fields, item, spot).map(|date| date.to_string())
}

/// Values that are counted as unmapped: by field and by value without case, the spellings that were seen.
#[derive(Default)]
struct Tally {
    spellings: BTreeMap<(&'static str, String), Vec<String>>,
}

impl Tally {
    /// Counts a value if it is unmapped, and gives the word that it has.
    fn count(&mut self, field: &'static str, mapped: Mapped) -> Option<String> {
        if let Some(value) = mapped.unmapped {
            self.spellings.entry((field, value.to_lowercase())).or_default().push(value);
        }
        mapped.word
    }

    /// Rule: "most items first, then field and value". Of spellings that differ in case the smallest is shown.
    fn sorted(&self) -> Vec<Value> {
        let shown = |((field, _), spellings): (&(&'static str, String), &Vec<String>)| {
            Some((std::cmp::Reverse(spellings.len()), *field, spellings.iter().min()?.clone()))
        };
        let mut entries: Vec<_> = self.spellings.iter().filter_map(shown).collect();
        entries.sort();
        entries
            .into_iter()
            .map(|(items, field, value)| json!({"field": field, "value": value, "items": items.0}))
            .collect()
    }
}

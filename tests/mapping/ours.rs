//! The mapping, driven by the documents that the oracle takes.

use std::collections::BTreeMap;

use ado_operator::ado::model::{
    BacklogConfiguration, ClassificationNode, Field, StateCategory, TypeCategory, WorkItemId, WorkItemType,
};
use ado_operator::api::{AdoProjectConfigSpec, Rating, RecordStatus};
use ado_operator::domain::mapping::accept::{SEVERITY, TeamView, World, accept};
use ado_operator::domain::mapping::ancestry::{Ancestry, Kin};
use ado_operator::domain::mapping::apply::Application;
use ado_operator::domain::mapping::pins::{MappingPins, TeamPin};
use ado_operator::domain::mapping::plan::Plan;
use ado_operator::domain::mapping::process::{Process, reference_of};
use ado_operator::domain::mapping::tree::Tree;
use ado_operator::domain::mapping::unmapped::UnmappedCounts;
use ado_operator::domain::mapping::{Item, Mapping, Record, RecordKind, folded, same};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::words;

/// A world as our own code sees it.
struct Seen {
    process: Process,
    tree: Tree,
    fields: Vec<Field>,
    severities: BTreeMap<String, Vec<String>>,
    team: Option<(String, TeamPin)>,
}

impl Seen {
    fn new(world: &Value, spec: &Value) -> Self {
        let types: Vec<WorkItemType> = list(&world["types"]).iter().map(|one| read(&type_of(one))).collect();
        let categories: Vec<TypeCategory> =
            list(&world["categories"]).iter().map(|one| read(&named_types(one))).collect();
        let mut backlogs = world["backlogs"].clone();
        for level in ["requirementBacklog", "taskBacklog"] {
            backlogs[level] = if backlogs[level].is_null() { Value::Null } else { named_types(&backlogs[level]) };
        }
        backlogs["portfolioBacklogs"] = list(&backlogs["portfolioBacklogs"]).iter().map(named_types).collect();
        let backlogs: BacklogConfiguration = read(&backlogs);
        let root: ClassificationNode = read(&node_of(&world["tree"]));
        let fields = list(&world["fields"]).iter().map(|one| {
            let mut one = one.clone();
            one["name"] = one["referenceName"].clone();
            read(&one)
        });
        let team = world["team"].as_object().map(|team| {
            let pin = TeamPin {
                spelling: folded(spec["team"].as_str().unwrap_or_default()),
                id: read(&team["id"]),
                nodes: read::<Vec<Uuid>>(&team["nodes"]),
            };
            (read(&team["name"]), pin)
        });
        Self {
            process: Process::new(types, &categories, backlogs),
            tree: Tree::new(&root),
            fields: fields.collect(),
            severities: read(&world["severities"]),
            team,
        }
    }

    /// The severities of the types that are bugs, as the operator asks for them.
    fn world<'a>(&'a self, severities: &'a BTreeMap<String, Vec<String>>) -> World<'a> {
        let team = self.team.as_ref().map(|(name, pin)| TeamView { name, pin });
        World { process: &self.process, tree: &self.tree, fields: &self.fields, severities, team }
    }

    fn severities(&self, spec: &AdoProjectConfigSpec, pins: &MappingPins) -> BTreeMap<String, Vec<String>> {
        let bugs = ado_operator::domain::mapping::selection::current(spec, &self.process, pins).bug_types;
        let is_bug = |name: &String| bugs.iter().any(|bug| same(bug, name));
        self.severities
            .iter()
            .filter(|(name, _)| is_bug(name))
            .map(|(name, offered)| (name.clone(), offered.clone()))
            .collect()
    }
}

/// What our mapping makes of a document of the oracle, in the oracle's words.
pub fn map(input: &Value) -> Value {
    let mut spec = input["spec"].clone();
    spec["integrationRef"] = json!({"name": "contoso"});
    spec["project"] = json!("Payments");
    let spec: AdoProjectConfigSpec = read(&spec);
    let then = if input["accepted"].is_null() { &input["world"] } else { &input["accepted"] };
    let (then, now) = (Seen::new(then, &input["spec"]), Seen::new(&input["world"], &input["spec"]));
    let pins = match accepted(&spec, &then, &now, list(&input["items"])) {
        Ok(pins) => pins,
        Err(field) => return json!({"error": {"field": field}}),
    };
    let mut pins = pins;
    if let Some((_, team)) = &now.team {
        pins.team = Some(team.clone());
    }
    let severities = now.severities(&spec, &pins);
    let mapping = Mapping::new(&spec, &now.world(&severities), &pins);
    apply(&mapping, &now, list(&input["items"]))
}

/// The pins, or the field that is refused.
fn accepted(spec: &AdoProjectConfigSpec, seen: &Seen, now: &Seen, items: &[Value]) -> Result<MappingPins, String> {
    if spec.team.is_some() && seen.team.is_none() {
        return Err("spec.team".to_owned());
    }
    let earlier = MappingPins::default();
    let severities = seen.severities(spec, &earlier);
    let (pins, unoffered) =
        accept(spec, &seen.world(&severities), &earlier).map_err(|cause| field_of(&cause.message))?;
    for value in unoffered {
        let field = if value.of == SEVERITY { SEVERITY } else { "System.State" };
        let carries = |item: &Value| {
            let text = |name: &str| item["fields"][name].as_str().unwrap_or_default();
            same(text(field), &value.value)
                && value.types.iter().any(|name| same(&renamed(name, seen, now), text("System.WorkItemType")))
        };
        if !items.iter().any(carries) {
            return Err(value.field.to_owned());
        }
    }
    Ok(pins)
}

/// What a type of then is called now: the items are those of now.
fn renamed(name: &str, then: &Seen, now: &Seen) -> String {
    let known = then.process.type_named(name).and_then(|known| now.process.type_of_reference(reference_of(known)));
    known.map_or_else(|| name.to_owned(), |known| known.name.clone())
}

/// The field that a refusal begins with.
fn field_of(message: &str) -> String {
    message.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
}

fn apply(mapping: &Mapping, seen: &Seen, items: &[Value]) -> Value {
    let tree = &seen.tree;
    let kin = items.iter().map(|item| Kin {
        id: WorkItemId(read(&item["id"])),
        parent: item["parent"].as_u64().map(|id| WorkItemId(u32::try_from(id).unwrap())),
        node: own_node(tree, item),
        marks: mapping.marks(text(item, "System.WorkItemType")),
    });
    let ancestry = mapping.needs_ancestry().then(|| Ancestry::new(kin.collect()));
    let mut application = Application::new(mapping, tree, ancestry.as_ref());
    let mut records: Vec<Record> = items.iter().filter_map(|item| record(&mut application, mapping, item)).collect();
    records.sort_by_key(|record| record.id);
    let plan = Plan::new(mapping, tree, &application.into_seen());
    let mut unmapped = UnmappedCounts::default();
    for record in &records {
        unmapped.add(record.kind, &record.unmapped, 1);
    }
    let selected = mapping.selected();
    json!({
        "requirementTypes": sorted(&selected.requirement_types),
        "bugTypes": sorted(&selected.bug_types),
        "tiers": tiers(&seen.process),
        "releases": words::nodes(&plan.releases, false),
        "sprints": words::nodes(&plan.sprints, true),
        "records": records.iter().map(|record| shown(record, tree)).collect::<Vec<_>>(),
        "unmapped": words::unmapped(&unmapped.into_sorted()),
        "warnings": words::warnings(&plan.warnings),
        "gone": words::gone(&plan.gone),
    })
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    sorted
}

fn own_node(tree: &Tree, item: &Value) -> Option<usize> {
    let id = item["fields"]["System.IterationId"].as_u64().and_then(|id| u32::try_from(id).ok());
    tree.of_item(id, item["fields"]["System.IterationPath"].as_str())
}

fn record(application: &mut Application<'_>, mapping: &Mapping, item: &Value) -> Option<Record> {
    let fields = &item["fields"];
    let some = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let spelled = |name: &str| {
        fields.as_object().unwrap().iter().find(|(field, _)| same(field, name)).map(|(_, value)| value.clone())
    };
    let dates: Vec<Option<Value>> = mapping.date_fields().map(spelled).collect();
    application.record(&Item {
        id: WorkItemId(read(&item["id"])),
        work_item_type: text(item, "System.WorkItemType"),
        state: text(item, "System.State"),
        iteration_id: fields["System.IterationId"].as_u64().and_then(|id| u32::try_from(id).ok()),
        iteration_path: fields["System.IterationPath"].as_str(),
        priority: some("Microsoft.VSTS.Common.Priority"),
        severity: some(SEVERITY),
        dates: &dates,
    })
}

fn shown(record: &Record, tree: &Tree) -> Value {
    let node = |index: Option<usize>| index.map(|index| tree.node(index).identifier);
    json!({
        "id": record.id.0,
        "kind": match record.kind { RecordKind::Requirement => "requirement", RecordKind::Bug => "bug" },
        "release": node(record.release),
        "sprint": node(record.sprint),
        "status": record.status.map(RecordStatus::as_str),
        "category": record.category.as_ref().map(StateCategory::name),
        "priority": record.priority.map(Rating::as_str),
        "severity": record.severity.map(Rating::as_str),
        "releaseDate": record.release_date.map(|date| date.to_string()),
    })
}

fn tiers(process: &Process) -> Vec<Value> {
    let tier = |(place, mut types): (usize, Vec<String>)| {
        types.sort();
        json!({"tier": place, "types": types})
    };
    (1..).zip(process.tiers()).map(tier).collect()
}

fn type_of(one: &Value) -> Value {
    let fields: Vec<Value> = list(&one["fields"]).iter().map(|name| json!({"referenceName": name})).collect();
    let mut one = one.clone();
    one["fields"] = Value::Array(fields);
    one
}

/// Names of types as the service lists them.
fn named_types(one: &Value) -> Value {
    let types: Vec<Value> = list(&one["workItemTypes"]).iter().map(|name| json!({"name": name})).collect();
    let mut one = one.clone();
    one["workItemTypes"] = Value::Array(types);
    one
}

fn node_of(node: &Value) -> Value {
    let children: Vec<Value> = list(&node["children"]).iter().map(node_of).collect();
    let midnight = |name: &str| node[name].as_str().map(|day| format!("{day}T00:00:00Z"));
    json!({
        "id": node["id"],
        "identifier": node["identifier"],
        "name": node["name"],
        "structureType": "iteration",
        "hasChildren": !children.is_empty(),
        "attributes": {"startDate": midnight("startDate"), "finishDate": midnight("finishDate")},
        "children": children,
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item["fields"][name].as_str().unwrap_or_default()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

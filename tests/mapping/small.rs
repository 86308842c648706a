//! Small projects, written down in few words, and what a mapping makes of them, told in as few.

mod outline;
pub mod processes;

use serde_json::{Value, json};

use crate::ours;
use outline::Outline;

/// A project, a spec with both toggles on, and items.
#[derive(Clone)]
pub struct Small {
    spec: Value,
    /// The project when the spec was accepted, if it changed since.
    accepted: Value,
    world: Value,
    items: Vec<Value>,
    outline: Outline,
}

impl Small {
    /// A project of a process, whose bugs are shown on no level.
    pub fn new(process: &str, tree: &str) -> Self {
        Self::with_bugs(process, "off", tree)
    }

    pub fn with_bugs(process: &str, behavior: &str, tree: &str) -> Self {
        let outline = Outline::read(tree);
        let mut world = processes::world(process, behavior);
        world["tree"] = outline.json();
        let spec = json!({"pullRequirements": {}, "bugMapping": {}});
        Self { spec, accepted: Value::Null, world, items: Vec::new(), outline }
    }

    /// Sets a member of the spec, named by a JSON pointer without its first `/`; null leaves it out.
    pub fn spec(mut self, pointer: &str, value: Value) -> Self {
        let (members, last) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        let mut place = &mut self.spec;
        for member in members.split('/').filter(|member| !member.is_empty()) {
            if place[member].is_null() {
                place[member] = json!({});
            }
            place = &mut place[member];
        }
        place[last] = value;
        self
    }

    /// A source: `Depth 1`, `Paths Payments\R1, Payments\*`, `Tier 2`, `TeamBoard` or `None`; nothing leaves it out.
    pub fn side(self, side: &str, source: &str) -> Self {
        let (from, rest) = source.split_once(' ').unwrap_or((source, ""));
        let source = match from {
            "" => return self,
            "Depth" => json!({"from": from, "depth": number(rest)}),
            "Tier" => json!({"from": from, "tier": number(rest)}),
            "Paths" => json!({"from": from, "paths": names(rest)}),
            _ => json!({"from": from}),
        };
        self.spec(&format!("iterationMapping/{side}"), source)
    }

    pub fn release(self, source: &str) -> Self {
        self.side("release", source)
    }

    pub fn sprint(self, source: &str) -> Self {
        self.side("sprint", source)
    }

    /// A team whose list of iterations holds these nodes.
    pub fn team(mut self, board: &str) -> Self {
        let nodes: Vec<String> = names(board).iter().map(|label| self.outline.identifier(label)).collect();
        self.world["team"] =
            json!({"id": "00000000-0000-4000-9000-000000000001", "name": "Payments Team", "nodes": nodes});
        self.spec("team", json!("Payments Team"))
    }

    /// An item in the first state of its type: `2 User Story @S1 <1` is item 2, on node S1, below item 1.
    pub fn item(mut self, line: &str) -> Self {
        let (head, place) = line.trim().split_once(" @").unwrap_or_else(|| panic!("no place in {line}"));
        let (id, work_item_type) = head.split_once(' ').unwrap_or_else(|| panic!("no type in {line}"));
        let (node, parent) = place.split_once(" <").map_or((place, None), |(node, parent)| (node, Some(parent)));
        let types = self.world["types"].as_array().expect("types");
        let known = types.iter().find(|one| one["name"] == work_item_type).unwrap_or_else(|| panic!("type of {line}"));
        self.items.push(json!({
            "id": number(id),
            "parent": parent.map(number),
            "fields": {
                "System.WorkItemType": work_item_type,
                "System.State": known["states"][0]["name"],
                "System.IterationId": self.outline.id(node),
            },
        }));
        self
    }

    /// Items, divided by `;`.
    pub fn items(self, lines: &str) -> Self {
        lines.split(';').filter(|line| !line.trim().is_empty()).fold(self, Self::item)
    }

    /// Sets a field of the last item.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.items.last_mut().expect("an item")["fields"][field] = value.into();
        self
    }

    /// The project is otherwise than its process has it.
    pub fn given(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.world);
        self
    }

    /// Something that Azure DevOps changed since the spec was accepted.
    pub fn then(mut self, change: impl FnOnce(&mut Value)) -> Self {
        if self.accepted.is_null() {
            self.accepted = self.world.clone();
        }
        change(&mut self.world);
        self
    }

    pub fn map(&self) -> Answer {
        self.map_by(ours::map)
    }

    pub fn map_by(&self, mapping: fn(&Value) -> Value) -> Answer {
        let document = json!({"spec": self.spec, "accepted": self.accepted, "world": self.world, "items": self.items});
        Answer { value: mapping(&document), outline: self.outline.clone() }
    }
}

/// The nodes below a node of a document's tree.
pub fn children(node: &mut Value) -> &mut Vec<Value> {
    node["children"].as_array_mut().expect("children")
}

/// Removes what has a name, and the name itself, from every list of a document.
pub fn remove_named(document: &mut Value, name: &str) {
    match document {
        Value::Array(list) => {
            list.retain(|one| *one != name && one["name"] != name);
            for one in list {
                remove_named(one, name);
            }
        }
        Value::Object(members) => {
            for one in members.values_mut() {
                remove_named(one, name);
            }
        }
        _ => {}
    }
}

/// Replaces a name wherever a document has it.
pub fn rename(document: &mut Value, was: &str, is: &str) {
    let text = document.to_string().replace(&format!("\"{was}\""), &format!("\"{is}\""));
    *document = text.parse().expect("JSON");
}

/// Names divided by commas.
pub fn names(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

fn number(text: &str) -> usize {
    text.trim().parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// What a mapping made of a project. Lists are divided by commas; `-` is none.
pub struct Answer {
    pub value: Value,
    outline: Outline,
}

impl Answer {
    /// The field of the spec that is refused, if one is.
    pub fn refused(&self) -> Option<&str> {
        self.value["error"]["field"].as_str()
    }

    pub fn requirement_types(&self) -> String {
        joined(self.list("requirementTypes").iter().map(plain))
    }

    /// The types of bugs, each with its tier.
    pub fn bug_types(&self) -> String {
        let tier = |name: &Value| {
            let tiers = self.list("tiers").iter();
            let mut of_type = tiers.filter(|tier| tier["types"].as_array().is_some_and(|types| types.contains(name)));
            of_type.next().map_or_else(|| "no tier".to_owned(), |tier| format!("tier {}", tier["tier"]))
        };
        joined(self.list("bugTypes").iter().map(|name| format!("{} {}", plain(name), tier(name))))
    }

    /// The types of each tier, the highest first.
    pub fn tiers(&self) -> String {
        joined(self.list("tiers").iter().map(|tier| {
            let types: Vec<String> = tier["types"].as_array().into_iter().flatten().map(plain).collect();
            types.join("+")
        }))
    }

    pub fn releases(&self) -> String {
        joined(self.list("releases").iter().map(|release| plain(&release["name"])))
    }

    /// `S1 in R1` is a sprint and its release.
    pub fn sprints(&self) -> String {
        joined(self.list("sprints").iter().map(|sprint| match &sprint["release"] {
            Value::Null => plain(&sprint["name"]),
            release => format!("{} in {}", plain(&sprint["name"]), self.outline.label_of(release)),
        }))
    }

    /// `1 R1/S1` is an item with its release and its sprint.
    pub fn spots(&self) -> String {
        joined(self.list("records").iter().map(|record| {
            let node = |side: &str| self.outline.label_of(&record[side]);
            format!("{} {}/{}", record["id"], node("release"), node("sprint"))
        }))
    }

    pub fn count(&self, kind: &str) -> usize {
        self.list("records").iter().filter(|record| record["kind"] == kind).count()
    }

    /// A member of an item's record, as text.
    pub fn of(&self, id: usize, member: &str) -> String {
        let record = self.list("records").iter().find(|record| record["id"] == id);
        record.map_or_else(|| panic!("no record {id} in {}", self.value), |record| plain(&record[member]))
    }

    /// `spec.priorityMapping 7 ×2` is a value that two items carry.
    pub fn unmapped(&self) -> String {
        let one = |one: &Value| format!("{} {} ×{}", plain(&one["field"]), plain(&one["value"]), one["items"]);
        joined(self.list("unmapped").iter().map(one))
    }

    /// Each warning with its values, in the order of their names.
    pub fn warnings(&self) -> String {
        joined(self.list("warnings").iter().map(|warning| {
            let words = ["kind", "side", "path", "sprint", "name", "field", "was", "is"].map(|word| &warning[word]);
            words.iter().filter(|word| !word.is_null()).map(|word| plain(word)).collect::<Vec<_>>().join(" ")
        }))
    }

    pub fn gone(&self) -> String {
        joined(self.list("gone").iter().map(|gone| format!("{} {}", plain(&gone["field"]), plain(&gone["name"]))))
    }

    fn list(&self, member: &str) -> &[Value] {
        self.value[member].as_array().unwrap_or_else(|| panic!("{member} in {}", self.value))
    }
}

fn joined(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// A text without its quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

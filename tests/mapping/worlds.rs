//! Random projects, specs and items, made of a list of choices: a shorter list of smaller choices is a simpler project, so
//! that a failing case shrinks to one that a person can read.

use serde_json::{Value, json};

/// Choices that are used up one by one; behind the last, every choice is the first.
pub struct Choices<'a> {
    all: &'a [u16],
    used: usize,
}

impl<'a> Choices<'a> {
    pub fn new(all: &'a [u16]) -> Self {
        Self { all, used: 0 }
    }

    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        let choice = self.all.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        usize::from(choice) % count
    }

    fn of<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    /// True in one of `times` cases.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn some_of(&mut self, options: &[&str], most: usize) -> Vec<String> {
        let count = 1 + self.below(most);
        let mut chosen: Vec<String> = (0..count).map(|_| self.of(options).to_owned()).collect();
        chosen.sort();
        chosen.dedup();
        chosen
    }
}

/// A document for the oracle and for our own mapping.
pub fn document(choices: &mut Choices<'_>) -> Value {
    let mut world = world(choices);
    let spec = spec(choices);
    if !spec["team"].is_null() {
        let identifiers: Vec<String> = (0..10).filter(|_| choices.one_in(2)).map(identifier).collect();
        world["team"] = json!({"id": identifier(99), "name": "Payments Team", "nodes": identifiers});
    }
    let now = if choices.one_in(2) { changed(choices, world.clone()) } else { world.clone() };
    let items = items(choices, &now);
    let accepted = if now == world { Value::Null } else { world };
    json!({"spec": spec, "accepted": accepted, "world": now, "items": items})
}

const AGILE: [(&str, &[(&str, &str)]); 6] = [
    ("Epic", &[("New", "Proposed"), ("Active", "InProgress"), ("Closed", "Completed")]),
    ("Feature", &[("New", "Proposed"), ("Active", "InProgress"), ("Resolved", "InProgress"), ("Closed", "Completed")]),
    (
        "User Story",
        &[("New", "Proposed"), ("Active", "InProgress"), ("Resolved", "InProgress"), ("Removed", "Removed")],
    ),
    ("Task", &[("New", "Proposed"), ("Closed", "Completed")]),
    ("Bug", &[("New", "Proposed"), ("Resolved", "Resolved"), ("Closed", "Completed"), ("Odd", "Strange")]),
    ("Issue", &[("Active", "InProgress"), ("Closed", "Completed")]),
];

const SEVERITIES: [&str; 4] = ["1 - Critical", "2 - High", "3 - Medium", "4 - Low"];

fn world(choices: &mut Choices<'_>) -> Value {
    let is_basic = choices.one_in(4);
    let (requirement, bug) = if is_basic { ("Issue", "Issue") } else { ("User Story", "Bug") };
    let types: Vec<Value> = AGILE
        .iter()
        .map(|(name, states)| {
            let mut fields = vec!["System.State", "Microsoft.VSTS.Common.Priority"];
            if *name == "Bug" || *name == "Issue" {
                fields.push("Microsoft.VSTS.Common.Severity");
            }
            if *name != "Task" {
                fields.push("Microsoft.VSTS.Common.ResolvedDate");
            }
            let states: Vec<Value> =
                states.iter().map(|(name, category)| json!({"name": name, "category": category})).collect();
            json!({"name": name, "referenceName": format!("Ref.{name}"), "states": states, "fields": fields})
        })
        .collect();
    let mut requirement_types = vec![requirement];
    let behavior = choices.of(&["off", "asRequirements", "asTasks"]);
    if behavior == "asRequirements" && requirement != bug {
        requirement_types.push(bug);
    }
    let level =
        |id: &str, rank: i32, types: &[&str]| json!({"id": id, "name": id, "rank": rank, "workItemTypes": types});
    let mut portfolio = vec![level("Feature", 30, &["Feature"]), level("Epic", 40, &["Epic"])];
    if choices.one_in(5) {
        portfolio.push(level("Top", 50, &[]));
    }
    json!({
        "types": types,
        "categories": [
            {"referenceName": "Microsoft.BugCategory", "workItemTypes": if choices.one_in(8) { vec![] } else { vec![bug] }},
            {"referenceName": "Microsoft.RequirementCategory", "workItemTypes": [requirement]},
        ],
        "backlogs": {
            "portfolioBacklogs": portfolio,
            "requirementBacklog": level("Requirement", 20, &requirement_types),
            "taskBacklog": level("Task", 10, &["Task"]),
            "bugsBehavior": behavior,
        },
        "fields": [
            {"referenceName": "System.State", "type": "string"},
            {"referenceName": "Microsoft.VSTS.Common.ResolvedDate", "type": "dateTime"},
            {"referenceName": "Microsoft.VSTS.Common.Priority", "type": "integer"},
        ],
        "severities": {"Bug": SEVERITIES, "Issue": SEVERITIES},
        "tree": tree(choices),
        "team": Value::Null,
    })
}

const NODE_NAMES: [&str; 6] = ["R1", "S1", "2026", "R2", "S2", "s1"];

fn tree(choices: &mut Choices<'_>) -> Value {
    let mut parents: Vec<usize> = vec![0];
    for node in 1..=choices.below(9) {
        parents.push(if choices.one_in(3) { 0 } else { choices.below(node) });
    }
    let names: Vec<String> = parents
        .iter()
        .enumerate()
        .map(|(node, _)| if node == 0 { "Payments".to_owned() } else { choices.of(&NODE_NAMES).to_owned() })
        .collect();
    let dates: Vec<(Value, Value)> = parents.iter().map(|_| dates(choices)).collect();
    subtree(0, &parents, &names, &dates)
}

/// First and last day: none, both, or one of them.
fn dates(choices: &mut Choices<'_>) -> (Value, Value) {
    let start = 1 + choices.below(6);
    let finish = start + choices.below(20);
    let day = |day: usize| json!(format!("2026-03-{day:02}"));
    match choices.below(5) {
        0 => (Value::Null, Value::Null),
        1 => (day(start), Value::Null),
        _ => (day(start), day(finish)),
    }
}

fn subtree(node: usize, parents: &[usize], names: &[String], dates: &[(Value, Value)]) -> Value {
    let mut taken: Vec<String> = Vec::new();
    let children: Vec<Value> = (1..parents.len())
        .filter(|child| parents[*child] == node)
        .map(|child| {
            let mut child = subtree(child, parents, names, dates);
            // Siblings never have the same name.
            while taken.contains(&child["name"].as_str().unwrap().to_lowercase()) {
                child["name"] = json!(format!("{}x", child["name"].as_str().unwrap()));
            }
            taken.push(child["name"].as_str().unwrap().to_lowercase());
            child
        })
        .collect();
    let mut made = json!({"id": node + 1, "identifier": identifier(node), "name": names[node], "children": children});
    let (start, finish) = &dates[node];
    for (member, date) in [("startDate", start), ("finishDate", finish)] {
        if !date.is_null() {
            made[member] = date.clone();
        }
    }
    made
}

fn identifier(node: usize) -> String {
    format!("00000000-0000-4000-8000-{node:012}")
}

fn spec(choices: &mut Choices<'_>) -> Value {
    let mut spec = json!({});
    if !choices.one_in(6) {
        let mut block = json!({});
        if choices.one_in(3) {
            block["workItemTypes"] = json!(choices.some_of(&["User Story", "feature", "Epic", "Issue", "Nonsense"], 2));
        }
        if choices.one_in(3) {
            block["releaseDateFields"] = json!(choices.some_of(
                &[
                    "SprintEndDate",
                    "ReleaseEndDate",
                    "Microsoft.VSTS.Common.ResolvedDate",
                    "microsoft.vsts.common.resolveddate",
                    "System.State"
                ],
                3
            ));
        }
        if choices.one_in(3) {
            block["statusMapping"] = statuses(choices);
        }
        if choices.one_in(8) {
            block["enabled"] = json!(false);
        }
        spec["pullRequirements"] = block;
    }
    if !choices.one_in(4) {
        let mut block = json!({});
        if choices.one_in(3) {
            block["workItemTypes"] = json!(choices.some_of(&["Bug", "Issue", "BUG", "User Story"], 2));
        }
        if choices.one_in(3) {
            block["statusMapping"] = statuses(choices);
        }
        if choices.one_in(3) {
            block["severityMapping"] =
                json!([{"ado": choices.of(&["1 - Critical", "2 - high", "9 - Odd"]), "testops": "Low"}]);
        }
        if choices.one_in(8) {
            block["enabled"] = json!(false);
        }
        spec["bugMapping"] = block;
    }
    if !choices.one_in(4) {
        spec["iterationMapping"] = iterations(choices);
    }
    if choices.one_in(4) {
        spec["priorityMapping"] = json!([{"ado": 1 + choices.below(4), "testops": "Lowest"}]);
    }
    if choices.one_in(4) {
        spec["timeZone"] = json!(choices.of(&["Europe/Berlin", "America/New_York", "Mars/Base"]));
    }
    // The schema asks for a team where there is a board.
    let board = |side: &str| spec["iterationMapping"][side]["from"] == "TeamBoard";
    if board("release") || board("sprint") || choices.one_in(6) {
        spec["team"] = json!(choices.of(&["Payments Team", "payments team", &identifier(99)]));
    }
    spec
}

fn statuses(choices: &mut Choices<'_>) -> Value {
    let entry = |choices: &mut Choices<'_>| {
        let mut entry = json!({
            "ado": choices.of(&["New", "Active", "Resolved", "closed", "Gone"]),
            "testops": choices.of(&["Open", "InProgress", "Closed"]),
        });
        if choices.one_in(3) {
            entry["type"] = json!(choices.of(&["Bug", "user story", "Feature", "Nonsense"]));
        }
        entry
    };
    let mut entries: Vec<Value> = (0..choices.below(3)).map(|_| entry(choices)).collect();
    // The schema refuses what is written twice in the same way.
    entries.dedup_by_key(|entry| (entry["ado"].clone(), entry["type"].clone()));
    Value::Array(entries)
}

fn iterations(choices: &mut Choices<'_>) -> Value {
    let mut mapping = json!({});
    if choices.one_in(2) {
        mapping["release"] = source(choices);
    }
    if choices.one_in(2) {
        mapping["sprint"] = source(choices);
        // The schema has no two boards.
        if mapping["sprint"]["from"] == "TeamBoard" && mapping["release"]["from"] == "TeamBoard" {
            mapping["sprint"] = json!({"from": "None"});
        }
    }
    if choices.one_in(2) {
        mapping["fullPath"] = json!(true);
    }
    mapping
}

fn source(choices: &mut Choices<'_>) -> Value {
    match choices.below(5) {
        0 => json!({"from": "Depth", "depth": 1 + choices.below(3)}),
        1 => json!({"from": "None"}),
        2 => json!({"from": "Tier", "tier": 1 + choices.below(5)}),
        3 => json!({"from": "TeamBoard"}),
        _ => json!({"from": "Paths", "paths": choices.some_of(
            &["Payments\\R1", "Payments\\*", "Payments\\2026\\*", "payments\\s1", "Payments", "*\\R1", "Payments\\*\\S1"], 2)}),
    }
}

/// What Azure DevOps may do to a project under an accepted spec.
fn changed(choices: &mut Choices<'_>, mut world: Value) -> Value {
    for _ in 0..=choices.below(3) {
        let place = choices.below(6);
        match choices.below(8) {
            0 => rename_type(&mut world, place),
            1 => {
                world["types"].as_array_mut().unwrap().remove(place % 2);
            }
            2 => world["tree"]["children"] = json!([]),
            3 => rename_first_child(&mut world["tree"]),
            4 => world["backlogs"]["portfolioBacklogs"].as_array_mut().unwrap().truncate(1),
            5 => world["types"][place % 2]["states"].as_array_mut().unwrap().truncate(1),
            6 => world["team"] = Value::Null,
            _ => world["backlogs"]["bugsBehavior"] = json!("asTasks"),
        }
    }
    world
}

/// Renames a type wherever the service names it.
fn rename_type(world: &mut Value, place: usize) {
    let types = world["types"].as_array().unwrap().len();
    let was = world["types"][place % types]["name"].clone();
    let is = json!(format!("{} 2", was.as_str().unwrap()));
    rename(world, &was, &is);
    if let Some(offered) = world["severities"].as_object_mut().unwrap().remove(was.as_str().unwrap()) {
        world["severities"][is.as_str().unwrap()] = offered;
    }
}

fn rename(value: &mut Value, was: &Value, is: &Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| rename(one, was, is)),
        Value::Object(members) => {
            for (name, one) in members.iter_mut() {
                if name != "tree" && name != "states" && name != "id" {
                    rename(one, was, is);
                }
            }
        }
        text if text == was => *text = is.clone(),
        _ => {}
    }
}

fn rename_first_child(tree: &mut Value) {
    if let Some(child) = tree["children"].as_array_mut().and_then(|children| children.first_mut()) {
        child["name"] = json!(format!("{} renamed", child["name"].as_str().unwrap()));
    }
}

fn items(choices: &mut Choices<'_>, world: &Value) -> Vec<Value> {
    let names: Vec<Value> = world["types"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    let count = choices.below(12);
    (1..=count).map(|id| item(choices, id, count, &names)).collect()
}

fn item(choices: &mut Choices<'_>, id: usize, count: usize, names: &[Value]) -> Value {
    let mut fields = json!({
        "System.WorkItemType": choices.of(names),
        "System.State": choices.of(&["New", "Active", "Resolved", "Closed", "Odd", "Gone", "active"]),
        "System.IterationId": 1 + choices.below(10),
    });
    let priorities = [json!(1), json!(2), json!("2"), json!(2.0), json!(0), json!(7), json!("high"), Value::Null];
    if !choices.one_in(4) {
        fields["Microsoft.VSTS.Common.Priority"] = choices.of(&priorities);
    }
    if !choices.one_in(4) {
        fields["Microsoft.VSTS.Common.Severity"] =
            json!(choices.of(&["1 - Critical", "2 - High", "9 - Odd", "none", "3 - medium"]));
    }
    if choices.one_in(2) {
        let days = [
            "2026-03-01T23:00:00Z",
            "2026-03-02T00:00:00Z",
            "9999-01-01T00:00:00Z",
            "2026-03-08T04:30:00.5Z",
            "nonsense",
        ];
        fields["Microsoft.VSTS.Common.ResolvedDate"] = json!(choices.of(&days));
    }
    let mut made = json!({"id": id, "fields": fields});
    if choices.one_in(2) {
        made["parent"] = json!(1 + choices.below(count + 2));
    }
    made
}

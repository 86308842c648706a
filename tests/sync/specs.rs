//! Projects of three processes, and specs that fit each of them as it is at first.

use serde_json::{Value, json};

/// A project as it is generated.
#[derive(Debug)]
pub struct Kit {
    /// Its name.
    pub project: &'static str,
    /// A type of its requirement level.
    pub requirement: &'static str,
    /// A state of that type, and one of its bugs.
    pub states: [&'static str; 2],
    /// Types that items are made of, and states that they get.
    pub types: &'static [&'static str],
    /// See `types`.
    pub all_states: &'static [&'static str],
    /// Iterations below the root, of which the first has others below it where the tree is not flat.
    pub nodes: [&'static str; 2],
}

/// Agile, Scrum, and an inherited process with an extra level.
pub const KITS: [Kit; 3] = [
    Kit {
        project: "Payments",
        requirement: "User Story",
        states: ["Resolved", "Active"],
        types: &["User Story", "Bug", "Epic", "Feature", "Task", "Issue", "Test Case"],
        all_states: &["New", "Active", "Resolved", "Closed", "Removed", "Nowhere"],
        nodes: ["Release 1", "Release 2"],
    },
    Kit {
        project: "Web Shop",
        requirement: "Product Backlog Item",
        states: ["Committed", "Approved"],
        types: &["Product Backlog Item", "Bug", "Epic", "Feature", "Task", "Impediment"],
        all_states: &["New", "Approved", "Committed", "Done", "Removed", "In Progress"],
        nodes: ["Sprint 1", "Sprint 2"],
    },
    Kit {
        project: "Platform",
        requirement: "Customer Story",
        states: ["Refined", "In Review"],
        types: &["Customer Story", "Bug", "Initiative", "Epic", "Feature", "Ticket", "Task"],
        all_states: &["New", "Refined", "Building", "Delivered", "In Review", "Closed", "Idea"],
        nodes: ["Release 1", "Release 3"],
    },
];

/// Number of specs.
pub const SPECS: usize = 12;

/// A spec, as the `spec` of a config without its integration.
pub fn spec(kit: &Kit, number: usize) -> Value {
    let Kit { project, requirement, states: [state, bug_state], nodes: [first, second], .. } = kit;
    let team = format!("{project} Team");
    let both = |more: Value| merged(json!({"pullRequirements": {}, "bugMapping": {}}), more);
    let iterations = |mapping: Value| both(json!({"iterationMapping": mapping}));
    let mut spec = match number % SPECS {
        0 => both(json!({})),
        1 => iterations(
            json!({"fullPath": true, "release": {"from": "Depth", "depth": 1}, "sprint": {"from": "Depth", "depth": 2}}),
        ),
        2 => iterations(json!({
            "release": {"from": "Paths", "paths": [format!("{project}\\{first}"), format!("{project}\\{second}\\*")]},
            "sprint": {"from": "None"},
        })),
        3 => iterations(json!({"release": {"from": "Tier", "tier": 1}, "sprint": {"from": "Tier", "tier": 2}})),
        4 => iterations(json!({"release": {"from": "Depth", "depth": 1}, "sprint": {"from": "Tier", "tier": 3}})),
        5 => merged(
            iterations(
                json!({"release": {"from": "Paths", "paths": [format!("{project}\\*")]}, "sprint": {"from": "TeamBoard"}}),
            ),
            json!({"team": team}),
        ),
        6 => iterations(json!({"release": {"from": "None"}, "sprint": {"from": "Depth", "depth": 1}})),
        7 => json!({
            "timeZone": "Europe/Berlin",
            "pullRequirements": {
                "releaseDateFields": ["Microsoft.VSTS.Common.ResolvedDate", "SprintEndDate", "ReleaseEndDate"],
                "statusMapping": [{"ado": state, "testops": "InProgress"}, {"ado": state, "type": "Feature", "testops": "Closed"}],
            },
            "bugMapping": {
                "severityMapping": [{"ado": "1 - Critical", "testops": "Critical"}, {"ado": "3 - Medium", "testops": "Lowest"}],
                "statusMapping": [{"ado": bug_state, "testops": "Open"}],
            },
            "priorityMapping": [{"ado": 1, "testops": "Lowest"}, {"ado": 3, "testops": "High"}],
        }),
        8 => json!({"pullRequirements": {"enabled": false}, "bugMapping": {"workItemTypes": ["Bug"]}}),
        9 => json!({
            "pullRequirements": {"workItemTypes": [requirement, "Feature"], "releaseDateFields": ["ReleaseEndDate"]},
            "iterationMapping": {"release": {"from": "Paths", "paths": [format!("{project}\\*")]}},
        }),
        10 => merged(iterations(json!({"release": {"from": "TeamBoard"}, "fullPath": true})), json!({"team": team})),
        _ => iterations(json!({
            "release": {"from": "Paths", "paths": [*project, &format!("{project}\\{first}")]},
            "sprint": {"from": "Paths", "paths": [format!("{project}\\*"), format!("{project}\\*\\Sprint 4")]},
        })),
    };
    spec["project"] = json!(project);
    spec["integrationRef"] = json!({"name": "contoso"});
    spec
}

fn merged(mut into: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut into, more) else { panic!("two objects") };
    all.extend(more);
    into
}

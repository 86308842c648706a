//! The processes of Azure DevOps (ado-api.md §7), as the service describes a project that uses one.

use serde_json::{Value, json};

pub const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";
pub const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";
pub const RESOLVED: &str = "Microsoft.VSTS.Common.ResolvedDate";

pub const SEVERITIES: [&str; 4] = ["1 - Critical", "2 - High", "3 - Medium", "4 - Low"];

struct Kit {
    name: &'static str,
    /// Types of the portfolio levels, the highest first.
    portfolio: &'static [&'static str],
    requirement: &'static [&'static str],
    task: &'static str,
    /// The bug category.
    bug: &'static str,
    /// Types on no level.
    others: &'static [&'static str],
    /// States and their categories.
    states: &'static [(&'static str, &'static str)],
    /// Types that an inherited process renamed, each with the end of its reference name.
    renamed: &'static [(&'static str, &'static str)],
}

const AGILE_STATES: &[(&str, &str)] = &[
    ("New", "Proposed"),
    ("Active", "InProgress"),
    ("Resolved", "InProgress"),
    ("Closed", "Completed"),
    ("Removed", "Removed"),
];

const KITS: [Kit; 5] = [
    Kit {
        name: "Basic",
        portfolio: &["Epic"],
        requirement: &["Issue"],
        task: "Task",
        bug: "Issue",
        others: &[],
        states: &[("To Do", "Proposed"), ("Doing", "InProgress"), ("Done", "Completed")],
        renamed: &[],
    },
    Kit {
        name: "Agile",
        portfolio: &["Epic", "Feature"],
        requirement: &["User Story"],
        task: "Task",
        bug: "Bug",
        others: &["Issue"],
        states: AGILE_STATES,
        renamed: &[],
    },
    Kit {
        name: "Scrum",
        portfolio: &["Epic", "Feature"],
        requirement: &["Product Backlog Item"],
        task: "Task",
        bug: "Bug",
        others: &["Impediment"],
        states: &[
            ("New", "Proposed"),
            ("Approved", "Proposed"),
            ("Committed", "InProgress"),
            ("Done", "Completed"),
            ("Removed", "Removed"),
        ],
        renamed: &[],
    },
    Kit {
        name: "CMMI",
        portfolio: &["Epic", "Feature"],
        requirement: &["Requirement"],
        task: "Task",
        bug: "Bug",
        others: &["Issue", "Risk", "Review", "Change Request"],
        states: &[
            ("Proposed", "Proposed"),
            ("Active", "InProgress"),
            ("Resolved", "InProgress"),
            ("Closed", "Completed"),
        ],
        renamed: &[],
    },
    Kit {
        name: "Inherited",
        portfolio: &["Initiative", "Epic", "Capability"],
        requirement: &["Story", "Spike"],
        task: "Work",
        bug: "Defect",
        others: &["Issue"],
        states: AGILE_STATES,
        renamed: &[("Capability", "Feature"), ("Story", "UserStory"), ("Work", "Task"), ("Defect", "Bug")],
    },
];

impl Kit {
    fn types(&self) -> Vec<&'static str> {
        let mut types = [self.portfolio, self.requirement, &[self.task], self.others].concat();
        if !types.contains(&self.bug) {
            types.push(self.bug);
        }
        types
    }

    fn work_type(&self, name: &str) -> Value {
        let renamed = self.renamed.iter().find(|(now, _)| *now == name);
        let reference = renamed.map_or_else(|| name.replace(' ', ""), |(_, reference)| (*reference).to_owned());
        let is_bug = name == self.bug && self.name != "Basic";
        let states = self.states.iter().map(|(state, category)| match *state {
            "Resolved" if is_bug => json!({"name": state, "category": "Resolved"}),
            _ => json!({"name": state, "category": category}),
        });
        let mut fields = vec!["System.State", PRIORITY, RESOLVED];
        if is_bug {
            fields.push(SEVERITY);
        }
        json!({
            "name": name,
            "referenceName": format!("Microsoft.VSTS.WorkItemTypes.{reference}"),
            "states": states.collect::<Vec<_>>(),
            "fields": fields,
        })
    }

    /// The levels, in an order that tells nothing: ranks do. The service lists bugs on the level where they are shown.
    fn backlogs(&self, behavior: &str) -> Value {
        let lists_bug = |there: &str| (behavior == there && self.name != "Basic").then_some(self.bug);
        let on =
            |types: &[&'static str], there: &str| types.iter().copied().chain(lists_bug(there)).collect::<Vec<_>>();
        let ranks = (30..).step_by(10);
        let portfolio = ranks.zip(self.portfolio.iter().rev()).map(|(rank, name)| level(rank, &[name]));
        json!({
            "portfolioBacklogs": portfolio.collect::<Vec<_>>(),
            "requirementBacklog": level(20, &on(self.requirement, "asRequirements")),
            "taskBacklog": level(10, &on(&[self.task], "asTasks")),
            "bugsBehavior": behavior,
        })
    }
}

/// A level of the backlog; its id is made of its rank.
pub fn level(rank: i32, types: &[&str]) -> Value {
    json!({"id": format!("Level{rank}"), "name": format!("Level {rank}"), "rank": rank, "workItemTypes": types})
}

/// A project of a process, without its tree.
pub fn world(process: &str, behavior: &str) -> Value {
    let kit = KITS.iter().find(|kit| kit.name == process).unwrap_or_else(|| panic!("no process {process}"));
    let severities = if process == "Basic" { json!({}) } else { json!({kit.bug: SEVERITIES}) };
    json!({
        "types": kit.types().iter().map(|name| kit.work_type(name)).collect::<Vec<_>>(),
        "categories": [
            {"referenceName": "Microsoft.RequirementCategory", "workItemTypes": kit.requirement},
            {"referenceName": "Microsoft.BugCategory", "workItemTypes": [kit.bug]},
        ],
        "backlogs": kit.backlogs(behavior),
        "fields": [
            {"referenceName": "System.State", "type": "string"},
            {"referenceName": PRIORITY, "type": "integer"},
            {"referenceName": SEVERITY, "type": "string"},
            {"referenceName": RESOLVED, "type": "dateTime"},
        ],
        "severities": severities,
        "team": Value::Null,
    })
}

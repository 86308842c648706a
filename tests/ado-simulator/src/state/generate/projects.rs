//! The projects of each organization.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::state::project::{Node, Project, ProjectState, Repository, Structure, Team};
use crate::state::random::guid;

/// How the iteration tree of a project looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Releases at depth 1, sprints at depth 2, and undated nodes.
    Releases,
    /// Dated sprints at depth 1 only.
    Flat,
    /// One undated sprint, as a new project has it.
    New,
}

/// A project to generate.
#[derive(Debug)]
pub(crate) struct Plan {
    pub name: &'static str,
    /// Index of the process.
    pub process: usize,
    pub state: ProjectState,
    pub tree: Tree,
    pub description: Option<&'static str>,
    pub repositories: &'static [&'static str],
    /// Teams beside the default one.
    pub teams: &'static [&'static str],
    /// Share of the work items.
    pub weight: u32,
}

const fn plan(name: &'static str, process: usize, tree: Tree, weight: u32) -> Plan {
    Plan {
        name,
        process,
        state: ProjectState::WellFormed,
        tree,
        description: None,
        repositories: &[],
        teams: &[],
        weight,
    }
}

/// Projects of `contoso`: one per process, one with an odd name, one deleted, one pending.
pub(crate) const CONTOSO: &[Plan] = &[
    Plan {
        description: Some("Takes the money."),
        repositories: &["payments", "payments-legacy"],
        teams: &["Checkout", "Newcomers"],
        ..plan("Payments", 0, Tree::Releases, 10)
    },
    Plan { repositories: &["shop"], teams: &["Ops & Support"], ..plan("Web Shop", 1, Tree::Flat, 4) },
    plan("Intranet", 2, Tree::New, 2),
    Plan { repositories: &["compliance"], ..plan("Compliance", 3, Tree::Releases, 1) },
    Plan { repositories: &["platform"], ..plan("Platform", 4, Tree::Releases, 2) },
    Plan { repositories: &["groesse"], ..plan("Größe v1.2 (alt)", 0, Tree::Releases, 1) },
    Plan { state: ProjectState::Deleted, ..plan("Retired", 0, Tree::New, 0) },
    Plan { state: ProjectState::CreatePending, ..plan("Nascent", 0, Tree::New, 0) },
];

/// Projects of `fabrikam`.
pub(crate) const FABRIKAM: &[Plan] =
    &[Plan { repositories: &["fiber"], ..plan("Fiber", 0, Tree::Releases, 1) }, plan("Garden", 1, Tree::Flat, 1)];

/// Makes nodes with ids of the organization.
struct Nodes<'a> {
    seed: u64,
    next: &'a mut u32,
    all: BTreeMap<u32, Node>,
}

impl Nodes<'_> {
    fn add(&mut self, structure: Structure, parent: Option<u32>, name: &str, dates: Option<(Date, Date)>) -> u32 {
        let id = *self.next;
        *self.next += 1;
        let node = Node {
            id,
            identifier: guid(self.seed, "node", id.into()),
            name: name.to_owned(),
            structure,
            parent,
            children: Vec::new(),
            start: dates.map(|dates| dates.0),
            finish: dates.map(|dates| dates.1),
            path: String::new(),
        };
        self.all.insert(id, node);
        if let Some(parent) = parent.and_then(|parent| self.all.get_mut(&parent)) {
            parent.children.push(id);
        }
        id
    }
}

/// The project of a plan.
pub(crate) fn project(seed: u64, place: u64, plan: &Plan, next_node: &mut u32) -> Project {
    let id = guid(seed, "project", place);
    let mut nodes = Nodes { seed, next: next_node, all: BTreeMap::new() };
    let iteration_root = nodes.add(Structure::Iteration, None, plan.name, None);
    let sprints = iterations(&mut nodes, iteration_root, plan.tree);
    let area_root = nodes.add(Structure::Area, None, plan.name, None);
    if plan.tree == Tree::Releases {
        nodes.add(Structure::Area, Some(area_root), "Frontend", None);
        let backend = nodes.add(Structure::Area, Some(area_root), "Backend", None);
        nodes.add(Structure::Area, Some(backend), "API", None);
    }
    // Fractions of a second of various lengths, as the service sends them.
    let updated = 1_735_816_450_000_i64 + i64::try_from(place).unwrap_or(0) * 86_400_370;
    let mut project = Project {
        id,
        name: plan.name.to_owned(),
        description: plan.description.map(str::to_owned),
        state: plan.state,
        visibility: "private",
        revision: 20 + i64::try_from(place).unwrap_or(0) * 7,
        updated: Timestamp::from_millisecond(updated).unwrap_or(Timestamp::UNIX_EPOCH),
        process: plan.process,
        teams: teams(seed, place, plan, iteration_root, &sprints),
        nodes: nodes.all,
        area_root,
        iteration_root,
        repositories: repositories(seed, place, plan),
    };
    project.refresh_paths();
    project
}

/// Grows the tree and gives the nodes that a team subscribes to.
fn iterations(nodes: &mut Nodes<'_>, root: u32, tree: Tree) -> Vec<u32> {
    let mut sprints = Vec::new();
    match tree {
        Tree::New => sprints.push(nodes.add(Structure::Iteration, Some(root), "Sprint 1", None)),
        Tree::Flat => {
            for month in 1..=12 {
                let dates = month_of_2026(month);
                sprints.push(nodes.add(Structure::Iteration, Some(root), &format!("Sprint {month}"), Some(dates)));
            }
        }
        Tree::Releases => {
            for quarter in 1..=4i8 {
                let dates = (month_of_2026(quarter * 3 - 2).0, month_of_2026(quarter * 3).1);
                let release = nodes.add(Structure::Iteration, Some(root), &format!("Release {quarter}"), Some(dates));
                for month in quarter * 3 - 2..=quarter * 3 {
                    let dates = month_of_2026(month);
                    let name = format!("Sprint {month}");
                    sprints.push(nodes.add(Structure::Iteration, Some(release), &name, Some(dates)));
                }
            }
            nodes.add(Structure::Iteration, Some(root), "Backlog", None);
        }
    }
    sprints
}

fn month_of_2026(month: i8) -> (Date, Date) {
    let first = date(2026, month, 1);
    (first, first.last_of_month())
}

fn teams(seed: u64, place: u64, plan: &Plan, root: u32, sprints: &[u32]) -> Vec<Team> {
    let bugs = ["asTasks", "asRequirements", "off", "off", "asRequirements"][plan.process.min(4)];
    let mut teams = vec![Team {
        id: guid(seed, "team", place * 100),
        name: format!("{} Team", plan.name),
        description: "The default project team.".to_owned(),
        iterations: sprints.to_vec(),
        backlog_iteration: Some(root),
        default_iteration: sprints.first().copied(),
        bugs_behavior: bugs.to_owned(),
        hidden_levels: Vec::new(),
    }];
    for (name, index) in plan.teams.iter().zip(1u64..) {
        // "Newcomers" is a team that nobody has set up yet.
        let fresh = *name == "Newcomers";
        teams.push(Team {
            id: guid(seed, "team", place * 100 + index),
            name: (*name).to_owned(),
            description: String::new(),
            iterations: if fresh { Vec::new() } else { sprints.iter().copied().take(2).collect() },
            backlog_iteration: (!fresh).then_some(root),
            default_iteration: None,
            bugs_behavior: if fresh { "off" } else { "asRequirements" }.to_owned(),
            hidden_levels: Vec::new(),
        });
    }
    teams
}

fn repositories(seed: u64, place: u64, plan: &Plan) -> Vec<Repository> {
    let rows = plan.repositories.iter().zip(0u64..);
    rows.map(|(name, index)| Repository {
        id: guid(seed, "repository", place * 100 + index),
        name: (*name).to_owned(),
        default_branch: (index == 0).then_some("refs/heads/main"),
        size: if index == 0 { 48_213 } else { 0 },
        disabled: index > 0,
    })
    .collect()
}

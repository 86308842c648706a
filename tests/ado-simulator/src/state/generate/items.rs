//! Spreads work items over projects, types, states, iterations and parents.

use super::projects::Plan;
use crate::state::items::{Presence, Row};
use crate::state::links::{End, LinkKind};
use crate::state::organization::Organization;
use crate::state::process::{LevelKind, Process};
use crate::state::project::Structure;
use crate::state::random::{below, mix};

/// First and last moment of generated changes: 2024-06-01 and 2026-11-01, in milliseconds.
const BEGIN: i64 = 1_717_200_000_000;
const END: i64 = 1_793_491_200_000;

/// What kind of item comes next in a project.
#[derive(Clone, Copy)]
enum Part {
    Portfolio(usize),
    Requirement,
    Bug,
    Task,
    TestCase,
    Other,
}

const CYCLE: &[Part] = &[
    Part::Requirement,
    Part::Bug,
    Part::Task,
    Part::TestCase,
    Part::Requirement,
    Part::Task,
    Part::Bug,
    Part::Requirement,
    Part::Task,
    Part::Other,
    Part::Requirement,
    Part::Task,
    Part::Bug,
    Part::TestCase,
];

/// Choices for a project, worked out once.
struct Lot {
    /// Types of each portfolio level, the highest first.
    portfolio: Vec<Vec<usize>>,
    requirement: Vec<usize>,
    bug: Vec<usize>,
    task: Vec<usize>,
    test_case: Vec<usize>,
    other: Vec<usize>,
    iterations: Vec<u32>,
    areas: Vec<u32>,
    /// Interned states per type.
    states: Vec<Vec<u16>>,
    /// The last item of each level, the highest first; requirements come behind the portfolio.
    last: Vec<u32>,
    count: usize,
}

/// Adds `count` items to the organization, project by project in these turns.
pub(crate) fn fill(seed: u64, organization: &mut Organization, count: u32, turns: &[usize]) {
    let mut lots: Vec<Lot> = (0..organization.projects.len()).map(|index| lot(organization, index)).collect();
    for number in 0..count {
        let project = turns[number as usize % turns.len()];
        let bits = mix(seed, 5, number.into());
        let row = next_row(&mut lots[project], project, number, count, bits);
        let process = &organization.processes[organization.projects[project].process];
        let level = level_position(process, row.kind);
        let (kind, created) = (usize::from(row.kind), row.created);
        let id = organization.items.generate(row);
        if let Some(end) = linked(&lots[project], kind, bits) {
            organization.items.links.add(id, end, created);
        }
        if let Some(slot) = level.and_then(|level| lots[project].last.get_mut(level)) {
            *slot = id;
        }
    }
    organization.items.seal();
}

/// Four of five test cases test the last requirement; a few other items are related to it.
fn linked(lot: &Lot, kind: usize, bits: u64) -> Option<End> {
    let requirement = *lot.last.get(lot.portfolio.len()).filter(|id| **id != 0)?;
    if lot.test_case.contains(&kind) && !bits.is_multiple_of(5) {
        return Some(End { kind: LinkKind::TestedBy, forward: false, other: requirement, comment: None });
    }
    bits.is_multiple_of(23).then_some(End { kind: LinkKind::Related, forward: true, other: requirement, comment: None })
}

/// The order in which projects get items, so that small numbers reach several of them.
pub(crate) fn turns(plans: &[Plan]) -> Vec<usize> {
    let total: u32 = plans.iter().map(|plan| plan.weight).sum();
    let mut credit: Vec<i64> = plans.iter().map(|_| 0).collect();
    let mut turns = Vec::new();
    for _ in 0..total {
        for (slot, plan) in credit.iter_mut().zip(plans) {
            *slot += i64::from(plan.weight);
        }
        let next = credit.iter().zip(0usize..).max_by_key(|(credit, index)| (**credit, usize::MAX - index));
        let Some(next) = next.map(|(_, index)| index) else { break };
        credit[next] -= i64::from(total);
        turns.push(next);
    }
    if turns.is_empty() { vec![0] } else { turns }
}

fn lot(organization: &mut Organization, index: usize) -> Lot {
    let project = &organization.projects[index];
    let process = &organization.processes[project.process];
    let nodes = |structure| {
        let nodes = project.nodes.values().filter(|node| node.structure == structure);
        nodes.map(|node| node.id).collect::<Vec<_>>()
    };
    let usable = |types: &[usize]| types.iter().copied().filter(|index| !process.types[*index].disabled).collect();
    let of_kind = |kind: LevelKind| -> Vec<Vec<usize>> {
        process.levels.iter().filter(|level| level.kind == kind).map(|level| usable(&level.types)).collect()
    };
    let of_category = |category: &str| {
        let all = process.types.iter().enumerate();
        all.filter(|(_, kind)| kind.category == category).map(|(index, _)| index).collect::<Vec<_>>()
    };
    let portfolio = of_kind(LevelKind::Portfolio);
    let (requirement, task) = (of_kind(LevelKind::Requirement).concat(), of_kind(LevelKind::Task).concat());
    let mut other = of_category("");
    other.retain(|index| process.level_of(*index).is_none());
    let names: Vec<Vec<String>> =
        process.types.iter().map(|kind| kind.states.iter().map(|state| state.name.clone()).collect()).collect();
    let (iterations, areas) = (nodes(Structure::Iteration), nodes(Structure::Area));
    let (bug, test_case) = (of_category("BugCategory"), of_category("TestCaseCategory"));
    let mut states = Vec::new();
    for names in names {
        states.push(names.iter().map(|name| organization.items.intern_state(name)).collect());
    }
    let last = vec![0; portfolio.len() + 2];
    Lot { portfolio, requirement, bug, task, test_case, other, iterations, areas, states, last, count: 0 }
}

/// The position of a type's level, counted from the highest.
fn level_position(process: &Process, kind: u16) -> Option<usize> {
    process.levels.iter().position(|level| level.types.contains(&usize::from(kind)))
}

fn next_row(lot: &mut Lot, project: usize, number: u32, count: u32, bits: u64) -> Row {
    let (types, level) = choose(lot, bits);
    let kind = types[below(bits >> 3, types.len())];
    lot.count += 1;
    let span = (END - BEGIN) / 2;
    let created =
        BEGIN + span * i64::from(number) / i64::from(count.max(1)) + i64::from(u32::try_from(bits % 977).unwrap_or(0));
    let age = (END - created) / 1000;
    let changed = created
        + 1000 * (i64::try_from(bits >> 40).unwrap_or(0) % age.max(1))
        + i64::try_from(bits % 1000).unwrap_or(0);
    let states = &lot.states[kind];
    let index = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
    Row {
        project: index(project),
        kind: index(kind),
        state: states[below(bits >> 17, states.len())],
        rev: 1 + u16::try_from((bits >> 23) % 7).unwrap_or(0),
        iteration: lot.iterations[below(bits >> 29, lot.iterations.len())],
        area: lot.areas[below(bits >> 35, lot.areas.len())],
        parent: parent(lot, level, bits),
        watermark: 0,
        created,
        changed,
        presence: Presence::Live,
        written: false,
    }
}

/// The types to choose from next and the level that they stand on (`None` outside the levels).
fn choose(lot: &Lot, bits: u64) -> (Vec<usize>, Option<usize>) {
    let levels = lot.portfolio.len();
    let part = if lot.count < levels {
        Part::Portfolio(lot.count)
    } else if lot.count % 24 == 23 {
        // Lower levels are more frequent.
        Part::Portfolio(if bits.is_multiple_of(5) { 0 } else { levels.saturating_sub(1) })
    } else {
        CYCLE[(lot.count - levels) % CYCLE.len()]
    };
    let first_of = |candidates: &[&Vec<usize>]| {
        candidates.iter().find(|types| !types.is_empty()).map_or_else(|| vec![0], |types| (*types).clone())
    };
    match part {
        Part::Portfolio(level) => {
            let empty = Vec::new();
            let types = lot.portfolio.get(level).unwrap_or(&empty);
            (first_of(&[types, &lot.requirement]), Some(level))
        }
        Part::Requirement => (first_of(&[&lot.requirement]), Some(levels)),
        Part::Bug if lot.bug.is_empty() => (first_of(&[&lot.requirement]), Some(levels)),
        Part::Bug => (lot.bug.clone(), Some(levels + 1)),
        Part::Task => (first_of(&[&lot.task, &lot.requirement]), Some(levels + 1)),
        Part::TestCase => (first_of(&[&lot.test_case, &lot.task]), None),
        Part::Other => (first_of(&[&lot.other, &lot.task]), None),
    }
}

/// Nine of ten items hang below the last item of the next higher level.
fn parent(lot: &Lot, level: Option<usize>, bits: u64) -> u32 {
    match level {
        Some(level) if level > 0 && !bits.is_multiple_of(10) => lot.last.get(level - 1).copied().unwrap_or(0),
        _ => 0,
    }
}

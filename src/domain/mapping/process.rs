//! What the process of a project says: types, their states, the bug category, and the levels of the backlog as tiers.

use crate::ado::model::{BacklogConfiguration, BacklogLevel, BugsBehavior, TypeCategory, WorkItemType};

use super::same;

/// Category of bugs in every process (`ado-api.md` §7).
const BUG_CATEGORY: &str = "Microsoft.BugCategory";

/// The live process of a project, as a team sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    names: Vec<String>,
    types: Vec<WorkItemType>,
    levels: Vec<Level>,
    requirement_level: Option<usize>,
    bug_category: Vec<String>,
}

/// A level of the backlog. Its place in the list, from 1 at the top, is its tier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Level {
    /// The id that stays through renames.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Names of its types, with the bug types where the team works with bugs on this level.
    pub types: Vec<String>,
}

impl Process {
    /// Puts together what three calls answered. Disabled types count as absent.
    pub fn new(types: Vec<WorkItemType>, categories: &[TypeCategory], backlog: BacklogConfiguration) -> Self {
        let bugs = categories.iter().find(|category| same(&category.reference_name, BUG_CATEGORY));
        let bugs = bugs.map(|category| category.types.clone()).unwrap_or_default();
        let (mut levels, requirement_level, task_level) =
            ranked(backlog.portfolio_backlogs, backlog.requirement_backlog, backlog.task_backlog);
        let names = types.iter().map(|known| known.name.clone()).collect();
        let types: Vec<WorkItemType> = types.into_iter().filter(|known| !known.is_disabled).collect();
        let exists = |name: &&String| types.iter().any(|known| same(&known.name, name));
        let listed: &[String] = requirement_level.map_or(&[], |level| &levels[level].types);
        let requirements: Vec<&String> = listed.iter().filter(exists).collect();
        let bug_category = effective_bug_category(bugs, &requirements);
        let place = match backlog.bugs_behavior.unwrap_or(BugsBehavior::Off) {
            BugsBehavior::AsRequirements => requirement_level,
            BugsBehavior::AsTasks => task_level,
            BugsBehavior::Off | BugsBehavior::Other(_) => None,
        };
        place_bugs(&mut levels, &bug_category, place);
        Self { names, types, levels, requirement_level, bug_category }
    }

    /// Names of all types, of disabled ones too: items may still carry them.
    pub fn all_names(&self) -> &[String] {
        &self.names
    }

    /// The types of the project.
    pub fn types(&self) -> &[WorkItemType] {
        &self.types
    }

    /// The type of that name, compared without case.
    pub fn type_named(&self, name: &str) -> Option<&WorkItemType> {
        self.types.iter().find(|known| same(&known.name, name))
    }

    /// The type of that reference name.
    pub fn type_of_reference(&self, reference: &str) -> Option<&WorkItemType> {
        self.types.iter().find(|known| same(reference_of(known), reference))
    }

    /// Names of all types, for messages.
    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|known| known.name.as_str())
    }

    /// The levels from the top: the first is tier 1.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The types of each level that the project has, from the top: the first is tier 1.
    pub fn tiers(&self) -> impl Iterator<Item = Vec<String>> {
        self.levels.iter().map(|level| self.offered(&level.types, false))
    }

    /// The level of an id.
    pub fn level(&self, id: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.id == id)
    }

    /// Types of the requirement level that are no bugs.
    pub fn requirement_types(&self) -> Vec<String> {
        let level = self.requirement_level.map(|level| &self.levels[level]);
        level.map(|level| self.offered(&level.types, true)).unwrap_or_default()
    }

    /// Types of the bug category; none if no requirement type would be left without them, as with Basic's Issue.
    pub fn bug_types(&self) -> Vec<String> {
        self.offered(&self.bug_category, false)
    }

    /// Whether a type offers a state, both compared without case.
    pub fn has_state(&self, type_name: &str, state: &str) -> bool {
        self.type_named(type_name).is_some_and(|known| known.states.iter().any(|offered| same(&offered.name, state)))
    }

    fn offered(&self, names: &[String], without_bugs: bool) -> Vec<String> {
        let is_bug = |name: &str| without_bugs && self.bug_category.iter().any(|bug| same(bug, name));
        names
            .iter()
            .filter(|name| !is_bug(name))
            .filter_map(|name| self.type_named(name))
            .map(|known| known.name.clone())
            .collect()
    }
}

/// What identifies a type: its reference name, or on servers that give none its name.
pub fn reference_of(known: &WorkItemType) -> &str {
    known.reference_name.as_deref().unwrap_or(&known.name)
}

/// The levels by falling rank. Of equal ranks portfolio stands above requirements, and those above tasks; the ranks
/// themselves are data, since the documentation and the service number them differently (`ado-api.md` §7).
fn ranked(
    portfolio: Vec<BacklogLevel>,
    requirement: Option<BacklogLevel>,
    task: Option<BacklogLevel>,
) -> (Vec<Level>, Option<usize>, Option<usize>) {
    #[derive(Clone, Copy, Eq, PartialEq)]
    enum Kind {
        Portfolio,
        Requirement,
        Task,
    }
    let mut all: Vec<(Kind, BacklogLevel)> = portfolio.into_iter().map(|level| (Kind::Portfolio, level)).collect();
    all.extend(requirement.map(|level| (Kind::Requirement, level)));
    all.extend(task.map(|level| (Kind::Task, level)));
    all.sort_by_key(|(_, level)| std::cmp::Reverse(level.rank));
    let place = |kind: Kind| all.iter().position(|(of, _)| *of == kind);
    let (requirement, task) = (place(Kind::Requirement), place(Kind::Task));
    let level =
        |(_, level): (Kind, BacklogLevel)| Level { id: level.id, name: level.name, types: level.work_item_types };
    (all.into_iter().map(level).collect(), requirement, task)
}

fn effective_bug_category(category: Vec<String>, requirements: &[&String]) -> Vec<String> {
    let is_bug = |name: &&String| category.iter().any(|bug| same(bug, name));
    if !requirements.is_empty() && requirements.iter().all(is_bug) { Vec::new() } else { category }
}

/// How a team works with bugs decides their tier, whatever level lists them.
fn place_bugs(levels: &mut [Level], bugs: &[String], place: Option<usize>) {
    for level in levels.iter_mut() {
        level.types.retain(|name| !bugs.iter().any(|bug| same(bug, name)));
    }
    if let Some(level) = place.and_then(|place| levels.get_mut(place)) {
        level.types.extend(bugs.iter().cloned());
    }
}

//! What the comments say: what each part is for, and what the live project has for it.

use super::Survey;
use super::proposal::Proposal;
use crate::ado::model::{StateCategory, WorkItemType};
use crate::api::AdoProjectConfigSpec;
use crate::cli::yaml::{Notes, scalar};
use crate::domain::mapping::plan::PlanNode;
use crate::domain::mapping::process::Process;
use crate::domain::mapping::same;
use crate::domain::mapping::selection::Selected;
use crate::domain::mapping::tree::Node;

/// Most lines of one list, and most names on one line.
const MAX_LINES: usize = 40;
const MAX_NAMES: usize = 30;

const PROJECT: &str = "spec.integrationRef";
const STATE: &str = "spec.state";
const REQUIREMENTS: &str = "spec.pullRequirements";
const BUGS: &str = "spec.bugMapping";
const ITERATIONS: &str = "spec.iterationMapping";

/// Comments on everything that is proposed.
pub(super) fn notes(survey: &Survey, proposal: &Proposal, defaults: &Selected) -> Notes {
    let mut notes = Notes::default();
    head(&mut notes, survey);
    team(&mut notes, survey, &proposal.spec);
    process(&mut notes, survey, &proposal.spec, defaults);
    requirements(&mut notes, survey, &proposal.spec);
    bugs(&mut notes, survey, &proposal.spec);
    iterations(&mut notes, survey, proposal);
    rest(&mut notes);
    notes
}

fn head(notes: &mut Notes, survey: &Survey) {
    let process = survey.project.process_name.as_deref().unwrap_or("of unknown name");
    let project = scalar(&survey.project.name);
    notes
        .add("apiVersion", format!("How test management sees the Azure DevOps project {project} (process {process})."));
    notes.add(
        "apiVersion",
        "What stands here fits the project as it is now. Change what you want otherwise, and apply it:",
    );
    notes.add("apiVersion", "  kubectl apply -f FILE");
    notes.add("metadata", "Any name that is free in the namespace.");
    if survey.labels_decide {
        notes.add(
            "metadata",
            "The integration allows this namespace only if its labels fit spec.allowedNamespaces.selector.",
        );
    }
    notes.add(
        PROJECT,
        "Step 1: the project, and the integration that reaches it. Both are kept for the life of the object.",
    );
}

fn team(notes: &mut Notes, survey: &Survey, spec: &AdoProjectConfigSpec) {
    let place = if spec.team.is_some() { "spec.team" } else { STATE };
    notes.add(
        place,
        "A team decides at which level bugs stand and whose board sprints may come from; it filters nothing.",
    );
    notes.add(place, "Without one it is the default team's level. Teams of the project:");
    let default = survey.project.default_team.as_ref().map(|team| team.id);
    let lines = survey.teams.iter().map(|team| {
        let mark = if default == Some(team.id) { " (default)" } else { "" };
        format!("  {}{mark}", scalar(&team.name))
    });
    notes.extend(place, first(lines, MAX_LINES));
    if let (None, Some(team)) = (&spec.team, &survey.project.default_team) {
        notes.add(place, format!("team: {}", scalar(&team.name)));
    }
    notes.add(STATE, "description: What this mapping is for, at most 255 characters.");
    notes.add(STATE, "Active syncs. Inactive only saves. Archived takes it out of the plans and keeps all data.");
}

/// All types with their tiers and states, where the first of them is chosen.
fn process(notes: &mut Notes, survey: &Survey, spec: &AdoProjectConfigSpec, defaults: &Selected) {
    let place = block_or_next(spec, REQUIREMENTS);
    notes.add(place, "");
    notes.add(
        place,
        "Work item types of the process by tier of the backlog, with their states and the category of each:",
    );
    let process = &survey.metadata.process;
    let tiers: Vec<Vec<String>> = process.tiers().collect();
    let tier_of =
        |known: &WorkItemType| tiers.iter().position(|types| types.iter().any(|name| same(name, &known.name)));
    let mut types: Vec<&WorkItemType> = process.types().iter().collect();
    types.sort_by_key(|known| tier_of(known).unwrap_or(usize::MAX));
    let lines = types.into_iter().map(|known| {
        let level = |tier: usize| format!("tier {} ({})", tier + 1, scalar(&process.levels()[tier].name));
        let tier = tier_of(known).map_or_else(|| "no tier".to_owned(), level);
        let is_among = |names: &[String]| names.iter().any(|name| same(name, &known.name));
        let mark = if is_among(&defaults.requirement_types) {
            ", a requirement by default"
        } else if is_among(&defaults.bug_types) {
            ", a bug by default"
        } else {
            ""
        };
        format!("  {}, {tier}{mark}: {}", scalar(&known.name), states(known))
    });
    notes.extend(place, first(lines, MAX_LINES));
}

fn states(known: &WorkItemType) -> String {
    let states = known.states.iter().map(|state| {
        let category = match &state.category {
            Some(category) => scalar(category.name()),
            None => "no category".to_owned(),
        };
        format!("{} ({category})", scalar(&state.name))
    });
    first(states, MAX_NAMES).join(", ")
}

const STATUSES: [&str; 2] = [
    "What states mean: Open, InProgress, Resolved, Closed or Removed. A state without an entry means what its category says;",
    "`type` makes an entry one of that type only.",
];

fn requirements(notes: &mut Notes, survey: &Survey, spec: &AdoProjectConfigSpec) {
    let place = block_or_next(spec, REQUIREMENTS);
    notes.add(place, "");
    notes.add(place, "Steps 2 and 5: what becomes a requirement; `enabled: false` pulls none.");
    let Some(block) = &spec.pull_requirements else {
        notes.add(place, "The process has no types for that by default. To pull some, name them:");
        notes.add(place, "pullRequirements: {workItemTypes: [TYPE]}");
        return;
    };
    let types = block.work_item_types.as_deref().unwrap_or_default();
    let path = "spec.pullRequirements.releaseDateFields";
    notes.add(path, "Where the release date comes from, at most 3: the first that has a date counts. ReleaseEndDate and SprintEndDate are");
    notes.add(path, "the last days of the item's release and sprint. Date fields of these types:");
    notes.extend(path, date_fields(survey, types));
    statuses(
        notes,
        &survey.metadata.process,
        types,
        "spec.pullRequirements.statusMapping",
        block.status_mapping.is_some(),
    );
}

fn date_fields(survey: &Survey, types: &[String]) -> Vec<String> {
    let known: Vec<&WorkItemType> = types.iter().filter_map(|name| survey.metadata.process.type_named(name)).collect();
    let has = |reference: &str| known.iter().any(|known| known.fields.iter().any(|field| same(field, reference)));
    let fields = survey.metadata.fields.dates.iter().filter(|field| has(&field.reference_name));
    first(fields.map(|field| format!("  {} ({})", scalar(&field.reference_name), scalar(&field.name))), MAX_LINES)
}

fn statuses(notes: &mut Notes, process: &Process, types: &[String], path: &str, is_given: bool) {
    if !is_given {
        return;
    }
    notes.extend(path, STATUSES.map(str::to_owned));
    let known = types.iter().filter_map(|name| process.type_named(name));
    let unclear = known.flat_map(|known| {
        let is_unclear = |category: &Option<StateCategory>| matches!(category, None | Some(StateCategory::Other(_)));
        let states = known.states.iter().filter(move |state| is_unclear(&state.category));
        states.map(|state| format!("  {} of {}", scalar(&state.name), scalar(&known.name)))
    });
    let unclear = first(unclear, MAX_LINES);
    if !unclear.is_empty() {
        notes.add(path, "Their category does not say what these mean, so they have no entry:");
        notes.extend(path, unclear);
    }
}

fn bugs(notes: &mut Notes, survey: &Survey, spec: &AdoProjectConfigSpec) {
    let place = block_or_next(spec, BUGS);
    notes.add(place, "");
    notes.add(place, "Steps 2 and 6: what becomes a bug; `enabled: false` pulls none.");
    let Some(block) = &spec.bug_mapping else {
        notes.add(place, "The process has no bug types of its own, so nothing is pulled as a bug. To pull some, name types here, and name");
        notes.add(place, "others in pullRequirements: a type is one or the other.");
        notes.add(place, "bugMapping: {workItemTypes: [TYPE]}");
        return;
    };
    let path = if block.severity_mapping.is_some() { "spec.bugMapping.severityMapping" } else { place };
    severities(notes, survey, path);
    let types = block.work_item_types.as_deref().unwrap_or_default();
    statuses(notes, &survey.metadata.process, types, "spec.bugMapping.statusMapping", block.status_mapping.is_some());
}

fn severities(notes: &mut Notes, survey: &Survey, path: &str) {
    let offered = &survey.metadata.severities;
    if offered.is_empty() {
        notes.add(path, "No type of bugs has a severity.");
        return;
    }
    notes.add(
        path,
        "What severities mean: Critical, High, Medium, Low or Lowest. A list is all there is. The types offer:",
    );
    let lines = offered.iter().map(|(name, values)| {
        let values = first(values.iter().map(|value| scalar(value)), MAX_NAMES).join(", ");
        format!("  {}: {}", scalar(name), if values.is_empty() { "any" } else { &values })
    });
    notes.extend(path, first(lines, MAX_LINES));
}

fn iterations(notes: &mut Notes, survey: &Survey, proposal: &Proposal) {
    notes.add(ITERATIONS, "");
    notes.add(ITERATIONS, "Step 3: which iterations are releases and sprints. An item has the nearest ones at or above its own iteration.");
    notes.add(ITERATIONS, "{from: Depth, depth: 1}            every iteration so many levels below the root");
    notes
        .add(ITERATIONS, r"{from: Paths, paths: ['A\B\*']}    iterations by their paths; * stands for one whole level");
    notes.add(ITERATIONS, "{from: Tier, tier: 1}              the iteration of the item's ancestor at that tier");
    notes.add(
        ITERATIONS,
        "{from: TeamBoard}                  what the team has selected; needs team, and only for one of the two",
    );
    notes.add(ITERATIONS, "{from: None}                       none");
    for warning in &proposal.plan.warnings {
        notes.add(ITERATIONS, format!("Note: {warning}"));
    }
    let all = survey.metadata.tree.nodes();
    if all.len() <= 1 {
        notes.add(ITERATIONS, "The project has no iterations so far.");
        return;
    }
    if survey.metadata.tree.is_flat() {
        notes.add(
            ITERATIONS,
            "All iterations of the project stand on one level: here they are sprints, and nothing is a release.",
        );
    }
    notes.add(ITERATIONS, "The iterations of the project, with what they are by the choice below:");
    let lines = all.iter().skip(1).map(|node| iteration(node, proposal));
    notes.extend(ITERATIONS, first(lines, MAX_LINES));
    notes.add(
        "spec.iterationMapping.fullPath",
        "Whether releases and sprints are called by their full path instead of its last part.",
    );
}

fn iteration(node: &Node, proposal: &Proposal) -> String {
    let dates = match (node.start, node.finish) {
        (Some(start), Some(finish)) => format!(", {start} to {finish}"),
        (Some(start), None) => format!(", from {start}"),
        (None, Some(finish)) => format!(", to {finish}"),
        (None, None) => String::new(),
    };
    let is_in = |found: &[PlanNode]| found.iter().any(|other| other.identifier == node.identifier);
    let what = if is_in(&proposal.plan.releases) {
        ": a release"
    } else if is_in(&proposal.plan.sprints) {
        ": a sprint"
    } else {
        ""
    };
    format!("  {}{dates}{what}", scalar(&node.path))
}

fn rest(notes: &mut Notes) {
    let priorities = "spec.priorityMapping";
    notes.add(priorities, "");
    notes.add(
        priorities,
        "Step 4: what priorities mean, for requirements and bugs: Critical, High, Medium, Low or Lowest.",
    );
    notes.add("spec.timeZone", "");
    notes.add("spec.timeZone", "Time zone of calendar dates, such as Europe/Berlin.");
    notes.add("spec.deletionPolicy", "How often to look for changes; left out, it is");
    notes.add("spec.deletionPolicy", "sync: {interval: 5m, fullInterval: 24h}");
    notes.add("spec.deletionPolicy", "What becomes of the stored data when this object is deleted: Retain or Purge.");
}

/// The block, or the next thing that is there where the block is left out.
fn block_or_next(spec: &AdoProjectConfigSpec, block: &'static str) -> &'static str {
    match block {
        REQUIREMENTS if spec.pull_requirements.is_some() => REQUIREMENTS,
        REQUIREMENTS | BUGS if spec.bug_mapping.is_some() => BUGS,
        _ => ITERATIONS,
    }
}

/// The first of them, and how many more there are.
pub(super) fn first(lines: impl Iterator<Item = String>, most: usize) -> Vec<String> {
    let mut lines = lines.peekable();
    let mut found: Vec<String> = lines.by_ref().take(most).collect();
    let more = lines.count();
    if more > 0 {
        found.push(format!("… {more} more"));
    }
    found
}

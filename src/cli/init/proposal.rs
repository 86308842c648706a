//! The spec that `init` proposes: what the operator does by default, written out.

use serde_json::{Value, json};

use crate::ado::model::State;
use crate::api::{
    AdoProjectConfigSpec, BugMapping, DeletionPolicy, DesiredConfigState, IterationMapping, IterationSource,
    PriorityEntry, PullRequirements, RecordStatus, SeverityEntry, SourceKind, StatusEntry,
};
use crate::domain::mapping::pins::MappingPins;
use crate::domain::mapping::plan::{Plan, Seen};
use crate::domain::mapping::process::Process;
use crate::domain::mapping::selection::{self, Selected};
use crate::domain::mapping::values::{Priorities, Severities, Statuses};
use crate::domain::mapping::warnings::Warning;
use crate::domain::mapping::{Mapping, folded, same};
use crate::sync::metadata::Metadata;

/// Most entries of a list of values, and most types, as the schema has it. What is longer is left to the defaults.
const MAX_ENTRIES: usize = 150;
const MAX_TYPES: usize = 64;

/// A spec, and the releases and sprints that it gives.
pub(super) struct Proposal {
    pub spec: AdoProjectConfigSpec,
    pub plan: Plan,
}

/// The types that a spec with both blocks selects by default.
pub(super) fn default_types(named: &AdoProjectConfigSpec, process: &Process) -> Selected {
    let both = AdoProjectConfigSpec {
        pull_requirements: Some(PullRequirements::default()),
        bug_mapping: Some(BugMapping::default()),
        ..named.clone()
    };
    selection::current(&both, process, &MappingPins::default())
}

/// Completes a spec that names integration, project and team. A block for which the process has no types by default is left
/// out, since it would have to name some.
pub(super) fn propose(named: AdoProjectConfigSpec, metadata: &Metadata) -> Proposal {
    let process = &metadata.process;
    let Selected { requirement_types, bug_types } = default_types(&named, process);
    let mut spec = AdoProjectConfigSpec {
        state: Some(DesiredConfigState::Active),
        pull_requirements: (!requirement_types.is_empty()).then(|| PullRequirements {
            enabled: Some(true),
            status_mapping: listed(statuses(&requirement_types, process), MAX_ENTRIES),
            work_item_types: listed(requirement_types, MAX_TYPES),
            release_date_fields: Some(["ReleaseEndDate", "SprintEndDate"].map(str::to_owned).to_vec()),
        }),
        bug_mapping: (!bug_types.is_empty()).then(|| BugMapping {
            enabled: Some(true),
            severity_mapping: listed(severities(metadata), MAX_ENTRIES),
            status_mapping: listed(statuses(&bug_types, process), MAX_ENTRIES),
            work_item_types: listed(bug_types, MAX_TYPES),
        }),
        priority_mapping: Some(priorities()),
        time_zone: Some("UTC".to_owned()),
        deletion_policy: Some(DeletionPolicy::default()),
        ..named
    };
    let plan = place(&mut spec, metadata);
    Proposal { spec, plan }
}

fn listed<T>(entries: Vec<T>, most: usize) -> Option<Vec<T>> {
    (1..=most).contains(&entries.len()).then_some(entries)
}

fn priorities() -> Vec<PriorityEntry> {
    let defaults = Priorities::new(None);
    (1..=4).filter_map(|ado| Some(PriorityEntry { ado, testops: defaults.meaning(&json!(ado)).value? })).collect()
}

/// Every severity that is offered and has a meaning by its number.
fn severities(metadata: &Metadata) -> Vec<SeverityEntry> {
    let defaults = Severities::new(None);
    let mut entries: Vec<SeverityEntry> = Vec::new();
    for ado in metadata.severities.values().flatten() {
        let meaning = defaults.meaning(&Value::String(ado.clone()));
        if let Some(testops) = meaning.value
            && !entries.iter().any(|entry| same(&entry.ado, ado))
        {
            entries.push(SeverityEntry { ado: ado.clone(), testops });
        }
    }
    entries
}

/// What every state of these types means by its category: one entry for all types where they agree, else one a type. States
/// of no known category have none.
fn statuses(types: &[String], process: &Process) -> Vec<StatusEntry> {
    let mut by_name: Vec<Vec<TypeState<'_>>> = Vec::new();
    for known in types.iter().filter_map(|name| process.type_named(name)) {
        for state in &known.states {
            let found = TypeState::new(&known.name, state);
            match by_name.iter_mut().find(|all| same(all[0].state, found.state)) {
                // A type has a state once, however it is spelled.
                Some(all) if all.iter().any(|other| same(other.of, found.of)) => {}
                Some(all) => all.push(found),
                None => by_name.push(vec![found]),
            }
        }
    }
    by_name.iter().flat_map(|all| entries(all)).collect()
}

/// A state of a type and what it means by default.
struct TypeState<'a> {
    of: &'a str,
    state: &'a str,
    testops: Option<RecordStatus>,
}

impl<'a> TypeState<'a> {
    fn new(of: &'a str, state: &'a State) -> Self {
        let testops = Statuses::default().meaning(&folded(of), &folded(&state.name), state.category.as_ref()).value;
        Self { of, state: &state.name, testops }
    }
}

/// The entries for a state that these types have.
fn entries(all: &[TypeState<'_>]) -> Vec<StatusEntry> {
    let agree = all.iter().all(|one| one.testops == all[0].testops);
    let wanted = if agree { &all[..1] } else { all };
    let entry = |one: &TypeState<'_>| {
        let work_item_type = (!agree).then(|| one.of.to_owned());
        Some(StatusEntry { ado: one.state.to_owned(), work_item_type, testops: one.testops? })
    };
    wanted.iter().filter_map(entry).collect()
}

/// Chooses the iterations as the operator would, unless it would warn of that; gives what comes of them.
fn place(spec: &mut AdoProjectConfigSpec, metadata: &Metadata) -> Plan {
    let depth = |depth| IterationSource { from: SourceKind::Depth, depth: Some(depth), ..IterationSource::default() };
    let mut chosen = IterationMapping { full_path: Some(false), release: Some(depth(1)), sprint: Some(depth(2)) };
    let mut plan_of = |chosen: &IterationMapping| {
        spec.iteration_mapping = Some(chosen.clone());
        plan(spec, metadata)
    };
    let mut found = plan_of(&chosen);
    if found.warnings.contains(&Warning::ReleasesTakeAll) {
        (chosen.release, chosen.sprint) = (Some(IterationSource::default()), Some(depth(1)));
        found = plan_of(&chosen);
    }
    if found.warnings.iter().any(|warning| matches!(warning, Warning::EqualNames { .. })) {
        chosen.full_path = Some(true);
        found = plan_of(&chosen);
    }
    found
}

fn plan(spec: &AdoProjectConfigSpec, metadata: &Metadata) -> Plan {
    let mapping = Mapping::new(spec, &metadata.world(), &MappingPins::default());
    Plan::new(&mapping, &metadata.tree, &Seen::default())
}

//! Which work item types become requirements and bugs.

use crate::api::{AdoProjectConfigSpec, EffectiveProjectConfig, Reason};

use super::verdict::Cause;

/// What the live process says about its types.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Process {
    /// Every type of the project, as Azure DevOps spells it.
    pub types: Vec<String>,
    /// Types of the requirement level of the backlog.
    pub requirement_level: Vec<String>,
    /// Types of the bug category.
    pub bug_category: Vec<String>,
}

/// Resolves the types of a spec against the process: names are compared without case and come out as the process spells
/// them. Blocks that are off name nothing, but bug types are subtracted from the default requirement types all the same.
pub fn resolve(spec: &AdoProjectConfigSpec, process: &Process) -> Result<EffectiveProjectConfig, Cause> {
    let bug_category = bug_category(process);
    let named_bugs = spec.bug_mapping.as_ref().and_then(|block| block.work_item_types.as_ref());
    let bug_types = match (spec.bugs(), named_bugs) {
        (None, _) => Vec::new(),
        (Some(_), Some(named)) => spelled(named, process, "spec.bugMapping.workItemTypes")?,
        (Some(_), None) => bug_category.clone(),
    };
    if spec.bugs().is_some() && bug_types.is_empty() {
        return Err(invalid(
            "spec.bugMapping.workItemTypes must name the types, because the process has no bug category of its own",
            process,
        ));
    }
    let requirement_types = match spec.requirements() {
        None => Vec::new(),
        Some(block) => match &block.work_item_types {
            Some(named) => spelled(named, process, "spec.pullRequirements.workItemTypes")?,
            None => default_requirements(process, &bug_category, named_bugs.map_or(&[], Vec::as_slice))?,
        },
    };
    if let Some(both) = requirement_types.iter().find(|name| contains(&bug_types, name)) {
        let text =
            format!("spec.bugMapping.workItemTypes: {both} is pulled as a requirement too; name it on one side only");
        return Err(invalid(&text, process));
    }
    Ok(EffectiveProjectConfig { requirement_types, bug_types })
}

/// The bug category; empty if no requirement type would be left without it, as with Issue of the process Basic.
fn bug_category(process: &Process) -> Vec<String> {
    let left = process.requirement_level.iter().any(|name| !contains(&process.bug_category, name));
    if left { process.bug_category.clone() } else { Vec::new() }
}

fn default_requirements(process: &Process, category: &[String], named_bugs: &[String]) -> Result<Vec<String>, Cause> {
    let types: Vec<String> = process
        .requirement_level
        .iter()
        .filter(|name| !contains(category, name) && !contains(named_bugs, name))
        .cloned()
        .collect();
    if types.is_empty() {
        return Err(invalid(
            "spec.pullRequirements.workItemTypes must name the types, because the requirement level of the process has none that is not a bug",
            process,
        ));
    }
    Ok(types)
}

/// The names as the process spells them.
fn spelled(names: &[String], process: &Process, field: &str) -> Result<Vec<String>, Cause> {
    let mut found: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let Some(spelling) = process.types.iter().find(|known| same(known, name)) else {
            return Err(invalid(&format!("{field}: the project has no work item type {name:?}"), process));
        };
        if contains(&found, spelling) {
            return Err(invalid(&format!("{field}: {spelling} is named twice"), process));
        }
        found.push(spelling.clone());
    }
    Ok(found)
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|known| same(known, name))
}

/// Azure DevOps compares names without case.
fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

fn invalid(text: &str, process: &Process) -> Cause {
    Cause::new(Reason::InvalidMapping, format!("{text}. The project has: {}.", process.types.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{BugMapping, IntegrationReference, PullRequirements};

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn agile() -> Process {
        Process {
            types: names(&["Epic", "Feature", "User Story", "Task", "Bug", "Issue"]),
            requirement_level: names(&["User Story"]),
            bug_category: names(&["Bug"]),
        }
    }

    fn spec(requirements: Option<&[&str]>, bugs: Option<&[&str]>) -> AdoProjectConfigSpec {
        AdoProjectConfigSpec {
            integration_ref: IntegrationReference { name: "contoso".into(), namespace: None },
            project: "Payments".into(),
            team: None,
            description: None,
            pull_requirements: Some(PullRequirements { enabled: None, work_item_types: requirements.map(names) }),
            bug_mapping: Some(BugMapping { enabled: None, work_item_types: bugs.map(names) }),
        }
    }

    #[test]
    fn defaults_are_the_requirement_level_and_the_bug_category() {
        let resolved = resolve(&spec(None, None), &agile()).expect("valid");
        assert_eq!(resolved.requirement_types, ["User Story"]);
        assert_eq!(resolved.bug_types, ["Bug"]);
    }

    #[test]
    fn bugs_that_stand_on_the_requirement_level_are_no_default_requirements() {
        let process = Process { requirement_level: names(&["User Story", "Bug"]), ..agile() };
        assert_eq!(resolve(&spec(None, None), &process).expect("valid").requirement_types, ["User Story"]);
    }

    #[test]
    fn names_are_compared_without_case_and_come_out_as_the_process_spells_them() {
        let resolved = resolve(&spec(Some(&["user STORY", "feature"]), Some(&["bug"])), &agile()).expect("valid");
        assert_eq!(resolved.requirement_types, ["User Story", "Feature"]);
    }

    #[test]
    fn an_unknown_type_names_the_field_and_what_there_is() {
        let cause = resolve(&spec(Some(&["Story"]), None), &agile()).expect_err("invalid");
        assert_eq!(cause.reason, Reason::InvalidMapping);
        assert!(cause.message.contains("spec.pullRequirements.workItemTypes"), "{}", cause.message);
        assert!(cause.message.contains("User Story"), "{}", cause.message);
    }

    #[test]
    fn a_type_on_both_sides_is_refused_at_the_bug_mapping() {
        let cause = resolve(&spec(Some(&["Bug"]), None), &agile()).expect_err("invalid");
        assert!(cause.message.starts_with("spec.bugMapping.workItemTypes"), "{}", cause.message);
    }

    #[test]
    fn entries_that_differ_in_case_only_are_refused() {
        assert!(resolve(&spec(Some(&["Feature", "feature"]), None), &agile()).is_err());
    }

    #[test]
    fn a_bug_category_without_which_no_requirement_type_is_left_counts_as_empty() {
        let basic = Process {
            types: names(&["Epic", "Issue", "Task"]),
            requirement_level: names(&["Issue"]),
            bug_category: names(&["Issue"]),
        };
        let mut only_requirements = spec(None, None);
        only_requirements.bug_mapping = None;
        assert_eq!(resolve(&only_requirements, &basic).expect("valid").requirement_types, ["Issue"]);
        assert!(resolve(&spec(None, None), &basic).is_err(), "bugMapping needs explicit types there");
    }

    #[test]
    fn bug_types_of_a_block_that_is_off_are_subtracted_from_the_defaults() {
        let process = Process { requirement_level: names(&["User Story", "Issue"]), ..agile() };
        let mut off = spec(None, Some(&["Issue"]));
        off.bug_mapping.as_mut().expect("block").enabled = Some(false);
        let resolved = resolve(&off, &process).expect("valid");
        assert_eq!(resolved.requirement_types, ["User Story"]);
        assert!(resolved.bug_types.is_empty());
    }
}

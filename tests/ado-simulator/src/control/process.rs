//! Changes of a process: types and states come and go.

use serde::{Deserialize, Serialize};

use super::{Control, ControlError, find_project};
use crate::state::catalog::fields::{self, FieldIndex};
use crate::state::process::{Process, State, StateCategory, WorkItemType};

/// A state to add to a type, or a whole type to add.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewState {
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: StateCategory,
}

impl Control {
    /// Adds a type to the process of a project of `contoso`, modelled on `like` but with its own states.
    pub fn add_type(&self, project: &str, name: &str, like: &str, states: &[NewState]) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            if process.find_type(name).is_some() || states.is_empty() {
                return Err(ControlError::Invalid(format!("the type '{name}' exists, or has no states")));
            }
            let model = find_type(process, like)?;
            let mut added = process.types[model].clone();
            name.clone_into(&mut added.name);
            added.reference = format!("Custom.{}", name.replace(' ', ""));
            added.states = states.iter().map(|s| State { name: s.name.clone(), category: s.category }).collect();
            offer_states(&mut added);
            process.types.push(added);
            let place = process.types.len() - 1;
            if let Some(level) = process.levels.iter_mut().find(|level| level.types.contains(&model)) {
                level.types.push(place);
            }
            Ok(())
        })
    }

    /// Takes a type out of the process; items may still carry it.
    pub fn remove_type(&self, project: &str, name: &str) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_type(process, name)?;
            process.types[place].removed = true;
            for level in &mut process.levels {
                level.types.retain(|kind| *kind != place);
            }
            Ok(())
        })
    }

    /// Renames a type; its reference name stays.
    pub fn rename_type(&self, project: &str, name: &str, new_name: &str) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_type(process, name)?;
            new_name.clone_into(&mut process.types[place].name);
            Ok(())
        })
    }

    /// Disables a type, or enables it: it stays listed, but stands on no backlog level.
    pub fn disable_type(&self, project: &str, name: &str, disabled: bool) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_type(process, name)?;
            process.types[place].disabled = disabled;
            Ok(())
        })
    }

    /// Gives a state of a type another category.
    pub fn set_state_category(
        &self,
        project: &str,
        kind: &str,
        state: &str,
        category: StateCategory,
    ) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_type(process, kind)?;
            let states = &mut process.types[place].states;
            let found = states.iter_mut().find(|candidate| candidate.name.eq_ignore_ascii_case(state));
            found.ok_or_else(|| ControlError::not_found("state", state))?.category = category;
            Ok(())
        })
    }

    /// Adds a state to a type, behind the others.
    pub fn add_state(&self, project: &str, kind: &str, state: &NewState) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_type(process, kind)?;
            let kind = &mut process.types[place];
            kind.states.push(State { name: state.name.clone(), category: state.category });
            offer_states(kind);
            Ok(())
        })
    }

    /// Takes a state from a type; items may still carry it.
    pub fn remove_state(&self, project: &str, kind: &str, state: &str) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_type(process, kind)?;
            let kind = &mut process.types[place];
            if kind.state(state).is_none() || kind.states.len() == 1 {
                return Err(ControlError::not_found("state (that is not the last)", state));
            }
            kind.states.retain(|candidate| !candidate.name.eq_ignore_ascii_case(state));
            offer_states(kind);
            Ok(())
        })
    }

    /// Makes a field required on a type (without a default), or lifts that.
    pub fn require_field(&self, project: &str, kind: &str, field: &str, required: bool) -> Result<(), ControlError> {
        let index = self.field_index(field)?;
        self.change_process(project, |process| {
            let place = find_type(process, kind)?;
            let used = process.types[place].fields.iter_mut().find(|used| used.field == index);
            let used = used.ok_or_else(|| ControlError::not_found("field of the type", field))?;
            used.required = required;
            used.default = None;
            Ok(())
        })
    }

    /// The index of a field of `contoso`.
    pub(super) fn field_index(&self, name: &str) -> Result<FieldIndex, ControlError> {
        let index = self.read("contoso", |_, organization| organization.field(name))?;
        index.ok_or_else(|| ControlError::not_found("field", name))
    }

    pub(super) fn change_process(
        &self,
        project: &str,
        change: impl FnOnce(&mut Process) -> Result<(), ControlError>,
    ) -> Result<(), ControlError> {
        self.write("contoso", |world, index| {
            let organization = &mut world.organizations[index];
            let project = find_project(organization, project)?;
            let process = organization.projects[project].process;
            change(&mut organization.processes[process])
        })
    }
}

/// The place of a type.
pub(super) fn find_type(process: &Process, name: &str) -> Result<usize, ControlError> {
    process.find_type(name).ok_or_else(|| ControlError::not_found("work item type", name))
}

/// Lets the State field offer what the type has.
fn offer_states(kind: &mut WorkItemType) {
    let names: Vec<String> = kind.states.iter().map(|state| state.name.clone()).collect();
    for field in kind.fields.iter_mut().filter(|field| field.field == fields::STATE) {
        field.default = names.first().cloned();
        field.values.clone_from(&names);
    }
}

//! Changes of a process: its levels, the fields of its types, and processes derived from others.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::process::find_type;
use super::{Control, ControlError};
use crate::state::process::{BacklogLevel, LevelKind, Process, TypeField};
use crate::state::random;

/// An inherited process to make.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewProcess {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Its name.
    pub name: String,
    /// The process that it begins as: `Basic`, `Agile`, `Scrum`, `CMMI` or an inherited one.
    pub parent: String,
}

/// Values of a field of a type.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FieldValues {
    /// The values in order, texts also for numbers; empty for free text.
    pub values: Vec<String>,
    /// The value of a new item.
    pub default: Option<String>,
    /// Other values are accepted too.
    pub suggested: bool,
}

impl Control {
    /// Makes an inherited process, to be changed by way of a project of it; gives its id.
    pub fn add_process(&self, new: &NewProcess) -> Result<Uuid, ControlError> {
        self.write(new.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let id = random::guid(world.seed, "process", world.next("process"));
            let processes = &mut world.organizations[index].processes;
            let named = |name: &str| processes.iter().find(|process| process.name.eq_ignore_ascii_case(name));
            if new.name.is_empty() || named(&new.name).is_some() {
                return Err(ControlError::Invalid(format!("the name '{}' is empty or taken", new.name)));
            }
            let parent = named(&new.parent).ok_or_else(|| ControlError::not_found("process", &new.parent))?;
            let inherited = Process {
                id,
                name: new.name.clone(),
                reference: Some(format!("Inherited.{}", id.simple())),
                description: "An inherited process.",
                parent: Some(parent.parent.unwrap_or(parent.id)),
                is_default: false,
                ..parent.clone()
            };
            processes.push(inherited);
            Ok(id)
        })
    }

    /// Adds a portfolio level above all others, with these types.
    pub fn add_level(&self, project: &str, name: &str, types: &[String]) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            if process.level(name).is_some() {
                return Err(ControlError::Invalid(format!("the level '{name}' exists")));
            }
            let types = types.iter().map(|kind| find_type(process, kind)).collect::<Result<Vec<_>, _>>()?;
            for level in &mut process.levels {
                level.types.retain(|kind| !types.contains(kind));
            }
            let rank = process.levels.iter().map(|level| level.rank).max().unwrap_or(0) + 1;
            let level = BacklogLevel {
                id: format!("Custom.{}", name.replace(' ', "")),
                name: name.to_owned(),
                rank,
                kind: LevelKind::Portfolio,
                types,
                hidden: false,
                color: "00643A",
            };
            process.levels.insert(0, level);
            Ok(())
        })
    }

    /// Takes a portfolio level out; its types stand on no level then.
    pub fn remove_level(&self, project: &str, level: &str) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_level(process, level)?;
            if process.levels[place].kind != LevelKind::Portfolio {
                return Err(ControlError::Invalid("only portfolio levels are removed".to_owned()));
            }
            process.levels.remove(place);
            Ok(())
        })
    }

    /// Renames a level; its id stays.
    pub fn rename_level(&self, project: &str, level: &str, name: &str) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_level(process, level)?;
            name.clone_into(&mut process.levels[place].name);
            Ok(())
        })
    }

    /// Hides a level for all teams, or shows it.
    pub fn hide_level(&self, project: &str, level: &str, hidden: bool) -> Result<(), ControlError> {
        self.change_process(project, |process| {
            let place = find_level(process, level)?;
            process.levels[place].hidden = hidden;
            Ok(())
        })
    }

    /// Sets the values of a field of a type, which gets the field if it has none of this name.
    pub fn set_field_values(
        &self,
        project: &str,
        kind: &str,
        field: &str,
        values: &FieldValues,
    ) -> Result<(), ControlError> {
        let index = self.field_index(field)?;
        self.change_process(project, |process| {
            let place = find_type(process, kind)?;
            let kind = &mut process.types[place];
            let offer = values.clone();
            let used = kind.fields.iter().position(|used| used.field == index);
            let Some(used) = used.map(|used| &mut kind.fields[used]) else {
                kind.fields.push(TypeField {
                    field: index,
                    required: false,
                    default: offer.default,
                    generated: Some(Vec::new()),
                    values: offer.values,
                    suggested: offer.suggested,
                });
                return Ok(());
            };
            let before = std::mem::replace(&mut used.values, offer.values);
            // Items keep what they had.
            used.generated.get_or_insert(before);
            (used.default, used.suggested) = (offer.default, offer.suggested);
            Ok(())
        })
    }

    /// Takes a field from a type.
    pub fn remove_field(&self, project: &str, kind: &str, field: &str) -> Result<(), ControlError> {
        let index = self.field_index(field)?;
        self.change_process(project, |process| {
            let place = find_type(process, kind)?;
            let kind = &mut process.types[place];
            if kind.field(index).is_none() {
                return Err(ControlError::not_found("field of the type", field));
            }
            kind.fields.retain(|used| used.field != index);
            Ok(())
        })
    }
}

fn find_level(process: &Process, name: &str) -> Result<usize, ControlError> {
    process.level(name).ok_or_else(|| ControlError::not_found("backlog level", name))
}

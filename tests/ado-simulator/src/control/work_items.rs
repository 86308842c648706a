//! Work items as somebody else changes them, past all rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Control, ControlError, find_project};
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::item_values::ItemView;
use crate::state::items::{Details, Presence, Row};
use crate::state::organization::Organization;
use crate::state::process::WorkItemType;
use crate::state::project::Structure;

/// A work item to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewWorkItem {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Name or id of the project.
    pub project: String,
    /// Name of the type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Fields by reference name, as in [`ItemChange::fields`].
    pub fields: BTreeMap<String, Value>,
}

/// A change of a work item. What is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ItemChange {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Its id.
    pub id: u32,
    /// Moves it to this project (to the root area and iteration).
    pub project: Option<String>,
    /// Gives it this type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Fields by reference name; null empties one. State, iteration, area and parent are moved accordingly.
    pub fields: BTreeMap<String, Value>,
    /// Into the recycle bin (true) or out of it (false).
    pub deleted: Option<bool>,
    /// Destroys it for good.
    pub destroyed: bool,
}

/// A work item as the control API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkItemSummary {
    /// Its id.
    pub id: u32,
    /// Its revision.
    pub rev: u16,
    /// The project's name.
    pub project: String,
    /// The type's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The state's name.
    pub state: String,
    /// The path of its iteration.
    pub iteration: String,
    /// Its parent, 0 for none.
    pub parent: u32,
}

impl Control {
    /// Adds a work item and gives its id.
    pub fn create_work_item(&self, new: &NewWorkItem) -> Result<u32, ControlError> {
        self.write(new.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let now = world.now().as_millisecond();
            let organization = &mut world.organizations[index];
            let project_index = find_project(organization, &new.project)?;
            let project = &organization.projects[project_index];
            let process = &organization.processes[project.process];
            let kind =
                process.find_type(&new.kind).ok_or_else(|| ControlError::not_found("work item type", &new.kind))?;
            let details = fresh_details(&process.types[kind], &organization.identities[0].reference);
            let row = fresh_row(organization, project_index, kind, now);
            let id = organization.items.push(row);
            *organization.items.details_mut(id) = details;
            let change = ItemChange { id, fields: new.fields.clone(), ..ItemChange::default() };
            change_item(world, index, &change)?;
            Ok(id)
        })
    }

    /// Updates, moves, retypes, deletes or restores a work item; its revision goes up by one.
    pub fn change_work_item(&self, change: &ItemChange) -> Result<(), ControlError> {
        self.write(change.organization.as_deref().unwrap_or("contoso"), |world, index| {
            change_item(world, index, change)
        })
    }

    /// Sets one field of a work item of `contoso`.
    pub fn set_field(&self, id: u32, field: &str, value: impl Into<Value>) -> Result<(), ControlError> {
        let fields = [(field.to_owned(), value.into())].into();
        self.change_work_item(&ItemChange { id, fields, ..ItemChange::default() })
    }

    /// Puts a work item of `contoso` into the recycle bin.
    pub fn delete_work_item(&self, id: u32) -> Result<(), ControlError> {
        self.change_work_item(&ItemChange { id, deleted: Some(true), ..ItemChange::default() })
    }

    /// Live work items of a project of `contoso`, by id.
    pub fn work_items(&self, project: &str) -> Result<Vec<WorkItemSummary>, ControlError> {
        self.read("contoso", |world, organization| {
            let project = find_project(organization, project)?;
            let rows = organization.items.from(1);
            let rows = rows.filter(|(_, row)| usize::from(row.project) == project && row.presence == Presence::Live);
            let summary = |(id, row)| {
                let view = ItemView::new(world.seed, organization, id, row);
                WorkItemSummary {
                    id,
                    rev: row.rev,
                    project: view.project.name.clone(),
                    kind: view.kind.name.clone(),
                    state: organization.items.state_name(row.state).to_owned(),
                    iteration: view.project.nodes.get(&row.iteration).map_or(String::new(), |node| node.path.clone()),
                    parent: row.parent,
                }
            };
            Ok(rows.map(summary).collect())
        })?
    }
}

/// The row of a new item, at the roots of its project and with revision 0.
pub(crate) fn fresh_row(organization: &mut Organization, project: usize, kind: usize, now: i64) -> Row {
    let owner = &organization.projects[project];
    let (area, iteration, process) = (owner.area_root, owner.iteration_root, owner.process);
    let first = organization.processes[process].types[kind].states.first();
    let state = first.map_or(String::new(), |state| state.name.clone());
    Row {
        project: u16::try_from(project).unwrap_or(u16::MAX),
        kind: u16::try_from(kind).unwrap_or(u16::MAX),
        state: organization.items.intern_state(&state),
        rev: 0,
        iteration,
        area,
        parent: 0,
        created: now,
        changed: now,
        presence: Presence::Live,
        written: true,
    }
}

/// What a new item has before anything is written: its author and the defaults of its type.
pub(crate) fn fresh_details(kind: &WorkItemType, author: &Value) -> Details {
    let mut details = Details::default();
    for used in kind.fields.iter().filter(|used| used.field != fields::STATE) {
        if let Some(default) = &used.default {
            let value = match used.field {
                fields::PRIORITY => default.parse::<i64>().map_or(Value::Null, Value::from),
                _ => Value::from(default.as_str()),
            };
            details.fields.insert(used.field, value);
        }
    }
    for field in [fields::CREATED_BY, fields::CHANGED_BY, fields::AUTHORIZED_AS] {
        details.fields.insert(field, author.clone());
    }
    details
}

fn change_item(world: &mut World, index: usize, change: &ItemChange) -> Result<(), ControlError> {
    let now = world.now().as_millisecond();
    let organization = &mut world.organizations[index];
    let missing = || ControlError::not_found("work item", change.id.to_string());
    let mut row = organization.items.get(change.id).ok_or_else(missing)?.clone();
    if row.presence == Presence::Destroyed {
        return Err(missing());
    }
    if let Some(key) = &change.project {
        let project = find_project(organization, key)?;
        let target = &organization.projects[project];
        row.project = u16::try_from(project).unwrap_or(u16::MAX);
        (row.area, row.iteration) = (target.area_root, target.iteration_root);
    }
    let project = &organization.projects[usize::from(row.project)];
    if let Some(name) = &change.kind {
        let process = &organization.processes[project.process];
        let kind = process.find_type(name).ok_or_else(|| ControlError::not_found("work item type", name))?;
        row.kind = u16::try_from(kind).unwrap_or(u16::MAX);
    }
    for (name, value) in &change.fields {
        let field = organization.field(name).ok_or_else(|| ControlError::not_found("field", name))?;
        apply_field(organization, &mut row, change.id, field, value)?;
    }
    if let Some(deleted) = change.deleted {
        row.presence = if deleted { Presence::Deleted } else { Presence::Live };
    }
    if change.destroyed {
        row.presence = Presence::Destroyed;
    }
    row.rev += 1;
    row.changed = now;
    if let Some(slot) = organization.items.get_mut(change.id) {
        *slot = row;
    }
    Ok(())
}

/// Writes one field, into the row where it lives there.
pub(crate) fn apply_field(
    organization: &mut Organization,
    row: &mut Row,
    id: u32,
    field: fields::FieldIndex,
    value: &Value,
) -> Result<(), ControlError> {
    let project = &organization.projects[usize::from(row.project)];
    let text = value.as_str().unwrap_or_default();
    let node = |structure| {
        let found = project.node_of_path(structure, text);
        found.map(|node| node.id).ok_or_else(|| ControlError::not_found("node", text))
    };
    match field {
        fields::STATE => row.state = organization.items.intern_state(text),
        fields::ITERATION_PATH => row.iteration = node(Structure::Iteration)?,
        fields::AREA_PATH => row.area = node(Structure::Area)?,
        fields::PARENT => row.parent = value.as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or(0),
        fields::ID | fields::REV | fields::WORK_ITEM_TYPE | fields::TEAM_PROJECT => {
            return Err(ControlError::Invalid("this field is not written as a field".to_owned()));
        }
        _ => {
            organization.items.details_mut(id).fields.insert(field, value.clone());
        }
    }
    Ok(())
}

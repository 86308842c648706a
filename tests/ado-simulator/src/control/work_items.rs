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
use crate::state::project::{Node, Structure};

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
    /// Values that are shown of these fields from now on, whatever their types and whatever the item has.
    pub shown: BTreeMap<String, Value>,
    /// Into the recycle bin (true) or out of it (false).
    pub deleted: Option<bool>,
    /// Destroys it for good.
    pub destroyed: bool,
    /// Its new revision number, above the present one; the next number if left out. At 10,000 clients can no longer
    /// write the item (`ado-api.md` §5).
    pub rev: Option<u16>,
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
            let mut draft = (fresh_row(organization, project_index, kind, now), details);
            write_fields(organization, 0, &mut draft, &new.fields)?;
            let (row, details) = draft;
            Ok(organization.items.add(row, details))
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

    /// Closes work items of `contoso` to all callers, as when they lose the right to read an area: nothing tells of that.
    pub fn hide_work_items(&self, ids: &[u32]) -> Result<(), ControlError> {
        self.set_presence(ids, Presence::Live, Presence::Unreadable)
    }

    /// Lets callers read hidden work items of `contoso` again.
    pub fn show_work_items(&self, ids: &[u32]) -> Result<(), ControlError> {
        self.set_presence(ids, Presence::Unreadable, Presence::Live)
    }

    fn set_presence(&self, ids: &[u32], from: Presence, to: Presence) -> Result<(), ControlError> {
        self.write("contoso", |world, index| {
            let items = &mut world.organizations[index].items;
            for id in ids {
                if items.get(*id).is_none_or(|row| row.presence != from) {
                    return Err(ControlError::not_found("work item", id.to_string()));
                }
                items.set_presence(*id, to);
            }
            Ok(())
        })
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

/// The row of a new item, at the roots of its project and without a revision.
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
        watermark: 0,
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

/// Makes one change; the revision goes up.
pub(super) fn change_item(world: &mut World, index: usize, change: &ItemChange) -> Result<(), ControlError> {
    let now = world.now().as_millisecond();
    let organization = &mut world.organizations[index];
    let missing = || ControlError::not_found("work item", change.id.to_string());
    let mut row = organization.items.get(change.id).ok_or_else(missing)?.clone();
    if row.presence == Presence::Destroyed {
        return Err(missing());
    }
    let target = change.project.as_deref().map(|key| find_project(organization, key)).transpose()?;
    if let Some(project) = target {
        move_to(organization, &mut row, project, change.kind.as_deref())?;
    } else if let Some(name) = &change.kind {
        row.kind = kind_in(organization, usize::from(row.project), name)?;
    }
    let written = !change.fields.is_empty() || !change.shown.is_empty();
    let details = written.then(|| organization.items.details(change.id).cloned().unwrap_or_default());
    let mut draft = (row, details.unwrap_or_default());
    write_fields(organization, change.id, &mut draft, &change.fields)?;
    let (mut row, mut details) = draft;
    for (name, value) in &change.shown {
        let field = organization.field(name).ok_or_else(|| ControlError::not_found("field", name))?;
        details.fields.insert(field, value.clone());
    }
    if let Some(deleted) = change.deleted {
        row.presence = if deleted { Presence::Deleted } else { Presence::Live };
    }
    if change.destroyed {
        row.presence = Presence::Destroyed;
    }
    let rev = change.rev.unwrap_or(row.rev.saturating_add(1));
    if rev <= row.rev {
        return Err(ControlError::Invalid(format!("the item has revision {} already", row.rev)));
    }
    (row.rev, row.changed) = (rev, now);
    organization.items.save(change.id, row, written.then_some(details));
    Ok(())
}

/// Into the roots of another project, whose process must have the type.
fn move_to(organization: &Organization, row: &mut Row, project: usize, kind: Option<&str>) -> Result<(), ControlError> {
    let process = organization.process_of(&organization.projects[usize::from(row.project)]);
    let own = &process.types[usize::from(row.kind)].name;
    row.kind = kind_in(organization, project, kind.unwrap_or(own))?;
    let target = &organization.projects[project];
    row.project = u16::try_from(project).unwrap_or(u16::MAX);
    (row.area, row.iteration) = (target.area_root, target.iteration_root);
    Ok(())
}

/// The index of a type in the process of a project.
fn kind_in(organization: &Organization, project: usize, name: &str) -> Result<u16, ControlError> {
    let kind = organization.process_of(&organization.projects[project]).find_type(name);
    let kind = kind.ok_or_else(|| ControlError::not_found("work item type", name))?;
    Ok(u16::try_from(kind).unwrap_or(u16::MAX))
}

/// Writes fields of an item (id 0: one that is not there yet) into its row and details.
fn write_fields(
    organization: &mut Organization,
    id: u32,
    (row, details): &mut (Row, Details),
    values: &BTreeMap<String, Value>,
) -> Result<(), ControlError> {
    for (name, value) in values {
        let field = organization.field(name).ok_or_else(|| ControlError::not_found("field", name))?;
        if field == fields::PARENT {
            row.parent = parent_of(organization, id, value)?;
        } else if !apply_row_field(organization, row, field, value)? {
            details.fields.insert(field, value.clone());
        }
    }
    Ok(())
}

/// A parent as a test names it: an existing item that is not below `id`; 0 and null stand for none.
fn parent_of(organization: &Organization, id: u32, value: &Value) -> Result<u32, ControlError> {
    let parent = value.as_u64().and_then(|parent| u32::try_from(parent).ok()).unwrap_or(0);
    if parent == 0 {
        return Ok(0);
    }
    if !organization.items.is_live(parent) || id != 0 && organization.items.is_within(parent, id) {
        return Err(ControlError::Invalid(format!("{parent} cannot be the parent of {id}")));
    }
    Ok(parent)
}

/// Writes a field that lives in the row; false for any other field.
pub(crate) fn apply_row_field(
    organization: &mut Organization,
    row: &mut Row,
    field: fields::FieldIndex,
    value: &Value,
) -> Result<bool, ControlError> {
    let project = &organization.projects[usize::from(row.project)];
    let text = value.as_str().unwrap_or_default();
    let of_path = |structure| project.node_of_path(structure, text);
    let of_id = |structure| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok())?;
        project.nodes.get(&id).filter(|node| node.structure == structure)
    };
    let found = |node: Option<&Node>| {
        node.map(|node| node.id).ok_or_else(|| ControlError::not_found("node", value.to_string()))
    };
    match field {
        fields::STATE => row.state = organization.items.intern_state(text),
        fields::ITERATION_PATH => row.iteration = found(of_path(Structure::Iteration))?,
        fields::ITERATION_ID => row.iteration = found(of_id(Structure::Iteration))?,
        fields::AREA_PATH => row.area = found(of_path(Structure::Area))?,
        fields::AREA_ID => row.area = found(of_id(Structure::Area))?,
        fields::ID | fields::REV | fields::WORK_ITEM_TYPE | fields::TEAM_PROJECT => {
            return Err(ControlError::Invalid("this field is not written as a field".to_owned()));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

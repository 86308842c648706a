//! Creating and updating work items, for real or with `validateOnly`.

use http::StatusCode;
use serde_json::Value;

use super::patch::{self, Changes};
use super::relations::Ends;
use super::view::{Shape, Shown};
use super::{read, rules};
use crate::api::{Call, Outcome, types};
use crate::control::{apply_row_field, fresh_details, fresh_row};
use crate::envelope::Refusal;
use crate::quirks::ProbeOrder;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::item_values::ItemView;
use crate::state::items::{Details, Row};
use crate::state::links::End;
use crate::state::organization::Organization;
use crate::state::permissions::{self, PROJECT, Right};

/// An item as it would be after a change.
struct Draft {
    row: Row,
    details: Details,
    ends: Ends,
}

/// Revisions of an item beyond which it can no longer be written (`ado-api.md` §5).
const MOST_REVISIONS: u16 = 10_000;

pub(crate) fn create(call: &Call<'_>, world: &mut World) -> Outcome {
    let project = call.visible_project(world, call.parameter("project").unwrap_or_default())?;
    let allowed = check_write(call, world, project);
    if call.quirks.probe_order == ProbeOrder::ScopeFirst {
        allowed.clone()?;
    }
    let now = world.now().as_millisecond();
    let organization = &world.organizations[call.organization];
    let name = call.parameter("type").unwrap_or_default();
    let kind = organization.process_of(&organization.projects[project]).find_type(name);
    let kind = kind.ok_or_else(|| types::no_type(name, &organization.projects[project]))?;
    let changes = patch::read(organization, call.body)?;
    rules::check_values(organization, &organization.projects[project], &changes.fields)?;
    let author = call.identity(world)?.reference.clone();
    let organization = &mut world.organizations[call.organization];
    let process = organization.projects[project].process;
    let details = fresh_details(&organization.processes[process].types[kind], &author);
    let ends = Ends::of(&organization.items, 0);
    let mut draft = Draft { row: fresh_row(organization, project, kind, now), details, ends };
    draft.row.rev = 1;
    apply(call, organization, 0, &mut draft, &changes)?;
    let view = ItemView::with_details(call.seed, organization, 0, &draft.row, Some(&draft.details));
    rules::check_item(&view, call.quirks.all_values_suggested)?;
    allowed?;
    if call.dry || call.flag("validateOnly") {
        return Ok(shown(call, view, Some(draft.ends.now()), true));
    }
    // The links come with the item, the parent among them.
    draft.row.parent = 0;
    let id = organization.items.add(draft.row, draft.details);
    draft.ends.save(&mut organization.items, id, now);
    saved(call, world, id)
}

pub(crate) fn update(call: &Call<'_>, world: &mut World) -> Outcome {
    call.project_index(world)?;
    let id = call.id("id");
    let view = read::find(call, world, id)?;
    let (project, before) = (usize::from(view.row.project), view.row.clone());
    let details = view.details.cloned().unwrap_or_default();
    let allowed = check_write(call, world, project);
    if call.quirks.probe_order == ProbeOrder::ScopeFirst {
        allowed.clone()?;
    }
    let now = world.now().as_millisecond();
    let author = call.identity(world)?.reference.clone();
    let organization = &mut world.organizations[call.organization];
    let changes = patch::read(organization, call.body)?;
    check_revision(&before, &changes)?;
    rules::check_values(organization, &organization.projects[project], &changes.fields)?;
    let ends = Ends::of(&organization.items, id);
    let mut draft = Draft { row: before, details, ends };
    apply(call, organization, id, &mut draft, &changes)?;
    // Links alone leave revision and date as they are (recorded).
    let revised = !changes.fields.is_empty();
    if revised {
        check_revisions(&draft.row)?;
        draft.row.rev += 1;
        draft.row.changed = now;
        draft.details.fields.insert(fields::CHANGED_BY, author);
    }
    let view = ItemView::with_details(call.seed, organization, id, &draft.row, Some(&draft.details));
    rules::check_item(&view, call.quirks.all_values_suggested)?;
    allowed?;
    if call.dry || call.flag("validateOnly") {
        return Ok(shown(call, view, Some(draft.ends.now()), false));
    }
    if revised {
        draft.row.parent = organization.items.get(id).map_or(0, |row| row.parent);
        organization.items.save(id, draft.row, Some(draft.details));
    } else {
        organization.items.set_details(id, draft.details);
    }
    draft.ends.save(&mut organization.items, id, now);
    saved(call, world, id)
}

/// Whether the caller may save here; a check of the rules only asks for it if the switch says so.
fn check_write(call: &Call<'_>, world: &World, project: usize) -> Result<(), Refusal> {
    let identity = call.identity(world)?;
    let project = &call.organization(world).projects[project];
    let asked = !call.flag("validateOnly") || call.quirks.validate_only_checks_permission;
    if asked && !permissions::may(identity, Right::WriteWorkItems, project) {
        let message =
            "TF237111: The current user does not have permissions to save work items under the specified area path.";
        return Err(Refusal::tracking(StatusCode::FORBIDDEN, "WorkItemUnauthorizedAccessException", message));
    }
    let token = format!("$PROJECT:vstfs:///Classification/TeamProject/{}", project.id);
    for (flag, bit, name) in [
        ("bypassRules", 1_048_576, "Bypass rules on work item updates"),
        ("suppressNotifications", 2_097_152, "Suppress notifications for work item updates"),
    ] {
        if call.flag(flag) && permissions::effective(identity, PROJECT, &token) & bit == 0 {
            return Err(Refusal::access_denied(&identity.display_name, name));
        }
    }
    Ok(())
}

/// A failing test of `/rev` gives 412 (`ado-api.md` §3).
fn check_revision(row: &Row, changes: &Changes) -> Result<(), Refusal> {
    match changes.revision {
        Some(expected) if expected != i64::from(row.rev) => Err(Refusal::tracking(
            StatusCode::PRECONDITION_FAILED,
            "TestPatchOperationFailedException",
            "VS403351: Test Operation for path /rev failed. Operation was performed on an item that has since changed.",
        )),
        _ => Ok(()),
    }
}

/// An item with the most revisions is refused with 500, for good.
fn check_revisions(row: &Row) -> Result<(), Refusal> {
    if row.rev < MOST_REVISIONS {
        return Ok(());
    }
    let message = format!("VS402650: The work item has the limit of {MOST_REVISIONS} revisions and cannot be updated.");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Err(Refusal::tracking(status, "WorkItemRevisionLimitExceededException", message))
}

fn apply(
    call: &Call<'_>,
    organization: &mut Organization,
    id: u32,
    draft: &mut Draft,
    changes: &Changes,
) -> Result<(), Refusal> {
    for (field, value) in &changes.fields {
        let in_row = apply_row_field(organization, &mut draft.row, *field, value);
        if !in_row.map_err(|error| Refusal::argument(error.to_string()))? {
            let value = normal(organization, *field, value)?;
            draft.details.fields.insert(*field, value);
        }
    }
    draft.ends.patch(call, organization, id, &mut draft.details.relations, changes)?;
    draft.row.parent = draft.ends.parent();
    Ok(())
}

/// A value as it is kept: identities as objects, numbers as numbers.
fn normal(organization: &Organization, field: fields::FieldIndex, value: &Value) -> Result<Value, Refusal> {
    let kind = organization.fields[usize::from(field)].kind;
    match (kind, value) {
        (fields::FieldType::Identity, Value::String(name)) if !name.is_empty() => {
            let found = organization.identity_named(name);
            found.map(|identity| identity.reference.clone()).ok_or_else(|| {
                Refusal::argument(format!(
                    "The identity value '{name}' for field '{}' is an unknown identity.",
                    organization.fields[usize::from(field)].name
                ))
            })
        }
        (fields::FieldType::Integer, Value::String(text)) => {
            Ok(text.trim().parse::<i64>().map_or(Value::Null, Value::from))
        }
        (fields::FieldType::Double, Value::String(text)) => {
            Ok(text.trim().parse::<f64>().map_or(Value::Null, Value::from))
        }
        (_, Value::String(text)) if text.is_empty() => Ok(Value::Null),
        _ => Ok(value.clone()),
    }
}

fn shown(call: &Call<'_>, view: ItemView<'_>, ends: Option<&[End]>, draft: bool) -> Reply {
    let expand = call.query("$expand").unwrap_or("none").to_lowercase();
    let shape = Shape {
        fields: None,
        expanded: matches!(expand.as_str(), "all" | "fields"),
        // A write answers with the relations that there are (recorded).
        relations: true,
        links: true,
        short_url: false,
        draft,
    };
    Reply::json(&Shown { call, view, shape: &shape, ends })
}

fn saved(call: &Call<'_>, world: &World, id: u32) -> Outcome {
    let view = ItemView::of(call.seed, call.organization(world), id).ok_or_else(|| Refusal::no_work_item(id))?;
    Ok(shown(call, view, None, false))
}

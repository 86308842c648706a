//! The recycle bin (`ado-api.md` §9). No live answer is recorded; the forms are those of the description.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::quirks::RecycleBinForm;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::item_values::{FieldValue, ItemView};
use crate::state::items::{Presence, Row};

/// `GET …/recyclebin`, of a project or of all; with `ids` only those.
pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project_index(world)?;
    let readable = call.readable(world)?;
    let organization = call.organization(world);
    let there = |row: &Row| {
        let owner = usize::from(row.project);
        row.presence == Presence::Deleted && readable[owner] && project.is_none_or(|project| project == owner)
    };
    let view = |id, row| ItemView::new(call.seed, organization, id, row);
    if let Some(ids) = call.list("ids") {
        let ids = ids.iter().filter_map(|text| text.parse().ok());
        let found = ids.filter_map(|id| Some((id, organization.items.get(id).filter(|row| there(row))?)));
        return Ok(Reply::list(&found.map(|(id, row)| in_full(call, &view(id, row))).collect::<Vec<_>>()));
    }
    let deleted: Vec<ItemView<'_>> =
        organization.items.from(1).filter(|(_, row)| there(row)).map(|(id, row)| view(id, row)).collect();
    let limit = call.quirks.recycle_bin_limit as usize;
    if deleted.len() > limit {
        return Err(too_many(limit));
    }
    let shallow = |view: &ItemView<'_>| json!({"id": view.id, "url": url(call, view)});
    Ok(match call.quirks.recycle_bin_form {
        RecycleBinForm::Detailed => Reply::list(&deleted.iter().map(|view| detailed(call, view)).collect::<Vec<_>>()),
        RecycleBinForm::Shallow => Reply::list(&deleted.iter().map(shallow).collect::<Vec<_>>()),
        RecycleBinForm::BareArray => {
            let text = |view: &ItemView<'_>| json!({"id": view.id.to_string(), "url": url(call, view)});
            Reply::json(&deleted.iter().map(text).collect::<Vec<_>>())
        }
    })
}

/// VS402337 (`ado-api.md` §5).
fn too_many(limit: usize) -> Refusal {
    let message = format!(
        "VS402337: The number of work items returned exceeds the size limit of {limit}. Change the query to return fewer items."
    );
    Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemTrackingQueryResultSizeLimitExceededException", message)
}

fn url(call: &Call<'_>, view: &ItemView<'_>) -> String {
    format!("{}/_apis/wit/recyclebin/{}", call.project_base(view.project), view.id)
}

/// The last change of an item in the recycle bin is the deletion.
fn detailed(call: &Call<'_>, view: &ItemView<'_>) -> Value {
    let text = |field| match view.value(field) {
        Some(FieldValue::Text(text)) => Some(text.into_owned()),
        Some(FieldValue::Json(Value::String(text))) => Some(text.clone()),
        _ => None,
    };
    let person = match view.value(fields::CHANGED_BY) {
        Some(FieldValue::Json(person)) => super::person_text(person),
        _ => String::new(),
    };
    json!({
        "id": view.id,
        "type": view.kind.name,
        "name": text(fields::TITLE),
        "project": view.project.name,
        "deletedDate": view.value(fields::CHANGED_DATE),
        "deletedBy": person,
        "url": url(call, view),
    })
}

/// Asked by id, each has a code of its own.
fn in_full(call: &Call<'_>, view: &ItemView<'_>) -> Value {
    let mut value = detailed(call, view);
    if let Some(members) = value.as_object_mut() {
        members.insert("code".to_owned(), json!(200));
    }
    value
}

//! Reading work items.

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::view::{Shape, Shown};
use crate::api::{Call, Outcome, fields as field_api};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::item_values::ItemView;
use crate::state::items::Presence;
use crate::state::organization::Organization;

/// Items in one request (`ado-api.md` §5).
const MOST: usize = 200;

/// What a read of several items asks for.
struct Wish {
    ids: Vec<u32>,
    fields: Option<Vec<String>>,
    expand: String,
    omit: bool,
    as_of: bool,
}

pub(crate) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let texts = |name: &str| call.list(name).map(|parts| parts.into_iter().map(str::to_owned).collect());
    let ids = call.list("ids").unwrap_or_default();
    many(
        call,
        world,
        &Wish {
            ids: ids.iter().filter_map(|text| text.parse().ok()).collect(),
            fields: texts("fields"),
            expand: call.query("$expand").unwrap_or("none").to_lowercase(),
            omit: call.query("errorPolicy").is_some_and(|policy| policy.eq_ignore_ascii_case("omit")),
            as_of: call.query("asOf").is_some(),
        },
    )
}

pub(crate) fn batch(call: &Call<'_>, world: &World) -> Outcome {
    let text = |name: &str| call.member(name).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let ids = call.member("ids").and_then(Value::as_array).cloned().unwrap_or_default();
    let fields = call.member("fields").and_then(Value::as_array);
    let fields = fields.map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    many(
        call,
        world,
        &Wish {
            ids: ids.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()).collect(),
            fields,
            expand: text("$expand"),
            omit: text("errorPolicy") == "omit",
            as_of: call.member("asOf").is_some_and(|value| !value.is_null()),
        },
    )
}

/// A list in which omitted items are null.
#[derive(Serialize)]
struct List<'a> {
    count: usize,
    value: Vec<Option<Shown<'a>>>,
}

fn many(call: &Call<'_>, world: &World, wish: &Wish) -> Outcome {
    if wish.ids.len() > MOST {
        let message =
            format!("VS403474: You have requested {} work items which exceeds the limit of {MOST}.", wish.ids.len());
        return Err(Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemTrackingArgumentException", message));
    }
    if wish.ids.is_empty() {
        return Err(Refusal::argument("The list of work item ids is empty. Parameter name: ids"));
    }
    if wish.as_of {
        return Err(Refusal::not_implemented("reading work items asOf a date"));
    }
    call.project_index(world)?;
    let organization = call.organization(world);
    let shape = shape(organization, wish, call.parameter("project").is_none())?;
    let readable = call.readable(world)?;
    let mut shown = Vec::with_capacity(wish.ids.len());
    for id in &wish.ids {
        let view = ItemView::of(call.seed, organization, *id).filter(|view| allowed(&readable, view));
        match view {
            Some(view) => shown.push(Some(Shown { call, view, shape: &shape, ends: None })),
            None if wish.omit => shown.push(None),
            None => return Err(Refusal::no_work_item(*id)),
        }
    }
    Ok(Reply::json(&List { count: shown.len(), value: shown }))
}

fn shape(organization: &Organization, wish: &Wish, without_project: bool) -> Result<Shape, Refusal> {
    let expand = wish.expand.as_str();
    if wish.fields.is_some() && !matches!(expand, "" | "none" | "links") {
        let message = "The expand parameter can not be used with the fields parameter.";
        return Err(Refusal::tracking(StatusCode::BAD_REQUEST, "ConflictingParametersException", message));
    }
    let names = wish.fields.as_ref().map(|names| {
        let find =
            |name: &String| organization.field(name).ok_or_else(|| field_api::unknown(StatusCode::BAD_REQUEST, name));
        names.iter().map(find).collect::<Result<Vec<_>, _>>()
    });
    Ok(Shape {
        short_url: wish.fields.is_some() && without_project,
        fields: names.transpose()?,
        expanded: matches!(expand, "all" | "fields"),
        relations: matches!(expand, "all" | "relations"),
        links: matches!(expand, "all" | "links"),
        draft: false,
    })
}

pub(crate) fn get(call: &Call<'_>, world: &World) -> Outcome {
    call.project_index(world)?;
    let wish = Wish {
        ids: Vec::new(),
        fields: call.list("fields").map(|parts| parts.into_iter().map(str::to_owned).collect()),
        expand: call.query("$expand").unwrap_or("none").to_lowercase(),
        omit: false,
        as_of: call.query("asOf").is_some(),
    };
    if wish.as_of {
        return Err(Refusal::not_implemented("reading work items asOf a date"));
    }
    let organization = call.organization(world);
    let mut shape = shape(organization, &wish, call.parameter("project").is_none())?;
    // A single item has its links without being asked for them (recorded).
    shape.links = wish.fields.is_none();
    let view = find(call, world, call.id("id"))?;
    Ok(Reply::json(&Shown { call, view, shape: &shape, ends: None }))
}

/// The item of an id that the caller may read, else TF401232.
pub(super) fn find<'w>(call: &Call<'_>, world: &'w World, id: u32) -> Result<ItemView<'w>, Refusal> {
    let readable = call.readable(world)?;
    let view = ItemView::of(call.seed, call.organization(world), id).filter(|view| allowed(&readable, view));
    view.ok_or_else(|| Refusal::no_work_item(id))
}

/// Items in the recycle bin are not read, nor those of projects that the caller may not read.
fn allowed(readable: &[bool], view: &ItemView<'_>) -> bool {
    view.row.presence == Presence::Live && readable[usize::from(view.row.project)]
}

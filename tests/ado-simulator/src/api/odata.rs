//! Analytics: the one entity set that the scope probe reads (`ado-api.md` §12). Shapes are those of `OData`, not recorded.

use serde_json::{Map, Value, json};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::identity::AccessLevel;
use crate::state::item_values::ItemView;
use crate::state::items::Presence;
use crate::state::permissions::{self, Right};

/// Columns by name, and the field that each shows.
const COLUMNS: &[(&str, fields::FieldIndex)] = &[
    ("WorkItemId", fields::ID),
    ("Title", fields::TITLE),
    ("WorkItemType", fields::WORK_ITEM_TYPE),
    ("State", fields::STATE),
];

/// The most rows of a page.
const PAGE: usize = 10_000;

pub(super) fn work_items(call: &Call<'_>, world: &World) -> Outcome {
    let version = call.parameter("version").unwrap_or_default().to_lowercase();
    if !["v1.0", "v2.0", "v3.0-preview", "v4.0-preview"].contains(&version.as_str()) {
        return Err(Refusal::argument(format!("VS403483: The OData version '{version}' is not supported.")));
    }
    if call.query("$filter").or(call.query("$orderby")).is_some() {
        return Err(Refusal::not_implemented("$filter and $orderby of Analytics"));
    }
    let organization = call.organization(world);
    let identity = call.identity(world)?;
    let scope = call.project_index(world)?;
    let readable = |index: usize| {
        let project = &organization.projects[index];
        scope.is_none_or(|scope| scope == index)
            && [Right::ViewProject, Right::ViewAnalytics]
                .iter()
                .all(|right| permissions::may(identity, *right, project))
    };
    let allowed: Vec<bool> = (0..organization.projects.len()).map(readable).collect();
    if identity.access_level == AccessLevel::Stakeholder || !allowed.contains(&true) {
        return Err(Refusal::access_denied(&identity.display_name, "View analytics"));
    }
    let columns = columns(call)?;
    let rows = organization
        .items
        .from(1)
        .filter(|(_, row)| row.presence == Presence::Live && allowed[usize::from(row.project)]);
    let (skip, top) = (call.number("$skip").unwrap_or(0), call.number("$top").unwrap_or(PAGE).min(PAGE));
    let count = call.flag("$count").then(|| rows.clone().count());
    let values: Vec<Value> = rows
        .skip(skip)
        .take(top)
        .map(|(id, row)| {
            let view = ItemView::new(call.seed, organization, id, row);
            let cells = columns.iter().map(|(name, field)| ((*name).to_owned(), json!(view.value(*field))));
            Value::Object(cells.collect())
        })
        .collect();
    let body = serde_json::to_vec(&envelope(call, count, values)).unwrap_or_default();
    Ok(Reply::text(http::StatusCode::OK, "application/json; odata.metadata=minimal; odata.streaming=true", body))
}

fn columns(call: &Call<'_>) -> Result<Vec<&'static (&'static str, fields::FieldIndex)>, Refusal> {
    let Some(selected) = call.list("$select") else { return Ok(COLUMNS.iter().collect()) };
    let find = |name: &str| {
        let found = COLUMNS.iter().find(|(column, _)| *column == name);
        found.ok_or_else(|| Refusal::argument(format!("TF51535: the property '{name}' does not exist in Analytics.")))
    };
    selected.into_iter().map(find).collect()
}

fn envelope(call: &Call<'_>, count: Option<usize>, values: Vec<Value>) -> Value {
    let path = call.target.raw_path.rsplit_once('/').map_or("", |(path, _)| path);
    let origin = call.base().split('/').take(3).collect::<Vec<_>>().join("/");
    let mut members = Map::new();
    members.insert("@odata.context".to_owned(), json!(format!("{origin}{path}/$metadata#WorkItems")));
    if let Some(count) = count {
        members.insert("@odata.count".to_owned(), json!(count));
    }
    members.insert("value".to_owned(), Value::Array(values));
    Value::Object(members)
}

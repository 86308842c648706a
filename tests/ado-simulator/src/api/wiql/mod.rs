//! WIQL over work items (`ado-api.md` §9): parse, resolve, run.

mod compile;
mod parse;
mod predicate;
mod tokens;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::types::field_reference;
use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields::{self, FieldIndex};
use crate::state::item_values::{FieldValue, ItemView};
use crate::state::items::Presence;
use crate::state::organization::Organization;
use parse::{Query, Sort};
use predicate::Predicate;

/// The longest query (`ado-api.md` §5).
const LONGEST: usize = 32_000;

/// Why a query is refused.
pub(super) enum QueryError {
    /// It is wrong: 400.
    Invalid(String),
    /// The service knows it, the simulator does not: 501.
    Unsupported(String),
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(message) => {
                Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemTrackingQueryException", message)
            }
            QueryError::Unsupported(what) => Refusal::not_implemented(&format!("WIQL with {what}")),
        }
    }
}

pub(super) fn query(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let project = call.project_index(world)?;
    let text = call.body.get("query").and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() || text.len() > LONGEST {
        return Err(QueryError::Invalid("TF51006: The query statement is missing or too long.".to_owned()).into());
    }
    let query = parse::parse(text)?;
    let context = compile::Context {
        organization,
        identity: call.identity(world)?,
        project,
        time_precision: call.flag("timePrecision"),
        now: world.now(),
    };
    let predicate = compile::compile(&query.condition, &context)?;
    let columns = resolve(organization, &query.columns)?;
    let sorts = query.sorts.iter().map(|sort| Ok((find_field(organization, &sort.field)?, sort)));
    let sorts = sorts.collect::<Result<Vec<_>, QueryError>>()?;
    let ids = run(call, world, &predicate, &sorts)?;
    Ok(result(call, world, &query, &columns, &sorts, &ids))
}

/// The field of a name, or TF51005.
fn find_field(organization: &Organization, name: &str) -> Result<FieldIndex, QueryError> {
    organization.field(name).ok_or_else(|| {
        QueryError::Invalid(format!(
            "TF51005: The query references a field that does not exist. The error is caused by «[{name}]»."
        ))
    })
}

fn resolve(organization: &Organization, names: &[String]) -> Result<Vec<FieldIndex>, QueryError> {
    names.iter().map(|name| find_field(organization, name)).collect()
}

/// Ids of the items that fit, sorted, within the limits on results.
fn run(
    call: &Call<'_>,
    world: &World,
    predicate: &Predicate,
    sorts: &[(FieldIndex, &Sort)],
) -> Result<Vec<u32>, Refusal> {
    let organization = call.organization(world);
    // Items that the caller may not read are left out silently.
    let readable = call.readable(world)?;
    let top = call.number("$top");
    let limit = call.quirks.wiql_result_limit as usize;
    let by_id = matches!(sorts, [] | [(fields::ID, Sort { descending: false, .. })]);
    // One more than may be given shows that there are too many.
    let enough = match top {
        Some(top) if by_id && top < limit && call.quirks.wiql_top_avoids_size_limit => top,
        _ => limit + 1,
    };
    let rows = organization.items.from(predicate.first_id());
    let rows = rows.filter(|(_, row)| row.presence == Presence::Live && readable[usize::from(row.project)]);
    let views = rows.map(|(id, row)| ItemView::new(call.seed, organization, id, row));
    let found = views.filter(|view| predicate.holds(view));
    let mut found: Vec<ItemView<'_>> = if by_id { found.take(enough).collect() } else { found.collect() };
    if found.len() > limit && !(top.is_some_and(|top| top < limit) && call.quirks.wiql_top_avoids_size_limit) {
        if !call.quirks.wiql_truncates_silently {
            return Err(too_many(limit));
        }
        found.truncate(limit);
    }
    sort(&mut found, sorts);
    found.truncate(top.unwrap_or(usize::MAX));
    Ok(found.iter().map(|view| view.id).collect())
}

/// VS402337 (`ado-api.md` §9).
fn too_many(limit: usize) -> Refusal {
    let message = format!(
        "VS402337: The number of work items returned exceeds the size limit of {limit}. Change the query to return fewer items."
    );
    Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemTrackingQueryResultSizeLimitExceededException", message)
}

fn sort(found: &mut [ItemView<'_>], sorts: &[(FieldIndex, &Sort)]) {
    for (field, sort) in sorts.iter().rev() {
        let key = |view: &ItemView<'_>| sort_key(view.value(*field));
        found.sort_by(|a, b| {
            let order = key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal);
            if sort.descending { order.reverse() } else { order }
        });
    }
}

/// Something comparable; empty values come first.
fn sort_key(value: Option<FieldValue<'_>>) -> (u8, f64, String) {
    match value {
        None => (0, 0.0, String::new()),
        #[allow(clippy::cast_precision_loss, reason = "ids and dates are below 2^53")]
        Some(FieldValue::Integer(number)) => (1, number as f64, String::new()),
        Some(FieldValue::Number(number)) => (1, number, String::new()),
        #[allow(clippy::cast_precision_loss, reason = "milliseconds are below 2^53")]
        Some(FieldValue::Date(date)) => (1, date.as_millisecond() as f64, String::new()),
        Some(FieldValue::Boolean(value)) => (1, f64::from(u8::from(value)), String::new()),
        Some(FieldValue::Text(text)) => (2, 0.0, text.to_lowercase()),
        Some(FieldValue::Json(value)) => (2, value.as_f64().unwrap_or(0.0), predicate::text_of(value).to_lowercase()),
    }
}

/// The answer to a flat query; `sortColumns` is absent without `ORDER BY` (recorded).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlatResult {
    query_type: &'static str,
    #[serde(rename = "queryResultType")]
    result_type: &'static str,
    as_of: String,
    columns: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sort_columns: Vec<Value>,
    work_items: Vec<Reference>,
}

#[derive(Serialize)]
struct Reference {
    id: u32,
    url: String,
}

fn result(
    call: &Call<'_>,
    world: &World,
    query: &Query,
    columns: &[FieldIndex],
    sorts: &[(FieldIndex, &Sort)],
    ids: &[u32],
) -> Reply {
    let organization = call.organization(world);
    // Without a project in the URL the items' links have none either (recorded).
    let base = match call.project_index(world) {
        Ok(Some(project)) => call.project_base(&organization.projects[project]),
        _ => call.base().to_owned(),
    };
    let items: Vec<Reference> =
        ids.iter().map(|id| Reference { id: *id, url: format!("{base}/_apis/wit/workItems/{id}") }).collect();
    let columns: Vec<Value> = columns.iter().map(|field| field_reference(call, organization, *field)).collect();
    let sort_columns = sorts.iter().map(
        |(field, sort)| json!({"field": field_reference(call, organization, *field), "descending": sort.descending}),
    );
    Reply::json(&FlatResult {
        query_type: "flat",
        result_type: "workItem",
        as_of: query.as_of.clone().unwrap_or_else(|| world.now().to_string()),
        columns,
        sort_columns: sort_columns.collect(),
        work_items: items,
    })
}

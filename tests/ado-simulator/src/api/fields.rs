//! The fields of an organization or a project.

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields::{Field, FieldIndex, FieldType};
use crate::state::organization::Organization;

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let scope = call.project_index(world)?;
    let fields = organization.fields.iter().zip(0u16..);
    let offered = fields.filter(|(_, index)| offered(organization, scope, *index));
    Ok(Reply::list(
        &offered.map(|(field, _)| json_of(call, scope.map(|p| organization.projects[p].id), field)).collect::<Vec<_>>(),
    ))
}

pub(super) fn get(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let scope = call.project_index(world)?;
    let name = call.parameter("fieldNameOrRefName").unwrap_or_default();
    let found = organization.field(name).filter(|index| offered(organization, scope, *index));
    let index = found.ok_or_else(|| unknown(http::StatusCode::NOT_FOUND, name))?;
    let project = scope.map(|project| organization.projects[project].id);
    Ok(Reply::json(&json_of(call, project, &organization.fields[usize::from(index)])))
}

/// TF51535: a field that the organization does not have (`ado-api.md` §9).
pub(super) fn unknown(status: http::StatusCode, name: &str) -> Refusal {
    Refusal::tracking(
        status,
        "WorkItemTrackingFieldDefinitionNotFoundException",
        format!("TF51535: Cannot find field {name}."),
    )
}

/// In a project only what its process uses.
fn offered(organization: &Organization, project: Option<usize>, field: FieldIndex) -> bool {
    let Some(project) = project else { return true };
    let process = organization.process_of(&organization.projects[project]);
    process.types.iter().any(|kind| kind.listed() && kind.field(field).is_some())
}

fn json_of(call: &Call<'_>, project: Option<uuid::Uuid>, field: &Field) -> Value {
    let base = project.map_or_else(|| call.base().to_owned(), |id| format!("{}/{id}", call.base()));
    let operations = operations(field.kind);
    let operations: Vec<Value> = operations
        .iter()
        .map(|(reference, name)| json!({"referenceName": format!("SupportedOperations.{reference}"), "name": name}))
        .collect();
    json!({
        "name": field.name,
        "referenceName": field.reference,
        "type": field.kind.name(),
        "usage": "workItem",
        "readOnly": field.read_only,
        "canSortBy": !field.kind.is_long_text(),
        "isQueryable": true,
        "supportedOperations": operations,
        "isIdentity": field.kind == FieldType::Identity,
        "isPicklist": false,
        "isPicklistSuggested": false,
        "url": format!("{base}/_apis/wit/fields/{}", field.reference),
    })
}

fn operations(kind: FieldType) -> &'static [(&'static str, &'static str)] {
    match kind {
        FieldType::Html | FieldType::PlainText | FieldType::History => {
            &[("ContainsWords", "Contains Words"), ("NotContainsWords", "Does Not Contain Words")]
        }
        FieldType::TreePath => &[("Under", "Under"), ("NotUnder", "Not Under"), ("Equals", "="), ("NotEquals", "<>")],
        FieldType::Integer | FieldType::Double | FieldType::DateTime => &[
            ("Equals", "="),
            ("NotEquals", "<>"),
            ("GreaterThan", ">"),
            ("LessThan", "<"),
            ("GreaterThanEquals", ">="),
            ("LessThanEquals", "<="),
            ("In", "In"),
        ],
        FieldType::String | FieldType::Identity | FieldType::Boolean => {
            &[("Equals", "="), ("NotEquals", "<>"), ("In", "In"), ("NotIn", "Not In"), ("Contains", "Contains")]
        }
    }
}

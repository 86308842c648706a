//! Work item types, their states and fields, and their categories.

use serde_json::{Map, Value, json};

use super::nodes::encode;
use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::catalog::fields::{self, FieldType};
use crate::state::organization::Organization;
use crate::state::process::{CATEGORIES, Process, TypeField, WorkItemType};
use crate::state::project::Project;

/// Where a type is described.
struct Place<'a> {
    call: &'a Call<'a>,
    organization: &'a Organization,
    project: &'a Project,
    process: &'a Process,
}

fn place<'a>(call: &'a Call<'a>, world: &'a World) -> Result<Place<'a>, Refusal> {
    let organization = call.organization(world);
    let project = call.project(world)?;
    Ok(Place { call, organization, project, process: organization.process_of(project) })
}

impl Place<'_> {
    fn kind(&self) -> Result<&WorkItemType, Refusal> {
        let name = self.call.parameter("type").unwrap_or_default();
        let found = self.process.find_type(name).map(|index| &self.process.types[index]);
        found.ok_or_else(|| no_type(name, self.project))
    }

    fn type_url(&self, kind: &WorkItemType) -> String {
        format!("{}/_apis/wit/workItemTypes/{}", self.call.project_base(self.project), encode(&kind.name))
    }
}

/// VS402323: a type that the project does not have.
pub(super) fn no_type(name: &str, project: &Project) -> Refusal {
    let message = format!(
        "VS402323: Work item type {name} does not exist in project {} or you do not have permission to access it.",
        project.name
    );
    Refusal::tracking(http::StatusCode::NOT_FOUND, "WorkItemTypeNotFoundException", message)
}

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    let types = place.process.types.iter().filter(|kind| kind.listed());
    Ok(Reply::list(&types.map(|kind| type_json(&place, kind)).collect::<Vec<_>>()))
}

pub(super) fn get(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    Ok(Reply::json(&type_json(&place, place.kind()?)))
}

pub(super) fn states(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    Ok(Reply::list(&states_json(place.kind()?)))
}

pub(super) fn fields(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    let fields = place.kind()?.fields.iter().map(|field| expanded_field(&place, field));
    Ok(Reply::list(&fields.collect::<Vec<_>>()))
}

pub(super) fn field(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    let kind = place.kind()?;
    let name = call.parameter("field").unwrap_or_default();
    let used = place.organization.field(name).and_then(|index| kind.field(index));
    let used = used.ok_or_else(|| {
        let message =
            format!("TF401324: Work item field {name} is not found in work item type definition {}.", kind.name);
        Refusal::tracking(http::StatusCode::NOT_FOUND, "WorkItemTypeFieldNotFoundException", message)
    })?;
    Ok(Reply::json(&expanded_field(&place, used)))
}

fn states_json(kind: &WorkItemType) -> Vec<Value> {
    let states = kind.states.iter();
    states.map(|s| json!({"name": s.name, "color": s.color(), "category": s.category.name()})).collect()
}

fn type_json(place: &Place<'_>, kind: &WorkItemType) -> Value {
    let icon = format!("{}/_apis/wit/workItemIcons/{}?color={}&v=2", place.call.base(), kind.icon, kind.color);
    let instances: Vec<Value> = kind.fields.iter().map(|field| plain_field(place, field)).collect();
    json!({
        "name": kind.name,
        "referenceName": kind.reference,
        "description": format!("Work items of type {}.", kind.name),
        "color": kind.color,
        "icon": {"id": kind.icon, "url": icon},
        "isDisabled": kind.disabled,
        "xmlForm": format!("<FORM><Layout HideReadOnlyEmptyFields=\"true\"><Group><Column PercentWidth=\"100\"><Control FieldName=\"System.Title\" Type=\"FieldControl\" Label=\"{}\" /></Column></Group></Layout></FORM>", kind.name),
        "fields": instances,
        "fieldInstances": instances,
        "transitions": transitions(kind),
        "states": states_json(kind),
        "url": place.type_url(kind),
    })
}

/// Every state may follow every state; a new item begins in the first.
fn transitions(kind: &WorkItemType) -> Map<String, Value> {
    let to = |name: &String| json!({"to": name, "actions": null});
    let all: Vec<Value> = kind.states.iter().map(|state| to(&state.name)).collect();
    let mut transitions: Map<String, Value> =
        kind.states.iter().map(|state| (state.name.clone(), Value::Array(all.clone()))).collect();
    transitions.insert(String::new(), all.into_iter().take(1).collect());
    transitions
}

/// A field as it stands in the type itself: without allowed values.
fn plain_field(place: &Place<'_>, used: &TypeField) -> Value {
    let field = &place.organization.fields[usize::from(used.field)];
    let url = format!("{}/_apis/wit/fields/{}", place.call.project_base(place.project), field.reference);
    json!({
        "defaultValue": used.default,
        "alwaysRequired": used.required,
        "referenceName": field.reference,
        "name": field.name,
        "url": url,
    })
}

/// A field with what `$expand` asks for. Numbers are texts in `allowedValues` (recorded).
fn expanded_field(place: &Place<'_>, used: &TypeField) -> Value {
    let expand = place.call.query("$expand").unwrap_or("none").to_lowercase();
    let mut value = plain_field(place, used);
    let Some(members) = value.as_object_mut() else { return value };
    if expand == "allowedvalues" || expand == "all" {
        let offered = !used.suggested || place.call.quirks.suggested_values_listed;
        let values = if offered { used.values.clone() } else { Vec::new() };
        members.insert("allowedValues".to_owned(), json!(values));
    }
    if expand == "dependentfields" || expand == "all" {
        members.insert("dependentFields".to_owned(), Value::Array(dependent(place, used)));
    }
    value
}

fn dependent(place: &Place<'_>, used: &TypeField) -> Vec<Value> {
    let partner = match used.field {
        fields::ITERATION_PATH => fields::ITERATION_ID,
        fields::ITERATION_ID => fields::ITERATION_PATH,
        fields::AREA_PATH => fields::AREA_ID,
        fields::AREA_ID => fields::AREA_PATH,
        _ => return Vec::new(),
    };
    vec![field_reference(place.call, place.organization, partner)]
}

/// A reference to a field of the organization.
pub(super) fn field_reference(call: &Call<'_>, organization: &Organization, index: fields::FieldIndex) -> Value {
    let field = &organization.fields[usize::from(index)];
    let url = format!("{}/_apis/wit/fields/{}", call.base(), field.reference);
    json!({"referenceName": field.reference, "name": field.name, "url": url})
}

pub(super) fn categories(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    let categories = place.process.categories();
    let values = categories.iter().map(|(category, members)| category_json(&place, category, members));
    Ok(Reply::list(&values.collect::<Vec<_>>()))
}

pub(super) fn category(call: &Call<'_>, world: &World) -> Outcome {
    let place = place(call, world)?;
    let wanted = call.parameter("category").unwrap_or_default();
    let categories = place.process.categories();
    let found = categories.iter().find(|(category, _)| format!("Microsoft.{category}").eq_ignore_ascii_case(wanted));
    let missing = || {
        let message = format!("VS402324: Work item type category {wanted} does not exist.");
        Refusal::tracking(http::StatusCode::NOT_FOUND, "WorkItemTypeCategoryNotFoundException", message)
    };
    found.map(|(category, members)| Reply::json(&category_json(&place, category, members))).ok_or_else(missing)
}

fn category_json(place: &Place<'_>, category: &str, members: &[usize]) -> Value {
    let name = CATEGORIES.iter().find(|(reference, _)| *reference == category).map_or("", |(_, name)| name);
    let types: Vec<Value> = members.iter().map(|index| type_reference(place, *index)).collect();
    json!({
        "name": name,
        "referenceName": format!("Microsoft.{category}"),
        "defaultWorkItemType": types.first(),
        "workItemTypes": types,
        "url": format!("{}/_apis/wit/workItemTypeCategories/Microsoft.{category}", place.call.project_base(place.project)),
    })
}

fn type_reference(place: &Place<'_>, index: usize) -> Value {
    let kind = &place.process.types[index];
    json!({"name": kind.name, "url": place.type_url(kind)})
}

/// Whether a value of this type must be a number, a date, and so on.
pub(super) fn value_fits(kind: FieldType, value: &Value) -> bool {
    match kind {
        FieldType::Integer => value.is_i64() || value.as_str().is_some_and(|text| text.trim().parse::<i64>().is_ok()),
        FieldType::Double => value.is_number() || value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok()),
        FieldType::Boolean => value.is_boolean() || matches!(value.as_str(), Some("true" | "false" | "True" | "False")),
        FieldType::DateTime => value.as_str().is_some_and(|text| {
            text.parse::<jiff::Timestamp>().is_ok()
                || text.parse::<jiff::civil::DateTime>().is_ok()
                || text.parse::<jiff::civil::Date>().is_ok()
        }),
        FieldType::Identity => value.is_string() || value.is_object(),
        FieldType::String | FieldType::PlainText | FieldType::Html | FieldType::TreePath | FieldType::History => {
            !value.is_object() && !value.is_array()
        }
    }
}

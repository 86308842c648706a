//! The rules of a type: required fields, allowed values, value types, paths (`ado-api.md` §3, first row).

use http::StatusCode;
use serde_json::{Value, json};

use crate::api::types::value_fits;
use crate::envelope::Refusal;
use crate::state::catalog::fields::{self, Field, FieldIndex};
use crate::state::item_values::ItemView;
use crate::state::organization::Organization;
use crate::state::process::TypeField;
use crate::state::project::{Project, Structure};

/// Flags of a field that breaks a rule, as the service words them, with their number.
#[derive(Clone, Copy)]
enum Status {
    Required,
    InvalidListValue,
    InvalidType,
    ReadOnly,
}

impl Status {
    fn words(self) -> (&'static str, i32) {
        match self {
            Self::Required => ("required, invalidEmpty", 524_289),
            Self::InvalidListValue => ("hasValues, limitedToValues, invalidListValue", 524_310),
            Self::InvalidType => ("invalidType", 16_384),
            Self::ReadOnly => ("readOnly, invalidNotEmpty", 64),
        }
    }
}

/// Checks values that a client writes, before they are applied.
pub(super) fn check_values(
    organization: &Organization,
    project: &Project,
    changes: &[(FieldIndex, Value)],
) -> Result<(), Refusal> {
    for (index, value) in changes {
        let field = &organization.fields[usize::from(*index)];
        if field.read_only {
            return Err(broken(field, Status::ReadOnly));
        }
        if !value.is_null() && !value_fits(field.kind, value) {
            return Err(broken(field, Status::InvalidType));
        }
        let structure = match *index {
            fields::AREA_PATH => Structure::Area,
            fields::ITERATION_PATH => Structure::Iteration,
            _ => continue,
        };
        let path = value.as_str().unwrap_or_default();
        if project.node_of_path(structure, path).is_none() {
            let message = format!("TF401347: Invalid tree name given for work item -1, field '{}'.", field.reference);
            return Err(Refusal::tracking(StatusCode::BAD_REQUEST, "WorkItemFieldInvalidTreeNameException", message));
        }
    }
    Ok(())
}

/// Checks the item as it would be saved.
pub(super) fn check_item(view: &ItemView<'_>, all_suggested: bool) -> Result<(), Refusal> {
    for used in &view.kind.fields {
        let field = &view.organization.fields[usize::from(used.field)];
        let value = view.value(used.field).and_then(|value| serde_json::to_value(value).ok());
        match value {
            None if used.required => return Err(broken(field, Status::Required)),
            Some(value) if value.as_str().is_some_and(|text| text.trim().is_empty()) && used.required => {
                return Err(broken(field, Status::Required));
            }
            Some(value) if !all_suggested && !offered(used, &value) => {
                return Err(broken(field, Status::InvalidListValue));
            }
            _ => {}
        }
    }
    Ok(())
}

fn offered(used: &TypeField, value: &Value) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    used.suggested || used.values.is_empty() || used.values.iter().any(|known| known.eq_ignore_ascii_case(&text))
}

/// TF401320 with its custom properties.
fn broken(field: &Field, status: Status) -> Refusal {
    let (flags, code) = status.words();
    let title_case: Vec<String> = flags.split(", ").map(|flag| flag[..1].to_uppercase() + &flag[1..]).collect();
    let message = format!("TF401320: Rule Error for field {}. Error code: {}.", field.name, title_case.join(", "));
    let custom = json!({
        "FieldReferenceName": field.reference,
        "FieldStatusFlags": flags,
        "ErrorMessage": message,
        "FieldStatusCode": code,
        "RuleValidationErrors": [{
            "fieldReferenceName": field.reference,
            "fieldStatusFlags": flags,
            "errorMessage": message,
            "fieldStatusCode": code,
            "ruleValidationErrors": null,
        }],
    });
    Refusal::tracking(StatusCode::BAD_REQUEST, "RuleValidationException", message).with_custom(custom)
}

//! The control API: JSON over HTTP, without a password, on loopback.

use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    BulkChange, Control, ControlError, FieldValues, ItemChange, ItemLink, NewNode, NewPat, NewProcess, NewProject,
    NewState, NewWorkItem, NodeChange, PREFIX, PatChange, PermissionChange, ProjectChange, TeamChange,
};
use crate::faults::Fault;
use crate::pipeline::Shared;
use crate::rate_limit::RateLimit;
use crate::reply::Reply;
use crate::state::StateCategory;

/// A rate limit to set; without `limit` it is removed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RateLimitChange {
    identity: Option<String>,
    limit: Option<RateLimit>,
}

/// A change of the whole simulator or of an organization.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct OrganizationChange {
    organization: Option<String>,
    stopped: Option<bool>,
    public: Option<bool>,
    advance_clock_seconds: Option<i64>,
}

/// A change of a process.
#[derive(Debug, Deserialize)]
#[serde(tag = "change", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum ProcessChange {
    AddType { project: String, name: String, like: String, states: Vec<NewState> },
    RemoveType { project: String, name: String },
    RenameType { project: String, name: String, new_name: String },
    AddState { project: String, r#type: String, state: NewState },
    RemoveState { project: String, r#type: String, state: String },
    RequireField { project: String, r#type: String, field: String, required: bool },
    DisableType { project: String, name: String, disabled: bool },
    SetStateCategory { project: String, r#type: String, state: String, category: StateCategory },
    SetFieldValues { project: String, r#type: String, field: String, values: FieldValues },
    RemoveField { project: String, r#type: String, field: String },
    AddLevel { project: String, name: String, types: Vec<String> },
    RemoveLevel { project: String, level: String },
    RenameLevel { project: String, level: String, new_name: String },
    HideLevel { project: String, level: String, hidden: bool },
}

/// Answers a request of the control API.
pub(crate) fn answer(shared: &Arc<Shared>, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path().trim_start_matches(PREFIX).trim_end_matches('/');
    let result = route(&Control::of(shared), parts.method.as_str(), path, parts.uri.query().unwrap_or_default(), body);
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => {
            let status = match error {
                ControlError::NotFound { .. } => StatusCode::NOT_FOUND,
                ControlError::Invalid(_) => StatusCode::BAD_REQUEST,
            };
            (status, json!({"error": error.to_string()}))
        }
    };
    let text = serde_json::to_vec(&value).unwrap_or_default();
    Reply::text(status, "application/json; charset=utf-8", text)
}

fn route(control: &Control, method: &str, path: &str, query: &str, body: &[u8]) -> Result<Value, ControlError> {
    match (method, path) {
        ("GET", "state") => json_of(&control.state()),
        ("GET", "requests") => json_of(&control.request_counts()),
        ("GET", "requests/log") => json_of(&control.requests_since(since(query))),
        ("GET", "requests/total") => Ok(json!({"total": control.request_total(), "last": control.last_request()})),
        ("DELETE", "requests") => {
            control.reset_journal();
            Ok(json!({}))
        }
        ("GET", "violations") => json_of(&control.violations()),
        ("GET", "faults") => json_of(&control.faults()),
        ("POST", "faults") => Ok(json!({"id": control.add_fault(read::<Fault>(body)?)})),
        ("DELETE", "faults") => {
            control.clear_faults();
            Ok(json!({}))
        }
        ("DELETE", _) if path.starts_with("faults/") => remove_fault(control, path),
        ("GET", "quirks") => json_of(&control.quirks()),
        ("PATCH", "quirks") => change_quirks(control, body),
        ("GET", "pats") => json_of(&control.pats()),
        ("POST", "pats") => json_of(&control.create_pats(&read::<NewPat>(body)?)?),
        ("PATCH", "pats") => done(control.change_pat(&read::<PatChange>(body)?)),
        ("PATCH", "permissions") => done(control.set_permissions(&read::<PermissionChange>(body)?)),
        ("PATCH", "organization") => change_organization(control, &read(body)?),
        ("PUT", "rate-limit") => {
            let change: RateLimitChange = read(body)?;
            done(control.set_rate_limit(change.identity.as_deref(), change.limit))
        }
        ("POST", "projects") => Ok(json!({"id": control.add_project(&read::<NewProject>(body)?)?})),
        ("PATCH", "projects") => done(control.change_project(&read::<ProjectChange>(body)?)),
        ("PATCH", "teams") => done(control.change_team(&read::<TeamChange>(body)?)),
        ("POST", "processes") => Ok(json!({"id": control.add_process(&read::<NewProcess>(body)?)?})),
        ("PATCH", "nodes") => done(control.change_node(&read::<NodeChange>(body)?)),
        ("POST", "nodes") => Ok(json!({"id": control.add_node(&read::<NewNode>(body)?)?})),
        ("POST", "workitems") => Ok(json!({"id": control.create_work_item(&read::<NewWorkItem>(body)?)?})),
        ("PATCH", "workitems") => done(control.change_work_item(&read::<ItemChange>(body)?)),
        ("PATCH", "workitems/bulk") => Ok(json!({"ids": control.change_work_items(&read::<BulkChange>(body)?)?})),
        ("POST", "links") => done(control.link(&read::<ItemLink>(body)?)),
        ("DELETE", "links") => done(control.unlink(&read::<ItemLink>(body)?)),
        ("GET", _) if path.starts_with("workitems/") => {
            json_of(&control.work_items(&decode(&path["workitems/".len()..]))?)
        }
        ("POST", "process") => done(change_process(control, read(body)?)),
        _ => Err(ControlError::not_found("control operation", format!("{method} {path}"))),
    }
}

fn change_process(control: &Control, change: ProcessChange) -> Result<(), ControlError> {
    match change {
        ProcessChange::AddType { project, name, like, states } => control.add_type(&project, &name, &like, &states),
        ProcessChange::RemoveType { project, name } => control.remove_type(&project, &name),
        ProcessChange::RenameType { project, name, new_name } => control.rename_type(&project, &name, &new_name),
        ProcessChange::AddState { project, r#type, state } => control.add_state(&project, &r#type, &state),
        ProcessChange::RemoveState { project, r#type, state } => control.remove_state(&project, &r#type, &state),
        ProcessChange::RequireField { project, r#type, field, required } => {
            control.require_field(&project, &r#type, &field, required)
        }
        ProcessChange::DisableType { project, name, disabled } => control.disable_type(&project, &name, disabled),
        ProcessChange::SetStateCategory { project, r#type, state, category } => {
            control.set_state_category(&project, &r#type, &state, category)
        }
        ProcessChange::SetFieldValues { project, r#type, field, values } => {
            control.set_field_values(&project, &r#type, &field, &values)
        }
        ProcessChange::RemoveField { project, r#type, field } => control.remove_field(&project, &r#type, &field),
        ProcessChange::AddLevel { project, name, types } => control.add_level(&project, &name, &types),
        ProcessChange::RemoveLevel { project, level } => control.remove_level(&project, &level),
        ProcessChange::RenameLevel { project, level, new_name } => control.rename_level(&project, &level, &new_name),
        ProcessChange::HideLevel { project, level, hidden } => control.hide_level(&project, &level, hidden),
    }
}

/// Members left out stay as they are.
fn change_quirks(control: &Control, body: &[u8]) -> Result<Value, ControlError> {
    let changes: serde_json::Map<String, Value> = read(body)?;
    let mut merged = json_of(&control.quirks())?;
    if let Some(members) = merged.as_object_mut() {
        members.extend(changes);
    }
    let quirks = serde_json::from_value(merged.clone()).map_err(|error| ControlError::Invalid(error.to_string()))?;
    control.set_quirks(quirks);
    Ok(merged)
}

fn change_organization(control: &Control, change: &OrganizationChange) -> Result<Value, ControlError> {
    let name = change.organization.as_deref().unwrap_or("contoso");
    if let Some(stopped) = change.stopped {
        control.set_stopped(name, stopped)?;
    }
    if let Some(public) = change.public {
        control.set_public(name, public)?;
    }
    if let Some(seconds) = change.advance_clock_seconds {
        control.advance_clock(seconds);
    }
    Ok(json!({}))
}

fn remove_fault(control: &Control, path: &str) -> Result<Value, ControlError> {
    let id = path.trim_start_matches("faults/");
    let removed = id.parse().is_ok_and(|id| control.remove_fault(id));
    if removed { Ok(json!({})) } else { Err(ControlError::not_found("fault", id)) }
}

fn since(query: &str) -> u64 {
    query.strip_prefix("since=").and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(|error| ControlError::Invalid(error.to_string()))
}

fn json_of<T: Serialize>(value: &T) -> Result<Value, ControlError> {
    serde_json::to_value(value).map_err(|error| ControlError::Invalid(error.to_string()))
}

fn done(result: Result<(), ControlError>) -> Result<Value, ControlError> {
    result.map(|()| json!({}))
}

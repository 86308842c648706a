//! Processes, in the short form of core and the long form of process administration.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::organization::Organization;
use crate::state::process::Process;
use crate::state::project::ProjectState;

pub(super) fn list_core(call: &Call<'_>, world: &World) -> Outcome {
    let processes = &call.organization(world).processes;
    Ok(Reply::list(&processes.iter().map(|process| core_json(call, process)).collect::<Vec<_>>()))
}

pub(super) fn get_core(call: &Call<'_>, world: &World) -> Outcome {
    find(call, world, "processId").map(|process| Reply::json(&core_json(call, process)))
}

fn core_json(call: &Call<'_>, process: &Process) -> Value {
    json!({
        "id": process.id,
        "description": process.description,
        "isDefault": process.is_default,
        "type": kind(process),
        "url": format!("{}/_apis/process/processes/{}", call.base(), process.id),
        "name": process.name,
    })
}

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let rows = organization.processes.iter().enumerate();
    Ok(Reply::list(&rows.map(|(index, process)| json_of(call, organization, index, process)).collect::<Vec<_>>()))
}

pub(super) fn get(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let process = find(call, world, "processTypeId")?;
    let index = organization.processes.iter().position(|candidate| candidate.id == process.id).unwrap_or_default();
    Ok(Reply::json(&json_of(call, organization, index, process)))
}

fn json_of(call: &Call<'_>, organization: &Organization, index: usize, process: &Process) -> Value {
    let mut value = json!({
        "typeId": process.id,
        "name": process.name,
        // Null for system processes (recorded).
        "referenceName": process.reference,
        "description": process.description,
        "parentProcessTypeId": process.parent.unwrap_or(Uuid::nil()),
        "isEnabled": true,
        "isDefault": process.is_default,
        "customizationType": kind(process),
    });
    if call.query("$expand").is_some_and(|expand| expand.eq_ignore_ascii_case("projects")) {
        let own = organization.projects.iter();
        let own = own.filter(|project| project.process == index && project.state == ProjectState::WellFormed);
        let projects: Vec<Value> = own
            .map(|project| {
                json!({
                    "id": project.id,
                    "name": project.name,
                    "description": project.description,
                    "url": format!("vstfs:///Classification/TeamProject/{}", project.id),
                })
            })
            .collect();
        if let Some(members) = value.as_object_mut().filter(|_| !projects.is_empty()) {
            members.insert("projects".to_owned(), Value::Array(projects));
        }
    }
    value
}

fn kind(process: &Process) -> &'static str {
    if process.parent.is_some() { "inherited" } else { "system" }
}

fn find<'w>(call: &Call<'_>, world: &'w World, parameter: &str) -> Result<&'w Process, Refusal> {
    let id = call.parameter(parameter).and_then(|text| Uuid::try_parse(text).ok());
    let found = call.organization(world).processes.iter().find(|process| Some(process.id) == id);
    let missing = || {
        let id = id.unwrap_or_default();
        Refusal::not_found(
            "ProcessNotFoundByTypeIdException",
            format!("VS402362: The process with type id {id} does not exist."),
        )
    };
    found.ok_or_else(missing)
}

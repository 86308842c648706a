//! Test runs, points and plans, as far as probes read them (`ado-api.md` §11, §12).

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::envelope::Refusal;
use crate::reply::Reply;
use crate::state::World;
use crate::state::identity::AccessLevel;
use crate::state::items::Presence;
use crate::state::organization::Organization;
use crate::state::permissions::Right;
use crate::state::project::Project;

/// Runs that every project has.
const RUNS: u32 = 2;

pub(super) fn runs(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    require_view(call, world, project)?;
    let owner = &call.organization(world).identities[0];
    let (skip, top) = (call.number("$skip").unwrap_or(0), call.number("$top").unwrap_or(1000));
    let ids = (1..=RUNS).map(|number| project.iteration_root * 10 + number);
    let runs: Vec<Value> = ids
        .skip(skip)
        .take(top)
        .map(|id| {
            json!({
                "id": id,
                "name": format!("Nightly {id}"),
                "url": format!("{}/_apis/test/Runs/{id}", call.project_base(project)),
                "isAutomated": true,
                "iteration": project.name,
                "owner": {"id": owner.id, "displayName": owner.display_name},
                "startedDate": "2026-05-04T12:50:33.17Z",
                "completedDate": "2026-05-04T12:51:31.953Z",
                "state": "Completed",
                "plan": {"id": plan_id(project).to_string()},
                "revision": 4,
            })
        })
        .collect();
    Ok(Reply::list(&runs))
}

fn require_view(call: &Call<'_>, world: &World, project: &Project) -> Result<(), Refusal> {
    if call.may(world, Right::ViewTestResults, project) {
        return Ok(());
    }
    let who = &call.identity(world)?.display_name;
    Err(Refusal::test_denied(format!(
        "Access denied. {who} needs View test runs permissions to perform the action. For more information, contact the Azure DevOps Server administrator."
    )))
}

/// Stakeholders have no test plans (page *Access levels*).
fn require_licence(call: &Call<'_>, world: &World) -> Result<(), Refusal> {
    match call.identity(world)?.access_level {
        AccessLevel::Stakeholder => Err(Refusal::test_denied(
            "You are not authorized to access this API. Please contact your project administrator.",
        )),
        AccessLevel::Express | AccessLevel::Advanced => Ok(()),
    }
}

fn plan_id(project: &Project) -> u32 {
    project.area_root * 10
}

pub(super) fn plans(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    require_licence(call, world)?;
    require_view(call, world, project)?;
    let owner = &call.organization(world).identities[0].reference;
    let id = plan_id(project);
    let base = call.project_base(project);
    Ok(Reply::list(&[json!({
        "id": id,
        "project": {"id": project.id, "name": project.name, "state": project.state.name(), "visibility": project.visibility, "lastUpdateTime": "0001-01-01T00:00:00"},
        "updatedDate": "2026-05-04T12:50:33.17Z",
        "updatedBy": owner,
        "rootSuite": {"id": id + 1, "name": "Regression"},
        "revision": 1,
        "name": "Regression",
        "areaPath": project.name,
        "iteration": project.name,
        "state": "Active",
        "owner": owner,
        "startDate": "2026-01-01T00:00:00Z",
        "endDate": "2026-12-31T00:00:00Z",
        "_links": {"_self": {"href": format!("{base}/_apis/testplan/Plans/{id}")}},
    })]))
}

pub(super) fn points(call: &Call<'_>, world: &World) -> Outcome {
    let project = call.project(world)?;
    require_licence(call, world)?;
    require_view(call, world, project)?;
    let filter = call.body.get("pointsFilter").cloned().unwrap_or_else(|| json!({}));
    let ids = filter.get("testcaseIds").and_then(Value::as_array).cloned().unwrap_or_default();
    if ids.is_empty() {
        return Err(Refusal::argument("Value cannot be null. Parameter name: PointsFilter"));
    }
    let ids = ids.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok());
    let organization = call.organization(world);
    let cases = ids.filter(|id| is_test_case(organization, project, *id));
    let points: Vec<Value> = cases.map(|id| point_json(call, organization, project, id)).collect();
    Ok(Reply::json(&json!({"points": points, "pointsFilter": filter})))
}

fn is_test_case(organization: &Organization, project: &Project, id: u32) -> bool {
    organization.items.get(id).filter(|row| row.presence == Presence::Live).is_some_and(|row| {
        let owner = &organization.projects[usize::from(row.project)];
        let kind = &organization.process_of(owner).types[usize::from(row.kind)];
        owner.id == project.id && kind.category == "TestCaseCategory"
    })
}

/// Ids of references are texts, the point's own is a number; the case's other members are null (recorded).
fn point_json(call: &Call<'_>, organization: &Organization, project: &Project, case: u32) -> Value {
    let tester = &organization.identities[0];
    let plan = plan_id(project);
    json!({
        "id": case,
        "url": format!("{}/_apis/test/Plans/{plan}/Suites/{}/Points/{case}", call.project_base(project), plan + 1),
        "assignedTo": {"displayName": tester.display_name, "id": tester.id},
        "automated": false,
        "configuration": {"id": "1", "name": "Windows 10"},
        "lastTestRun": {"id": "0"},
        "lastResult": {"id": "0"},
        "outcome": "Unspecified",
        "state": "Ready",
        "lastResultState": "Unspecified",
        "suite": {"id": (plan + 1).to_string()},
        "testCase": {"id": case.to_string(), "name": null, "type": null, "url": null, "webUrl": null},
        "testPlan": {"id": plan.to_string()},
        "workItemProperties": [{"workItem": {"key": "Microsoft.VSTS.TCM.AutomationStatus", "value": "Not Automated"}}],
    })
}

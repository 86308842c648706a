//! The control API and the changes that it makes.

use ado_simulator::control::{NewNode, NewProject, NewState};
use ado_simulator::state::StateCategory;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::bench;

#[tokio::test]
async fn everything_can_be_done_from_outside_the_process() {
    let bench = bench().await;
    let cases = [
        (Method::POST, "faults", json!({"path": "*/nowhere", "effect": {"kind": "reset"}})),
        (Method::PATCH, "quirks", json!({"teamsDefaultPage": 7})),
        (Method::PATCH, "pats", json!({"label": "read_only", "scopes": ["vso.work"]})),
        (
            Method::PATCH,
            "permissions",
            json!({"identity": "bela@contoso.example", "deny": ["editSubscriptions"], "project": "Payments"}),
        ),
        (Method::PATCH, "organization", json!({"public": true, "advanceClockSeconds": 5})),
        (Method::PUT, "rate-limit", json!({"limit": {"limit": 200, "remaining": 100, "resetSeconds": 10}})),
        (Method::POST, "projects", json!({"name": "New Land", "process": "Scrum"})),
        (Method::PATCH, "projects", json!({"project": "New Land", "name": "Old Land", "addTeam": "Scouts"})),
        (
            Method::POST,
            "nodes",
            json!({"project": "Old Land", "name": "R1", "start": "2026-01-01", "finish": "2026-03-31"}),
        ),
        (
            Method::POST,
            "workitems",
            json!({"project": "Old Land", "type": "Bug", "fields": {"System.Title": "x", "System.IterationPath": "Old Land\\R1"}}),
        ),
        (Method::PATCH, "workitems", json!({"id": 1, "fields": {"System.Title": "new"}})),
        (
            Method::POST,
            "process",
            json!({"change": "addState", "project": "Old Land", "type": "Bug", "state": {"name": "Parked", "category": "InProgress"}}),
        ),
    ];
    for (method, path, body) in cases {
        let answer = bench.control(method.clone(), path, Some(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", answer.text);
    }
    for path in [
        "state",
        "requests",
        "requests/log?since=0",
        "requests/total",
        "violations",
        "faults",
        "quirks",
        "pats",
        "workitems/Old%20Land",
    ] {
        assert_eq!(bench.control(Method::GET, path, None).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(bench.simulator.quirks().teams_default_page, 7);
    assert_eq!(
        bench.read("/Old%20Land/_apis/wit/workitemtypes/Bug/states?api-version=7.1").await["value"][5]["name"],
        "Parked"
    );
    assert_eq!(bench.read("/_apis/wit/workitems/1?api-version=7.1").await["fields"]["System.Title"], "new");
    assert_eq!(bench.control(Method::DELETE, "faults", None).await.status, StatusCode::OK);
    assert!(bench.simulator.faults().is_empty());
    assert_eq!(bench.control(Method::DELETE, "requests", None).await.status, StatusCode::OK);
    assert_eq!(bench.simulator.request_total(), 0);
}

#[tokio::test]
async fn items_nodes_teams_and_processes_are_changed_from_outside_too() {
    let bench = bench().await;
    let cases = [
        (Method::POST, "projects", json!({"name": "Old Land", "process": "Scrum"})),
        (Method::PATCH, "projects", json!({"project": "Old Land", "addTeam": "Scouts"})),
        (Method::POST, "nodes", json!({"project": "Old Land", "name": "R1", "start": "2026-01-01"})),
        (
            Method::POST,
            "process",
            json!({"change": "addState", "project": "Old Land", "type": "Bug", "state": {"name": "Parked", "category": "InProgress"}}),
        ),
        (
            Method::PATCH,
            "workitems/bulk",
            json!({"project": "Payments", "type": "Task", "limit": 2, "change": {"deleted": true}}),
        ),
        (Method::POST, "links", json!({"id": 1, "rel": "System.LinkTypes.Dependency-Forward", "to": 2})),
        (Method::DELETE, "links", json!({"id": 2, "rel": "System.LinkTypes.Dependency-Reverse", "to": 1})),
        (Method::PATCH, "nodes", json!({"project": "Old Land", "node": "Old Land\\R1", "name": "R2", "undated": true})),
        (Method::PATCH, "teams", json!({"project": "Old Land", "team": "Scouts", "iterations": ["Old Land\\R2"]})),
        (Method::POST, "processes", json!({"name": "Odd", "parent": "Basic"})),
        (
            Method::POST,
            "process",
            json!({"change": "disableType", "project": "Old Land", "name": "Feature", "disabled": true}),
        ),
        (
            Method::POST,
            "process",
            json!({"change": "setStateCategory", "project": "Old Land", "type": "Bug", "state": "Parked", "category": "Resolved"}),
        ),
        (
            Method::POST,
            "process",
            json!({"change": "setFieldValues", "project": "Old Land", "type": "Bug", "field": "Severity", "values": {"values": ["Bad"], "suggested": true}}),
        ),
        (
            Method::POST,
            "process",
            json!({"change": "removeField", "project": "Old Land", "type": "Bug", "field": "Severity"}),
        ),
        (
            Method::POST,
            "process",
            json!({"change": "addLevel", "project": "Old Land", "name": "Top", "types": ["Epic"]}),
        ),
        (
            Method::POST,
            "process",
            json!({"change": "renameLevel", "project": "Old Land", "level": "Top", "newName": "Peak"}),
        ),
        (
            Method::POST,
            "process",
            json!({"change": "hideLevel", "project": "Old Land", "level": "Peak", "hidden": true}),
        ),
        (Method::POST, "process", json!({"change": "removeLevel", "project": "Old Land", "level": "Peak"})),
    ];
    for (method, path, body) in cases {
        let answer = bench.control(method.clone(), path, Some(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", answer.text);
    }
    let tree = bench.read("/Old%20Land/_apis/wit/classificationnodes/Iterations?$depth=1&api-version=7.1").await;
    let second = &tree["children"][1];
    assert_eq!((&second["name"], second.get("attributes")), (&json!("R2"), None));
    let feature = bench.read("/Old%20Land/_apis/wit/workitemtypes/Feature?api-version=7.1").await;
    assert_eq!(feature["isDisabled"], true);
}

#[tokio::test]
async fn unknown_operations_members_and_names_are_refused() {
    let bench = bench().await;
    for (method, path, body, status) in [
        (Method::GET, "nonsense", None, StatusCode::NOT_FOUND),
        (Method::PATCH, "quirks", Some(json!({"nonsense": true})), StatusCode::BAD_REQUEST),
        (Method::POST, "faults", Some(json!({"effect": {"kind": "explode"}})), StatusCode::BAD_REQUEST),
        (Method::PATCH, "pats", Some(json!({"label": "nobody"})), StatusCode::NOT_FOUND),
        (Method::POST, "projects", Some(json!({"name": "Payments"})), StatusCode::BAD_REQUEST),
        (Method::PATCH, "workitems", Some(json!({"id": 99_999})), StatusCode::NOT_FOUND),
        (Method::DELETE, "faults/9", None, StatusCode::NOT_FOUND),
    ] {
        let answer = bench.control(method.clone(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(answer.json()["error"].is_string());
    }
}

#[tokio::test]
async fn a_thousand_identities_with_their_own_tokens_are_made_in_one_call() {
    let bench = bench().await;
    let made = bench.control(Method::POST, "pats", Some(json!({"label": "b", "count": 1000}))).await.json();
    let made = made.as_array().unwrap();
    let identities: std::collections::HashSet<_> = made.iter().map(|pat| pat["identity"].as_str().unwrap()).collect();
    assert_eq!((made.len(), identities.len()), (1000, 1000));
    let data = bench.get("b-999", "/_apis/connectionData?api-version=7.1-preview").await.json();
    assert_eq!(data["authenticatedUser"]["id"], made[999]["identity"]);
}

#[tokio::test]
async fn a_project_is_renamed_deleted_and_added() {
    let bench = bench().await;
    let id = bench.simulator.project("Payments").unwrap().id;
    bench.simulator.rename_project("Payments", "Money").unwrap();
    assert_eq!(bench.read("/_apis/projects/Money?api-version=7.1").await["id"], json!(id));
    assert_eq!(bench.get("full", "/_apis/projects/Payments?api-version=7.1").await.status, StatusCode::NOT_FOUND);
    let sprint =
        bench.read(&format!("/{id}/_apis/wit/classificationnodes/Iterations/Release%201?api-version=7.1")).await;
    assert_eq!(sprint["path"], "\\Money\\Iteration\\Release 1");
    bench.simulator.delete_project("Money").unwrap();
    assert_eq!(bench.get("full", &format!("/_apis/projects/{id}?api-version=7.1")).await.status, StatusCode::NOT_FOUND);
    let new = NewProject { name: "Fresh".to_owned(), ..NewProject::default() };
    bench.simulator.add_project(&new).unwrap();
    let node = NewNode { project: "Fresh".to_owned(), name: "R1".to_owned(), ..NewNode::default() };
    bench.simulator.add_node(&node).unwrap();
    let tree = bench.read("/Fresh/_apis/wit/classificationnodes/Iterations?$depth=2&api-version=7.1").await;
    let names: Vec<&str> = tree["children"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Sprint 1", "R1"]);
}

#[tokio::test]
async fn types_and_states_come_and_go() {
    let bench = bench().await;
    let names = async || {
        let answer = bench.read("/Payments/_apis/wit/workitemtypes?api-version=7.1").await;
        answer["value"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let state = NewState { name: "Open".to_owned(), category: StateCategory::Proposed };
    bench.simulator.add_type("Payments", "Wish", "User Story", std::slice::from_ref(&state)).unwrap();
    bench.simulator.remove_type("Payments", "Feature").unwrap();
    bench.simulator.rename_type("Payments", "Bug", "Defect").unwrap();
    let now = names().await;
    assert!(
        now.contains(&"Wish".to_owned()) && now.contains(&"Defect".to_owned()) && !now.contains(&"Feature".to_owned())
    );
    let levels = bench.read("/Payments/_apis/work/backlogconfiguration?api-version=7.1").await;
    let requirement: Vec<Value> = levels["requirementBacklog"]["workItemTypes"].as_array().unwrap().clone();
    assert_eq!(requirement.iter().map(|t| t["name"].as_str().unwrap()).collect::<Vec<_>>(), ["User Story", "Wish"]);
    bench.simulator.remove_state("Payments", "Task", "New").unwrap();
    let task = bench.read("/Payments/_apis/wit/workitemtypes/Task?api-version=7.1").await;
    assert_eq!(task["states"][0]["name"], "Active");
    bench.simulator.require_field("Payments", "Task", "Microsoft.VSTS.Common.Priority", true).unwrap();
    let fields =
        bench.read("/Payments/_apis/wit/workitemtypes/Task/fields?$expand=allowedValues&api-version=7.1").await;
    let priority = fields["value"].as_array().unwrap().iter().find(|f| f["name"] == "Priority").unwrap().clone();
    assert_eq!((&priority["alwaysRequired"], &priority["allowedValues"]), (&json!(true), &json!(["1", "2", "3", "4"])));
}

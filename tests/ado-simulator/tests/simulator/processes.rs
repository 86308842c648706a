//! Changes of processes: levels, values of fields, inherited ones.

use ado_simulator::Options;
use ado_simulator::control::{FieldValues, NewProcess, NewProject, NewState};
use ado_simulator::state::StateCategory;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Bench, bench, bench_with};

const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";

/// Levels with their types, from the highest down.
async fn levels(bench: &Bench, project: &str) -> Vec<(String, Vec<String>)> {
    let configuration = bench.read(&format!("/{project}/_apis/work/backlogconfiguration?api-version=7.1")).await;
    let all = configuration["portfolioBacklogs"].as_array().unwrap().iter();
    let level = |level: &Value| {
        let types = level["workItemTypes"].as_array().unwrap().iter();
        let types = types.map(|kind| kind["name"].as_str().unwrap().to_owned()).collect();
        (level["name"].as_str().unwrap().to_owned(), types)
    };
    all.chain([&configuration["requirementBacklog"], &configuration["taskBacklog"]]).map(level).collect()
}

fn row(name: &str, types: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), types.iter().map(|kind| (*kind).to_owned()).collect())
}

async fn allowed(bench: &Bench, kind: &str, field: &str) -> Result<Value, StatusCode> {
    let path = format!("/Payments/_apis/wit/workitemtypes/{kind}/fields/{field}?$expand=allowedValues&api-version=7.1");
    let answer = bench.get("full", &path).await;
    if answer.status == StatusCode::OK { Ok(answer.json()["allowedValues"].clone()) } else { Err(answer.status) }
}

#[tokio::test]
async fn projects_of_every_process_and_of_new_inherited_ones_can_be_made() {
    let bench = bench().await;
    let odd = NewProcess { name: "Odd".to_owned(), parent: "Scrum".to_owned(), ..NewProcess::default() };
    bench.simulator.add_process(&odd).unwrap();
    assert!(bench.simulator.add_process(&odd).is_err(), "the name is taken");
    for (process, requirement) in [
        ("Basic", "Issue"),
        ("Agile", "User Story"),
        ("Scrum", "Product Backlog Item"),
        ("CMMI", "Requirement"),
        ("Odd", "Product Backlog Item"),
    ] {
        let name = format!("New {process}");
        let new = NewProject { name: name.clone(), process: Some(process.to_owned()), ..NewProject::default() };
        bench.simulator.add_project(&new).unwrap();
        let levels = levels(&bench, &name.replace(' ', "%20")).await;
        assert_eq!(levels[levels.len() - 2].1, [requirement], "{process}");
    }
    let processes = bench.read("/_apis/work/processes?api-version=7.1").await;
    let made = processes["value"].as_array().unwrap().iter().find(|process| process["name"] == "Odd").unwrap();
    assert_eq!(made["customizationType"], "inherited");
    assert_eq!(made["parentProcessTypeId"], "6b724908-ef14-45cf-84f8-768b5384da45");
}

#[tokio::test]
async fn levels_are_added_renamed_hidden_and_removed() {
    let bench = bench().await;
    let idea = NewState { name: "Idea".to_owned(), category: StateCategory::Proposed };
    bench.simulator.add_type("Payments", "Vision", "Epic", std::slice::from_ref(&idea)).unwrap();
    bench.simulator.add_level("Payments", "Visions", &["Vision".to_owned()]).unwrap();
    bench.simulator.rename_level("Payments", "Epics", "Mountains").unwrap();
    bench.simulator.rename_type("Payments", "User Story", "Wish").unwrap();
    let expected = [
        row("Visions", &["Vision"]),
        row("Mountains", &["Epic"]),
        row("Features", &["Feature"]),
        row("Stories", &["Wish"]),
        row("Tasks", &["Task"]),
    ];
    assert_eq!(levels(&bench, "Payments").await, expected);
    bench.simulator.disable_type("Payments", "Vision", true).unwrap();
    assert_eq!(levels(&bench, "Payments").await[0], row("Visions", &[]));
    bench.simulator.hide_level("Payments", "Features", true).unwrap();
    let configuration = bench.read("/Payments/_apis/work/backlogconfiguration?api-version=7.1").await;
    assert_eq!(configuration["hiddenBacklogs"], json!(["Microsoft.FeatureCategory"]));
    bench.simulator.remove_level("Payments", "Visions").unwrap();
    assert_eq!(levels(&bench, "Payments").await.len(), 4);
    assert!(bench.simulator.remove_level("Payments", "Tasks").is_err());
    let same = bench.read("/Gr%C3%B6%C3%9Fe%20v1.2%20(alt)/_apis/work/backlogconfiguration?api-version=7.1").await;
    assert_eq!(same["portfolioBacklogs"][0]["name"], "Mountains", "another project of the process");
}

#[tokio::test]
async fn severities_are_replaced_suggested_and_taken_away() {
    let bench = bench().await;
    let severities = json!(["1 - Critical", "2 - High", "3 - Medium", "4 - Low"]);
    assert_eq!(allowed(&bench, "Bug", SEVERITY).await, Ok(severities));
    assert_eq!(allowed(&bench, "Bug", "Microsoft.VSTS.Common.Priority").await, Ok(json!(["1", "2", "3", "4"])));
    assert_eq!(allowed(&bench, "User%20Story", SEVERITY).await, Err(StatusCode::NOT_FOUND));
    let bug = bench.simulator.work_items("Payments").unwrap().into_iter().find(|item| item.kind == "Bug").unwrap();
    let severity = async || {
        let item = bench.read(&format!("/_apis/wit/workitems/{}?api-version=7.1", bug.id)).await;
        item["fields"][SEVERITY].clone()
    };
    let before = severity().await;
    let values = FieldValues {
        values: ["Blocker", "Minor"].map(str::to_owned).to_vec(),
        default: Some("Minor".to_owned()),
        suggested: false,
    };
    bench.simulator.set_field_values("Payments", "Bug", SEVERITY, &values).unwrap();
    assert_eq!(allowed(&bench, "Bug", SEVERITY).await, Ok(json!(["Blocker", "Minor"])));
    assert!(before.is_string());
    assert_eq!(severity().await, before, "items keep what they have");
    let create = async |severity: &str| {
        let operations = json!([
            {"op": "add", "path": "/fields/System.Title", "value": "x"},
            {"op": "add", "path": format!("/fields/{SEVERITY}"), "value": severity},
        ]);
        bench
            .post("full", "/Payments/_apis/wit/workitems/$Bug?validateOnly=true&api-version=7.1", operations)
            .await
            .status
    };
    assert_eq!((create("Minor").await, create("2 - High").await), (StatusCode::OK, StatusCode::BAD_REQUEST));
    bench.simulator.change_quirks(|quirks| quirks.all_values_suggested = true);
    assert_eq!(create("2 - High").await, StatusCode::OK);
    assert_eq!(allowed(&bench, "Bug", SEVERITY).await, Ok(json!(["Blocker", "Minor"])), "it looks the same");
    bench.simulator.remove_field("Payments", "Bug", SEVERITY).unwrap();
    assert_eq!(allowed(&bench, "Bug", SEVERITY).await, Err(StatusCode::NOT_FOUND));
    bench.simulator.set_field_values("Payments", "Task", SEVERITY, &values).unwrap();
    assert_eq!(allowed(&bench, "Task", SEVERITY).await, Ok(json!(["Blocker", "Minor"])));
}

#[tokio::test]
async fn a_state_changes_its_category() {
    let bench = bench().await;
    bench.simulator.set_state_category("Payments", "Bug", "Resolved", StateCategory::Completed).unwrap();
    let states = bench.read("/Payments/_apis/wit/workitemtypes/Bug/states?api-version=7.1").await;
    let resolved = states["value"].as_array().unwrap().iter().find(|state| state["name"] == "Resolved").unwrap();
    assert_eq!(resolved["category"], "Completed");
    assert!(bench.simulator.set_state_category("Payments", "Bug", "Nowhere", StateCategory::Removed).is_err());
}

#[tokio::test]
async fn all_items_may_go_to_one_project() {
    let options = Options { items: 500, items_in: Some("Compliance".to_owned()), ..Options::default() };
    let bench = bench_with(options).await;
    assert_eq!(bench.simulator.work_items("Compliance").unwrap().len(), 500);
    assert_eq!(bench.simulator.work_items("Payments").unwrap().len(), 0);
    let unknown = Options { items_in: Some("Retired".to_owned()), ..Options::default() };
    assert!(ado_simulator::Simulator::start(unknown).await.is_err());
}

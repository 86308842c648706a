//! Changes of areas, iterations and teams.

use ado_simulator::control::{NewNode, NodeChange, TeamChange};
use serde_json::{Value, json};

use crate::support::{Bench, bench};

fn iteration(node: &str) -> NodeChange {
    NodeChange { project: "Payments".to_owned(), node: format!("Payments\\{node}"), ..NodeChange::default() }
}

async fn node(bench: &Bench, path: &str) -> Value {
    bench.read(&format!("/Payments/_apis/wit/classificationnodes/Iterations/{path}?$depth=5&api-version=7.1")).await
}

fn names(node: &Value) -> Vec<&str> {
    node["children"].as_array().unwrap().iter().map(|child| child["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_renamed_node_keeps_its_ids_and_its_items_follow() {
    let bench = bench().await;
    let before = node(&bench, "Release%201/Sprint%201").await;
    let item = bench.simulator.work_items("Payments").unwrap();
    let item = item.into_iter().find(|item| item.iteration.ends_with("Release 1\\Sprint 1")).unwrap();
    let rename = NodeChange { name: Some("Spring".to_owned()), ..iteration("Release 1") };
    bench.simulator.change_node(&rename).unwrap();
    let after = node(&bench, "Spring/Sprint%201").await;
    for member in ["id", "identifier", "attributes"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    let now = bench.read(&format!("/_apis/wit/workitems/{}?api-version=7.1", item.id)).await;
    assert_eq!(now["fields"]["System.IterationPath"], "Payments\\Spring\\Sprint 1");
    assert_eq!(now["rev"], json!(item.rev), "a rename makes no revision");
}

#[tokio::test]
async fn a_moved_node_keeps_its_ids_and_loses_its_dates() {
    let bench = bench().await;
    let before = node(&bench, "Release%201/Sprint%202").await;
    let to = |parent: &str| NodeChange { parent: Some(parent.to_owned()), ..iteration("Release 1\\Sprint 2") };
    assert!(bench.simulator.change_node(&to("Payments\\Release 1\\Sprint 2")).is_err());
    bench.simulator.change_node(&to("Payments\\Release 2")).unwrap();
    let after = node(&bench, "Release%202/Sprint%202").await;
    assert_eq!((&after["id"], &after["identifier"]), (&before["id"], &before["identifier"]));
    assert_eq!((after.get("attributes"), before["attributes"].is_object()), (None, true));
    assert_eq!(names(&node(&bench, "Release%201").await), ["Sprint 1", "Sprint 3"]);
    let dates = NodeChange { start: Some("2026-05-01".parse().unwrap()), ..iteration("Release 2\\Sprint 2") };
    bench.simulator.change_node(&dates).unwrap();
    let after = node(&bench, "Release%202/Sprint%202").await;
    assert_eq!(after["attributes"], json!({"startDate": "2026-05-01T00:00:00Z"}));
    bench.simulator.change_node(&NodeChange { undated: true, ..iteration("Release 2\\Sprint 2") }).unwrap();
    assert_eq!(node(&bench, "Release%202/Sprint%202").await.get("attributes"), None);
}

#[tokio::test]
async fn a_deleted_node_goes_with_its_subtree_and_its_items_go_elsewhere() {
    let bench = bench().await;
    let inside = |bench: &Bench| -> Vec<(u32, u16)> {
        let items = bench.simulator.work_items("Payments").unwrap().into_iter();
        items.filter(|item| item.iteration.contains("Release 1")).map(|item| (item.id, item.rev)).collect()
    };
    let affected = inside(&bench);
    let away = NodeChange { delete: true, reclassify: Some("Payments\\Backlog".to_owned()), ..iteration("Release 1") };
    let into_itself = NodeChange { reclassify: Some("Payments\\Release 1\\Sprint 1".to_owned()), ..away.clone() };
    assert!(bench.simulator.change_node(&into_itself).is_err());
    bench.simulator.change_node(&away).unwrap();
    assert!(!affected.is_empty() && inside(&bench).is_empty());
    for (id, rev) in affected {
        let item = bench.read(&format!("/_apis/wit/workitems/{id}?api-version=7.1")).await;
        assert_eq!(
            (&item["fields"]["System.IterationPath"], &item["rev"]),
            (&json!("Payments\\Backlog"), &json!(rev + 1))
        );
    }
    assert!(!names(&node(&bench, "").await).contains(&"Release 1"));
    let subscribed = bench.read("/Payments/_apis/work/teamsettings/iterations?api-version=7.1").await;
    assert_eq!(subscribed["count"], 9, "three of twelve sprints are gone");
    bench.simulator.change_quirks(|quirks| quirks.reclassifying_makes_revisions = false);
    let items = bench.simulator.work_items("Payments").unwrap();
    let item = items.iter().find(|item| item.iteration.contains("Release 2")).unwrap();
    bench.simulator.change_node(&NodeChange { delete: true, ..iteration("Release 2") }).unwrap();
    let now = bench.read(&format!("/_apis/wit/workitems/{}?api-version=7.1", item.id)).await;
    assert_eq!((&now["fields"]["System.IterationPath"], &now["rev"]), (&json!("Payments"), &json!(item.rev)));
}

#[tokio::test]
async fn the_root_stays_and_a_deep_tree_is_cut_where_the_depth_ends() {
    let bench = bench().await;
    let root = NodeChange { node: "Payments".to_owned(), delete: true, ..iteration("") };
    assert!(bench.simulator.change_node(&root).is_err());
    let mut parent = "Payments\\Release 1".to_owned();
    for level in 1..=12 {
        let name = format!("Deep {level}");
        let new = NewNode {
            project: "Payments".to_owned(),
            parent: Some(parent.clone()),
            name: name.clone(),
            ..NewNode::default()
        };
        bench.simulator.add_node(&new).unwrap();
        parent = format!("{parent}\\{name}");
    }
    let tree = bench.read("/Payments/_apis/wit/classificationnodes/Iterations?$depth=4&api-version=7.1").await;
    let find = |node: &Value, name: &str| -> Value {
        node["children"].as_array().unwrap().iter().find(|child| child["name"] == name).unwrap().clone()
    };
    let cut = find(&find(&find(&find(&tree, "Release 1"), "Deep 1"), "Deep 2"), "Deep 3");
    assert_eq!((&cut["hasChildren"], cut.get("children")), (&json!(true), None));
}

#[tokio::test]
async fn each_team_has_its_own_iterations_levels_and_bugs() {
    let bench = bench().await;
    let change = TeamChange {
        project: "Payments".to_owned(),
        team: Some("Newcomers".to_owned()),
        bugs_behavior: Some("asRequirements".to_owned()),
        iterations: Some(vec!["Payments\\Release 1".to_owned(), "Payments\\Backlog".to_owned()]),
        backlog_iteration: Some("Payments\\Release 1".to_owned()),
        hidden_levels: Some(vec!["Epics".to_owned()]),
        ..TeamChange::default()
    };
    bench.simulator.change_team(&change).unwrap();
    bench.simulator.change_quirks(|quirks| quirks.bugs_listed_on_level = true);
    let configuration = async |team: &str| {
        bench.read(&format!("/Payments{team}/_apis/work/backlogconfiguration?api-version=7.1")).await
    };
    let types = |configuration: &Value, level: &str| {
        let types = configuration[level]["workItemTypes"].as_array().unwrap().clone();
        types.iter().map(|kind| kind["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (own, default) = (configuration("/Newcomers").await, configuration("").await);
    assert_eq!(
        (&own["bugsBehavior"], &own["hiddenBacklogs"]),
        (&json!("asRequirements"), &json!(["Microsoft.EpicCategory"]))
    );
    assert_eq!(own["portfolioBacklogs"][0]["isHidden"], true);
    assert_eq!((&default["bugsBehavior"], &default["hiddenBacklogs"]), (&json!("asTasks"), &json!([])));
    assert_eq!(types(&own, "requirementBacklog"), ["User Story", "Bug"]);
    assert_eq!(
        (types(&default, "requirementBacklog"), types(&default, "taskBacklog")),
        (vec!["User Story".to_owned()], vec!["Task".to_owned(), "Bug".to_owned()])
    );
    let settings = bench.read("/Payments/Newcomers/_apis/work/teamsettings?api-version=7.1").await;
    assert_eq!(settings["backlogIteration"]["path"], "\\Release 1");
    assert_eq!(settings["backlogVisibilities"]["Microsoft.EpicCategory"], false);
    let iterations = bench.read("/Payments/Newcomers/_apis/work/teamsettings/iterations?api-version=7.1").await;
    assert_eq!(iterations["count"], 2);
    let wrong = TeamChange { bugs_behavior: Some("never".to_owned()), ..change };
    assert!(bench.simulator.change_team(&wrong).is_err());
}

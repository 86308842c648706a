//! Links, the recycle bin and the limit of revisions.

use ado_simulator::control::{ItemChange, ItemLink, WorkItemSummary};
use ado_simulator::{ExistingLink, RecycleBinForm};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, bench};

const CHILD: &str = "System.LinkTypes.Hierarchy-Forward";
const PARENT: &str = "System.LinkTypes.Hierarchy-Reverse";
const TESTED_BY: &str = "Microsoft.VSTS.Common.TestedBy-Forward";
const TESTS: &str = "Microsoft.VSTS.Common.TestedBy-Reverse";

fn link(id: u32, rel: &str, to: u32) -> ItemLink {
    ItemLink { id, rel: rel.to_owned(), to, ..ItemLink::default() }
}

fn of_kind(bench: &Bench, kind: &str) -> Vec<WorkItemSummary> {
    bench.simulator.work_items("Payments").unwrap().into_iter().filter(|item| item.kind == kind).collect()
}

/// The relations of an item as `rel` and id.
async fn relations(bench: &Bench, id: u32) -> Vec<(String, u32)> {
    let item = bench.read(&format!("/_apis/wit/workitems/{id}?$expand=relations&api-version=7.1")).await;
    let relations = item["relations"].as_array().cloned().unwrap_or_default();
    let end = |relation: &Value| {
        let url = relation["url"].as_str().unwrap();
        (relation["rel"].as_str().unwrap().to_owned(), url.rsplit('/').next().unwrap().parse().unwrap())
    };
    relations.iter().map(end).collect()
}

async fn patch(bench: &Bench, id: u32, operations: Value) -> Answer {
    bench.send("full", Method::PATCH, &format!("/_apis/wit/workitems/{id}?api-version=7.1"), Some(operations)).await
}

fn add(bench: &Bench, rel: &str, to: u32) -> Value {
    let url = format!("{}/_apis/wit/workItems/{to}", bench.simulator.url());
    json!([{"op": "add", "path": "/relations/-", "value": {"rel": rel, "url": url}}])
}

#[tokio::test]
async fn the_generated_world_has_a_hierarchy_and_tests_of_requirements() {
    let bench = bench().await;
    let kinds: std::collections::BTreeMap<u32, String> =
        bench.simulator.work_items("Payments").unwrap().into_iter().map(|item| (item.id, item.kind)).collect();
    for (kind, above) in [("Feature", "Epic"), ("User Story", "Feature"), ("Task", "User Story"), ("Bug", "User Story")]
    {
        let parents: Vec<u32> = of_kind(&bench, kind).iter().map(|item| item.parent).filter(|id| *id != 0).collect();
        assert!(!parents.is_empty() && parents.iter().all(|id| kinds[id] == above), "{kind}: {parents:?}");
    }
    let cases = of_kind(&bench, "Test Case");
    let mut tested = 0;
    for case in &cases {
        for (rel, story) in relations(&bench, case.id).await.into_iter().filter(|(rel, _)| rel == TESTS) {
            tested += 1;
            assert_eq!((rel.as_str(), kinds[&story].as_str()), (TESTS, "User Story"));
            assert!(relations(&bench, story).await.contains(&(TESTED_BY.to_owned(), case.id)));
        }
    }
    assert!(tested > cases.len() / 2, "{tested} of {}", cases.len());
}

#[tokio::test]
async fn a_link_is_made_at_one_end_shown_at_both_and_removed_at_either() {
    let bench = bench().await;
    let (story, bug) = (of_kind(&bench, "User Story")[0].id, of_kind(&bench, "Bug")[0].id);
    let before = relations(&bench, story).await;
    for (rel, back) in [
        (TESTED_BY, TESTS),
        ("System.LinkTypes.Related", "System.LinkTypes.Related"),
        ("System.LinkTypes.Dependency-Forward", "System.LinkTypes.Dependency-Reverse"),
    ] {
        let added = patch(&bench, story, add(&bench, rel, bug)).await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.text);
        assert!(relations(&bench, story).await.contains(&(rel.to_owned(), bug)));
        let at_bug = relations(&bench, bug).await;
        let place = at_bug.iter().position(|end| *end == (back.to_owned(), story)).unwrap();
        let removed = patch(&bench, bug, json!([{"op": "remove", "path": format!("/relations/{place}")}])).await;
        assert_eq!(removed.status, StatusCode::OK, "{}", removed.text);
        assert_eq!(relations(&bench, story).await, before);
    }
}

#[tokio::test]
async fn a_checked_link_is_shown_and_not_made() {
    let bench = bench().await;
    let (story, bug) = (of_kind(&bench, "User Story")[0].id, of_kind(&bench, "Bug")[0].id);
    let before = relations(&bench, story).await;
    let path = format!("/_apis/wit/workitems/{story}?validateOnly=true&api-version=7.1");
    let checked = bench.send("full", Method::PATCH, &path, Some(add(&bench, TESTED_BY, bug))).await;
    let shown = checked.json()["relations"].as_array().unwrap().clone();
    assert_eq!((shown.len(), &shown[shown.len() - 1]["rel"]), (before.len() + 1, &json!(TESTED_BY)));
    assert_eq!(relations(&bench, story).await, before);
}

#[tokio::test]
async fn a_link_that_is_there_is_refused_and_so_is_a_circle() {
    let bench = bench().await;
    let child = of_kind(&bench, "User Story").into_iter().find(|item| item.parent != 0).unwrap();
    let (bug, other) = (of_kind(&bench, "Bug")[0].id, of_kind(&bench, "Bug")[1].id);
    let related = add(&bench, "System.LinkTypes.Related", other);
    assert_eq!(patch(&bench, bug, related.clone()).await.status, StatusCode::OK);
    assert_eq!(patch(&bench, bug, related.clone()).await.status, StatusCode::BAD_REQUEST);
    bench.simulator.change_quirks(|quirks| quirks.existing_link = ExistingLink::Conflict);
    assert_eq!(patch(&bench, bug, related).await.status, StatusCode::CONFLICT);
    assert_eq!(patch(&bench, bug, add(&bench, "System.LinkTypes.Related", bug)).await.status, StatusCode::BAD_REQUEST);
    let circle = patch(&bench, child.id, add(&bench, CHILD, child.parent)).await;
    assert!(circle.status == StatusCode::BAD_REQUEST, "{}", circle.text);
    assert!(bench.simulator.link(&link(child.parent, PARENT, child.id)).is_err());
    assert!(bench.simulator.link(&link(bug, "System.LinkTypes.Remote-Forward", other)).is_err());
}

#[tokio::test]
async fn links_to_the_recycle_bin_are_hidden_and_come_back() {
    let bench = bench().await;
    let child = of_kind(&bench, "User Story").into_iter().find(|item| item.parent != 0).unwrap();
    let parent = async || {
        let item = bench.read(&format!("/_apis/wit/workitems/{}?api-version=7.1", child.id)).await;
        item["fields"].get("System.Parent").cloned()
    };
    bench.simulator.delete_work_item(child.parent).unwrap();
    assert_eq!(parent().await, None);
    assert!(relations(&bench, child.id).await.iter().all(|(rel, _)| rel != PARENT));
    let back = ItemChange { id: child.parent, deleted: Some(false), ..ItemChange::default() };
    bench.simulator.change_work_item(&back).unwrap();
    assert_eq!(parent().await, Some(json!(child.parent)));
    let gone = ItemChange { id: child.parent, destroyed: true, ..ItemChange::default() };
    bench.simulator.change_work_item(&gone).unwrap();
    assert_eq!(parent().await, None);
}

#[tokio::test]
async fn the_recycle_bin_lists_what_reads_and_queries_leave_out() {
    let bench = bench().await;
    let bug = of_kind(&bench, "Bug")[0].clone();
    bench.simulator.delete_work_item(bug.id).unwrap();
    let batch = json!({"ids": [bug.id, 1], "errorPolicy": "omit", "fields": ["System.Id"]});
    let batch = bench.post("full", "/_apis/wit/workitemsbatch?api-version=7.1", batch).await.json();
    assert_eq!((&batch["value"][0], &batch["value"][1]["id"]), (&json!(null), &json!(1)));
    let query = format!("SELECT [System.Id] FROM WorkItems WHERE [System.Id] = {}", bug.id);
    assert_eq!(bench.query("Payments", &query, "").await.json()["workItems"], json!([]));
    let list = bench.read("/Payments/_apis/wit/recyclebin?api-version=7.1").await;
    let entry = &list["value"][0];
    assert_eq!((&list["count"], &entry["id"], &entry["type"]), (&json!(1), &json!(bug.id), &json!("Bug")));
    assert!(entry["name"].is_string() && entry["deletedDate"].is_string(), "{entry}");
    assert!(entry["deletedBy"].as_str().unwrap().contains('<') && entry["project"] == "Payments", "{entry}");
    let by_id = bench.read(&format!("/_apis/wit/recyclebin?ids={},1&api-version=7.1", bug.id)).await;
    assert_eq!((&by_id["count"], &by_id["value"][0]["code"]), (&json!(1), &json!(200)));
    let other = bench.read("/Platform/_apis/wit/recyclebin?api-version=7.1").await;
    assert_eq!(other, json!({"count": 0, "value": []}));
}

#[tokio::test]
async fn the_recycle_bin_has_several_forms_and_a_limit() {
    let bench = bench().await;
    let bugs = of_kind(&bench, "Bug");
    for bug in &bugs[..2] {
        bench.simulator.delete_work_item(bug.id).unwrap();
    }
    let path = "/Payments/_apis/wit/recyclebin?api-version=7.1";
    bench.simulator.change_quirks(|quirks| quirks.recycle_bin_form = RecycleBinForm::Shallow);
    let shallow = bench.read(path).await;
    assert_eq!(shallow["value"][0].as_object().unwrap().len(), 2);
    bench.simulator.change_quirks(|quirks| quirks.recycle_bin_form = RecycleBinForm::BareArray);
    let bare = bench.read(path).await;
    let ids: Vec<&str> = bare.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [bugs[0].id.to_string(), bugs[1].id.to_string()]);
    bench.simulator.change_quirks(|quirks| quirks.recycle_bin_limit = 1);
    let many = bench.get("full", path).await;
    assert!(many.status == StatusCode::BAD_REQUEST && many.text.contains("VS402337"), "{}", many.text);
}

#[tokio::test]
async fn an_item_with_the_most_revisions_is_refused_with_500() {
    let bench = bench().await;
    let bug = of_kind(&bench, "Bug")[0].id;
    bench.simulator.change_work_item(&ItemChange { id: bug, rev: Some(9_999), ..ItemChange::default() }).unwrap();
    let title = json!([{"op": "add", "path": "/fields/System.Title", "value": "once more"}]);
    let last = patch(&bench, bug, title.clone()).await;
    assert_eq!((last.status, &last.json()["rev"]), (StatusCode::OK, &json!(10_000)));
    let refused = patch(&bench, bug, title).await;
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(refused.type_key(), "WorkItemRevisionLimitExceededException");
    let linked = patch(&bench, bug, add(&bench, "System.LinkTypes.Related", 1)).await;
    assert_eq!(linked.status, StatusCode::OK, "a link makes no revision: {}", linked.text);
    assert!(bench.simulator.change_work_item(&ItemChange { id: bug, rev: Some(7), ..ItemChange::default() }).is_err());
}

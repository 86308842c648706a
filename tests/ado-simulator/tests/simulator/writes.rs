//! Creating and updating work items through the API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, bench};

async fn create(bench: &Bench, project: &str, kind: &str, query: &str, fields: Value) -> Answer {
    let operations: Vec<Value> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| json!({"op": "add", "path": format!("/fields/{name}"), "value": value}))
        .collect();
    let path = format!("/{project}/_apis/wit/workitems/${kind}?api-version=7.1{query}");
    bench.post("full", &path, Value::Array(operations)).await
}

async fn patch(bench: &Bench, id: &Value, query: &str, operations: Value) -> Answer {
    let path = format!("/_apis/wit/workitems/{id}?api-version=7.1{query}");
    bench.send("full", Method::PATCH, &path, Some(operations)).await
}

#[tokio::test]
async fn a_checked_create_has_fields_and_no_id_and_leaves_nothing() {
    let bench = bench().await;
    let before = bench.simulator.work_items("Payments").unwrap().len();
    let answer = create(&bench, "Payments", "User%20Story", "&validateOnly=true", json!({"System.Title": "x"})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let item = answer.json();
    assert_eq!((item.get("id"), item.get("rev")), (None, None));
    assert_eq!((&item["fields"]["System.State"], &item["fields"]["System.Title"]), (&json!("New"), &json!("x")));
    assert_eq!(bench.simulator.work_items("Payments").unwrap().len(), before);
}

#[tokio::test]
async fn rules_are_checked_and_name_the_field() {
    let bench = bench().await;
    for (project, kind, fields, field) in [
        ("Payments", "Bug", json!({"System.Description": "x"}), "System.Title"),
        (
            "Payments",
            "Bug",
            json!({"System.Title": "x", "Microsoft.VSTS.Common.Severity": "5 - Odd"}),
            "Microsoft.VSTS.Common.Severity",
        ),
        (
            "Payments",
            "Bug",
            json!({"System.Title": "x", "Microsoft.VSTS.Common.Priority": 9}),
            "Microsoft.VSTS.Common.Priority",
        ),
        (
            "Payments",
            "Bug",
            json!({"System.Title": "x", "Microsoft.VSTS.Common.Priority": "high"}),
            "Microsoft.VSTS.Common.Priority",
        ),
        ("Payments", "Bug", json!({"System.Title": "x", "System.State": "Done"}), "System.State"),
        ("Payments", "Bug", json!({"System.Title": "x", "System.Id": 1}), "System.Id"),
        ("Platform", "Bug", json!({"System.Title": "x"}), "Custom.Customer"),
    ] {
        let answer = create(&bench, project, kind, "&validateOnly=true", fields).await;
        assert_eq!((answer.status, answer.type_key().as_str()), (StatusCode::BAD_REQUEST, "RuleValidationException"));
        assert_eq!(answer.json()["customProperties"]["FieldReferenceName"], field, "{}", answer.text);
    }
    let customer = json!({"System.Title": "x", "Custom.Customer": "Anyone"});
    assert_eq!(create(&bench, "Platform", "Bug", "&validateOnly=true", customer).await.status, StatusCode::OK);
    let unknown = create(&bench, "Payments", "Bug", "&validateOnly=true", json!({"No.Such": 1})).await;
    assert_eq!(unknown.type_key(), "WorkItemTrackingFieldDefinitionNotFoundException");
    let path =
        create(&bench, "Payments", "Bug", "", json!({"System.Title": "x", "System.IterationPath": "Payments\\No"}))
            .await;
    assert!(path.text.contains("TF401347"), "{}", path.text);
    let kind = create(&bench, "Payments", "Nonsense", "&validateOnly=true", json!({"System.Title": "x"})).await;
    assert_eq!((kind.status, kind.type_key().as_str()), (StatusCode::NOT_FOUND, "WorkItemTypeNotFoundException"));
    assert_eq!(bench.simulator.violation_count(), 0);
}

#[tokio::test]
async fn an_item_is_created_read_back_and_updated_with_a_guard() {
    let bench = bench().await;
    let fields = json!({"System.Title": "Crash", "System.IterationPath": "Payments\\Release 1", "Microsoft.VSTS.Common.Priority": 1});
    let created = create(&bench, "Payments", "Bug", "", fields).await.json();
    assert_eq!(
        (&created["rev"], &created["fields"]["System.IterationPath"]),
        (&json!(1), &json!("Payments\\Release 1"))
    );
    let id = &created["id"];
    let title = |rev: i64| json!([{"op": "test", "path": "/rev", "value": rev}, {"op": "add", "path": "/fields/System.Title", "value": "Fixed"}]);
    assert_eq!(patch(&bench, id, "", title(7)).await.status, StatusCode::PRECONDITION_FAILED);
    let checked = patch(&bench, id, "&validateOnly=true", title(1)).await.json();
    assert_eq!((&checked["id"], &checked["rev"]), (id, &json!(2)));
    let updated = patch(&bench, id, "", title(1)).await.json();
    assert_eq!((&updated["rev"], &updated["fields"]["System.Title"]), (&json!(2), &json!("Fixed")));
}

#[tokio::test]
async fn links_leave_the_revision_and_show_on_both_ends() {
    let bench = bench().await;
    let parent = create(&bench, "Payments", "Feature", "", json!({"System.Title": "Above"})).await.json();
    let child = create(&bench, "Payments", "User%20Story", "", json!({"System.Title": "Below"})).await.json();
    let link = |rel: &str, url: &Value| json!([{"op": "add", "path": "/relations/-", "value": {"rel": rel, "url": url, "attributes": {"comment": "c"}}}]);
    let up = "System.LinkTypes.Hierarchy-Reverse";
    let linked = patch(&bench, &child["id"], "", link(up, &parent["url"])).await.json();
    assert_eq!((&linked["rev"], &linked["fields"]["System.Parent"]), (&json!(1), &parent["id"]));
    assert_eq!(linked["fields"]["System.ChangedDate"], child["fields"]["System.ChangedDate"]);
    let above = bench.read(&format!("/_apis/wit/workitems/{}?$expand=relations&api-version=7.1", parent["id"])).await;
    assert_eq!(above["relations"][0]["rel"], "System.LinkTypes.Hierarchy-Forward");
    let second = patch(&bench, &child["id"], "", link(up, &parent["url"])).await;
    assert!(second.status == StatusCode::BAD_REQUEST && second.text.contains("TF201036"), "{}", second.text);
    let hyperlink =
        patch(&bench, &child["id"], "&validateOnly=true", link("Hyperlink", &json!("https://example.com"))).await;
    assert_eq!(hyperlink.status, StatusCode::OK);
    let plain = bench.read(&format!("/_apis/wit/workitems/{}?$expand=relations&api-version=7.1", child["id"])).await;
    assert_eq!(plain["relations"].as_array().unwrap().len(), 1);
    let removed = patch(&bench, &child["id"], "", json!([{"op": "remove", "path": "/relations/0"}])).await.json();
    assert_eq!(removed.get("relations"), None);
}

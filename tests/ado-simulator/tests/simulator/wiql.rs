//! Queries: conditions, paging, limits.

use ado_simulator::control::{ItemChange, NewWorkItem};
use ado_simulator::state::Right;
use ado_simulator::{Options, Quirks};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, Bench, bench, bench_with};

fn ids(answer: &Answer) -> Vec<u32> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let items = answer.json()["workItems"].as_array().unwrap().clone();
    items.iter().map(|item| u32::try_from(item["id"].as_u64().unwrap()).unwrap()).collect()
}

fn expected(bench: &Bench, keep: impl Fn(&ado_simulator::control::WorkItemSummary) -> bool) -> Vec<u32> {
    let items = bench.simulator.work_items("Payments").unwrap();
    items.into_iter().filter(|item| keep(item)).map(|item| item.id).collect()
}

const HEAD: &str = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project";

#[tokio::test]
async fn conditions_select_what_they_say() {
    let bench = bench_with(Options { items: 400, ..Options::default() }).await;
    let find = async |condition: &str| ids(&bench.query("Payments", &format!("{HEAD} AND {condition}"), "").await);
    assert_eq!(find("[System.WorkItemType] = 'Bug'").await, expected(&bench, |item| item.kind == "Bug"));
    assert_eq!(
        find("[System.State] IN ('New', 'active')").await,
        expected(&bench, |i| i.state == "New" || i.state == "Active")
    );
    assert_eq!(find("[System.State] <> 'New'").await, expected(&bench, |i| i.state != "New"));
    assert_eq!(find("[System.Id] >= 50 AND [System.Id] < 90").await, expected(&bench, |i| (50..90).contains(&i.id)));
    assert_eq!(
        find("([System.Id] = 1 OR NOT [System.WorkItemType] <> 'Epic')").await,
        expected(&bench, |i| i.id == 1 || i.kind == "Epic")
    );
    assert_eq!(
        find("[System.IterationPath] UNDER 'Payments\\Release 1'").await,
        expected(&bench, |i| i.iteration.starts_with("Payments\\Release 1"))
    );
    assert_eq!(find("[System.Parent] > 0").await, expected(&bench, |i| i.parent != 0));
    assert_eq!(find("[System.Title] = 'it''s'").await, Vec::<u32>::new());
    assert_eq!(
        find("[System.WorkItemType] IN ('Bug', 'task')").await,
        expected(&bench, |i| i.kind == "Bug" || i.kind == "Task")
    );
    assert_eq!(find("[System.WorkItemType] <> 'Bug'").await, expected(&bench, |i| i.kind != "Bug"));
    assert_eq!(
        find("[System.WorkItemType] IN GROUP 'Microsoft.RequirementCategory'").await,
        expected(&bench, |i| i.kind == "User Story")
    );
    assert_eq!(
        find("[System.WorkItemType] NOT IN GROUP 'Microsoft.BugCategory'").await,
        expected(&bench, |i| i.kind != "Bug")
    );
    assert_eq!(find("[System.IsDeleted] = false").await, expected(&bench, |_| true));
    assert_eq!(find("[System.IsDeleted] = True").await, Vec::<u32>::new());
    let (high, none) = (
        find("[Microsoft.VSTS.Common.Severity] IN ('1 - Critical', '2 - High')").await,
        "[Microsoft.VSTS.Common.Severity]",
    );
    assert!(!high.is_empty() && high.iter().all(|id| expected(&bench, |i| i.kind == "Bug").contains(id)));
    assert_eq!(find(&format!("{none} = ''")).await, expected(&bench, |i| i.kind != "Bug"));
    assert_eq!(bench.simulator.violation_count(), 0);
}

#[tokio::test]
async fn ids_page_through_a_project_and_other_projects_stay_out() {
    let bench = bench_with(Options { items: 400, ..Options::default() }).await;
    let (mut all, mut last) = (Vec::<u32>::new(), 0);
    loop {
        let query = format!("{HEAD} AND [System.Id] > {last} ORDER BY [System.Id]");
        let page = ids(&bench.query("Payments", &query, "&$top=37").await);
        all.extend(&page);
        match page.last() {
            Some(id) if page.len() == 37 => last = *id,
            _ => break,
        }
    }
    assert_eq!(all, expected(&bench, |_| true));
}

#[tokio::test]
async fn dates_obey_their_precision() {
    let bench = bench().await;
    let changed = |answer: Value| answer["fields"]["System.ChangedDate"].as_str().unwrap().to_owned();
    let stamp = changed(bench.read("/_apis/wit/workitems/1?api-version=7.1").await);
    let with_time = format!("{HEAD} AND [System.ChangedDate] >= '{stamp}' AND [System.ChangedDate] <= '{stamp}'");
    let refused = bench.query("Payments", &with_time, "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("You cannot supply a time with the date"), "{}", refused.text);
    assert_eq!(ids(&bench.query("Payments", &with_time, "&timePrecision=true").await), [1]);
    let day = &stamp[..10];
    assert!(
        ids(&bench.query("Payments", &format!("{HEAD} AND [System.ChangedDate] = '{day}'"), "").await).contains(&1)
    );
    let ahead = format!("{HEAD} AND [System.ChangedDate] > @today");
    assert_eq!(ids(&bench.query("Payments", &ahead, "").await), Vec::<u32>::new());
}

#[tokio::test]
async fn the_watermark_is_a_time_and_order_by_is_echoed() {
    let bench = bench().await;
    let query = format!("{HEAD} ORDER BY [System.ChangedDate] DESC");
    let answer = bench.query("Payments", &query, "").await;
    let json = answer.json();
    assert!(json["asOf"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!((&json["queryType"], &json["sortColumns"][0]["descending"]), (&Value::from("flat"), &Value::from(true)));
    let mut stamps = Vec::new();
    for id in ids(&answer).into_iter().take(5) {
        let item = bench.read(&format!("/_apis/wit/workitems/{id}?fields=System.ChangedDate&api-version=7.1")).await;
        stamps.push(item["fields"]["System.ChangedDate"].as_str().unwrap().to_owned());
    }
    assert!(stamps.is_sorted_by(|a, b| a >= b), "{stamps:?}");
    assert_eq!(bench.query("Payments", HEAD, "").await.json().get("sortColumns"), None);
}

#[tokio::test]
async fn too_many_results_are_refused_cut_off_or_avoided_by_top() {
    let quirks = Quirks { wiql_result_limit: 30, ..Quirks::default() };
    let bench = bench_with(Options { items: 200, quirks, ..Options::default() }).await;
    let refused = bench.query("Payments", HEAD, "").await;
    assert_eq!((refused.status, refused.json()["eventId"].as_i64()), (StatusCode::BAD_REQUEST, Some(3200)));
    assert_eq!(refused.type_key(), "WorkItemTrackingQueryResultSizeLimitExceededException");
    assert_eq!(ids(&bench.query("Payments", HEAD, "&$top=20").await).len(), 20);
    bench.simulator.change_quirks(|quirks| quirks.wiql_top_avoids_size_limit = false);
    assert_eq!(bench.query("Payments", HEAD, "&$top=20").await.status, StatusCode::BAD_REQUEST);
    let few = ids(&bench.query("Payments", &format!("{HEAD} AND [System.Id] < 20"), "&$top=20").await);
    assert_eq!(few, expected(&bench, |item| item.id < 20));
    bench.simulator.change_quirks(|quirks| quirks.wiql_truncates_silently = true);
    assert_eq!(ids(&bench.query("Payments", HEAD, "").await).len(), 30);
}

#[tokio::test]
async fn wrong_queries_are_400_and_what_is_missing_here_is_501() {
    let bench = bench().await;
    for (query, status, text) in [
        ("SELECT [System.Id] FROM WorkItems WHERE [No.Such] = 1", 400, "TF51005"),
        ("SELECT [System.Id] WHERE 1", 400, "TF51006"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.IterationPath] = 'Payments\\Nowhere'", 400, "does not exist"),
        ("SELECT [System.Id] FROM WorkItemLinks", 501, "WorkItemLinks"),
    ] {
        let answer = bench.query("Payments", query, "").await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert!(answer.text.contains(text), "{}", answer.text);
    }
    let no_project = serde_json::json!({"query": HEAD});
    assert_eq!(bench.post("full", "/_apis/wit/wiql?api-version=7.1", no_project).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn unreadable_and_deleted_items_are_left_out_silently() {
    let bench = bench().await;
    let new = NewWorkItem {
        project: "Payments".to_owned(),
        kind: "Bug".to_owned(),
        fields: [("System.Title".to_owned(), "fresh".into()), ("System.Tags".to_owned(), "a; zebra".into())].into(),
        ..NewWorkItem::default()
    };
    let id = bench.simulator.create_work_item(&new).unwrap();
    let tagged = format!("{HEAD} AND [System.Tags] CONTAINS 'zebra'");
    assert_eq!(ids(&bench.query("Payments", &tagged, "").await), [id]);
    bench.simulator.delete_work_item(id).unwrap();
    assert_eq!(ids(&bench.query("Payments", &tagged, "").await), Vec::<u32>::new());
    bench.simulator.change_work_item(&ItemChange { id, deleted: Some(false), ..ItemChange::default() }).unwrap();
    assert_eq!(ids(&bench.query("Payments", &tagged, "").await), [id]);
    bench.simulator.deny("full", &[Right::ReadWorkItems], Some("Payments")).unwrap();
    assert_eq!(ids(&bench.query("Payments", HEAD, "").await), Vec::<u32>::new());
    let single = bench.get("full", &format!("/_apis/wit/workitems/{id}?api-version=7.1")).await;
    assert_eq!(single.status, StatusCode::NOT_FOUND);
}

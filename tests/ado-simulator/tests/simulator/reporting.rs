//! The reporting feeds of revisions and links.

use std::collections::{BTreeMap, BTreeSet};

use ado_simulator::control::{BulkChange, ItemChange, ItemLink, NewWorkItem};
use ado_simulator::state::Right;
use ado_simulator::{Options, Quirks, ReportingDeleted, ReportingParent, ReportingRefusal, SpecificationSource};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, bench, bench_with, bench_with_quirks};

const REVISIONS: &str = "/_apis/wit/reporting/workitemrevisions?api-version=7.1";
const LINKS: &str = "/_apis/wit/reporting/workitemlinks?api-version=7.1";
const LATEST: &str = "&includeLatestOnly=true";

/// A feed read to its end: the values, and the token to go on from.
async fn drain(bench: &Bench, path: &str, token: Option<&str>) -> (Vec<Value>, String) {
    let mut token = token.map(str::to_owned);
    let mut values = Vec::new();
    loop {
        let from = token.as_ref().map_or(String::new(), |token| format!("&continuationToken={token}"));
        let page = bench.read(&format!("{path}{from}")).await;
        values.extend(page["values"].as_array().unwrap().iter().cloned());
        let next = page["continuationToken"].as_str().unwrap().to_owned();
        if page["isLastBatch"] == true {
            return (values, next);
        }
        assert_ne!(token.as_ref(), Some(&next), "the feed must move on");
        token = Some(next);
    }
}

async fn project_feed(bench: &Bench, more: &str, token: Option<&str>) -> (Vec<Value>, String) {
    drain(bench, &format!("/Payments{REVISIONS}{more}"), token).await
}

fn ids(values: &[Value]) -> Vec<u64> {
    values.iter().map(|value| value["id"].as_u64().unwrap()).collect()
}

fn change(id: u32) -> ItemChange {
    ItemChange { id, ..ItemChange::default() }
}

async fn small_pages() -> Bench {
    bench_with_quirks(Quirks { reporting_page_size: 7, ..Quirks::default() }).await
}

#[tokio::test]
async fn each_item_of_the_project_comes_once_at_its_latest_revision() {
    let bench = small_pages().await;
    let (values, token) = project_feed(&bench, LATEST, None).await;
    let items = bench.simulator.work_items("Payments").unwrap();
    let expected: BTreeMap<u64, u64> = items.iter().map(|item| (item.id.into(), item.rev.into())).collect();
    let found: BTreeMap<u64, u64> =
        values.iter().map(|v| (v["id"].as_u64().unwrap(), v["rev"].as_u64().unwrap())).collect();
    assert_eq!((found, values.len()), (expected, items.len()));
    let dates: Vec<&str> = values.iter().map(|v| v["fields"]["System.ChangedDate"].as_str().unwrap()).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    let (later, again) = project_feed(&bench, LATEST, Some(&token)).await;
    assert_eq!((later, again), (Vec::new(), token));
}

#[tokio::test]
async fn a_revision_has_all_short_fields_and_identities_as_text() {
    let bench = bench().await;
    let page = bench.get("full", &format!("/Payments{REVISIONS}{LATEST}")).await;
    assert_eq!(page.header("content-type"), "application/json; api-version=7.1");
    let page = page.json();
    assert!(page["nextLink"].as_str().unwrap().contains("/_apis/wit/reporting/workItemRevisions?continuationToken="));
    let value = &page["values"][0];
    let fields = value["fields"].as_object().unwrap();
    assert_eq!((&fields["System.Id"], &fields["System.Rev"]), (&value["id"], &value["rev"]));
    assert_eq!(fields["System.RevisedDate"], "9999-01-01T00:00:00Z");
    let author = fields["System.CreatedBy"].as_str().unwrap();
    assert!(author.ends_with("@contoso.example>"), "{author}");
    assert!(!fields.contains_key("System.Description") && !fields.contains_key("System.AreaId"), "{fields:?}");
}

#[tokio::test]
async fn named_fields_long_texts_identities_and_tags_are_given_as_asked() {
    let bench = bench().await;
    let fields = "&fields=System.Title,System.Description,System.CreatedBy,System.Tags,System.AreaId";
    let (plain, _) = project_feed(&bench, &format!("{LATEST}{fields}"), None).await;
    assert!(plain.iter().all(|v| v["fields"].get("System.Description").is_none()), "long texts need $expand");
    assert!(plain.iter().all(|v| v["fields"]["System.AreaId"].is_u64() && v["fields"].get("System.Id").is_none()));
    let more = format!("{LATEST}{fields}&$expand=fields&includeIdentityRef=true&includeTagRef=true");
    let (full, _) = project_feed(&bench, &more, None).await;
    assert!(full.iter().any(|v| v["fields"]["System.Description"].is_string()));
    let author = &full[0]["fields"]["System.CreatedBy"];
    assert!(author["id"].is_string() && author["uniqueName"].as_str().unwrap().contains('<'), "{author}");
    let tagged = full.iter().find_map(|v| v["fields"].get("System.Tags")).unwrap();
    assert!(tagged[0]["name"].is_string() && tagged[0]["id"].is_string(), "{tagged}");
}

#[tokio::test]
async fn the_same_can_be_asked_with_post() {
    let bench = bench().await;
    let body = json!({"fields": ["System.Title"], "types": ["Bug"], "includeLatestOnly": true});
    let posted = bench.post("full", &format!("/Payments{REVISIONS}"), body).await.json();
    let (got, _) = project_feed(&bench, &format!("{LATEST}&fields=System.Title&types=Bug"), None).await;
    assert_eq!(posted["values"], json!(got));
    assert!(!got.is_empty());
    let size = bench.post("full", &format!("/Payments{REVISIONS}&$maxPageSize=5"), json!({})).await;
    assert_eq!((size.status, size.type_key().as_str()), (StatusCode::BAD_REQUEST, "StrictnessException"));
}

#[tokio::test]
async fn the_page_is_as_large_as_the_server_likes_and_no_larger_than_asked() {
    let bench = small_pages().await;
    let count = async |more: &str| {
        let page = bench.read(&format!("/Payments{REVISIONS}{LATEST}{more}")).await;
        page["values"].as_array().unwrap().len()
    };
    assert_eq!((count("").await, count("&$maxPageSize=3").await, count("&$maxPageSize=500").await), (7, 3, 7));
}

#[tokio::test]
async fn only_what_changed_comes_after_a_token_and_links_are_no_change() {
    let bench = small_pages().await;
    let (values, token) = project_feed(&bench, LATEST, None).await;
    let id = u32::try_from(ids(&values)[3]).unwrap();
    bench.simulator.set_field(id, "System.Title", "once").unwrap();
    bench.simulator.set_field(id, "System.Title", "twice").unwrap();
    let other = u32::try_from(ids(&values)[4]).unwrap();
    let related = ItemLink { id, rel: "System.LinkTypes.Related".to_owned(), to: other, ..ItemLink::default() };
    bench.simulator.link(&related).unwrap();
    let (later, token) = project_feed(&bench, LATEST, Some(&token)).await;
    assert_eq!(ids(&later), [u64::from(id)]);
    assert_eq!(later[0]["fields"]["System.Title"], "twice");
    let new = NewWorkItem { project: "Payments".to_owned(), kind: "Task".to_owned(), ..NewWorkItem::default() };
    let made = bench.simulator.create_work_item(&new).unwrap();
    let (later, _) = project_feed(&bench, LATEST, Some(&token)).await;
    assert_eq!((ids(&later), &later[0]["rev"]), (vec![u64::from(made)], &json!(1)));
}

#[tokio::test]
async fn without_latest_only_every_revision_comes_with_what_it_was() {
    let bench = small_pages().await;
    let (before, token) = project_feed(&bench, "", None).await;
    let items = bench.simulator.work_items("Payments").unwrap();
    let revisions: u64 = items.iter().map(|item| u64::from(item.rev)).sum();
    assert_eq!(before.len() as u64, revisions);
    let unique: BTreeSet<_> = before.iter().map(|v| (v["id"].as_u64(), v["rev"].as_u64())).collect();
    assert_eq!(unique.len(), before.len());
    let item = items.iter().find(|item| item.kind == "Bug").unwrap();
    let title = before.iter().find(|v| v["id"] == item.id).unwrap()["fields"]["System.Title"].clone();
    bench.simulator.set_field(item.id, "System.Title", "first").unwrap();
    bench.simulator.set_field(item.id, "System.Title", "second").unwrap();
    let (later, _) = project_feed(&bench, "", Some(&token)).await;
    let titles: Vec<_> = later.iter().map(|v| v["fields"]["System.Title"].clone()).collect();
    assert_eq!(titles, ["first", "second"]);
    assert_eq!(later[0]["fields"]["System.RevisedDate"], later[1]["fields"]["System.ChangedDate"]);
    let (all, _) = project_feed(&bench, "", None).await;
    let own: Vec<_> = all.iter().filter(|v| v["id"] == item.id).collect();
    assert_eq!(own.len(), usize::from(item.rev) + 2);
    assert_eq!(own[usize::from(item.rev) - 1]["fields"]["System.Title"], title);
    assert!(own.windows(2).all(|pair| pair[0]["rev"].as_u64() < pair[1]["rev"].as_u64()));
}

#[tokio::test]
async fn a_start_date_leaves_out_what_is_older() {
    let bench = small_pages().await;
    let (all, _) = project_feed(&bench, "", None).await;
    for more in [LATEST, ""] {
        let start = "2025-06-01T00:00:00Z";
        let (recent, _) = project_feed_from(&bench, more, start).await;
        let expected = all.iter().filter(|v| v["fields"]["System.ChangedDate"].as_str().unwrap() > start);
        let latest = |v: &&Value| more.is_empty() || v["fields"]["System.RevisedDate"] == "9999-01-01T00:00:00Z";
        assert_eq!(recent, expected.filter(latest).cloned().collect::<Vec<_>>());
        assert!(!recent.is_empty() && recent.len() < all.len());
    }
}

async fn project_feed_from(bench: &Bench, more: &str, start: &str) -> (Vec<Value>, String) {
    let page = bench.read(&format!("/Payments{REVISIONS}{more}&startDateTime={start}")).await;
    let token = page["continuationToken"].as_str().unwrap().to_owned();
    let mut values = page["values"].as_array().unwrap().clone();
    let (rest, token) = project_feed(bench, more, Some(&token)).await;
    values.extend(rest);
    (values, token)
}

#[tokio::test]
async fn deleted_items_come_only_when_asked_for_and_as_the_switch_says() {
    let bench = bench().await;
    let (values, token) = project_feed(&bench, LATEST, None).await;
    let [gone, back] = [1, 2].map(|place| u32::try_from(ids(&values)[place]).unwrap());
    bench.simulator.delete_work_item(gone).unwrap();
    bench.simulator.delete_work_item(back).unwrap();
    bench.simulator.change_work_item(&ItemChange { deleted: Some(false), ..change(back) }).unwrap();
    assert_eq!(ids(&project_feed(&bench, LATEST, Some(&token)).await.0), [u64::from(back)]);
    let deleted = async |flag: ReportingDeleted| {
        bench.simulator.change_quirks(|quirks| quirks.reporting_deleted = flag);
        let (values, _) = project_feed(&bench, &format!("{LATEST}&includeDeleted=true"), Some(&token)).await;
        values.iter().find(|v| v["id"] == gone).map(|v| v["fields"].get("System.IsDeleted").cloned())
    };
    assert_eq!(deleted(ReportingDeleted::Flagged).await, Some(Some(json!(true))));
    assert_eq!(deleted(ReportingDeleted::Unflagged).await, Some(None));
    assert_eq!(deleted(ReportingDeleted::Absent).await, None);
    bench.simulator.change_quirks(|quirks| quirks.reporting_deleted = ReportingDeleted::Flagged);
    bench.simulator.change_work_item(&ItemChange { destroyed: true, ..change(gone) }).unwrap();
    let (values, _) = project_feed(&bench, &format!("{LATEST}&includeDeleted=true"), None).await;
    assert!(!ids(&values).contains(&u64::from(gone)), "what was destroyed is never seen again");
}

#[tokio::test]
async fn what_moved_away_or_became_another_type_is_never_seen_again() {
    let bench = bench().await;
    let stories = "&types=User%20Story";
    let (values, token) = project_feed(&bench, &format!("{LATEST}{stories}"), None).await;
    let (_, whole) = drain(&bench, &format!("{REVISIONS}{LATEST}"), None).await;
    let [moved, retyped] = [0, 1].map(|place| u32::try_from(ids(&values)[place]).unwrap());
    let to = |project: &str| ItemChange { project: Some(project.to_owned()), ..change(moved) };
    bench.simulator.change_work_item(&to("Größe v1.2 (alt)")).unwrap();
    let bug = ItemChange { kind: Some("Bug".to_owned()), ..change(retyped) };
    bench.simulator.change_work_item(&bug).unwrap();
    assert_eq!(project_feed(&bench, &format!("{LATEST}{stories}"), Some(&token)).await.0, Vec::<Value>::new());
    assert_eq!(ids(&project_feed(&bench, LATEST, Some(&token)).await.0), [u64::from(retyped)]);
    let everywhere = drain(&bench, &format!("{REVISIONS}{LATEST}"), Some(&whole)).await.0;
    assert_eq!(ids(&everywhere), [u64::from(moved), u64::from(retyped)], "without a project it is seen");
    let scrum = bench.simulator.change_work_item(&to("Web Shop"));
    assert!(scrum.is_err(), "Scrum has no user stories");
    let as_item = ItemChange { kind: Some("Product Backlog Item".to_owned()), ..to("Web Shop") };
    bench.simulator.change_work_item(&as_item).unwrap();
    let item = bench.read(&format!("/_apis/wit/workitems/{moved}?api-version=7.1")).await;
    assert_eq!(item["fields"]["System.WorkItemType"], "Product Backlog Item");
}

#[tokio::test]
async fn the_parent_can_be_selected_left_out_or_refused() {
    let bench = bench().await;
    let ask = async |how: ReportingParent| {
        bench.simulator.change_quirks(|quirks| quirks.reporting_parent = how);
        bench.get("full", &format!("/Payments{REVISIONS}{LATEST}&fields=System.Id,System.Parent")).await
    };
    let parents = |answer: &Answer| {
        let page = answer.json();
        let values = page["values"].as_array().unwrap().iter();
        values.filter(|v| v["fields"]["System.Parent"].is_u64()).count()
    };
    let expected = bench.simulator.work_items("Payments").unwrap().iter().filter(|item| item.parent != 0).count();
    assert_eq!(parents(&ask(ReportingParent::Selectable).await), expected);
    assert_eq!(parents(&ask(ReportingParent::LeftOut).await), 0);
    let refused = ask(ReportingParent::Refused).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text.contains("TF51535"), "{}", refused.text);
}

#[tokio::test]
async fn the_last_token_may_be_in_the_next_link_alone() {
    let quirks = Quirks { reporting_last_token_in_next_link_only: true, reporting_page_size: 30, ..Quirks::default() };
    let bench = bench_with_quirks(quirks).await;
    let first = bench.read(&format!("/Payments{REVISIONS}{LATEST}")).await;
    assert_eq!((&first["isLastBatch"], first["continuationToken"].is_string()), (&json!(false), true));
    let mut page = first;
    while page["isLastBatch"] == false {
        let link = page["nextLink"].as_str().unwrap().to_owned();
        page = bench.read(link.strip_prefix(&bench.simulator.url()).unwrap()).await;
    }
    assert_eq!(page.get("continuationToken"), None);
    let link = page["nextLink"].as_str().unwrap();
    assert!(link.contains("includeLatestOnly=true") && link.contains("api-version=7.1"), "{link}");
    let again = bench.read(link.strip_prefix(&bench.simulator.url()).unwrap()).await;
    assert_eq!(again["values"], json!([]));
}

#[tokio::test]
async fn the_feeds_are_served_without_the_files_too() {
    let options = Options { specifications: SpecificationSource::OwnTable, ..Options::default() };
    let bench = bench_with(options).await;
    let (values, _) = project_feed(&bench, &format!("{LATEST}&includeDeleted=true&$maxPageSize=9"), None).await;
    assert_eq!(values.len(), bench.simulator.work_items("Payments").unwrap().len());
    let posted = bench.post("full", &format!("/Payments{REVISIONS}"), json!({"includeLatestOnly": true})).await.json();
    assert_eq!(posted["values"], json!(values));
    assert!(!drain(&bench, LINKS, None).await.0.is_empty());
    assert_eq!(bench.read("/_apis/wit/recyclebin?ids=1,2&api-version=7.1").await["count"], 0);
    assert_eq!(bench.simulator.violation_count(), 0);
}

#[tokio::test]
async fn what_the_feed_does_not_know_is_refused() {
    let bench = bench().await;
    for (more, key) in [
        ("&nonsense=1", "StrictnessException"),
        ("&$expand=relations", "StrictnessException"),
        ("&fields=No.Such", "WorkItemTrackingFieldDefinitionNotFoundException"),
        ("&types=Nonsense", "WorkItemTypeNotFoundException"),
        ("&continuationToken=garbage", "InvalidContinuationTokenException"),
        ("&continuationToken=999999999;1;1", "InvalidContinuationTokenException"),
        ("&continuationToken=0;0;0&startDateTime=2025-01-01", "VssPropertyValidationException"),
        ("&startDateTime=yesterday", "StrictnessException"),
    ] {
        let answer = bench.get("full", &format!("/Payments{REVISIONS}{more}")).await;
        assert_eq!((answer.status, answer.type_key().as_str()), (StatusCode::BAD_REQUEST, key), "{more}");
    }
    let link_type = bench.get("full", &format!("/Payments{LINKS}&linkTypes=System.LinkTypes.Remote")).await;
    assert_eq!(link_type.status, StatusCode::BAD_REQUEST);
    let discussion = bench.get("full", &format!("/Payments{REVISIONS}&includeDiscussionChangesOnly=true")).await;
    assert_eq!(discussion.status, StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn a_client_can_be_made_to_do_without_and_sees_only_what_it_may() {
    let bench = bench().await;
    for (refusal, status) in
        [(ReportingRefusal::NotFound, StatusCode::NOT_FOUND), (ReportingRefusal::Forbidden, StatusCode::FORBIDDEN)]
    {
        bench.simulator.change_quirks(|quirks| quirks.reporting_refusal = Some(refusal));
        for feed in [REVISIONS, LINKS] {
            assert_eq!(bench.get("full", &format!("/Payments{feed}")).await.status, status);
        }
    }
    bench.simulator.change_quirks(|quirks| quirks.reporting_refusal = None);
    bench.simulator.deny("read_only", &[Right::ReadWorkItems], Some("Payments")).unwrap();
    assert_eq!(bench.get("read_only", &format!("/Payments{REVISIONS}")).await.status, StatusCode::FORBIDDEN);
    let page = bench.get("read_only", &format!("{REVISIONS}{LATEST}")).await.json();
    let projects: BTreeSet<_> =
        page["values"].as_array().unwrap().iter().map(|v| v["fields"]["System.TeamProject"].as_str()).collect();
    assert!(!projects.contains(&Some("Payments")) && projects.len() > 2, "{projects:?}");
    bench.simulator.delete_project("Platform").unwrap();
    let (values, _) = drain(&bench, &format!("{REVISIONS}{LATEST}"), None).await;
    assert!(values.iter().all(|v| v["fields"]["System.TeamProject"] != "Platform"));
}

#[tokio::test]
async fn links_come_without_direction_from_the_parent_and_removals_are_inactive() {
    let bench = small_pages().await;
    let path = format!("/Payments{LINKS}&linkTypes=System.LinkTypes.Hierarchy");
    let (values, token) = drain(&bench, &path, None).await;
    let items = bench.simulator.work_items("Payments").unwrap();
    let expected: BTreeSet<(u32, u32)> =
        items.iter().filter(|item| item.parent != 0).map(|item| (item.parent, item.id)).collect();
    let pair = |v: &Value| {
        assert_eq!((&v["rel"], &v["isActive"]), (&json!("System.LinkTypes.Hierarchy"), &json!(true)));
        let id = |name: &str| u32::try_from(v[name].as_u64().unwrap()).unwrap();
        (id("sourceId"), id("targetId"))
    };
    assert_eq!(values.iter().map(pair).collect::<BTreeSet<_>>(), expected);
    let child = items.iter().find(|item| item.parent != 0).unwrap();
    let before = bench.read(&format!("/_apis/wit/workitems/{}?api-version=7.1", child.id)).await;
    let up = ItemLink {
        id: child.id,
        rel: "System.LinkTypes.Hierarchy-Reverse".to_owned(),
        to: child.parent,
        ..ItemLink::default()
    };
    bench.simulator.unlink(&up).unwrap();
    let (later, token) = drain(&bench, &path, Some(&token)).await;
    assert_eq!(later.len(), 1);
    assert_eq!((&later[0]["targetId"], &later[0]["isActive"]), (&json!(child.id), &json!(false)));
    let after = bench.read(&format!("/_apis/wit/workitems/{}?api-version=7.1", child.id)).await;
    assert_eq!((&after["rev"], after["fields"].get("System.Parent")), (&before["rev"], None));
    bench.simulator.link(&up).unwrap();
    let (later, _) = drain(&bench, &path, Some(&token)).await;
    assert_eq!((later.len(), &later[0]["isActive"]), (1, &json!(true)));
}

#[tokio::test]
async fn many_items_changed_at_once_all_come_and_a_large_world_stays_affordable() {
    let bench = bench_with(Options { items: 20_000, ..Options::default() }).await;
    let (values, token) = project_feed(&bench, LATEST, None).await;
    assert_eq!(values.len(), bench.simulator.work_items("Payments").unwrap().len());
    let bulk = BulkChange {
        project: Some("Payments".to_owned()),
        kind: Some("Bug".to_owned()),
        every: Some(2),
        limit: Some(500),
        change: ItemChange { fields: [("System.State".to_owned(), json!("Closed"))].into(), ..ItemChange::default() },
        ..BulkChange::default()
    };
    let changed = bench.simulator.change_work_items(&bulk).unwrap();
    let (later, _) = project_feed(&bench, &format!("{LATEST}&fields=System.State"), Some(&token)).await;
    assert_eq!(ids(&later), changed.iter().map(|id| u64::from(*id)).collect::<Vec<_>>());
    assert!(later.iter().all(|v| v["fields"] == json!({"System.State": "Closed"})));
    assert_eq!(changed.len(), 500);
}

//! What can be read: shapes that clients rely on, host forms, permissions.

use ado_simulator::Options;
use ado_simulator::state::Right;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{answer, bench, bench_with};

#[tokio::test]
async fn connection_data_names_the_caller_and_the_organization() {
    let bench = bench().await;
    let data = bench.read("/_apis/connectionData?api-version=7.1-preview").await;
    assert_eq!(data["authenticatedUser"]["properties"]["Account"]["$value"], "ada@contoso.example");
    assert_eq!(data["authorizedUser"]["id"], data["authenticatedUser"]["id"]);
    assert_eq!(data["deploymentType"], "hosted");
    assert_eq!(json!(bench.simulator.state().organizations[0].id), data["instanceId"]);
    assert_eq!(bench.simulator.violation_count(), 0);
}

#[tokio::test]
async fn both_host_forms_and_the_loopback_addresses_are_served() {
    let options = Options { host_names: vec!["contoso.visualstudio.com".to_owned()], ..Options::default() };
    let bench = bench_with(options).await;
    let port = bench.simulator.address().port();
    for origin in [format!("https://contoso.visualstudio.com:{port}"), format!("https://127.0.0.1:{port}/contoso")] {
        let request = bench.client.get(format!("{origin}/_apis/projects/Payments?api-version=7.1"));
        let answer =
            answer(request.basic_auth("", Some(bench.simulator.pat("full").unwrap())).send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.json()["url"].as_str().unwrap().starts_with(&origin), "{}", answer.text);
    }
}

#[tokio::test]
async fn the_session_of_the_client_is_echoed_and_activities_differ() {
    let bench = bench().await;
    let send = async || {
        let request = bench.client.get(format!("{}/_apis/projects?api-version=7.1", bench.simulator.url()));
        let request = request.basic_auth("", Some(bench.simulator.pat("full").unwrap()));
        answer(request.header("X-TFS-Session", "mine").send().await.unwrap()).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.header("x-tfs-session"), first.header("activityid")), ("mine", first.header("x-vss-e2eid")));
    assert_ne!(first.header("activityid"), second.header("activityid"));
}

#[tokio::test]
async fn projects_are_paged_with_a_token_in_the_header() {
    let bench = bench().await;
    let mut names = Vec::new();
    let mut next = Some("0".to_owned());
    while let Some(token) = next {
        let path = format!("/_apis/projects?$top=4&continuationToken={token}&api-version=7.1");
        let page = bench.get("full", &path).await;
        names.extend(page.json()["value"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()));
        next = page.headers.get("x-ms-continuationtoken").map(|value| value.to_str().unwrap().to_owned());
    }
    assert_eq!(names, ["Payments", "Web Shop", "Intranet", "Compliance", "Platform", "Größe v1.2 (alt)"]);
    let deleted = bench.read("/_apis/projects?stateFilter=deleted&api-version=7.1").await;
    assert_eq!(deleted["value"][0]["name"], "Retired");
}

#[tokio::test]
async fn a_project_that_is_absent_deleted_or_hidden_reads_alike() {
    let bench = bench().await;
    bench.simulator.hide_project("read_only", "Payments").unwrap();
    let payments = bench.simulator.project("Payments").unwrap().id;
    for (name, key) in [
        ("Nowhere", "ProjectDoesNotExistWithNameException"),
        ("Retired", "ProjectDoesNotExistWithNameException"),
        ("Payments", "ProjectDoesNotExistWithNameException"),
        (&payments.to_string(), "ProjectDoesNotExistException"),
    ] {
        let answer = bench.get("read_only", &format!("/_apis/projects/{name}?api-version=7.1")).await;
        assert_eq!((answer.status, answer.type_key().as_str()), (StatusCode::NOT_FOUND, key));
    }
    let visible = bench.get("read_only", "/_apis/projects?api-version=7.1").await.json();
    assert!(visible["value"].as_array().unwrap().iter().all(|project| project["name"] != "Payments"));
    assert_eq!(bench.read("/_apis/projects/payments?api-version=7.1").await["name"], "Payments");
}

#[tokio::test]
async fn tiers_come_from_each_process() {
    let bench = bench().await;
    let levels = |project: &'static str| {
        let bench = &bench;
        async move {
            let answer = bench.read(&format!("/{project}/_apis/work/backlogconfiguration?api-version=7.1")).await;
            let mut levels: Vec<(i64, String)> = answer["portfolioBacklogs"]
                .as_array()
                .unwrap()
                .iter()
                .chain([&answer["requirementBacklog"], &answer["taskBacklog"]])
                .map(|level| (level["rank"].as_i64().unwrap(), level["name"].as_str().unwrap().to_owned()))
                .collect();
            levels.sort_by_key(|(rank, _)| -rank);
            levels.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        }
    };
    assert_eq!(levels("Payments").await, ["Epics", "Features", "Stories", "Tasks"]);
    assert_eq!(levels("Intranet").await, ["Epics", "Issues", "Tasks"]);
    assert_eq!(levels("Platform").await, ["Initiatives", "Big Rocks", "Features", "Stories", "Tasks"]);
}

#[tokio::test]
async fn resolved_has_another_category_on_bugs() {
    let bench = bench().await;
    let category = |states: serde_json::Value| {
        let states = states["value"].as_array().unwrap().clone();
        states.iter().find(|s| s["name"] == "Resolved").unwrap()["category"].as_str().unwrap().to_owned()
    };
    let bug = bench.read("/Payments/_apis/wit/workitemtypes/Bug/states?api-version=7.1").await;
    let story = bench.read("/Payments/_apis/wit/workitemtypes/User%20Story/states?api-version=7.1").await;
    assert_eq!((category(bug).as_str(), category(story).as_str()), ("Resolved", "InProgress"));
}

#[tokio::test]
async fn iteration_trees_are_cut_by_depth_and_found_by_path_and_id() {
    let bench = bench().await;
    let nodes = "/Payments/_apis/wit/classificationnodes";
    let root = bench.read(&format!("{nodes}/Iterations?api-version=7.1")).await;
    assert_eq!((&root["hasChildren"], root.get("children")), (&json!(true), None));
    let tree = bench.read(&format!("{nodes}/Iterations?$depth=14&api-version=7.1")).await;
    let release = &tree["children"][0];
    assert_eq!(release["path"], "\\Payments\\Iteration\\Release 1");
    assert_eq!(release["children"].as_array().unwrap().len(), 3);
    let sprint = bench.read(&format!("{nodes}/Iterations/Release%201/Sprint%202?api-version=7.1")).await;
    assert_eq!(
        sprint["attributes"],
        json!({"startDate": "2026-02-01T00:00:00Z", "finishDate": "2026-02-28T00:00:00Z"})
    );
    let by_id = bench.read(&format!("{nodes}?ids={},1&errorPolicy=omit&api-version=7.1", sprint["id"])).await;
    assert_eq!((&by_id["value"][0]["identifier"], &by_id["value"][1]), (&sprint["identifier"], &json!(null)));
    let missing = bench.get("full", &format!("{nodes}/Iterations/Nowhere?api-version=7.1")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_unset_team_has_the_zero_guid_and_no_iterations() {
    let bench = bench().await;
    let settings = bench.read("/Payments/Newcomers/_apis/work/teamsettings?api-version=7.1").await;
    assert_eq!(settings["backlogIteration"], json!({"id": "00000000-0000-0000-0000-000000000000"}));
    assert_eq!(
        (&settings["defaultIteration"], &settings["defaultIterationMacro"]),
        (&json!(null), &json!("@currentIteration"))
    );
    let iterations = bench.read("/Payments/Newcomers/_apis/work/teamsettings/iterations?api-version=7.1").await;
    assert_eq!(iterations, json!({"count": 0, "value": []}));
    let undated = bench.read("/Intranet/_apis/work/teamsettings/iterations?api-version=7.1").await;
    assert_eq!(
        undated["value"][0]["attributes"],
        json!({"startDate": null, "finishDate": null, "timeFrame": "current"})
    );
    let unknown = bench.get("full", "/Payments/Nobody/_apis/work/teamsettings?api-version=7.1").await;
    assert_eq!((unknown.status, unknown.type_key().as_str()), (StatusCode::NOT_FOUND, "TeamNotFoundException"));
}

#[tokio::test]
async fn a_batch_omits_or_fails_for_what_cannot_be_read() {
    let bench = bench().await;
    let path = "/_apis/wit/workitemsbatch?api-version=7.1";
    let body = |policy| json!({"ids": [1, 999_999], "fields": ["System.Id", "System.Title"], "errorPolicy": policy});
    let omitted = bench.post("full", path, body("Omit")).await.json();
    assert_eq!((&omitted["count"], &omitted["value"][1]), (&json!(2), &json!(null)));
    assert_eq!(omitted["value"][0]["fields"].as_object().unwrap().len(), 2);
    let failed = bench.post("full", path, body("fail")).await;
    assert_eq!(failed.status, StatusCode::NOT_FOUND);
    assert!(failed.text.contains("TF401232"), "{}", failed.text);
    let both = bench.post("full", path, json!({"ids": [1], "fields": ["System.Id"], "$expand": "Relations"})).await;
    assert!(both.text.contains("expand parameter can not be used with the fields parameter"), "{}", both.text);
    let many: Vec<u32> = (1..=201).collect();
    let many = bench.post("full", path, json!({"ids": many})).await;
    assert!(many.status == StatusCode::BAD_REQUEST && many.text.contains("VS403474"), "{}", many.text);
    let unknown = bench.post("full", path, json!({"ids": [1], "fields": ["Nonsense.Field"]})).await;
    assert_eq!(unknown.type_key(), "WorkItemTrackingFieldDefinitionNotFoundException");
}

#[tokio::test]
async fn permissions_are_evaluated_per_project() {
    let bench = bench().await;
    let hooks = "cb594ebe-87dd-4fc9-ac2c-6a10a4c92046";
    let ids: Vec<String> =
        ["Payments", "Web Shop"].iter().map(|name| bench.simulator.project(name).unwrap().id.to_string()).collect();
    bench.simulator.deny("full", &[Right::EditSubscriptions], Some("Payments")).unwrap();
    let tokens = format!("PublisherSecurity/{},PublisherSecurity/{}", ids[0], ids[1]);
    let path = format!("/_apis/permissions/{hooks}/2?tokens={tokens}&api-version=7.1");
    assert_eq!(bench.read(&path).await, json!({"count": 2, "value": [false, true]}));
    let evaluations: Vec<_> = ids
        .iter()
        .map(|id| json!({"securityNamespaceId": hooks, "token": format!("PublisherSecurity/{id}"), "permissions": 2}))
        .collect();
    let body = json!({"alwaysAllowAdministrators": false, "evaluations": evaluations});
    let batch = bench.post("full", "/_apis/security/permissionevaluationbatch?api-version=7.1", body).await.json();
    let values: Vec<_> = batch["evaluations"].as_array().unwrap().iter().map(|e| e["value"].clone()).collect();
    assert_eq!(values, [json!(false), json!(true)]);
}

#[tokio::test]
async fn access_levels_show_and_matter() {
    let bench = bench().await;
    let level = async |pat: &str| {
        let me = bench.get(pat, "/_apis/connectionData?api-version=7.1-preview").await.json();
        let id = me["authenticatedUser"]["id"].as_str().unwrap().to_owned();
        let answer = bench.get(pat, &format!("/_apis/userentitlements/{id}?api-version=7.1")).await.json();
        answer["accessLevel"]["accountLicenseType"].as_str().unwrap().to_owned()
    };
    assert_eq!(level("full").await, "advanced");
    assert_eq!(level("stakeholder").await, "stakeholder");
    let plans = "/Payments/_apis/testplan/plans?api-version=7.1";
    assert_eq!(bench.get("stakeholder", plans).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.get("full", plans).await.status, StatusCode::OK);
    let analytics = "/Payments/_odata/v4.0-preview/WorkItems?$top=1&$select=WorkItemId";
    assert_eq!(bench.get("stakeholder", analytics).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.get("analytics_only", analytics).await.json()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn repositories_are_listed_with_their_state() {
    let bench = bench().await;
    let list = bench.read("/Payments/_apis/git/repositories?api-version=7.1").await;
    let disabled: Vec<_> = list["value"].as_array().unwrap().iter().map(|r| r["isDisabled"].clone()).collect();
    assert_eq!(disabled, [json!(false), json!(true)]);
    assert_eq!(list["value"][1].get("defaultBranch"), None);
    assert_eq!(bench.read("/Intranet/_apis/git/repositories?api-version=7.1").await["count"], 0);
}

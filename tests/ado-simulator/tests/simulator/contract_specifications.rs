//! The simulator's answers against the schemas of the `OpenAPI` files.

use ado_simulator::RecycleBinForm;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, bench, test_data};

/// Members that the live service sends and the files lack (recorded in 2025 and 2026), by the end of their place.
const UNDESCRIBED: &[&str] = &[
    "has no member 'multilineFieldsFormat'",
    "has no member 'gitHubLicenseType'",
    "has no member 'extensions'",
    "has no member 'webUrl'",
];

async fn problems(bench: &Bench, method: Method, path: &str, body: Option<Value>) -> Vec<String> {
    let answer = bench.send("full", method.clone(), path, body).await;
    assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.text);
    let url = format!("{}{path}", bench.simulator.url());
    let problems = bench.simulator.check_answer(method.as_str(), &url, &answer.json()).unwrap();
    let problems = problems.unwrap_or_else(|| panic!("no schema for {method} {path}"));
    problems.into_iter().filter(|text| !UNDESCRIBED.iter().any(|known| text.contains(known))).collect()
}

#[tokio::test]
async fn every_described_answer_fits_its_schema() {
    if test_data("ADO_SPECS_DIR", "../shared/ado-specs").is_none() {
        return;
    }
    let bench = bench().await;
    let state = bench.simulator.state();
    let project = state.organizations[0].projects[0].id;
    let me = bench.read("/_apis/connectionData?api-version=7.1-preview").await["authenticatedUser"].clone();
    let (id, subject) = (me["id"].as_str().unwrap(), me["subjectDescriptor"].as_str().unwrap());
    let case =
        bench.simulator.work_items("Payments").unwrap().into_iter().find(|item| item.kind == "Test Case").unwrap();
    let gone = bench.simulator.work_items("Payments").unwrap().into_iter().next_back().unwrap();
    bench.simulator.delete_work_item(gone.id).unwrap();
    bench.simulator.change_quirks(|quirks| quirks.recycle_bin_form = RecycleBinForm::Shallow);
    let subscription = bench.read("/_apis/hooks/subscriptions?api-version=7.1").await["value"][0]["id"].clone();
    let hooks = "cb594ebe-87dd-4fc9-ac2c-6a10a4c92046";
    let gets = [
        "/_apis/projects?stateFilter=all".to_owned(),
        "/_apis/projects/Payments?includeCapabilities=true".to_owned(),
        "/_apis/projects/Payments/teams".to_owned(),
        "/_apis/projects/Payments/teams/Payments%20Team".to_owned(),
        "/_apis/process/processes".to_owned(),
        "/_apis/process/processes/adcc42ab-9882-485e-a3ed-7678f01f66bc".to_owned(),
        "/_apis/work/processes?$expand=projects".to_owned(),
        "/_apis/work/processes/adcc42ab-9882-485e-a3ed-7678f01f66bc".to_owned(),
        "/Platform/_apis/wit/workitemtypes".to_owned(),
        "/Payments/_apis/wit/workitemtypes/Bug".to_owned(),
        "/Payments/_apis/wit/workitemtypes/Bug/states".to_owned(),
        "/Payments/_apis/wit/workitemtypes/Bug/fields?$expand=all".to_owned(),
        "/Payments/_apis/wit/workitemtypes/Bug/fields/Microsoft.VSTS.Common.Severity?$expand=allowedValues".to_owned(),
        "/Payments/_apis/wit/workitemtypecategories".to_owned(),
        "/Payments/_apis/wit/workitemtypecategories/Microsoft.BugCategory".to_owned(),
        "/Payments/_apis/wit/fields".to_owned(),
        "/_apis/wit/fields/System.IterationPath".to_owned(),
        "/Payments/_apis/wit/classificationnodes?$depth=2".to_owned(),
        "/Payments/_apis/wit/classificationnodes/iterations?$depth=5".to_owned(),
        "/_apis/wit/workitems?ids=1,2,3&$expand=all".to_owned(),
        "/Payments/_apis/wit/workitems/1?$expand=all".to_owned(),
        "/Payments/_apis/wit/reporting/workitemrevisions?$maxPageSize=5&includeLatestOnly=true".to_owned(),
        "/_apis/wit/reporting/workitemlinks".to_owned(),
        "/Payments/_apis/wit/recyclebin".to_owned(),
        format!("/_apis/wit/recyclebin?ids={}", gone.id),
        "/Platform/_apis/work/backlogconfiguration".to_owned(),
        "/Payments/Checkout/_apis/work/backlogs".to_owned(),
        "/Payments/_apis/work/teamsettings".to_owned(),
        "/Payments/Newcomers/_apis/work/teamsettings".to_owned(),
        "/Payments/_apis/work/teamsettings/iterations?$timeframe=current".to_owned(),
        "/Payments/_apis/git/repositories".to_owned(),
        "/Payments/_apis/test/runs?$top=1".to_owned(),
        "/Payments/_apis/testplan/plans".to_owned(),
        "/_apis/hooks/publishers/tfs/eventtypes".to_owned(),
        "/_apis/hooks/publishers/tfs/eventtypes/workitem.updated".to_owned(),
        "/_apis/hooks/subscriptions".to_owned(),
        format!("/_apis/hooks/subscriptions/{}", subscription.as_str().unwrap()),
        format!("/_apis/permissions/{hooks}/2?tokens=PublisherSecurity/{project}"),
        "/_apis/securitynamespaces".to_owned(),
        format!("/_apis/userentitlements/{id}"),
        format!("/_apis/graph/descriptors/{id}"),
    ];
    let mut found = Vec::new();
    for path in gets {
        let path = format!("{path}{}api-version=7.1", if path.contains('?') { '&' } else { '?' });
        found
            .extend(problems(&bench, Method::GET, &path, None).await.into_iter().map(|text| format!("{path}: {text}")));
    }
    let posts = [
        (
            "/Payments/_apis/wit/wiql",
            json!({"query": "SELECT [System.Id], [System.Title] FROM WorkItems ORDER BY [System.Id] DESC"}),
        ),
        ("/_apis/wit/workitemsbatch", json!({"ids": [1, 2, 99_999], "errorPolicy": "omit", "$expand": "relations"})),
        ("/Payments/_apis/wit/reporting/workitemrevisions?$expand=fields", json!({"fields": ["System.Description"]})),
        (
            "/Payments/_apis/wit/workitems/$Bug?validateOnly=true",
            json!([{"op": "add", "path": "/fields/System.Title", "value": "x"}]),
        ),
        ("/Payments/_apis/test/points", json!({"pointsFilter": {"testcaseIds": [case.id]}})),
        (
            "/_apis/security/permissionevaluationbatch",
            json!({"evaluations": [{"securityNamespaceId": hooks, "token": "PublisherSecurity", "permissions": 1}]}),
        ),
    ];
    for (path, body) in posts {
        let path = format!("{path}{}api-version=7.1", if path.contains('?') { '&' } else { '?' });
        found.extend(
            problems(&bench, Method::POST, &path, Some(body)).await.into_iter().map(|text| format!("{path}: {text}")),
        );
    }
    let user = format!("/_apis/graph/users/{subject}?api-version=7.1-preview.1");
    found.extend(problems(&bench, Method::GET, &user, None).await);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(bench.simulator.violations(), []);
}

//! Every request that the client can send is one that the service's published description knows.
//!
//! The descriptions are not part of this repository: `ADO_SPECS_DIR` names their folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ado_operator::ado::model::{Patch, PermissionQuery, ProjectId};
use ado_operator::ado::{AdoClient, FeedStart, PageEnd, ROUTES, RevisionsQuery, Wiql};
use serde_json::Value;

use crate::feeds::read_page;
use crate::recordings::folder;
use crate::support::{World, first_item, project};

/// What has no published description (`ado-api.md` §2, §12).
const UNDESCRIBED: [&str; 2] = ["_apis/connectionData", "{project}/_odata/v4.0-preview/WorkItems"];

/// An operation of a description.
struct Operation {
    method: String,
    segments: Vec<Segment>,
    parameters: Vec<Value>,
}

enum Segment {
    Literal(String),
    Variable { prefix: String, optional: bool },
}

impl Operation {
    fn all(folder: &Path) -> Vec<Self> {
        let mut operations = Vec::new();
        for area in fs::read_dir(folder)
            .expect("the folder")
            .flatten()
            .map(|entry| entry.path().join("7.1"))
            .filter(|path| path.is_dir())
        {
            let files = fs::read_dir(area).expect("an area").flatten().map(|entry| entry.path());
            for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
                let text = fs::read_to_string(&file).expect("a description");
                let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
                operations.extend(Self::of(&document));
            }
        }
        assert!(operations.len() > 500, "{} operations", operations.len());
        operations
    }

    fn of(document: &Value) -> Vec<Self> {
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let declared = operation["parameters"].as_array().cloned().unwrap_or_default();
                let parameters: Vec<Value> =
                    declared.into_iter().map(|parameter| resolved(document, parameter)).collect();
                let segments = path
                    .split('/')
                    .filter(|segment| !segment.is_empty())
                    .map(|segment| Segment::of(segment, &parameters))
                    .collect();
                operations.push(Self { method: method.to_uppercase(), segments, parameters });
            }
        }
        operations
    }

    /// How many literal segments match, if all match; variables that need not be given may be left out.
    fn fits(&self, method: &str, path: &[String]) -> Option<usize> {
        if self.method == method { fits(&self.segments, path) } else { None }
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.iter().find(|parameter| parameter["in"] == "query" && parameter["name"] == name)
    }
}

impl Segment {
    fn of(text: &str, parameters: &[Value]) -> Self {
        let Some((prefix, name)) = text.split_once('{') else { return Self::Literal(text.to_lowercase()) };
        let name = name.trim_end_matches('}');
        let declared = parameters.iter().find(|parameter| parameter["in"] == "path" && parameter["name"] == name);
        let optional = declared.is_some_and(|parameter| parameter["x-ms-required"] == Value::Bool(false));
        Self::Variable { prefix: prefix.to_owned(), optional }
    }
}

fn resolved(document: &Value, parameter: Value) -> Value {
    match parameter["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).cloned().expect("a parameter"),
        None => parameter,
    }
}

fn fits(segments: &[Segment], path: &[String]) -> Option<usize> {
    let Some((first, rest)) = segments.split_first() else { return path.is_empty().then_some(0) };
    let here = path.split_first();
    match first {
        Segment::Literal(text) => here
            .filter(|(name, _)| name.to_lowercase() == *text)
            .and_then(|(_, after)| fits(rest, after))
            .map(|n| n + 1),
        Segment::Variable { prefix, optional } => {
            let taken =
                here.filter(|(name, _)| name.starts_with(prefix.as_str())).and_then(|(_, after)| fits(rest, after));
            let weight = usize::from(!prefix.is_empty());
            let left_out = || if *optional { fits(rest, path) } else { None };
            taken.map(|n| n + weight).or_else(left_out)
        }
    }
}

/// Calls everything once.
async fn exercise(world: &World) {
    let client = world.client("full");
    let data = client.connection_data().await.expect("connectionData");
    client.projects().await.expect("projects");
    let payments = project(&client, "Payments").await;
    client.teams(&payments).await.expect("teams");
    let team = client.team(&payments, "Payments Team").await.expect("a team");
    client.work_item_types(&payments).await.expect("types");
    client.work_item_type_categories(&payments).await.expect("categories");
    client.backlog_configuration(&payments, None).await.expect("levels");
    client.backlog_configuration(&payments, Some(&team.id)).await.expect("levels");
    client.type_fields(&payments, "User Story").await.expect("fields");
    client.organization_fields().await.expect("fields");
    client.type_field(&payments, "Bug", "Microsoft.VSTS.Common.Severity").await.expect("a field");
    client.iteration_tree(&payments).await.expect("iterations");
    client.team_iterations(&payments, &team.id).await.expect("iterations");
    client.classification_roots(&payments).await.expect("roots");
    let item = first_item(&client, &payments).await;
    client.query_ids(&payments, &Wiql::new().types(["User Story", "Bug"]).above(item), 5).await.expect("a page");
    client.work_items(&payments, &[item], &["System.Title"]).await.expect("a batch");
    client.linked_work_items(&payments, &[item]).await.expect("a batch");
    client.work_items_anywhere(&[item], &["System.TeamProject"]).await.expect("a batch");
    let time = "2026-01-01T08:30:00Z".parse().expect("a time");
    client.query_ids(&payments, &Wiql::new().changed_since(time), 5).await.expect("a page");
    exercise_feeds(&client, &payments).await;
    client
        .validate_create(&payments, "User Story", &Patch::new().field("System.Title", "x"))
        .await
        .expect("a validation");
    client
        .validate_link(&payments, item, &Patch::new().relation("Hyperlink", "https://example.com"))
        .await
        .expect("a validation");
    let namespaces = client.security_namespaces().await.expect("namespaces");
    let query = PermissionQuery { namespace: namespaces[0].id, token: "x".to_owned(), permissions: 1 };
    client.evaluate_permissions(&[query]).await.expect("an evaluation");
    client.repositories(Some(&payments)).await.expect("repositories");
    client.repositories(None).await.expect("repositories");
    client.test_runs_probe(&payments).await.expect("runs");
    client.test_points_probe(&payments).await.expect("points");
    client.test_plans_probe(&payments).await.expect("plans");
    client.hook_event_types().await.expect("event types");
    client.analytics_probe(&payments).await.expect("analytics");
    client.entitlement(&data.identity.id).await.expect("an entitlement");
}

/// The feeds from each of their starts, and the recycle bin.
async fn exercise_feeds(client: &AdoClient, payments: &ProjectId) {
    let query = RevisionsQuery { fields: &["System.Title"], long_texts: true, latest_only: true, deleted: true };
    let time = "2026-01-01T00:00:00Z".parse().expect("a time");
    for start in [FeedStart::Beginning, FeedStart::Since(time)] {
        let mut page = client.revisions(payments, &query, &start).await.expect("a page");
        if let Ok(PageEnd::More(token) | PageEnd::Last(Some(token))) = read_page(&mut page).await.2 {
            client.revisions(payments, &query, &FeedStart::Token(token)).await.expect("a page");
        }
        let mut page = client.link_changes(payments, &["System.LinkTypes.Hierarchy"], &start).await.expect("a page");
        if let Ok(PageEnd::More(token) | PageEnd::Last(Some(token))) = read_page(&mut page).await.2 {
            client.link_changes(payments, &[], &FeedStart::Token(token)).await.expect("a page");
        }
    }
    client.recycle_bin(payments).await.expect("a list");
}

#[tokio::test]
async fn every_route_is_exercised_and_the_strict_simulator_finds_no_fault() {
    let world = World::new().await;
    exercise(&world).await;
    let known: BTreeSet<_> = ROUTES.iter().map(|route| (route.method(), route.template())).collect();
    let seen: BTreeSet<_> = world.records.all().iter().map(|record| (record.method, record.route)).collect();
    assert_eq!(seen, known);
    assert_eq!(known.len(), ROUTES.len());
    world.assert_clean();
}

#[tokio::test]
async fn every_request_is_one_that_the_published_description_knows() {
    let Some(folder) = folder("ADO_SPECS_DIR", "ado-specs") else { return };
    let operations = Operation::all(&folder);
    let world = World::new().await;
    exercise(&world).await;
    let requests = world.simulator.requests_since(0);
    let mut judged = 0;
    for request in &requests {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let undescribed =
            |end: &&str| path.to_lowercase().ends_with(&end.rsplit('}').next().unwrap_or(end).to_lowercase());
        if UNDESCRIBED.iter().any(undescribed) {
            continue;
        }
        let path: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let fitting =
            operations.iter().filter_map(|operation| Some((operation.fits(&request.method, &path)?, operation)));
        let (_, operation) = fitting
            .max_by_key(|(literals, _)| *literals)
            .unwrap_or_else(|| panic!("unknown: {} {}", request.method, request.target));
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for (name, value) in &pairs {
            let parameter =
                operation.parameter(name).unwrap_or_else(|| panic!("unknown parameter {name}: {}", request.target));
            assert!(is_of_type(parameter, value), "{name}={value} is no {}: {}", parameter["type"], request.target);
        }
        let required = operation
            .parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == Value::Bool(true));
        for name in required.filter_map(|parameter| parameter["name"].as_str()) {
            assert!(pairs.iter().any(|(given, _)| given == name), "{name} is missing: {}", request.target);
        }
        judged += 1;
    }
    assert!(judged >= ROUTES.len() - UNDESCRIBED.len(), "{judged} requests judged");
}

fn is_of_type(parameter: &Value, value: &str) -> bool {
    let listed = |values: &Vec<Value>| {
        values.iter().any(|known| known.as_str().is_some_and(|known| known.eq_ignore_ascii_case(value)))
    };
    if let Some(values) = parameter["enum"].as_array() {
        return listed(values);
    }
    match parameter["type"].as_str() {
        Some("integer") => value.parse::<i64>().is_ok(),
        Some("boolean") => value.parse::<bool>().is_ok(),
        _ => !value.is_empty(),
    }
}

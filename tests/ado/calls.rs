//! Each call against a healthy service.

use ado_operator::ado::model::{
    BugsBehavior, ClassificationNode, FieldKind, LinkKind, Patch, PermissionQuery, ProjectId, ProjectState,
    SecurityNamespace, StateCategory, Validation, WorkItemId,
};
use ado_operator::ado::{AdoClient, AdoError, MAX_BATCH, Wiql};
use ado_simulator::control::{NewNode, NewProject};
use ado_simulator::{Effect, Fault, Options};

use crate::support::{World, first_item, project};

#[tokio::test]
async fn connection_data_names_the_identity_and_the_organization() {
    let world = World::new().await;
    let data = world.client("full").connection_data().await.expect("a good token");
    assert!(!data.identity.display_name.is_empty() && !data.identity.is_anonymous());
    assert_eq!(data.deployment_type.as_deref(), Some("hosted"));
    let reader = world.client("reader").connection_data().await.expect("a good token");
    assert_eq!(reader.instance_id, data.instance_id);
    assert_ne!(reader.identity.id, data.identity.id);
    world.assert_clean();
}

#[tokio::test]
async fn projects_and_teams_are_listed_and_found_by_name_and_id() {
    let world = World::new().await;
    let client = world.client("full");
    let projects = client.projects().await.expect("a list");
    let payments = projects.iter().find(|project| project.name == "Payments").expect("Payments");
    assert_eq!(payments.state, ProjectState::WellFormed);
    let details = client.project("payments").await.expect("names have no case");
    assert_eq!(
        (details.id, details.process_name.as_deref(), details.source_control.as_deref()),
        (payments.id, Some("Agile"), Some("Git"))
    );
    assert_eq!(client.project(&payments.id.to_string()).await.expect("by id"), details);
    assert_eq!(client.project("Größe v1.2 (alt)").await.expect("an encoded name").name, "Größe v1.2 (alt)");
    let teams = client.teams(&payments.id).await.expect("a list");
    let team = client.team(&payments.id, "Payments Team").await.expect("by name");
    assert!(teams.contains(&team));
    assert_eq!(client.team(&payments.id, &team.id.to_string()).await.expect("by id"), team);
    assert_eq!(details.default_team, Some(team));
    assert_eq!(client.team(&payments.id, "No Team").await.expect_err("absent").reason(), "NotFound");
    assert_eq!(client.project("No Project").await.expect_err("absent").reason(), "NotFound");
    world.assert_clean();
}

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    let world = World::new().await;
    let client = world.client("full");
    let before = client.projects().await.expect("a list").len();
    for number in 0..230 {
        let new = NewProject {
            name: format!("Extra {number:03}"),
            process: Some("Basic".to_owned()),
            ..NewProject::default()
        };
        world.simulator.add_project(&new).expect("added");
    }
    let mark = world.simulator.last_request();
    let all = client.projects().await.expect("a list");
    let distinct: std::collections::BTreeSet<ProjectId> = all.iter().map(|project| project.id).collect();
    assert_eq!((all.len(), distinct.len()), (before + 230, before + 230));
    let sent = world.simulator.requests_since(mark).len();
    assert!((3..=4).contains(&sent), "{sent} requests for {} projects", all.len());
    world.assert_clean();
}

#[tokio::test]
async fn the_process_is_read_with_states_categories_levels_and_fields() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let types = client.work_item_types(&payments).await.expect("types");
    let bug = types.iter().find(|kind| kind.name == "Bug").expect("Bug");
    assert!(bug.fields.contains(&"Microsoft.VSTS.Common.Severity".to_owned()) && bug.fields.is_sorted());
    let story = types.iter().find(|kind| kind.name == "User Story").expect("User Story");
    let category = |kind: &ado_operator::ado::model::WorkItemType, state: &str| {
        kind.states.iter().find(|found| found.name == state).and_then(|found| found.category.clone())
    };
    assert_eq!(category(bug, "Resolved"), Some(StateCategory::Resolved));
    assert_eq!(category(story, "Resolved"), Some(StateCategory::InProgress));
    let categories = client.work_item_type_categories(&payments).await.expect("categories");
    let bugs = categories
        .iter()
        .find(|category| category.reference_name == "Microsoft.BugCategory")
        .expect("the bug category");
    assert_eq!((bugs.default_type.as_deref(), bugs.types.as_slice()), (Some("Bug"), ["Bug".to_owned()].as_slice()));
    let backlogs = client.backlog_configuration(&payments, None).await.expect("levels");
    let requirement = backlogs.requirement_backlog.expect("a requirement level");
    assert!(requirement.work_item_types.contains(&"User Story".to_owned()));
    assert_eq!(backlogs.portfolio_backlogs.len(), 2);
    assert!(backlogs.portfolio_backlogs.iter().all(|level| level.rank > requirement.rank));
    assert!(matches!(
        backlogs.bugs_behavior,
        Some(BugsBehavior::AsRequirements | BugsBehavior::Off | BugsBehavior::AsTasks)
    ));
    let team = client.team(&payments, "Payments Team").await.expect("a team");
    client.backlog_configuration(&payments, Some(&team.id)).await.expect("the team's levels");
    let fields = client.type_fields(&payments, "Bug").await.expect("fields");
    let severity =
        fields.iter().find(|field| field.reference_name == "Microsoft.VSTS.Common.Severity").expect("Severity");
    assert_eq!(severity.allowed_values.first().map(String::as_str), Some("1 - Critical"));
    let one = client.type_field(&payments, "Bug", "Microsoft.VSTS.Common.Severity").await.expect("an answer");
    assert_eq!(one.as_ref(), Some(severity));
    for (kind, field) in
        [("User Story", "Microsoft.VSTS.Common.Severity"), ("Bug", "No.Field"), ("No Type", "System.Title")]
    {
        assert_eq!(client.type_field(&payments, kind, field).await, Ok(None), "{kind} {field}");
    }
    let all = client.organization_fields().await.expect("fields");
    let title = all.iter().find(|field| field.reference_name == "System.Title").expect("Title");
    assert_eq!(title.kind, FieldKind::String);
    world.assert_clean();
}

fn nodes(root: &ClassificationNode) -> usize {
    1 + root.children.iter().map(nodes).sum::<usize>()
}

#[tokio::test]
async fn the_trees_are_read_from_their_roots() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let root = client.iteration_tree(&payments).await.expect("the tree");
    assert!(nodes(&root) > 1 + root.children.len(), "more than one level");
    let roots = client.classification_roots(&payments).await.expect("both roots");
    assert_eq!(roots.iterations.map(|node| node.identifier), Some(root.identifier));
    assert!(roots.areas.is_some_and(|node| node.identifier != root.identifier));
    let team = client.team(&payments, "Payments Team").await.expect("a team");
    let chosen = client.team_iterations(&payments, &team.id).await.expect("a list");
    assert!(
        chosen.iter().any(|iteration| iteration.path.as_deref().is_some_and(|path| path.starts_with("Payments\\")))
    );
    world.assert_clean();
}

#[tokio::test]
async fn the_deepest_tree_that_the_service_permits_takes_one_request() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let mut parent = "Payments".to_owned();
    for level in 1..=14 {
        let name = format!("Level {level}");
        let new = NewNode {
            project: "Payments".to_owned(),
            parent: Some(parent.clone()),
            name: name.clone(),
            ..NewNode::default()
        };
        world.simulator.add_node(&new).expect("added");
        parent = format!("{parent}\\{name}");
    }
    let before = world.simulator.last_request();
    let root = client.iteration_tree(&payments).await.expect("the tree");
    assert_eq!(world.simulator.requests_since(before).len(), 1);
    let mut node = &root;
    for level in 1..=14 {
        let name = format!("Level {level}");
        node = node.children.iter().find(|child| child.name == name).expect("the next level");
    }
    assert!(!node.has_children && node.children.is_empty());
}

#[tokio::test]
async fn a_tree_that_the_service_cut_is_completed() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let whole = client.iteration_tree(&payments).await.expect("the tree");
    let identifier = whole.identifier;
    let cut = format!(
        r#"{{"id":{},"identifier":"{identifier}","name":"Payments","structureType":"iteration","hasChildren":true,
        "children":[{{"id":2000000000,"identifier":"{identifier}","name":"Gone","structureType":"iteration","hasChildren":true}},{}]}}"#,
        whole.id,
        whole
            .children
            .iter()
            .map(|child| format!(
                r#"{{"id":{},"identifier":"{}","name":"{}","structureType":"iteration","hasChildren":{}}}"#,
                child.id, child.identifier, child.name, child.has_children
            ))
            .collect::<Vec<_>>()
            .join(",")
    );
    let answer = Effect::Answer { status: 200, content_type: Some("application/json".to_owned()), body: cut };
    let fault = Fault::on_path("*/classificationnodes/Iterations", answer);
    let before = world.simulator.last_request();
    let mut completed = world.during(fault, client.iteration_tree(&payments)).await.0.expect("the tree");
    assert_eq!(world.simulator.requests_since(before).len(), 2);
    let gone = completed.children.remove(0);
    assert!(gone.has_children && gone.children.is_empty(), "what cannot be had is left");
    assert_eq!(nodes(&completed), nodes(&whole));
    world.assert_clean();
}

#[tokio::test]
async fn a_value_is_carried_by_some_item_or_by_none() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let any = async |types: &[&str], value: &str| {
        let query = Wiql::new().types(types.iter().copied()).field_is("System.State", value);
        client.any_item(&payments, &query).await.expect("an answer")
    };
    assert!(any(&["User Story", "Bug"], "New").await);
    assert!(!any(&["User Story"], "No State' OR [System.Id] > 0 OR [System.State] = '").await);
    assert!(!any(&["No Type"], "New").await);
    world.simulator.change_quirks(|quirks| {
        quirks.wiql_result_limit = 5;
        quirks.wiql_top_avoids_size_limit = false;
    });
    assert!(client.any_item(&payments, &Wiql::new()).await.expect("too many are some"));
}

#[tokio::test]
async fn work_items_come_with_their_links() {
    let world = World::with(Options { items: 200, ..Options::default() }).await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let ids = client.query_ids(&payments, &Wiql::new(), 100).await.expect("ids").ids;
    let items = client.linked_work_items(&payments, &ids).await.expect("a batch");
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), ids);
    assert!(items.iter().all(|item| item.fields.get().contains("\"System.Title\"")));
    let plain = client.work_items(&payments, &ids, &["System.Parent"]).await.expect("a batch");
    for (item, plain) in items.iter().zip(&plain) {
        let parents = item.links.iter().filter(|link| link.kind == LinkKind::Parent);
        let parent: Vec<u64> = parents.map(|link| link.target.0.into()).collect();
        let expected: Vec<u64> =
            plain.fields.get("System.Parent").and_then(serde_json::Value::as_u64).into_iter().collect();
        assert_eq!(parent, expected, "{}", item.id);
    }
    assert!(items.iter().any(|item| item.links.iter().any(|link| link.kind == LinkKind::Child)));
    assert!(client.linked_work_items(&payments, &[]).await.expect("nothing").is_empty());
    let many = vec![ids[0]; MAX_BATCH + 1];
    assert_eq!(client.linked_work_items(&payments, &many).await.expect_err("too many"), AdoError::InvalidName);
    world.assert_clean();
}

#[tokio::test]
async fn work_items_are_found_by_pages_of_ids_and_read_in_batches() {
    let world = World::with(Options { items: 450, ..Options::default() }).await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let mut ids: Vec<WorkItemId> = Vec::new();
    loop {
        let query = ids.last().map_or_else(Wiql::new, |last| Wiql::new().above(*last));
        let page = client.query_ids(&payments, &query, 50).await.expect("a page");
        ids.extend(&page.ids);
        if page.ids.len() < 50 {
            break;
        }
    }
    assert!(ids.len() > 50 && ids.is_sorted());
    let only = client.query_ids(&payments, &Wiql::new().types(["Bug"]), 19_999).await.expect("bugs").ids;
    assert!(!only.is_empty() && only.len() < ids.len());
    let (fields, some) = (["System.Id", "System.WorkItemType", "System.Title"], ids.len().min(MAX_BATCH));
    let items = client.work_items(&payments, &ids[..some], &fields).await.expect("a batch");
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), ids[..some]);
    assert!(items.iter().all(|item| item.rev > 0 && item.fields.contains_key("System.Title")));
    let unknown = [ids[0], WorkItemId(999_999_999), ids[1]];
    let found = client.work_items(&payments, &unknown, &fields).await.expect("a batch with a gap");
    assert_eq!(found.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[0], ids[1]]);
    assert_eq!(client.work_items(&payments, &[], &fields).await, Ok(Vec::new()));
    let many = vec![ids[0]; MAX_BATCH + 1];
    assert_eq!(client.work_items(&payments, &many, &fields).await, Err(AdoError::InvalidName));
    world.assert_clean();
}

#[tokio::test]
async fn a_quote_in_a_type_name_stays_within_its_literal() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let hostile = ["Bug') OR ([System.Id] > 0 AND [System.Title] <> '"];
    let none = client.query_ids(&payments, &Wiql::new().types(hostile), 10).await;
    match none {
        Ok(found) => assert!(found.ids.is_empty()),
        Err(error) => assert_eq!(error.reason(), "BadRequest"),
    }
}

#[tokio::test]
async fn proposals_are_validated_and_nothing_is_saved() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let count = |world: &World| world.simulator.work_items("Payments").expect("known").len();
    let before = count(&world);
    let good = Patch::new().field("System.Title", "A defect");
    assert_eq!(client.validate_create(&payments, "Bug", &good).await, Ok(Validation::Accepted));
    // The inherited process asks for a field of its own.
    let platform = project(&client, "Platform").await;
    let Validation::RulesViolated(message) = client.validate_create(&platform, "Bug", &good).await.expect("an answer")
    else {
        panic!("a required field is missing")
    };
    assert_eq!(message.fields, ["Custom.Customer"]);
    let complete = good.clone().field("Custom.Customer", "Fabrikam");
    assert_eq!(client.validate_create(&platform, "Bug", &complete).await, Ok(Validation::Accepted));
    let item = first_item(&client, &payments).await;
    let link = Patch::new().relation("Hyperlink", "https://example.com/probe");
    assert_eq!(client.validate_link(&payments, item, &link).await, Ok(Validation::Accepted));
    assert_eq!(client.validate_create(&payments, "No Type", &good).await.expect_err("absent").reason(), "NotFound");
    assert_eq!(count(&world), before);
    let read_only = world.client("read_only");
    let refused = read_only.validate_create(&payments, "Bug", &good).await.expect_err("no scope");
    assert_eq!(refused.reason(), "Unauthorized");
    world.assert_clean();
}

fn bit(
    namespaces: &[SecurityNamespace],
    namespace: &str,
    action: &str,
) -> (ado_operator::ado::model::SecurityNamespaceId, i32) {
    let found = namespaces.iter().find(|found| found.name == namespace).expect("the namespace");
    (found.id, found.actions.iter().find(|found| found.name == action).expect("the action").bit)
}

async fn may_edit_hooks(client: &AdoClient, project: &ProjectId) -> bool {
    let namespaces = client.security_namespaces().await.expect("namespaces");
    let (namespace, permissions) = bit(&namespaces, "ServiceHooks", "EditSubscriptions");
    let token = format!("PublisherSecurity/{project}");
    let query = PermissionQuery { namespace, token, permissions };
    client.evaluate_permissions(&[query]).await.expect("an answer")[0]
}

#[tokio::test]
async fn permissions_are_evaluated_by_the_namespaces_own_bits() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    assert!(may_edit_hooks(&client, &payments).await);
    assert!(!may_edit_hooks(&world.client("no_permission"), &payments).await);
    assert_eq!(client.evaluate_permissions(&[]).await, Ok(Vec::new()));
    world.assert_clean();
}

#[tokio::test]
async fn the_other_services_answer_those_who_have_their_scope() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    assert_eq!(client.repositories(Some(&payments)).await.expect("a list").len(), 2);
    assert!(client.repositories(None).await.expect("a list").len() >= 2);
    let intranet = project(&client, "Intranet").await;
    assert!(client.repositories(Some(&intranet)).await.expect("a list").is_empty());
    client.test_runs_probe(&payments).await.expect("runs");
    client.test_points_probe(&payments).await.expect("points");
    client.test_plans_probe(&payments).await.expect("plans");
    client.analytics_probe(&payments).await.expect("analytics");
    let events = client.hook_event_types().await.expect("event types");
    for wanted in ["workitem.created", "workitem.updated", "workitem.deleted", "workitem.restored"] {
        assert!(events.iter().any(|event| event.id == wanted), "{wanted}");
    }
    let me = client.connection_data().await.expect("an identity").identity.id;
    assert_eq!(client.entitlement(&me).await.expect("a level").access_level.is_basic(), Some(true));
    let stakeholder = world.client("stakeholder").connection_data().await.expect("an identity").identity.id;
    assert_eq!(client.entitlement(&stakeholder).await.expect("a level").access_level.is_basic(), Some(false));
    world.assert_clean();
}

#[tokio::test]
async fn a_missing_scope_is_told_by_area() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let area = |error: AdoError| match error {
        AdoError::Unauthorized { area, .. } => area,
        other => panic!("{other}"),
    };
    let (no_code, no_test, no_work) = (world.client("no_code"), world.client("no_test"), world.client("no_work"));
    assert_eq!(area(no_code.repositories(Some(&payments)).await.expect_err("no scope")), "repositories");
    assert_eq!(area(no_test.test_runs_probe(&payments).await.expect_err("no scope")), "test management");
    assert_eq!(area(no_work.query_ids(&payments, &Wiql::new(), 1).await.expect_err("no scope")), "work items");
    for client in [no_code, no_test, no_work] {
        client.connection_data().await.expect("the token itself is good");
    }
    world.assert_clean();
}

#[tokio::test]
async fn every_request_is_observed_by_its_route() {
    let world = World::new().await;
    let client = world.client("full");
    project(&client, "Payments").await;
    let _ = client.project("No Project").await;
    let seen: Vec<_> = world.records.all().iter().map(|record| (record.method, record.route, record.outcome)).collect();
    let route = "_apis/projects/{project}";
    assert_eq!(seen, [("GET", route, "2xx"), ("GET", route, "NotFound")]);
}

//! `kubectl ado init --project`: what it prints fits every process, applied as it is.

use ado_operator::ado::model::{WorkItemId, WorkItemType};
use ado_operator::api::{
    AdoProjectConfig, AdoProjectConfigSpec, BugMapping, DesiredConfigState, IterationSource, PullRequirements,
    ResolvedIntegration, SourceKind,
};
use ado_operator::cli::Exit;
use ado_operator::domain::mapping::apply::Application;
use ado_operator::domain::mapping::plan::Plan;
use ado_operator::domain::mapping::{Item, Record};
use ado_operator::domain::projects::ProjectFilter;
use ado_operator::sync::look::Look;
use ado_operator::sync::resolve::{self, Accepted, Validated};
use ado_simulator::control::{FieldValues, NewNode, NewProject, NewState, NodeChange, ProjectChange, TeamChange};
use serde_json::{Value, json};

use crate::bench::host;
use crate::cli::{Desk, Outcome, run_with};

/// Names that a careless writer of YAML or of comments turns into something else.
const NASTY: [&str; 12] = [
    "- a: b",
    "yes",
    "0x1F",
    "#1 \"quoted\" 'single'",
    "it's, [a] {b}",
    "*star &anchor !tag",
    "trailing ",
    "🚀 Größe 支払い",
    "null",
    "2026-01-31",
    "a\u{2028}spec: {}",
    "b\nkind: Secret\r\u{85}\u{202e}",
];

/// The manifest of an integration that permits every project.
pub fn manifest(desk: &Desk) -> String {
    desk.manifest("").replace("  allowedProjects: [Payments]\n", "")
}

/// Runs with the token of that label on standard input, and asserts that nobody repeats it.
pub async fn init_with(desk: &Desk, label: &str, manifest: &str, more: &[&str]) -> Outcome {
    let manifest = desk.file("manifest.yaml", manifest);
    let ca = desk.file("ca.pem", desk.bench.simulator.ca_pem());
    let host = host(&desk.bench.simulator);
    let base = ["kubectl-ado", "init", "-f", &manifest, "--ca-file", &ca, "--allowed-host", &host, "--pat-file", "-"];
    let arguments: Vec<String> = base.iter().chain(more).map(|&argument| argument.to_owned()).collect();
    let token = desk.token(label);
    let outcome = run_with(&arguments, &format!("{token}\n")).await;
    for text in [&outcome.output, &outcome.errors] {
        assert!(!text.contains(&token), "the token is repeated: {text}");
    }
    outcome
}

/// What is printed for a project, as text and as the object that it is.
async fn printed(desk: &Desk, project: &str, more: &[&str]) -> (String, AdoProjectConfig) {
    let project = format!("--project={project}");
    let arguments: Vec<&str> = [project.as_str()].iter().chain(more).copied().collect();
    let outcome = init_with(desk, "full", &manifest(desk), &arguments).await;
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""), "{project}");
    let object = serde_yaml_ng::from_str(&outcome.output);
    let object: AdoProjectConfig = object.unwrap_or_else(|error| panic!("{error}: {}", outcome.output));
    assert_eq!(object.metadata.namespace.as_deref(), Some("team-a"));
    assert_eq!((object.spec.integration_ref.name.as_str(), &object.spec.integration_ref.namespace), ("contoso", &None));
    assert_eq!(object.spec.state, Some(DesiredConfigState::Active));
    (outcome.output, object)
}

/// The operator's verdict on a new spec.
async fn accepted(desk: &Desk, spec: &AdoProjectConfigSpec) -> Validated {
    let look = Look::once(desk.bench.client_of("contoso", "full"));
    let project = resolve::project(&look, spec, None, &ProjectFilter::default()).await.expect("the project");
    let integration = ResolvedIntegration { namespace: "team-a".to_owned(), name: "contoso".to_owned() };
    let accepted = Box::pin(resolve::mapping(&look, spec, integration, &project, Accepted::default())).await;
    accepted.unwrap_or_else(|error| panic!("{error}: {spec:?}"))
}

/// The types of a project.
async fn types(desk: &Desk, project: &str) -> Vec<WorkItemType> {
    let client = desk.bench.client_of("contoso", "full");
    let id = client.project(project).await.expect("the project").id;
    client.work_item_types(&id).await.expect("types")
}

/// Records of an item of every type, state, priority and severity, and the plan.
fn applied(found: &Validated, types: &[WorkItemType]) -> (Vec<Option<Record>>, Plan) {
    let mut application = Application::new(&found.mapping, &found.tree, None);
    let priorities: Vec<Value> = (1..=5).map(|number| json!(number)).collect();
    let severities = ["1 - Critical", "2 - High", "3 - Medium", "4 - Low"].map(Value::from);
    let mut records = Vec::new();
    for known in types {
        for state in &known.states {
            for (priority, severity) in priorities.iter().zip(severities.iter().cycle()) {
                records.push(application.record(&Item {
                    id: WorkItemId(1),
                    work_item_type: &known.name,
                    state: &state.name,
                    iteration_id: None,
                    iteration_path: None,
                    priority: Some(priority),
                    severity: Some(severity),
                    dates: &[],
                }));
            }
        }
    }
    (records, Plan::new(&found.mapping, &found.tree, &application.into_seen()))
}

/// The same with everything left to the defaults.
fn by_default(spec: &AdoProjectConfigSpec) -> AdoProjectConfigSpec {
    AdoProjectConfigSpec {
        pull_requirements: spec.pull_requirements.as_ref().map(|_| PullRequirements::default()),
        bug_mapping: spec.bug_mapping.as_ref().map(|_| BugMapping::default()),
        iteration_mapping: None,
        priority_mapping: None,
        ..spec.clone()
    }
}

/// Asserts that the spec is accepted, means what the defaults mean, and gives no cause for a warning.
async fn assert_proposed(desk: &Desk, spec: &AdoProjectConfigSpec) -> Plan {
    let types = types(desk, &spec.project).await;
    let (records, plan) = applied(&accepted(desk, spec).await, &types);
    let (defaults, _) = applied(&accepted(desk, &by_default(spec)).await, &types);
    assert!(records.iter().any(Option::is_some), "something is pulled");
    assert_eq!(records, defaults, "{}", spec.project);
    assert_eq!(plan.warnings, [], "{}", spec.project);
    plan
}

#[tokio::test]
async fn what_is_printed_fits_every_process_and_means_what_the_defaults_mean() {
    let mut desk = Desk::new().await;
    let depths = (Some(depth(1)), Some(depth(2)));
    let flat = (Some(IterationSource::default()), Some(depth(1)));
    for (project, name, requirements, bugs, (release, sprint)) in [
        ("Payments", "payments", vec!["User Story"], Some("Bug"), &depths),
        ("Web Shop", "web-shop", vec!["Product Backlog Item"], Some("Bug"), &flat),
        ("Intranet", "intranet", vec!["Issue"], None, &flat),
        ("Compliance", "compliance", vec!["Requirement"], Some("Bug"), &depths),
        ("Platform", "platform", vec!["Customer Story", "Ticket"], Some("Bug"), &depths),
        ("Größe v1.2 (alt)", "gr-e-v1-2-alt", vec!["User Story"], Some("Bug"), &depths),
    ] {
        desk.bench.mark();
        let (_, object) = printed(&desk, project, &[]).await;
        desk.bench.assert_untouched();
        let spec = &object.spec;
        assert_eq!((object.metadata.name.as_deref(), spec.project.as_str()), (Some(name), project));
        let blocks = (spec.pull_requirements.as_ref(), spec.bug_mapping.as_ref());
        let requirements: Vec<String> = requirements.into_iter().map(str::to_owned).collect();
        assert_eq!(blocks.0.and_then(|block| block.work_item_types.clone()), Some(requirements));
        assert_eq!(blocks.1.and_then(|block| block.work_item_types.clone()), bugs.map(|bug| vec![bug.to_owned()]));
        let iterations = spec.iteration_mapping.clone().expect("iterations");
        assert_eq!((&iterations.release, &iterations.sprint), (release, sprint), "{project}");
        assert_proposed(&desk, spec).await;
    }
}

fn depth(depth: i32) -> IterationSource {
    IterationSource { from: SourceKind::Depth, depth: Some(depth), ..IterationSource::default() }
}

#[tokio::test]
async fn the_comments_say_what_the_live_process_has() {
    let desk = Desk::new().await;
    let (text, _) = printed(&desk, "payments", &["--team", "checkout"]).await;
    for line in [
        "# How test management sees the Azure DevOps project Payments (process Agile).",
        "  #   Newcomers",
        "  #   Payments Team (default)",
        "  project: Payments",
        "  team: Checkout",
        "  #   Bug, tier 3 (Stories), a bug by default: New (Proposed), Active (InProgress), Resolved (Resolved), Closed (Completed)",
        "  #   Test Case, no tier: Design (Proposed), Ready (InProgress), Closed (Completed)",
        "    #   Microsoft.VSTS.Common.ClosedDate (Closed Date)",
        "    #   Bug: '1 - Critical', '2 - High', '3 - Medium', '4 - Low'",
        "      - {ado: '1 - Critical', testops: Critical}",
        r"  #   Payments\Release 1, 2026-01-01 to 2026-03-31: a release",
        r"  #   Payments\Release 4\Sprint 12, 2026-12-01 to 2026-12-31: a sprint",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    let (text, _) = printed(&desk, "Payments", &[]).await;
    assert!(text.contains("\n  # team: Payments Team\n"), "{text}");
    assert!(!text.contains("…"), "all of it is shown: {text}");
    let (text, _) = printed(&desk, "Intranet", &[]).await;
    assert!(text.contains("\n  # bugMapping: {workItemTypes: [TYPE]}\n"), "{text}");
    assert!(text.contains("All iterations of the project stand on one level"), "{text}");
}

fn in_progress(name: &str) -> NewState {
    serde_json::from_value(json!({"name": name, "category": "InProgress"})).expect("a state")
}

#[tokio::test]
async fn states_that_mean_different_things_have_an_entry_for_each_type() {
    let mut desk = Desk::new().await;
    let simulator = &desk.bench.simulator;
    simulator.add_state("Platform", "Customer Story", &in_progress("closed")).expect("a state");
    desk.bench.mark();
    let (text, object) = printed(&desk, "Platform", &[]).await;
    for entry in [
        "{ado: closed, type: Customer Story, testops: InProgress}",
        "{ado: Closed, type: Ticket, testops: Closed}",
        "{ado: New, testops: Open}",
    ] {
        assert!(text.contains(entry), "{entry}: {text}");
    }
    assert_proposed(&desk, &object.spec).await;
}

#[tokio::test]
async fn without_iterations_the_defaults_wait_for_some() {
    let desk = Desk::new().await;
    let delete = NodeChange {
        project: "Intranet".to_owned(),
        node: r"Intranet\Sprint 1".to_owned(),
        delete: true,
        ..NodeChange::default()
    };
    desk.bench.simulator.change_node(&delete).expect("deleted");
    let (text, object) = printed(&desk, "Intranet", &[]).await;
    assert!(text.contains("  # The project has no iterations so far.\n"), "{text}");
    let iterations = object.spec.iteration_mapping.clone().expect("iterations");
    assert_eq!((iterations.release, iterations.sprint), (Some(depth(1)), Some(depth(2))));
    accepted(&desk, &object.spec).await;
}

#[tokio::test]
async fn equal_names_of_sprints_are_told_apart() {
    let desk = Desk::new().await;
    let twin = NewNode {
        project: "Payments".to_owned(),
        parent: Some(r"Payments\Release 2".to_owned()),
        name: "Sprint 1".to_owned(),
        ..NewNode::default()
    };
    desk.bench.simulator.add_node(&twin).expect("a node");
    let (_, object) = printed(&desk, "Payments", &[]).await;
    assert_eq!(object.spec.iteration_mapping.as_ref().and_then(|mapping| mapping.full_path), Some(true));
    assert_proposed(&desk, &object.spec).await;
}

#[tokio::test]
async fn a_long_tree_is_cut_with_the_number_of_the_rest() {
    let desk = Desk::new().await;
    for number in 0..60 {
        let name = format!("Extra {number}");
        let new = NewNode { project: "Payments".to_owned(), name, ..NewNode::default() };
        desk.bench.simulator.add_node(&new).expect("a node");
    }
    let (text, _) = printed(&desk, "Payments", &[]).await;
    assert!(text.contains("\n  # … 37 more\n"), "17 and 60 nodes, 40 of them shown: {text}");
}

#[tokio::test]
async fn nasty_names_of_a_process_stay_names() {
    let desk = Desk::new().await;
    let simulator = &desk.bench.simulator;
    let states = NASTY.map(in_progress);
    simulator.add_type("Payments", "yes", "User Story", &states).expect("a type");
    simulator.rename_type("Payments", "Bug", "- Bug: #1 'x'").expect("a type");
    simulator.rename_level("Payments", "Stories", "Stories: #1\nkind: Secret").expect("a level");
    let values = NASTY.iter().enumerate().map(|(number, name)| format!("{} {name}", number % 5 + 1)).collect();
    let values = FieldValues { values, default: None, suggested: true };
    simulator
        .set_field_values("Payments", "- Bug: #1 'x'", "Microsoft.VSTS.Common.Severity", &values)
        .expect("a field");
    for name in NASTY {
        let new = NewNode { project: "Payments".to_owned(), name: name.to_owned(), ..NewNode::default() };
        simulator.add_node(&new).expect("a node");
        let add_team = Some(format!("{name} team"));
        simulator
            .change_project(&ProjectChange { project: "Payments".to_owned(), add_team, ..ProjectChange::default() })
            .expect("a team");
    }
    let (text, object) = printed(&desk, "Payments", &[]).await;
    let block = object.spec.pull_requirements.clone().expect("requirements");
    assert_eq!(block.work_item_types, Some(vec!["User Story".to_owned(), "yes".to_owned()]));
    let mapped: Vec<String> = block.status_mapping.expect("states").into_iter().map(|entry| entry.ado).collect();
    assert!(NASTY.iter().all(|name| mapped.iter().any(|ado| ado == name)), "{mapped:?}");
    let severities = object.spec.bug_mapping.as_ref().and_then(|block| block.severity_mapping.clone()).expect("a list");
    assert_eq!(severities.len(), NASTY.len());
    let odd = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{202e}');
    assert!(!text.contains(odd), "{text:?}");
    assert_eq!(text.matches("\nkind: ").count(), 1, "{text}");
    let found = accepted(&desk, &object.spec).await;
    assert_eq!(found.mapping.selected().bug_types, ["- Bug: #1 'x'"]);
}

#[tokio::test]
async fn nasty_names_of_projects_and_teams_stay_names() {
    let desk = Desk::new().await;
    for (name, expected) in [
        ("- a: b", "a-b"),
        ("yes", "yes"),
        ("0x1F", "0x1f"),
        ("#1 'quoted'", "1-quoted"),
        ("null", "null"),
        ("--team", "team"),
        ("支払い 🚀", "project-"),
    ] {
        let new = NewProject { name: name.to_owned(), ..NewProject::default() };
        desk.bench.simulator.add_project(&new).expect("a project");
        let renamed =
            TeamChange { project: name.to_owned(), name: Some(format!("{name}: #1")), ..TeamChange::default() };
        desk.bench.simulator.change_team(&renamed).expect("a team");
        let team = format!("--team={name}: #1");
        let (_, object) = printed(&desk, name, &[&team]).await;
        assert!(object.metadata.name.as_deref().is_some_and(|own| own.starts_with(expected)), "{:?}", object.metadata);
        assert_eq!((object.spec.project.as_str(), object.spec.team.clone()), (name, Some(format!("{name}: #1"))));
        accepted(&desk, &object.spec).await;
    }
}

#[tokio::test]
async fn an_id_stays_an_id() {
    let desk = Desk::new().await;
    let id = desk.bench.simulator.project("Payments").expect("a project").id.to_string();
    let (text, object) = printed(&desk, &id, &[]).await;
    assert_eq!((object.spec.project, object.metadata.name.as_deref()), (id, Some("payments")));
    assert!(text.contains("the Azure DevOps project Payments "), "{text}");
}

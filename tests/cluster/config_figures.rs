//! What a config tells of its mapping: numbers of releases and sprints, tiers, unmapped values, warnings, what is in force.

use std::collections::BTreeSet;

use ado_operator::api::{AdoProjectConfig, AdoProjectConfigStatus, DeletionPolicy};
use ado_simulator::control::{NewNode, NewState, NewWorkItem, WorkItemSummary};
use ado_simulator::state::StateCategory;
use serde_json::{Value, json};
use support::world::World;

use crate::configs::{ACTIVE, GOOD, active, apply, assert_config, connected_small, run};

const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";
const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";

/// The status of the config, applied in that way and synced.
async fn status(world: &World, change: Value) -> AdoProjectConfigStatus {
    apply(world, change).await;
    good(&active(world).await)
}

fn good(found: &AdoProjectConfig) -> AdoProjectConfigStatus {
    assert_config(found, &ACTIVE, GOOD);
    found.status.clone().unwrap()
}

/// Numbers of releases and sprints under that iteration mapping, and its warnings.
async fn iterations(world: &World, mapping: Value) -> ((i64, i64), Vec<String>) {
    let mut change = json!({"iterationMapping": mapping});
    if mapping.to_string().contains("TeamBoard") {
        change["team"] = "Checkout".into();
    }
    let status = status(world, change).await;
    let counts = status.counts.unwrap();
    ((counts.releases, counts.sprints), status.warnings)
}

fn add_node(world: &World, parent: &str, name: &str) {
    let node =
        NewNode { project: "Payments".into(), parent: Some(parent.into()), name: name.into(), ..NewNode::default() };
    world.ado.add_node(&node).unwrap();
}

/// Adds a bug with these fields.
fn add_bug(world: &World, fields: &[(&str, Value)]) -> u32 {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let bug = NewWorkItem { project: "Payments".into(), kind: "Bug".into(), fields, ..NewWorkItem::default() };
    world.ado.create_work_item(&bug).unwrap()
}

/// Field, value and items of the unmapped values.
fn unmapped(status: &AdoProjectConfigStatus) -> Vec<(&str, &str, i64)> {
    status.unmapped.iter().map(|one| (one.field.as_str(), one.value.as_str(), one.items)).collect()
}

/// How many unmapped values there are, shown or not, in the order that they are shown in.
fn assert_ordered(status: &AdoProjectConfigStatus) {
    let shown = unmapped(status);
    let mut sorted = shown.clone();
    sorted.sort_by_key(|(field, value, items)| (-items, field.to_string(), value.to_string()));
    assert_eq!(shown, sorted, "most items first, then field and value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiers_are_those_of_the_process_as_the_team_works_with_it() {
    let world = connected_small().await;
    let bugs = |types: &[&str]| json!({"bugMapping": {"workItemTypes": types}});
    for (project, team, change, tiers) in [
        ("Payments", None, json!({}), json!([["Epic"], ["Feature"], ["User Story"], ["Bug", "Task"]])),
        ("Payments", Some("Checkout"), json!({}), json!([["Epic"], ["Feature"], ["Bug", "User Story"], ["Task"]])),
        ("Payments", Some("Newcomers"), json!({}), json!([["Epic"], ["Feature"], ["User Story"], ["Task"]])),
        ("Web Shop", None, json!({}), json!([["Epic"], ["Feature"], ["Bug", "Product Backlog Item"], ["Task"]])),
        ("Compliance", None, json!({}), json!([["Epic"], ["Feature"], ["Requirement"], ["Task"]])),
        ("Intranet", None, bugs(&["Task"]), json!([["Epic"], ["Issue"], ["Task"]])),
        (
            "Platform",
            None,
            json!({}),
            json!([["Initiative"], ["Epic"], ["Feature"], ["Bug", "Customer Story", "Ticket"], ["Task"]]),
        ),
    ] {
        let name = format!("{}-{}", project.to_lowercase().replace(' ', "-"), team.unwrap_or("default").to_lowercase());
        let mut applied = world.config(&name, "contoso", change);
        applied["spec"]["project"] = project.into();
        if let Some(team) = team {
            applied["spec"]["team"] = team.into();
        }
        world.apply::<AdoProjectConfig>(applied).await;
        let shown = good(&world.config_is(&name, "Active", "Synced").await).tiers;
        let numbers: Vec<i64> = shown.iter().map(|tier| tier.tier).collect();
        assert_eq!(numbers, (1..).take(shown.len()).collect::<Vec<i64>>(), "{name}");
        let types: Vec<Vec<String>> = shown
            .into_iter()
            .map(|mut tier| {
                tier.types.sort();
                tier.types
            })
            .collect();
        assert_eq!(json!(types), tiers, "{name}");
    }
    // Hidden levels count too.
    world.ado.hide_level("Payments", "Epics", true).unwrap();
    let shown = status(&world, json!({})).await.tiers;
    assert_eq!(shown[0].types, ["Epic"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_and_sprints_are_counted_as_their_sources_choose_them() {
    let world = connected_small().await;
    let depth = |depth: i32| json!({"from": "Depth", "depth": depth});
    let paths = |paths: &[&str]| json!({"from": "Paths", "paths": paths});
    let (none, board) = (json!({"from": "None"}), json!({"from": "TeamBoard"}));
    // Four releases with three sprints each, and a node beside them that has none.
    for (mapping, expected) in [
        (json!({}), (5, 12)),
        (json!({"release": depth(1)}), (5, 12)),
        (json!({"sprint": depth(2)}), (5, 12)),
        (json!({"sprint": depth(1)}), (0, 5)),
        (json!({"release": none, "sprint": depth(1)}), (0, 5)),
        (json!({"release": none}), (0, 12)),
        (json!({"sprint": none}), (5, 0)),
        (json!({"release": none, "sprint": none}), (0, 0)),
        (json!({"release": paths(&["Payments\\Release 1", "payments\\release 2"])}), (2, 12)),
        (json!({"release": paths(&["Payments\\*"])}), (5, 12)),
        (json!({"release": paths(&["Payments\\*\\*"]), "sprint": depth(1)}), (12, 5)),
        (json!({"release": paths(&["Payments"])}), (1, 12)),
        (json!({"sprint": paths(&["Payments\\*\\Sprint 1", "Payments\\Release 2\\*"])}), (5, 4)),
        // A release that is left out never takes what the paths of sprints name.
        (json!({"sprint": paths(&["Payments\\Release 1", "Payments\\Backlog"])}), (3, 2)),
        (json!({"sprint": board}), (5, 2)),
        (json!({"release": board, "sprint": none}), (2, 0)),
    ] {
        let (found, _) = iterations(&world, mapping.clone()).await;
        assert_eq!(found, expected, "{mapping}");
    }
}

/// The iterations that the ancestors of that type give the items, as a set: of the item itself, or of the nearest above it.
fn of_ancestors(items: &[WorkItemSummary], pulled: &[&str], ancestor: &str) -> BTreeSet<String> {
    let find = |id: u32| items.iter().find(|item| item.id == id);
    let climb = |item: &WorkItemSummary| {
        let mut at = Some(item.clone());
        while let Some(item) = at {
            if item.kind == ancestor {
                return Some(item.iteration);
            }
            at = find(item.parent).cloned();
        }
        None
    };
    let pulled = items.iter().filter(|item| pulled.contains(&item.kind.as_str()));
    pulled.filter_map(climb).filter(|iteration| iteration.contains('\\')).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_from_a_tier_are_those_that_pulled_items_reach() {
    let world = connected_small().await;
    let items = world.ado.work_items("Payments").unwrap();
    let pulled = ["User Story", "Bug"];
    let all = items.iter().filter(|item| item.kind == "Epic").count();
    for (tier, ancestor) in [(1, "Epic"), (2, "Feature"), (3, "User Story")] {
        let expected = of_ancestors(&items, &pulled, ancestor);
        assert!(!expected.is_empty() && all > 0, "{ancestor}");
        let mapping = json!({"release": {"from": "Tier", "tier": tier}, "sprint": {"from": "None"}});
        let ((releases, sprints), warnings) = iterations(&world, mapping).await;
        assert_eq!((usize::try_from(releases).unwrap(), sprints), (expected.len(), 0), "{ancestor}: {expected:?}");
        assert_eq!(warnings, [""; 0]);
        let mapping = json!({"release": {"from": "None"}, "sprint": {"from": "Tier", "tier": tier}});
        let ((releases, sprints), _) = iterations(&world, mapping).await;
        assert_eq!((releases, usize::try_from(sprints).unwrap()), (0, expected.len()), "{ancestor}: {expected:?}");
    }
    // There is no such tier.
    let mapping = json!({"release": {"from": "Tier", "tier": 9}, "sprint": {"from": "None"}});
    let (found, warnings) = iterations(&world, mapping).await;
    assert_eq!(found, (0, 0));
    assert!(
        warnings.iter().any(|text| text.contains("iterationMapping.release") && text.contains("Tier 9")),
        "{warnings:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iterations_that_may_not_be_meant_are_warned_of() {
    let world = connected_small().await;
    let none_wanted = async |project: &str, mapping: Value| {
        let name = format!("flat-{}", uuid::Uuid::new_v4().simple());
        let mut applied = world.config(&name, "contoso", json!({"iterationMapping": mapping}));
        applied["spec"]["project"] = project.into();
        world.apply::<AdoProjectConfig>(applied).await;
        good(&world.config_is(&name, "Active", "Synced").await)
    };
    // All iterations of this project are at depth 1.
    let flat = none_wanted("Web Shop", json!({})).await;
    let counts = flat.counts.unwrap();
    assert_eq!((counts.releases, counts.sprints), (12, 0));
    assert!(flat.warnings.iter().any(|text| text.contains("release: {from: None}")), "{:?}", flat.warnings);
    let meant = json!({"release": {"from": "None"}, "sprint": {"from": "Depth", "depth": 1}});
    let flat = none_wanted("Web Shop", meant).await;
    let counts = flat.counts.unwrap();
    assert_eq!((counts.releases, counts.sprints), (0, 12));
    assert_eq!(flat.warnings, [""; 0]);

    add_node(&world, "Payments\\Release 2", "Sprint 1");
    for (mapping, words) in [
        (json!({}), vec!["sprints are called Sprint 1", "fullPath: true"]),
        (
            json!({"release": {"from": "Depth", "depth": 2}, "sprint": {"from": "Depth", "depth": 2}}),
            vec!["release: {from: None}"],
        ),
        (
            json!({"release": {"from": "Depth", "depth": 2}, "sprint": {"from": "Depth", "depth": 1}}),
            vec!["sprint Payments\\Release 1 stands above a release"],
        ),
        (
            json!({
                "release": {"from": "Paths", "paths": ["Payments\\Release 1"]},
                "sprint": {"from": "Paths", "paths": ["payments\\release 1", "Payments\\Release 2"]},
            }),
            vec!["Payments\\Release 1 is named as a release and as a sprint"],
        ),
        (
            json!({"sprint": {"from": "Depth", "depth": 9}}),
            vec!["iterationMapping.sprint", "Depth 9 matches no iteration"],
        ),
        (
            json!({"release": {"from": "Paths", "paths": ["Payments\\Backlog\\*"]}}),
            vec!["iterationMapping.release", "Payments\\Backlog\\* matches no iteration"],
        ),
    ] {
        let (_, warnings) = iterations(&world, mapping.clone()).await;
        let fits = warnings.iter().any(|text| words.iter().all(|word| text.contains(word)));
        assert!(fits, "{mapping}: {warnings:?}");
    }
    let (found, warnings) = iterations(&world, json!({"fullPath": true})).await;
    assert_eq!((found, warnings.len()), ((5, 13), 0), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_twenty_warnings_are_shown() {
    let world = connected_small().await;
    for number in 0..25 {
        for release in ["Payments\\Release 1", "Payments\\Release 2"] {
            add_node(&world, release, &format!("Twin {number:02}"));
        }
    }
    let (found, warnings) = iterations(&world, json!({})).await;
    assert_eq!((found, warnings.len()), ((5, 62), 20), "{warnings:?}");
    assert!(warnings.iter().all(|text| text.contains("called Twin ")), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn severities_of_bugs_that_have_none_are_warned_of() {
    let world = connected_small().await;
    world.ado.remove_field("Payments", "Bug", SEVERITY).unwrap();
    let severities = json!({"severityMapping": [{"ado": "1 - Critical", "testops": "Critical"}]});
    let shown = status(&world, json!({"bugMapping": severities})).await;
    assert!(
        shown.warnings.iter().any(|text| text.starts_with("spec.bugMapping.severityMapping: ")),
        "{:?}",
        shown.warnings
    );
    assert_eq!(status(&world, json!({})).await.warnings, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_map_everything_that_a_process_offers() {
    let world = connected_small().await;
    for (project, change) in [
        ("Payments", json!({})),
        ("Web Shop", json!({})),
        ("Compliance", json!({})),
        ("Platform", json!({})),
        ("Intranet", json!({"bugMapping": {"workItemTypes": ["Task"]}})),
    ] {
        let name = project.to_lowercase().replace(' ', "-");
        let mut applied = world.config(&name, "contoso", change);
        applied["spec"]["project"] = project.into();
        world.apply::<AdoProjectConfig>(applied).await;
        let shown = good(&world.config_is(&name, "Active", "Synced").await);
        assert_eq!((unmapped(&shown), shown.unmapped_total), (vec![], None), "{project}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_nobody_mapped_are_counted_where_they_could_be_mapped() {
    let world = connected_small().await;
    // As whole numbers, 2 three times; 0 and 7 mean nothing; nothing is no priority.
    let priorities = [json!(0), json!(7), json!("7"), json!(7.0), json!("2"), json!(2.0), json!(2), Value::Null];
    let bugs: Vec<u32> = priorities.into_iter().map(|value| add_bug(&world, &[(PRIORITY, value)])).collect();
    world
        .ado
        .add_state("Payments", "Bug", &NewState { name: "Parked".into(), category: StateCategory::InProgress })
        .unwrap();
    for bug in &bugs[..2] {
        world.ado.set_field(*bug, "System.State", "Parked").unwrap();
    }
    world.ado.set_field(bugs[2], SEVERITY, "Grave").unwrap();
    world.ado.set_field(bugs[3], SEVERITY, "6 - Odd").unwrap();
    let shown = status(&world, json!({})).await;
    let (priority, severity) = ("spec.priorityMapping", "spec.bugMapping.severityMapping");
    assert_eq!(
        unmapped(&shown),
        [(priority, "7", 3), (severity, "6 - Odd", 1), (severity, "Grave", 1), (priority, "0", 1)],
    );
    assert_eq!(shown.unmapped_total, Some(4));

    // A list that is given is all there is.
    let items = world.ado.work_items("Payments").unwrap();
    let in_state = |kind: &str, state: &str| {
        i64::try_from(items.iter().filter(|item| item.kind == kind && item.state == state).count()).unwrap()
    };
    let shown = status(
        &world,
        json!({
            "pullRequirements": {"statusMapping": [{"ado": "active", "testops": "InProgress"}]},
            "bugMapping": {
                "statusMapping": [{"ado": "New", "type": "bug", "testops": "Open"}, {"ado": "Closed", "testops": "Closed"}],
                "severityMapping": [{"ado": "grave", "testops": "High"}],
            },
            "priorityMapping": [{"ado": 2, "testops": "Low"}],
        }),
    )
    .await;
    assert_ordered(&shown);
    let found = unmapped(&shown);
    for (field, kind, states, mapped) in [
        ("spec.pullRequirements.statusMapping", "User Story", &["New", "Resolved", "Closed", "Removed"][..], "Active"),
        ("spec.bugMapping.statusMapping", "Bug", &["Active", "Resolved", "Parked"][..], "New"),
    ] {
        for state in states {
            let counted = found.iter().find(|one| (one.0, one.1) == (field, *state)).map_or(0, |one| one.2);
            assert_eq!(counted, in_state(kind, state), "{field} {state}: {found:?}");
        }
        assert!(!found.iter().any(|one| (one.0, one.1) == (field, mapped)), "{found:?}");
    }
    assert!(found.contains(&(severity, "6 - Odd", 1)), "{found:?}");
    assert!(!found.iter().any(|one| one.1 == "Grave" || (one.0, one.1) == (priority, "2")), "{found:?}");
    assert!(found.contains(&(priority, "7", 3)), "{found:?}");
    assert!(
        ["1", "3", "4"].iter().all(|value| found.iter().any(|one| (one.0, one.1) == (priority, *value))),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_fifty_unmapped_values_are_shown_and_all_are_counted() {
    let world = connected_small().await;
    for number in 0..60 {
        add_bug(&world, &[(SEVERITY, json!(format!("Grade {number:02}")))]);
    }
    // Values that differ in case only are one.
    for value in ["GRADE 59", "grade 59"] {
        add_bug(&world, &[(SEVERITY, json!(value))]);
    }
    let shown = status(&world, json!({})).await;
    assert_eq!((shown.unmapped.len(), shown.unmapped_total), (50, Some(60)));
    assert_ordered(&shown);
    assert_eq!(unmapped(&shown)[0], ("spec.bugMapping.severityMapping", "GRADE 59", 3));
    let off = status(&world, json!({"bugMapping": {"enabled": false}})).await;
    assert_eq!((off.unmapped.len(), off.unmapped_total), (0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_left_out_is_told_as_it_is_in_force() {
    let world = connected_small().await;
    let effective = status(&world, json!({})).await.effective.unwrap();
    assert_eq!(effective.requirement_types, ["User Story"]);
    assert_eq!(effective.bug_types, ["Bug"]);
    assert_eq!((effective.release.as_deref(), effective.sprint.as_deref()), (Some("Depth 1"), Some("Depth 2")));
    assert_eq!(effective.time_zone.as_deref(), Some("UTC"));
    assert_eq!(effective.deletion_policy, Some(DeletionPolicy::Retain));

    let depth = |depth: i32| json!({"from": "Depth", "depth": depth});
    for (mapping, release, sprint) in [
        (json!({"release": depth(2)}), "Depth 2", "Depth 3"),
        (json!({"sprint": depth(3)}), "Depth 2", "Depth 3"),
        (json!({"sprint": depth(1)}), "None", "Depth 1"),
        (json!({"sprint": {"from": "None"}}), "Depth 1", "None"),
        (json!({"release": {"from": "Tier", "tier": 1}}), "Tier 1", "Depth 2"),
        (json!({"sprint": {"from": "TeamBoard"}}), "Depth 1", "TeamBoard"),
    ] {
        let change = json!({"iterationMapping": mapping, "team": "Checkout", "deletionPolicy": "Purge"});
        let effective = status(&world, change).await.effective.unwrap();
        let found = (effective.release.as_deref(), effective.sprint.as_deref());
        assert_eq!(found, (Some(release), Some(sprint)), "{mapping}");
        assert_eq!(effective.deletion_policy, Some(DeletionPolicy::Purge));
    }
    // Default types of requirements leave to the bugs what these name, in any case.
    let mut applied = world.config("platform", "contoso", json!({"bugMapping": {"workItemTypes": ["bug", "TICKET"]}}));
    applied["spec"]["project"] = "Platform".into();
    world.apply::<AdoProjectConfig>(applied).await;
    let effective = good(&world.config_is("platform", "Active", "Synced").await).effective.unwrap();
    assert_eq!(effective.requirement_types, ["Customer Story"]);
    assert_eq!(effective.bug_types, ["Bug", "Ticket"]);
}

/// What is added to the process is pulled by default, and a type that moves to both sides stays a bug.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_follow_the_process() {
    let world = connected_small().await;
    status(&world, json!({})).await;
    let states = [NewState { name: "New".into(), category: StateCategory::Proposed }];
    world.ado.add_type("Payments", "Job Story", "User Story", &states).unwrap();
    let shown = good(&run(&world, "another type").await);
    assert_eq!(shown.effective.unwrap().requirement_types, ["User Story", "Job Story"]);
    assert!(shown.tiers[2].types.contains(&"Job Story".to_owned()), "{:?}", shown.tiers);
}

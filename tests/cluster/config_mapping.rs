//! A mapping that the process disagrees with: which field is wrong, and what would be right.

use ado_operator::api::{AdoProjectConfig, AdoProjectConfigStatus};
use ado_simulator::control::{NewNode, NewState};
use ado_simulator::state::StateCategory;
use serde_json::{Value, json};
use support::world::{World, message};

use crate::configs::{
    ACTIVE, GOOD, Own, active, apply, assert_config, connected_small, counts, refused, run, stuck, synced,
};

/// Conditions of a config whose data was synced before its mapping was refused.
const REFUSED: Own = &[("MappingValid", "False", "InvalidMapping"), ("Synced", "True", "Synced")];

const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";

/// What a status tells apart from the verdict.
fn told(status: &AdoProjectConfigStatus) -> AdoProjectConfigStatus {
    AdoProjectConfigStatus { state: None, observed_generation: None, conditions: Vec::new(), ..status.clone() }
}

/// The synced config is edited in that way and refused: the message begins with the field and has these parts; everything
/// that was told of the accepted spec is still told.
async fn refuses(world: &World, change: Value, field: &str, parts: &[&str]) -> AdoProjectConfig {
    apply(world, json!({})).await;
    let before = active(world).await;
    apply(world, change.clone()).await;
    let found = refused(world, "InvalidMapping").await;
    assert_config(&found, &stuck("InvalidMapping"), REFUSED);
    let text = message(&found);
    assert!(text.starts_with(&format!("{field}: ")), "{change}: {text}");
    for part in parts {
        assert!(text.contains(part), "{change}: {part} is not in: {text}");
    }
    assert_eq!(told(found.status.as_ref().unwrap()), told(before.status.as_ref().unwrap()), "{change}");
    found
}

/// The config is applied in that way and accepted.
async fn accepts(world: &World, change: Value) -> AdoProjectConfigStatus {
    apply(world, change).await;
    let found = active(world).await;
    assert_config(&found, &ACTIVE, GOOD);
    found.status.unwrap()
}

fn state_of(name: &str) -> NewState {
    NewState { name: name.to_owned(), category: StateCategory::InProgress }
}

/// An item of that type of the project Payments.
fn item_of(world: &World, kind: &str) -> u32 {
    let items = world.ado.work_items("Payments").unwrap();
    items.into_iter().find(|item| item.kind == kind).unwrap().id
}

fn statuses(block: &str, entries: &Value) -> Value {
    json!({block: {"statusMapping": entries}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_types_are_answered_with_the_types_that_there_are() {
    let world = connected_small().await;
    for (change, field) in [
        (json!({"pullRequirements": {"workItemTypes": ["Feature", "Storey"]}}), "spec.pullRequirements.workItemTypes"),
        (json!({"bugMapping": {"workItemTypes": ["Storey"]}}), "spec.bugMapping.workItemTypes"),
        (
            statuses("pullRequirements", &json!([{"ado": "New", "type": "Storey", "testops": "Open"}])),
            "spec.pullRequirements.statusMapping",
        ),
        (
            statuses("bugMapping", &json!([{"ado": "New", "type": "Storey", "testops": "Open"}])),
            "spec.bugMapping.statusMapping",
        ),
    ] {
        refuses(&world, change, field, &["\"Storey\"", "Epic", "Feature", "User Story", "Bug", "Task"]).await;
    }
    let both = json!({
        "pullRequirements": {"workItemTypes": ["User Story", "feature"]},
        "bugMapping": {"workItemTypes": ["Bug", "FEATURE"]},
    });
    refuses(&world, both, "spec.bugMapping.workItemTypes", &["Feature", "Bug", "User Story"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_has_to_be_one_of_the_types_that_it_is_mapped_for() {
    let world = connected_small().await;
    let (requirements, bugs) = ("spec.pullRequirements.statusMapping", "spec.bugMapping.statusMapping");
    let doing = json!([{"ado": "New", "testops": "Open"}, {"ado": "Doing", "testops": "InProgress"}]);
    let offered = ["\"Doing\"", "User Story", "New", "Active", "Resolved", "Closed", "Removed"];
    refuses(&world, statuses("pullRequirements", &doing), requirements, &offered).await;

    // User stories can be removed, bugs cannot.
    let removed = json!([{"ado": "Removed", "testops": "Removed"}]);
    let found = refuses(
        &world,
        statuses("bugMapping", &removed),
        bugs,
        &["\"Removed\"", "Bug", "New", "Active", "Resolved", "Closed"],
    )
    .await;
    let text = message(&found);
    assert_eq!(text.matches("Removed").count(), 1, "it is not among the allowed ones: {text}");
    accepts(&world, statuses("pullRequirements", &removed)).await;

    // Tasks have no state Resolved, user stories have: an entry for both is good, and one for tasks is not.
    let entry = |kind: Option<&str>| {
        let mut entry = json!({"ado": "RESOLVED", "testops": "Resolved"});
        if let Some(kind) = kind {
            entry["type"] = kind.into();
        }
        json!({"pullRequirements": {"workItemTypes": ["User Story", "Task"], "statusMapping": [entry]}})
    };
    accepts(&world, entry(None)).await;
    accepts(&world, entry(Some("user story"))).await;
    refuses(&world, entry(Some("task")), requirements, &["\"RESOLVED\"", "Task", "New", "Active", "Closed"]).await;

    // An entry for a type that is not selected is unused, whatever it says.
    let unused = json!([{"ado": "Nothing of that kind", "type": "Epic", "testops": "Open"}]);
    accepts(&world, statuses("pullRequirements", &unused)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn severities_dates_paths_and_time_zones_have_to_exist() {
    let world = connected_small().await;
    let severities = json!({"severityMapping": [
        {"ado": "1 - CRITICAL", "testops": "Critical"}, {"ado": "5 - Trivial", "testops": "Lowest"},
    ]});
    let offered = ["\"5 - Trivial\"", "Bug", "1 - Critical", "2 - High", "3 - Medium", "4 - Low"];
    refuses(&world, json!({"bugMapping": severities}), "spec.bugMapping.severityMapping", &offered).await;

    // User stories have no target date, features have; a title is no date.
    let dates =
        |types: Value, field: &str| json!({"pullRequirements": {"workItemTypes": types, "releaseDateFields": [field]}});
    let target = "Microsoft.VSTS.Scheduling.TargetDate";
    for field in [target, "System.Title", "Nothing.AtAll", "Custom.GoLive"] {
        refuses(
            &world,
            dates(json!(["User Story"]), field),
            "spec.pullRequirements.releaseDateFields",
            &[&format!("{field:?}"), "ReleaseEndDate", "SprintEndDate", "Microsoft.VSTS.Common.ResolvedDate"],
        )
        .await;
    }
    accepts(&world, dates(json!(["User Story", "Feature"]), &target.to_uppercase())).await;

    for side in ["release", "sprint"] {
        for path in ["Payments\\Release 9", "Payments\\Release 9\\*", "Elsewhere\\Release 1", "Release 1"] {
            let change = json!({"iterationMapping": {side: {"from": "Paths", "paths": [path]}}});
            let field = format!("spec.iterationMapping.{side}.paths");
            let literal = format!("{:?}", path.trim_end_matches("\\*"));
            refuses(&world, change, &field, &[&literal, "Payments\\Release 1", "Payments\\Release 4"]).await;
        }
    }
    let path = "payments\\RELEASE 1\\*";
    accepts(&world, json!({"iterationMapping": {"sprint": {"from": "Paths", "paths": [path]}}})).await;

    for zone in ["Europe/Atlantis", "Berlin", "../../etc/localtime", "/etc/localtime", "+02:00"] {
        refuses(&world, json!({"timeZone": zone}), "spec.timeZone", &[&format!("{zone:?}"), "Europe/Berlin"]).await;
    }
    let status = accepts(&world, json!({"timeZone": "Pacific/Auckland"})).await;
    assert_eq!(status.effective.unwrap().time_zone.as_deref(), Some("Pacific/Auckland"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_differ_in_case_only_say_the_same_twice() {
    let world = connected_small().await;
    let twice = json!([{"ado": "New", "testops": "Open"}, {"ado": "NEW", "testops": "Closed"}]);
    let typed = |first: &str, second: &str| json!([{"ado": "New", "type": first, "testops": "Open"}, {"ado": "new", "type": second, "testops": "Closed"}]);
    let severities = json!([{"ado": "2 - High", "testops": "High"}, {"ado": "2 - high", "testops": "Low"}]);
    let dates = json!(["Microsoft.VSTS.Common.ResolvedDate", "microsoft.vsts.common.resolveddate"]);
    let paths = json!(["Payments\\Release 1\\*", "PAYMENTS\\release 1\\*"]);
    for (change, field) in [
        (statuses("pullRequirements", &twice), "spec.pullRequirements.statusMapping"),
        (statuses("bugMapping", &twice), "spec.bugMapping.statusMapping"),
        (statuses("pullRequirements", &typed("Feature", "feature")), "spec.pullRequirements.statusMapping"),
        (statuses("bugMapping", &typed("bug", "BUG")), "spec.bugMapping.statusMapping"),
        (json!({"bugMapping": {"severityMapping": severities}}), "spec.bugMapping.severityMapping"),
        (json!({"pullRequirements": {"releaseDateFields": dates}}), "spec.pullRequirements.releaseDateFields"),
        (
            json!({"iterationMapping": {"release": {"from": "Paths", "paths": paths}}}),
            "spec.iterationMapping.release.paths",
        ),
        (
            json!({"iterationMapping": {"sprint": {"from": "Paths", "paths": paths}}}),
            "spec.iterationMapping.sprint.paths",
        ),
        (json!({"bugMapping": {"workItemTypes": ["Bug", "bug"]}}), "spec.bugMapping.workItemTypes"),
    ] {
        refuses(&world, change, field, &["twice"]).await;
    }
    // The same state of two types, and of all others, are three entries.
    let three = json!([
        {"ado": "New", "testops": "Open"},
        {"ado": "new", "type": "Feature", "testops": "InProgress"},
        {"ado": "NEW", "type": "Epic", "testops": "Closed"},
    ]);
    accepts(&world, statuses("pullRequirements", &three)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_no_longer_offered_is_accepted_if_and_only_if_somebody_carries_it() {
    let world = connected_small().await;
    let (bug, task) = (item_of(&world, "Bug"), item_of(&world, "Task"));
    for kind in ["Bug", "Task"] {
        world.ado.add_state("Payments", kind, &state_of("Parked")).unwrap();
        world.ado.remove_state("Payments", kind, "Parked").unwrap();
    }
    let parked = || statuses("bugMapping", &json!([{"ado": "parked", "type": "Bug", "testops": "Resolved"}]));
    let legacy = || json!({"bugMapping": {"severityMapping": [{"ado": "9 - Legacy", "testops": "Lowest"}]}});
    let (of_states, of_severities) = ("spec.bugMapping.statusMapping", "spec.bugMapping.severityMapping");
    refuses(&world, parked(), of_states, &["\"parked\"", "Bug", "New, Resolved"]).await;
    refuses(&world, legacy(), of_severities, &["\"9 - Legacy\"", "4 - Low"]).await;
    world.ado.set_field(task, "System.State", "Parked").unwrap();
    refuses(&world, parked(), of_states, &["\"parked\""]).await;

    // A spec that was refused is not looked at again at once.
    accepts(&world, json!({})).await;
    world.ado.set_field(bug, "System.State", "Parked").unwrap();
    world.ado.set_field(bug, SEVERITY, "9 - Legacy").unwrap();
    run(&world, "carried").await;
    let is_missing =
        |status: &AdoProjectConfigStatus, value: &str| status.unmapped.iter().any(|one| one.value == value);
    let status = accepts(&world, parked()).await;
    assert!(!is_missing(&status, "Parked"), "it is mapped: {:?}", status.unmapped);
    let status = accepts(&world, legacy()).await;
    assert!(!is_missing(&status, "9 - Legacy"), "it is mapped: {:?}", status.unmapped);
    let status = accepts(&world, json!({})).await;
    assert!(is_missing(&status, "Parked"), "a state of no category is counted: {:?}", status.unmapped);

    world.ado.delete_work_item(bug).unwrap();
    refuses(&world, parked(), of_states, &["\"parked\""]).await;
    refuses(&world, legacy(), of_severities, &["\"9 - Legacy\""]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_that_are_switched_off_are_not_validated() {
    let world = connected_small().await;
    let entries = json!([{"ado": "Nothing", "testops": "Open"}, {"ado": "nothing", "testops": "Closed"}]);
    let requirements = json!({
        "enabled": false,
        "workItemTypes": ["Nothing", "nothing"],
        "releaseDateFields": ["Nothing.AtAll"],
        "statusMapping": entries,
    });
    let bugs = json!({
        "enabled": false,
        "workItemTypes": ["Nothing"],
        "severityMapping": [{"ado": "Nothing", "testops": "Low"}],
        "statusMapping": [{"ado": "New", "type": "Nothing", "testops": "Open"}],
    });
    let status = accepts(&world, json!({"pullRequirements": requirements})).await;
    assert_eq!(status.counts.unwrap().requirements, 0);
    let status = accepts(&world, json!({"bugMapping": bugs})).await;
    assert_eq!(status.counts.unwrap().bugs, 0);

    // The iterations are used only if one of the toggles is on.
    let nowhere = json!({"release": {"from": "Paths", "paths": ["Nowhere"]}});
    let all_off = json!({"pullRequirements": requirements, "bugMapping": bugs, "iterationMapping": nowhere});
    apply(&world, all_off).await;
    world.config_is("payments", "Active", "NothingSelected").await;
    refuses(&world, json!({"iterationMapping": nowhere}), "spec.iterationMapping.release.paths", &["\"Nowhere\""])
        .await;

    // What a block that is off names is no default of the other one.
    let named = json!({"bugMapping": {"enabled": false, "workItemTypes": ["user story"]}});
    apply(&world, named).await;
    let text = message(&refused(&world, "InvalidMapping").await);
    assert!(text.starts_with("spec.pullRequirements.workItemTypes must name the types"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_team_leaves_what_was_accepted_visible() {
    let world = synced().await;
    let before = active(&world).await.status.unwrap();
    apply(&world, json!({"team": "Accounting", "iterationMapping": {"sprint": {"from": "TeamBoard"}}})).await;
    let found = refused(&world, "TeamNotFound").await;
    let text = message(&found);
    assert!(text.starts_with("spec.team: ") && text.contains("Checkout"), "{text}");
    assert_eq!(told(&found.status.unwrap()), told(&before));
    let board = json!({"team": "Checkout", "iterationMapping": {"sprint": {"from": "TeamBoard"}}});
    let status = accepts(&world, board).await;
    assert_eq!(status.counts.unwrap().sprints, 2, "those of the team");
    let newcomers = json!({"team": "Newcomers", "iterationMapping": {"sprint": {"from": "TeamBoard"}}});
    let status = accepts(&world, newcomers).await;
    assert_eq!(status.counts.unwrap().sprints, 0);
    assert!(status.warnings.iter().any(|text| text.contains("TeamBoard")), "{:?}", status.warnings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_no_longer_than_a_message_may_be() {
    let world = connected_small().await;
    for number in 0..60 {
        let name = format!("{number} {}", "ä".repeat(120));
        world.ado.add_node(&NewNode { project: "Payments".into(), name, ..NewNode::default() }).unwrap();
    }
    for number in 0..20 {
        let kind = format!("Kind {number} {}", "x".repeat(90));
        world.ado.add_type("Payments", &kind, "Issue", &[state_of("New")]).unwrap();
    }
    let long = "ä".repeat(1000);
    for (change, field) in [
        (
            json!({"iterationMapping": {"release": {"from": "Paths", "paths": [long]}}}),
            "spec.iterationMapping.release.paths",
        ),
        (json!({"pullRequirements": {"workItemTypes": ["ä".repeat(128)]}}), "spec.pullRequirements.workItemTypes"),
    ] {
        let text = message(&refuses(&world, change, field, &[]).await);
        assert!(text.chars().count() <= 1024, "{} characters: {text}", text.chars().count());
    }
    assert!(counts(&active_again(&world).await).releases > 60);
}

/// The config as it was before the last refusal.
async fn active_again(world: &World) -> AdoProjectConfig {
    apply(world, json!({})).await;
    active(world).await
}

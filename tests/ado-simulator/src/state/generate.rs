//! Generates the world from the seed.

mod items;
mod projects;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::World;
use super::catalog;
use super::catalog::fields;
use super::identity::{AccessLevel, Identity, Pat, Pats};
use super::items::Items;
use super::organization::Organization;
use super::permissions::Role;
use super::project::ProjectState;
use super::random::{guid, mix, token};
use crate::auth::Scopes;

/// People of each organization, by index.
const PEOPLE: &[(&str, &str, Role, AccessLevel)] = &[
    ("Ada Sommer", "ada", Role::Administrator, AccessLevel::Advanced),
    ("Bela Kim", "bela", Role::Contributor, AccessLevel::Express),
    ("Chidi Okafor", "chidi", Role::Reader, AccessLevel::Express),
    ("Dana Wójcik", "dana", Role::Contributor, AccessLevel::Stakeholder),
    ("Emre Yıldız", "emre", Role::None, AccessLevel::Express),
];

/// The operator's own scopes (`ado-api.md` §2).
const OPERATOR: &[&str] = &["vso.project", "vso.work_write", "vso.test_write", "vso.code"];

/// What is special about a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    None,
    Expired,
    Revoked,
}

/// Tokens: label, organization, person, scopes (empty for full access), what is special.
const PATS: &[(&str, usize, usize, &[&str], Special)] = &[
    ("full", 0, 0, &[], Special::None),
    ("operator", 0, 0, OPERATOR, Special::None),
    ("read_only", 0, 1, &["vso.project", "vso.work"], Special::None),
    ("no_test", 0, 0, &["vso.project", "vso.work_write", "vso.code"], Special::None),
    ("no_code", 0, 0, &["vso.project", "vso.work_write", "vso.test_write"], Special::None),
    ("no_work", 0, 0, &["vso.project"], Special::None),
    ("no_project", 0, 0, &["vso.work_write"], Special::None),
    ("analytics_only", 0, 0, &["vso.analytics"], Special::None),
    ("contributor", 0, 1, &[], Special::None),
    ("reader", 0, 2, &[], Special::None),
    ("stakeholder", 0, 3, &[], Special::None),
    ("no_permission", 0, 4, &[], Special::None),
    ("expired", 0, 0, &[], Special::Expired),
    ("revoked", 0, 0, &[], Special::Revoked),
    ("other_organization", 1, 0, &[], Special::None),
];

/// The world of a seed.
pub(super) fn world(seed: u64, items: u32, items_in: Option<&str>) -> World {
    let organizations = vec![
        organization(seed, 0, "contoso", (items, items_in), projects::CONTOSO),
        organization(seed, 1, "fabrikam", (items.min(20), None), projects::FABRIKAM),
    ];
    let mut pats = Pats::default();
    for (label, organization, identity, scopes, special) in PATS {
        pats.add(pat(seed, label, *organization, *identity, scopes, *special));
    }
    World { seed, organizations, pats, clock_offset: SignedDuration::ZERO, created: BTreeMap::new() }
}

/// Whether `contoso` has a usable project of this name.
pub(super) fn has_project(name: &str) -> bool {
    let usable = |plan: &&projects::Plan| plan.state == ProjectState::WellFormed;
    projects::CONTOSO.iter().filter(usable).any(|plan| plan.name.to_lowercase() == name.to_lowercase())
}

fn pat(seed: u64, label: &str, organization: usize, identity: usize, scopes: &[&str], special: Special) -> Pat {
    let (years_2020, years_2099) = (1_577_836_800, 4_070_908_800);
    let expires = if special == Special::Expired { years_2020 } else { years_2099 };
    Pat {
        label: label.to_owned(),
        token: token(seed, label),
        organization,
        identity,
        scopes: if scopes.is_empty() { Scopes::Full } else { Scopes::only(scopes.iter().copied()) },
        expires: Timestamp::from_second(expires).unwrap_or(Timestamp::UNIX_EPOCH),
        revoked: special == Special::Revoked,
    }
}

fn organization(
    seed: u64,
    index: u64,
    name: &str,
    (items, items_in): (u32, Option<&str>),
    plans: &[projects::Plan],
) -> Organization {
    let seed = mix(seed, index, 0);
    let id = guid(seed, "organization", 0);
    let people = PEOPLE.iter().zip(0u64..).map(|((display, account, role, level), place)| {
        let mut identity =
            Identity::new(guid(seed, "identity", place), display, &format!("{account}@{name}.example"), name, id);
        (identity.role, identity.access_level) = (*role, *level);
        identity
    });
    let fields = fields::built_in();
    let field_index = fields.iter().zip(0u16..).map(|(field, index)| (field.reference.to_lowercase(), index)).collect();
    let mut organization = Organization {
        name: name.to_owned(),
        id,
        public: false,
        stopped: false,
        identities: people.collect(),
        processes: vec![
            catalog::agile(),
            catalog::scrum(),
            catalog::basic(),
            catalog::cmmi(),
            catalog::contoso_agile(guid(seed, "process", 4)),
        ],
        fields,
        field_index,
        projects: Vec::new(),
        items: Items::with_capacity(items),
        subscriptions: Vec::new(),
        next_node: 1000,
    };
    for (plan, place) in plans.iter().zip(0u64..) {
        let project = projects::project(seed, place, plan, &mut organization.next_node);
        organization.projects.push(project);
    }
    let only = items_in.and_then(|name| organization.live_project(name));
    items::fill(seed, &mut organization, items, &only.map_or_else(|| items::turns(plans), |project| vec![project]));
    add_foreign_subscription(seed, &mut organization);
    organization
}

/// A subscription that somebody else made, which clients must leave alone.
fn add_foreign_subscription(seed: u64, organization: &mut Organization) {
    let Some(project) = organization.projects.first() else { return };
    let (id, owner) = (guid(seed, "subscription", 0), organization.identities[0].short_reference());
    let stamp = "2025-03-04T08:15:16.27Z";
    let inputs = json!({"areaPath": "", "projectId": project.id, "tfsSubscriptionId": guid(seed, "tfsSubscription", 0), "workItemType": "Bug"});
    organization.subscriptions.push(json!({
        "id": id, "publisherId": "tfs", "eventType": "workitem.created", "subscriber": null, "resourceVersion": "1.0",
        "eventDescription": "Work item type Bug", "consumerId": "webHooks", "consumerActionId": "httpRequest",
        "actionDescription": "To host chat.example.com", "createdBy": owner, "createdDate": stamp,
        "modifiedBy": owner, "modifiedDate": stamp, "publisherInputs": inputs,
        "consumerInputs": {"basicAuthPassword": "********", "basicAuthUsername": "chat", "url": "https://chat.example.com/hook"},
    }));
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_another() {
        let text = |seed| {
            let world = world(seed, 200, None);
            let contoso = &world.organizations[0];
            format!("{:?} {:?} {:?}", contoso.projects, contoso.items, world.pats.by_label("full"))
        };
        // Hash maps inside are empty, so the text is stable.
        assert_eq!(text(1).len(), text(1).len());
        let rows = |seed| format!("{:?}", world(seed, 200, None).organizations[0].items.from(1).collect::<Vec<_>>());
        assert_eq!(rows(3), rows(3));
        assert_ne!(rows(3), rows(4));
    }

    #[test]
    fn ten_items_already_cover_the_main_types() {
        let world = world(1, 10, None);
        let contoso = &world.organizations[0];
        let mut names: Vec<&str> = contoso
            .items
            .from(1)
            .map(|(_, row)| {
                let project = &contoso.projects[usize::from(row.project)];
                contoso.processes[project.process].types[usize::from(row.kind)].name.as_str()
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() >= 5, "{names:?}");
    }

    #[test]
    fn field_names_are_found_by_reference_and_display_name() {
        let world = world(1, 0, None);
        let contoso = &world.organizations[0];
        let index: HashMap<&str, _> = [("system.title", fields::TITLE), ("Severity", fields::SEVERITY)].into();
        for (name, expected) in index {
            assert_eq!(contoso.field(name), Some(expected));
        }
        assert_eq!(contoso.field("Nonsense"), None);
    }
}

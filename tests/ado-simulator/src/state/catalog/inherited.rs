//! An inherited process: an extra portfolio level, a renamed one, a replaced and an added type, a changed state.

use uuid::Uuid;

use super::fields::{CUSTOM_CUSTOMER, CUSTOM_GO_LIVE, STACK_RANK, STORY_POINTS};
use super::system::{self, type_fields};
use crate::state::process::StateCategory::{Completed, InProgress, Proposed, Removed};
use crate::state::process::{BacklogLevel, LevelKind, Process, State, StateCategory, TypeField, WorkItemType};

/// "Contoso Agile", made from Agile.
pub(crate) fn contoso_agile(id: Uuid) -> Process {
    let mut process = system::agile();
    process.id = id;
    "Contoso Agile".clone_into(&mut process.name);
    process.reference = Some(format!("Inherited.{}", id.simple()));
    process.description = "Agile with initiatives, customer stories and tickets.";
    process.parent = Some(system::AGILE);
    process.is_default = false;
    process.bugs_behavior = "asRequirements";
    add_types(&mut process);
    add_levels(&mut process);
    change_bugs(&mut process);
    process
}

fn add_types(process: &mut Process) {
    let initiative = &[("Idea", Proposed), ("Funded", InProgress), ("Shipped", Completed), ("Dropped", Removed)];
    process.types.push(custom("Initiative", "00643A", "icon_government", "", initiative));
    let story = &[("New", Proposed), ("Refined", Proposed), ("Building", InProgress), ("Delivered", Completed)];
    process.types.push(custom("Customer Story", "009CCC", "icon_book", "RequirementCategory", story));
    let ticket = &[("Open", Proposed), ("Waiting", InProgress), ("Closed", Completed)];
    process.types.push(custom("Ticket", "B4009E", "icon_headphone", "RequirementCategory", ticket));
    if let Some(story) = process.types.iter_mut().find(|kind| kind.name == "User Story") {
        story.disabled = true;
    }
}

fn add_levels(process: &mut Process) {
    let find = |name: &str| process.types.iter().position(|kind| kind.name == name);
    let (initiative, customer, ticket) = (find("Initiative"), find("Customer Story"), find("Ticket"));
    for level in &mut process.levels {
        if level.kind == LevelKind::Requirement {
            level.types.extend(customer.into_iter().chain(ticket));
        }
        if level.name == "Epics" {
            "Big Rocks".clone_into(&mut level.name);
        }
    }
    process.levels.insert(
        0,
        BacklogLevel {
            id: "Custom.a31c5a63-5f8e-4f0b-9d7e-0f5a1c8b2d41".to_owned(),
            name: "Initiatives".to_owned(),
            rank: 5,
            kind: LevelKind::Portfolio,
            types: initiative.into_iter().collect(),
            hidden: false,
            color: "00643A",
        },
    );
}

/// Bugs get another state and must name the customer.
fn change_bugs(process: &mut Process) {
    let Some(bug) = process.types.iter_mut().find(|kind| kind.name == "Bug") else { return };
    bug.states.insert(2, State { name: "In Review".to_owned(), category: InProgress });
    let states: Vec<String> = bug.states.iter().map(|state| state.name.clone()).collect();
    for field in &mut bug.fields {
        if field.field == super::fields::STATE {
            field.values.clone_from(&states);
        }
    }
    let customers = ["Adventure Works", "Northwind", "Tailspin"].map(str::to_owned).to_vec();
    bug.fields.push(TypeField {
        field: CUSTOM_CUSTOMER,
        required: true,
        default: None,
        values: customers,
        generated: None,
        suggested: true,
    });
}

fn custom(
    name: &str,
    color: &str,
    icon: &'static str,
    category: &'static str,
    states: &[(&str, StateCategory)],
) -> WorkItemType {
    let states: Vec<State> =
        states.iter().map(|(name, category)| State { name: (*name).to_owned(), category: *category }).collect();
    WorkItemType {
        name: name.to_owned(),
        reference: format!("ContosoAgile.{}", name.replace(' ', "")),
        color: color.to_owned(),
        icon,
        category,
        disabled: false,
        removed: false,
        fields: type_fields(category, &states, &[STACK_RANK, STORY_POINTS, CUSTOM_GO_LIVE]),
        states,
    }
}

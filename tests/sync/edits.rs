//! What people do in Azure DevOps between two looks, with things chosen by number out of those that there are.

use std::collections::BTreeMap;

use ado_simulator::control::{
    ControlError, ItemChange, ItemLink, NewNode, NewState, NewWorkItem, NodeChange, TeamChange, WorkItemSummary,
};
use ado_simulator::state::{Right, StateCategory};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::live::Live;
use crate::specs::Kit;
use crate::world::{ONLOOKER, OPERATOR, Plain, World};

/// A project beside the one that is synced, with types of other processes.
pub const ELSEWHERE: &str = "Compliance";

/// Types that this project has as well as all others.
const COMMON: [&str; 4] = ["Bug", "Task", "Epic", "Feature"];

const HIERARCHY: &str = "System.LinkTypes.Hierarchy-Reverse";

/// Something that somebody does. Numbers choose among what there is then; where there is nothing, nothing is done.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A new item.
    Create { of: u8, at: u8, below: u8 },
    /// A field of an item.
    Set { item: u8, field: Field },
    /// Another type.
    Retype { item: u8, to: u8 },
    /// Into the recycle bin.
    Delete { item: u8 },
    /// Out of it.
    Restore { item: u8 },
    /// For good.
    Destroy { item: u8 },
    /// Out of sight of every credential.
    Hide { item: u8 },
    /// Back into sight.
    Show { item: u8 },
    /// Into another project.
    MoveAway { item: u8, to: u8 },
    /// Back, or for the first time.
    MoveHere { item: u8, to: u8 },
    /// Below another item.
    Hang { item: u8, below: u8 },
    /// The same in another project.
    HangElsewhere { item: u8, below: u8 },
    /// Below none.
    Unhang { item: u8 },
    /// A link beside the hierarchy.
    Relate { item: u8, to: u8, tests: bool },
    /// A new iteration.
    AddNode { below: u8, name: u8, dates: u8 },
    /// Another name of an iteration.
    RenameNode { node: u8, name: u8 },
    /// Another place of an iteration.
    MoveNode { node: u8, below: u8 },
    /// Other dates of an iteration.
    DateNode { node: u8, dates: u8 },
    /// An iteration less.
    DeleteNode { node: u8, instead: u8 },
    /// Other iterations of the team.
    Board { nodes: Vec<u8> },
    /// Another way of the team with bugs.
    Bugs { behavior: u8 },
    /// A state more.
    AddState { of: u8, category: u8 },
    /// A state less.
    RemoveState { of: u8, state: u8 },
    /// Another category of a state.
    Categorize { of: u8, state: u8, category: u8 },
    /// Another name of a type.
    RenameType { of: u8 },
    /// A backlog level that nobody sees, or that everybody sees again.
    HideLevel { level: u8, hidden: bool },
    /// Something in another project.
    Noise { of: u8 },
    /// Whether the credential may read the project's items.
    Readable(bool),
}

/// A value of a field.
#[derive(Clone, Debug)]
pub enum Field {
    State(u8),
    Iteration(u8),
    Priority(u8),
    Severity(u8),
    Resolved(u8),
    Title(u8),
}

/// Any edit; those that happen all the time are the most frequent.
pub fn edit() -> impl Strategy<Value = Edit> {
    let n = any::<u8>;
    let field = prop_oneof![
        n().prop_map(Field::State),
        n().prop_map(Field::Iteration),
        n().prop_map(Field::Priority),
        n().prop_map(Field::Severity),
        n().prop_map(Field::Resolved),
        n().prop_map(Field::Title),
    ];
    prop_oneof![
        6 => (n(), n(), n()).prop_map(|(of, at, below)| Edit::Create { of, at, below }),
        10 => (n(), field).prop_map(|(item, field)| Edit::Set { item, field }),
        2 => (n(), n()).prop_map(|(item, to)| Edit::Retype { item, to }),
        3 => n().prop_map(|item| Edit::Delete { item }),
        2 => n().prop_map(|item| Edit::Restore { item }),
        2 => n().prop_map(|item| Edit::Destroy { item }),
        2 => n().prop_map(|item| Edit::Hide { item }),
        2 => n().prop_map(|item| Edit::Show { item }),
        3 => (n(), n()).prop_map(|(item, to)| Edit::MoveAway { item, to }),
        3 => (n(), n()).prop_map(|(item, to)| Edit::MoveHere { item, to }),
        4 => (n(), n()).prop_map(|(item, below)| Edit::Hang { item, below }),
        1 => (n(), n()).prop_map(|(item, below)| Edit::HangElsewhere { item, below }),
        2 => n().prop_map(|item| Edit::Unhang { item }),
        2 => (n(), n(), any::<bool>()).prop_map(|(item, to, tests)| Edit::Relate { item, to, tests }),
        2 => (n(), n(), n()).prop_map(|(below, name, dates)| Edit::AddNode { below, name, dates }),
        1 => (n(), n()).prop_map(|(node, name)| Edit::RenameNode { node, name }),
        1 => (n(), n()).prop_map(|(node, below)| Edit::MoveNode { node, below }),
        1 => (n(), n()).prop_map(|(node, dates)| Edit::DateNode { node, dates }),
        1 => (n(), n()).prop_map(|(node, instead)| Edit::DeleteNode { node, instead }),
        1 => proptest::collection::vec(n(), 0..4).prop_map(|nodes| Edit::Board { nodes }),
        1 => n().prop_map(|behavior| Edit::Bugs { behavior }),
        1 => (n(), n()).prop_map(|(of, category)| Edit::AddState { of, category }),
        1 => (n(), n()).prop_map(|(of, state)| Edit::RemoveState { of, state }),
        1 => (n(), n(), n()).prop_map(|(of, state, category)| Edit::Categorize { of, state, category }),
        1 => n().prop_map(|of| Edit::RenameType { of }),
        1 => (n(), any::<bool>()).prop_map(|(level, hidden)| Edit::HideLevel { level, hidden }),
        2 => n().prop_map(|of| Edit::Noise { of }),
        1 => any::<bool>().prop_map(Edit::Readable),
    ]
}

/// Somebody who edits a project.
pub struct Editor<'a> {
    world: &'a World,
    kit: &'a Kit,
    plain: Plain,
    /// Present names of the project's types.
    types: Vec<String>,
    in_bin: Vec<u32>,
    hidden: Vec<u32>,
    renamed: usize,
    /// The simulator works out some dates from the categories of states, those of former revisions too.
    categorized: bool,
}

impl<'a> Editor<'a> {
    pub fn new(world: &'a World, kit: &'a Kit) -> Self {
        let types = kit.types.iter().map(|name| (*name).to_owned()).collect();
        Self {
            world,
            kit,
            plain: world.plain(),
            types,
            in_bin: Vec::new(),
            hidden: Vec::new(),
            renamed: 0,
            categorized: false,
        }
    }

    /// Whether items changed of which nothing tells but a read of everything: their types have other names, their states another
    /// category, or they were given another iteration without a revision.
    pub fn changed_untold(&self) -> bool {
        self.renamed > 0 || self.categorized || !self.world.control().quirks().reclassifying_makes_revisions
    }

    /// Does it, a second after the last one. What Azure DevOps would refuse is not done.
    pub async fn make(&mut self, edit: &Edit) {
        self.world.control().advance_clock(1);
        // The simulator tells so: the item is gone, the parent hangs below its child, the type does not exist there.
        drop(self.try_make(edit).await);
    }

    async fn try_make(&mut self, edit: &Edit) -> Result<(), ControlError> {
        match edit {
            Edit::Create { .. }
            | Edit::Set { .. }
            | Edit::Retype { .. }
            | Edit::MoveAway { .. }
            | Edit::MoveHere { .. } => self.change_item(edit).await,
            Edit::Delete { .. }
            | Edit::Restore { .. }
            | Edit::Destroy { .. }
            | Edit::Hide { .. }
            | Edit::Show { .. } => self.remove(edit),
            Edit::Hang { .. } | Edit::HangElsewhere { .. } | Edit::Unhang { .. } | Edit::Relate { .. } => {
                self.link(edit)
            }
            Edit::AddNode { .. }
            | Edit::RenameNode { .. }
            | Edit::MoveNode { .. }
            | Edit::DateNode { .. }
            | Edit::DeleteNode { .. } => self.change_node(edit).await,
            Edit::Board { .. } | Edit::Bugs { .. } => self.change_team(edit).await,
            Edit::AddState { .. }
            | Edit::RemoveState { .. }
            | Edit::Categorize { .. }
            | Edit::RenameType { .. }
            | Edit::HideLevel { .. } => self.change_process(edit),
            Edit::Noise { of } => self.noise(*of),
            Edit::Readable(readable) => self.set_readable(*readable),
        }
    }

    fn set_readable(&self, readable: bool) -> Result<(), ControlError> {
        let (control, right, project) = (self.world.control(), [Right::ReadWorkItems], Some(self.kit.project));
        // The oracle is told what the operator may see.
        for label in [OPERATOR, ONLOOKER] {
            if readable { control.allow(label, &right, project)? } else { control.deny(label, &right, project)? }
        }
        Ok(())
    }

    fn items(&self, project: &str) -> Vec<WorkItemSummary> {
        self.world.control().work_items(project).unwrap()
    }

    fn item(&self, number: u8) -> Result<u32, ControlError> {
        pick(&self.items(self.kit.project), number).map(|item| item.id)
    }

    async fn paths(&self) -> Vec<String> {
        let tree = Live { plain: &self.plain, project: self.kit.project }.tree().await;
        let mut paths = Vec::new();
        collect_paths(&tree, "", &mut paths);
        paths
    }

    async fn change_item(&self, edit: &Edit) -> Result<(), ControlError> {
        let control = self.world.control();
        match edit {
            Edit::Create { of, at, below } => {
                let mut fields =
                    BTreeMap::from([("System.IterationPath".to_owned(), json!(pick(&self.paths().await, *at)?))]);
                if let Ok(parent) = self.item(*below).map(|parent| json!(parent)) {
                    fields.insert("System.Parent".to_owned(), parent);
                }
                let kind = pick(&self.types, *of)?.clone();
                let new = NewWorkItem { project: self.kit.project.to_owned(), kind, fields, organization: None };
                control.create_work_item(&new).map(|_| ())
            }
            Edit::Set { item, field } => {
                let (name, value) = self.value(field).await?;
                control.set_field(self.item(*item)?, name, value)
            }
            Edit::Retype { item, to } => {
                let kind = Some(pick(&self.types, *to)?.clone());
                control.change_work_item(&ItemChange { id: self.item(*item)?, kind, ..ItemChange::default() })
            }
            Edit::MoveAway { item, to } => self.move_item(self.item(*item)?, ELSEWHERE, *to),
            Edit::MoveHere { item, to } => {
                self.move_item(pick(&self.items(ELSEWHERE), *item)?.id, self.kit.project, *to)
            }
            _ => Ok(()),
        }
    }

    fn move_item(&self, id: u32, project: &str, to: u8) -> Result<(), ControlError> {
        let (project, kind) = (Some(project.to_owned()), Some((*pick(&COMMON, to)?).to_owned()));
        self.world.control().change_work_item(&ItemChange { id, project, kind, ..ItemChange::default() })
    }

    async fn value(&self, field: &Field) -> Result<(&'static str, Value), ControlError> {
        let days = ["2026-02-01T23:30:00Z", "2026-05-05T00:00:00Z", "9999-01-01T00:00:00Z"];
        let severities = ["1 - Critical", "3 - Medium", "4 - Low", "Strange"];
        let priorities = [json!(1), json!(2), json!(3), json!("4"), json!(0), Value::Null];
        let optional = |value: Result<&&str, ControlError>, number: u8| match value {
            Ok(value) if number < 224 => json!(value),
            _ => Value::Null,
        };
        Ok(match field {
            Field::State(number) => ("System.State", json!(pick(self.kit.all_states, *number)?)),
            Field::Iteration(number) => ("System.IterationPath", json!(pick(&self.paths().await, *number)?)),
            Field::Priority(number) => ("Microsoft.VSTS.Common.Priority", pick(&priorities, *number)?.clone()),
            Field::Severity(number) => {
                ("Microsoft.VSTS.Common.Severity", optional(pick(&severities, *number), *number))
            }
            Field::Resolved(number) => ("Microsoft.VSTS.Common.ResolvedDate", optional(pick(&days, *number), *number)),
            Field::Title(number) => ("System.Title", json!(format!("Title {number}"))),
        })
    }

    fn remove(&mut self, edit: &Edit) -> Result<(), ControlError> {
        let control = self.world.control();
        match edit {
            Edit::Delete { item } => {
                let id = self.item(*item)?;
                control.delete_work_item(id)?;
                self.in_bin.push(id);
                Ok(())
            }
            Edit::Restore { item } => {
                let id = *pick(&self.in_bin, *item)?;
                self.in_bin.retain(|deleted| *deleted != id);
                control.change_work_item(&ItemChange { id, deleted: Some(false), ..ItemChange::default() })
            }
            Edit::Destroy { item } => {
                let id = pick(&self.in_bin, *item).copied().or_else(|_| self.item(*item))?;
                self.in_bin.retain(|deleted| *deleted != id);
                control.change_work_item(&ItemChange { id, destroyed: true, ..ItemChange::default() })
            }
            Edit::Hide { item } => {
                let id = self.item(*item)?;
                control.hide_work_items(&[id])?;
                self.hidden.push(id);
                Ok(())
            }
            Edit::Show { item } => {
                let id = *pick(&self.hidden, *item)?;
                self.hidden.retain(|hidden| *hidden != id);
                control.show_work_items(&[id])
            }
            _ => Ok(()),
        }
    }

    fn link(&self, edit: &Edit) -> Result<(), ControlError> {
        let control = self.world.control();
        match edit {
            Edit::Hang { item, below } => control.link(&parent(self.item(*item)?, self.item(*below)?)),
            Edit::HangElsewhere { item, below } => {
                let items = self.items(ELSEWHERE);
                control.link(&parent(pick(&items, *item)?.id, pick(&items, *below)?.id))
            }
            Edit::Unhang { item } => {
                let hanging = self.items(self.kit.project).into_iter().filter(|item| item.parent != 0);
                let item = pick(&hanging.collect::<Vec<_>>(), *item)?.clone();
                control.unlink(&parent(item.id, item.parent))
            }
            Edit::Relate { item, to, tests } => {
                let rel = if *tests { "Microsoft.VSTS.Common.TestedBy-Forward" } else { "System.LinkTypes.Related" };
                let (id, to) = (self.item(*item)?, self.item(*to)?);
                let link = ItemLink { organization: None, id, rel: rel.to_owned(), to };
                control.link(&link).or_else(|_| control.unlink(&link))
            }
            _ => Ok(()),
        }
    }

    async fn change_node(&self, edit: &Edit) -> Result<(), ControlError> {
        let (control, paths) = (self.world.control(), self.paths().await);
        let change = |node: u8| -> Result<NodeChange, ControlError> {
            let (project, node) = (self.kit.project.to_owned(), pick(&paths[1..], node)?.clone());
            Ok(NodeChange { project, node, ..NodeChange::default() })
        };
        match edit {
            Edit::AddNode { below, name, dates } => {
                let parent = pick(&paths, *below)?.clone();
                let (start, finish) = days(*dates);
                let new = NewNode {
                    project: self.kit.project.to_owned(),
                    name: free_name(&paths, &parent, *name)?,
                    parent: Some(parent),
                    start,
                    finish,
                    ..NewNode::default()
                };
                control.add_node(&new).map(|_| ())
            }
            Edit::RenameNode { node, name } => {
                let change = change(*node)?;
                let above = change.node.rsplit_once('\\').map_or("", |(above, _)| above);
                let name = Some(free_name(&paths, above, *name)?);
                control.change_node(&NodeChange { name, ..change })
            }
            Edit::MoveNode { node, below } => {
                let (change, parent) = (change(*node)?, pick(&paths, *below)?.clone());
                let name = change.node.rsplit('\\').next().unwrap_or_default();
                if has_child(&paths, &parent, name) {
                    return Err(ControlError::Invalid("siblings have different names".to_owned()));
                }
                control.change_node(&NodeChange { parent: Some(parent), ..change })
            }
            Edit::DateNode { node, dates } => {
                let (start, finish) = days(*dates);
                control.change_node(&NodeChange { undated: true, start, finish, ..change(*node)? })
            }
            Edit::DeleteNode { node, instead } => {
                let reclassify = Some(pick(&paths, *instead)?.clone());
                control.change_node(&NodeChange { delete: true, reclassify, ..change(*node)? })
            }
            _ => Ok(()),
        }
    }

    async fn change_team(&self, edit: &Edit) -> Result<(), ControlError> {
        let project = self.kit.project.to_owned();
        let change = match edit {
            Edit::Board { nodes } => {
                let paths = self.paths().await;
                let mut chosen =
                    nodes.iter().map(|node| pick(&paths, *node).cloned()).collect::<Result<Vec<_>, _>>()?;
                chosen.sort();
                chosen.dedup();
                TeamChange { project, iterations: Some(chosen), ..TeamChange::default() }
            }
            Edit::Bugs { behavior } => {
                let behavior = (*pick(&["off", "asRequirements", "asTasks"], *behavior)?).to_owned();
                TeamChange { project, bugs_behavior: Some(behavior), ..TeamChange::default() }
            }
            _ => return Ok(()),
        };
        self.world.control().change_team(&change)
    }

    fn change_process(&mut self, edit: &Edit) -> Result<(), ControlError> {
        let (control, project) = (self.world.control(), self.kit.project);
        match edit {
            Edit::AddState { of, category } => {
                let state = NewState { name: format!("Extra {category}"), category: category_of(*category)? };
                control.add_state(project, pick(&self.types, *of)?, &state)
            }
            Edit::RemoveState { of, state } => {
                control.remove_state(project, pick(&self.types, *of)?, pick(self.kit.all_states, *state)?)
            }
            Edit::Categorize { of, state, category } => {
                self.categorized = true;
                control.set_state_category(
                    project,
                    pick(&self.types, *of)?,
                    pick(self.kit.all_states, *state)?,
                    category_of(*category)?,
                )
            }
            Edit::RenameType { of } => {
                let was = pick(&self.types, *of)?.clone();
                // Other projects move items by these names.
                if COMMON.contains(&was.as_str()) {
                    return Ok(());
                }
                self.renamed += 1;
                let is = format!("Type {}", self.renamed);
                control.rename_type(project, &was, &is)?;
                self.types.iter_mut().filter(|name| **name == was).for_each(|name| name.clone_from(&is));
                Ok(())
            }
            Edit::HideLevel { level, hidden } => {
                let levels = ["Microsoft.EpicCategory", "Microsoft.FeatureCategory"];
                control.hide_level(project, pick(&levels, *level)?, *hidden)
            }
            _ => Ok(()),
        }
    }

    fn noise(&self, of: u8) -> Result<(), ControlError> {
        let control = self.world.control();
        if of.is_multiple_of(2) {
            let kind = (*pick(&COMMON, of / 2)?).to_owned();
            let new = NewWorkItem { project: ELSEWHERE.to_owned(), kind, ..NewWorkItem::default() };
            return control.create_work_item(&new).map(|_| ());
        }
        control.set_field(pick(&self.items(ELSEWHERE), of / 2)?.id, "System.Title", "Noise")
    }
}

fn parent(id: u32, to: u32) -> ItemLink {
    ItemLink { organization: None, id, rel: HIERARCHY.to_owned(), to }
}

/// The thing of a number.
fn pick<T>(all: &[T], number: u8) -> Result<&T, ControlError> {
    let place = usize::from(number).checked_rem(all.len());
    place.map(|place| &all[place]).ok_or_else(|| ControlError::Invalid("there is none".to_owned()))
}

fn category_of(number: u8) -> Result<StateCategory, ControlError> {
    use StateCategory::{Completed, InProgress, Proposed, Removed, Resolved};
    pick(&[Proposed, InProgress, Resolved, Completed, Removed], number).copied()
}

/// Full paths, the root's first.
fn collect_paths(node: &Value, above: &str, paths: &mut Vec<String>) {
    let name = node["name"].as_str().unwrap();
    let path = if above.is_empty() { name.to_owned() } else { format!("{above}\\{name}") };
    paths.push(path.clone());
    for child in node["children"].as_array().into_iter().flatten() {
        collect_paths(child, &path, paths);
    }
}

fn has_child(paths: &[String], parent: &str, name: &str) -> bool {
    let child = format!("{parent}\\{name}").to_lowercase();
    paths.iter().any(|path| path.to_lowercase() == child)
}

/// A name that no child of this parent has; equal names below different parents are welcome.
fn free_name(paths: &[String], parent: &str, number: u8) -> Result<String, ControlError> {
    let name = format!("N{}", number % 4);
    if has_child(paths, parent, &name) {
        return Err(ControlError::Invalid("siblings have different names".to_owned()));
    }
    Ok(name)
}

/// No dates, one, or both.
fn days(number: u8) -> (Option<Date>, Option<Date>) {
    let start = date(2026, 1 + i8::try_from(number % 6).unwrap_or(0), 1);
    let finish = start.last_of_month();
    match number % 5 {
        0 => (None, None),
        1 => (Some(start), None),
        _ => (Some(start), Some(finish)),
    }
}

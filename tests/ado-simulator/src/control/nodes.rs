//! Areas and iterations.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Control, ControlError, find_project};
use crate::state::World;
use crate::state::project::{Node, Project, Structure};
use crate::state::random;

/// A node to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewNode {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Name or id of the project.
    pub project: String,
    /// An area instead of an iteration.
    pub area: bool,
    /// The node above, as in `System.IterationPath`; the root if left out.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// First day.
    pub start: Option<Date>,
    /// Last day.
    pub finish: Option<Date>,
}

/// A change of a node. What is left out stays; ids always do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeChange {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Name or id of the project.
    pub project: String,
    /// An area instead of an iteration.
    pub area: bool,
    /// The node, as in `System.IterationPath`; not the root.
    pub node: String,
    /// Another name.
    pub name: Option<String>,
    /// Moves it below this node; that clears its dates (recorded).
    pub parent: Option<String>,
    /// Clears its dates.
    pub undated: bool,
    /// First day.
    pub start: Option<Date>,
    /// Last day.
    pub finish: Option<Date>,
    /// Deletes it and all below it; the items there go to `reclassify`.
    pub delete: bool,
    /// Where the items of a deleted node go; to the node above it if left out.
    pub reclassify: Option<String>,
}

impl Control {
    /// Adds an area or iteration and gives its id.
    pub fn add_node(&self, new: &NewNode) -> Result<u32, ControlError> {
        self.write(new.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let seed = world.seed;
            let organization = &mut world.organizations[index];
            let found = find_project(organization, &new.project)?;
            let id = organization.next_node;
            organization.next_node += 1;
            let project = &mut organization.projects[found];
            let structure = structure(new.area);
            let parent = match &new.parent {
                None => project.root(structure),
                Some(path) => find(project, structure, path)?,
            };
            add_node(seed, project, id, structure, parent, new);
            Ok(id)
        })
    }

    /// Renames, moves, dates or deletes an area or iteration.
    pub fn change_node(&self, change: &NodeChange) -> Result<(), ControlError> {
        let revised = self.quirks().reclassifying_makes_revisions;
        self.write(change.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let organization = &mut world.organizations[index];
            let found = find_project(organization, &change.project)?;
            let project = &mut organization.projects[found];
            let structure = structure(change.area);
            let id = find(project, structure, &change.node)?;
            if id == project.root(structure) {
                return Err(ControlError::Invalid("the root is neither changed nor deleted".to_owned()));
            }
            if change.delete {
                return delete(world, (index, found), (structure, id), change, revised);
            }
            if let Some(path) = &change.parent {
                let parent = find(project, structure, path)?;
                move_below(project, id, parent)?;
            }
            if let Some(node) = project.nodes.get_mut(&id) {
                if change.undated {
                    (node.start, node.finish) = (None, None);
                }
                node.start = change.start.or(node.start);
                node.finish = change.finish.or(node.finish);
                node.name = change.name.clone().unwrap_or_else(|| node.name.clone());
            }
            project.refresh_paths();
            Ok(())
        })
    }
}

fn structure(area: bool) -> Structure {
    if area { Structure::Area } else { Structure::Iteration }
}

fn find(project: &Project, structure: Structure, path: &str) -> Result<u32, ControlError> {
    project.node_of_path(structure, path).map(|node| node.id).ok_or_else(|| ControlError::not_found("node", path))
}

fn move_below(project: &mut Project, id: u32, parent: u32) -> Result<(), ControlError> {
    if project.ancestors(parent).any(|node| node.id == id) {
        return Err(ControlError::Invalid("a node cannot be moved below itself".to_owned()));
    }
    detach(project, id);
    if let Some(above) = project.nodes.get_mut(&parent) {
        above.children.push(id);
    }
    if let Some(node) = project.nodes.get_mut(&id) {
        (node.parent, node.start, node.finish) = (Some(parent), None, None);
    }
    Ok(())
}

/// Takes a node from the children of the one above.
fn detach(project: &mut Project, id: u32) {
    let parent = project.nodes.get(&id).and_then(|node| node.parent);
    if let Some(above) = parent.and_then(|parent| project.nodes.get_mut(&parent)) {
        above.children.retain(|child| *child != id);
    }
}

/// Deletes a node with its subtree, and gives the items there to another node.
fn delete(
    world: &mut World,
    (index, found): (usize, usize),
    (structure, id): (Structure, u32),
    change: &NodeChange,
    revised: bool,
) -> Result<(), ControlError> {
    let now = world.now().as_millisecond();
    let organization = &mut world.organizations[index];
    let project = &mut organization.projects[found];
    let parent = project.nodes.get(&id).and_then(|node| node.parent).unwrap_or(project.root(structure));
    let target = change.reclassify.as_deref().map(|path| find(project, structure, path)).transpose()?;
    let target = target.unwrap_or(parent);
    let gone: Vec<u32> =
        project.nodes.keys().copied().filter(|node| project.ancestors(*node).any(|above| above.id == id)).collect();
    if gone.contains(&target) {
        return Err(ControlError::Invalid("the items cannot go to a node that is deleted".to_owned()));
    }
    detach(project, id);
    project.nodes.retain(|node, _| !gone.contains(node));
    organization.items.reclassify(found, structure, &gone, target, revised.then_some(now));
    Ok(())
}

/// Adds a node to a project and to the children of the one above.
pub(super) fn add_node(seed: u64, project: &mut Project, id: u32, structure: Structure, parent: u32, new: &NewNode) {
    project.nodes.insert(id, node(seed, id, structure, Some(parent), new));
    if let Some(parent) = project.nodes.get_mut(&parent) {
        parent.children.push(id);
    }
    project.refresh_paths();
}

/// A node without children, whose path is still to be worked out.
pub(super) fn node(seed: u64, id: u32, structure: Structure, parent: Option<u32>, new: &NewNode) -> Node {
    Node {
        id,
        identifier: random::guid(seed, "node", id.into()),
        name: new.name.clone(),
        structure,
        parent,
        children: Vec::new(),
        start: new.start,
        finish: new.finish,
        path: String::new(),
    }
}

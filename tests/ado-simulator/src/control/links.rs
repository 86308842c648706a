//! Links between work items as somebody else changes them, and many items changed at once.

use serde::{Deserialize, Serialize};

use super::work_items::change_item;
use super::{Control, ControlError, ItemChange, find_project};
use crate::state::items::{Presence, Row};
use crate::state::links::{End, LinkKind};
use crate::state::organization::Organization;

/// A link between two work items.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ItemLink {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// The item that has the relation.
    pub id: u32,
    /// The relation, such as `System.LinkTypes.Hierarchy-Reverse` or `Microsoft.VSTS.Common.TestedBy-Forward`.
    pub rel: String,
    /// The item at the other end.
    pub to: u32,
}

/// Items to change all in one moment, and how. Criteria left out match every live item.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BulkChange {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Only those of this project.
    pub project: Option<String>,
    /// Only those of this type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Only these.
    pub ids: Option<Vec<u32>>,
    /// Those in the recycle bin instead of live ones.
    pub in_recycle_bin: bool,
    /// Only each n-th of those that match.
    pub every: Option<usize>,
    /// At most so many.
    pub limit: Option<usize>,
    /// What becomes of each; its `id` and `organization` are not used.
    pub change: ItemChange,
}

impl Control {
    /// Adds a link; revisions and dates stay as they are (recorded).
    pub fn link(&self, link: &ItemLink) -> Result<(), ControlError> {
        self.write(link.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let now = world.now().as_millisecond();
            let organization = &mut world.organizations[index];
            let end = end_of(organization, link)?;
            if organization.items.ends(link.id, parent_of(organization, link.id)).iter().any(|known| known.is(&end)) {
                return Err(ControlError::Invalid("there is such a link".to_owned()));
            }
            if end.kind != LinkKind::Hierarchy {
                organization.items.links.add(link.id, end, now);
                return Ok(());
            }
            let (parent, child) = end.ends(link.id);
            if organization.items.is_within(parent, child) {
                return Err(ControlError::Invalid(format!("{parent} cannot be the parent of {child}")));
            }
            organization.items.set_parent(child, parent, now);
            Ok(())
        })
    }

    /// Removes a link; revisions and dates stay as they are (recorded).
    pub fn unlink(&self, link: &ItemLink) -> Result<(), ControlError> {
        self.write(link.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let now = world.now().as_millisecond();
            let organization = &mut world.organizations[index];
            let end = end_of(organization, link)?;
            let (parent, child) = end.ends(link.id);
            let removed = if end.kind == LinkKind::Hierarchy {
                let is_child = parent_of(organization, child) == parent;
                if is_child {
                    organization.items.set_parent(child, 0, now);
                }
                is_child
            } else {
                organization.items.links.remove(link.id, &end, now)
            };
            if removed { Ok(()) } else { Err(ControlError::not_found("link", &link.rel)) }
        })
    }

    /// Changes many items and gives their ids. The first that cannot be changed ends it.
    pub fn change_work_items(&self, bulk: &BulkChange) -> Result<Vec<u32>, ControlError> {
        self.write(bulk.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let ids = matching(&world.organizations[index], bulk)?;
            for id in &ids {
                change_item(world, index, &ItemChange { id: *id, ..bulk.change.clone() })?;
            }
            Ok(ids)
        })
    }
}

fn parent_of(organization: &Organization, id: u32) -> u32 {
    organization.items.get(id).map_or(0, |row| row.parent)
}

fn end_of(organization: &Organization, link: &ItemLink) -> Result<End, ControlError> {
    let (kind, forward) =
        LinkKind::of_rel(&link.rel).ok_or_else(|| ControlError::not_found("relation type", &link.rel))?;
    for id in [link.id, link.to] {
        let known = organization.items.get(id).is_some_and(|row| row.presence != Presence::Destroyed);
        if !known {
            return Err(ControlError::not_found("work item", id.to_string()));
        }
    }
    if link.id == link.to {
        return Err(ControlError::Invalid("an item is not linked to itself".to_owned()));
    }
    Ok(End { kind, forward, other: link.to, comment: None })
}

fn matching(organization: &Organization, bulk: &BulkChange) -> Result<Vec<u32>, ControlError> {
    let project = bulk.project.as_deref().map(|key| find_project(organization, key)).transpose()?;
    let presence = if bulk.in_recycle_bin { Presence::Deleted } else { Presence::Live };
    let fits = |row: &Row| {
        let owner = usize::from(row.project);
        let process = organization.process_of(&organization.projects[owner]);
        let kind = &process.types[usize::from(row.kind)].name;
        row.presence == presence
            && project.is_none_or(|project| project == owner)
            && bulk.kind.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind))
    };
    let ids: Vec<u32> = match &bulk.ids {
        Some(ids) => ids.iter().copied().filter(|id| organization.items.get(*id).is_some_and(fits)).collect(),
        None => organization.items.from(1).filter(|(_, row)| fits(row)).map(|(id, _)| id).collect(),
    };
    let every = bulk.every.unwrap_or(1).max(1);
    Ok(ids.into_iter().step_by(every).take(bulk.limit.unwrap_or(usize::MAX)).collect())
}

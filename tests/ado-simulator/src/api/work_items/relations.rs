//! Relations of a work item: how they read, and what a patch does to them.

use http::StatusCode;
use serde_json::{Value, json};

use super::patch::Changes;
use crate::api::Call;
use crate::envelope::Refusal;
use crate::quirks::ExistingLink;
use crate::state::items::{Items, Relation};
use crate::state::links::{End, LinkKind};
use crate::state::organization::Organization;

/// The relations of an item as a patch leaves them.
pub(super) struct Ends {
    /// As a read would show them.
    now: Vec<End>,
    steps: Vec<Step>,
}

/// What is done to a link when the item is saved.
enum Step {
    Add(End),
    Remove(End),
}

impl Ends {
    /// Those of an item that is there; an item that is not has none.
    pub fn of(items: &Items, id: u32) -> Self {
        let parent = items.get(id).map_or(0, |row| row.parent);
        Self { now: if id == 0 { Vec::new() } else { items.ends(id, parent) }, steps: Vec::new() }
    }

    /// The work items that it would be linked to.
    pub fn now(&self) -> &[End] {
        &self.now
    }

    /// The parent as it would be.
    pub fn parent(&self) -> u32 {
        self.now.iter().find(|end| is_parent(end)).map_or(0, |end| end.other)
    }

    /// Does to the relations what a patch says; `others` are those to anything but work items.
    pub fn patch(
        &mut self,
        call: &Call<'_>,
        organization: &Organization,
        id: u32,
        others: &mut Vec<Relation>,
        changes: &Changes,
    ) -> Result<(), Refusal> {
        for index in &changes.removed {
            self.remove(*index, others)?;
        }
        for relation in &changes.added {
            match LinkKind::of_rel(&relation.rel) {
                Some((kind, forward)) => {
                    let end = End { kind, forward, other: target(organization, relation)?, comment: comment(relation) };
                    self.add(call, organization, id, end)?;
                }
                None => others.push(foreign(relation)?),
            }
        }
        Ok(())
    }

    /// Removes by the index that a read shows: links to work items, then others.
    fn remove(&mut self, index: usize, others: &mut Vec<Relation>) -> Result<(), Refusal> {
        if index < self.now.len() {
            self.steps.push(Step::Remove(self.now.remove(index)));
            return Ok(());
        }
        let index = index - self.now.len();
        if index >= others.len() {
            return Err(Refusal::argument(format!("The relation index {index} is out of range.")));
        }
        others.remove(index);
        Ok(())
    }

    fn add(&mut self, call: &Call<'_>, organization: &Organization, id: u32, end: End) -> Result<(), Refusal> {
        if end.other == id {
            let message = "TF201012: A work item cannot be linked to itself.";
            return Err(invalid(StatusCode::BAD_REQUEST, message.to_owned()));
        }
        // A second parent has a message of its own.
        if !is_parent(&end) && self.now.iter().any(|known| known.is(&end)) {
            let status = match call.quirks.existing_link {
                ExistingLink::BadRequest => StatusCode::BAD_REQUEST,
                ExistingLink::Conflict => StatusCode::CONFLICT,
            };
            return Err(invalid(status, format!("TF201035: The link to {} exists already.", end.other)));
        }
        let items = &organization.items;
        let (parent, child) = end.ends(id);
        if end.kind == LinkKind::Hierarchy {
            let taken = if end.forward { items.get(child).map_or(0, |row| row.parent) } else { self.parent() };
            if taken != 0 {
                let message = "TF201036: You cannot add a Parent link because only one Parent link is allowed.";
                return Err(invalid(StatusCode::BAD_REQUEST, message.to_owned()));
            }
            if id != 0 && items.is_within(parent, child) {
                let message = "TF201065: You cannot add the link because it would make a circle.";
                return Err(invalid(StatusCode::BAD_REQUEST, message.to_owned()));
            }
        }
        self.now.push(end.clone());
        self.steps.push(Step::Add(end));
        Ok(())
    }

    /// Carries out what was done to the links of a saved item.
    pub fn save(self, items: &mut Items, id: u32, moment: i64) {
        for step in self.steps {
            match step {
                Step::Add(end) if end.kind == LinkKind::Hierarchy => {
                    let (parent, child) = end.ends(id);
                    items.set_parent(child, parent, moment);
                }
                Step::Remove(end) if end.kind == LinkKind::Hierarchy => items.set_parent(end.ends(id).1, 0, moment),
                Step::Add(end) => items.links.add(id, end, moment),
                Step::Remove(end) => {
                    items.links.remove(id, &end, moment);
                }
            }
        }
    }
}

fn is_parent(end: &End) -> bool {
    end.kind == LinkKind::Hierarchy && !end.forward
}

fn invalid(status: StatusCode, message: String) -> Refusal {
    Refusal::tracking(status, "WorkItemLinkInvalidException", message)
}

/// The live item that a relation points to.
fn target(organization: &Organization, relation: &Relation) -> Result<u32, Refusal> {
    let target = relation.url.rsplit('/').next().and_then(|text| text.parse::<u32>().ok());
    let missing = || format!("TF201035: The link target {} does not exist.", relation.url);
    let target = target.filter(|id| organization.items.is_live(*id));
    target.ok_or_else(|| invalid(StatusCode::BAD_REQUEST, missing()))
}

fn comment(relation: &Relation) -> Option<String> {
    relation.attributes.get("comment").and_then(Value::as_str).map(str::to_owned)
}

/// A relation to anything but a work item; what an `ArtifactLink` points to is not checked (`ado-api.md` §9).
fn foreign(relation: &Relation) -> Result<Relation, Refusal> {
    if ["Hyperlink", "ArtifactLink", "AttachedFile"].contains(&relation.rel.as_str()) {
        return Ok(relation.clone());
    }
    let message = format!("VS402314: The relation type {} is not supported.", relation.rel);
    Err(invalid(StatusCode::BAD_REQUEST, message))
}

/// A link to a work item as a read shows it; `url` is the other item's.
pub(super) fn shown(end: &End, url: &str) -> Value {
    let mut attributes = json!({"isLocked": false, "name": end.kind.name(end.forward)});
    if let (Some(comment), Some(members)) = (&end.comment, attributes.as_object_mut()) {
        members.insert("comment".to_owned(), json!(comment));
    }
    json!({"rel": end.kind.rel(end.forward), "url": url, "attributes": attributes})
}

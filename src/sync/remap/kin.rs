//! What the walk to the ancestors has to know, of every present item of a project.

use super::item::Fields;
use super::{PAGE, Remap};
use crate::ado::model::WorkItemId;
use crate::domain::mapping::ancestry::{Ancestry, Kin};
use crate::store::{Feed, StoredItem};
use crate::sync::SyncError;
use crate::sync::feeds::HIERARCHY;

/// Reads it. Parents are those that the links feed tells, where it was ever read: a change of a link leaves the item and its
/// revision as they are (`ado-api.md` §9).
pub(super) async fn read(remap: &Remap<'_>) -> Result<Ancestry, SyncError> {
    let Remap { store, scope, .. } = *remap;
    let has_links = store.feed_token(scope, Feed::Links).await?.is_some();
    let (mut ancestry, mut last) = (Ancestry::default(), 0);
    loop {
        let page = store.items_above(scope, last, PAGE).await?;
        let Some(highest) = page.last() else { break };
        last = highest.id;
        for item in &page {
            ancestry.add(kin(remap, item, has_links));
        }
    }
    if has_links {
        add_parents(remap, &mut ancestry).await?;
    }
    Ok(ancestry)
}

/// The iteration counts for items of the tier only, which are few: the fields of all others need not be read.
fn kin(remap: &Remap<'_>, item: &StoredItem, has_links: bool) -> Kin {
    let marks = remap.mapping.marks(&item.work_item_type);
    let fields = if marks != 0 || !has_links { Fields::read(&item.fields, &[]) } else { Fields::default() };
    Kin {
        id: WorkItemId(item.id),
        parent: fields.parent.filter(|_| !has_links),
        node: remap.tree.of_item(fields.iteration_id, fields.iteration_path.as_deref()),
        marks,
    }
}

async fn add_parents(remap: &Remap<'_>, ancestry: &mut Ancestry) -> Result<(), SyncError> {
    let mut last = (0, 0);
    loop {
        let page = remap.store.links_behind(remap.scope, HIERARCHY, last, PAGE).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = *end;
        for (parent, child) in page {
            ancestry.set_parent(WorkItemId(child), WorkItemId(parent));
        }
    }
}

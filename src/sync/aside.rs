//! What a person should know of a project's work items, whatever is mapped.

use super::SyncError;
use crate::domain::troubles::{Trouble, Troubled};
use crate::store::{Scope, SetAsideReason, Store};

/// Items that are counted; beyond, there are just more.
const MOST: u32 = 1_000;

/// Items that are set aside, and items that no program can change any more.
pub async fn troubles(store: &Store, scope: Scope) -> Result<Vec<Troubled>, SyncError> {
    let aside = store.items_set_aside(scope, MOST + 1).await?;
    let has_more = aside.len() > MOST as usize;
    let of = |reason| aside.iter().take(MOST as usize).filter(move |one| one.reason == reason).map(|one| one.id.get());
    let at_limit = store.items_at_revision_limit(scope, MOST + 1).await?;
    let ids = at_limit.iter().take(MOST as usize).map(|id| id.get());
    let found = [
        (Trouble::Unreadable, of(SetAsideReason::Unreadable).collect::<Vec<_>>(), has_more),
        (Trouble::TooLarge, of(SetAsideReason::TooLarge).collect(), has_more),
        (Trouble::AtRevisionLimit, ids.collect(), at_limit.len() > MOST as usize),
    ];
    let any = found.into_iter().filter(|(_, ids, _)| !ids.is_empty());
    Ok(any.map(|(trouble, ids, has_more)| Troubled { trouble, ids, has_more }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SetAside;
    use crate::store::testing::{TestStore, item};

    #[tokio::test]
    async fn items_are_told_by_what_is_the_matter_with_them() {
        for store in TestStore::each().await {
            let scope = store.scope("contoso", 1).await;
            store.put_revisions(scope, &[item(1, 1), item(2, 10_000)], &[], None).await.unwrap();
            let aside = |id: u32, reason| SetAside { id: id.into(), reason };
            let large = aside(5, SetAsideReason::TooLarge);
            store.set_aside(scope, &[aside(4, SetAsideReason::Unreadable), large]).await.unwrap();
            let items = |trouble, id| Troubled { trouble, ids: vec![id], has_more: false };
            let expected =
                [items(Trouble::Unreadable, 4), items(Trouble::TooLarge, 5), items(Trouble::AtRevisionLimit, 2)];
            assert_eq!(troubles(&store, scope).await.unwrap(), expected);

            let many: Vec<SetAside> = (10..1_010).map(|id| aside(id, SetAsideReason::Unreadable)).collect();
            store.set_aside(scope, &many).await.unwrap();
            let found = troubles(&store, scope).await.unwrap();
            assert!(matches!(&found[0], Troubled { ids, has_more: true, .. } if ids.len() == 999), "{found:?}");
        }
    }
}

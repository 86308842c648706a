//! What random cases found, each in its smallest form.

use ado_operator::domain::mapping::pins::MappingPins;
use ado_operator::sync::pull::Depth;
use ado_simulator::control::{ItemChange, ItemLink, NewWorkItem};

use crate::config::{Config, Stop};
use crate::edits::ELSEWHERE;
use crate::scratch::Scratch;
use crate::specs::{KITS, Kit, spec};
use crate::store::TestStore;
use crate::world::World;

const KIT: &Kit = &KITS[0];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_between_items_that_come_from_another_project_is_found_when_all_is_compared() {
    let world = World::new(KIT.project, 10).await;
    let control = world.control();
    let new = |kind: &str| NewWorkItem { project: ELSEWHERE.into(), kind: kind.into(), ..NewWorkItem::default() };
    let (id, to) = (control.create_work_item(&new("Bug")).unwrap(), control.create_work_item(&new("Epic")).unwrap());
    let rel = "System.LinkTypes.Hierarchy-Reverse".to_owned();
    control.link(&ItemLink { organization: None, id, rel, to }).unwrap();
    let stored = TestStore::sqlite().await;
    let mut config = Config::new(world.access(), "config", &spec(KIT, 3));
    config.accept(stored.get(), &spec(KIT, 3), MappingPins::default()).await.unwrap();
    config.sync(stored.get(), Depth::Changes, Stop::Never).await.unwrap().unwrap();
    for id in [id, to] {
        let project = Some(KIT.project.to_owned());
        control.change_work_item(&ItemChange { id, project, ..ItemChange::default() }).unwrap();
    }
    config.sync(stored.get(), Depth::Links, Stop::Never).await.unwrap().unwrap();
    Scratch::of(&config, stored.get()).await.assert_like(&config, stored.get()).await;
}

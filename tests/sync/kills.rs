//! What a killed process leaves: this test binary runs itself as the process that is killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ado_operator::domain::mapping::pins::MappingPins;
use ado_operator::store::Store;
use ado_operator::sync::pull::Depth;
use ado_simulator::control::{ItemChange, NewWorkItem};
use support::postgres::Database;
use support::wait;
use tempfile::TempDir;

use crate::config::{Config, Stop};
use crate::scratch::Scratch;
use crate::specs::{KITS, Kit, spec};
use crate::store::{connect, database, open_folder};
use crate::world::{Access, World};

const KIT: &Kit = &KITS[0];

/// How the child is told what to sync, from where and to where.
const VARIABLES: [&str; 4] = ["SYNC_KILL_TEST_URL", "SYNC_KILL_TEST_CA", "SYNC_KILL_TEST_PAT", "SYNC_KILL_TEST_STORE"];

/// Kills on either database in the short run; `SOAK=1` makes twenty times as many.
const KILLS: u64 = 5;

fn kills() -> u64 {
    if std::env::var_os("SOAK").is_some() { KILLS * 20 } else { KILLS }
}

/// A database that outlives the processes that use it.
enum Home {
    Folder(TempDir),
    Database(Database),
}

impl Home {
    fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.path().display().to_string(),
            Self::Database(database) => database.url(),
        }
    }
}

async fn open(name: &str) -> Store {
    if Path::new(name).is_absolute() { open_folder(&PathBuf::from(name)).await } else { connect(name).await }
}

/// Not a test: the process that is killed. It syncs until then, by turns what changed and all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs only as the child of a_killed_process_leaves_a_store_that_the_next_one_goes_on_with"]
async fn sync_until_killed() {
    let Ok([url, ca, pat, home]) =
        <[String; 4]>::try_from(VARIABLES.iter().filter_map(|name| std::env::var(name).ok()).collect::<Vec<_>>())
    else {
        return;
    };
    support::install_crypto();
    let store = open(&home).await;
    let mut config = Config::new(&Access { url, ca, pat }, "config", &spec(KIT, 3));
    config.accept(&store, &spec(KIT, 3), MappingPins::default()).await.expect("a spec that fits");
    for round in 0_u64.. {
        let depth = if round.is_multiple_of(3) { Depth::Links } else { Depth::Changes };
        config.sync(&store, depth, Stop::Never).await.expect("no crash").expect("no fault");
    }
}

fn start(access: &Access, home: &Home) -> Child {
    let module = module_path!().split_once("::").expect("a module of this crate").1;
    let mut child = Command::new(std::env::current_exe().expect("this binary"));
    child.args(["--exact", &format!("{module}::sync_until_killed")]);
    child.args(["--ignored", "--nocapture", "--test-threads=1"]);
    let values = [&access.url, &access.ca, &access.pat, &home.name()];
    child.envs(VARIABLES.iter().zip(values)).stdout(Stdio::null()).spawn().expect("a child")
}

/// Somebody works on the project: items come, change and go.
fn edit(world: &World, round: u64) {
    let control = world.control();
    control.advance_clock(1);
    let new = NewWorkItem { project: KIT.project.into(), kind: "Bug".into(), ..NewWorkItem::default() };
    control.create_work_item(&new).expect("a new item");
    let items = control.work_items(KIT.project).expect("items");
    let number = |of: u64| usize::try_from(of).expect("a small number") % items.len();
    control.set_field(items[number(round * 7)].id, "System.State", "Closed").expect("an item");
    let (id, destroyed) = (items[number(round * 11 + 3)].id, !round.is_multiple_of(2));
    let gone = ItemChange { id, destroyed, deleted: (!destroyed).then_some(true), ..ItemChange::default() };
    control.change_work_item(&gone).expect("an item");
}

/// The moments are spread over the child's life: its start, its first sync, later ones.
async fn kill_and_look(world: &World, home: &Home, round: u64) {
    let control = world.control();
    let mark = control.last_request();
    let mut child = start(world.access(), home);
    let moment = mark + 1 + (round * 13) % 60;
    wait::until("the moment of the kill", async || (control.last_request() >= moment).then_some(())).await;
    edit(world, round);
    assert!(child.try_wait().expect("a child").is_none(), "the child ended by itself");
    child.kill().expect("a child to kill");
    child.wait().expect("its end");
    // Every other time the next child finds what the killed one left.
    if round.is_multiple_of(2) {
        let store = open(&home.name()).await;
        let mut config = Config::new(world.access(), "config", &spec(KIT, 3));
        config.accept(&store, &spec(KIT, 3), MappingPins::default()).await.expect("a spec that fits");
        config.sync(&store, Depth::Links, Stop::Never).await.expect("no crash").expect("no fault");
        Scratch::of(&config, &store).await.assert_like(&config, &store).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_a_store_that_the_next_one_goes_on_with() {
    for home in [Home::Folder(tempfile::tempdir().unwrap()), Home::Database(database().await)] {
        let world = World::new(KIT.project, 200).await;
        world.control().change_quirks(|quirks| quirks.reporting_page_size = 10);
        for round in 0..kills() {
            kill_and_look(&world, &home, round).await;
        }
        world.assert_clean();
    }
}

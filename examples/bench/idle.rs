//! What a thousand configs cost while nothing changes: the operator's CPU time in one cycle, in which each of them looks for
//! changes once.

use std::collections::HashSet;
use std::time::Duration;

use ado_operator::api::AdoProjectConfig;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use support::audit::Bookmark;
use support::control_plane::RELEASE;
use support::world::shows;
use tokio::time::{sleep, timeout};

use crate::Outcome;
use crate::figure::{Figure, ratio};
use crate::fleet;
use crate::ground::{Ground, Pat};
use crate::process::{Memory, Operator, cpu_seconds};

/// Configs in all.
const CONFIGS: usize = 1_000;

/// Integrations that they are spread over, each with an identity of its own.
const INTEGRATIONS: usize = 10;

/// Projects. Each is read by every integration, for two configs.
const PROJECTS: usize = 50;

/// Work items of each project.
const ITEMS: usize = 5;

const NAMESPACE: &str = "idle";

/// How many objects are made at the same time.
const MAKERS: usize = 16;

/// The shortest interval that there is; a cycle costs the same whatever its length.
const CYCLE: Duration = Duration::from_mins(1);

/// First syncs that take longer have failed.
const DEADLINE: Duration = Duration::from_mins(3);

/// CPU time of a cycle, in seconds.
const TARGET: f64 = 10.0;

/// Measures and prints.
pub async fn measure() -> Outcome<()> {
    let ground = Ground::new().await?;
    for project in 0..PROJECTS {
        ground.ado.add_project(&project_name(project), ITEMS).await?;
    }
    let pats = ground.ado.create_pats(NAMESPACE, INTEGRATIONS).await?;
    fleet::create(&ground, NAMESPACE, &pats, true).await?;
    create(&ground, &pats).await?;
    let folder = tempfile::tempdir()?;
    let operator = Operator::spawn(&ground, folder.path())?;
    let synced = timeout(DEADLINE, all_synced(&ground)).await;
    synced.map_err(|_| format!("the configs were not synced; the log ends with:\n{}", operator.log_end()))??;
    let seconds = operator.spawned().elapsed().as_secs_f64();
    eprintln!("{CONFIGS} configs synced after {seconds:.1} s, CPU {:.2} s", cpu_seconds(operator.pid()?)?);
    let spent = cycle(&ground, &operator).await?;
    operator.stop().await?;
    Figure::at_most("idle cycle of 1,000 configs", spent, "s of CPU", TARGET).print()
}

/// CPU time that the operator spends from now on until each config has looked once.
async fn cycle(ground: &Ground, operator: &Operator) -> Outcome<f64> {
    ground.ado.forget().await?;
    let bookmark = Bookmark::now(ground.plane.audit_log())?;
    let before = cpu_seconds(operator.pid()?)?;
    sleep(CYCLE).await;
    let spent = cpu_seconds(operator.pid()?)? - before;
    let asked = ground.ado.requests().await?;
    // Each look reads the iterations.
    let looks = asked.iter().filter(|asked| asked.route.contains("/classificationnodes")).count();
    let user = format!("system:serviceaccount:{RELEASE}:{RELEASE}");
    let is_write = |entry: &support::audit::Entry| {
        entry.user.username == user && entry.is_write() && entry.object_ref.resource != "leases"
    };
    let writes = bookmark.since()?.into_iter().filter(is_write).count();
    eprintln!(
        "idle: {looks} looks, {:.2} requests each, {writes} writes to the apiserver, CPU {spent:.2} s, PSS {:.1} MB",
        ratio(asked.len(), looks),
        Memory::of(operator.pid()?)?.proportional
    );
    Ok(spent)
}

fn project_name(number: usize) -> String {
    format!("Idle {number}")
}

/// Creates the configs: the integrations and the projects by turns.
async fn create(ground: &Ground, pats: &[Pat]) -> Outcome<()> {
    let api = Api::<AdoProjectConfig>::namespaced(ground.admin.clone(), NAMESPACE);
    let every_config = (0..CONFIGS).zip(pats.iter().cycle());
    let made = stream::iter(every_config).map(|(number, pat)| {
        let spec = json!({
            "integrationRef": {"name": pat.label},
            "project": project_name(number / INTEGRATIONS % PROJECTS),
            "pullRequirements": {},
            "bugMapping": {},
            "sync": {"interval": "1m"},
        });
        let object = json!({
            "apiVersion": "ado.testops.dev/v1alpha1",
            "kind": "AdoProjectConfig",
            "metadata": {"name": format!("idle-{number}")},
            "spec": spec,
        });
        let api = &api;
        async move {
            api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
            Outcome::Ok(())
        }
    });
    made.buffer_unordered(MAKERS).try_collect().await
}

async fn all_synced(ground: &Ground) -> Outcome<()> {
    let api = Api::<AdoProjectConfig>::namespaced(ground.admin.clone(), NAMESPACE);
    let mut seen = Box::pin(watcher(api, watcher::Config::default()).default_backoff().applied_objects());
    let mut synced = HashSet::new();
    while let Some(object) = seen.try_next().await? {
        if shows(&object, "Active", "Synced") {
            synced.insert(object.name_any());
        }
        if synced.len() == CONFIGS {
            return Ok(());
        }
    }
    Err("the watch ended".into())
}

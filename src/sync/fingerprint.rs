//! Whether two mappings are the same.

use uuid::{Uuid, uuid};

use crate::api::AdoProjectConfigSpec;
use crate::domain::mapping::accept::World;
use crate::domain::mapping::pins::MappingPins;

/// The name space of fingerprints.
const SPACE: Uuid = uuid!("7b1f6f0e-5c0a-4c0c-9a56-6a3f3f3f8d52");

/// Stands for everything that decides what an item becomes, besides the items: the part of the spec that the mapping looks at,
/// what that was accepted as, the world, and the version of the rules. Where nothing of it differs, two fingerprints are equal.
///
/// Parts are written as they are for debugging, without any map whose order could vary: should that form change, everything is
/// mapped once more.
pub fn fingerprint(spec: &AdoProjectConfigSpec, world: &World<'_>, pins: &MappingPins) -> Uuid {
    let asked = (
        &spec.team,
        &spec.pull_requirements,
        &spec.bug_mapping,
        &spec.iteration_mapping,
        &spec.priority_mapping,
        &spec.time_zone,
    );
    let live = (world.process, world.tree.nodes(), world.fields, world.severities, world.team);
    let all = format!("{}\n{asked:?}\n{pins:?}\n{live:?}", env!("CARGO_PKG_VERSION"));
    Uuid::new_v5(&SPACE, all.as_bytes())
}

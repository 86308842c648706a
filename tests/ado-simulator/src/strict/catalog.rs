//! All operations: those of the `OpenAPI` files, read per area when first needed, and those without a description.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::document::{self, Schema};
use super::operation::Operation;

/// Files by area, and the first path segments behind `_apis` that each serves.
const AREAS: &[(&str, &str, &[&str])] = &[
    ("core", "core.json", &["process", "projects", "teams"]),
    ("wit", "workItemTracking.json", &["wit", "work"]),
    ("work", "work.json", &["work"]),
    ("processes", "workItemTrackingProcess.json", &["work"]),
    ("hooks", "serviceHooks.json", &["hooks"]),
    ("test", "test.json", &["test"]),
    ("testPlan", "testPlan.json", &["testplan"]),
    ("testResults", "testResults.json", &["testresults", "test"]),
    ("git", "git.json", &["git"]),
    (
        "security",
        "security.json",
        &["accesscontrolentries", "accesscontrollists", "permissions", "security", "securitynamespaces"],
    ),
    (
        "memberEntitlementManagement",
        "memberEntitlementManagement.json",
        &[
            "groupentitlements",
            "memberentitlements",
            "serviceprincipalentitlements",
            "userentitlements",
            "userentitlementsummary",
        ],
    ),
    ("graph", "graph.json", &["graph"]),
];

/// The operations and definitions of one file, or of the own table.
#[derive(Debug, Default)]
pub(crate) struct Area {
    pub operations: Vec<Operation>,
    pub definitions: HashMap<String, Schema>,
}

/// Why the `OpenAPI` files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecificationError {
    /// A file could not be read.
    #[error("the OpenAPI file {path} cannot be read: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("the OpenAPI file {path} is malformed: {source}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// The operations that a simulator knows.
#[derive(Debug)]
pub(crate) struct Catalog {
    folder: Option<PathBuf>,
    areas: Vec<OnceLock<Arc<Area>>>,
    /// Operations that no file describes; without a folder, all that are implemented.
    own: Area,
}

/// Shared by all simulators of the process, since parsing takes a while.
static SHARED: Mutex<Vec<(PathBuf, Arc<Catalog>)>> = Mutex::new(Vec::new());

impl Catalog {
    /// The catalog of a folder, `undescribed` being what the files lack. Checks that each file is there.
    pub fn of_folder(folder: &Path, undescribed: fn() -> Vec<Operation>) -> Result<Arc<Self>, SpecificationError> {
        let mut shared = SHARED.lock();
        if let Some((_, catalog)) = shared.iter().find(|(known, _)| known == folder) {
            return Ok(Arc::clone(catalog));
        }
        for (area, file, _) in AREAS {
            let path = path(folder, area, file);
            std::fs::metadata(&path).map_err(|source| SpecificationError::Read { path, source })?;
        }
        let own = Area { operations: undescribed(), definitions: HashMap::new() };
        let areas = AREAS.iter().map(|_| OnceLock::new()).collect();
        let catalog = Arc::new(Self { folder: Some(folder.to_owned()), areas, own });
        shared.push((folder.to_owned(), Arc::clone(&catalog)));
        Ok(catalog)
    }

    /// A catalog of these operations only.
    pub fn of_table(operations: Vec<Operation>) -> Arc<Self> {
        let own = Area { operations, definitions: HashMap::new() };
        Arc::new(Self { folder: None, areas: Vec::new(), own })
    }

    /// Whether `OpenAPI` files are behind it.
    pub fn described(&self) -> bool {
        self.folder.is_some()
    }

    /// The areas that could serve a path, the own table first.
    pub fn areas_for(&self, segments: &[String]) -> Result<Vec<&Area>, SpecificationError> {
        let mut areas = vec![&self.own];
        let Some(folder) = &self.folder else { return Ok(areas) };
        let mut after = segments.iter().skip_while(|segment| !segment.eq_ignore_ascii_case("_apis")).skip(1);
        let Some(first) = after.next() else { return Ok(areas) };
        for (slot, (area, file, roots)) in self.areas.iter().zip(AREAS) {
            if roots.iter().any(|root| first.eq_ignore_ascii_case(root)) {
                areas.push(load(slot, &path(folder, area, file))?);
            }
        }
        Ok(areas)
    }
}

fn path(folder: &Path, area: &str, file: &str) -> PathBuf {
    folder.join(area).join("7.1").join(file)
}

fn load<'a>(slot: &'a OnceLock<Arc<Area>>, path: &Path) -> Result<&'a Area, SpecificationError> {
    if let Some(area) = slot.get() {
        return Ok(area);
    }
    let text =
        std::fs::read_to_string(path).map_err(|source| SpecificationError::Read { path: path.to_owned(), source })?;
    let document =
        document::parse(&text).map_err(|source| SpecificationError::Parse { path: path.to_owned(), source })?;
    let mut operations = Vec::new();
    // Paths with a query come first: they are the special case of the same path.
    for (template, methods) in document.query_paths.iter().chain(&document.paths) {
        operations
            .extend(methods.iter().filter_map(|(method, operation)| Operation::compile(method, template, operation)));
    }
    Ok(slot.get_or_init(|| Arc::new(Area { operations, definitions: document.definitions })))
}

//! The tree itself: imports point down the layers, and generated files are fresh.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers with what each may import, besides itself. `docs/architecture.md` shows the same table.
const LAYERS: [(&str, &[&str]); 8] = [
    ("api", &[]),
    ("ado", &[]),
    ("domain", &["api", "ado::model"]),
    ("store", &["domain"]),
    ("sync", &["api", "ado", "clock", "domain", "store"]),
    ("cli", &["api", "ado", "domain", "sync"]),
    ("controllers", &["api", "ado", "clock", "domain", "metrics", "readiness", "store", "sync"]),
    ("http", &["metrics", "readiness"]),
];

/// Single files below `src` with what each may import. `app.rs` wires everything, so it may import everything.
const FILES: [(&str, &[&str]); 6] = [
    ("clock.rs", &[]),
    ("config.rs", &["ado", "store"]),
    ("lib.rs", &[]),
    ("metrics.rs", &["ado"]),
    ("readiness.rs", &[]),
    ("telemetry.rs", &["config"]),
];

/// Programs use the library from outside; the app wires it.
const UNBOUND: [&str; 2] = ["app.rs", "main.rs"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
    found
}

/// Paths below `crate::` that a source text names, such as `ado::model`; tests at its end may import anything.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    code.match_indices("crate::")
        .map(|(at, _)| {
            let rest = &code[at + "crate::".len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            rest[..end].trim_end_matches(':').to_owned()
        })
        .filter(|path| !path.is_empty())
        .collect()
}

fn may(import: &str, own: &str, allowed: &[&str]) -> bool {
    let within = |layer: &str| import == layer || import.starts_with(&format!("{layer}::"));
    within(own) || allowed.iter().any(|layer| within(layer))
}

#[test]
fn imports_point_down_the_layers() {
    let source = root().join("src");
    let mut wrong = Vec::new();
    for (layer, allowed) in LAYERS {
        for file in rust_files(&source.join(layer)) {
            let text = fs::read_to_string(&file).expect("a file");
            for import in imports(&text) {
                if !may(&import, layer, allowed) {
                    wrong.push(format!("{} imports crate::{import}", file.display()));
                }
            }
        }
    }
    for (name, allowed) in FILES {
        let text = fs::read_to_string(source.join(name)).expect("a file");
        wrong.extend(
            imports(&text)
                .iter()
                .filter(|import| !may(import, "-", allowed))
                .map(|import| format!("{name} imports crate::{import}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_belongs_to_a_layer() {
    let known: BTreeSet<&str> =
        LAYERS.iter().chain(&FILES).map(|(name, _)| *name).chain(UNBOUND).chain(["bin"]).collect();
    let entries = fs::read_dir(root().join("src")).expect("a folder");
    let unknown: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "no layer in tests/house.rs for {unknown:?}");
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let mut readers = Vec::new();
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).expect("a file");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let exempt = name == "config.rs" || name.ends_with("tests.rs");
        if (code.contains("env::var") || code.contains("option_env!")) && !exempt {
            readers.push(file.display().to_string());
        }
    }
    assert!(readers.is_empty(), "{readers:?} read the environment; src/config.rs is the one place for that");
}

#[test]
fn generated_definitions_are_fresh_here_and_in_the_chart() {
    for (name, text) in ado_operator::api::crd_files().expect("serializable definitions") {
        for folder in ["crds", "charts/ado-operator/files/crds"] {
            let file = root().join(folder).join(&name);
            let stored = fs::read_to_string(&file).unwrap_or_default();
            assert!(stored == text, "{folder}/{name} is stale: run `make generate`");
        }
    }
}

#[test]
fn every_reason_is_documented() {
    let text = fs::read_to_string(root().join("docs/operations.md")).expect("docs/operations.md");
    let missing: Vec<&str> = ado_operator::api::Reason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .filter(|reason| !text.contains(&format!("`{reason}`")))
        .collect();
    assert!(missing.is_empty(), "docs/operations.md does not explain {missing:?}");
}

#[test]
fn every_flag_is_documented() {
    use clap::CommandFactory as _;
    let text = fs::read_to_string(root().join("docs/operations.md")).expect("docs/operations.md");
    let command = ado_operator::config::Config::command();
    let flags: Vec<String> =
        command.get_arguments().filter_map(|flag| Some(format!("--{}", flag.get_long()?))).collect();
    let missing: Vec<&String> = flags.iter().filter(|flag| !text.contains(flag.as_str())).collect();
    assert!(missing.is_empty(), "docs/operations.md does not name {missing:?}");
}

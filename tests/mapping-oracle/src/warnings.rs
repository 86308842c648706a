//! Warnings about a mapping that is valid but hardly meant.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::Case;
use crate::acceptance::{any_has_severity, paths_of};
use crate::iterations::PlaceNo;
use crate::names::same;
use crate::placing::Plan;
use crate::selection::selected_now;
use crate::sources::{Sides, Source, is_literal, named_by, nodes_of, pinned_node};

/// Sorted as JSON text, without repeats.
pub(crate) fn sorted(warnings: Vec<Value>) -> Vec<Value> {
    let mut texts: Vec<(String, Value)> = warnings.into_iter().map(|warning| (warning.to_string(), warning)).collect();
    texts.sort_by(|one, other| one.0.cmp(&other.0));
    texts.dedup_by(|one, other| one.0 == other.0);
    texts.into_iter().map(|(_, warning)| warning).collect()
}

/// All warnings about iterations.
pub(crate) fn of_iterations(case: &Case, sides: &Sides, plan: &Plan) -> Vec<Value> {
    let mut found = matches_nothing(case, "release", &sides.release, &plan.releases);
    found.extend(matches_nothing(case, "sprint", &sides.sprint, &plan.sprint_source));
    found.extend(releases_take_all(case, sides, plan));
    found.extend(named_twice(case));
    found.extend(sprints_above_releases(case, sides, plan));
    if !full_path(case) {
        found.extend(equal_names(case, "release", &plan.releases));
        found.extend(equal_names(case, "sprint", &plan.sprints));
    }
    found
}

/// Rule: "absent means `fullPath` false".
pub(crate) fn full_path(case: &Case) -> bool {
    case.spec.iteration_mapping.as_ref().and_then(|mapping| mapping.full_path).unwrap_or(false)
}

/// Rule: "a `*`, `Depth`, `Tier` or team list that matches nothing is a warning". `reached` holds the nodes that pulled
/// items reach, for `Tier`.
fn matches_nothing(case: &Case, side: &str, source: &Source, reached: &BTreeSet<PlaceNo>) -> Vec<Value> {
    let empty_sources: Vec<String> = match source {
        Source::Depth(depth) if nodes_of(case, source).is_empty() => vec![format!("Depth {depth}")],
        Source::TeamBoard if nodes_of(case, source).is_empty() => vec!["TeamBoard".to_owned()],
        Source::Tier(tier) if reached.is_empty() => vec![format!("Tier {tier}")],
        Source::Paths(paths) => {
            let open = paths.iter().filter(|path| !is_literal(path));
            open.filter(|path| named_by(case, path).is_empty()).cloned().collect()
        }
        _ => Vec::new(),
    };
    empty_sources.into_iter().map(|source| json!({"kind": "MatchesNothing", "side": side, "source": source})).collect()
}

/// Rule: "on a flat tree (all nodes at depth 1), and where releases take every node of the sprint source, a warning
/// says to write `release: {from: None}`". Where that is in force already there is nothing to say.
fn releases_take_all(case: &Case, sides: &Sides, plan: &Plan) -> Option<Value> {
    let has_releases = !matches!(sides.release, Source::None);
    let all_taken = !plan.sprint_source.is_empty() && plan.sprints.is_empty();
    (has_releases && (case.tree_now.is_flat() || all_taken)).then(|| json!({"kind": "ReleasesTakeAll"}))
}

/// Rule: "a node matched by both sources: a warning if both name it literally".
fn named_twice(case: &Case) -> Vec<Value> {
    let nodes = |paths: &[String]| -> BTreeSet<PlaceNo> {
        paths.iter().filter(|path| is_literal(path)).filter_map(|path| pinned_node(case, path)).collect()
    };
    let releases = nodes(paths_of(case, |mapping| mapping.release.as_ref()));
    let sprints = nodes(paths_of(case, |mapping| mapping.sprint.as_ref()));
    let both = releases.intersection(&sprints);
    both.map(|place| json!({"kind": "NamedTwice", "path": case.tree_now.places[*place].path})).collect()
}

/// Rule: "a sprint above a release is a warning", since its items leave that release. Where the release is from `Tier`
/// they do not.
fn sprints_above_releases(case: &Case, sides: &Sides, plan: &Plan) -> Vec<Value> {
    if matches!(sides.release, Source::Tier(_)) {
        return Vec::new();
    }
    let above_release = |sprint: &&PlaceNo| plan.releases.iter().any(|it| case.tree_now.above(*it).contains(*sprint));
    let sprints = plan.sprints.iter().filter(above_release);
    sprints.map(|place| json!({"kind": "SprintAboveRelease", "sprint": case.tree_now.places[*place].path})).collect()
}

/// Rule: "equal leaf names stay two records (with `fullPath: false` a warning)". The warning shows the smallest
/// spelling.
fn equal_names(case: &Case, side: &str, nodes: &BTreeSet<PlaceNo>) -> Vec<Value> {
    let names: Vec<&str> = nodes.iter().map(|place| case.tree_now.places[*place].name.as_str()).collect();
    let equal = |name: &str| names.iter().copied().filter(|other| same(other, name)).collect::<Vec<_>>();
    let repeated = names.iter().map(|name| equal(name)).filter(|spellings| spellings.len() > 1);
    let smallest = repeated.filter_map(|spellings| spellings.into_iter().min());
    smallest.map(|name| json!({"kind": "EqualNames", "side": side, "name": name})).collect()
}

/// Rule: "a `severityMapping` where no bug type has Severity is a warning".
pub(crate) fn no_severity(case: &Case) -> Option<Value> {
    let given = case.spec.bugs().is_some_and(|bugs| !bugs.severities().is_empty());
    let lacks = !any_has_severity(case.now, &selected_now(case).bugs);
    (given && lacks).then(|| json!({"kind": "NoSeverity"}))
}

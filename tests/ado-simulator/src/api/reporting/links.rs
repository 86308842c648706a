//! `workitemlinks`.

use jiff::Timestamp;
use serde::Serialize;

use super::{Page, Scope, Types, bad_token, names, open};
use crate::api::{Call, Outcome};
use crate::envelope::Refusal;
use crate::state::World;
use crate::state::items::Row;
use crate::state::links::{LinkChange, LinkKind};
use crate::state::organization::Organization;

/// A link as the feed shows it: `rel` without direction, the parent as source (recorded).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    rel: &'static str,
    source_id: u32,
    target_id: u32,
    changed_date: Timestamp,
    is_active: bool,
}

/// `GET …/reporting/workitemlinks`.
pub(crate) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let scope = open(call, world)?;
    let organization = call.organization(world);
    let types = names(call, "types").map(|names| Types::named(organization, &names)).transpose()?;
    let kinds = names(call, "linkTypes").map(|names| kinds(&names)).transpose()?;
    let mut reached = position(call, organization)?;
    let most = call.quirks.reporting_page_size.max(1) as usize;
    let (mut page, mut last) = (Page::new(), true);
    for (watermark, change) in organization.items.links.changes_after(reached) {
        if page.count == most {
            last = false;
            break;
        }
        // Without a start in the token: links changed before it are given again rather than lost.
        let recent = scope.start.is_none_or(|start| change.changed > start);
        let of_kind = kinds.as_ref().is_none_or(|kinds| kinds.contains(&change.kind));
        reached = watermark;
        if recent && of_kind && wanted(organization, &scope, types.as_ref(), change) {
            page.add(&shown(change))?;
        }
    }
    page.end(call, world, "workItemLinks", &reached.to_string(), last)
}

fn shown(change: &LinkChange) -> Shown {
    Shown {
        rel: change.kind.reference(),
        source_id: change.source,
        target_id: change.target,
        changed_date: Timestamp::from_millisecond(change.changed).unwrap_or(Timestamp::UNIX_EPOCH),
        is_active: change.active,
    }
}

fn position(call: &Call<'_>, organization: &Organization) -> Result<u32, Refusal> {
    let Some(token) = call.query("continuationToken").filter(|token| !token.is_empty()) else { return Ok(0) };
    let watermark = token.parse().ok().filter(|watermark| *watermark <= organization.items.links.newest());
    watermark.ok_or_else(|| bad_token(token))
}

/// Link types by reference name, with or without direction.
fn kinds(names: &[String]) -> Result<Vec<LinkKind>, Refusal> {
    let find = |name: &String| LinkKind::of_rel(name).map(|(kind, _)| kind).ok_or_else(|| unknown(name));
    names.iter().map(find).collect()
}

fn unknown(name: &str) -> Refusal {
    let message = format!("VS402314: The relation type {name} does not exist.");
    Refusal::tracking(http::StatusCode::BAD_REQUEST, "WorkItemLinkTypeNotFoundException", message)
}

/// Whether one end is in the project of the URL and of a type asked for, and both may be seen.
fn wanted(organization: &Organization, scope: &Scope, types: Option<&Types>, change: &LinkChange) -> bool {
    let items = &organization.items;
    let (Some(source), Some(target)) = (items.get(change.source), items.get(change.target)) else { return false };
    let project = |row: &Row| usize::from(row.project);
    let of_type = |row: &Row, types: &Types| types.has(organization.projects[project(row)].process, row.kind);
    let either = |fits: &dyn Fn(&Row) -> bool| fits(source) || fits(target);
    scope.readable[project(source)]
        && scope.readable[project(target)]
        && scope.project.is_none_or(|index| either(&|row| project(row) == index))
        && types.is_none_or(|types| either(&|row| of_type(row, types)))
}

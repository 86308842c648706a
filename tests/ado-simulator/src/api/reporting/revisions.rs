//! `workitemrevisions`, asked with GET or POST.

use super::show::{Shown, Wish};
use super::{Page, Scope, Types, bad_token, names, open};
use crate::api::{Call, Outcome, fields as field_api};
use crate::envelope::Refusal;
use crate::quirks::{ReportingDeleted, ReportingParent};
use crate::state::World;
use crate::state::catalog::fields;
use crate::state::item_values::ItemView;
use crate::state::items::{Presence, Row};
use crate::state::organization::Organization;
use crate::state::revisions::Revision;

/// Which revisions are wanted, and what of them.
struct Order {
    types: Option<Types>,
    deleted: bool,
    latest_only: bool,
    wish: Wish,
}

/// `GET …/reporting/workitemrevisions`.
pub(crate) fn list(call: &Call<'_>, world: &World) -> Outcome {
    if call.flag("includeDiscussionChangesOnly") {
        return Err(Refusal::not_implemented("reporting with includeDiscussionChangesOnly"));
    }
    let flag = |name: &str| call.flag(name);
    page(call, world, &flag)
}

/// `POST …/reporting/workitemrevisions`, whose flags are in the body.
pub(crate) fn ask(call: &Call<'_>, world: &World) -> Outcome {
    let flag = |name: &str| call.member(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
    page(call, world, &flag)
}

fn order(call: &Call<'_>, organization: &Organization, flag: &dyn Fn(&str) -> bool) -> Result<Order, Refusal> {
    let named = names(call, "fields");
    let find = |name: &String| {
        let index = organization.field(name);
        let refused = call.quirks.reporting_parent == ReportingParent::Refused;
        let index = index.filter(|index| !(refused && *index == fields::PARENT));
        index.ok_or_else(|| field_api::unknown(http::StatusCode::BAD_REQUEST, name))
    };
    let named = named.map(|names| names.iter().map(find).collect::<Result<Vec<_>, _>>()).transpose()?;
    let long_texts = call.query("$expand").is_some_and(|expand| expand.eq_ignore_ascii_case("fields"));
    let deleted = call.quirks.reporting_deleted;
    Ok(Order {
        types: names(call, "types").map(|names| Types::named(organization, &names)).transpose()?,
        deleted: flag("includeDeleted") && deleted != ReportingDeleted::Absent,
        latest_only: flag("includeLatestOnly"),
        wish: Wish {
            fields: named,
            long_texts,
            identity_objects: flag("includeIdentityRef"),
            tag_objects: flag("includeTagRef"),
            parent: call.quirks.reporting_parent == ReportingParent::Selectable,
            deleted_flag: deleted == ReportingDeleted::Flagged,
        },
    })
}

/// Where a client stands in the feed; written as `watermark;id;rev` of the last revision seen (recorded), with the
/// start of the feed behind it where one was given.
struct Position {
    watermark: u32,
    id: u32,
    rev: u16,
    start: Option<i64>,
}

impl Position {
    fn read(call: &Call<'_>, scope: &Scope, newest: u32) -> Result<Self, Refusal> {
        match call.query("continuationToken").filter(|token| !token.is_empty()) {
            None => Ok(Self { watermark: 0, id: 0, rev: 0, start: scope.start }),
            Some(token) => {
                Self::of_token(token).filter(|position| position.watermark <= newest).ok_or_else(|| bad_token(token))
            }
        }
    }

    fn of_token(token: &str) -> Option<Self> {
        let mut parts = token.split(';');
        let (watermark, id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let rev = parts.next()?.parse().ok()?;
        let start = parts.next().map(str::parse).transpose().ok()?;
        parts.next().is_none().then_some(Self { watermark, id, rev, start })
    }

    /// On the last page the start has done its work.
    fn token(&self, last: bool) -> String {
        let start = self.start.filter(|_| !last).map_or(String::new(), |start| format!(";{start}"));
        format!("{};{};{}{start}", self.watermark, self.id, self.rev)
    }

    /// Whether a revision was made after the start.
    fn covers(&self, row: &Row) -> bool {
        self.start.is_none_or(|start| row.changed > start)
    }
}

fn page(call: &Call<'_>, world: &World, flag: &dyn Fn(&str) -> bool) -> Outcome {
    let scope = open(call, world)?;
    let organization = call.organization(world);
    let order = order(call, organization, flag)?;
    let mut position = Position::read(call, &scope, organization.items.revisions.newest())?;
    let most = call.number("$maxPageSize").filter(|most| *most > 0).unwrap_or(usize::MAX);
    let most = most.min(call.quirks.reporting_page_size.max(1) as usize);
    let project = scope.project.and_then(|project| u16::try_from(project).ok());
    let (mut page, mut last) = (Page::new(), true);
    for revision in organization.items.revisions_after(position.watermark, project, order.latest_only) {
        if page.count == most {
            last = false;
            break;
        }
        (position.watermark, position.id, position.rev) = (revision.watermark, revision.id, revision.row.rev);
        if position.covers(&revision.row) && wanted(organization, &scope, &order, &revision) {
            let Revision { id, row, details, replaced, .. } = &revision;
            let view = ItemView::with_details(call.seed, organization, *id, row, *details);
            page.add(&Shown { view: &view, wish: &order.wish, replaced: *replaced })?;
        }
    }
    page.end(call, world, "workItemRevisions", &position.token(last), last)
}

/// Whether a revision was asked for and may be seen. Those of an item that is deleted now are deleted ones.
fn wanted(organization: &Organization, scope: &Scope, order: &Order, revision: &Revision<'_>) -> bool {
    let presence = organization.items.get(revision.id).map_or(Presence::Destroyed, |row| row.presence);
    let there = match presence {
        Presence::Live => true,
        Presence::Deleted => order.deleted,
        Presence::Destroyed | Presence::Unreadable => false,
    };
    let project = usize::from(revision.row.project);
    let of_type = || {
        order.types.as_ref().is_none_or(|types| types.has(organization.projects[project].process, revision.row.kind))
    };
    there && scope.readable[project] && of_type()
}

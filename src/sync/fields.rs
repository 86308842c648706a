//! The fields that are read of every work item: the same whatever is mapped, so that another mapping needs no request.

use crate::ado::model::{Field, FieldKind};

/// Fields besides the dates. A field that the organization does not have would fail the whole request (`ado-api.md` §9).
const BASE: [&str; 13] = [
    "System.Id",
    "System.Rev",
    "System.WorkItemType",
    "System.State",
    "System.Title",
    "System.IterationId",
    "System.IterationPath",
    "System.Parent",
    "System.Tags",
    "Microsoft.VSTS.Common.Priority",
    "Microsoft.VSTS.Common.Severity",
    "Microsoft.VSTS.Scheduling.Effort",
    "Microsoft.VSTS.Scheduling.StoryPoints",
];

/// Most date fields that are read; an organization has at most 1,024 fields in all.
const MAX_DATES: usize = 256;

/// The fields to read in an organization that has these.
pub fn wanted(organization: &[Field]) -> Vec<String> {
    let has = |name: &&str| organization.iter().any(|field| field.reference_name.eq_ignore_ascii_case(name));
    let dates = organization.iter().filter(|field| field.kind == FieldKind::DateTime).take(MAX_DATES);
    let base = BASE.into_iter().filter(has).map(str::to_owned);
    base.chain(dates.map(|field| field.reference_name.clone())).collect()
}

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

/// Fields whose values may be a million characters long. They are stored apart, and the reporting feed brings them only when
/// asked (`ado-api.md` §5, §9).
pub const LONG_TEXTS: [&str; 3] =
    ["System.Description", "Microsoft.VSTS.Common.AcceptanceCriteria", "Microsoft.VSTS.TCM.ReproSteps"];

/// Most date fields that are read; an organization has at most 1,024 fields in all.
const MAX_DATES: usize = 256;

/// The fields to read in an organization that has these.
pub fn wanted(organization: &[Field]) -> Vec<String> {
    let has = |name: &&str| organization.iter().any(|field| field.reference_name.eq_ignore_ascii_case(name));
    let dates = organization.iter().filter(|field| field.kind == FieldKind::DateTime).take(MAX_DATES);
    let base = BASE.into_iter().chain(LONG_TEXTS).filter(has).map(str::to_owned);
    base.chain(dates.map(|field| field.reference_name.clone())).collect()
}

/// Those of these fields that are short.
pub fn short(fields: &[String]) -> Vec<&str> {
    fields.iter().map(String::as_str).filter(|name| !is_long(name)).collect()
}

fn is_long(name: &str) -> bool {
    LONG_TEXTS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FieldKind) -> Field {
        Field { reference_name: name.to_owned(), name: name.to_owned(), kind, read_only: false }
    }

    #[test]
    fn only_fields_of_the_organization_are_read_and_every_date_of_it() {
        let organization = [
            field("System.Id", FieldKind::Integer),
            field("System.Description", FieldKind::Html),
            field("Custom.Golive", FieldKind::DateTime),
            field("Custom.Notes", FieldKind::Html),
        ];
        let wanted = wanted(&organization);
        assert_eq!(wanted, ["System.Id", "System.Description", "Custom.Golive"]);
        assert_eq!(short(&wanted), ["System.Id", "Custom.Golive"]);
    }
}

//! Work items that are not what they should be, whatever is mapped.

use std::fmt;

/// Revisions of a work item behind which programs can change it no more. The service answers with 500, and always will
/// (`ado-api.md` §5), so that trying again is of no use.
pub const REVISION_LIMIT: u32 = 10_000;

/// Ids that are named.
const NAMED: usize = 10;

/// What is the matter with work items.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// Azure DevOps fails whenever they are asked for.
    Unreadable,
    /// They are larger than what is read of an item.
    TooLarge,
    /// They have as many revisions as programs may make ([`REVISION_LIMIT`]).
    AtRevisionLimit,
}

impl Trouble {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => {
                "cannot be read from Azure DevOps, wholly or in part, and are set aside as they were last seen"
            }
            Self::TooLarge => {
                "are too large to be read and are set aside, stored without their long texts or not at all"
            }
            Self::AtRevisionLimit => {
                "have reached Azure DevOps's limit of 10,000 revisions: they are read, and no program can change them"
            }
        }
    }
}

/// All work items of a project with the same trouble.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Troubled {
    /// What is the matter.
    pub trouble: Trouble,
    /// Which items, by rising id.
    pub ids: Vec<u32>,
    /// Whether there may be more than these.
    pub has_more: bool,
}

impl fmt::Display for Troubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trouble, ids, has_more } = self;
        let more = if *has_more { " or more" } else { "" };
        let named: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
        let rest = if *has_more || ids.len() > NAMED { ", …" } else { "" };
        write!(f, "Work items that {}: {}{more} ({}{rest}).", trouble.as_str(), ids.len(), named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_in_trouble_are_counted_and_the_first_of_them_named() {
        let text = |ids: Vec<u32>, has_more| Troubled { trouble: Trouble::AtRevisionLimit, ids, has_more }.to_string();
        let limit = "Work items that have reached Azure DevOps's limit of 10,000 revisions: they are read, and no program \
                     can change them: ";
        assert_eq!(text(vec![7], false), format!("{limit}1 (7)."));
        assert_eq!(text((1..=10).collect(), false), format!("{limit}10 (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)."));
        assert_eq!(text((1..=11).collect(), false), format!("{limit}11 (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)."));
        assert_eq!(text(vec![1, 2], true), format!("{limit}2 or more (1, 2, …)."));
    }
}

//! Release dates of requirements.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::same;

/// Where a spec names them.
pub const DATE_FIELDS: &str = "spec.pullRequirements.releaseDateFields";

/// The date of the item's release.
const RELEASE_END: &str = "ReleaseEndDate";

/// The date of the item's sprint.
const SPRINT_END: &str = "SprintEndDate";

/// Where a release date may come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DateSource {
    /// Last day of the item's release.
    ReleaseEnd,
    /// Last day of the item's sprint.
    SprintEnd,
    /// A date field of the item, by its reference name.
    Field(String),
}

impl DateSource {
    /// The source that a spec names.
    pub fn named(name: &str) -> Self {
        if same(name, RELEASE_END) {
            Self::ReleaseEnd
        } else if same(name, SPRINT_END) {
            Self::SprintEnd
        } else {
            Self::Field(name.to_owned())
        }
    }
}

/// The calendar day of a date field in a time zone: date pickers store local midnight. Year 9999, which stands for an open
/// end, is none, and is looked at before any conversion.
pub fn calendar_day(value: &Value, zone: &TimeZone) -> Option<Date> {
    let text = value.as_str()?.trim();
    if let Some(day) = text.parse::<Date>().ok().filter(|_| text.len() == DAY.len()) {
        return is_a_day(day).then_some(day);
    }
    let moment: Timestamp = match text.parse() {
        Ok(moment) => moment,
        // Some answers leave the zone out; what they mean is UTC.
        Err(_) => format!("{text}Z").parse().ok()?,
    };
    is_a_day(moment.to_zoned(TimeZone::UTC).date()).then(|| moment.to_zoned(zone.clone()).date())
}

/// The form of a day without a time, which says already what it means.
const DAY: &str = "2026-01-31";

/// The years 1 and 9999 stand for no date and for an open end.
pub fn is_a_day(date: Date) -> bool {
    date.year() > 1 && date.year() < 9999
}

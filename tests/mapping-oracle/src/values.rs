//! Status, priority, severity and dates of one item.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use serde_json::Value;

use crate::Case;
use crate::input::{Item, PriorityEntry, SeverityEntry, StatusEntry, WorkType};
use crate::iterations::means_no_date;
use crate::names::same;
use crate::placing::Spot;
use crate::process::{same_type, type_named};

pub(crate) const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";
pub(crate) const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";
pub(crate) const STATE: &str = "System.State";

/// The word that a value is mapped to, and the value's text if it is counted in `unmapped`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Mapped {
    pub(crate) word: Option<String>,
    pub(crate) unmapped: Option<String>,
}

impl Mapped {
    fn to(word: &str) -> Self {
        Self { word: Some(word.to_owned()), unmapped: None }
    }

    /// Rule: "stays unset, counted in `unmapped`".
    fn unset(value: String) -> Self {
        Self { word: None, unmapped: Some(value) }
    }
}

/// Rule: "the state category of (type, state)". None if the type has no such state.
pub(crate) fn category(work_type: &WorkType, item: &Item) -> Option<String> {
    let state = item.text(STATE)?;
    let found = work_type.states.iter().find(|candidate| same(&candidate.name, &state))?;
    found.category.clone().filter(|category| !category.is_empty())
}

/// The status of a category; none for a category that the rules do not know.
fn status_of_category(category: &str) -> Option<&'static str> {
    match category {
        "Proposed" => Some("Open"),
        "InProgress" => Some("InProgress"),
        "Resolved" => Some("Resolved"),
        "Completed" => Some("Closed"),
        "Removed" => Some("Removed"),
        _ => None,
    }
}

/// The status of an item. Rules: left out or empty, "status by the state category"; given, "a state without an entry
/// uses its category and is counted, as is a state of no category".
pub(crate) fn status(case: &Case, entries: &[StatusEntry], work_type: &WorkType, item: &Item) -> Mapped {
    let Some(state) = item.text(STATE) else { return Mapped::default() };
    if let Some(entry) = entry_for(case, entries, work_type, &state) {
        return Mapped::to(&entry.testops);
    }
    let word = category(work_type, item).and_then(|category| status_of_category(&category));
    let counted = !entries.is_empty() || word.is_none();
    Mapped { word: word.map(str::to_owned), unmapped: counted.then_some(state) }
}

/// Rule: "`type` optional, the specific entry wins".
fn entry_for<'e>(
    case: &Case,
    entries: &'e [StatusEntry],
    work_type: &WorkType,
    state: &str,
) -> Option<&'e StatusEntry> {
    let of_state = || entries.iter().filter(|entry| same(&entry.ado, state));
    let specific = of_state().find(|entry| is_for_type(case, entry, work_type));
    specific.or_else(|| of_state().find(|entry| entry.work_item_type.is_none()))
}

/// Whether an entry names a type, by the pin of that name.
fn is_for_type(case: &Case, entry: &StatusEntry, work_type: &WorkType) -> bool {
    let pin = entry.work_item_type.as_deref().and_then(|name| type_named(case.then, name));
    pin.is_some_and(|pin| same_type(pin, work_type))
}

/// The priority of an item. Rules: left out or empty, "priority 1–4 → Critical, High, Medium, Low"; given, "a priority
/// without one stays unset and is counted"; "0 is counted, an absent value is not".
pub(crate) fn priority(entries: &[PriorityEntry], item: &Item) -> Mapped {
    let (Some(value), Some(text)) = (item.value(PRIORITY), item.text(PRIORITY)) else { return Mapped::default() };
    let Some(number) = whole_number(value) else { return Mapped::unset(text) };
    if entries.is_empty() {
        return default_priority(number).map_or_else(|| Mapped::unset(number.to_string()), Mapped::to);
    }
    let entry = entries.iter().find(|entry| entry.ado == number);
    entry.map_or_else(|| Mapped::unset(number.to_string()), |entry| Mapped::to(&entry.testops))
}

fn default_priority(number: i64) -> Option<&'static str> {
    match number {
        1 => Some("Critical"),
        2 => Some("High"),
        3 => Some("Medium"),
        4 => Some("Low"),
        _ => None,
    }
}

/// Rule: "priority `\"2\"` and `2.0` are 2".
fn whole_number(value: &Value) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.chars().all(|digit| digit == '0') { whole.parse().ok() } else { None }
}

/// The severity of a bug. Rules: left out or empty, "severity by its leading number, 1–5 → Critical … Lowest"; given,
/// "a severity without one stays unset and is counted".
pub(crate) fn severity(entries: &[SeverityEntry], item: &Item) -> Mapped {
    let Some(text) = item.text(SEVERITY) else { return Mapped::default() };
    if entries.is_empty() {
        return default_severity(&text).map_or_else(|| Mapped::unset(text.clone()), Mapped::to);
    }
    let entry = entries.iter().find(|entry| same(&entry.ado, &text));
    entry.map_or_else(|| Mapped::unset(text.clone()), |entry| Mapped::to(&entry.testops))
}

fn default_severity(text: &str) -> Option<&'static str> {
    let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
    match digits.parse() {
        Ok(1) => Some("Critical"),
        Ok(2) => Some("High"),
        Ok(3) => Some("Medium"),
        Ok(4) => Some("Low"),
        Ok(5) => Some("Lowest"),
        _ => None,
    }
}

/// Rule: release date = the first of `releaseDateFields` with a date; "`ReleaseEndDate` and `SprintEndDate` = finish
/// date of the item's release and sprint".
pub(crate) fn release_date(case: &Case, fields: &[String], item: &Item, spot: Spot) -> Option<Date> {
    let finish = |place: Option<usize>| place.and_then(|place| case.tree_now.places[place].finish);
    fields.iter().find_map(|field| match field.as_str() {
        "ReleaseEndDate" => finish(spot.release),
        "SprintEndDate" => finish(spot.sprint),
        field => field_date(case, item.text(field)?.trim()),
    })
}

/// Rules: "a calendar date", in the time zone of the spec; "null or year 9999 (before any conversion) = empty".
fn field_date(case: &Case, text: &str) -> Option<Date> {
    let year: i16 = text.get(..4)?.parse().ok()?;
    if means_no_date(year) {
        return None;
    }
    let zoned: Option<Zoned> = text.parse::<Timestamp>().ok().map(|time| time.to_zoned(time_zone(case)));
    zoned.map(|zoned| zoned.date()).or_else(|| text.parse().ok())
}

/// Rule: "IANA; absent = UTC".
fn time_zone(case: &Case) -> TimeZone {
    case.spec.time_zone.as_deref().and_then(zone_named).unwrap_or(TimeZone::UTC)
}

/// The zone of an IANA name, by the bundled database, whatever the machine has. `Etc/Unknown` is a name for having
/// none.
pub(crate) fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())
}

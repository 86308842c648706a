//! A WIQL condition, resolved against the organization and ready to be asked of items.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use super::parse::{Condition, Operand, Operator};
use super::{QueryError, find_field};
use crate::state::catalog::fields::{self, FieldIndex, FieldType};
use crate::state::identity::Identity;
use crate::state::item_values::{FieldValue, ItemView};
use crate::state::organization::Organization;

/// What operands are resolved with.
pub(super) struct Context<'a> {
    pub organization: &'a Organization,
    pub identity: &'a Identity,
    /// The project of the URL.
    pub project: Option<usize>,
    pub time_precision: bool,
    pub now: Timestamp,
}

/// A resolved condition. Ids, projects and states are compared without building values.
#[derive(Debug)]
pub(super) enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    Id(Operator, Vec<f64>),
    Project(Vec<u16>),
    State(Vec<u16>),
    Number(FieldIndex, Operator, Vec<f64>),
    /// Milliseconds; with date precision both sides are cut to days.
    Date {
        field: FieldIndex,
        operator: Operator,
        values: Vec<Option<i64>>,
        days: bool,
    },
    Text(FieldIndex, Operator, Vec<String>),
}

const DAY: i64 = 86_400_000;

/// Resolves a condition.
pub(super) fn compile(condition: &Condition, context: &Context<'_>) -> Result<Predicate, QueryError> {
    let all = |parts: &[Condition]| parts.iter().map(|part| compile(part, context)).collect::<Result<Vec<_>, _>>();
    match condition {
        Condition::All(parts) => Ok(Predicate::All(all(parts)?)),
        Condition::Any(parts) => Ok(Predicate::Any(all(parts)?)),
        Condition::Not(inner) => Ok(Predicate::Not(Box::new(compile(inner, context)?))),
        Condition::Clause { field, operator, operands } => clause(field, *operator, operands, context),
    }
}

fn clause(
    name: &str,
    operator: Operator,
    operands: &[Operand],
    context: &Context<'_>,
) -> Result<Predicate, QueryError> {
    let field = find_field(context.organization, name)?;
    let kind = context.organization.fields[usize::from(field)].kind;
    match kind {
        FieldType::Integer | FieldType::Double => {
            let numbers = operands.iter().map(number).collect::<Result<Vec<_>, _>>()?;
            ordered(name, operator)?;
            Ok(if field == fields::ID {
                Predicate::Id(operator, numbers)
            } else {
                Predicate::Number(field, operator, numbers)
            })
        }
        FieldType::DateTime => {
            ordered(name, operator)?;
            let values = operands.iter().map(|operand| moment(operand, context)).collect::<Result<Vec<_>, _>>()?;
            Ok(Predicate::Date { field, operator, values, days: !context.time_precision })
        }
        _ => text_clause(field, kind, operator, operands, context),
    }
}

fn ordered(name: &str, operator: Operator) -> Result<(), QueryError> {
    match operator {
        Operator::Contains | Operator::NotContains | Operator::Under | Operator::NotUnder => {
            Err(QueryError::Invalid(format!("TF51014: The operator cannot be used with the field «[{name}]».")))
        }
        _ => Ok(()),
    }
}

fn text_clause(
    field: FieldIndex,
    kind: FieldType,
    operator: Operator,
    operands: &[Operand],
    context: &Context<'_>,
) -> Result<Predicate, QueryError> {
    let texts = operands.iter().map(|operand| text(operand, context)).collect::<Result<Vec<_>, _>>()?;
    let organization = context.organization;
    let equal = matches!(operator, Operator::Equal | Operator::In);
    if field == fields::TEAM_PROJECT && equal {
        let indexes = texts.iter().filter_map(|name| organization.live_project(name));
        return Ok(Predicate::Project(indexes.filter_map(|index| u16::try_from(index).ok()).collect()));
    }
    if field == fields::STATE && equal {
        let wanted = |name: &str| texts.iter().any(|text| text.eq_ignore_ascii_case(name));
        return Ok(Predicate::State(organization.items.states_where(wanted)));
    }
    if kind == FieldType::TreePath && matches!(operator, Operator::Equal | Operator::Under) {
        known_paths(&texts, context)?;
    }
    Ok(Predicate::Text(field, operator, texts.iter().map(|text| text.to_lowercase()).collect()))
}

/// TF51011: a path that no node has.
fn known_paths(paths: &[String], context: &Context<'_>) -> Result<(), QueryError> {
    for path in paths {
        let wanted = path.trim_matches('\\');
        let mut nodes = context.organization.projects.iter().flat_map(|project| project.nodes.values());
        if !nodes.any(|node| node.path.eq_ignore_ascii_case(wanted)) {
            let message = format!(
                "TF51011: The specified iteration or area path does not exist. The error is caused by «'{path}'»."
            );
            return Err(QueryError::Invalid(message));
        }
    }
    Ok(())
}

fn number(operand: &Operand) -> Result<f64, QueryError> {
    match operand {
        Operand::Number(number) => Ok(*number),
        Operand::Text(text) => {
            text.trim().parse().map_err(|_| QueryError::Invalid(format!("TF51007: «'{text}'» is not a number.")))
        }
        Operand::Macro(name, _) => Err(QueryError::Invalid(format!("TF51015: The macro «{name}» is not a number."))),
    }
}

fn text(operand: &Operand, context: &Context<'_>) -> Result<String, QueryError> {
    match operand {
        Operand::Text(text) => Ok(text.clone()),
        Operand::Number(number) => Ok(number.to_string()),
        Operand::Macro(name, _) if name == "@project" => match context.project {
            Some(index) => Ok(context.organization.projects[index].name.clone()),
            None => Err(QueryError::Invalid("TF51016: The macro «@project» needs a project.".to_owned())),
        },
        Operand::Macro(name, _) if name == "@me" => Ok(context.identity.account.clone()),
        Operand::Macro(name, _) => Err(QueryError::Unsupported(format!("the macro {name}"))),
    }
}

/// A date; a literal with a time needs time precision (`ado-api.md` §9). Empty text stands for no date.
fn moment(operand: &Operand, context: &Context<'_>) -> Result<Option<i64>, QueryError> {
    let today = context.now.to_zoned(TimeZone::UTC).date();
    match operand {
        Operand::Macro(name, offset) if name == "@today" || name == "@startofday" => {
            let day = today.checked_add(offset.days()).unwrap_or(today);
            Ok(day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond()))
        }
        Operand::Text(text) if text.is_empty() => Ok(None),
        Operand::Text(text) => literal(text, context.time_precision).map(Some),
        Operand::Number(number) => Err(QueryError::Invalid(format!("TF51007: «{number}» is not a date."))),
        Operand::Macro(name, _) => Err(QueryError::Unsupported(format!("the macro {name}"))),
    }
}

fn literal(text: &str, time_precision: bool) -> Result<i64, QueryError> {
    if let Ok(date) = text.parse::<jiff::civil::Date>().map_err(drop)
        && !text.contains(':')
    {
        let zoned =
            date.to_zoned(TimeZone::UTC).map_err(|_| QueryError::Invalid("the date is out of range".to_owned()))?;
        return Ok(zoned.timestamp().as_millisecond());
    }
    let zoned = text.parse::<Timestamp>().ok();
    let moment = zoned
        .or_else(|| text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp()));
    match moment {
        None => Err(QueryError::Invalid(format!("TF51007: «'{text}'» is not a date."))),
        Some(_) if !time_precision => Err(QueryError::Invalid(
            "You cannot supply a time with the date when running a query using date precision. The error is caused by «[System.ChangedDate]».".to_owned(),
        )),
        Some(moment) => Ok(moment.as_millisecond()),
    }
}

impl Predicate {
    /// The least id that can fit, so that paging by id skips what lies before.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of ids")]
    pub fn first_id(&self) -> u32 {
        let bound = |value: f64| value.clamp(1.0, f64::from(u32::MAX)) as u32;
        match self {
            Self::Id(Operator::Greater, values) => values.first().map_or(1, |value| bound(value + 1.0)),
            Self::Id(Operator::GreaterEqual | Operator::Equal, values) => {
                values.first().map_or(1, |value| bound(*value))
            }
            Self::All(parts) => parts.iter().map(Self::first_id).max().unwrap_or(1),
            _ => 1,
        }
    }

    /// Whether an item fits.
    pub fn holds(&self, view: &ItemView<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(view)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(view)),
            Self::Not(inner) => !inner.holds(view),
            Self::Id(operator, values) => compare(f64::from(view.id), *operator, values),
            Self::Project(indexes) => indexes.contains(&view.row.project),
            Self::State(indexes) => indexes.contains(&view.row.state),
            Self::Number(field, operator, values) => match view.value(*field).as_ref().and_then(as_number) {
                Some(number) => compare(number, *operator, values),
                None => matches!(operator, Operator::NotEqual | Operator::NotIn),
            },
            Self::Date { field, operator, values, days } => {
                dates_fit(view.value(*field).as_ref().and_then(as_millis), *operator, values, *days)
            }
            Self::Text(field, operator, texts) => {
                texts_fit(&view.value(*field).as_ref().map_or(String::new(), as_text), *operator, texts)
            }
        }
    }
}

fn compare<T: PartialOrd + Copy>(value: T, operator: Operator, operands: &[T]) -> bool {
    let Some(first) = operands.first().copied() else { return false };
    match operator {
        Operator::Equal => value == first,
        Operator::NotEqual => value != first,
        Operator::Greater => value > first,
        Operator::GreaterEqual => value >= first,
        Operator::Less => value < first,
        Operator::LessEqual => value <= first,
        Operator::In => operands.contains(&value),
        Operator::NotIn => !operands.contains(&value),
        Operator::Contains | Operator::NotContains | Operator::Under | Operator::NotUnder => false,
    }
}

/// Empty dates equal only the empty literal; no order holds for them.
fn dates_fit(value: Option<i64>, operator: Operator, operands: &[Option<i64>], days: bool) -> bool {
    let cut = |millis: i64| if days { millis.div_euclid(DAY) } else { millis };
    let operands: Vec<Option<i64>> = operands.iter().map(|operand| operand.map(cut)).collect();
    let negative = matches!(operator, Operator::NotEqual | Operator::NotIn);
    match value.map(cut) {
        None => operands.contains(&None) != negative,
        Some(value) => {
            let known: Vec<i64> = operands.into_iter().flatten().collect();
            if known.is_empty() { negative } else { compare(value, operator, &known) }
        }
    }
}

fn texts_fit(value: &str, operator: Operator, texts: &[String]) -> bool {
    let value = value.to_lowercase();
    let Some(first) = texts.first() else { return false };
    let under = || {
        let path = first.trim_matches('\\');
        value == path || value.strip_prefix(path).is_some_and(|rest| rest.starts_with('\\'))
    };
    match operator {
        Operator::Contains => value.contains(first.as_str()),
        Operator::NotContains => !value.contains(first.as_str()),
        Operator::Under => under(),
        Operator::NotUnder => !under(),
        _ => {
            // An identity is named by its account, its display name, or both.
            let same = |text: &&String| {
                value == **text
                    || value.split(" <").next() == Some(text.as_str())
                    || value.ends_with(&format!("<{text}>"))
            };
            match operator {
                Operator::Equal | Operator::In => texts.iter().any(|text| same(&text)),
                Operator::NotEqual | Operator::NotIn => !texts.iter().any(|text| same(&text)),
                _ => compare(value.as_str(), operator, &[first.as_str()]),
            }
        }
    }
}

fn as_number(value: &FieldValue<'_>) -> Option<f64> {
    match value {
        #[allow(clippy::cast_precision_loss, reason = "ids and counts are below 2^53")]
        FieldValue::Integer(number) => Some(*number as f64),
        FieldValue::Number(number) => Some(*number),
        FieldValue::Json(value) => value.as_f64().or_else(|| value.as_str()?.parse().ok()),
        FieldValue::Text(text) => text.parse().ok(),
        FieldValue::Boolean(_) | FieldValue::Date(_) => None,
    }
}

fn as_millis(value: &FieldValue<'_>) -> Option<i64> {
    match value {
        FieldValue::Date(date) => Some(date.as_millisecond()),
        FieldValue::Json(value) => value.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        FieldValue::Text(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        _ => None,
    }
}

fn as_text(value: &FieldValue<'_>) -> String {
    match value {
        FieldValue::Text(text) => text.clone().into_owned(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Boolean(value) => value.to_string(),
        FieldValue::Date(date) => date.to_string(),
        FieldValue::Json(value) => text_of(value),
    }
}

/// A JSON value as text; identities as `Name <account>`.
pub(super) fn text_of(value: &Value) -> String {
    match (value, value.get("displayName").and_then(Value::as_str), value.get("uniqueName").and_then(Value::as_str)) {
        (_, Some(name), Some(account)) => format!("{name} <{account}>"),
        (Value::String(text), _, _) => text.clone(),
        _ => value.to_string(),
    }
}

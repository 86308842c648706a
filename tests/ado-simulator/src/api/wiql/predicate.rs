//! A WIQL condition, resolved and ready to be asked of items.

use jiff::Timestamp;
use serde_json::Value;

use super::parse::Operator;
use crate::state::catalog::fields::FieldIndex;
use crate::state::item_values::{FieldValue, ItemView};

const DAY: i64 = 86_400_000;

/// A resolved condition. Ids, projects and states are compared without building values.
#[derive(Debug)]
pub(super) enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    Id(Operator, Vec<f64>),
    Project(Vec<u16>),
    State(Vec<u16>),
    /// By process and place in it.
    Kind(Vec<Vec<bool>>),
    Boolean(FieldIndex, bool),
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
            Self::Kind(types) => types[view.project.process][usize::from(view.row.kind)],
            Self::Boolean(field, wanted) => view.value(*field).as_ref().is_some_and(is_true) == *wanted,
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
        Operator::Contains
        | Operator::NotContains
        | Operator::Under
        | Operator::NotUnder
        | Operator::InGroup
        | Operator::NotInGroup => false,
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

fn is_true(value: &FieldValue<'_>) -> bool {
    match value {
        FieldValue::Boolean(value) => *value,
        FieldValue::Json(value) => value.as_bool().unwrap_or(false),
        _ => false,
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

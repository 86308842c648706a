//! Resolves a WIQL condition against the organization.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::parse::{Condition, Operand, Operator};
use super::predicate::Predicate;
use super::{QueryError, find_field};
use crate::state::catalog::fields::{self, FieldIndex, FieldType};
use crate::state::identity::Identity;
use crate::state::organization::Organization;
use crate::state::process::Process;

/// What operands are resolved with.
pub(super) struct Context<'a> {
    pub organization: &'a Organization,
    pub identity: &'a Identity,
    /// The project of the URL.
    pub project: Option<usize>,
    pub time_precision: bool,
    pub now: Timestamp,
}

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
        FieldType::Boolean => boolean_clause(field, operator, operands),
        _ if field == fields::WORK_ITEM_TYPE => kind_clause(field, kind, operator, operands, context),
        _ if matches!(operator, Operator::InGroup | Operator::NotInGroup) => Err(not_for(name)),
        _ => text_clause(field, kind, operator, operands, context),
    }
}

/// A flag that is not set counts as false.
fn boolean_clause(field: FieldIndex, operator: Operator, operands: &[Operand]) -> Result<Predicate, QueryError> {
    let wanted = match operands {
        [Operand::Text(text)] if text.eq_ignore_ascii_case("true") || text == "1" => true,
        [Operand::Text(text)] if text.eq_ignore_ascii_case("false") || text == "0" => false,
        [Operand::Number(number)] => *number != 0.0,
        _ => return Err(QueryError::Invalid("TF51007: The value is neither True nor False.".to_owned())),
    };
    match operator {
        Operator::Equal => Ok(Predicate::Boolean(field, wanted)),
        Operator::NotEqual => Ok(Predicate::Boolean(field, !wanted)),
        _ => Err(QueryError::Invalid("TF51014: The operator cannot be used with this field.".to_owned())),
    }
}

/// Types by name or by category.
fn kind_clause(
    field: FieldIndex,
    kind: FieldType,
    operator: Operator,
    operands: &[Operand],
    context: &Context<'_>,
) -> Result<Predicate, QueryError> {
    let names = operands.iter().map(|operand| text(operand, context)).collect::<Result<Vec<_>, _>>()?;
    let wanted = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let processes = context.organization.processes.iter();
    let found = match operator {
        Operator::Equal | Operator::In | Operator::NotEqual | Operator::NotIn => {
            processes.map(|process| process.types.iter().map(|kind| wanted(&kind.name)).collect()).collect()
        }
        Operator::InGroup | Operator::NotInGroup => {
            let in_process = |process: &Process| {
                let groups = process.categories();
                let groups = groups.iter().filter(|(category, _)| wanted(&format!("Microsoft.{category}")));
                let members: Vec<usize> = groups.flat_map(|(_, members)| members.iter().copied()).collect();
                (0..process.types.len()).map(|place| members.contains(&place)).collect()
            };
            processes.map(in_process).collect()
        }
        _ => return text_clause(field, kind, operator, operands, context),
    };
    let negative = matches!(operator, Operator::NotEqual | Operator::NotIn | Operator::NotInGroup);
    let found = Predicate::Kind(found);
    Ok(if negative { Predicate::Not(Box::new(found)) } else { found })
}

/// An operator that a field does not take.
fn not_for(name: &str) -> QueryError {
    QueryError::Invalid(format!("TF51014: The operator cannot be used with the field «[{name}]»."))
}

fn ordered(name: &str, operator: Operator) -> Result<(), QueryError> {
    match operator {
        Operator::Contains
        | Operator::NotContains
        | Operator::Under
        | Operator::NotUnder
        | Operator::InGroup
        | Operator::NotInGroup => Err(not_for(name)),
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

//! The value of each field of a work item: written, or else generated.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::catalog::fields::{self, FieldIndex};
use super::items::{Details, Presence, Row};
use super::organization::Organization;
use super::process::{StateCategory, WorkItemType};
use super::project::Project;
use super::random::{below, mix, unit};
use super::words;

/// A field's value.
#[derive(Clone, Debug)]
pub(crate) enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(Timestamp),
    /// Anything as written or as kept in JSON, such as identities.
    Json(&'a Value),
}

impl Serialize for FieldValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            // Trailing zeros of the fraction are dropped, as recorded.
            Self::Date(date) => serializer.collect_str(date),
            Self::Json(value) => value.serialize(serializer),
        }
    }
}

/// A work item with all that its values depend on.
pub(crate) struct ItemView<'a> {
    pub seed: u64,
    pub organization: &'a Organization,
    pub id: u32,
    pub row: &'a Row,
    pub project: &'a Project,
    pub kind: &'a WorkItemType,
    /// What was written to it.
    pub details: Option<&'a Details>,
}

impl<'a> ItemView<'a> {
    /// The item of an id, whatever its presence, except destroyed ones.
    pub fn of(seed: u64, organization: &'a Organization, id: u32) -> Option<Self> {
        let row = organization.items.get(id).filter(|row| row.presence != Presence::Destroyed)?;
        Some(Self::new(seed, organization, id, row))
    }

    pub fn new(seed: u64, organization: &'a Organization, id: u32, row: &'a Row) -> Self {
        Self::with_details(seed, organization, id, row, organization.items.details(id))
    }

    /// An item that is not, or not yet, what the organization holds.
    pub fn with_details(
        seed: u64,
        organization: &'a Organization,
        id: u32,
        row: &'a Row,
        details: Option<&'a Details>,
    ) -> Self {
        let project = &organization.projects[usize::from(row.project)];
        let kind = &organization.processes[project.process].types[usize::from(row.kind)];
        Self { seed, organization, id, row, project, kind, details }
    }

    /// The value of a field, `None` where it is empty.
    pub fn value(&self, field: FieldIndex) -> Option<FieldValue<'a>> {
        match self.details.and_then(|details| details.fields.get(&field)) {
            Some(Value::Null) => None,
            Some(value) => Some(FieldValue::Json(value)),
            None => self.structural(field).or_else(|| self.derived(field)),
        }
    }

    /// Values that live in the row.
    fn structural(&self, field: FieldIndex) -> Option<FieldValue<'a>> {
        let text = |text: &'a str| Some(FieldValue::Text(Cow::Borrowed(text)));
        let node = |id: u32| self.project.nodes.get(&id);
        Some(match field {
            fields::ID => FieldValue::Integer(self.id.into()),
            fields::REV => FieldValue::Integer(self.row.rev.into()),
            fields::WORK_ITEM_TYPE => return text(&self.kind.name),
            fields::STATE => return text(self.organization.items.state_name(self.row.state)),
            fields::AREA_ID => FieldValue::Integer(self.row.area.into()),
            fields::ITERATION_ID => FieldValue::Integer(self.row.iteration.into()),
            fields::AREA_PATH => return text(&node(self.row.area)?.path),
            fields::ITERATION_PATH => return text(&node(self.row.iteration)?.path),
            fields::NODE_NAME => return text(&node(self.row.area)?.name),
            fields::TEAM_PROJECT | fields::AREA_LEVEL_1 | fields::ITERATION_LEVEL_1 => return text(&self.project.name),
            fields::ITERATION_LEVEL_2 => return text(node(self.row.iteration)?.path.split('\\').nth(1)?),
            // A parent in the recycle bin is not shown, as links to it are not.
            fields::PARENT => {
                let parent = Some(self.row.parent).filter(|id| self.organization.items.is_live(*id))?;
                FieldValue::Integer(parent.into())
            }
            fields::CREATED_DATE => date(self.row.created)?,
            fields::CHANGED_DATE | fields::AUTHORIZED_DATE => date(self.row.changed)?,
            fields::WATERMARK => FieldValue::Integer(self.row.watermark.into()),
            fields::IS_DELETED => FieldValue::Boolean((self.row.presence == Presence::Deleted).then_some(true)?),
            _ => return None,
        })
    }

    fn derived(&self, field: FieldIndex) -> Option<FieldValue<'a>> {
        if !self.row.written {
            return self.generated(field);
        }
        match field {
            fields::COMMENT_COUNT => Some(FieldValue::Integer(0)),
            fields::PERSON_ID => Some(FieldValue::Integer(279_000_001)),
            fields::REVISED_DATE => Some(FieldValue::Text(Cow::Borrowed("9999-01-01T00:00:00Z"))),
            fields::STATE_CHANGE_DATE => date(self.row.changed),
            fields::REASON => Some(FieldValue::Text(Cow::Borrowed("New"))),
            _ => None,
        }
    }

    /// Values that follow from the seed and the id, for fields that the type has.
    fn generated(&self, field: FieldIndex) -> Option<FieldValue<'a>> {
        let used = self.kind.field(field)?;
        let bits = mix(self.seed, 100 + u64::from(field), u64::from(self.id));
        let person = |bits| FieldValue::Json(&self.organization.identities[below(bits, 5)].reference);
        let owned = |text: String| FieldValue::Text(Cow::Owned(text));
        Some(match field {
            fields::TITLE => owned(words::title(self.seed, self.id, &self.kind.name)),
            fields::DESCRIPTION => owned(words::html(self.seed, self.id, 21)),
            fields::ACCEPTANCE_CRITERIA | fields::REPRO_STEPS => owned(words::html(self.seed, self.id, 23)),
            fields::TAGS => owned(words::tags(self.seed, self.id)?),
            fields::REASON => owned(format!("Moved to state {}", self.organization.items.state_name(self.row.state))),
            fields::ASSIGNED_TO => person((!bits.is_multiple_of(3)).then_some(bits >> 8)?),
            fields::CREATED_BY | fields::CHANGED_BY | fields::AUTHORIZED_AS => person(bits),
            fields::COMMENT_COUNT => FieldValue::Integer(0),
            fields::REVISED_DATE => owned("9999-01-01T00:00:00Z".to_owned()),
            fields::PRIORITY => FieldValue::Integer(1 + i64::try_from(bits % 4).unwrap_or(0)),
            fields::PERSON_ID => FieldValue::Integer(i64::try_from(bits % 1_000_000_000).unwrap_or(0)),
            fields::STATE_CHANGE_DATE | fields::ACTIVATED_DATE | fields::RESOLVED_DATE | fields::CLOSED_DATE => {
                date(self.milestone(field)?)?
            }
            fields::STACK_RANK | fields::BACKLOG_PRIORITY => FieldValue::Number(f64::from(self.id) * 1000.5),
            fields::STORY_POINTS | fields::EFFORT | fields::SIZE | fields::REMAINING_WORK => {
                FieldValue::Number((unit(bits) * 20.0).floor() + 0.5 * f64::from(u8::from(bits.is_multiple_of(2))))
            }
            fields::TARGET_DATE => date(self.midnight_after(90)?)?,
            fields::START_DATE => date(self.midnight_after(1)?)?,
            _ => {
                let values = used.generated.as_ref().unwrap_or(&used.values);
                FieldValue::Text(Cow::Borrowed(values.get(below(bits, values.len()))?))
            }
        })
    }

    fn category(&self) -> StateCategory {
        let state = self.organization.items.state_name(self.row.state);
        self.kind.state(state).map_or(StateCategory::InProgress, |state| state.category)
    }

    /// The dates that an item of its state category has, between creation and last change.
    fn milestone(&self, field: FieldIndex) -> Option<i64> {
        let category = self.category();
        let reached = match field {
            fields::ACTIVATED_DATE => category != StateCategory::Proposed,
            fields::RESOLVED_DATE => matches!(category, StateCategory::Resolved | StateCategory::Completed),
            fields::CLOSED_DATE => category == StateCategory::Completed,
            _ => true,
        };
        let span = self.row.changed - self.row.created;
        let part = match field {
            fields::ACTIVATED_DATE => span / 4,
            fields::RESOLVED_DATE => span / 2,
            _ => span,
        };
        reached.then_some(self.row.created + part)
    }

    /// A date without a time: midnight UTC, some days after creation.
    fn midnight_after(&self, days: i64) -> Option<i64> {
        const DAY: i64 = 86_400_000;
        (!self.id.is_multiple_of(3)).then_some((self.row.created / DAY + days) * DAY)
    }
}

fn date<'a>(millis: i64) -> Option<FieldValue<'a>> {
    Timestamp::from_millisecond(millis).ok().map(FieldValue::Date)
}

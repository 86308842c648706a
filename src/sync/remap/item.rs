//! The fields of a stored item that the mapping looks at.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::ado::model::WorkItemId;
use crate::domain::mapping::accept::SEVERITY;

const PRIORITY: &str = "Microsoft.VSTS.Common.Priority";

/// What is absent or of an odd type is none.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub iteration_id: Option<u32>,
    pub iteration_path: Option<String>,
    pub parent: Option<WorkItemId>,
    pub priority: Option<Value>,
    pub severity: Option<Value>,
    /// The date fields that were asked for, in that order.
    pub dates: Vec<Option<Value>>,
}

impl Fields {
    /// Takes them out of the stored JSON object; all others are skipped without being built. What was stored was JSON when it
    /// came, so that nothing is lost by taking anything else as empty.
    pub(super) fn read(json: &str, dates: &[&str]) -> Self {
        let none = || Self { dates: vec![None; dates.len()], ..Self::default() };
        serde_json::Deserializer::from_str(json)
            .deserialize_map(Wanted { fields: none(), dates })
            .unwrap_or_else(|_| none())
    }
}

struct Wanted<'a> {
    fields: Fields,
    dates: &'a [&'a str],
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a work item")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut members: M) -> Result<Fields, M::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            let place = self.dates.iter().position(|date| date.eq_ignore_ascii_case(&name));
            match (&*name, place) {
                (_, Some(place)) => self.fields.dates[place] = members.next_value::<Option<Value>>()?,
                ("System.IterationId", _) => self.fields.iteration_id = number(&members.next_value()?),
                ("System.Parent", _) => self.fields.parent = number(&members.next_value()?).map(WorkItemId),
                ("System.IterationPath", _) => {
                    self.fields.iteration_path = members.next_value::<Value>()?.as_str().map(str::to_owned);
                }
                (PRIORITY, _) => self.fields.priority = members.next_value::<Option<Value>>()?,
                (SEVERITY, _) => self.fields.severity = members.next_value::<Option<Value>>()?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(self.fields)
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

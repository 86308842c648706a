//! Checks a JSON value against a schema, with the corrections of `ado-api.md` §1 *Wire form versus spec*.

use std::collections::HashMap;

use serde_json::Value;

use super::document::Schema;

/// Nesting beyond which nothing is checked any more (schemas may be recursive).
const DEPTH_LIMIT: usize = 40;

/// How strictly member names and enumerations are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What a client sends: the service reads names and enumerations without case.
    Request,
    /// What the simulator answers: spelled exactly.
    Response,
}

/// The definitions that references point into, and the direction of the value.
pub(crate) struct Checker<'a> {
    definitions: &'a HashMap<String, Schema>,
    direction: Direction,
    problems: Vec<String>,
}

impl<'a> Checker<'a> {
    pub fn new(definitions: &'a HashMap<String, Schema>, direction: Direction) -> Self {
        Self { definitions, direction, problems: Vec::new() }
    }

    /// What does not fit, each with the place in the value; empty if all is well.
    pub fn check(mut self, value: &Value, schema: &Schema) -> Vec<String> {
        self.value("$", value, schema, 0);
        self.problems
    }

    fn problem(&mut self, place: &str, text: &str) {
        self.problems.push(format!("{place}: {text}"));
    }

    fn resolve<'s>(&self, schema: &'s Schema) -> Option<&'s Schema>
    where
        'a: 's,
    {
        match schema.reference.as_deref() {
            None => Some(schema),
            Some(reference) => self.definitions.get(reference.rsplit('/').next().unwrap_or_default()),
        }
    }

    fn value(&mut self, place: &str, value: &Value, schema: &Schema, depth: usize) {
        if value.is_null() || depth > DEPTH_LIMIT {
            return;
        }
        let definitions = self.definitions;
        let schema = match schema.reference.as_deref() {
            None => schema,
            // The file describes the class behind the links, not the dictionary that it is written as.
            Some(reference) if reference.ends_with("/ReferenceLinks") => return,
            Some(reference) => match definitions.get(reference.rsplit('/').next().unwrap_or_default()) {
                Some(found) => found,
                None => return self.problem(place, &format!("unresolved reference {reference}")),
            },
        };
        if let Some(values) = &schema.values {
            return self.enumeration(place, value, values);
        }
        if let Some(array) = schema.parents.iter().find(|parent| parent.kind.as_deref() == Some("array")) {
            return self.value(place, value, array, depth + 1);
        }
        match schema.kind.as_deref() {
            Some("array") => self.array(place, value, schema, depth),
            Some("string") => self.string(place, value, schema.format.as_deref()),
            Some("boolean") if !value.is_boolean() => self.problem(place, "is not a boolean"),
            Some("integer") => self.integer(place, value, schema.format.as_deref()),
            Some("number") if !value.is_number() => self.problem(place, "is not a number"),
            Some("object") | None => self.object(place, value, schema, depth),
            _ => {}
        }
    }

    fn enumeration(&mut self, place: &str, value: &Value, values: &[String]) {
        let Some(text) = value.as_str() else {
            // Flags and older clients send the number of the value.
            if !value.is_number() {
                self.problem(place, "is neither a name nor a number of the enumeration");
            }
            return;
        };
        let known = |part: &str| match self.direction {
            Direction::Request => values.iter().any(|value| value.eq_ignore_ascii_case(part)),
            Direction::Response => values.iter().any(|value| value == part),
        };
        let unknown = text.split(',').map(str::trim).find(|part| !known(part)).map(str::to_owned);
        if let Some(part) = unknown {
            self.problem(place, &format!("'{part}' is not one of {}", values.join(", ")));
        }
    }

    fn array(&mut self, place: &str, value: &Value, schema: &Schema, depth: usize) {
        let Some(elements) = value.as_array() else { return self.problem(place, "is not an array") };
        let Some(items) = schema.items.as_deref() else { return };
        for (index, element) in elements.iter().enumerate() {
            self.value(&format!("{place}[{index}]"), element, items, depth + 1);
        }
    }

    fn string(&mut self, place: &str, value: &Value, format: Option<&str>) {
        if format == Some("byte") {
            if !value.is_string() && !value.is_i64() {
                self.problem(place, "is neither bytes nor an integer");
            }
            return;
        }
        if format == Some("T") {
            // The type parameter of a generic class (pages of the reporting feeds): anything.
            return;
        }
        let Some(text) = value.as_str() else { return self.problem(place, "is not a string") };
        match format {
            Some("uuid") if uuid::Uuid::try_parse(text).is_err() => self.problem(place, "is not a GUID"),
            Some("date-time") if !is_date(text) => self.problem(place, "is not a date"),
            _ => {}
        }
    }

    fn integer(&mut self, place: &str, value: &Value, format: Option<&str>) {
        let fits = match format {
            Some("int32") => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            _ => value.is_i64() || value.is_u64(),
        };
        if !fits {
            self.problem(place, "is not an integer of its size");
        }
    }

    fn object(&mut self, place: &str, value: &Value, schema: &Schema, depth: usize) {
        let mut members = Vec::new();
        let mut additional = None;
        self.collect(schema, &mut members, &mut additional, 0);
        if members.is_empty() && additional.is_none() {
            return;
        }
        let Some(object) = value.as_object() else { return self.problem(place, "is not an object") };
        for (name, member) in object {
            let found = members.iter().find(|(known, _)| match self.direction {
                Direction::Request => known.eq_ignore_ascii_case(name),
                Direction::Response => *known == name,
            });
            match (found, additional) {
                (Some((_, schema)), _) => self.value(&format!("{place}.{name}"), member, schema, depth + 1),
                (None, Some(schema)) => self.value(&format!("{place}.{name}"), member, schema, depth + 1),
                (None, None) => self.problem(place, &format!("has no member '{name}'")),
            }
        }
    }

    /// Members of a schema and of all that it inherits.
    fn collect<'s>(
        &self,
        schema: &'s Schema,
        members: &mut Vec<(&'s String, &'s Schema)>,
        additional: &mut Option<&'s Schema>,
        depth: usize,
    ) where
        'a: 's,
    {
        if depth > DEPTH_LIMIT {
            return;
        }
        members.extend(schema.properties.iter());
        if let Some(schema) = schema.additional.as_deref() {
            *additional = Some(schema);
        }
        for parent in &schema.parents {
            if let Some(parent) = self.resolve(parent) {
                self.collect(parent, members, additional, depth + 1);
            }
        }
    }
}

/// Dates come with or without zone and with any number of fraction digits.
fn is_date(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
}

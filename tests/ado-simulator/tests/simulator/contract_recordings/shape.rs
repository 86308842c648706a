//! The shape of JSON: members, their types, whether every element of a list has them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What stands at a place, of all values seen there.
#[derive(Debug, Default)]
pub struct Shape {
    types: BTreeSet<&'static str>,
    /// Objects seen here, and each member with the number of objects that have it.
    objects: usize,
    members: BTreeMap<String, (usize, Shape)>,
    /// All elements of the arrays seen here, merged.
    elements: Option<Box<Shape>>,
}

impl Shape {
    pub fn of(value: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(value);
        shape
    }

    fn add(&mut self, value: &Value) {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.types.insert(name);
        match value {
            Value::Object(members) => {
                self.objects += 1;
                for (name, member) in members {
                    let (count, shape) = self.members.entry(name.clone()).or_default();
                    *count += 1;
                    shape.add(member);
                }
            }
            Value::Array(elements) => {
                let merged = self.elements.get_or_insert_default();
                for element in elements {
                    merged.add(element);
                }
            }
            _ => {}
        }
    }

    fn always(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|(count, _)| *count == self.objects)
    }
}

/// Members whose names are data: states, categories, dates of other processes.
const DICTIONARIES: &[&str] = &["states", "transitions", "backlogVisibilities", "publisherInputs", "consumerInputs"];

/// How `ours` differs from `theirs`.
pub fn compare(theirs: &Shape, ours: &Shape) -> Vec<String> {
    let mut problems = Vec::new();
    at("$", theirs, ours, &mut problems);
    problems
}

fn at(place: &str, theirs: &Shape, ours: &Shape, problems: &mut Vec<String>) {
    // Null on either side is a matter of the value where the other types agree.
    let solid = |shape: &Shape| shape.types.iter().copied().filter(|name| *name != "null").collect::<BTreeSet<_>>();
    let (their_types, our_types) = (solid(theirs), solid(ours));
    let only_null = |shape: &Shape| shape.types.len() == 1 && shape.types.contains("null");
    if !their_types.is_empty() && !our_types.is_empty() && !our_types.is_subset(&their_types) {
        problems.push(format!("~{place}: {our_types:?} instead of {their_types:?}"));
    }
    if only_null(theirs) && !only_null(ours) && !ours.types.contains("null") {
        problems.push(format!("~{place}: never null, as recorded"));
    }
    if let (Some(theirs), Some(ours)) = (&theirs.elements, &ours.elements)
        && !theirs.types.is_empty()
        && !ours.types.is_empty()
    {
        at(&format!("{place}[]"), theirs, ours, problems);
    }
    if theirs.objects == 0 || ours.objects == 0 || DICTIONARIES.iter().any(|name| place.ends_with(&format!(".{name}")))
    {
        return;
    }
    for (name, (_, shape)) in &theirs.members {
        match ours.members.get(name) {
            Some((_, own)) => at(&format!("{place}.{name}"), shape, own, problems),
            None if theirs.always(name) => problems.push(format!("-{place}.{name}")),
            None => {}
        }
    }
    for name in ours.members.keys().filter(|name| !theirs.members.contains_key(*name)) {
        problems.push(format!("+{place}.{name}"));
    }
}

//! The mapping rules of work items, stated a second time: an oracle to compare the operator's own mapping with.
//!
//! It shares no code with the operator. Each function restates one sentence of the rules, quoted in short at its head
//! ("Rule: …"), and is slow and plain on purpose: lists are searched from the front, trees are walked node by node.
//! [`map`] takes and returns JSON documents; its tests hold one small world per sentence.

mod acceptance;
mod drift;
mod input;
mod iterations;
mod names;
mod placing;
mod process;
mod records;
mod selection;
mod sources;
mod values;
mod warnings;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::input::{Input, Spec, World};
use crate::iterations::Tree;

/// What every rule may look at: the spec, the world that it was accepted in, and the world and items as they are now.
pub(crate) struct Case<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) then: &'a World,
    pub(crate) now: &'a World,
    pub(crate) tree_then: Tree,
    pub(crate) tree_now: Tree,
    pub(crate) items: &'a [input::Item],
}

/// Maps the items of one project.
///
/// `input` holds `spec`, `accepted` (the world in which the spec was accepted; null = accepted now), `world` and
/// `items`. The answer is either `{"error": {"field": …}}` for a spec that was not acceptable, or the effective types,
/// tiers, releases, sprints, records, unmapped values, warnings and what is gone.
///
/// # Panics
///
/// On a document that has not this form.
#[must_use]
pub fn map(input: &Value) -> Value {
    let input = Input::read(input);
    let then = input.accepted.as_ref().unwrap_or(&input.world);
    let case = Case {
        spec: &input.spec,
        then,
        now: &input.world,
        tree_then: Tree::of(&then.tree),
        tree_now: Tree::of(&input.world.tree),
        items: &input.items,
    };
    match acceptance::first_invalid_field(&case) {
        Some(field) => json!({"error": {"field": field}}),
        None => records::document(&case),
    }
}

//! The mapping against an oracle: a plain restatement of the rules by somebody who did not see the code.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;
mod ours;
mod sentences;
mod small;
mod words;
mod worlds;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use worlds::{Choices, document};

/// Cases of the short run; `SOAK=1` runs a hundred times as many.
const CASES: u32 = 2_000;

fn cases() -> u32 {
    if std::env::var_os("SOAK").is_some() { CASES * 100 } else { CASES }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_mapping_is_what_the_oracle_says(choices in proptest::collection::vec(any::<u16>(), 0..400)) {
        let document = document(&mut Choices::new(&choices));
        let (ours, theirs) = (ours::map(&document), mapping_oracle::map(&document));
        // Of several invalid fields each may name another one first.
        let both_refuse = ours["error"].is_object() && theirs["error"].is_object();
        prop_assert!(both_refuse || ours == theirs, "{}", difference(&document, &ours, &theirs));
    }
}

/// What a person needs to see why the two differ: the members that do, and the document.
fn difference(document: &Value, ours: &Value, theirs: &Value) -> String {
    let none = serde_json::Map::new();
    let members = |value: &Value| value.as_object().unwrap_or(&none).keys().cloned().collect::<BTreeSet<_>>();
    let names = &members(ours) | &members(theirs);
    let differing = names.iter().filter(|name| ours[name.as_str()] != theirs[name.as_str()]);
    let shown =
        differing.map(|name| format!("{name}\n  ours   {}\n  theirs {}\n", ours[name.as_str()], theirs[name.as_str()]));
    let differences: String = shown.collect();
    format!(
        "{differences}\nspec {}\nitems {}\nworld {}\naccepted {}",
        document["spec"], document["items"], document["world"], document["accepted"]
    )
}

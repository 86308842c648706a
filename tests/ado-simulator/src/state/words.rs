//! Words for generated titles and texts.

use super::random::{below, mix};

const ACTORS: &[&str] =
    &["customer", "clerk", "auditor", "merchant", "courier", "support agent", "Sachbearbeiterin", "guest"];
const WISHES: &[&str] = &[
    "pay by invoice",
    "see the order history",
    "export a report",
    "change the delivery address",
    "scan a voucher",
    "compare two offers",
    "cancel a booking",
    "receive a receipt by mail",
    "filter by date",
    "sign in with a key",
];
const FAULTS: &[&str] = &[
    "Totals are rounded wrongly",
    "The page stays blank",
    "Umlauts (äöüß) are garbled",
    "A timeout is shown twice",
    "The button does nothing",
    "Dates shift by one day",
    "The list is not sorted",
    "Memory grows overnight 🐌",
];
const TOPICS: &[&str] =
    &["checkout", "reporting", "sign-in", "search", "shipping", "invoicing", "notifications", "imports"];

/// The title of an item of a type.
pub(crate) fn title(seed: u64, id: u32, kind: &str) -> String {
    let pick = |stream, words: &'static [&'static str]| words[below(mix(seed, stream, u64::from(id)), words.len())];
    match kind {
        "Bug" | "Issue" | "Impediment" | "Risk" => format!("{} in {}", pick(11, FAULTS), pick(12, TOPICS)),
        "Epic" | "Feature" | "Initiative" => format!("{}: {}", pick(12, TOPICS), pick(13, WISHES)),
        "Task" => format!("Prepare {} for {}", pick(12, TOPICS), pick(14, ACTORS)),
        "Test Case" => format!("Check that a {} can {}", pick(14, ACTORS), pick(13, WISHES)),
        _ => format!("As a {} I can {}", pick(14, ACTORS), pick(13, WISHES)),
    }
}

/// A short HTML text.
pub(crate) fn html(seed: u64, id: u32, stream: u64) -> String {
    let topic = TOPICS[below(mix(seed, stream, u64::from(id)), TOPICS.len())];
    let wish = WISHES[below(mix(seed, stream + 1, u64::from(id)), WISHES.len())];
    format!("<div>Concerns <b>{topic}</b> &amp; whoever wants to {wish}.</div>")
}

/// Tags in the service's form; most items have none.
pub(crate) fn tags(seed: u64, id: u32) -> Option<String> {
    let bits = mix(seed, 15, u64::from(id));
    bits.is_multiple_of(4).then(|| format!("{}; {}", TOPICS[below(bits >> 8, 4)], TOPICS[4 + below(bits >> 16, 4)]))
}

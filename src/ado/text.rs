//! Texts of the service on their way to people: names and messages are somebody's input.

/// Whether a character may not reach a terminal or a page: control characters, and the invisible ones that could reorder
/// or hide what is shown (Unicode's bidirectional controls and zero-width characters).
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A name of at most `limit` characters without hidden ones. Names as the service permits them stay as they are.
pub(super) fn name(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !is_hidden(*c)).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_stay_and_what_hides_or_floods_does_not() {
        for usual in ["Payments", "Zahlungen & Übersicht", "User  Story", "支払い", "a-b_c (d)"] {
            assert_eq!(name(usual, 256), usual);
        }
        assert_eq!(name("evil\u{202e}txt\u{7}\n\u{1b}[2J", 256), "eviltxt[2J");
        assert_eq!(name(&"ü".repeat(1000), 256).chars().count(), 256);
    }
}

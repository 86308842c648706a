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

/// JSON with a replacement character for each escaped half of a surrogate pair that stands alone: the service lets people cut
/// an emoji in two, and no text can hold half of one. None if there is none.
pub(super) fn whole_characters(json: &str) -> Option<String> {
    let mut whole = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = json.get(at..)?.find('\\') {
        let escape = at + found;
        at = match (half(json, escape), half(json, escape + ESCAPE)) {
            (Some(Half::First), Some(Half::Second)) => escape + 2 * ESCAPE,
            (Some(_), _) => {
                whole.push_str(json.get(kept..escape)?);
                whole.push_str("\\ufffd");
                kept = escape + ESCAPE;
                kept
            }
            // The character behind the backslash, which may be another one; whatever it is, no half ends with it.
            (None, _) => escape + 2,
        };
    }
    (kept > 0).then(|| whole + &json[kept..])
}

/// Length of an escape like `\ud83d`.
const ESCAPE: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// The half of a surrogate pair whose escape stands at a place.
fn half(json: &str, at: usize) -> Option<Half> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::First),
        0xdc00..=0xdfff => Some(Half::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_are_replaced_and_nothing_else() {
        for (json, expected) in [
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (r#""a\uDE00b\ud83d\ude00\ud83d\ud83d\ude00""#, Some(r#""a\ufffdb\ud83d\ude00\ufffd\ud83d\ude00""#)),
            (r#""\ud83d\n\ude00\\""#, Some(r#""\ufffd\n\ufffd\\""#)),
            (r#""\\ud83d \u00e9 \ud83d\ude00 \"""#, None),
            (r#""ü\"#, None),
            (r#""\ud8"#, None),
        ] {
            assert_eq!(whole_characters(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn usual_names_stay_and_what_hides_or_floods_does_not() {
        for usual in ["Payments", "Zahlungen & Übersicht", "User  Story", "支払い", "a-b_c (d)"] {
            assert_eq!(name(usual, 256), usual);
        }
        assert_eq!(name("evil\u{202e}txt\u{7}\n\u{1b}[2J", 256), "eviltxt[2J");
        assert_eq!(name(&"ü".repeat(1000), 256).chars().count(), 256);
    }
}

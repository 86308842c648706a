//! Writes YAML that people edit: comments beside values, and texts of other people quoted so that they stay texts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_yaml_ng::{Mapping, Value};

/// Plain words that one reader or another takes for something else than a text (YAML 1.1 and 1.2).
const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];

/// Comments by the path of the member that they stand above, such as `spec.project`.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, Vec<String>>);

impl Notes {
    /// Adds a line; an empty one stays empty.
    pub fn add(&mut self, path: &str, line: impl Into<String>) {
        self.0.entry(path.to_owned()).or_default().push(line.into());
    }

    /// Adds lines.
    pub fn extend(&mut self, path: &str, lines: impl IntoIterator<Item = String>) {
        lines.into_iter().for_each(|line| self.add(path, line));
    }
}

/// The members of an object one below the other, each with its comments. What holds only scalars stands on one line.
pub(super) fn document(value: &Mapping, notes: &Notes) -> String {
    let mut text = String::new();
    write_members(&mut text, value, "", "", notes);
    text
}

fn write_members(text: &mut String, members: &Mapping, above: &str, indent: &str, notes: &Notes) {
    for (key, value) in members {
        let key = flow(key);
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        for line in notes.0.get(&path).into_iter().flatten() {
            write_comment(text, indent, line);
        }
        match value {
            Value::Mapping(below) if below.values().any(is_nested) => {
                let _ = writeln!(text, "{indent}{key}:");
                write_members(text, below, &path, &format!("{indent}  "), notes);
            }
            Value::Sequence(items) if items.iter().any(is_nested) => {
                let _ = writeln!(text, "{indent}{key}:");
                for item in items {
                    let _ = writeln!(text, "{indent}  - {}", flow(item));
                }
            }
            other => {
                let _ = writeln!(text, "{indent}{key}: {}", flow(other));
            }
        }
    }
}

/// A comment ends where its line does, whatever somebody wrote into it.
fn write_comment(text: &mut String, indent: &str, line: &str) {
    let line: String = line.chars().filter(|c| is_printable(*c)).collect();
    let _ = if line.is_empty() { writeln!(text) } else { writeln!(text, "{indent}# {line}") };
}

const fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Mapping(_) | Value::Sequence(_))
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => scalar(text),
        Value::Sequence(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Mapping(members) => {
            let member = |(key, value): (&Value, &Value)| format!("{}: {}", flow(key), flow(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Tagged(tagged) => flow(&tagged.value),
    }
}

/// A text on one line that every reader takes for that text, within lists and comments too: plain where nothing can be
/// misread, else in single quotes, or in double quotes where characters have to be escaped.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else if text.chars().all(is_printable) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        let escaped: String = text.chars().map(escaped).collect();
        format!("\"{escaped}\"")
    }
}

/// Begins with a letter, has nothing that is a sign of YAML anywhere, and is no word with another meaning.
fn is_plain(text: &str) -> bool {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '\\' | '(' | ')' | '+');
    text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(harmless)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a character can stand as it is: no control character, no line break of Unicode, nothing that hides or reorders
/// what is shown, nothing that YAML forbids.
fn is_printable(c: char) -> bool {
    let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    !c.is_control() && !hides && (u32::from(c) & 0xfffe) != 0xfffe
}

fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        _ if is_printable(c) => c.to_string(),
        _ => format!("\\U{:08X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that a careless writer turns into something else.
    const NASTY: &[&str] = &[
        "",
        " ",
        "a ",
        " a",
        "-",
        "- a",
        "-a",
        "--- ",
        "...",
        "?",
        "? a",
        ":",
        "a: b",
        "a:",
        ":a",
        "#",
        "a #b",
        "#a",
        "a#b",
        "'",
        "''",
        "it's",
        "\"",
        "say \"hi\"",
        "\\",
        "Payments\\2026\\R1",
        "Payments\\*",
        "*",
        "*a",
        "&a",
        "!a",
        "!!str a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "{a: b}",
        "[a]",
        "a, b",
        "{",
        "}",
        "]",
        ",",
        "~",
        "null",
        "Null",
        "NULL",
        "true",
        "True",
        "false",
        "yes",
        "Yes",
        "NO",
        "on",
        "Off",
        "y",
        "N",
        "0",
        "1",
        "-1",
        "1.5",
        "1e3",
        "0x1F",
        "0o17",
        "017",
        "1_000",
        "12:30:45",
        "2026-01-31",
        "2026-01-31T00:00:00Z",
        ".inf",
        "-.Inf",
        ".nan",
        "NaN",
        "<<",
        "=",
        "1 - Critical",
        "Größe v1.2 (alt)",
        "支払い",
        "🚀",
        "👩‍👩‍👧 family",
        "e\u{301}",
        "a\nb",
        "a\r\nb",
        "a\tb",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}x: y",
        "\u{2029}",
        "\u{202e}evil",
        "\u{feff}a",
        "\u{fffe}",
        "\u{ffff}",
        "\u{1fffe}",
        "\u{a0}",
        "a\u{a0}",
    ];

    fn parsed(text: &str) -> Value {
        serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Wherever we put a text, it is read back as it was.
    fn assert_kept(text: &str) {
        let quoted = scalar(text);
        let expected = Value::String(text.to_owned());
        assert_eq!(parsed(&format!("a: {quoted}\n"))["a"], expected, "{quoted}");
        assert_eq!(parsed(&format!("a: [x, {quoted}, x]\n"))["a"][1], expected, "{quoted}");
        assert_eq!(parsed(&format!("a:\n  - {{b: {quoted}, c: d}}\n"))["a"][0]["b"], expected, "{quoted}");
        let mut notes = Notes::default();
        notes.add("a", format!("a note: {quoted}"));
        notes.add("a", text);
        let members = Mapping::from_iter([(Value::from("a"), expected.clone())]);
        let written = document(&members, &notes);
        assert_eq!(parsed(&written), Value::Mapping(members), "{written}");
        assert!(written.lines().rev().skip(1).all(|line| line.is_empty() || line.starts_with("# ")), "{written}");
    }

    #[test]
    fn nasty_texts_are_read_back_as_they_were() {
        for text in NASTY {
            assert_kept(text);
        }
    }

    #[test]
    fn usual_texts_stay_plain() {
        for text in ["Payments", "User Story", "In Progress", "Payments\\Release 1", "Größe v1.2 (alt)"] {
            assert_eq!(scalar(text), text);
        }
        assert_eq!(scalar("1 - Critical"), "'1 - Critical'");
        assert_eq!(scalar("it's #1"), "'it''s #1'");
        assert_eq!(scalar("a\nb"), "\"a\\U0000000Ab\"");
    }

    #[test]
    fn lists_of_objects_stand_below_each_other() {
        let value: Value = parsed("a: {b: [{c: d, e: 1}], f: [g, h], i: true}\nj: {k: l}\n");
        let Value::Mapping(members) = value else { panic!("a mapping") };
        let mut notes = Notes::default();
        notes.extend("a.f", [String::new(), "why".to_owned()]);
        let expected = "a:\n  b:\n    - {c: d, e: 1}\n\n  # why\n  f: [g, h]\n  i: true\nj: {k: l}\n";
        assert_eq!(document(&members, &notes), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(text in "\\PC{0,12}|[\\x00-\\x{2fff}]{0,12}|[-:#'\"\\[\\]{},&*!|> \\\\ynoYN0-9.~]{0,8}") {
            assert_kept(&text);
        }
    }
}

//! The tokens of WIQL.

use super::QueryError;

/// A token; symbols are kept as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Field(String),
    Text(String),
    Number(f64),
    Symbol(&'static str),
}

/// A query that is wrong.
pub(super) fn invalid(message: impl Into<String>) -> QueryError {
    QueryError::Invalid(message.into())
}

/// Takes a query apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut place) = (Vec::new(), 0);
    while place < chars.len() {
        let current = chars[place];
        if current.is_whitespace() {
            place += 1;
            continue;
        }
        let (token, next) = match current {
            '[' => bracket(&chars, place)?,
            '\'' | '"' => quoted(&chars, place)?,
            '0'..='9' | '-' => number(&chars, place)?,
            '@' | '_' => word(&chars, place),
            _ if current.is_alphabetic() => word(&chars, place),
            _ => symbol(&chars, place)?,
        };
        tokens.push(token);
        place = next;
    }
    Ok(tokens)
}

fn bracket(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    let end = chars[start..]
        .iter()
        .position(|c| *c == ']')
        .ok_or_else(|| invalid("TF51009: Expecting a closing bracket."))?;
    Ok((Token::Field(chars[start + 1..start + end].iter().collect::<String>().trim().to_owned()), start + end + 1))
}

/// Quotes are doubled inside.
fn quoted(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    let quote = chars[start];
    let (mut text, mut place) = (String::new(), start + 1);
    loop {
        match (chars.get(place), chars.get(place + 1)) {
            (Some(c), Some(next)) if *c == quote && *next == quote => {
                text.push(quote);
                place += 2;
            }
            (Some(c), _) if *c == quote => return Ok((Token::Text(text), place + 1)),
            (Some(c), _) => {
                text.push(*c);
                place += 1;
            }
            (None, _) => return Err(invalid("TF51008: Expecting the end of a string.")),
        }
    }
}

fn number(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    let len = chars[start + 1..].iter().take_while(|c| c.is_ascii_digit() || **c == '.').count() + 1;
    let text: String = chars[start..start + len].iter().collect();
    if text == "-" {
        return Ok((Token::Symbol("-"), start + 1));
    }
    let value = text.parse().map_err(|_| invalid(format!("TF51007: «{text}» is not a number.")))?;
    Ok((Token::Number(value), start + len))
}

fn word(chars: &[char], start: usize) -> (Token, usize) {
    let len = chars[start..].iter().take_while(|c| c.is_alphanumeric() || matches!(c, '@' | '_' | '.')).count();
    (Token::Word(chars[start..start + len].iter().collect()), start + len)
}

fn symbol(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    const SYMBOLS: &[&str] = &["<>", ">=", "<=", "!=", "=", ">", "<", "(", ")", ",", "+", "*"];
    let rest: String = chars[start..].iter().take(2).collect();
    let found = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
    let symbol = found.ok_or_else(|| invalid(format!("TF51010: The character «{}» is not expected.", chars[start])))?;
    Ok((Token::Symbol(symbol), start + symbol.len()))
}

//! Limits of stored texts. Names and ids over a limit are refused, since a shortened id means another thing; prose is
//! shortened, since most of a message is better than none.

use std::borrow::Cow;

use super::error::StoreError;

/// Longest name, namespace, id, uid or field manager, in bytes. Kubernetes' own longest name has 253 characters.
pub(super) const NAME: usize = 512;

/// Longest title of a work item, in bytes; Azure DevOps allows 255 characters.
pub(super) const TITLE: usize = 2_048;

/// Longest version of a credential, in bytes: a uid, a resource version and an organization URL.
pub(super) const CREDENTIAL_VERSION: usize = 4_096;

/// Longest reason of a sync run, in bytes.
pub(super) const REASON: usize = 256;

/// Longest audit detail, in bytes; the length that conditions have.
pub(super) const DETAIL: usize = 1_024;

/// `text`, if it is no longer than `limit` bytes.
pub(super) fn within<'a>(what: &'static str, text: &'a str, limit: usize) -> Result<&'a str, StoreError> {
    if text.len() > limit { Err(StoreError::TooLarge { what, limit }) } else { Ok(text) }
}

/// The longest part of `text` from its beginning that fits into `limit` bytes.
pub(super) fn shortened(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// `text` with a replacement character for each NUL, which a text of PostgreSQL cannot hold.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// A count for a column of signed 64 bits.
pub(super) fn column(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_text_ends_between_characters() {
        assert_eq!(shortened("aüb", 2), "a");
        assert_eq!(shortened("aüb", 3), "aü");
        assert_eq!(shortened("aüb", 99), "aüb");
    }

    #[test]
    fn an_overlong_name_is_refused() {
        assert!(within("name", "abc", 3).is_ok());
        assert_eq!(within("name", "abcd", 3).unwrap_err().to_string(), "name is over the limit of 3");
    }
}

//! The personal access token of a connection.

use std::fmt;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// Longest token that is accepted; those in use have 52 or 84 characters.
const MAX_TOKEN: usize = 8 * 1024;

/// Why the content of a Secret is no token. No variant carries any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatError {
    /// Nothing but white space.
    #[error("the token is empty: put the personal access token into the Secret's key")]
    Empty,
    /// Line breaks or spaces within the token.
    #[error(
        "the token has several lines or words: the Secret's key must hold the personal access token and nothing else"
    )]
    SeveralWords,
    /// Bytes outside of visible ASCII.
    #[error(
        "the token has characters that no token has: the Secret's key must hold the personal access token as plain text"
    )]
    NotAscii,
    /// Over 8 KiB.
    #[error("the token is longer than 8 KiB: the Secret's key must hold the personal access token and nothing else")]
    TooLong,
}

impl PatError {
    /// The condition reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        super::reasons::INVALID_TOKEN
    }
}

/// A personal access token. `Debug` shows nothing of it, and its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Pat(SecretString);

impl Pat {
    /// Takes the token out of a Secret's bytes; white space around it (a trailing newline) is trimmed, since a surplus
    /// character makes the service refuse it (`ado-api.md` §2).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PatError> {
        let token = bytes.trim_ascii();
        if token.is_empty() {
            Err(PatError::Empty)
        } else if token.len() > MAX_TOKEN {
            Err(PatError::TooLong)
        } else if token.iter().any(u8::is_ascii_whitespace) {
            Err(PatError::SeveralWords)
        } else if token.iter().any(|byte| !byte.is_ascii_graphic()) {
            Err(PatError::NotAscii)
        } else {
            std::str::from_utf8(token).map(|token| Self(SecretString::from(token))).map_err(|_| PatError::NotAscii)
        }
    }

    /// What tells this token from others within this process.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        static KEY: OnceLock<Uuid> = OnceLock::new();
        Fingerprint(Uuid::new_v5(KEY.get_or_init(Uuid::new_v4), self.0.expose_secret().as_bytes()))
    }

    /// The value of the `Authorization` header, marked sensitive so that no HTTP layer logs it.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let encoded = self.encoded();
        let text = Zeroizing::new(format!("Basic {}", encoded.as_str()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether `text` repeats the token, plain or as it is sent. A server may echo what it was given.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        !text.is_empty() && (text.contains(self.0.expose_secret()) || text.contains(self.encoded().as_str()))
    }

    fn encoded(&self) -> Zeroizing<String> {
        let mut pair = format!(":{}", self.0.expose_secret());
        let encoded = Zeroizing::new(STANDARD.encode(&pair));
        pair.zeroize();
        encoded
    }
}

impl fmt::Debug for Pat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pat(…)")
    }
}

/// Tells credentials apart within one process without holding them: a digest under a key that is drawn at start and
/// never leaves the process.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(Uuid);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_a_token_is_trimmed() {
        for bytes in [&b"s3cret"[..], b"s3cret\n", b"  s3cret\r\n\n", b"\ts3cret "] {
            let pat = Pat::from_bytes(bytes).expect("valid");
            assert_eq!(pat.authorization().expect("a header"), "Basic OnMzY3JldA==");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let long = vec![b'a'; MAX_TOKEN + 1];
        let cases: [(&[u8], PatError); 9] = [
            (b"", PatError::Empty),
            (b" \n", PatError::Empty),
            (b"one\ntwo", PatError::SeveralWords),
            (b"one two", PatError::SeveralWords),
            (b"one\0two", PatError::NotAscii),
            ("tökén".as_bytes(), PatError::NotAscii),
            (b"\xff\xfe", PatError::NotAscii),
            (b"one\x7ftwo", PatError::NotAscii),
            (&long, PatError::TooLong),
        ];
        for (bytes, error) in cases {
            assert_eq!(Pat::from_bytes(bytes).expect_err("refused"), error);
        }
    }

    #[test]
    fn neither_token_nor_fingerprint_shows_in_debug() {
        let pat = Pat::from_bytes(b"s3cret").expect("valid");
        let header = pat.authorization().expect("a header");
        assert!(header.is_sensitive());
        assert_eq!(format!("{pat:?} {:?} {header:?}", pat.fingerprint()), "Pat(…) Fingerprint(…) Sensitive");
    }

    #[test]
    fn fingerprints_tell_tokens_apart() {
        let of = |text: &[u8]| Pat::from_bytes(text).expect("valid").fingerprint();
        assert_eq!(of(b"one"), of(b"one\n"));
        assert_ne!(of(b"one"), of(b"two"));
    }

    #[test]
    fn an_echo_of_the_token_is_noticed_plain_and_encoded() {
        let pat = Pat::from_bytes(b"s3cret").expect("valid");
        assert!(pat.occurs_in("no s3cret here") && pat.occurs_in("Basic OnMzY3JldA== refused"));
        assert!(!pat.occurs_in("nothing"));
    }
}

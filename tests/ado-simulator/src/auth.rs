//! Personal access tokens: reading them from a request, and what their scopes allow.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// What a scope includes directly (`ado-api.md` §2, page *OAuth scopes*).
const INCLUDES: &[(&str, &str)] = &[
    ("vso.work_full", "vso.work_write"),
    ("vso.work_write", "vso.work"),
    ("vso.work", "vso.hooks_write"),
    ("vso.code_full", "vso.code_manage"),
    ("vso.code_manage", "vso.code_write"),
    ("vso.code_write", "vso.code"),
    ("vso.code", "vso.hooks_write"),
    ("vso.build", "vso.hooks_write"),
    ("vso.hooks_write", "vso.hooks"),
    ("vso.hooks", "vso.profile"),
    ("vso.test_write", "vso.test"),
    ("vso.test", "vso.profile"),
    ("vso.project_manage", "vso.project_write"),
    ("vso.project_write", "vso.project"),
    ("vso.memberentitlementmanagement_write", "vso.memberentitlementmanagement"),
    ("vso.graph_manage", "vso.graph"),
];

/// The scopes of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scopes {
    /// "Full access".
    Full,
    /// A custom set, such as `vso.project` and `vso.work_write`.
    Only(BTreeSet<String>),
}

impl Scopes {
    /// The set of these names.
    pub fn only<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Only(names.into_iter().map(str::to_owned).collect())
    }

    /// Whether one of `wanted` is held or included; an empty `wanted` asks for nothing.
    pub fn allow_any<S: AsRef<str>>(&self, wanted: &[S]) -> bool {
        match self {
            Self::Full => true,
            Self::Only(held) => {
                wanted.is_empty() || held.iter().any(|scope| wanted.iter().any(|want| includes(scope, want.as_ref())))
            }
        }
    }
}

fn includes(held: &str, wanted: &str) -> bool {
    held == wanted || INCLUDES.iter().any(|(outer, inner)| *outer == held && includes(inner, wanted))
}

/// What stands in the `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// No header.
    Absent,
    /// A header that is not Basic authentication in canonical base64.
    Malformed,
    /// The password of Basic authentication; the user name is ignored.
    Token(String),
}

/// Reads the header. Surplus padding makes it malformed, as the service has it (`ado-api.md` §2).
pub(crate) fn credential(headers: &http::HeaderMap) -> Credential {
    let Some(header) = headers.get(http::header::AUTHORIZATION) else { return Credential::Absent };
    let text = header.to_str().unwrap_or_default();
    let Some((kind, encoded)) = text.split_once(' ') else { return Credential::Malformed };
    if !kind.eq_ignore_ascii_case("basic") {
        return Credential::Malformed;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((_, password)) => Credential::Token(password.to_owned()),
        None => Credential::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_write_includes_work_hooks_and_profile() {
        let scopes = Scopes::only(["vso.work_write"]);
        for wanted in ["vso.work_write", "vso.work", "vso.hooks_write", "vso.hooks", "vso.profile"] {
            assert!(scopes.allow_any(&[wanted]), "{wanted}");
        }
        for wanted in ["vso.project", "vso.test", "vso.code", "vso.analytics"] {
            assert!(!scopes.allow_any(&[wanted]), "{wanted}");
        }
    }

    #[test]
    fn one_of_several_scopes_is_enough_and_none_wanted_is_always_enough() {
        let scopes = Scopes::only(["vso.code"]);
        assert!(scopes.allow_any(&["vso.work", "vso.build", "vso.code"]));
        assert!(scopes.allow_any::<&str>(&[]));
        assert!(!scopes.allow_any(&["vso.work"]));
        assert!(Scopes::Full.allow_any(&["vso.graph_manage"]));
    }

    #[test]
    fn basic_credentials_ignore_the_user_name_and_refuse_surplus_padding() {
        let read = |value: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::AUTHORIZATION, value.parse().unwrap());
            credential(&headers)
        };
        assert_eq!(read(&format!("Basic {}", STANDARD.encode(":secret"))), Credential::Token("secret".to_owned()));
        assert_eq!(read(&format!("basic {}", STANDARD.encode("me:secret"))), Credential::Token("secret".to_owned()));
        assert_eq!(read(&format!("Basic {}=", STANDARD.encode(":secret!"))), Credential::Malformed);
        assert_eq!(read("Bearer abc"), Credential::Malformed);
        assert_eq!(credential(&http::HeaderMap::new()), Credential::Absent);
    }
}

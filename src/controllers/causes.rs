//! What an answer of Azure DevOps means for an object: the one place where client errors become reasons.

use std::time::Duration;

use super::error::ReconcileError;
use crate::ado::AdoError;
use crate::api::Reason;
use crate::domain::features::Permission;
use crate::domain::verdict::Cause;

/// Meaning of an error for the object that asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// A bad verdict.
    Refused(Cause),
    /// No verdict could be had.
    NoVerdict(Cause),
    /// Azure DevOps asks for a pause.
    Throttled(Cause, Duration),
}

/// Reads an error that stands between us and the organization as a whole.
pub fn meaning(error: &AdoError) -> Meaning {
    let cause = |reason| Cause::new(reason, sentence(error));
    match error {
        AdoError::CredentialRefused(_) => Meaning::Refused(cause(Reason::CredentialRefused)),
        AdoError::OrganizationNotFound => Meaning::Refused(cause(Reason::OrganizationNotFound)),
        AdoError::DisallowedHost { .. } => Meaning::Refused(cause(Reason::DisallowedHost)),
        AdoError::PrivateAddress { .. } => Meaning::Refused(cause(Reason::PrivateAddress)),
        AdoError::Certificate { .. } => Meaning::Refused(cause(Reason::CertificateNotTrusted)),
        AdoError::UnknownProxy => Meaning::Refused(cause(Reason::UnknownProxy)),
        AdoError::Unauthorized { .. } | AdoError::Forbidden(_) => Meaning::Refused(cause(Reason::FeatureUnavailable)),
        AdoError::InvalidName | AdoError::NotFound(_) => Meaning::Refused(cause(Reason::ProjectNotFound)),
        AdoError::Throttled { after } => Meaning::Throttled(cause(Reason::Throttled), *after),
        AdoError::Conflict(_)
        | AdoError::Unavailable { .. }
        | AdoError::OrganizationStopped(_)
        | AdoError::Malformed { .. }
        | AdoError::TooLarge { .. }
        | AdoError::Deadline { .. }
        | AdoError::BadRequest(_)
        | AdoError::VersionNotServed(_)
        | AdoError::Proxy { .. }
        | AdoError::Setup => Meaning::NoVerdict(cause(Reason::Unreachable)),
    }
}

/// Reads an error of a request about a project that was found a moment ago.
pub fn meaning_in_project(error: &AdoError) -> Meaning {
    let refused = |text: String| Meaning::Refused(Cause::new(Reason::FeatureUnavailable, text));
    match error {
        AdoError::Unauthorized { area, how } => refused(format!(
            "spec.project: Azure DevOps refused the token for {area} ({how}): give it the scopes {} and {}.",
            Permission::ReadProjectAndTeam,
            Permission::ReadWorkItems
        )),
        AdoError::Forbidden(message) => refused(format!(
            "spec.project: the token's owner may not read the project's work items. Azure DevOps says: {} Let an \
             administrator of the project grant it to the owner, above all \"View work items in this node\" of its areas.",
            sentence(message)
        )),
        // The next look tells whether the project is still there.
        AdoError::NotFound(message) => Meaning::NoVerdict(Cause::new(
            Reason::Unreachable,
            format!(
                "spec.project: something of the project was not found, although the project was. {}",
                sentence(message)
            ),
        )),
        other => meaning(other),
    }
}

/// What keeps the operator itself from its work, and is worth showing: its rights, or its store. Conflicts and waits are the
/// normal course of things, and a lost office is the next leader's business.
pub fn own_fault(error: &ReconcileError) -> Option<Cause> {
    let is_shown = !error.is_conflict() && !error.is_wait() && !error.is_fenced();
    is_shown.then(|| {
        let message = format!("The operator could not do its work, and goes on trying: {}", sentence(error.of_look()));
        Cause::new(Reason::InternalError, message)
    })
}

/// The error's text as a sentence: capital first letter, unless the first word is a name such as a host's, and full stop.
pub fn sentence(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    let named = text.split(' ').next().is_some_and(|word| word.contains(|c: char| !c.is_ascii_lowercase()));
    let mut letters = text.chars();
    match letters.next().filter(|_| !named) {
        Some(first) => format!("{}{}{end}", first.to_uppercase(), letters.as_str()),
        None => format!("{text}{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_sentence_and_a_host_keeps_its_letters() {
        assert_eq!(sentence(&"no organization exists"), "No organization exists.");
        assert_eq!(sentence(&"dev.azure.com is not available"), "dev.azure.com is not available.");
        assert_eq!(sentence(&"organizationURL is wrong"), "organizationURL is wrong.");
    }
}

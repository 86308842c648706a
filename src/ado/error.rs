//! What can go wrong between us and Azure DevOps, by meaning. An HTTP status becomes a meaning once, in `answer.rs`.

use std::fmt;
use std::time::Duration;

use super::reasons;

/// What the service said about a refusal: bounded, without control characters, never part of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceMessage {
    /// HTTP status.
    pub status: u16,
    /// `typeKey` of the error envelope (`ado-api.md` §3), such as `RuleValidationException`.
    pub type_key: Option<String>,
    /// The `TFnnnnnn` or `VSnnnnnn` code that leads the message.
    pub code: Option<String>,
    /// The message in the organization's language, at most 300 characters; empty if there was none.
    pub message: String,
    /// Reference names of the fields that a rule refused, at most 20.
    pub fields: Vec<String>,
}

impl fmt::Display for ServiceMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.message, &self.type_key) {
            (message, _) if !message.is_empty() => f.write_str(message),
            (_, Some(type_key)) => write!(f, "{type_key} (HTTP {})", self.status),
            (_, None) => write!(f, "HTTP {}", self.status),
        }
    }
}

/// How the service showed that it does not accept a credential (`ado-api.md` §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SignIn {
    /// Status 401, with or without a body.
    #[error("401")]
    Unauthorized,
    /// Status 203 with a sign-in page.
    #[error("203 with a sign-in page")]
    Page,
    /// A redirect to the sign-in page.
    #[error("a redirect to the sign-in page")]
    Redirect,
    /// An HTML page of Azure DevOps where JSON was asked for.
    #[error("a sign-in page")]
    Html,
    /// The answer is that for the anonymous user.
    #[error("an answer as to an anonymous user")]
    Anonymous,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Outage {
    /// A status of 500 to 599, or 408.
    #[error("the service answered with HTTP {0}")]
    Status(u16),
    /// The name could not be resolved.
    #[error("its name could not be resolved")]
    Dns,
    /// No connection could be made.
    #[error("no connection could be made")]
    Connect,
    /// The connection ended before the answer did.
    #[error("the connection ended before the answer did")]
    Cut,
}

/// In which way an answer is not what the service documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Defect {
    /// A redirect that does not lead to the sign-in page; none is followed.
    #[error("a redirect")]
    Redirect,
    /// An HTML page that does not come from Azure DevOps.
    #[error("a page of another server")]
    ForeignPage,
    /// No body where one was expected.
    #[error("an empty body")]
    Empty,
    /// The body is no JSON, or nested too deeply.
    #[error("a body that is not JSON")]
    NotJson,
    /// JSON without the members that we need.
    #[error("JSON without the expected members")]
    Shape,
    /// More than any organization can have, or a page that leads to itself.
    #[error("a list without end")]
    Endless,
}

/// An error of the Azure DevOps client. Its text is for users: it names the remedy and nothing of the request but host
/// and area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoError {
    /// connectionData refused the credential.
    #[error(
        "Azure DevOps refused the token ({0}): it is expired, revoked, incomplete, or of another organization; put a valid token of this organization into the Secret"
    )]
    CredentialRefused(SignIn),
    /// connectionData does not exist at this URL. The text does not repeat the URL: somebody may have pasted a token
    /// into it.
    #[error("no organization exists at that URL: correct spec.organizationURL")]
    OrganizationNotFound,
    /// One area refused the credential.
    #[error("Azure DevOps refused the token for {area} ({how}): give it the scope for that area")]
    Unauthorized {
        /// The service area.
        area: &'static str,
        /// How it was refused.
        how: SignIn,
    },
    /// Status 403.
    #[error("the token's owner lacks a permission: {0} Let an administrator of the organization grant it")]
    Forbidden(ServiceMessage),
    /// Status 404.
    #[error("not found, or hidden from the identity: {0}")]
    NotFound(ServiceMessage),
    /// Status 409 or 412.
    #[error("changed by somebody else meanwhile: {0}")]
    Conflict(ServiceMessage),
    /// Status 429, or a pause that the budget imposes.
    #[error("Azure DevOps limits this identity's requests; they go on when the pause that it asked for is over")]
    Throttled {
        /// How long to wait before the next request.
        after: Duration,
    },
    /// No answer, or a failing service.
    #[error("{host} is not available: {outage}")]
    Unavailable {
        /// The host asked.
        host: String,
        /// What happened.
        outage: Outage,
    },
    /// Status 503 with TF24668.
    #[error("the organization is stopped: {0}")]
    OrganizationStopped(ServiceMessage),
    /// An answer that cannot be understood.
    #[error(
        "{host} gave an answer that is not from Azure DevOps' REST API: {defect}; check organizationURL and any proxy between"
    )]
    Malformed {
        /// The host asked.
        host: String,
        /// What is wrong.
        defect: Defect,
    },
    /// An answer over the size limit.
    #[error("{host} gave an answer of more than {limit} bytes")]
    TooLarge {
        /// The host asked.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// No answer within the deadline.
    #[error("{host} did not answer within {} s", after.as_secs())]
    Deadline {
        /// The host asked.
        host: String,
        /// The deadline.
        after: Duration,
    },
    /// Status 400, or another 4xx without a meaning of its own.
    #[error("Azure DevOps refused the request: {0}")]
    BadRequest(ServiceMessage),
    /// Status 400 of a server that is older than the version of the REST API that was asked for.
    #[error(
        "{0} The administrator should set --server-api-version to one that the server supports (7.0 for Azure DevOps Server 2022)"
    )]
    VersionNotServed(ServiceMessage),
    /// A name that cannot be one segment of a URL.
    #[error("a name is empty, longer than 256 characters, `.` or `..`, or has control characters")]
    InvalidName,
    /// The host is not permitted.
    #[error(
        "the host {host} is not permitted: use a URL of the Azure DevOps cloud, or let the administrator permit it with --allowed-host"
    )]
    DisallowedHost {
        /// The host, with its port unless that is 443.
        host: String,
    },
    /// The host's address is not permitted.
    #[error(
        "the host {host} has only addresses that are not permitted (private, loopback, link-local or reserved): the administrator can permit a private or loopback one with --allowed-host, the others never"
    )]
    PrivateAddress {
        /// The host.
        host: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of {host} is not trusted ({problem}): {}", problem.remedy())]
    Certificate {
        /// The host.
        host: String,
        /// What the verification says.
        problem: CertificateProblem,
    },
    /// The proxy does not let us through.
    #[error(
        "no connection to {host} through proxy {name}: the administrator should check --proxy and that the proxy permits the host"
    )]
    Proxy {
        /// The proxy's name.
        name: String,
        /// The host asked.
        host: String,
    },
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be set up from the trust and proxy settings")]
    Setup,
    /// No proxy of that name is configured.
    #[error("no proxy has the name that spec.proxy gives: use one that the administrator configured with --proxy")]
    UnknownProxy,
}

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CertificateProblem {
    /// Issued by a CA that is not known.
    #[error("unknown issuer")]
    UnknownIssuer,
    /// Not for this host name.
    #[error("issued for another name")]
    WrongName,
    /// Before its first or after its last day.
    #[error("expired or not yet valid")]
    NotInForce,
    /// Anything else.
    #[error("not a valid server certificate")]
    Invalid,
}

impl CertificateProblem {
    fn remedy(self) -> &'static str {
        match self {
            Self::UnknownIssuer => "put the CA that issued it into caBundle",
            Self::WrongName => "use a host name that the certificate was issued for",
            Self::NotInForce => "the server needs a new certificate",
            Self::Invalid => "the server needs another certificate, or caBundle the CA that issued it",
        }
    }
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After an exponential delay.
    Backoff,
    /// After this time.
    After(Duration),
    /// When the object, its Secret or the organization changed; else at the usual interval.
    WhenChanged,
}

/// What an error says about the thing that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Nothing: no verdict was possible.
    NoVerdict,
    /// Nothing: the request must wait. Neither success nor failure.
    Throttled,
    /// The answer is this error.
    Verdict,
}

impl AdoError {
    /// The reason for conditions, events and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::CredentialRefused(_) => reasons::CREDENTIAL_REFUSED,
            Self::OrganizationNotFound => reasons::ORGANIZATION_NOT_FOUND,
            Self::Unauthorized { .. } => reasons::UNAUTHORIZED,
            Self::Forbidden(_) => reasons::FORBIDDEN,
            Self::NotFound(_) => reasons::NOT_FOUND,
            Self::Conflict(_) => reasons::CONFLICT,
            Self::Throttled { .. } => reasons::THROTTLED,
            Self::Unavailable { .. } => reasons::UNAVAILABLE,
            Self::OrganizationStopped(_) => reasons::ORGANIZATION_STOPPED,
            Self::Malformed { .. } => reasons::MALFORMED,
            Self::TooLarge { .. } => reasons::TOO_LARGE,
            Self::Deadline { .. } => reasons::DEADLINE,
            Self::BadRequest(_) => reasons::BAD_REQUEST,
            Self::VersionNotServed(_) => reasons::VERSION_NOT_SERVED,
            Self::InvalidName => reasons::INVALID_NAME,
            Self::DisallowedHost { .. } => reasons::DISALLOWED_HOST,
            Self::PrivateAddress { .. } => reasons::PRIVATE_ADDRESS,
            Self::Certificate { .. } => reasons::CERTIFICATE_NOT_TRUSTED,
            Self::Proxy { .. } => reasons::PROXY_FAILED,
            Self::Setup => reasons::CLIENT_SETUP_FAILED,
            Self::UnknownProxy => reasons::UNKNOWN_PROXY,
        }
    }

    /// More work items match a query than the service returns at once (`ado-api.md` §9).
    #[must_use]
    pub fn exceeds_result_limit(&self) -> bool {
        const TYPE_KEY: &str = "WorkItemTrackingQueryResultSizeLimitExceededException";
        self.is_said("VS402337", TYPE_KEY)
    }

    /// A field that was named does not exist in the organization (`ado-api.md` §9).
    #[must_use]
    pub fn is_unknown_field(&self) -> bool {
        const TYPE_KEY: &str = "WorkItemTrackingFieldDefinitionNotFoundException";
        self.is_said("TF51535", TYPE_KEY)
    }

    fn is_said(&self, code: &str, type_key: &str) -> bool {
        self.service_message().is_some_and(|message| {
            message.code.as_deref() == Some(code) || message.type_key.as_deref() == Some(type_key)
        })
    }

    /// When it makes sense to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Throttled { after } => Retry::After(*after),
            Self::Conflict(_)
            | Self::Unavailable { .. }
            | Self::OrganizationStopped(_)
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::Deadline { .. }
            | Self::Proxy { .. }
            | Self::Setup => Retry::Backoff,
            Self::CredentialRefused(_)
            | Self::OrganizationNotFound
            | Self::Unauthorized { .. }
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::BadRequest(_)
            | Self::VersionNotServed(_)
            | Self::InvalidName
            | Self::DisallowedHost { .. }
            | Self::PrivateAddress { .. }
            | Self::Certificate { .. }
            | Self::UnknownProxy => Retry::WhenChanged,
        }
    }

    /// Whether this is a verdict about what was asked.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Throttled { .. } => ErrorClass::Throttled,
            Self::Unavailable { .. }
            | Self::OrganizationStopped(_)
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::Deadline { .. }
            | Self::Proxy { .. }
            | Self::Setup => ErrorClass::NoVerdict,
            Self::CredentialRefused(_)
            | Self::OrganizationNotFound
            | Self::Unauthorized { .. }
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::BadRequest(_)
            | Self::VersionNotServed(_)
            | Self::InvalidName
            | Self::DisallowedHost { .. }
            | Self::PrivateAddress { .. }
            | Self::Certificate { .. }
            | Self::UnknownProxy => ErrorClass::Verdict,
        }
    }

    /// What the service itself said, where it said anything.
    #[must_use]
    pub fn service_message(&self) -> Option<&ServiceMessage> {
        match self {
            Self::Forbidden(message)
            | Self::NotFound(message)
            | Self::Conflict(message)
            | Self::OrganizationStopped(message)
            | Self::BadRequest(message)
            | Self::VersionNotServed(message) => Some(message),
            Self::CredentialRefused(_)
            | Self::OrganizationNotFound
            | Self::Unauthorized { .. }
            | Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::Deadline { .. }
            | Self::InvalidName
            | Self::DisallowedHost { .. }
            | Self::PrivateAddress { .. }
            | Self::Certificate { .. }
            | Self::Proxy { .. }
            | Self::Setup
            | Self::UnknownProxy => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_no_verdict_is_tried_again_and_a_verdict_waits_for_a_change() {
        let host = || "dev.azure.com".to_owned();
        let message = ServiceMessage::default;
        let all = [
            AdoError::CredentialRefused(SignIn::Page),
            AdoError::OrganizationNotFound,
            AdoError::Unauthorized { area: "projects", how: SignIn::Unauthorized },
            AdoError::Forbidden(message()),
            AdoError::NotFound(message()),
            AdoError::Conflict(message()),
            AdoError::Throttled { after: Duration::from_secs(7) },
            AdoError::Unavailable { host: host(), outage: Outage::Cut },
            AdoError::OrganizationStopped(message()),
            AdoError::Malformed { host: host(), defect: Defect::NotJson },
            AdoError::TooLarge { host: host(), limit: 1 },
            AdoError::Deadline { host: host(), after: Duration::from_secs(100) },
            AdoError::BadRequest(message()),
            AdoError::VersionNotServed(message()),
            AdoError::InvalidName,
            AdoError::DisallowedHost { host: host() },
            AdoError::PrivateAddress { host: host() },
            AdoError::Certificate { host: host(), problem: CertificateProblem::UnknownIssuer },
            AdoError::Proxy { name: "corporate".to_owned(), host: host() },
            AdoError::Setup,
            AdoError::UnknownProxy,
        ];
        let mut reasons = std::collections::BTreeSet::new();
        for error in &all {
            assert!(reasons.insert(error.reason()), "{} is used twice", error.reason());
            assert!(error.reason().chars().all(|c| c.is_ascii_alphanumeric()));
            assert!(error.to_string().chars().count() <= 400, "{error}");
            match error.class() {
                ErrorClass::Throttled => assert_eq!(error.retry(), Retry::After(Duration::from_secs(7))),
                ErrorClass::NoVerdict => assert_eq!(error.retry(), Retry::Backoff, "{error}"),
                ErrorClass::Verdict => assert!(matches!(error.retry(), Retry::WhenChanged | Retry::Backoff), "{error}"),
            }
        }
        assert_eq!(reasons.len(), all.len());
    }
}

//! Reasons in conditions, events and metrics. Part of the API: dashboards and alerts name them.

/// The service refuses the credential itself.
pub const CREDENTIAL_REFUSED: &str = "CredentialRefused";
/// The organization (collection) does not exist.
pub const ORGANIZATION_NOT_FOUND: &str = "OrganizationNotFound";
/// One service area refuses the credential: a scope is missing, or the credential ended meanwhile.
pub const UNAUTHORIZED: &str = "Unauthorized";
/// The identity lacks a permission.
pub const FORBIDDEN: &str = "Forbidden";
/// The thing is absent or hidden from the identity.
pub const NOT_FOUND: &str = "NotFound";
/// Somebody else changed the thing meanwhile.
pub const CONFLICT: &str = "Conflict";
/// The service asks for a pause, or the request budget is used up.
pub const THROTTLED: &str = "Throttled";
/// The service cannot be reached or fails.
pub const UNAVAILABLE: &str = "Unavailable";
/// The organization was stopped by its administrator or for inactivity.
pub const ORGANIZATION_STOPPED: &str = "OrganizationStopped";
/// The answer is not what the service documents.
pub const MALFORMED: &str = "Malformed";
/// The answer is larger than we read.
pub const TOO_LARGE: &str = "TooLarge";
/// The answer did not come in time.
pub const DEADLINE: &str = "Deadline";
/// The service refuses the request's content.
pub const BAD_REQUEST: &str = "BadRequest";
/// The server is older than the version of the REST API that was asked for.
pub const VERSION_NOT_SERVED: &str = "VersionNotServed";
/// A name cannot stand in a URL.
pub const INVALID_NAME: &str = "InvalidName";
/// The host is not permitted.
pub const DISALLOWED_HOST: &str = "DisallowedHost";
/// The host's address is not permitted.
pub const PRIVATE_ADDRESS: &str = "PrivateAddress";
/// The server's certificate is not trusted.
pub const CERTIFICATE_NOT_TRUSTED: &str = "CertificateNotTrusted";
/// The proxy does not let us through.
pub const PROXY_FAILED: &str = "ProxyFailed";
/// The HTTP client could not be made.
pub const CLIENT_SETUP_FAILED: &str = "ClientSetupFailed";
/// No proxy of that name is configured.
pub const UNKNOWN_PROXY: &str = "UnknownProxy";
/// The organization URL is invalid.
pub const INVALID_ORGANIZATION_URL: &str = "InvalidOrganizationURL";
/// The Secret does not hold a token.
pub const INVALID_TOKEN: &str = "InvalidToken";
/// The CA bundle holds no usable certificate.
pub const INVALID_CA_BUNDLE: &str = "InvalidCABundle";

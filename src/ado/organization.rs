//! The organization URL that a user writes, and the hosts of its services.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::service::{CLOUD_HOST, Service};

/// Longest URL that is looked at.
const MAX_URL: usize = 512;
/// Longest host label or path segment: the longest organization name is 50 characters, and a token, whose shortest form
/// has 52, is never taken for a name and so never repeated in a message.
const MAX_NAME: usize = 50;
/// Most segments of an Azure DevOps Server URL (`/tfs/Collection` has two).
const MAX_SEGMENTS: usize = 4;
/// The domain of the older host form, `{organization}.visualstudio.com`.
const OLD_CLOUD_DOMAIN: &str = ".visualstudio.com";

/// Why a text is no organization URL. No variant carries the text itself: a token may have been pasted into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("organizationURL {problem}{}", self.hint())]
pub struct OrganizationUrlError {
    /// What is wrong.
    pub problem: UrlProblem,
    corrected: Option<String>,
}

/// What is wrong with an organization URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// The scheme is absent or another one than https.
    #[error("must start with https://")]
    NotHttps,
    /// A user name or password stands before the host.
    #[error(
        "must not contain user information (the part before @); put the token into the Secret, and revoke it if it was pasted here"
    )]
    UserInfo,
    /// A query or a fragment follows the path.
    #[error("must not contain a query or a fragment")]
    QueryOrFragment,
    /// No organization (collection) follows the host.
    #[error("must name the organization after the host, as in https://dev.azure.com/my-organization")]
    NoOrganization,
    /// More than the organization follows the host, such as a project.
    #[error("must end after the organization; the project is named in an AdoProjectConfig")]
    ExtraPath,
    /// The organization's name has characters or a length that no organization has.
    #[error("must name the organization by 1 to 50 letters, digits or hyphens")]
    InvalidName,
    /// Anything else that is no URL of that form.
    #[error("is not a valid URL of the form https://dev.azure.com/my-organization")]
    Malformed,
}

impl OrganizationUrlError {
    /// A value that would be accepted, made of nothing but host and organization, where one could be told.
    #[must_use]
    pub fn corrected(&self) -> Option<&str> {
        self.corrected.as_deref()
    }

    /// The condition reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        super::reasons::INVALID_ORGANIZATION_URL
    }

    fn hint(&self) -> String {
        self.corrected.as_ref().map_or_else(String::new, |url| format!(": write {url}"))
    }
}

/// A checked and normalised organization URL: https, no user information, query or fragment, no trailing slash.
///
/// Forms (`ado-api.md` §1): `https://dev.azure.com/{organization}`, `https://{organization}.visualstudio.com`, and on
/// any other host (Azure DevOps Server) one to four segments such as `https://tfs.example.com/tfs/DefaultCollection`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganizationUrl {
    host: Host<String>,
    port: u16,
    /// Decoded path segments; empty for the older cloud form.
    segments: Vec<String>,
    text: String,
}

impl OrganizationUrl {
    /// Reads and normalises a URL.
    pub fn parse(text: &str) -> Result<Self, OrganizationUrlError> {
        let text = text.trim();
        check(text).map_err(|problem| OrganizationUrlError { problem, corrected: corrected(text) })
    }

    /// The normalised URL, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host of the core areas.
    #[must_use]
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, 443 unless written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The organization's (collection's) name as written.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.segments.last() {
            Some(segment) => segment,
            None => self.old_cloud_label().unwrap_or_default(),
        }
    }

    /// A key that is equal for all spellings of one organization: both cloud host forms, and any case.
    #[must_use]
    pub fn key(&self) -> String {
        if self.is_cloud() {
            format!("https://{CLOUD_HOST}/{}", self.name().to_lowercase())
        } else {
            self.text.to_lowercase()
        }
    }

    /// Whether the organization is one of the cloud service.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.old_cloud_label().is_some() || matches!(&self.host, Host::Domain(name) if name == CLOUD_HOST)
    }

    fn old_cloud_label(&self) -> Option<&str> {
        match &self.host {
            Host::Domain(name) => name.strip_suffix(OLD_CLOUD_DOMAIN),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// The segments in front of every path of `service` at its host.
    pub(crate) fn path_segments(&self, service: Service) -> Vec<&str> {
        match (self.old_cloud_label(), service) {
            (Some(organization), Service::Analytics | Service::Entitlements | Service::Graph) => vec![organization],
            (Some(_), Service::Core) | (None, _) => self.segments.iter().map(String::as_str).collect(),
        }
    }
}

impl fmt::Display for OrganizationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check(text: &str) -> Result<OrganizationUrl, UrlProblem> {
    let rest = strip_https(text).ok_or(UrlProblem::NotHttps)?;
    let visible = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\';
    if text.len() > MAX_URL || !text.chars().all(visible) {
        return Err(UrlProblem::Malformed);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(UrlProblem::UserInfo);
    }
    if rest.contains(['?', '#']) {
        return Err(UrlProblem::QueryOrFragment);
    }
    let url = Url::parse(text).map_err(|_| UrlProblem::Malformed)?;
    let host = url.host().map(|host| host.to_owned()).ok_or(UrlProblem::Malformed)?;
    if !is_plausible_host(&host) {
        return Err(UrlProblem::Malformed);
    }
    let segments = segments_of(&rest[authority.len()..])?;
    build(host, url.port().unwrap_or(443), segments)
}

/// The text after `https://`, in any case.
fn strip_https(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    scheme.eq_ignore_ascii_case("https").then_some(rest)
}

/// No trailing dot, no label that is longer than an organization's name.
fn is_plausible_host(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name.split('.').all(|label| !label.is_empty() && label.len() <= MAX_NAME),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

/// Decodes the path by hand: the URL parser would resolve `..`, which is refused here instead.
fn segments_of(path: &str) -> Result<Vec<String>, UrlProblem> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let decode = |raw: &str| percent_decode_str(raw).decode_utf8().map(std::borrow::Cow::into_owned);
    let segments: Vec<String> =
        path.split('/').map(decode).collect::<Result<_, _>>().map_err(|_| UrlProblem::Malformed)?;
    if segments.iter().any(|segment| segment.is_empty() || segment == "." || segment == "..") {
        return Err(UrlProblem::Malformed);
    }
    Ok(segments)
}

fn build(host: Host<String>, port: u16, segments: Vec<String>) -> Result<OrganizationUrl, UrlProblem> {
    let authority = if port == 443 { host.to_string() } else { format!("{host}:{port}") };
    let path = super::route::encode_path(&segments);
    let url = OrganizationUrl { host, port, text: format!("https://{authority}{path}"), segments };
    let cloud_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let server_name = |name: &str| !name.chars().any(|c| c.is_control() || "/\\:*?\"<>|;#@&%$+".contains(c));
    match (url.old_cloud_label(), url.is_cloud()) {
        (Some(_), _) if !url.segments.is_empty() => Err(UrlProblem::ExtraPath),
        // More labels than one are for the host policy to refuse, which knows the permitted hosts.
        (Some(_), _) => Ok(url),
        (None, _) if url.segments.is_empty() => Err(UrlProblem::NoOrganization),
        (None, true) if url.segments.len() > 1 => Err(UrlProblem::ExtraPath),
        (None, false) if url.segments.len() > MAX_SEGMENTS || url.segments.iter().any(|s| s.starts_with('_')) => {
            Err(UrlProblem::ExtraPath)
        }
        (None, cloud) => {
            let valid =
                |name: &String| name.len() <= MAX_NAME && if cloud { cloud_name(name) } else { server_name(name) };
            if url.segments.iter().all(valid) { Ok(url) } else { Err(UrlProblem::InvalidName) }
        }
    }
}

/// What the user most likely meant: host and organization of the text, if they make a valid URL.
fn corrected(text: &str) -> Option<String> {
    let text = text.get(..MAX_URL).unwrap_or(text);
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let bare = format!("https://{host}");
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let plain = segments.iter().take_while(|segment| !segment.starts_with('_')).count();
    // The whole path first (a Server's collection may be deep), then its first segment, then none
    // (`{organization}.visualstudio.com`).
    [plain, 1, 0]
        .into_iter()
        .filter(|count| *count <= segments.len())
        .find_map(|count| check(&format!("{bare}/{}", segments[..count].join("/"))).ok().map(|url| url.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str, normal: &str) {
        assert_eq!(OrganizationUrl::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).as_str(), normal, "{text}");
    }

    fn refuses(text: &str, problem: UrlProblem, corrected: Option<&str>) {
        let error = OrganizationUrl::parse(text).expect_err(text);
        assert_eq!((error.problem, error.corrected()), (problem, corrected), "{text}");
    }

    #[test]
    fn the_forms_of_an_organization_url_are_accepted_and_normalised() {
        accepts("https://dev.azure.com/contoso", "https://dev.azure.com/contoso");
        accepts("HTTPS://Dev.Azure.com:443/Contoso//", "https://dev.azure.com/Contoso");
        accepts(" https://contoso.visualstudio.com/\n", "https://contoso.visualstudio.com");
        accepts(
            "https://tfs.example.com:8443/tfs/Default%20Collection/",
            "https://tfs.example.com:8443/tfs/Default%20Collection",
        );
        accepts("https://localhost:39001/contoso", "https://localhost:39001/contoso");
        accepts("https://[::1]:8443/contoso", "https://[::1]:8443/contoso");
    }

    #[test]
    fn a_refusal_names_the_problem_and_a_corrected_value() {
        let contoso = Some("https://dev.azure.com/contoso");
        refuses("http://dev.azure.com/contoso", UrlProblem::NotHttps, contoso);
        refuses("dev.azure.com/contoso", UrlProblem::NotHttps, contoso);
        refuses("https://dev.azure.com/contoso/Payments/_git/web", UrlProblem::ExtraPath, contoso);
        refuses(
            "https://contoso.visualstudio.com/Payments",
            UrlProblem::ExtraPath,
            Some("https://contoso.visualstudio.com"),
        );
        refuses("https://dev.azure.com/contoso?x=1", UrlProblem::QueryOrFragment, contoso);
        refuses("https://dev.azure.com/contoso#x", UrlProblem::QueryOrFragment, contoso);
        refuses("https://contoso@dev.azure.com/contoso", UrlProblem::UserInfo, contoso);
        refuses("https://dev.azure.com/", UrlProblem::NoOrganization, None);
        refuses("https://tfs.example.com", UrlProblem::NoOrganization, None);
        refuses("https://dev.azure.com/a/../b", UrlProblem::Malformed, Some("https://dev.azure.com/a"));
        refuses("https://dev.azure.com/%2e%2e", UrlProblem::Malformed, None);
        refuses("https://dev.azure.com//contoso//x", UrlProblem::Malformed, contoso);
        refuses("https://dev.azure.com./contoso", UrlProblem::Malformed, None);
        refuses("https://dev.azure.com/con\ttoso", UrlProblem::Malformed, None);
        refuses("https://dev.azure.com\\contoso", UrlProblem::Malformed, None);
        refuses("https://dev.azure.com/con_toso", UrlProblem::InvalidName, None);
        refuses(
            "https://tfs.example.com/tfs/Main/Payments/_git/web",
            UrlProblem::ExtraPath,
            Some("https://tfs.example.com/tfs/Main/Payments"),
        );
        refuses("", UrlProblem::NotHttps, None);
    }

    #[test]
    fn a_pasted_token_is_never_repeated() {
        let short = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
        let long = format!("{}JQQJ99AZACAAAA{}", "Zq7".repeat(17), "9".repeat(19));
        for token in [short, &long] {
            for text in [
                format!("https://{token}@dev.azure.com/contoso"),
                format!("https://user:{token}@dev.azure.com/contoso"),
                format!("https://dev.azure.com/{token}"),
                format!("https://dev.azure.com/contoso/{token}"),
                format!("https://tfs.example.com/tfs/{token}"),
                format!("https://{token}/contoso"),
                format!("https://{token}.visualstudio.com"),
                format!("https://dev.azure.com/contoso?pat={token}"),
                format!("https://dev.azure.com/contoso#{token}"),
                format!("http://{token}"),
                token.to_owned(),
                format!("{token}@dev.azure.com/contoso"),
            ] {
                let error = OrganizationUrl::parse(&text).expect_err("no organization URL");
                let shown = format!("{error} {error:?}").to_lowercase();
                assert!(!shown.contains(&token.to_lowercase()), "{shown}");
            }
        }
    }

    #[test]
    fn whatever_the_parts_are_nothing_leaks_and_what_is_accepted_stays_the_same() {
        const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
        let parts = [
            "",
            "https://",
            "http:",
            "dev.azure.com/",
            "dev.azure.com",
            "contoso",
            ".visualstudio.com",
            "tfs.example.com",
            "/",
            "@",
            ":",
            ":8443",
            "?",
            "#",
            "..",
            "%2f",
            "%00",
            "%",
            "[::1]",
            "_git",
            "ü",
            " ",
            TOKEN,
        ];
        let mut accepted = 0;
        for number in 0..parts.len().pow(3) {
            let part = |place: u32| parts[number / parts.len().pow(place) % parts.len()];
            let text = format!("https://{}{}{}", part(2), part(1), part(0));
            match OrganizationUrl::parse(&text) {
                Ok(url) => {
                    accepted += 1;
                    assert_eq!(OrganizationUrl::parse(url.as_str()).as_ref(), Ok(&url), "{text}");
                    assert!(!url.as_str().contains(['@', '?', '#']) && !url.name().is_empty(), "{text}");
                }
                Err(error) => {
                    assert!(!format!("{error} {error:?}").contains(TOKEN), "{text}: {error}");
                    let corrected = error.corrected().map(OrganizationUrl::parse);
                    assert!(corrected.is_none_or(|corrected| corrected.is_ok()), "{text}: {error}");
                }
            }
        }
        assert!(accepted > 20, "{accepted} accepted");
    }
}

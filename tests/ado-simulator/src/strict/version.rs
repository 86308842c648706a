//! The `api-version` of a request (`ado-api.md` §1): in the query, or in `Accept` alone.

use http::{HeaderMap, StatusCode};

use super::Fault;
use super::operation::{self, Operation, VersionRule};
use crate::envelope::Refusal;
use crate::journal::ViolationKind;
use crate::target::Target;

/// The version to serve, spelled as the answer echoes it.
pub(crate) fn check_version(
    operation: &Operation,
    target: &Target,
    headers: &HeaderMap,
    served: &[String],
) -> Result<String, Fault> {
    let rule = match operation.version {
        VersionRule::None => return Ok(String::new()),
        VersionRule::Released => None,
        VersionRule::Preview(number) => Some(number),
    };
    let asked = target.query_value("api-version").map(str::to_owned).or_else(|| accepted(headers));
    let asked = asked.ok_or_else(|| not_specified(operation))?;
    // `Some(None)` is the bare flag.
    let (number, preview) = match asked.split_once("-preview") {
        None => (asked.as_str(), None),
        Some((number, "")) => (number, Some(None)),
        Some((number, rest)) => {
            let resource = rest.strip_prefix('.').and_then(|text| text.parse::<u8>().ok());
            (number, Some(Some(resource.ok_or_else(|| out_of_range(&asked, served))?)))
        }
    };
    if !served.iter().any(|version| version == number) {
        return Err(out_of_range(&asked, served));
    }
    match (rule, preview) {
        (None, None) => Ok(number.to_owned()),
        (None, Some(resource)) => Ok(format!("{number}-preview.{}", resource.unwrap_or(1))),
        (Some(resource), Some(asked)) if asked.is_none_or(|asked| asked <= resource) => {
            Ok(format!("{number}-preview.{resource}"))
        }
        (Some(_), Some(_)) => Err(out_of_range(&asked, served)),
        (Some(_), None) => Err(flag_missing(&asked, number)),
    }
}

/// The version in `Accept: application/json;api-version=7.1`.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut parameters = values.flat_map(|value| value.split([',', ';'])).filter_map(|part| part.split_once('='));
    parameters.find(|(name, _)| operation::is_version(name.trim())).map(|(_, value)| value.trim().to_owned())
}

fn refuse(type_key: &'static str, message: String) -> Fault {
    Fault::refused(ViolationKind::ApiVersion, Refusal::web_api(StatusCode::BAD_REQUEST, type_key, message))
}

fn not_specified(operation: &Operation) -> Fault {
    let message = format!(
        "No api-version was supplied for the \"{}\" request. The version must be supplied either as part of the Accept header (e.g. \"application/json; api-version=1.0\") or as a query parameter (e.g. \"?api-version=1.0\").",
        operation.method
    );
    refuse("VssVersionNotSpecifiedException", message)
}

fn out_of_range(asked: &str, served: &[String]) -> Fault {
    let latest = served.iter().max().map_or("", String::as_str);
    let message = format!(
        "The requested REST API version of {asked} is out of range for this server. The latest REST API version this server supports is {latest}."
    );
    refuse("VssVersionOutOfRangeException", message)
}

fn flag_missing(asked: &str, number: &str) -> Fault {
    let message = format!(
        "The requested version \"{asked}\" of the resource is under preview. The -preview flag must be supplied in the api-version for such requests. For example: \"{number}-preview\""
    );
    refuse("VssInvalidPreviewVersionException", message)
}

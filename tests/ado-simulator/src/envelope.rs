//! Errors in the service's form (`ado-api.md` §3; members and their order as recorded in `errors/`).

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::reply::Reply;

/// The error envelope; its members are written in exactly this order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(rename = "$id")]
    id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_properties: Option<&'a Value>,
    inner_exception: Option<()>,
    message: &'a str,
    type_name: String,
    type_key: &'a str,
    error_code: i32,
    event_id: i32,
}

/// A request that is refused with an envelope.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub message: String,
    /// The class without namespace, which is also the `typeKey`.
    pub type_key: &'static str,
    /// Namespace and assembly of the class.
    pub namespace: &'static str,
    /// 3000 as a rule, 3200 from work item tracking, 0 for argument errors.
    pub event_id: i32,
    pub custom: Option<Value>,
}

const TRACKING: &str = "Microsoft.TeamFoundation.WorkItemTracking.Server";
const CORE: &str = "Microsoft.TeamFoundation.Core.WebApi";
const WEB_API: &str = "Microsoft.VisualStudio.Services.WebApi";
const COMMON: &str = "Microsoft.VisualStudio.Services.Common";
const FRAMEWORK: &str = "Microsoft.TeamFoundation.Framework.Server";
const HOOKS: &str = "Microsoft.VisualStudio.Services.ServiceHooks.WebApi";
const TEST: &str = "Microsoft.TeamFoundation.TestManagement.WebApi";
/// The namespace of refusals that the real service does not know.
const SIMULATOR: &str = "AdoSimulator";

impl Refusal {
    fn new(
        status: StatusCode,
        namespace: &'static str,
        type_key: &'static str,
        event_id: i32,
        message: impl Into<String>,
    ) -> Self {
        Self { status, message: message.into(), type_key, namespace, event_id, custom: None }
    }

    /// The same refusal with `customProperties`.
    pub fn with_custom(mut self, custom: Value) -> Self {
        self.custom = Some(custom);
        self
    }

    /// An error of work item tracking.
    pub fn tracking(status: StatusCode, type_key: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, TRACKING, type_key, 3200, message)
    }

    /// An error of the API framework about the form of a request (versions, content types).
    pub fn web_api(status: StatusCode, type_key: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, WEB_API, type_key, 3000, message)
    }

    /// An argument error: `eventId` is 0 for these.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, COMMON, "VssPropertyValidationException", 0, message)
    }

    /// TF200016 or VS800075: a project that does not exist or may not be seen, named or by id.
    pub fn no_project(name: &str) -> Self {
        if uuid::Uuid::try_parse(name).is_ok() {
            return Self::new(
                StatusCode::NOT_FOUND,
                CORE,
                "ProjectDoesNotExistException",
                3000,
                format!(
                    "VS800075: The project with id 'vstfs:///Classification/TeamProject/{name}' does not exist, or you do not have permission to access it."
                ),
            );
        }
        Self::new(
            StatusCode::NOT_FOUND,
            CORE,
            "ProjectDoesNotExistWithNameException",
            3000,
            format!(
                "TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server."
            ),
        )
    }

    /// A team that does not exist in the project.
    pub fn no_team(team: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            CORE,
            "TeamNotFoundException",
            3000,
            format!("The team with id '{team}' does not exist."),
        )
    }

    /// TF401232: a work item that does not exist or may not be read.
    pub fn no_work_item(id: u32) -> Self {
        let message = format!("TF401232: Work item {id} does not exist, or you do not have permissions to read it.");
        Self::tracking(StatusCode::NOT_FOUND, "WorkItemUnauthorizedAccessException", message)
    }

    /// TF400813: nobody that may use the organization.
    pub fn unauthorized() -> Self {
        let anonymous = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
        let message = format!("TF400813: The user '{anonymous}' is not authorized to access this resource.");
        Self::new(StatusCode::UNAUTHORIZED, FRAMEWORK, "UnauthorizedRequestException", 3000, message)
    }

    /// 403: the identity lacks a permission, named as the service names it.
    pub fn access_denied(who: &str, permission: &str) -> Self {
        let message =
            format!("Access Denied: {who} needs the following permission(s) to perform this action: {permission}");
        Self::new(StatusCode::FORBIDDEN, FRAMEWORK, "AccessCheckException", 3000, message)
    }

    /// 403 of a service hooks call.
    pub fn hooks_denied(who: &str, permission: &str) -> Self {
        let message = format!(
            "Access Denied: {who} needs the following permission(s) on the resource to perform this action: {permission}"
        );
        Self::new(StatusCode::FORBIDDEN, HOOKS, "AccessCheckException", 3000, message)
    }

    /// 403 of test management, for the permission or for the access level.
    pub fn test_denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, TEST, "AccessDeniedException", 3000, message)
    }

    /// 404 of anything else.
    pub fn not_found(type_key: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, COMMON, type_key, 3000, message)
    }

    /// A plain `VssServiceException`, such as TF24668 or TF400898.
    pub fn service(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, COMMON, "VssServiceException", 3000, message)
    }

    /// A refusal that only a strict simulator gives; the real service would overlook the point.
    pub fn strict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, SIMULATOR, "StrictnessException", 0, message)
    }

    /// 501: the specification knows it, the simulator does not.
    pub fn not_implemented(what: &str) -> Self {
        let message = format!("The simulator does not implement {what}.");
        Self::new(StatusCode::NOT_IMPLEMENTED, SIMULATOR, "NotImplementedException", 0, message)
    }

    /// The JSON text of the envelope.
    pub fn json(&self) -> Vec<u8> {
        let envelope = Envelope {
            id: "1",
            custom_properties: self.custom.as_ref(),
            inner_exception: None,
            message: &self.message,
            type_name: format!("{}.{}, {}", self.namespace, self.type_key, self.namespace),
            type_key: self.type_key,
            error_code: 0,
            event_id: self.event_id,
        };
        serde_json::to_vec(&envelope).unwrap_or_default()
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Reply::error_json(refusal.status, refusal.json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_recorded_order() {
        let text = String::from_utf8(Refusal::no_project("Nowhere").json()).unwrap();
        let order = ["$id", "innerException", "message", "typeName", "typeKey", "errorCode", "eventId"];
        let places: Vec<usize> = order.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
        assert!(text.contains("\"innerException\":null"));
    }
}

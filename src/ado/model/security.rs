//! Security namespaces and permission evaluation.

use serde::{Deserialize, Serialize};

use super::ids::SecurityNamespaceId;
use super::json::null_is_default;

/// A kind of secured thing with its permission bits. Bits are read at run time, since published lists are out of date.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityNamespace {
    /// Its id.
    #[serde(rename = "namespaceId")]
    pub id: SecurityNamespaceId,
    /// Its name, such as `ServiceHooks`; may end with a space.
    pub name: String,
    /// Its permissions.
    #[serde(default, deserialize_with = "null_is_default")]
    pub actions: Vec<SecurityAction>,
}

/// A permission of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityAction {
    /// Its bit.
    pub bit: i32,
    /// Its name, such as `EditSubscriptions`.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// A question: does the identity have all these permissions on this thing?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionQuery {
    /// The kind of thing.
    #[serde(rename = "securityNamespaceId")]
    pub namespace: SecurityNamespaceId,
    /// The thing, in the form of its namespace (`ado-api.md` §12).
    pub token: String,
    /// The bits.
    pub permissions: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvaluationBatch<'a> {
    pub(crate) always_allow_administrators: bool,
    pub(crate) evaluations: &'a [PermissionQuery],
}

#[derive(Debug, Deserialize)]
pub(crate) struct EvaluationAnswer {
    pub(crate) evaluations: Vec<EvaluatedPermission>,
}

/// The answer to one question, with the question.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvaluatedPermission {
    security_namespace_id: SecurityNamespaceId,
    token: String,
    permissions: i32,
    /// Absent reads as false: unset values are commonly left out.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) value: bool,
}

impl EvaluatedPermission {
    pub(crate) fn answers(&self, query: &PermissionQuery) -> bool {
        let same = self.security_namespace_id == query.namespace && self.permissions == query.permissions;
        same && self.token.eq_ignore_ascii_case(&query.token)
    }
}

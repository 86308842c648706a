//! What the identity may do. Evaluation knows the identity's rights, not the token's scopes.

use super::client::AdoClient;
use super::error::{AdoError, Defect};
use super::model::{EvaluatedPermission, EvaluationAnswer, EvaluationBatch, List, PermissionQuery, SecurityNamespace};
use super::route::{Call, Route};

pub(super) static NAMESPACES: Route = Route::get("security", "_apis/securitynamespaces").asked_once();
pub(super) static EVALUATE: Route = Route::ask("security", "_apis/security/permissionevaluationbatch").asked_once();

impl AdoClient {
    /// The security namespaces with their permission bits.
    pub async fn security_namespaces(&self) -> Result<Vec<SecurityNamespace>, AdoError> {
        let list: List<SecurityNamespace> = self.send(Call::new(&NAMESPACES, &[])).await?;
        Ok(list.value)
    }

    /// Whether the identity has each of these permissions, in the order of the questions.
    pub async fn evaluate_permissions(&self, queries: &[PermissionQuery]) -> Result<Vec<bool>, AdoError> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        let batch = EvaluationBatch { always_allow_administrators: false, evaluations: queries };
        let answer: EvaluationAnswer = self.send(Call::new(&EVALUATE, &[]).json(&batch)).await?;
        in_order(queries, &answer.evaluations).ok_or_else(|| {
            let host = self.organization().host().to_string();
            AdoError::Malformed { host, defect: Defect::Shape }
        })
    }
}

/// Each question's own answer, wherever it stands; none if one is missing.
fn in_order(queries: &[PermissionQuery], answers: &[EvaluatedPermission]) -> Option<Vec<bool>> {
    queries.iter().map(|query| answers.iter().find(|answer| answer.answers(query)).map(|answer| answer.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_matched_to_their_questions() {
        let namespace = "cb594ebe-87dd-4fc9-ac2c-6a10a4c92046";
        let query = |token: &str| PermissionQuery {
            namespace: namespace.parse().expect("a GUID"),
            token: token.to_owned(),
            permissions: 2,
        };
        let answer = |token: &str, value: &str| {
            format!(r#"{{"securityNamespaceId":"{namespace}","token":"{token}","permissions":2{value}}}"#)
        };
        let body = format!(
            r#"{{"evaluations":[{},{},{}]}}"#,
            answer("B", r#","value":true"#),
            answer("a", ""),
            answer("c", r#","value":null"#)
        );
        let answers: EvaluationAnswer = serde_json::from_str(&body).expect("valid");
        let all = [query("a"), query("b"), query("c")];
        assert_eq!(in_order(&all, &answers.evaluations), Some(vec![false, true, false]));
        assert_eq!(in_order(&[query("d")], &answers.evaluations), None);
    }
}

//! Work items: queries, batches, and changes that are only validated.

use serde::Serialize;
use serde::de::IgnoredAny;

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{List, Patch, ProjectId, QueryResult, Validation, WorkItem, WorkItemId, without_nulls};
use super::route::{Call, Route, Verb};

/// Most ids of one batch read (`ado-api.md` §5).
pub const MAX_BATCH: usize = 200;
/// Longest query text that the service takes.
const MAX_WIQL: usize = 32_000;
/// The `typeKey` of a refusal by a rule of the process.
const RULE_VALIDATION: &str = "RuleValidationException";

pub(super) static WIQL: Route = Route::ask("work items", "{project}/_apis/wit/wiql");
pub(super) static BATCH: Route = Route::ask("work items", "{project}/_apis/wit/workitemsbatch").large();
pub(super) static CREATE: Route =
    Route { repeatable: false, ..Route::ask("work items", "{project}/_apis/wit/workitems/${type}") };
pub(super) static UPDATE: Route =
    Route { method: Verb::Patch, repeatable: false, ..Route::ask("work items", "{project}/_apis/wit/workitems/{id}") };

/// A query for ids of a project's work items, by rising id. Values are quoted; there is no way to put raw text into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wiql {
    types: Vec<String>,
    above: Option<WorkItemId>,
    up_to: Option<WorkItemId>,
}

impl Wiql {
    /// All items of the project.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only items of these types; none given means all.
    #[must_use]
    pub fn types<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.types = names.into_iter().map(Into::into).collect();
        self
    }

    /// Only items with a higher id: the next page.
    #[must_use]
    pub fn above(mut self, id: WorkItemId) -> Self {
        self.above = Some(id);
        self
    }

    /// Only items with this id or a lower one: the end of a window.
    #[must_use]
    pub fn up_to(mut self, id: WorkItemId) -> Self {
        self.up_to = Some(id);
        self
    }

    fn text(&self) -> Result<String, AdoError> {
        let mut text = String::from("SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project");
        if !self.types.is_empty() {
            let types: Vec<String> = self.types.iter().map(|name| quoted(name)).collect();
            text.push_str(" AND [System.WorkItemType] IN (");
            text.push_str(&types.join(", "));
            text.push(')');
        }
        if let Some(id) = self.above {
            text.push_str(" AND [System.Id] > ");
            text.push_str(&id.to_string());
        }
        if let Some(id) = self.up_to {
            text.push_str(" AND [System.Id] <= ");
            text.push_str(&id.to_string());
        }
        text.push_str(" ORDER BY [System.Id]");
        if text.chars().count() > MAX_WIQL { Err(AdoError::InvalidName) } else { Ok(text) }
    }
}

/// A WIQL string literal.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[derive(Serialize)]
struct QueryBody {
    query: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchBody<'a> {
    ids: &'a [WorkItemId],
    fields: &'a [&'a str],
    error_policy: &'static str,
}

impl AdoClient {
    /// The first `top` ids that match. Items that the identity may not read are left out, so absence proves nothing.
    pub async fn query_ids(&self, project: &ProjectId, query: &Wiql, top: u32) -> Result<QueryResult, AdoError> {
        let body = QueryBody { query: query.text()? };
        self.send(Call::new(&WIQL, &[&project.to_string()]).query("$top", top).json(&body)).await
    }

    /// Work items by id, at most [`MAX_BATCH`] (more are [`AdoError::InvalidName`]). Ids that cannot be read are left
    /// out.
    pub async fn work_items(
        &self,
        project: &ProjectId,
        ids: &[WorkItemId],
        fields: &[&str],
    ) -> Result<Vec<WorkItem>, AdoError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if ids.len() > MAX_BATCH {
            return Err(AdoError::InvalidName);
        }
        let body = BatchBody { ids, fields, error_policy: "omit" };
        let list: List<Option<WorkItem>> = self.send(Call::new(&BATCH, &[&project.to_string()]).json(&body)).await?;
        Ok(without_nulls(list))
    }

    /// Asks whether an item of the type could be created. Saves nothing.
    pub async fn validate_create(
        &self,
        project: &ProjectId,
        type_name: &str,
        patch: &Patch,
    ) -> Result<Validation, AdoError> {
        let call = Call::new(&CREATE, &[&project.to_string(), type_name]);
        self.validate(call, patch).await
    }

    /// Asks whether an item could be changed so. Saves nothing.
    pub async fn validate_link(
        &self,
        project: &ProjectId,
        id: WorkItemId,
        patch: &Patch,
    ) -> Result<Validation, AdoError> {
        let call = Call::new(&UPDATE, &[&project.to_string(), &id.to_string()]);
        self.validate(call, patch).await
    }

    async fn validate(&self, call: Call, patch: &Patch) -> Result<Validation, AdoError> {
        match self.send::<IgnoredAny>(call.query("validateOnly", true).json_patch(patch)).await {
            Ok(_) => Ok(Validation::Accepted),
            Err(AdoError::BadRequest(message)) if message.type_key.as_deref() == Some(RULE_VALIDATION) => {
                Ok(Validation::RulesViolated(message))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_cannot_leave_their_literal() {
        let query = Wiql::new().types(["User Story", "it's' OR 1=1 --"]).above(WorkItemId(41));
        assert_eq!(
            query.text().as_deref(),
            Ok("SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.WorkItemType] IN \
                ('User Story', 'it''s'' OR 1=1 --') AND [System.Id] > 41 ORDER BY [System.Id]")
        );
        let all = Wiql::new().types(Vec::<String>::new());
        assert_eq!(
            all.text().as_deref(),
            Ok("SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project ORDER BY [System.Id]")
        );
        assert_eq!(Wiql::new().types(vec!["x".repeat(200); 200]).text(), Err(AdoError::InvalidName));
    }
}

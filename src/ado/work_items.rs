//! Work items: queries, batches, and changes that are only validated.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{
    BareOrList, DeletedWorkItem, LinkedWorkItem, List, Patch, ProjectId, QueryResult, Validation, WorkItem, WorkItemId,
    without_nulls,
};
use super::route::{Call, Route, Verb};

/// Most ids of one batch read (`ado-api.md` §5).
pub const MAX_BATCH: usize = 200;
/// Longest query text that the service takes.
const MAX_WIQL: usize = 32_000;
/// The `typeKey` of a refusal by a rule of the process.
const RULE_VALIDATION: &str = "RuleValidationException";

pub(super) static WIQL: Route = Route::ask("work items", "{project}/_apis/wit/wiql");
pub(super) static BATCH: Route = Route::ask("work items", "{project}/_apis/wit/workitemsbatch").large();
pub(super) static BATCH_ANYWHERE: Route = Route::ask("work items", "_apis/wit/workitemsbatch").large();
pub(super) static RECYCLE_BIN: Route = Route::get("work items", "{project}/_apis/wit/recyclebin").large();
pub(super) static CREATE: Route =
    Route { repeatable: false, ..Route::ask("work items", "{project}/_apis/wit/workitems/${type}") };
pub(super) static UPDATE: Route =
    Route { method: Verb::Patch, repeatable: false, ..Route::ask("work items", "{project}/_apis/wit/workitems/{id}") };

/// A query for ids of a project's work items, by rising id. Values are quoted; there is no way to put raw text into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wiql {
    types: Vec<String>,
    values: Vec<(String, String)>,
    above: Option<WorkItemId>,
    up_to: Option<WorkItemId>,
    changed_since: Option<Timestamp>,
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

    /// Only items whose field of that reference name has this value.
    #[must_use]
    pub fn field_is(mut self, reference_name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((reference_name.into(), value.into()));
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

    /// Only items that were changed at that moment or later, to the second. Changes of links alone do not count
    /// (`ado-api.md` §9).
    #[must_use]
    pub fn changed_since(mut self, moment: Timestamp) -> Self {
        self.changed_since = Some(moment);
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
        for (name, value) in &self.values {
            if !is_reference_name(name) {
                return Err(AdoError::InvalidName);
            }
            text.extend([" AND [", name, "] = ", &quoted(value)]);
        }
        if let Some(id) = self.above {
            text.push_str(" AND [System.Id] > ");
            text.push_str(&id.to_string());
        }
        if let Some(id) = self.up_to {
            text.push_str(" AND [System.Id] <= ");
            text.push_str(&id.to_string());
        }
        if let Some(moment) = self.changed_since {
            let moment = moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            text.extend([" AND [System.ChangedDate] >= ", &quoted(&moment)]);
        }
        text.push_str(" ORDER BY [System.Id]");
        if text.chars().count() > MAX_WIQL { Err(AdoError::InvalidName) } else { Ok(text) }
    }
}

/// A WIQL string literal.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Whether a name can stand in brackets: those of the service have no other characters.
fn is_reference_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

#[derive(Serialize)]
struct QueryBody {
    query: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchBody<'a> {
    ids: &'a [WorkItemId],
    /// Excludes `expand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a [&'a str]>,
    #[serde(rename = "$expand", skip_serializing_if = "Option::is_none")]
    expand: Option<&'static str>,
    error_policy: &'static str,
}

impl AdoClient {
    /// The first `top` ids that match. Items that the identity may not read are left out, so absence proves nothing.
    pub async fn query_ids(&self, project: &ProjectId, query: &Wiql, top: u32) -> Result<QueryResult, AdoError> {
        let body = QueryBody { query: query.text()? };
        let call = Call::new(&WIQL, &[&project.to_string()]).query("$top", top).json(&body);
        // Without it a time of day is refused (`ado-api.md` §9).
        self.send(if query.changed_since.is_some() { call.query("timePrecision", true) } else { call }).await
    }

    /// Whether any item matches, among those that the identity may read.
    pub async fn any_item(&self, project: &ProjectId, query: &Wiql) -> Result<bool, AdoError> {
        match self.query_ids(project, query, 1).await {
            Ok(found) => Ok(!found.ids.is_empty()),
            Err(error) if error.exceeds_result_limit() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Work items by id, at most [`MAX_BATCH`] (more are [`AdoError::InvalidName`]). Ids that cannot be read are left
    /// out.
    pub async fn work_items(
        &self,
        project: &ProjectId,
        ids: &[WorkItemId],
        fields: &[&str],
    ) -> Result<Vec<WorkItem>, AdoError> {
        let body = BatchBody { ids, fields: Some(fields), expand: None, error_policy: "omit" };
        self.batch(Call::new(&BATCH, &[&project.to_string()]), body).await
    }

    /// Work items of any project by id, at most [`MAX_BATCH`] (more are [`AdoError::InvalidName`]). Ids that cannot be read
    /// are left out.
    pub async fn work_items_anywhere(&self, ids: &[WorkItemId], fields: &[&str]) -> Result<Vec<WorkItem>, AdoError> {
        let body = BatchBody { ids, fields: Some(fields), expand: None, error_policy: "omit" };
        self.batch(Call::new(&BATCH_ANYWHERE, &[]), body).await
    }

    /// Work items by id with all fields and their links to other items, at most [`MAX_BATCH`] (more are
    /// [`AdoError::InvalidName`]). Ids that cannot be read are left out. Long texts count: where they make the answer
    /// [`AdoError::TooLarge`], fewer ids at a time may do.
    pub async fn linked_work_items(
        &self,
        project: &ProjectId,
        ids: &[WorkItemId],
    ) -> Result<Vec<LinkedWorkItem>, AdoError> {
        let body = BatchBody { ids, fields: None, expand: Some("relations"), error_policy: "omit" };
        self.batch(Call::new(&BATCH, &[&project.to_string()]), body).await
    }

    async fn batch<T: DeserializeOwned>(&self, call: Call, body: BatchBody<'_>) -> Result<Vec<T>, AdoError> {
        if body.ids.is_empty() {
            return Ok(Vec::new());
        }
        if body.ids.len() > MAX_BATCH {
            return Err(AdoError::InvalidName);
        }
        let list: List<Option<T>> = self.send(call.json(&body)).await?;
        Ok(without_nulls(list))
    }

    /// The items in a project's recycle bin. Over 20,000 the service refuses
    /// ([`AdoError::exceeds_result_limit`], `ado-api.md` §5).
    pub async fn recycle_bin(&self, project: &ProjectId) -> Result<Vec<DeletedWorkItem>, AdoError> {
        let list: BareOrList<DeletedWorkItem> = self.send(Call::new(&RECYCLE_BIN, &[&project.to_string()])).await?;
        Ok(list.0)
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
        let moment = "2026-03-01T08:30:15.987Z".parse().expect("a time");
        let changed = Wiql::new().changed_since(moment).above(WorkItemId(41));
        assert_eq!(
            changed.text().as_deref(),
            Ok("SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.Id] > 41 AND \
                [System.ChangedDate] >= '2026-03-01T08:30:15Z' ORDER BY [System.Id]")
        );
        let field = Wiql::new().types(["Bug"]).field_is("System.State", "it's").field_is("WEF_6C_Kanban.Column", "x");
        assert_eq!(
            field.text().as_deref(),
            Ok("SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.WorkItemType] IN \
                ('Bug') AND [System.State] = 'it''s' AND [WEF_6C_Kanban.Column] = 'x' ORDER BY [System.Id]")
        );
        for name in ["", "System.State] <> '' OR [System.Id", "a b", "a'b"] {
            assert_eq!(Wiql::new().field_is(name, "x").text(), Err(AdoError::InvalidName), "{name}");
        }
    }
}

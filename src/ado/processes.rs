//! What the process of a project defines.

use super::client::AdoClient;
use super::error::{AdoError, Defect};
use super::model::{BacklogConfiguration, Field, List, ProjectId, TeamId, TypeCategory, TypeField, WorkItemType};
use super::route::{Call, Route};

pub(super) static TYPES: Route = Route::get("work items", "{project}/_apis/wit/workitemtypes").large();
pub(super) static CATEGORIES: Route = Route::get("work items", "{project}/_apis/wit/workitemtypecategories");
pub(super) static PROJECT_BACKLOGS: Route = Route::get("boards", "{project}/_apis/work/backlogconfiguration");
pub(super) static TEAM_BACKLOGS: Route = Route::get("boards", "{project}/{team}/_apis/work/backlogconfiguration");
pub(super) static TYPE_FIELDS: Route =
    Route::get("work items", "{project}/_apis/wit/workitemtypes/{type}/fields").large();
pub(super) static TYPE_FIELD: Route =
    Route::get("work items", "{project}/_apis/wit/workitemtypes/{type}/fields/{field}");
pub(super) static FIELDS: Route = Route::get("work items", "_apis/wit/fields").large();

impl AdoClient {
    /// The work item types of a project, disabled ones too.
    pub async fn work_item_types(&self, project: &ProjectId) -> Result<Vec<WorkItemType>, AdoError> {
        let list: List<WorkItemType> = self.send(Call::new(&TYPES, &[&project.to_string()])).await?;
        Ok(list.value)
    }

    /// The type categories of a project.
    pub async fn work_item_type_categories(&self, project: &ProjectId) -> Result<Vec<TypeCategory>, AdoError> {
        let list: List<TypeCategory> = self.send(Call::new(&CATEGORIES, &[&project.to_string()])).await?;
        Ok(list.value)
    }

    /// The backlog levels of a team, or without one of the project's default team.
    pub async fn backlog_configuration(
        &self,
        project: &ProjectId,
        team: Option<&TeamId>,
    ) -> Result<BacklogConfiguration, AdoError> {
        let project = project.to_string();
        let call = match team {
            Some(team) => Call::new(&TEAM_BACKLOGS, &[&project, &team.to_string()]),
            None => Call::new(&PROJECT_BACKLOGS, &[&project]),
        };
        self.send(call).await
    }

    /// The fields of a type with the values that they offer.
    pub async fn type_fields(&self, project: &ProjectId, type_name: &str) -> Result<Vec<TypeField>, AdoError> {
        let call = Call::new(&TYPE_FIELDS, &[&project.to_string(), type_name]).query("$expand", "allowedValues");
        let list: List<TypeField> = self.send(call).await?;
        Ok(list.value)
    }

    /// A field of a type by its reference name, with the values that it offers; none if the type does not have it
    /// (`ado-api.md` §7). A type or project that does not exist has no fields.
    pub async fn type_field(
        &self,
        project: &ProjectId,
        type_name: &str,
        field: &str,
    ) -> Result<Option<TypeField>, AdoError> {
        let call = Call::new(&TYPE_FIELD, &[&project.to_string(), type_name, field]).query("$expand", "allowedValues");
        match self.send(call).await {
            Err(AdoError::NotFound(_) | AdoError::Malformed { defect: Defect::Empty, .. }) => Ok(None),
            Err(error) if error.is_unknown_field() => Ok(None),
            result => result,
        }
    }

    /// All fields of the organization.
    pub async fn organization_fields(&self) -> Result<Vec<Field>, AdoError> {
        let list: List<Field> = self.send(Call::new(&FIELDS, &[])).await?;
        Ok(list.value)
    }
}

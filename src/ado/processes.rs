//! What the process of a project defines.

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{
    BacklogConfiguration, ClassificationNode, ClassificationRoots, Field, List, ProjectId, TeamId, TypeCategory,
    TypeField, WorkItemType,
};
use super::route::{Call, Route};

pub(super) static TYPES: Route = Route::get("work items", "{project}/_apis/wit/workitemtypes").large();
pub(super) static CATEGORIES: Route = Route::get("work items", "{project}/_apis/wit/workitemtypecategories");
pub(super) static PROJECT_BACKLOGS: Route = Route::get("boards", "{project}/_apis/work/backlogconfiguration");
pub(super) static TEAM_BACKLOGS: Route = Route::get("boards", "{project}/{team}/_apis/work/backlogconfiguration");
pub(super) static TYPE_FIELDS: Route =
    Route::get("work items", "{project}/_apis/wit/workitemtypes/{type}/fields").large();
pub(super) static FIELDS: Route = Route::get("work items", "_apis/wit/fields").large();
pub(super) static ITERATIONS: Route =
    Route::get("work items", "{project}/_apis/wit/classificationnodes/Iterations").large();

pub(super) static ROOTS: Route = Route::get("work items", "{project}/_apis/wit/classificationnodes");

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

    /// All fields of the organization.
    pub async fn organization_fields(&self) -> Result<Vec<Field>, AdoError> {
        let list: List<Field> = self.send(Call::new(&FIELDS, &[])).await?;
        Ok(list.value)
    }

    /// The roots of the area and iteration trees, without the nodes below.
    pub async fn classification_roots(&self, project: &ProjectId) -> Result<ClassificationRoots, AdoError> {
        let call = Call::new(&ROOTS, &[&project.to_string()]).query("$depth", 0);
        let list: List<ClassificationNode> = self.send(call).await?;
        Ok(list.value.into())
    }

    /// The root of the iteration tree with the nodes right below.
    pub async fn iterations_root(&self, project: &ProjectId) -> Result<ClassificationNode, AdoError> {
        self.send(Call::new(&ITERATIONS, &[&project.to_string()]).query("$depth", 1)).await
    }
}

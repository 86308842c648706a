//! Git repositories (scope `vso.code`).

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{List, ProjectId, Repository};
use super::route::{Call, Route};

pub(super) static PROJECT_REPOSITORIES: Route = Route::get("repositories", "{project}/_apis/git/repositories").large();
pub(super) static REPOSITORIES: Route = Route::get("repositories", "_apis/git/repositories").large();

impl AdoClient {
    /// The repositories of a project, or without one of the whole organization; disabled ones too.
    pub async fn repositories(&self, project: Option<&ProjectId>) -> Result<Vec<Repository>, AdoError> {
        let call = match project {
            Some(project) => Call::new(&PROJECT_REPOSITORIES, &[&project.to_string()]),
            None => Call::new(&REPOSITORIES, &[]),
        };
        let list: List<Repository> = self.send(call).await?;
        Ok(list.value)
    }
}

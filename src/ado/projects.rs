//! Projects and teams.

use serde::de::DeserializeOwned;

use super::client::AdoClient;
use super::error::{AdoError, Defect};
use super::model::{List, Project, ProjectDetails, ProjectId, Team};
use super::route::{Call, Route};

/// Items asked for per page: the service's own default in reports, so that it is not likely to be cut.
const PAGE: usize = 100;
/// Most items of a list: twice the documented 5,000 teams of a project (`ado-api.md` §5).
const MAX_ITEMS: usize = 10_000;

pub(super) static PROJECTS: Route = Route::get("projects", "_apis/projects");
pub(super) static PROJECT: Route = Route::get("projects", "_apis/projects/{project}");
pub(super) static TEAMS: Route = Route::get("teams", "_apis/projects/{project}/teams");
pub(super) static TEAM: Route = Route::get("teams", "_apis/projects/{project}/teams/{team}");

impl AdoClient {
    /// All projects that the identity may see.
    pub async fn projects(&self) -> Result<Vec<Project>, AdoError> {
        self.pages(|| Call::new(&PROJECTS, &[])).await
    }

    /// A project by its name or id, with its process.
    pub async fn project(&self, name_or_id: &str) -> Result<ProjectDetails, AdoError> {
        self.send(Call::new(&PROJECT, &[name_or_id]).query("includeCapabilities", true)).await
    }

    /// All teams of a project.
    pub async fn teams(&self, project: &ProjectId) -> Result<Vec<Team>, AdoError> {
        let project = project.to_string();
        self.pages(|| Call::new(&TEAMS, &[&project])).await
    }

    /// The first page of a project's teams.
    pub async fn first_teams(&self, project: &ProjectId) -> Result<Vec<Team>, AdoError> {
        let list: List<Team> = self.send(Call::new(&TEAMS, &[&project.to_string()]).query("$top", PAGE)).await?;
        Ok(list.value)
    }

    /// A team by its name or id.
    pub async fn team(&self, project: &ProjectId, name_or_id: &str) -> Result<Team, AdoError> {
        self.send(Call::new(&TEAM, &[&project.to_string(), name_or_id])).await
    }

    /// Reads a list to its end: by the token of the answer's header where there is one, else by `$skip` until a page is
    /// not full.
    async fn pages<T: DeserializeOwned>(&self, call: impl Fn() -> Call) -> Result<Vec<T>, AdoError> {
        let mut items: Vec<T> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = call().query("$top", PAGE);
            let page = match (&token, items.len()) {
                (Some(token), _) => page.query("continuationToken", token),
                (None, 0) => page,
                (None, skip) => page.query("$skip", skip),
            };
            let answer = self.fetch::<List<T>>(page).await?;
            let (got, next) = (answer.value.value.len(), answer.continuation);
            items.extend(answer.value.value);
            let same = next.is_some() && next == token;
            if items.len() > MAX_ITEMS || same {
                let host = self.organization().host().to_string();
                return Err(AdoError::Malformed { host, defect: Defect::Endless });
            }
            if got == 0 || (next.is_none() && (token.is_some() || got < PAGE)) {
                return Ok(items);
            }
            token = next;
        }
    }
}

//! Git repositories (recorded in `git/`).

use serde_json::{Value, json};

use super::nodes::encode;
use super::{Call, Outcome};
use crate::reply::Reply;
use crate::state::World;
use crate::state::permissions::{self, Right};
use crate::state::project::{Project, ProjectState, Repository};

pub(super) fn list(call: &Call<'_>, world: &World) -> Outcome {
    let organization = call.organization(world);
    let identity = call.identity(world)?;
    let projects: Vec<&Project> = match call.project_index(world)? {
        Some(index) => vec![&organization.projects[index]],
        None => organization.projects.iter().filter(|project| project.state == ProjectState::WellFormed).collect(),
    };
    let readable = |project: &&Project| {
        [Right::ViewProject, Right::ReadRepositories].iter().all(|right| permissions::may(identity, *right, project))
    };
    let mut values = Vec::new();
    for project in projects.into_iter().filter(readable) {
        let repositories = project.repositories.iter();
        values.extend(repositories.map(|repository| json_of(call, &organization.name, project, repository)));
    }
    Ok(Reply::list(&values))
}

fn json_of(call: &Call<'_>, organization: &str, project: &Project, repository: &Repository) -> Value {
    let (name, owner) = (encode(&repository.name), encode(&project.name));
    let mut value = json!({
        "id": repository.id,
        "name": repository.name,
        "url": format!("{}/_apis/git/repositories/{}", call.project_base(project), repository.id),
        "project": super::core::reference(call, project),
        "size": repository.size,
        "remoteUrl": format!("https://{organization}@dev.azure.com/{organization}/{owner}/_git/{name}"),
        "sshUrl": format!("git@ssh.dev.azure.com:v3/{organization}/{owner}/{name}"),
        "webUrl": format!("{}/{owner}/_git/{name}", call.base()),
        "isDisabled": repository.disabled,
        "isInMaintenance": false,
    });
    // An empty repository has no default branch (recorded).
    if let (Some(branch), Some(members)) = (repository.default_branch, value.as_object_mut()) {
        members.insert("defaultBranch".to_owned(), json!(branch));
    }
    value
}

//! What a connection has learnt of its projects, for all configs that are synced through it. It belongs to the connection and
//! goes with it: what one credential may read another may not.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::shared::Shared;
use crate::ado::ServiceMessage;
use crate::ado::model::{
    BacklogConfiguration, Field, ProjectDetails, ProjectId, Team, TeamId, TypeCategory, WorkItemType,
};
use crate::domain::mapping::folded;
use crate::domain::mapping::tree::Tree;

/// How long what a process defines is taken for known.
pub const METADATA_AGE: Duration = Duration::from_hours(4);

/// The fields of an organization.
#[derive(Debug)]
pub struct Fields {
    /// The date fields.
    pub dates: Vec<Field>,
    /// The fields to read of every item.
    pub wanted: Vec<String>,
}

/// Types and categories of a project.
#[derive(Debug)]
pub struct Types {
    /// The types; of their fields only the dates are kept, which are few of many.
    pub types: Vec<WorkItemType>,
    /// The categories.
    pub categories: Vec<TypeCategory>,
}

/// The iterations that a team has selected; what the service says if the team is gone.
pub(super) type Selection = Result<Arc<[Uuid]>, ServiceMessage>;

/// Answers by what they are about.
#[derive(Debug)]
pub struct Learnt {
    /// By the folded name or id.
    pub(super) projects: Shared<String, ProjectDetails>,
    pub(super) fields: Shared<(), Arc<Fields>>,
    pub(super) types: Shared<ProjectId, Arc<Types>>,
    /// Without a team, that of the default team.
    pub(super) backlogs: Shared<(ProjectId, Option<TeamId>), Arc<BacklogConfiguration>>,
    /// The severities that a type offers; None if it has none.
    pub(super) severities: Shared<(ProjectId, String), Option<Arc<[String]>>>,
    /// The first teams of a project.
    pub(super) teams: Shared<ProjectId, Arc<[Team]>>,
    /// Teams that are not among the first, by the folded name or id.
    pub(super) further_teams: Shared<(ProjectId, String), Team>,
    pub(super) trees: Shared<ProjectId, Arc<Tree>>,
    pub(super) selections: Shared<(ProjectId, TeamId), Selection>,
}

impl Default for Learnt {
    fn default() -> Self {
        Self {
            projects: Shared::new(METADATA_AGE),
            fields: Shared::new(METADATA_AGE),
            types: Shared::new(METADATA_AGE),
            backlogs: Shared::new(METADATA_AGE),
            severities: Shared::new(METADATA_AGE),
            teams: Shared::new(METADATA_AGE),
            further_teams: Shared::new(METADATA_AGE),
            trees: Shared::new(METADATA_AGE),
            selections: Shared::new(METADATA_AGE),
        }
    }
}

impl Learnt {
    /// Forgets a project, after Azure DevOps refused something of it.
    pub fn forget(&self, project: &ProjectDetails) {
        let id = project.id;
        let names = [folded(&project.name), id.to_string()];
        self.projects.forget(|asked| names.contains(asked));
        self.types.forget(|of| *of == id);
        self.backlogs.forget(|(of, _)| *of == id);
        self.severities.forget(|(of, _)| *of == id);
        self.trees.forget(|of| *of == id);
        self.selections.forget(|(of, _)| *of == id);
        self.forget_teams(id);
    }

    /// Forgets who the teams of a project are.
    pub(super) fn forget_teams(&self, project: ProjectId) {
        self.teams.forget(|of| *of == project);
        self.further_teams.forget(|(of, _)| *of == project);
    }
}

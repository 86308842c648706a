//! Questions to Azure DevOps about a project, asked anew only where what is known is too old for who asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::fields;
use super::learnt::{Fields, Learnt, METADATA_AGE, Types};
use super::shared::{Age, Answer, Shared};
use crate::ado::model::{BacklogConfiguration, FieldKind, ProjectDetails, ProjectId, Team, TeamId};
use crate::ado::{AdoClient, AdoError};
use crate::clock::{SharedClock, SystemClock};
use crate::domain::mapping::accept::SEVERITY;
use crate::domain::mapping::tree::Tree;
use crate::domain::mapping::{folded, same};

/// How long a name is taken to be that of the same project: configs that are applied together ask once. It is short, since a
/// config belongs for life to what its name stands for at first.
const NAME_AGE: Duration = Duration::from_mins(1);

/// How old answers may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ages {
    /// What a process defines: types, states, levels, fields, teams.
    pub defined: Duration,
    /// What changes at any time and tells nobody: the iterations, and which of them a team has selected (`ado-api.md` §8).
    pub iterations: Duration,
}

impl Ages {
    /// Everything is asked anew.
    pub const ANEW: Self = Self { defined: Duration::ZERO, iterations: Duration::ZERO };

    /// What a process defines may be known for hours, iterations for so long.
    pub const fn known(iterations: Duration) -> Self {
        Self { defined: METADATA_AGE, iterations }
    }
}

/// The age of what a look rested on.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// When the oldest of what a process defines was asked.
    oldest: Option<Timestamp>,
    /// Whether some answer is older than the look.
    is_old: bool,
}

/// One look at projects.
pub struct Look {
    client: AdoClient,
    learnt: Arc<Learnt>,
    clock: SharedClock,
    asked: Instant,
    ages: Ages,
    rest: Mutex<Rest>,
}

impl Look {
    /// A look that is content with what is known, up to these ages.
    pub fn new(client: AdoClient, learnt: Arc<Learnt>, clock: SharedClock, ages: Ages) -> Self {
        Self { client, learnt, clock, asked: Instant::now(), ages, rest: Mutex::default() }
    }

    /// A look by itself, of which nothing is kept.
    pub fn once(client: AdoClient) -> Self {
        Self::new(client, Arc::default(), Arc::new(SystemClock), Ages::ANEW)
    }

    /// The same look once more, at things as they are now.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::new(self.client.clone(), Arc::clone(&self.learnt), Arc::clone(&self.clock), Ages::ANEW)
    }

    /// The client.
    pub fn client(&self) -> &AdoClient {
        &self.client
    }

    /// Whether some answer so far was known before the look.
    pub fn is_old(&self) -> bool {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).is_old
    }

    /// Since when it is known what a process defines, as far as it was asked for.
    pub fn defined_at(&self) -> Timestamp {
        let rest = *self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.oldest.unwrap_or_else(|| self.clock.now())
    }

    /// A project by its name or id, with its process.
    pub async fn project(&self, name_or_id: &str) -> Result<ProjectDetails, AdoError> {
        let asked = folded(name_or_id);
        let is_id = asked.parse::<ProjectId>().is_ok();
        let age = if is_id { self.ages.defined } else { self.ages.defined.min(NAME_AGE) };
        let ask = self.client.project(name_or_id);
        let answer = self.learnt.projects.get(asked, &self.clock, self.age(age), ask.boxed()).await?;
        // Its other name need not be asked for either.
        let other = if is_id { folded(&answer.value.name) } else { answer.value.id.to_string() };
        if answer.began > self.asked {
            self.learnt.projects.put(other, answer.clone());
        }
        Ok(self.defined(answer))
    }

    /// The fields of the organization.
    pub async fn fields(&self) -> Result<Arc<Fields>, AdoError> {
        let ask = async {
            let all = self.client.organization_fields().await?;
            let wanted = fields::wanted(&all);
            let dates = all.into_iter().filter(|field| field.kind == FieldKind::DateTime).collect();
            Ok(Arc::new(Fields { dates, wanted }))
        };
        self.known(&self.learnt.fields, (), ask.boxed()).await
    }

    /// Types and categories of a project, with those fields of the types that are among these.
    pub async fn types(&self, project: ProjectId, fields: &Fields) -> Result<Arc<Types>, AdoError> {
        let ask = async {
            let (mut types, categories) = tokio::try_join!(
                self.client.work_item_types(&project),
                self.client.work_item_type_categories(&project),
            )?;
            for known in &mut types {
                known.fields.retain(|name| fields.dates.iter().any(|date| same(&date.reference_name, name)));
                known.fields.shrink_to_fit();
            }
            Ok(Arc::new(Types { types, categories }))
        };
        self.known(&self.learnt.types, project, ask.boxed()).await
    }

    /// The backlog levels of a team. Without one they are those of the default team (`ado-api.md` §7), so that both share them.
    pub async fn backlog(
        &self,
        project: &ProjectDetails,
        team: Option<TeamId>,
    ) -> Result<Arc<BacklogConfiguration>, AdoError> {
        let default = project.default_team.as_ref().map(|team| team.id);
        let (project, team) = (project.id, team.filter(|team| Some(*team) != default));
        let ask = async { self.client.backlog_configuration(&project, team.as_ref()).await.map(Arc::new) };
        self.known(&self.learnt.backlogs, (project, team), ask.boxed()).await
    }

    /// The severities that a type offers; None if it has none.
    pub async fn severities(&self, project: ProjectId, type_name: &str) -> Result<Option<Arc<[String]>>, AdoError> {
        let ask = async {
            let field = self.client.type_field(&project, type_name, SEVERITY).await?;
            Ok(field.map(|field| field.allowed_values.into()))
        };
        self.known(&self.learnt.severities, (project, folded(type_name)), ask.boxed()).await
    }

    /// The first teams of a project, which in most projects are all.
    pub async fn teams(&self, project: ProjectId) -> Result<Arc<[Team]>, AdoError> {
        let ask = async { self.client.first_teams(&project).await.map(Arc::from) };
        self.known(&self.learnt.teams, project, ask.boxed()).await
    }

    /// A team by its name or id. One request tells of all teams of most projects; one that is not among them is asked for.
    pub async fn team(&self, project: &ProjectDetails, name_or_id: &str) -> Result<Team, AdoError> {
        let wanted = folded(name_or_id);
        let is_it = |team: &&Team| team.id.to_string() == wanted || folded(&team.name) == wanted;
        if let Some(team) = project.default_team.iter().find(is_it) {
            return Ok(team.clone());
        }
        let first = self.teams(project.id).await?;
        if let Some(team) = first.iter().find(is_it) {
            return Ok(team.clone());
        }
        let ask = self.client.team(&project.id, name_or_id);
        self.known(&self.learnt.further_teams, (project.id, wanted.clone()), ask.boxed()).await
    }

    /// The iterations of a project.
    pub async fn tree(&self, project: ProjectId) -> Result<Arc<Tree>, AdoError> {
        let ask = async { Ok(Arc::new(Tree::new(&self.client.iteration_tree(&project).await?))) };
        self.recent(&self.learnt.trees, project, ask.boxed()).await
    }

    /// The iterations that a team has selected.
    pub async fn selection(&self, project: ProjectId, team: TeamId) -> Result<Arc<[Uuid]>, AdoError> {
        let ask = async {
            match self.client.team_iterations(&project, &team).await {
                Err(AdoError::NotFound(message)) => Ok(Err(message)),
                found => Ok(Ok(found?.into_iter().map(|iteration| iteration.id).collect())),
            }
        };
        self.recent(&self.learnt.selections, (project, team), ask.boxed()).await?.map_err(AdoError::NotFound)
    }

    /// Forgets who the teams of a project are.
    pub fn forget_teams(&self, project: ProjectId) {
        self.learnt.forget_teams(project);
    }

    fn age(&self, tolerance: Duration) -> Age {
        Age { asked: self.asked, tolerance }
    }

    async fn known<K, V>(
        &self,
        answers: &Shared<K, V>,
        key: K,
        ask: BoxFuture<'_, Result<V, AdoError>>,
    ) -> Result<V, AdoError>
    where
        K: Eq + std::hash::Hash,
        V: Clone,
    {
        Ok(self.defined(answers.get(key, &self.clock, self.age(self.ages.defined), ask).await?))
    }

    async fn recent<K, V>(
        &self,
        answers: &Shared<K, V>,
        key: K,
        ask: BoxFuture<'_, Result<V, AdoError>>,
    ) -> Result<V, AdoError>
    where
        K: Eq + std::hash::Hash,
        V: Clone,
    {
        let answer = answers.get(key, &self.clock, self.age(self.ages.iterations), ask).await?;
        self.note(answer.began, None);
        Ok(answer.value)
    }

    fn defined<V>(&self, answer: Answer<V>) -> V {
        self.note(answer.began, Some(answer.at));
        answer.value
    }

    fn note(&self, began: Instant, defined: Option<Timestamp>) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.is_old |= began <= self.asked;
        rest.oldest = rest.oldest.into_iter().chain(defined).min();
    }
}

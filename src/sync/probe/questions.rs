//! The requests of a probe. Each is a read, or a write that the service is asked only to validate.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{ProbeRequest, ProbedProject};
use crate::ado::model::{
    ClassificationNode, Entitlement, HookEventType, IdentityId, Patch, PermissionQuery, Project, ProjectDetails,
    ProjectId, ProjectState, QueryResult, Repository, SecurityNamespace, Team, TypeCategory, Validation, WorkItemId,
};
use crate::ado::{AdoClient, AdoError, Wiql};
use crate::api::Service;
use crate::domain::projects::ProjectFilter;

/// Title of the work item that is never created.
const TITLE: &str = "Permission check; nothing is saved";
/// Target of the link that is never added. The domain is reserved for documentation (RFC 2606).
const LINK: &str = "https://example.com/permission-check";

/// How one request ended.
pub(super) type Answer<T> = Result<T, AdoError>;

/// All answers of one probe. What was not asked is absent.
pub(super) struct Answers {
    pub target: Target,
    pub of_project: Option<ProjectAnswers>,
    pub hook_events: Answer<Vec<HookEventType>>,
    pub rights: Answer<Rights>,
    pub repositories: Option<Answer<Vec<Repository>>>,
    pub entitlement: Option<Answer<Entitlement>>,
}

impl Answers {
    /// The project that was asked about.
    pub fn project(&self) -> Option<ProbedProject> {
        match &self.target {
            Target::Project { id, details } => {
                let name = details.as_ref().map_or_else(|_| id.to_string(), |details| details.name.clone());
                Some(ProbedProject { id: *id, name })
            }
            Target::NoneReadable { .. } | Target::NotListed(_) => None,
        }
    }
}

impl Answers {
    /// Why none of the projects that there are could be asked about.
    pub fn no_project(&self) -> Option<String> {
        match &self.target {
            Target::NoneReadable { seen } if *seen > 0 => Some(format!(
                "spec.allowedProjects permits none of the {seen} projects that the token's owner can read"
            )),
            Target::NoneReadable { .. } | Target::Project { .. } | Target::NotListed(_) => None,
        }
    }
}

/// Which project is asked about.
pub(super) enum Target {
    /// This one, named by a config or the lowest one that is allowed.
    Project { id: ProjectId, details: Answer<ProjectDetails> },
    /// There is none among so many that the credential sees.
    NoneReadable { seen: usize },
    /// The list of projects was refused or did not come.
    NotListed(AdoError),
}

/// Answers about one project.
pub(super) struct ProjectAnswers {
    /// Absent if the project could not be read.
    pub team: Option<Answer<()>>,
    pub work_items: WorkItemAnswers,
    pub tests: TestAnswers,
    pub analytics: Answer<()>,
}

/// Answers about the test management of one project.
pub(super) struct TestAnswers {
    pub plans: Answer<()>,
    pub points: Answer<()>,
}

/// Answers about the work items of one project.
pub(super) struct WorkItemAnswers {
    pub query: Answer<QueryResult>,
    pub categories: Answer<Vec<TypeCategory>>,
    /// Absent if there is nothing that could be validated.
    pub write: Option<Answer<Validation>>,
    /// Asked only where rules refuse everything that was validated.
    pub may_write: Option<Answer<Rights>>,
}

/// A right of the identity that permission evaluation is asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Right {
    /// See and edit service hook subscriptions of every project.
    EditAllSubscriptions,
    /// The same for the project.
    EditSubscriptions,
    /// Publish test results of the project.
    PublishTestResults,
    /// Edit work items of the project's root area.
    EditWorkItems,
}

impl Right {
    /// Name of the security namespace, and of the permissions in it (`ado-api.md` §12).
    const fn permissions(self) -> (&'static str, &'static [&'static str]) {
        match self {
            // Subscriptions are listed before any is created, so that editing alone would not do.
            Self::EditAllSubscriptions | Self::EditSubscriptions => {
                ("ServiceHooks", &["ViewSubscriptions", "EditSubscriptions"])
            }
            Self::PublishTestResults => ("Project", &["PUBLISH_TEST_RESULTS"]),
            Self::EditWorkItems => ("CSS", &["WORK_ITEM_WRITE"]),
        }
    }
}

/// What the identity may do. A right of which the service knows nothing is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights(Vec<(Right, bool)>);

impl Rights {
    /// Whether the identity has the right, where that is known.
    pub fn get(&self, right: Right) -> Option<bool> {
        self.0.iter().find(|(known, _)| *known == right).map(|(_, answer)| *answer)
    }
}

/// What the answers showed beside their content.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noted {
    /// Longest pause that the service asked for.
    pub throttled: Option<Duration>,
    /// Whether an area refused the token twice.
    pub refused: bool,
    /// Whether a question was left without an answer that another time may have.
    pub unanswered: bool,
}

/// Asks the questions of one probe. The client's budget keeps the number of requests at a time low.
pub(super) struct Prober<'a> {
    client: &'a AdoClient,
    noted: Mutex<Noted>,
}

impl<'a> Prober<'a> {
    pub fn new(client: &'a AdoClient) -> Self {
        Self { client, noted: Mutex::default() }
    }

    pub fn noted(&self) -> Noted {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that the request calls for.
    pub async fn ask(&self, request: &ProbeRequest, identity: &IdentityId) -> Answers {
        let target = self.choose(request).await;
        let project = match &target {
            Target::Project { id, .. } => Some(id),
            Target::NoneReadable { .. } | Target::NotListed(_) => None,
        };
        let (of_project, hook_events, rights, repositories) = futures::join!(
            self.ask_project(&target),
            self.hook_events(),
            self.rights(project),
            self.repositories(&request.services),
        );
        let entitlement = if of_project.as_ref().is_some_and(ProjectAnswers::show_basic_access) {
            None
        } else {
            // Few tokens have the scope of this question, so a refusal is no news.
            Some(self.noting(self.client.entitlement(identity).await))
        };
        Answers { target, of_project, hook_events, rights, repositories, entitlement }
    }

    /// The project that a config names, else the lowest id among those that are allowed.
    async fn choose(&self, request: &ProbeRequest) -> Target {
        if let Some(id) = request.project {
            let details = self.details(id).await;
            let hidden = matches!(details, Err(AdoError::NotFound(_) | AdoError::Forbidden(_)));
            return match self.seen(hidden, &request.allowed).await {
                Some((seen, None)) => Target::NoneReadable { seen },
                _ => Target::Project { id, details },
            };
        }
        match self.heard(self.client.projects().await) {
            Ok(projects) => match lowest(&projects, &request.allowed) {
                Some(id) => Target::Project { id, details: self.details(id).await },
                None => Target::NoneReadable { seen: projects.len() },
            },
            Err(error) => Target::NotListed(error),
        }
    }

    /// How many projects the credential sees, and the lowest that is allowed. Asked only if the named one is hidden.
    async fn seen(&self, hidden: bool, allowed: &ProjectFilter) -> Option<(usize, Option<ProjectId>)> {
        if !hidden {
            return None;
        }
        let projects = self.heard(self.client.projects().await).ok()?;
        Some((projects.len(), lowest(&projects, allowed)))
    }

    async fn details(&self, id: ProjectId) -> Answer<ProjectDetails> {
        let id = id.to_string();
        self.heard(self.client.project(&id).await)
    }

    async fn ask_project(&self, target: &Target) -> Option<ProjectAnswers> {
        let Target::Project { id, details } = target else { return None };
        let (team, work_items, tests, analytics) = futures::join!(
            self.team(id, details.as_ref().ok()),
            self.work_items(id),
            self.tests(id),
            self.analytics(id),
        );
        Some(ProjectAnswers { team, work_items, tests, analytics })
    }

    pub async fn tests(&self, project: &ProjectId) -> TestAnswers {
        let (plans, points) =
            futures::join!(async { self.heard(self.client.test_plans_probe(project).await) }, async {
                self.heard(self.client.test_points_probe(project).await)
            },);
        TestAnswers { plans, points }
    }

    pub async fn hook_events(&self) -> Answer<Vec<HookEventType>> {
        self.heard(self.client.hook_event_types().await)
    }

    /// Asked once: tokens seldom have the scope, and no feature depends on it.
    async fn analytics(&self, project: &ProjectId) -> Answer<()> {
        self.noting(self.client.analytics_probe(project).await)
    }

    /// Reads a team, as sync will: the service may want another scope for it than for a project (`ado-api.md` §2).
    async fn team(&self, project: &ProjectId, details: Option<&ProjectDetails>) -> Option<Answer<()>> {
        let details = details?;
        Some(match &details.default_team {
            Some(Team { id, .. }) => {
                let id = id.to_string();
                self.heard(self.client.team(project, &id).await).map(drop)
            }
            None => self.heard(self.client.teams(project).await).map(drop),
        })
    }

    pub async fn work_items(&self, project: &ProjectId) -> WorkItemAnswers {
        let all = Wiql::new();
        let (query, categories) =
            futures::join!(async { self.heard(self.client.query_ids(project, &all, 1).await) }, async {
                self.heard(self.client.work_item_type_categories(project).await)
            },);
        let item = query.as_ref().ok().and_then(|found| found.ids.first().copied());
        let type_name = categories.as_deref().ok().and_then(defect_type);
        let write = self.write(project, type_name, item).await;
        let may_write = match &write {
            Some(answer) if is_refused_by_rules(answer) => Some(self.may_write(project).await),
            _ => None,
        };
        WorkItemAnswers { query, categories, write, may_write }
    }

    /// Validates a new defect. Where rules refuse that one (a process may require fields that nobody here can know),
    /// the link of an item that exists is validated, which few rules are about.
    async fn write(
        &self,
        project: &ProjectId,
        type_name: Option<&str>,
        item: Option<WorkItemId>,
    ) -> Option<Answer<Validation>> {
        let mut answer = None;
        if let Some(type_name) = type_name {
            let patch = Patch::new().field("System.Title", TITLE);
            let created = self.heard(self.client.validate_create(project, type_name, &patch).await);
            if !is_refused_by_rules(&created) {
                return Some(created);
            }
            answer = Some(created);
        }
        let Some(item) = item else { return answer };
        let patch = Patch::new().relation("Hyperlink", LINK);
        Some(self.heard(self.client.validate_link(project, item, &patch).await))
    }

    async fn repositories(&self, services: &[Service]) -> Option<Answer<Vec<Repository>>> {
        if !services.contains(&Service::AzureRepos) {
            return None;
        }
        Some(self.heard(self.client.repositories(None).await))
    }

    /// The identity's rights that features need, in every project and in this one.
    pub async fn rights(&self, project: Option<&ProjectId>) -> Answer<Rights> {
        let mut things = vec![(Right::EditAllSubscriptions, "PublisherSecurity".to_owned())];
        if let Some(project) = project {
            things.push((Right::EditSubscriptions, format!("PublisherSecurity/{project}")));
            let token = format!("$PROJECT:vstfs:///Classification/TeamProject/{project}");
            things.push((Right::PublishTestResults, token));
        }
        self.evaluate(&things).await
    }

    /// Whether the identity may write work items of the project's root area.
    async fn may_write(&self, project: &ProjectId) -> Answer<Rights> {
        let roots = self.noting(self.client.classification_roots(project).await)?;
        let token = |area: ClassificationNode| format!("vstfs:///Classification/Node/{}", area.identifier);
        let things: Vec<(Right, String)> =
            roots.areas.map(|area| (Right::EditWorkItems, token(area))).into_iter().collect();
        self.evaluate(&things).await
    }

    /// Evaluates rights on things. Whether a token needs a scope for that is unconfirmed (`ado-api.md` §14.3), so a
    /// refusal says nothing about the token.
    async fn evaluate(&self, things: &[(Right, String)]) -> Answer<Rights> {
        let namespaces = self.noting(self.client.security_namespaces().await)?;
        let known = things.iter().filter_map(|(right, token)| Some((*right, question(&namespaces, *right, token)?)));
        let (rights, queries): (Vec<Right>, Vec<PermissionQuery>) = known.unzip();
        let answers = self.noting(self.client.evaluate_permissions(&queries).await)?;
        Ok(Rights(rights.into_iter().zip(answers).collect()))
    }

    /// Notes a refusal of the token, which the client has asked about twice, and a pause.
    fn heard<T>(&self, answer: Answer<T>) -> Answer<T> {
        if matches!(answer, Err(AdoError::Unauthorized { .. })) {
            self.note(|noted| noted.refused = true);
        }
        self.noting(answer)
    }

    /// Notes a pause and an outage. For questions whose refusal says nothing about the token.
    fn noting<T>(&self, answer: Answer<T>) -> Answer<T> {
        if answer.as_ref().is_err_and(is_outage) {
            self.note(|noted| noted.unanswered = true);
        }
        if let Err(AdoError::Throttled { after }) = &answer {
            self.note(|noted| noted.throttled = noted.throttled.max(Some(*after)));
        }
        answer
    }

    fn note(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ProjectAnswers {
    /// Whether an answer came that the access level Stakeholder does not get (page "About access levels").
    pub fn show_basic_access(&self) -> bool {
        self.tests.plans.is_ok() || self.analytics.is_ok()
    }
}

/// Whether the same question may well be answered another time.
fn is_outage(error: &AdoError) -> bool {
    match error {
        AdoError::Throttled { .. }
        | AdoError::Unavailable { .. }
        | AdoError::OrganizationStopped(_)
        | AdoError::Malformed { .. }
        | AdoError::Deadline { .. }
        | AdoError::Proxy { .. } => true,
        AdoError::CredentialRefused(_)
        | AdoError::OrganizationNotFound
        | AdoError::Unauthorized { .. }
        | AdoError::Forbidden(_)
        | AdoError::NotFound(_)
        | AdoError::Conflict(_)
        | AdoError::TooLarge { .. }
        | AdoError::BadRequest(_)
        | AdoError::VersionNotServed(_)
        | AdoError::InvalidName
        | AdoError::DisallowedHost { .. }
        | AdoError::PrivateAddress { .. }
        | AdoError::Certificate { .. }
        | AdoError::UnknownProxy
        | AdoError::Setup => false,
    }
}

/// Whether a validation ended at the rules of the process. One may be checked before scope and permission are
/// (`ado-api.md` §14.2), so its refusal proves nothing.
pub(super) fn is_refused_by_rules(answer: &Answer<Validation>) -> bool {
    matches!(answer, Ok(Validation::RulesViolated(_)) | Err(AdoError::BadRequest(_)))
}

/// The lowest id of an allowed project: the same one at each probe, whatever the order of the list.
fn lowest(projects: &[Project], allowed: &ProjectFilter) -> Option<ProjectId> {
    let usable = |project: &&Project| {
        project.state == ProjectState::WellFormed && allowed.allows(&project.name, &project.id.to_string())
    };
    projects.iter().filter(usable).map(|project| project.id).min()
}

/// The type of a new defect; in a process without bugs the type of a new requirement.
fn defect_type(categories: &[TypeCategory]) -> Option<&str> {
    let of = |name: &str| {
        let category = categories.iter().find(|category| category.reference_name.eq_ignore_ascii_case(name))?;
        category.default_type.as_deref().or_else(|| category.types.first().map(String::as_str))
    };
    of("Microsoft.BugCategory").or_else(|| of("Microsoft.RequirementCategory"))
}

/// The question about a right, if the service knows it. Bits are looked up by name, since published lists differ.
fn question(namespaces: &[SecurityNamespace], right: Right, token: &str) -> Option<PermissionQuery> {
    let (namespace, actions) = right.permissions();
    let namespace = namespaces.iter().find(|known| known.name.trim() == namespace)?;
    let bit = |name: &&str| namespace.actions.iter().find(|known| known.name == *name).map(|known| known.bit);
    let bits: Option<Vec<i32>> = actions.iter().map(bit).collect();
    let permissions = bits?.into_iter().fold(0, |all, bit| all | bit);
    Some(PermissionQuery { namespace: namespace.id, token: token.to_owned(), permissions })
}

//! What the answers of a probe say about permissions.

use super::RepositoriesFinding;
use super::questions::{
    Answer, Answers, ProjectAnswers, Right, Rights, Target, TestAnswers, WorkItemAnswers, is_refused_by_rules,
};
use crate::ado::AdoError;
use crate::ado::model::{Entitlement, HookEventType, Repository};
use crate::api::Availability;
use crate::domain::features::{Finding, Findings, Permission};

/// How far refusals can be trusted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    /// Whether a 401 means a missing scope. Under throttling it may mean nothing (`ado-api.md` §2).
    pub refusals: bool,
    /// Whether the verdict is about the one project that was asked about, so that what it refuses counts.
    pub of_project: bool,
}

impl Trust {
    /// What one answer says about the permission that its request needs: a refused token is a No, and what the project refuses
    /// is one if the verdict is about the project.
    fn finding<T>(self, answer: &Answer<T>) -> Finding {
        match answer {
            Ok(_) => Finding::yes("asked for and granted"),
            Err(error @ AdoError::Unauthorized { .. }) if self.refusals => Finding::no(error.to_string()),
            Err(error @ (AdoError::Forbidden(_) | AdoError::NotFound(_))) if self.of_project => {
                Finding::no(error.to_string())
            }
            Err(error) => Finding::unknown(error.to_string()),
        }
    }
}

/// Draws all conclusions.
pub(super) fn conclude(answers: &Answers, trust: Trust, findings: &mut Findings) {
    let project = answers.of_project.as_ref();
    findings.set(Permission::ReadProjectAndTeam, projects_and_teams(answers, trust));
    findings.set(
        Permission::ReadWorkItems,
        of_project(project, |asked| {
            trust.finding(&asked.work_items.query).and(trust.finding(&asked.work_items.categories))
        }),
    );
    findings
        .set(Permission::ReadWriteWorkItems, of_project(project, |asked| work_item_writes(&asked.work_items, trust)));
    findings.set(
        Permission::ReadWriteTestManagement,
        of_project(project, |asked| {
            test_management(&asked.tests, is_readable(&answers.target), &answers.rights, trust)
        }),
    );
    findings.set(Permission::ReadAnalytics, of_project(project, |asked| trust.finding(&asked.analytics)));
    findings.set(Permission::BasicAccess, access_level(answers));
    findings.set(Permission::EditSubscriptions, subscriptions(&answers.hook_events, &answers.rights, trust));
    if let Some(repositories) = &answers.repositories {
        findings.set(Permission::ReadCode, trust.finding(repositories));
    }
}

/// What was found in the project; without one there is no telling.
fn of_project(asked: Option<&ProjectAnswers>, conclude: impl FnOnce(&ProjectAnswers) -> Finding) -> Finding {
    asked.map_or_else(|| Finding::unknown("no project to ask about"), conclude)
}

fn projects_and_teams(answers: &Answers, trust: Trust) -> Finding {
    match &answers.target {
        Target::NoneReadable { .. } => {
            let nothing = || "the token's owner can read no project of the organization".to_owned();
            Finding::no(answers.no_project().unwrap_or_else(nothing))
        }
        Target::NotListed(error) => trust.finding::<()>(&Err(error.clone())),
        Target::Project { details, .. } => {
            let team = answers.of_project.as_ref().and_then(|asked| asked.team.as_ref());
            let project = trust.finding(details);
            team.map_or(project.clone(), |team| project.and(trust.finding(team)))
        }
    }
}

/// The scope for writing includes that for reading, so a token that may not read may not write either.
pub(super) fn work_item_writes(asked: &WorkItemAnswers, trust: Trust) -> Finding {
    match &asked.write {
        Some(answer) if is_refused_by_rules(answer) => {
            let rights = asked.may_write.as_ref().and_then(|answer| answer.as_ref().ok());
            match rights.and_then(|rights| rights.get(Right::EditWorkItems)) {
                Some(true) => Finding::yes("rules of the process refuse what was validated, and the owner may write"),
                Some(false) => {
                    Finding::unknown("the token's owner may not write work items of the project asked about")
                }
                None => Finding::unknown("rules of the process refuse everything that was validated"),
            }
        }
        Some(answer) => trust.finding(answer),
        None => match trust.finding(&asked.categories) {
            Finding { answer: Availability::True, .. } => {
                Finding::unknown("the project has neither a type for defects nor a work item to ask about")
            }
            reading => reading,
        },
    }
}

pub(super) fn test_management(
    asked: &TestAnswers,
    is_readable: bool,
    rights: &Answer<Rights>,
    trust: Trust,
) -> Finding {
    let points = match &asked.points {
        // Nothing to find in a project that can be read: the question itself was permitted.
        Err(AdoError::NotFound(_)) if is_readable => Finding::yes("asked for and granted"),
        answer => trust.finding(answer),
    };
    let publish = match rights.as_ref().ok().and_then(|rights| rights.get(Right::PublishTestResults)) {
        Some(false) => {
            let why = "the token's owner may not publish test results in the project asked about";
            if trust.of_project { Finding::no(why) } else { Finding::unknown(why) }
        }
        Some(true) | None => Finding::yes("permitted"),
    };
    trust.finding(&asked.plans).and(points).and(publish)
}

fn is_readable(target: &Target) -> bool {
    matches!(target, Target::Project { details: Ok(_), .. })
}

/// Scope and right: the list of events is read with the scope that subscriptions need; evaluation knows the right of
/// the owner. Refused for the organization and for the project asked about, the right is missing; of the project alone, its
/// own answer decides.
pub(super) fn subscriptions(
    hook_events: &Answer<Vec<HookEventType>>,
    rights: &Answer<Rights>,
    trust: Trust,
) -> Finding {
    let right = match rights {
        Err(error) => Finding::unknown(format!("the owner's rights could not be evaluated: {error}")),
        Ok(rights) => match (rights.get(Right::EditAllSubscriptions), rights.get(Right::EditSubscriptions)) {
            (_, Some(false)) if trust.of_project => {
                Finding::no("the token's owner may not edit subscriptions of the project asked about")
            }
            (Some(true), _) => Finding::yes("the token's owner may edit subscriptions of every project"),
            (_, Some(true)) => Finding::yes("the token's owner may edit subscriptions of the project asked about"),
            (Some(false), _) => Finding::no(
                "the token's owner may not edit subscriptions: that takes a Project Collection Administrator",
            ),
            (None, _) => Finding::unknown("the organization does not know the permission to edit subscriptions"),
        },
    };
    trust.finding(hook_events).and(right)
}

fn access_level(answers: &Answers) -> Finding {
    match &answers.entitlement {
        None => Finding::yes("Analytics or test plans were readable, which takes Basic"),
        Some(Ok(Entitlement { access_level })) => {
            let name = access_level.license_display_name.as_deref().unwrap_or("of a kind that has no name");
            match access_level.is_basic() {
                Some(true) => Finding::yes(format!("the access level is {name}")),
                Some(false) => Finding::no(format!("the access level is {name}")),
                None => Finding::unknown(format!("the access level is {name}")),
            }
        }
        Some(Err(AdoError::Unauthorized { .. } | AdoError::Forbidden(_))) => {
            Finding::unknown("the token has no scope to read access levels, and no answer shows one")
        }
        Some(Err(error)) => Finding::unknown(error.to_string()),
    }
}

/// What was found about Azure Repos, if it was asked for.
pub(super) fn repositories(answers: &Answers, trust: Trust) -> Option<RepositoriesFinding> {
    let answer = answers.repositories.as_ref()?;
    let Finding { answer: available, why } = trust.finding(answer);
    Some(match answer {
        Ok(list) => {
            let count = list.iter().filter(|Repository { is_disabled, .. }| !is_disabled).count();
            let noun = if count == 1 { "repository" } else { "repositories" };
            RepositoriesFinding { available, count: Some(count), message: format!("{count} {noun} readable") }
        }
        Err(_) if available == Availability::False => {
            let message = format!("Azure Repos cannot be read: {}.", Permission::ReadCode.remedy());
            RepositoriesFinding { available, count: None, message }
        }
        Err(_) => RepositoriesFinding { available, count: None, message: why },
    })
}

/// What decides nothing and is worth saying.
pub(super) fn warnings(answers: &Answers, findings: &Findings) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Target::Project { id, details: Err(error) } = &answers.target {
        warnings.push(format!("project {id}, which a project config names, cannot be judged: {error}"));
    }
    for permission in [Permission::ReadAnalytics, Permission::BasicAccess] {
        if findings.answer(permission) == Availability::False {
            warnings.push(format!(
                "{permission} is documented as required for ManualSync and HandleWebhookEvents and was found missing; \
                 both work without it"
            ));
        }
    }
    warnings
}

//! What a credential may do in one project, whose work items it reads already.

use super::judgement::{self, Trust};
use super::questions::Prober;
use crate::ado::AdoClient;
use crate::ado::model::ProjectId;
use crate::domain::features::{Findings, Permission};

/// What was found in a project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProjectReport {
    /// What was found about the permissions that were asked about.
    pub findings: Findings,
    /// Whether an answer failed to come that may come another time.
    pub is_incomplete: bool,
}

/// Asks whether the credential may write work items, write test results and edit subscriptions in a project, as far as
/// `permissions` names these; none of the questions leaves anything behind (`ado-api.md` §12). What the project refuses is a No.
///
/// A refusal of the token is believed only if the organization still accepts it and the service did not throttle meanwhile
/// (`ado-api.md` §2); otherwise there is no finding.
pub async fn probe_project(client: &AdoClient, project: &ProjectId, permissions: &[Permission]) -> ProjectReport {
    let asks = |permission| permissions.contains(&permission);
    let writes = asks(Permission::ReadWriteWorkItems);
    let (tests, hooks) = (asks(Permission::ReadWriteTestManagement), asks(Permission::EditSubscriptions));
    let prober = Prober::new(client);
    // Boxed, because the answers of several requests make a large future.
    let (work_items, tests, hook_events, rights) = Box::pin(async {
        futures::join!(
            asked(writes, prober.work_items(project)),
            asked(tests, prober.tests(project)),
            asked(hooks, prober.hook_events()),
            asked(tests || hooks, prober.rights(Some(project))),
        )
    })
    .await;
    let noted = prober.noted();
    let is_accepted = !noted.refused || client.connection_data().await.is_ok();
    let trust = Trust { refusals: noted.throttled.is_none() && is_accepted, of_project: true };
    let mut findings = Findings::default();
    if let Some(work_items) = work_items {
        findings.set(Permission::ReadWriteWorkItems, judgement::work_item_writes(&work_items, trust));
    }
    if let (Some(tests), Some(rights)) = (tests, &rights) {
        findings.set(Permission::ReadWriteTestManagement, judgement::test_management(&tests, true, rights, trust));
    }
    if let (Some(events), Some(rights)) = (hook_events, &rights) {
        findings.set(Permission::EditSubscriptions, judgement::subscriptions(&events, rights, trust));
    }
    ProjectReport { findings, is_incomplete: noted.unanswered || !is_accepted }
}

/// The answer, where it is asked for.
async fn asked<T>(wanted: bool, question: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(question.await) } else { None }
}

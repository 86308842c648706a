//! What may be done in a config's project: verdicts on the features that its integration wants.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use crate::ado::model::ProjectId;
use crate::api::AdoIntegration;
use crate::controllers::connections::Connection;
use crate::controllers::context::Context;
use crate::domain::features::Findings;
use crate::domain::project_config::Finding;
use crate::domain::project_features::{judge_project, to_probe};
use crate::domain::verdict::after;
use crate::sync::probe::{ProjectReport, probe_project};

/// How long a project's permissions are taken for known, as its process is.
const RIGHTS_AGE: Duration = Duration::from_hours(4);

/// What was found when a project was asked what may be done in it. It holds for the credential and the features that were
/// asked about.
#[derive(Clone, Debug)]
pub struct Rights {
    at: Timestamp,
    report: ProjectReport,
}

impl Rights {
    /// Whether there is nothing to ask again: all was answered, and not long ago.
    fn holds(&self, now: Timestamp) -> bool {
        !self.report.is_incomplete && after(self.at, RIGHTS_AGE) > now
    }
}

/// Adds the verdicts to the finding of a project that was read a moment ago, and gives what they rest on. Nothing is asked while
/// `earlier` holds, nor if reading is all that is wanted.
pub async fn judge(
    finding: &mut Finding,
    earlier: Option<Rights>,
    integration: &AdoIntegration,
    connection: &Connection,
    ctx: &Context,
) -> Option<Rights> {
    let Some(resolved) = finding.accepted() else { return earlier };
    let Ok(project) = resolved.project.id.parse::<ProjectId>() else { return earlier };
    let wanted = integration.spec.effective_features();
    let permissions = to_probe(&wanted);
    let asked = earlier.filter(|rights| rights.holds(ctx.clock.now()));
    let asked = match asked {
        None if !permissions.is_empty() => {
            // Nothing is sent with a connection that was taken out of force meanwhile; the next look knows more.
            if !ctx.connections.has(&integration.uid().unwrap_or_default(), connection) {
                return None;
            }
            let at = ctx.clock.now();
            Some(Rights { at, report: probe_project(&connection.client, &project, &permissions).await })
        }
        asked => asked,
    };
    let nothing = Findings::default();
    let found = asked.as_ref().map_or(&nothing, |rights| &rights.report.findings);
    let shown = integration.status.as_ref().map(|status| status.features.as_slice()).unwrap_or_default();
    resolved.features = Some(judge_project(&wanted, shown, found));
    asked
}

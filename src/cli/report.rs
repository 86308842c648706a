//! The result of `test-connection`: as data for programs, as tables for people.

use std::fmt::Write as _;

use serde::Serialize;

use super::Exit;
use super::manifest::Checked;
use crate::api::{Availability, Feature, Service};
use crate::domain::features::{FeatureVerdict, Permission, needs};
use crate::sync::probe::{ProbeReport, RepositoriesFinding};

/// Space between two columns.
const GAP: usize = 2;

/// Everything that was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    integration: String,
    organization: OrganizationRow,
    identity: IdentityRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<ProjectRow>,
    permissions: Vec<PermissionRow>,
    features: Vec<FeatureRow>,
    services: Vec<ServiceRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttled_seconds: Option<u64>,
    warnings: Vec<String>,
    result: String,
    exit_code: u8,
}

#[derive(Debug, Serialize)]
struct OrganizationRow {
    name: String,
    url: String,
    id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IdentityRow {
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    id: String,
}

#[derive(Debug, Serialize)]
struct ProjectRow {
    name: String,
    id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PermissionRow {
    name: &'static str,
    answer: Availability,
    needed_by: Vec<NeededBy>,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct NeededBy {
    feature: &'static str,
    /// Whether it is only documented as required.
    documented: bool,
}

#[derive(Debug, Serialize)]
struct FeatureRow {
    name: Feature,
    wanted: bool,
    available: Availability,
    missing: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

#[derive(Debug, Serialize)]
struct ServiceRow {
    name: Service,
    available: Availability,
    message: String,
}

/// Why there is no report.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub reason: &'static str,
    pub message: String,
}

impl Failure {
    pub fn text(&self) -> String {
        format!("error: {}: {}\n", self.reason, self.message)
    }
}

impl Report {
    /// Puts together what was found for an integration.
    pub fn new(integration: &Checked, found: &ProbeReport) -> Self {
        let spec = &integration.object.spec;
        let wanted = spec.effective_features();
        let features = found.features.iter().map(|verdict| feature_row(verdict, &wanted)).collect();
        let mut report = Self {
            integration: integration.name(),
            organization: OrganizationRow {
                name: integration.organization.name().to_owned(),
                url: integration.organization.as_str().to_owned(),
                id: found.connection.instance_id.to_string(),
            },
            identity: IdentityRow {
                display_name: found.connection.identity.display_name.clone(),
                account: found.connection.identity.account.clone(),
                id: found.connection.identity.id.to_string(),
            },
            project: found.project.as_ref().map(|it| ProjectRow { name: it.name.clone(), id: it.id.to_string() }),
            permissions: permission_rows(found),
            features,
            services: found.repositories.iter().map(service_row).collect(),
            throttled_seconds: found.throttled.map(|pause| pause.as_secs().max(1)),
            warnings: found.warnings.clone(),
            result: String::new(),
            exit_code: 0,
        };
        let (exit, result) = report.verdict();
        (report.exit_code, report.result) = (exit as u8, result);
        report
    }

    /// Adds something that people should know.
    pub fn warn(&mut self, warning: &str) {
        self.warnings.push(warning.to_owned());
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        self.verdict().0
    }

    fn verdict(&self) -> (Exit, String) {
        let of = |answer: Availability| {
            let features = self.features.iter().filter(|row| row.wanted && row.available == answer);
            let services = self.services.iter().filter(|row| row.available == answer);
            let names = features.map(|row| row.name.to_string()).chain(services.map(|row| format!("{:?}", row.name)));
            names.collect::<Vec<_>>()
        };
        let (missing, open) = (of(Availability::False), of(Availability::Unknown));
        if !missing.is_empty() {
            (Exit::Unavailable, format!("not available: {}", missing.join(", ")))
        } else if open.is_empty() {
            (Exit::Success, "everything that is wanted is available".to_owned())
        } else {
            (Exit::NoVerdict, format!("no verdict on {}", open.join(", ")))
        }
    }

    /// The report for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.head() {
            let _ = writeln!(text, "{name:<14}{value}");
        }
        let permissions = self.permissions.iter().map(PermissionRow::cells);
        text.push('\n');
        text.push_str(&aligned(["PERMISSION", "ANSWER", "NEEDED BY", "WHAT TO DO"], permissions));
        let features = self.features.iter().map(FeatureRow::cells);
        let services = self.services.iter().map(ServiceRow::cells);
        text.push('\n');
        text.push_str(&aligned(["FEATURE", "WANTED", "AVAILABLE", "MISSING"], features.chain(services)));
        text.push_str("\n* documented as required; the feature works without it\n");
        for warning in &self.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
        let _ = writeln!(text, "\nResult: {}.", self.result);
        text
    }

    fn head(&self) -> Vec<(&'static str, String)> {
        let account = self.identity.account.as_ref().map(|account| format!(" ({account})")).unwrap_or_default();
        let project = self.project.as_ref().map_or("none".to_owned(), |it| format!("{}, id {}", it.name, it.id));
        let mut head = vec![
            ("Integration", self.integration.clone()),
            ("Organization", format!("{}, id {}", self.organization.url, self.organization.id)),
            ("Identity", format!("{}{account}, id {}", self.identity.display_name, self.identity.id)),
            ("Probed on", project),
        ];
        if let Some(seconds) = self.throttled_seconds {
            head.push(("Throttled", format!("Azure DevOps asked for a pause of {seconds} s")));
        }
        head
    }
}

impl PermissionRow {
    fn cells(&self) -> [String; 4] {
        let advice = match (self.answer, self.remedy) {
            (Availability::True, _) => String::new(),
            (Availability::False, Some(remedy)) => remedy.to_owned(),
            _ => self.why.clone(),
        };
        [self.name.to_owned(), format!("{:?}", self.answer), self.needed_by_text(), advice]
    }

    /// The features, those that are only documented to need it with a star. A long list is told by what is not in it.
    fn needed_by_text(&self) -> String {
        let named = |feature: Feature| self.needed_by.iter().any(|by| by.feature == feature.as_str());
        let others: Vec<&str> = Feature::ALL.into_iter().filter(|&it| !named(it)).map(Feature::as_str).collect();
        if others.len() < self.needed_by.len() {
            return format!("all but {}", others.join(", "));
        }
        let star = |by: &NeededBy| format!("{}{}", by.feature, if by.documented { "*" } else { "" });
        self.needed_by.iter().map(star).collect::<Vec<_>>().join(", ")
    }
}

impl FeatureRow {
    /// What is missing, with a star where the feature works without it.
    fn missing_text(&self) -> String {
        let documented = |name: &String| needs(self.name).documented.iter().any(|it| it.as_str() == name);
        let star = |name: &String| format!("{name}{}", if documented(name) { "*" } else { "" });
        self.missing.iter().map(star).collect::<Vec<_>>().join(", ")
    }

    fn cells(&self) -> [String; 4] {
        let wanted = if self.wanted { "yes" } else { "no" };
        [self.name.to_string(), wanted.to_owned(), format!("{:?}", self.available), self.missing_text()]
    }
}

impl ServiceRow {
    fn cells(&self) -> [String; 4] {
        [format!("{:?}", self.name), "yes".to_owned(), format!("{:?}", self.available), self.message.clone()]
    }
}

fn permission_rows(found: &ProbeReport) -> Vec<PermissionRow> {
    found
        .findings
        .iter()
        .map(|(permission, finding)| PermissionRow {
            name: permission.as_str(),
            answer: finding.answer,
            needed_by: needed_by(permission),
            why: finding.why.clone(),
            remedy: (finding.answer == Availability::False).then(|| permission.remedy()),
        })
        .collect()
}

fn needed_by(permission: Permission) -> Vec<NeededBy> {
    if permission == Permission::ReadCode {
        return vec![NeededBy { feature: "AzureRepos", documented: false }];
    }
    let row = |feature: Feature| NeededBy {
        feature: feature.as_str(),
        documented: needs(feature).documented.contains(&permission),
    };
    permission.needed_by().into_iter().map(row).collect()
}

fn feature_row(verdict: &FeatureVerdict, wanted: &[Feature]) -> FeatureRow {
    FeatureRow {
        name: verdict.feature,
        wanted: wanted.contains(&verdict.feature),
        available: verdict.available,
        missing: verdict.status().missing,
        why: verdict.why.clone(),
    }
}

fn service_row(found: &RepositoriesFinding) -> ServiceRow {
    ServiceRow { name: Service::AzureRepos, available: found.available, message: found.message.clone() }
}

/// Lines of columns as wide as their widest cell; the last column is as long as it is.
pub(super) fn aligned<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let lines: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0) + GAP;
    let widths: [usize; N] = std::array::from_fn(width);
    lines.iter().fold(String::new(), |mut text, cells| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(line, "{cell:<width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

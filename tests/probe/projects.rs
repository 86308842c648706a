//! Which project is asked about, and what it may say.

use ado_operator::api::{Availability, Service};
use ado_operator::domain::features::Permission;
use ado_operator::domain::projects::ProjectFilter;
use ado_operator::sync::probe::{ProbeReport, ProbeRequest};

use crate::bench::{Bench, letters};

fn allowing(patterns: &[&str]) -> ProbeRequest {
    let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let allowed = ProjectFilter::new(Some(&patterns));
    ProbeRequest { services: vec![Service::AzureDevOps], allowed, ..ProbeRequest::default() }
}

/// Names of the projects of contoso that are in use, by rising id.
fn by_id(bench: &Bench) -> Vec<String> {
    let state = bench.simulator.state();
    let contoso = state.organizations.into_iter().find(|it| it.name == "contoso").expect("contoso");
    let mut projects: Vec<_> = contoso.projects.into_iter().filter(|project| project.state == "wellFormed").collect();
    projects.sort_by_key(|project| project.id);
    projects.into_iter().map(|project| project.name).collect()
}

fn probed(report: &ProbeReport) -> &str {
    report.project.as_ref().map_or("none", |project| project.name.as_str())
}

fn why(report: &ProbeReport, permission: Permission) -> &str {
    report.findings.get(permission).map_or("", |finding| finding.why.as_str())
}

#[tokio::test]
async fn without_a_config_the_lowest_id_is_probed_and_allowed_projects_narrow_the_choice() {
    let bench = Bench::start().await;
    let order = by_id(&bench);
    let all = bench.probe_with("full", &ProbeRequest::default()).await;
    assert_eq!(probed(&all), order[0]);
    let last = order.last().expect("projects");
    let one = bench.probe_with("full", &allowing(&[&last.to_uppercase()])).await;
    assert_eq!(probed(&one), last);
    assert_eq!(letters(&one), "TTTTTTT");
    bench.assert_untouched();
}

#[tokio::test]
async fn a_project_that_a_config_names_goes_before_the_lowest() {
    let bench = Bench::start().await;
    for project in ["Payments", "Web Shop", "Intranet", "Compliance", "Platform", "Größe v1.2 (alt)"] {
        let report = bench.probe_with("full", &bench.on(project)).await;
        assert_eq!(probed(&report), project);
        assert_eq!(letters(&report), "TTTTTTT", "{project}: {:#?}", report.findings);
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn a_project_that_is_hidden_is_no_verdict_on_the_integration() {
    let mut bench = Bench::start().await;
    bench.simulator.hide_project("contributor", "Payments").expect("hidden");
    bench.mark();
    let report = bench.probe("contributor").await;
    assert_eq!(letters(&report), "UUUUUUF", "{:#?}", report.findings);
    assert!(report.warnings.iter().any(|warning| warning.contains("cannot be judged")), "{:?}", report.warnings);
    // A refused scope is a verdict, whatever the project.
    let scoped = bench.probe("read_only").await;
    assert_eq!(scoped.findings.answer(Permission::ReadWriteTestManagement), Availability::False);
    bench.assert_untouched();
}

#[tokio::test]
async fn a_deleted_project_is_no_verdict_either() {
    let mut bench = Bench::start().await;
    let request = bench.on("Web Shop");
    bench.simulator.delete_project("Web Shop").expect("deleted");
    bench.mark();
    let report = bench.probe_with("full", &request).await;
    assert!(!letters(&report).contains('F'), "{:#?}", report.findings);
    assert_eq!(report.features[0].available, Availability::Unknown);
    bench.assert_untouched();
}

#[tokio::test]
async fn no_readable_project_at_all_is_a_verdict_whether_a_config_names_one_or_not() {
    let bench = Bench::start().await;
    for request in [bench.on("Payments"), ProbeRequest::default()] {
        let report = bench.probe_with("no_permission", &request).await;
        assert_eq!(letters(&report), "FFFFFFF");
        assert_eq!(probed(&report), "none");
        let why = why(&report, Permission::ReadProjectAndTeam);
        assert_eq!(why, "the token's owner can read no project of the organization");
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn allowed_projects_that_fit_nothing_are_named_as_the_cause() {
    let bench = Bench::start().await;
    let report = bench.probe_with("full", &allowing(&["Paymnets", "Web"])).await;
    assert_eq!(report.features[0].available, Availability::False);
    let readable = by_id(&bench).len();
    let expected =
        format!("spec.allowedProjects permits none of the {readable} projects that the token's owner can read");
    assert_eq!(why(&report, Permission::ReadProjectAndTeam), expected);
    assert_eq!(report.features[6].available, Availability::True, "subscriptions need no project");
    bench.assert_untouched();
}

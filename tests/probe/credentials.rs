//! What each kind of token may do.

use ado_operator::ado::{AdoError, SignIn};
use ado_operator::api::{Availability, Feature, Service};
use ado_operator::domain::features::Permission;
use ado_operator::sync::probe::ProbeRequest;
use ado_simulator::state::Right;

use crate::bench::{Bench, letters, permission_letters};

/// Label; features `ManualSync, LinkDefect, CreateDefect, PushTestResult, LinkTestCase, HandleWebhookEvents,
/// WebhookSetup`; permissions `Project and Team, Work Items read, write, Test Management, Analytics, access level,
/// subscriptions, Code`.
const TOKENS: [(&str, &str, &str); 11] = [
    ("full", "TTTTTTT", "TTTTTTTT"),
    ("operator", "TTTTTTT", "TTTTFTTT"),
    ("read_only", "TTFFFTF", "TTFFFUFF"),
    ("no_test", "TTTFFTT", "TTTFFUTT"),
    ("no_code", "TTTTTTT", "TTTTFTTF"),
    ("no_work", "FFFFFFF", "TFFFFUFF"),
    ("no_project", "TTTFFTT", "TTTFFUTF"),
    ("contributor", "TTTTTTF", "TTTTTTFT"),
    ("reader", "TTUUUTF", "TTUUTTFT"),
    ("stakeholder", "TTTUUTF", "TTTUUFFT"),
    ("no_permission", "FFFFFFF", "FUUUUTFT"),
];

#[tokio::test]
async fn each_kind_of_token_gets_the_verdicts_of_the_permission_table() {
    let bench = Bench::start().await;
    let mut seen = Vec::new();
    for (label, ..) in TOKENS {
        let report = bench.probe(label).await;
        seen.push((label, letters(&report), permission_letters(&report)));
    }
    let expected = TOKENS.map(|(label, features, permissions)| (label, features.to_owned(), permissions.to_owned()));
    assert_eq!(seen, expected);
    bench.assert_untouched();
}

#[tokio::test]
async fn a_token_that_is_refused_is_asked_about_twice_and_with_nothing_else() {
    let bench = Bench::start().await;
    for label in ["expired", "revoked", "other_organization"] {
        let before = bench.simulator.last_request();
        let error = bench.try_probe(label, &bench.on("Payments")).await.expect_err("refused");
        assert!(matches!(error, AdoError::CredentialRefused(_)), "{label}: {error}");
        let asked: Vec<String> = bench.simulator.requests_since(before).into_iter().map(|it| it.route).collect();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked.iter().all(|route| route.to_lowercase().ends_with("/connectiondata")), "{asked:?}");
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn an_anonymous_answer_is_a_refused_credential() {
    let bench = Bench::start().await;
    bench.simulator.set_public("contoso", true).expect("an organization");
    bench.simulator.change_quirks(|quirks| quirks.connection_data_anonymous = true);
    let error = bench.try_probe("expired", &bench.on("Payments")).await.expect_err("refused");
    assert_eq!(error, AdoError::CredentialRefused(SignIn::Anonymous));
    assert_eq!(letters(&bench.probe("full").await), "TTTTTTT");
    bench.assert_untouched();
}

#[tokio::test]
async fn missing_scopes_are_named_in_the_words_of_the_token_page() {
    let bench = Bench::start().await;
    let report = bench.probe("read_only").await;
    let missing = |feature: Feature| {
        let verdict = report.features.iter().find(|verdict| verdict.feature == feature).expect("judged");
        verdict.status().missing
    };
    assert_eq!(missing(Feature::ManualSync), ["Analytics: Read"]);
    assert!(missing(Feature::LinkDefect).is_empty());
    assert_eq!(missing(Feature::CreateDefect), ["Work Items: Read & write"]);
    assert_eq!(missing(Feature::PushTestResult), ["Test Management: Read & write"]);
    assert_eq!(missing(Feature::LinkTestCase), ["Test Management: Read & write"]);
    assert_eq!(missing(Feature::WebhookSetup), ["Service hooks: Edit subscriptions"]);
    assert!(report.warnings.iter().any(|warning| warning.starts_with("Analytics: Read is documented")));
    bench.assert_untouched();
}

#[tokio::test]
async fn a_stakeholder_is_told_apart_by_the_access_level_and_loses_nothing_by_it_alone() {
    let bench = Bench::start().await;
    let report = bench.probe("stakeholder").await;
    let level = report.findings.get(Permission::BasicAccess).expect("asked");
    assert_eq!(level.answer, Availability::False);
    assert!(level.why.contains("Stakeholder"), "{}", level.why);
    let sync = &report.features[0];
    assert_eq!((sync.available, sync.missing.as_slice()), (Availability::True, &[Permission::BasicAccess][..]));
    bench.assert_untouched();
}

#[tokio::test]
async fn subscriptions_may_be_edited_if_the_right_is_given_for_the_organization_or_for_the_project() {
    let mut bench = Bench::start().await;
    let webhook_setup = |report: &ado_operator::sync::probe::ProbeReport| report.features[6].available;
    assert_eq!(webhook_setup(&bench.probe("contributor").await), Availability::False);
    let rights = [Right::ViewSubscriptions, Right::EditSubscriptions];
    bench.simulator.allow("contributor", &rights, Some("Payments")).expect("allowed");
    bench.mark();
    assert_eq!(webhook_setup(&bench.probe("contributor").await), Availability::True);
    assert_eq!(webhook_setup(&bench.probe_with("contributor", &bench.on("Web Shop")).await), Availability::False);
    bench.simulator.allow("contributor", &rights, None).expect("allowed");
    assert_eq!(webhook_setup(&bench.probe_with("contributor", &bench.on("Web Shop")).await), Availability::True);
    bench.assert_untouched();
}

#[tokio::test]
async fn repositories_are_counted_and_asked_for_only_where_azure_repos_is_in_use() {
    let bench = Bench::start().await;
    let found = bench.probe("full").await.repositories.expect("asked");
    assert_eq!((found.available, found.count), (Availability::True, Some(5)));
    assert_eq!(found.message, "5 repositories readable");
    let refused = bench.probe("no_code").await.repositories.expect("asked");
    assert_eq!((refused.available, refused.count), (Availability::False, None));

    let before = bench.simulator.last_request();
    let request = ProbeRequest { services: vec![Service::AzureDevOps], ..bench.on("Payments") };
    let report = bench.probe_with("full", &request).await;
    assert!(report.repositories.is_none() && report.findings.get(Permission::ReadCode).is_none());
    let asked = bench.simulator.requests_since(before);
    assert!(asked.iter().all(|request| !request.target.contains("/git/")), "{asked:?}");
    bench.assert_untouched();
}

#[tokio::test]
async fn a_probe_takes_about_a_dozen_requests() {
    let bench = Bench::start().await;
    for (label, most) in [("full", 13), ("operator", 13), ("read_only", 19)] {
        let before = bench.simulator.last_request();
        bench.probe(label).await;
        let asked = bench.simulator.requests_since(before);
        assert!(asked.len() <= most, "{label}: {} {asked:#?}", asked.len());
    }
}

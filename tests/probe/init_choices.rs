//! `kubectl ado init`: what there is to choose from, what it refuses, and where the integration comes from.

use ado_operator::cli::Exit;
use ado_simulator::{Effect, Fault};
use axum::response::Json;
use axum::routing::get;
use serde_json::Value;

use crate::bench::host;
use crate::cli::{Desk, Outcome, run_with};
use crate::cluster::{core, kubeconfig, serve};
use crate::init::{init_with, manifest};

const TABLE: &str = "\
PROJECT           TEAMS
Compliance        Compliance Team
Größe v1.2 (alt)  Größe v1.2 (alt) Team
Intranet          Intranet Team
Payments          Checkout, Newcomers, Payments Team
Platform          Platform Team
Web Shop          Ops & Support, Web Shop Team
";

#[tokio::test]
async fn without_a_project_it_lists_those_that_are_permitted_with_the_way_on() {
    let desk = Desk::new().await;
    let outcome = init_with(&desk, "full", &manifest(&desk), &["-n", "team-a"]).await;
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
    let url = desk.bench.simulator.url();
    let head = format!("Integration contoso permits these projects of {url}:\n\n");
    let rest = outcome.output.strip_prefix(&head).and_then(|rest| rest.strip_prefix(TABLE));
    let way = rest.unwrap_or_else(|| panic!("{}", outcome.output)).lines().last().expect("a line");
    assert!(way.starts_with("  kubectl ado init -f ") && way.ends_with(" --project=Compliance"), "{way}");
    for option in ["--namespace team-a", "--pat-file -", "--ca-file ", "--allowed-host localhost:"] {
        assert!(way.contains(option), "{option}: {way}");
    }

    let some = manifest(&desk) + "  allowedProjects: ['web *']\n";
    let outcome = init_with(&desk, "full", &some, &["--proxy", "corporate=http://me:secret@p:1"]).await;
    assert!(outcome.output.contains("\nWeb Shop  Ops & Support, Web Shop Team\n"), "{}", outcome.output);
    assert!(!outcome.output.contains("Payments"), "{}", outcome.output);
    assert!(outcome.output.ends_with(" --proxy corporate=URL '--project=Web Shop'\n"), "{}", outcome.output);

    let none = manifest(&desk) + "  allowedProjects: [Nowhere]\n";
    let outcome = init_with(&desk, "full", &none, &[]).await;
    let expected = "The integration permits no project that the token's owner can read.\n";
    assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Success, expected));
    desk.bench.assert_untouched();
}

#[tokio::test]
async fn what_does_not_exist_is_answered_with_what_does() {
    let desk = Desk::new().await;
    let some = manifest(&desk) + "  allowedProjects: [Payments, Web*]\n";
    for (arguments, reason, there) in [
        (&["--project", "Paiments"][..], "ProjectNotFound", "permits: Payments, Web Shop."),
        (&["--project", "Intranet"][..], "ProjectNotAllowed", "permits: Payments, Web Shop."),
        (&["--project", "Payments", "--team", "Chekout"][..], "TeamNotFound", "Checkout"),
    ] {
        let outcome = init_with(&desk, "full", &some, arguments).await;
        assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Invalid, ""), "{reason}");
        assert!(outcome.errors.starts_with(&format!("error: {reason}: ")), "{}", outcome.errors);
        assert!(outcome.errors.contains(there), "{}", outcome.errors);
    }
}

#[tokio::test]
async fn refused_tokens_and_missing_answers_end_as_with_test_connection() {
    let desk = Desk::new().await;
    let outcome = init_with(&desk, "expired", &manifest(&desk), &["--project", "Payments"]).await;
    assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Refused, ""));
    let refused = "error: CredentialRefused: Azure DevOps refused the token";
    assert!(outcome.errors.starts_with(refused), "{}", outcome.errors);

    let fault = Fault::on_route("*/wit/workitemtypes", Effect::Status { code: 503, retry_after: None });
    desk.bench.simulator.add_fault(fault);
    let outcome = init_with(&desk, "full", &manifest(&desk), &["--project", "Payments"]).await;
    assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::NoVerdict, ""));
    assert!(outcome.errors.starts_with("error: Unavailable: "), "{}", outcome.errors);
}

/// Runs with a cluster that has the integration of that manifest, and the token and CA that it names.
async fn from_cluster(desk: &Desk, manifest: &str, more: &[&str]) -> Outcome {
    let object: Value = serde_yaml_ng::from_str(manifest).expect("YAML");
    let integrations = "/apis/ado.testops.dev/v1alpha1/namespaces/team-a/adointegrations";
    let app = core(&desk.token("full"), desk.bench.simulator.ca_pem())
        .route(&format!("{integrations}/contoso"), get(move || async move { Json(object) }));
    let config = desk.file("kubeconfig", &kubeconfig(&serve(app).await));
    let host = host(&desk.bench.simulator);
    let base = ["kubectl-ado", "init", "--kubeconfig", &config, "--allowed-host", &host];
    let arguments: Vec<String> = base.iter().chain(more).map(|&argument| argument.to_owned()).collect();
    let outcome = run_with(&arguments, "").await;
    let token = desk.token("full");
    assert!(!outcome.output.contains(&token) && !outcome.errors.contains(&token), "the token is repeated");
    outcome
}

/// The integration as a cluster has it.
fn applied(desk: &Desk) -> String {
    manifest(desk) + "  caBundle: {configMapRef: {name: ca}}\n"
}

#[tokio::test]
async fn the_integration_and_its_token_come_from_the_cluster() {
    let desk = Desk::new().await;
    for more in [&["--integration", "contoso"][..], &["--integration", "team-a/contoso", "-n", "team-a"][..]] {
        let outcome = from_cluster(&desk, &applied(&desk), more).await;
        assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
        assert!(outcome.output.contains(TABLE), "{}", outcome.output);
        let arguments: Vec<&str> = more.iter().chain(&["--project", "Payments"]).copied().collect();
        let outcome = from_cluster(&desk, &applied(&desk), &arguments).await;
        assert!(outcome.output.contains("\nmetadata: {name: payments, namespace: team-a}\n"), "{}", outcome.errors);
        assert!(outcome.output.contains("\n  integrationRef: {name: contoso}\n"), "{}", outcome.output);
    }
    let outcome = from_cluster(&desk, &applied(&desk), &["--integration", "absent"]).await;
    let expected =
        "error: InputUnreadable: AdoIntegration team-a/absent does not exist: create it, or give --filename\n";
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Invalid, expected));
    desk.bench.assert_untouched();
}

#[tokio::test]
async fn a_config_elsewhere_names_the_integrations_namespace_if_that_allows_it() {
    let desk = Desk::new().await;
    let arguments = ["--integration", "team-a/contoso", "-n", "team-b", "--project", "Payments"];
    let outcome = from_cluster(&desk, &applied(&desk), &arguments).await;
    assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Invalid, ""));
    let expected =
        "error: NamespaceNotAllowed: integration team-a/contoso does not allow project configs in namespace team-b";
    assert!(outcome.errors.starts_with(expected), "{}", outcome.errors);

    let all = applied(&desk) + "  allowedNamespaces: {from: All}\n";
    let outcome = from_cluster(&desk, &all, &arguments).await;
    assert!(outcome.output.contains("\nmetadata: {name: payments, namespace: team-b}\n"), "{}", outcome.errors);
    assert!(outcome.output.contains("\n  integrationRef: {name: contoso, namespace: team-a}\n"), "{}", outcome.output);
    assert!(!outcome.output.contains("selector"), "{}", outcome.output);

    let some = applied(&desk) + "  allowedNamespaces: {from: Selector, selector: {matchLabels: {a: b}}}\n";
    let outcome = from_cluster(&desk, &some, &arguments).await;
    assert!(
        outcome.output.contains("# The integration allows this namespace only if its labels fit"),
        "{}",
        outcome.output
    );
}

#[tokio::test]
async fn a_url_of_the_cluster_that_is_none_is_told_without_it() {
    let desk = Desk::new().await;
    let url = desk.bench.simulator.url();
    let broken = applied(&desk).replace(&url, "https://me:pasted@dev.azure.com/contoso");
    let outcome = from_cluster(&desk, &broken, &["--integration", "contoso"]).await;
    assert_eq!(outcome.exit, Exit::Invalid);
    assert!(outcome.errors.starts_with("error: InvalidOrganizationURL: spec.organizationURL: "), "{}", outcome.errors);
    assert!(!outcome.errors.contains("pasted@"), "{}", outcome.errors);
}

#[tokio::test]
async fn usage_errors_repeat_no_token() {
    let desk = Desk::new().await;
    let token = desk.token("full");
    let file = desk.file("manifest.yaml", &manifest(&desk));
    let spaced = format!("team a/{token}");
    let cases: [(&[&str], &str); 7] = [
        (&[], "--integration"),
        (&["--integration", &spaced], "--integration must be NAME or NAMESPACE/NAME"),
        (&["--integration", "../secrets/x"], "--integration must be NAME or NAMESPACE/NAME"),
        (&["--integration", "contoso", "-n", "../x"], "--namespace must be the name of a namespace"),
        (&["--integration", "contoso", "--team", "x"], "--project"),
        (&["-f", "-", "--pat-file", "-"], "cannot both come from standard input"),
        (&["-f", &file, "--integration", "other", "--pat-file", "-"], "there is contoso"),
    ];
    for (more, expected) in cases {
        let arguments: Vec<String> =
            ["kubectl-ado", "init"].iter().chain(more).map(|&argument| argument.to_owned()).collect();
        let outcome = run_with(&arguments, "").await;
        assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Invalid, ""), "{expected}: {}", outcome.errors);
        assert!(outcome.errors.contains(expected), "{expected}: {}", outcome.errors);
        assert!(!outcome.errors.contains(&token), "{}", outcome.errors);
    }
    assert_eq!(desk.bench.simulator.request_total(), 0, "nothing was sent");
}

#[tokio::test]
async fn help_shows_examples_and_the_exit_codes() {
    let arguments = ["kubectl-ado", "init", "--help"].map(str::to_owned);
    let outcome = run_with(&arguments, "").await;
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
    for expected in ["Usage: kubectl ado init", "kubectl apply -f payments.yaml", "  2  Azure DevOps refused the token"]
    {
        assert!(outcome.output.contains(expected), "{expected}: {}", outcome.output);
    }
}

//! Manifests that are refused before anything is asked, with the field and without a value.

use ado_operator::cli::Exit;

use crate::cli::{Outcome, run_with};

/// Stands for a token that somebody pasted.
const PASTED: &str = "7pastedpastedpastedpastedpastedpastedpastedpastedpasted7";
const GOOD: &str = "\
apiVersion: ado.testops.dev/v1alpha1
kind: AdoIntegration
metadata: {name: contoso}
spec:
  displayName: Contoso
  organizationURL: https://dev.azure.com/contoso
  auth: {pat: {secretRef: {name: contoso-pat, key: token}}}
";

/// Tests a manifest with an empty token, so that a good manifest ends at the token.
async fn tested(manifest: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "\n").expect("written");
    let path = token.to_str().expect("a text");
    let arguments = ["kubectl-ado", "test-connection", "-f", "-", "--pat-file", path].map(str::to_owned);
    let outcome = run_with(&arguments, manifest).await;
    assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Invalid, ""), "{}", outcome.errors);
    assert!(!outcome.errors.contains(PASTED), "repeated: {}", outcome.errors);
    outcome
}

async fn refused(manifest: &str) -> String {
    let errors = tested(manifest).await.errors;
    errors
        .strip_prefix("error: InvalidManifest: the manifest cannot be used:\n")
        .unwrap_or(&errors)
        .trim_end()
        .to_owned()
}

fn with_url(url: &str) -> String {
    GOOD.replace("https://dev.azure.com/contoso", url)
}

fn with_auth(auth: &str) -> String {
    GOOD.replace("{pat: {secretRef: {name: contoso-pat, key: token}}}", auth)
}

#[tokio::test]
async fn a_good_manifest_is_accepted_as_far_as_the_token() {
    let outcome = tested(GOOD).await;
    assert!(outcome.errors.starts_with("error: InvalidToken: --pat-file: the token is empty"), "{}", outcome.errors);
    let json = r#"{"apiVersion": "ado.testops.dev/v1alpha1", "kind": "AdoIntegration", "metadata": {"name": "contoso"},
        "spec": {"displayName": "Contoso", "organizationURL": "https://dev.azure.com/contoso/", "description": null,
        "auth": {"pat": {"secretRef": {"name": "contoso-pat", "key": "token"}}}}}"#;
    assert!(tested(json).await.errors.starts_with("error: InvalidToken: "));
}

#[tokio::test]
async fn urls_are_refused_with_the_value_to_write() {
    let write = "; write https://dev.azure.com/contoso";
    let cases = [
        ("http://dev.azure.com/contoso", "must start with https://"),
        (
            "https://dev.azure.com/contoso/Payments",
            "must name the organization and nothing below it, such as a project",
        ),
        ("https://me@dev.azure.com/contoso", "must not contain user information, a query, a fragment or white space"),
    ];
    for (url, problem) in cases {
        let expected = format!("spec.organizationURL: organizationURL {problem}{write}");
        assert_eq!(refused(&with_url(url)).await, expected);
    }
    let pasted = refused(&with_url(&format!("https://me:{PASTED}@dev.azure.com/contoso"))).await;
    assert!(pasted.ends_with(write), "{pasted}");
    for url in [format!("https://dev.azure.com/{PASTED}"), format!("https://{PASTED}"), PASTED.to_owned()] {
        let message = refused(&with_url(&url)).await;
        assert!(message.starts_with("spec.organizationURL: "), "{message}");
    }
    let server = refused(&with_url("https://tfs.example.com/")).await;
    assert!(server.contains("must name the organization after the host"), "{server}");
}

#[tokio::test]
async fn the_schema_and_its_rules_hold_before_anything_is_applied() {
    let long = "x".repeat(51);
    let cases = [
        (GOOD.replace("Contoso", &long), "spec.displayName: displayName must have 1 to 50 characters"),
        (GOOD.replace("  displayName: Contoso\n", ""), "spec.displayName: is required"),
        (
            format!("{GOOD}  description: {}\n", "x".repeat(256)),
            "spec.description: description must have at most 255 characters",
        ),
        (with_auth("{}"), "spec.auth: auth must contain exactly one of pat, servicePrincipal and workloadIdentity"),
        (format!("{GOOD}  services: [AzureRepos]\n"), "spec.services: services must contain AzureDevOps"),
        (format!("{GOOD}  interval: 30s\n"), "spec.interval: must be a duration from 1m to 24h, such as 10m or 1h30m"),
        (format!("{GOOD}  allowedProjects: []\n"), "spec.allowedProjects: must have at least 1 entry"),
        (format!("{GOOD}  features: [ManualSync, ManualSync]\n"), "spec.features: must not name anything twice"),
        (format!("{GOOD}  intervall: 5m\n"), "spec.intervall: there is no such field"),
        (with_auth(PASTED), "spec.auth: must be of type object"),
        (with_auth(&format!("{{pat: {{secretRef: {PASTED}}}}}")), "spec.auth.pat.secretRef: must be of type object"),
        (
            format!("{GOOD}  features: [{PASTED}]\n"),
            "spec.features[0]: must be one of ManualSync, LinkDefect, CreateDefect, PushTestResult, LinkTestCase, HandleWebhookEvents, WebhookSetup",
        ),
        (
            with_auth("{pat: {secretRef: {name: a, key: b}}, servicePrincipal: {tenantID: x}}"),
            "spec.auth: auth must contain exactly one of pat, servicePrincipal and workloadIdentity\n\
             spec.auth: servicePrincipal and workloadIdentity are not available in this version; use pat",
        ),
        (GOOD.replace("name: contoso}", "name: Contoso_1}"), "metadata.name: has not the expected form"),
        (GOOD.replace("metadata: {name: contoso}\n", "metadata: {}\n"), "metadata.name: is required"),
        (GOOD.replace("v1alpha1", "v1"), "apiVersion: must be ado.testops.dev/v1alpha1"),
    ];
    for (manifest, expected) in cases {
        assert_eq!(refused(&manifest).await, expected);
    }
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let manifest = with_url("http://dev.azure.com/contoso").replace("Contoso", &"x".repeat(51));
    let problems = refused(&manifest).await;
    assert_eq!(problems.lines().count(), 2, "{problems}");
}

#[tokio::test]
async fn broken_yaml_is_told_by_line_and_column_without_its_content() {
    let message = refused(&GOOD.replace("auth: {pat", &format!("auth: }}{{{PASTED}"))).await;
    assert!(message.starts_with("line 7, column 9: not valid YAML: "), "{message}");
    let twice = refused(&format!("{GOOD}  displayName: {PASTED}\n")).await;
    assert!(twice.contains("a key stands twice"), "{twice}");
    let odd = refused(&format!("{GOOD}  ? [a, {PASTED}]\n  : 1\n")).await;
    assert_eq!(odd, "document 1: a key is not a text, or a value has a YAML tag");
    let nothing = refused("").await;
    assert!(nothing.starts_with("there is no AdoIntegration"), "{nothing}");
}

#[tokio::test]
async fn among_several_documents_the_integration_is_found_or_chosen_by_name() {
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n";
    let both = format!("{other}---\n{GOOD}---\n");
    assert!(tested(&both).await.errors.starts_with("error: InvalidToken: "));
    let list = "apiVersion: v1\nkind: List\nitems:\n- ".to_owned() + &GOOD.trim_end().replace('\n', "\n  ") + "\n";
    assert!(tested(&list).await.errors.starts_with("error: InvalidToken: "));
    let several = format!("{GOOD}---\n{}", GOOD.replace("name: contoso}", "name: second}"));
    assert_eq!(
        refused(&several).await,
        "there are several AdoIntegrations in it: choose one with --name: contoso, second"
    );
    assert!(refused(other).await.starts_with("there is no AdoIntegration"));
}

#[tokio::test]
async fn a_manifest_is_bounded() {
    let large = format!("{GOOD}# {}\n", "x".repeat(1 << 20));
    assert_eq!(tested(&large).await.errors, "error: InputUnreadable: the manifest is larger than 1048576 bytes\n");
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
    let message = refused(bomb).await;
    assert!(message.contains("not valid YAML"), "{message}");
}

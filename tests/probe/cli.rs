//! `kubectl ado test-connection`, in process and as a program.

use std::path::PathBuf;
use std::process::Stdio;

use ado_operator::cli::{Exit, Streams, run};
use ado_simulator::{Effect, Fault};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use crate::bench::{Bench, host};

/// What a command printed, and how it ended.
pub struct Outcome {
    pub exit: Exit,
    pub output: String,
    pub errors: String,
}

/// A simulator with a folder for files.
pub struct Desk {
    pub bench: Bench,
    folder: TempDir,
}

impl Desk {
    pub async fn new() -> Self {
        Self { bench: Bench::start().await, folder: tempfile::tempdir().expect("a folder") }
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.to_str().expect("a text").to_owned()
    }

    pub fn token(&self, label: &str) -> String {
        self.bench.simulator.pat(label).expect("a token").clone()
    }

    /// The manifest of an integration with these lines in its spec.
    pub fn manifest(&self, spec: &str) -> String {
        let url = self.bench.simulator.url();
        format!(
            "apiVersion: ado.testops.dev/v1alpha1\nkind: AdoIntegration\nmetadata: {{name: contoso, namespace: team-a}}\nspec:\n  \
             displayName: Contoso\n  organizationURL: {url}\n  \
             auth: {{pat: {{secretRef: {{name: contoso-pat, key: token}}}}}}\n  allowedProjects: [Payments]\n{spec}"
        )
    }

    /// The arguments that every run against the simulator needs.
    pub fn arguments(&self, manifest: &str) -> Vec<String> {
        let manifest = self.file("manifest.yaml", manifest);
        let ca = self.file("ca.pem", self.bench.simulator.ca_pem());
        let host = host(&self.bench.simulator);
        ["kubectl-ado", "test-connection", "-f", &manifest, "--ca-file", &ca, "--allowed-host", &host]
            .map(str::to_owned)
            .to_vec()
    }

    /// Runs with the token of that label on standard input, and asserts that nobody repeats it.
    pub async fn test(&self, label: &str, spec: &str, more: &[&str]) -> Outcome {
        let mut arguments = self.arguments(&self.manifest(spec));
        arguments.extend(["--pat-file", "-"].into_iter().chain(more.iter().copied()).map(str::to_owned));
        let token = self.token(label);
        let outcome = run_with(&arguments, &format!("{token}\n")).await;
        for text in [&outcome.output, &outcome.errors] {
            assert!(!text.contains(&token), "the token is repeated: {text}");
        }
        outcome
    }

    /// The text with what differs from run to run named instead.
    fn normalized(&self, text: &str) -> String {
        let port = self.bench.simulator.address().port().to_string();
        text.replace(&port, "PORT").split_inclusive('\n').map(without_ids).collect()
    }
}

/// Every GUID as `ID`.
fn without_ids(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '-';
    let mut result = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        let (before, word) = (&rest[..start], &rest[start..end]);
        result.push_str(before);
        result.push_str(if word.parse::<uuid::Uuid>().is_ok() { "ID" } else { word });
        rest = &rest[end..];
    }
    result + rest
}

/// Runs the command line in this process.
pub async fn run_with(arguments: &[String], input: &str) -> Outcome {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let streams = Streams { input: &mut input.as_bytes(), output: &mut output, errors: &mut errors };
    let exit = run(arguments, streams).await;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Outcome { exit, output: text(output), errors: text(errors) }
}

#[tokio::test]
async fn a_good_token_is_shown_with_everything_it_may_do() {
    let desk = Desk::new().await;
    let services = "  services: [AzureDevOps, AzureRepos]\n";
    let all = "  features: [ManualSync, LinkDefect, CreateDefect, PushTestResult, LinkTestCase, HandleWebhookEvents, WebhookSetup]\n";
    let outcome = desk.test("full", &format!("{services}{all}"), &[]).await;
    assert_eq!(desk.normalized(&outcome.output), FULL);
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
    desk.bench.assert_untouched();
}

const FULL: &str = "\
Integration   contoso
Organization  https://localhost:PORT/contoso, id ID
Identity      Ada Sommer (simulated) (ada@contoso.example), id ID
Probed on     Payments, id ID

PERMISSION                         ANSWER  NEEDED BY                                    WHAT TO DO
Project and Team: Read             True    all but WebhookSetup
Work Items: Read                   True    ManualSync, LinkDefect, HandleWebhookEvents
Work Items: Read & write           True    CreateDefect
Test Management: Read & write      True    PushTestResult, LinkTestCase
Analytics: Read                    True    ManualSync*, HandleWebhookEvents*
Access level: Basic or higher      True    ManualSync*, HandleWebhookEvents*
Service hooks: Edit subscriptions  True    WebhookSetup
Code: Read                         True    AzureRepos

FEATURE              WANTED  AVAILABLE  MISSING
ManualSync           yes     True
LinkDefect           yes     True
CreateDefect         yes     True
PushTestResult       yes     True
LinkTestCase         yes     True
HandleWebhookEvents  yes     True
WebhookSetup         yes     True
AzureRepos           yes     True       5 repositories readable

* documented as required; the feature works without it
warning: the manifest has no caBundle: the operator will not trust the CA of --ca-file

Result: everything that is wanted is available.
";

#[tokio::test]
async fn missing_permissions_come_with_what_to_do() {
    let desk = Desk::new().await;
    let outcome = desk.test("read_only", "  features: [ManualSync, CreateDefect, WebhookSetup]\n", &[]).await;
    assert_eq!(desk.normalized(&outcome.output), READ_ONLY);
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Unavailable, ""));
    desk.bench.assert_untouched();
}

const READ_ONLY: &str = "\
Integration   contoso
Organization  https://localhost:PORT/contoso, id ID
Identity      Bela Kim (simulated) (bela@contoso.example), id ID
Probed on     Payments, id ID

PERMISSION                         ANSWER   NEEDED BY                                    WHAT TO DO
Project and Team: Read             True     all but WebhookSetup
Work Items: Read                   True     ManualSync, LinkDefect, HandleWebhookEvents
Work Items: Read & write           False    CreateDefect                                 give the token the scope Work Items: Read & write
Test Management: Read & write      False    PushTestResult, LinkTestCase                 give the token the scope Test Management: Read & write
Analytics: Read                    False    ManualSync*, HandleWebhookEvents*            give the token the scope Analytics: Read
Access level: Basic or higher      Unknown  ManualSync*, HandleWebhookEvents*            the token has no scope to read access levels, and no answer shows one
Service hooks: Edit subscriptions  False    WebhookSetup                                 make the token's owner a Project Collection Administrator, or grant Edit subscriptions, and give the token the scope Work Items: Read

FEATURE              WANTED  AVAILABLE  MISSING
ManualSync           yes     True       Analytics: Read*
LinkDefect           no      True
CreateDefect         yes     False      Work Items: Read & write
PushTestResult       no      False      Test Management: Read & write
LinkTestCase         no      False      Test Management: Read & write
HandleWebhookEvents  no      True       Analytics: Read*
WebhookSetup         yes     False      Service hooks: Edit subscriptions

* documented as required; the feature works without it
warning: Analytics: Read is documented as required for ManualSync and HandleWebhookEvents and was found missing; both work without it
warning: the manifest has no caBundle: the operator will not trust the CA of --ca-file

Result: not available: CreateDefect, WebhookSetup.
";

#[tokio::test]
async fn the_same_token_will_do_where_nothing_more_is_wanted() {
    let desk = Desk::new().await;
    let outcome = desk.test("read_only", "", &[]).await;
    assert_eq!(outcome.exit, Exit::Success, "{}", outcome.output);
    assert!(outcome.output.ends_with("Result: everything that is wanted is available.\n"), "{}", outcome.output);
}

#[tokio::test]
async fn json_and_yaml_say_the_same_as_data() {
    let desk = Desk::new().await;
    let spec = "  features: [ManualSync, CreateDefect]\n";
    let json = desk.test("read_only", spec, &["-o", "json"]).await;
    let yaml = desk.test("read_only", spec, &["-o", "yaml"]).await;
    assert_eq!((json.exit, yaml.exit), (Exit::Unavailable, Exit::Unavailable));
    let from_json: serde_json::Value = serde_json::from_str(&json.output).expect("JSON");
    let from_yaml: serde_json::Value = serde_yaml_ng::from_str(&yaml.output).expect("YAML");
    assert_eq!(from_json, from_yaml);
    assert_eq!(from_json["exitCode"], 3);
    assert_eq!(from_json["result"], "not available: CreateDefect");
    assert_eq!(from_json["identity"]["account"], "bela@contoso.example");
    assert_eq!(from_json["project"]["name"], "Payments");
    let write = &from_json["permissions"][2];
    assert_eq!((&write["name"], &write["answer"]), (&"Work Items: Read & write".into(), &"False".into()));
    assert_eq!(write["neededBy"][0]["feature"], "CreateDefect");
    assert!(write["remedy"].as_str().is_some_and(|remedy| remedy.contains("Work Items: Read & write")));
    let create = &from_json["features"][2];
    assert_eq!(create["missing"][0], "Work Items: Read & write");
    assert_eq!((&create["wanted"], &create["available"]), (&true.into(), &"False".into()));
}

#[tokio::test]
async fn a_refused_token_is_exit_code_2_with_the_remedy() {
    let desk = Desk::new().await;
    for label in ["expired", "revoked", "other_organization"] {
        let outcome = desk.test(label, "", &[]).await;
        assert_eq!((outcome.exit, outcome.output.as_str()), (Exit::Refused, ""), "{}", outcome.errors);
        assert!(
            outcome.errors.starts_with("error: CredentialRefused: Azure DevOps refused the token"),
            "{}",
            outcome.errors
        );
        assert!(outcome.errors.contains("another organization"), "{}", outcome.errors);
    }
    let outcome = desk.test("expired", "", &["-o", "json"]).await;
    let data: serde_json::Value = serde_json::from_str(&outcome.output).expect("JSON");
    assert_eq!((outcome.exit, &data["reason"]), (Exit::Refused, &"CredentialRefused".into()));
}

#[tokio::test]
async fn no_verdict_is_exit_code_4() {
    let desk = Desk::new().await;
    let simulator = &desk.bench.simulator;
    simulator.add_fault(Fault::on_route("*/_apis/connectionData", Effect::Status { code: 503, retry_after: None }));
    let outcome = desk.test("full", "", &[]).await;
    assert_eq!(outcome.exit, Exit::NoVerdict, "{}", outcome.errors);
    assert!(outcome.errors.starts_with("error: Unavailable: "), "{}", outcome.errors);
    simulator.clear_faults();

    simulator.add_fault(Fault::on_route("*/wit/wiql", Effect::Status { code: 403, retry_after: None }));
    let outcome = desk.test("full", "", &[]).await;
    assert_eq!(outcome.exit, Exit::NoVerdict, "{}", outcome.output);
    assert!(outcome.output.ends_with("Result: no verdict on ManualSync, HandleWebhookEvents.\n"), "{}", outcome.output);
}

#[tokio::test]
async fn hosts_addresses_and_certificates_are_judged_as_by_the_operator() {
    let desk = Desk::new().await;
    let token = desk.file("token", &desk.token("full"));
    let manifest = desk.file("manifest.yaml", &desk.manifest(""));
    let ca = desk.file("ca.pem", desk.bench.simulator.ca_pem());
    let allowed = host(&desk.bench.simulator);
    let base = ["kubectl-ado", "test-connection", "-f", &manifest, "--pat-file", &token];
    let cases: [(&[&str], &str); 4] = [
        (&["--ca-file", &ca], "DisallowedHost"),
        (&["--ca-file", &ca, "--allowed-host", "localhost:1"], "DisallowedHost"),
        (&["--allowed-host", &allowed], "CertificateNotTrusted"),
        (&["--allowed-host", &allowed, "--ca-file", &token], "InvalidCABundle"),
    ];
    for (more, reason) in cases {
        let arguments: Vec<String> = base.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        let outcome = run_with(&arguments, "").await;
        assert_eq!(outcome.exit, Exit::Invalid, "{reason}: {}", outcome.errors);
        assert!(outcome.errors.starts_with(&format!("error: {reason}: ")), "{reason}: {}", outcome.errors);
        assert!(!outcome.errors.contains(&desk.token("full")));
    }
    let private = desk.manifest("").replace(&desk.bench.simulator.url(), "https://10.0.0.1/tfs/Main");
    let private = desk.file("private.yaml", &private);
    for (more, reason) in [(&[][..], "DisallowedHost"), (&["--proxy", "corporate=http://p:1"][..], "DisallowedHost")] {
        let all = ["kubectl-ado", "test-connection", "-f", &private, "--pat-file", &token];
        let arguments: Vec<String> = all.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        let outcome = run_with(&arguments, "").await;
        assert!(outcome.errors.starts_with(&format!("error: {reason}: ")), "{}", outcome.errors);
    }
    let outcome = desk.test("full", "  proxy: corporate\n", &[]).await;
    assert_eq!(outcome.exit, Exit::Invalid);
    assert!(outcome.errors.starts_with("error: UnknownProxy: "), "{}", outcome.errors);
    assert_eq!(desk.bench.simulator.request_total(), 0, "nothing was sent");
}

#[tokio::test]
async fn an_organization_that_does_not_exist_is_a_wrong_manifest() {
    let desk = Desk::new().await;
    let manifest = desk.manifest("").replace("/contoso\n", "/nowhere\n");
    let mut arguments = desk.arguments(&manifest);
    arguments.extend(["--pat-file", "-"].map(str::to_owned));
    let outcome = run_with(&arguments, &desk.token("full")).await;
    assert_eq!(outcome.exit, Exit::Invalid, "{}", outcome.errors);
    assert!(outcome.errors.starts_with("error: OrganizationNotFound: no organization exists at"), "{}", outcome.errors);
}

#[tokio::test]
async fn usage_errors_are_exit_code_1_and_repeat_no_token() {
    let desk = Desk::new().await;
    let token = desk.token("full");
    let manifest = desk.file("manifest.yaml", &desk.manifest(""));
    let cases: [(&[&str], &str); 9] = [
        (&["kubectl-ado", "test-connection"], "--filename"),
        (&["kubectl-ado", "test-connection", "-f", &manifest, &token], "not repeated here"),
        (&["kubectl-ado", &token], "not repeated here"),
        (&["kubectl-ado", "test-connection", "-f", &manifest, "--pat", &token], "--pat"),
        (&["kubectl-ado", "test-connection", "-f", &manifest, "--pat-file", &token], "cannot be read"),
        (&["kubectl-ado", "test-connection", "-f", "-", "--pat-file", "-"], "cannot both come from standard input"),
        (&["kubectl-ado", "test-connection", "-f", &manifest, "--allowed-host", "https://x/y"], "NAME or NAME:PORT"),
        (&["kubectl-ado", "test-connection", "-f", &manifest, "--proxy", &token], "NAME=URL"),
        (&["kubectl-ado", "test-connection", "-f", "/nonexistent.yaml"], "the manifest cannot be read"),
    ];
    for (arguments, expected) in cases {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let outcome = run_with(&arguments, "").await;
        assert_eq!(outcome.exit, Exit::Invalid, "{expected}: {}", outcome.errors);
        assert!(outcome.errors.contains(expected), "{expected}: {}", outcome.errors);
        assert!(!outcome.errors.contains(&token) && outcome.output.is_empty(), "{}", outcome.errors);
    }
}

#[tokio::test]
async fn help_names_the_exit_codes_and_shows_an_example() {
    let arguments = ["kubectl-ado", "test-connection", "--help"].map(str::to_owned);
    let outcome = run_with(&arguments, "").await;
    assert_eq!((outcome.exit, outcome.errors.as_str()), (Exit::Success, ""));
    for expected in [
        "Usage: kubectl ado test-connection",
        "Examples:",
        "--pat-file -",
        "Exit codes:",
        "  2  Azure DevOps refused the token",
    ] {
        assert!(outcome.output.contains(expected), "{expected}: {}", outcome.output);
    }
}

#[tokio::test]
async fn the_program_ends_with_the_exit_code_and_reads_the_token_from_standard_input() {
    let desk = Desk::new().await;
    let arguments = desk.arguments(&desk.manifest("  features: [CreateDefect]\n"));
    for (label, code) in [("full", 0), ("read_only", 3), ("expired", 2)] {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_kubectl-ado"))
            .args(&arguments[1..])
            .args(["--pat-file", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("started");
        let token = desk.token(label);
        let mut input = child.stdin.take().expect("standard input");
        input.write_all(token.as_bytes()).await.expect("written");
        drop(input);
        let ended = child.wait_with_output().await.expect("ended");
        let text = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{label}: {text}");
        assert!(!text.contains(&token), "{text}");
    }
    desk.bench.assert_untouched();
}

//! Every rule of both schemas, as somebody meets it who types `kubectl apply`.

use std::sync::Arc;

use serde_json::{Value, json};
use support::control_plane::ControlPlane;
use support::verdict::Verdict;

/// A document with one member of its spec changed; null takes the member out.
pub fn document(kind: &str, member: &str, value: Value) -> Value {
    let mut spec = match kind {
        "AdoIntegration" => json!({
            "displayName": "Contoso",
            "organizationURL": "https://dev.azure.com/contoso",
            "auth": {"pat": {"secretRef": {"name": "contoso-pat", "key": "token"}}},
        }),
        _ => json!({"integrationRef": {"name": "contoso"}, "project": "Payments"}),
    };
    if value.is_null() {
        spec.as_object_mut().unwrap().remove(member);
    } else {
        spec[member] = value;
    }
    json!({
        "apiVersion": "ado.testops.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "tried", "namespace": "default"},
        "spec": spec,
    })
}

/// kubectl's findings, one text each; none if the document was accepted.
fn findings(control_plane: &ControlPlane, document: &Value) -> Vec<String> {
    let arguments = ["apply", "--dry-run=server", "-f", "-"];
    let (accepted, _, refusal) = control_plane.kubectl(&arguments, &document.to_string()).unwrap();
    assert_eq!(accepted, refusal.is_empty(), "{refusal}");
    parse(&refusal)
}

/// A lone finding stands behind the name of the object, several stand below it with bullets. The note that other rules
/// were left out is no finding.
fn parse(refusal: &str) -> Vec<String> {
    let mut lines = refusal.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(head) = lines.next() else { return Vec::new() };
    let first = head.split_once(" is invalid:").map_or(head, |(_, finding)| finding.trim());
    let rest = lines.map(|line| line.trim_start_matches("* ")).filter(|line| !line.starts_with("<nil>"));
    [first].into_iter().filter(|first| !first.is_empty()).chain(rest).map(str::to_owned).collect()
}

/// One kind's documents, tried on the apiserver.
pub struct Tried {
    control_plane: Arc<ControlPlane>,
    kind: &'static str,
}

impl Tried {
    fn new(kind: &'static str) -> Self {
        Self { control_plane: ControlPlane::shared().unwrap(), kind }
    }

    /// The document is accepted.
    pub fn accepts(&self, member: &str, value: Value) {
        let document = document(self.kind, member, value);
        assert_eq!(findings(&self.control_plane, &document), [""; 0], "{document}");
    }

    /// The document with these members in its spec is accepted by server-side apply, whatever its size: a client-side one
    /// repeats it in an annotation, which has a limit of its own.
    pub fn accepts_at_any_size(&self, members: &Value) {
        let mut document = document(self.kind, "", Value::Null);
        for (member, value) in members.as_object().unwrap() {
            document["spec"][member] = value.clone();
        }
        let arguments = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
        let (accepted, _, refusal) = self.control_plane.kubectl(&arguments, &document.to_string()).unwrap();
        assert!(accepted, "{}", refusal.chars().take(2000).collect::<String>());
    }

    /// Exactly these findings, in any order: each begins with the place and ends with the sentence.
    pub fn rejects(&self, member: &str, value: Value, expected: &[(&str, &str)]) {
        let document = document(self.kind, member, value);
        let found = findings(&self.control_plane, &document);
        let fits = |(place, sentence): &(&str, &str)| {
            let head = format!("{place}: ");
            found.iter().any(|finding| finding.starts_with(&head) && finding.ends_with(sentence))
        };
        let all_fit = found.len() == expected.len() && expected.iter().all(fits);
        assert!(all_fit, "{document}\nfound {found:#?}\nexpected {expected:#?}");
    }
}

/// Documents of integrations.
pub fn integrations() -> Tried {
    Tried::new("AdoIntegration")
}

/// Documents of project configs.
pub fn configs() -> Tried {
    Tried::new("AdoProjectConfig")
}

#[test]
fn what_is_required_is_asked_for() {
    let integrations = integrations();
    for (member, place) in [("displayName", "spec.displayName"), ("organizationURL", "spec.organizationURL")] {
        integrations.rejects(member, Value::Null, &[(place, "Required value")]);
    }
    let sentence =
        "auth must name the Secret with the token, as in auth: {pat: {secretRef: {name: contoso-pat, key: token}}}";
    integrations.rejects("auth", Value::Null, &[("spec.auth", sentence)]);
    let configs = configs();
    configs.rejects("integrationRef", Value::Null, &[("spec.integrationRef", "Required value")]);
    configs.rejects("project", Value::Null, &[("spec.project", "Required value")]);
    configs.rejects("integrationRef", json!({}), &[("spec.integrationRef.name", "Required value")]);
}

#[test]
fn a_display_name_has_1_to_50_characters() {
    let tried = integrations();
    let sentence = &[("spec.displayName", "displayName must have 1 to 50 characters")];
    tried.accepts("displayName", json!("ä".repeat(50)));
    tried.accepts("displayName", json!("C"));
    tried.rejects("displayName", json!("ä".repeat(51)), sentence);
    tried.rejects("displayName", json!(""), sentence);
    tried.rejects(
        "displayName",
        json!("x".repeat(256)),
        &[("spec.displayName", "Too long: may not be more than 255 bytes")],
    );
}

#[test]
fn a_description_has_at_most_255_characters() {
    for tried in [integrations(), configs()] {
        tried.accepts("description", json!("ä".repeat(255)));
        tried.accepts("description", json!(""));
        tried.rejects(
            "description",
            json!("x".repeat(256)),
            &[("spec.description", "description must have at most 255 characters")],
        );
        tried.rejects(
            "description",
            json!("x".repeat(4097)),
            &[("spec.description", "Too long: may not be more than 4096 bytes")],
        );
    }
}

#[test]
fn there_is_exactly_one_way_to_authenticate() {
    let tried = integrations();
    let one = ("spec.auth", "auth must contain exactly one of pat, servicePrincipal and workloadIdentity");
    let later = ("spec.auth", "servicePrincipal and workloadIdentity are not available in this version; use pat");
    let pat = json!({"secretRef": {"name": "contoso-pat", "key": "token"}});
    tried.accepts("auth", json!({"pat": pat}));
    tried.rejects("auth", json!({}), &[one]);
    tried.rejects("auth", json!({"pat": null}), &[one]);
    tried.rejects("auth", json!({"pat": pat, "servicePrincipal": {"tenantID": "contoso"}}), &[one, later]);
    tried.rejects("auth", json!({"pat": pat, "servicePrincipal": {}, "workloadIdentity": {}}), &[one, later]);
    tried.rejects("auth", json!({"servicePrincipal": {"tenantID": "contoso"}}), &[later]);
    tried.rejects("auth", json!({"workloadIdentity": {"clientID": "1"}}), &[later]);
}

#[test]
fn a_reference_to_a_secret_names_secret_and_key() {
    let tried = integrations();
    let with = |reference: Value| json!({"pat": {"secretRef": reference}});
    let (name, key) = ("spec.auth.pat.secretRef.name", "spec.auth.pat.secretRef.key");
    tried.rejects("auth", with(json!({"name": "a"})), &[(key, "Required value")]);
    tried.rejects("auth", with(json!({"key": "a"})), &[(name, "Required value")]);
    tried.rejects(
        "auth",
        with(json!({"name": "", "key": ""})),
        &[(key, "should be at least 1 chars long"), (name, "should be at least 1 chars long")],
    );
    tried.rejects(
        "auth",
        with(json!({"name": "x".repeat(254), "key": "x".repeat(254)})),
        &[(key, "may not be more than 253 bytes"), (name, "may not be more than 253 bytes")],
    );
}

#[test]
fn states_are_spelled_as_they_are_offered() {
    let tried = integrations();
    tried.accepts("state", json!("Active"));
    tried.accepts("state", json!("Inactive"));
    tried.rejects(
        "state",
        json!("Archived"),
        &[("spec.state", r#"Unsupported value: "Archived": supported values: "Active", "Inactive""#)],
    );
}

#[test]
fn services_are_a_set_with_azure_devops_in_it() {
    let tried = integrations();
    let needed = ("spec.services", "services must contain AzureDevOps");
    tried.accepts("services", json!(["AzureDevOps"]));
    tried.accepts("services", json!(["AzureRepos", "AzureDevOps"]));
    tried.rejects("services", json!(["AzureRepos"]), &[needed]);
    tried.rejects("services", json!([]), &[("spec.services", "should have at least 1 items"), needed]);
    tried.rejects(
        "services",
        json!(["AzureDevOps", "AzureDevOps"]),
        &[("spec.services[1]", r#"Duplicate value: "AzureDevOps""#)],
    );
    tried.rejects(
        "services",
        json!(["AzureDevOps", "AzurePipelines"]),
        &[(
            "spec.services[1]",
            r#"Unsupported value: "AzurePipelines": supported values: "AzureDevOps", "AzureRepos""#,
        )],
    );
}

#[test]
fn features_are_a_set_of_the_seven() {
    let tried = integrations();
    let all = [
        "ManualSync",
        "LinkDefect",
        "CreateDefect",
        "PushTestResult",
        "LinkTestCase",
        "HandleWebhookEvents",
        "WebhookSetup",
    ];
    tried.accepts("features", json!(all));
    tried.rejects("features", json!([]), &[("spec.features", "should have at least 1 items")]);
    tried.rejects(
        "features",
        json!(["LinkDefect", "LinkDefect"]),
        &[("spec.features[1]", r#"Duplicate value: "LinkDefect""#)],
    );
    let offered = all.map(|name| format!("{name:?}")).join(", ");
    let sentence = format!(r#"Unsupported value: "Deploy": supported values: {offered}"#);
    tried.rejects("features", json!(["Deploy"]), &[("spec.features[0]", &sentence)]);
}

#[test]
fn allowed_namespaces_have_a_selector_if_and_only_if_they_are_selected() {
    let tried = integrations();
    let selector = json!({"matchLabels": {"team": "payments"}});
    let both =
        ("spec.allowedNamespaces", "allowedNamespaces.selector must be given with from: Selector, and only then");
    for from in ["Same", "All"] {
        tried.accepts("allowedNamespaces", json!({"from": from}));
        tried.rejects("allowedNamespaces", json!({"from": from, "selector": selector}), &[both]);
    }
    tried.accepts("allowedNamespaces", json!({"from": "Selector", "selector": selector}));
    tried.rejects("allowedNamespaces", json!({"from": "Selector"}), &[both]);
    tried.rejects("allowedNamespaces", json!({}), &[("spec.allowedNamespaces.from", "Required value")]);
    tried.rejects(
        "allowedNamespaces",
        json!({"from": "Some"}),
        &[("spec.allowedNamespaces.from", r#"Unsupported value: "Some": supported values: "Same", "All", "Selector""#)],
    );
}

/// Templates write null for a value that nobody set.
#[test]
fn a_null_is_as_good_as_no_field() {
    for (tried, crd) in [integrations(), configs()].into_iter().zip(ado_operator::api::crds()) {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        let members = schema["openAPIV3Schema"]["properties"]["spec"]["properties"].as_object().unwrap().clone();
        for member in members.keys().filter(|member| document(tried.kind, "", Value::Null)["spec"][*member].is_null()) {
            let mut document = document(tried.kind, "", Value::Null);
            document["spec"][member] = Value::Null;
            assert_eq!(findings(&tried.control_plane, &document), [""; 0], "{document}");
            // Server-side apply takes nothing out, and an enumeration holds no null.
            if ["state", "deletionPolicy"].contains(&member.as_str()) {
                continue;
            }
            let arguments = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
            let (accepted, _, refusal) = tried.control_plane.kubectl(&arguments, &document.to_string()).unwrap();
            assert!(accepted, "{document}: {refusal}");
        }
    }
    integrations().accepts("caBundle", json!({"configMapRef": {"name": "ca", "key": null}, "secretRef": null}));
    configs().accepts("pullRequirements", json!({"enabled": null, "workItemTypes": null}));
}

#[test]
fn a_selector_of_namespaces_has_bounds() {
    let tried = integrations();
    let selected = |selector: Value| json!({"from": "Selector", "selector": selector});
    let labels = |count: usize| -> Value { (0..count).map(|n| (format!("label-{n}"), json!("x"))).collect() };
    let expression = |operator: &str, values: usize, length: usize| json!({"key": "team", "operator": operator, "values": vec!["x".repeat(length); values]});
    let place = "spec.allowedNamespaces.selector";
    let expressions = format!("{place}.matchExpressions");
    for operator in ["In", "NotIn"] {
        tried.accepts("allowedNamespaces", selected(json!({"matchExpressions": [expression(operator, 64, 317)]})));
    }
    for operator in ["Exists", "DoesNotExist"] {
        let alone = json!({"matchExpressions": [{"key": "team", "operator": operator}]});
        tried.accepts("allowedNamespaces", selected(alone));
    }
    tried.accepts("allowedNamespaces", selected(json!({"matchLabels": labels(32)})));
    for (selector, place, sentence) in [
        (json!({"matchLabels": labels(33)}), format!("{place}.matchLabels"), "must have at most 32 items"),
        (json!({"matchLabels": {"team": "x".repeat(318)}}), format!("{place}.matchLabels.team"), "317 bytes"),
        (
            json!({"matchExpressions": vec![expression("In", 1, 1); 33]}),
            expressions.clone(),
            "must have at most 32 items",
        ),
        (
            json!({"matchExpressions": [expression("Like", 1, 1)]}),
            format!("{expressions}[0].operator"),
            r#"supported values: "In", "NotIn", "Exists", "DoesNotExist""#,
        ),
        (
            json!({"matchExpressions": [expression("In", 65, 1)]}),
            format!("{expressions}[0].values"),
            "must have at most 64 items",
        ),
        (json!({"matchExpressions": [expression("In", 1, 318)]}), format!("{expressions}[0].values[0]"), "317 bytes"),
        (
            json!({"matchExpressions": [{"key": "team", "operator": "In"}]}),
            format!("{expressions}[0]"),
            "values must be given with the operators In and NotIn, and only then",
        ),
        (
            json!({"matchExpressions": [expression("Exists", 1, 1)]}),
            format!("{expressions}[0]"),
            "values must be given with the operators In and NotIn, and only then",
        ),
        (json!({"matchExpressions": [{"operator": "In"}]}), format!("{expressions}[0].key"), "Required value"),
        (json!({"matchExpressions": [{"key": "team"}]}), format!("{expressions}[0].operator"), "Required value"),
    ] {
        tried.rejects("allowedNamespaces", selected(selector), &[(&place, sentence)]);
    }
}

#[test]
fn allowed_projects_are_a_set_of_at_most_200_patterns() {
    let tried = integrations();
    let many = |count: usize, length: usize| -> Vec<String> { (0..count).map(|n| format!("{n:0length$}")).collect() };
    tried.accepts("allowedProjects", json!(["Payments", "Web*"]));
    tried.accepts("allowedProjects", json!(many(200, 256)));
    tried.rejects("allowedProjects", json!([]), &[("spec.allowedProjects", "should have at least 1 items")]);
    tried.rejects(
        "allowedProjects",
        json!(["Web", "Web"]),
        &[("spec.allowedProjects[1]", r#"Duplicate value: "Web""#)],
    );
    tried.rejects(
        "allowedProjects",
        json!(many(201, 1)),
        &[("spec.allowedProjects", "Too many: 201: must have at most 200 items")],
    );
    tried.rejects("allowedProjects", json!([""]), &[("spec.allowedProjects[0]", "should be at least 1 chars long")]);
    tried.rejects(
        "allowedProjects",
        json!(many(1, 257)),
        &[("spec.allowedProjects[0]", "may not be more than 256 bytes")],
    );
}

#[test]
fn a_ca_bundle_stands_in_one_place() {
    let tried = integrations();
    let one = ("spec.caBundle", "caBundle must contain exactly one of configMapRef and secretRef");
    tried.accepts("caBundle", json!({"configMapRef": {"name": "ca"}}));
    tried.accepts("caBundle", json!({"secretRef": {"name": "ca", "key": "root.pem"}}));
    tried.rejects("caBundle", json!({}), &[one]);
    tried.rejects("caBundle", json!({"configMapRef": {"name": "ca"}, "secretRef": {"name": "ca"}}), &[one]);
    tried.rejects("caBundle", json!({"secretRef": {}}), &[("spec.caBundle.secretRef.name", "Required value")]);
    for reference in ["configMapRef", "secretRef"] {
        let long = json!({reference: {"name": "x".repeat(254), "key": "x".repeat(254)}});
        let (key, name) = (format!("spec.caBundle.{reference}.key"), format!("spec.caBundle.{reference}.name"));
        let sentence = "may not be more than 253 bytes";
        tried.rejects("caBundle", long, &[(&key, sentence), (&name, sentence)]);
    }
}

#[test]
fn a_proxy_is_named() {
    let tried = integrations();
    tried.accepts("proxy", json!("corporate"));
    tried.rejects("proxy", json!(""), &[("spec.proxy", "should be at least 1 chars long")]);
    tried.rejects("proxy", json!("x".repeat(64)), &[("spec.proxy", "may not be more than 63 bytes")]);
}

#[test]
fn an_interval_is_between_a_minute_and_a_day() {
    let tried = integrations();
    for good in ["1m", "60s", "10m", "1h30m", "24h", "1440m"] {
        tried.accepts("interval", json!(good));
    }
    let sentence = "must be a duration from 1m to 24h, such as 10m or 1h30m";
    for bad in ["59s", "24h1s", "0m", "1d", "10", "", "-5m", "0.5h", "60000ms", "ten minutes", "999999h"] {
        tried.rejects("interval", json!(bad), &[("spec.interval", sentence)]);
    }
    let long = "1".repeat(32) + "m";
    tried.rejects("interval", json!(long), &[("spec.interval", "may not be more than 32 bytes")]);
    tried.rejects("interval", json!(600), &[("spec.interval", r#"must be of type string: "integer""#)]);
}

#[test]
fn what_the_schema_does_not_know_is_refused_by_name() {
    for (tried, member) in [(integrations(), "organisationURL"), (configs(), "workItemTypes")] {
        let found = findings(&tried.control_plane, &document(tried.kind, member, json!("x")));
        let expected = format!("unknown field \"spec.{member}\"");
        assert!(found.len() == 1 && found[0].contains(&expected), "{found:?}");
    }
}

#[test]
fn names_in_a_config_have_a_length() {
    let tried = configs();
    for member in ["project", "team"] {
        let place = format!("spec.{member}");
        tried.accepts(member, json!("ä".repeat(128)));
        tried.rejects(member, json!(""), &[(&place, "should be at least 1 chars long")]);
        tried.rejects(member, json!("x".repeat(257)), &[(&place, "may not be more than 256 bytes")]);
    }
    let (name, namespace) = ("spec.integrationRef.name", "spec.integrationRef.namespace");
    tried.accepts("integrationRef", json!({"name": "x".repeat(253), "namespace": "x".repeat(63)}));
    tried.rejects(
        "integrationRef",
        json!({"name": "", "namespace": ""}),
        &[(name, "should be at least 1 chars long"), (namespace, "should be at least 1 chars long")],
    );
    tried.rejects(
        "integrationRef",
        json!({"name": "x".repeat(254), "namespace": "x".repeat(64)}),
        &[(name, "may not be more than 253 bytes"), (namespace, "may not be more than 63 bytes")],
    );
}

#[test]
fn work_item_types_are_a_set_of_at_most_64() {
    let tried = configs();
    for block in ["pullRequirements", "bugMapping"] {
        let place = format!("spec.{block}.workItemTypes");
        let with = |types: Value| json!({"workItemTypes": types});
        let many =
            |count: usize, length: usize| -> Vec<String> { (0..count).map(|n| format!("{n:0length$}")).collect() };
        tried.accepts(block, json!({}));
        tried.accepts(block, json!({"enabled": false}));
        tried.accepts(block, with(json!(many(64, 128))));
        tried.rejects(block, with(json!([])), &[(&place, "should have at least 1 items")]);
        tried.rejects(block, with(json!(["Bug", "Bug"])), &[(&format!("{place}[1]"), r#"Duplicate value: "Bug""#)]);
        tried.rejects(block, with(json!(many(65, 2))), &[(&place, "Too many: 65: must have at most 64 items")]);
        tried.rejects(block, with(json!([""])), &[(&format!("{place}[0]"), "should be at least 1 chars long")]);
        let long = with(json!(many(1, 129)));
        tried.rejects(block, long, &[(&format!("{place}[0]"), "may not be more than 128 bytes")]);
        let place = format!("spec.{block}.enabled");
        tried.rejects(block, json!({"enabled": "yes"}), &[(&place, r#"must be of type boolean: "string""#)]);
    }
}

/// The apiserver refuses a definition whose rules could cost too much; installed by the chart, both are in force.
#[test]
fn both_definitions_are_established() {
    let control_plane = ControlPlane::shared().unwrap();
    for name in ["adointegrations.ado.testops.dev", "adoprojectconfigs.ado.testops.dev"] {
        let (found, output, error) = control_plane.kubectl(&["get", "crd", name, "-o", "json"], "").unwrap();
        assert!(found, "{error}");
        let definition: Value = serde_json::from_str(&output).unwrap();
        let conditions = definition["status"]["conditions"].as_array().unwrap();
        let status = |kind: &str| conditions.iter().find(|one| one["type"] == kind).map(|one| one["status"].clone());
        assert_eq!(status("Established"), Some("True".into()), "{conditions:?}");
        assert_ne!(status("NonStructuralSchema"), Some("True".into()), "{conditions:?}");
    }
}

/// Nobody serves the namespace `default`, so these objects stay as they were created.
#[test]
fn an_object_without_a_verdict_is_in_progress_and_keeps_its_spec() {
    let control_plane = ControlPlane::shared().unwrap();
    let judge = Verdict::start(&control_plane).unwrap();
    for (kind, member) in [("AdoIntegration", "displayName"), ("AdoProjectConfig", "project")] {
        let mut applied = document(kind, member, json!("Unseen"));
        applied["metadata"]["name"] = "unseen".into();
        let (accepted, _, refusal) = control_plane.kubectl(&["apply", "-f", "-"], &applied.to_string()).unwrap();
        assert!(accepted, "{refusal}");
        let (_, output, _) = control_plane.kubectl(&["get", kind, "unseen", "-o", "json"], "").unwrap();
        let stored: Value = serde_json::from_str(&output).unwrap();
        assert_eq!(stored["spec"], applied["spec"], "no default is written into a spec");
        assert_eq!(stored["status"], json!({"observedGeneration": -1}));
        let judged = judge.judge(&stored).unwrap();
        assert_eq!((judged.kstatus.as_str(), judged.argocd.as_deref()), ("InProgress", Some("Progressing")));
    }
}

#[test]
fn columns_are_those_that_are_documented() {
    let control_plane = ControlPlane::shared().unwrap();
    for (kind, usual, wide) in [
        ("AdoIntegration", "NAME STATE READY ORGANIZATION FEATURES AGE", " MESSAGE"),
        ("AdoProjectConfig", "NAME STATE READY INTEGRATION PROJECT REQUIREMENTS BUGS LAST CHANGE AGE", " TEAM MESSAGE"),
    ] {
        let mut applied = document(kind, "description", json!("For its columns."));
        applied["metadata"]["name"] = "columns".into();
        let (accepted, _, refusal) = control_plane.kubectl(&["apply", "-f", "-"], &applied.to_string()).unwrap();
        assert!(accepted, "{refusal}");
        for (arguments, expected) in [
            (vec!["get", kind, "columns"], usual.to_owned()),
            (vec!["get", kind, "columns", "-o", "wide"], format!("{usual}{wide}")),
        ] {
            let (_, output, _) = control_plane.kubectl(&arguments, "").unwrap();
            let header: Vec<&str> = output.lines().next().unwrap_or_default().split_whitespace().collect();
            assert_eq!(header.join(" "), expected);
        }
    }
}

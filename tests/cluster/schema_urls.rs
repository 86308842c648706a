//! The organization's URL in the schema: what is refused comes back corrected, and a token never does.

use serde_json::{Value, json};
use support::control_plane::ControlPlane;

use crate::schema::{document, integrations};

#[test]
fn a_url_of_an_organization_is_accepted_in_every_spelling() {
    let tried = integrations();
    for url in [
        "https://dev.azure.com/contoso",
        "https://dev.azure.com/contoso/",
        "https://Dev.Azure.com/Contoso",
        "https://dev.azure.com:443/contoso",
        "https://contoso.visualstudio.com",
        "https://contoso.visualstudio.com/",
        "https://tfs.example.com/tfs/DefaultCollection",
        "https://localhost:8443/contoso",
    ] {
        tried.accepts("organizationURL", json!(url));
    }
}

#[test]
fn any_other_url_is_refused_with_the_corrected_value() {
    let tried = integrations();
    let refused = |url: &str, problem: &str, correct: &str| {
        let sentence = format!("organizationURL {problem}; write {correct}");
        tried.rejects("organizationURL", json!(url), &[("spec.organizationURL", &sentence)]);
    };
    let (cloud, unknown) = ("https://dev.azure.com/contoso", "https://dev.azure.com/<organization>");
    let legacy = "https://contoso.visualstudio.com";

    let scheme = "must start with https://";
    refused("http://dev.azure.com/contoso", scheme, cloud);
    refused("HTTPS://dev.azure.com/contoso", scheme, cloud);
    refused("dev.azure.com/contoso", scheme, cloud);
    refused("http://contoso.visualstudio.com/", scheme, legacy);
    refused("contoso", scheme, unknown);

    let plain = "must not contain user information, a query, a fragment or white space";
    refused("https://contoso@dev.azure.com/contoso", plain, cloud);
    refused("https://user:password@contoso.visualstudio.com", plain, legacy);
    refused("https://dev.azure.com/contoso?view=all", plain, cloud);
    refused("https://dev.azure.com/contoso#top", plain, cloud);
    refused("https://dev.azure.com/contoso ", plain, cloud);

    let below = "must name the organization and nothing below it, such as a project";
    refused("https://dev.azure.com/contoso/Payments", below, cloud);
    refused("https://DEV.AZURE.COM/Contoso/Payments/_workitems", below, cloud);
    refused("https://dev.azure.com/contoso/Payments%20App/_git/app", below, cloud);
    refused("https://contoso.visualstudio.com/Payments", below, legacy);
    refused("https://dev.azure.com", below, unknown);
    refused("https://dev.azure.com/", below, unknown);
    refused("https://dev.azure.com:8443/contoso", below, unknown);
}

#[test]
fn a_url_that_has_no_length_or_too_much_is_refused() {
    let tried = integrations();
    let place = "spec.organizationURL";
    tried.rejects(
        "organizationURL",
        json!(""),
        &[
            (place, "spec.organizationURL in body should be at least 1 chars long"),
            (place, "organizationURL must start with https://; write https://dev.azure.com/<organization>"),
        ],
    );
    let long = format!("https://dev.azure.com/{}", "x".repeat(400));
    tried.rejects("organizationURL", json!(long), &[(place, "Too long: may not be more than 400 bytes")]);
}

/// Forms of a token: 52 characters of base32 as they were, 84 characters as they are now.
fn tokens() -> [String; 2] {
    let old: String = "qz7kx3vnm5".chars().cycle().take(52).collect();
    let new: String = "Zk4vQ9xW2m".chars().cycle().take(84).collect();
    [old, new]
}

#[test]
fn a_token_in_a_url_never_comes_back() {
    let control_plane = ControlPlane::shared().unwrap();
    let urls = [
        "https://{}@dev.azure.com/contoso",
        "https://pat:{}@dev.azure.com/contoso",
        "https://{}:x@DEV.AZURE.COM/contoso",
        "https://{}@contoso.visualstudio.com",
        "https://pat:{}@Contoso.VisualStudio.com/Payments",
        "https://contoso.visualstudio.com:{}@dev.azure.com/contoso",
        "https://{}.visualstudio.com/Payments",
        "http://{}.VISUALSTUDIO.com",
        "https://contoso.visualstudio.com/{}",
        "https://dev.azure.com/contoso/{}",
        "https://DEV.AZURE.COM/Contoso/{}/_workitems",
        "https://dev.azure.com/{}/Payments",
        "https://dev.azure.com/{}@dev.azure.com/contoso",
        "https://dev.azure.com/contoso?token={}",
        "https://dev.azure.com/contoso#{}",
        "https://dev.azure.com:{}/contoso",
        "https://{}@tfs.example.com/tfs/DefaultCollection",
        "http://dev.azure.com/{}",
        "http://{}",
        "{}",
        "https://dev.azure.com/contoso {}",
        "ftp://{}@dev.azure.com/contoso",
    ];
    for token in tokens() {
        let of_url = |value: Value| document("AdoIntegration", "organizationURL", value);
        let mut documents: Vec<Value> = urls.iter().map(|url| of_url(json!(url.replace("{}", &token)))).collect();
        documents.push(of_url(json!(format!("https://{token}@dev.azure.com/{}", "x".repeat(400)))));
        documents.push(of_url(json!([token])));
        documents.push(of_url(json!({"url": token})));
        let url = format!("https://{token}@dev.azure.com/contoso");
        documents.push(document("AdoIntegration", "organizationUrl", json!(url)));
        documents.push(document("AdoIntegration", "auth", json!({"pat": {"token": token}})));
        assert_refused_silently(&control_plane, &documents, &token);
    }
}

/// All of them are refused, and the token stands in none of the refusals.
fn assert_refused_silently(control_plane: &ControlPlane, documents: &[Value], token: &str) {
    let stream: Vec<String> = documents.iter().map(Value::to_string).collect();
    let (_, accepted, refusals) =
        control_plane.kubectl(&["apply", "--dry-run=server", "-f", "-"], &stream.join("\n---\n")).unwrap();
    assert_eq!(accepted, "", "documents were accepted");
    let heads = ["is invalid:", "strict decoding error:"];
    let count: usize = heads.iter().map(|head| refusals.matches(head).count()).sum();
    assert_eq!(count, documents.len(), "{refusals}");
    for line in refusals.lines() {
        assert!(!line.to_lowercase().contains(&token.to_lowercase()), "a token came back: {line}");
    }
}

#[test]
fn a_token_in_a_url_never_comes_back_from_an_edit_either() {
    let control_plane = ControlPlane::shared().unwrap();
    let name = "edited-url";
    let mut good = document("AdoIntegration", "displayName", json!("Edited"));
    good["metadata"]["name"] = name.into();
    let (created, _, refusal) = control_plane.kubectl(&["apply", "-f", "-"], &good.to_string()).unwrap();
    assert!(created, "{refusal}");
    for token in tokens() {
        let mut bad = good.clone();
        bad["spec"]["organizationURL"] = format!("https://pat:{token}@dev.azure.com/contoso").into();
        let patch = json!({"spec": bad["spec"]}).to_string();
        let attempts: [&[&str]; 4] = [
            &["apply", "-f", "-"],
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            &["replace", "-f", "-"],
            &["patch", "adointegration", name, "--type=merge", "--patch", &patch],
        ];
        for arguments in attempts {
            let (accepted, output, refusal) = control_plane.kubectl(arguments, &bad.to_string()).unwrap();
            assert!(!accepted, "{arguments:?}");
            let said = format!("{output}{refusal}");
            assert!(said.contains("must not contain user information") && !said.contains(&token), "{said}");
        }
    }
}

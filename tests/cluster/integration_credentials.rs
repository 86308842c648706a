//! Tokens that cannot be used, in every form in which that shows, and the care that is taken with them: whoever hammers an
//! expired token may lock the account that it belongs to.

use std::time::Duration;

use ado_operator::api::AdoIntegration;
use ado_simulator::control::NewPat;
use ado_simulator::{CredentialRefusal, Effect, Fault};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use serde_json::{Value, json};
use support::wait;
use support::world::{TOKEN, World, message};

use crate::integrations::{
    ACTIVE, GOOD, ask, assert_integration, assert_refused, checks, connected, echoes, pass, refused, slow_verdict,
};

/// What one try of a refused credential costs: connectionData is asked twice before a refusal is believed.
const ONE_TRY: usize = 2;

/// Waits until the status is about the present spec.
async fn observed(world: &World) -> AdoIntegration {
    wait::object(&world.api(), "contoso", "observed", |found: &AdoIntegration| {
        found.status.as_ref().and_then(|status| status.observed_generation) == found.metadata.generation
    })
    .await
}

/// Changes something that has nothing to do with the credential.
async fn edit(world: &World, text: &str) {
    world.patch::<AdoIntegration>("contoso", json!({"spec": {"description": text}})).await;
}

/// An integration with the token of another Secret.
fn with_secret(world: &World, name: &str, secret: &str) -> Value {
    world.integration(name, json!({"auth": {"pat": {"secretRef": {"name": secret}}}}))
}

/// New tokens that are refused for each of the reasons there are. Nobody has been refused them so far.
fn bad_tokens(world: &World, label: &str) -> Vec<String> {
    let of = |organization: &str, kind: &str| {
        let new = NewPat {
            organization: Some(organization.to_owned()),
            label: format!("{label}-{kind}"),
            ..NewPat::default()
        };
        world.ado.create_pats(&new).unwrap().remove(0)
    };
    let (expired, revoked) = (of("contoso", "expired"), of("contoso", "revoked"));
    world.ado.expire_pat(&expired.label).unwrap();
    world.ado.revoke_pat(&revoked.label).unwrap();
    vec![expired.token, revoked.token, of("fabrikam", "elsewhere").token]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_credential_is_an_error_in_whatever_form_it_is_refused() {
    let forms = [
        CredentialRefusal::SignInPage,
        CredentialRefusal::Redirect,
        CredentialRefusal::UnauthorizedJson,
        CredentialRefusal::UnauthorizedEmpty,
    ];
    let world = World::new().await;
    for form in forms {
        world.ado.change_quirks(|quirks| quirks.credential_refusal = form);
        for token in bad_tokens(&world, &format!("{form:?}")) {
            let asked = world.ado.last_request();
            world.put_token(&token).await;
            refused(&world, json!({}), "CredentialRefused", &["token", "Secret"]).await;
            assert_eq!(checks(&world, asked), ONE_TRY, "{form:?}");
            world.put_token(&world.pat("full")).await;
            world.integration_is("contoso", "Active", "Connected").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anonymous_answer_of_an_organization_with_public_projects_is_a_refusal() {
    let world = World::new().await;
    world.ado.set_public("contoso", true).unwrap();
    world.ado.change_quirks(|quirks| quirks.connection_data_anonymous = true);
    world.put_token(&world.pat("expired")).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
}

/// A page of somebody in between is no verdict; see the outages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_page_of_the_service_itself_is_a_refusal_whatever_its_status() {
    let world = World::new().await;
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", Effect::HtmlOk));
    refused(&world, json!({}), "CredentialRefused", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_not_tried_before_its_secret_changes_or_the_hour_is_over() {
    let world = World::new().await;
    world.clock.hold();
    world.put_token(&world.pat("expired")).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
    let asked = world.ado.last_request();
    for _ in 0..5 {
        pass(&world, Duration::from_mins(11)).await;
    }
    edit(&world, "edited").await;
    observed(&world).await;
    pass(&world, Duration::from_mins(5) - Duration::from_secs(1)).await;
    assert!(world.ado.requests_since(asked).is_empty(), "the refused token was left alone for an hour");
    pass(&world, Duration::from_secs(1)).await;
    assert_eq!(world.ado.requests_since(asked).len(), ONE_TRY, "the hourly try");
    let asked = world.ado.last_request();
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
    assert!(!world.ado.requests_since(asked).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_left_alone_by_a_restarted_operator_too() {
    let mut world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    let before = refused(&world, json!({}), "CredentialRefused", &[]).await;
    world.stop().await;
    let asked = world.ado.last_request();
    world.start().await.unwrap();
    edit(&world, "edited").await;
    let after = observed(&world).await;
    assert_refused(&after, "CredentialRefused", &[]);
    assert_eq!(message(&before), message(&after));
    assert!(world.ado.requests_since(asked).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_on_a_refused_token_is_served_once_a_minute() {
    let world = World::new().await;
    world.clock.hold();
    world.put_token(&world.pat("expired")).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
    let asked = world.ado.last_request();
    let handled = async |value: &str| {
        wait::object(&world.api(), "contoso", "handled", |found| echoes(found, value)).await;
    };
    ask(&world, "1").await;
    pass(&world, Duration::from_secs(59)).await;
    assert_eq!(checks(&world, asked), 0, "the minute is not over");
    pass(&world, Duration::from_secs(1)).await;
    handled("1").await;
    assert_eq!(checks(&world, asked), ONE_TRY);
    ask(&world, "2").await;
    ask(&world, "3").await;
    pass(&world, Duration::from_mins(1)).await;
    handled("3").await;
    assert_eq!(checks(&world, asked), 2 * ONE_TRY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_holds_for_every_integration_with_that_credential() {
    let world = World::new().await;
    world.clock.hold();
    let expired = world.pat("expired");
    world.put_token(&expired).await;
    refused(&world, json!({}), "CredentialRefused", &[]).await;
    let asked = world.ado.last_request();
    world.put_secret("copy", "token", &expired).await;
    for (name, secret) in [("again", TOKEN), ("copied", "copy")] {
        world.apply::<AdoIntegration>(with_secret(&world, name, secret)).await;
        let found = world.integration_is(name, "Error", "CredentialRefused").await;
        assert_refused(&found, "CredentialRefused", &["token", "Secret"]);
    }
    assert!(world.ado.requests_since(asked).is_empty(), "the token was refused before");

    // Of another organization nobody knows yet whether it refuses the token.
    let elsewhere = json!({"organizationURL": world.ado.organization_url("fabrikam")});
    world.apply::<AdoIntegration>(world.integration("elsewhere", elsewhere)).await;
    world.integration_is("elsewhere", "Error", "CredentialRefused").await;
    assert_eq!(checks(&world, asked), ONE_TRY);

    world.put_token(&world.pat("full")).await;
    for name in ["contoso", "again"] {
        assert_integration(&world.integration_is(name, "Active", "Connected").await, &ACTIVE, GOOD);
    }
    let copied = world.api::<AdoIntegration>().get("copied").await.unwrap();
    assert_refused(&copied, "CredentialRefused", &[]);
}

/// The condition of a second bad token says the same as that of the first: only so can anybody tell that it was tried.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_which_version_of_the_secret_was_refused() {
    let world = World::new().await;
    connected(&world).await;
    for token in [world.pat("expired"), world.pat("revoked"), "two\nlines".to_owned(), world.pat("other_organization")]
    {
        world.put_token(&token).await;
        let secret: Secret = world.api().get(TOKEN).await.unwrap();
        let judged = |found: &AdoIntegration| {
            let credential = found.status.as_ref().and_then(|status| status.credential.clone()).unwrap_or_default();
            Some(credential.resource_version) == secret.resource_version()
        };
        let found = wait::object(&world.api(), "contoso", "judged by this Secret", judged).await;
        let reason = if token.contains('\n') { "InvalidToken" } else { "CredentialRefused" };
        assert_refused(&found, reason, &["token"]);
    }
    let found = world.api::<AdoIntegration>().get("contoso").await.unwrap();
    assert!(message(&found).contains("once an hour"), "{}", message(&found));
}

/// Two integrations with one token, which was refused; the clock stands still.
async fn two_with_a_refused_token() -> World {
    let world = World::new().await;
    world.clock.hold();
    let gone = Effect::Status { code: 401, retry_after: None };
    world.ado.add_fault(Fault::on_path("*/_apis/connectiondata*", gone));
    refused(&world, json!({}), "CredentialRefused", &[]).await;
    world.apply::<AdoIntegration>(with_secret(&world, "again", TOKEN)).await;
    world.integration_is("again", "Error", "CredentialRefused").await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_hour_is_over_a_token_is_tried_once_and_not_once_by_each_that_has_it() {
    let world = two_with_a_refused_token().await;
    world.ado.clear_faults();
    world.ado.revoke_pat("full").unwrap();
    slow_verdict(&world, Duration::from_secs(1));
    let asked = world.ado.last_request();
    pass(&world, Duration::from_hours(1)).await;
    wait::until("a try", async || (checks(&world, asked) == ONE_TRY).then_some(())).await;
    world.calm::<AdoIntegration>().await;
    pass(&world, Duration::ZERO).await;
    assert_eq!(checks(&world, asked), ONE_TRY);
    for name in ["contoso", "again"] {
        assert_refused(&world.api().get(name).await.unwrap(), "CredentialRefused", &["token"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_accepted_again_is_good_for_all_that_have_it_at_once() {
    let world = two_with_a_refused_token().await;
    world.ado.clear_faults();
    ask(&world, "after it was renewed").await;
    pass(&world, Duration::from_mins(1)).await;
    for name in ["contoso", "again"] {
        assert_integration(&world.integration_is(name, "Active", "Connected").await, &ACTIVE, GOOD);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_401_changes_nothing_wherever_it_comes() {
    let world = World::new().await;
    world.clock.hold();
    let before = connected(&world).await;
    let areas =
        ["connectiondata", "projects", "projects/*/teams", "wit/wiql", "wit/workitemtypecategories", "testplan/plans"];
    for area in areas {
        let once = Effect::Status { code: 401, retry_after: None };
        let fault = world.ado.add_fault(Fault::on_path(&format!("*/_apis/{area}*"), once).times(1));
        pass(&world, Duration::from_mins(11)).await;
        let struck = world.ado.faults().into_iter().find(|armed| armed.id == fault).map(|armed| armed.struck);
        assert_eq!(struck, Some(1), "{area}");
        let after = world.api::<AdoIntegration>().get("contoso").await.unwrap();
        assert_eq!(after.status, before.status, "{area}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_cannot_be_one_is_refused_without_being_sent() {
    let world = World::new().await;
    let asked = world.ado.last_request();
    for value in ["", "  \n", "first\nsecond", "tökén"] {
        world.put_secret(TOKEN, "token", value).await;
        refused(&world, json!({}), "InvalidToken", &[TOKEN, "token"]).await;
    }
    assert!(world.ado.requests_since(asked).is_empty());
    world.put_token(&world.pat("full")).await;
    world.integration_is("contoso", "Active", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_between_two_validations_is_refused_at_the_next() {
    let world = World::new().await;
    world.clock.hold();
    connected(&world).await;
    world.ado.revoke_pat("full").unwrap();
    let asked = world.ado.last_request();
    pass(&world, Duration::from_mins(9) - Duration::from_secs(1)).await;
    assert_eq!(checks(&world, asked), 0, "nobody asked before the interval was over");
    pass(&world, Duration::from_mins(1) + Duration::from_secs(1)).await;
    let found = world.integration_is("contoso", "Error", "CredentialRefused").await;
    assert_refused(&found, "CredentialRefused", &["token", "Secret"]);
    assert_eq!(checks(&world, asked), ONE_TRY);
    world.put_token(&world.pat("operator")).await;
    assert_integration(&world.integration_is("contoso", "Active", "Connected").await, &ACTIVE, GOOD);
}

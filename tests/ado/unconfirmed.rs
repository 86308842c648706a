//! Where `ado-api.md` leaves the service's answer open (**U**), each is accepted.

use ado_operator::ado::model::{Patch, PermissionQuery, Validation};
use ado_operator::ado::{AdoError, FeedStart, OrganizationUrl, PageEnd, RevisionsQuery, SignIn, Wiql};
use ado_simulator::{
    CredentialRefusal, MissingScopeStatus, ProbeOrder, RecycleBinForm, ReportingDeleted, ReportingRefusal,
    UnknownOrganization,
};

use crate::feeds::read_page;
use crate::support::{World, limits, project};

#[tokio::test]
async fn a_bad_token_is_refused_in_whatever_form() {
    let world = World::new().await;
    for form in [
        CredentialRefusal::SignInPage,
        CredentialRefusal::Redirect,
        CredentialRefusal::UnauthorizedJson,
        CredentialRefusal::UnauthorizedEmpty,
    ] {
        world.simulator.change_quirks(|quirks| quirks.credential_refusal = form);
        for label in ["expired", "revoked", "other_organization"] {
            let before = world.simulator.last_request();
            let error = world.client(label).connection_data().await.expect_err("refused");
            assert_eq!(error.reason(), "CredentialRefused", "{form:?} {label}");
            assert_eq!(world.simulator.requests_since(before).len(), 2, "asked twice, not more");
        }
    }
}

#[tokio::test]
async fn one_refusal_alone_is_not_believed() {
    let world = World::new().await;
    let once = ado_simulator::Fault::on_path("*/connectionData", ado_simulator::Effect::SignInPage).times(1);
    world.simulator.add_fault(once);
    world.client("full").connection_data().await.expect("good the second time");
}

#[tokio::test]
async fn connection_data_as_anonymous_is_a_refusal() {
    let world = World::new().await;
    world.simulator.set_public("contoso", true).expect("known");
    for anonymous in [false, true] {
        world.simulator.change_quirks(|quirks| quirks.connection_data_anonymous = anonymous);
        let error = world.client("expired").connection_data().await.expect_err("refused");
        let AdoError::CredentialRefused(form) = error else { panic!("{error}") };
        assert_eq!(form == SignIn::Anonymous, anonymous);
    }
}

#[tokio::test]
async fn connection_data_may_need_a_scope() {
    let world = World::new().await;
    for needed in [false, true] {
        world.simulator.change_quirks(|quirks| quirks.connection_data_needs_scope = needed);
        world.client("operator").connection_data().await.expect("has vso.project");
    }
}

#[tokio::test]
async fn an_unknown_organization_is_absent_or_refuses() {
    let world = World::new().await;
    for (answer, reason) in
        [(UnknownOrganization::NotFound, "OrganizationNotFound"), (UnknownOrganization::Refused, "CredentialRefused")]
    {
        world.simulator.change_quirks(|quirks| quirks.unknown_organization = answer);
        let nowhere = OrganizationUrl::parse(&world.simulator.organization_url("nowhere")).expect("a URL");
        let error =
            world.client_of(world.config(), nowhere, "full", limits()).connection_data().await.expect_err("unknown");
        assert_eq!(error.reason(), reason);
    }
}

#[tokio::test]
async fn a_missing_scope_is_401_or_403() {
    let world = World::new().await;
    let payments = project(&world.client("full"), "Payments").await;
    for (status, reason) in [
        (MissingScopeStatus::Unauthorized, "Unauthorized"),
        (MissingScopeStatus::UnauthorizedList, "Unauthorized"),
        (MissingScopeStatus::Forbidden, "Forbidden"),
    ] {
        world.simulator.change_quirks(|quirks| quirks.missing_scope = status);
        let error = world.client("no_work").query_ids(&payments, &Wiql::new(), 1).await.expect_err("no scope");
        assert_eq!(error.reason(), reason);
    }
}

#[tokio::test]
async fn permission_reads_may_need_full_access() {
    let world = World::new().await;
    let client = world.client("operator");
    let payments = project(&client, "Payments").await;
    let query = PermissionQuery {
        namespace: "cb594ebe-87dd-4fc9-ac2c-6a10a4c92046".parse().expect("a GUID"),
        token: format!("PublisherSecurity/{payments}"),
        permissions: 2,
    };
    for needed in [false, true] {
        world.simulator.change_quirks(|quirks| quirks.security_reads_need_scope = needed);
        let evaluated = client.evaluate_permissions(std::slice::from_ref(&query)).await;
        let listed = client.security_namespaces().await;
        assert_eq!((evaluated.is_err(), listed.is_err()), (needed, needed), "{evaluated:?}");
        if let Err(error) = evaluated {
            assert!(matches!(error.reason(), "Unauthorized" | "Forbidden"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_validated_proposal_may_be_checked_against_permissions_scopes_or_rules_first() {
    let world = World::new().await;
    let payments = project(&world.client("full"), "Payments").await;
    let good = Patch::new().field("System.Title", "A defect");
    for checked in [true, false] {
        world.simulator.change_quirks(|quirks| quirks.validate_only_checks_permission = checked);
        let result = world.client("reader").validate_create(&payments, "Bug", &good).await;
        match (checked, result) {
            (true, Err(error)) => assert!(matches!(error.reason(), "Forbidden" | "NotFound"), "{error}"),
            (false, Ok(Validation::Accepted)) => {}
            (_, other) => panic!("{checked}: {other:?}"),
        }
    }
    let untitled = Patch::new().field("System.Description", "no title");
    for (order, violated) in [(ProbeOrder::ScopeFirst, false), (ProbeOrder::BodyFirst, true)] {
        world.simulator.change_quirks(|quirks| quirks.probe_order = order);
        match world.client("read_only").validate_create(&payments, "Bug", &untitled).await {
            Ok(Validation::RulesViolated(message)) => assert!(violated, "{message}"),
            Err(error) => assert!(!violated && error.reason() == "Unauthorized", "{error}"),
            Ok(Validation::Accepted) => panic!("a title is required"),
        }
    }
}

#[tokio::test]
async fn the_points_query_may_need_the_write_scope() {
    let world = World::new().await;
    let payments = project(&world.client("full"), "Payments").await;
    let reads = world.simulator.create_pat("test reader", &["vso.project", "vso.test"]).expect("a token");
    for enforced in [true, false] {
        world.simulator.change_quirks(|quirks| quirks.test_points_enforces_write_scope = enforced);
        let result = world.client(&reads.label).test_points_probe(&payments).await;
        assert_eq!(result.is_err(), enforced, "{result:?}");
    }
}

#[tokio::test]
async fn lists_are_complete_whatever_the_services_page_is() {
    let world = World::new().await;
    let client = world.client("full");
    let (projects, payments) = (client.projects().await.expect("a list"), project(&client, "Payments").await);
    let teams = client.teams(&payments).await.expect("a list");
    for page in [2, 100, 1000] {
        world.simulator.change_quirks(|quirks| {
            quirks.projects_default_page = page;
            quirks.teams_default_page = page;
        });
        assert_eq!(client.projects().await.expect("a list"), projects);
        assert_eq!(client.teams(&payments).await.expect("a list"), teams);
    }
}

#[tokio::test]
async fn a_query_over_the_limit_is_refused_or_cut() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let total = client.query_ids(&payments, &Wiql::new(), 19_999).await.expect("all").ids.len();
    assert!(total > 5);
    world.simulator.change_quirks(|quirks| {
        quirks.wiql_result_limit = 5;
        quirks.wiql_top_avoids_size_limit = false;
    });
    let error = client.query_ids(&payments, &Wiql::new(), 4).await.expect_err("over the limit");
    assert_eq!(error.service_message().and_then(|message| message.code.as_deref()), Some("VS402337"));
    world.simulator.change_quirks(|quirks| quirks.wiql_top_avoids_size_limit = true);
    assert_eq!(client.query_ids(&payments, &Wiql::new(), 4).await.expect("a page").ids.len(), 4);
}

#[tokio::test]
async fn the_recycle_bin_is_listed_in_whatever_form() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let ids = client.query_ids(&payments, &Wiql::new(), 3).await.expect("ids").ids;
    assert!(client.recycle_bin(&payments).await.expect("a list").is_empty());
    for id in &ids {
        world.simulator.delete_work_item(id.0).expect("deleted");
    }
    for (form, is_detailed) in
        [(RecycleBinForm::Detailed, true), (RecycleBinForm::Shallow, false), (RecycleBinForm::BareArray, false)]
    {
        world.simulator.change_quirks(|quirks| quirks.recycle_bin_form = form);
        let deleted = client.recycle_bin(&payments).await.expect("a list");
        assert_eq!(deleted.iter().map(|item| item.id).collect::<Vec<_>>(), ids, "{form:?}");
        for item in deleted {
            let all = item.type_name.is_some() && item.name.is_some() && item.deleted_date.is_some();
            assert_eq!(all, is_detailed, "{form:?}");
        }
    }
    world.simulator.change_quirks(|quirks| quirks.recycle_bin_limit = 2);
    assert!(client.recycle_bin(&payments).await.expect_err("too many").exceeds_result_limit());
    world.assert_clean();
}

#[tokio::test]
async fn deleted_items_are_told_of_in_the_feed_or_not_and_the_feed_may_be_refused() {
    let world = World::new().await;
    let client = world.client("full");
    let payments = project(&client, "Payments").await;
    let id = client.query_ids(&payments, &Wiql::new(), 1).await.expect("ids").ids[0];
    world.simulator.delete_work_item(id.0).expect("deleted");
    let fields = ["System.Title", "System.IsDeleted"];
    let query = RevisionsQuery { fields: &fields, long_texts: false, latest_only: true, deleted: true };
    for (form, expected) in [
        (ReportingDeleted::Flagged, Some(true)),
        (ReportingDeleted::Unflagged, Some(false)),
        (ReportingDeleted::Absent, None),
    ] {
        world.simulator.change_quirks(|quirks| quirks.reporting_deleted = form);
        let mut page = client.revisions(&payments, &query, &FeedStart::Beginning).await.expect("a page");
        let (found, _, end) = read_page(&mut page).await;
        assert!(matches!(end, Ok(PageEnd::Last(Some(_)))), "{end:?}");
        let told = found.iter().find(|revision| revision.id == id);
        let flagged = told.map(|revision| revision.fields.get().contains("\"System.IsDeleted\":true"));
        assert_eq!(flagged, expected, "{form:?}");
    }
    for (refusal, reason) in [(ReportingRefusal::NotFound, "NotFound"), (ReportingRefusal::Forbidden, "Forbidden")] {
        world.simulator.change_quirks(|quirks| quirks.reporting_refusal = Some(refusal));
        let revisions = client.revisions(&payments, &query, &FeedStart::Beginning).await.expect_err("refused");
        let links = client.link_changes(&payments, &[], &FeedStart::Beginning).await.expect_err("refused");
        assert_eq!((revisions.reason(), links.reason()), (reason, reason));
    }
}

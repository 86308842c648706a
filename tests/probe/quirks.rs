//! Every open question of `ado-api.md` that a probe touches, answered each way.

use ado_operator::ado::AdoError;
use ado_operator::api::Availability;
use ado_operator::domain::features::Permission;
use ado_operator::sync::probe::probe;
use ado_simulator::state::Right;
use ado_simulator::{CredentialRefusal, MissingScopeStatus, ProbeOrder, UnknownOrganization};

use crate::bench::{Bench, letters, permission_letters};

#[tokio::test]
async fn a_refused_credential_is_recognised_in_each_form() {
    let bench = Bench::start().await;
    for form in [
        CredentialRefusal::SignInPage,
        CredentialRefusal::Redirect,
        CredentialRefusal::UnauthorizedJson,
        CredentialRefusal::UnauthorizedEmpty,
    ] {
        bench.simulator.change_quirks(|quirks| quirks.credential_refusal = form);
        for label in ["expired", "revoked", "other_organization"] {
            let error = bench.try_probe(label, &bench.on("Payments")).await.expect_err("refused");
            assert!(matches!(error, AdoError::CredentialRefused(_)), "{form:?} {label}: {error}");
        }
        assert_eq!(letters(&bench.probe("full").await), "TTTTTTT", "{form:?}");
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn an_organization_that_does_not_exist_is_not_found_or_refused() {
    let bench = Bench::start().await;
    let client = bench.client_of("nowhere", "full");
    let error = probe(&client, &bench.on("Payments")).await.expect_err("no organization");
    assert!(matches!(error, AdoError::OrganizationNotFound), "{error}");
    bench.simulator.change_quirks(|quirks| quirks.unknown_organization = UnknownOrganization::Refused);
    let error = probe(&client, &bench.on("Payments")).await.expect_err("no organization");
    assert!(matches!(error, AdoError::CredentialRefused(_)), "{error}");
}

#[tokio::test]
async fn connection_data_may_need_a_scope_that_a_narrow_token_lacks() {
    let bench = Bench::start().await;
    bench.simulator.create_pat("only_analytics", &["vso.analytics"]).expect("a token");
    let report = bench.probe("only_analytics").await;
    assert_eq!(&letters(&report)[..6], "FFFFFF", "{:#?}", report.findings);
    bench.simulator.change_quirks(|quirks| quirks.connection_data_needs_scope = true);
    let error = bench.try_probe("only_analytics", &bench.on("Payments")).await.expect_err("refused");
    assert!(matches!(error, AdoError::CredentialRefused(_)), "{error}");
    assert_eq!(letters(&bench.probe("operator").await), "TTTTTTT");
}

#[tokio::test]
async fn a_missing_scope_is_false_where_it_is_a_401_and_unknown_where_it_cannot_be_told_from_a_permission() {
    let bench = Bench::start().await;
    for (status, no_test, no_work) in [
        (MissingScopeStatus::Unauthorized, "TTTFFTT", "FFFFFFF"),
        (MissingScopeStatus::UnauthorizedList, "TTTFFTT", "FFFFFFF"),
        (MissingScopeStatus::Forbidden, "TTTUUTT", "UUUUUUU"),
    ] {
        bench.simulator.change_quirks(|quirks| quirks.missing_scope = status);
        assert_eq!(letters(&bench.probe("no_test").await), no_test, "{status:?}");
        assert_eq!(letters(&bench.probe("no_work").await), no_work, "{status:?}");
        assert_eq!(letters(&bench.probe("full").await), "TTTTTTT", "{status:?}");
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn refused_permission_evaluation_leaves_webhook_setup_unknown_and_the_rest_as_it_is() {
    let bench = Bench::start().await;
    assert_eq!(letters(&bench.probe("operator").await), "TTTTTTT");
    for status in [MissingScopeStatus::Unauthorized, MissingScopeStatus::Forbidden] {
        bench.simulator.change_quirks(|quirks| {
            quirks.security_reads_need_scope = true;
            quirks.missing_scope = status;
        });
        assert_eq!(letters(&bench.probe("operator").await), "TTTTTTU", "{status:?}");
        assert_eq!(letters(&bench.probe("full").await), "TTTTTTT", "{status:?}");
    }
    bench.assert_untouched();
}

#[tokio::test]
async fn validation_may_check_the_permission_or_leave_that_to_the_save() {
    let bench = Bench::start().await;
    let create_defect = |report: &ado_operator::sync::probe::ProbeReport| report.features[2].available;
    assert_eq!(create_defect(&bench.probe("reader").await), Availability::Unknown);
    bench.simulator.change_quirks(|quirks| quirks.validate_only_checks_permission = false);
    assert_eq!(create_defect(&bench.probe("reader").await), Availability::True, "the scope is what is judged here");
    assert_eq!(create_defect(&bench.probe("read_only").await), Availability::False);
    bench.assert_untouched();
}

/// Bugs of Platform need a field that no probe can fill.
#[tokio::test]
async fn a_rule_that_refuses_the_new_defect_proves_nothing_and_the_link_of_an_item_is_validated() {
    let bench = Bench::start().await;
    for order in [ProbeOrder::ScopeFirst, ProbeOrder::BodyFirst] {
        bench.simulator.change_quirks(|quirks| quirks.probe_order = order);
        let before = bench.simulator.last_request();
        let full = bench.probe_with("full", &bench.on("Platform")).await;
        assert_eq!(full.findings.answer(Permission::ReadWriteWorkItems), Availability::True, "{order:?}");
        let methods: Vec<String> = bench.simulator.requests_since(before).into_iter().map(|it| it.method).collect();
        assert!(methods.contains(&"PATCH".to_owned()), "{order:?}: the link was asked about");
        let narrow = bench.probe_with("read_only", &bench.on("Platform")).await;
        assert_eq!(narrow.findings.answer(Permission::ReadWriteWorkItems), Availability::False, "{order:?}");
        assert_eq!(permission_letters(&bench.probe("read_only").await), "TTFFFUFF", "{order:?}");
    }
    bench.assert_untouched();
}

/// Without an item nothing but the evaluation of the owner's rights is left.
#[tokio::test]
async fn where_rules_refuse_everything_a_write_is_available_only_if_evaluation_agrees() {
    let mut bench = Bench::with_items(0).await;
    let request = bench.on("Platform");
    let write = async |bench: &Bench, label: &str| {
        bench.probe_with(label, &request).await.findings.answer(Permission::ReadWriteWorkItems)
    };
    for order in [ProbeOrder::ScopeFirst, ProbeOrder::BodyFirst] {
        bench.simulator.change_quirks(|quirks| quirks.probe_order = order);
        assert_eq!(write(&bench, "operator").await, Availability::True, "{order:?}");
        bench.simulator.change_quirks(|quirks| quirks.security_reads_need_scope = true);
        assert_eq!(write(&bench, "operator").await, Availability::Unknown, "{order:?}: evaluation refused");
        bench.simulator.change_quirks(|quirks| quirks.security_reads_need_scope = false);
    }
    bench.simulator.change_quirks(|quirks| quirks.validate_only_checks_permission = false);
    bench.simulator.deny("contributor", &[Right::WriteWorkItems], Some("Platform")).expect("denied");
    bench.mark();
    assert_eq!(write(&bench, "contributor").await, Availability::Unknown, "evaluation disagrees");
    bench.assert_untouched();
}

/// Where the write scope is not enforced on that read, nothing short of a write can tell: the first push will.
#[tokio::test]
async fn the_write_scope_of_tests_shows_only_where_the_service_enforces_it() {
    let mut bench = Bench::start().await;
    bench.simulator.create_pat("test_read", &["vso.project", "vso.work", "vso.test"]).expect("a token");
    bench.mark();
    assert_eq!(letters(&bench.probe("test_read").await), "TTFFFTT");
    bench.simulator.change_quirks(|quirks| quirks.test_points_enforces_write_scope = false);
    assert_eq!(letters(&bench.probe("test_read").await), "TTFTTTT");
    assert_eq!(letters(&bench.probe("no_test").await), "TTTFFTT");
    bench.assert_untouched();
}

//! Verdicts on features for one project, from what its sync proved, what its integration found, and what was asked of the
//! project itself.

use super::features::{FeatureVerdict, Finding, Findings, Permission, judge, needs};
use crate::api::{Feature, FeatureStatus};

/// A sync that succeeded proves these.
const PROVEN: [Permission; 2] = [Permission::ReadProjectAndTeam, Permission::ReadWorkItems];

/// These are the same in every project.
const SHARED: [Permission; 2] = [Permission::ReadAnalytics, Permission::BasicAccess];

/// The permissions that the features need and that only questions of their own can show in a project, in their fixed order.
/// The features that are wanted by default have none.
pub fn to_probe(wanted: &[Feature]) -> Vec<Permission> {
    let is_needed =
        |permission: &Permission| wanted.iter().any(|&feature| needs(feature).required.contains(permission));
    Permission::ALL.into_iter().filter(|permission| !PROVEN.contains(permission) && is_needed(permission)).collect()
}

/// The entries of `status.features` of a config whose project was read a moment ago, in their fixed order.
///
/// `of_integration` is what the integration shows; of that only what holds in every project is taken over.
pub fn judge_project(wanted: &[Feature], of_integration: &[FeatureStatus], probed: &Findings) -> Vec<FeatureStatus> {
    let mut findings = probed.clone();
    for permission in PROVEN {
        findings.set(permission, Finding::yes("the project was read"));
    }
    let lacks = |permission: Permission| {
        of_integration.iter().any(|feature| feature.missing.iter().any(|missing| missing == permission.as_str()))
    };
    for permission in SHARED.into_iter().filter(|&permission| lacks(permission)) {
        findings.set(permission, Finding::no("the integration lacks it"));
    }
    let verdicts = judge(&findings);
    verdicts.iter().filter(|verdict| wanted.contains(&verdict.feature)).map(FeatureVerdict::status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Availability::{False, True, Unknown};

    const DEFAULTS: [Feature; 2] = [Feature::ManualSync, Feature::HandleWebhookEvents];

    fn of_integration(missing: &[Permission]) -> Vec<FeatureStatus> {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        DEFAULTS.map(|name| FeatureStatus { name, available: False, missing: missing.clone() }).into()
    }

    fn named(found: &[FeatureStatus], name: Feature) -> &FeatureStatus {
        found.iter().find(|feature| feature.name == name).expect("an entry")
    }

    #[test]
    fn reading_alone_needs_no_question() {
        assert_eq!(to_probe(&DEFAULTS), []);
        assert_eq!(to_probe(&[Feature::LinkDefect]), []);
    }

    #[test]
    fn each_feature_that_writes_needs_one_and_all_of_them_three() {
        use Permission as P;
        let one = |feature| to_probe(&[Feature::ManualSync, feature]);
        assert_eq!(one(Feature::CreateDefect), [P::ReadWriteWorkItems]);
        assert_eq!(one(Feature::PushTestResult), [P::ReadWriteTestManagement]);
        assert_eq!(one(Feature::LinkTestCase), [P::ReadWriteTestManagement]);
        assert_eq!(one(Feature::WebhookSetup), [P::EditSubscriptions]);
        let all = [P::ReadWriteWorkItems, P::ReadWriteTestManagement, P::EditSubscriptions];
        assert_eq!(to_probe(&Feature::ALL), all);
    }

    #[test]
    fn only_wanted_features_are_listed_and_in_their_fixed_order() {
        let wanted = [Feature::WebhookSetup, Feature::LinkDefect, Feature::ManualSync];
        let found = judge_project(&wanted, &[], &Findings::default());
        let names: Vec<Feature> = found.iter().map(|feature| feature.name).collect();
        assert_eq!(names, [Feature::ManualSync, Feature::LinkDefect, Feature::WebhookSetup]);
    }

    #[test]
    fn a_project_that_was_read_can_be_read_whatever_the_integration_shows_of_another() {
        let elsewhere = of_integration(&[Permission::ReadWorkItems, Permission::ReadProjectAndTeam]);
        for feature in judge_project(&DEFAULTS, &elsewhere, &Findings::default()) {
            assert_eq!((feature.available, feature.missing), (True, Vec::new()), "{}", feature.name);
        }
    }

    #[test]
    fn what_holds_in_every_project_is_taken_over_and_decides_nothing() {
        let found = judge_project(&Feature::ALL, &of_integration(&SHARED), &Findings::default());
        for name in DEFAULTS {
            let feature = named(&found, name);
            assert_eq!(feature.available, True);
            assert_eq!(feature.missing, ["Analytics: Read", "Access level: Basic or higher"]);
        }
        assert!(named(&found, Feature::LinkDefect).missing.is_empty());
    }

    #[test]
    fn what_was_asked_of_the_project_decides_and_what_was_not_is_unknown() {
        let mut probed = Findings::default();
        probed.set(Permission::ReadWriteWorkItems, Finding::no("403"));
        probed.set(Permission::ReadWriteTestManagement, Finding::yes("200"));
        let found = judge_project(&Feature::ALL, &[], &probed);
        let defects = named(&found, Feature::CreateDefect);
        assert_eq!((defects.available, &*defects.missing), (False, &["Work Items: Read & write".to_owned()][..]));
        assert_eq!(named(&found, Feature::PushTestResult).available, True);
        let hooks = named(&found, Feature::WebhookSetup);
        assert_eq!((hooks.available, hooks.missing.len()), (Unknown, 0));
    }
}

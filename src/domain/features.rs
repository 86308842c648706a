//! What a credential may do, and which features follow from it.
//!
//! Probes give a [`Finding`] for each [`Permission`]; [`judge`] turns them into a verdict on every feature. The table of
//! needs is the one that the documentation prints.

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{Availability, Feature, FeatureStatus};

/// Something that a token or its owner must have, in the words of Azure DevOps' token page where that has words.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Permission {
    /// Scope `vso.project`.
    ReadProjectAndTeam,
    /// Scope `vso.work`.
    ReadWorkItems,
    /// Scope `vso.work_write`.
    ReadWriteWorkItems,
    /// Scope `vso.test_write`.
    ReadWriteTestManagement,
    /// Scope `vso.analytics`.
    ReadAnalytics,
    /// The owner's access level is Basic or a higher one, not Stakeholder.
    BasicAccess,
    /// The owner may create and change service hook subscriptions, as Project Collection Administrators may.
    EditSubscriptions,
    /// Scope `vso.code`.
    ReadCode,
}

impl Permission {
    /// Every permission, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::ReadProjectAndTeam,
        Self::ReadWorkItems,
        Self::ReadWriteWorkItems,
        Self::ReadWriteTestManagement,
        Self::ReadAnalytics,
        Self::BasicAccess,
        Self::EditSubscriptions,
        Self::ReadCode,
    ];

    /// The name that people see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadProjectAndTeam => "Project and Team: Read",
            Self::ReadWorkItems => "Work Items: Read",
            Self::ReadWriteWorkItems => "Work Items: Read & write",
            Self::ReadWriteTestManagement => "Test Management: Read & write",
            Self::ReadAnalytics => "Analytics: Read",
            Self::BasicAccess => "Access level: Basic or higher",
            Self::EditSubscriptions => "Service hooks: Edit subscriptions",
            Self::ReadCode => "Code: Read",
        }
    }

    /// What to do where it is missing, as one sentence without a full stop.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::ReadProjectAndTeam => {
                "give the token the scope Project and Team: Read, and its owner access to the project"
            }
            Self::ReadWorkItems => "give the token the scope Work Items: Read",
            Self::ReadWriteWorkItems => "give the token the scope Work Items: Read & write",
            Self::ReadWriteTestManagement => "give the token the scope Test Management: Read & write",
            Self::ReadAnalytics => "give the token the scope Analytics: Read",
            Self::BasicAccess => "give the token's owner the access level Basic in Organization settings > Users",
            Self::EditSubscriptions => {
                "make the token's owner a Project Collection Administrator, or grant Edit subscriptions, \
                 and give the token the scope Work Items: Read"
            }
            Self::ReadCode => "give the token the scope Code: Read",
        }
    }

    /// The features whose documentation names it.
    pub fn needed_by(self) -> Vec<Feature> {
        Feature::ALL.into_iter().filter(|&feature| needs(feature).names(self)).collect()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a probe found about one permission.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Finding {
    /// Whether it is there.
    pub answer: Availability,
    /// How that was seen. Never holds anything of the token.
    pub why: String,
}

impl Finding {
    /// It is there.
    pub fn yes(why: impl Into<String>) -> Self {
        Self { answer: Availability::True, why: why.into() }
    }

    /// It is missing.
    pub fn no(why: impl Into<String>) -> Self {
        Self { answer: Availability::False, why: why.into() }
    }

    /// No verdict could be had.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { answer: Availability::Unknown, why: why.into() }
    }

    /// Both: a refusal decides, then a doubt. Of equal answers the first one's reason stays.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if rank(other.answer) < rank(self.answer) { other } else { self }
    }
}

/// From refused over unknown to available.
const fn rank(answer: Availability) -> u8 {
    match answer {
        Availability::False => 0,
        Availability::Unknown => 1,
        Availability::True => 2,
    }
}

/// What the probes found, by permission. What was not probed is Unknown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings(BTreeMap<Permission, Finding>);

impl Findings {
    /// Records a finding, in place of an earlier one.
    pub fn set(&mut self, permission: Permission, finding: Finding) {
        self.0.insert(permission, finding);
    }

    /// What was found, if it was probed.
    pub fn get(&self, permission: Permission) -> Option<&Finding> {
        self.0.get(&permission)
    }

    /// Whether the permission is there.
    pub fn answer(&self, permission: Permission) -> Availability {
        self.get(permission).map_or(Availability::Unknown, |finding| finding.answer)
    }

    /// All findings, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (Permission, &Finding)> {
        self.0.iter().map(|(permission, finding)| (*permission, finding))
    }

    fn first(&self, of: &[Permission], answer: Availability) -> Option<Permission> {
        of.iter().copied().find(|&permission| self.answer(permission) == answer)
    }
}

/// What a feature needs.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Without these the feature cannot work.
    pub required: &'static [Permission],
    /// Documented as required although our calls do not use them: their absence is shown and decides nothing.
    pub documented: &'static [Permission],
}

impl Needs {
    fn names(&self, permission: Permission) -> bool {
        self.required.contains(&permission) || self.documented.contains(&permission)
    }
}

/// What a feature needs.
pub const fn needs(feature: Feature) -> Needs {
    use Permission as P;
    let (required, documented): (&[Permission], &[Permission]) = match feature {
        Feature::ManualSync | Feature::HandleWebhookEvents => {
            (&[P::ReadProjectAndTeam, P::ReadWorkItems], &[P::ReadAnalytics, P::BasicAccess])
        }
        Feature::LinkDefect => (&[P::ReadProjectAndTeam, P::ReadWorkItems], &[]),
        Feature::CreateDefect => (&[P::ReadProjectAndTeam, P::ReadWriteWorkItems], &[]),
        Feature::PushTestResult | Feature::LinkTestCase => (&[P::ReadProjectAndTeam, P::ReadWriteTestManagement], &[]),
        Feature::WebhookSetup => (&[P::EditSubscriptions], &[]),
    };
    Needs { required, documented }
}

/// The verdict on one feature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeatureVerdict {
    /// The feature.
    pub feature: Feature,
    /// Whether it can be used.
    pub available: Availability,
    /// Permissions that were found missing, the merely documented ones too.
    pub missing: Vec<Permission>,
    /// What decided, if the feature is not available.
    pub why: String,
}

impl FeatureVerdict {
    /// The entry of `status.features`.
    pub fn status(&self) -> FeatureStatus {
        FeatureStatus {
            name: self.feature,
            available: self.available,
            missing: self.missing.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The verdicts on all seven features, in their fixed order.
///
/// One required permission that is missing makes a feature False; if none is, one without a verdict makes it Unknown.
pub fn judge(findings: &Findings) -> Vec<FeatureVerdict> {
    Feature::ALL.into_iter().map(|feature| judge_one(findings, feature)).collect()
}

fn judge_one(findings: &Findings, feature: Feature) -> FeatureVerdict {
    let Needs { required, documented } = needs(feature);
    let decisive =
        findings.first(required, Availability::False).or_else(|| findings.first(required, Availability::Unknown));
    let all = required.iter().chain(documented).copied();
    FeatureVerdict {
        feature,
        available: decisive.map_or(Availability::True, |permission| findings.answer(permission)),
        missing: all.filter(|&permission| findings.answer(permission) == Availability::False).collect(),
        why: decisive.and_then(|permission| findings.get(permission)).map_or_else(String::new, |f| f.why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: [Availability; 3] = [Availability::True, Availability::False, Availability::Unknown];

    fn all_but(answer: Availability, odd: &[(Permission, Availability)]) -> Findings {
        let mut findings = Findings::default();
        for permission in Permission::ALL {
            findings.set(permission, Finding { answer, why: String::new() });
        }
        for &(permission, answer) in odd {
            findings.set(permission, Finding { answer, why: format!("{permission} is odd") });
        }
        findings
    }

    fn verdict(findings: &Findings, feature: Feature) -> FeatureVerdict {
        judge(findings).into_iter().find(|verdict| verdict.feature == feature).expect("every feature is judged")
    }

    #[test]
    fn all_seven_features_are_judged_in_their_order() {
        let order: Vec<Feature> = judge(&Findings::default()).iter().map(|verdict| verdict.feature).collect();
        assert_eq!(order, Feature::ALL);
    }

    #[test]
    fn with_everything_found_every_feature_is_available() {
        for verdict in judge(&all_but(Availability::True, &[])) {
            assert_eq!(verdict.available, Availability::True, "{}", verdict.feature);
            assert!(verdict.missing.is_empty() && verdict.why.is_empty(), "{}", verdict.feature);
        }
    }

    #[test]
    fn without_any_finding_every_feature_is_unknown_and_nothing_is_called_missing() {
        for verdict in judge(&Findings::default()) {
            assert_eq!(verdict.available, Availability::Unknown, "{}", verdict.feature);
            assert!(verdict.missing.is_empty(), "{}", verdict.feature);
        }
    }

    /// The table of the documentation, written down a second time: which features each missing permission takes away.
    #[test]
    fn each_missing_permission_takes_away_exactly_the_features_that_need_it() {
        use Feature as F;
        let table: [(Permission, &[Feature]); 8] = [
            (
                Permission::ReadProjectAndTeam,
                &[
                    F::ManualSync,
                    F::LinkDefect,
                    F::CreateDefect,
                    F::PushTestResult,
                    F::LinkTestCase,
                    F::HandleWebhookEvents,
                ],
            ),
            (Permission::ReadWorkItems, &[F::ManualSync, F::LinkDefect, F::HandleWebhookEvents]),
            (Permission::ReadWriteWorkItems, &[F::CreateDefect]),
            (Permission::ReadWriteTestManagement, &[F::PushTestResult, F::LinkTestCase]),
            (Permission::ReadAnalytics, &[]),
            (Permission::BasicAccess, &[]),
            (Permission::EditSubscriptions, &[F::WebhookSetup]),
            (Permission::ReadCode, &[]),
        ];
        for (permission, lost) in table {
            for answer in [Availability::False, Availability::Unknown] {
                let verdicts = judge(&all_but(Availability::True, &[(permission, answer)]));
                let not_true: Vec<(Feature, Availability)> = verdicts
                    .iter()
                    .filter(|verdict| verdict.available != Availability::True)
                    .map(|verdict| (verdict.feature, verdict.available))
                    .collect();
                let expected: Vec<(Feature, Availability)> = lost.iter().map(|&feature| (feature, answer)).collect();
                assert_eq!(not_true, expected, "{permission} {answer:?}");
            }
        }
    }

    #[test]
    fn starred_permissions_are_listed_and_decide_nothing() {
        let odd = [(Permission::ReadAnalytics, Availability::False), (Permission::BasicAccess, Availability::False)];
        let findings = all_but(Availability::True, &odd);
        for feature in [Feature::ManualSync, Feature::HandleWebhookEvents] {
            let verdict = verdict(&findings, feature);
            assert_eq!(verdict.available, Availability::True);
            assert_eq!(verdict.missing, [Permission::ReadAnalytics, Permission::BasicAccess]);
            assert_eq!(verdict.why, "");
        }
        assert!(verdict(&findings, Feature::LinkDefect).missing.is_empty());
    }

    #[test]
    fn a_refusal_decides_over_a_doubt_and_says_why() {
        let odd =
            [(Permission::ReadProjectAndTeam, Availability::Unknown), (Permission::ReadWorkItems, Availability::False)];
        let verdict = verdict(&all_but(Availability::True, &odd), Feature::ManualSync);
        assert_eq!(verdict.available, Availability::False);
        assert_eq!(verdict.missing, [Permission::ReadWorkItems]);
        assert_eq!(verdict.why, "Work Items: Read is odd");
    }

    #[test]
    fn unknown_never_becomes_false_whatever_else_was_found() {
        for (first, second) in ANSWERS.iter().flat_map(|a| ANSWERS.iter().map(move |b| (*a, *b))) {
            let mut findings = Findings::default();
            findings.set(Permission::ReadProjectAndTeam, Finding { answer: first, why: String::new() });
            findings.set(Permission::ReadWorkItems, Finding { answer: second, why: String::new() });
            let verdict = verdict(&findings, Feature::ManualSync);
            let refused = first == Availability::False || second == Availability::False;
            assert_eq!(verdict.available == Availability::False, refused);
            assert_eq!(verdict.missing.is_empty(), !refused);
        }
    }

    #[test]
    fn joined_findings_keep_the_reason_of_the_one_that_decides() {
        let yes = Finding::yes("yes");
        let no = Finding::no("no");
        let unknown = Finding::unknown("unknown");
        assert_eq!(yes.clone().and(unknown.clone()).and(no.clone()), no);
        assert_eq!(yes.clone().and(Finding::yes("other")), yes);
        assert_eq!(unknown.clone().and(yes), unknown);
    }

    #[test]
    fn permissions_know_which_features_name_them() {
        assert_eq!(Permission::ReadAnalytics.needed_by(), [Feature::ManualSync, Feature::HandleWebhookEvents]);
        assert_eq!(Permission::EditSubscriptions.needed_by(), [Feature::WebhookSetup]);
        assert!(Permission::ReadCode.needed_by().is_empty());
    }

    #[test]
    fn the_status_entry_names_permissions_in_the_words_of_the_token_page() {
        let findings = all_but(Availability::True, &[(Permission::ReadWriteTestManagement, Availability::False)]);
        let status = verdict(&findings, Feature::PushTestResult).status();
        assert_eq!(status.available, Availability::False);
        assert_eq!(status.missing, ["Test Management: Read & write"]);
    }
}

//! Who may refer to an integration, and what a project config refers to for its life.

use std::collections::BTreeMap;

use kube::core::{Selector, SelectorExt as _};

use super::project_config::is_accepted;
use crate::api::{AdoProjectConfigStatus, AllowedNamespaces, NamespacesFrom, ResolvedIntegration};

/// Whether an object can have this name (RFC 1123 subdomain, at most 253 characters). Anything else must not become part of
/// a request's path: the client puts names there as they are.
pub fn is_object_name(name: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.starts_with(alphanumeric)
        && name.ends_with(alphanumeric)
        && name.chars().all(|c| alphanumeric(c) || c == '-' || c == '.')
}

/// Whether the labels of a namespace decide, so that they have to be known.
pub fn labels_decide(allowed: Option<&AllowedNamespaces>, own: &str, other: &str) -> bool {
    own != other && allowed.is_some_and(|allowed| allowed.from == NamespacesFrom::Selector)
}

/// Whether an integration of namespace `own` allows project configs of namespace `other`, which has these labels. A
/// selector that cannot be read allows nothing.
pub fn allows(allowed: Option<&AllowedNamespaces>, own: &str, other: &str, labels: &BTreeMap<String, String>) -> bool {
    if own == other {
        return true;
    }
    match allowed.map_or(NamespacesFrom::Same, |allowed| allowed.from) {
        NamespacesFrom::Same => false,
        NamespacesFrom::All => true,
        NamespacesFrom::Selector => allowed
            .and_then(|allowed| allowed.selector.clone())
            .and_then(|selector| Selector::try_from(selector).ok())
            .is_some_and(|selector| selector.matches(labels)),
    }
}

/// What a project config was first accepted with, and so means for its life. The store knows it; where the store is new,
/// the status tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pinned {
    /// Key of the integration, made of its namespace, name and organization. Unknown to the status.
    pub integration: Option<String>,
    /// Id of the project.
    pub project: Option<String>,
    /// What the spec called the project when it was last accepted. Unknown to the status.
    pub project_spelling: Option<String>,
}

impl Pinned {
    /// Whether the integration of that name and key is the pinned one, or nothing is pinned yet.
    pub fn permits_integration(&self, key: &str, named: &ResolvedIntegration, shown: &AdoProjectConfigStatus) -> bool {
        match &self.integration {
            Some(pinned) => pinned == key,
            None => accepted(shown).and_then(|shown| shown.integration.as_ref()).is_none_or(|shown| shown == named),
        }
    }

    /// Whether the project of that id is the pinned one, or nothing is pinned yet.
    pub fn permits_project(&self, id: &str, shown: &AdoProjectConfigStatus) -> bool {
        self.project(shown).is_none_or(|pinned| pinned == id)
    }

    fn project<'a>(&'a self, shown: &'a AdoProjectConfigStatus) -> Option<&'a str> {
        let shown = accepted(shown).and_then(|shown| shown.project.as_ref());
        let shown = shown.map(|project| project.id.as_str()).filter(|id| !id.is_empty());
        self.project.as_deref().or(shown)
    }

    /// The id by which to ask for the project, in place of what the spec says: a project that was renamed is still meant
    /// by a spec that nobody touched, or that calls it as it did before or by the name that it was last seen with.
    pub fn known_project(&self, spec: &str, generation: i64, shown: &AdoProjectConfigStatus) -> Option<String> {
        let id = self.project(shown)?;
        let last_seen = shown.project.as_ref().map(|project| project.name.as_str());
        let names_it = |name: &str| name.to_lowercase() == spec.to_lowercase();
        let meant = is_accepted(shown, generation)
            || last_seen.is_some_and(names_it)
            || self.project_spelling.as_deref().is_some_and(names_it);
        meant.then(|| id.to_owned())
    }
}

/// A status that tells of an accepted mapping: one that was only saved shows what it means, and counts nothing.
fn accepted(shown: &AdoProjectConfigStatus) -> Option<&AdoProjectConfigStatus> {
    Some(shown).filter(|shown| shown.counts.is_some())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

    use super::*;
    use crate::api::{Counts, ProjectStatus};

    fn selector(key: &str, value: &str) -> AllowedNamespaces {
        AllowedNamespaces {
            from: NamespacesFrom::Selector,
            selector: Some(LabelSelector { match_labels: Some(labels(key, value)), match_expressions: None }),
        }
    }

    fn labels(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn names_that_would_change_the_path_of_a_request_are_no_names() {
        for name in ["contoso-pat", "a", "a.b", "0"] {
            assert!(is_object_name(name), "{name}");
        }
        for name in ["", "?x=1", "../x", "a b", "a/b", "A", "a%2f", ".a", "a-", "ä", &"a".repeat(254)] {
            assert!(!is_object_name(name), "{name}");
        }
    }

    #[test]
    fn the_own_namespace_is_always_allowed() {
        assert!(allows(None, "a", "a", &BTreeMap::new()));
        assert!(allows(Some(&selector("team", "x")), "a", "a", &BTreeMap::new()));
    }

    #[test]
    fn absent_means_the_own_namespace_only() {
        assert!(!allows(None, "a", "b", &BTreeMap::new()));
    }

    #[test]
    fn all_means_every_namespace() {
        let all = AllowedNamespaces { from: NamespacesFrom::All, selector: None };
        assert!(allows(Some(&all), "a", "b", &BTreeMap::new()));
    }

    #[test]
    fn a_selector_is_matched_on_the_labels_of_the_namespace() {
        assert!(allows(Some(&selector("team", "x")), "a", "b", &labels("team", "x")));
        assert!(!allows(Some(&selector("team", "x")), "a", "b", &labels("team", "y")));
    }

    fn named(name: &str) -> ResolvedIntegration {
        ResolvedIntegration { namespace: "a".into(), name: name.into() }
    }

    fn shown() -> AdoProjectConfigStatus {
        let project = ProjectStatus { id: "1".into(), name: "Payments".into(), process: None };
        AdoProjectConfigStatus {
            integration: Some(named("contoso")),
            project: Some(project),
            counts: Some(Counts::default()),
            ..AdoProjectConfigStatus::default()
        }
    }

    #[test]
    fn what_was_never_accepted_permits_everything() {
        let nothing = AdoProjectConfigStatus::default();
        assert!(Pinned::default().permits_integration("7", &named("contoso"), &nothing));
        assert!(Pinned::default().permits_project("1", &nothing));
        assert_eq!(Pinned::default().known_project("Payments", 1, &nothing), None);
    }

    #[test]
    fn the_key_of_the_integration_decides_where_it_is_known() {
        let pinned = Pinned { integration: Some("7".into()), ..Pinned::default() };
        assert!(pinned.permits_integration("7", &named("contoso"), &shown()));
        assert!(!pinned.permits_integration("8", &named("contoso"), &shown()), "another organization");
    }

    #[test]
    fn with_a_new_store_the_status_tells() {
        let pinned = Pinned::default();
        assert!(pinned.permits_integration("1", &named("contoso"), &shown()));
        assert!(!pinned.permits_integration("1", &named("other"), &shown()));
        assert!(pinned.permits_project("1", &shown()) && !pinned.permits_project("2", &shown()));
    }

    #[test]
    fn a_project_is_asked_for_by_id_where_the_spec_still_means_it() {
        let pinned = Pinned { project: Some("1".into()), ..Pinned::default() };
        assert_eq!(pinned.known_project("PAYMENTS", 2, &shown()).as_deref(), Some("1"));
        assert_eq!(pinned.known_project("Web Shop", 2, &shown()), None);
    }
}

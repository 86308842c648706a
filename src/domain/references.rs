//! Who may refer to an integration.

use std::collections::BTreeMap;

use kube::core::{Selector, SelectorExt as _};

use crate::api::{AllowedNamespaces, NamespacesFrom};

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

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

    use super::*;

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
}

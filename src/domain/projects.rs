//! Which Azure DevOps projects an integration lends to project configs (`spec.allowedProjects`).

use std::collections::BTreeSet;

/// Patterns that a project's name or id must match. The default permits every project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProjectFilter {
    /// In lower case; none permits everything.
    patterns: Option<Vec<String>>,
}

impl ProjectFilter {
    /// The filter of `spec.allowedProjects`; absent means every project. A pattern is an id, or a name in which
    /// `*` stands for any run of characters, the empty one included; case does not matter. Ids are not matched by parts: `A*`
    /// would permit one project in sixteen, whatever its name.
    pub fn new(allowed: Option<&[String]>) -> Self {
        let lower = |patterns: &[String]| patterns.iter().map(|pattern| pattern.to_lowercase()).collect();
        Self { patterns: allowed.map(lower) }
    }

    /// Whether the project may be used. Both arguments are what Azure DevOps calls the project, never what a spec says:
    /// a spec that names a project by id must not get round a filter of names.
    pub fn allows(&self, name: &str, id: &str) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        let (name, id) = (name.to_lowercase(), id.to_lowercase());
        patterns.iter().any(|pattern| matches(pattern, &name) || *pattern == id)
    }
}

/// Whether all of `text` fits `pattern`: its literal parts occur in order, the first at the start and the last at the
/// end. Taking each part at its first place is enough, since any run of characters may lie between.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(place) => text = &text[place + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

/// The first entry that stands there twice; case does not matter.
pub fn repeated(entries: &[String]) -> Option<&str> {
    let mut seen = BTreeSet::new();
    entries.iter().find(|entry| !seen.insert(entry.to_lowercase())).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c";

    fn allows(patterns: &[&str], name: &str) -> bool {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        ProjectFilter::new(Some(&patterns)).allows(name, ID)
    }

    #[test]
    fn without_patterns_every_project_is_allowed() {
        assert!(ProjectFilter::default().allows("Payments", ID));
        assert!(ProjectFilter::new(None).allows("", ""));
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        assert!(!allows(&[], "Payments"));
    }

    #[test]
    fn a_pattern_without_a_star_is_the_whole_name() {
        assert!(allows(&["Payments"], "Payments"));
        assert!(!allows(&["Payment"], "Payments"));
        assert!(!allows(&["Payments"], "Payments 2"));
    }

    #[test]
    fn case_does_not_matter_in_any_script() {
        assert!(allows(&["PAYMENTS"], "payments"));
        assert!(allows(&["GRÖßE*"], "größe 1"));
        assert!(allows(&["ПЛАТЕЖИ*"], "Платежи 2026"));
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(allows(&["*"], "Payments"));
        assert!(allows(&["Web*"], "Web") && allows(&["Web*"], "Web Shop"));
        assert!(allows(&["*Shop"], "Web Shop") && !allows(&["*Shop"], "Web Shops"));
        assert!(allows(&["W*S*p"], "Web Shop") && !allows(&["W*S*p"], "Web Ship 2"));
        assert!(allows(&["a*b*b"], "abb") && !allows(&["a*b*b"], "ab"));
        assert!(allows(&["a**b"], "ab") && !allows(&["ab*ba"], "aba"));
        assert!(!allows(&["Web*"], "My Web"));
    }

    #[test]
    fn other_characters_stand_for_themselves() {
        assert!(!allows(&["Pa?ments"], "Payments"));
        assert!(!allows(&["[P]ayments"], "Payments"));
        assert!(allows(&["C++ (.*)"], "C++ (.NET)"));
        assert!(!allows(&["Web.Shop"], "Web Shop"));
    }

    #[test]
    fn the_id_matches_too_and_one_pattern_is_enough() {
        assert!(allows(&["6CE954B1-CE1F-45D1-B94D-E6BF2464BA2C"], "Payments"));
        assert!(allows(&["Web*", ID], "Payments"));
        assert!(!allows(&["6ce954b1-*"], "Payments") && !allows(&["*-*"], "Payments"), "by the whole id only");
    }
}

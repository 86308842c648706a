//! How names are compared.

/// Rule: "ADO names compare without case".
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a list holds a name, whatever its case.
pub(crate) fn holds(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| same(entry, name))
}

/// Rule: "entries that differ in case only are an Error in live validation".
pub(crate) fn any_named_twice(list: &[String]) -> bool {
    list.iter().enumerate().any(|(at, name)| holds(&list[..at], name))
}

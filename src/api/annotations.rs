//! Annotations that people and tools set on our objects.

/// Asks for one run now: any new value does. The value is echoed in `status.lastHandledRequestedAt` when the run ended.
pub const REQUESTED_AT: &str = "ado.testops.dev/requestedAt";

/// With the value `true` it lets the deletion policy accept DELETE of an integration or of one of our CRDs.
pub const ALLOW_DELETION: &str = "ado.testops.dev/allow-deletion";

/// Lets the items of a mass disappearance be hidden: its value is the id that the condition's message shows. It confirms one set
/// of items; if others vanish too, it confirms nothing.
pub const CONFIRM_DISAPPEARANCE: &str = "ado.testops.dev/confirmDisappearance";

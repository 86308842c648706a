//! Who we are, and what the organization offers.

use serde::Deserialize;

use super::ids::{IdentityId, OrganizationId};
use super::json::{optional_label, shown};

/// Answer of connectionData (no published description; `ado-api.md` §2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionData {
    /// The identity behind the credential.
    #[serde(rename = "authenticatedUser")]
    pub identity: Identity,
    /// The organization's id.
    pub instance_id: OrganizationId,
    /// `hosted` on the cloud.
    #[serde(default)]
    pub deployment_type: Option<String>,
}

/// An identity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RawIdentity")]
pub struct Identity {
    /// The identity's id.
    pub id: IdentityId,
    /// The name that people see.
    pub display_name: String,
    /// The account name, mostly a mail address.
    pub account: Option<String>,
    /// The graph descriptor, such as `aad.…`.
    pub subject_descriptor: Option<String>,
}

impl Identity {
    /// The identity as which an organization with public projects serves those who did not sign in (`ado-api.md` §2,
    /// unconfirmed).
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        const ANONYMOUS: u128 = 0xaaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa;
        self.id.0.as_u128() == ANONYMOUS || self.id.0.is_nil() || self.display_name.eq_ignore_ascii_case("anonymous")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawIdentity {
    id: IdentityId,
    #[serde(default)]
    subject_descriptor: Option<String>,
    #[serde(default)]
    provider_display_name: Option<String>,
    #[serde(default)]
    custom_display_name: Option<String>,
    #[serde(default)]
    properties: Option<Properties>,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default, rename = "Account")]
    account: Option<TypedValue>,
}

#[derive(Deserialize)]
struct TypedValue {
    #[serde(default, rename = "$value")]
    value: Option<String>,
}

impl From<RawIdentity> for Identity {
    fn from(raw: RawIdentity) -> Self {
        let named = |name: Option<String>| name.as_deref().map(shown).filter(|name| !name.is_empty());
        let account = raw.properties.and_then(|properties| properties.account).and_then(|account| account.value);
        let account = named(account);
        let display_name = named(raw.custom_display_name).or_else(|| named(raw.provider_display_name));
        Self {
            id: raw.id,
            display_name: display_name.or_else(|| account.clone()).unwrap_or_default(),
            account,
            subject_descriptor: raw.subject_descriptor,
        }
    }
}

/// The licence of an identity (`ado-api.md` §12, "Access level").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlement {
    /// The level, and whether it is in force.
    pub access_level: AccessLevel,
}

/// An access level. `express` is Basic, `advanced` is Basic + Test Plans.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLevel {
    /// `none`, `earlyAdopter`, `express`, `professional`, `advanced`, `stakeholder`, or a value that came later.
    #[serde(default)]
    pub account_license_type: Option<String>,
    /// The level that a Visual Studio subscription gives.
    #[serde(default)]
    pub msdn_license_type: Option<String>,
    /// The level's name for people.
    #[serde(default, deserialize_with = "optional_label")]
    pub license_display_name: Option<String>,
    /// `active`, `pending`, `disabled` …
    #[serde(default)]
    pub status: Option<String>,
}

impl AccessLevel {
    /// Whether the level is Basic or above; none if that cannot be told.
    #[must_use]
    pub fn is_basic(&self) -> Option<bool> {
        let of = |level: &Option<String>| level.as_deref().map(str::to_ascii_lowercase);
        let subscribed = of(&self.msdn_license_type).filter(|level| level != "none" && level != "eligible");
        match of(&self.account_license_type)?.as_str() {
            "express" | "professional" | "advanced" | "earlyadopter" => Some(true),
            "stakeholder" => Some(false),
            // A subscriber has no account licence.
            "none" => Some(subscribed.is_some()),
            _ => None,
        }
    }
}

/// An event to which a service hook can be subscribed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HookEventType {
    /// The event's name, such as `workitem.created`.
    pub id: String,
    /// Its name for people.
    #[serde(default)]
    pub name: Option<String>,
}

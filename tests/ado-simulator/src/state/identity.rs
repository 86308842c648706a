//! People, their access levels, and their tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::permissions::{AccessControl, Role};
use crate::auth::Scopes;

/// The licence of a user (`ado-api.md` §12 *Access level*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccessLevel {
    /// Stakeholder: no Analytics, no test plans.
    Stakeholder,
    /// Basic.
    Express,
    /// Basic + Test Plans.
    Advanced,
}

impl AccessLevel {
    /// The name that people see.
    pub(crate) fn display(self) -> &'static str {
        match self {
            Self::Stakeholder => "Stakeholder",
            Self::Express => "Basic",
            Self::Advanced => "Basic + Test Plans",
        }
    }
}

/// A user of an organization.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub id: Uuid,
    pub display_name: String,
    /// The mail address.
    pub account: String,
    /// `aad.…`, the GUID in base 64.
    pub subject: String,
    pub access_level: AccessLevel,
    pub role: Role,
    pub access: Vec<AccessControl>,
    /// The object that stands in work item fields and other answers.
    pub reference: Value,
}

impl Identity {
    /// A user of the organization with this host id.
    pub fn new(id: Uuid, display_name: &str, account: &str, organization: &str, host: Uuid) -> Self {
        let subject = format!("aad.{}", STANDARD_NO_PAD.encode(id.to_string()));
        let avatar = format!("https://dev.azure.com/{organization}/_apis/GraphProfile/MemberAvatars/{subject}");
        let reference = json!({
            "displayName": display_name,
            // Links of identities point to another host, as recorded.
            "url": format!("https://spsprodsim1.vssps.visualstudio.com/A{host}/_apis/Identities/{id}"),
            "_links": {"avatar": {"href": avatar}},
            "id": id,
            "uniqueName": account,
            "imageUrl": avatar,
            "descriptor": subject,
        });
        Self {
            id,
            display_name: display_name.to_owned(),
            account: account.to_owned(),
            subject,
            access_level: AccessLevel::Advanced,
            role: Role::Contributor,
            access: Vec::new(),
            reference,
        }
    }

    /// The shorter form, without links, that subscriptions show (recorded in 2022).
    pub fn short_reference(&self) -> Value {
        json!({
            "displayName": self.display_name,
            "id": self.id,
            "uniqueName": self.account,
            "descriptor": self.subject,
        })
    }

    /// What a token string of this identity would be called in the descriptor form of connectionData.
    pub fn descriptor(&self) -> String {
        format!("Microsoft.IdentityModel.Claims.ClaimsIdentity;72f988bf-0000-4000-8000-2d7cd011db47\\{}", self.account)
    }
}

/// A personal access token.
#[derive(Clone, Debug)]
pub(crate) struct Pat {
    /// Names it in the control API and the journal.
    pub label: String,
    pub token: String,
    /// Index of its organization.
    pub organization: usize,
    /// Index of its user within the organization.
    pub identity: usize,
    pub scopes: Scopes,
    pub expires: Timestamp,
    pub revoked: bool,
}

impl Pat {
    /// Whether it still opens anything at `now`.
    pub fn valid(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires
    }
}

/// All tokens, found by their text or their label.
#[derive(Debug, Default)]
pub(crate) struct Pats {
    all: Vec<Pat>,
    by_token: std::collections::HashMap<String, usize>,
    by_label: BTreeMap<String, usize>,
}

impl Pats {
    /// Adds a token; a label that is taken is refused.
    pub fn add(&mut self, pat: Pat) -> bool {
        if self.by_label.contains_key(&pat.label) {
            return false;
        }
        self.by_token.insert(pat.token.clone(), self.all.len());
        self.by_label.insert(pat.label.clone(), self.all.len());
        self.all.push(pat);
        true
    }

    pub fn by_token(&self, token: &str) -> Option<&Pat> {
        self.all.get(*self.by_token.get(token)?)
    }

    pub fn by_label(&self, label: &str) -> Option<&Pat> {
        self.all.get(*self.by_label.get(label)?)
    }

    pub fn by_label_mut(&mut self, label: &str) -> Option<&mut Pat> {
        self.all.get_mut(*self.by_label.get(label)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pat> {
        self.all.iter()
    }
}

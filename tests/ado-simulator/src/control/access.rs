//! Tokens, identities and permissions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Control, ControlError, find_identity, find_project};
use crate::auth::Scopes;
use crate::state::identity::{AccessLevel, Identity, Pat};
use crate::state::permissions::{AccessControl, Right, Role};
use crate::state::{World, random};

/// The most tokens that one call makes.
const BATCH_LIMIT: u32 = 100_000;

/// Tokens to make.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewPat {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// The label; with `count` above 1 a prefix of `label-0`, `label-1`, …
    pub label: String,
    /// An existing identity (account, name or id); left out, each token gets an identity of its own.
    pub identity: Option<String>,
    /// The role of new identities; administrator if left out.
    pub role: Option<Role>,
    /// The access level of new identities; Basic + Test Plans if left out.
    pub access_level: Option<AccessLevel>,
    /// Scopes such as `vso.work`; left out for full access.
    pub scopes: Option<Vec<String>>,
    /// When it expires; left out for never.
    pub expires: Option<Timestamp>,
    /// How many; 1 if left out, at most 100,000.
    pub count: Option<u32>,
}

/// A token as the control API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PatInfo {
    /// Its label.
    pub label: String,
    /// The secret itself.
    pub token: String,
    /// Whose it is.
    pub identity: Uuid,
    /// The account of its identity.
    pub account: String,
}

/// A change of a token. What is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PatChange {
    /// Which one.
    pub label: String,
    /// Revoke it, or take that back.
    pub revoked: Option<bool>,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// Other scopes; an empty list takes all away.
    pub scopes: Option<Vec<String>>,
    /// Full access instead of scopes.
    pub full: Option<bool>,
}

/// A change of what an identity may do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PermissionChange {
    /// The organization; `contoso` if left out.
    pub organization: Option<String>,
    /// Account, name or id.
    pub identity: String,
    /// Another role.
    pub role: Option<Role>,
    /// Another access level.
    pub access_level: Option<AccessLevel>,
    /// The project that `allow` and `deny` are about; left out for all.
    pub project: Option<String>,
    /// Rights given.
    pub allow: Vec<Right>,
    /// Rights taken; to take `viewProject` hides the project.
    pub deny: Vec<Right>,
    /// Entries by namespace, token and bits.
    pub entries: Vec<AccessControl>,
    /// Forget all earlier entries first.
    pub clear: bool,
}

impl Control {
    /// Makes tokens, and identities for them unless one is named.
    pub fn create_pats(&self, new: &NewPat) -> Result<Vec<PatInfo>, ControlError> {
        let count = new.count.unwrap_or(1);
        if count > BATCH_LIMIT {
            return Err(ControlError::Invalid(format!("at most {BATCH_LIMIT} tokens at once")));
        }
        self.write(new.organization.as_deref().unwrap_or("contoso"), |world, organization| {
            (0..count).map(|index| create_pat(world, organization, new, index, count > 1)).collect()
        })
    }

    /// Makes one token with these scopes (none: full access) for a fresh administrator of `contoso`.
    pub fn create_pat(&self, label: &str, scopes: &[&str]) -> Result<PatInfo, ControlError> {
        let scopes = (!scopes.is_empty()).then(|| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        let created = self.create_pats(&NewPat { label: label.to_owned(), scopes, ..NewPat::default() })?;
        created.into_iter().next().ok_or_else(|| ControlError::Invalid("no token was made".to_owned()))
    }

    /// Revokes, expires or re-scopes a token.
    pub fn change_pat(&self, change: &PatChange) -> Result<(), ControlError> {
        let mut world = self.shared.world.write();
        let pat =
            world.pats.by_label_mut(&change.label).ok_or_else(|| ControlError::not_found("token", &change.label))?;
        pat.revoked = change.revoked.unwrap_or(pat.revoked);
        pat.expires = change.expires.unwrap_or(pat.expires);
        if let Some(scopes) = &change.scopes {
            pat.scopes = Scopes::only(scopes.iter().map(String::as_str));
        }
        if change.full == Some(true) {
            pat.scopes = Scopes::Full;
        }
        Ok(())
    }

    /// Revokes a token.
    pub fn revoke_pat(&self, label: &str) -> Result<(), ControlError> {
        self.change_pat(&PatChange { label: label.to_owned(), revoked: Some(true), ..PatChange::default() })
    }

    /// Lets a token expire now.
    pub fn expire_pat(&self, label: &str) -> Result<(), ControlError> {
        let expires = Some(Timestamp::UNIX_EPOCH);
        self.change_pat(&PatChange { label: label.to_owned(), expires, ..PatChange::default() })
    }

    /// Changes what an identity may do.
    pub fn set_permissions(&self, change: &PermissionChange) -> Result<(), ControlError> {
        self.write(change.organization.as_deref().unwrap_or("contoso"), |world, index| {
            let organization = &mut world.organizations[index];
            let identity = find_identity(organization, &change.identity)?;
            let project = change.project.as_deref().map(|key| find_project(organization, key)).transpose()?;
            let entry = |right: &Right, allow: bool| {
                let (namespace, bit) = right.bit();
                let token = project.map_or_else(String::new, |index| right.token(&organization.projects[index]));
                let (allow, deny) = if allow { (bit, 0) } else { (0, bit) };
                AccessControl { namespace, token, allow, deny }
            };
            let allowed = change.allow.iter().map(|right| entry(right, true));
            let mut entries: Vec<AccessControl> =
                allowed.chain(change.deny.iter().map(|right| entry(right, false))).collect();
            entries.extend(change.entries.iter().cloned());
            let identity = &mut organization.identities[identity];
            if change.clear {
                identity.access.clear();
            }
            for entry in entries {
                // A later word on the same bits replaces the earlier one.
                let bits = entry.allow | entry.deny;
                for old in identity
                    .access
                    .iter_mut()
                    .filter(|old| old.namespace == entry.namespace && old.token == entry.token)
                {
                    old.allow &= !bits;
                    old.deny &= !bits;
                }
                identity.access.push(entry);
            }
            identity.role = change.role.unwrap_or(identity.role);
            identity.access_level = change.access_level.unwrap_or(identity.access_level);
            Ok(())
        })
    }

    /// Takes rights from the identity of a token, in one project or in all.
    pub fn deny(&self, label: &str, rights: &[Right], project: Option<&str>) -> Result<(), ControlError> {
        self.set_permissions(&PermissionChange { deny: rights.to_vec(), ..self.change_for(label, project)? })
    }

    /// Gives rights to the identity of a token, in one project or in all.
    pub fn allow(&self, label: &str, rights: &[Right], project: Option<&str>) -> Result<(), ControlError> {
        self.set_permissions(&PermissionChange { allow: rights.to_vec(), ..self.change_for(label, project)? })
    }

    /// Hides a project from the identity of a token.
    pub fn hide_project(&self, label: &str, project: &str) -> Result<(), ControlError> {
        self.deny(label, &[Right::ViewProject], Some(project))
    }

    fn change_for(&self, label: &str, project: Option<&str>) -> Result<PermissionChange, ControlError> {
        let world = self.shared.world.read();
        let pat = world.pats.by_label(label).ok_or_else(|| ControlError::not_found("token", label))?;
        let organization = &world.organizations[pat.organization];
        Ok(PermissionChange {
            organization: Some(organization.name.clone()),
            identity: organization.identities[pat.identity].id.to_string(),
            project: project.map(str::to_owned),
            ..PermissionChange::default()
        })
    }
}

fn create_pat(
    world: &mut World,
    organization: usize,
    new: &NewPat,
    index: u32,
    several: bool,
) -> Result<PatInfo, ControlError> {
    let label = if several { format!("{}-{index}", new.label) } else { new.label.clone() };
    if label.is_empty() || world.pats.by_label(&label).is_some() {
        return Err(ControlError::Invalid(format!("the label '{label}' is empty or taken")));
    }
    let identity = match &new.identity {
        Some(name) => find_identity(&world.organizations[organization], name)?,
        None => create_identity(world, organization, &label, new),
    };
    let never = 4_070_908_800;
    let expires = new.expires.unwrap_or(Timestamp::from_second(never).unwrap_or(Timestamp::MAX));
    let scopes = new.scopes.as_ref().map_or(Scopes::Full, |scopes| Scopes::only(scopes.iter().map(String::as_str)));
    let token = random::token(world.seed, &format!("minted {label}"));
    let owner = &world.organizations[organization].identities[identity];
    let info =
        PatInfo { label: label.clone(), token: token.clone(), identity: owner.id, account: owner.account.clone() };
    world.pats.add(Pat { label, token, organization, identity, scopes, expires, revoked: false });
    Ok(info)
}

fn create_identity(world: &mut World, organization: usize, label: &str, new: &NewPat) -> usize {
    let id = random::guid(world.seed, "identity", world.next("identity"));
    let organization = &mut world.organizations[organization];
    let account = format!("{label}@{}.example", organization.name);
    let mut identity = Identity::new(id, &format!("User {label}"), &account, &organization.name, organization.id);
    identity.role = new.role.unwrap_or(Role::Administrator);
    identity.access_level = new.access_level.unwrap_or(AccessLevel::Advanced);
    organization.identities.push(identity);
    organization.identities.len() - 1
}

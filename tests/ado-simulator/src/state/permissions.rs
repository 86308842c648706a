//! Security namespaces and what an identity may do (`ado-api.md` §12; bits as recorded in `security/`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::identity::Identity;
use super::project::Project;

/// Ids of the namespaces that the simulator evaluates.
pub(crate) const SERVICE_HOOKS: Uuid = Uuid::from_u128(0xcb594ebe_87dd_4fc9_ac2c_6a10a4c92046);
pub(crate) const AREAS: Uuid = Uuid::from_u128(0x83e28ad4_2d72_4ceb_97b0_c7726d5502c3);
pub(crate) const ITERATIONS: Uuid = Uuid::from_u128(0xbf7bfa03_b2b7_47db_8113_fa2e002cc5b1);
pub(crate) const PROJECT: Uuid = Uuid::from_u128(0x52d39943_cb85_4d7f_8fa8_c6baac873819);
pub(crate) const TAGGING: Uuid = Uuid::from_u128(0xbb50f182_8e5e_40b8_bc21_e8752a1e7ae2);
pub(crate) const ANALYTICS: Uuid = Uuid::from_u128(0x58450c49_b02d_465a_ab12_59ae512d6531);
pub(crate) const REPOSITORIES: Uuid = Uuid::from_u128(0x2e9eb7ed_3c0a_47d4_87c1_0ffdd275fd87);

/// What a user is in an organization, before single permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Member of Project Collection Administrators: everything.
    Administrator,
    /// Reads and writes work items and tests, sees subscriptions, edits none.
    Contributor,
    /// Reads.
    Reader,
    /// Nothing.
    None,
}

/// A single permission by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Right {
    /// See the project at all.
    ViewProject,
    /// View work items in its areas.
    ReadWorkItems,
    /// Edit work items in its areas.
    WriteWorkItems,
    /// View service hook subscriptions.
    ViewSubscriptions,
    /// Edit service hook subscriptions.
    EditSubscriptions,
    /// View test runs.
    ViewTestResults,
    /// Create test runs.
    PublishTestResults,
    /// Manage test plans.
    ManageTestPlans,
    /// Manage test suites.
    ManageTestSuites,
    /// View analytics.
    ViewAnalytics,
    /// Read repositories.
    ReadRepositories,
    /// Create tag definitions.
    CreateTags,
}

impl Right {
    /// Namespace and bit.
    pub(crate) fn bit(self) -> (Uuid, u32) {
        match self {
            Self::ViewProject => (PROJECT, 1),
            Self::ReadWorkItems => (AREAS, 16),
            Self::WriteWorkItems => (AREAS, 32),
            Self::ManageTestPlans => (AREAS, 64),
            Self::ManageTestSuites => (AREAS, 128),
            Self::ViewSubscriptions => (SERVICE_HOOKS, 1),
            Self::EditSubscriptions => (SERVICE_HOOKS, 2),
            Self::ViewTestResults => (PROJECT, 512),
            Self::PublishTestResults => (PROJECT, 8),
            Self::ViewAnalytics => (ANALYTICS, 1),
            Self::ReadRepositories => (REPOSITORIES, 2),
            Self::CreateTags => (TAGGING, 2),
        }
    }

    /// The token that stands for a project in the right's namespace.
    pub(crate) fn token(self, project: &Project) -> String {
        let (namespace, _) = self.bit();
        if namespace == AREAS {
            project.area_token(project.area_root)
        } else if namespace == SERVICE_HOOKS {
            format!("PublisherSecurity/{}", project.id)
        } else if namespace == ANALYTICS {
            format!("$/{}", project.id)
        } else if namespace == REPOSITORIES {
            format!("repoV2/{}", project.id)
        } else if namespace == TAGGING {
            format!("/{}", project.id)
        } else {
            format!("$PROJECT:vstfs:///Classification/TeamProject/{}", project.id)
        }
    }
}

/// An entry of an access control list; it holds for its token and all tokens below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessControl {
    /// The security namespace.
    pub namespace: Uuid,
    /// The token; empty for the whole namespace.
    pub token: String,
    /// Bits given.
    pub allow: u32,
    /// Bits taken; they win over `allow` of the same entry.
    pub deny: u32,
}

/// The bits that `identity` holds on a token.
pub(crate) fn effective(identity: &Identity, namespace: Uuid, token: &str) -> u32 {
    let mut entries: Vec<&AccessControl> =
        identity.access.iter().filter(|entry| entry.namespace == namespace && below(&entry.token, token)).collect();
    // The entry nearest to the token is the last word.
    entries.sort_by_key(|entry| entry.token.len());
    entries.iter().fold(default_bits(identity.role, namespace), |bits, entry| (bits | entry.allow) & !entry.deny)
}

/// Whether `identity` holds a right in a project.
pub(crate) fn may(identity: &Identity, right: Right, project: &Project) -> bool {
    let (namespace, bit) = right.bit();
    effective(identity, namespace, &right.token(project)) & bit == bit
}

/// Tokens are compared without case; a parent ends where a separator stands.
fn below(parent: &str, token: &str) -> bool {
    let (parent, token) = (parent.trim_end_matches(['/', ':']).to_lowercase(), token.to_lowercase());
    match token.strip_prefix(&parent) {
        Some(rest) => parent.is_empty() || rest.is_empty() || rest.starts_with(['/', ':']),
        None => false,
    }
}

fn default_bits(role: Role, namespace: Uuid) -> u32 {
    match role {
        Role::Administrator => u32::MAX >> 1,
        Role::None => 0,
        Role::Reader if namespace == PROJECT => 1 | 512,
        Role::Reader if namespace == AREAS => 1 | 16,
        Role::Contributor if namespace == PROJECT => 1 | 8 | 512 | 8192,
        Role::Contributor if namespace == AREAS => 1 | 16 | 32 | 64 | 128 | 512,
        Role::Contributor if namespace == REPOSITORIES => 2 | 4 | 16 | 32,
        Role::Contributor if namespace == TAGGING => 3,
        Role::Reader if namespace == REPOSITORIES => 2,
        Role::Reader | Role::Contributor if namespace == TAGGING => 1,
        // Which group may see subscriptions is unconfirmed (`ado-api.md` §10); here everybody who may read.
        Role::Reader | Role::Contributor => {
            u32::from(namespace == SERVICE_HOOKS || namespace == ANALYTICS || namespace == ITERATIONS)
        }
    }
}

/// A namespace as `securitynamespaces` describes it.
pub(crate) struct Namespace {
    pub id: Uuid,
    pub name: &'static str,
    pub separator: &'static str,
    pub write: u32,
    pub read: u32,
    pub dataspace: &'static str,
    pub actions: &'static [(u32, &'static str, &'static str)],
}

/// The namespaces that the simulator knows.
pub(crate) const NAMESPACES: &[Namespace] = &[
    Namespace {
        id: ANALYTICS,
        name: "Analytics",
        separator: "/",
        write: 2,
        read: 1,
        dataspace: "Default",
        actions: &[(1, "Read", "View analytics"), (2, "Administer", "Manage analytics permissions")],
    },
    Namespace {
        id: REPOSITORIES,
        name: "Git Repositories",
        separator: "/",
        write: 8192,
        read: 2,
        dataspace: "Git",
        actions: &[(1, "Administer", "Administer"), (2, "GenericRead", "Read"), (4, "GenericContribute", "Contribute")],
    },
    Namespace {
        id: SERVICE_HOOKS,
        name: "ServiceHooks",
        separator: "/",
        write: 7,
        read: 1,
        dataspace: "Default",
        actions: &[
            (1, "ViewSubscriptions", "View Subscriptions"),
            (2, "EditSubscriptions", "Edit Subscription"),
            (4, "DeleteSubscriptions", "Delete Subscriptions"),
            (8, "PublishEvents", "Publish Events"),
        ],
    },
    Namespace {
        id: TAGGING,
        name: "Tagging",
        separator: "/",
        write: 4,
        read: 1,
        dataspace: "Default",
        actions: &[
            (1, "Enumerate", "Enumerate tag definitions"),
            (2, "Create", "Create tag definition"),
            (4, "Update", "Update tag definition"),
            (8, "Delete", "Delete tag definition"),
        ],
    },
    Namespace {
        id: ITERATIONS,
        name: "Iteration",
        separator: ":",
        write: 2,
        read: 1,
        dataspace: "Integration",
        actions: &[
            (1, "GENERIC_READ", "View permissions for this node"),
            (2, "GENERIC_WRITE", "Edit this node"),
            (4, "CREATE_CHILDREN", "Create child nodes"),
            (8, "DELETE", "Delete this node"),
        ],
    },
    Namespace {
        id: AREAS,
        name: "CSS",
        separator: ":",
        write: 2,
        read: 1,
        dataspace: "Integration",
        actions: &[
            (1, "GENERIC_READ", "View permissions for this node"),
            (2, "GENERIC_WRITE", "Edit this node"),
            (4, "CREATE_CHILDREN", "Create child nodes"),
            (8, "DELETE", "Delete this node"),
            (16, "WORK_ITEM_READ", "View work items in this node"),
            (32, "WORK_ITEM_WRITE", "Edit work items in this node"),
            (64, "MANAGE_TEST_PLANS", "Manage test plans"),
            (128, "MANAGE_TEST_SUITES", "Manage test suites"),
            (512, "WORK_ITEM_SAVE_COMMENT", "Edit work item comments in this node"),
        ],
    },
    Namespace {
        id: PROJECT,
        name: "Project",
        separator: ":",
        write: 2,
        read: 1,
        dataspace: "Default",
        actions: &[
            (1, "GENERIC_READ", "View project-level information"),
            (2, "GENERIC_WRITE", "Edit project-level information"),
            (4, "DELETE", "Delete team project"),
            (8, "PUBLISH_TEST_RESULTS", "Create test runs"),
            (256, "DELETE_TEST_RESULTS", "Delete test runs"),
            (512, "VIEW_TEST_RESULTS", "View test runs"),
            (8192, "WORK_ITEM_DELETE", "Delete and restore work items"),
            (16384, "WORK_ITEM_MOVE", "Move work items out of this project"),
            (1_048_576, "BYPASS_RULES", "Bypass rules on work item updates"),
            (2_097_152, "SUPPRESS_NOTIFICATIONS", "Suppress notifications for work item updates"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Role) -> Identity {
        let mut identity = Identity::new(Uuid::from_u128(1), "Ada", "ada@example.com", "contoso", Uuid::from_u128(2));
        identity.role = role;
        identity
    }

    #[test]
    fn the_nearest_entry_decides() {
        let mut ada = person(Role::Administrator);
        let entry =
            |token: &str, allow, deny| AccessControl { namespace: SERVICE_HOOKS, token: token.to_owned(), allow, deny };
        ada.access = vec![entry("PublisherSecurity/p1", 2, 0), entry("PublisherSecurity", 0, 2)];
        assert_eq!(effective(&ada, SERVICE_HOOKS, "PublisherSecurity/p1") & 2, 2);
        assert_eq!(effective(&ada, SERVICE_HOOKS, "PublisherSecurity/p2") & 2, 0);
        assert_eq!(effective(&ada, SERVICE_HOOKS, "PublisherSecurity/p11") & 2, 0);
        assert_eq!(effective(&ada, PROJECT, "PublisherSecurity/p2") & 2, 2);
    }

    #[test]
    fn roles_differ_in_what_they_may() {
        let held = |role, namespace, bit| effective(&person(role), namespace, "x") & bit == bit;
        assert!(held(Role::Administrator, SERVICE_HOOKS, 2));
        assert!(!held(Role::Contributor, SERVICE_HOOKS, 2) && held(Role::Contributor, AREAS, 32));
        assert!(held(Role::Reader, AREAS, 16) && !held(Role::Reader, AREAS, 32));
        assert!(!held(Role::None, PROJECT, 1));
    }
}

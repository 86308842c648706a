//! The points where `ado-api.md` says **U** (unconfirmed): each can be answered either way.

use serde::{Deserialize, Serialize};

/// How a credential that is bad, expired, revoked or of another organization is refused (`ado-api.md` §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialRefusal {
    /// 203 with an HTML sign-in page.
    #[default]
    SignInPage,
    /// 302 to `/_signin`; 401 if the client sends `X-TFS-FedAuthRedirect: Suppress`.
    Redirect,
    /// 401 with the JSON envelope of TF400813.
    UnauthorizedJson,
    /// 401 with an empty body.
    UnauthorizedEmpty,
}

/// How a request to an organization that does not exist is answered (`ado-api.md` §2, §14.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnknownOrganization {
    /// 404 with an HTML page.
    #[default]
    NotFound,
    /// As a refused credential.
    Refused,
}

/// The status of a call whose scope the token lacks (`ado-api.md` §2: 401 in reports).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingScopeStatus {
    /// 401 with an empty body.
    #[default]
    Unauthorized,
    /// 401 whose body is an empty list.
    UnauthorizedList,
    /// 403 with an envelope.
    Forbidden,
}

/// What a probe is refused for first when several things are wrong with it (`ado-api.md` §14.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeOrder {
    /// Scope, then permission, then the body.
    #[default]
    ScopeFirst,
    /// The body first: a request without the scope is told about its rule errors.
    BodyFirst,
}

/// How subscriptions are listed to somebody without *View subscriptions* (`ado-api.md` §14.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HooksWithoutView {
    /// 403 "Access Denied".
    #[default]
    Forbidden,
    /// 200 with those that may be seen.
    Filtered,
}

/// The status for a link that is there already (`ado-api.md` §14.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExistingLink {
    /// 400.
    #[default]
    BadRequest,
    /// 409.
    Conflict,
}

/// The form of the recycle bin's list (`ado-api.md` §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecycleBinForm {
    /// A list envelope of objects that say what was deleted, when and by whom.
    #[default]
    Detailed,
    /// A list envelope of ids and links, as the description has it.
    Shallow,
    /// An array of ids as texts, with links, as the description's example has it.
    BareArray,
}

/// How a client is refused that asks for the reporting feeds, so that it has to do without (`ado-api.md` §13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportingRefusal {
    /// 404, as a server that lacks them.
    NotFound,
    /// 403.
    Forbidden,
}

/// What the reporting feed does with `System.Parent` (`ado-api.md` §14.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportingParent {
    /// It is a field as any other.
    #[default]
    Selectable,
    /// It may be named but is never there.
    LeftOut,
    /// To name it is refused with TF51535.
    Refused,
}

/// How the reporting feed shows items in the recycle bin when asked to include them (`ado-api.md` §14.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportingDeleted {
    /// With `System.IsDeleted` true.
    #[default]
    Flagged,
    /// As a revision like any other, without that field.
    Unflagged,
    /// Not at all.
    Absent,
}

/// All switches. Each doc comment names the place in `ado-api.md` that leaves the point open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches, one per open question")]
pub struct Quirks {
    /// §2: the form in which a bad credential is refused.
    pub credential_refusal: CredentialRefusal,
    /// §2, §14.4: connectionData of an organization with public projects answers as *Anonymous* instead of refusing.
    pub connection_data_anonymous: bool,
    /// §14.3: connectionData needs a token with `vso.profile` or `vso.project`.
    pub connection_data_needs_scope: bool,
    /// §2 (scopes): projects and teams can be read with `vso.profile`, which most other scopes include.
    pub projects_accept_profile: bool,
    /// §2, §14.4: the answer for an organization that does not exist.
    pub unknown_organization: UnknownOrganization,
    /// §2: the answer where the token's scopes do not suffice.
    pub missing_scope: MissingScopeStatus,
    /// §12, §14.3: permissions, permissionevaluationbatch and securitynamespaces need full access.
    pub security_reads_need_scope: bool,
    /// §9, §14.2: `validateOnly=true` checks the permission just as a save does.
    pub validate_only_checks_permission: bool,
    /// §12, §14.2: what a probe is refused for first.
    pub probe_order: ProbeOrder,
    /// §12: `POST test/points` is refused without `vso.test_write`, as the `OpenAPI` file declares; else `vso.test` will do.
    pub test_points_enforces_write_scope: bool,
    /// §6, §14.12: projects in a page of the list when `$top` is not given.
    pub projects_default_page: u32,
    /// §5: teams in a page of the list when `$top` is not given.
    pub teams_default_page: u32,
    /// §5, §9: results above which WIQL refuses or truncates.
    pub wiql_result_limit: u32,
    /// §9, §14.10: `$top` below the limit avoids VS402337 although more would match.
    pub wiql_top_avoids_size_limit: bool,
    /// §9: results over the limit are cut off silently instead of refused with VS402337.
    pub wiql_truncates_silently: bool,
    /// §10, §14.6: the answer of the subscriptions list without *View subscriptions*.
    pub hooks_without_view: HooksWithoutView,
    /// §7, §14.9: suggested values are listed in `allowedValues` although others are accepted.
    pub suggested_values_listed: bool,
    /// §9, §14.1: values in a page of the reporting feeds, whatever `$maxPageSize` asks for.
    pub reporting_page_size: u32,
    /// §9, §14.1: the last page of a reporting feed has its token in `nextLink` alone (recorded both ways).
    pub reporting_last_token_in_next_link_only: bool,
    /// §14.1: `System.Parent` in the reporting feed.
    pub reporting_parent: ReportingParent,
    /// §14.1: items in the recycle bin in the reporting feed.
    pub reporting_deleted: ReportingDeleted,
    /// §13: the reporting feeds are refused altogether.
    pub reporting_refusal: Option<ReportingRefusal>,
    /// §14.5: the status of adding a link that is there already.
    pub existing_link: ExistingLink,
    /// §9: the form of the recycle bin's list.
    pub recycle_bin_form: RecycleBinForm,
    /// §5: deleted items above which the recycle bin is refused with VS402337.
    pub recycle_bin_limit: u32,
    /// §7, §14.9: the values of every field are only suggested, although they look the same.
    pub all_values_suggested: bool,
    /// §7: bugs stand among the types of the backlog level that `bugsBehavior` puts them on.
    pub bugs_listed_on_level: bool,
    /// §8: items of a deleted node get a new revision when they are reclassified.
    pub reclassifying_makes_revisions: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            credential_refusal: CredentialRefusal::default(),
            connection_data_anonymous: false,
            connection_data_needs_scope: false,
            projects_accept_profile: true,
            unknown_organization: UnknownOrganization::default(),
            missing_scope: MissingScopeStatus::default(),
            security_reads_need_scope: false,
            validate_only_checks_permission: true,
            probe_order: ProbeOrder::default(),
            test_points_enforces_write_scope: true,
            projects_default_page: 100,
            teams_default_page: 100,
            wiql_result_limit: 20_000,
            wiql_top_avoids_size_limit: true,
            wiql_truncates_silently: false,
            hooks_without_view: HooksWithoutView::default(),
            suggested_values_listed: true,
            reporting_page_size: 1000,
            reporting_last_token_in_next_link_only: false,
            reporting_parent: ReportingParent::default(),
            reporting_deleted: ReportingDeleted::default(),
            reporting_refusal: None,
            existing_link: ExistingLink::default(),
            recycle_bin_form: RecycleBinForm::default(),
            recycle_bin_limit: 20_000,
            all_values_suggested: false,
            bugs_listed_on_level: false,
            reclassifying_makes_revisions: true,
        }
    }
}

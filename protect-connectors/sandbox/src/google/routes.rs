//! The table of methods: every path of Google's that the sandbox answers.

use axum::http::Method;

use super::{
    Google,
    operation::{
        Api::{self, Alerts, Directory, Policy, Reports},
        Caller, Operation,
    },
};

/// What reading asks for: delegated to the service account `scan`.
pub(crate) const READING: &[&str] = &[
    "admin.directory.user.readonly",
    "admin.directory.domain.readonly",
    "admin.directory.customer.readonly",
    "admin.directory.group.readonly",
    "admin.directory.orgunit.readonly",
    "admin.directory.rolemanagement.readonly",
    "admin.reports.audit.readonly",
    "admin.reports.usage.readonly",
    "apps.alerts",
    "cloud-identity.policies.readonly",
];
/// What changing accounts asks for: delegated to the service account `respond`.
pub(crate) const CHANGING: &[&str] = &[
    "admin.directory.rolemanagement",
    "admin.directory.user",
    "admin.directory.user.security",
];
/// Scopes of methods that the sandbox has not.
const OTHERS: [&str; 5] = [
    "apps.groups.settings",
    "apps.licensing",
    "cloud-identity.inboundsso.readonly",
    "cloud-platform",
    "drive.readonly",
];

const USERS: &[&str] = &["admin.directory.user.readonly", "admin.directory.user"];
const ALIASES: &[&str] = &[
    "admin.directory.user.alias.readonly",
    "admin.directory.user.alias",
    "admin.directory.user.readonly",
    "admin.directory.user",
];
const USER: &[&str] = &["admin.directory.user"];
const SECURITY: &[&str] = &["admin.directory.user.security"];
const DOMAINS: &[&str] = &["admin.directory.domain.readonly", "admin.directory.domain"];
const CUSTOMER: &[&str] = &[
    "admin.directory.customer.readonly",
    "admin.directory.customer",
];
const UNITS: &[&str] = &[
    "admin.directory.orgunit.readonly",
    "admin.directory.orgunit",
];
const GROUPS: &[&str] = &["admin.directory.group.readonly", "admin.directory.group"];
const MEMBERS: &[&str] = &[
    "admin.directory.group.member.readonly",
    "admin.directory.group.member",
    "admin.directory.group.readonly",
    "admin.directory.group",
];
const ROLES: &[&str] = &[
    "admin.directory.rolemanagement.readonly",
    "admin.directory.rolemanagement",
];
const ROLE: &[&str] = &["admin.directory.rolemanagement"];
const USAGE: &[&str] = &["admin.reports.usage.readonly"];
const POLICIES: &[&str] = &[
    "cloud-identity.policies.readonly",
    "cloud-identity.policies",
];
const ALERTS: &[&str] = &["apps.alerts"];
const AUDIT: &[&str] = &["admin.reports.audit.readonly"];

const fn of(
    api: Api,
    (method, template): (&'static str, &'static str),
    scopes: &'static [&'static str],
    parameters: &'static [&'static str],
    act: Caller,
) -> Operation {
    Operation {
        method,
        template,
        api,
        scopes,
        parameters,
        act,
    }
}

macro_rules! directory {
    ($path:literal) => {
        concat!("/admin/directory/v1", $path)
    };
}

const OPERATIONS: &[Operation] = &[
    of(
        Directory,
        ("GET", directory!("/users")),
        USERS,
        &[
            "customFieldMask",
            "customer",
            "domain",
            "maxResults",
            "orderBy",
            "pageToken",
            "projection",
            "query",
            "showDeleted",
            "sortOrder",
            "viewType",
        ],
        Google::list_users,
    ),
    of(
        Directory,
        ("GET", directory!("/users/{userKey}")),
        USERS,
        &["customFieldMask", "projection", "viewType"],
        Google::get_user,
    ),
    of(
        Directory,
        ("PUT", directory!("/users/{userKey}")),
        USER,
        &[],
        Google::update_user,
    ),
    of(
        Directory,
        ("PATCH", directory!("/users/{userKey}")),
        USER,
        &[],
        Google::update_user,
    ),
    of(
        Directory,
        ("GET", directory!("/users/{userKey}/aliases")),
        ALIASES,
        &[],
        Google::list_aliases,
    ),
    of(
        Directory,
        ("POST", directory!("/users/{userKey}/makeAdmin")),
        USER,
        &[],
        Google::make_admin,
    ),
    of(
        Directory,
        ("POST", directory!("/users/{userKey}/signOut")),
        SECURITY,
        &[],
        Google::sign_out,
    ),
    of(
        Directory,
        ("GET", directory!("/users/{userKey}/tokens")),
        SECURITY,
        &[],
        Google::list_tokens,
    ),
    of(
        Directory,
        ("DELETE", directory!("/users/{userKey}/tokens/{clientId}")),
        SECURITY,
        &[],
        Google::delete_token,
    ),
    of(
        Directory,
        ("GET", directory!("/users/{userKey}/asps")),
        SECURITY,
        &[],
        Google::list_app_passwords,
    ),
    of(
        Directory,
        ("DELETE", directory!("/users/{userKey}/asps/{codeId}")),
        SECURITY,
        &[],
        Google::delete_app_password,
    ),
    of(
        Directory,
        ("GET", directory!("/users/{userKey}/verificationCodes")),
        SECURITY,
        &[],
        Google::list_codes,
    ),
    of(
        Directory,
        (
            "POST",
            directory!("/users/{userKey}/verificationCodes/generate"),
        ),
        SECURITY,
        &[],
        Google::generate_codes,
    ),
    of(
        Directory,
        (
            "POST",
            directory!("/users/{userKey}/verificationCodes/invalidate"),
        ),
        SECURITY,
        &[],
        Google::invalidate_codes,
    ),
    of(
        Directory,
        (
            "POST",
            directory!("/users/{userKey}/twoStepVerification/turnOff"),
        ),
        SECURITY,
        &[],
        Google::turn_off_second_factor,
    ),
    of(
        Directory,
        ("GET", directory!("/customers/{customerKey}")),
        CUSTOMER,
        &[],
        Google::get_customer,
    ),
    of(
        Directory,
        ("GET", directory!("/customer/{customer}/domains")),
        DOMAINS,
        &[],
        Google::list_domains,
    ),
    of(
        Directory,
        ("GET", directory!("/customer/{customer}/domainaliases")),
        DOMAINS,
        &["parentDomainName"],
        Google::list_domain_aliases,
    ),
    of(
        Directory,
        (
            "GET",
            directory!("/customer/{customer}/domains/{domainName}"),
        ),
        DOMAINS,
        &[],
        Google::get_domain,
    ),
    of(
        Directory,
        (
            "GET",
            directory!("/customer/{customer}/domainaliases/{domainAliasName}"),
        ),
        DOMAINS,
        &[],
        Google::get_domain_alias,
    ),
    of(
        Directory,
        ("GET", directory!("/customer/{customer}/orgunits")),
        UNITS,
        &["orgUnitPath", "type"],
        Google::list_units,
    ),
    of(
        Directory,
        ("GET", directory!("/customer/{customer}/roles")),
        ROLES,
        &["maxResults", "pageToken"],
        Google::list_roles,
    ),
    of(
        Directory,
        ("GET", directory!("/customer/{customer}/roleassignments")),
        ROLES,
        &[
            "includeIndirectRoleAssignments",
            "maxResults",
            "pageToken",
            "roleId",
            "userKey",
        ],
        Google::list_assignments,
    ),
    of(
        Directory,
        ("POST", directory!("/customer/{customer}/roleassignments")),
        ROLE,
        &[],
        Google::insert_assignment,
    ),
    of(
        Directory,
        (
            "DELETE",
            directory!("/customer/{customer}/roleassignments/{roleAssignmentId}"),
        ),
        ROLE,
        &[],
        Google::delete_assignment,
    ),
    of(
        Directory,
        ("GET", directory!("/groups")),
        GROUPS,
        &["customer", "domain", "maxResults", "pageToken", "userKey"],
        Google::list_groups,
    ),
    of(
        Directory,
        ("GET", directory!("/groups/{groupKey}/members")),
        MEMBERS,
        &["maxResults", "pageToken"],
        Google::list_members,
    ),
    of(
        Reports,
        (
            "GET",
            "/admin/reports/v1/activity/users/{userKey}/applications/{applicationName}",
        ),
        AUDIT,
        &[
            "actorIpAddress",
            "applicationInfoFilter",
            "customerId",
            "endTime",
            "eventName",
            "filters",
            "groupIdFilter",
            "maxResults",
            "networkInfoFilter",
            "orgUnitID",
            "pageToken",
            "startTime",
            "statusFilter",
        ],
        Google::list_activities,
    ),
    of(
        Reports,
        ("GET", "/admin/reports/v1/usage/dates/{date}"),
        USAGE,
        &["customerId", "pageToken", "parameters"],
        Google::customer_usage,
    ),
    of(
        Reports,
        (
            "GET",
            "/admin/reports/v1/usage/users/{userKey}/dates/{date}",
        ),
        USAGE,
        &["customerId", "maxResults", "pageToken", "parameters"],
        Google::user_usage,
    ),
    of(
        Policy,
        ("GET", "/v1/policies"),
        POLICIES,
        &["filter", "pageSize", "pageToken"],
        Google::list_policies,
    ),
    of(
        Alerts,
        ("GET", "/v1beta1/alerts"),
        ALERTS,
        &["customerId", "filter", "orderBy", "pageSize", "pageToken"],
        Google::list_alerts,
    ),
];

/// The method of this name and path, or `None` where Google has no such.
pub(crate) fn find(method: &Method, path: &[String]) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|it| it.method == method.as_str() && it.fits(path).is_some())
}

/// Whether there is such a scope.
pub(crate) fn knows_scope(name: &str) -> bool {
    let opens = |it: &Operation| it.scopes.contains(&name);
    OTHERS.contains(&name) || OPERATIONS.iter().any(opens)
}

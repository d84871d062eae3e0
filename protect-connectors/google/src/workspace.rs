//! The parts of a snapshot that the checks read, and which scope opens each
//! ([scopes](https://developers.google.com/identity/protocols/oauth2/scopes)).

use protect_core::model::NotEvaluatedReason;
use protect_core::posture::{Bodies, Format, Paging, Read, Reader, Resource, VendorError};

pub(crate) const USERS: &str = "users";
pub(crate) const DOMAINS: &str = "domains";
pub(crate) const DOMAIN_ALIASES: &str = "domain_aliases";
pub(crate) const ORG_UNITS: &str = "orgunits";
pub(crate) const GROUPS: &str = "groups";
pub(crate) const ROLES: &str = "roles";
pub(crate) const ROLE_ASSIGNMENTS: &str = "role_assignments";
pub(crate) const POLICIES: &str = "policies";
pub(crate) const ADMIN_LOG: &str = "activities/admin";
/// What was last seen of settings, from earlier logs: not Google's, but ours.
pub(crate) const HISTORY: &str = "setting_history";
/// What DNS answers for a name; no scope of Google's opens it.
pub(crate) const DNS: &str = "dns/{id}";

/// How a snapshot of Google Workspace is written.
pub static FORMAT: Format = Format {
    provider: crate::KIND,
    tenant_field: "customer_id",
    bodies: Bodies::Fields {
        single: &[
            USERS,
            DOMAINS,
            DOMAIN_ALIASES,
            ORG_UNITS,
            GROUPS,
            ROLES,
            ROLE_ASSIGNMENTS,
            POLICIES,
            HISTORY,
        ],
        several: &["activities", "dns"],
    },
    // `domainAliases` is not among them: a domain has a field of that name.
    items: &[
        "users",
        "domains",
        "organizationUnits",
        "groups",
        "items",
        "policies",
        "TXT",
    ],
    aliases: &[],
    // A part is the whole collection. A reply that names a next page is only its beginning.
    paging: Some(Paging {
        field: "nextPageToken",
        path: |_| None,
    }),
    version: 1,
};

macro_rules! scope {
    ($name:literal) => {
        concat!("https://www.googleapis.com/auth/", $name)
    };
}

/// Every part, and the scopes that open it: the narrowest first.
pub(crate) const RESOURCES: &[Resource] = &[
    opened(
        USERS,
        &[
            scope!("admin.directory.user.readonly"),
            scope!("admin.directory.user"),
        ],
    ),
    opened(DOMAINS, DOMAIN_SCOPES),
    opened(DOMAIN_ALIASES, DOMAIN_SCOPES),
    opened(
        ORG_UNITS,
        &[
            scope!("admin.directory.orgunit.readonly"),
            scope!("admin.directory.orgunit"),
        ],
    ),
    opened(
        GROUPS,
        &[
            scope!("admin.directory.group.readonly"),
            scope!("admin.directory.group"),
        ],
    ),
    opened(ROLES, ROLE_SCOPES),
    opened(ROLE_ASSIGNMENTS, ROLE_SCOPES),
    opened(
        POLICIES,
        &[
            scope!("cloud-identity.policies.readonly"),
            scope!("cloud-identity.policies"),
        ],
    ),
    opened(ADMIN_LOG, &[scope!("admin.reports.audit.readonly")]),
    opened(HISTORY, &[]),
    opened(DNS, &[]),
];

const DOMAIN_SCOPES: &[&str] = &[
    scope!("admin.directory.domain.readonly"),
    scope!("admin.directory.domain"),
];
const ROLE_SCOPES: &[&str] = &[
    scope!("admin.directory.rolemanagement.readonly"),
    scope!("admin.directory.rolemanagement"),
];

const fn opened(path: &'static str, permissions: &'static [&'static str]) -> Resource {
    Resource { path, permissions }
}

/// What an error of Google means. A refusal for want of a scope or of an administrator's privilege is
/// a permission that is missing; a quota or an interface that is switched off is trouble
/// ([errors](https://developers.google.com/workspace/admin/directory/v1/limits)).
pub(crate) fn vendor_error(error: &VendorError) -> NotEvaluatedReason {
    let said = format!("{} {}", error.code, error.message).to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let trouble = any(&[
        "quota",
        "ratelimit",
        "rate limit",
        "accessnotconfigured",
        "has not been used in project",
        "service_disabled",
        "it is disabled",
    ]);
    let refused = any(&[
        "forbidden",
        "permission",
        "access_denied",
        "unauthorized_client",
        "admin_policy_enforced",
        "not authorized",
        "403",
    ]);
    if refused && !trouble {
        NotEvaluatedReason::MissingPermission
    } else {
        NotEvaluatedReason::VendorError
    }
}

/// No check asks for an edition of Google Workspace.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the table asks for a function that reads"
)]
pub(crate) fn licensed(_: &Reader<'_>, _: &[&str]) -> Read<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use NotEvaluatedReason as Reason;

    use super::*;

    #[test]
    fn an_error_of_google_says_whether_a_permission_is_missing() {
        for (code, message, reason) in [
            (
                "forbidden",
                "Not Authorized to access this resource/api",
                Reason::MissingPermission,
            ),
            ("access_denied", "", Reason::MissingPermission),
            (
                "PERMISSION_DENIED",
                "The caller does not have permission",
                Reason::MissingPermission,
            ),
            ("403", "", Reason::MissingPermission),
            ("quotaExceeded", "", Reason::VendorError),
            (
                "403",
                "Quota exceeded for quota metric",
                Reason::VendorError,
            ),
            ("accessNotConfigured", "", Reason::VendorError),
            (
                "PERMISSION_DENIED",
                "Admin SDK API has not been used in project 1",
                Reason::VendorError,
            ),
            ("notFound", "", Reason::VendorError),
            ("SERVFAIL", "", Reason::VendorError),
            ("", "", Reason::VendorError),
        ] {
            let error = VendorError {
                code: code.to_owned(),
                message: message.to_owned(),
            };
            assert_eq!(vendor_error(&error), reason, "{code} {message}");
        }
    }
}

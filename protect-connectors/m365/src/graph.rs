//! The paths of Microsoft Graph v1.0 that the checks read, and which permission opens each
//! ([permissions reference](https://learn.microsoft.com/graph/permissions-reference)).

use protect_core::model::NotEvaluatedReason;
use protect_core::posture::{Bodies, Format, Paging, Read, Reader, Resource, VendorError};
use serde::Deserialize;

use crate::id::Name;

pub(crate) const SKUS: &str = "/subscribedSkus";
pub(crate) const USERS: &str = "/users";
pub(crate) const SIGN_IN_ACTIVITY: &str = "/users#signInActivity";
pub(crate) const REGISTRATIONS: &str = "/reports/authenticationMethods/userRegistrationDetails";
pub(crate) const CA: &str = "/identity/conditionalAccess/policies";
pub(crate) const NAMED_LOCATIONS: &str = "/identity/conditionalAccess/namedLocations";
pub(crate) const STRENGTHS: &str = "/policies/authenticationStrengthPolicies";
pub(crate) const SECURITY_DEFAULTS: &str = "/policies/identitySecurityDefaultsEnforcementPolicy";
pub(crate) const AUTHORIZATION: &str = "/policies/authorizationPolicy";
pub(crate) const AUTH_METHODS: &str = "/policies/authenticationMethodsPolicy";
pub(crate) const ADMIN_CONSENT: &str = "/policies/adminConsentRequestPolicy";
pub(crate) const APP_MANAGEMENT: &str = "/policies/defaultAppManagementPolicy";
pub(crate) const APP_MANAGEMENT_CUSTOM: &str = "/policies/appManagementPolicies";
pub(crate) const GROUP_SETTINGS: &str = "/groupSettings";
pub(crate) const DOMAINS: &str = "/domains";
pub(crate) const OBJECTS: &str = "/directoryObjects/getByIds";
pub(crate) const ROLES: &str = "/directoryRoles";
pub(crate) const ROLE_MEMBERS: &str = "/directoryRoles/{id}/members";
pub(crate) const ROLE_ASSIGNMENTS: &str = "/roleManagement/directory/roleAssignments";
pub(crate) const ROLE_DEFINITIONS: &str = "/roleManagement/directory/roleDefinitions";
pub(crate) const GROUP_MEMBERS: &str = "/groups/{id}/transitiveMembers";
pub(crate) const ACTIVE_INSTANCES: &str =
    "/roleManagement/directory/roleAssignmentScheduleInstances";
pub(crate) const ELIGIBLE_INSTANCES: &str =
    "/roleManagement/directory/roleEligibilityScheduleInstances";
pub(crate) const ROLE_POLICIES: &str = "/policies/roleManagementPolicyAssignments";
pub(crate) const APPLICATIONS: &str = "/applications";
pub(crate) const APPLICATION_OWNERS: &str = "/applications/{id}/owners";
pub(crate) const PRINCIPALS: &str = "/servicePrincipals";
pub(crate) const PRINCIPAL_OWNERS: &str = "/servicePrincipals/{id}/owners";
pub(crate) const PRINCIPAL_ROLES: &str = "/servicePrincipals/{id}/appRoleAssignments";
pub(crate) const CLASSIFICATIONS: &str =
    "/servicePrincipals/{id}/delegatedPermissionClassifications";
pub(crate) const GRANTS: &str = "/oauth2PermissionGrants";
pub(crate) const ACTIVE_USERS: &str = "/reports/getOffice365ActiveUserDetail(period='D180')";

/// How a snapshot of Microsoft 365 is written.
pub static FORMAT: Format = Format {
    provider: crate::KIND,
    tenant_field: "tenant_id",
    bodies: Bodies::Under("resources"),
    items: &["value"],
    aliases: &[
        ("/policies/conditionalAccessPolicies", CA),
        (
            "/identity/conditionalAccess/authenticationStrength/policies",
            STRENGTHS,
        ),
        (
            "/identity/conditionalAccess/authenticationStrengths/policies",
            STRENGTHS,
        ),
        ("/settings", GROUP_SETTINGS),
    ],
    paging: Some(Paging {
        field: "@odata.nextLink",
        path: next_page,
    }),
    version: 1,
};

const DIRECTORY: &str = "Directory.Read.All";
const POLICY: &str = "Policy.Read.All";
const AUDIT: &str = "AuditLog.Read.All";
const ROLE_MANAGEMENT: &str = "RoleManagement.Read.Directory";

/// Every path, and the permissions that open it: the widest that the product asks for first.
pub(crate) const RESOURCES: &[Resource] = &[
    opened(
        SKUS,
        &[
            DIRECTORY,
            "Organization.Read.All",
            "LicenseAssignment.Read.All",
        ],
    ),
    opened(USERS, &[DIRECTORY, "User.Read.All"]),
    opened(SIGN_IN_ACTIVITY, &[AUDIT]),
    opened(REGISTRATIONS, &[AUDIT]),
    opened(CA, &[POLICY, "Policy.Read.ConditionalAccess"]),
    opened(NAMED_LOCATIONS, &[POLICY, "Policy.Read.ConditionalAccess"]),
    opened(STRENGTHS, &[POLICY, "Policy.Read.AuthenticationMethod"]),
    opened(SECURITY_DEFAULTS, &[POLICY]),
    opened(AUTHORIZATION, &[POLICY]),
    opened(AUTH_METHODS, &[POLICY, "Policy.Read.AuthenticationMethod"]),
    opened(ADMIN_CONSENT, &[POLICY]),
    opened(APP_MANAGEMENT, &[POLICY]),
    opened(APP_MANAGEMENT_CUSTOM, &[POLICY]),
    opened(GROUP_SETTINGS, &[DIRECTORY, "GroupSettings.Read.All"]),
    opened(DOMAINS, &[DIRECTORY, "Domain.Read.All"]),
    opened(OBJECTS, &[DIRECTORY]),
    opened(ROLES, &[DIRECTORY, ROLE_MANAGEMENT]),
    opened(ROLE_MEMBERS, &[DIRECTORY, ROLE_MANAGEMENT]),
    opened(ROLE_ASSIGNMENTS, &[DIRECTORY, ROLE_MANAGEMENT]),
    opened(ROLE_DEFINITIONS, &[DIRECTORY, ROLE_MANAGEMENT]),
    opened(GROUP_MEMBERS, &[DIRECTORY, "GroupMember.Read.All"]),
    opened(
        ACTIVE_INSTANCES,
        &[ROLE_MANAGEMENT, "RoleAssignmentSchedule.Read.Directory"],
    ),
    opened(
        ELIGIBLE_INSTANCES,
        &[ROLE_MANAGEMENT, "RoleEligibilitySchedule.Read.Directory"],
    ),
    // Three sources name three permissions; any of them is believed.
    opened(
        ROLE_POLICIES,
        &[
            ROLE_MANAGEMENT,
            "RoleManagementPolicy.Read.Directory",
            "RoleManagementPolicy.Read.AzureADGroup",
        ],
    ),
    opened(APPLICATIONS, &[DIRECTORY, "Application.Read.All"]),
    opened(APPLICATION_OWNERS, &[DIRECTORY, "Application.Read.All"]),
    opened(PRINCIPALS, &[DIRECTORY, "Application.Read.All"]),
    opened(PRINCIPAL_OWNERS, &[DIRECTORY, "Application.Read.All"]),
    opened(PRINCIPAL_ROLES, &[DIRECTORY, "Application.Read.All"]),
    opened(CLASSIFICATIONS, &[DIRECTORY, "Application.Read.All"]),
    opened(GRANTS, &[DIRECTORY]),
    opened(ACTIVE_USERS, &["Reports.Read.All"]),
];

const fn opened(path: &'static str, permissions: &'static [&'static str]) -> Resource {
    Resource { path, permissions }
}

/// The roots of Graph in Microsoft's clouds.
const ROOTS: [&str; 4] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
];

/// Where the page of a link lies: its path and query without the version. A link to a host that is
/// neither Graph nor this machine is refused.
fn next_page(link: &str) -> Option<String> {
    let local = match link.split_once("://") {
        None => link,
        Some((_, rest)) => {
            let (host, _) = rest.split_once('/')?;
            let name = host.split(':').next().unwrap_or_default();
            let here = matches!(name, "localhost" | "127.0.0.1") || host.starts_with("[::1]");
            if !here && !ROOTS.contains(&name.to_ascii_lowercase().as_str()) {
                return None;
            }
            rest.get(host.len()..)?
        }
    };
    let path = local
        .strip_prefix("/v1.0")
        .or_else(|| local.strip_prefix("/beta"))
        .unwrap_or(local);
    path.starts_with('/').then(|| path.to_owned())
}

/// What an error of Graph means: a permission that is missing, a licence that is missing, or trouble.
pub(crate) fn vendor_error(error: &VendorError) -> NotEvaluatedReason {
    let said = format!("{} {}", error.code, error.message).to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if any(&["license", "licence", "premium", "licensing"]) {
        NotEvaluatedReason::MissingLicence
    } else if any(&[
        "authorization_requestdenied",
        "accessdenied",
        "forbidden",
        "insufficient privileges",
    ]) {
        NotEvaluatedReason::MissingPermission
    } else {
        NotEvaluatedReason::VendorError
    }
}

/// Whether the tenant has one of these service plans, switched on.
pub(crate) fn licensed(read: &Reader<'_>, plans: &[&str]) -> Read<bool> {
    let mut found = false;
    read.each(SKUS, |sku: Sku| {
        let in_use = sku
            .capability_status
            .is_none_or(|status| status.is("Enabled") || status.is("Warning"));
        let has = sku.service_plans.iter().any(|plan| {
            let on = plan
                .provisioning_status
                .as_ref()
                .is_none_or(|it| it.is("Success"));
            on && plan.service_plan_name.is_in(plans)
        });
        found |= in_use && has;
    })?;
    Ok(found)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    capability_status: Option<Name>,
    #[serde(default)]
    service_plans: Vec<Plan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    service_plan_name: Name,
    provisioning_status: Option<Name>,
}

#[cfg(test)]
mod tests {
    use NotEvaluatedReason as Reason;

    use super::*;

    #[test]
    fn the_next_page_lies_under_its_path_and_query_and_never_at_another_host() {
        let path = |link| next_page(link);
        let page = Some("/users?$skiptoken=AbC".to_owned());
        assert_eq!(
            path("https://graph.microsoft.com/v1.0/users?$skiptoken=AbC"),
            page
        );
        assert_eq!(
            path("http://127.0.0.1:8080/v1.0/users?$skiptoken=AbC"),
            page
        );
        assert_eq!(path("/users?$skiptoken=AbC"), page);
        assert_eq!(
            path("https://graph.microsoft.com.evil.example/v1.0/users"),
            None
        );
        assert_eq!(path("https://evil.example/v1.0/users"), None);
        assert_eq!(path("users"), None);
    }

    #[test]
    fn an_error_of_graph_says_what_is_missing() {
        let of = |code: &str, message: &str| {
            vendor_error(&VendorError {
                code: code.to_owned(),
                message: message.to_owned(),
            })
        };
        assert_eq!(
            of("Authorization_RequestDenied", ""),
            Reason::MissingPermission
        );
        assert_eq!(
            of("Authentication_RequestFromNonPremiumTenantOrB2CTenant", ""),
            Reason::MissingLicence
        );
        assert_eq!(
            of("Forbidden", "Your tenant is not licensed: no Premium"),
            Reason::MissingLicence
        );
        assert_eq!(of("TooManyRequests", "slow down"), Reason::VendorError);
        assert_eq!(of("", ""), Reason::VendorError);
    }
}

//! The table of operations: every path of Graph v1.0 that the sandbox answers.

use axum::http::Method;

use super::{
    Graph,
    operation::{Act, Licence, Operation, Query},
    throttle::Service,
    users,
};

/// The operation of this method and path, or `None` where Graph has no such.
pub(crate) fn find(method: &Method, path: &[String]) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|it| it.method == method.as_str() && it.fits(path).is_some())
}

const DIRECTORY: &str = "Directory.Read.All";
const POLICY: &str = "Policy.Read.All";
const AUDIT: &str = "AuditLog.Read.All";
const ROLES: &[&str] = &["RoleManagement.Read.Directory", DIRECTORY];
const USERS: &[&str] = &["User.Read.All", "User.ReadWrite.All", DIRECTORY, WRITE];
const GROUPS: &[&str] = &["Group.Read.All", "GroupMember.Read.All", DIRECTORY];
const APPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    DIRECTORY,
];
const WRITE: &str = "Directory.ReadWrite.All";
const APP_WRITES: &[&str] = &["Application.ReadWrite.All"];
const GRANT_READS: &[&str] = &[DIRECTORY, WRITE, "DelegatedPermissionGrant.ReadWrite.All"];
const GRANT_WRITES: &[&str] = &["DelegatedPermissionGrant.ReadWrite.All", WRITE];
const ASSIGNMENT_WRITES: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const CA: &[&str] = &[
    POLICY,
    "Policy.Read.ConditionalAccess",
    "Policy.ReadWrite.ConditionalAccess",
];
const METHOD_POLICY: &[&str] = &[
    POLICY,
    "Policy.Read.AuthenticationMethod",
    "Policy.ReadWrite.AuthenticationMethod",
];
const METHODS: &[&str] = &[
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
];
const RISKY: &[&str] = &[
    "IdentityRiskyUser.Read.All",
    "IdentityRiskyUser.ReadWrite.All",
];
const RISK_WRITES: &[&str] = &["IdentityRiskyUser.ReadWrite.All"];
const SCORES: &[&str] = &["SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"];
const ALERTS: &[&str] = &["SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"];

/// Nothing but `$select`.
pub(super) const ITEM: Query = Query {
    select: true,
    filter: &[],
    order: &[],
    expand: &[],
    top: 0,
    page: 0,
    skip: false,
    count: false,
    eventual: false,
    delta: false,
    defaults: None,
};
/// Directory objects.
const OBJECTS: Query = Query {
    top: 999,
    page: 100,
    count: true,
    eventual: true,
    ..ITEM
};
const USER_LIST: Query = Query {
    filter: &[
        "id",
        "accountEnabled",
        "userType",
        "userPrincipalName",
        "mail",
        "displayName",
        "onPremisesSyncEnabled",
    ],
    defaults: Some(users::DEFAULTS),
    ..OBJECTS
};
const DELTA: Query = Query {
    delta: true,
    page: 200,
    defaults: Some(users::DEFAULTS),
    ..ITEM
};
const APP_LIST: Query = Query {
    filter: &[
        "id",
        "appId",
        "displayName",
        "servicePrincipalType",
        "accountEnabled",
    ],
    ..OBJECTS
};
const GROUP_LIST: Query = Query {
    filter: &["id", "displayName", "isAssignableToRole"],
    ..OBJECTS
};
const GRANT_LIST: Query = Query {
    filter: &["clientId", "principalId", "consentType", "resourceId"],
    ..OBJECTS
};
const POLICIES: Query = Query {
    filter: &["id", "displayName", "state"],
    top: 999,
    page: 100,
    count: true,
    ..ITEM
};
const ROLE_LIST: Query = Query {
    filter: &[
        "principalId",
        "roleDefinitionId",
        "directoryScopeId",
        "templateId",
        "id",
    ],
    expand: &["principal", "roleDefinition", "principal,roleDefinition"],
    ..OBJECTS
};
/// Privileged Identity Management pages by fifty.
const SCHEDULES: Query = Query {
    page: 50,
    eventual: false,
    ..ROLE_LIST
};
const ROLE_POLICIES: Query = Query {
    filter: &["scopeId", "scopeType", "roleDefinitionId"],
    expand: &[
        "policy",
        "policy($expand=rules)",
        "policy($expand=rules,effectiveRules)",
    ],
    page: 50,
    top: 999,
    ..ITEM
};
const REGISTRATIONS: Query = Query {
    select: false,
    filter: &[
        "id",
        "userPrincipalName",
        "userType",
        "isAdmin",
        "isMfaCapable",
        "isMfaRegistered",
    ],
    order: &["userPrincipalName", "userDisplayName"],
    page: 1000,
    ..ITEM
};
const LOGS: Query = Query {
    filter: &[
        "id",
        "createdDateTime",
        "activityDateTime",
        "userId",
        "userPrincipalName",
        "appId",
        "clientAppUsed",
        "category",
        "isInteractive",
    ],
    order: &["createdDateTime", "activityDateTime"],
    top: 1000,
    page: 1000,
    ..ITEM
};
const RISKS: Query = Query {
    filter: &[
        "id",
        "riskLevel",
        "riskState",
        "riskEventType",
        "userId",
        "userPrincipalName",
        "detectedDateTime",
        "lastUpdatedDateTime",
        "riskLastUpdatedDateTime",
        "isDeleted",
    ],
    order: &["riskLastUpdatedDateTime", "detectedDateTime"],
    top: 500,
    page: 100,
    ..ITEM
};
const ALERT_LIST: Query = Query {
    filter: &[
        "createdDateTime",
        "lastUpdateDateTime",
        "severity",
        "status",
        "serviceSource",
        "assignedTo",
    ],
    order: &["createdDateTime", "lastUpdateDateTime"],
    top: 2000,
    page: 100,
    skip: true,
    count: true,
    ..ITEM
};
const SCORE_LIST: Query = Query {
    select: false,
    filter: &["createdDateTime", "vendorInformation/provider", "id"],
    top: 999,
    page: 100,
    skip: true,
    count: true,
    ..ITEM
};

const fn read(template: &'static str, permissions: &'static [&'static str], act: Act) -> Operation {
    Operation {
        method: "GET",
        template,
        permissions,
        service: Service::Directory,
        licence: None,
        cost: 1,
        act,
    }
}

const fn change(
    method: &'static str,
    template: &'static str,
    permissions: &'static [&'static str],
    act: super::operation::Caller,
) -> Operation {
    Operation {
        method,
        ..read(template, permissions, Call(act, ITEM))
    }
}

impl Operation {
    const fn costs(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    const fn of(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    const fn licensed(mut self, licence: Licence) -> Self {
        self.licence = Some(licence);
        self
    }
}

const fn children(of: &'static str, by: &'static str, query: Query) -> Act {
    Act::Children { of, by, query }
}

use Act::{Call, Item, Single, Stored};
use Licence::{Premium, Privileged, Protection};
use Service::{Other, Protection as Guarded, Reports};

const OPERATIONS: &[Operation] = &[
    // The tenant.
    read(
        "/organization",
        &["Organization.Read.All", DIRECTORY],
        Stored("organization", ITEM),
    ),
    read(
        "/subscribedSkus",
        &[
            "LicenseAssignment.Read.All",
            "Organization.Read.All",
            DIRECTORY,
        ],
        Stored("subscribedSkus", ITEM),
    )
    .costs(3),
    read(
        "/domains",
        &["Domain.Read.All", DIRECTORY],
        Stored("domains", POLICIES),
    ),
    read(
        "/domains/{id}",
        &["Domain.Read.All", DIRECTORY],
        Item("domains", "id"),
    ),
    change(
        "PATCH",
        "/domains/{id}",
        &["Domain.ReadWrite.All"],
        Graph::patch_domain,
    ),
    read(
        "/groupSettings",
        &["GroupSettings.Read.All", DIRECTORY],
        Stored("groupSettings", ITEM),
    ),
    read(
        "/directory/onPremisesSynchronization",
        &["OnPremDirectorySynchronization.Read.All"],
        Stored("onPremisesSynchronization", ITEM),
    ),
    read(
        "/devices",
        &["Device.Read.All", DIRECTORY],
        Stored("devices", GROUP_LIST),
    ),
    read(
        "/devices/{id}/registeredOwners",
        &["Device.Read.All", DIRECTORY],
        children("deviceOwners", "_device", OBJECTS),
    ),
    // Users.
    read("/users", USERS, Call(Graph::list_users, USER_LIST)).costs(2),
    read("/users/$count", USERS, Call(Graph::count_users, USER_LIST)),
    read("/users/delta", USERS, Call(Graph::users_delta, DELTA)).costs(2),
    read("/users/{id}", USERS, Call(Graph::get_user, ITEM)),
    change("PATCH", "/users/{id}", &[], Graph::patch_user),
    change(
        "POST",
        "/users/{id}/revokeSignInSessions",
        &["User.RevokeSessions.All", "User.ReadWrite.All", WRITE],
        Graph::revoke_sessions,
    ),
    read(
        "/users/{id}/authentication/methods",
        METHODS,
        Call(Graph::methods_of_user, ITEM),
    ),
    change(
        "POST",
        "/users/{id}/authentication/temporaryAccessPassMethods",
        &[
            "UserAuthMethod-TAP.ReadWrite.All",
            "UserAuthenticationMethod.ReadWrite.All",
        ],
        Graph::create_pass,
    ),
    change(
        "DELETE",
        "/users/{id}/authentication/{collection}/{method}",
        &[],
        Graph::delete_method,
    ),
    read(
        "/users/{id}/oauth2PermissionGrants",
        GRANT_READS,
        children("oauth2PermissionGrants", "principalId", GRANT_LIST),
    ),
    read(
        "/users/{id}/appRoleAssignments",
        APPS,
        children("appRoleAssignments", "principalId", OBJECTS),
    ),
    // Groups and other objects.
    read("/groups", GROUPS, Stored("groups", GROUP_LIST)),
    read("/groups/{id}", GROUPS, Item("groups", "id")),
    read(
        "/groups/{id}/members",
        GROUPS,
        Call(Graph::group_members, OBJECTS),
    )
    .costs(3),
    read(
        "/groups/{id}/transitiveMembers",
        GROUPS,
        Call(Graph::group_members, OBJECTS),
    )
    .costs(5),
    Operation {
        method: "POST",
        ..read(
            "/directoryObjects/getByIds",
            &[DIRECTORY, WRITE],
            Call(Graph::get_by_ids, ITEM),
        )
        .costs(3)
    },
    // Roles.
    read("/directoryRoles", ROLES, Stored("directoryRoles", ITEM)),
    read(
        "/directoryRoles/{id}/members",
        ROLES,
        Call(Graph::role_members, OBJECTS),
    ),
    read(
        "/roleManagement/directory/roleDefinitions",
        ROLES,
        Stored("roleDefinitions", ROLE_LIST),
    ),
    read(
        "/roleManagement/directory/roleAssignments",
        ROLES,
        Call(Graph::role_assignments, ROLE_LIST),
    ),
    read(
        "/roleManagement/directory/roleAssignments/{id}",
        ROLES,
        Item("roleAssignments", "id"),
    ),
    change(
        "POST",
        "/roleManagement/directory/roleAssignments",
        &["RoleManagement.ReadWrite.Directory"],
        Graph::assign_role,
    ),
    change(
        "DELETE",
        "/roleManagement/directory/roleAssignments/{id}",
        &["RoleManagement.ReadWrite.Directory"],
        Graph::remove_role,
    ),
    read(
        "/roleManagement/directory/roleAssignmentScheduleInstances",
        &[
            "RoleManagement.Read.Directory",
            "RoleAssignmentSchedule.Read.Directory",
        ],
        Stored("roleAssignmentScheduleInstances", SCHEDULES),
    )
    .licensed(Privileged),
    read(
        "/roleManagement/directory/roleEligibilityScheduleInstances",
        &[
            "RoleManagement.Read.Directory",
            "RoleEligibilitySchedule.Read.Directory",
        ],
        Stored("roleEligibilityScheduleInstances", SCHEDULES),
    )
    .licensed(Privileged),
    read(
        "/policies/roleManagementPolicyAssignments",
        &[
            "RoleManagement.Read.Directory",
            "RoleManagementPolicy.Read.Directory",
            "RoleManagementPolicy.Read.AzureADGroup",
        ],
        Call(Graph::role_policies, ROLE_POLICIES),
    )
    .licensed(Privileged),
    // Applications.
    read("/applications", APPS, Stored("applications", APP_LIST)).costs(2),
    read("/applications/{id}", APPS, Item("applications", "id")),
    read(
        "/applications/{id}/owners",
        APPS,
        children("applicationOwners", "_application", OBJECTS),
    ),
    change(
        "POST",
        "/applications/{id}/removePassword",
        APP_WRITES,
        Graph::remove_password,
    ),
    read(
        "/servicePrincipals",
        APPS,
        Stored("servicePrincipals", APP_LIST),
    ),
    read(
        "/servicePrincipals(appId='{id}')",
        APPS,
        Item("servicePrincipals", "appId"),
    ),
    read(
        "/servicePrincipals/{id}",
        APPS,
        Item("servicePrincipals", "id"),
    ),
    change(
        "PATCH",
        "/servicePrincipals/{id}",
        APP_WRITES,
        Graph::patch_principal,
    ),
    read(
        "/servicePrincipals/{id}/owners",
        APPS,
        children("principalOwners", "_principal", OBJECTS),
    ),
    read(
        "/servicePrincipals/{id}/appRoleAssignments",
        APPS,
        children("appRoleAssignments", "principalId", OBJECTS),
    )
    .costs(2),
    change(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignments/{assignment}",
        ASSIGNMENT_WRITES,
        Graph::delete_app_role,
    ),
    change(
        "DELETE",
        "/users/{id}/appRoleAssignments/{assignment}",
        ASSIGNMENT_WRITES,
        Graph::delete_app_role,
    ),
    read(
        "/servicePrincipals/{id}/delegatedPermissionClassifications",
        APPS,
        children("delegatedPermissionClassifications", "_principal", OBJECTS),
    ),
    read(
        "/oauth2PermissionGrants",
        GRANT_READS,
        Stored("oauth2PermissionGrants", GRANT_LIST),
    )
    .costs(2),
    change(
        "DELETE",
        "/oauth2PermissionGrants/{id}",
        GRANT_WRITES,
        Graph::delete_grant,
    ),
    // Policies.
    read(
        "/identity/conditionalAccess/policies",
        CA,
        Stored("conditionalAccessPolicies", POLICIES),
    )
    .of(Guarded),
    read(
        "/policies/conditionalAccessPolicies",
        CA,
        Stored("conditionalAccessPolicies", POLICIES),
    )
    .of(Guarded),
    read(
        "/identity/conditionalAccess/policies/{id}",
        CA,
        Item("conditionalAccessPolicies", "id"),
    )
    .of(Guarded),
    change(
        "POST",
        "/identity/conditionalAccess/policies",
        &["Policy.ReadWrite.ConditionalAccess"],
        Graph::create_policy,
    )
    .of(Guarded)
    .licensed(Premium),
    read(
        "/identity/conditionalAccess/namedLocations",
        CA,
        Stored("namedLocations", POLICIES),
    )
    .of(Guarded),
    read(
        "/policies/authenticationStrengthPolicies",
        METHOD_POLICY,
        Stored("authenticationStrengthPolicies", POLICIES),
    ),
    read(
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        &[POLICY],
        Single("securityDefaults"),
    ),
    change(
        "PATCH",
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        &["Policy.ReadWrite.SecurityDefaults"],
        Graph::patch_security_defaults,
    ),
    read(
        "/policies/authorizationPolicy",
        &[POLICY, "Policy.ReadWrite.Authorization"],
        Single("authorizationPolicy"),
    ),
    change(
        "PATCH",
        "/policies/authorizationPolicy",
        &["Policy.ReadWrite.Authorization"],
        Graph::patch_authorization,
    ),
    read(
        "/policies/authenticationMethodsPolicy",
        METHOD_POLICY,
        Call(Graph::method_policy, ITEM),
    ),
    read(
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{id}",
        METHOD_POLICY,
        Item("authenticationMethodConfigurations", "id"),
    ),
    change(
        "PATCH",
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{id}",
        &["Policy.ReadWrite.AuthenticationMethod"],
        Graph::patch_method_policy,
    ),
    read(
        "/policies/adminConsentRequestPolicy",
        &[POLICY, "Policy.ReadWrite.ConsentRequest"],
        Single("adminConsentRequestPolicy"),
    ),
    change(
        "PUT",
        "/policies/adminConsentRequestPolicy",
        &["Policy.ReadWrite.ConsentRequest"],
        Graph::put_consent_policy,
    ),
    read(
        "/policies/crossTenantAccessPolicy/default",
        &[POLICY],
        Single("crossTenantDefault"),
    ),
    read(
        "/policies/crossTenantAccessPolicy/partners",
        &[POLICY],
        Stored("crossTenantPartners", POLICIES),
    ),
    read(
        "/policies/defaultAppManagementPolicy",
        &[POLICY],
        Single("defaultAppManagementPolicy"),
    ),
    read(
        "/policies/appManagementPolicies",
        &[POLICY],
        Stored("appManagementPolicies", POLICIES),
    ),
    read(
        "/policies/appManagementPolicies/{id}/appliesTo",
        &[POLICY],
        children("appManagementTargets", "_policy", POLICIES),
    ),
    read(
        "/policies/activityBasedTimeoutPolicies",
        &[POLICY],
        Stored("activityBasedTimeoutPolicies", POLICIES),
    ),
    read(
        "/policies/deviceRegistrationPolicy",
        &["Policy.Read.DeviceConfiguration"],
        Single("deviceRegistrationPolicy"),
    ),
    read(
        "/policies/permissionGrantPolicies",
        &["Policy.Read.PermissionGrant"],
        Stored("permissionGrantPolicies", POLICIES),
    ),
    read(
        "/admin/sharepoint/settings",
        &[
            "SharePointTenantSettings.Read.All",
            "SharePointTenantSettings.ReadWrite.All",
        ],
        Single("sharepointSettings"),
    )
    .of(Other),
    change(
        "PATCH",
        "/admin/sharepoint/settings",
        &["SharePointTenantSettings.ReadWrite.All"],
        Graph::patch_sharepoint,
    )
    .of(Other),
    // Security.
    read(
        "/security/secureScores",
        SCORES,
        Stored("secureScores", SCORE_LIST),
    )
    .of(Other),
    read(
        "/security/secureScoreControlProfiles",
        SCORES,
        Stored("secureScoreControlProfiles", SCORE_LIST),
    )
    .of(Other),
    read("/security/alerts_v2", ALERTS, Stored("alerts", ALERT_LIST)).of(Other),
    read("/security/alerts_v2/{id}", ALERTS, Item("alerts", "id")).of(Other),
    change(
        "PATCH",
        "/security/alerts_v2/{id}",
        &["SecurityAlert.ReadWrite.All"],
        Graph::patch_alert,
    )
    .of(Other),
    read(
        "/identityProtection/riskyUsers",
        RISKY,
        Stored("riskyUsers", RISKS),
    )
    .of(Guarded)
    .licensed(Protection),
    read(
        "/identityProtection/riskyUsers/{id}",
        RISKY,
        Item("riskyUsers", "id"),
    )
    .of(Guarded)
    .licensed(Protection),
    change(
        "POST",
        "/identityProtection/riskyUsers/confirmCompromised",
        RISK_WRITES,
        Graph::confirm_compromised,
    )
    .of(Guarded)
    .licensed(Protection),
    change(
        "POST",
        "/identityProtection/riskyUsers/dismiss",
        RISK_WRITES,
        Graph::dismiss_risk,
    )
    .of(Guarded)
    .licensed(Protection),
    read(
        "/identityProtection/riskDetections",
        &[
            "IdentityRiskEvent.Read.All",
            "IdentityRiskEvent.ReadWrite.All",
        ],
        Stored("riskDetections", RISKS),
    )
    .of(Guarded)
    .licensed(Protection),
    read("/auditLogs/signIns", &[AUDIT], Stored("signIns", LOGS))
        .of(Reports)
        .licensed(Premium),
    read(
        "/auditLogs/directoryAudits",
        &[AUDIT, DIRECTORY],
        Stored("directoryAudits", LOGS),
    )
    .of(Reports),
    read(
        "/reports/authenticationMethods/userRegistrationDetails",
        &[AUDIT],
        Call(Graph::registrations, REGISTRATIONS),
    )
    .of(Reports)
    .licensed(Premium),
    read(
        "/reports/getOffice365ActiveUserDetail(period='{period}')",
        &["Reports.Read.All"],
        Call(Graph::active_users, ITEM),
    )
    .of(Other),
];

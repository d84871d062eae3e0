//! Conditional Access and the other policies.

use super::{ITEM, POLICIES, change, children, read};
use crate::graph::{
    Graph,
    operation::{
        Act::{Call, Item, Single, Stored},
        Licence::Premium,
        Operation,
    },
    throttle::Service::{Other, Protection as Guarded},
};

const POLICY: &str = "Policy.Read.All";
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

pub(super) const OPERATIONS: &[Operation] = &[
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
];

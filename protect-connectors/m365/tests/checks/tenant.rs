//! A tenant in which every check passes, and what changes it.

use protect_core::model::{CheckResult, NotEvaluatedReason, Verdict};
use protect_core::posture::Profile;
use protect_core::testing::posture;
use protect_m365::CATALOGUE;
use serde_json::{Value, json};

pub(crate) const CA: &str = "/identity/conditionalAccess/policies";
pub(crate) const METHODS: &str = "/policies/authenticationMethodsPolicy";
pub(crate) const AUTHORIZATION: &str = "/policies/authorizationPolicy";
pub(crate) const DEFAULTS: &str = "/policies/identitySecurityDefaultsEnforcementPolicy";
pub(crate) const REGISTRATIONS: &str = "/reports/authenticationMethods/userRegistrationDetails";
pub(crate) const ASSIGNMENTS: &str = "/roleManagement/directory/roleAssignments";
pub(crate) const INSTANCES: &str = "/roleManagement/directory/roleAssignmentScheduleInstances";
pub(crate) const ELIGIBLE: &str = "/roleManagement/directory/roleEligibilityScheduleInstances";
pub(crate) const ROLE_POLICIES: &str = "/policies/roleManagementPolicyAssignments";
pub(crate) const MANAGEMENT: &str = "/policies/defaultAppManagementPolicy";
pub(crate) const EXCEPTIONS: &str = "/policies/appManagementPolicies";
pub(crate) const REPORT: &str = "/reports/getOffice365ActiveUserDetail(period='D180')";

pub(crate) const GLOBAL: &str = "62e90394-69f5-4237-9190-012177145e10";
/// `ScubaGear`'s eight.
pub(crate) const PRIVILEGED: [&str; 8] = [
    GLOBAL,
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
];
/// Prowler's fifteen.
const ADMINISTRATIVE: [&str; 15] = [
    GLOBAL,
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "b0f54661-2d74-4c50-afa3-1ec803f12efe",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
];

/// An object's id.
pub(crate) fn id(number: u64) -> String {
    format!("abcdef00-0000-4000-8000-{number:012x}")
}

/// The emergency account, excluded from every policy that blocks.
pub(crate) const EMERGENCY: u64 = 1;
/// Two global administrators.
pub(crate) const ADMINS: [u64; 2] = [1, 2];
/// Two user administrators, of whom the second comes through a group.
const OPERATORS: [u64; 2] = [3, 4];
/// A guest, a member, and a disabled member.
const OTHERS: [u64; 3] = [5, 6, 7];
pub(crate) const GUEST: u64 = 5;
pub(crate) const MEMBER: u64 = 6;
pub(crate) const DISABLED: u64 = 7;
pub(crate) const GROUP: u64 = 20;
/// A service principal with a privileged role, and its application.
pub(crate) const ROBOT: u64 = 30;
pub(crate) const ROBOT_APP: u64 = 31;
/// Somebody else's application.
pub(crate) const FOREIGN: u64 = 32;
/// Microsoft Graph.
pub(crate) const GRAPH: u64 = 33;

/// A tenant in which every check of the profile `scuba` passes.
pub(crate) fn good() -> Value {
    let emergency = json!({ "excluded_users": [id(EMERGENCY)] });
    let excused: serde_json::Map<_, _> = [
        "m365.ca.legacy_auth_blocked",
        "m365.ca.high_user_risk_blocked",
        "m365.ca.high_signin_risk_blocked",
        "m365.ca.device_code_blocked",
        "m365.ca.auth_transfer_blocked",
        "m365.ca.no_unexcused_exclusions",
    ]
    .into_iter()
    .map(|check| (check.to_owned(), emergency.clone()))
    .collect();
    json!({
        "provider": "m365",
        "cloud": "global",
        "tenant_id": id(99),
        "collected_at": "2026-11-01T00:00:00Z",
        "granted": [
            "Directory.Read.All", "Policy.Read.All", "SecurityEvents.Read.All", "Reports.Read.All",
            "AuditLog.Read.All", "RoleManagement.Read.Directory"
        ],
        "config": { "checks": excused },
        "resources": {
            CA: { "value": policies() },
            DEFAULTS: { "isEnabled": false },
            "/identity/conditionalAccess/namedLocations": { "value": [{
                "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id(80), "isTrusted": true,
                "ipRanges": [{ "cidrAddress": "192.0.2.0/24" }]
            }] },
            "/policies/authenticationStrengthPolicies": { "value": [
                { "id": id(81), "allowedCombinations": ["fido2", "windowsHelloForBusiness"] }
            ] },
            "/subscribedSkus": { "value": [{
                "skuPartNumber": "AAD_PREMIUM_P2", "capabilityStatus": "Enabled", "servicePlans": [
                    { "servicePlanName": "AAD_PREMIUM_P2", "provisioningStatus": "Success" }
                ]
            }] },
            "/directoryObjects/getByIds": { "value": [{ "id": id(EMERGENCY) }] },
            AUTHORIZATION: {
                "allowInvitesFrom": "adminsAndGuestInviters",
                "guestUserRoleId": "2af84b1e-32c8-42b7-82bc-daa82404023b",
                "defaultUserRolePermissions": {
                    "allowedToCreateApps": false,
                    "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForOwnedResource.x"]
                }
            },
            METHODS: methods(),
            "/policies/adminConsentRequestPolicy": { "isEnabled": true },
            MANAGEMENT: management(),
            EXCEPTIONS: { "value": [] },
            "/groupSettings": { "value": [{
                "templateId": "5cf42378-d67d-4f36-ba46-e8b86229381d",
                "values": [
                    { "name": "LockoutThreshold", "value": "10" },
                    { "name": "LockoutDurationInSeconds", "value": "60" },
                    { "name": "EnableBannedPasswordCheck", "value": "True" },
                    { "name": "BannedPasswordList", "value": "acme" }
                ]
            }] },
            "/domains": { "value": [
                domain("acme.example", true, &json!(2_147_483_647_i64)),
                domain("mail.acme.example", false, &Value::Null),
            ] },
            "/users": { "value": users() },
            REGISTRATIONS: { "value": registrations() },
            ASSIGNMENTS: { "value": assignments() },
            "/roleManagement/directory/roleDefinitions": { "value": PRIVILEGED
                .map(|role| json!({ "id": role, "templateId": role })) },
            format!("/groups/{}/transitiveMembers", id(GROUP)): { "value": [
                { "@odata.type": "#microsoft.graph.user", "id": id(OPERATORS[1]) }
            ] },
            INSTANCES: { "value": [{
                "principalId": id(ADMINS[0]), "roleDefinitionId": GLOBAL, "assignmentType": "Activated",
                "startDateTime": "2026-10-31T20:00:00Z", "endDateTime": "2026-11-01T04:00:00Z"
            }] },
            ELIGIBLE: { "value": [{
                "principalId": id(ADMINS[1]), "roleDefinitionId": GLOBAL,
                "principal": { "@odata.type": "#microsoft.graph.user" }
            }] },
            ROLE_POLICIES: { "value": PRIVILEGED.map(role_policy) },
            "/applications": { "value": [{
                "id": id(ROBOT_APP), "appId": id(40), "displayName": "Robot", "passwordCredentials": [],
                "keyCredentials": [{
                    "startDateTime": "2026-06-01T00:00:00Z", "endDateTime": "2027-05-01T00:00:00Z"
                }]
            }] },
            "/servicePrincipals": { "value": [
                principal(ROBOT, &id(40), &id(99)),
                principal(FOREIGN, &id(41), &id(98)),
                principal(GRAPH, "00000003-0000-0000-c000-000000000000", "f8cdef31-a31e-4b4a-93e4-5f571e91255a"),
            ] },
            format!("/servicePrincipals/{}/owners", id(ROBOT)): { "value": [] },
            format!("/applications/{}/owners", id(ROBOT_APP)): { "value": [] },
            format!("/servicePrincipals/{}/appRoleAssignments", id(ROBOT)): { "value": [] },
            format!("/servicePrincipals/{}/appRoleAssignments", id(FOREIGN)): { "value": [
                { "appRoleId": id(50), "resourceId": id(GRAPH) }
            ] },
            format!("/servicePrincipals/{}/delegatedPermissionClassifications", id(GRAPH)): { "value": [
                { "classification": "low", "permissionName": "User.Read" }
            ] },
            "/oauth2PermissionGrants": { "value": [{
                "id": "grant-1", "clientId": id(FOREIGN), "consentType": "AllPrincipals",
                "resourceId": id(GRAPH), "scope": "openid User.Read"
            }] },
        }
    })
}

/// The policies of the good tenant, by name.
fn policies() -> Vec<Value> {
    let all = || json!(["All"]);
    let blocks = || json!({ "operator": "OR", "builtInControls": ["block"] });
    let resistant = || {
        json!({
            "operator": "OR", "builtInControls": [],
            "authenticationStrength": { "id": id(81), "allowedCombinations": ["fido2", "windowsHelloForBusiness"] }
        })
    };
    let policy = |number: u64, name: &str, grant: Value, change: fn(&mut Value)| {
        let blocking = grant["builtInControls"] == json!(["block"]);
        let mut policy = json!({
            "id": id(60 + number), "displayName": name, "state": "enabled",
            "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": null,
            "conditions": {
                "users": {
                    "includeUsers": all(), "excludeUsers": [], "includeGroups": [], "excludeGroups": [],
                    "includeRoles": [], "excludeRoles": [],
                    "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null
                },
                "applications": {
                    "includeApplications": all(), "excludeApplications": [],
                    "includeUserActions": [], "applicationFilter": null
                },
                "clientAppTypes": ["all"], "userRiskLevels": [], "signInRiskLevels": [],
                "platforms": null, "locations": null, "devices": null,
                "clientApplications": null, "authenticationFlows": null
            },
            "grantControls": grant, "sessionControls": null
        });
        if blocking {
            policy["conditions"]["users"]["excludeUsers"] = json!([id(EMERGENCY)]);
        }
        change(&mut policy);
        policy
    };
    vec![
        policy(0, "legacy", blocks(), |it| {
            it["conditions"]["clientAppTypes"] = json!(["exchangeActiveSync", "other"]);
        }),
        policy(
            1,
            "mfa",
            json!({ "operator": "OR", "builtInControls": ["mfa"] }),
            |_| {},
        ),
        policy(2, "resistant", resistant(), |_| {}),
        policy(3, "admins", resistant(), |it| {
            it["conditions"]["users"]["includeUsers"] = json!([]);
            it["conditions"]["users"]["includeRoles"] =
                json!([ADMINISTRATIVE.as_slice(), &PRIVILEGED].concat());
            it["sessionControls"] = json!({
                "signInFrequency": { "isEnabled": true, "type": "hours", "value": 4, "frequencyInterval": "timeBased" },
                "persistentBrowser": { "isEnabled": true, "mode": "never" }
            });
        }),
        policy(4, "user risk", blocks(), |it| {
            it["conditions"]["userRiskLevels"] = json!(["high"]);
        }),
        policy(5, "sign-in risk", blocks(), |it| {
            it["conditions"]["signInRiskLevels"] = json!(["high"]);
        }),
        policy(
            6,
            "device",
            json!({ "operator": "OR", "builtInControls": ["compliantDevice", "domainJoinedDevice"] }),
            |_| {},
        ),
        policy(
            7,
            "registering",
            json!({ "operator": "OR", "builtInControls": ["compliantDevice"] }),
            |it| {
                it["conditions"]["applications"] = json!({
                    "includeApplications": [], "excludeApplications": [],
                    "includeUserActions": ["urn:user:registersecurityinfo"]
                });
            },
        ),
        policy(8, "transfer", blocks(), |it| {
            it["conditions"]["authenticationFlows"] =
                json!({ "transferMethods": "deviceCodeFlow,authenticationTransfer" });
        }),
        policy(9, "agents", blocks(), |it| {
            it["conditions"]["agentIdRiskLevels"] = json!("high");
            it["conditions"]["clientApplications"] =
                json!({ "includeAgentIdServicePrincipals": ["All"] });
        }),
    ]
}

fn methods() -> Value {
    let shown = || json!({ "state": "enabled", "includeTarget": { "id": "all_users", "targetType": "group" } });
    json!({
        "policyMigrationState": "migrationComplete",
        "reportSuspiciousActivitySettings": { "state": "enabled", "includeTarget": { "id": "all_users" } },
        "authenticationMethodConfigurations": [
            { "id": "Sms", "state": "disabled" },
            { "id": "Voice", "state": "disabled" },
            { "id": "Email", "state": "disabled" },
            { "id": "Fido2", "state": "enabled", "isAttestationEnforced": true },
            { "id": "TemporaryAccessPass", "state": "enabled", "isUsableOnce": true },
            {
                "id": "MicrosoftAuthenticator", "state": "enabled", "isSoftwareOathEnabled": false,
                "featureSettings": {
                    "displayAppInformationRequiredState": shown(),
                    "displayLocationInformationRequiredState": shown()
                }
            }
        ]
    })
}

fn management() -> Value {
    let rule = |kind: &str, lifetime: Value| {
        json!({
            "restrictionType": kind, "state": "enabled", "maxLifetime": lifetime,
            "restrictForAppsCreatedAfterDateTime": "0001-01-01T00:00:00Z"
        })
    };
    let restrictions = json!({
        "passwordCredentials": [rule("passwordAddition", Value::Null), rule("passwordLifetime", json!("P180D"))],
        "keyCredentials": [rule("asymmetricKeyLifetime", json!("P365D"))]
    });
    json!({
        "isEnabled": true, "applicationRestrictions": restrictions, "servicePrincipalRestrictions": restrictions
    })
}

fn domain(name: &str, is_root: bool, validity: &Value) -> Value {
    json!({
        "id": name, "authenticationType": "Managed", "isVerified": true, "isRoot": is_root,
        "passwordValidityPeriodInDays": validity
    })
}

fn users() -> Vec<Value> {
    let all = ADMINS.into_iter().chain(OPERATORS).chain(OTHERS);
    all.map(|number| {
        json!({
            "id": id(number), "userPrincipalName": format!("user{number}@acme.example"),
            "accountEnabled": number != DISABLED,
            "userType": if number == GUEST { "Guest" } else { "Member" },
            "createdDateTime": "2025-01-01T00:00:00Z", "employeeHireDate": null,
            "onPremisesSyncEnabled": null, "onPremisesImmutableId": null, "passwordPolicies": null,
            "signInActivity": { "lastSignInDateTime": "2026-10-30T00:00:00Z" }
        })
    })
    .collect()
}

fn registrations() -> Vec<Value> {
    let all = ADMINS.into_iter().chain(OPERATORS).chain([GUEST, MEMBER]);
    all.map(|number| {
        let admin = number <= OPERATORS[1];
        let methods = if admin {
            json!(["fido2"])
        } else {
            json!(["microsoftAuthenticatorPush", "mobilePhone"])
        };
        json!({
            "id": id(number), "isAdmin": admin, "isMfaCapable": true, "methodsRegistered": methods,
            "userType": if number == GUEST { "guest" } else { "member" }
        })
    })
    .collect()
}

fn assignments() -> Vec<Value> {
    let to = |number: u64, role: &str, kind: &str| {
        json!({
            "principalId": id(number), "roleDefinitionId": role, "directoryScopeId": "/",
            "principal": { "@odata.type": format!("#microsoft.graph.{kind}") }
        })
    };
    vec![
        to(ADMINS[0], GLOBAL, "user"),
        to(ADMINS[1], GLOBAL, "user"),
        to(OPERATORS[0], PRIVILEGED[2], "user"),
        to(GROUP, PRIVILEGED[2], "group"),
        to(ROBOT, PRIVILEGED[6], "servicePrincipal"),
    ]
}

fn role_policy(role: &str) -> Value {
    let told = |id: &str| json!({ "id": id, "notificationType": "Email", "notificationRecipients": ["soc@acme.example"] });
    json!({
        "roleDefinitionId": role,
        "policy": { "rules": [
            { "id": "Approval_EndUser_Assignment", "setting": { "isApprovalRequired": true } },
            told("Notification_Admin_Admin_Assignment"),
            told("Notification_Admin_Admin_Eligibility"),
            told("Notification_Admin_EndUser_Assignment"),
        ] }
    })
}

fn principal(number: u64, app: &str, owner: &str) -> Value {
    json!({
        "id": id(number), "appId": app, "appOwnerOrganizationId": owner, "passwordCredentials": [],
        "keyCredentials": [], "verifiedPublisher": { "verifiedPublisherId": null }, "appRoles": []
    })
}

/// The same tenant whose roles are in the older form: activated roles with their members.
pub(crate) fn with_activated_roles() -> Value {
    let mut tenant = good();
    let roles: Vec<_> = (200..).zip(PRIVILEGED).collect();
    let listed: Vec<_> = roles
        .iter()
        .map(|(at, role)| json!({ "id": id(*at), "roleTemplateId": role }))
        .collect();
    let assignments = items(&mut tenant, ASSIGNMENTS).clone();
    for (at, role) in roles {
        let members: Vec<_> = assignments
            .iter()
            .filter(|it| it["roleDefinitionId"] == json!(role))
            .map(|it| json!({ "id": it["principalId"], "@odata.type": it["principal"]["@odata.type"] }))
            .collect();
        let path = format!("/directoryRoles/{}/members", id(at));
        tenant["resources"][path] = json!({ "value": members });
    }
    tenant["resources"]["/directoryRoles"] = json!({ "value": listed });
    posture::without_path(&tenant, CATALOGUE.format, ASSIGNMENTS)
}

/// The same tenant without sign-ins, but with the report of who used what.
pub(crate) fn with_report() -> Value {
    let mut tenant = posture::without_path(&good(), CATALOGUE.format, "/users#signInActivity");
    let head = "\u{feff}Report Refresh Date,User Principal Name,Exchange Last Activity Date,Teams Last Activity Date";
    let lines = (1..=7).map(|number| format!("2026-11-01,User{number}@acme.example,,2026-10-20"));
    let report: Vec<_> = std::iter::once(head.to_owned()).chain(lines).collect();
    tenant["resources"][REPORT] = report.join("\n").into();
    posture::without_permissions(&tenant, &["AuditLog.Read.All"])
}

/// What lies at a path.
pub(crate) fn body<'t>(tenant: &'t mut Value, path: &str) -> &'t mut Value {
    &mut tenant["resources"][path]
}

/// The items at a path.
pub(crate) fn items<'t>(tenant: &'t mut Value, path: &str) -> &'t mut Vec<Value> {
    body(tenant, path)["value"].as_array_mut().unwrap()
}

/// A policy by its name.
pub(crate) fn policy<'t>(tenant: &'t mut Value, name: &str) -> &'t mut Value {
    let mut policies = items(tenant, CA).iter_mut();
    policies.find(|it| it["displayName"] == name).unwrap()
}

/// A user, or what the report says of one.
pub(crate) fn of<'t>(tenant: &'t mut Value, path: &str, number: u64) -> &'t mut Value {
    let mut items = items(tenant, path).iter_mut();
    items.find(|it| it["id"] == id(number)).unwrap()
}

/// A method's configuration.
pub(crate) fn method<'t>(tenant: &'t mut Value, name: &str) -> &'t mut Value {
    let methods = body(tenant, METHODS)["authenticationMethodConfigurations"].as_array_mut();
    methods
        .unwrap()
        .iter_mut()
        .find(|it| it["id"] == name)
        .unwrap()
}

/// What becomes of one check.
pub(crate) fn result(tenant: &Value, profile: &Profile, check: &str) -> CheckResult {
    let check = CATALOGUE.check(check).unwrap();
    posture::inspect(&CATALOGUE, check, profile, tenant).result
}

/// A change of the good tenant, and what it makes of a check.
pub(crate) type Case = (&'static str, &'static str, fn(&mut Value), Expected);

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expected {
    Pass,
    Fail,
    NotApplicable,
    NotEvaluated(NotEvaluatedReason),
}

impl Expected {
    pub(crate) fn of(result: &CheckResult) -> Self {
        match (result.verdict, result.not_evaluated) {
            (Verdict::Pass, None) => Self::Pass,
            (Verdict::Fail, None) => Self::Fail,
            (Verdict::NotApplicable, None) => Self::NotApplicable,
            (_, Some(reason)) => Self::NotEvaluated(reason),
            (verdict, None) => panic!("{verdict:?}"),
        }
    }
}

/// Runs a table of cases.
pub(crate) fn hold(cases: &[Case]) {
    for (check, what, change, expected) in cases {
        let mut tenant = good();
        change(&mut tenant);
        let result = result(&tenant, &Profile::scuba(), check);
        assert_eq!(
            Expected::of(&result),
            *expected,
            "{check}: {what}: {}",
            result.reason
        );
    }
}

/// Graph answered what gives no verdict.
pub(crate) const NO_VERDICT: Expected = Expected::NotEvaluated(NotEvaluatedReason::VendorError);

/// Nobody asked for it.
pub(crate) const NOT_SEEN: Expected = Expected::NotEvaluated(NotEvaluatedReason::NoObservation);

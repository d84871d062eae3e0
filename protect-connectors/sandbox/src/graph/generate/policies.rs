//! Conditional Access and the tenant's other policies.

use serde_json::{Value, json};

use super::Maker;

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const STRONG: [&str; 3] = [
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
];
const PHISHING_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// A Conditional Access policy in short.
struct Policy {
    name: String,
    state: &'static str,
    users: Value,
    applications: Value,
    conditions: Value,
    grant: Option<Value>,
    session: Option<Value>,
}

impl Maker<'_> {
    /// `wanted` Conditional Access policies, or those that the tenant really uses where fewer.
    pub(super) fn policies(&mut self, wanted: usize) {
        self.conditional_access(wanted);
        self.locations();
        let strengths = [
            (
                "00000000-0000-0000-0000-000000000002",
                "Multifactor authentication",
                json!([
                    "fido2",
                    "password,microsoftAuthenticatorPush",
                    "password,sms"
                ]),
            ),
            (
                "00000000-0000-0000-0000-000000000003",
                "Passwordless MFA",
                json!(["fido2", "deviceBasedPush"]),
            ),
            (PHISHING_RESISTANT, "Phishing-resistant MFA", json!(STRONG)),
        ];
        let strengths = strengths.map(|(id, name, allowed)| strength(id, name, &allowed));
        self.add_all("authenticationStrengthPolicies", strengths);
        self.authorization();
        self.methods();
        self.consent();
        self.cross_tenant();
        self.app_management();
        self.rest();
    }

    fn conditional_access(&mut self, wanted: usize) {
        let excluded = self
            .store
            .find("groups", "displayName", "Excluded from Conditional Access");
        let excluded = excluded.map_or(Value::Null, |it| it["id"].clone());
        let everybody = json!({"includeUsers": ["All"], "excludeGroups": [excluded]});
        let admins = json!({"includeUsers": [], "includeRoles": [GLOBAL_ADMINISTRATOR]});
        let guests = json!({
            "includeUsers": [],
            "includeGuestsOrExternalUsers": {
                "guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest,b2bCollaborationMember",
                "externalTenants": {"membershipKind": "all"},
            },
        });
        let all = json!({"includeApplications": ["All"]});
        let block = Some(controls("OR", &["block"]));
        let mfa = Some(controls("OR", &["mfa"]));
        let policy = |name: &str, users: &Value, conditions: Value, grant: &Option<Value>| Policy {
            name: name.to_owned(),
            state: "enabled",
            users: users.clone(),
            applications: all.clone(),
            conditions,
            grant: grant.clone(),
            session: None,
        };
        let none = || json!({});
        let mut policies = vec![
            policy(
                "Block legacy authentication",
                &everybody,
                json!({"clientAppTypes": ["exchangeActiveSync", "other"]}),
                &block,
            ),
            policy("Require MFA for everybody", &everybody, none(), &mfa),
            policy(
                "Block high user risk",
                &everybody,
                json!({"userRiskLevels": ["high"]}),
                &block,
            ),
            policy(
                "Block high sign-in risk",
                &everybody,
                json!({"signInRiskLevels": ["high"]}),
                &block,
            ),
            policy(
                "Block the device code flow",
                &everybody,
                json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}}),
                &block,
            ),
            policy("Require MFA for guests", &guests, none(), &mfa),
            policy(
                "Phishing-resistant MFA for administrators",
                &admins,
                none(),
                &None,
            ),
            policy("Short sessions for administrators", &admins, none(), &None),
            policy(
                "Require a managed device",
                &everybody,
                none(),
                &Some(controls("OR", &["compliantDevice", "domainJoinedDevice"])),
            ),
            policy(
                "Register factors from managed devices",
                &everybody,
                none(),
                &Some(controls("OR", &["compliantDevice"])),
            ),
        ];
        policies[6].grant = Some(json!({
            "operator": "OR",
            "builtInControls": [],
            "customAuthenticationFactors": [],
            "termsOfUse": [],
            "authenticationStrength": strength(PHISHING_RESISTANT, "Phishing-resistant MFA", &json!(STRONG)),
        }));
        policies[7].session = Some(json!({
            "signInFrequency": {"isEnabled": true, "value": 4, "type": "hours", "frequencyInterval": "timeBased", "authenticationType": "primaryAndSecondaryAuthentication"},
            "persistentBrowser": {"isEnabled": true, "mode": "never"},
            "applicationEnforcedRestrictions": null,
            "cloudAppSecurity": null,
        }));
        policies[8].state = "enabledForReportingButNotEnforced";
        policies[9].applications = json!({"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]});
        for number in policies.len()..wanted {
            let name = format!("Pilot {number}");
            let mut pilot = policy(&name, &admins, json!({"clientAppTypes": ["browser"]}), &mfa);
            pilot.state = "disabled";
            policies.push(pilot);
        }
        let policies: Vec<Value> = policies.iter().map(|it| self.policy(it)).collect();
        self.add_all("conditionalAccessPolicies", policies);
    }

    fn policy(&mut self, policy: &Policy) -> Value {
        let conditions = json!({
            "clientAppTypes": ["all"],
            "signInRiskLevels": [],
            "userRiskLevels": [],
            "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": null,
            "platforms": null,
            "locations": null,
            "devices": null,
            "clientApplications": null,
            "authenticationFlows": null,
            "users": with_defaults(json!({
                "includeUsers": [],
                "excludeUsers": [],
                "includeGroups": [],
                "excludeGroups": [],
                "includeRoles": [],
                "excludeRoles": [],
                "includeGuestsOrExternalUsers": null,
                "excludeGuestsOrExternalUsers": null,
            }), &policy.users),
            "applications": with_defaults(json!({
                "includeApplications": [],
                "excludeApplications": [],
                "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [],
                "applicationFilter": null,
            }), &policy.applications),
        });
        json!({
            "id": self.rng.uuid(),
            "templateId": null,
            "displayName": policy.name,
            "createdDateTime": self.days_ago(400),
            "modifiedDateTime": self.days_ago(60),
            "state": policy.state,
            "conditions": with_defaults(conditions, &policy.conditions),
            "grantControls": policy.grant,
            "sessionControls": policy.session,
        })
    }

    fn locations(&mut self) {
        let office = json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "id": self.rng.uuid(),
            "displayName": "Hamburg office",
            "createdDateTime": self.days_ago(700),
            "modifiedDateTime": self.days_ago(300),
            "isTrusted": true,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.0/24"}],
        });
        let countries = json!({
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "id": self.rng.uuid(),
            "displayName": "Where we work",
            "createdDateTime": self.days_ago(700),
            "modifiedDateTime": self.days_ago(300),
            "countriesAndRegions": ["DE", "AT", "CH"],
            "includeUnknownCountriesAndRegions": false,
            "countryLookupMethod": "clientIpAddress",
        });
        self.add_all("namedLocations", [office, countries]);
    }

    fn authorization(&mut self) {
        let defaults = json!({
            "id": "00000000-0000-0000-0000-000000000005",
            "displayName": "Security Defaults",
            "description": "Security defaults is a set of basic identity security mechanisms.",
            "isEnabled": false,
        });
        self.store.set("securityDefaults", defaults);
        let authorization = json!({
            "id": "authorizationPolicy",
            "displayName": "Authorization Policy",
            "description": "Used to manage authorization related settings across the company.",
            "allowInvitesFrom": "adminsGuestInvitersAndAllMembers",
            "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "allowedToUseSSPR": true,
            "allowedToSignUpEmailBasedSubscriptions": true,
            "allowEmailVerifiedUsersToJoinOrganization": false,
            "allowUserConsentForRiskyApps": null,
            "blockMsolPowerShell": false,
            "defaultUserRolePermissions": {
                "allowedToCreateApps": true,
                "allowedToCreateSecurityGroups": true,
                "allowedToCreateTenants": true,
                "allowedToReadBitlockerKeysForOwnedDevice": true,
                "allowedToReadOtherUsers": true,
                "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"],
            },
        });
        self.store.set("authorizationPolicy", authorization);
    }

    fn methods(&mut self) {
        let policy = json!({
            "id": "authenticationMethodsPolicy",
            "displayName": "Authentication Methods Policy",
            "description": "The tenant-wide policy that controls which methods are allowed.",
            "lastModifiedDateTime": self.days_ago(90),
            "policyVersion": "1.5",
            "policyMigrationState": "migrationInProgress",
            "reportSuspiciousActivitySettings": {
                "state": "enabled",
                "includeTarget": {"targetType": "group", "id": "all_users"},
            },
            "systemCredentialPreferences": {"state": "default", "includeTargets": [], "excludeTargets": []},
            "registrationEnforcement": {"authenticationMethodsRegistrationCampaign": {"state": "default"}},
        });
        self.store.set("authenticationMethodsPolicy", policy);
        let feature = |state: &str| {
            json!({
                "state": state,
                "includeTarget": {"targetType": "group", "id": "all_users"},
                "excludeTarget": {"targetType": "group", "id": "00000000-0000-0000-0000-000000000000"},
            })
        };
        let passkeys = json!({
            "isAttestationEnforced": false,
            "isSelfServiceRegistrationAllowed": true,
            "keyRestrictions": {"isEnforced": false, "enforcementType": "block", "aaGuids": []},
        });
        let authenticator = json!({
            "isSoftwareOathEnabled": false,
            "featureSettings": {
                "displayAppInformationRequiredState": feature("enabled"),
                "displayLocationInformationRequiredState": feature("default"),
                "companionAppAllowedState": feature("default"),
            },
        });
        let pass = json!({
            "defaultLength": 8,
            "defaultLifetimeInMinutes": 60,
            "isUsableOnce": false,
            "minimumLifetimeInMinutes": 60,
            "maximumLifetimeInMinutes": 480,
        });
        let configurations = [
            ("Fido2", "enabled", passkeys),
            ("MicrosoftAuthenticator", "enabled", authenticator),
            ("Sms", "enabled", json!({})),
            ("TemporaryAccessPass", "enabled", pass),
            ("SoftwareOath", "enabled", json!({})),
            ("Voice", "disabled", json!({"isOfficePhoneAllowed": false})),
            (
                "Email",
                "disabled",
                json!({"allowExternalIdToUseEmailOtp": "default"}),
            ),
            ("X509Certificate", "disabled", json!({})),
        ];
        let configurations =
            configurations.map(|(id, state, more)| configuration(id, state, &more));
        self.add_all("authenticationMethodConfigurations", configurations);
    }

    fn consent(&mut self) {
        let consent = json!({
            "isEnabled": false,
            "notifyReviewers": false,
            "remindersEnabled": false,
            "requestDurationInDays": 0,
            "version": 0,
            "reviewers": [],
        });
        self.store.set("adminConsentRequestPolicy", consent);
        let grant = |id: &str| {
            json!({
                "id": id,
                "displayName": id,
                "description": null,
                "includes": [],
                "excludes": [],
            })
        };
        self.add_all(
            "permissionGrantPolicies",
            [
                "microsoft-user-default-low",
                "microsoft-user-default-recommended",
                "microsoft-user-default-legacy",
            ]
            .map(grant),
        );
    }

    fn cross_tenant(&mut self) {
        let access = |kind: &str, target: &str| {
            json!({
                "usersAndGroups": {"accessType": kind, "targets": [{"target": "AllUsers", "targetType": "user"}]},
                "applications": {"accessType": kind, "targets": [{"target": target, "targetType": "application"}]},
            })
        };
        let default = json!({
            "isServiceDefault": true,
            "b2bCollaborationInbound": access("allowed", "AllApplications"),
            "b2bCollaborationOutbound": access("allowed", "AllApplications"),
            "b2bDirectConnectInbound": access("blocked", "AllApplications"),
            "b2bDirectConnectOutbound": access("blocked", "AllApplications"),
            "inboundTrust": {
                "isMfaAccepted": false,
                "isCompliantDeviceAccepted": false,
                "isHybridAzureADJoinedDeviceAccepted": false,
            },
        });
        self.store.set("crossTenantDefault", default);
        let partner = json!({
            "tenantId": self.rng.uuid(),
            "isServiceProvider": false,
            "inboundTrust": {
                "isMfaAccepted": true,
                "isCompliantDeviceAccepted": false,
                "isHybridAzureADJoinedDeviceAccepted": false,
            },
        });
        self.add_all("crossTenantPartners", [partner]);
    }

    fn app_management(&mut self) {
        let restrictions = || {
            json!({
                "passwordCredentials": [
                    {"restrictionType": "passwordAddition", "state": "disabled", "maxLifetime": null, "restrictForAppsCreatedAfterDateTime": "0001-01-01T00:00:00Z"},
                    {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P180D", "restrictForAppsCreatedAfterDateTime": "0001-01-01T00:00:00Z"},
                ],
                "keyCredentials": [
                    {"restrictionType": "asymmetricKeyLifetime", "state": "enabled", "maxLifetime": "P365D", "restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z"},
                ],
            })
        };
        let policy = json!({
            "id": "00000000-0000-0000-0000-000000000000",
            "displayName": "Default app management tenant policy",
            "description": "Default tenant policy that enforces app management restrictions.",
            "isEnabled": true,
            "applicationRestrictions": restrictions(),
            "servicePrincipalRestrictions": restrictions(),
        });
        self.store.set("defaultAppManagementPolicy", policy);
        self.add_all("appManagementPolicies", []);
        self.add_all("appManagementTargets", []);
    }

    fn rest(&mut self) {
        let definition = json!({"ActivityBasedTimeoutPolicy": {
            "Version": 1,
            "ApplicationPolicies": [{"ApplicationId": "default", "WebSessionIdleTimeout": "03:00:00"}],
        }});
        let timeout = json!({
            "id": self.rng.uuid(),
            "displayName": "Idle sessions",
            "isOrganizationDefault": true,
            "definition": [definition.to_string()],
        });
        self.add_all("activityBasedTimeoutPolicies", [timeout]);
        let devices = json!({
            "id": "deviceRegistrationPolicy",
            "displayName": "Device Registration Policy",
            "userDeviceQuota": 50,
            "multiFactorAuthConfiguration": "notRequired",
            "azureADRegistration": {
                "isAdminConfigurable": false,
                "allowedToRegister": {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
            },
            "azureADJoin": {
                "isAdminConfigurable": true,
                "allowedToJoin": {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
                "localAdmins": {
                    "enableGlobalAdmins": true,
                    "registeringUsers": {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
                },
            },
            "localAdminPassword": {"isEnabled": false},
        });
        self.store.set("deviceRegistrationPolicy", devices);
        let sharepoint = json!({
            "sharingCapability": "externalUserAndGuestSharing",
            "sharingDomainRestrictionMode": "none",
            "sharingAllowedDomainList": [],
            "sharingBlockedDomainList": [],
            "isResharingByExternalUsersEnabled": true,
            "isLegacyAuthProtocolsEnabled": true,
            "isUnmanagedSyncAppForTenantRestricted": false,
            "allowedDomainGuidsForSyncApp": [],
            "isRequireAcceptingUserToMatchInvitedUserEnabled": false,
            "idleSessionSignOut": {
                "isEnabled": false,
                "warnAfterInSeconds": 0,
                "signOutAfterInSeconds": 0,
            },
        });
        self.store.set("sharepointSettings", sharepoint);
    }
}

fn controls(operator: &str, built_in: &[&str]) -> Value {
    json!({
        "operator": operator,
        "builtInControls": built_in,
        "customAuthenticationFactors": [],
        "termsOfUse": [],
        "authenticationStrength": null,
    })
}

fn strength(id: &str, name: &str, allowed: &Value) -> Value {
    json!({
        "id": id,
        "displayName": name,
        "description": null,
        "policyType": "builtIn",
        "requirementsSatisfied": "mfa",
        "allowedCombinations": allowed,
    })
}

fn configuration(id: &str, state: &str, more: &Value) -> Value {
    let mut chars = id.chars();
    let camel: String = chars
        .next()
        .into_iter()
        .map(|it| it.to_ascii_lowercase())
        .chain(chars)
        .collect();
    let base = json!({
        "@odata.type": format!("#microsoft.graph.{camel}AuthenticationMethodConfiguration"),
        "id": id,
        "state": state,
        "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": false}],
        "excludeTargets": [],
    });
    with_defaults(base, more)
}

/// The fields of `given` over those of `defaults`.
fn with_defaults(mut defaults: Value, given: &Value) -> Value {
    if let (Value::Object(defaults), Value::Object(given)) = (&mut defaults, given) {
        defaults.extend(given.clone());
    }
    defaults
}

//! Cases of everything but Conditional Access.

use protect_core::model::NotEvaluatedReason as Reason;
use protect_core::posture::Profile;
use protect_m365::CATALOGUE;
use serde_json::{Value, json};

use crate::access;
use crate::tenant::Expected::{self, Fail, NotApplicable, NotEvaluated, Pass};
use crate::tenant::{
    ADMINS, ASSIGNMENTS, AUTHORIZATION, CA, Case, DISABLED, ELIGIBLE, EXCEPTIONS, FOREIGN, GLOBAL,
    GRAPH, GROUP, GUEST, INSTANCES, MANAGEMENT, MEMBER, METHODS, REGISTRATIONS, REPORT, ROBOT,
    ROBOT_APP, ROLE_POLICIES, body, good, hold, id, items, method, of, result, with_report,
};

const NO_VERDICT: Expected = NotEvaluated(Reason::VendorError);
const NOT_SEEN: Expected = NotEvaluated(Reason::NoObservation);
const USERS: &str = "/users";
const APPS: &str = "/applications";
const PRINCIPALS: &str = "/servicePrincipals";

fn assign(tenant: &mut Value, number: u64, role: &str) {
    items(tenant, ASSIGNMENTS).push(json!({
        "principalId": id(number), "roleDefinitionId": role, "directoryScopeId": "/",
        "principal": { "@odata.type": "#microsoft.graph.user" }
    }));
}

fn secret(start: &str, end: &str) -> Value {
    json!([{ "startDateTime": start, "endDateTime": end }])
}

fn at(tenant: &mut Value, prefix: &str, number: u64, suffix: &str, item: Value) {
    items(tenant, &format!("{prefix}/{}/{suffix}", id(number))).push(item);
}

fn consent(tenant: &mut Value, policy: &str) {
    let assigned = format!("ManagePermissionGrantsForSelf.{policy}");
    body(tenant, AUTHORIZATION)["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"] =
        json!([assigned]);
}

fn lockout(tenant: &mut Value, name: &str, value: &str) {
    let values = items(tenant, "/groupSettings")[0]["values"]
        .as_array_mut()
        .unwrap();
    values.iter_mut().find(|it| it["name"] == name).unwrap()["value"] = value.into();
}

const CASES: &[Case] = &[
    (
        "m365.mfa.users_capable",
        "a member is not",
        |t| of(t, REGISTRATIONS, MEMBER)["isMfaCapable"] = false.into(),
        Fail,
    ),
    (
        "m365.mfa.users_capable",
        "a guest is not",
        |t| of(t, REGISTRATIONS, GUEST)["isMfaCapable"] = false.into(),
        Pass,
    ),
    (
        "m365.mfa.users_capable",
        "whoever begins later is not",
        |t| {
            of(t, REGISTRATIONS, MEMBER)["isMfaCapable"] = false.into();
            of(t, USERS, MEMBER)["employeeHireDate"] = json!("2026-12-01T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.mfa.users_capable",
        "a level below",
        |t| {
            of(t, REGISTRATIONS, MEMBER)["isMfaCapable"] = false.into();
            t["config"]["checks"]["m365.mfa.users_capable"] = json!({ "level": 80 });
        },
        Pass,
    ),
    (
        "m365.mfa.users_capable",
        "nobody is enabled",
        |t| items(t, USERS).retain(|it| it["id"] == id(DISABLED)),
        NotApplicable,
    ),
    (
        "m365.mfa.users_capable",
        "a member whom the report leaves out",
        |t| items(t, REGISTRATIONS).retain(|it| it["id"] != id(MEMBER)),
        NOT_SEEN,
    ),
    (
        "m365.mfa.users_capable",
        "users collected without accountEnabled",
        |t| {
            for user in items(t, USERS) {
                user.as_object_mut().unwrap().remove("accountEnabled");
            }
        },
        NOT_SEEN,
    ),
    (
        "m365.mfa.admins_capable",
        "an administrator through a group is not",
        |t| of(t, REGISTRATIONS, 4)["isMfaCapable"] = false.into(),
        Fail,
    ),
    (
        "m365.mfa.admins_capable",
        "an administrator who is disabled is not",
        |t| {
            of(t, REGISTRATIONS, 4)["isMfaCapable"] = false.into();
            of(t, USERS, 4)["accountEnabled"] = false.into();
        },
        Pass,
    ),
    (
        "m365.mfa.admins_capable",
        "nobody holds a role",
        |t| items(t, ASSIGNMENTS).clear(),
        NotApplicable,
    ),
    (
        "m365.mfa.admins_phishing_resistant_registered",
        "one has an app",
        |t| {
            of(t, REGISTRATIONS, ADMINS[0])["methodsRegistered"] =
                json!(["microsoftAuthenticatorPush"]);
        },
        Fail,
    ),
    (
        "m365.mfa.admins_phishing_resistant_registered",
        "no administrators",
        |t| items(t, REGISTRATIONS).retain(|it| it["isAdmin"] == false),
        NotApplicable,
    ),
    (
        "m365.mfa.admins_phishing_resistant_registered",
        "methods left out",
        |t| {
            of(t, REGISTRATIONS, ADMINS[0])
                .as_object_mut()
                .unwrap()
                .remove("methodsRegistered");
        },
        NO_VERDICT,
    ),
    (
        "m365.mfa.sms_voice_only_users",
        "a telephone alone",
        |t| of(t, REGISTRATIONS, MEMBER)["methodsRegistered"] = json!(["mobilePhone", "email"]),
        Fail,
    ),
    (
        "m365.mfa.sms_voice_only_users",
        "nothing at all",
        |t| of(t, REGISTRATIONS, MEMBER)["methodsRegistered"] = json!([]),
        Pass,
    ),
    (
        "m365.auth.weak_methods_disabled",
        "calls",
        |t| method(t, "Voice")["state"] = json!("enabled"),
        Fail,
    ),
    (
        "m365.auth.weak_methods_disabled",
        "a state that nobody knows",
        |t| method(t, "Sms")["state"] = json!("unknownFutureValue"),
        NO_VERDICT,
    ),
    (
        "m365.auth.weak_methods_disabled",
        "a method left out",
        |t| method(t, "Email")["id"] = json!("Other"),
        NO_VERDICT,
    ),
    (
        "m365.auth.weak_methods_disabled",
        "no list",
        |t| body(t, METHODS)["authenticationMethodConfigurations"] = Value::Null,
        NO_VERDICT,
    ),
    (
        "m365.auth.authenticator_context",
        "one-time codes, and nothing stronger demanded",
        |t| {
            method(t, "MicrosoftAuthenticator")["isSoftwareOathEnabled"] = true.into();
            items(t, CA).clear();
        },
        Fail,
    ),
    (
        "m365.auth.authenticator_context",
        "one-time codes, but stronger factors demanded",
        |t| method(t, "MicrosoftAuthenticator")["isSoftwareOathEnabled"] = true.into(),
        Pass,
    ),
    (
        "m365.auth.authenticator_context",
        "disabled",
        |t| method(t, "MicrosoftAuthenticator")["state"] = json!("disabled"),
        Pass,
    ),
    (
        "m365.auth.authenticator_context",
        "shown to some",
        |t| {
            items(t, CA).clear();
            method(t, "MicrosoftAuthenticator")["featureSettings"]["displayAppInformationRequiredState"]
                ["includeTarget"]["id"] = json!(id(GROUP));
        },
        Fail,
    ),
    (
        "m365.auth.migration_complete",
        "in progress",
        |t| body(t, METHODS)["policyMigrationState"] = json!("migrationInProgress"),
        Fail,
    ),
    (
        "m365.auth.migration_complete",
        "null",
        |t| body(t, METHODS)["policyMigrationState"] = Value::Null,
        Pass,
    ),
    (
        "m365.auth.migration_complete",
        "left out",
        |t| {
            drop(
                body(t, METHODS)
                    .as_object_mut()
                    .unwrap()
                    .remove("policyMigrationState"),
            );
        },
        NOT_SEEN,
    ),
    (
        "m365.auth.report_suspicious",
        "for some",
        |t| {
            body(t, METHODS)["reportSuspiciousActivitySettings"]["includeTarget"]["id"] =
                json!(id(GROUP));
        },
        Fail,
    ),
    (
        "m365.auth.report_suspicious",
        "left out",
        |t| body(t, METHODS)["reportSuspiciousActivitySettings"] = Value::Null,
        NOT_SEEN,
    ),
    (
        "m365.auth.fido2_hardened",
        "not attested",
        |t| method(t, "Fido2")["isAttestationEnforced"] = false.into(),
        Fail,
    ),
    (
        "m365.auth.fido2_hardened",
        "disabled",
        |t| method(t, "Fido2")["state"] = json!("disabled"),
        Fail,
    ),
    (
        "m365.auth.fido2_hardened",
        "null",
        |t| method(t, "Fido2")["isAttestationEnforced"] = Value::Null,
        NO_VERDICT,
    ),
    (
        "m365.auth.tap_one_time",
        "several times",
        |t| method(t, "TemporaryAccessPass")["isUsableOnce"] = false.into(),
        Fail,
    ),
    (
        "m365.auth.tap_one_time",
        "disabled",
        |t| method(t, "TemporaryAccessPass")["state"] = json!("disabled"),
        Pass,
    ),
    (
        "m365.app.user_registration_blocked",
        "allowed",
        |t| {
            body(t, AUTHORIZATION)["defaultUserRolePermissions"]["allowedToCreateApps"] =
                true.into();
        },
        Fail,
    ),
    (
        "m365.app.user_registration_blocked",
        "null",
        |t| body(t, AUTHORIZATION)["defaultUserRolePermissions"] = Value::Null,
        NO_VERDICT,
    ),
    (
        "m365.app.user_consent_restricted",
        "as Microsoft recommends",
        |t| consent(t, "microsoft-user-default-recommended"),
        Fail,
    ),
    (
        "m365.app.user_consent_restricted",
        "low permissions that are harmless",
        |t| consent(t, "microsoft-user-default-low"),
        Pass,
    ),
    (
        "m365.app.user_consent_restricted",
        "low permissions that are not",
        |t| {
            consent(t, "microsoft-user-default-low");
            at(
                t,
                PRINCIPALS,
                GRAPH,
                "delegatedPermissionClassifications",
                json!({ "classification": "low", "permissionName": "Mail.ReadWrite" }),
            );
        },
        Fail,
    ),
    (
        "m365.app.user_consent_restricted",
        "low permissions that nobody collected",
        |t| {
            consent(t, "microsoft-user-default-low");
            items(t, PRINCIPALS).clear();
        },
        NOT_SEEN,
    ),
    (
        "m365.app.user_consent_restricted",
        "a list left out",
        |t| {
            body(t, AUTHORIZATION)["defaultUserRolePermissions"] = json!({});
        },
        NO_VERDICT,
    ),
    (
        "m365.app.admin_consent_workflow",
        "off",
        |t| body(t, "/policies/adminConsentRequestPolicy")["isEnabled"] = false.into(),
        Fail,
    ),
    (
        "m365.app.secret_addition_blocked",
        "one scope without it",
        |t| body(t, MANAGEMENT)["servicePrincipalRestrictions"] = Value::Null,
        Fail,
    ),
    (
        "m365.app.secret_addition_blocked",
        "for younger applications",
        |t| {
            body(t, MANAGEMENT)["applicationRestrictions"]["passwordCredentials"][0]["restrictForAppsCreatedAfterDateTime"] =
                json!("2026-01-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.secret_addition_blocked",
        "an exception",
        |t| {
            let off = json!({ "passwordCredentials": [{ "restrictionType": "passwordAddition", "state": "disabled" }] });
            items(t, EXCEPTIONS)
                .push(json!({ "id": id(90), "isEnabled": true, "restrictions": off }));
        },
        Fail,
    ),
    (
        "m365.app.secret_lifetime",
        "a year, where secrets may be added",
        |t| {
            for scope in ["applicationRestrictions", "servicePrincipalRestrictions"] {
                let restrictions = body(t, MANAGEMENT)[scope]["passwordCredentials"]
                    .as_array_mut()
                    .unwrap();
                restrictions[1]["maxLifetime"] = json!("P1Y");
                restrictions.remove(0);
            }
        },
        Fail,
    ),
    (
        "m365.app.secret_lifetime",
        "half a year, where secrets may be added",
        |t| {
            for scope in ["applicationRestrictions", "servicePrincipalRestrictions"] {
                body(t, MANAGEMENT)[scope]["passwordCredentials"]
                    .as_array_mut()
                    .unwrap()
                    .remove(0);
            }
        },
        Pass,
    ),
    (
        "m365.app.cert_lifetime",
        "two years",
        |t| {
            body(t, MANAGEMENT)["applicationRestrictions"]["keyCredentials"][0]["maxLifetime"] =
                json!("P2Y");
        },
        Fail,
    ),
    (
        "m365.app.cert_lifetime",
        "the policy is off",
        |t| body(t, MANAGEMENT)["isEnabled"] = false.into(),
        Fail,
    ),
    (
        "m365.app.credential_expired",
        "an application's",
        |t| {
            of(t, APPS, ROBOT_APP)["keyCredentials"][0]["endDateTime"] =
                json!("2026-10-31T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.credential_expired",
        "a service principal's",
        |t| {
            of(t, PRINCIPALS, FOREIGN)["passwordCredentials"] =
                secret("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.credential_expired",
        "collected without credentials",
        |t| {
            drop(
                of(t, APPS, ROBOT_APP)
                    .as_object_mut()
                    .unwrap()
                    .remove("keyCredentials"),
            );
        },
        NOT_SEEN,
    ),
    (
        "m365.app.credential_expiring",
        "in two weeks",
        |t| {
            of(t, APPS, ROBOT_APP)["keyCredentials"][0]["endDateTime"] =
                json!("2026-11-15T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.credential_expiring",
        "yesterday",
        |t| {
            of(t, APPS, ROBOT_APP)["keyCredentials"][0]["endDateTime"] =
                json!("2026-10-31T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.app.long_lived_secret",
        "two years",
        |t| {
            of(t, APPS, ROBOT_APP)["passwordCredentials"] =
                secret("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.long_lived_secret",
        "for ever",
        |t| {
            of(t, APPS, ROBOT_APP)["passwordCredentials"] =
                json!([{ "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": null }]);
        },
        Fail,
    ),
    (
        "m365.app.long_lived_secret",
        "a year",
        |t| {
            of(t, APPS, ROBOT_APP)["passwordCredentials"] =
                secret("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.app.secrets_in_use",
        "one",
        |t| {
            of(t, APPS, ROBOT_APP)["passwordCredentials"] =
                secret("2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.secrets_in_use",
        "one that expired",
        |t| {
            of(t, APPS, ROBOT_APP)["passwordCredentials"] =
                secret("2025-10-01T00:00:00Z", "2025-12-01T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.app.highrisk_permissions",
        "by a known id",
        |t| {
            at(
                t,
                PRINCIPALS,
                FOREIGN,
                "appRoleAssignments",
                json!({ "appRoleId": "9E3F62CF-CA93-4989-B6CE-BF83C28F9FE8" }),
            );
        },
        Fail,
    ),
    (
        "m365.app.highrisk_permissions",
        "by the name at the resource",
        |t| {
            of(t, PRINCIPALS, GRAPH)["appRoles"] =
                json!([{ "id": id(50), "value": "Mail.ReadWrite" }]);
        },
        Fail,
    ),
    (
        "m365.app.highrisk_permissions",
        "an excused application",
        |t| {
            at(
                t,
                PRINCIPALS,
                FOREIGN,
                "appRoleAssignments",
                json!({ "appRoleId": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8" }),
            );
            t["config"]["checks"]["m365.app.highrisk_permissions"] =
                json!({ "excluded_applications": [id(41)] });
        },
        Pass,
    ),
    (
        "m365.app.tier0_sp_secret",
        "on the application",
        |t| {
            of(t, APPS, ROBOT_APP)["passwordCredentials"] =
                secret("2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.tier0_sp_secret",
        "on the service principal",
        |t| {
            of(t, PRINCIPALS, ROBOT)["passwordCredentials"] =
                secret("2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.app.tier0_sp_secret",
        "without a role",
        |t| {
            of(t, PRINCIPALS, FOREIGN)["passwordCredentials"] =
                secret("2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.app.privileged_sp_owner",
        "of the application",
        |t| at(t, APPS, ROBOT_APP, "owners", json!({ "id": id(MEMBER) })),
        Fail,
    ),
    (
        "m365.app.privileged_sp_owner",
        "of the service principal",
        |t| at(t, PRINCIPALS, ROBOT, "owners", json!({ "id": id(MEMBER) })),
        Fail,
    ),
    (
        "m365.app.tenantwide_delegated_grants",
        "of an unverified application",
        |t| items(t, "/oauth2PermissionGrants")[0]["scope"] = json!("openid Mail.ReadWrite"),
        Fail,
    ),
    (
        "m365.app.tenantwide_delegated_grants",
        "of a verified application",
        |t| {
            items(t, "/oauth2PermissionGrants")[0]["scope"] = json!("Mail.ReadWrite");
            of(t, PRINCIPALS, FOREIGN)["verifiedPublisher"]["verifiedPublisherId"] = json!("12345");
        },
        Pass,
    ),
    (
        "m365.app.tenantwide_delegated_grants",
        "of the tenant's own application",
        |t| {
            items(t, "/oauth2PermissionGrants")[0]["scope"] = json!("Mail.ReadWrite");
            of(t, PRINCIPALS, FOREIGN)["appOwnerOrganizationId"] = json!(id(99).to_uppercase());
        },
        Pass,
    ),
    (
        "m365.app.tenantwide_delegated_grants",
        "of an application that nobody collected",
        |t| {
            items(t, "/oauth2PermissionGrants")[0]["scope"] = json!("Mail.ReadWrite");
            items(t, PRINCIPALS).clear();
        },
        NOT_SEEN,
    ),
    (
        "m365.role.global_admin_count",
        "one alone",
        |t| {
            items(t, ASSIGNMENTS).remove(0);
        },
        Fail,
    ),
    (
        "m365.role.global_admin_count",
        "one and one who is eligible",
        |t| {
            items(t, ASSIGNMENTS).remove(1);
        },
        Pass,
    ),
    (
        "m365.role.global_admin_count",
        "nine",
        |t| (10..17).for_each(|number| assign(t, number, GLOBAL)),
        Fail,
    ),
    (
        "m365.role.global_admin_count",
        "a group that nobody collected",
        |t| {
            items(t, ASSIGNMENTS).push(json!({
            "principalId": id(21), "roleDefinitionId": GLOBAL, "principal": { "@odata.type": "#microsoft.graph.group" }
        }));
        },
        NOT_SEEN,
    ),
    (
        "m365.role.global_admin_count",
        "a group that was deleted meanwhile",
        |t| {
            items(t, ASSIGNMENTS).push(json!({
            "principalId": id(21), "roleDefinitionId": GLOBAL, "principal": { "@odata.type": "#microsoft.graph.group" }
        }));
            t["resources"][format!("/groups/{}/transitiveMembers", id(21))] =
                json!({ "error": { "code": "Request_ResourceNotFound" } });
        },
        Pass,
    ),
    (
        "m365.role.ga_ratio",
        "three to two",
        |t| assign(t, MEMBER, GLOBAL),
        Fail,
    ),
    (
        "m365.role.ga_ratio",
        "one alone",
        |t| {
            items(t, ASSIGNMENTS).remove(0);
        },
        Fail,
    ),
    (
        "m365.role.admins_cloud_only",
        "one is synchronised",
        |t| of(t, USERS, 4)["onPremisesImmutableId"] = json!("c291cmNl"),
        Fail,
    ),
    (
        "m365.role.admins_cloud_only",
        "another is synchronised",
        |t| of(t, USERS, MEMBER)["onPremisesSyncEnabled"] = true.into(),
        Pass,
    ),
    (
        "m365.role.admins_cloud_only",
        "one who is not among the users",
        |t| items(t, USERS).retain(|it| it["id"] != id(4)),
        NOT_SEEN,
    ),
    (
        "m365.role.no_permanent_active",
        "without end",
        |t| items(t, INSTANCES)[0]["endDateTime"] = Value::Null,
        Fail,
    ),
    (
        "m365.role.no_permanent_active",
        "an excused account",
        |t| {
            items(t, INSTANCES)[0]["endDateTime"] = Value::Null;
            t["config"]["checks"]["m365.role.no_permanent_active"] =
                json!({ "excluded_principals": [id(ADMINS[0])] });
        },
        Pass,
    ),
    (
        "m365.role.no_permanent_active",
        "an end left out",
        |t| {
            drop(
                items(t, INSTANCES)[0]
                    .as_object_mut()
                    .unwrap()
                    .remove("endDateTime"),
            );
        },
        NO_VERDICT,
    ),
    (
        "m365.role.pim_only",
        "without beginning",
        |t| items(t, INSTANCES)[0]["startDateTime"] = Value::Null,
        Fail,
    ),
    (
        "m365.role.pim_only",
        "no licence",
        |t| items(t, "/subscribedSkus").clear(),
        NotEvaluated(Reason::MissingLicence),
    ),
    (
        "m365.role.ga_activation_approval",
        "not required",
        |t| {
            items(t, ROLE_POLICIES)[0]["policy"]["rules"][0]["setting"]["isApprovalRequired"] =
                false.into();
        },
        Fail,
    ),
    (
        "m365.role.ga_activation_approval",
        "the role left out",
        |t| {
            items(t, ROLE_POLICIES).remove(0);
        },
        NOT_SEEN,
    ),
    (
        "m365.role.assignment_alerts",
        "of eligibility nobody is told",
        |t| items(t, ROLE_POLICIES)[3]["policy"]["rules"][2]["notificationRecipients"] = json!([]),
        Fail,
    ),
    (
        "m365.role.activation_alerts",
        "nobody is told",
        |t| items(t, ROLE_POLICIES)[0]["policy"]["rules"][3]["notificationRecipients"] = json!([]),
        Fail,
    ),
    (
        "m365.role.activation_alerts",
        "a role left out",
        |t| {
            items(t, ROLE_POLICIES).remove(5);
        },
        NOT_SEEN,
    ),
    (
        "m365.user.password_never_expires",
        "a root expires, and what is below it",
        |t| items(t, "/domains")[0]["passwordValidityPeriodInDays"] = json!(90),
        Fail,
    ),
    (
        "m365.user.password_never_expires",
        "a way of signing in that nobody knows",
        |t| items(t, "/domains")[0]["authenticationType"] = json!("Other"),
        NO_VERDICT,
    ),
    (
        "m365.user.stale_accounts",
        "since January",
        |t| {
            of(t, USERS, GUEST)["signInActivity"]["lastSignInDateTime"] =
                json!("2026-01-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.user.stale_accounts",
        "never, but made last week",
        |t| {
            of(t, USERS, GUEST)["signInActivity"] = Value::Null;
            of(t, USERS, GUEST)["createdDateTime"] = json!("2026-10-25T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.user.stale_accounts",
        "neither seen nor made",
        |t| {
            of(t, USERS, GUEST)["signInActivity"] = Value::Null;
            of(t, USERS, GUEST)["createdDateTime"] = Value::Null;
        },
        NOT_SEEN,
    ),
    (
        "m365.user.stale_accounts",
        "disabled",
        |t| {
            of(t, USERS, DISABLED)["signInActivity"]["lastSignInDateTime"] =
                json!("2020-01-01T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.user.admins_stale",
        "since August",
        |t| of(t, USERS, 3)["signInActivity"]["lastSignInDateTime"] = json!("2026-08-31T00:00:00Z"),
        Fail,
    ),
    (
        "m365.user.admins_stale",
        "another since August",
        |t| {
            of(t, USERS, MEMBER)["signInActivity"]["lastSignInDateTime"] =
                json!("2026-08-31T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.user.password_policy_exceptions",
        "one",
        |t| {
            of(t, USERS, MEMBER)["passwordPolicies"] =
                json!("DisablePasswordExpiration, DisableStrongPassword");
        },
        Fail,
    ),
    (
        "m365.user.password_policy_exceptions",
        "not asked for",
        |t| {
            for user in items(t, USERS) {
                user.as_object_mut().unwrap().remove("passwordPolicies");
            }
        },
        NOT_SEEN,
    ),
    (
        "m365.user.smart_lockout",
        "as Microsoft has it",
        |t| items(t, "/groupSettings").clear(),
        Fail,
    ),
    (
        "m365.user.smart_lockout",
        "too many attempts",
        |t| lockout(t, "LockoutThreshold", "11"),
        Fail,
    ),
    (
        "m365.user.smart_lockout",
        "no own words",
        |t| lockout(t, "BannedPasswordList", ""),
        Fail,
    ),
    (
        "m365.user.smart_lockout",
        "no number",
        |t| lockout(t, "LockoutDurationInSeconds", "soon"),
        NO_VERDICT,
    ),
    (
        "m365.guest.access_restricted",
        "as members",
        |t| {
            body(t, AUTHORIZATION)["guestUserRoleId"] =
                json!("a0b1b346-4d3e-4e8b-98f8-753987be4970");
        },
        Fail,
    ),
    (
        "m365.guest.access_restricted",
        "as Microsoft has it",
        |t| {
            body(t, AUTHORIZATION)["guestUserRoleId"] =
                json!("10DAE51F-B6AF-4016-8D66-8C2A99B929B3");
        },
        Pass,
    ),
    (
        "m365.guest.access_restricted",
        "as Microsoft has it, strictly",
        |t| {
            body(t, AUTHORIZATION)["guestUserRoleId"] =
                json!("10dae51f-b6af-4016-8d66-8c2a99b929b3");
            t["config"]["checks"]["m365.guest.access_restricted"] = json!({ "level": "strict" });
        },
        Fail,
    ),
    (
        "m365.guest.access_restricted",
        "a role that nobody knows",
        |t| body(t, AUTHORIZATION)["guestUserRoleId"] = json!(id(1)),
        NO_VERDICT,
    ),
    (
        "m365.guest.invite_restricted",
        "everyone",
        |t| body(t, AUTHORIZATION)["allowInvitesFrom"] = json!("everyone"),
        Fail,
    ),
    (
        "m365.guest.invite_restricted",
        "a word that nobody knows",
        |t| body(t, AUTHORIZATION)["allowInvitesFrom"] = json!("unknownFutureValue"),
        NO_VERDICT,
    ),
];

#[test]
fn every_case_of_the_rest_holds() {
    hold(CASES);
}

#[test]
fn every_check_has_a_case_that_fails() {
    let failing: Vec<_> = CASES
        .iter()
        .filter(|case| case.3 == Fail)
        .map(|case| case.0)
        .chain(access::failing())
        .collect();
    for check in CATALOGUE.checks {
        assert!(failing.contains(&check.id), "{}", check.id);
    }
}

#[test]
fn a_tenant_whose_domains_are_all_federated_fails_with_cisa_and_is_nobodys_business_elsewhere() {
    let mut tenant = good();
    for domain in items(&mut tenant, "/domains") {
        domain["authenticationType"] = json!("Federated");
    }
    let of = |profile: &Profile| {
        Expected::of(&result(
            &tenant,
            profile,
            "m365.user.password_never_expires",
        ))
    };
    assert_eq!(
        (of(&Profile::scuba()), of(&Profile::cis())),
        (Fail, NotApplicable)
    );
}

#[test]
fn the_report_tells_who_is_unused_where_sign_ins_may_not_be_read() {
    let mut tenant = with_report();
    let report = tenant["resources"][REPORT].as_str().unwrap();
    let report = report.replace(
        "User6@acme.example,,2026-10-20",
        "User6@acme.example,2026-02-01,",
    );
    tenant["resources"][REPORT] = report.into();
    let unused = result(&tenant, &Profile::scuba(), "m365.user.stale_accounts");
    assert_eq!(Expected::of(&unused), Fail);
    assert_eq!(unused.affected, [id(MEMBER)]);
    let hidden = tenant["resources"][REPORT]
        .as_str()
        .unwrap()
        .replace('@', "");
    tenant["resources"][REPORT] = hidden.into();
    let unused = result(&tenant, &Profile::scuba(), "m365.user.stale_accounts");
    assert_eq!(Expected::of(&unused), NOT_SEEN);
}

#[test]
fn eligible_administrators_do_not_count_where_nobody_may_see_them() {
    let mut tenant = good();
    items(&mut tenant, ASSIGNMENTS).remove(1);
    tenant["resources"]
        .as_object_mut()
        .unwrap()
        .remove(ELIGIBLE);
    let counted = result(&tenant, &Profile::scuba(), "m365.role.global_admin_count");
    assert_eq!(Expected::of(&counted), Fail);
    assert_eq!(counted.details["eligible_counted"], json!(false));
}

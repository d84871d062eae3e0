//! Cases of applications and what they may do.

use serde_json::{Value, json};

use crate::tenant::Expected::{Fail, Pass};
use crate::tenant::{
    AUTHORIZATION, Case, EXCEPTIONS, FOREIGN, GRAPH, MANAGEMENT, MEMBER, NO_VERDICT, NOT_SEEN,
    ROBOT, ROBOT_APP, body, hold, id, items, of,
};

const APPS: &str = "/applications";
const PRINCIPALS: &str = "/servicePrincipals";

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

pub(crate) const CASES: &[Case] = &[
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
];

#[test]
fn every_case_of_applications_holds() {
    hold(CASES);
}

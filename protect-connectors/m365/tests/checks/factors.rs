//! Cases of registered factors and the methods of signing in.

use serde_json::{Value, json};

use crate::tenant::Expected::{Fail, NotApplicable, Pass};
use crate::tenant::{
    ADMINS, ASSIGNMENTS, CA, Case, DISABLED, GROUP, GUEST, MEMBER, METHODS, NO_VERDICT, NOT_SEEN,
    REGISTRATIONS, body, hold, id, items, method, of,
};

const USERS: &str = "/users";

pub(crate) const CASES: &[Case] = &[
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
];

#[test]
fn every_case_of_factors_holds() {
    hold(CASES);
}

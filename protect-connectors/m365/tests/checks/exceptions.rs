//! Cases of who is left out of Conditional Access, and of what applies to few.

use serde_json::{Value, json};

use crate::access::{STRICT, remove, report_only, set};
use crate::tenant::Expected::{Fail, Pass};
use crate::tenant::{
    CA, Case, DEFAULTS, EMERGENCY, GROUP, NO_VERDICT, body, hold, id, items, policy,
};

pub(crate) const CASES: &[Case] = &[
    (
        "m365.ca.mfa_admins",
        "one role missing and nobody else asked",
        |t| {
            for name in ["mfa", "resistant"] {
                set(t, name, "/state", json!("disabled"));
            }
            policy(t, "admins")["conditions"]["users"]["includeRoles"]
                .as_array_mut()
                .unwrap()
                .remove(7);
        },
        Fail,
    ),
    (
        "m365.ca.mfa_admins",
        "roles alone",
        |t| {
            for name in ["mfa", "resistant"] {
                set(t, name, "/state", json!("disabled"));
            }
        },
        Pass,
    ),
    (
        "m365.ca.phishing_resistant_admins",
        "an excluded role",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            set(
                t,
                "admins",
                "/conditions/users/excludeRoles",
                json!([id(78)]),
            );
        },
        Fail,
    ),
    (
        "m365.ca.high_signin_risk_blocked",
        "some applications",
        |t| {
            set(
                t,
                "sign-in risk",
                "/conditions/applications/includeApplications",
                json!(["Office365"]),
            );
        },
        Fail,
    ),
    (
        "m365.ca.guest_mfa",
        "guests excluded",
        |t| {
            for name in ["mfa", "resistant"] {
                let guests = json!({ "guestOrExternalUserTypes": "b2bCollaborationGuest" });
                set(
                    t,
                    name,
                    "/conditions/users/excludeGuestsOrExternalUsers",
                    guests,
                );
            }
        },
        Fail,
    ),
    (
        "m365.ca.guest_mfa",
        "every kind of guest, and nobody else",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            set(t, "mfa", "/conditions/users/includeUsers", json!([]));
            let guests = json!({ "guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider" });
            set(
                t,
                "mfa",
                "/conditions/users/includeGuestsOrExternalUsers",
                guests,
            );
        },
        Pass,
    ),
    (
        "m365.ca.azure_mgmt_mfa",
        "another application",
        |t| {
            for name in ["mfa", "resistant"] {
                set(
                    t,
                    name,
                    "/conditions/applications/includeApplications",
                    json!(["Office365"]),
                );
            }
        },
        Fail,
    ),
    (
        "m365.ca.azure_mgmt_mfa",
        "just that application",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            let app = json!(["797F4846-BA00-4FD7-BA43-DAC1F8F63013"]);
            set(
                t,
                "mfa",
                "/conditions/applications/includeApplications",
                app,
            );
        },
        Pass,
    ),
    (
        "m365.ca.admin_signin_frequency",
        "five hours",
        |t| {
            set(
                t,
                "admins",
                "/sessionControls/signInFrequency/value",
                json!(5),
            );
        },
        Fail,
    ),
    (
        "m365.ca.admin_signin_frequency",
        "every time",
        |t| {
            set(
                t,
                "admins",
                "/sessionControls/signInFrequency",
                json!({ "isEnabled": true, "frequencyInterval": "everyTime" }),
            );
        },
        Pass,
    ),
    (
        "m365.ca.admin_signin_frequency",
        "browsers stay signed in",
        |t| {
            set(
                t,
                "admins",
                "/sessionControls/persistentBrowser/mode",
                json!("always"),
            );
        },
        Fail,
    ),
    (
        "m365.ca.no_unexcused_exclusions",
        "a group that nothing else covers",
        |t| {
            for name in ["mfa", "resistant", "device"] {
                set(
                    t,
                    name,
                    "/conditions/users/excludeGroups",
                    json!([id(GROUP)]),
                );
            }
        },
        Fail,
    ),
    (
        "m365.ca.no_unexcused_exclusions",
        "a group that another policy covers",
        |t| {
            set(
                t,
                "mfa",
                "/conditions/users/excludeGroups",
                json!([id(GROUP)]),
            );
        },
        Pass,
    ),
    (
        "m365.ca.no_unexcused_exclusions",
        "a list that Graph left out",
        |t| remove(t, "mfa", "/conditions/users", "excludeRoles"),
        NO_VERDICT,
    ),
    (
        "m365.ca.dangling_references",
        "a user that is gone",
        |t| set(t, "mfa", STRICT, json!([id(404)])),
        Fail,
    ),
    (
        "m365.ca.dangling_references",
        "a role that is gone",
        |t| set(t, "mfa", "/conditions/users/excludeRoles", json!([id(404)])),
        Fail,
    ),
    (
        "m365.ca.dangling_references",
        "words that are no ids",
        |t| set(t, "mfa", STRICT, json!(["GuestsOrExternalUsers"])),
        Pass,
    ),
    (
        "m365.ca.break_glass_excluded",
        "one blocking policy without it",
        |t| set(t, "legacy", STRICT, json!([])),
        Fail,
    ),
    (
        "m365.ca.break_glass_excluded",
        "nothing blocks",
        |t| items(t, CA).clear(),
        Pass,
    ),
    (
        "m365.ca.break_glass_excluded",
        "not the account that was named",
        |t| {
            t["config"]["checks"]["m365.ca.break_glass_excluded"] =
                json!({ "excluded_principals": [id(2)] });
        },
        Fail,
    ),
    (
        "m365.ca.break_glass_excluded",
        "the account that was named",
        |t| {
            let named = id(EMERGENCY).to_uppercase();
            t["config"]["checks"]["m365.ca.break_glass_excluded"] =
                json!({ "excluded_principals": [named] });
        },
        Pass,
    ),
    (
        "m365.ca.break_glass_excluded",
        "a list that Graph left out",
        |t| remove(t, "legacy", "/conditions/users", "excludeUsers"),
        NO_VERDICT,
    ),
    (
        "m365.ca.report_only_stale",
        "since January",
        |t| report_only(t, "mfa"),
        Fail,
    ),
    (
        "m365.ca.report_only_stale",
        "since last week",
        |t| {
            report_only(t, "mfa");
            set(t, "mfa", "/modifiedDateTime", json!("2026-10-25T00:00:00Z"));
        },
        Pass,
    ),
    (
        "m365.ca.report_only_stale",
        "since nobody knows when",
        |t| {
            report_only(t, "mfa");
            set(t, "mfa", "/createdDateTime", Value::Null);
        },
        NO_VERDICT,
    ),
    (
        "m365.ca.trusted_location",
        "none is trusted",
        |t| items(t, "/identity/conditionalAccess/namedLocations")[0]["isTrusted"] = false.into(),
        Fail,
    ),
    (
        "m365.id.security_defaults_coherent",
        "neither",
        |t| items(t, CA).clear(),
        Fail,
    ),
    (
        "m365.id.security_defaults_coherent",
        "both",
        |t| body(t, DEFAULTS)["isEnabled"] = true.into(),
        Fail,
    ),
    (
        "m365.id.security_defaults_coherent",
        "security defaults alone",
        |t| {
            items(t, CA).clear();
            body(t, DEFAULTS)["isEnabled"] = true.into();
        },
        Pass,
    ),
    (
        "m365.id.security_defaults_coherent",
        "null",
        |t| body(t, DEFAULTS)["isEnabled"] = Value::Null,
        NO_VERDICT,
    ),
];

#[test]
fn every_case_of_exceptions_holds() {
    hold(CASES);
}

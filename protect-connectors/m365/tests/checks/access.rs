//! Cases of what Conditional Access asks of everybody.

use protect_core::model::{Confidence, NotEvaluatedReason as Reason};
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::tenant::Expected::{Fail, NotEvaluated, Pass};
use crate::tenant::{
    CA, Case, DEFAULTS, GROUP, NO_VERDICT, body, good, hold, id, items, policy, result,
};

pub(crate) const STRICT: &str = "/conditions/users/excludeUsers";

/// Sets what lies at a JSON pointer of a policy.
pub(crate) fn set(tenant: &mut Value, name: &str, pointer: &str, value: Value) {
    *policy(tenant, name).pointer_mut(pointer).unwrap() = value;
}

/// Takes a field of a policy's conditions away.
pub(crate) fn remove(tenant: &mut Value, name: &str, pointer: &str, field: &str) {
    let object = policy(tenant, name).pointer_mut(pointer).unwrap();
    object.as_object_mut().unwrap().remove(field);
}

pub(crate) fn report_only(tenant: &mut Value, name: &str) {
    set(
        tenant,
        name,
        "/state",
        json!("enabledForReportingButNotEnforced"),
    );
}

pub(crate) const CASES: &[Case] = &[
    (
        "m365.ca.legacy_auth_blocked",
        "only reporting",
        |t| report_only(t, "legacy"),
        Fail,
    ),
    (
        "m365.ca.legacy_auth_blocked",
        "an exclusion that is not excused",
        |t| set(t, "legacy", STRICT, json!([id(77)])),
        Fail,
    ),
    (
        "m365.ca.legacy_auth_blocked",
        "an excused group",
        |t| set(t, "legacy", "/conditions/users/excludeGroups", json!([])),
        Pass,
    ),
    (
        "m365.ca.legacy_auth_blocked",
        "one of the two clients",
        |t| set(t, "legacy", "/conditions/clientAppTypes", json!(["other"])),
        Fail,
    ),
    (
        "m365.ca.legacy_auth_blocked",
        "security defaults instead",
        |t| {
            *body(t, CA) = json!({ "value": [] });
            body(t, DEFAULTS)["isEnabled"] = true.into();
        },
        Pass,
    ),
    (
        "m365.ca.legacy_auth_blocked",
        "a list that Graph left out",
        |t| remove(t, "legacy", "/conditions/users", "excludeGroups"),
        NO_VERDICT,
    ),
    (
        "m365.ca.legacy_auth_blocked",
        "a state that nobody knows",
        |t| set(t, "legacy", "/state", json!("unknownFutureValue")),
        NO_VERDICT,
    ),
    (
        "m365.ca.mfa_all_users",
        "no grant controls in either policy",
        |t| {
            for name in ["mfa", "resistant"] {
                set(t, name, "/grantControls", Value::Null);
            }
        },
        Fail,
    ),
    (
        "m365.ca.mfa_all_users",
        "a policy that blocks is not one that asks",
        |t| {
            for name in ["mfa", "resistant"] {
                set(
                    t,
                    name,
                    "/grantControls",
                    json!({ "operator": "AND", "builtInControls": ["mfa", "block"] }),
                );
            }
        },
        Fail,
    ),
    (
        "m365.ca.mfa_all_users",
        "only where there is risk",
        |t| {
            for name in ["mfa", "resistant"] {
                set(t, name, "/conditions/signInRiskLevels", json!(["high"]));
            }
        },
        Fail,
    ),
    (
        "m365.ca.mfa_all_users",
        "only outside the office",
        |t| {
            for name in ["mfa", "resistant"] {
                let locations =
                    json!({ "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] });
                set(t, name, "/conditions/locations", locations);
            }
        },
        Fail,
    ),
    (
        "m365.ca.mfa_all_users",
        "every place, written out",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            set(
                t,
                "mfa",
                "/conditions/locations",
                json!({ "includeLocations": ["All"], "excludeLocations": [] }),
            );
        },
        Pass,
    ),
    (
        "m365.ca.mfa_all_users",
        "a strength of two factors",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            let strength = json!({ "allowedCombinations": ["password,sms", "fido2"] });
            set(
                t,
                "mfa",
                "/grantControls",
                json!({ "operator": "OR", "builtInControls": [], "authenticationStrength": strength }),
            );
        },
        Pass,
    ),
    (
        "m365.ca.mfa_all_users",
        "a strength with one factor among two",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            let strength = json!({ "allowedCombinations": ["password,sms", "password"] });
            set(
                t,
                "mfa",
                "/grantControls",
                json!({ "operator": "OR", "builtInControls": [], "authenticationStrength": strength }),
            );
        },
        Fail,
    ),
    (
        "m365.ca.mfa_all_users",
        "grant controls that Graph left out",
        |t| {
            set(t, "resistant", "/state", json!("disabled"));
            remove(t, "mfa", "", "grantControls");
        },
        NO_VERDICT,
    ),
    (
        "m365.ca.phishing_resistant_all",
        "a factor that can be phished",
        |t| {
            set(
                t,
                "resistant",
                "/grantControls/authenticationStrength/allowedCombinations",
                json!(["fido2", "password,sms"]),
            );
        },
        Fail,
    ),
    (
        "m365.ca.phishing_resistant_all",
        "a strength known by its id",
        |t| {
            remove(
                t,
                "resistant",
                "/grantControls/authenticationStrength",
                "allowedCombinations",
            );
        },
        Pass,
    ),
    (
        "m365.ca.phishing_resistant_all",
        "a strength that nobody knows",
        |t| {
            set(
                t,
                "resistant",
                "/grantControls/authenticationStrength",
                json!({ "id": id(404) }),
            );
        },
        NO_VERDICT,
    ),
    (
        "m365.ca.high_user_risk_blocked",
        "medium alone",
        |t| {
            set(
                t,
                "user risk",
                "/conditions/userRiskLevels",
                json!(["medium"]),
            );
        },
        Fail,
    ),
    (
        "m365.ca.high_user_risk_blocked",
        "no licence",
        |t| *body(t, "/subscribedSkus") = json!({ "value": [] }),
        NotEvaluated(Reason::MissingLicence),
    ),
    (
        "m365.ca.high_user_risk_blocked",
        "a licence that was suspended",
        |t| {
            items(t, "/subscribedSkus")[0]["capabilityStatus"] = json!("Suspended");
        },
        NotEvaluated(Reason::MissingLicence),
    ),
    (
        "m365.ca.managed_device_required",
        "both kinds of device at once",
        |t| set(t, "device", "/grantControls/operator", json!("AND")),
        Fail,
    ),
    (
        "m365.ca.managed_device_required",
        "a third control",
        |t| {
            set(
                t,
                "device",
                "/grantControls/builtInControls",
                json!(["compliantDevice", "domainJoinedDevice", "mfa"]),
            );
        },
        Fail,
    ),
    (
        "m365.ca.managed_device_mfa_registration",
        "another action",
        |t| {
            set(
                t,
                "registering",
                "/conditions/applications/includeUserActions",
                json!(["urn:user:registerdevice"]),
            );
        },
        Fail,
    ),
    (
        "m365.ca.device_code_blocked",
        "the other flow alone",
        |t| {
            set(
                t,
                "transfer",
                "/conditions/authenticationFlows/transferMethods",
                json!("authenticationTransfer"),
            );
        },
        Fail,
    ),
    (
        "m365.ca.device_code_blocked",
        "one of two, with a blank",
        |t| {
            set(
                t,
                "transfer",
                "/conditions/authenticationFlows/transferMethods",
                json!("authenticationTransfer, deviceCodeFlow"),
            );
        },
        Pass,
    ),
    (
        "m365.ca.auth_transfer_blocked",
        "the other flow alone",
        |t| {
            set(
                t,
                "transfer",
                "/conditions/authenticationFlows/transferMethods",
                json!("deviceCodeFlow"),
            );
        },
        Fail,
    ),
    (
        "m365.ca.agent_risk_blocked",
        "medium alone",
        |t| {
            set(
                t,
                "agents",
                "/conditions/agentIdRiskLevels",
                json!("medium"),
            );
        },
        Fail,
    ),
    (
        "m365.ca.agent_risk_blocked",
        "a field that v1.0 does not answer",
        |t| remove(t, "agents", "/conditions", "agentIdRiskLevels"),
        NO_VERDICT,
    ),
    (
        "m365.ca.agent_risk_blocked",
        "a cloud without agents",
        |t| t["cloud"] = json!("gcc_high"),
        NotEvaluated(Reason::UnsupportedCloud),
    ),
];

#[test]
fn every_case_of_conditional_access_holds() {
    hold(CASES);
}

#[test]
fn a_near_miss_names_the_policy_and_the_one_thing() {
    let mut tenant = good();
    items(&mut tenant, CA).retain(|it| it["displayName"] == "mfa");
    set(
        &mut tenant,
        "mfa",
        "/conditions/users/excludeGroups",
        json!([id(GROUP)]),
    );
    let failed = result(&tenant, &Profile::scuba(), "m365.ca.mfa_all_users");
    let expected = json!([{ "name": "mfa", "but_for": format!("excludes group {}", id(GROUP)) }]);
    assert_eq!(failed.details["near_misses"], expected);
    set(
        &mut tenant,
        "mfa",
        "/conditions/users/excludeGroups",
        json!([]),
    );
    report_only(&mut tenant, "mfa");
    let failed = result(&tenant, &Profile::scuba(), "m365.ca.mfa_all_users");
    let expected = json!([{ "name": "mfa", "but_for": "only reports, and enforces nothing" }]);
    assert_eq!(failed.details["near_misses"], expected);
}

#[test]
fn a_profile_that_overlooks_exclusions_is_less_sure() {
    let mut tenant = good();
    set(&mut tenant, "resistant", "/state", json!("disabled"));
    set(
        &mut tenant,
        "mfa",
        "/conditions/users/excludeGroups",
        json!([id(GROUP)]),
    );
    let scuba = result(&tenant, &Profile::scuba(), "m365.ca.mfa_all_users");
    let cis = result(&tenant, &Profile::cis(), "m365.ca.mfa_all_users");
    assert_eq!(
        (
            crate::tenant::Expected::of(&scuba),
            crate::tenant::Expected::of(&cis)
        ),
        (Fail, Pass)
    );
    assert_eq!(cis.confidence, Confidence::Medium);
}

#[test]
fn where_the_profiles_disagree_each_has_its_own_reading() {
    let of = |tenant: &Value, profile: &Profile, check: &str| {
        crate::tenant::Expected::of(&result(tenant, profile, check))
    };
    let risk = "m365.ca.high_user_risk_blocked";
    assert_eq!(of(&good(), &Profile::cis(), risk), Fail);
    let mut tenant = good();
    let both = json!({ "operator": "AND", "builtInControls": ["mfa", "passwordChange"] });
    set(&mut tenant, "user risk", "/grantControls", both);
    assert_eq!(of(&tenant, &Profile::cis(), risk), Pass);
    assert_eq!(of(&tenant, &Profile::scuba(), risk), Fail);
    assert_eq!(of(&good(), &Profile::cis(), "m365.app.cert_lifetime"), Fail);
    let mut tuned = good();
    tuned["config"]["checks"]["m365.app.cert_lifetime"] = json!({ "level": 365 });
    assert_eq!(of(&tuned, &Profile::cis(), "m365.app.cert_lifetime"), Pass);
}

#[test]
fn without_the_answer_about_security_defaults_cisa_counts_policies_and_others_do_not_guess() {
    let mut tenant = good();
    items(&mut tenant, CA).clear();
    tenant["resources"]
        .as_object_mut()
        .unwrap()
        .remove(DEFAULTS);
    let of = |tenant: &Value, profile: &Profile| {
        crate::tenant::Expected::of(&result(tenant, profile, "m365.ca.mfa_all_users"))
    };
    assert_eq!(of(&tenant, &Profile::scuba()), Fail);
    assert_eq!(
        of(&tenant, &Profile::cis()),
        NotEvaluated(Reason::NoObservation)
    );
    tenant["resources"][DEFAULTS] = json!({ "error": { "code": "Authorization_RequestDenied" } });
    assert_eq!(
        of(&tenant, &Profile::scuba()),
        NotEvaluated(Reason::MissingPermission)
    );
}

#[test]
fn the_policies_may_lie_under_the_name_of_the_older_path() {
    let mut tenant = good();
    let policies = tenant["resources"]
        .as_object_mut()
        .unwrap()
        .remove(CA)
        .unwrap();
    tenant["resources"]["/policies/conditionalAccessPolicies"] = policies;
    assert_eq!(
        crate::tenant::Expected::of(&result(&tenant, &Profile::scuba(), "m365.ca.mfa_all_users")),
        Pass
    );
}

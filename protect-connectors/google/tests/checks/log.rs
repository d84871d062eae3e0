//! Cases of settings as the changes in the admin log show them.

use protect_core::model::{Confidence, NotEvaluatedReason as Reason};
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::customer::Expected::{self, Fail, NotEvaluated, Pass};
use crate::customer::{add_activity, result, verdict, without};
use crate::records::{LOG, activity};

const NOT_SEEN: Expected = NotEvaluated(Reason::NoObservation);
const NO_VERDICT: Expected = NotEvaluated(Reason::VendorError);
const SETTING: &str = "CHANGE_APPLICATION_SETTING";
const DOCS: &str = "CHANGE_DOCS_SETTING";

/// A check, the setting or event that it looks at, a value that is wrong, and one that nobody knows.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    (
        "auth.2sv_enforced_policy",
        "ENFORCE_STRONG_AUTHENTICATION",
        "false",
        "perhaps",
    ),
    (
        "auth.2sv_enforced_policy",
        "ALLOW_STRONG_AUTHENTICATION",
        "false",
        "perhaps",
    ),
    (
        "auth.2sv_phishing_resistant",
        "CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS",
        "ANY",
        "NEW",
    ),
    (
        "auth.2sv_phishing_resistant",
        "CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS",
        "NO_TELEPHONY",
        "NEW",
    ),
    (
        "auth.2sv_phishing_resistant",
        "ALLOW_STRONG_AUTHENTICATION",
        "false",
        "perhaps",
    ),
    (
        "auth.2sv_no_telephony",
        "CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS",
        "ANY",
        "NEW",
    ),
    (
        "auth.2sv_enrollment_window",
        "CHANGE_TWO_STEP_VERIFICATION_ENROLLMENT_PERIOD_DURATION",
        "2 weeks",
        "6 moons",
    ),
    (
        "auth.2sv_no_device_trust",
        "CHANGE_TWO_STEP_VERIFICATION_FREQUENCY",
        "ENABLE_USERS_TO_TRUST_DEVICE",
        "NEW",
    ),
    (
        "auth.context_aware_access",
        "TOGGLE_CAA_ENABLEMENT",
        "DISABLED",
        "NEW",
    ),
    (
        "auth.post_sso_verification",
        "SsoPolicyProto challenge_selection_behavior",
        "BYPASS_ADDITIONAL_CHALLENGES",
        "NEW",
    ),
    (
        "auth.session_length",
        "Session management settings - Session length in seconds",
        "63072000",
        "never",
    ),
    (
        "auth.password_strength",
        "Password Management - Enforce strong password",
        "off",
        "NEW",
    ),
    (
        "auth.password_length",
        "Password Management - Minimum password length",
        "8",
        "many",
    ),
    (
        "auth.password_enforce_now",
        "Password Management - Enforce password policy at next login",
        "false",
        "NEW",
    ),
    (
        "auth.password_reuse",
        "Password Management - Enable password reuse",
        "true",
        "NEW",
    ),
    (
        "auth.password_no_expiry",
        "Password Management - Password reset frequency",
        "90",
        "NEW",
    ),
    (
        "auth.super_admin_recovery_off",
        "AdminAccountRecoverySettingsProto Enable admin account recovery",
        "true",
        "NEW",
    ),
    (
        "apps.less_secure_off",
        "WEAK_PROGRAMMATIC_LOGIN_SETTINGS_CHANGED",
        "ALLOWED",
        "NEW",
    ),
    (
        "apps.marketplace_allowlist",
        "Apps Access Setting Allowlist access",
        "ALLOW_ALL",
        "NEW",
    ),
    (
        "apps.marketplace_allowlist",
        "Apps Access Setting allow_all_internal_apps",
        "true",
        "NEW",
    ),
    ("data.takeout_off", "Google Takeout", "true", "NEW"),
    (
        "data.takeout_off",
        "UserTakeoutSettingsProto User Takeout ",
        "Enabled",
        "NEW",
    ),
    (
        "admin.multi_party_approval",
        "Multi Party Approval (MPA) Control Multi Party Approval Control",
        "disabled",
        "NEW",
    ),
    (
        "drive.external_sharing",
        "SHARING_OUTSIDE_DOMAIN",
        "SHARING_ALLOWED_WITH_WARNING",
        "NEW",
    ),
    (
        "drive.sharing_warning",
        "SHARING_OUTSIDE_DOMAIN",
        "SHARING_ALLOWED",
        "NEW",
    ),
    (
        "drive.sharing_warning",
        "SHARING_OUTSIDE_DOMAIN",
        "TRUSTED_DOMAINS_ALLOWED",
        "NEW",
    ),
    ("drive.publish_off", "PUBLISHING_TO_WEB", "ALLOWED", "NEW"),
    (
        "drive.access_checker",
        "SHARING_ACCESS_CHECKER_OPTIONS",
        "ALL",
        "NEW",
    ),
    (
        "drive.default_private",
        "DEFAULT_LINK_SHARING_FOR_NEW_DOCS",
        "PEOPLE_WITH_LINK",
        "NEW",
    ),
    (
        "drive.shared_drive_override",
        "Shared Drive Creation new_team_drive_admin_only",
        "false",
        "NEW",
    ),
    (
        "gmail.attachments",
        "Attachment safety Enable: Protect against anomalous attachment types in emails",
        "false",
        "NEW",
    ),
    (
        "gmail.attachments",
        "Attachment safety Encrypted attachment protection setting action",
        "Show warning",
        "NEW",
    ),
    (
        "gmail.links",
        "Links and external images safety Enable: show warning prompt for click on links to unstrusted domains",
        "false",
        "NEW",
    ),
    (
        "gmail.spoofing",
        "Spoofing and authentication safety Enable: protect against any unauthenticated emails",
        "false",
        "NEW",
    ),
    (
        "gmail.pop_imap_off",
        "IMAP_ACCESS",
        "ENABLED_FOR_ALL_MAIL_CLIENTS",
        "NEW",
    ),
    ("gmail.pop_imap_off", "ENABLE_POP_ACCESS", "true", "NEW"),
    (
        "gmail.auto_forward_off",
        "ENABLE_EMAIL_AUTOFORWARDING",
        "true",
        "NEW",
    ),
    (
        "gmail.delegation_off",
        "ENABLE_MAIL_DELEGATION_WITHIN_DOMAIN",
        "true",
        "NEW",
    ),
];

/// A customer of whom the log alone tells.
fn customer() -> Value {
    without("policies")
}

/// The change of the good customer that a case is about.
fn change_of(what: &str) -> (&'static str, &'static str, &'static str, &'static str) {
    let found = LOG
        .iter()
        .find(|(event, _, setting, _)| *event == what || *setting == what);
    *found.unwrap()
}

/// Makes a later change for everybody.
fn change(customer: &mut Value, number: u32, what: &str, value: &str) {
    let (event, application, setting, _) = change_of(what);
    add_activity(
        customer,
        activity(number, &(event, application, setting, value), Some("Acme")),
    );
}

#[test]
fn the_newest_change_decides_with_low_confidence() {
    for (check, what, wrong, unknown) in CHANGES {
        let check = format!("google.{check}");
        let mut customer = customer();
        change(&mut customer, 1_000, what, wrong);
        let found = result(&customer, &Profile::scuba(), &check);
        assert_eq!(
            Expected::of(&found),
            Fail,
            "{check}: {wrong}: {}",
            found.reason
        );
        assert_eq!(found.confidence, Confidence::Low, "{check}");
        assert_eq!(found.affected, ["root"], "{check}");
        change(&mut customer, 1_100, what, unknown);
        assert_eq!(verdict(&customer, &check), NO_VERDICT, "{check}: {unknown}");
        change(&mut customer, 1_200, what, change_of(what).3);
        assert_eq!(verdict(&customer, &check), Pass, "{check}");
    }
}

#[test]
fn a_setting_that_nobody_changed_is_not_evaluated_but_says_what_google_makes_it() {
    let empty = json!({ "kind": "admin#reports#activities", "items": [] });
    for check in protect_google::CATALOGUE.checks {
        if !check.paths().any(|path| path == "activities/admin") {
            continue;
        }
        let mut customer = customer();
        customer["activities"]["admin"] = empty.clone();
        let found = result(&customer, &Profile::scuba(), check.id);
        assert_eq!(Expected::of(&found), NOT_SEEN, "{}", check.id);
        let default = found
            .details
            .get("default_compliant")
            .and_then(Value::as_bool);
        assert_eq!(default, check.default_compliant, "{}", check.id);
    }
}

#[test]
fn the_last_of_two_opposite_events_decides() {
    for (check, events) in [
        (
            "google.apps.unconfigured_third_party",
            [
                "UNBLOCK_ALL_THIRD_PARTY_API_ACCESS",
                "BLOCK_ALL_THIRD_PARTY_API_ACCESS",
            ],
        ),
        (
            "google.apps.unconfigured_third_party",
            [
                "SIGN_IN_ONLY_THIRD_PARTY_API_ACCESS",
                "BLOCK_ALL_THIRD_PARTY_API_ACCESS",
            ],
        ),
        (
            "google.apps.internal_apps",
            [
                "TRUST_DOMAIN_OWNED_OAUTH2_APPS",
                "UNTRUST_DOMAIN_OWNED_OAUTH2_APPS",
            ],
        ),
    ] {
        let mut customer = customer();
        for (event, expected) in events.into_iter().zip([Fail, Pass]) {
            let number = if expected == Fail { 1_000 } else { 1_100 };
            // These are for everybody, and may not name an org unit.
            let mut activity = activity(number, &(event, "", "", ""), None);
            activity["events"][0]["parameters"] = json!([]);
            add_activity(&mut customer, activity);
            assert_eq!(verdict(&customer, check), expected, "{check}: {event}");
        }
    }
}

#[test]
fn an_alert_rule_that_was_switched_off_fails_and_a_change_of_who_is_told_says_nothing() {
    let check = "google.alerts.system_rules";
    let rule = |number: u32, parameter: &str, value: &str| {
        let mut activity = activity(number, &("SYSTEM_DEFINED_RULE_UPDATED", "", "", ""), None);
        activity["events"][0]["parameters"] = json!([
            { "name": "SYSTEM_DEFINED_RULE_NAME", "value": "Leaked password" },
            { "name": parameter, "value": value }
        ]);
        activity
    };
    let mut customer = customer();
    add_activity(
        &mut customer,
        rule(
            1_000,
            "SYSTEM_DEFINED_RULE_ACTION_RECEIVERS_CHANGE",
            "x OFF",
        ),
    );
    assert_eq!(verdict(&customer, check), Pass);
    add_activity(
        &mut customer,
        rule(
            1_100,
            "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE",
            "Status changed from ON to OFF.",
        ),
    );
    assert_eq!(verdict(&customer, check), Fail);
}

#[test]
fn the_same_name_in_another_application_is_another_setting() {
    let mut customer = customer();
    add_activity(
        &mut customer,
        activity(
            1_000,
            &(
                "CHANGE_CALENDAR_SETTING",
                "",
                "SHARING_OUTSIDE_DOMAIN",
                "SHARING_ALLOWED",
            ),
            Some("Acme"),
        ),
    );
    assert_eq!(verdict(&customer, "google.drive.external_sharing"), Pass);
    // One that does not say of which application may be of any.
    add_activity(
        &mut customer,
        activity(
            1_100,
            &(SETTING, "", "SHARING_OUTSIDE_DOMAIN", "SHARING_ALLOWED"),
            Some("Acme"),
        ),
    );
    assert_eq!(
        verdict(&customer, "google.drive.external_sharing"),
        NO_VERDICT
    );
}

#[test]
fn two_changes_at_the_same_time_decide_nothing_where_they_differ() {
    let sharing = |value| (DOCS, "", "SHARING_OUTSIDE_DOMAIN", value);
    let mut customer = customer();
    add_activity(
        &mut customer,
        activity(1_000, &sharing("SHARING_NOT_ALLOWED"), Some("Acme")),
    );
    add_activity(
        &mut customer,
        activity(1_000, &sharing("TRUSTED_DOMAINS_ALLOWED"), Some("Acme")),
    );
    assert_eq!(verdict(&customer, "google.drive.external_sharing"), Pass);
    add_activity(
        &mut customer,
        activity(1_000, &sharing("SHARING_ALLOWED"), Some("Acme")),
    );
    assert_eq!(
        verdict(&customer, "google.drive.external_sharing"),
        NO_VERDICT
    );
}

#[test]
fn an_event_that_does_not_say_what_it_changed_leaves_every_setting_unknown() {
    let check = "google.gmail.delegation_off";
    for change in [
        |event: &mut Value| drop(event.as_object_mut().unwrap().remove("name")),
        |event: &mut Value| drop(event.as_object_mut().unwrap().remove("parameters")),
        |event: &mut Value| event["parameters"] = json!([{ "name": "NEW_VALUE", "value": "true" }]),
        |event: &mut Value| event["parameters"] = json!("text"),
    ] {
        let mut customer = customer();
        let mut odd = activity(1, &(DOCS, "", "PUBLISHING_TO_WEB", "ALLOWED"), Some("Acme"));
        change(&mut odd["events"][0]);
        add_activity(&mut customer, odd.clone());
        assert_eq!(verdict(&customer, check), NO_VERDICT, "{odd}");
    }
    // An event that is about something else needs no parameters.
    let mut customer = customer();
    let mut other = activity(1, &("CREATE_USER", "", "", ""), None);
    other["events"][0]
        .as_object_mut()
        .unwrap()
        .remove("parameters");
    add_activity(&mut customer, other);
    assert_eq!(verdict(&customer, check), Pass);
}

#[test]
fn a_change_without_its_new_value_leaves_that_setting_unknown() {
    let mut customer = customer();
    add_activity(
        &mut customer,
        activity(1_000, &(DOCS, "", "PUBLISHING_TO_WEB", ""), Some("Acme")),
    );
    assert_eq!(verdict(&customer, "google.drive.publish_off"), NO_VERDICT);
    assert_eq!(verdict(&customer, "google.drive.external_sharing"), Pass);
}

#[test]
fn the_value_of_a_second_factors_event_may_stand_under_the_events_own_name() {
    let mut customer = customer();
    let mut event = activity(
        1_000,
        &("CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS", "", "", ""),
        Some("Acme"),
    );
    let parameters = event["events"][0]["parameters"].as_array_mut().unwrap();
    parameters.push(json!({ "name": "ALLOWED_TWO_STEP_VERIFICATION_METHOD", "value": "ANY" }));
    add_activity(&mut customer, event);
    assert_eq!(verdict(&customer, "google.auth.2sv_no_telephony"), Fail);
}

#[test]
fn values_of_every_type_are_read() {
    let check = "google.auth.password_length";
    for (field, value, expected) in [
        ("intValue", json!("20"), Pass),
        ("intValue", json!(8), Fail),
        ("value", json!("20"), Pass),
        ("boolValue", json!(true), NO_VERDICT),
    ] {
        let mut customer = customer();
        let what = "Password Management - Minimum password length";
        let mut event = activity(1_000, &(SETTING, "Security", what, ""), Some("Acme"));
        let parameters = event["events"][0]["parameters"].as_array_mut().unwrap();
        parameters.push(json!({ "name": "NEW_VALUE", field: value }));
        add_activity(&mut customer, event);
        assert_eq!(verdict(&customer, check), expected, "{field}");
    }
}

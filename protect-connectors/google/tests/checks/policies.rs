//! Cases of settings as the Policy API has them.

use protect_core::model::{Confidence, NotEvaluatedReason as Reason};
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::customer::Expected::{self, Fail, NotApplicable, NotEvaluated, Pass};
use crate::customer::{add_policy, good, result, setting, verdict, without};
use crate::records::{ALERTS, policy};

/// A check, the setting and field that it looks at, a value that is wrong, and one that nobody knows.
const FIELDS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "auth.2sv_enforced_policy",
        "security.two_step_verification_enforcement",
        "enforcedFrom",
        "\"1970-01-01T00:00:00Z\"",
        "\"now\"",
    ),
    (
        "auth.2sv_enforced_policy",
        "security.two_step_verification_enforcement",
        "enforcedFrom",
        "\"2027-01-01T00:00:00Z\"",
        "1",
    ),
    (
        "auth.2sv_enforced_policy",
        "security.two_step_verification_enrollment",
        "allowEnrollment",
        "false",
        "\"x\"",
    ),
    (
        "auth.2sv_phishing_resistant",
        "security.two_step_verification_enforcement_factor",
        "allowedSignInFactorSet",
        "\"NO_TELEPHONY\"",
        "\"NEW\"",
    ),
    (
        "auth.2sv_phishing_resistant",
        "security.two_step_verification_enforcement_factor",
        "allowedSignInFactorSet",
        "\"PASSKEY_PLUS_SECURITY_CODE\"",
        "null",
    ),
    (
        "auth.2sv_phishing_resistant",
        "security.two_step_verification_enrollment",
        "allowEnrollment",
        "false",
        "null",
    ),
    (
        "auth.2sv_no_telephony",
        "security.two_step_verification_enforcement_factor",
        "allowedSignInFactorSet",
        "\"ALL\"",
        "\"NEW\"",
    ),
    (
        "auth.2sv_enrollment_window",
        "security.two_step_verification_grace_period",
        "enrollmentGracePeriod",
        "\"1209600s\"",
        "\"soon\"",
    ),
    (
        "auth.2sv_enrollment_window",
        "security.two_step_verification_grace_period",
        "enrollmentGracePeriod",
        "\"0s\"",
        "{}",
    ),
    (
        "auth.2sv_no_device_trust",
        "security.two_step_verification_device_trust",
        "allowTrustingDevice",
        "true",
        "7",
    ),
    (
        "auth.session_length",
        "security.session_controls",
        "webSessionDuration",
        "\"43201s\"",
        "\"for ever\"",
    ),
    (
        "auth.session_length",
        "security.session_controls",
        "webSessionDuration",
        "\"13h\"",
        "null",
    ),
    (
        "auth.password_strength",
        "security.password",
        "allowedStrength",
        "\"WEAK\"",
        "\"MIDDLING\"",
    ),
    (
        "auth.password_length",
        "security.password",
        "minimumLength",
        "8",
        "\"many\"",
    ),
    (
        "auth.password_enforce_now",
        "security.password",
        "enforceRequirementsAtLogin",
        "false",
        "null",
    ),
    (
        "auth.password_reuse",
        "security.password",
        "allowReuse",
        "true",
        "null",
    ),
    (
        "auth.password_no_expiry",
        "security.password",
        "expirationDuration",
        "\"7776000s\"",
        "null",
    ),
    (
        "auth.super_admin_recovery_off",
        "security.super_admin_account_recovery",
        "enableAccountRecovery",
        "true",
        "null",
    ),
    (
        "auth.user_recovery",
        "security.user_account_recovery",
        "enableAccountRecovery",
        "true",
        "null",
    ),
    (
        "apps.google_service_access",
        "api_controls.google_services",
        "services",
        "[{\"isEnabled\":true}]",
        "[]",
    ),
    (
        "apps.internal_apps",
        "api_controls.internal_apps",
        "trustInternalApps",
        "true",
        "null",
    ),
    (
        "apps.unconfigured_third_party",
        "api_controls.unconfigured_third_party_apps",
        "accessLevel",
        "\"ALLOW_SIGN_IN_SCOPES_ONLY\"",
        "\"UNSPECIFIED_UBER_BLOCK\"",
    ),
    (
        "apps.less_secure_off",
        "security.less_secure_apps",
        "allowLessSecureApps",
        "true",
        "null",
    ),
    (
        "apps.marketplace_allowlist",
        "workspace_marketplace.apps_access_options",
        "accessLevel",
        "\"ALLOW_ALL\"",
        "\"NEW\"",
    ),
    (
        "apps.marketplace_allowlist",
        "workspace_marketplace.apps_access_options",
        "allowAllInternalApps",
        "true",
        "null",
    ),
    (
        "data.takeout_off",
        "takeout.service_status",
        "serviceState",
        "\"ENABLED\"",
        "\"NEW\"",
    ),
    (
        "data.takeout_off",
        "youtube.user_takeout",
        "takeoutStatus",
        "\"ENABLED\"",
        "\"NEW\"",
    ),
    (
        "admin.multi_party_approval",
        "multi_party_approval.require_approvals",
        "multiPartyApprovalState",
        "\"DISABLED\"",
        "\"NEW\"",
    ),
    (
        "drive.external_sharing",
        "drive_and_docs.external_sharing",
        "externalSharingMode",
        "\"ALLOWED\"",
        "\"NEW\"",
    ),
    (
        "drive.sharing_warning",
        "drive_and_docs.external_sharing",
        "warnForSharingOutsideAllowlistedDomains",
        "false",
        "null",
    ),
    (
        "drive.publish_off",
        "drive_and_docs.external_sharing",
        "allowPublishingFiles",
        "true",
        "null",
    ),
    (
        "drive.access_checker",
        "drive_and_docs.external_sharing",
        "accessCheckerSuggestions",
        "\"RECIPIENTS_OR_AUDIENCE\"",
        "\"NEW\"",
    ),
    (
        "drive.default_private",
        "drive_and_docs.general_access_default",
        "defaultFileAccess",
        "\"PRIMARY_AUDIENCE_WITH_LINK\"",
        "\"NEW\"",
    ),
    (
        "drive.shared_drive_override",
        "drive_and_docs.shared_drive_creation",
        "allowManagersToOverrideSettings",
        "true",
        "null",
    ),
    (
        "gmail.attachments",
        "gmail.email_attachment_safety",
        "enableEncryptedAttachmentProtection",
        "false",
        "null",
    ),
    (
        "gmail.attachments",
        "gmail.email_attachment_safety",
        "enableAttachmentWithScriptsProtection",
        "false",
        "null",
    ),
    (
        "gmail.attachments",
        "gmail.email_attachment_safety",
        "enableAnomalousAttachmentProtection",
        "false",
        "null",
    ),
    (
        "gmail.attachments",
        "gmail.email_attachment_safety",
        "anomalousAttachmentProtectionConsequence",
        "\"WARNING\"",
        "\"NEW\"",
    ),
    (
        "gmail.links",
        "gmail.links_and_external_images",
        "enableShortenerScanning",
        "false",
        "null",
    ),
    (
        "gmail.links",
        "gmail.links_and_external_images",
        "enableExternalImageScanning",
        "false",
        "null",
    ),
    (
        "gmail.links",
        "gmail.links_and_external_images",
        "enableAggressiveWarningsOnUntrustedLinks",
        "false",
        "null",
    ),
    (
        "gmail.spoofing",
        "gmail.spoofing_and_authentication",
        "detectDomainNameSpoofing",
        "false",
        "null",
    ),
    (
        "gmail.spoofing",
        "gmail.spoofing_and_authentication",
        "detectEmployeeNameSpoofing",
        "false",
        "null",
    ),
    (
        "gmail.spoofing",
        "gmail.spoofing_and_authentication",
        "detectDomainSpoofingFromUnauthenticatedSenders",
        "false",
        "null",
    ),
    (
        "gmail.spoofing",
        "gmail.spoofing_and_authentication",
        "detectUnauthenticatedEmails",
        "false",
        "null",
    ),
    (
        "gmail.spoofing",
        "gmail.spoofing_and_authentication",
        "detectGroupsSpoofing",
        "false",
        "null",
    ),
    (
        "gmail.pop_imap_off",
        "gmail.imap_access",
        "enableImapAccess",
        "true",
        "null",
    ),
    (
        "gmail.pop_imap_off",
        "gmail.pop_access",
        "enablePopAccess",
        "true",
        "null",
    ),
    (
        "gmail.auto_forward_off",
        "gmail.auto_forwarding",
        "enableAutoForwarding",
        "true",
        "null",
    ),
    (
        "gmail.delegation_off",
        "gmail.mail_delegation",
        "enableMailDelegation",
        "true",
        "null",
    ),
];

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_wrong_value_fails_and_one_that_nobody_knows_decides_nothing_whatever_the_log_says() {
    for (check, name, field, wrong, unknown) in FIELDS {
        let check = format!("google.{check}");
        let mut customer = good();
        setting(&mut customer, name)[field] = parse(wrong);
        let found = result(&customer, &Profile::scuba(), &check);
        assert_eq!(
            Expected::of(&found),
            Fail,
            "{check}: {wrong}: {}",
            found.reason
        );
        assert_eq!(found.affected, ["root"], "{check}");
        assert_eq!(found.confidence, Confidence::High, "{check}");
        setting(&mut customer, name)[field] = parse(unknown);
        let found = verdict(&customer, &check);
        assert_eq!(
            found,
            NotEvaluated(Reason::VendorError),
            "{check}: {unknown}"
        );
    }
}

#[test]
fn a_setting_that_the_policies_do_not_tell_is_not_evaluated_without_the_log() {
    for (check, name, field, ..) in FIELDS {
        let check = format!("google.{check}");
        let mut customer = without("activities/admin");
        setting(&mut customer, name)
            .as_object_mut()
            .unwrap()
            .remove(*field);
        let found = verdict(&customer, &check);
        let optional = *field == "allowEnrollment";
        let expected = if optional {
            Pass
        } else {
            NotEvaluated(Reason::NoObservation)
        };
        assert_eq!(found, expected, "{check}: {field}");
    }
}

#[test]
fn every_check_of_the_policies_is_among_the_cases() {
    for check in protect_google::CATALOGUE.checks {
        if check.paths().any(|path| path == "policies") && check.id != "google.alerts.system_rules"
        {
            let has = FIELDS
                .iter()
                .any(|it| check.id == format!("google.{}", it.0));
            assert!(has, "{}", check.id);
        }
    }
}

#[test]
fn an_alert_rule_that_is_off_fails_and_one_that_is_not_told_decides_nothing() {
    let check = "google.alerts.system_rules";
    for name in ALERTS {
        let mut customer = without("activities/admin");
        let policies = customer["policies"]["policies"].as_array_mut().unwrap();
        let at = policies
            .iter()
            .position(|it| it["setting"]["value"]["displayName"] == name);
        policies[at.unwrap()]["setting"]["value"]["state"] = json!("INACTIVE");
        assert_eq!(verdict(&customer, check), Fail, "{name}");
        let policies = customer["policies"]["policies"].as_array_mut().unwrap();
        policies.remove(at.unwrap());
        assert_eq!(
            verdict(&customer, check),
            NotEvaluated(Reason::NoObservation),
            "{name}"
        );
    }
}

#[test]
fn what_the_baselines_want_the_opposite_of_depends_on_the_profile() {
    for (check, name, field) in [
        (
            "google.apps.internal_apps",
            "api_controls.internal_apps",
            "trustInternalApps",
        ),
        (
            "google.auth.user_recovery",
            "security.user_account_recovery",
            "enableAccountRecovery",
        ),
    ] {
        let mut customer = good();
        let of =
            |customer: &Value, profile: Profile| Expected::of(&result(customer, &profile, check));
        assert_eq!(of(&customer, Profile::scuba()), Pass, "{check}");
        assert_eq!(of(&customer, Profile::cis()), Fail, "{check}");
        setting(&mut customer, name)[field] = true.into();
        assert_eq!(of(&customer, Profile::scuba()), Fail, "{check}");
        assert_eq!(of(&customer, Profile::cis()), Pass, "{check}");
    }
}

#[test]
fn a_setting_that_another_one_makes_meaningless_does_not_count() {
    let sharing = "drive_and_docs.external_sharing";
    let warning = "google.drive.sharing_warning";
    let mut customer = good();
    setting(&mut customer, sharing)["externalSharingMode"] = json!("ALLOWED");
    assert_eq!(verdict(&customer, warning), Fail);
    setting(&mut customer, sharing)["warnForExternalSharing"] = true.into();
    assert_eq!(verdict(&customer, warning), Pass);
    let value = setting(&mut customer, sharing);
    value["externalSharingMode"] = json!("DISALLOWED");
    value["warnForExternalSharing"] = false.into();
    assert_eq!(verdict(&customer, warning), Pass);

    let access = "workspace_marketplace.apps_access_options";
    let mut customer = good();
    let value = setting(&mut customer, access);
    value["accessLevel"] = json!("ALLOW_NONE");
    value["allowAllInternalApps"] = true.into();
    let check = "google.apps.marketplace_allowlist";
    assert_eq!(verdict(&customer, check), Pass);
    // An org unit lets some in again, and takes the rest from above.
    let lets = json!({ "accessLevel": "ALLOW_LISTED_APPS" });
    add_policy(&mut customer, policy(access, &lets, Some("sales1")));
    let found = result(&customer, &Profile::scuba(), check);
    assert_eq!(
        (Expected::of(&found), found.affected),
        (Fail, vec!["sales1".to_owned()])
    );
}

#[test]
fn a_service_that_is_off_for_everybody_makes_its_checks_not_applicable() {
    for (service, prefix) in [
        ("gmail", "google.gmail."),
        ("drive_and_docs", "google.drive."),
    ] {
        let mut customer = good();
        let off = json!({ "serviceState": "DISABLED" });
        let mut switched = policy(&format!("{service}.service_status"), &off, Some("root0"));
        switched["policyQuery"]["sortOrder"] = 2.into();
        add_policy(&mut customer, switched);
        let checks = protect_google::CATALOGUE.checks.iter();
        for check in checks.filter(|check| check.id.starts_with(prefix)) {
            assert_eq!(verdict(&customer, check.id), NotApplicable, "{}", check.id);
        }
        let on = json!({ "serviceState": "ENABLED" });
        add_policy(
            &mut customer,
            policy(&format!("{service}.service_status"), &on, Some("sales1")),
        );
        let check = format!(
            "{prefix}{}",
            if service == "gmail" {
                "links"
            } else {
                "publish_off"
            }
        );
        assert_eq!(verdict(&customer, &check), Pass);
    }
}

#[test]
fn the_policies_are_believed_before_the_log_which_is_noted() {
    let mut customer = good();
    setting(&mut customer, "gmail.auto_forwarding")["enableAutoForwarding"] = true.into();
    let found = result(
        &customer,
        &Profile::scuba(),
        "google.gmail.auto_forward_off",
    );
    assert_eq!(Expected::of(&found), Fail);
    assert_eq!(found.details["evidence"], "policies");
    assert_eq!(found.details["admin_log_says"], "pass");
}

//! The policies and the admin log of the good customer.

use serde_json::{Value, json};

pub(crate) const ROOT: &str = "root0";

/// The settings as the Policy API has them, for everybody.
const POLICIES: &[(&str, &str)] = &[
    (
        "security.two_step_verification_enrollment",
        r#"{"allowEnrollment":true}"#,
    ),
    (
        "security.two_step_verification_enforcement",
        r#"{"enforcedFrom":"2025-01-01T00:00:00Z"}"#,
    ),
    (
        "security.two_step_verification_enforcement_factor",
        r#"{"allowedSignInFactorSet":"PASSKEY_ONLY"}"#,
    ),
    (
        "security.two_step_verification_grace_period",
        r#"{"enrollmentGracePeriod":"604800s"}"#,
    ),
    (
        "security.two_step_verification_device_trust",
        r#"{"allowTrustingDevice":false}"#,
    ),
    (
        "security.session_controls",
        r#"{"webSessionDuration":"12h"}"#,
    ),
    (
        "security.password",
        r#"{"allowedStrength":"STRONG","minimumLength":16,"maximumLength":100,"allowReuse":false,
            "enforceRequirementsAtLogin":true,"expirationDuration":"0s"}"#,
    ),
    (
        "security.super_admin_account_recovery",
        r#"{"enableAccountRecovery":false}"#,
    ),
    (
        "security.user_account_recovery",
        r#"{"enableAccountRecovery":false}"#,
    ),
    (
        "security.less_secure_apps",
        r#"{"allowLessSecureApps":false}"#,
    ),
    (
        "api_controls.google_services",
        r#"{"services":[{"serviceName":"GMAIL","isEnabled":false}]}"#,
    ),
    (
        "api_controls.internal_apps",
        r#"{"trustInternalApps":false}"#,
    ),
    (
        "api_controls.unconfigured_third_party_apps",
        r#"{"accessLevel":"BLOCK_ALL_SCOPES"}"#,
    ),
    (
        "workspace_marketplace.apps_access_options",
        r#"{"accessLevel":"ALLOW_LISTED_APPS","allowAllInternalApps":false}"#,
    ),
    ("takeout.service_status", r#"{"serviceState":"DISABLED"}"#),
    ("youtube.user_takeout", r#"{"takeoutStatus":"DISABLED"}"#),
    (
        "multi_party_approval.require_approvals",
        r#"{"multiPartyApprovalState":"ENABLED"}"#,
    ),
    (
        "drive_and_docs.external_sharing",
        r#"{"externalSharingMode":"ALLOWLISTED_DOMAINS","warnForExternalSharing":false,
            "warnForSharingOutsideAllowlistedDomains":true,"allowPublishingFiles":false,
            "accessCheckerSuggestions":"RECIPIENTS_ONLY"}"#,
    ),
    (
        "drive_and_docs.general_access_default",
        r#"{"defaultFileAccess":"PRIVATE_TO_OWNER"}"#,
    ),
    (
        "drive_and_docs.shared_drive_creation",
        r#"{"allowManagersToOverrideSettings":false}"#,
    ),
    (
        "gmail.email_attachment_safety",
        r#"{"enableEncryptedAttachmentProtection":true,"encryptedAttachmentProtectionConsequence":"QUARANTINE",
            "enableAttachmentWithScriptsProtection":true,"attachmentWithScriptsProtectionConsequence":"SPAM_FOLDER",
            "enableAnomalousAttachmentProtection":true,"anomalousAttachmentProtectionConsequence":"SPAM_FOLDER"}"#,
    ),
    (
        "gmail.links_and_external_images",
        r#"{"enableShortenerScanning":true,"enableExternalImageScanning":true,
            "enableAggressiveWarningsOnUntrustedLinks":true}"#,
    ),
    (
        "gmail.spoofing_and_authentication",
        r#"{"detectDomainNameSpoofing":true,"detectEmployeeNameSpoofing":true,
            "detectDomainSpoofingFromUnauthenticatedSenders":true,"detectUnauthenticatedEmails":true,
            "detectGroupsSpoofing":true,"groupsSpoofingConsequence":"WARNING"}"#,
    ),
    ("gmail.imap_access", r#"{"enableImapAccess":false}"#),
    ("gmail.pop_access", r#"{"enablePopAccess":false}"#),
    ("gmail.auto_forwarding", r#"{"enableAutoForwarding":false}"#),
    ("gmail.mail_delegation", r#"{"enableMailDelegation":false}"#),
    ("gmail.service_status", r#"{"serviceState":"ENABLED"}"#),
];

pub(crate) const ALERTS: [&str; 8] = [
    "User's password changed",
    "Government-backed attacks",
    "User suspended due to suspicious activity",
    "User granted Admin privilege",
    "Suspicious programmatic login",
    "Suspicious login",
    "Leaked password",
    "Gmail potential employee spoofing",
];

/// The policies of the customer, for everybody.
pub(crate) fn policies() -> Vec<Value> {
    let settings = POLICIES.iter().map(|(setting, value)| {
        let value: Value = serde_json::from_str(value).unwrap();
        policy(setting, &value, Some(ROOT))
    });
    let alerts = ALERTS.iter().map(|name| {
        let value = json!({ "displayName": name, "state": "ACTIVE" });
        policy("rule.system_defined_alerts", &value, Some(ROOT))
    });
    let mut systems = policy(
        "calendar.external_invitations",
        &json!({ "warnOnInvite": true }),
        Some(ROOT),
    );
    systems["type"] = json!("SYSTEM");
    settings.chain(alerts).chain([systems]).collect()
}

/// A policy of the customer's own, for an org unit.
pub(crate) fn policy(setting: &str, value: &Value, unit: Option<&str>) -> Value {
    let mut policy = json!({
        "name": "policies/ak", "customer": "customers/C01abc", "type": "ADMIN",
        "policyQuery": { "query": "...", "sortOrder": 1 },
        "setting": { "type": format!("settings/{setting}"), "value": value }
    });
    if let Some(unit) = unit {
        policy["policyQuery"]["orgUnit"] = format!("orgUnits/{unit}").into();
    }
    policy
}

/// The changes by which everybody came to the settings: an event's name, its application, what it
/// changed, and to what.
pub(crate) const LOG: &[(&str, &str, &str, &str)] = &[
    ("ALLOW_STRONG_AUTHENTICATION", "", "", "true"),
    ("ENFORCE_STRONG_AUTHENTICATION", "", "", "true"),
    (
        "CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS",
        "",
        "",
        "ONLY_SECURITY_KEY",
    ),
    (
        "CHANGE_TWO_STEP_VERIFICATION_ENROLLMENT_PERIOD_DURATION",
        "",
        "",
        "1 week",
    ),
    (
        "CHANGE_TWO_STEP_VERIFICATION_FREQUENCY",
        "",
        "",
        "DISABLE_USERS_TO_TRUST_DEVICE",
    ),
    ("TOGGLE_CAA_ENABLEMENT", "", "", "ENABLED"),
    (
        SETTING,
        "Security",
        "SsoPolicyProto challenge_selection_behavior",
        "PERFORM_CHALLENGE_SELECTION",
    ),
    (
        SETTING,
        "Security",
        "Session management settings - Session length in seconds",
        "43200",
    ),
    (
        SETTING,
        "Security",
        "Password Management - Enforce strong password",
        "on",
    ),
    (
        SETTING,
        "Security",
        "Password Management - Minimum password length",
        "12",
    ),
    (
        SETTING,
        "Security",
        "Password Management - Enforce password policy at next login",
        "true",
    ),
    (
        SETTING,
        "Security",
        "Password Management - Enable password reuse",
        "false",
    ),
    (
        SETTING,
        "Security",
        "Password Management - Password reset frequency",
        "0",
    ),
    (
        SETTING,
        "Security",
        "AdminAccountRecoverySettingsProto Enable admin account recovery",
        "false",
    ),
    ("UNTRUST_DOMAIN_OWNED_OAUTH2_APPS", "", "", ""),
    ("BLOCK_ALL_THIRD_PARTY_API_ACCESS", "", "", ""),
    ("WEAK_PROGRAMMATIC_LOGIN_SETTINGS_CHANGED", "", "", "DENIED"),
    (
        SETTING,
        "Google Workspace Marketplace",
        "Apps Access Setting Allowlist access",
        "ALLOW_SPECIFIED",
    ),
    (
        SETTING,
        "Google Workspace Marketplace",
        "Apps Access Setting allow_all_internal_apps",
        "false",
    ),
    ("TOGGLE_SERVICE_ENABLED", "", "Google Takeout", "false"),
    (SETTING, "Blogger", TAKEOUT, "Disabled"),
    (SETTING, "Google Books", TAKEOUT, "Disabled"),
    (SETTING, "Google Maps", TAKEOUT, "Disabled"),
    (SETTING, "Google Pay", TAKEOUT, "Disabled"),
    (SETTING, "Google Photos", TAKEOUT, "Disabled"),
    (SETTING, "Google Play", TAKEOUT, "Disabled"),
    (SETTING, "Google Play Console", TAKEOUT, "Disabled"),
    (SETTING, "Timeline - Location History", TAKEOUT, "Disabled"),
    (SETTING, "YouTube", TAKEOUT, "Disabled"),
    (
        SETTING,
        "Multi Party Approval",
        "Multi Party Approval (MPA) Control Multi Party Approval Control",
        "enabled",
    ),
    (
        DOCS,
        "",
        "SHARING_OUTSIDE_DOMAIN",
        "TRUSTED_DOMAINS_ALLOWED_WITH_WARNING",
    ),
    (DOCS, "", "PUBLISHING_TO_WEB", "NOT_ALLOWED"),
    (
        DOCS,
        "",
        "SHARING_ACCESS_CHECKER_OPTIONS",
        "NAMED_PARTIES_ONLY",
    ),
    (DOCS, "", "DEFAULT_LINK_SHARING_FOR_NEW_DOCS", "PRIVATE"),
    (
        SETTING,
        "Drive and Docs",
        "Shared Drive Creation new_team_drive_admin_only",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Attachment safety Enable: protect against encrypted attachments from untrusted senders",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Attachment safety Enable: protect against attachments with scripts from untrusted senders",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Attachment safety Enable: Protect against anomalous attachment types in emails",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Attachment safety Encrypted attachment protection setting action",
        "Quarantine",
    ),
    (
        SETTING,
        "Gmail",
        "Links and external images safety Enable: identify links behind shortened URLs",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Links and external images safety Enable: scan linked images",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Links and external images safety Enable: show warning prompt for click on links to unstrusted domains",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Spoofing and authentication safety Enable: protect against domain spoofing using similar domain names",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Spoofing and authentication safety Enable: protect against spoofing of employee names",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Spoofing and authentication safety Enable: protect against inbound emails spoofing your domain",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Spoofing and authentication safety Enable: protect against any unauthenticated emails",
        "true",
    ),
    (
        SETTING,
        "Gmail",
        "Spoofing and authentication safety Enable: protect your Groups from inbound emails spoofing your domain",
        "true",
    ),
    ("CHANGE_GMAIL_SETTING", "", "IMAP_ACCESS", "DISABLED"),
    ("CHANGE_EMAIL_SETTING", "", "ENABLE_POP_ACCESS", "false"),
    (
        "CHANGE_EMAIL_SETTING",
        "",
        "ENABLE_EMAIL_AUTOFORWARDING",
        "false",
    ),
    (
        "CHANGE_EMAIL_SETTING",
        "",
        "ENABLE_MAIL_DELEGATION_WITHIN_DOMAIN",
        "false",
    ),
    // Of another application, with the name that Drive has too.
    (
        "CHANGE_CALENDAR_SETTING",
        "",
        "SHARING_OUTSIDE_DOMAIN",
        "READ_WRITE_ACCESS",
    ),
    ("CREATE_USER", "", "", ""),
];

const SETTING: &str = "CHANGE_APPLICATION_SETTING";
const DOCS: &str = "CHANGE_DOCS_SETTING";
/// With a blank at the end, as Google has it.
const TAKEOUT: &str = "UserTakeoutSettingsProto User Takeout ";

/// The admin log by which everybody came to the settings.
pub(crate) fn log() -> Vec<Value> {
    let settings = LOG.iter().zip(1..);
    let settings = settings.map(|(change, number)| activity(number, change, Some("Acme")));
    let alerts = ALERTS.iter().zip(500..).map(|(name, number)| {
        let mut activity = activity(number, &("SYSTEM_DEFINED_RULE_UPDATED", "", "", ""), None);
        activity["events"][0]["parameters"] = json!([
            { "name": "SYSTEM_DEFINED_RULE_NAME", "value": name },
            { "name": "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE", "value": "Status changed from OFF to ON." }
        ]);
        activity
    });
    settings.chain(alerts).collect()
}

/// A change, in the minute of its number.
pub(crate) fn activity(
    number: u32,
    change: &(&str, &str, &str, &str),
    unit: Option<&str>,
) -> Value {
    let (event, application, setting, value) = change;
    let name = if *event == "TOGGLE_SERVICE_ENABLED" {
        "SERVICE_NAME"
    } else {
        "SETTING_NAME"
    };
    let mut parameters = Vec::new();
    for (name, value) in [
        ("APPLICATION_NAME", application),
        (name, setting),
        ("NEW_VALUE", value),
    ] {
        if !value.is_empty() {
            parameters.push(json!({ "name": name, "value": value }));
        }
    }
    if let Some(unit) = unit {
        parameters.push(json!({ "name": "ORG_UNIT_NAME", "value": unit }));
    }
    let (hour, minute) = (number / 60, number % 60);
    json!({
        "kind": "admin#reports#activity",
        "id": {
            "time": format!("2026-10-01T{hour:02}:{minute:02}:00.000Z"), "uniqueQualifier": number.to_string(),
            "applicationName": "admin", "customerId": "C01abc"
        },
        "actor": { "callerType": "USER", "email": "user101@acme.example", "profileId": "101" },
        "events": [{ "type": "APPLICATION_SETTINGS", "name": event, "parameters": parameters }]
    })
}

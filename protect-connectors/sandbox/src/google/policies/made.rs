//! The policies of the planted organisation: what is right in them, and what is not.

use serde_json::{Value, json};

use super::policy;
use crate::{
    google::units::{self, Units},
    rng::Rng,
};

/// Identifier of a unit that is no longer there, as policies may still name.
const GONE: &str = "03ph8a2zgoneunit";

/// Every policy: what Google set, and what administrators did for all, for some and for nobody.
pub(crate) fn policies(seed: u64, customer: &str, units: &Units, group: &str) -> Vec<Value> {
    let customer = format!("customers/{customer}");
    let mut rng = Rng::new(seed, "google policies");
    let mut add = |kind: &str, query: Value, setting: &str, value: &Value| {
        let name = format!("ak{}", rng.base32(22).to_lowercase());
        policy((&name, &customer), kind, &query, (setting, value))
    };
    let mut made = Vec::new();
    for (setting, google, ours) in settings() {
        let root = for_unit(units.id(units::ROOT), 0);
        made.push(add("SYSTEM", root, setting, &google));
        if let Some(ours) = ours {
            let root = for_unit(units.id(units::ROOT), 1);
            made.push(add("ADMIN", root, setting, &ours));
        }
    }
    let expiry = json!({"webSessionDuration": "1209600s"});
    let berlin = for_unit(units.id(6), 2);
    made.push(add("ADMIN", berlin, "security.session_controls", &expiry));
    let forwarding = json!({"enableAutoForwarding": true});
    made.push(add(
        "ADMIN",
        for_unit(GONE, 1),
        "gmail.auto_forwarding",
        &forwarding,
    ));
    let mut query = for_unit(units.id(units::ROOT), 10);
    query["group"] = json!(format!("groups/{group}"));
    let factors = json!({"allowedSignInFactorSet": "PASSKEY_ONLY"});
    let setting = "security.two_step_verification_enforcement_factor";
    made.push(add("ADMIN", query, setting, &factors));
    let mut query = for_unit(units.id(units::ROOT), 11);
    query["group"] = json!("WORKSPACE_ALL_ADMIN_GROUP");
    made.push(add("ADMIN", query, setting, &factors));
    // Not every policy says for which unit it is.
    let query = json!({"sortOrder": 1});
    let takeout = json!({"serviceState": "DISABLED"});
    made.push(add("ADMIN", query, "youtube.service_status", &takeout));
    for (rule, state) in [
        ("Leaked password", "ACTIVE"),
        ("Suspicious login", "ACTIVE"),
        ("Government-backed attacks", "ACTIVE"),
        ("User suspended due to suspicious activity", "INACTIVE"),
        ("Google Operations", "ACTIVE"),
    ] {
        let value = json!({"displayName": rule, "state": state});
        let root = for_unit(units.id(units::ROOT), 0);
        made.push(add("SYSTEM", root, "rule.system_defined_alerts", &value));
    }
    made
}

fn for_unit(unit: &str, order: u32) -> Value {
    json!({
        "query": format!(
            "entity.org_units.exists(org_unit, org_unit.org_unit_id == orgUnitId('{unit}'))"
        ),
        "orgUnit": format!("orgUnits/{unit}"),
        "sortOrder": order,
    })
}

/// A setting, what Google set, and what an administrator made of it for everybody.
type Setting = (&'static str, Value, Option<Value>);

fn settings() -> Vec<Setting> {
    let mut all = sign_in();
    all.extend(access());
    all.extend(sharing());
    all.extend(mail());
    all
}

fn sign_in() -> Vec<Setting> {
    vec![
        (
            "security.two_step_verification_enrollment",
            json!({"allowEnrollment": true}),
            None,
        ),
        (
            "security.two_step_verification_enforcement",
            json!({"enforcedFrom": "1970-01-01T00:00:00Z"}),
            Some(json!({"enforcedFrom": "2024-03-01T00:00:00Z"})),
        ),
        (
            "security.two_step_verification_enforcement_factor",
            json!({"allowedSignInFactorSet": "ALL"}),
            Some(json!({"allowedSignInFactorSet": "NO_TELEPHONY"})),
        ),
        (
            "security.two_step_verification_device_trust",
            json!({"allowTrustingDevice": true}),
            None,
        ),
        (
            "security.two_step_verification_grace_period",
            json!({"enrollmentGracePeriod": "0s"}),
            Some(json!({"enrollmentGracePeriod": "604800s"})),
        ),
        (
            "security.session_controls",
            json!({"webSessionDuration": "1209600s"}),
            Some(json!({"webSessionDuration": "43200s"})),
        ),
        (
            "security.password",
            json!({
                "allowedStrength": "WEAK", "minimumLength": 8, "maximumLength": 100,
                "allowReuse": false, "enforceRequirementsAtLogin": false,
                "expirationDuration": "0s",
            }),
            Some(json!({
                "allowedStrength": "STRONG", "minimumLength": 12, "maximumLength": 100,
                "allowReuse": false, "enforceRequirementsAtLogin": true,
                "expirationDuration": "0s",
            })),
        ),
        (
            "security.super_admin_account_recovery",
            json!({"enableAccountRecovery": true}),
            Some(json!({"enableAccountRecovery": false})),
        ),
        (
            "security.user_account_recovery",
            json!({"enableAccountRecovery": false}),
            None,
        ),
        (
            "security.less_secure_apps",
            json!({"allowLessSecureApps": false}),
            None,
        ),
        (
            "security.advanced_protection_program",
            json!({
                "enableAdvancedProtectionSelfEnrollment": true,
                "securityCodeOption": "ALLOWED_WITHOUT_REMOTE_ACCESS",
            }),
            None,
        ),
        (
            "security.login_challenges",
            json!({"enableEmployeeIdChallenge": false}),
            None,
        ),
    ]
}

fn access() -> Vec<Setting> {
    vec![
        (
            "api_controls.google_services",
            json!({"services": [
                {"serviceName": "Drive", "isEnabled": true},
                {"serviceName": "Gmail", "isEnabled": true},
            ]}),
            Some(json!({"services": [
                {"serviceName": "Drive", "isEnabled": true},
                {"serviceName": "Gmail", "isEnabled": false},
            ]})),
        ),
        (
            "api_controls.internal_apps",
            json!({"trustInternalApps": true}),
            None,
        ),
        (
            "api_controls.unconfigured_third_party_apps",
            json!({"accessLevel": "ALLOW_ALL_SCOPES"}),
            Some(json!({"accessLevel": "ALLOW_SIGN_IN_SCOPES_ONLY"})),
        ),
        (
            "workspace_marketplace.apps_access_options",
            json!({"accessLevel": "ALLOW_ALL"}),
            Some(json!({"accessLevel": "ALLOW_LISTED_APPS", "allowAllInternalApps": false})),
        ),
        (
            "multi_party_approval.require_approvals",
            json!({"multiPartyApprovalState": "DISABLED"}),
            None,
        ),
        (
            "takeout.service_status",
            json!({"serviceState": "ENABLED"}),
            Some(json!({"serviceState": "DISABLED"})),
        ),
    ]
}

fn sharing() -> Vec<Setting> {
    vec![
        (
            "drive_and_docs.external_sharing",
            json!({
                "externalSharingMode": "ALLOWED", "warnForExternalSharing": true,
                "allowPublishingFiles": true,
                "accessCheckerSuggestions": "RECIPIENTS_OR_AUDIENCE",
                "allowedPartiesForDistributingContent": "ALL_ELIGIBLE_USERS",
            }),
            Some(json!({
                "externalSharingMode": "ALLOWLISTED_DOMAINS",
                "warnForSharingOutsideAllowlistedDomains": true,
                "allowPublishingFiles": true,
                "accessCheckerSuggestions": "RECIPIENTS_ONLY",
                "allowedPartiesForDistributingContent": "ELIGIBLE_INTERNAL_USERS",
            })),
        ),
        (
            "drive_and_docs.general_access_default",
            json!({"defaultFileAccess": "LINK_SHARING_PRIVATE"}),
            Some(json!({"defaultFileAccess": "PRIVATE_TO_OWNER"})),
        ),
        (
            "drive_and_docs.shared_drive_creation",
            json!({"allowSharedDriveCreation": true, "allowManagersToOverrideSettings": true}),
            None,
        ),
        (
            "drive_and_docs.drive_for_desktop",
            json!({"allowDriveForDesktop": true, "restrictToAuthorizedDevices": false}),
            None,
        ),
        (
            "calendar.primary_calendar_max_allowed_external_sharing",
            json!({"maxAllowedExternalSharing": "EXTERNAL_FREE_BUSY_ONLY"}),
            None,
        ),
        (
            "calendar.external_invitations",
            json!({"warnOnInvite": true}),
            None,
        ),
        (
            "chat.chat_file_sharing",
            json!({"externalFileSharing": "ALL_FILES", "internalFileSharing": "ALL_FILES"}),
            None,
        ),
        (
            "chat.external_chat_restriction",
            json!({"allowExternalChat": true, "externalChatRestriction": "NO_RESTRICTION"}),
            None,
        ),
        (
            "groups_for_business.groups_sharing",
            json!({
                "collaborationCapability": "DOMAIN_USERS_ONLY",
                "createGroupsAccessLevel": "USERS_IN_DOMAIN",
                "viewTopicsDefaultAccessLevel": "DOMAIN_USERS",
            }),
            None,
        ),
    ]
}

fn mail() -> Vec<Setting> {
    vec![
        (
            "gmail.email_attachment_safety",
            json!({
                "enableEncryptedAttachmentProtection": true,
                "encryptedAttachmentProtectionConsequence": "SPAM_FOLDER",
                "enableAttachmentWithScriptsProtection": true,
                "attachmentWithScriptsProtectionConsequence": "SPAM_FOLDER",
                "enableAnomalousAttachmentProtection": false,
                "applyFutureRecommendedSettingsAutomatically": true,
            }),
            None,
        ),
        (
            "gmail.links_and_external_images",
            json!({
                "enableShortenerScanning": true,
                "enableExternalImageScanning": true,
                "enableAggressiveWarningsOnUntrustedLinks": true,
                "applyFutureSettingsAutomatically": true,
            }),
            None,
        ),
        (
            "gmail.spoofing_and_authentication",
            json!({
                "detectDomainNameSpoofing": true,
                "domainNameSpoofingConsequence": "WARNING",
                "detectEmployeeNameSpoofing": true,
                "employeeNameSpoofingConsequence": "WARNING",
                "detectDomainSpoofingFromUnauthenticatedSenders": true,
                "domainSpoofingConsequence": "WARNING",
                "detectUnauthenticatedEmails": false,
                "detectGroupsSpoofing": false,
                "applyFutureSettingsAutomatically": true,
            }),
            None,
        ),
        (
            "gmail.imap_access",
            json!({"enableImapAccess": false}),
            None,
        ),
        (
            "gmail.pop_access",
            json!({"enablePopAccess": false}),
            Some(json!({"enablePopAccess": true})),
        ),
        (
            "gmail.auto_forwarding",
            json!({"enableAutoForwarding": true}),
            Some(json!({"enableAutoForwarding": false})),
        ),
        (
            "gmail.mail_delegation",
            json!({"enableMailDelegation": false}),
            None,
        ),
        (
            "gmail.email_spam_filter_ip_allowlist",
            json!({"allowedIpAddresses": []}),
            None,
        ),
        (
            "gmail.enhanced_pre_delivery_message_scanning",
            json!({"enableImprovedSuspiciousContentDetection": true}),
            None,
        ),
    ]
}
